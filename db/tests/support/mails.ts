import { randomUUID } from 'node:crypto'
import type { Person, Tenant } from './fixture.ts'
import type { Stage } from './stage.ts'

/** A mail as `mail_to_send` hands it to the worker. */
export interface SentMail {
  kind: string
  from: { name: string; address: string | null }
  to: { name: string; address: string }
  replyTo: string | null
  subject: string
  text: string
  html: string
  messageId: string
  references: string[]
  headers: Record<string, string>
  files: { name: string; sha256: string; size: number }[]
}

/** What a mail is written of. */
export interface Fact {
  kind?: string
  key?: string
  ticketId?: string | null
  commentId?: string | null
  facts?: Record<string, unknown>
  sendAt?: string
}

export const origin = 'https://desk.example'

/** Mails on a stage, written and sent as functions and jobs do. */
export function mailsOn(stage: Stage) {
  const tenantOf = ({ organizationId }: Person): Tenant =>
    organizationId === stage.acme.organizationId ? stage.acme : stage.globex
  const row = async <Row extends object>(mailId: string) => {
    const { rows } = await stage.superuser.query<Row>(
      'select * from app_public.mail_messages where id = $1',
      [mailId],
    )
    return rows[0]!
  }

  return {
    /** Writes a mail to somebody, and returns its row id; null where none is written. */
    write: (to: Person, { kind = 'reply', key = randomUUID(), ...fact }: Fact = {}) =>
      stage.does<string | null>(
        { role: 'atum_owner', organizationId: to.organizationId! },
        `select app_private.write_mail($1, $2, recipient, ticket, comment, $6, $7)
        from app_public.users as recipient
        left join app_public.tickets as ticket on ticket.organization_id = recipient.organization_id and ticket.id = $4
        left join app_public.comments as comment on comment.organization_id = recipient.organization_id and comment.id = $5
        where recipient.id = $3`,
        [
          kind,
          key,
          to.userId,
          fact.ticketId === undefined ? tenantOf(to).ticketId : fact.ticketId,
          fact.commentId === undefined ? tenantOf(to).publicCommentId : fact.commentId,
          JSON.stringify(fact.facts ?? {}),
          fact.sendAt ?? null,
        ],
      ),
    /** What the worker is given to send; null where it is not to be sent now. */
    toSend: (mailId: string, tenant: Tenant = stage.acme) =>
      stage.does<SentMail | null>(tenant.worker, 'select app_private.mail_to_send($1, $2, $3)', [
        mailId,
        origin,
        'desk.example',
      ]),
    wasSent: (mailId: string) =>
      stage.does(stage.acme.worker, `select app_private.mail_was_sent($1, 250, 'OK')`, [mailId]),
    wasDeferred: (mailId: string, response = 'Later') =>
      stage.does<string | null>(stage.acme.worker, 'select app_private.mail_was_deferred($1, 451, $2)', [
        mailId,
        response,
      ]),
    wasRefused: (mailId: string, response = 'No such mailbox') =>
      stage.does(stage.acme.worker, 'select app_private.mail_was_refused($1, 550, $2)', [mailId, response]),
    row: (mailId: string) =>
      row<{
        state: string
        subject: string
        text_body: string
        html_body: string
        send_at: Date
        give_up_at: Date
        attempts: number
        last_error: string | null
        claimed_until: Date | null
        survey_id: string | null
      }>(mailId),
    attempts: async (mailId: string) => {
      const { rows } = await stage.superuser.query<{
        outcome: string
        code: number | null
        response: string
      }>(
        'select outcome, code, response from app_public.mail_attempts where mail_id = $1 order by created_at, id',
        [mailId],
      )
      return rows
    },
    /** When the job of a mail runs; undefined where there is none. */
    job: async (mailId: string) => {
      const { rows } = await stage.superuser.query<{ run_at: Date }>(
        'select run_at from graphile_worker.jobs where key = $1',
        [`send_mail:${mailId}`],
      )
      return rows[0]
    },
  }
}
