import { useTranslation } from 'react-i18next'
import { fieldText, type FieldDefinition } from '../lib/custom-fields.ts'
import { readerLocale } from '../lib/reader-locale.ts'
import { PersonName } from './person-name.tsx'

export interface FieldValueProps {
  field: Pick<FieldDefinition, 'type' | 'options'>
  value: unknown
}

/** The value of a custom field as people read it; nothing where there is none. */
export function FieldValue({ field, value }: FieldValueProps) {
  const { t, i18n } = useTranslation('components')
  if (field.type === 'user') return typeof value === 'string' ? <PersonName userId={value} /> : null
  const text = fieldText(field, value, {
    language: readerLocale(i18n.language),
    yes: t('customField.yes'),
    no: t('customField.no'),
  })
  if (field.type !== 'url' || !/^https?:\/\//i.test(text)) return text
  return (
    <a
      href={text}
      target="_blank"
      rel="noreferrer"
      className="rounded-sm text-accent-text underline-offset-4 [overflow-wrap:anywhere] hover:underline"
    >
      {text.replace(/^https?:\/\//i, '')}
    </a>
  )
}
