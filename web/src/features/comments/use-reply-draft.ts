import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react'
import { useClient } from 'urql'
import { isSendable, type HeldFile } from '../../graphql/attachments.ts'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { useDraft } from '../../lib/draft.ts'
import {
  BLANK_REPLY,
  bothOf,
  isBlank,
  reconcile,
  takenFrom,
  told,
  unsaved,
  type ReplyDraft,
  type ServerDraft,
} from './reply-draft.ts'
import { ReplyDraftContent, serverDraft } from './server-draft.ts'

const OwnDraftsQuery = graphql(
  `
    query OwnDrafts($ticketId: UUID!) {
      ticketDrafts(first: 2, filter: { ticketId: { equalTo: $ticketId } }) {
        nodes {
          id
          updatedAt
          ...ReplyDraftContent
        }
      }
    }
  `,
  [ReplyDraftContent],
)

const SaveDraft = graphql(`
  mutation SaveDraft(
    $ticketId: UUID!
    $body: String!
    $visibility: CommentVisibility
    $stateId: UUID
    $seenVersion: Int
    $attachmentIds: [UUID]
  ) {
    saveDraft(
      input: {
        ticketId: $ticketId
        body: $body
        visibility: $visibility
        stateId: $stateId
        seenVersion: $seenVersion
        attachmentIds: $attachmentIds
      }
    ) {
      ticketDraft {
        id
        version
      }
    }
  }
`)

const DiscardDraft = graphql(`
  mutation DiscardDraft($ticketId: UUID!, $visibility: CommentVisibility, $seenVersion: Int) {
    discardDraft(input: { ticketId: $ticketId, visibility: $visibility, seenVersion: $seenVersion }) {
      discarded
    }
  }
`)

/** Typing is kept on the server this soon after the last key. This browser has it at once. */
const SAVE_AFTER_MS = 1_200

/**
 * What is being written on a ticket: kept in this browser with every key, and on the server soon after, so that it is
 * there in another one too. Where two devices wrote at the same time both texts stay, and their author decides.
 */
export function useReplyDraft(ticketId: string) {
  const client = useClient()
  const { draft, change: keep, clear: forget } = useDraft(`reply.${ticketId}`, BLANK_REPLY)
  const [conflict, setConflict] = useState<ServerDraft | null>(null)
  const [refusedCode, setRefusedCode] = useState<string | null>(null)
  const latest = useRef(draft)
  const saving = useRef<Promise<void>>(Promise.resolve())
  const isLeaving = useRef(false)

  const change = useCallback(
    (next: ReplyDraft) => {
      latest.current = next
      keep(next)
    },
    [keep],
  )

  /** Goes on with what the server has. */
  const take = useCallback(
    (server: ServerDraft) => {
      setRefusedCode(server.refusedCode)
      change(takenFrom(server))
    },
    [change],
  )

  /** Asks the server what it has, and brings both together. */
  const look = useCallback(async () => {
    const { data } = await client
      .query(OwnDraftsQuery, { ticketId }, { requestPolicy: 'network-only' })
      .toPromise()
    // What cannot be read now is read with the next save.
    if (!data) return
    const mine = latest.current
    const there = data.ticketDrafts.nodes
      .filter((node) => node !== null)
      .toSorted((one, other) => other.updatedAt.localeCompare(one.updatedAt))
      .map(serverDraft)
    const server = there.find(({ visibility }) => isBlank(mine) || visibility === mine.visibility) ?? null
    const result = reconcile(mine, server)
    setConflict(result.kind === 'conflict' ? result.server : null)
    setRefusedCode(server?.refusedCode ?? null)
    if (result.kind === 'settled' && JSON.stringify(result.draft) !== JSON.stringify(mine))
      change(result.draft)
  }, [client, ticketId, change])

  const saveOnce = useCallback(async () => {
    const draft = latest.current
    const { body, visibility, stateId, version } = draft
    // Saved while it is being sent, it would come back as a draft of what was said.
    if (told(draft) === draft.saved || isLeaving.current) return
    if (isBlank(draft)) {
      if (version > 0)
        await client.mutation(DiscardDraft, { ticketId, visibility, seenVersion: version }).toPromise()
      const now = latest.current
      change({ ...now, version: 0, saved: isBlank(now) ? told(now) : BLANK_REPLY.saved })
      return
    }
    const attachmentIds = draft.files.filter(isSendable).map(({ id }) => id)
    const { data, error } = await client
      .mutation(SaveDraft, { ticketId, body, visibility, stateId, seenVersion: version, attachmentIds })
      .toPromise()
    const made = data?.saveDraft?.ticketDraft
    if (made) change({ ...latest.current, version: made.version, saved: told(draft) })
    else if (error && problemOf(error).code === 'DRAFT_CONFLICT') await look()
  }, [client, ticketId, change, look])

  /** Saves now, one after the other; returns when the server has it or cannot be reached. */
  const save = useCallback(() => {
    saving.current = saving.current.then(saveOnce, saveOnce)
    return saving.current
  }, [saveOnce])

  useEffect(() => {
    void look()
  }, [look])

  const written = told(draft)
  const isUnsaved = written !== draft.saved && conflict === null
  const saveSoon = useEffectEvent(() => void save())
  useEffect(() => {
    if (!isUnsaved) return
    const timer = setTimeout(saveSoon, SAVE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [isUnsaved, written])

  return {
    draft,
    /** What another device wrote meanwhile, to be decided about. */
    conflict,
    /** Why the reply that is here came back after it was sent. */
    refusedCode,
    isSaved: draft.version > 0 && written === draft.saved,
    write: (body: string) => change({ ...latest.current, body }),
    attach: (files: HeldFile[]) => change({ ...latest.current, files }),
    /** Sets what becomes of the ticket with it. */
    setState: (stateId: string | null) => change({ ...latest.current, stateId }),
    /** Makes a note of a reply, or a reply of a note. */
    moveTo(visibility: ReplyDraft['visibility']) {
      const before = latest.current
      if (before.visibility === visibility) return
      if (before.version > 0) {
        void client
          .mutation(DiscardDraft, { ticketId, visibility: before.visibility, seenVersion: before.version })
          .toPromise()
      }
      change(unsaved({ ...before, visibility }))
    },
    save,
    take,
    look,
    decide(decision: 'theirs' | 'mine' | 'both') {
      if (!conflict) return
      const mine = latest.current
      const written = { theirs: conflict, mine, both: bothOf(conflict, mine) }[decision]
      const { body, stateId, files } = written
      change({ ...takenFrom(conflict), body, stateId, files })
      setConflict(null)
    },
    /** What is on the way to the server arrives first; then this is the version to send, and nothing is saved any more. */
    async versionToSend(): Promise<number | null> {
      isLeaving.current = true
      await saving.current
      return latest.current.version || null
    },
    /** It was not said, and is kept as before. */
    stay() {
      isLeaving.current = false
      void save()
    },
    /** It was said: nothing is left of it here. */
    sent() {
      isLeaving.current = false
      latest.current = BLANK_REPLY
      forget()
      setRefusedCode(null)
      setConflict(null)
    },
    discard: (visibility: ReplyDraft['visibility'], seenVersion: number) =>
      client.mutation(DiscardDraft, { ticketId, visibility, seenVersion }).toPromise(),
  }
}
