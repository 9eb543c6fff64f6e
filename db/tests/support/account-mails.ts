import { value } from './connections.ts'
import type { Stage } from './stage.ts'

/** What the worker needs to write a mail. */
export interface AccountMail {
  purpose: string
  token: string | null
  email: string
}

/** What people are written about their accounts on a stage, and the worker who sends it. */
export function accountMailsOn(stage: Stage) {
  /** The purposes of all mails to a person, in their order. */
  const mailsTo = (userId: string) =>
    value<string[]>(
      stage.superuser,
      `select coalesce(array_agg(purpose order by created_at, id), '{}') from app_private.account_mails where user_id = $1`,
      [userId],
    )

  /** The latest mail of a purpose to a person. */
  const latest = (userId: string, purpose: string) =>
    value<string>(
      stage.superuser,
      'select id from app_private.account_mails where user_id = $1 and purpose = $2 order by created_at desc, id desc limit 1',
      [userId, purpose],
    )

  /** What the worker is given to send a mail. */
  const toSend = (mailId: string, organizationId = stage.acme.organizationId) =>
    stage.does<AccountMail | null>(
      { role: 'atum_worker', organizationId },
      'select app_private.account_mail_to_send($1)',
      [mailId],
    )

  /** The token in the latest mail of a purpose to a person, which the worker is about to send. */
  async function tokenTo(userId: string, purpose: string): Promise<string> {
    const mail = await toSend(await latest(userId, purpose))
    return mail!.token!
  }

  /** The payloads of the jobs that send the mails of a person. */
  const jobsFor = async (userId: string) => {
    const { rows } = await stage.superuser.query<{ payload: Record<string, unknown> }>(
      `select job.payload from app_private.account_mails as mail
      join graphile_worker._private_jobs as job on job.payload ->> 'accountMailId' = mail.id::text
      where mail.user_id = $1 order by mail.created_at`,
      [userId],
    )
    return rows.map(({ payload }) => payload)
  }

  /** The mails so far were written long ago, so that nobody asks too often. */
  const forgetMails = () =>
    stage.superuser.query(`update app_private.account_mails set created_at = created_at - interval '1 day'`)

  return { mailsTo, latest, toSend, tokenTo, jobsFor, forgetMails }
}
