import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail as it came in. */
export interface ReceivedMail {
  recipients: string[]
  sender: string
  /** By lower-case name, unfolded and decoded. */
  headers: Map<string, string>
  text: string
  html: string
  attachments: { name: string; contentType: string; content: Buffer }[]
  /** As it came over the wire. */
  source: string
}

/** How the mail server of a test is reached, where it is not in the clear and open to everybody. */
export interface MailDoor {
  /** Encrypted from the first byte with `tls`, after a command with `starttls`. */
  security?: 'tls' | 'starttls'
  certificate?: { key: string; cert: string }
  /** Who is let in; everybody where nobody is named. */
  login?: { user: string; password: string }
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
  /** Cuts every connection, as a server does that falls over. */
  hangUp: () => void
  /** How each mail came, in order: whether it was encrypted, and as whom its sender logged in. */
  ways: { isEncrypted: boolean; user: string | undefined }[]
  close: () => Promise<void>
}

/** A refusal in the words of SMTP. */
export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })

export async function startMailReceiver(door: MailDoor = {}): Promise<MailReceiver> {
  const sockets = new Set<Socket>()
  const receiver: MailReceiver = {
    port: 0,
    shown: [],
    taken: [],
    onMail: () => {},
    onRecipient: () => {},
    hangUp: () => {
      for (const socket of sockets) socket.destroy()
    },
    ways: [],
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  const server = new SMTPServer({
    secure: door.security === 'tls',
    ...door.certificate,
    authOptional: !door.login,
    allowInsecureAuth: true,
    disabledCommands: [
      ...(door.security === 'starttls' ? [] : (['STARTTLS'] as const)),
      ...(door.login ? [] : (['AUTH'] as const)),
    ],
    onAuth({ username, password }, _session, callback) {
      if (username === door.login?.user && password === door.login?.password)
        callback(null, { user: username })
      else callback(refusal(535, '5.7.8 Authentication credentials invalid'))
    },
    onRcptTo({ address }, _session, callback) {
      try {
        receiver.onRecipient(address)
        callback()
      } catch (error) {
        callback(error as Error)
      }
    },
    onData(stream, { envelope, secure, user }, callback) {
      const read = async () => {
        const source = await readAll(stream)
        receiver.ways.push({ isEncrypted: Boolean(secure), user: user as string | undefined })
        const mail = {
          recipients: envelope.rcptTo.map(({ address }) => address),
          sender: envelope.mailFrom ? envelope.mailFrom.address : '',
          source,
          ...(await parse(source)),
        }
        receiver.shown.push(mail)
        await receiver.onMail(mail)
        receiver.taken.push(mail)
      }
      read().then(() => callback(), callback)
    },
  })
  server.on('error', () => {
    // A sender that does not trust our certificate hangs up.
  })
  server.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  receiver.port = (listening.address() as AddressInfo).port
  return receiver
}

async function parse(
  source: string,
): Promise<Pick<ReceivedMail, 'headers' | 'text' | 'html' | 'attachments'>> {
  const { headers, body } = split(source)
  if (headers.get('content-type')?.startsWith('multipart/mixed')) {
    const { text, html, attachments } = await simpleParser(source)
    return {
      headers,
      text: text ?? '',
      html: html || '',
      attachments: attachments.map(({ filename, contentType, content }) => ({
        name: filename ?? '',
        contentType,
        content,
      })),
    }
  }
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1]
  if (!boundary) throw new Error('The mail has no parts')
  const [first, second, ...more] = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.replace(/^\r\n/, '')))
  if (!first || !second || more.length > 0) throw new Error('The mail has not two parts')
  return { headers, text: decode(first, 'text/plain'), html: decode(second, 'text/html'), attachments: [] }
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
