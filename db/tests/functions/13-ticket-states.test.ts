import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, does } = stage

const stateOf = async (kind: string) => {
  const [id] = await sees(
    stage.acme.agent,
    'select id from app_public.ticket_states where kind = $1 and is_default',
    [kind],
  )
  return id as string
}
const add = (kind: string, name: string) =>
  does<string>(stage.acme.admin, 'select (app_public.create_ticket_state($1, $2)).id', [kind, name])
const statusOf = async (assignment: string, values: unknown[] = []) => {
  const [after] = await sees(
    stage.acme.agent,
    `update app_public.tickets set ${assignment} where id = $1 returning array[status::text, state_id::text]`,
    [stage.acme.ticketId, ...values],
  )
  return after
}

describe('a stage is refused', () => {
  test('from anybody but an admin', async () => {
    for (const actor of [stage.acme.customer, stage.acme.agent, stage.acme.manager]) {
      expect(await refuses(actor, `select app_public.create_ticket_state('pending', 'Waiting')`)).toBe(
        '42501',
      )
      expect(
        await refuses(actor, 'select app_public.make_ticket_state_default($1)', [await stateOf('open')]),
      ).toBe('42501')
    }
  })

  test.each([
    ['without a name', ['pending', ' '], '23514'],
    ['with no name at all', ['pending', null], '23514'],
    ['with a name of 41 characters', ['pending', 'x'.repeat(41)], '23514'],
    ['of a kind that is none', ['waiting', 'Waiting'], '22P02'],
    ['of no kind', [null, 'Waiting'], '23502'],
  ])('%s', async (_name, values, code) => {
    expect(await refuses(stage.acme.admin, 'select app_public.create_ticket_state($1, $2)', values)).toBe(
      code,
    )
  })

  test('with a name that is taken, also by another kind, but not by another organization', async () => {
    await add('on_hold', 'Waiting for parts')
    const again = `select app_public.create_ticket_state('pending', ' Waiting for parts ')`
    expect(await refuses(stage.acme.admin, again)).toBe('23505')
    expect(await refuses(stage.globex.admin, again)).toBe('accepted')
  })

  test('as the default when it is of another organization, or archived, or none', async () => {
    const id = await add('pending', 'Given up')
    const make = 'select app_public.make_ticket_state_default($1)'
    expect(await refuses(stage.globex.admin, make, [id])).toBe('AD101')
    expect(await refuses(stage.acme.admin, make, [null])).toBe('AD101')
    await does(
      stage.acme.admin,
      'update app_public.ticket_states set archived_at = now() where id = $1 returning id',
      [id],
    )
    expect(await refuses(stage.acme.admin, make, [id])).toBe('23514')
  })

  test('to be archived as the default, to change its kind, to be nameless, to go', async () => {
    const { admin } = stage.acme
    expect(
      await refuses(admin, 'update app_public.ticket_states set archived_at = now() where is_default'),
    ).toBe('23514')
    expect(await refuses(admin, `update app_public.ticket_states set kind = 'open'`)).toBe('42501')
    expect(await refuses(admin, 'update app_public.ticket_states set is_default = false')).toBe('42501')
    expect(await refuses(admin, 'delete from app_public.ticket_states')).toBe('42501')
    const id = await add('open', 'Nameless soon')
    expect(await refuses(admin, 'update app_public.ticket_states set name = null where id = $1', [id])).toBe(
      '23514',
    )
  })
})

describe('a ticket', () => {
  test('is of the kind of its stage: each brings the other along', async () => {
    const waiting = await add('pending', 'Waiting for the customer')
    expect(await statusOf('state_id = $2', [waiting])).toEqual(['pending', waiting])
    expect(await statusOf(`status = 'pending'`)).toEqual(['pending', await stateOf('pending')])
    expect(await statusOf(`status = 'pending', state_id = $2`, [waiting])).toEqual(['pending', waiting])
  })

  test('is refused a stage that contradicts its status, is archived, of another organization, or none', async () => {
    const { agent, admin, ticketId } = stage.acme
    const put = (assignment: string, ...values: unknown[]) =>
      refuses(agent, `update app_public.tickets set ${assignment} where id = $1`, [ticketId, ...values])
    const resolved = await stateOf('resolved')
    expect(await put(`status = 'pending', state_id = $2`, resolved)).toBe('23503')
    expect(await put('state_id = $2', '00000000-0000-7000-8000-000000000000')).toBe('23503')
    expect(await put('state_id = null')).toBe('23502')
    const [foreign] = await sees(
      stage.globex.agent,
      `select id from app_public.ticket_states where kind = 'pending'`,
    )
    expect(await put('state_id = $2', foreign)).toBe('23503')
    expect(await put('state_id = $2', await stateOf('new'))).toBe('AD105')
    const old = await add('pending', 'Of old')
    await does(admin, 'update app_public.ticket_states set archived_at = now() where id = $1 returning id', [
      old,
    ])
    expect(await put('state_id = $2', old)).toBe('AD105')
  })

  test('stays in a stage that is archived, and may leave it', async () => {
    const { agent, admin, ticketId } = stage.acme
    const old = await add('on_hold', 'Archived with a ticket in it')
    await does(agent, 'update app_public.tickets set state_id = $2 where id = $1 returning id', [
      ticketId,
      old,
    ])
    await does(admin, 'update app_public.ticket_states set archived_at = now() where id = $1 returning id', [
      old,
    ])
    expect(
      await refuses(agent, `update app_public.tickets set priority = 'high' where id = $1`, [ticketId]),
    ).toBe('accepted')
    await does(agent, `update app_public.tickets set status = 'open' where id = $1 returning id`, [ticketId])
  })

  test('tells a move between stages of one kind, by the names they had', async () => {
    const { agent, ticketId } = stage.acme
    const triage = await add('open', 'Triage')
    await does(agent, 'update app_public.tickets set state_id = $2 where id = $1 returning id', [
      ticketId,
      triage,
    ])
    const [event] = await sees(
      stage.acme.customer,
      `select after from app_public.ticket_events
      where ticket_id = $1 and type = 'state_changed' order by created_at desc limit 1`,
      [ticketId],
    )
    expect(event).toEqual({ status: 'open', state_id: triage, state_name: 'Triage' })
  })
})

test('a default that had no name is called as its kind was when another takes its place', async () => {
  const { admin } = stage.acme
  const former = await stateOf('on_hold')
  const next = await add('on_hold', 'Parked')
  await does(admin, 'select (app_public.make_ticket_state_default($1)).id', [next])
  expect(
    await sees(admin, `select name from app_public.ticket_states where id = any ($1) order by is_default`, [
      [former, next],
    ]),
  ).toEqual(['On Hold', 'Parked'])
  expect(await statusOf(`status = 'on_hold'`)).toEqual(['on_hold', next])
})

test('every organization has one default of each kind', async () => {
  for (const { agent } of [stage.acme, stage.globex]) {
    expect(
      await sees(
        agent,
        'select state.kind::text from app_public.ticket_states as state where state.is_default order by state.kind',
      ),
    ).toEqual(['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'])
  }
})
