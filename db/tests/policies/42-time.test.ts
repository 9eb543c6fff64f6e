import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import type { Actor } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)

/** Sees no team's tickets. */
let restricted: Person

beforeAll(async () => {
  restricted = await newcomer(stage.acme, 'agent')
  await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
    restricted.userId,
  ])
  await stage.superuser.query(
    `insert into app_public.time_entries (organization_id, ticket_id, agent_id, worked_on, seconds, is_billable) values
      ($1, $2, $3, '2026-03-31', 600, true), ($1, $2, $3, '2026-04-01', 60, false), ($1, $2, $4, '2026-04-01', 3600, true),
      ($1, $5, $3, '2026-04-02', 0, true), ($1, $5, $6, '2026-04-05', 30, true)`,
    [
      stage.acme.organizationId,
      stage.acme.ticketId,
      stage.acme.agent.userId,
      restricted.userId,
      stage.acme.neighbourTicketId,
      stage.acme.admin.userId,
    ],
  )
})

const tables = ['time_activities', 'time_entries', 'time_corrections', 'running_timers'] as const

const report = (actor: Actor, groupedBy: string, rest: Record<string, unknown> = {}) => {
  const values = { from_day: '2026-04-01', to_day: '2026-04-30', ...rest }
  return stage.sees(
    actor,
    `select jsonb_build_array(coalesce(name, day::text), entries, seconds, billable_seconds)
     from app_public.time_report('${groupedBy}', ${Object.keys(values)
       .map((name, position) => `${name} => $${position + 1}`)
       .join(', ')})`,
    Object.values(values),
  )
}

describe('time', () => {
  test('is nothing that customers, strangers and logins of the machine read', async () => {
    const { customer, agent } = stage.acme
    for (const table of tables) {
      for (const role of ['atum_anonymous', 'atum_server', 'atum_worker', 'atum_reporting'] as const) {
        expect(await stage.refuses({ ...agent, role }, `select id from app_public.${table}`)).toBe('42501')
      }
      expect(await stage.refuses(customer, `select id from app_public.${table}`)).toBe('42501')
    }
    expect(
      await stage.refuses(customer, `select app_public.time_report('agent', '2026-01-01', '2026-12-31')`),
    ).toBe('42501')
  })

  test('of another organization is not there', async () => {
    for (const table of tables) {
      for (const actor of [stage.acme.agent, stage.acme.manager, stage.acme.admin]) {
        expect(
          await stage.sees(actor, `select id from app_public.${table} where organization_id = $1`, [
            stage.globex.organizationId,
          ]),
        ).toEqual([])
      }
    }
    expect(await report(stage.globex.admin, 'agent')).toEqual([])
  })

  test('is written by functions alone; of activities admins change the name and the use', async () => {
    const { agent, manager, admin } = stage.acme
    for (const actor of [agent, manager, admin]) {
      for (const table of ['time_entries', 'time_corrections', 'running_timers']) {
        expect(await stage.refuses(actor, `update app_public.${table} set id = id`)).toBe('42501')
        expect(await stage.refuses(actor, `delete from app_public.${table}`)).toBe('42501')
      }
    }
    const change = `update app_public.time_activities set name = 'Renamed', is_billable = false, archived_at = now()`
    for (const actor of [agent, manager]) expect(await stage.refuses(actor, change)).toBe('42501')
    expect(await stage.touches(admin, change)).toBe(1)
    expect(await stage.refuses(manager, `select app_public.create_time_activity('Mine')`)).toBe('42501')
  })

  test('is read by an agent who is restricted where it is the own, or on a ticket that is seen', async () => {
    expect(await stage.sees(restricted, 'select seconds from app_public.time_entries')).toEqual([3600])
    expect(await stage.sees(restricted, 'select reason from app_public.time_corrections')).toEqual([])
    expect(await report(restricted, 'day')).toEqual([['2026-04-01', 1, 3600, 3600]])
    expect(await report(restricted, 'company')).toEqual([[null, 1, 3600, 3600]])
  })
})

describe('the report', () => {
  test('sums up by whom, for whom, on what and when, without what was taken back', async () => {
    const { manager, agent, companyId, neighbourTicketId } = stage.acme
    const restrictedName = await value<string>(
      stage.superuser,
      'select name from app_public.users where id = $1',
      [restricted.userId],
    )
    expect(await report(manager, 'agent')).toEqual([
      [restrictedName, 1, 3600, 3600],
      ['agent of acme', 1, 60, 0],
      ['admin of acme', 1, 30, 30],
    ])
    expect(await report(manager, 'company')).toEqual([['Tidewater', 3, 3690, 3630]])
    expect(await report(manager, 'day')).toEqual([
      ['2026-04-01', 2, 3660, 3600],
      ['2026-04-05', 1, 30, 30],
    ])
    // A week has its Sunday.
    expect(await report(manager, 'week', { from_day: '2026-03-01' })).toEqual([['2026-03-30', 4, 4290, 4230]])
    expect(await report(manager, 'month', { from_day: '2026-03-01' })).toEqual([
      ['2026-03-01', 1, 600, 600],
      ['2026-04-01', 3, 3690, 3630],
    ])
    expect(await report(manager, 'activity', { from_day: '2026-01-01', to_day: '2026-01-31' })).toEqual([
      ['Repair', 1, 1800, 1800],
    ])
    expect(await report(manager, 'day', { agent_id: agent.userId })).toEqual([['2026-04-01', 1, 60, 0]])
    expect(await report(manager, 'month', { company_id: companyId })).toEqual([['2026-04-01', 3, 3690, 3630]])
    expect(await report(manager, 'day', { ticket_id: neighbourTicketId })).toEqual([
      ['2026-04-05', 1, 30, 30],
    ])
  })
})
