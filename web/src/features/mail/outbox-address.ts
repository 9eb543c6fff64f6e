/** Where a mail can be, those first that need somebody. */
export const MAIL_STATES = [
  'failed',
  'bounced',
  'complained',
  'kept',
  'waiting',
  'sent',
  'cancelled',
] as const

export type MailState = (typeof MAIL_STATES)[number]

/** What of the outbox is shown. */
export interface OutboxSelection {
  state: MailState | null
  recipient: string
}

/** Reads what an address shows; what it does not know it leaves out. */
export function readOutboxAddress(parameters: URLSearchParams): OutboxSelection {
  const state = parameters.get('state')
  return {
    state: MAIL_STATES.find((known) => known === state) ?? null,
    recipient: parameters.get('to')?.slice(0, 200) ?? '',
  }
}

/** The address that shows it, without what is the same everywhere. */
export function writeOutboxAddress({ state, recipient }: OutboxSelection): URLSearchParams {
  const parameters = new URLSearchParams()
  if (state) parameters.set('state', state)
  if (recipient) parameters.set('to', recipient)
  return parameters
}
