import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { crc32, deflateSync } from 'node:zlib'
import { Client } from 'pg'
import type { Page } from 'playwright-core'
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

/** A picture of one colour. */
function png(red: number, green: number, blue: number): Buffer {
  const [width, height] = [320, 200]
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let index = 0; index < width * height; index += 1) {
    const row = Math.floor(index / width)
    rows.set([red, green, blue], row * (width * 3 + 1) + 1 + (index % width) * 3)
  }
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length, 0)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A page with a line in a font that the reader has to bring along. */
function pdf(words: string): Buffer {
  const line = `BT /F1 32 Tf 60 760 Td (${words}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${line.length} >>\nstream\n${line}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let text = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = text.length
    text += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  return Buffer.from(
    `${text}xref\n0 6\n0000000000 65535 f \n${table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`,
  )
}

const door = { name: 'Door.png', mimeType: 'image/png', buffer: png(40, 80, 160) }
const note = { name: 'Delivery note.pdf', mimeType: 'application/pdf', buffer: pdf('Delivery note 4711') }
const setup = {
  name: 'setup.exe',
  mimeType: 'application/x-msdownload',
  buffer: Buffer.from('MZ\u0090\0\u0003\0'),
}
const text = (name: string, content: string) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})

const choose = (page: Page, ...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  page.locator('input[type=file]').setInputFiles(files)
const attached = (page: Page) => page.getByRole('list', { name: 'Attached files' }).getByRole('listitem')
/** Waits until that many are listed and none is on its way. */
async function arrived(page: Page, count: number): Promise<void> {
  await expect.poll(() => attached(page).count(), SOON).toBe(count)
  await expect.poll(() => attached(page).getByRole('progressbar').count(), SOON).toBe(0)
}
const replyBox = (page: Page) => page.getByRole('textbox', { name: /^Your reply/ })
const isNoise = (complaint: string) => /^Failed to load resource/.test(complaint)

/** A busy machine loads a page in more than the second that is waited by itself. */
const SOON = { timeout: 10_000 }

/** An open request of a customer, as the address of its page at a door. */
async function openTicket(subject: string, door: 'portal' | 'desk'): Promise<string> {
  const { rows } = await database.query<{ number: number }>(
    `with claims as (
      select set_config('atum.organization_id', person.organization_id::text, false), set_config('atum.user_id', person.id::text, false)
      from app_public.users as person where person.email = 'customer@acme.example'
    )
    select ticket.number from claims cross join lateral app_public.create_ticket($1, 'Since this morning.') as ticket`,
    [subject],
  )
  return `/${door}/tickets/${rows[0]!.number}`
}

/** What is on the comments of a ticket, in the order in which it is shown. */
async function filesOn(subject: string): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    `select file.name from app_public.attachments as file
    join app_public.tickets as ticket on ticket.organization_id = file.organization_id and ticket.id = file.ticket_id
    where ticket.subject = $1 order by file.created_at`,
    [subject],
  )
  return rows.map(({ name }) => name)
}

/** Pastes a picture, and words where a program put both. */
async function paste(page: Page, content: Buffer, words = ''): Promise<void> {
  await replyBox(page).focus()
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob('${content.toString('base64')}'), (letter) => letter.charCodeAt(0))
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File([bytes], 'image.png', { type: 'image/png' }))
    if ('${words}') clipboardData.setData('text/plain', '${words}')
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }`)
}

/** What is called the one that has the focus. */
const focused = (page: Page) =>
  page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`)

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = join(repository, '.atum/screenshots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

test('a request comes with files, which the team looks at and downloads', async () => {
  const customer = await stage.open()
  const complaints = complaintsOf(customer)
  await logIn(customer, 'portal', 'customer@acme.example', '/portal/new')
  await customer.getByText('Up to 10 files of 25 MB each.').waitFor()
  await customer.getByLabel('What is it about?').fill('The door is stuck')
  await customer.getByLabel('Description').fill('See the picture.')

  // What is refused says why, and holds the request back until it is taken off.
  await choose(customer, door, note, setup)
  await customer.getByText('Files of this type are not taken here.').waitFor()
  await arrived(customer, 3)
  expect(await violationsOf(customer)).toEqual([])
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.getByText('Some files are not attached.').waitFor()
  await customer.getByText('Remove them before you send.').waitFor()
  await screenshot(customer, 'attachments-new-request')
  expect(await attached(customer).first().textContent()).toContain('setup.exe')
  await customer.getByRole('button', { name: 'Remove setup.exe' }).press('Enter')
  await expect.poll(() => focused(customer), SOON).toBe('Remove Door.png')
  await customer.getByRole('button', { name: 'Send request' }).click()
  await customer.waitForURL(/\/portal\/tickets\/\d+/)
  await customer.getByRole('group', { name: '2 files' }).waitFor()
  expect(await filesOn('The door is stuck')).toEqual(['Door.png', 'Delivery note.pdf'])
  expect(complaints.filter((each) => !isNoise(each))).toEqual([])

  const agent = await stage.open()
  const agentComplaints = complaintsOf(agent)
  await logIn(agent, 'desk', 'agent@acme.example', new URL(customer.url()).pathname.replace('portal', 'desk'))
  const preview = agent.getByRole('button', { name: 'Look at Door.png' })
  await agent.getByRole('group', { name: '2 files' }).locator('img').waitFor()
  expect(await violationsOf(agent)).toEqual([])
  await preview.click()
  const window = agent.getByRole('dialog', { name: 'Door.png' })
  await window.getByRole('img', { name: 'Door.png' }).waitFor()
  await expect
    .poll(() => agent.evaluate(`document.querySelector('[role="dialog"] img').naturalWidth`), SOON)
    .toBe(320)
  expect(await violationsOf(agent)).toEqual([])
  await screenshot(agent, 'attachments-picture')

  // The arrow leads on to the PDF, which is drawn here and read to who cannot see it.
  await agent.keyboard.press('ArrowRight')
  await agent.getByRole('dialog', { name: 'Delivery note.pdf' }).getByText('Delivery note 4711').waitFor()
  await agent.getByRole('img', { name: 'Page 1 of 1' }).waitFor()
  const inked = await agent.evaluate(`{
    const page = document.querySelector('[role="dialog"] canvas')
    const { data } = page.getContext('2d').getImageData(0, 0, page.width, page.height)
    data.some((value, index) => index % 4 === 0 && value < 64)
  }`)
  expect(inked).toBe(true)
  expect(await violationsOf(agent)).toEqual([])
  await screenshot(agent, 'attachments-pdf')
  await agent.keyboard.press('Escape')
  await expect.poll(() => agent.getByRole('dialog').count(), SOON).toBe(0)
  await expect.poll(() => agent.evaluate('document.activeElement.ariaLabel'), SOON).toBe('Look at Door.png')

  for (const file of [door, note]) {
    const [download] = await Promise.all([
      agent.waitForEvent('download'),
      agent.getByRole('button', { name: `Download ${file.name}` }).click(),
    ])
    expect(download.suggestedFilename()).toBe(file.name)
    expect(readFileSync(await download.path()).equals(file.buffer)).toBe(true)
  }

  expect(agentComplaints.filter((each) => !isNoise(each))).toEqual([])
})

test('a pasted picture goes with a reply, and what was taken off does not', async () => {
  const subject = 'The barrier is bent'
  const desk = await stage.open()
  const complaints = complaintsOf(desk)
  await logIn(desk, 'desk', 'agent@acme.example', await openTicket(subject, 'desk'))
  await replyBox(desk).fill('We are on our way.')
  // A picture of copied text is no file, a picture alone is one.
  await paste(desk, png(1, 2, 3), 'Q3')
  await paste(desk, png(200, 60, 40))
  await desk.getByText(/^Pasted image \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/).waitFor()
  await choose(desk, text('plan.txt', 'Monday'), text('wrong.txt', 'Never'))
  await desk.getByRole('button', { name: 'Remove wrong.txt' }).click()
  await arrived(desk, 2)
  expect(await violationsOf(desk)).toEqual([])
  await screenshot(desk, 'attachments-reply')
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByRole('button', { name: 'Download plan.txt' }).waitFor()
  expect(await filesOn(subject)).toEqual([expect.stringMatching(/^Pasted image .*\.png$/), 'plan.txt'])
  expect(await attached(desk).count()).toBe(0)
  expect(complaints.filter((each) => !isNoise(each))).toEqual([])
})

test('an upload that breaks off is tried again, and what is sent waits for it', async () => {
  const subject = 'The gate hums'
  const page = await stage.open()
  await logIn(page, 'portal', 'customer@acme.example', await openTicket(subject, 'portal'))
  let attempts = 0
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/api/v1/attachments/upload', async (route) => {
    attempts += 1
    if (attempts === 1) return route.abort('connectionreset')
    await gate
    await route.continue()
  })
  await replyBox(page).fill('Listen to this')
  await choose(page, text('hum.txt', 'hmmm'))
  await page.getByText('The connection was lost').waitFor()
  expect(await page.getByRole('status').filter({ hasText: 'hum.txt was cut off' }).count()).toBe(1)
  await page.getByRole('button', { name: 'Send reply' }).click()
  await page.getByText('Some files are not attached.').waitFor()

  await page.getByText('Upload those again whose connection was lost').waitFor()
  await page.getByRole('button', { name: 'Upload hum.txt again' }).press('Enter')
  await expect.poll(() => focused(page), SOON).toBe('Cancel the upload of hum.txt')
  await page.getByRole('button', { name: 'Send reply' }).click()
  await page.getByText('Waiting for 1 file…').waitFor()
  await page.getByRole('button', { name: 'Don’t send yet' }).click()
  await page.getByRole('button', { name: 'Send reply' }).click()
  await page.getByText('Waiting for 1 file…').waitFor()
  expect(await violationsOf(page)).toEqual([])
  expect(await filesOn(subject)).toEqual([])
  release()
  await page.getByRole('article').getByText('Listen to this').waitFor()
  await page.getByRole('button', { name: 'Download hum.txt' }).waitFor()
  expect(await filesOn(subject)).toEqual(['hum.txt'])
  expect(await replyBox(page).inputValue()).toBe('')
  expect(await attached(page).count()).toBe(0)

  // Taking one back while it is on its way leaves nothing.
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route('**/api/v1/attachments/upload', async (route) => {
    await promise
    await route.continue().catch(() => {})
  })
  await choose(page, text('slow.txt', 'zzz'))
  await page.getByRole('button', { name: 'Cancel the upload of slow.txt' }).press('Enter')
  await arrived(page, 0)
  await expect.poll(() => focused(page), SOON).toBe('Attach files')
  resolve()
})

test('a draft keeps its files, on this device and another, and tells what the scanner found', async () => {
  const subject = 'The lift is slow'
  const place = await openTicket(subject, 'desk')
  const desk = await stage.open()
  await logIn(desk, 'desk', 'agent@acme.example', place)
  await choose(desk, text('measured.txt', '12 s'), text('found.txt', 'not what it seems'))
  await arrived(desk, 2)
  await desk.getByText('Draft saved').waitFor()
  await desk.reload()
  await arrived(desk, 2)
  const train = await stage.open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await logIn(train, 'desk', 'agent@acme.example', place)
  await arrived(train, 2)
  expect(await train.evaluate('document.documentElement.scrollWidth')).toBe(360)
  expect(await violationsOf(train)).toEqual([])
  await screenshot(train, 'attachments-phone')

  const judge = (name: string, state: string) =>
    database.query(
      `update app_public.stored_files as stored
      set state = $2::app_public.file_state, signature = case $2 when 'infected' then 'Eicar-Test-Signature' end
      from app_public.attachments as file where file.sha256 = stored.sha256 and file.organization_id = stored.organization_id and file.name = $1`,
      [name, state],
    )
  await judge('measured.txt', 'pending')
  await judge('found.txt', 'pending')
  await desk.reload()
  await expect
    .poll(() => attached(desk).filter({ hasText: 'Waits for the virus scan' }).count(), SOON)
    .toBe(2)
  await judge('found.txt', 'infected')
  await desk.getByText('Infected: it will not be sent').waitFor()
  await replyBox(desk).fill('Twelve seconds.')
  await desk.getByRole('button', { name: 'Send reply' }).click()
  await desk.getByText('Some files are not attached.').waitFor()
  await screenshot(desk, 'attachments-infected')
  await desk.getByRole('button', { name: 'Remove found.txt' }).click()
  await desk.getByRole('button', { name: 'Send reply' }).click()

  // One may be sent before it was looked at; it is only not to be had.
  await desk.getByRole('article').getByText('Twelve seconds.').waitFor()
  await desk.getByRole('article').getByText('Waits for the virus scan').waitFor()
  expect(await desk.getByRole('button', { name: 'Download measured.txt' }).count()).toBe(0)
  await judge('measured.txt', 'clean')
  await desk.getByRole('button', { name: 'Download measured.txt' }).first().waitFor()
})

test('a reply that is taken back brings its files and its status with it', async () => {
  const subject = 'The ramp is wet'
  await undoSendSeconds(stage.database, 60)
  const desk = await stage.open()
  await logIn(desk, 'desk', 'agent@acme.example', await openTicket(subject, 'desk'))
  await replyBox(desk).fill('It is dry now.')
  await choose(desk, text('ramp.txt', 'dry'))
  await arrived(desk, 1)
  // A slow line: longer than a draft waits to be saved, which would be a draft of what is being said.
  let isSending = false
  let savedMeanwhile = 0
  await desk.route('**/graphql', async (route) => {
    const asked = route.request().postData() ?? ''
    if (isSending && asked.includes('"SaveDraft"')) savedMeanwhile += 1
    if (asked.includes('"SendReply"')) {
      isSending = true
      await delay(1_500)
      isSending = false
    }
    await route.continue()
  })
  await replyBox(desk).press('End')
  await desk.keyboard.type(' Quite.')
  await desk.getByRole('button', { name: 'Send and set the status' }).click()
  await desk.getByRole('menuitem', { name: 'Send and set Resolved' }).click()
  await desk.getByText(/^Sending in \d+ s$/).waitFor()
  expect(await attached(desk).count()).toBe(0)
  expect(savedMeanwhile).toBe(0)
  await desk.getByRole('button', { name: 'Undo: take the reply back' }).click()
  await expect.poll(() => replyBox(desk).inputValue(), SOON).toBe('It is dry now. Quite.')
  await arrived(desk, 1)
  await undoSendSeconds(stage.database, 1)
  await desk.getByRole('button', { name: 'Send and set Resolved' }).click()
  await desk.getByRole('button', { name: 'Download ramp.txt' }).waitFor()
  const { rows } = await database.query('select status from app_public.tickets where subject = $1', [subject])
  expect(rows).toEqual([{ status: 'resolved' }])
})

test('an admin says what may be attached, and whoever writes is told before', async () => {
  const admin = await stage.open()
  const complaints = complaintsOf(admin)
  await logIn(admin, 'desk', 'admin@acme.example', '/desk/admin/attachments')
  const size = admin.getByLabel('Largest file, in megabytes')
  await size.fill('0')
  await admin.getByText('A number above 0 and up to 1,024.').waitFor()
  await size.fill('0.5')
  await admin.getByLabel('Most files on one comment').fill('2')
  const allowed = admin.getByLabel('Add a type that may be attached')
  await allowed.fill('nonsense')
  await allowed.press('Enter')
  await admin.getByText('“nonsense” is no type.').waitFor()
  await allowed.fill('.txt, image/*')
  await allowed.press('Enter')
  await admin.getByRole('row', { name: 'text/plain' }).waitFor()
  expect(await violationsOf(admin)).toEqual([])
  await screenshot(admin, 'attachments-settings')
  await admin.getByRole('button', { name: 'Save changes' }).click()
  await admin.getByText('The settings of attachments are saved').waitFor()
  expect(complaints).toEqual([])

  const customer = await stage.open({ viewport: { width: 360, height: 740 } })
  await logIn(customer, 'portal', 'customer@acme.example', '/portal/new')
  await customer.getByText('Up to 2 files of 512 kB each. Only text/plain, image/*.').waitFor()
  await choose(
    customer,
    text('large.txt', 'x'.repeat(600_000)),
    text('one.txt', '1'),
    text('two.txt', '2'),
    text('three.txt', '3'),
  )
  await customer.getByText('586 kB is too large: at most 512 kB').waitFor()
  await customer.getByText('No more than 2 files').waitFor()
  await customer.getByRole('button', { name: 'Remove two.txt' }).click()
  await customer.getByRole('button', { name: 'Remove large.txt' }).click()
  await customer.getByRole('button', { name: 'Remove three.txt' }).click()
  await choose(customer, note)
  await customer.getByText('Files of this type are not taken here.').waitFor()
  expect(await customer.evaluate('document.documentElement.scrollWidth')).toBe(360)
  expect(await violationsOf(customer)).toEqual([])
  await screenshot(customer, 'attachments-new-request-phone')
})

test('a link to a file from a mail that leads nowhere any more says so in a page', async () => {
  const page = await stage.open({ viewport: { width: 360, height: 700 }, colorScheme: 'dark' })
  await page.goto('/files/x')
  await page.getByText('This link to a file is too old').waitFor()
  expect(await violationsOf(page)).toEqual([])
})
