import { describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage
const { newcomer } = loginsOn(stage)

const newTicket = (by: Person = stage.acme.customer) =>
  asRoleForGood(stage.server, by, () => createTicket(stage.server)).then(({ id }) => id)
const say = (ticketId: string, body: string, visibility = 'public', by: Person = stage.acme.agent) =>
  does<string>(by, 'select (app_public.add_comment($1, $2, $3)).id', [ticketId, body, visibility])
const mergeCall = 'select (app_public.merge_ticket($1, $2)).id'
const undoCall = 'select (app_public.undo_merge($1)).id'
const merge = (source: string, target: string) => does<string>(stage.acme.agent, mergeCall, [source, target])
const undo = (mergeId: string) => does<string>(stage.acme.agent, undoCall, [mergeId])
const change = (ticketId: string, assignment: string, ...values: unknown[]) =>
  does(stage.acme.agent, `update app_public.tickets set ${assignment} where id = $1 returning id`, [
    ticketId,
    ...values,
  ])
const bodies = (ticketId: string, by: Person = stage.acme.agent) =>
  sees(by, 'select body from app_public.comments where ticket_id = $1 order by created_at, id', [ticketId])

/** All that hangs on a ticket, but for what changes with every change. */
const picture = async (ticketId: string) => {
  const { rows } = await stage.superuser.query(
    `select
      to_jsonb(ticket) - '{version, updated_at}'::text[] as ticket,
      (select jsonb_agg(to_jsonb(comment) order by comment.id) from app_public.comments as comment where comment.ticket_id = ticket.id) as comments,
      (select jsonb_agg(to_jsonb(event) order by event.id) from app_public.ticket_events as event
        where event.ticket_id = ticket.id and event.comment_id is not null) as events,
      (select jsonb_agg(watcher.user_id order by watcher.user_id) from app_public.ticket_watchers as watcher where watcher.ticket_id = ticket.id) as watchers
    from app_public.tickets as ticket where ticket.id = $1`,
    [ticketId],
  )
  // The clocks of a ticket have tests of their own.
  const { next_due_at: _next, breached: _breached, ...ticket } = rows[0].ticket as Record<string, unknown>
  return { ...rows[0], ticket } as Record<string, unknown>
}

describe('a merge is refused', () => {
  test('to customers, to another organization, and to who sees only one of the two', async () => {
    const { customer, ticketId, neighbourTicketId } = stage.acme
    expect(await refuses(customer, mergeCall, [ticketId, neighbourTicketId])).toBe('42501')
    expect(await refuses(stage.globex.agent, mergeCall, [ticketId, stage.globex.ticketId])).toBe('AD101')
    expect(await refuses(stage.acme.agent, mergeCall, [ticketId, stage.globex.ticketId])).toBe('AD101')
    expect(await refuses(stage.acme.agent, mergeCall, [stage.globex.ticketId, ticketId])).toBe('AD101')
    expect(await refuses(stage.acme.agent, mergeCall, [ticketId, null])).toBe('AD101')

    const restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    const theirs = await newTicket(restricted)
    expect(await refuses(restricted, mergeCall, [theirs, ticketId])).toBe('AD101')
    expect(await refuses(restricted, mergeCall, [ticketId, theirs])).toBe('AD101')
    const merged = await merge(theirs, ticketId)
    expect(await sees(restricted, 'select id from app_public.ticket_merges')).toEqual([])
    expect(await refuses(restricted, undoCall, [merged])).toBe('AD101')
    expect(await refuses(stage.globex.agent, undoCall, [merged])).toBe('AD101')
    expect(await refuses(customer, undoCall, [merged])).toBe('42501')
    await undo(merged)
  })

  test('into itself, into a closed ticket, of or into a merged one', async () => {
    const { agent } = stage.acme
    const [a, b, closed] = [await newTicket(), await newTicket(), await newTicket()]
    await change(closed, `status = 'closed'`)
    expect(await refuses(agent, mergeCall, [a, a])).toBe('AD116')
    expect(await refuses(agent, mergeCall, [a, closed])).toBe('AD102')
    await merge(a, b)
    const other = await newTicket()
    expect(await refuses(agent, mergeCall, [a, other])).toBe('AD108')
    expect(await refuses(agent, mergeCall, [other, a])).toBe('AD108')
  })

  test('to be undone twice, or before the one that came after it', async () => {
    const [a, b, c] = [await newTicket(), await newTicket(), await newTicket()]
    const before = [await picture(a), await picture(b), await picture(c)]
    const [ab, bc] = [await merge(a, b), await merge(b, c)]
    expect(await bodies(c)).toHaveLength(3)
    expect(await refuses(stage.acme.agent, undoCall, [ab])).toBe('AD108')
    await undo(bc)
    await undo(ab)
    expect([await picture(a), await picture(b), await picture(c)]).toEqual(before)
    expect(await refuses(stage.acme.agent, undoCall, [ab])).toBe('AD116')
    expect(await refuses(stage.acme.agent, undoCall, [null])).toBe('AD101')
  })
})

describe('a merged ticket', () => {
  test('is closed, points on, and takes no word, no status and no snooze', async () => {
    const { agent, customer } = stage.acme
    const [source, target] = [await newTicket(), await newTicket()]
    await merge(source, target)
    expect(
      await sees(
        customer,
        'select array[status::text, merged_into_id::text] from app_public.tickets where id = $1',
        [source],
      ),
    ).toEqual([['closed', target]])
    const add = 'select app_public.add_comment($1, $2, $3)'
    expect(await refuses(customer, add, [source, 'x', 'public'])).toBe('AD108')
    expect(await refuses(agent, add, [source, 'x', 'internal'])).toBe('AD108')
    for (const assignment of [`status = 'open'`, `status = 'resolved'`]) {
      expect(
        await refuses(agent, `update app_public.tickets set ${assignment} where id = $1`, [source]),
      ).toBe('AD108')
    }
    expect(
      await refuses(
        agent,
        `update app_public.tickets set snoozed_until = now() + interval '1 day' where id = $1`,
        [source],
      ),
    ).toBe('AD110')
    expect(
      await refuses(agent, 'update app_public.tickets set merged_into_id = null where id = $1', [source]),
    ).toBe('42501')
  })

  test('goes on in the other: what was said, in order, and who watches, where they may see it', async () => {
    const { agent, manager, customer, neighbour } = stage.acme
    const [source, target] = [await newTicket(neighbour), await newTicket(customer)]
    await say(source, 'Said on the source', 'public', neighbour)
    await say(target, 'Said on the target', 'public', customer)
    await say(source, 'Noted on the source', 'internal')
    await does(agent, 'select (app_public.watch_ticket($1, $2)).id', [source, manager.userId])
    await merge(source, target)
    expect(await bodies(source)).toEqual([])
    expect(await bodies(target)).toEqual([
      'Since this morning',
      'Since this morning',
      'Said on the source',
      'Said on the target',
      'Noted on the source',
    ])
    // The requester of the source does not see the target, and so does not watch it.
    expect(
      await sees(agent, 'select user_id from app_public.ticket_watchers where ticket_id = $1', [target]),
    ).toEqual([manager.userId])
    expect(await bodies(target, neighbour)).toEqual([])
    expect(await bodies(target, customer)).not.toContain('Noted on the source')
    const events = (ticketId: string, by: Person) =>
      sees(
        by,
        `select type::text from app_public.ticket_events
        where ticket_id = $1 and type in ('ticket_merged', 'merge_received', 'comment_added') order by created_at, id`,
        [ticketId],
      )
    expect(await events(source, neighbour)).toEqual(['ticket_merged'])
    expect(await events(target, agent)).toEqual([
      'comment_added',
      'comment_added',
      'comment_added',
      'merge_received',
    ])
  })

  test('is as it was before when the merge is undone, and what was said since stays where it was said', async () => {
    const { agent, manager, neighbour } = stage.acme
    for (const assignment of [
      `status = 'pending', tags = '{vpn}'`,
      `snoozed_until = now() + interval '3 days'`,
      `status = 'resolved'`,
      `status = 'closed'`,
    ]) {
      const [source, target] = [await newTicket(neighbour), await newTicket()]
      await say(source, 'On the source', 'internal')
      await say(target, 'On the target', 'public')
      await change(source, assignment)
      await does(agent, 'select (app_public.watch_ticket($1, $2)).id', [source, manager.userId])
      const before = [await picture(source), await picture(target)]
      await undo(await merge(source, target))
      expect([await picture(source), await picture(target)]).toEqual(before)

      const again = await merge(source, target)
      await say(target, 'Said since')
      await undo(again)
      expect(await bodies(source)).toEqual(['Since this morning', 'On the source'])
      expect(await bodies(target)).toEqual(['Since this morning', 'On the target', 'Said since'])
    }
  })

  test('goes back to a stage that was archived since, and to new with open children', async () => {
    const { admin, agent } = stage.acme
    const [source, target, child] = [await newTicket(), await newTicket(), await newTicket()]
    await does(agent, `select (app_public.relate_tickets($1, 'child_of', $2)).id`, [child, source])
    await undo(await merge(source, target))
    const stateId = await does<string>(admin, `select (app_public.create_ticket_state('open', 'Triage')).id`)
    await change(source, 'state_id = $2', stateId)
    const merged = await merge(source, target)
    await does(admin, 'update app_public.ticket_states set archived_at = now() where id = $1 returning id', [
      stateId,
    ])
    await undo(merged)
    expect(await sees(agent, 'select state_id from app_public.tickets where id = $1', [source])).toEqual([
      stateId,
    ])
  })

  test('leaves no word behind that was being written meanwhile', async () => {
    const [source, target] = [await newTicket(), await newTicket()]
    const [one, two] = [
      await stage.open(stage.database.serverUrl),
      await stage.open(stage.database.serverUrl),
    ]
    for (const client of [one, two]) {
      await client.query('begin')
      await become(client, stage.acme.agent)
    }
    await one.query(mergeCall, [source, target])
    const waits = sqlState(two.query('select app_public.add_comment($1, $2)', [source, 'Meanwhile']))
    await one.query('commit')
    expect(await waits).toBe('AD108')
    await two.query('rollback')
    expect(await bodies(source)).toEqual([])
  })

  test('cannot be merged the other way at the same moment', async () => {
    const [a, b] = [await newTicket(), await newTicket()]
    const clients = [await stage.open(stage.database.serverUrl), await stage.open(stage.database.serverUrl)]
    const outcomes = await Promise.all(
      clients.map((client, position) =>
        sqlState(
          asRoleForGood(client, stage.acme.agent, () =>
            client.query(mergeCall, position === 0 ? [a, b] : [b, a]),
          ),
        ),
      ),
    )
    expect(outcomes.toSorted()).toEqual(['AD108', 'accepted'])
  })
})

describe('a split', () => {
  const split = 'select (app_public.split_comment($1, $2, $3)).id'

  test('is refused to customers, of a comment that is not to be seen, and without a subject', async () => {
    const { customer, agent, publicCommentId } = stage.acme
    expect(await refuses(customer, split, [publicCommentId, 'x', null])).toBe('42501')
    expect(await refuses(stage.globex.agent, split, [publicCommentId, 'x', null])).toBe('AD101')
    expect(await refuses(agent, split, [stage.globex.publicCommentId, 'x', null])).toBe('AD101')
    const restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    expect(await refuses(restricted, split, [publicCommentId, 'x', null])).toBe('AD101')
    expect(await refuses(agent, split, [publicCommentId, ' ', null])).toBe('23514')
    expect(await refuses(agent, split, [publicCommentId, 'x', 'short'])).toBe('23514')
  })

  test('opens a ticket of who said it, related, once for a key', async () => {
    const { agent, neighbour } = stage.acme
    const origin = await newTicket(neighbour)
    const commentId = await say(origin, 'And the printer too', 'public', neighbour)
    const made = await does<string>(agent, split, [commentId, ' The printer ', 'a key of eight'])
    expect(await does(agent, split, [commentId, 'The printer', 'a key of eight'])).toBe(made)
    const [ticket] = await sees(
      agent,
      'select to_jsonb(ticket) from app_public.tickets as ticket where id = $1',
      [made],
    )
    expect(ticket).toMatchObject({
      subject: 'The printer',
      requester_id: neighbour.userId,
      created_by_id: agent.userId,
      channel: 'desk',
      status: 'new',
    })
    expect(await bodies(made)).toEqual(['And the printer too'])
    expect(await bodies(origin)).toContain('And the printer too')
    expect(
      await sees(
        agent,
        `select kind::text from app_public.ticket_relationships where $1 in (ticket_id, other_ticket_id)`,
        [made],
      ),
    ).toEqual(['relates_to'])
    // What was staff's alone stays so.
    const note = await say(origin, 'A note', 'internal')
    const ofNote = await does<string>(agent, split, [note, 'From a note', null])
    expect(await bodies(ofNote, neighbour)).toEqual([])
    expect(await sees(neighbour, 'select subject from app_public.tickets where id = $1', [ofNote])).toEqual([
      'From a note',
    ])
  })
})
