import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, type Person, startTestServer, TestSocket, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const codes = ({ errors }: { errors: { extensions?: { code?: unknown } }[] }) =>
  errors.map(({ extensions }) => extensions?.code)

async function open(subject: string, by: Person = desk.acme.customer) {
  const { data } = await ask(
    desk,
    by,
    `mutation ($subject: String!) {
      createTicket(input: { subject: $subject, body: "Please" }) { ticket { id rowId version } }
    }`,
    { subject },
  )
  return data.createTicket.ticket as { id: string; rowId: string; version: number }
}

const save = `mutation ($id: ID!, $patch: TicketPatch!) {
  updateTicket(input: { id: $id, patch: $patch }) { ticket { subject version status state { kind name } tags } }
}`

describe('two people who save over each other', () => {
  test('are told apart by the version they saw', async () => {
    const { acme } = desk
    const { id, version } = await open('Seen by two')
    const first = await ask(desk, acme.agent, save, { id, patch: { subject: 'Of the first', version } })
    expect(first.data.updateTicket.ticket).toMatchObject({ subject: 'Of the first', version: version + 1 })
    const second = await ask(desk, acme.manager, save, { id, patch: { subject: 'Of the second', version } })
    expect(codes(second)).toEqual(['VERSION_CONFLICT'])
    const again = await ask(desk, acme.manager, save, {
      id,
      patch: { subject: 'Of the second', version: version + 1 },
    })
    expect(again.data.updateTicket.ticket).toMatchObject({ subject: 'Of the second' })
  })

  test('and who write over each other by what was said last', async () => {
    const { acme } = desk
    const { rowId } = await open('Answered by two')
    const read = await ask(
      desk,
      acme.agent,
      `{ tickets(filter: { rowId: { equalTo: "${rowId}" } }) { nodes { lastCommentAt } } }`,
    )
    const seen = read.data.tickets.nodes[0].lastCommentAt as string
    const say = (by: Person) =>
      ask(
        desk,
        by,
        'mutation ($ticketId: UUID!, $seen: Datetime) { addComment(input: { ticketId: $ticketId, body: "Mine", seenCommentAt: $seen }) { comment { body } } }',
        { ticketId: rowId, seen },
      )
    expect((await say(acme.agent)).errors).toEqual([])
    expect(codes(await say(acme.manager))).toEqual(['COMMENT_CONFLICT'])
  })
})

describe('a bulk change', () => {
  const bulk = `mutation ($ticketIds: [UUID]!, $actions: JSON!) {
    bulkUpdateTickets(input: { ticketIds: $ticketIds, actions: $actions }) { results { ticketId changed code message } }
  }`

  test('tells of each ticket, by the codes that errors carry', async () => {
    const { acme, globex } = desk
    const { rowId } = await open('One of many')
    const answer = await ask(desk, acme.agent, bulk, {
      ticketIds: [rowId, globex.ticketId],
      actions: [{ type: 'add_tags', tags: ['Storm'] }],
    })
    expect(answer.errors).toEqual([])
    const results = answer.data.bulkUpdateTickets.results as { ticketId: string }[]
    expect(results.find(({ ticketId }) => ticketId === rowId)).toMatchObject({
      changed: true,
      code: null,
      message: null,
    })
    expect(results.find(({ ticketId }) => ticketId === globex.ticketId)).toMatchObject({
      changed: false,
      code: 'NOT_FOUND',
      message: 'There is no such ticket',
    })
    const long = await ask(desk, acme.agent, bulk, {
      ticketIds: [rowId],
      actions: [{ type: 'add_tags', tags: ['x'.repeat(41)] }],
    })
    expect(long.data.bulkUpdateTickets.results).toEqual([
      {
        ticketId: rowId,
        changed: false,
        code: 'INVALID_INPUT',
        message: 'A value is empty, too long or not of the expected form',
      },
    ])
  })

  test('is refused as a whole when it is none', async () => {
    const { acme } = desk
    const { rowId } = await open('Not changed')
    expect(
      codes(await ask(desk, acme.agent, bulk, { ticketIds: [rowId], actions: [{ type: 'x' }] })),
    ).toEqual(['ACTION_INVALID'])
    expect(
      codes(
        await ask(desk, acme.agent, bulk, {
          ticketIds: Array.from({ length: 1001 }, () => rowId),
          actions: [],
        }),
      ),
    ).toEqual(['TOO_MANY_TICKETS'])
    expect(codes(await ask(desk, acme.customer, bulk, { ticketIds: [rowId], actions: [] }))).toEqual([
      'FORBIDDEN',
    ])
  })
})

test('what agents note about a ticket is read from it', async () => {
  const { acme } = desk
  const [one, two] = [await open('The first'), await open('The second')]
  const did = await ask(
    desk,
    acme.agent,
    `mutation ($one: UUID!, $two: UUID!) {
      watchTicket(input: { ticketId: $one }) { ticket { id } }
      relateTickets(input: { ticketId: $one, kind: child_of, otherTicketId: $two }) { relationship { kind } }
      mergeTicket(input: { sourceTicketId: $one, targetTicketId: $two }) { merge { rowId } }
    }`,
    { one: one.rowId, two: two.rowId },
  )
  expect(did.errors).toEqual([])
  const read = await ask(
    desk,
    acme.agent,
    `query ($rows: [UUID!]) {
      tickets(first: 2, filter: { rowId: { in: $rows } }, orderBy: [NUMBER_ASC]) { nodes {
        subject status tags
        state { kind name isDefault }
        mergedInto { subject }
        watchers(first: 2) { nodes { user { name } } }
        relationships(first: 2) { nodes { kind otherTicket { subject } } }
        relationshipsFromOthers(first: 2) { nodes { kind ticket { subject } } }
      } }
    }`,
    { rows: [one.rowId, two.rowId] },
  )
  expect(read.errors).toEqual([])
  expect(read.data.tickets.nodes).toMatchObject([
    { status: 'closed', mergedInto: { subject: 'The second' }, watchers: { nodes: [{}] } },
    { mergedInto: null, relationshipsFromOthers: { nodes: [{ ticket: { subject: 'The first' } }] } },
  ])
})

test('who followed a ticket hears that it left their sight, and nothing of it after', async () => {
  const { acme } = desk
  const newTeam = await ask(
    desk,
    acme.admin,
    'mutation { createTeam(input: { name: "Printing" }) { team { rowId } } }',
  )
  const printing = newTeam.data.createTeam.team.rowId as string
  await desk.superuser.query(
    `insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)`,
    [acme.id, printing, acme.agent.id],
  )
  await desk.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
    acme.agent.id,
  ])
  const { id, rowId } = await open('Goes on')
  const change = (patch: Record<string, unknown>) => ask(desk, acme.manager, save, { id, patch })
  expect((await change({ teamId: printing })).errors).toEqual([])

  const follow = async (by: Person) => {
    const socket = await (await new TestSocket(desk.origin).open()).logIn(by)
    socket.subscribe(
      '1',
      'subscription ($ticketId: UUID!) { ticketChanged(ticketId: $ticketId) { event } }',
      {
        ticketId: rowId,
      },
    )
    return socket
  }
  const events = ({ messages }: TestSocket) =>
    messages
      .filter(({ type }) => type === 'next')
      .map(
        ({ payload }) => (payload as { data: { ticketChanged: { event: string } } }).data.ticketChanged.event,
      )
  const [agent, manager, customer] = [
    await follow(acme.agent),
    await follow(acme.manager),
    await follow(acme.customer),
  ]
  for (const channel of [
    `agent:${acme.agent.id}`,
    `ticket:${rowId}:staff`,
    `requester:${acme.customer.id}`,
  ]) {
    await expect.poll(() => desk.server.notifications.channels).toContain(channel)
  }
  // Of another ticket of the same team: not followed.
  const other = await open('Another')
  await ask(desk, acme.manager, save, { id: other.id, patch: { teamId: printing } })
  await change({ subject: 'Goes on still' })
  await change({ teamId: acme.teamId })
  await change({ subject: 'Gone on' })
  await change({ teamId: printing })
  await expect
    .poll(() => events(manager))
    .toEqual(['subject_changed', 'team_changed', 'subject_changed', 'team_changed'])
  await expect.poll(() => events(agent)).toEqual(['subject_changed', 'team_changed', 'team_changed'])
  await expect.poll(() => events(customer)).toEqual(['subject_changed', 'subject_changed'])
  for (const socket of [agent, manager, customer]) socket.close()
  await expect.poll(() => desk.server.notifications.channels).not.toContain(`agent:${acme.agent.id}`)
})
