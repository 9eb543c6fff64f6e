import type { Person } from './fixture.ts'

/** A webhook of the agent's making with a secret, and a call about a ticket that was taken at the first attempt. */
export async function webhooks(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
  agent: Person,
) {
  await run(
    `with webhook as (
      insert into app_public.webhooks (organization_id, name, url, created_by_id)
      values ($1, 'Fixture', 'https://hooks.fixture.test/desk', $3) returning *
    ), secret as (
      insert into app_private.webhook_secrets (organization_id, webhook_id, sealed)
      select organization_id, id, 'v1.webhook' from webhook
    ), delivery as (
      insert into app_public.webhook_deliveries
        (organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, payload, state, attempts, ended_at)
      select event.organization_id, webhook.id, event.id, event.type, event.ticket_id, event.ticket_id, 'evt_fixture', '{}', 'delivered', 1, now()
      from webhook
      join app_public.ticket_events as event on event.organization_id = webhook.organization_id and event.ticket_id = $2
      limit 1
      returning *
    )
    insert into app_public.webhook_attempts (organization_id, delivery_id, ended_at, status)
    select organization_id, id, now(), 204 from delivery`,
    ticketId,
    agent.userId,
  )
}
