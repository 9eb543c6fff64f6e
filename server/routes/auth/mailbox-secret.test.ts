import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEncryption, placeOf } from '../../encryption.ts'
import { startTestServer, type TestServer } from '../../testing.ts'
import { apiTokenOf, bearer, post, program } from './testing/requests.ts'

let desk: TestServer
let mailboxId: string

beforeAll(async () => {
  desk = await startTestServer()
  const { rows } = await desk.superuser.query<{ id: string }>(
    `insert into app_public.mailboxes (organization_id, name, address, host, username)
    values ($1, 'Secret', 'secret@desk.test', 'imap.desk.test', 'secret') returning id`,
    [desk.acme.id],
  )
  mailboxId = rows[0]!.id
})

afterAll(() => desk.close())

const save = (body: unknown, headers: Record<string, string>) => post(desk, 'mailbox-secret', body, headers)
const stored = async () => {
  const { rows } = await desk.superuser.query<{ sealed: string }>(
    'select sealed from app_private.mailbox_secrets where mailbox_id = $1',
    [mailboxId],
  )
  const encryption = createEncryption(desk.environment.encryptionKeys)
  return rows.map(
    ({ sealed }) =>
      JSON.parse(encryption.decrypt(sealed, placeOf.mailbox(desk.acme.id, mailboxId))) as unknown,
  )
}

test('is taken from nobody but an admin who logged in, for a mailbox of the own organization', async () => {
  const body = { mailboxId, password: 'stolen' }
  const admin = bearer(desk.acme.admin)
  const attempts: [unknown, Record<string, string>, number, string][] = [
    [body, program, 401, 'UNAUTHENTICATED'],
    [body, bearer(desk.acme.agent), 403, 'FORBIDDEN'],
    [body, bearer(desk.acme.manager), 403, 'FORBIDDEN'],
    [body, bearer(await apiTokenOf(desk, desk.acme, desk.acme.admin)), 403, 'SESSION_REQUIRED'],
    [body, bearer(desk.globex.admin), 404, 'NOT_FOUND'],
    [{ ...body, mailboxId: 'x' }, admin, 400, 'INVALID_INPUT'],
    [{ mailboxId }, admin, 400, 'INVALID_INPUT'],
    [{ mailboxId, password: '' }, admin, 400, 'INVALID_INPUT'],
    [{ mailboxId, password: 'a\r\nb' }, admin, 400, 'INVALID_INPUT'],
    [{ mailboxId, password: 'a', refreshToken: 'b' }, admin, 400, 'INVALID_INPUT'],
    [{ mailboxId, accessToken: 'x'.repeat(9_000) }, admin, 400, 'INVALID_INPUT'],
  ]
  for (const [attempt, headers, status, code] of attempts) {
    const response = await save(attempt, headers)
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }])
  }
  expect(await stored()).toEqual([])
})

test('is kept encrypted for this mailbox, and the last one counts', async () => {
  for (const secret of [
    { password: 'pa ss"wörd' },
    { accessToken: 'y'.repeat(3_000) },
    { refreshToken: 'r', clientSecret: 's' },
  ]) {
    expect((await save({ mailboxId, ...secret }, bearer(desk.acme.admin))).status).toBe(204)
    expect(await stored()).toEqual([secret])
  }
})
