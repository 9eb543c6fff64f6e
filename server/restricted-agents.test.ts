import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, startTestServer, TestSocket, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const inbox = 'subscription { inboxChanged { ticketId } }'

async function openTicket(serviceId: string | null): Promise<string> {
  const { data } = await ask(
    desk,
    desk.acme.customer,
    `mutation ($serviceId: UUID) { createTicket(input: { subject: "Help", body: "Please", serviceId: $serviceId }) { ticket { rowId } } }`,
    { serviceId },
  )
  return data.createTicket.ticket.rowId as string
}

async function restrict(restrictedToTeams: boolean) {
  const { data } = await ask(
    desk,
    desk.acme.admin,
    `{ users(filter: { rowId: { equalTo: "${desk.acme.agent.id}" } }) { nodes { id } } }`,
  )
  const answer = await ask(
    desk,
    desk.acme.admin,
    'mutation ($id: ID!, $on: Boolean!) { updateUser(input: { id: $id, patch: { restrictedToTeams: $on } }) { user { restrictedToTeams } } }',
    { id: data.users.nodes[0].id, on: restrictedToTeams },
  )
  expect(answer.errors).toEqual([])
}

async function listening(): Promise<TestSocket> {
  const socket = await (await new TestSocket(desk.origin).open()).logIn(desk.acme.agent)
  socket.subscribe('inbox', inbox)
  await expect.poll(() => desk.server.notifications.channels).toContain(`agent:${desk.acme.agent.id}`)
  return socket
}

test('an agent who is restricted to teams is sent away to come back, and from then on hears and sees the own tickets only', async () => {
  const { acme } = desk
  const before = await (await new TestSocket(desk.origin).open()).logIn(acme.agent)
  before.subscribe('inbox', inbox)

  await restrict(true)
  // Not forbidden: the client comes back by itself.
  expect(await before.closed).toMatchObject({ code: 1013 })

  const outside = await listening()
  const ofNobody = await openTicket(null)
  const ofOtherTeam = await openTicket(acme.serviceId)
  await desk.superuser.query(
    'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
    [acme.id, acme.teamId, acme.agent.id],
  )
  expect(await outside.closed).toMatchObject({ code: 1013 })
  // Told in order: what came before the goodbye would be here.
  for (const ticketId of [ofNobody, ofOtherTeam]) {
    expect(JSON.stringify(outside.messages)).not.toContain(ticketId)
  }

  const inside = await listening()
  const ofOwnTeam = await openTicket(acme.serviceId)
  await inside.until(({ payload }) => String(JSON.stringify(payload)).includes(ofOwnTeam))
  inside.close()

  const { data } = await ask(desk, acme.agent, '{ tickets { nodes { rowId } } inboxCounts { open } }')
  const seen = (data.tickets.nodes as { rowId: string }[]).map(({ rowId }) => rowId)
  expect(seen).toContain(ofOwnTeam)
  // Of the own team too, now that it is the own one.
  expect(seen).toContain(ofOtherTeam)
  expect(seen).not.toContain(ofNobody)
  expect(
    (
      await ask(
        desk,
        acme.agent,
        'mutation ($id: UUID!) { addComment(input: { ticketId: $id, body: "x" }) { comment { id } } }',
        { id: ofNobody },
      )
    ).codes,
  ).toEqual(['NOT_FOUND'])
})
