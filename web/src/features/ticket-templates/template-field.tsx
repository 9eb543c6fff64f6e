import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Select } from '../../components/select.tsx'
import { graphql, type ResultOf } from '../../graphql/tada.ts'

const TemplateChoicesQuery = graphql(`
  query TemplateChoices {
    ticketTemplates(first: 100, filter: { archivedAt: { isNull: true } }, orderBy: [POSITION_ASC]) {
      nodes {
        id
        rowId
        name
        subject
        body
        priority
        serviceId
      }
    }
  }
`)

export type ChosenTemplate = NonNullable<
  ResultOf<typeof TemplateChoicesQuery>['ticketTemplates']['nodes'][number]
>

export interface TemplateFieldProps {
  value: string | null
  onChange: (template: ChosenTemplate | null) => void
}

/** The value of "none"; row ids are UUIDs, so it cannot be one. */
const NO_TEMPLATE = 'none'

/** What to begin a ticket with; nothing is shown where there is no template to choose. */
export function TemplateField({ value, onChange }: TemplateFieldProps) {
  const { t } = useTranslation('ticket-templates')
  const [{ data }] = useQuery({ query: TemplateChoicesQuery })
  const templates = (data?.ticketTemplates.nodes ?? []).filter((node) => node !== null)
  if (templates.length === 0) return null
  return (
    <Select
      label={t('beginWith')}
      value={value ?? NO_TEMPLATE}
      choices={[
        { value: NO_TEMPLATE, label: t('beginWithNothing') },
        ...templates.map((template) => ({ value: template.rowId, label: template.name })),
      ]}
      onChange={(rowId) => onChange(templates.find((template) => template.rowId === rowId) ?? null)}
    />
  )
}
