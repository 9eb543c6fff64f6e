import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useMutation, useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment } from '../../graphql/tada.ts'
import { BLANK, draftOf } from './automation-draft.ts'
import { AutomationForm, AutomationFormFragment } from './automation-form.tsx'
import { FiringLog } from './firing-log.tsx'

const LIST = '/desk/admin/automations'

const AutomationQuery = graphql(
  `
    query Automation($automationId: UUID!) {
      automations(first: 1, filter: { rowId: { equalTo: $automationId } }) {
        nodes {
          id
          rowId
          name
          isEnabled
          ...AutomationForm
        }
      }
    }
  `,
  [AutomationFormFragment],
)

const DeleteAutomation = graphql(`
  mutation DeleteAutomation($automationId: UUID!) {
    deleteAutomation(input: { automationId: $automationId }) {
      deleted
    }
  }
`)

/** An automation that is not there yet. */
export function NewAutomationPage() {
  const { t } = useTranslation('automations')
  const navigate = useNavigate()
  return (
    <>
      <PageHeader title={t('make')} intro={t('about')} back={{ to: LIST, label: t('title') }} />
      <AutomationForm
        id={null}
        saved={BLANK}
        onSaved={(automationId) => void navigate(`${LIST}/${automationId}`, { replace: true })}
      />
    </>
  )
}

/** An automation: when, if, then, and what it did. */
export function AutomationPage({ automationId }: { automationId: string }) {
  const { t } = useTranslation(['automations', 'errors'])
  const [{ data, error, fetching }, read] = useQuery({ query: AutomationQuery, variables: { automationId } })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const automation = data?.automations.nodes[0]

  if (!automation) {
    if (error) {
      return (
        <ErrorState isPage title={t('error')} onRetry={reread}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) return <SkeletonRows label={t('loading')} rows={6} />
    return (
      <EmptyState isPage title={t('notFoundTitle')} action={<ButtonLink to={LIST}>{t('title')}</ButtonLink>}>
        {t('notFound')}
      </EmptyState>
    )
  }
  return (
    <>
      <PageHeader
        title={automation.name}
        intro={t('about')}
        back={{ to: LIST, label: t('title') }}
        actions={
          <Pill tone={automation.isEnabled ? 'success' : 'neutral'}>
            {t(automation.isEnabled ? 'on' : 'off')}
          </Pill>
        }
      />
      <AutomationForm
        id={automation.id}
        saved={draftOf(readFragment(AutomationFormFragment, automation))}
        onSaved={reread}
      />
      <FiringLog automationId={automation.rowId} />
      <Removal automationId={automation.rowId} name={automation.name} />
    </>
  )
}

function Removal({ automationId, name }: { automationId: string; name: string }) {
  const { t } = useTranslation('automations')
  const navigate = useNavigate()
  const [, deleteAutomation] = useMutation(DeleteAutomation)
  return (
    <SettingsSection title={t('removal.title')} intro={t('removal.intro')}>
      <div className="flex flex-wrap items-center justify-end gap-4 p-5">
        <ConfirmedButton
          variant="danger"
          title={t('removal.ask', { name })}
          explanation={t('removal.askBody')}
          action={t('removal.act')}
          run={async () => {
            dataOf(await deleteAutomation({ automationId }))
            notify({ tone: 'success', title: t('removal.done', { name }) })
            await navigate(LIST)
          }}
        >
          {t('removal.act')}
        </ConfirmedButton>
      </div>
    </SettingsSection>
  )
}
