import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import { contentTypeOf } from '../../server/storage/content-type.ts'
import type { FileStorage, ReceivedFile } from '../../server/storage/file-storage.ts'
import type { MailStore } from '../mail-in/mail-store.ts'
import { type MailReader, MailUnreadableError } from '../mail-in/mail-reader.ts'
import type { MailFile, ReadMail } from '../mail-in/parse-mail.ts'
import { type OrganizationClient, steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['process_incoming_mail']

interface Decision {
  state: string
  files: { sha256: string; state: string }[]
}

/** The database may be away, or the disk; what fails as often as this fails for a reason of its own. */
const mostAttempts = 5

/** Reads a mail that was stored, and has the database decide what becomes of it, in one transaction with its files. */
export default function processIncomingMail(
  mails: MailStore,
  reader: MailReader,
  storage: FileStorage,
  isScanned: boolean,
): Task {
  return steppedOrganizationTask<Payload>(async (step, { organizationId, incomingMailId }, helpers) => {
    const fail = (error: unknown) =>
      step((client) =>
        client.query('select app_private.incoming_mail_failed($1, $2)', [
          incomingMailId,
          error instanceof Error ? error.message : String(error),
        ]),
      )
    const wanted = await step((client) => mailToRead(client, incomingMailId))
    if (!wanted) return

    try {
      const source = await mails.read(organizationId, wanted.sha256)
      let mail: ReadMail
      try {
        mail = await reader.read(source)
      } catch (error) {
        if (!(error instanceof MailUnreadableError)) throw error
        helpers.logger.error(`the mail ${incomingMailId} cannot be read: ${String(error)}`)
        await fail(error)
        return
      }
      const received: (ReceivedFile & { file: MailFile })[] = []
      try {
        for (const file of mail.files) received.push({ ...(await storage.receive(only(file.content))), file })
        await step(async (client) => {
          if (!isScanned) await client.query(`select set_config('atum.attachment_scanner', 'off', true)`)
          const decision = await decide(client, incomingMailId, {
            ...mail.facts,
            files: await Promise.all(received.map(describe)),
          })
          for (const [index, { state }] of (decision?.files ?? []).entries()) {
            await storage.place(received[index]!, organizationId, state)
          }
        })
      } finally {
        // What was placed is no longer there.
        for (const file of received) await storage.discard(file)
      }
    } catch (error) {
      if (helpers.job.attempts < mostAttempts) throw error
      helpers.logger.error(`the mail ${incomingMailId} is given up: ${String(error)}`)
      await fail(error)
    }
  })
}

async function* only(content: Buffer): AsyncGenerator<Buffer> {
  if (content.length > 0) yield content
}

const describe = async ({ file, sha256, size, head }: ReceivedFile & { file: MailFile }) => ({
  sha256,
  size,
  contentType: await contentTypeOf(head),
  name: file.name,
  claimedContentType: file.claimedContentType,
  contentId: file.contentId,
})

async function mailToRead(client: OrganizationClient, id: string): Promise<{ sha256: string } | null> {
  const { rows }: QueryResult<{ mail: { sha256: string } | null }> = await client.query(
    'select app_private.incoming_mail_to_read($1) as mail',
    [id],
  )
  return rows[0]?.mail ?? null
}

async function decide(client: OrganizationClient, id: string, facts: object): Promise<Decision | null> {
  const { rows }: QueryResult<{ decision: Decision | null }> = await client.query(
    'select app_private.receive_mail($1, $2) as decision',
    [id, JSON.stringify(facts)],
  )
  return rows[0]?.decision ?? null
}
