import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { codeOfState } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import type { ServerDraft } from './reply-draft.ts'

const LatestAnswerQuery = graphql(`
  query LatestAnswer($ticketId: UUID!) {
    tickets(first: 1, filter: { rowId: { equalTo: $ticketId } }) {
      nodes {
        id
        lastCommentAt
        comments(first: 20, orderBy: [CREATED_AT_DESC]) {
          nodes {
            id
            body
            visibility
            author {
              id
              name
            }
          }
        }
      }
    }
  }
`)

/** Beside what was written here, what another device has; nothing goes before its author has chosen. */
export function DraftConflict({
  theirs,
  onDecide,
}: {
  theirs: ServerDraft
  onDecide: (decision: 'theirs' | 'mine' | 'both') => void
}) {
  const { t } = useTranslation('comments')
  return (
    <Notice
      text={t('draft.conflict')}
      quote={[theirs.body, ...theirs.files.map(({ name }) => name)].join('\n').trim()}
    >
      <Button size="small" onPress={() => onDecide('both')}>
        {t('draft.both')}
      </Button>
      <Button size="small" onPress={() => onDecide('mine')}>
        {t('draft.mine')}
      </Button>
      <Button size="small" onPress={() => onDecide('theirs')}>
        {t('draft.theirs')}
      </Button>
    </Notice>
  )
}

/** The answer that crossed with the one being sent, which stays where it is until its author has read both. */
export function CrossingAnswer({
  ticketId,
  onSendAnyway,
}: {
  ticketId: string
  onSendAnyway: (seenCommentAt: string) => void
}) {
  const { t } = useTranslation('comments')
  const [{ data }] = useQuery({
    query: LatestAnswerQuery,
    variables: { ticketId },
    requestPolicy: 'network-only',
  })
  const ticket = data?.tickets.nodes[0]
  // Notes of the team may have come after it.
  const comment = ticket?.comments.nodes.find((node) => node?.visibility === 'public')
  if (!ticket) return null
  return (
    <Notice
      text={t('crossing.title', { name: comment?.author?.name ?? t('system') })}
      quote={comment?.body ?? ''}
    >
      <Button size="small" onPress={() => onSendAnyway(ticket.lastCommentAt)}>
        {t('crossing.send')}
      </Button>
    </Notice>
  )
}

/** Why the reply that is here again did not leave. */
export function RefusedReply({ code }: { code: string }) {
  const { t } = useTranslation(['comments', 'errors'])
  return (
    <div className="px-3 pb-2">
      <InlineAlert>
        {t('outgoing.refused')} {t(`errors:${codeOfState(code)}`)}
      </InlineAlert>
    </div>
  )
}

function Notice({ text, quote, children }: { text: string; quote: string; children: ReactNode }) {
  return (
    <div role="alert" className="mx-3 mb-2 flex flex-col gap-2 rounded-md bg-info-soft px-3 py-2.5 text-sm">
      <p className="text-info-text">{text}</p>
      {quote !== '' && (
        <blockquote
          dir="auto"
          className="max-h-32 overflow-y-auto rounded-sm border-s-2 border-info-text/40 bg-surface px-3 py-2 [overflow-wrap:anywhere] whitespace-pre-wrap"
        >
          {quote}
        </blockquote>
      )}
      <div className="flex flex-wrap gap-2">{children}</div>
    </div>
  )
}
