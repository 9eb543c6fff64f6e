import type { Tenant } from './fixture.ts'
import { committed } from './session.ts'
import type { Stage } from './stage.ts'

/** A call as a worker is handed it. */
export interface Claimed {
  attemptId: string
  url: string
  messageId: string
  body: string
  secrets: string[]
}

/** An answer that takes a call, and one that does not. */
export const taken = { status: 204 }
export const broken = { status: 500, fault: 'response', error: 'The answer was 500' }

/** Ways to make webhooks, to call them as the worker does, and to see what became of it. */
export function webhooksOf(stage: Stage) {
  const { does } = stage
  const rows = async (sql: string, values: unknown[] = []) => (await stage.superuser.query(sql, values)).rows

  const make = async (name: string, settings = '', tenant: Tenant = stage.acme) => {
    const id = await does<string>(
      tenant.admin,
      `select id from app_public.save_webhook($1, 'https://hooks.example.com/' || md5($1)${settings && `, ${settings}`})`,
      [name],
    )
    await stage.ask(
      'set_webhook_secret',
      { webhook_id: id, secret: `v1.${name}`, keep_previous: '0' },
      { actor: tenant.admin },
    )
    return id
  }
  /** Opens a ticket and says something more: two events. */
  const openTicket = async (subject: string, tenant: Tenant = stage.acme) => {
    const id = await does<string>(tenant.customer, 'select id from app_public.create_ticket($1, $2)', [
      subject,
      `${subject} is broken`,
    ])
    await does(tenant.customer, `select id from app_public.add_comment($1, 'Still broken')`, [id])
    return id
  }
  const say = (ticketId: string, body: string, visibility = 'public') =>
    does<string>(stage.acme.agent, 'select id from app_public.add_comment($1, $2, $3)', [
      ticketId,
      body,
      visibility,
    ])
  const announce = (ticketId: string, { worker } = stage.acme) =>
    does(worker, 'select app_private.announce_ticket_events($1)', [ticketId])
  const take = (webhookId: string, lane: string, { worker } = stage.acme) =>
    does<Claimed | null>(worker, 'select app_private.take_webhook_delivery($1, $2)', [webhookId, lane])
  const finish = (attemptId: string, outcome: object, { worker } = stage.acme) =>
    does(worker, 'select app_private.finish_webhook_attempt($1, $2)', [
      attemptId,
      JSON.stringify({ durationMs: 5, ...outcome }),
    ])

  /** What became of a webhook's calls, in order. */
  const calls = async (webhookId: string) =>
    (
      await rows(
        `select concat_ws(' ', coalesce(event_type::text, 'ping'), state, nullif(replay, 0)) as line
        from app_public.webhook_deliveries where webhook_id = $1 order by created_at`,
        [webhookId],
      )
    ).map(({ line }) => line as string)
  const jobsOf = async (webhookId: string) =>
    (await rows('select key from graphile_worker.jobs where key like $1', [`deliver_webhook:${webhookId}:%`]))
      .length
  /** Lets time pass for the calls of a webhook. */
  const age = (webhookId: string, interval: string) =>
    committed(stage.superuser, () =>
      stage.superuser.query(
        `with later as (
          update app_public.webhooks set failing_since = failing_since - $2::interval where id = $1
        )
        update app_public.webhook_deliveries
        set created_at = created_at - $2::interval, next_attempt_at = next_attempt_at - $2::interval,
          give_up_at = give_up_at - $2::interval, claimed_until = claimed_until - $2::interval, ended_at = ended_at - $2::interval
        where webhook_id = $1`,
        [webhookId, interval],
      ),
    )

  return { rows, make, openTicket, say, announce, take, finish, calls, jobsOf, age }
}
