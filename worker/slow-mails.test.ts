import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Tenant, twoTenants } from '../db/tests/support/fixture.ts'
import { createTestDatabase, type TestDatabase } from '../infra/dev/testing.ts'
import { MailStore } from './mail-in/mail-store.ts'
import { startWorker } from './testing.ts'

let database: TestDatabase
let client: Client
let acme: Tenant
let globex: Tenant
let dataDirectory: string
let mails: MailStore
let uid = 0

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  ;({ acme, globex } = await twoTenants(client))
  dataDirectory = mkdtempSync(join(tmpdir(), 'atum-slow-mails-'))
  mails = new MailStore(dataDirectory)
})

afterAll(async () => {
  await client.end()
  await database.drop()
  rmSync(dataDirectory, { recursive: true, force: true })
})

/** Has a mail come in, and returns its row id. */
async function comesIn({ organizationId }: Tenant, body: string): Promise<string> {
  uid += 1
  const source = Buffer.from(
    [
      'From: Mallory <mallory@elsewhere.test>',
      `Message-ID: <${uid}@elsewhere.test>`,
      'Subject: Hello',
      'Content-Type: text/html',
      '',
      body,
    ].join('\r\n'),
  )
  await client.query('begin')
  await client.query(`select set_config('atum.organization_id', $1, true)`, [organizationId])
  const { rows } = await client.query<{ id: string }>(
    `select app_private.store_incoming_mail(box.id, $2) as id
    from app_public.mailboxes as box where box.organization_id = $1 and box.archived_at is null limit 1`,
    [
      organizationId,
      JSON.stringify({
        folder: 'INBOX',
        uidValidity: '9',
        uid,
        sha256: await mails.keep(organizationId, source),
        size: source.length,
      }),
    ],
  )
  await client.query('commit')
  return rows[0]!.id
}

const statesOf = async (...ids: string[]) =>
  (
    await client.query<{ state: string }>('select state from app_public.incoming_mails where id = any ($1)', [
      ids,
    ])
  ).rows.map(({ state }) => state)

test('mails that are made to be slow hold up those of their organization alone, and no job of another kind', async () => {
  const slow = []
  for (let number = 0; number < 8; number += 1)
    slow.push(await comesIn(acme, '<div>'.repeat(200_000) + String(number)))
  const other = await comesIn(globex, '<p>The printer is out of paper</p>')
  const worker = await startWorker(database.workerUrl, {
    ATUM_DATA_DIR: dataDirectory,
    ATTACHMENT_SCANNER: 'off',
  })
  try {
    await vi.waitFor(async () => expect(await statesOf(other)).toEqual(['processed']), { timeout: 10_000 })
    expect(await statesOf(...slow)).toEqual(slow.map(() => 'stored'))
  } finally {
    // What it is at would take as long as it may.
    worker.process.kill('SIGKILL')
    await worker.ended
  }
})
