import { useTranslation } from 'react-i18next'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { Select } from '../../components/select.tsx'
import type { CustomField } from '../../graphql/custom-fields.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { decidedText } from './condition-text.ts'
import { deciders, type FieldDraft } from './field-draft.ts'

/** The value of "always"; keys of fields have no space. */
const ALWAYS = 'always asked'

export interface ConditionInputsProps {
  draft: FieldDraft
  fields: readonly CustomField[]
  onChange: (part: Pick<FieldDraft, 'visibleWhenField' | 'visibleWhenValues'>) => void
  error: string | null
}

/** On which value of which other field a field is asked for. */
export function ConditionInputs({ draft, fields, onChange, error }: ConditionInputsProps) {
  const { t, i18n } = useTranslation(['custom-fields', 'components'])
  const possible = deciders(fields, draft)
  const decider = fields.find(({ key }) => key === draft.visibleWhenField)
  if (possible.length === 0 && !decider) return null
  const words = {
    language: readerLocale(i18n.language),
    yes: t('components:customField.yes'),
    no: t('components:customField.no'),
  }
  const values =
    decider?.type === 'boolean'
      ? ['true', 'false']
      : (decider?.options ?? [])
          .filter(({ key, archived }) => !archived || draft.visibleWhenValues.includes(key))
          .map(({ key }) => key)
  return (
    <div className="flex flex-col gap-4">
      <Select
        label={t('form.condition')}
        value={draft.visibleWhenField ?? ALWAYS}
        choices={[
          { value: ALWAYS, label: t('form.always') },
          ...possible.map(({ key, label }) => ({ value: key, label })),
        ]}
        onChange={(key) => onChange({ visibleWhenField: key === ALWAYS ? null : key, visibleWhenValues: [] })}
      />
      {decider && (
        <CheckboxGroup
          label={t('form.conditionValues', { field: decider.label })}
          value={draft.visibleWhenValues}
          onChange={(chosen) => onChange({ visibleWhenField: decider.key, visibleWhenValues: chosen })}
          error={error}
        >
          {values.map((value) => (
            <Checkbox key={value} value={value}>
              {decidedText(decider, value, words)}
            </Checkbox>
          ))}
        </CheckboxGroup>
      )}
    </div>
  )
}
