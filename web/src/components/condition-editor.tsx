import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleChoices } from '../graphql/rule-choices.ts'
import {
  asksForValue,
  blankFieldCondition,
  customFieldKey,
  customFieldName,
  editableField,
  FIELD_OPERATORS,
  withFieldOperator,
} from '../lib/custom-field-rules.ts'
import { sentValue, type FieldDefinition } from '../lib/custom-fields.ts'
import {
  blankCondition,
  FIELDS,
  isEditable,
  valueKind,
  withOperator,
  type Condition,
  type Field,
  type Operator,
} from '../lib/ticket-rules.ts'
import { Button } from './button.tsx'
import { FieldInput } from './field-inputs.tsx'
import { RuleValue } from './rule-value.tsx'
import { Select } from './select.tsx'

export interface ConditionEditorProps {
  /** Names the list: "All of these". */
  label: string
  conditions: readonly Condition[]
  onChange: (conditions: Condition[]) => void
  choices: RuleChoices
}

const FIELD_NAMES = Object.keys(FIELDS) as Field[]

/** Conditions on tickets, one a line. */
export function ConditionEditor({ label, conditions, onChange, choices }: ConditionEditorProps) {
  const { t } = useTranslation('components')
  const replace = (index: number, condition: Condition) =>
    onChange(conditions.map((each, place) => (place === index ? condition : each)))
  return (
    <div role="group" aria-label={label} className="flex flex-col gap-3">
      <h3 className="text-sm font-medium">{label}</h3>
      {conditions.length > 0 && (
        <ul className="flex flex-col gap-3">
          {conditions.map((condition, index) => (
            // Lines have no other name than their place.
            <li key={index} className="flex items-end gap-2 rounded-lg border border-border p-3">
              {isEditable(condition) || editableField(condition, choices.fields) ? (
                <Line condition={condition} onChange={(next) => replace(index, next)} choices={choices} />
              ) : (
                <code className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">
                  {JSON.stringify(condition)}
                </code>
              )}
              <Button
                variant="quiet"
                isIconOnly
                aria-label={t('rules.removeCondition', { number: index + 1 })}
                onPress={() => onChange(conditions.filter((_, place) => place !== index))}
              >
                <X className="size-4" aria-hidden="true" />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Button
        size="small"
        className="self-start"
        onPress={() => onChange([...conditions, blankCondition('status')])}
        isDisabled={conditions.length >= 20}
      >
        <Plus className="size-4" aria-hidden="true" />
        {t('rules.addCondition')}
      </Button>
    </div>
  )
}

interface LineProps {
  condition: Condition
  onChange: (condition: Condition) => void
  choices: RuleChoices
}

/** Asks for one condition: what it looks at, how, and the value. */
function Line({ condition, onChange, choices }: LineProps) {
  const { t } = useTranslation('components')
  const custom = editableField(condition, choices.fields)
  const operators = custom ? FIELD_OPERATORS[custom.type] : FIELDS[condition.field as Field].operators
  return (
    <div className="grid min-w-0 flex-1 gap-3 sm:grid-cols-3">
      <Select
        label={t('rules.field')}
        choices={[
          ...FIELD_NAMES.map((name) => ({ value: name, label: t(`rules.fields.${name}`) })),
          ...choices.fields.map(({ key, label }) => ({ value: customFieldName(key), label })),
        ]}
        value={condition.field}
        onChange={(next) => {
          const chosen = choices.fields.find(({ key }) => key === customFieldKey(next))
          onChange(chosen ? blankFieldCondition(chosen) : blankCondition(next as Field))
        }}
      />
      <Select<Operator>
        label={t('rules.operator')}
        choices={operators.map((operator) => ({
          value: operator,
          label: t(`rules.operators.${operator}`),
        }))}
        value={condition.operator as Operator}
        onChange={(operator) =>
          onChange(
            custom ? withFieldOperator(condition, operator, custom.type) : withOperator(condition, operator),
          )
        }
      />
      {custom ? (
        asksForValue(condition.operator) && (
          <CustomValue
            key={custom.key}
            field={custom}
            value={condition.value}
            onChange={(value) => onChange({ ...condition, value })}
          />
        )
      ) : (
        <PlainValue condition={condition} onChange={onChange} choices={choices} />
      )}
    </div>
  )
}

function PlainValue({ condition, onChange, choices }: LineProps) {
  const kind = valueKind(condition)
  return (
    kind && (
      <RuleValue
        key={condition.field}
        kind={kind}
        value={condition.value}
        onChange={(value) => onChange({ ...condition, value })}
        choices={choices}
      />
    )
  )
}

interface CustomValueProps {
  field: FieldDefinition
  value: unknown
  onChange: (value: unknown) => void
}

function CustomValue({ field, value, onChange }: CustomValueProps) {
  const { t } = useTranslation('components')
  // A number is one only when it is typed to its end.
  const [typed, setTyped] = useState(value)
  return (
    <FieldInput
      field={{ ...field, help: null }}
      label={t('rules.value.boolean')}
      value={typed === '' ? null : typed}
      onChange={(next) => {
        setTyped(next)
        onChange(sentValue(field, next) ?? '')
      }}
      error={null}
    />
  )
}
