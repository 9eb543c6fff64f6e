import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, startTestServer, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
  await desk.superuser.query(`select set_config('atum.organization_id', $1, false)`, [desk.acme.id])
  for (const priority of ['low', 'urgent', 'normal', 'high']) {
    await ask(
      desk,
      desk.acme.customer,
      `mutation ($priority: TicketPriority) { createTicket(input: { subject: "The pangolin", body: "A ${priority} pangolin pangolin", priority: $priority }) { ticket { rowId } } }`,
      { priority },
    )
  }
})

afterAll(() => desk.close())

const pangolins = { all: [{ field: 'subject', operator: 'contains', value: 'pangolin' }] }

const preview = `query ($conditions: JSON!, $sort: TicketSort, $direction: SortDirection, $first: Int, $after: String) {
  previewTickets(conditions: $conditions, sort: $sort, direction: $direction, first: $first, after: $after) {
    tickets { number priority requester { name } team { name } } nextCursor } }`

test('conditions that are none, and cursors, are refused by name', async () => {
  for (const [variables, code] of [
    [{ conditions: { all: [{ field: 'password' }] } }, 'CONDITION_INVALID'],
    [{ conditions: pangolins, after: 'nowhere' }, 'VIEW_INVALID'],
    [{ conditions: pangolins, first: 101 }, 'VIEW_INVALID'],
  ] as const) {
    const { errors } = await ask(desk, desk.acme.agent, preview, variables)
    expect(errors[0]?.extensions.code).toBe(code)
  }
  const { errors } = await ask(desk, desk.acme.agent, '{ searchTickets(query: "status:none") { isCapped } }')
  expect(errors[0]?.extensions.code).toBe('SEARCH_INVALID')
  const asCustomer = await ask(desk, desk.acme.customer, preview, { conditions: {} })
  expect(asCustomer.errors[0]?.extensions.code).toBe('FORBIDDEN')
})

test('the tickets of a page keep the order of the view, whatever is asked of them', async () => {
  const priorities = async (direction: string) => {
    const { data } = await ask(desk, desk.acme.agent, preview, {
      conditions: pangolins,
      sort: 'priority',
      direction,
    })
    return data.previewTickets.tickets.map(({ priority }: { priority: string }) => priority)
  }
  expect(await priorities('descending')).toEqual(['urgent', 'high', 'normal', 'low'])
  expect(await priorities('ascending')).toEqual(['low', 'normal', 'high', 'urgent'])
})

test('a search answers best first, with the tickets as the reader sees them', async () => {
  const document = `query ($query: String!) { searchTickets(query: $query) {
    matches { rank subject ticket { number tags requester { name } } } isMended } }`
  const { data } = await ask(desk, desk.acme.agent, document, { query: 'pangolin' })
  const ranks = data.searchTickets.matches.map(({ rank }: { rank: number }) => rank)
  expect(ranks).toHaveLength(4)
  expect(ranks).toEqual([...ranks].sort((a, b) => b - a))
  expect(data.searchTickets.matches[0].ticket.requester.name).toBeTruthy()
  const numbered = await ask(desk, desk.acme.agent, document, {
    query: `#${data.searchTickets.matches[2].ticket.number}`,
  })
  expect(numbered.data.searchTickets.matches[0].ticket.number).toBe(
    data.searchTickets.matches[2].ticket.number,
  )

  const own = await ask(
    desk,
    desk.acme.customer,
    '{ searchTickets(query: "pangolin") { matches { ticket { number } } } }',
  )
  expect(own.data.searchTickets.matches).toHaveLength(4)
  const foreign = await ask(desk, desk.globex.agent, document, { query: 'pangolin' })
  expect(foreign.data.searchTickets.matches).toEqual([])
})
