import { Send, Undo2 } from 'lucide-react'
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { problemOf, type ProblemCode } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { useNow } from '../../lib/clock.ts'
import type { ServerDraft } from './reply-draft.ts'
import { ReplyDraftContent, serverDraft } from './server-draft.ts'

const OutgoingRepliesQuery = graphql(`
  query OutgoingReplies($ticketId: UUID!) {
    outgoingReplies(first: 20, filter: { ticketId: { equalTo: $ticketId } }) {
      nodes {
        id
        rowId
        sendAt
      }
    }
  }
`)

const UndoSend = graphql(
  `
    mutation UndoSend($outgoingReplyId: UUID!) {
      undoSend(input: { outgoingReplyId: $outgoingReplyId }) {
        ticketDraft {
          id
          ...ReplyDraftContent
        }
      }
    }
  `,
  [ReplyDraftContent],
)

/** The own replies on a ticket that can still be taken back. */
export function useOutgoingReplies(ticketId: string, isOn: boolean, onSettled: () => void) {
  const [{ data, fetching }, ask] = useQuery({
    query: OutgoingRepliesQuery,
    variables: { ticketId },
    pause: !isOn,
    requestPolicy: 'cache-and-network',
  })
  const reread = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask])
  const replies = (data?.outgoingReplies.nodes ?? []).filter((node) => node !== null)
  const known = useRef<readonly string[]>([])
  const ids = replies.map(({ rowId }) => rowId).join(' ')
  const tell = useEffectEvent(onSettled)

  useEffect(() => {
    const now = ids === '' ? [] : ids.split(' ')
    // One that is gone became a comment, or came back.
    if (known.current.some((id) => !now.includes(id))) tell()
    known.current = now
  }, [ids])

  return { replies, reread, isReading: fetching }
}

export interface OutgoingRepliesProps {
  outgoing: ReturnType<typeof useOutgoingReplies>
  /** Whatever is being written is on the server before a reply comes back in front of it. */
  beforeUndo: () => Promise<unknown>
  onTakenBack: (draft: ServerDraft) => void
}

/** Replies on their way, each with the seconds it can still be taken back. */
export function OutgoingReplies({ outgoing, beforeUndo, onTakenBack }: OutgoingRepliesProps) {
  const { t } = useTranslation(['comments', 'errors'])
  const [, undoSend] = useMutation(UndoSend)
  const [undoing, setUndoing] = useState<string | null>(null)
  const [problem, setProblem] = useState<ProblemCode | null>(null)
  const { replies, reread, isReading } = outgoing

  async function undo(outgoingReplyId: string) {
    setUndoing(outgoingReplyId)
    setProblem(null)
    await beforeUndo()
    const { data, error } = await undoSend({ outgoingReplyId })
    setUndoing(null)
    if (error) setProblem(problemOf(error).code)
    const draft = data?.undoSend?.ticketDraft
    if (draft) onTakenBack(serverDraft(draft))
    reread()
  }

  return (
    <>
      {/* Says once that it is on its way; the seconds are for the eye. */}
      <div role="status" className="sr-only">
        {replies.length > 0 && t('outgoing.announced')}
      </div>
      {replies.map(({ rowId, sendAt }) => (
        <OutgoingReply
          key={rowId}
          sendAt={sendAt}
          isUndoing={undoing === rowId}
          isReading={isReading}
          onUndo={() => void undo(rowId)}
          onDue={reread}
        />
      ))}
      {problem && (
        <div className="pb-2">
          <InlineAlert tone="info">{t(`errors:${problem}`)}</InlineAlert>
        </div>
      )}
    </>
  )
}

interface OutgoingReplyProps {
  sendAt: string
  isUndoing: boolean
  isReading: boolean
  onUndo: () => void
  onDue: () => void
}

function OutgoingReply({ sendAt, isUndoing, isReading, onUndo, onDue }: OutgoingReplyProps) {
  const { t } = useTranslation('comments')
  const now = useNow('second')
  const seconds = Math.max(0, Math.round((Date.parse(sendAt) - now) / 1000))
  const lookAgain = useEffectEvent(() => {
    if (!isReading) onDue()
  })
  // From the moment it is due it is looked for each second, until it is gone.
  useEffect(() => {
    if (seconds === 0) lookAgain()
  }, [seconds, now])

  return (
    <div className="mb-2 flex items-center gap-2.5 rounded-lg border border-border bg-raised py-1.5 ps-3 pe-1.5 text-sm shadow-raised">
      <Send className="size-4 shrink-0 text-muted rtl:-scale-x-100" aria-hidden="true" />
      <span className="figures min-w-0 flex-1" aria-hidden="true">
        {seconds > 0 ? t('outgoing.in', { seconds }) : t('outgoing.now')}
      </span>
      <Button size="small" onPress={onUndo} isPending={isUndoing} aria-label={t('outgoing.undoLabel')}>
        <Undo2 className="size-4" aria-hidden="true" />
        {t('outgoing.undo')}
      </Button>
    </div>
  )
}
