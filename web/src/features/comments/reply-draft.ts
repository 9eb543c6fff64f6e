/** What is being written on a ticket, as this browser keeps it. */
export interface ReplyDraft {
  body: string
  visibility: 'public' | 'internal'
  /** Of the draft on the server that this goes on from; 0 where there is none. */
  version: number
  /** What the server has in that version. */
  saved: string
}

export const BLANK_REPLY: ReplyDraft = { body: '', visibility: 'public', version: 0, saved: '' }

/** A draft as the server has it. */
export interface ServerDraft {
  body: string
  visibility: 'public' | 'internal'
  version: number
  /** The SQLSTATE for which a reply came back after it was sent. */
  refusedCode: string | null
}

export type Reconciled = { kind: 'settled'; draft: ReplyDraft } | { kind: 'conflict'; server: ServerDraft }

/** The server's draft as this browser goes on with it. */
export const takenFrom = ({ body, visibility, version }: ServerDraft): ReplyDraft => ({
  body,
  visibility,
  version,
  saved: body,
})

/**
 * Brings what this browser has and what the server has together. Only where both were written on since they were one
 * is there something to decide, and then neither is touched.
 */
export function reconcile(local: ReplyDraft, server: ServerDraft | null): Reconciled {
  const isUntouched = local.body === local.saved
  if (!server) {
    // It was sent or thrown away elsewhere; what was written on here since is a draft of its own.
    const isGone = local.version > 0 && isUntouched
    return { kind: 'settled', draft: isGone ? BLANK_REPLY : { ...local, version: 0, saved: '' } }
  }
  if (server.version === local.version && server.visibility === local.visibility) {
    return { kind: 'settled', draft: { ...local, saved: server.body } }
  }
  if (local.body.trim() === '' || isUntouched || local.body === server.body) {
    return { kind: 'settled', draft: takenFrom(server) }
  }
  return { kind: 'conflict', server }
}
