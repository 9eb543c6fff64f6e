import { describe, expect, test } from 'vitest'
import { loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { asRole, asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

const newTicket = (values: Record<string, unknown> = {}) =>
  asRoleForGood(stage.server, stage.acme.customer, () => createTicket(stage.server, values)).then(
    ({ id }) => id,
  )
const change = (ticketId: string, assignment: string, ...values: unknown[]) =>
  does<string>(stage.acme.agent, `update app_public.tickets set ${assignment} where id = $1 returning id`, [
    ticketId,
    ...values,
  ])
const refused = (ticketId: string, assignment: string, ...values: unknown[]) =>
  refuses(stage.acme.agent, `update app_public.tickets set ${assignment} where id = $1`, [
    ticketId,
    ...values,
  ])
const column = async <T>(ticketId: string, name: string) =>
  (await sees(stage.acme.agent, `select ${name} from app_public.tickets where id = $1`, [ticketId]))[0] as T

describe('the version', () => {
  test('counts the changes, and not what changes nothing, nor comments and clocks', async () => {
    const id = await newTicket()
    expect(await column(id, 'version')).toBe(1)
    await change(id, `subject = 'Another', priority = 'high'`)
    expect(await column(id, 'version')).toBe(2)
    await change(id, `subject = ' Another '`)
    await does(stage.acme.agent, `select (app_public.add_comment($1, 'a note', 'internal')).id`, [id])
    expect(await column(id, 'version')).toBe(2)
  })

  test('that was seen is refused when somebody else saved since, and nothing is lost', async () => {
    const id = await newTicket()
    const seen = await column<number>(id, 'version')
    await change(id, `subject = 'What the first wrote', version = $2`, seen)
    expect(await refused(id, `subject = 'What the second wrote', version = $2`, seen)).toBe('AD106')
    expect(await refused(id, `version = $2`, 99)).toBe('AD106')
    expect(await refused(id, `subject = 'x', version = null`)).toBe('AD106')
    expect(await column(id, 'subject')).toBe('What the first wrote')
    // Who read it again goes on.
    await change(id, `subject = 'What the second wrote', version = $2`, seen + 1)
    expect(await column(id, 'subject')).toBe('What the second wrote')
  })

  test('lets one of two who save at the same moment win', async () => {
    const id = await newTicket()
    const [one, two] = [
      await stage.open(stage.database.serverUrl),
      await stage.open(stage.database.serverUrl),
    ]
    for (const client of [one, two]) {
      await client.query('begin')
      await become(client, stage.acme.agent)
    }
    const save = `update app_public.tickets set subject = $2, version = 1 where id = $1`
    await one.query(save, [id, 'One'])
    const waits = sqlState(two.query(save, [id, 'Two']))
    await one.query('commit')
    expect(await waits).toBe('AD106')
    await two.query('rollback')
    expect(await column(id, 'subject')).toBe('One')
  })

  test('loses no change of 20 agents at once', async () => {
    const id = await newTicket()
    const clients = await Promise.all(Array.from({ length: 20 }, () => stage.open(stage.database.serverUrl)))
    await Promise.all(
      clients.map((client, position) =>
        asRoleForGood(client, stage.acme.agent, () =>
          client.query('update app_public.tickets set tags = tags || $2::text where id = $1', [
            id,
            `tag ${String(position).padStart(2, '0')}`,
          ]),
        ),
      ),
    )
    expect(await column(id, 'cardinality(tags)')).toBe(20)
    expect(await column(id, 'version')).toBe(21)
    expect(
      await sees(
        stage.acme.agent,
        `select count(*)::int from app_public.ticket_events where ticket_id = $1 and type = 'tags_changed'`,
        [id],
      ),
    ).toEqual([20])
  })

  test('lets one of 20 who all saw the same save', async () => {
    const id = await newTicket()
    const clients = await Promise.all(Array.from({ length: 20 }, () => stage.open(stage.database.serverUrl)))
    const outcomes = await Promise.all(
      clients.map((client) =>
        sqlState(
          asRoleForGood(client, stage.acme.agent, () =>
            client.query(
              `update app_public.tickets set subject = subject || '.', version = 1 where id = $1`,
              [id],
            ),
          ),
        ),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'AD106')).toHaveLength(19)
    expect(await column(id, 'subject')).toBe('No network.')
  })
})

describe('an assignee', () => {
  test('must see the ticket without it', async () => {
    const restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    const id = await newTicket()
    expect(await refused(id, 'assignee_id = $2', restricted.userId)).toBe('AD107')
    expect(await refused(id, 'assignee_id = $2, team_id = $3', restricted.userId, stage.acme.teamId)).toBe(
      'AD107',
    )
    await stage.superuser.query(
      'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
      [stage.acme.organizationId, stage.acme.teamId, restricted.userId],
    )
    expect(await refused(id, 'assignee_id = $2', restricted.userId)).toBe('AD107')
    await change(id, 'assignee_id = $2, team_id = $3', restricted.userId, stage.acme.teamId)
    // The own ticket stays in sight when it moves on.
    await change(id, 'team_id = null')
    expect(await sees(restricted, 'select id from app_public.tickets where id = $1', [id])).toEqual([id])
    expect(await refused(id, `priority = 'urgent'`)).toBe('accepted')
  })
})

describe('the requester', () => {
  test('takes the company along, and sight with it', async () => {
    const { customer, neighbour, ticketId } = stage.acme
    await change(ticketId, 'requester_id = $2', neighbour.userId)
    const read = 'select id from app_public.tickets where id = $1'
    expect(await sees(customer, read, [ticketId])).toEqual([])
    expect(
      await sees(customer, 'select id from app_public.comments where ticket_id = $1', [ticketId]),
    ).toEqual([])
    expect(await sees(neighbour, read, [ticketId])).toEqual([ticketId])
    await stage.superuser.query('update app_public.users set company_id = null where id = $1', [
      customer.userId,
    ])
    await change(ticketId, 'requester_id = $2', customer.userId)
    expect(await column(ticketId, 'company_id')).toBeNull()
    expect(await sees(neighbour, read, [ticketId])).toEqual([])
    const events = await sees(
      stage.acme.agent,
      `select after ->> 'requester_name' from app_public.ticket_events
      where ticket_id = $1 and type = 'requester_changed' order by created_at`,
      [ticketId],
    )
    expect(events).toEqual(['neighbour of acme', 'customer of acme'])
    expect(
      await sees(customer, `select id from app_public.ticket_events where type = 'requester_changed'`),
    ).toEqual([])
  })
})

describe('tags', () => {
  test.each([
    ['one that is blank', [' ']],
    ['one of 41 characters', ['x'.repeat(41)]],
    ['one with a comma', ['a,b']],
    ['one with a quote', ['a"b']],
    ['one that is null', [null]],
    ['31 of them', Array.from({ length: 31 }, (_, position) => `tag ${position}`)],
  ])('are refused: %s', async (_name, tags) => {
    expect(await refused(stage.acme.ticketId, 'tags = $2', tags)).toBe('23514')
  })

  test('are in lower case, without odd blanks, each once, in order, and known from then on', async () => {
    const id = await newTicket()
    await change(id, 'tags = $2', [' VPN ', 'vpn', 'Große\t Störung', 'a'])
    expect(await column(id, 'tags')).toEqual(['a', 'große störung', 'vpn'])
    expect(
      await sees(stage.acme.agent, `select name from app_public.tags where name <> 'switch' order by name`),
    ).toEqual(expect.arrayContaining(['a', 'große störung', 'vpn']))
    expect(await sees(stage.globex.agent, `select name from app_public.tags where name = 'vpn'`)).toEqual([])
    await change(id, `tags = '{}'`)
    expect(await sees(stage.acme.agent, `select name from app_public.tags where name = 'vpn'`)).toEqual([
      'vpn',
    ])
  })
})

describe('a snooze', () => {
  test.each([
    ['until a time that is past', `snoozed_until = now() - interval '1 second'`],
    ['until now', `snoozed_until = now()`],
    ['for more than five years', `snoozed_until = now() + interval '6 years'`],
    ['for ever', `snoozed_until = 'infinity'`],
  ])('is refused %s', async (_name, assignment) => {
    expect(await refused(stage.acme.ticketId, assignment)).toBe('AD110')
  })

  test('is refused to a ticket that is done', async () => {
    const id = await newTicket()
    const tomorrow = `snoozed_until = now() + interval '1 day'`
    await change(id, `status = 'resolved'`)
    expect(await refused(id, tomorrow)).toBe('AD110')
    await change(id, `status = 'closed'`)
    expect(await refused(id, tomorrow)).toBe('AD110')
  })

  test('ends with the ticket, and with a word of the customer, but not of staff', async () => {
    const id = await newTicket()
    const tomorrow = `snoozed_until = now() + interval '1 day'`
    const say = (actor: typeof stage.acme.agent, visibility = 'public') =>
      does(actor, 'select (app_public.add_comment($1, $2, $3)).id', [id, 'A word', visibility])
    await change(id, tomorrow)
    await change(id, `status = 'resolved'`)
    expect(await column(id, 'snoozed_until')).toBeNull()
    await change(id, `status = 'open'`)
    await change(id, tomorrow)
    await say(stage.acme.agent)
    await say(stage.acme.agent, 'internal')
    expect(await column(id, 'snoozed_until')).not.toBeNull()
    await say(stage.acme.customer)
    expect(await column(id, 'snoozed_until')).toBeNull()
    expect(
      await sees(
        stage.acme.agent,
        `select type::text from app_public.ticket_events
        where ticket_id = $1 and type in ('ticket_snoozed', 'snooze_ended') order by created_at, id`,
        [id],
      ),
    ).toEqual(['ticket_snoozed', 'snooze_ended', 'ticket_snoozed', 'snooze_ended'])
  })
})

describe('custom fields', () => {
  test('tell the customer of those that are theirs to see, and nothing of the others', async () => {
    await stage.superuser.query(
      `insert into app_public.custom_fields (organization_id, key, type, label, seen_by_customers)
      values ($1, 'serial', 'text', 'Serial number', true), ($1, 'cause', 'text', 'Cause', false)`,
      [stage.acme.organizationId],
    )
    const id = await newTicket()
    await change(id, `custom_fields = '{"serial": "A1"}', internal_fields = '{"cause": "known"}'`)
    const events = `select after from app_public.ticket_events where ticket_id = $1 and type = 'custom_fields_changed'`
    expect(await sees(stage.acme.customer, events, [id])).toEqual([{ serial: 'A1' }])
    expect(await sees(stage.acme.agent, events, [id])).toHaveLength(2)
  })
})

test('what acts without a person is named as the transaction says, and a person never otherwise than as themselves', async () => {
  const id = await newTicket()
  const named = (userId: string) =>
    asRole(
      stage.superuser,
      { role: 'atum_owner', organizationId: stage.acme.organizationId, userId },
      async () => {
        await stage.superuser.query(`set local atum.actor_name = 'The night shift'`)
        await stage.superuser.query(`update app_public.tickets set priority = 'low' where id = $1`, [id])
        const { rows } = await stage.superuser.query(
          `select actor_id, actor_name from app_public.ticket_events where ticket_id = $1 and type = 'priority_changed'`,
          [id],
        )
        return rows
      },
    )
  expect(await named('')).toEqual([{ actor_id: null, actor_name: 'The night shift' }])
  expect(await named(stage.acme.agent.userId)).toEqual([
    { actor_id: stage.acme.agent.userId, actor_name: null },
  ])
})
