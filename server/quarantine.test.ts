import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, startTestServer, type TestServer } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})

afterAll(() => desk.close())

const codes = ({ errors }: { errors: { extensions?: { code?: unknown } }[] }) =>
  errors.map(({ extensions }) => extensions?.code)

/** A file that an agent brought and that is on no comment. */
async function bring(content: string, state: string): Promise<string> {
  const { rows } = await desk.superuser.query<{ sha256: string }>(
    `with file as (
      insert into app_public.stored_files (organization_id, sha256, size, content_type, state, signature)
      values ($1, encode(sha256($2::text::bytea), 'hex'), 3000000000, 'application/zip', $3, 'Eicar') returning *
    )
    insert into app_public.attachments (organization_id, uploaded_by_id, name, sha256, size, content_type, state)
    select organization_id, $4, 'invoice.zip', sha256, size, content_type, state from file returning sha256`,
    [desk.acme.id, content, state, desk.acme.agent.id],
  )
  return rows[0]!.sha256
}

const read = `query ($states: [FileState!]) {
  storedFiles(filter: { state: { in: $states } }, orderBy: [CREATED_AT_DESC]) {
    nodes { id state size signature reason names uploadedBy { name } decidedBy { name } tickets(first: 5) { nodes { reference } } }
  }
}`
const release = `mutation ($sha256: String!, $reason: String!) {
  releaseFile(input: { sha256: $sha256, reason: $reason }) { storedFile { id state reason } }
}`
const remove = `mutation ($sha256: String!, $reason: String!) {
  removeFile(input: { sha256: $sha256, reason: $reason }) { storedFile { id state reason } }
}`
const again = `mutation ($sha256: String!) { scanFileAgain(input: { sha256: $sha256 }) { storedFile { id state } } }`

describe('who may', () => {
  test('nobody but an admin reads the quarantine or decides about it', async () => {
    const { acme } = desk
    const sha256 = await bring('for whom', 'infected')
    for (const person of [acme.customer, acme.agent, acme.manager]) {
      expect(codes(await ask(desk, person, read, { states: ['infected'] }))).toContain('FORBIDDEN')
      for (const document of [release, remove]) {
        expect(codes(await ask(desk, person, document, { sha256, reason: 'So' }))).toEqual(['FORBIDDEN'])
      }
      expect(codes(await ask(desk, person, again, { sha256 }))).toEqual(['FORBIDDEN'])
    }
    expect(codes(await ask(desk, desk.globex.admin, release, { sha256, reason: 'So' }))).toEqual([
      'NOT_FOUND',
    ])
  })
})

test('an admin reads what is held back, and releases and removes it for a reason', async () => {
  const { admin } = desk.acme
  const sha256 = await bring('to decide', 'unscannable')
  const { data, errors } = await ask(desk, admin, read, { states: ['unscannable'] })
  expect(errors).toEqual([])
  expect(data.storedFiles.nodes).toMatchObject([
    {
      state: 'unscannable',
      size: '3000000000',
      signature: 'Eicar',
      reason: null,
      names: ['invoice.zip'],
      uploadedBy: { name: expect.any(String) },
      tickets: { nodes: [] },
    },
  ])
  expect(codes(await ask(desk, admin, release, { sha256, reason: ' ' }))).toEqual(['REASON_MISSING'])
  expect(
    (await ask(desk, admin, release, { sha256, reason: 'It is ours' })).data.releaseFile.storedFile,
  ).toMatchObject({
    state: 'released',
    reason: 'It is ours',
  })
  expect(codes(await ask(desk, admin, release, { sha256, reason: 'Once more' }))).toEqual(['FILE_NOT_HELD'])
  expect(codes(await ask(desk, admin, again, { sha256 }))).toEqual(['FILE_NOT_HELD'])
  expect(
    (await ask(desk, admin, remove, { sha256, reason: 'Not needed' })).data.removeFile.storedFile.state,
  ).toBe('removed')
  expect(codes(await ask(desk, admin, remove, { sha256, reason: 'Once more' }))).toEqual(['FILE_REMOVED'])
})
