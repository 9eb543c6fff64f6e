import { Monitor, Smartphone, SquareTerminal } from 'lucide-react'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { usePages } from '../../graphql/pages.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useKeptFocus } from '../../lib/kept-focus.ts'
import { deviceOf } from '../../lib/device.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useWindowFocus } from '../../lib/window-focus.ts'

const SessionRowFragment = graphql(`
  fragment SessionRow on LoginSession {
    rowId
    ipAddress
    userAgent
    createdAt
    refreshedAt
    isCurrent
  }
`)

const OwnSessionsQuery = graphql(
  `
    query OwnSessions($after: Cursor) {
      ownSessions(first: 20, after: $after) {
        nodes {
          id: rowId
          rowId
          isCurrent
          ...SessionRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [SessionRowFragment],
)

const EndSession = graphql(`
  mutation EndSession($sessionId: UUID!) {
    endSession(input: { sessionId: $sessionId }) {
      ended
    }
  }
`)

const EndOtherSessions = graphql(`
  mutation EndOtherSessions {
    endOtherSessions(input: {}) {
      count
    }
  }
`)

type SessionRow = FragmentOf<typeof SessionRowFragment>

const connectionOf = (data: ResultOf<typeof OwnSessionsQuery>) => data.ownSessions

const SIGNS = { handheld: Smartphone, computer: Monitor, program: SquareTerminal }

/** Where the signed-in person is signed in, and the way to end that. */
export function OwnSessions() {
  const { t } = useTranslation(['sessions', 'errors'])
  const list = usePages({ document: OwnSessionsQuery, variables: {}, connectionOf })
  const rereadSoon = useReread(list.reread)
  useWindowFocus(rereadSoon)
  const [, endSession] = useMutation(EndSession)
  const [, endOtherSessions] = useMutation(EndOtherSessions)
  const sessionList = useRef<HTMLDivElement>(null)
  useKeptFocus(sessionList, list.nodes.length)

  async function end(sessionId: string) {
    const { error } = await endSession({ sessionId })
    // One that has ended by itself meanwhile is what was wanted.
    if (error && problemOf(error).code !== 'NOT_FOUND') throw error
    list.reread()
    notify({ tone: 'success', title: t('ended') })
  }

  async function endOthers() {
    dataOf(await endOtherSessions({}))
    list.reread()
    notify({ tone: 'success', title: t('othersEnded') })
  }

  if (list.error && list.nodes.length === 0) {
    return (
      <ErrorState title={t('error')} onRetry={rereadSoon}>
        {t(`errors:${problemOf(list.error).code}`)}
      </ErrorState>
    )
  }
  if (list.isLoading) return <SkeletonRows label={t('loading')} rows={2} />
  // The session that asks is always among them, so there is no empty list.
  const hasOthers = list.nodes.some((session) => !session.isCurrent)
  return (
    <div ref={sessionList} tabIndex={-1}>
      <ul>
        {list.nodes.map((session) => (
          <Session key={session.rowId} session={session} onEnd={() => end(session.rowId)} />
        ))}
      </ul>
      {list.hasMore && (
        <div className="border-t border-border px-5 py-3">
          <Button onPress={list.more} isPending={list.isLoadingMore}>
            {t('more')}
          </Button>
        </div>
      )}
      {hasOthers && (
        <div className="border-t border-border px-5 py-4">
          <ConfirmedButton
            title={t('confirm.othersTitle')}
            explanation={t('confirm.othersBody')}
            action={t('endOthers')}
            run={endOthers}
          >
            {t('endOthers')}
          </ConfirmedButton>
        </div>
      )}
    </div>
  )
}

function Session({ session, onEnd }: { session: SessionRow; onEnd: () => Promise<void> }) {
  const { t, i18n } = useTranslation('sessions')
  const { userAgent, ipAddress, createdAt, refreshedAt, isCurrent } = readFragment(
    SessionRowFragment,
    session,
  )
  const { kind, name, system } = deviceOf(userAgent)
  const Sign = SIGNS[kind]
  const device = name && system ? t('device', { name, system }) : (name ?? system ?? t('unknownDevice'))
  const time = new Intl.DateTimeFormat(readerLocale(i18n.language), {
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(createdAt))
  return (
    <li className="flex items-start gap-4 border-b border-border px-5 py-4 last:border-b-0">
      <Sign className="mt-0.5 size-5 shrink-0 text-muted" aria-hidden="true" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium">
          <span className="[overflow-wrap:anywhere]">{device}</span>
          {isCurrent && <Pill tone="success">{t('current')}</Pill>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-sm text-muted">
          {ipAddress && (
            <span dir="ltr" className="figures break-all">
              {ipAddress}
            </span>
          )}
          <span>
            {t('used')} <RelativeTime at={refreshedAt} />
          </span>
          <span>{t('since', { time })}</span>
        </p>
      </div>
      {!isCurrent && (
        <ConfirmedButton
          size="small"
          label={t('endOne', { device })}
          title={t('confirm.title')}
          explanation={t('confirm.body', { device })}
          action={t('confirm.action')}
          run={onEnd}
        >
          {t('end')}
        </ConfirmedButton>
      )}
    </li>
  )
}
