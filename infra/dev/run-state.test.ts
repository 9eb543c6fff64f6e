import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRunning, referenceTo } from './process-identity.ts'
import { AlreadyRunningError, claimDataDirectory, readLiveRunState, readRunState } from './run-state.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'atum-state-'))
})

afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

test('refuses a directory on which another run lives, and names its address', () => {
  const claim = claimDataDirectory(dataDir)
  claim.update({ address: 'http://localhost:8123' })
  expect(() => claimDataDirectory(dataDir)).toThrow(AlreadyRunningError)
  expect(() => claimDataDirectory(dataDir)).toThrow(/http:\/\/localhost:8123/)
  expect(readLiveRunState(dataDir)?.address).toBe('http://localhost:8123')
})

test('is not misled by a process that has the pid of a dead run', () => {
  const bystander = { ...referenceTo(process.pid), started: 'in another life' }
  writeFileSync(join(dataDir, 'state.json'), JSON.stringify({ launcher: bystander, children: {}, port: 1 }))
  expect(readLiveRunState(dataDir)).toBeUndefined()
  expect(claimDataDirectory(dataDir).leftover?.port).toBe(1)
})

test('tells the next run what a killed one left behind', async () => {
  const dead = spawn('true')
  const launcher = referenceTo(dead.pid ?? 0)
  await once(dead, 'exit')
  const server = referenceTo(process.pid)
  writeFileSync(join(dataDir, 'state.json'), JSON.stringify({ launcher, children: { server } }))
  expect(claimDataDirectory(dataDir).leftover?.children).toEqual({ server })
})

test('survives a state file that is no JSON', () => {
  writeFileSync(join(dataDir, 'state.json'), 'torn')
  expect(claimDataDirectory(dataDir).leftover).toBeUndefined()
})

test('is readable by its owner alone, and gone when the run ends', () => {
  const claim = claimDataDirectory(dataDir)
  claim.update({ ownerUrl: 'postgres://atum_owner:secret@127.0.0.1/atum' })
  expect(statSync(join(dataDir, 'state.json')).mode & 0o077).toBe(0)
  claim.release()
  expect(readRunState(dataDir)).toBeUndefined()
})

test('tells a living process from a gone one', async () => {
  const child = spawn('sleep', ['60'])
  const reference = referenceTo(child.pid ?? 0)
  expect(isRunning(reference)).toBe(true)
  child.kill()
  await once(child, 'exit')
  expect(isRunning(reference)).toBe(false)
})
