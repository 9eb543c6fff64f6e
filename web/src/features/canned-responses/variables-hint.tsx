import { useTranslation } from 'react-i18next'

const VARIABLES = [
  'requester.first_name',
  'requester.name',
  'requester.email',
  'ticket.reference',
  'ticket.subject',
  'ticket.service',
  'assignee.name',
  'agent.first_name',
  'agent.name',
  'organization.name',
] as const

/** The words in braces that a prepared text may hold. */
export function VariablesHint() {
  const { t } = useTranslation('canned-responses')
  return (
    <details className="text-sm">
      <summary className="cursor-pointer rounded-sm text-muted hover:text-text">
        {t('variables.title')}
      </summary>
      <p className="mt-2 text-muted">{t('variables.hint')}</p>
      <ul className="mt-2 flex flex-wrap gap-1.5">
        {VARIABLES.map((name) => (
          <li key={name}>
            <code className="rounded-sm bg-sunken px-1.5 py-0.5 text-xs">{`{{${name}}}`}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}
