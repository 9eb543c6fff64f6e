import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { MailboxCredentials } from '../mail-in/credentials.ts'
import { faultOf, imapClient, MailboxError, type MailboxSettings, openFolder } from '../mail-in/imap.ts'
import { steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['test_mailbox']

/** How long a test may take in all: a server that goes on talking without an answer would hold its place for ever. */
const longestTest = 30_000

/** Connects to a mailbox, logs in and opens its folder as it is, and writes down what it found. Nothing is fetched. */
export default function testMailbox(
  credentials: Pick<MailboxCredentials, 'forget' | 'of'>,
  allowInternal: boolean,
  deadlineMilliseconds = longestTest,
): Task {
  return steppedOrganizationTask<Payload>(async (step, { mailboxId }) => {
    const settings = await step(async (client) => {
      const { rows }: QueryResult<{ settings: MailboxSettings | null }> = await client.query(
        'select app_private.mailbox_to_test($1) as settings',
        [mailboxId],
      )
      return rows[0]?.settings
    })
    if (!settings) return

    const { outcome, detail } = await tryInTime(settings, {
      credentials,
      allowInternal,
      deadlineMilliseconds,
    })
    await step((client) =>
      client.query('select app_private.record_mailbox_test($1, $2, $3)', [mailboxId, outcome, detail]),
    )
  })
}

interface Trying {
  credentials: Pick<MailboxCredentials, 'forget' | 'of'>
  allowInternal: boolean
  deadlineMilliseconds: number
}

interface Finding {
  outcome: string
  detail: string | null
}

async function tryInTime(settings: MailboxSettings, trying: Trying): Promise<Finding> {
  const deadline = new AbortController()
  const seconds = trying.deadlineMilliseconds / 1_000
  const timer = setTimeout(() => {
    deadline.abort(new MailboxError('unreachable', `The server did not answer within ${seconds} seconds`))
  }, trying.deadlineMilliseconds)
  const overdue = new Promise<never>((_resolve, reject) => {
    deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason as MailboxError))
  })
  try {
    return await Promise.race([tryIt(settings, trying, deadline.signal), overdue])
  } catch (error) {
    const { fault, message } = faultOf(error)
    return { outcome: fault, detail: message }
  } finally {
    clearTimeout(timer)
  }
}

async function tryIt(
  settings: MailboxSettings,
  { credentials, allowInternal }: Trying,
  deadline: AbortSignal,
): Promise<Finding> {
  credentials.forget(settings)
  const client = imapClient(settings, await credentials.of(settings), allowInternal)
  const close = () => client.close()
  deadline.addEventListener('abort', close)
  try {
    // Where only the tokens came too late, no connection is begun.
    deadline.throwIfAborted()
    await openFolder(client, settings, { readOnly: true })
    return { outcome: 'ok', detail: client.mailbox ? String(client.mailbox.exists) : null }
  } finally {
    deadline.removeEventListener('abort', close)
    client.close()
  }
}
