import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repository } from '../../infra/dev/repository.ts'
import { complaintsOf, logIn, setStage, type Stage, undoSendSeconds, violationsOf } from './stage.ts'

let stage: Stage
let database: Client

beforeAll(async () => {
  stage = await setStage()
  database = new Client({ connectionString: stage.database.superuserUrl })
  await database.connect()
}, 180_000)

afterAll(async () => {
  await database.end()
  await stage.close()
})

/** An open ticket of Acme that waits for its first answer, as the address of its page. */
async function openTicket(subject: string): Promise<string> {
  const { rows } = await database.query<{ number: number }>(
    `with claims as (
      select set_config('atum.organization_id', person.organization_id::text, false), set_config('atum.user_id', person.id::text, false)
      from app_public.users as person where person.email = 'customer@acme.example'
    )
    select ticket.number from claims cross join lateral app_public.create_ticket($1, 'Since this morning.') as ticket`,
    [subject],
  )
  return `/desk/tickets/${rows[0]!.number}`
}

const replyBox = (page: Page) => page.getByRole('textbox', { name: /^Your reply to/ })
const commentsOn = async (subject: string) => {
  const { rows } = await database.query<{ body: string }>(
    `select comment.body from app_public.comments as comment
    join app_public.tickets as ticket on ticket.organization_id = comment.organization_id and ticket.id = comment.ticket_id
    where ticket.subject = $1 and comment.body <> 'Since this morning.' order by comment.created_at`,
    [subject],
  )
  return rows.map(({ body }) => body)
}
const draftSaved = (page: Page) => page.getByText('Draft saved').waitFor()

test('a draft follows its author to another browser, and two that crossed are both kept', async () => {
  const place = await openTicket('The plotter smears')
  const desk = await stage.open()
  const complaints = complaintsOf(desk)
  await logIn(desk, 'desk', 'agent@acme.example', place)
  await replyBox(desk).fill('Please clean the head')
  await draftSaved(desk)
  await desk.reload()
  await expect.poll(() => replyBox(desk).inputValue()).toBe('Please clean the head')

  const train = await stage.open()
  await logIn(train, 'desk', 'agent@acme.example', place)
  await expect.poll(() => replyBox(train).inputValue()).toBe('Please clean the head')
  await replyBox(train).fill('Please clean the head and the roller')
  await draftSaved(train)

  await replyBox(desk).fill('Please clean the head twice')
  await desk.getByText('You wrote something else here on another device.').waitFor()
  await desk.getByText('Please clean the head and the roller').waitFor()
  await screenshot(desk, 'draft-conflict')
  await desk.getByRole('button', { name: 'Keep both' }).click()
  await expect
    .poll(() => replyBox(desk).inputValue())
    .toBe('Please clean the head and the roller\n\nPlease clean the head twice')
  await draftSaved(desk)
  expect(complaints).toEqual([])
})

test('a reply can be taken back while it is on its way, and leaves when it is not', async () => {
  const subject = 'The label printer is mute'
  const place = await openTicket(subject)
  await undoSendSeconds(stage.database, 60)
  const desk = await stage.open()
  const complaints = complaintsOf(desk)
  await logIn(desk, 'desk', 'agent@acme.example', place)
  await replyBox(desk).fill('Switch it off and on')
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByText(/^Sending in \d+ s$/).waitFor()
  await desk
    .getByText('Your reply is about to be sent. You can still take it back.')
    .waitFor({ state: 'attached' })
  expect(await replyBox(desk).inputValue()).toBe('')
  await screenshot(desk, 'undo-send')
  expect(await violationsOf(desk)).toEqual([])

  // It is still on its way after a reload, and comes back in front of what was begun since.
  await desk.reload()
  await replyBox(desk).fill('One more thing')
  await desk.getByRole('button', { name: 'Undo: take the reply back' }).click()
  await expect.poll(() => replyBox(desk).inputValue()).toBe('Switch it off and on\n\nOne more thing')
  expect(await commentsOn(subject)).toEqual([])

  await undoSendSeconds(stage.database, 1)
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByRole('article').getByText('Switch it off and on').waitFor()
  await expect.poll(() => desk.getByText(/^Sending/).count()).toBe(0)
  expect(await replyBox(desk).inputValue()).toBe('')
  expect(await commentsOn(subject)).toEqual(['Switch it off and on\n\nOne more thing'])
  expect(complaints).toEqual([])
})

test('a reply whose ticket was closed meanwhile comes back and says why', async () => {
  const subject = 'The scanner hums'
  const place = await openTicket(subject)
  await undoSendSeconds(stage.database, 3)
  const desk = await stage.open()
  await logIn(desk, 'desk', 'agent@acme.example', place)
  await replyBox(desk).fill('Does it still?')
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByText(/^Sending/).waitFor()
  await database.query(`update app_public.tickets set status = 'closed' where subject = $1`, [subject])
  await desk.getByText('Your reply was not sent.').waitFor()
  await screenshot(desk, 'reply-refused')
  await expect
    .poll(() => desk.getByRole('textbox', { name: 'Your note for the team' }).inputValue())
    .toBe('Does it still?')
  expect(await commentsOn(subject)).toEqual([])
  await undoSendSeconds(stage.database, 1)
})

test('a reply that crosses with an answer waits until its author has read it', async () => {
  const subject = 'The lift smells of oil'
  const place = await openTicket(subject)
  const desk = await stage.open()
  await logIn(desk, 'desk', 'agent@acme.example', place)
  await replyBox(desk).fill('Is it the machine room?')
  await draftSaved(desk)
  // The answer arrives when the reply has left the screen and has not reached the server.
  let isFirst = true
  await desk.route('**/graphql', async (route) => {
    if (isFirst && route.request().postData()?.includes('"SendReply"')) {
      isFirst = false
      await database.query(
        `with claims as (
          select set_config('atum.organization_id', person.organization_id::text, false), set_config('atum.user_id', person.id::text, false)
          from app_public.users as person where person.email = 'customer@acme.example'
        )
        select made.id from claims
        cross join (select id from app_public.tickets where subject = $1) as ticket
        cross join lateral app_public.add_comment(ticket.id, 'It is gone now.') as made`,
        [subject],
      )
    }
    await route.continue()
  })
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByText('Jonas Weber answered while you were writing. Your reply is still here.').waitFor()
  await desk.getByRole('alert').getByText('It is gone now.').waitFor()
  expect(await replyBox(desk).inputValue()).toBe('Is it the machine room?')
  await screenshot(desk, 'crossing-answer')
  expect(await commentsOn(subject)).toEqual(['It is gone now.'])
  await desk.getByRole('button', { name: 'Send mine anyway' }).click()
  await expect
    .poll(() => commentsOn(subject), { timeout: 10_000 })
    .toEqual(['It is gone now.', 'Is it the machine room?'])
})

test('what agents prepared reads well on a phone, in the dark and in German', async () => {
  const phone = await stage.open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await logIn(phone, 'desk', 'agent@acme.example')
  await phone.evaluate("localStorage.setItem('atum.language', 'de')")
  await phone.goto('/desk/prepared')
  await phone.getByRole('heading', { name: 'Vorbereitete Antworten' }).waitFor()
  await phone.getByText('Solved, thank you').waitFor()
  expect(await violationsOf(phone)).toEqual([])
  expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(360)
  await screenshot(phone, 'prepared-phone')
  await undoSendSeconds(stage.database, 60)
  await phone.goto(await openTicket('Das Tor klemmt'))
  await phone.getByRole('textbox', { name: /^Ihre Antwort/ }).fill('Wir sehen nach.')
  await phone.getByRole('button', { name: 'Antwort senden' }).click()
  await phone.getByText(/^Wird in \d+ s gesendet$/).waitFor()
  await phone.getByRole('button', { name: 'Textbaustein einfügen' }).click()
  await phone.getByRole('option', { name: /Solved, thank you/ }).waitFor()
  expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(360)
  await screenshot(phone, 'composer-phone')
  await undoSendSeconds(stage.database, 1)
})

test('a manager prepares a text and a macro, and an agent uses them with the keyboard', async () => {
  const subject = 'The turnstile counts twice'
  const place = await openTicket(subject)
  const manager = await stage.open()
  const complaints = complaintsOf(manager)
  await logIn(manager, 'desk', 'manager@acme.example')
  await manager.getByRole('link', { name: 'Prepared replies' }).click()
  await manager.getByRole('button', { name: 'Add a response' }).click()
  await manager.getByLabel('Title').fill('Counter reset')
  await manager.getByLabel('Folder').fill('Gates / Turnstiles')
  await manager
    .getByLabel('Text', { exact: true })
    .fill('Hello {{requester.first_name}}, the counter is reset.')
  await manager.getByRole('button', { name: /^Only me/ }).click()
  await manager.getByRole('option', { name: 'Everybody' }).click()
  await screenshot(manager, 'canned-response-dialog')
  await manager.getByRole('dialog').getByRole('button', { name: 'Add a response' }).click()
  await manager.getByRole('heading', { name: 'Gates/Turnstiles' }).waitFor()
  expect(await violationsOf(manager)).toEqual([])
  await screenshot(manager, 'canned-responses')

  await manager.getByRole('tab', { name: 'Macros' }).click()
  await manager.getByRole('button', { name: 'Add a macro' }).click()
  await manager.getByLabel('Name', { exact: true }).fill('Counter is reset')
  for (const action of ['Raise the priority', 'Assign to whoever applies it', 'Add tags', 'Say something']) {
    await manager.getByRole('button', { name: 'Add an action' }).click()
    await manager.getByRole('menuitem', { name: action }).click()
  }
  await manager.getByRole('textbox', { name: 'Add tags' }).fill('gate, counter')
  await manager
    .getByLabel('Text', { exact: true })
    .fill('{{requester.first_name}}, we reset the counter of {{ticket.reference}}.')
  await manager.getByRole('button', { name: /^Only me/ }).click()
  await manager.getByRole('option', { name: 'Everybody' }).click()
  await screenshot(manager, 'macro-dialog')
  await manager.getByRole('dialog').getByRole('button', { name: 'Add a macro' }).click()
  await manager.getByText('4 actions').waitFor()
  expect(complaints).toEqual([])

  const agent = await stage.open()
  const agentComplaints = complaintsOf(agent)
  await logIn(agent, 'desk', 'agent@acme.example', place)
  await replyBox(agent).focus()
  await agent.keyboard.type('::turnst')
  await agent.getByRole('option', { name: /Counter reset/ }).waitFor()
  expect(await violationsOf(agent)).toEqual([])
  await screenshot(agent, 'canned-picker')
  await agent.keyboard.press('Enter')
  await expect.poll(() => replyBox(agent).inputValue()).toBe('Hello Jonas, the counter is reset.')
  await agent.keyboard.press('Control+Enter')
  await agent.getByRole('article').getByText('Hello Jonas, the counter is reset.').waitFor()

  await agent.getByRole('button', { name: 'Macros' }).click()
  await agent.getByRole('menuitem', { name: 'Counter is reset' }).click()
  await agent.getByText(/^Jonas, we reset the counter of ACME-\d+\.$/).waitFor()
  await screenshot(agent, 'macro-preview')
  await agent.getByRole('button', { name: 'Apply' }).click()
  await agent.getByRole('article').getByText('Jonas, we reset the counter of').waitFor()
  expect(agentComplaints).toEqual([])

  const { rows } = await database.query(
    `select ticket.priority, ticket.tags, person.email from app_public.tickets as ticket
    join app_public.users as person on person.organization_id = ticket.organization_id and person.id = ticket.assignee_id
    where ticket.subject = $1`,
    [subject],
  )
  expect(rows).toEqual([{ priority: 'high', tags: ['counter', 'gate'], email: 'agent@acme.example' }])
  await manager.reload()
  await manager.getByText('Used 1 time in the last year').waitFor()
})

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(repository, '.atum/screenshots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
