import type { JobHelpers, Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { MailEnvironment } from '../env.ts'
import type { FilePlaces } from '../files/file-places.ts'
import { createMailServer, MailNotTakenError } from '../mail/mail-server.ts'
import { type OutgoingMail, deliver, FileMissingError } from '../mail/outgoing-mail.ts'
import { type Step, steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['send_mail']

/**
 * Sends one mail to one person. Whatever the mail server says is written down; what it does not take for now comes back
 * later with a job of its own. A worker that dies between the server's word and its note has sent a mail that is sent
 * once more: at least once, and never lost.
 */
export default function sendMail(mail: MailEnvironment | undefined, places: FilePlaces): Task {
  if (!mail) return withoutMailServer
  const mailServer = createMailServer(mail)

  return steppedOrganizationTask<Payload>(async (step, { organizationId, mailId }, helpers) => {
    const outgoing = await toSend(step, mailId, mail.publicOrigin, mailServer.senderDomain)
    // Sent or cancelled already, not due yet, or another worker is at it.
    if (!outgoing) return

    try {
      const { code, response } = await deliver(outgoing, mailServer, (sha256) =>
        places.open(organizationId, sha256),
      )
      await note(step, 'mail_was_sent', mailId, code, response)
    } catch (error) {
      if (error instanceof MailNotTakenError) {
        await note(
          step,
          error.isFinal ? 'mail_was_refused' : 'mail_was_deferred',
          mailId,
          error.code,
          error.message,
        )
      } else if (error instanceof FileMissingError) {
        await note(step, 'mail_was_deferred', mailId, null, error.message)
      } else {
        throw error
      }
      helpers.logger.warn(`mail ${mailId}: ${error.message}`)
    }
  })
}

async function toSend(
  step: Step,
  mailId: string,
  origin: string,
  senderDomain: string,
): Promise<OutgoingMail | null> {
  return step(async (client) => {
    const { rows }: QueryResult<{ mail: OutgoingMail | null }> = await client.query(
      'select app_private.mail_to_send($1, $2, $3) as mail',
      [mailId, origin, senderDomain],
    )
    return rows[0]?.mail ?? null
  })
}

function note(
  step: Step,
  outcome: 'mail_was_sent' | 'mail_was_deferred' | 'mail_was_refused',
  mailId: string,
  code: number | null,
  response: string,
): Promise<unknown> {
  return step((client) => client.query(`select app_private.${outcome}($1, $2, $3)`, [mailId, code, response]))
}

const withoutMailServer = steppedOrganizationTask<Payload>(
  async (step: Step, { mailId }: Payload, helpers: JobHelpers) => {
    const kept = await step(async (client) => {
      const { rows }: QueryResult<{ kept: boolean }> = await client.query(
        'select app_private.mail_was_kept($1) as kept',
        [mailId],
      )
      return rows[0]?.kept
    })
    if (kept) helpers.logger.warn(`there is no mail server (SMTP_URL): mail ${mailId} is kept`)
  },
)
