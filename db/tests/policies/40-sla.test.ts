import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const tables = ['sla_calendars', 'sla_holidays', 'sla_policies', 'sla_targets', 'sla_calculations']
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]

describe.each(tables)('%s', (table) => {
  test('is not shown to customers, strangers and processes', async () => {
    for (const role of [
      'atum_customer',
      'atum_anonymous',
      'atum_server',
      'atum_worker',
      'atum_reporting',
    ] as const) {
      expect(await refuses({ ...stage.acme.customer, role }, `select id from app_public.${table}`)).toBe(
        '42501',
      )
    }
  })

  test('is written by nobody', async () => {
    for (const actor of [stage.acme.customer, ...staff(), stage.acme.worker]) {
      expect(await refuses(actor, `update app_public.${table} set organization_id = organization_id`)).toBe(
        '42501',
      )
      expect(
        await refuses(actor, `insert into app_public.${table} (organization_id) values ($1)`, [
          stage.acme.organizationId,
        ]),
      ).toBe('42501')
      expect(await refuses(actor, `delete from app_public.${table}`)).toBe('42501')
    }
  })

  test('is seen by staff, of their own organization', async () => {
    for (const actor of staff()) {
      expect(await sees(actor, `select distinct organization_id from app_public.${table}`)).toEqual([
        stage.acme.organizationId,
      ])
      expect(await sees({ role: actor.role }, `select id from app_public.${table}`)).toEqual([])
    }
  })
})

test("a customer is not told of the clocks by the ticket's history either", async () => {
  expect(
    await sees(
      stage.acme.customer,
      `select type from app_public.ticket_events where type in ('sla_met', 'sla_breached', 'priority_changed')`,
    ),
  ).toEqual([])
})

test('a target, a holiday and a clock name nothing of another organization, also when the owner writes', async () => {
  const { acme, globex } = stage
  const of = (table: string) =>
    `(select id from app_public.${table} where organization_id = '${globex.organizationId}' limit 1)`
  const owner = { role: 'atum_owner' } as const
  expect(
    await refuses(
      owner,
      `update app_public.sla_holidays set calendar_id = ${of('sla_calendars')} where organization_id = $1`,
      [acme.organizationId],
    ),
  ).toBe('23503')
  expect(
    await refuses(
      owner,
      `update app_public.sla_policies set calendar_id = ${of('sla_calendars')} where organization_id = $1`,
      [acme.organizationId],
    ),
  ).toBe('23503')
  expect(
    await refuses(
      owner,
      `update app_public.sla_targets set policy_id = ${of('sla_policies')} where organization_id = $1`,
      [acme.organizationId],
    ),
  ).toBe('23503')
  expect(
    await refuses(
      owner,
      `update app_public.sla_calculations set policy_id = ${of('sla_policies')} where organization_id = $1`,
      [acme.organizationId],
    ),
  ).toBe('23503')
})

test('a definer function of the worker stays inside the claims', async () => {
  const { acme, globex } = stage
  await stage.superuser.query(
    `update app_public.sla_calculations set due_at = now() - interval '1 hour' where met_at is null`,
  )
  const late = (organizationId: string) =>
    sees(
      { role: 'atum_owner' },
      'select count(*)::int from app_public.sla_calculations where organization_id = $1 and met_at is null',
      [organizationId],
    )
  expect(await late(globex.organizationId)).not.toEqual([0])
  expect(
    await sees(
      { role: 'atum_worker', organizationId: acme.organizationId },
      'select app_private.record_sla_breaches()',
    ),
  ).toEqual(await late(acme.organizationId))
  expect(
    await touches(
      { role: 'atum_owner' },
      'update app_public.sla_calculations set due_at = due_at where organization_id = $1 and breached_at is not null',
      [globex.organizationId],
    ),
  ).toBe(0)
})
