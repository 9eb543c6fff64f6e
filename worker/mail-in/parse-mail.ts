import {
  type AddressObject,
  type Attachment,
  type EmailAddress,
  type ParsedMail,
  type StructuredHeader,
  simpleParser,
} from 'mailparser'
import { type DeliveryReport, readReport } from './delivery-report.ts'
import { splitText } from './fresh-text.ts'
import { htmlAsText } from './html-text.ts'
import { kindOf, type MailKind } from './mail-kind.ts'
import { safeHtml } from './safe-html.ts'

/** A file that came with a mail, or that is made of what of it does not fit elsewhere. */
export interface MailFile {
  name: string
  claimedContentType: string
  contentId: string | undefined
  content: Buffer
}

/** What a mail says, as the database decides over it. */
export interface MailFacts {
  kind: MailKind
  messageId: string | undefined
  from: { address: string; name: string } | undefined
  /** Every address it was written or delivered to. */
  recipients: string[]
  /** Those among them who were written to by name. */
  copied: string[]
  /** What it answers, the nearest last. */
  references: string[]
  /** Numbers of tickets in its subject. */
  subjectReferences: string[]
  subject: string
  sentAt: string | undefined
  /** The desk that sent it and its ticket, where one of our kind did. */
  desk: string | undefined
  report: DeliveryReport | undefined
  text: string
  quoted: string | undefined
  html: string | undefined
}

/** A mail that was read. */
export interface ReadMail {
  facts: MailFacts
  files: MailFile[]
}

const bodyBytes = 65_536
/** Room for the words that the database puts before what nobody proved to have said. */
const freshBytes = bodyBytes - 4_096
const quotedBytes = 262_144
const htmlBytes = 1_048_576
const mostFiles = 200
const mostReferences = 100
/** More than a person writes, in letters. What is beyond comes as a file. */
const mostText = 524_288
const mostHtml = 1_048_576
/** Of lines that say to whom a mail was delivered, and of letters in each. */
const mostDeliveries = 20
const longestDelivery = 1_000

/** Reads a mail as it came. What its sender broke is read as far as it can be; throws only where nothing can. */
export async function readMail(source: Buffer): Promise<ReadMail> {
  const mail = await simpleParser(source, {
    keepCidLinks: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    checksumAlgo: false as never,
    maxHtmlLengthToParse: mostHtml,
  })
  const subject = line(mail.subject ?? '')
  const from = flat(mail.from?.value ?? []).find(({ address }) => address)
  const messageId = messageIds(mail.messageId)[0]
  const html = mail.html || undefined
  const text = wordsOf(mail, source)
  const begun = text.slice(0, mostText)
  const { fresh, quoted } = splitText(begun, subject)
  const shown = html === undefined || html.length > mostHtml ? undefined : clean(safeHtml(html))

  const files = mail.attachments.slice(0, mostFiles).map(fileOf)
  const cut = cutToBytes(fresh, freshBytes)
  if (begun !== text || cut !== fresh || Buffer.byteLength(quoted) > quotedBytes)
    files.push(textFile('message.txt', 'text/plain', text))
  const fits = shown !== undefined && Buffer.byteLength(shown) <= htmlBytes
  if (html !== undefined && !fits) files.push(textFile('message.html', 'text/html', html))

  const contentType = structured(mail, 'content-type')
  const kind = kindOf({
    header: (name) => rawHeader(mail, name),
    subject,
    fromAddress: from?.address ?? '',
    contentType: contentType?.value.toLowerCase() ?? '',
    reportType: contentType?.params['report-type']?.toLowerCase() ?? '',
  })
  const report =
    kind === 'bounce' || kind === 'complaint' ? readReport(source, { messageId, text }) : undefined
  const written = [...addressesOf(mail.to), ...addressesOf(mail.cc)]
  return {
    facts: {
      kind,
      messageId,
      from: from && { address: from.address!, name: line(from.name) },
      recipients: [
        ...new Set([
          ...written,
          ...['delivered-to', 'x-original-to', 'envelope-to', 'x-forwarded-to'].flatMap((name) =>
            headerAddresses(mail, name),
          ),
        ]),
      ].slice(0, 100),
      copied: [...new Set(written)].slice(0, 50),
      references: [
        ...new Set([
          ...messageIds(mail.references),
          ...messageIds(mail.inReplyTo),
          ...(report?.messageIds ?? []),
        ]),
      ].slice(-mostReferences),
      subjectReferences: [...subject.matchAll(/\[([A-Z][A-Z0-9]{0,9}-\d{1,9})\]/gi)]
        .map(([, reference]) => reference!.toUpperCase())
        .slice(0, 5),
      subject,
      sentAt: dateOf(mail),
      desk: rawHeader(mail, 'x-atum-desk'),
      report,
      text: cut,
      quoted: cutToBytes(quoted, quotedBytes) || undefined,
      html: fits ? shown : undefined,
    },
    files,
  }
}

/** The words of a mail: its text, else those of its HTML, else, where its sender broke it, whatever is under its headers. */
function wordsOf({ text, html, attachments }: ParsedMail, source: Buffer): string {
  const words = () => clean(htmlAsText(safeHtml((html || '').slice(0, mostHtml))))
  if (html && !hasTextPart(source)) return words()
  // Where an image is in the text. It comes as a file.
  if (text?.trim()) return clean(text).replaceAll(/\[cid:[^\]\s]{1,255}\]/g, '')
  if (html) return words()
  if (attachments.length > 0) return ''
  const whole = source.subarray(0, 1_048_576).toString('utf8')
  const end = /\r?\n\r?\n/.exec(whole)
  return end ? clean(whole.slice(end.index)).trim() : ''
}

/** Whether a mail has words of its own beside its HTML, which stand at its beginning: a part that says so in its headers. */
function hasTextPart(source: Buffer): boolean {
  const beginning = source.subarray(0, 262_144).toString('latin1')
  return (
    /^content-type:[ \t]*(\r?\n[ \t]+)?text\/plain/im.test(beginning) || !/^content-type:/im.test(beginning)
  )
}

function fileOf(attachment: Attachment, index: number): MailFile {
  return {
    name: clean(attachment.filename || unnamed(attachment, index)),
    claimedContentType: attachment.contentType,
    contentId: attachment.cid,
    content: attachment.content,
  }
}

/** What a file is called that has no name: what it is, and the subject of a mail that was handed on. */
function unnamed({ contentType, content }: Attachment, index: number): string {
  const names: Record<string, string> = {
    'text/calendar': 'invite.ics',
    'message/rfc822': `${/^subject:[ \t]*(.{1,100})$/im.exec(content.subarray(0, 20_000).toString('utf8'))?.[1]?.trim() || 'message'}.eml`,
    'message/delivery-status': 'delivery-status.txt',
    'message/feedback-report': 'feedback-report.txt',
    'application/pgp-encrypted': 'version.txt',
    'application/pgp-signature': 'signature.asc',
    'application/pkcs7-signature': 'smime.p7s',
    'application/pkcs7-mime': 'smime.p7m',
    'text/html': 'message.html',
    'text/plain': 'message.txt',
  }
  const [, subtype = 'bin'] = contentType.split('/')
  return (
    names[contentType] ??
    `file-${index + 1}.${
      subtype
        .replace(/^x-/, '')
        .replaceAll(/[^a-z0-9]/gi, '')
        .slice(0, 8) || 'bin'
    }`
  )
}

const textFile = (name: string, claimedContentType: string, text: string): MailFile => ({
  name,
  claimedContentType,
  contentId: undefined,
  content: Buffer.from(text),
})

function structured(mail: ParsedMail, name: string): StructuredHeader | undefined {
  const value = mail.headers?.get(name)
  return typeof value === 'object' && 'params' in value ? (value as StructuredHeader) : undefined
}

/** A header as it stands in the mail, unfolded: what our programs and others' say to machines. */
function rawHeader(mail: ParsedMail, name: string): string | undefined {
  const found = mail.headerLines?.find(({ key }) => key === name)?.line
  return found === undefined
    ? undefined
    : clean(found.slice(found.indexOf(':') + 1).replaceAll(/\r?\n[ \t]*/g, ' ')).trim()
}

const flat = (addresses: EmailAddress[]): EmailAddress[] =>
  addresses.flatMap((address) => (address.group ? flat(address.group) : [address]))
const addressesOf = (header: AddressObject | AddressObject[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap(({ value }) => flat(value))
    .flatMap(({ address }) => (address ? [clean(address)] : []))
function headerAddresses(mail: ParsedMail, name: string): string[] {
  const lines = mail.headerLines?.filter(({ key }) => key === name) ?? []
  return lines
    .slice(0, mostDeliveries)
    .flatMap(
      ({ line: text }) => text.slice(name.length + 1, longestDelivery).match(/[^\s<>,;]+@[^\s<>,;]+/g) ?? [],
    )
}

/** Names of mails, with their brackets, from a header that may hold several or what is none. */
const messageIds = (header: string | string[] | undefined): string[] =>
  [header ?? []].flat().flatMap((value) => value.match(/<[^<>\s]{1,500}>/g) ?? [])

function dateOf(mail: ParsedMail): string | undefined {
  const written = rawHeader(mail, 'date')
  const date = written === undefined ? undefined : mail.date
  return date && !Number.isNaN(date.getTime()) && date.getUTCFullYear() > 1970 && date.getUTCFullYear() < 9999
    ? date.toISOString()
    : undefined
}

/** Postgres keeps no NUL, and half a pair is no character. */
const clean = (text: string) => text.replaceAll('\0', '').toWellFormed()
const line = (text: string) => clean(text).replaceAll(/\s+/g, ' ').trim()

/** As much of a text as fits, to the end of a line where that is near. */
function cutToBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  const end = '\n\n[…]'
  const cut = new TextDecoder()
    .decode(Buffer.from(text).subarray(0, most - Buffer.byteLength(end)))
    .replace(/\uFFFD+$/, '')
  const lastLine = cut.lastIndexOf('\n')
  return (lastLine > cut.length - 2_000 ? cut.slice(0, lastLine) : cut).trimEnd() + end
}
