import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { JobHelpers } from 'graphile-worker'
import { Client, Pool, type PoolClient } from 'pg'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import { type Tenant, twoTenants } from '../../db/tests/support/fixture.ts'
import { createTestDatabase, type TestDatabase } from '../../infra/dev/testing.ts'
import { createEncryption, placeOf } from '../../server/encryption.ts'
import testMailbox from '../tasks/test_mailbox.ts'
import { startWorker, stopWorker, type TestWorker } from '../testing.ts'
import { type Dovecot, passwordOf, startDovecot } from './testing.ts'

const key = 'k'.repeat(48)
const encryption = createEncryption([key])
const patience = { timeout: 20_000, interval: 50 }

let database: TestDatabase
let client: Client
let acme: Tenant
let globex: Tenant
let dovecot: Dovecot
let dataDirectory: string
const workers: TestWorker[] = []
const tokens = { asked: [] as URLSearchParams[], refresh: 'refresh-1', access: 'access-1' }
let tokenServer: Server
let tokenUrl: string

beforeAll(async () => {
  // The token endpoint, and what tells the IMAP server whose a token is.
  tokenServer = createServer((request, response) => {
    void readAll(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://x')
      response.setHeader('content-type', 'application/json')
      if (pathname === '/info') {
        const isGood = searchParams.get('access_token') === tokens.access
        response.statusCode = isGood ? 200 : 401
        response.end(JSON.stringify(isGood ? { user: 'oauth', active: 'yes' } : { error: 'invalid_token' }))
        return
      }
      const asked = new URLSearchParams(body)
      tokens.asked.push(asked)
      const isGood = asked.get('refresh_token') === tokens.refresh
      if (isGood) tokens.refresh = 'refresh-2'
      response.statusCode = isGood ? 200 : 400
      response.end(
        JSON.stringify(
          isGood
            ? { access_token: tokens.access, expires_in: 3600, refresh_token: tokens.refresh }
            : { error: 'invalid_grant', error_description: 'refresh-0 is not good' },
        ),
      )
    })
  })
  await new Promise<void>((resolve) => tokenServer.listen(0, '127.0.0.1', resolve))
  tokenUrl = `http://127.0.0.1:${(tokenServer.address() as AddressInfo).port}`
  ;[database, dovecot] = await Promise.all([
    createTestDatabase(),
    startDovecot({ tokenInfoUrl: `${tokenUrl}/info?access_token=` }),
  ])
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  ;({ acme, globex } = await twoTenants(client))
  dataDirectory = mkdtempSync(join(tmpdir(), 'atum-mails-'))
})

beforeEach(async () => {
  await client.query('delete from app_public.incoming_mails; delete from app_public.mailboxes')
})

/** Stops what a test started; the one that most of them share goes on. */
const stopWorkers = async () => {
  await Promise.all(
    workers
      .splice(0)
      .filter(({ process }) => process.exitCode === null && process.signalCode === null)
      .map((worker) => stopWorker(worker)),
  )
}

afterEach(async () => {
  if (workers[0] !== shared) await stopWorkers()
})

afterAll(async () => {
  await stopWorkers()
  await client.end()
  await Promise.all([database.drop(), dovecot.close()])
  tokenServer.close()
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function start(environment: Record<string, string> = {}): Promise<TestWorker> {
  const worker = await startWorker(database.workerUrl, {
    ATUM_DATA_DIR: dataDirectory,
    ATUM_ENCRYPTION_KEY: key,
    ATUM_MAIL_LEASE_SECONDS: '2',
    ATTACHMENT_SCANNER: 'off',
    ...environment,
  })
  workers.push(worker)
  return worker
}

let shared: TestWorker | undefined
/** A worker as every other one: most tests do not care which. */
async function share(): Promise<TestWorker> {
  if (!shared || workers[0] !== shared) {
    await stopWorkers()
    shared = await start()
  }
  return shared
}
/** Alone, and with an environment of its own. */
async function startAlone(environment: Record<string, string> = {}): Promise<TestWorker> {
  if (workers[0] === shared) await stopWorkers()
  shared = undefined
  return start(environment)
}

let names = 0
/** A mailbox that nobody used before, with its secret. */
async function mailbox(
  values: Record<string, unknown> = {},
  { secret = undefined as object | undefined, tenant = acme } = {},
): Promise<{ id: string; user: string }> {
  names += 1
  const user = (values.username as string | undefined) ?? `box${names}`
  const columns = {
    organization_id: tenant.organizationId,
    name: user,
    address: `${user}@desk.test`,
    host: '127.0.0.1',
    port: dovecot.port,
    security: 'none',
    username: user,
    ...values,
  }
  const { rows } = await client.query<{ id: string }>(
    `insert into app_public.mailboxes (${Object.keys(columns).join(', ')})
    values (${Object.keys(columns)
      .map((_column, at) => `$${at + 1}`)
      .join(', ')}) returning id`,
    Object.values(columns),
  )
  const { id } = rows[0]!
  await client.query(
    'insert into app_private.mailbox_secrets (organization_id, mailbox_id, sealed) values ($1, $2, $3)',
    [
      tenant.organizationId,
      id,
      encryption.encrypt(
        JSON.stringify(secret ?? { password: passwordOf(user) }),
        placeOf.mailbox(tenant.organizationId, id),
      ),
    ],
  )
  return { id, user }
}

const mail = (subject: string, body = 'It does not work') =>
  [
    `From: Paula Kern <paula@customer.test>`,
    `To: support@desk.test`,
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(' ', '-')}@customer.test>`,
    `Date: Thu, 26 Nov 2026 09:12:44 +0100`,
    '',
    body,
    '',
  ].join('\r\n')

const mails = async (mailboxId?: string) =>
  (
    await client.query<{ subject: string; state: string; reason: string | null; sha256: string | null }>(
      `select subject, state, reason, sha256 from app_public.incoming_mails
      where $1::uuid is null or mailbox_id = $1 order by created_at, uid`,
      [mailboxId ?? null],
    )
  ).rows
const processed = async (mailboxId?: string) =>
  (await mails(mailboxId)).filter(({ state }) => state === 'processed').map(({ subject }) => subject)
const stateOf = async (mailboxId: string) =>
  (
    await client.query<{
      last_fetched_at: Date | null
      failing_since: Date | null
      last_error: string | null
      last_uid: string | null
      lease_holder: string | null
    }>('select * from app_public.mailbox_states where mailbox_id = $1', [mailboxId])
  ).rows[0]!
/** Switches a mailbox, and waits until the worker leaves one that is off. */
async function setEnabled(worker: TestWorker, id: string, isEnabled: boolean): Promise<void> {
  const left = () =>
    worker
      .said()
      .split('\n')
      .filter((line) => line.includes(id) && line.includes('is left')).length
  const before = left()
  await client.query('update app_public.mailboxes set is_enabled = $2 where id = $1', [id, isEnabled])
  if (!isEnabled) await vi.waitFor(() => expect(left()).toBeGreaterThan(before), patience)
}
const isRead = (mailboxId: string) =>
  vi.waitFor(async () => expect((await stateOf(mailboxId)).last_fetched_at).not.toBeNull(), patience)
const tickets = async (subject: string) =>
  (await client.query('select from app_public.tickets where subject = $1', [subject])).rowCount

describe('a mailbox', () => {
  test('is read: what nobody read is taken, what comes is taken at once, and nothing is deleted', async () => {
    const { id, user } = await mailbox()
    await dovecot.deliver(user, mail('Before one'))
    await share()
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Before one']), patience)

    // It waits without asking: the server tells.
    const delivered = Date.now()
    await dovecot.deliver(user, mail('Then two'))
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Before one', 'Then two']), patience)
    expect(Date.now() - delivered).toBeLessThan(10_000)

    await vi.waitFor(
      async () =>
        expect(await dovecot.look(user)).toEqual([
          { uid: 1, seen: true, subject: 'Before one' },
          { uid: 2, seen: true, subject: 'Then two' },
        ]),
      patience,
    )
    expect(await tickets('Then two')).toBe(1)
    const [first] = await mails(id)
    expect(readdirSync(join(dataDirectory, 'mails', acme.organizationId))).toContain(`${first!.sha256}.eml`)
  })

  test('is switched on, changed and off without a new start of the worker', async () => {
    const worker = await share()
    const { id, user } = await mailbox({ folder: 'Requests' })
    await vi.waitFor(async () => expect((await stateOf(id)).last_error).toContain('Requests'), patience)
    await dovecot.renew(user, 'Requests')
    await dovecot.deliver(user, mail('In a folder'), 'Requests')
    await client.query(`update app_public.mailboxes set processed_folder = 'Done' where id = $1`, [id])
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['In a folder']), patience)
    await vi.waitFor(async () => expect(await dovecot.look(user, 'Requests')).toEqual([]), patience)
    expect(await dovecot.look(user, 'Done')).toMatchObject([{ subject: 'In a folder', seen: true }])

    await setEnabled(worker, id, false)
    await dovecot.deliver(user, mail('Too late'), 'Requests')
    await setEnabled(worker, id, true)
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['In a folder', 'Too late']), patience)
  })

  test('goes on where it was after the server was away', async () => {
    const { id, user } = await mailbox()
    await share()
    await isRead(id)
    await dovecot.stop()
    await vi.waitFor(async () => expect((await stateOf(id)).failing_since).not.toBeNull(), patience)
    await dovecot.start()
    await dovecot.deliver(user, mail('Back again'))
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Back again']), patience)
    expect(await stateOf(id)).toMatchObject({ failing_since: null, last_error: null })
  })

  test('whose numbers begin anew gives each mail once', async () => {
    const { id, user } = await mailbox({ folder: 'Box' })
    await dovecot.renew(user, 'Box')
    await dovecot.deliver(user, mail('Old one'), 'Box')
    const worker = await share()
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Old one']), patience)
    await setEnabled(worker, id, false)
    await dovecot.renew(user, 'Box')
    await dovecot.deliver(user, mail('Old one'), 'Box')
    await dovecot.deliver(user, mail('New one'), 'Box')
    await setEnabled(worker, id, true)
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Old one', 'New one']), patience)
    expect(await mails(id)).toHaveLength(2)
  })

  test('keeps a mail that is too large, which is told of', async () => {
    const { id, user } = await mailbox({ max_mail_bytes: 65_536 })
    await dovecot.deliver(user, mail('A film', 'x'.repeat(70_000)))
    await dovecot.deliver(user, mail('A word'))
    await share()
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['A word']), patience)
    expect(await mails(id)).toMatchObject([
      { subject: 'A film', state: 'refused', reason: 'oversize', sha256: null },
      { subject: 'A word', state: 'processed' },
    ])
    expect(await dovecot.look(user)).toMatchObject([{ seen: false }, { seen: true }])
    const { rowCount } = await client.query(
      `select from app_public.notifications where facts ->> 'alert' = 'mail_not_taken' and facts ->> 'subject' = 'A film'`,
    )
    expect(rowCount).toBeGreaterThan(0)
  })

  test('is left where it is while its organization has no more room, and read when it has', async () => {
    const before = await mailbox()
    await client.query(
      `insert into app_public.incoming_mails (organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, state, reason, processed_at)
      values ($1, $2, 'Old', 1, 1, repeat('a', 64), 5368709120 - 500, 'ignored', 'flood', now())`,
      [acme.organizationId, before.id],
    )
    const { id, user } = await mailbox()
    await dovecot.deliver(user, mail('Too much', 'x'.repeat(1_000)))
    await share()
    await vi.waitFor(async () => expect((await stateOf(id)).last_error).toContain('may take in'), patience)
    expect(await mails(id)).toEqual([])
    expect(await dovecot.look(user)).toMatchObject([{ seen: false }])
    await client.query(`update app_public.incoming_mails set created_at = now() - interval '25 hours'`)
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['Too much']), patience)
  })

  test('that cannot be opened is told of once, and read when it can be', async () => {
    const { id } = await mailbox({}, { secret: { password: 'wrong' } })
    const worker = await share()
    await vi.waitFor(
      async () => expect((await stateOf(id)).last_error).toContain('refused the login'),
      patience,
    )
    expect(worker.said()).not.toContain('wrong')

    const alerts = async () =>
      (
        await client.query<{ count: number }>(
          `select count(*)::int from app_public.notifications
          where organization_id = $1 and facts ->> 'alert' = 'mailbox_silent' and facts ->> 'mailbox_id' = $2`,
          [acme.organizationId, id],
        )
      ).rows[0]!.count
    const sweep = async () => {
      await client.query('begin')
      await client.query(`select set_config('atum.organization_id', $1, true)`, [acme.organizationId])
      await client.query('select app_private.sweep_mailboxes()')
      await client.query('commit')
    }
    await sweep()
    expect(await alerts()).toBe(0)
    await client.query(
      `update app_public.mailbox_states set enabled_at = now() - interval '16 minutes' where mailbox_id = $1`,
      [id],
    )
    await sweep()
    expect(await alerts()).toBe(1)
    await sweep()
    expect(await alerts()).toBe(1)
  })
})

describe('several', () => {
  test('mailboxes are read side by side, each for its organization', async () => {
    const [one, two] = [await mailbox(), await mailbox({}, { tenant: globex })]
    await share()
    await Promise.all([isRead(one.id), isRead(two.id)])
    await Promise.all([
      dovecot.deliver(one.user, mail('For acme')),
      dovecot.deliver(two.user, mail('For globex')),
    ])
    await vi.waitFor(async () => {
      expect(await processed(one.id)).toEqual(['For acme'])
      expect(await processed(two.id)).toEqual(['For globex'])
    }, patience)
  })

  test('workers read a mailbox one at a time, and one takes over from another that died', async () => {
    const { id, user } = await mailbox()
    const first = await startAlone()
    const second = await start()
    await isRead(id)
    const { lease_holder } = await stateOf(id)
    const holder = [first, second].find(({ process }) => lease_holder!.includes(`:${process.pid}:`))!
    for (let at = 1; at <= 5; at += 1) await dovecot.deliver(user, mail(`Number ${at}`))
    await vi.waitFor(async () => expect(await processed(id)).toHaveLength(5), patience)
    expect((await stateOf(id)).lease_holder).toBe(lease_holder)

    holder.process.kill('SIGKILL')
    await dovecot.deliver(user, mail('Number 6'))
    await vi.waitFor(async () => expect(await processed(id)).toHaveLength(6), patience)
    expect((await stateOf(id)).lease_holder).not.toBe(lease_holder)
    expect(await mails(id)).toHaveLength(6)
  })
})

describe('a worker that is killed', () => {
  /** Holds a lock until a worker waits for it, and then kills that worker. */
  async function killAt(lock: string, deliver: () => Promise<unknown>): Promise<void> {
    // What holds the lock keeps the lease from being renewed.
    const worker = await startAlone({ ATUM_MAIL_LEASE_SECONDS: '60' })
    const holder = new Client({ connectionString: database.superuserUrl })
    await holder.connect()
    try {
      await vi.waitFor(() => expect(worker.said()).toContain('is read'), patience)
      await vi.waitFor(async () => {
        const { rowCount } = await client.query(
          'select from app_public.mailbox_states where last_fetched_at is not null',
        )
        expect(rowCount).toBe(1)
      }, patience)
      await holder.query('begin')
      await holder.query(lock)
      await deliver()
      await vi.waitFor(async () => {
        const { rowCount } = await client.query(
          `select from pg_stat_activity where application_name = 'atum-worker' and wait_event_type = 'Lock' and datname = current_database()
          and (query ~ 'store_incoming_mail' or query ~ 'mailbox_fetched')`,
        )
        expect(rowCount).toBeGreaterThan(0)
      }, patience)
      worker.process.kill('SIGKILL')
      await worker.ended
    } finally {
      await holder.query('rollback')
      await holder.end()
      await client.query('update app_public.mailbox_states set lease_until = null')
    }
  }

  test.each([
    ['between the disk and the row', 'lock table app_public.incoming_mails in exclusive mode'],
    ['between the row and what is noted of it', 'select from app_public.mailbox_states for update'],
  ])('%s, loses nothing and takes nothing twice', async (_when, lock) => {
    const { id, user } = await mailbox()
    await killAt(lock, () => dovecot.deliver(user, mail(`Killed ${_when}`)))
    await start()
    await vi.waitFor(async () => expect(await processed(id)).toEqual([`Killed ${_when}`]), patience)
    await dovecot.deliver(user, mail(`After ${_when}`))
    await vi.waitFor(async () => expect(await processed(id)).toHaveLength(2), patience)
    expect(await mails(id)).toHaveLength(2)
    expect(await tickets(`Killed ${_when}`)).toBe(1)
  })
})

describe('a login by tokens', () => {
  const oauth = (secret: object) =>
    mailbox(
      {
        username: 'oauth',
        auth: 'oauth2',
        token_endpoint: `${tokenUrl}/token`,
        client_id: 'desk',
        scopes: 'imap',
      },
      { secret },
    )

  test('exchanges the refresh token, and keeps the new one', async () => {
    Object.assign(tokens, { asked: [], refresh: 'refresh-1', access: 'access-1' })
    const { id, user } = await oauth({ refreshToken: 'refresh-1', clientSecret: 'secret' })
    await dovecot.deliver(user, mail('By token'))
    await share()
    await vi.waitFor(async () => expect(await processed(id)).toEqual(['By token']), patience)
    expect(Object.fromEntries(tokens.asked[0]!)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      client_id: 'desk',
      client_secret: 'secret',
      scope: 'imap',
    })
    const { rows } = await client.query<{ sealed: string }>('select sealed from app_private.mailbox_secrets')
    expect(
      JSON.parse(encryption.decrypt(rows[0]!.sealed, placeOf.mailbox(acme.organizationId, id))),
    ).toMatchObject({
      refreshToken: 'refresh-2',
    })
  })

  test('that is refused says so without the secret', async () => {
    const { id } = await oauth({ refreshToken: 'refresh-0' })
    const worker = await share()
    await vi.waitFor(
      async () => expect((await stateOf(id)).last_error).toContain('400 invalid_grant'),
      patience,
    )
    expect((await stateOf(id)).last_error).not.toContain('refresh-0')
    expect(worker.said()).not.toContain('refresh-0')
  })
})

describe('the mailbox of the environment', () => {
  const environment = () => ({
    IMAP_HOST: '127.0.0.1',
    IMAP_PORT: String(dovecot.port),
    IMAP_SECURITY: 'none',
    IMAP_USER: `env${names}`,
    IMAP_PASSWORD: passwordOf(`env${names}`),
    IMAP_ADDRESS: 'help@acme.test',
    IMAP_ORGANIZATION: 'acme',
  })

  test('is made, read and put away with it, and its password is in no table', async () => {
    names += 1
    const named = environment()
    await dovecot.deliver(named.IMAP_USER, mail('To the environment'))
    const worker = await startAlone(named)
    await vi.waitFor(async () => expect(await processed()).toEqual(['To the environment']), patience)
    const { rows } = await client.query(
      'select organization_id, address, from_environment, is_default from app_public.mailboxes where archived_at is null',
    )
    expect(rows).toEqual([
      {
        organization_id: acme.organizationId,
        address: 'help@acme.test',
        from_environment: true,
        is_default: true,
      },
    ])
    expect((await client.query('select from app_private.mailbox_secrets')).rowCount).toBe(0)
    await stopWorker(worker)
    await start()
    await vi.waitFor(
      async () =>
        expect(
          (await client.query('select from app_public.mailboxes where archived_at is null')).rowCount,
        ).toBe(0),
      patience,
    )
  })

  test('needs to say whose it is where there are several organizations', async () => {
    names += 1
    const { IMAP_ORGANIZATION: _slug, ...named } = environment()
    const worker = await startAlone(named)
    await vi.waitFor(() => expect(worker.said()).toContain('IMAP_ORGANIZATION'), patience)
    expect((await client.query('select from app_public.mailboxes')).rowCount).toBe(0)
  })
})

describe('a test of the connection', () => {
  const tested = async (id: string) => {
    await client.query('begin')
    await client.query(
      `select set_config('atum.organization_id', $1, true), set_config('atum.user_id', $2, true), set_config('atum.session_id', $3, true)`,
      [acme.organizationId, acme.admin.userId, acme.admin.sessionId],
    )
    await client.query('select app_public.test_mailbox($1)', [id])
    await client.query('commit')
    return vi.waitFor(async () => {
      const { rows } = await client.query<{ test_outcome: string | null; test_detail: string | null }>(
        'select test_outcome, test_detail from app_public.mailbox_states where mailbox_id = $1 and tested_at is not null',
        [id],
      )
      expect(rows).toHaveLength(1)
      return rows[0]!
    }, patience)
  }

  test('says in a word what is wrong', async () => {
    const off = { is_enabled: false }
    const good = await mailbox(off)
    await dovecot.deliver(good.user, mail('Stays unread'))
    const wrong = await mailbox(off, { secret: { password: 'wrong' } })
    const nowhere = await mailbox({ ...off, port: 1 })
    const folder = await mailbox({ ...off, folder: 'Nowhere' })
    const empty = await mailbox(off, { secret: {} })
    await share()
    expect(await tested(good.id)).toEqual({ test_outcome: 'ok', test_detail: '1' })
    expect(await dovecot.look(good.user)).toMatchObject([{ seen: false }])
    expect(await tested(wrong.id)).toMatchObject({ test_outcome: 'refused' })
    expect(await tested(nowhere.id)).toMatchObject({ test_outcome: 'unreachable' })
    expect(await tested(folder.id)).toMatchObject({ test_outcome: 'no_folder' })
    expect(await tested(empty.id)).toMatchObject({ test_outcome: 'no_secret' })
    expect(await mails()).toEqual([])
  })

  test('does not reach into the own network where the operator refused it, for mail and tokens alike', async () => {
    const off = { is_enabled: false }
    const byAddress = await mailbox(off)
    const byName = await mailbox({ ...off, host: 'localhost' })
    const byToken = await mailbox(
      { ...off, auth: 'oauth2', token_endpoint: `http://localhost:${dovecot.port}/token`, client_id: 'desk' },
      { secret: { refreshToken: 'refresh-1' } },
    )
    await startAlone({ ATUM_INTERNAL_TARGETS: 'refused' })
    for (const { id } of [byAddress, byName, byToken]) {
      expect(await tested(id)).toMatchObject({
        test_outcome: 'unreachable',
        test_detail: expect.stringContaining('may not be called'),
      })
    }
  })

  test('ends where the server talks on and on and never answers the login', async () => {
    const closed = Promise.withResolvers<void>()
    const talker = createSocketServer((socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
      const talking = setInterval(() => socket.write('* OK still thinking\r\n'), 20)
      socket.on('error', () => {})
      socket.on('close', () => {
        clearInterval(talking)
        closed.resolve()
      })
      socket.resume()
    })
    await new Promise<void>((resolve) => talker.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void talker.close())
    const { id } = await mailbox({ is_enabled: false, port: (talker.address() as AddressInfo).port })
    await client.query(
      'update app_public.mailbox_states set test_requested_at = now() where mailbox_id = $1',
      [id],
    )
    const pool = new Pool({ connectionString: database.workerUrl })
    onTestFinished(() => pool.end())
    const run = testMailbox({ forget: () => {}, of: async () => ({ password: 'x' }) }, true, 300)

    const began = Date.now()
    await run({ organizationId: acme.organizationId, mailboxId: id }, {
      job: { id: '1', task_identifier: 'test_mailbox', locked_by: null },
      withPgClient: async (work: (given: PoolClient) => Promise<unknown>) => {
        const given = await pool.connect()
        return work(given).finally(() => given.release())
      },
    } as unknown as JobHelpers)
    expect(Date.now() - began).toBeLessThan(5_000)
    await closed.promise
    const { rows } = await client.query(
      'select test_outcome, test_detail from app_public.mailbox_states where mailbox_id = $1',
      [id],
    )
    expect(rows).toEqual([
      { test_outcome: 'unreachable', test_detail: 'The server did not answer within 0.3 seconds' },
    ])
  })
})
