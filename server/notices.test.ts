import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask, type Person, startTestServer, type TestServer, TestSocket } from './testing.ts'

let desk: TestServer
let sockets: TestSocket[] = []

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

beforeEach(() => expect.poll(() => desk.server.notifications.connected).toBe(true))

afterEach(() => {
  for (const socket of sockets) socket.close()
  sockets = []
})

const live = 'subscription { notificationsChanged { event notificationId } }'

async function follow(person: Person): Promise<TestSocket> {
  const socket = await (await new TestSocket(desk.origin).open()).logIn(person)
  sockets.push(socket)
  socket.subscribe('1', live)
  await expect.poll(() => desk.server.notifications.channels).toContain(`notifications:${person.id}`)
  return socket
}

const heard = (socket: TestSocket) =>
  socket.messages
    .filter(({ type }) => type === 'next')
    .map(
      ({ payload }) =>
        (payload as { data: { notificationsChanged: { event: string; notificationId: string | null } } }).data
          .notificationsChanged,
    )

/** What the worker does with what happened to a ticket. */
async function announce(ticketId: string) {
  const { superuser, acme } = desk
  await superuser.query('begin')
  await superuser.query(
    `select set_config('role', 'atum_worker', true), set_config('atum.organization_id', $1, true)`,
    [acme.id],
  )
  await superuser.query('select app_private.announce_ticket_events($1)', [ticketId])
  await superuser.query('commit')
}

const answer = async (body: string) => {
  const { errors } = await ask(
    desk,
    desk.acme.agent,
    'mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { rowId } } }',
    { input: { ticketId: desk.acme.ticketId, body } },
  )
  expect(errors).toEqual([])
  await announce(desk.acme.ticketId)
}

const list = `{
  unreadNotificationCount
  notifications(first: 20, orderBy: PRIMARY_KEY_DESC) {
    nodes { rowId kind reasons facts inBrowser readAt createdAt ticket { number } }
  }
}`

interface Listed {
  unreadNotificationCount: number
  notifications: {
    nodes: { rowId: string; kind: string; facts: Record<string, unknown>; readAt: string | null }[]
  }
}

const listOf = async (person: Person) => {
  const { data, errors } = await ask(desk, person, list)
  expect(errors).toEqual([])
  return data as unknown as Listed
}

describe('what somebody is told', () => {
  test('is for nobody without a login', async () => {
    const { codes } = await ask(desk, null, '{ notifications(first: 1) { nodes { kind } } }')
    expect(codes).not.toEqual([])
    const socket = await new TestSocket(desk.origin).open()
    sockets.push(socket)
    socket.subscribe('1', live)
    expect(await socket.closed).toMatchObject({ code: 4401 })
  })

  test('is heard and read by them, while everybody else hears and reads nothing', async () => {
    const { acme, globex } = desk
    const others = [acme.neighbour, acme.manager, acme.agent, globex.customer]
    const silent = await Promise.all(others.map(follow))
    const mine = await follow(acme.customer)
    await announce(acme.ticketId)
    const before = await listOf(acme.customer)
    const heardBefore = heard(mine).length
    await answer('Have a look now')
    await expect.poll(() => heard(mine).length).toBe(heardBefore + 1)

    const after = await listOf(acme.customer)
    expect(after.unreadNotificationCount).toBe(before.unreadNotificationCount + 1)
    expect(after.notifications.nodes[0]).toMatchObject({
      rowId: heard(mine).at(-1)!.notificationId,
      kind: 'reply',
      reasons: ['requester'],
      facts: { excerpt: 'Have a look now', actor_name: 'agent of acme' },
      readAt: null,
      ticket: { number: acme.ticketNumber },
    })

    // The own channel of each speaks in the end: what was to come before it has come.
    for (const { id } of others) {
      await desk.superuser.query('select pg_notify($1, $2)', [`notifications:${id}`, '{"event":"read"}'])
    }
    for (const [index, socket] of silent.entries()) {
      await expect.poll(() => heard(socket).at(-1)?.event).toBe('read')
      const told = await listOf(others[index]!)
      const rowIds = told.notifications.nodes.map(({ rowId }) => rowId)
      expect(rowIds).not.toContain(heard(mine).at(-1)!.notificationId)
      for (const { notificationId } of heard(socket))
        if (notificationId) expect(rowIds).toContain(notificationId)
    }
  })

  test('counts down in their other windows when it is read', async () => {
    const { customer } = desk.acme
    await answer('And now?')
    const window = await follow(customer)
    const { data, errors } = await ask(
      desk,
      customer,
      'mutation ($ticketId: UUID!) { markTicketNotificationsRead(input: { ticketId: $ticketId }) { marked } }',
      { ticketId: desk.acme.ticketId },
    )
    expect(errors).toEqual([])
    expect(data.markTicketNotificationsRead.marked).toBeGreaterThan(0)
    await expect.poll(() => heard(window)).toEqual([{ event: 'read', notificationId: null }])
    expect((await listOf(customer)).unreadNotificationCount).toBe(0)
  })

  test('is not heard any more by a session that was ended', async () => {
    const { acme } = desk
    const socket = await follow(acme.neighbour)
    await desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [
      acme.neighbour.sessionId,
    ])
    expect(await socket.closed).toMatchObject({ code: 4403 })
    await expect
      .poll(() => desk.server.notifications.channels)
      .not.toContain(`notifications:${acme.neighbour.id}`)
  })
})

describe('how somebody wants to hear of it', () => {
  const choose = `mutation ($input: ChooseNotificationInput!) {
    chooseNotification(input: $input) { choice { kind inApp mail inBrowser isUsual } }
  }`

  test('is chosen for what people of the role are told', async () => {
    const { customer, agent } = desk.acme
    const input = { kind: 'alert', inApp: true, mail: 'off', inBrowser: false }
    expect((await ask(desk, agent, choose, { input })).codes).toEqual(['INVALID_INPUT'])
    const { data } = await ask(desk, customer, choose, { input: { ...input, kind: 'reply', mail: 'digest' } })
    expect(data.chooseNotification.choice).toEqual({
      kind: 'reply',
      inApp: true,
      mail: 'digest',
      inBrowser: false,
      isUsual: false,
    })
    const read = '{ ownNotificationChoices(first: 30) { nodes { kind mail isUsual } } }'
    const { data: kept } = await ask(desk, customer, read)
    expect(kept.ownNotificationChoices.nodes).toContainEqual({
      kind: 'reply',
      mail: 'digest',
      isUsual: false,
    })
    const { data: reset } = await ask(
      desk,
      customer,
      'mutation { resetNotificationChoices(input: {}) { choices { kind isUsual } } }',
    )
    expect(reset.resetNotificationChoices.choices.every(({ isUsual }: { isUsual: boolean }) => isUsual)).toBe(
      true,
    )
  })

  test('quiet hours are refused where they are none', async () => {
    const change = `mutation ($input: ChangeNotificationScheduleInput!) {
      changeNotificationSchedule(input: $input) { schedule { quietFrom quietTo quietWeekdays digestHour timeZone } }
    }`
    for (const input of [
      { digestHour: 24 },
      { digestHour: 8, quietFrom: 60 },
      { digestHour: 8, quietFrom: 60, quietTo: 60 },
      { digestHour: 8, quietFrom: 60, quietTo: 1441 },
      { digestHour: 8, quietFrom: 60, quietTo: 120, quietWeekdays: [] },
      { digestHour: 8, quietFrom: 60, quietTo: 120, quietWeekdays: [8] },
    ]) {
      expect((await ask(desk, desk.acme.agent, change, { input })).codes, JSON.stringify(input)).toEqual([
        'INVALID_INPUT',
      ])
    }
    const { data } = await ask(desk, desk.acme.agent, change, {
      input: { digestHour: 7, quietFrom: 1320, quietTo: 360, quietWeekdays: [5, 1, 5] },
    })
    expect(data.changeNotificationSchedule.schedule).toEqual({
      quietFrom: 1320,
      quietTo: 360,
      quietWeekdays: [1, 5],
      digestHour: 7,
      timeZone: 'Etc/UTC',
    })
  })
})
