/** Why a mailbox cannot be read, as finely as there is something else to do about it. */
export const MAILBOX_FAULTS = [
  'host_not_found',
  'connection_refused',
  'connection_ended',
  'internal_address',
  'unreachable',
  'no_tls',
  'certificate',
  'refused',
  'no_folder',
  'no_secret',
  'token_endpoint',
  'token_refused',
  'failed',
] as const

export type MailboxFault = (typeof MAILBOX_FAULTS)[number]

/** By the code of the network that stands behind the words, or by the words of the worker where it knew more. */
const SIGNS: readonly (readonly [RegExp, MailboxFault])[] = [
  // Before the codes: those that follow are about the other server.
  [/^The token endpoint cannot be reached/, 'token_endpoint'],
  [/\((ENOTFOUND|EAI_AGAIN)\)/, 'host_not_found'],
  [/\(ECONNREFUSED\)/, 'connection_refused'],
  [/\((ECONNRESET|EPIPE|NoConnection|EConnectionClosed|ClosedAfterConnect\w*)\)/i, 'connection_ended'],
  [/\(ADDRESS_REFUSED\)|, which may not be called/, 'internal_address'],
  [/\((ERR_SSL_\w+|EPROTO)\)|STARTTLS|wrong version number/i, 'no_tls'],
  [/^The certificate of the server is not trusted/, 'certificate'],
  [/^The server refused the login/, 'refused'],
  [/^The server (cannot be reached|did not answer)/, 'unreachable'],
  [/^The folder .* cannot be opened/s, 'no_folder'],
  [/^The token endpoint gave no token/, 'token_refused'],
]

/** What was wrong: of a test its outcome tells it, of reading only what was written down about it. */
export function mailboxFault(outcome: string | null, detail: string | null): MailboxFault {
  const known = MAILBOX_FAULTS.find((fault) => fault === outcome)
  // Only of what says little by itself are there finer ones.
  if (known && known !== 'unreachable' && known !== 'failed') return known
  const sign = detail && SIGNS.find(([words]) => words.test(detail))
  return (sign && sign[1]) || known || 'failed'
}
