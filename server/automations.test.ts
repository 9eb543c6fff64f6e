import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, type Person, startTestServer, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const codes = ({ errors }: { errors: { extensions?: { code?: unknown } }[] }) =>
  errors.map(({ extensions }) => extensions?.code)

const create = `mutation ($input: CreateAutomationInput!) {
  createAutomation(input: $input) { automation { id rowId name position isFailing loopsStopped lastFiredAt } }
}`
const rule = (values: object = {}) => ({
  input: {
    name: 'Urgent',
    kind: 'event',
    eventTypes: ['ticket_created'],
    actions: [{ type: 'set_priority', priority: 'urgent' }],
    ...values,
  },
})

/** What the worker does with what waits for a ticket. */
async function run(ticketId: string) {
  const { superuser, acme } = desk
  await superuser.query('begin')
  await superuser.query(
    `select set_config('role', 'atum_worker', true), set_config('atum.organization_id', $1, true)`,
    [acme.id],
  )
  await superuser.query('select app_private.run_automations($1)', [ticketId])
  await superuser.query('commit')
}

async function open(subject: string, by: Person = desk.acme.customer) {
  const { data } = await ask(
    desk,
    by,
    'mutation ($subject: String!) { createTicket(input: { subject: $subject, body: "Please" }) { ticket { rowId } } }',
    { subject },
  )
  return data.createTicket.ticket.rowId as string
}

describe('who may', () => {
  test('nobody but an admin makes one, and nobody below a manager reads them or tries one', async () => {
    const { acme } = desk
    for (const person of [acme.customer, acme.agent, acme.manager]) {
      expect(codes(await ask(desk, person, create, rule()))).toEqual(['FORBIDDEN'])
    }
    const read = '{ automations { nodes { name } } automationFirings { nodes { outcome } } }'
    const tryOut = `mutation { dryRunAutomation(input: { kind: event, conditions: {}, actions: [{ type: "raise_priority" }] }) { dryRun { matching } } }`
    for (const person of [acme.customer, acme.agent]) {
      expect(codes(await ask(desk, person, read))).toContain('FORBIDDEN')
      expect(codes(await ask(desk, person, tryOut))).toEqual(['FORBIDDEN'])
    }
    expect((await ask(desk, acme.manager, read)).errors).toEqual([])
    expect((await ask(desk, acme.manager, tryOut)).errors).toEqual([])
  })

  test('an admin is told in codes what is wrong', async () => {
    const { acme, globex } = desk
    const told = async (values: object) => codes(await ask(desk, acme.admin, create, rule(values)))
    expect(await told({ actions: [] })).toEqual(['AUTOMATION_INVALID'])
    expect(await told({ actions: [{ type: 'explode' }] })).toEqual(['ACTION_INVALID'])
    expect(await told({ conditions: { all: [{ field: 'mood' }] } })).toEqual(['CONDITION_INVALID'])
    expect(await told({ eventTypes: [] })).toEqual(['INVALID_INPUT'])
    expect(await told({ actions: [{ type: 'set_team', team_id: globex.teamId }] })).toEqual(['NOT_FOUND'])
  })
})

test('the log tells what was done, and what was refused by the code an error would have', async () => {
  const { acme } = desk
  const actions = [{ type: 'set_assignee', assignee_id: acme.customer.id }]
  await ask(desk, acme.admin, create, rule({ name: 'First' }))
  const { data } = await ask(desk, acme.admin, create, rule({ name: 'To a customer', actions }))
  expect(data.createAutomation.automation).toMatchObject({
    name: 'To a customer',
    position: 2,
    isFailing: false,
    loopsStopped: 0,
    lastFiredAt: null,
  })

  const ticketId = await open('Told by the log')
  await run(ticketId)
  const log = await ask(
    desk,
    acme.manager,
    `{ automationFirings(filter: { ticketId: { equalTo: "${ticketId}" } }, orderBy: [FIRED_AT_DESC]) {
      nodes { automationName outcome errorCode event { type } ticket { subject } }
    } }`,
  )
  expect(log.errors).toEqual([])
  const told = { event: { type: 'ticket_created' }, ticket: { subject: 'Told by the log' } }
  expect(log.data.automationFirings.nodes).toHaveLength(2)
  expect(log.data.automationFirings.nodes).toEqual(
    expect.arrayContaining([
      { automationName: 'First', outcome: 'acted', errorCode: null, ...told },
      { automationName: 'To a customer', outcome: 'refused', errorCode: 'ASSIGNEE_NOT_STAFF', ...told },
    ]),
  )

  const tried = await ask(
    desk,
    acme.admin,
    `mutation ($conditions: JSON!, $actions: JSON!) {
      dryRunAutomation(input: { kind: event, conditions: $conditions, actions: $actions }) {
        dryRun { matching isCapped tickets { subject outcome errorCode changes } }
      }
    }`,
    { conditions: { all: [{ field: 'subject', operator: 'contains', value: 'told by' }] }, actions },
  )
  expect(tried.data.dryRunAutomation.dryRun).toEqual({
    matching: 1,
    isCapped: false,
    tickets: [
      { subject: 'Told by the log', outcome: 'refused', errorCode: 'ASSIGNEE_NOT_STAFF', changes: [] },
    ],
  })
})
