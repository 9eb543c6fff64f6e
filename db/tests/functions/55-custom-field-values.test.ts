import { randomUUID } from 'node:crypto'
import type { DatabaseError } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { fieldsOn, optionsNamed } from '../support/custom-fields.ts'
import { asRole } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { make, makeAll, archive, change, clear } = fieldsOn(stage)

type Values = Record<string, unknown>
interface Ticket {
  id: string
  custom_fields: Values
  internal_fields: Values
  version: number
}

const createCall = `select to_jsonb(made) from app_public.create_ticket('A subject', 'A body', service_id => $2, custom_fields => $1) as made`
const open = (values: Values = {}, actor = stage.acme.agent, serviceId: string | null = null) =>
  stage.does<Ticket>(actor, createCall, [values, serviceId])
const refusesToOpen = (values: Values, actor = stage.acme.agent, serviceId: string | null = null) =>
  stage.refuses(actor, createCall, [values, serviceId])

const saveCall = `update app_public.tickets as ticket set custom_fields = $2 where id = $1 returning to_jsonb(ticket)`
const save = (id: string, values: Values) => stage.does<Ticket>(stage.acme.agent, saveCall, [id, values])
const refusesToSave = (id: string, values: Values) => stage.refuses(stage.acme.agent, saveCall, [id, values])

const resolveCall = `update app_public.tickets set status = 'resolved' where id = $1 returning id`
const resolve = (id: string) => stage.does(stage.acme.agent, resolveCall, [id])
const refusesToResolve = (id: string) => stage.refuses(stage.acme.agent, resolveCall, [id])

const eventsOf = (id: string) =>
  stage.sees(
    stage.acme.agent,
    `select jsonb_build_array(visibility, before, after) from app_public.ticket_events
    where ticket_id = $1 and type = 'custom_fields_changed' order by id`,
    [id],
  )

const when = (field: string, ...values: string[]) => ({
  visible_when_field: field,
  visible_when_values: values,
})

beforeEach(clear)

describe('a value', () => {
  const cases: [
    type: string,
    definition: Values,
    taken: [given: unknown, stored: unknown][],
    refused: unknown[],
  ][] = [
    [
      'text',
      { max_length: 5 },
      [
        [' a b ', 'a b'],
        ['ünïcö', 'ünïcö'],
      ],
      ['toolong', 1, true, ['a'], { a: 1 }],
    ],
    [
      'number',
      { minimum: -1, maximum: 10 },
      [
        [7, 7],
        ['7.50', 7.5],
        [-1, -1],
        [1e1, 10],
      ],
      [10.5, -2, 'seven', 'NaN', 'Infinity', '1e1', 1e300, true, [1]],
    ],
    [
      'boolean',
      {},
      [
        [true, true],
        [false, false],
      ],
      ['true', 1, [true]],
    ],
    [
      'date',
      {},
      [
        ['2026-02-28', '2026-02-28'],
        [' 2024-02-29 ', '2024-02-29'],
      ],
      ['2026-02-29', '2026-2-1', '28.02.2026', 'infinity', 'today', '2026-02-28T10:00:00Z', 20260228],
    ],
    ['select', { options: optionsNamed('a', 'b') }, [['b', 'b']], ['c', 'B', ['a'], 1, true]],
    [
      'multi_select',
      { options: optionsNamed('a', 'b', 'c') },
      [
        [['a'], ['a']],
        [
          ['c', 'a', 'c'],
          ['a', 'c'],
        ],
      ],
      ['a', ['a', 'x'], [1], [null], [['a']], { a: 'b' }],
    ],
    [
      'url',
      {},
      [
        [' https://desk.example/a?b#c ', 'https://desk.example/a?b#c'],
        ['HTTP://x', 'HTTP://x'],
      ],
      [
        'desk.example',
        'ftp://x',
        'javascript:alert(1)',
        'https://',
        'https://a b',
        'https://a/"><b',
        1,
        `https://${'x'.repeat(2000)}`,
      ],
    ],
  ]

  test.each(cases)('of type %s is taken tidy, or refused', async (type, definition, taken, refused) => {
    await make({ key: 'x', type, ...definition })
    for (const [given, stored] of taken) {
      expect((await open({ x: given })).internal_fields, JSON.stringify(given)).toEqual({ x: stored })
    }
    for (const given of refused)
      expect(await refusesToOpen({ x: given }), JSON.stringify(given)).toBe('AD141')
    for (const nothing of [null, '', '  ', []]) {
      expect((await open({ x: nothing })).internal_fields).toEqual({})
    }
  })

  test('of type user is a person of the organization', async () => {
    const { agent, customer } = stage.acme
    await make({ key: 'x', type: 'user' })
    for (const { userId } of [agent, customer]) {
      expect((await open({ x: userId.toUpperCase() })).internal_fields).toEqual({ x: userId })
    }
    for (const given of [stage.globex.agent.userId, randomUUID(), 'somebody', 1, [agent.userId]]) {
      expect(await refusesToOpen({ x: given }), JSON.stringify(given)).toBe('AD141')
    }
  })

  test('is refused with the key of its field', async () => {
    await make({ key: 'cost_centre', type: 'number' })
    const told = (values: Values) =>
      asRole(stage.server, stage.acme.agent, () =>
        stage.server.query(createCall, [values, null]).then(
          () => null,
          ({ code, column, message }: DatabaseError) => ({ code, column, message }),
        ),
      )
    expect(await told({ cost_centre: 'x' })).toEqual({
      code: 'AD141',
      column: 'cost_centre',
      message: 'The field cost_centre holds a number of up to 15 digits',
    })
    expect(await told({ other: 1 })).toMatchObject({ code: 'AD140', column: 'other' })
  })

  test('is refused where there is no such field, or one of another organization', async () => {
    await make({ key: 'theirs', type: 'text' }, stage.globex.admin)
    for (const key of ['theirs', 'nothing', '', 'x'.repeat(5000)]) {
      expect(await refusesToOpen({ [key]: 'a' })).toBe('AD140')
      expect(await refusesToOpen({ [key]: null })).toBe('AD140')
    }
  })

  test('is no longer chosen when its option is archived, and stays where it was', async () => {
    const one = await make({ key: 'one', type: 'select', options: optionsNamed('a', 'b') })
    const many = await make({ key: 'many', type: 'multi_select', options: optionsNamed('a', 'b') })
    const { id } = await open({ one: 'a', many: ['a'] })
    for (const field of [one, many]) await change(field.id, { options: optionsNamed('b') })
    expect(await refusesToOpen({ one: 'a' })).toBe('AD141')
    expect(await refusesToOpen({ many: ['a', 'b'] })).toBe('AD141')
    expect((await save(id, { one: 'a', many: ['b', 'a'] })).internal_fields).toEqual({
      one: 'a',
      many: ['a', 'b'],
    })
    expect((await save(id, { one: 'b', many: ['b'] })).internal_fields).toEqual({ one: 'b', many: ['b'] })
    expect(await refusesToSave(id, { one: 'a' })).toBe('AD141')
  })
})

describe('what staff gives', () => {
  beforeEach(() =>
    makeAll(
      { key: 'shared', type: 'text', seen_by_customers: true },
      { key: 'secret', type: 'text' },
      { key: 'number', type: 'number' },
    ),
  )

  test('goes where its field says, and over what is there', async () => {
    const made = await open({ shared: 'a', secret: 'b' })
    expect(made).toMatchObject({ custom_fields: { shared: 'a' }, internal_fields: { secret: 'b' } })
    expect(await save(made.id, { number: 1, secret: 'c' })).toMatchObject({
      custom_fields: { shared: 'a' },
      internal_fields: { secret: 'c', number: 1 },
    })
    expect(await save(made.id, { shared: null, secret: null })).toMatchObject({
      custom_fields: {},
      internal_fields: { number: 1 },
    })
  })

  test('is no change when it comes out the same', async () => {
    const { id, version } = await open({ shared: 'a', number: 5 })
    expect((await save(id, { shared: ' a ', number: '5.0' })).version).toBe(version)
    expect((await save(id, {})).version).toBe(version)
    expect(await eventsOf(id)).toEqual([])
    expect((await save(id, { number: 6 })).version).toBe(version + 1)
  })

  test('is told apart: what customers see, and what they do not', async () => {
    const { id } = await open({ shared: 'a' })
    await save(id, { shared: 'b', secret: 'c' })
    expect(await eventsOf(id)).toEqual([
      ['public', { shared: 'a' }, { shared: 'b' }],
      ['internal', {}, { secret: 'c' }],
    ])
    const seen = await stage.sees(
      { ...stage.acme.agent, role: 'atum_customer' },
      `select after from app_public.ticket_events where ticket_id = $1 and type = 'custom_fields_changed'`,
      [id],
    )
    expect(seen).toEqual([{ shared: 'b' }])
  })

  test('may come as an action, also from what is no person', async () => {
    const { id } = await open({ secret: 'a' })
    await stage.superuser.query(
      `begin; set local role atum_owner; set local atum.organization_id = '${stage.acme.organizationId}'`,
    )
    await stage.superuser.query(`select set_config('atum.actor_name', 'A rule', true)`)
    await stage.superuser.query('select app_hidden.apply_ticket_actions($1, $2)', [
      id,
      JSON.stringify([{ type: 'set_custom_fields', values: { shared: 'b', secret: null } }]),
    ])
    await stage.superuser.query('commit')
    const [saved] = await stage.sees(
      stage.acme.agent,
      'select jsonb_build_array(custom_fields, internal_fields) from app_public.tickets where id = $1',
      [id],
    )
    expect(saved).toEqual([{ shared: 'b' }, {}])
  })
})

describe('a customer', () => {
  beforeEach(() =>
    makeAll(
      {
        key: 'asked',
        type: 'text',
        seen_by_customers: true,
        set_by_customers: true,
        required_when: 'creating',
      },
      { key: 'shown', type: 'text', seen_by_customers: true, required_when: 'creating' },
      { key: 'secret', type: 'text', required_when: 'creating' },
    ),
  )

  test('fills in what is asked of customers, and learns of nothing else', async () => {
    const { customer } = stage.acme
    expect((await open({ asked: 'a' }, customer)).custom_fields).toEqual({ asked: 'a' })
    for (const key of ['shown', 'secret', 'nothing']) {
      expect(await refusesToOpen({ asked: 'a', [key]: 'x' }, customer), key).toBe('AD140')
    }
  })

  test('must fill in what is required of customers alone', async () => {
    expect(await refusesToOpen({}, stage.acme.customer)).toBe('AD142')
    expect(await refusesToOpen({ asked: 'a' }, stage.acme.customer)).toBe('accepted')
    expect(await refusesToOpen({ asked: 'a', shown: 'b' })).toBe('AD142')
    expect(await refusesToOpen({ asked: 'a', shown: 'b', secret: 'c' })).toBe('accepted')
  })
})

describe('a field of some services', () => {
  test('is filled in on their tickets only, and its value stays when the ticket goes to another', async () => {
    const { serviceId, agent } = stage.acme
    await make({ key: 'port', type: 'number', service_ids: [serviceId], required_when: 'creating' })
    expect(await refusesToOpen({ port: 1 })).toBe('AD144')
    expect(await refusesToOpen({}, agent, serviceId)).toBe('AD142')
    expect(await refusesToOpen({})).toBe('accepted')
    await make({ key: 'other', type: 'text' })
    const { id } = await open({ port: 1 }, agent, serviceId)
    await stage.does(agent, 'update app_public.tickets set service_id = null where id = $1 returning id', [
      id,
    ])
    expect((await save(id, { other: 'x' })).internal_fields).toEqual({ port: 1, other: 'x' })
    expect(await refusesToSave(id, { port: 2 })).toBe('AD144')
    expect((await save(id, { port: null })).internal_fields).toEqual({ other: 'x' })
  })
})

describe('a field with a condition', () => {
  beforeEach(() =>
    makeAll(
      { key: 'kind', type: 'select', options: optionsNamed('hardware', 'software') },
      {
        key: 'parts',
        type: 'multi_select',
        options: optionsNamed('disk', 'screen'),
        ...when('kind', 'hardware'),
      },
      { key: 'size', type: 'number', ...when('parts', 'disk'), required_when: 'resolving' },
    ),
  )

  test('is filled in when the condition is met, in the same act or before', async () => {
    expect(await refusesToOpen({ parts: ['disk'] })).toBe('AD144')
    expect(await refusesToOpen({ kind: 'software', parts: ['disk'] })).toBe('AD144')
    expect(await refusesToOpen({ kind: 'hardware', size: 1 })).toBe('AD144')
    expect(await refusesToOpen({ kind: 'hardware', parts: ['screen'], size: 1 })).toBe('AD144')
    const { id } = await open({ kind: 'hardware', parts: ['screen', 'disk'], size: 1 })
    expect(await refusesToSave(id, { kind: 'software', size: 2 })).toBe('AD144')
  })

  test('goes when what is chosen hides it, with those that hang on it', async () => {
    const { id } = await open({ kind: 'hardware', parts: ['disk'], size: 1 })
    expect((await save(id, { kind: 'software' })).internal_fields).toEqual({ kind: 'software' })
    expect(await eventsOf(id)).toEqual([
      ['internal', { kind: 'hardware', parts: ['disk'], size: 1 }, { kind: 'software' }],
    ])
  })

  test('is required while it is asked for', async () => {
    const { id } = await open({ kind: 'hardware', parts: ['disk'] })
    expect(await refusesToResolve(id)).toBe('AD143')
    await save(id, { kind: 'software' })
    expect(await refusesToResolve(id)).toBe('accepted')
  })
})

describe('a field that must have a value', () => {
  test('when a ticket is opened, keeps it', async () => {
    await make({ key: 'site', type: 'text', required_when: 'creating' })
    const { id } = await open({ site: 'a' })
    expect(await refusesToSave(id, { site: null })).toBe('AD142')
    expect(await refusesToSave(id, { site: ' ' })).toBe('AD142')
    expect((await save(id, { site: 'b' })).internal_fields).toEqual({ site: 'b' })
  })

  test('when a ticket is opened, is not asked of a comment that is split off, nor of mail', async () => {
    await make({ key: 'site', type: 'text', required_when: 'creating' })
    const { agent, organizationId, publicCommentId, customer } = stage.acme
    expect(
      await stage.refuses(agent, `select app_public.split_comment($1, 'Another matter')`, [publicCommentId]),
    ).toBe('accepted')
    await stage.superuser.query(
      `insert into app_public.tickets (organization_id, subject, requester_id, channel) values ($1, 'A mail', $2, 'mail')`,
      [organizationId, customer.userId],
    )
  })

  test('when it is resolved, by whatever way, and again when it was opened again', async () => {
    const { id } = await open()
    const { id: before } = await open()
    await resolve(before)
    const field = await make({ key: 'cause', type: 'boolean', required_when: 'resolving' })
    expect(await refusesToResolve(id)).toBe('AD143')
    expect(
      await stage.refuses(stage.acme.agent, `update app_public.tickets set status = 'closed' where id = $1`, [
        id,
      ]),
    ).toBe('AD143')
    expect(
      await stage.refuses(
        stage.acme.agent,
        `select app_public.add_comment($1, 'Done', status => 'resolved')`,
        [id],
      ),
    ).toBe('AD143')
    expect(
      await stage.refuses(
        stage.acme.agent,
        `update app_public.tickets set state_id = (select id from app_public.ticket_states where kind = 'resolved' and is_default) where id = $1`,
        [id],
      ),
    ).toBe('AD143')
    // What was resolved before is closed without it.
    expect(
      await stage.refuses(stage.acme.agent, `update app_public.tickets set status = 'closed' where id = $1`, [
        before,
      ]),
    ).toBe('accepted')
    expect(
      await stage.refuses(
        stage.acme.agent,
        `update app_public.tickets set status = 'resolved', custom_fields = '{"cause": false}' where id = $1`,
        [id],
      ),
    ).toBe('accepted')
    await save(id, { cause: false })
    await resolve(id)
    expect(await refusesToSave(id, { cause: null })).toBe('AD143')
    await archive(field.id)
    expect(await refusesToResolve((await open()).id)).toBe('accepted')
  })

  test('when it is resolved, is not asked of a ticket that is merged', async () => {
    await make({ key: 'cause', type: 'text', required_when: 'resolving' })
    const [one, two] = [await open(), await open()]
    expect(
      await stage.refuses(stage.acme.agent, 'select app_public.merge_ticket($1, $2)', [one.id, two.id]),
    ).toBe('accepted')
  })
})

describe('a field that is retired', () => {
  test('leaves its values where they are, and takes no others', async () => {
    const field = await make({
      key: 'site',
      type: 'text',
      required_when: 'creating',
      seen_by_customers: true,
    })
    await make({ key: 'other', type: 'text' })
    const { id } = await open({ site: 'a' })
    await archive(field.id)
    expect(await refusesToOpen({})).toBe('accepted')
    expect(await refusesToOpen({ site: 'b' })).toBe('AD140')
    for (const value of ['b', null]) expect(await refusesToSave(id, { site: value })).toBe('AD140')
    // Whoever sends back all that was read changes nothing.
    expect(await save(id, { site: 'a', other: 'x' })).toMatchObject({
      custom_fields: { site: 'a' },
      internal_fields: { other: 'x' },
    })
    await archive(field.id, false)
    expect((await save(id, { site: 'b' })).custom_fields).toEqual({ site: 'b' })
  })
})
