import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readOrCreateSecret, readSecret, replaceSecret } from './secrets.ts'

const directory = mkdtempSync(join(tmpdir(), 'atum-secrets-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('refuses to take an empty file for a secret', () => {
  writeFileSync(join(directory, 'empty'), '\n')
  expect(() => readOrCreateSecret(join(directory, 'empty'))).toThrow(/is empty/)
})

test('makes a secret once, for its owner alone, and leaves nothing else behind', () => {
  const file = join(directory, 'made', 'jwt')
  const secret = readOrCreateSecret(file, 48)
  expect(secret).toMatch(/^[\w-]{64}$/)
  expect(readOrCreateSecret(file, 48)).toBe(secret)
  expect(statSync(file).mode & 0o077).toBe(0)
  expect(readdirSync(join(directory, 'made'))).toEqual(['jwt'])
})

test('replaces a secret for its owner alone, and leaves nothing else behind', () => {
  const file = join(directory, 'replaced', 'jwt')
  readOrCreateSecret(file)
  replaceSecret(file, 'new\nold')
  expect(readSecret(file)).toBe('new\nold')
  expect(statSync(file).mode & 0o077).toBe(0)
  expect(readdirSync(join(directory, 'replaced'))).toEqual(['jwt'])
})
