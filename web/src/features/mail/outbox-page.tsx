import { Paperclip, RefreshCw, Send } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { Select } from '../../components/select.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { MailStatePill } from './mail-state-pill.tsx'
import { MAIL_STATES, readOutboxAddress, writeOutboxAddress, type OutboxSelection } from './outbox-address.ts'

const OutboxRowFragment = graphql(`
  fragment OutboxRow on MailMessage {
    id
    rowId
    kind
    state
    toName
    toAddress
    subject
    attachmentIds
    lastError
    createdAt
  }
`)

const OutboxQuery = graphql(
  `
    query Outbox($state: MailState, $recipient: String, $after: Cursor) {
      outbox(state: $state, recipient: $recipient, first: 30, after: $after) {
        nodes {
          id
          state
          ...OutboxRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [OutboxRowFragment],
)

const SendKept = graphql(`
  mutation SendKeptMails {
    sendKeptMails(input: {}) {
      sent
    }
  }
`)

const connectionOf = (data: ResultOf<typeof OutboxQuery>) => data.outbox

/** Every mail that was written to somebody, and where it is. */
export function OutboxPage() {
  const { t } = useTranslation(['mail', 'errors'])
  const [parameters, setParameters] = useSearchParams()
  const selection = readOutboxAddress(parameters)
  const sendsMail = useSendsMail()
  const [, sendKept] = useMutation(SendKept)
  const list = usePages({
    document: OutboxQuery,
    variables: { state: selection.state, recipient: selection.recipient || null },
    connectionOf,
  })
  const reread = useReread(list.reread)
  const select = (part: Partial<OutboxSelection>) =>
    setParameters(writeOutboxAddress({ ...selection, ...part }), {
      replace: true,
      state: { keepFocus: true },
      preventScrollReset: true,
    })
  const hasKept = list.nodes.some(({ state }) => state === 'kept')

  return (
    <>
      <PageHeader
        title={t('outbox.title')}
        intro={t('outbox.intro')}
        actions={
          sendsMail &&
          hasKept && (
            <ConfirmedButton
              variant="primary"
              tone="primary"
              title={t('outbox.sendKept.title')}
              explanation={t('outbox.sendKept.body')}
              action={t('outbox.sendKept.action')}
              run={async () => {
                const { sendKeptMails } = dataOf(await sendKept({}))
                notify({
                  tone: 'success',
                  title: t('outbox.sendKept.done', { count: sendKeptMails?.sent ?? 0 }),
                })
                reread()
              }}
            >
              <Send className="size-4" aria-hidden="true" />
              {t('outbox.sendKept.open')}
            </ConfirmedButton>
          )
        }
      />
      {!sendsMail && <InlineAlert tone="info">{t('noServer')}</InlineAlert>}
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
          <RecipientSearch
            label={t('outbox.search')}
            words={selection.recipient}
            onChange={(recipient) => select({ recipient })}
          />
          <div className="flex items-center gap-3">
            <Select
              look="inline"
              label={t('outbox.state')}
              value={selection.state ?? 'all'}
              choices={[
                { value: 'all', label: t('outbox.every') },
                ...MAIL_STATES.map((value) => ({ value, label: t(`state.${value}`) })),
              ]}
              onChange={(state) => select({ state: state === 'all' ? null : state })}
            />
          </div>
          <Button size="small" className="ms-auto" onPress={list.reread}>
            <RefreshCw className="size-4" aria-hidden="true" />
            {t('outbox.reread')}
          </Button>
        </div>
        <Card className={classNames('overflow-hidden transition-opacity', list.isStale && 'opacity-60')}>
          <div aria-busy={list.isStale || list.isLoading}>
            {list.error && list.nodes.length === 0 ? (
              <ErrorState title={t('outbox.error')} onRetry={list.reread}>
                {t(`errors:${problemOf(list.error).code}`)}
              </ErrorState>
            ) : list.isLoading ? (
              <SkeletonRows label={t('loading')} rows={6} />
            ) : list.nodes.length === 0 ? (
              parameters.size > 0 ? (
                <EmptyState
                  title={t('outbox.nothing.title')}
                  action={
                    <Button onPress={() => select({ state: null, recipient: '' })}>
                      {t('outbox.nothing.all')}
                    </Button>
                  }
                >
                  {t('outbox.nothing.body')}
                </EmptyState>
              ) : (
                <EmptyState title={t('outbox.empty.title')}>{t('outbox.empty.body')}</EmptyState>
              )
            ) : (
              <ul aria-label={t('outbox.title')} className="divide-y divide-border">
                {list.nodes.map((mail) => (
                  <OutboxRow key={mail.id} mail={mail} />
                ))}
              </ul>
            )}
          </div>
        </Card>
        {list.hasMore && list.nodes.length > 0 && (
          <Button className="self-center" onPress={list.more} isPending={list.isLoadingMore}>
            {t('outbox.more')}
          </Button>
        )}
      </div>
    </>
  )
}

function OutboxRow({ mail: held }: { mail: FragmentOf<typeof OutboxRowFragment> }) {
  const { t } = useTranslation('mail')
  const mail = readFragment(OutboxRowFragment, held)
  return (
    <li>
      <Link
        to={`/desk/admin/outbox/${mail.rowId}`}
        className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 px-5 py-3 transition-colors hover:bg-hover sm:grid-cols-[minmax(0,1fr)_9rem_7.5rem]"
      >
        <span className="min-w-0">
          <span className="flex items-center gap-2">
            <span className="truncate font-medium">{mail.subject}</span>
            {mail.attachmentIds.length > 0 && (
              <Paperclip className="size-3.5 shrink-0 text-faint" aria-label={t('outbox.files')} role="img" />
            )}
          </span>
          <span className="block truncate text-sm text-muted">
            {mail.toName && <>{mail.toName} · </>}
            {mail.toAddress}
          </span>
          {mail.lastError &&
            (mail.state === 'failed' || mail.state === 'waiting' || mail.state === 'bounced') && (
              <span className="block truncate text-sm text-danger-text">{mail.lastError}</span>
            )}
        </span>
        <span className="self-center justify-self-end sm:justify-self-start">
          <MailStatePill state={mail.state} />
        </span>
        <RelativeTime
          at={mail.createdAt}
          className="hidden self-center text-end text-sm text-muted sm:block"
        />
      </Link>
    </li>
  )
}

/** What is typed shows at once and is looked for when typing rests. */
function RecipientSearch(props: { label: string; words: string; onChange: (words: string) => void }) {
  const { label, words, onChange } = props
  const [typed, setTyped] = useState(words)
  const rested = useDebounced(typed)
  const looked = useRef(words)
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  useEffect(() => {
    if (rested === looked.current) return
    looked.current = rested
    latest.current(rested)
  }, [rested])
  // Somebody else changed the address: the way back, or "show all".
  useEffect(() => {
    if (words === looked.current) return
    looked.current = words
    setTyped(words)
  }, [words])
  return <SearchField label={label} value={typed} onChange={setTyped} className="w-full sm:w-72" />
}
