import type { Readable } from 'node:stream'
import type { MailServer, Taken } from './mail-server.ts'

/** What `app_private.mail_to_send` says: a mail as it is handed to the mail server. */
export interface OutgoingMail {
  kind: string
  /** The address is null where the installation's own one is used. */
  from: { name: string; address: string | null }
  to: { name: string | null; address: string }
  replyTo: string | null
  subject: string
  text: string
  html: string
  messageId: string
  /** Oldest first; the last one is what it answers. */
  references: string[]
  headers: Record<string, string>
  files: { name: string; sha256: string; size: number; contentType: string }[]
}

/** The content of a file that goes with a mail is not on this machine's disk. */
export class FileMissingError extends Error {
  override readonly name = 'FileMissingError'
}

/** Hands a mail with its files to the mail server, and returns what that said. */
export async function deliver(
  mail: OutgoingMail,
  mailServer: MailServer,
  openFile: (sha256: string) => Promise<Readable | undefined>,
): Promise<Taken> {
  const opened: Readable[] = []
  try {
    const attachments = []
    for (const file of mail.files) {
      const content = await openFile(file.sha256)
      if (!content) throw new FileMissingError(`The content of ${file.name} is not in the data directory`)
      opened.push(content)
      attachments.push({ filename: file.name, contentType: file.contentType, content })
    }
    return await mailServer.post({
      from: { name: mail.from.name, address: mail.from.address ?? mailServer.senderAddress },
      to: { name: mail.to.name ?? '', address: mail.to.address },
      ...(mail.replyTo && { replyTo: { name: mail.from.name, address: mail.replyTo } }),
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      messageId: mail.messageId,
      references: mail.references,
      ...(mail.references.length > 0 && { inReplyTo: mail.references.at(-1) }),
      headers: mail.headers,
      attachments,
    })
  } finally {
    // Those that were not read to their end hold their file open.
    for (const content of opened) content.destroy()
  }
}
