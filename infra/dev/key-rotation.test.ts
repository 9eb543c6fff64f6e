import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAccessTokens } from '../../server/access-token.ts'
import { createEncryption, placeOf } from '../../server/encryption.ts'
import { keyId, parseKeys } from '../../server/key-ring.ts'
import { RotationError, rotateEncryptionKeys, rotateSigningKeys } from './key-rotation.ts'
import { runProgram } from './run-program.ts'
import { readOrCreateSecret, replaceSecret } from './secrets.ts'
import { createTestDatabase, type TestDatabase } from './testing.ts'

const directory = mkdtempSync(join(tmpdir(), 'atum-rotation-'))
const file = join(directory, 'secrets', 'encryption')

let database: TestDatabase
let client: Client
let organizationId: string
let userId: string
let providerId: string
let webhookId: string

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.ownerUrl })
  await client.connect()
  const id = async (text: string, values: unknown[]) =>
    (await client.query<{ id: string }>(text, values)).rows[0]!.id
  organizationId = await id(`select app_private.create_organization('acme', 'Acme') as id`, [])
  userId = await id(
    `insert into app_public.users (organization_id, email, name, role) values ($1, 'a@acme.test', 'Ada', 'agent') returning id`,
    [organizationId],
  )
  providerId = await id(
    `insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id)
     values ($1, 'oidc', 'Single sign-on', 'https://id.example', 'desk') returning id`,
    [organizationId],
  )
  webhookId = await id(
    `insert into app_public.webhooks (organization_id, name, url) values ($1, 'Mirror', 'https://hooks.example') returning id`,
    [organizationId],
  )
})

afterAll(async () => {
  await client.end()
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

const keys = () => parseKeys(readFileSync(file, 'utf8'))

/** Everything that can be sealed, sealed with the key of a fresh file. */
beforeEach(async () => {
  rmSync(file, { force: true })
  const { encrypt } = createEncryption([readOrCreateSecret(file, 48)])
  await client.query('select pg_advisory_unlock_all()')
  await client.query('delete from app_private.authenticators')
  await client.query('delete from app_private.identity_provider_secrets')
  await client.query('delete from app_private.sessions')
  await client.query(
    'insert into app_private.authenticators (organization_id, user_id, sealed) values ($1, $2, $3)',
    [organizationId, userId, encrypt('one-time', placeOf.authenticator(organizationId, userId))],
  )
  await client.query(
    'insert into app_private.identity_provider_secrets (organization_id, provider_id, sealed) values ($1, $2, $3)',
    [organizationId, providerId, encrypt('client', placeOf.identityProvider(providerId))],
  )
  await client.query(
    `insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at, identity_provider_id, id_token)
     values ($1, $2, public.gen_random_bytes(16), public.gen_random_bytes(32), now() + interval '1 day', $3, $4)`,
    [organizationId, userId, providerId, encrypt('id', placeOf.idToken(providerId))],
  )
})

async function sealed(): Promise<string[]> {
  const { rows } = await client.query<{ secret: string }>(
    'select secret from app_private.reencrypt_list() order by table_name',
  )
  return rows.map(({ secret }) => secret)
}

async function openedBy(those: readonly string[]): Promise<string[]> {
  const { decrypt } = createEncryption(those)
  const [authenticator = '', provider = '', session = ''] = await sealed()
  return [
    decrypt(authenticator, placeOf.authenticator(organizationId, userId)),
    decrypt(provider, placeOf.identityProvider(providerId)),
    decrypt(session, placeOf.idToken(providerId)),
  ]
}

const secrets = ['one-time', 'client', 'id']
const rotate = (runningKeyIds?: readonly string[]) => rotateEncryptionKeys({ file, client, runningKeyIds })

describe('the encryption key', () => {
  test('is not replaced while a server runs that has the old one alone', async () => {
    const [old = ''] = keys()
    expect(await rotate([keyId(old)])).toBe('begun')
    await expect(rotate([keyId(old)])).rejects.toThrow('restart ATUM Desk')
    expect(keys()).toHaveLength(2)
    expect(await openedBy([old])).toEqual(secrets)
  })

  test('is not dropped where a secret cannot be opened, and nothing is lost', async () => {
    const [old = ''] = keys()
    await rotate()
    const foreign = createEncryption(['somebody-elses-key-that-has-32-bytes-and-more'])
    await client.query('update app_private.identity_provider_secrets set sealed = $1', [
      foreign.encrypt('client', placeOf.identityProvider(providerId)),
    ])
    await expect(rotate()).rejects.toThrow(/identity_provider_secrets .* is not among ours/)
    expect(keys()).toContain(old)
    await client.query('delete from app_private.identity_provider_secrets')
    expect(await rotate()).toBeLessThanOrEqual(2)
  })

  test('is rotated by one at a time', async () => {
    const other = new Client({ connectionString: database.ownerUrl })
    await other.connect()
    await rotate()
    await expect(rotateEncryptionKeys({ file, client: other, runningKeyIds: undefined })).rejects.toThrow(
      'under way',
    )
    await other.end()
  })

  test('is replaced: first both, then everything sealed anew, then the new one alone', async () => {
    const [old = ''] = keys()
    expect(await rotate([keyId(old)])).toBe('begun')
    const both = keys()
    expect(both[1]).toBe(old)
    expect(await openedBy([old])).toEqual(secrets)

    expect(await rotate(both.map(keyId))).toBe(3)
    const [renewed = '', ...others] = keys()
    expect([renewed, ...others]).toEqual([both[0]])
    expect(await openedBy([renewed])).toEqual(secrets)
    await expect(openedBy([old])).rejects.toThrow('is not among ours')
  })

  test('goes on where it was interrupted', async () => {
    await rotate()
    const both = keys()
    const encryption = createEncryption(both)
    const [authenticator = ''] = await sealed()
    const place = placeOf.authenticator(organizationId, userId)
    // As a rotation leaves it that was killed after the first secret.
    await client.query('select app_private.reencrypt($1, $2, $3, $4, $5)', [
      'app_private.authenticators',
      organizationId,
      userId,
      authenticator,
      encryption.encrypt(encryption.decrypt(authenticator, place), place),
    ])
    expect(await openedBy(both)).toEqual(secrets)
    expect(await rotate()).toBe(2)
    expect(keys()).toEqual([both[0]])
    expect(await openedBy(keys())).toEqual(secrets)
  })

  test('seals what came under the old key while it was at work', async () => {
    await rotate()
    const [, old = ''] = keys()
    const place = placeOf.authenticator(organizationId, userId)
    // Between the list and the change of this secret somebody stores another one.
    const query = client.query.bind(client) as (text: string, values?: unknown[]) => Promise<unknown>
    let isChanged = false
    client.query = (async (text: string, values?: unknown[]) => {
      if (text.includes('reencrypt($1') && !isChanged) {
        isChanged = true
        await query('update app_private.authenticators set sealed = $1', [
          createEncryption([old]).encrypt('another', place),
        ])
      }
      return query(text, values)
    }) as typeof client.query
    try {
      expect(await rotate()).toBe(3)
    } finally {
      client.query = query as typeof client.query
    }
    expect(await openedBy(keys())).toEqual(['another', 'client', 'id'])
  })
})

test('a key that is not there is not rotated', async () => {
  expect(() => rotateSigningKeys(join(directory, 'secrets', 'nothing'))).toThrow(RotationError)
})

test('of the signing keys the last two are kept: tokens of the one before live on', () => {
  const jwt = join(directory, 'secrets', 'jwt')
  replaceSecret(jwt, 'the-first-key-for-tests-that-has-32-bytes-and-more')
  const inUse = () => parseKeys(readFileSync(jwt, 'utf8'))
  const claims = { userId, organizationId, role: 'agent', sessionId: crypto.randomUUID() } as const
  const token = createAccessTokens(inUse()).sign(claims)
  rotateSigningKeys(jwt)
  expect(createAccessTokens(inUse()).verify(token)).toMatchObject(claims)
  rotateSigningKeys(jwt)
  expect(inUse()).toHaveLength(2)
  expect(createAccessTokens(inUse()).verify(token)).toBeUndefined()
})

test('the command says what it did, and what is left to do', async () => {
  const environment = { ...process.env, ATUM_DATA_DIR: directory, DATABASE_URL: database.ownerUrl }
  const run = (...which: string[]) =>
    runProgram(process.execPath, ['infra/dev/rotate-keys.ts', ...which], { environment })
  await expect(run()).rejects.toThrow('Usage')
  await expect(run('password')).rejects.toThrow('Usage')
  expect(await run('jwt')).toContain('Restart ATUM Desk')
  expect(await run('encryption')).toContain('then do the same again')
  expect(keys()).toHaveLength(2)
  expect(await run('encryption')).toContain('3 secrets were sealed anew')
  expect(keys()).toHaveLength(1)
  expect(await openedBy(keys())).toEqual(secrets)
})

test('both secrets of a webhook are sealed anew while one takes over from the other', async () => {
  const place = placeOf.webhook(organizationId, webhookId)
  const { encrypt } = createEncryption(keys())
  await client.query(
    `insert into app_private.webhook_secrets (organization_id, webhook_id, sealed, expires_at)
     values ($1, $2, $3, null), ($1, $2, $4, now() + interval '1 day')`,
    [organizationId, webhookId, encrypt('in use', place), encrypt('before', place)],
  )
  await rotate()
  expect(await rotate()).toBe(5)
  const { decrypt } = createEncryption(keys())
  const { rows } = await client.query<{ sealed: string }>(
    'select sealed from app_private.webhook_secrets order by expires_at',
  )
  expect(rows.map((row) => decrypt(row.sealed, place))).toEqual(['before', 'in use'])
  await client.query('delete from app_private.webhook_secrets')
})
