import { beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

describe('teams and services are refused', () => {
  test.each([
    [`create_team('x')`],
    [`delete_team('00000000-0000-7000-8000-000000000000')`],
    [`set_team_member('00000000-0000-7000-8000-000000000000', '00000000-0000-7000-8000-000000000000')`],
    [`remove_team_member('00000000-0000-7000-8000-000000000000', '00000000-0000-7000-8000-000000000000')`],
    [`create_service('x')`],
  ])('to anybody but an admin: %s', async (call) => {
    for (const actor of [stage.acme.customer, stage.acme.agent, stage.acme.manager]) {
      expect(await refuses(actor, `select app_public.${call}`)).toBe('42501')
    }
  })

  test.each<[string, () => unknown[], string]>([
    ['create_team($1)', () => [' '], '23514'],
    ['create_team($1)', () => [null], '23502'],
    ['create_team($1)', () => ['Network'], '23505'],
    ['create_service($1)', () => ['VPN'], '23505'],
    ['create_service($1, team_id => $2)', () => ['New', stage.globex.teamId], '23503'],
    ['delete_team($1)', () => [stage.globex.teamId], 'AD101'],
    ['set_team_member($1, $2)', () => [stage.acme.teamId, stage.acme.customer.userId], 'AD103'],
    ['set_team_member($1, $2)', () => [stage.acme.teamId, stage.globex.agent.userId], '23503'],
    ['set_team_member($1, $2)', () => [stage.globex.teamId, stage.acme.agent.userId], '23503'],
    ['set_team_member($1, $2, capacity => -1)', () => [stage.acme.teamId, stage.acme.agent.userId], '23514'],
    ['remove_team_member($1, $2)', () => [stage.acme.teamId, stage.acme.manager.userId], 'AD101'],
    ['remove_team_member($1, $2)', () => [stage.globex.teamId, stage.globex.agent.userId], 'AD101'],
  ])('to an admin: %s', async (call, values, code) => {
    expect(await refuses(stage.acme.admin, `select app_public.${call}`, values())).toBe(code)
  })
})

test('a team that goes leaves its tickets and services, of none', async () => {
  const { admin, agent } = stage.acme
  const teamId = await does<string>(admin, `select (app_public.create_team(' Short-lived ')).id`)
  const serviceId = await does<string>(
    admin,
    `select (app_public.create_service('Of it', team_id => $1)).id`,
    [teamId],
  )
  const ticket = await asRoleForGood(stage.server, agent, () =>
    createTicket(stage.server, { service_id: serviceId }),
  )
  expect(ticket.team_id).toBe(teamId)
  expect(await does(admin, 'select app_public.delete_team($1)', [teamId])).toBe(true)
  expect(await sees(agent, 'select team_id from app_public.tickets where id = $1', [ticket.id])).toEqual([
    null,
  ])
  expect(await sees(agent, 'select team_id from app_public.services where id = $1', [serviceId])).toEqual([
    null,
  ])
})

describe('a ticket finds its agent', () => {
  let teamId: string
  let serviceId: string
  let members: Person[]
  let teams = 0

  /** A team of three by a method, with a service of its own. */
  async function team(method: string) {
    const { admin } = stage.acme
    teams += 1
    teamId = await does(admin, 'select (app_public.create_team($1, $2)).id', [`Team ${teams}`, method])
    serviceId = await does(admin, 'select (app_public.create_service($1, team_id => $2)).id', [
      `Service ${teams}`,
      teamId,
    ])
    for (const { userId } of members) await setMember(userId)
  }
  const setMember = (userId: string, takesTickets = true, capacity: number | null = null) =>
    does(stage.acme.admin, 'select (app_public.set_team_member($1, $2, $3, $4)).id', [
      teamId,
      userId,
      takesTickets,
      capacity,
    ])
  const open = async (values: Record<string, unknown> = {}, client = stage.server) => {
    const ticket = await asRoleForGood(client, stage.acme.customer, () =>
      createTicket(client, { service_id: serviceId, ...values }),
    )
    return members.findIndex(({ userId }) => userId === ticket.assignee_id)
  }
  const openMany = async (count: number) => {
    const found: number[] = []
    for (let made = 0; made < count; made += 1) found.push(await open())
    return found
  }
  const update = (sql: string, ...values: unknown[]) => stage.superuser.query(sql, values)

  beforeEach(async () => {
    members = [
      await newcomer(stage.acme, 'agent'),
      await newcomer(stage.acme, 'agent'),
      await newcomer(stage.acme, 'agent'),
    ]
  })

  test('by hand: nobody', async () => {
    await team('manual')
    expect(await openMany(2)).toEqual([-1, -1])
  })

  test('round robin: whoever waited longest', async () => {
    await team('round_robin')
    expect(await openMany(7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  })

  test('least loaded: whoever has the fewest that are not done', async () => {
    await team('least_loaded')
    expect(await openMany(3)).toEqual([0, 1, 2])
    await does(
      stage.acme.agent,
      `update app_public.tickets set status = 'resolved' where assignee_id = $1 returning id`,
      [members[1]!.userId],
    )
    expect(await openMany(2)).toEqual([1, 0])
  })

  test('who takes none, is shut out, is no longer staff or asks themselves is passed over', async () => {
    await team('round_robin')
    await setMember(members[0]!.userId, false)
    expect(await openMany(2)).toEqual([1, 2])
    await update('update app_public.users set disabled_at = now() where id = $1', members[1]!.userId)
    expect(await openMany(2)).toEqual([2, 2])
    await update(`update app_public.users set role = 'customer' where id = $1`, members[2]!.userId)
    expect(await open()).toBe(-1)
    await setMember(members[0]!.userId)
    const own = await asRoleForGood(stage.server, members[0]!, () =>
      createTicket(stage.server, { service_id: serviceId }),
    )
    expect(own.assignee_id).toBeNull()
  })

  test('who has no room is passed over until there is some', async () => {
    await team('least_loaded')
    for (const { userId } of members) await setMember(userId, true, 1)
    expect(await openMany(4)).toEqual([0, 1, 2, -1])
    await does(
      stage.acme.agent,
      `update app_public.tickets set status = 'pending' where assignee_id = $1 returning id`,
      [members[2]!.userId],
    )
    expect(await openMany(2)).toEqual([2, -1])
  })

  test('who does not know what the service asks for is passed over', async () => {
    await team('round_robin')
    await update(`update app_public.users set skills = '{vpn,printers}' where id = $1`, members[1]!.userId)
    await update(`update app_public.users set skills = '{printers}' where id = $1`, members[2]!.userId)
    await update(`update app_public.services set required_skills = '{printers}' where id = $1`, serviceId)
    expect(await openMany(3)).toEqual([1, 2, 1])
    await update(`update app_public.services set required_skills = '{printers,vpn}' where id = $1`, serviceId)
    expect(await openMany(2)).toEqual([1, 1])
    await update(
      `update app_public.services set required_skills = '{printers,vpn,french}' where id = $1`,
      serviceId,
    )
    expect(await open()).toBe(-1)
  })

  test("is told of in the history, as no person's doing", async () => {
    await team('round_robin')
    await open()
    const events = await sees(
      stage.acme.agent,
      `select array[actor_id::text, actor_name, after ->> 'assignee_id', visibility::text]
      from app_public.ticket_events where type = 'assignee_changed' and after ->> 'assignee_id' = $1`,
      [members[0]!.userId],
    )
    expect(events).toEqual([[null, 'Auto-assignment', members[0]!.userId, 'internal']])
  })

  test('when it comes to the team later, unless it has one', async () => {
    await team('round_robin')
    const move = async (assigneeId: string | null) => {
      const { id } = await asRoleForGood(stage.server, stage.acme.customer, () => createTicket(stage.server))
      return does<string>(
        stage.acme.agent,
        'update app_public.tickets set team_id = $2, assignee_id = $3 where id = $1 returning assignee_id',
        [id, teamId, assigneeId],
      )
    }
    expect(await move(null)).toBe(members[0]!.userId)
    expect(await move(stage.acme.manager.userId)).toBe(stage.acme.manager.userId)
    expect(await move(null)).toBe(members[1]!.userId)
  })

  test.each(['round_robin', 'least_loaded'])('by %s, one each, when 21 come at once', async (method) => {
    await team(method)
    const clients = await Promise.all(Array.from({ length: 21 }, () => stage.open(stage.database.serverUrl)))
    const found = await Promise.all(clients.map((client) => open({}, client)))
    const each = members.map((_, position) => found.filter((one) => one === position).length)
    expect(each).toEqual([7, 7, 7])
  })

  test('by least loaded, also when tickets of one team are moved and opened at once', async () => {
    await team('least_loaded')
    const waiting: string[] = []
    for (let made = 0; made < 6; made += 1) {
      const { id } = await asRoleForGood(stage.server, stage.acme.customer, () => createTicket(stage.server))
      waiting.push(id)
    }
    const work = [
      ...waiting.map((id) => async () => {
        const client = await stage.open(stage.database.serverUrl)
        await asRoleForGood(client, stage.acme.agent, () =>
          client.query('update app_public.tickets set team_id = $2 where id = $1', [id, teamId]),
        )
      }),
      ...waiting.map(() => async () => {
        await open({}, await stage.open(stage.database.serverUrl))
      }),
    ]
    await Promise.all(work.map((one) => one()))
    expect(
      await sees(
        stage.acme.agent,
        'select count(*)::int from app_public.tickets where team_id = $1 group by assignee_id',
        [teamId],
      ),
    ).toEqual([4, 4, 4])
  })
})
