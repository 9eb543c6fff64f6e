import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useMutation, useQuery } from 'urql'
import { ButtonLink } from '../../components/button-link.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import { ConnectionTest, MailboxFindingsFragment } from './connection-test.tsx'
import { BLANK, draftOf } from './mailbox-draft.ts'
import { MailboxForm, MailboxFormFragment, readMailbox } from './mailbox-form.tsx'
import { MailboxPill } from './mailbox-pill.tsx'

const LIST = '/desk/admin/mailboxes'

const MailboxQuery = graphql(
  `
    query Mailbox($mailboxId: UUID!) {
      mailboxes(first: 1, filter: { rowId: { equalTo: $mailboxId }, archivedAt: { isNull: true } }) {
        nodes {
          id
          rowId
          name
          address
          isEnabled
          hasSecret
          fromEnvironment
          mailboxState {
            id
            lastFetchedAt
            failingSince
            ...MailboxFindings
          }
          ...MailboxForm
        }
      }
    }
  `,
  [MailboxFormFragment, MailboxFindingsFragment],
)

const ArchiveMailbox = graphql(`
  mutation ArchiveMailbox($mailboxId: UUID!) {
    archiveMailbox(input: { mailboxId: $mailboxId }) {
      mailbox {
        id
        archivedAt
        isEnabled
        isDefault
      }
    }
  }
`)

/** A mailbox that is not there yet. */
export function NewMailboxPage() {
  const { t } = useTranslation('mailboxes')
  const navigate = useNavigate()
  return (
    <>
      <PageHeader title={t('new')} intro={t('newIntro')} back={{ to: LIST, label: t('title') }} />
      <MailboxForm
        mailboxId={null}
        hasSecret={false}
        fromEnvironment={false}
        saved={BLANK}
        onSaved={(mailboxId) => void navigate(`${LIST}/${mailboxId}`, { replace: true })}
      />
    </>
  )
}

/** A mailbox, how it goes with it, and all its settings. */
export function MailboxPage({ mailboxId }: { mailboxId: string }) {
  const { t } = useTranslation(['mailboxes', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({ query: MailboxQuery, variables: { mailboxId } })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const [isOther, setIsOther] = useState(false)
  const mailbox = data?.mailboxes.nodes[0]

  if (!mailbox) {
    if (error) {
      return (
        <ErrorState isPage title={t('error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )
    }
    if (fetching || data === undefined) {
      return (
        <div role="status" aria-label={t('loading')} className="flex flex-col gap-8">
          <Skeleton className="h-8 w-64 max-w-full" />
          <Skeleton className="h-72 rounded-xl" />
          <Skeleton className="h-52 rounded-xl" />
        </div>
      )
    }
    return (
      <EmptyState isPage title={t('notFoundTitle')} action={<ButtonLink to={LIST}>{t('title')}</ButtonLink>}>
        {t('notFound')}
      </EmptyState>
    )
  }

  return (
    <>
      <PageHeader
        title={mailbox.name}
        intro={mailbox.address}
        back={{ to: LIST, label: t('title') }}
        actions={<MailboxPill mailbox={mailbox} />}
      />
      <ConnectionTest mailboxId={mailbox.rowId} isEnabled={mailbox.isEnabled} isOther={isOther} />
      <MailboxForm
        mailboxId={mailbox.rowId}
        hasSecret={mailbox.hasSecret}
        fromEnvironment={mailbox.fromEnvironment}
        saved={draftOf(readMailbox(mailbox))}
        onSaved={rereadSoon}
        onConnection={setIsOther}
      />
      {!mailbox.fromEnvironment && <Removal mailboxId={mailbox.rowId} name={mailbox.name} />}
    </>
  )
}

function Removal({ mailboxId, name }: { mailboxId: string; name: string }) {
  const { t } = useTranslation('mailboxes')
  const navigate = useNavigate()
  const [, archiveMailbox] = useMutation(ArchiveMailbox)
  return (
    <SettingsSection title={t('removal.title')} intro={t('removal.intro')}>
      <div className="flex flex-wrap items-center justify-between gap-4 p-5">
        <p className="max-w-[48ch] text-sm text-muted">{t('removal.body')}</p>
        <ConfirmedButton
          variant="danger"
          title={t('removal.ask', { name })}
          explanation={t('removal.askBody')}
          action={t('removal.act')}
          run={async () => {
            dataOf(await archiveMailbox({ mailboxId }))
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
