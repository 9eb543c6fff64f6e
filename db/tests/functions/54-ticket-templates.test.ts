import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { type Actor, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
let templateId: string
let number = 0

const make = (actor: Actor, values: Record<string, unknown>) => {
  const named = { name: `Template ${++number}`, ...values }
  return stage.does<string>(
    actor,
    `select id from app_public.create_ticket_template(${Object.keys(named)
      .map((name, position) => `${name} => $${position + 1}`)
      .join(', ')})`,
    Object.values(named),
  )
}

beforeEach(async () => {
  templateId = await make(stage.acme.manager, {
    subject: 'A new colleague',
    body: 'Name, day and place:',
    priority: 'high',
    service_id: stage.acme.serviceId,
    tags: ['Onboarding', 'people '],
    checklist: ['Laptop', ' Badge '],
    seen_by_customers: true,
  })
})

const open = (actor: Actor, sql = '', values: unknown[] = []) =>
  stage.does<string>(actor, `select id from app_public.create_ticket_from_template($1${sql})`, [
    templateId,
    ...values,
  ])

const ticket = async (id: string, column: string) =>
  (await stage.sees(stage.acme.agent, `select ${column} from app_public.tickets where id = $1`, [id]))[0]

const steps = (id: string) =>
  stage.sees(
    stage.acme.agent,
    'select text from app_public.checklist_items where ticket_id = $1 order by position',
    [id],
  )

describe('a ticket from a template', () => {
  test('says what the template says', async () => {
    const id = await open(stage.acme.agent)
    expect(
      await ticket(id, 'to_jsonb(array[subject, priority::text, service_id::text]) || to_jsonb(tags)'),
    ).toEqual(['A new colleague', 'high', stage.acme.serviceId, 'onboarding', 'people'])
    expect(await steps(id)).toEqual(['Laptop', 'Badge'])
  })

  test('says what was written instead', async () => {
    const id = await open(stage.acme.agent, ', $2, $3, requester_id => $4', [
      'Ann starts',
      'On Monday',
      stage.acme.customer.userId,
    ])
    expect(await ticket(id, 'subject')).toBe('Ann starts')
    expect(await ticket(id, 'requester_id')).toBe(stage.acme.customer.userId)
    expect(
      await stage.sees(stage.acme.agent, 'select body from app_public.comments where ticket_id = $1', [id]),
    ).toEqual(['On Monday'])
  })

  test('of a customer has what the template says for staff, which the customer does not see', async () => {
    const { customer } = stage.acme
    const answer = await stage.does<string>(
      customer,
      `select row_to_json(made)::text from app_public.create_ticket_from_template($1) as made`,
      [templateId],
    )
    const { id, tags } = JSON.parse(answer) as { id: string; tags: string[] }
    expect(tags).toEqual([])
    expect(await ticket(id, 'tags')).toEqual(['onboarding', 'people'])
    expect(await ticket(id, 'channel')).toBe('portal')
    expect(await steps(id)).toEqual(['Laptop', 'Badge'])
  })

  test('of a customer has the fields of staff that the template fills in, and no others', async () => {
    const { admin, customer, manager } = stage.acme
    for (const key of ['margin', 'discount'])
      await stage.does(admin, `select id from app_public.create_custom_field($1, 'text', $1)`, [key])
    const offer = await make(manager, {
      subject: 'An offer',
      body: 'Please',
      custom_fields: { margin: '20 %' },
      seen_by_customers: true,
    })
    const call = 'from app_public.create_ticket_from_template($1, custom_fields => $2) as made'
    const answer = await stage.does<string>(customer, `select row_to_json(made)::text ${call}`, [offer, {}])
    const { id, internal_fields } = JSON.parse(answer) as { id: string; internal_fields: object }
    expect(internal_fields).toEqual({})
    expect(await ticket(id, 'internal_fields')).toEqual({ margin: '20 %' })
    for (const key of ['margin', 'discount'])
      expect(await stage.refuses(customer, `select ${call}`, [offer, { [key]: '90 %' }])).toBe('AD140')
  })

  test('needs no field again that the template fills in', async () => {
    const { admin, agent, customer, manager } = stage.acme
    const fieldId = await stage.does<string>(
      admin,
      `select id from app_public.create_custom_field('cost_centre', 'text', 'Cost centre', required_when => 'creating')`,
    )
    const offer = await make(manager, { subject: 'A chair', body: 'Please', seen_by_customers: true })
    const call = 'select app_public.create_ticket_from_template($1)'
    expect(await stage.refuses(agent, call, [offer])).toBe('AD142')
    await stage.does(
      manager,
      `update app_public.ticket_templates set custom_fields = '{"cost_centre": "4711"}' where id = $1 returning id`,
      [offer],
    )
    for (const person of [agent, customer]) await stage.does(person, call, [offer])
    await stage.does(admin, 'select id from app_public.archive_custom_field($1)', [fieldId])
  })

  test('is opened once, however often it is asked for with the same key', async () => {
    const key = ', client_mutation_key => $2'
    const first = await open(stage.acme.agent, key, ['the same key'])
    expect(await open(stage.acme.agent, key, ['the same key'])).toBe(first)
    expect(await steps(first)).toEqual(['Laptop', 'Badge'])
  })

  test('is opened once with the same key also at the same moment', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => stage.open(stage.database.serverUrl)))
    const made = await Promise.all(
      clients.map((client) =>
        asRoleForGood(client, stage.acme.agent, () =>
          value<string>(
            client,
            `select id from app_public.create_ticket_from_template($1, client_mutation_key => 'at the same moment')`,
            [templateId],
          ),
        ),
      ),
    )
    expect(new Set(made).size).toBe(1)
    expect(await steps(made[0]!)).toEqual(['Laptop', 'Badge'])
  })
})

test('managers change what a template says', async () => {
  const change = `update app_public.ticket_templates set tags = $2, checklist = $3 where id = $1 returning tags || checklist`
  expect(
    await stage.does(stage.acme.manager, change, [templateId, ['Leaving '], [' Return the laptop ']]),
  ).toEqual(['leaving', 'Return the laptop'])
})

describe('it is refused', () => {
  const refusedToOpen = (actor: Actor, id = templateId) =>
    stage.refuses(actor, `select app_public.create_ticket_from_template($1)`, [id])

  test('to begin with one that is archived, of somebody else, or not for customers', async () => {
    expect(await refusedToOpen(stage.globex.agent)).toBe('AD101')
    const internal = await make(stage.acme.admin, { subject: 'Only for us', body: 'Text' })
    expect(await refusedToOpen(stage.acme.customer, internal)).toBe('AD101')
    expect(
      await stage.sees(stage.acme.customer, 'select id from app_public.ticket_templates where id = $1', [
        internal,
      ]),
    ).toEqual([])
    await stage.does(
      stage.acme.manager,
      'with changed as (update app_public.ticket_templates set archived_at = now() where id = $1 returning 1) select count(*) from changed',
      [templateId],
    )
    expect(await refusedToOpen(stage.acme.agent)).toBe('AD101')
  })

  test('to open a ticket that says nothing', async () => {
    const empty = await make(stage.acme.manager, {})
    expect(await refusedToOpen(stage.acme.agent, empty)).toBe('23502')
  })

  test('to customers to open one for somebody else, or to read what is for staff', async () => {
    const { customer, neighbour } = stage.acme
    expect(
      await stage.refuses(customer, 'select app_public.create_ticket_from_template($1, requester_id => $2)', [
        templateId,
        neighbour.userId,
      ]),
    ).toBe('42501')
    expect(await stage.refuses(customer, 'select checklist from app_public.ticket_templates')).toBe('42501')
  })

  test('to agents and customers to make or change one', async () => {
    for (const actor of [stage.acme.agent, stage.acme.customer]) {
      expect(await stage.refuses(actor, `select app_public.create_ticket_template('Mine')`)).toBe('42501')
      expect(await stage.refuses(actor, `update app_public.ticket_templates set name = 'Mine'`)).toBe('42501')
    }
    expect(
      await stage.touches(
        stage.globex.admin,
        `update app_public.ticket_templates set name = 'Mine' where id = $1`,
        [templateId],
      ),
    ).toBe(0)
  })

  test('to have a step or a tag that is none', async () => {
    const refused = (column: string, value: unknown) =>
      stage.refuses(stage.acme.manager, `select app_public.create_ticket_template('Odd', ${column} => $1)`, [
        value,
      ])
    expect(await refused('checklist', ['  '])).toBe('23514')
    expect(await refused('checklist', ['x'.repeat(501)])).toBe('23514')
    expect(await refused('tags', ['a,b'])).toBe('23514')
    expect(await refused('service_id', stage.globex.serviceId)).toBe('23503')
  })
})
