import { describe, expect, test } from 'vitest'
import type { Person, Tenant } from '../support/fixture.ts'
import { asRole, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { createTicket } from '../support/tickets.ts'

const stage = setStage()
const { sees, refuses, does } = stage

const newTicket = (by: Person = stage.acme.customer) =>
  asRoleForGood(stage.server, by, () => createTicket(stage.server)).then(({ id }) => id)
const change = (ticketId: string, assignment: string, by: Person = stage.acme.agent) =>
  does(by, `update app_public.tickets set ${assignment} where id = $1 returning id`, [ticketId])
const settings = (assignment: string, { admin }: Tenant = stage.acme) =>
  does(admin, `update app_public.ticket_settings set ${assignment} returning id`)
/** As if all that happened to a ticket had happened days ago. */
const age = (ticketId: string, days: number) =>
  stage.superuser.query(
    `begin; set local session_replication_role = replica;
    update app_public.tickets set
      resolved_at = resolved_at - interval '${days} days', last_comment_at = last_comment_at - interval '${days} days',
      snoozed_until = snoozed_until - interval '${days} days'
    where id = '${ticketId}';
    update app_public.ticket_events set created_at = created_at - interval '${days} days' where ticket_id = '${ticketId}';
    commit`,
  )
const statusOf = async (ticketId: string) =>
  (await sees(stage.acme.agent, 'select status::text from app_public.tickets where id = $1', [ticketId]))[0]
const endSilent = (tenant: Tenant = stage.acme) =>
  does<number>(tenant.worker, 'select app_private.end_silent_tickets()')

test('nobody but the worker, inside one organization, wakes and ends tickets', async () => {
  const { customer, agent, admin } = stage.acme
  for (const call of ['wake_tickets()', 'end_silent_tickets()']) {
    for (const actor of [customer, agent, admin]) {
      expect(await refuses(actor, `select app_private.${call}`)).toBe('42501')
    }
    expect(await refuses({ role: 'atum_worker' }, `select app_private.${call}`)).toBe('AD301')
  }
})

test.each([
  'reopen_days = -1',
  'close_resolved_days = -1',
  'resolve_pending_days = 0',
  'close_resolved_days = 4000',
])('a setting is refused: %s', async (assignment) => {
  expect(await refuses(stage.acme.admin, `update app_public.ticket_settings set ${assignment}`)).toBe('23514')
})

describe('a snoozed ticket', () => {
  const wake = (ticketId: string | null = null, tenant: Tenant = stage.acme) =>
    does<number>(tenant.worker, 'select app_private.wake_tickets($1)', [ticketId])

  test('wakes when its time has come, not before, and not for another organization', async () => {
    const [due, later] = [await newTicket(), await newTicket()]
    for (const id of [due, later]) await change(id, `snoozed_until = now() + interval '1 hour'`)
    expect(await wake(due)).toBe(0)
    await age(due, 1)
    expect(await wake(due, stage.globex)).toBe(0)
    expect(await wake(later)).toBe(0)
    expect(await wake()).toBe(1)
    expect(await wake()).toBe(0)
    expect(
      await sees(
        stage.acme.agent,
        'select snoozed_until is null from app_public.tickets where id = any ($1) order by id',
        [[due, later]],
      ),
    ).toEqual([true, false])
  })

  test('that somebody works on just now is left for the next time', async () => {
    const id = await newTicket()
    await change(id, `snoozed_until = now() + interval '1 hour'`)
    await age(id, 1)
    const other = await stage.open(stage.database.serverUrl)
    await asRole(other, stage.acme.agent, async () => {
      await other.query(`update app_public.tickets set priority = 'low' where id = $1`, [id])
      expect(await wake(id)).toBe(0)
    })
    expect(await wake(id)).toBe(1)
  })
})

describe('a resolved ticket', () => {
  test('is closed after as many days of silence as the organization says, and never where it says so', async () => {
    const id = await newTicket()
    await change(id, `status = 'resolved'`)
    await age(id, 6)
    expect(await endSilent()).toBe(0)
    await age(id, 2)
    await settings('close_resolved_days = null')
    expect(await endSilent()).toBe(0)
    await settings('close_resolved_days = 7')
    expect(await endSilent(stage.globex)).toBe(0)
    expect(await endSilent()).toBe(1)
    expect(await statusOf(id)).toBe('closed')
    expect(
      await sees(
        stage.acme.agent,
        `select actor_name from app_public.ticket_events where ticket_id = $1 and after ->> 'status' = 'closed'`,
        [id],
      ),
    ).toEqual(['Auto-close'])
  })

  test('is not closed while staff still say something', async () => {
    const id = await newTicket()
    await change(id, `status = 'resolved'`)
    await age(id, 8)
    await does(stage.acme.agent, 'select (app_public.add_comment($1, $2)).id', [id, 'One more thing'])
    expect(await endSilent()).toBe(0)
    expect(await statusOf(id)).toBe('resolved')
  })

  test('opens again for a customer within the window, and not after it; staff may always write', async () => {
    const id = await newTicket()
    await change(id, `status = 'resolved'`)
    await settings('reopen_days = 3')
    const say = (actor: Person) => refuses(actor, 'select app_public.add_comment($1, $2)', [id, 'It is back'])
    await age(id, 2)
    expect(await say(stage.acme.customer)).toBe('accepted')
    await age(id, 2)
    expect(await say(stage.acme.customer)).toBe('AD113')
    expect(await say(stage.acme.agent)).toBe('accepted')
    await settings('reopen_days = null')
    expect(await say(stage.acme.customer)).toBe('accepted')
    await settings('reopen_days = 0')
    expect(await say(stage.acme.customer)).toBe('AD113')
    await settings('reopen_days = null')
  })
})

describe('a pending ticket', () => {
  const pending = async (days: number) => {
    const id = await newTicket()
    await change(id, `status = 'pending'`)
    await age(id, days)
    return id
  }

  test('is resolved when the customer says nothing for long enough, where the organization wants it', async () => {
    const id = await pending(6)
    expect(await endSilent()).toBe(0)
    await settings('resolve_pending_days = 5')
    expect(await endSilent()).toBe(1)
    expect(await statusOf(id)).toBe('resolved')
  })

  test('that began to wait lately, or is put aside, goes on waiting', async () => {
    const lately = await newTicket()
    await age(lately, 6)
    await change(lately, `status = 'pending'`)
    const aside = await newTicket()
    await change(aside, `status = 'pending', snoozed_until = now() + interval '30 days'`)
    await age(aside, 6)
    expect(await endSilent()).toBe(0)
    expect(await statusOf(lately)).toBe('pending')
    for (const id of [lately, aside]) await change(id, `status = 'open'`)
  })

  test('that may not be resolved yet keeps no other waiting', async () => {
    const stuck = await pending(6)
    const child = await newTicket()
    await does(stage.acme.agent, `select (app_public.relate_tickets($1, 'child_of', $2)).id`, [child, stuck])
    const free = await pending(6)
    // As many that are stuck as a run ends at most, all before the one that is free.
    // As many that are stuck as a run ends at most, all looked at before the one that is free: each has an open child,
    // the same one, past the rule of one parent.
    await stage.superuser.query(
      `begin; set local session_replication_role = replica;
      drop index app_public.ticket_relationships_one_parent_key;
      with made as (
        insert into app_public.tickets
          (organization_id, id, number, reference, subject, requester_id, status, state_id, last_comment_at)
        select
          stuck.organization_id, overlay(app_hidden.uuid_v7()::text placing '00000000' from 1 for 8)::uuid, position,
          'STUCK-' || position, 'Stuck', stuck.requester_id, stuck.status, stuck.state_id, stuck.last_comment_at
        from app_public.tickets as stuck
        cross join generate_series(1, 1000) as position
        where stuck.id = '${stuck}'
        returning organization_id, id
      )
      insert into app_public.ticket_relationships (organization_id, ticket_id, kind, other_ticket_id)
      select organization_id, '${child}', 'child_of', id from made;
      commit`,
    )
    expect(await endSilent()).toBe(1)
    expect(await statusOf(free)).toBe('resolved')
    expect(await statusOf(stuck)).toBe('pending')
  }, 60_000)
})
