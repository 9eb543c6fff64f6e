import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { isRunning, type ProcessReference } from './process-identity.ts'
import { supervise } from './supervised-process.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'atum-supervise-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function run(program: string) {
  const started: ProcessReference[] = []
  const printed: string[] = []
  const given: string[][] = []
  const supervised = supervise({
    name: 'sample',
    args: ['--eval', program],
    environment: process.env,
    logFile: join(directory, 'sample.log'),
    print: (line) => printed.push(line),
    onStart: (reference) => started.push(reference),
    onGiveUp: (lastLines) => given.push(lastLines),
  })
  onTestFinished(() => supervised.kill())
  return { supervised, started, printed, given }
}

test('gives up on what dies each time, with its last words', { timeout: 15_000 }, async () => {
  const { started, printed, given } = run(`console.error('I cannot'); process.exit(7)`)
  await expect.poll(() => given, { timeout: 12_000 }).toHaveLength(1)
  expect(started).toHaveLength(5)
  expect(given[0]?.at(-1)).toBe('I cannot')
  expect(printed.filter((line) => line.includes('died (exit status 7)'))).toHaveLength(4)
})

test('starts again what was killed, and not what was stopped', async () => {
  const { supervised, started } = run(`console.log('up'); setInterval(() => {}, 1e6)`)
  const [first] = started
  if (!first) throw new Error('not started')
  process.kill(first.pid, 'SIGKILL')
  await expect.poll(() => started.length).toBe(2)
  await supervised.stop()
  expect(started.map(isRunning)).toEqual([false, false])
  expect(started).toHaveLength(2)
})

test('kills what does not stop when it is asked to', async () => {
  const { supervised, started } = run(
    `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)`,
  )
  await expect.poll(supervised.lastLines).toContain('up')
  await supervised.stop()
  expect(started.map(isRunning)).toEqual([false])
})

test('logs all, and shows warnings only', async () => {
  const { supervised, printed } = run(
    `console.log('{"level":30,"msg":"fine"}'); console.log('{"level":40,"msg":"odd"}'); setInterval(() => {}, 1e6)`,
  )
  await expect.poll(() => printed).toEqual(['sample   warn odd'])
  await supervised.stop()
  await expect.poll(() => readFileSync(join(directory, 'sample.log'), 'utf8')).toMatch(/fine.*\n.*odd/)
})
