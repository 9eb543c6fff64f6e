import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { MailboxCredentials } from '../mail-in/credentials.ts'
import { faultOf, imapClient, type MailboxSettings, openFolder } from '../mail-in/imap.ts'
import { steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['test_mailbox']

/** Connects to a mailbox, logs in and opens its folder as it is, and writes down what it found. Nothing is fetched. */
export default function testMailbox(credentials: MailboxCredentials, allowInternal: boolean): Task {
  return steppedOrganizationTask<Payload>(async (step, { mailboxId }) => {
    const settings = await step(async (client) => {
      const { rows }: QueryResult<{ settings: MailboxSettings | null }> = await client.query(
        'select app_private.mailbox_to_test($1) as settings',
        [mailboxId],
      )
      return rows[0]?.settings
    })
    if (!settings) return

    const { outcome, detail } = await tryIt(settings, credentials, allowInternal)
    await step((client) =>
      client.query('select app_private.record_mailbox_test($1, $2, $3)', [mailboxId, outcome, detail]),
    )
  })
}

async function tryIt(
  settings: MailboxSettings,
  credentials: MailboxCredentials,
  allowInternal: boolean,
): Promise<{ outcome: string; detail: string | null }> {
  try {
    credentials.forget(settings)
    const client = imapClient(settings, await credentials.of(settings), allowInternal)
    try {
      await openFolder(client, settings, { readOnly: true })
      return { outcome: 'ok', detail: client.mailbox ? String(client.mailbox.exists) : null }
    } finally {
      client.close()
    }
  } catch (error) {
    const { fault, message } = faultOf(error)
    return { outcome: fault, detail: message }
  }
}
