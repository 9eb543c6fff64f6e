import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

/** A mail as it came in. */
export interface ReceivedMail {
  recipients: string[]
  sender: string
  /** By lower-case name, unfolded and decoded. */
  headers: Map<string, string>
  text: string
  html: string
}

/** A real mail server that keeps what it takes, and takes what the test lets it. */
export interface MailReceiver {
  port: number
  /** Every mail that was shown, also those that were refused in the end. */
  shown: ReceivedMail[]
  /** Those that were taken. */
  taken: ReceivedMail[]
  /** Called when a mail has been read; what it throws, with a `responseCode`, is the answer. */
  onMail: (mail: ReceivedMail) => Promise<void> | void
  /** Called with each recipient, before the mail itself is sent. */
  onRecipient: (address: string) => void
  close: () => Promise<void>
}

/** A refusal in the words of SMTP. */
export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })

export async function startMailReceiver(): Promise<MailReceiver> {
  const receiver: MailReceiver = {
    port: 0,
    shown: [],
    taken: [],
    onMail: () => {},
    onRecipient: () => {},
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo({ address }, _session, callback) {
      try {
        receiver.onRecipient(address)
        callback()
      } catch (error) {
        callback(error as Error)
      }
    },
    onData(stream, { envelope }, callback) {
      const read = async () => {
        const mail = {
          recipients: envelope.rcptTo.map(({ address }) => address),
          sender: envelope.mailFrom ? envelope.mailFrom.address : '',
          ...parse(await readAll(stream)),
        }
        receiver.shown.push(mail)
        await receiver.onMail(mail)
        receiver.taken.push(mail)
      }
      read().then(() => callback(), callback)
    },
  })
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  receiver.port = (listening.address() as AddressInfo).port
  return receiver
}

function parse(source: string): Pick<ReceivedMail, 'headers' | 'text' | 'html'> {
  const { headers, body } = split(source)
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1]
  if (!boundary) throw new Error('The mail has no parts')
  const [first, second, ...more] = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.replace(/^\r\n/, '')))
  if (!first || !second || more.length > 0) throw new Error('The mail has not two parts')
  return { headers, text: decode(first, 'text/plain'), html: decode(second, 'text/html') }
}

interface Part {
  headers: Map<string, string>
  body: string
}

function split(source: string): Part {
  const end = source.indexOf('\r\n\r\n')
  const lines = source
    .slice(0, end)
    .replaceAll(/\r\n[ \t]/g, ' ')
    .split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim()))
  }
  return { headers, body: source.slice(end + 4) }
}

function decode({ headers, body }: Part, type: string): string {
  if (!headers.get('content-type')?.startsWith(`${type}; charset=utf-8`)) {
    throw new Error(`${headers.get('content-type')} is not ${type}`)
  }
  const encoding = headers.get('content-transfer-encoding')
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : encoding === 'quoted-printable'
        ? quotedPrintable(body.replaceAll('=\r\n', ''))
        : Buffer.from(body)
  return bytes.toString('utf8').replaceAll('\r\n', '\n')
}

function decodeWords(value: string): string {
  return value
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_word, encoding: string, content: string) =>
      (encoding.toLowerCase() === 'b'
        ? Buffer.from(content, 'base64')
        : quotedPrintable(content.replaceAll('_', ' '))
      ).toString('utf8'),
    )
}

const quotedPrintable = (content: string): Buffer =>
  Buffer.from(
    content.replaceAll(/=([0-9A-F]{2})/gi, (_byte, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    ),
    'latin1',
  )
