import { expect, test } from 'vitest'
import { become } from '../support/session.ts'
import { client, one, open, organizationId, setSlaDesk } from '../support/sla-desk.ts'

setSlaDesk()

test('ten thousand open tickets are swept within a second', async () => {
  const pattern = await open(new Date().toISOString())
  await client.query('reset role')
  await client.query('set local session_replication_role = replica')
  await client.query(
    `with made as (
      insert into app_public.tickets (organization_id, number, reference, subject, status, state_id, requester_id)
      select organization_id, 100000 + n, 'ATUM-' || (100000 + n), subject, status, state_id, requester_id
      from app_public.tickets, generate_series(1, 10000) as n where id = $1
      returning organization_id, id
    )
    insert into app_public.sla_calculations (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at, escalates_at)
    select made.organization_id, made.id, clock.kind, clock.policy_id, clock.target_seconds, clock.started_at,
      now() + interval '1 hour', now() + interval '30 minutes'
    from made, app_public.sla_calculations as clock where clock.ticket_id = $1`,
    [pattern],
  )
  await client.query(
    `update app_public.sla_calculations set due_at = now() - interval '1 minute'
    where id in (select id from app_public.sla_calculations order by id desc limit 50)`,
  )
  await client.query('set local session_replication_role = origin')
  await client.query('analyze app_public.sla_calculations; analyze app_public.tickets')
  await become(client, { role: 'atum_worker', organizationId })
  const began = performance.now()
  expect(await one('select app_private.record_sla_breaches() as value')).toBe(50)
  expect(await one('select app_private.fire_sla_escalations() as value')).toBe(0)
  expect(await one('select app_private.schedule_sla_breaches() as value')).toBe(0)
  expect(performance.now() - began).toBeLessThan(1_000)
})
