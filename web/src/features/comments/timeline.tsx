import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import type { Pages } from '../../graphql/pages.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { CommentEntry, CommentEntryFragment } from './comment-entry.tsx'
import { EventEntry } from './event-entry.tsx'
import { inOrder } from './event-sentence.ts'

export const TimelineEventFragment = graphql(
  `
    fragment TimelineEvent on TicketEvent {
      id
      rowId
      type
      before
      after
      createdAt
      actorName @include(if: $forTeam)
      actor {
        id
        rowId
        name
      }
      comment {
        id
        ...CommentEntry
      }
    }
  `,
  [CommentEntryFragment],
)

/** The events of a ticket, newest first, page by page: everything said and done is one of them. */
export const TimelineQuery = graphql(
  `
    query Timeline($number: Int!, $after: Cursor, $forTeam: Boolean!) {
      ticketByNumber(number: $number) {
        id
        description: comments(first: 1, orderBy: [CREATED_AT_ASC]) {
          nodes {
            id
            ...CommentEntry
          }
        }
        ticketEvents(first: 50, after: $after, orderBy: [CREATED_AT_DESC]) {
          nodes {
            id
            ...TimelineEvent
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  `,
  [TimelineEventFragment, CommentEntryFragment],
)

type EventNode = FragmentOf<typeof TimelineEventFragment> & { id: string; description?: Description }
type Description = FragmentOf<typeof CommentEntryFragment> | null

/** The page of events in an answer; each carries the ticket's first message for the entry that opened it. */
export function timelineConnection(data: ResultOf<typeof TimelineQuery>) {
  const ticket = data.ticketByNumber
  if (!ticket) return null
  const description: Description = ticket.description.nodes[0] ?? null
  return {
    pageInfo: ticket.ticketEvents.pageInfo,
    nodes: ticket.ticketEvents.nodes.map((node): EventNode | null => node && { ...node, description }),
  }
}

/** Service-level events are the team's business. */
const TEAM_ONLY = new Set<string>(['sla_met', 'sla_warned', 'sla_breached'])

export interface TimelineProps {
  pages: Pages<EventNode> & { more: () => void; reread: () => void }
  audience: 'requester' | 'team'
  /** What is on its way and not yet part of the timeline. */
  children?: ReactNode
}

/** The conversation and what happened around it, oldest first. */
export function Timeline({ pages, audience, children }: TimelineProps) {
  const { t } = useTranslation(['comments', 'errors'])
  const end = useRef<HTMLDivElement>(null)
  const entries = useMemo(
    () =>
      inOrder(
        pages.nodes.map((node) => ({
          ...readFragment(TimelineEventFragment, node),
          description: node.description ?? null,
        })),
      ).filter(
        (entry) =>
          (audience === 'team' || !TEAM_ONLY.has(entry.type)) &&
          // The comment itself shows its files.
          !(entry.type === 'attachment_added' && entry.comment),
      ),
    [pages.nodes, audience],
  )
  const newest = entries.at(-1)?.id
  const shown = useRef<string>(undefined)

  // The team comes for the last message and its heading stays in sight; whoever is at the end stays there.
  useEffect(() => {
    if (!newest || newest === shown.current) return
    const isFirst = shown.current === undefined
    shown.current = newest
    const distance = document.documentElement.scrollHeight - innerHeight - scrollY
    if (isFirst ? audience === 'team' : distance < innerHeight / 2)
      end.current?.scrollIntoView({ block: 'end' })
  }, [newest, audience])

  if (pages.error && entries.length === 0) {
    return (
      <ErrorState title={t('error')} onRetry={pages.reread}>
        {t(`errors:${problemOf(pages.error).code}`)}
      </ErrorState>
    )
  }
  if (pages.isLoading) {
    return (
      <div role="status" aria-label={t('loading')} className="flex flex-col gap-4">
        <Skeleton className="h-36 rounded-xl" />
        <Skeleton className="mx-4 h-5 w-72" />
        <Skeleton className="h-24 rounded-xl" />
      </div>
    )
  }
  return (
    <section aria-label={t('timeline')} className="flex flex-col gap-4">
      {pages.hasMore && (
        <Button size="small" className="self-center" onPress={pages.more} isPending={pages.isLoadingMore}>
          {t('earlier')}
        </Button>
      )}
      <ol className="flex flex-col gap-4">
        {entries.map((entry) => (
          <li key={entry.id} className="flex flex-col gap-4">
            {entry.type === 'comment_added' && entry.comment ? (
              <CommentEntry comment={entry.comment} audience={audience} saidBy={entry.actorName} />
            ) : (
              <EventEntry event={entry} audience={audience} />
            )}
            {entry.type === 'ticket_created' && entry.description && (
              <CommentEntry comment={entry.description} audience={audience} />
            )}
          </li>
        ))}
      </ol>
      {children}
      {/* The composer stands over the end of the page: the last message must clear it. */}
      <div ref={end} className="scroll-mb-[calc(var(--dock,11rem)+1.5rem)]" />
    </section>
  )
}
