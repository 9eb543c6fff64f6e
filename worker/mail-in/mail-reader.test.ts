import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { MailReader, MailUnreadableError } from './mail-reader.ts'
import { readMail } from './parse-mail.ts'

const reader = new MailReader()
afterAll(() => reader.close())

const mail = (headers: string[], body: string) =>
  Buffer.from(
    ['From: Mallory <m@evil.test>', 'Subject: Hello', 'Message-ID: <1@evil.test>', ...headers, '', body].join(
      '\r\n',
    ),
  )
const html = (body: string) => mail(['Content-Type: text/html; charset=utf-8'], body)

test('a thread reads what is read here', async () => {
  const source = readFileSync(join(import.meta.dirname, 'fixtures', 'inline-images.eml'))
  expect(await reader.read(source)).toEqual(await readMail(source))
})

test.each([
  ['six megabytes of markup', html('<b>a</b>\n'.repeat(670_000))],
  ['a million lines', mail([], 'a\n'.repeat(1_000_000))],
  ['spaces in the middle of a line', mail([], `x${' '.repeat(500_000)}y`)],
  ['hard spaces in the middle of a line', html(`x${'&nbsp;'.repeat(80_000)}y`)],
  ['a long way by which it was delivered', mail([`Delivered-To: ${'a'.repeat(500_000)}`], 'Hello')],
  [
    'a report of nothing',
    mail(
      ['Content-Type: multipart/report; report-type=delivery-status; boundary=x'],
      `--x\r\nContent-Type: text/plain\r\n\r\n${'\r\n'.repeat(300_000)}\r\n--x--`,
    ),
  ],
])('%s is read in time', async (_what, source) => {
  const { facts } = await reader.read(source)
  expect(facts.from?.address).toBe('m@evil.test')
})

test('what is too long to be shown comes as a file', async () => {
  const { facts, files } = await reader.read(html('<b>a</b>\n'.repeat(670_000)))
  expect(facts.text).toMatch(/^a\s+a/)
  expect(facts.html).toBeUndefined()
  expect(files.map(({ name }) => name)).toEqual(['message.txt', 'message.html'])
  expect(files[1]!.content.length).toBeGreaterThan(6_000_000)
})

test('a thread that ends between two mails takes neither the worker nor the next mail with it', async () => {
  const threads: Worker[] = []
  const note = (thread: Worker) => void threads.push(thread)
  process.on('worker', note)
  const shaken = new MailReader({ milliseconds: 5_000, megabytes: 256 })
  try {
    await shaken.read(mail([], 'Hello'))
    const [thread] = threads as [Worker]
    // As where something of the last mail fails after it was read.
    thread.emit('error', new Error('Out of memory'))
    await thread.terminate()
    expect((await shaken.read(mail([], 'And again'))).facts.text).toBe('And again')
    expect(threads).toHaveLength(2)
  } finally {
    process.off('worker', note)
    await shaken.close()
  }
})

test('what takes too long or too much is given up, and the next one is read', async () => {
  const good = mail([], 'Hello')
  const hurried = new MailReader({ milliseconds: 1, megabytes: 256 })
  await expect(hurried.read(html('<div>'.repeat(100_000)))).rejects.toBeInstanceOf(MailUnreadableError)
  const narrow = new MailReader({ milliseconds: 60_000, megabytes: 24 })
  await expect(narrow.read(html('<b>a</b>'.repeat(125_000)))).rejects.toBeInstanceOf(MailUnreadableError)
  expect((await narrow.read(good)).facts.text).toBe('Hello')
  await narrow.close()
})
