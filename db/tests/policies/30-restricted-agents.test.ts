import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const { newcomer } = loginsOn(stage)

/** Sees the tickets of the team Printing, and no others. */
let restricted: Person
/** Of the team Network, assigned to nobody. */
let hiddenId: string
let ownTeamId: string
let teamId: string

async function ticket(
  subject: string,
  columns: Partial<Record<'requester' | 'team' | 'assignee', string>>,
): Promise<string> {
  const requester = columns.requester ?? stage.acme.customer.userId
  const id = await value<string>(
    stage.superuser,
    `insert into app_public.tickets (organization_id, subject, requester_id, team_id, assignee_id)
    values ($1, $2, $3, $4, $5) returning id`,
    [stage.acme.organizationId, subject, requester, columns.team ?? null, columns.assignee ?? null],
  )
  await stage.superuser.query(
    `insert into app_public.comments (organization_id, ticket_id, author_id, body) values ($1, $2, $3, 'Please')`,
    [stage.acme.organizationId, id, requester],
  )
  return id
}

beforeAll(async () => {
  restricted = await newcomer(stage.acme, 'agent')
  teamId = await value<string>(
    stage.superuser,
    `insert into app_public.teams (organization_id, name) values ($1, 'Printing') returning id`,
    [stage.acme.organizationId],
  )
  await stage.superuser.query(
    'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
    [stage.acme.organizationId, teamId, restricted.userId],
  )
  await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = any ($1)', [
    // For who is no agent it means nothing.
    [restricted.userId, stage.acme.manager.userId, stage.acme.admin.userId],
  ])
  ownTeamId = await ticket('Of the own team', { team: teamId })
  hiddenId = stage.acme.ticketId
})

const subjects = 'select subject from app_public.tickets order by subject'

describe('a restricted agent does not', () => {
  test.each(['tickets', 'ticket_events', 'comments', 'sla_calculations', 'time_entries'])(
    'see %s of other teams',
    async (table) => {
      const column = table === 'tickets' ? 'id' : 'ticket_id'
      const read = `select distinct ${column} from app_public.${table} where ${column} = $1`
      expect(await sees(restricted, read, [hiddenId])).toEqual([])
      for (const actor of [stage.acme.agent, stage.acme.manager, stage.acme.admin]) {
        expect(await sees(actor, read, [hiddenId])).toEqual([hiddenId])
      }
    },
  )

  test('change, answer or find a ticket of another team', async () => {
    expect(
      await touches(restricted, `update app_public.tickets set priority = 'low' where id = $1`, [hiddenId]),
    ).toBe(0)
    expect(
      await touches(restricted, 'update app_public.tickets set assignee_id = $2 where id = $1', [
        hiddenId,
        restricted.userId,
      ]),
    ).toBe(0)
    expect(
      await refuses(
        restricted,
        `insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body) values ($1, $2, $3, 'internal', 'x')`,
        [restricted.organizationId, hiddenId, restricted.userId],
      ),
    ).toBe('42501')
    expect(await refuses(restricted, `select app_public.add_comment($1, 'x')`, [hiddenId])).toBe('AD101')
    const number = await value<number>(
      stage.superuser,
      'select number from app_public.tickets where id = $1',
      [hiddenId],
    )
    expect(await sees(restricted, 'select (app_public.ticket_by_number($1)).id', [number])).toEqual([null])
  })

  test('do anything to a ticket of another team by a function that runs as the owner', async () => {
    for (const act of [
      'select app_public.watch_ticket($1)',
      `select app_public.relate_tickets($1, 'blocks', $2)`,
      'select app_public.merge_ticket($1, $2)',
      'select app_public.merge_ticket($2, $1)',
      'select app_public.record_time($1, 60)',
      'select app_public.start_timer($1)',
    ]) {
      const values = act.includes('$2') ? [hiddenId, ownTeamId] : [hiddenId]
      expect(await refuses(restricted, act, values), act).toBe('AD101')
    }
    expect(
      await refuses(restricted, `select app_public.split_comment($1, 'x')`, [stage.acme.publicCommentId]),
    ).toBe('AD101')
  })

  test('give a ticket away where it would be out of sight, unless it stays assigned to them', async () => {
    const away = 'update app_public.tickets set team_id = $2 where id = $1'
    expect(await refuses(restricted, away, [ownTeamId, stage.acme.teamId])).toBe('42501')
    expect(await refuses(restricted, away, [ownTeamId, null])).toBe('42501')
    const theirs = await ticket('Theirs', { team: teamId, assignee: restricted.userId })
    expect(await touches(restricted, away, [theirs, stage.acme.teamId])).toBe(1)
    // The work is done, and the list of what they see is as before.
    await stage.does(
      stage.acme.agent,
      'update app_public.tickets set team_id = null, assignee_id = null where id = $1 returning id',
      [theirs],
    )
  })

  test('open a ticket they would not see', async () => {
    const open = `select app_public.create_ticket('A subject', 'A body', service_id => $1, requester_id => $2)`
    const { serviceId, customer } = stage.acme
    expect(await refuses(restricted, open, [serviceId, customer.userId])).toBe('42501')
    expect(await refuses(restricted, open, [serviceId, restricted.userId])).toBe('accepted')
  })

  test('lift the restriction', async () => {
    for (const change of [
      'update app_public.users set restricted_to_teams = false',
      `update app_public.users set role = 'manager'`,
      `insert into app_public.team_members (organization_id, team_id, user_id) values ('${restricted.organizationId}', '${stage.acme.teamId}', '${restricted.userId}')`,
    ]) {
      expect(await refuses(restricted, change)).toBe('42501')
    }
  })
})

describe('a restricted agent', () => {
  test('sees the tickets of the own teams, and those assigned to or requested by them', async () => {
    const assigned = await ticket('Assigned', { team: teamId, assignee: restricted.userId })
    await stage.does(
      stage.acme.agent,
      'update app_public.tickets set team_id = $2 where id = $1 returning id',
      [assigned, stage.acme.teamId],
    )
    await ticket('Requested', { requester: restricted.userId })
    await ticket('Of nobody', {})
    expect(await sees(restricted, subjects)).toEqual(['Assigned', 'Of the own team', 'Requested'])
    expect(await sees(restricted, 'select distinct ticket_id from app_public.sla_calculations')).toHaveLength(
      3,
    )
    expect(await sees(stage.acme.agent, subjects)).toContain('Of nobody')
  })

  test('counts what they see', async () => {
    const counts = 'select to_jsonb(counts) from app_public.inbox_counts() as counts'
    expect(await sees(restricted, counts)).toMatchObject([
      { mine: 1, unassigned: 2, open: 3, pending: 0, breached: 0, resolved: 0 },
    ])
    const [all] = (await sees(stage.acme.agent, counts)) as { open: number }[]
    expect(all!.open).toBeGreaterThan(3)
  })

  test('works on them', async () => {
    expect(await touches(restricted, `update app_public.tickets set priority = 'high'`)).toBe(3)
    expect(await refuses(restricted, `select app_public.add_comment($1, 'x', 'internal')`, [ownTeamId])).toBe(
      'accepted',
    )
  })

  test('of an organization is nobody in another', async () => {
    expect(
      await sees(
        { ...restricted, organizationId: stage.globex.organizationId },
        'select app_hidden.sees_every_team()',
      ),
    ).toEqual([true])
    expect(await sees(restricted, 'select app_hidden.sees_every_team()')).toEqual([false])
    expect(await sees(stage.acme.manager, 'select app_hidden.sees_every_team()')).toEqual([true])
  })

  test('without a team sees the own tickets alone', async () => {
    const { userId } = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      userId,
    ])
    expect(await sees({ ...restricted, userId }, subjects)).toEqual([])
  })
})

describe('a restricted agent hears', () => {
  async function heardWhen(sql: string, values: unknown[], actor = stage.acme.agent) {
    const listener = await stage.open(stage.database.serverUrl)
    const channel = `agent:${restricted.userId}`
    const heard = await heardWhile(listener, [channel], () => stage.does(actor, sql, values))
    return heard[channel]!.map(({ event }) => event)
  }
  const rename = `update app_public.tickets set subject = subject || '.' where id = $1 returning id`

  test('nothing of a ticket of another team', async () => {
    expect(await heardWhen(rename, [hiddenId])).toEqual([])
    expect(await heardWhen(`select app_public.add_comment($1, 'x', 'internal')`, [hiddenId])).toEqual([])
  })

  test('what happens to a ticket of the own team, in public and in private', async () => {
    expect(await heardWhen(rename, [ownTeamId])).toEqual(['subject_changed'])
    expect(await heardWhen(`select app_public.add_comment($1, 'x', 'internal')`, [ownTeamId])).toEqual([
      'comment_added',
    ])
  })

  test('that a ticket comes to the own team, and that it goes again, and nothing after', async () => {
    const hand = 'update app_public.tickets set team_id = $2 where id = $1 returning id'
    expect(await heardWhen(hand, [hiddenId, teamId])).toEqual(['team_changed'])
    expect(await heardWhen(rename, [hiddenId])).toEqual(['subject_changed'])
    expect(await heardWhen(hand, [hiddenId, stage.acme.teamId])).toEqual(['team_changed'])
    expect(await heardWhen(rename, [hiddenId])).toEqual([])
  })
})

test('an API token that acts as an agent for a manager sees every team, as the manager does', async () => {
  expect(
    await sees({ ...stage.acme.manager, role: 'atum_agent' }, 'select app_hidden.sees_every_team()'),
  ).toEqual([true])
})
