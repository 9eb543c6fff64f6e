import { beforeEach, expect, test } from 'vitest'
import { noticesOf } from '../support/notices.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { announce } = noticesOf(stage)

type Actor = Parameters<typeof stage.does>[0]

let ticketId: string

beforeEach(async () => {
  ticketId = await stage.does(
    stage.acme.customer,
    'select id from app_public.create_ticket($1, $2, service_id => $3)',
    ['No network', 'It does not work', stage.acme.serviceId],
  )
})

const say = (actor: Actor, visibility: string) =>
  stage.does(actor, 'select id from app_public.add_comment($1, $2, $3)', [ticketId, 'Something', visibility])

const change = async (actor: Actor, seconds = 20, ofTicket: string | null = ticketId) => {
  const told = await stage.does<string | null>(actor, 'select app_hidden.latest_change($1, $2)', [
    seconds,
    ofTicket,
  ])
  return told === null ? null : (JSON.parse(told) as { event: string; ticketId: string; eventId: string })
}

const notification = (actor: Actor) =>
  stage.does<string | null>(actor, 'select app_hidden.latest_notification(20)')

test('the latest change is told to whoever sees it, as subscribers are', async () => {
  const { agent, customer } = stage.acme
  expect(await change(customer)).toMatchObject({ event: 'ticket_created', ticketId })
  await say(agent, 'public')
  await say(agent, 'internal')
  const [seenByAgent, seenByCustomer] = [await change(agent), await change(customer)]
  expect(seenByAgent).toMatchObject({ event: 'comment_added', ticketId })
  expect(seenByCustomer).toMatchObject({ ticketId })
  expect(seenByCustomer?.eventId).not.toBe(seenByAgent?.eventId)
  expect((await change(agent, 20, null))?.eventId).toBe(seenByAgent?.eventId)
})

test('nobody is told of a ticket they do not see', async () => {
  const { acme, globex } = stage
  for (const actor of [acme.neighbour, globex.admin, globex.customer]) {
    expect(await change(actor)).toBeNull()
    const any = await change(actor, 20, null)
    expect(any?.ticketId).not.toBe(ticketId)
  }
})

test('what is longer ago is not told', async () => {
  const { agent } = stage.acme
  // What refers to the event is not looked at.
  await stage.superuser.query(
    `begin;
     set local session_replication_role = replica;
     update app_public.ticket_events set id = app_hidden.first_id_of(61) where ticket_id = '${ticketId}';
     commit`,
  )
  expect(await change(agent, 60)).toBeNull()
  expect(await change(agent, 62)).not.toBeNull()
})

test('the latest notification is told to its reader alone', async () => {
  const { customer, manager } = stage.acme
  const before = await notification(manager)
  await say(stage.acme.agent, 'public')
  await announce(ticketId)
  expect(JSON.parse((await notification(customer)) ?? 'null')).toEqual({
    event: 'added',
    notificationId: expect.stringMatching(/^[\da-f-]{36}$/),
  })
  expect(await notification(manager)).toBe(before)
})
