/** What a report of a mail server says of a mail of ours. */
export interface DeliveryReport {
  /** The names of the mails it is about, with angle brackets. */
  messageIds: string[]
  /** Whether nothing more is tried. */
  isFinal: boolean
  /** What it says of why, in its own words. */
  detail: string
}

const messageIdLine = /^[> \t]{0,100}message-id:[ \t]*\n?[ \t]*(<[^<>\s]{1,500}>)/gim
/** Reports are short but for the mail that they return. */
const mostOfReport = 262_144

/**
 * Reads a report from the mail as it came: its parts are text by definition, but programs take them for what is to be
 * read, or leave them out.
 */
export function readReport(
  source: Buffer,
  own: { messageId: string | undefined; text: string },
): DeliveryReport {
  const text = own.text.slice(0, mostOfReport)
  const everything = unfolded(source.subarray(0, mostOfReport).toString('utf8'))
  const messageIds = new Set(
    [...everything.matchAll(messageIdLine), ...text.matchAll(messageIdLine)].map(([, id]) => id!),
  )
  messageIds.delete(own.messageId ?? '')
  const field = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.{1,500})$`, 'im').exec(everything)?.[1]?.trim()

  const action = field('Action')?.toLowerCase()
  const detail = [
    recipientOf(field('Final-Recipient') ?? field('Original-Rcpt-To')),
    field('Status'),
    withoutType(field('Diagnostic-Code')) ??
      field('Feedback-Type') ??
      /\b[45]\d\d[ -][45]\.\d+\.\d+[^\n]{0,200}/.exec(text)?.[0],
  ]
    .filter(Boolean)
    .join(' ')
  return {
    messageIds: [...messageIds].slice(0, 20),
    // Delivered, relayed and expanded are no bounces; delayed is none yet.
    isFinal: action === undefined || action === 'failed',
    detail: detail.slice(0, 900) || text.trim().slice(0, 300),
  }
}

const unfolded = (source: string) =>
  source
    .replaceAll('\0', '')
    .replaceAll(/\r?\n[ \t]+/g, ' ')
    .replaceAll('\r\n', '\n')
const withoutType = (field: string | undefined) => field?.replace(/^[a-z0-9-]+;\s*/i, '')
const recipientOf = (field: string | undefined) => withoutType(field)?.replaceAll(/[<>]/g, '')
