import { beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

let ticketId: string

beforeEach(async () => {
  const ticket = await asRoleForGood(stage.server, stage.acme.customer, () => createTicket(stage.server))
  ticketId = ticket.id
})

const mentioning = `select (app_public.add_comment($1, 'Look', $2, mentioned_user_ids => $3)).id`
const mentions = (actor: Person = stage.acme.agent) =>
  sees(
    actor,
    `select mentioned.user_id from app_public.comment_mentions as mentioned
    join app_public.comments as comment on comment.id = mentioned.comment_id where comment.ticket_id = $1`,
    [ticketId],
  )

describe('a mention is refused', () => {
  test('of customers, of who does not see the ticket, of another organization, of who is shut out, of nobody', async () => {
    const restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    const left = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      left.userId,
    ])
    for (const userId of [
      stage.acme.customer.userId,
      restricted.userId,
      left.userId,
      stage.globex.agent.userId,
      ticketId,
      null,
    ]) {
      expect(
        await refuses(stage.acme.agent, mentioning, [
          ticketId,
          'internal',
          [stage.acme.manager.userId, userId],
        ]),
      ).toBe('AD112')
    }
    expect(await mentions()).toEqual([])
  })

  test('from customers, of more than 50, and past the comment', async () => {
    const { customer, agent, manager } = stage.acme
    expect(await refuses(customer, mentioning, [ticketId, 'public', [agent.userId]])).toBe('AD112')
    expect(
      await refuses(agent, mentioning, [
        ticketId,
        'public',
        Array.from({ length: 51 }, () => manager.userId),
      ]),
    ).toBe('AD112')
    const said = await does<string>(agent, mentioning, [ticketId, 'public', []])
    const call = 'select app_hidden.mention(comment, $2) from app_public.comments as comment where id = $1'
    expect(await refuses(manager, call, [said, [manager.userId]])).toBe('AD112')
    expect(await refuses(customer, call, [said, [agent.userId]])).toBe('AD112')
    // Nor by saying of somebody else's comment that it is one's own.
    const forged = `select app_hidden.mention(jsonb_populate_record(comment, jsonb_build_object('author_id', $3::uuid)), $2)
      from app_public.comments as comment where id = $1`
    expect(await refuses(manager, forged, [said, [agent.userId], manager.userId])).toBe('AD112')
    expect(await refuses(agent, forged, [said, [manager.userId], agent.userId])).toBe('accepted')
    expect(
      await refuses(
        agent,
        'insert into app_public.comment_mentions (organization_id, comment_id, user_id) values ($1, $2, $3)',
        [agent.organizationId, said, manager.userId],
      ),
    ).toBe('42501')
  })
})

test('who is mentioned watches from then on, once, and customers do not learn of it', async () => {
  const { agent, manager, admin, customer } = stage.acme
  await does(agent, mentioning, [ticketId, 'public', [manager.userId, admin.userId, manager.userId]])
  await does(agent, mentioning, [ticketId, 'internal', [manager.userId]])
  expect((await mentions()).toSorted()).toEqual([admin.userId, manager.userId, manager.userId].toSorted())
  expect(
    (
      await sees(agent, 'select user_id from app_public.ticket_watchers where ticket_id = $1', [ticketId])
    ).toSorted(),
  ).toEqual([admin.userId, manager.userId].toSorted())
  expect(await refuses(customer, 'select id from app_public.comment_mentions')).toBe('42501')
  expect(
    await sees(
      customer,
      `select type from app_public.ticket_events where ticket_id = $1 and type = 'watcher_added'`,
      [ticketId],
    ),
  ).toEqual([])
})

describe('a comment that crosses with another', () => {
  const answering = `select (app_public.add_comment($1, $2, seen_comment_at => $3)).id`
  const lastCommentAt = async () =>
    (
      await sees(stage.acme.agent, 'select last_comment_at::text from app_public.tickets where id = $1', [
        ticketId,
      ])
    )[0]

  test('is refused to who saw what was there before, and not to who saw it all', async () => {
    const { agent, manager, customer } = stage.acme
    const seen = await lastCommentAt()
    // What staff noted for themselves answers nobody.
    await does(manager, `select (app_public.add_comment($1, 'A note', 'internal')).id`, [ticketId])
    expect(await refuses(agent, answering, [ticketId, 'Mine', seen])).toBe('accepted')
    await does(manager, answering, [ticketId, 'Of the manager', seen])
    expect(await refuses(agent, answering, [ticketId, 'Mine', seen])).toBe('AD111')
    expect(await refuses(customer, answering, [ticketId, 'Mine', seen])).toBe('AD111')
    expect(await refuses(agent, answering, [ticketId, 'Mine', await lastCommentAt()])).toBe('accepted')
    expect(await refuses(agent, answering, [ticketId, 'Mine', null])).toBe('accepted')
  })

  test('is refused also when both are on their way', async () => {
    const seen = await lastCommentAt()
    const [one, two] = [
      await stage.open(stage.database.serverUrl),
      await stage.open(stage.database.serverUrl),
    ]
    for (const client of [one, two]) {
      await client.query('begin')
      await become(client, stage.acme.agent)
    }
    await one.query(answering, [ticketId, 'One', seen])
    const waits = sqlState(two.query(answering, [ticketId, 'Two', seen]))
    await one.query('commit')
    expect(await waits).toBe('AD111')
    await two.query('rollback')
    expect(
      await sees(
        stage.acme.agent,
        'select body from app_public.comments where ticket_id = $1 order by created_at',
        [ticketId],
      ),
    ).toEqual(['Since this morning', 'One'])
  })
})
