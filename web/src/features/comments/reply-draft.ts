import type { HeldFile } from '../../graphql/attachments.ts'

/** What a reply says and does. */
export interface Written {
  body: string
  /** The stage that the ticket is set to with it. */
  stateId: string | null
  files: readonly HeldFile[]
}

/** What is being written on a ticket, as this browser keeps it. */
export interface ReplyDraft extends Written {
  visibility: 'public' | 'internal'
  /** Of the draft on the server that this goes on from; 0 where there is none. */
  version: number
  /** What the server has in that version, as {@link told} puts it. */
  saved: string
}

/** What is written, in a text that is the same for the same. */
export const told = ({ body, stateId, files }: Written): string =>
  JSON.stringify([body, stateId, files.map(({ id }) => id)])

/** Whether there is nothing in it that could be lost. */
export const isBlank = ({ body, files }: Written): boolean => body.trim() === '' && files.length === 0

const NOTHING: Written = { body: '', stateId: null, files: [] }

export const BLANK_REPLY: ReplyDraft = { ...NOTHING, visibility: 'public', version: 0, saved: told(NOTHING) }

/** A draft as the server has it. */
export interface ServerDraft extends Written {
  visibility: 'public' | 'internal'
  version: number
  /** The SQLSTATE for which a reply came back after it was sent. */
  refusedCode: string | null
}

export type Reconciled = { kind: 'settled'; draft: ReplyDraft } | { kind: 'conflict'; server: ServerDraft }

/** The server's draft as this browser goes on with it. */
export const takenFrom = (server: ServerDraft): ReplyDraft => {
  const { body, stateId, files, visibility, version } = server
  return { body, stateId, files, visibility, version, saved: told(server) }
}

/** One that the server has no more, as one of its own. */
export const unsaved = (local: ReplyDraft): ReplyDraft => ({ ...local, version: 0, saved: BLANK_REPLY.saved })

/** Both of two that crossed: one text after the other, and the files of both. */
export const bothOf = (theirs: Written, mine: Written): Written => ({
  body: [theirs.body, mine.body].filter((body) => body.trim() !== '').join('\n\n'),
  stateId: mine.stateId ?? theirs.stateId,
  files: [...theirs.files, ...mine.files.filter(({ id }) => theirs.files.every((file) => file.id !== id))],
})

/**
 * Brings what this browser has and what the server has together. Only where both were written on since they were one
 * is there something to decide, and then neither is touched.
 */
export function reconcile(local: ReplyDraft, server: ServerDraft | null): Reconciled {
  const isUntouched = told(local) === local.saved
  if (!server) {
    // It was sent or thrown away elsewhere; what was written on here since is a draft of its own.
    const isGone = local.version > 0 && isUntouched
    return { kind: 'settled', draft: isGone ? BLANK_REPLY : unsaved(local) }
  }
  if (server.version === local.version && server.visibility === local.visibility) {
    return { kind: 'settled', draft: { ...local, saved: told(server) } }
  }
  if (isBlank(local) || isUntouched || told(local) === told(server)) {
    return { kind: 'settled', draft: takenFrom(server) }
  }
  return { kind: 'conflict', server }
}
