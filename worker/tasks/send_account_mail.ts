import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import type { MailEnvironment } from '../env.ts'
import { type AccountMail, accountLetter } from '../mail/account-letter.ts'
import { createMailServer } from '../mail/mail-server.ts'
import { type Step, steppedOrganizationTask } from '../organization-task.ts'

type Payload = GraphileWorker.Tasks['send_account_mail']

/**
 * Writes to a person about the own account. A mail that was not taken keeps waiting and is tried again with another
 * token; one that was taken, but of which that could not be noted, is sent once more.
 */
export default function sendAccountMail(mail: MailEnvironment | undefined): Task {
  if (!mail) return withoutMailServer
  const mailServer = createMailServer(mail)

  return steppedOrganizationTask<Payload>(async (step, { accountMailId }) => {
    const accountMail = await toSend(step, accountMailId)
    // Sent already, or over: used, out of date, or a later one took its place.
    if (!accountMail) return

    await mailServer.send(
      { name: accountMail.name, address: accountMail.email },
      accountLetter(accountMail, mail.publicOrigin),
    )
    await step((client) => client.query(`select app_private.account_mail_sent($1, 'sent')`, [accountMailId]))
  })
}

async function toSend(step: Step, accountMailId: string): Promise<AccountMail | null> {
  return step(async (client) => {
    const { rows }: QueryResult<{ mail: AccountMail | null }> = await client.query(
      'select app_private.account_mail_to_send($1) as mail',
      [accountMailId],
    )
    return rows[0]?.mail ?? null
  })
}

// The link that nobody gets does not leave the database either.
const withoutMailServer = steppedOrganizationTask<Payload>(async (step, { accountMailId }, helpers) => {
  const purpose = await step(async (client) => {
    const { rows }: QueryResult<{ purpose: string }> = await client.query(
      `select mail ->> 'purpose' as purpose, app_private.account_mail_sent($1, 'no_mail_server')
       from app_private.account_mail_to_send($1) as mail
       where mail is not null`,
      [accountMailId],
    )
    return rows[0]?.purpose
  })
  if (purpose) {
    helpers.logger.warn(`there is no mail server (SMTP_URL): ${purpose} ${accountMailId} is not sent`)
  }
})
