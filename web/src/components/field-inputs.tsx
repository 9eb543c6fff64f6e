import { useTranslation } from 'react-i18next'
import { fieldFault, lengthLimit, type FieldDefinition, type FieldValues } from '../lib/custom-fields.ts'
import { Button } from './button.tsx'
import { CheckboxGroup } from './checkbox-group.tsx'
import { Checkbox } from './checkbox.tsx'
import { PersonField } from './person-field.tsx'
import { usePersonName } from './person-name.tsx'
import { Select } from './select.tsx'
import { TextField } from './text-field.tsx'

export interface FieldInputsProps {
  /** Those that are asked for, in order. */
  fields: readonly FieldDefinition[]
  values: FieldValues
  onChange: (key: string, value: unknown) => void
  isRequired: (field: FieldDefinition) => boolean
  /** Whether sending was tried: only then is it said what is missing. */
  wasTried: boolean
  /** The key of the field whose value the server refused. */
  refused?: string | undefined
}

/** The custom fields in a form. */
export function FieldInputs({ fields, values, onChange, isRequired, wasTried, refused }: FieldInputsProps) {
  const { t, i18n } = useTranslation('components')
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)

  function errorOf(field: FieldDefinition): string | null {
    const fault = fieldFault(field, values[field.key], isRequired(field))
    if (fault && wasTried) {
      return t(`customField.fault.${fault}`, {
        minimum: number(field.minimum ?? 0),
        maximum: number(field.maximum ?? 0),
        limit: number(lengthLimit(field)),
      })
    }
    return refused === field.key ? t('customField.fault.refused') : null
  }

  return fields.map((field) => (
    <div key={field.key} data-field={field.key}>
      <FieldInput
        field={field}
        label={isRequired(field) ? t('customField.required', { label: field.label }) : field.label}
        value={values[field.key] ?? null}
        onChange={(value) => onChange(field.key, value)}
        error={errorOf(field)}
      />
    </div>
  ))
}

/** Puts the focus on what there is to fill in of a field. */
export function focusField(form: HTMLElement | null, key: string): void {
  form?.querySelector<HTMLElement>(`[data-field="${CSS.escape(key)}"] :is(input, button)`)?.focus()
}

export interface FieldInputProps {
  field: FieldDefinition
  label: string
  value: unknown
  onChange: (value: unknown) => void
  error: string | null
}

/** The value of "nothing chosen"; keys of options have no space. */
const UNSAID = 'not said'

/** The value of one custom field. */
export function FieldInput({ field, label, value, onChange, error }: FieldInputProps) {
  const { t } = useTranslation('components')
  const hint = field.help ? { description: field.help } : {}
  const labelOf = (option: { label: string; archived: boolean }) =>
    option.archived ? t('customField.archived', { label: option.label }) : option.label
  switch (field.type) {
    case 'boolean':
      return (
        <Select
          label={label}
          value={value === true ? 'true' : value === false ? 'false' : UNSAID}
          choices={[
            { value: UNSAID, label: t('customField.unsaid') },
            { value: 'true', label: t('customField.yes') },
            { value: 'false', label: t('customField.no') },
          ]}
          onChange={(chosen) => onChange(chosen === UNSAID ? null : chosen === 'true')}
          error={error}
          {...hint}
        />
      )
    case 'select':
      return (
        <Select
          label={label}
          value={typeof value === 'string' ? value : UNSAID}
          choices={[
            { value: UNSAID, label: t('customField.unsaid') },
            ...field.options
              .filter((option) => !option.archived || option.key === value)
              .map((option) => ({ value: option.key, label: labelOf(option) })),
          ]}
          onChange={(chosen) => onChange(chosen === UNSAID ? null : chosen)}
          error={error}
          {...hint}
        />
      )
    case 'multi_select': {
      const chosen = Array.isArray(value) ? value.map(String) : []
      return (
        <CheckboxGroup label={label} value={chosen} onChange={onChange} error={error} {...hint}>
          {field.options
            .filter((option) => !option.archived || chosen.includes(option.key))
            .map((option) => (
              <Checkbox key={option.key} value={option.key}>
                {labelOf(option)}
              </Checkbox>
            ))}
        </CheckboxGroup>
      )
    }
    case 'user':
      return (
        <PersonInput
          label={label}
          value={typeof value === 'string' ? value : null}
          onChange={onChange}
          {...hint}
        />
      )
    default:
      return (
        <TextField
          label={label}
          type={field.type === 'date' ? 'date' : 'text'}
          {...(field.type === 'number' ? { inputMode: 'decimal' as const } : {})}
          {...(field.type === 'url' ? { inputMode: 'url' as const } : {})}
          {...(field.type === 'text' || field.type === 'url' ? { limit: lengthLimit(field) } : {})}
          autoComplete="off"
          value={value === null ? '' : String(value)}
          onChange={onChange}
          error={error}
          {...hint}
        />
      )
  }
}

interface PersonInputProps {
  label: string
  value: string | null
  onChange: (userId: string | null) => void
  description?: string
}

function PersonInput({ label, value, onChange, description }: PersonInputProps) {
  const { t } = useTranslation('components')
  const name = usePersonName(value)
  return (
    <div className="flex flex-col items-start gap-1 *:first:w-full">
      <PersonField
        label={label}
        circle="everybody"
        value={value !== null && name !== undefined ? { rowId: value, name, email: '' } : null}
        onChange={({ rowId }) => onChange(rowId)}
        {...(description ? { description } : {})}
      />
      {value !== null && (
        <Button variant="quiet" size="small" onPress={() => onChange(null)}>
          {t('customField.nobody')}
        </Button>
      )}
    </div>
  )
}
