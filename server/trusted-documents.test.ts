import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerOf, ask, startTestServer, TestSocket, type TestServer } from './testing.ts'

const known = 'query WhoAmI { currentUser { name } }'
const live = 'subscription Live { inboxChanged { event } }'
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

let webDirectory: string
let desk: TestServer

const build = (...texts: string[]) =>
  writeFileSync(
    join(webDirectory, 'documents.json'),
    JSON.stringify(Object.fromEntries(texts.map((text) => [hashOf(text), text]))),
  )

beforeAll(async () => {
  webDirectory = mkdtempSync(join(tmpdir(), 'atum-documents-'))
  build(known, live)
  desk = await startTestServer({ webDirectory, trustedDocumentsOnly: true })
})

afterAll(async () => {
  await desk.close()
  rmSync(webDirectory, { recursive: true })
})

async function send(body: object, token = desk.acme.agent.token) {
  return answerOf(
    await fetch(`${desk.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    }),
  )
}

const byHash = (sha256Hash: unknown) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })

test('a session asks nothing in words of its own, not even what is known', async () => {
  for (const query of ['{ currentUser { email } }', known]) {
    expect(await ask(desk, desk.acme.agent, query)).toMatchObject({
      status: 403,
      codes: ['DOCUMENT_REQUIRED'],
      data: null,
    })
  }
  // Nor beside a hash that is known.
  expect(await send({ ...byHash(hashOf(known)), query: '{ currentUser { email } }' })).toMatchObject({
    codes: ['DOCUMENT_REQUIRED'],
  })
})

test('a hash that nothing has is no operation', async () => {
  expect(await send(byHash('f'.repeat(64)))).toMatchObject({ status: 400, codes: ['DOCUMENT_UNKNOWN'] })
  for (const hash of ['__proto__', '../package', 7, null, '']) {
    expect((await send(byHash(hash))).codes, String(hash)).toEqual(['DOCUMENT_REQUIRED'])
  }
})

test('a session asks by hash, over both ways', async () => {
  expect(await send(byHash(hashOf(known)))).toMatchObject({
    errors: [],
    data: { currentUser: { name: 'agent of acme' } },
  })
  const socket = await (await new TestSocket(desk.origin).open()).logIn(desk.acme.agent)
  const subscribe = (id: string, payload: object) => socket.send({ id, type: 'subscribe', payload })
  subscribe('words', { query: live })
  expect(await socket.until(({ id }) => id === 'words')).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'DOCUMENT_REQUIRED' } }],
  })
  subscribe('hash', { query: '', ...byHash(hashOf(known)) })
  expect(await socket.until(({ id }) => id === 'hash')).toMatchObject({
    type: 'next',
    payload: { data: { currentUser: { name: 'agent of acme' } } },
  })
  socket.close()
})

test('an API token asks what it likes, and a stranger who it is', async () => {
  const { rows } = await desk.superuser.query<{ secret: string }>(
    `select set_config('atum.organization_id', $1, false), set_config('atum.user_id', $2, false), set_config('atum.session_id', $3, false),
       (app_public.create_api_token('a program', '{read}')).secret`,
    [desk.acme.id, desk.acme.agent.id, desk.acme.agent.sessionId],
  )
  const answer = await ask(desk, { token: rows[0]!.secret }, '{ currentUser { email } }')
  expect(answer).toMatchObject({ errors: [], data: { currentUser: { email: 'agent@acme.test' } } })
  expect((await ask(desk, null, '{ currentUser { name } }')).data).toEqual({ currentUser: null })
})

test('a new build under a running server is noticed', async () => {
  const other = 'query Other { currentUser { role } }'
  build(known, live, other)
  utimesSync(join(webDirectory, 'documents.json'), new Date(), new Date(Date.now() + 5_000))
  await expect
    .poll(async () => (await send(byHash(hashOf(other)))).data, { timeout: 5_000 })
    .toEqual({ currentUser: { role: 'agent' } })
})
