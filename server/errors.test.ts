import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isUnavailable, publicError, RequestError, sqlStates } from './errors.ts'

const databaseError = (fields: Record<string, string>) => Object.assign(new Error('internal words'), fields)

test('says nothing of what it does not know', () => {
  expect(publicError(new Error('relation "app_private.sessions" does not exist'))).toBeUndefined()
  expect(publicError(databaseError({ code: '42P01' }))).toBeUndefined()
  expect(publicError(databaseError({ code: 'P0001' }))).toBeUndefined()
  expect(publicError('text')).toBeUndefined()
  expect(publicError(undefined)).toBeUndefined()
})

test('shows no words of the database, nor its names, for its own errors', () => {
  for (const [code, { message }] of Object.entries(sqlStates)) {
    const answer = publicError(
      databaseError({
        code,
        table: 'user_secrets',
        constraint: 'user_secrets_pkey',
        detail: 'Key (…) exists',
      }),
    )
    expect(answer, code).toBeDefined()
    if (!code.startsWith('AD')) expect(answer!.message).toBe(message)
    expect(JSON.stringify(answer)).not.toContain('user_secrets')
  }
})

test('knows every SQLSTATE that our functions raise', () => {
  const raised = new Set<string>()
  for (const file of globSync('db/{functions,policies}/*.sql')) {
    const sql = readFileSync(file, 'utf8')
    // What a function raises to take back its own work it catches itself.
    const caught = new Set([...sql.matchAll(/when sqlstate '(\w{5})' then/g)].map(([, code]) => code))
    for (const [, code] of sql.matchAll(/errcode\s*=\s*'(\w{5})'/g)) if (!caught.has(code)) raised.add(code!)
  }
  expect(raised.size).toBeGreaterThan(5)
  expect([...raised].filter((code) => !(code in sqlStates))).toEqual([])
})

test('names the field that a constraint is about', () => {
  const fieldOf = (fields: Record<string, string>) => publicError(databaseError(fields))?.details?.field
  expect(fieldOf({ code: '23514', table: 'tickets', constraint: 'tickets_subject_check' })).toBe('subject')
  expect(fieldOf({ code: '23514', table: 'tickets', constraint: 'tickets_client_mutation_key_check' })).toBe(
    'clientMutationKey',
  )
  expect(
    fieldOf({ code: '23503', table: 'tickets', constraint: 'tickets_organization_id_service_id_fkey' }),
  ).toBe('serviceId')
  expect(fieldOf({ code: '23502', table: 'tickets', column: 'requester_id' })).toBe('requesterId')
  expect(fieldOf({ code: '23502', table: 'tickets', column: 'organization_id' })).toBeUndefined()
  // A custom field is named by its key.
  expect(fieldOf({ code: 'AD141', column: 'cost_centre' })).toBe('cost_centre')
})

test('tells a database that is away from one that refuses', () => {
  expect(isUnavailable(databaseError({ code: '57P01' }))).toBe(true)
  expect(isUnavailable(databaseError({ code: 'ECONNREFUSED' }))).toBe(true)
  expect(isUnavailable(new Error('timeout exceeded when trying to connect'))).toBe(true)
  expect(isUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true)
  expect(isUnavailable(databaseError({ code: 'ENOENT', syscall: 'connect' }))).toBe(true)
  expect(isUnavailable(databaseError({ code: 'ENOENT', syscall: 'open' }))).toBe(false)
  expect(isUnavailable(databaseError({ code: '57014' }))).toBe(false)
  expect(isUnavailable(databaseError({ code: '42501' }))).toBe(false)
})

test('keeps what a refusal of ours says', () => {
  expect(publicError(new RequestError('INVALID_INPUT', 'No', { field: 'first' }))).toEqual({
    code: 'INVALID_INPUT',
    status: 400,
    message: 'No',
    details: { field: 'first' },
  })
})
