import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useMutation, useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { Card } from '../../components/card.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { DeliveryLog } from './delivery-log.tsx'
import { MadeSecret } from './made-secret.tsx'
import { SecretSection } from './secret-section.tsx'
import { TestSection } from './test-section.tsx'
import { BLANK, draftOf } from './webhook-draft.ts'
import { WebhookForm, WebhookFormFragment } from './webhook-form.tsx'
import { WebhookHealth, WebhookHealthFragment } from './webhook-health.tsx'
import { makeSecret, type MadeSecret as Made } from './webhook-secret.ts'

const LIST = '/desk/admin/webhooks'

const WebhookQuery = graphql(
  `
    query Webhook($webhookId: UUID!) {
      webhooks(first: 1, filter: { rowId: { equalTo: $webhookId } }) {
        nodes {
          id
          rowId
          name
          isEnabled
          hasSecret
          previousSecretUntil
          ...WebhookForm
          ...WebhookHealth
        }
      }
    }
  `,
  [WebhookFormFragment, WebhookHealthFragment],
)

const DeleteWebhook = graphql(`
  mutation DeleteWebhook($webhookId: UUID!) {
    deleteWebhook(input: { webhookId: $webhookId }) {
      deleted
    }
  }
`)

/** A webhook that is not there yet; when it is, its secret is shown before anything else. */
export function NewWebhookPage() {
  const { t } = useTranslation('webhooks')
  const navigate = useNavigate()
  const [made, setMade] = useState<{ webhookId: string; secret: Made } | null>(null)

  async function open(webhookId: string) {
    try {
      setMade({ webhookId, secret: await makeSecret(webhookId) })
    } catch {
      // Its page says that there is none, and makes it.
      await navigate(`${LIST}/${webhookId}`, { replace: true })
    }
  }

  return (
    <>
      <PageHeader title={t('make')} intro={t('about')} back={{ to: LIST, label: t('title') }} />
      {made ? (
        <Card>
          <MadeSecret
            made={made.secret}
            action={t('secret.goOn')}
            heading="h2"
            onKept={() => void navigate(`${LIST}/${made.webhookId}`, { replace: true })}
          />
        </Card>
      ) : (
        <WebhookForm webhookId={null} saved={BLANK} onSaved={(webhookId) => void open(webhookId)} />
      )}
    </>
  )
}

/** A webhook: where it leads, what it is told, and how that went. */
export function WebhookPage({ webhookId }: { webhookId: string }) {
  const { t } = useTranslation(['webhooks', 'errors'])
  const [{ data, error, fetching }, read] = useQuery({
    query: WebhookQuery,
    variables: { webhookId },
    requestPolicy: 'cache-and-network',
  })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  // The log is drawn anew when there is a call that it has not read.
  const [tests, setTests] = useState(0)
  const onTested = useCallback(() => setTests((count) => count + 1), [])
  const [isOther, setIsOther] = useState(false)
  const webhook = data?.webhooks.nodes[0]

  if (!webhook) {
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
        title={webhook.name}
        intro={t('about')}
        back={{ to: LIST, label: t('title') }}
        actions={<WebhookHealth webhook={webhook} />}
      />
      <Trouble webhook={webhook} />
      <WebhookForm
        webhookId={webhook.rowId}
        saved={draftOf(readFragment(WebhookFormFragment, webhook))}
        onSaved={reread}
        onAddress={setIsOther}
      />
      <SecretSection
        webhookId={webhook.rowId}
        hasSecret={webhook.hasSecret}
        previousUntil={webhook.previousSecretUntil}
        onMade={reread}
      />
      {webhook.hasSecret && <TestSection webhookId={webhook.rowId} isOther={isOther} onTested={onTested} />}
      <DeliveryLog
        key={tests}
        webhookId={webhook.rowId}
        canReplay={webhook.hasSecret && webhook.isEnabled}
        onReread={reread}
      />
      <Removal webhookId={webhook.rowId} name={webhook.name} />
    </>
  )
}

/** What an admin has to know about a webhook that is not getting on. */
function Trouble({ webhook }: { webhook: FragmentOf<typeof WebhookHealthFragment> }) {
  const { t, i18n } = useTranslation('webhooks')
  const { failingSince, disabledAt, disabledReason, isEnabled } = readFragment(WebhookHealthFragment, webhook)
  const time = (at: string) =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), { dateStyle: 'medium', timeStyle: 'short' }).format(
      new Date(at),
    )
  if (disabledAt && disabledReason) {
    return <InlineAlert>{t(`trouble.${disabledReason}`, { at: time(disabledAt) })}</InlineAlert>
  }
  return failingSince && isEnabled ? (
    <InlineAlert>{t('trouble.now', { at: time(failingSince) })}</InlineAlert>
  ) : null
}

function Removal({ webhookId, name }: { webhookId: string; name: string }) {
  const { t } = useTranslation('webhooks')
  const navigate = useNavigate()
  const [, deleteWebhook] = useMutation(DeleteWebhook)
  return (
    <SettingsSection title={t('removal.title')} intro={t('removal.intro')}>
      <div className="flex flex-wrap items-center justify-end gap-4 p-5">
        <ConfirmedButton
          variant="danger"
          title={t('removal.ask', { name })}
          explanation={t('removal.askBody')}
          action={t('removal.act')}
          run={async () => {
            dataOf(await deleteWebhook({ webhookId }))
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
