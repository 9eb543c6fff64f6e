import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../testing.ts'

let desk: TestServer
let web: string

beforeAll(async () => {
  web = mkdtempSync(join(tmpdir(), 'atum-web-'))
  desk = await startTestServer({ webDirectory: web })
})

afterAll(async () => {
  await desk.close()
  rmSync(web, { recursive: true, force: true })
})

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${desk.origin}${path}`, { headers })
const ready = async () => {
  const response = await get('/readyz')
  return {
    code: response.status,
    ...((await response.json()) as { status: string; checks: Record<string, { status: string }> }),
  }
}

/** What is answered once the answer before is a second old. */
const soon = () => expect.poll(ready, { timeout: 3_000, interval: 100 })

test('the process says that it lives', async () => {
  const response = await get('/healthz')
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
})

describe('readiness', () => {
  test('is degraded without a worker, and says so of each part', async () => {
    await desk.superuser.query('delete from app_private.worker_heartbeats')
    await soon().toMatchObject({ code: 200, status: 'degraded' })
    const { checks } = await ready()
    expect(Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, check.status]))).toEqual({
      database: 'ok',
      migrations: 'ok',
      worker: 'down',
      mailboxes: 'off',
      scanner: 'off',
      mail: 'off',
      ai: 'off',
    })
  })

  test('is ok with a worker that was heard of, and degraded when it falls silent', async () => {
    await desk.superuser.query(`select app_private.record_heartbeat('test', now())`)
    await soon().toMatchObject({ code: 200, status: 'ok', checks: { worker: { status: 'ok' } } })
    await desk.superuser.query(
      `update app_private.worker_heartbeats set seen_at = now() - interval '31 seconds'`,
    )
    await soon().toMatchObject({
      code: 200,
      status: 'degraded',
      checks: { worker: { status: 'down' } },
    })
  })

  test('is down when the database has other migrations than the server was made for', async () => {
    await desk.superuser.query(
      `insert into graphile_migrate.migrations (hash, filename) values ('sha1:test', '999999.sql')`,
    )
    try {
      await soon().toMatchObject({
        code: 503,
        status: 'down',
        checks: { migrations: { status: 'down' } },
      })
    } finally {
      await desk.superuser.query(`delete from graphile_migrate.migrations where filename = '999999.sql'`)
    }
  })
})

test('a mailbox that is not read is told of', async () => {
  await desk.superuser.query(`select app_private.record_heartbeat('test', now())`)
  await desk.superuser.query(
    `insert into app_public.mailboxes (organization_id, name, address, host, username)
    values ($1, 'Support', 'support@desk.test', 'imap.desk.test', 'support')`,
    [desk.acme.id],
  )
  await soon().toMatchObject({ status: 'ok', checks: { mailboxes: { status: 'ok' } } })
  await desk.superuser.query(
    `update app_public.mailbox_states set enabled_at = now() - interval '16 minutes'`,
  )
  await soon().toMatchObject({
    code: 200,
    status: 'degraded',
    checks: { mailboxes: { status: 'degraded', reason: '1 of 1 mailboxes are not read' } },
  })
  await desk.superuser.query('delete from app_public.mailboxes')
  await soon().toMatchObject({ status: 'ok', checks: { mailboxes: { status: 'off' } } })
})

describe('of a server whose files are scanned', () => {
  let scanning: TestServer

  beforeAll(async () => {
    scanning = await startTestServer({ attachmentScanner: 'clamd' })
    await scanning.superuser.query(`select app_private.record_heartbeat('test', now())`)
    await scanning.superuser.query(
      `insert into app_public.stored_files (organization_id, sha256, size, content_type)
      values ($1, repeat('a', 64), 1, 'text/plain'), ($2, repeat('b', 64), 1, 'text/plain')`,
      [scanning.acme.id, scanning.globex.id],
    )
  })

  afterAll(() => scanning.close())

  const scanner = async () => {
    const response = await fetch(`${scanning.origin}/readyz`)
    const { status, checks } = (await response.json()) as {
      status: string
      checks: { scanner: { status: string; reason?: string } }
    }
    return { code: response.status, all: status, ...checks.scanner }
  }
  const becomes = (expected: object) =>
    expect.poll(scanner, { timeout: 3_000, interval: 100 }).toMatchObject(expected)
  const record = (state: string, reason: string | null = null) =>
    scanning.superuser.query(`select app_private.record_scanner($1, 'ClamAV 1', $2)`, [state, reason])

  test('degraded while nobody knows of the scanner, and goes on', async () => {
    await becomes({
      code: 200,
      status: 'degraded',
      reason: 'No worker asked for the scanner yet; 2 files wait',
    })
  })

  test('ok with a scanner that answers', async () => {
    await record('answering')
    await becomes({ code: 200, status: 'ok', all: 'ok' })
  })

  test('degraded since when it does not answer, with how many wait and why', async () => {
    await record('away', 'connect ECONNREFUSED')
    await becomes({
      code: 200,
      status: 'degraded',
      reason: expect.stringMatching(
        /^Since \d{4}-.*Z the scanner does not answer \(connect ECONNREFUSED\); 2 files wait$/,
      ),
    })
  })

  test('degraded when nobody asks any more, and when the worker scans nothing', async () => {
    await record('answering')
    await scanning.superuser.query(
      `update app_private.scanner_status set checked_at = now() - interval '31 seconds'`,
    )
    await becomes({
      status: 'degraded',
      reason: expect.stringContaining('No worker asked for the scanner since'),
    })
    await record('off')
    await becomes({ status: 'degraded', reason: expect.stringContaining('ATTACHMENT_SCANNER=off') })
  })
})

test('readiness is found out once a second, however often it is asked for', async () => {
  await desk.superuser.query(`select app_private.record_heartbeat('test', now())`)
  await soon().toMatchObject({ status: 'ok' })
  // A new second begins with this answer.
  await delay(1_050)
  await ready()
  await desk.superuser.query('delete from app_private.worker_heartbeats')
  const answers = await Promise.all(Array.from({ length: 50 }, ready))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['ok']))
  await soon().toMatchObject({ status: 'degraded' })
})

describe('the walls between organizations', () => {
  const walls = async () => {
    const response = await get('/internal/rls/health')
    return { code: response.status, ...((await response.json()) as { status: string; faults: string[] }) }
  }
  const broken = async (breaking: string, mending: string) => {
    await desk.superuser.query(breaking)
    try {
      return await walls()
    } finally {
      await desk.superuser.query(mending)
    }
  }

  test('are not shown to others', async () => {
    const response = await get('/internal/rls/health', { 'x-forwarded-for': '203.0.113.1' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })

  test('stand', async () => {
    const report = await walls()
    expect(report).toMatchObject({
      code: 200,
      status: 'healthy',
      faults: [],
      checks: { organizations: 2, roles: 8 },
    })
    expect((report as unknown as { checks: { probes: number } }).checks.probes).toBeGreaterThan(100)
  })

  test('fall with row-level security that is off', async () => {
    expect(
      await broken(
        'alter table app_public.comments disable row level security',
        'alter table app_public.comments enable row level security',
      ),
    ).toMatchObject({
      code: 503,
      status: 'unhealthy',
      faults: expect.arrayContaining([
        'app_public.comments has no row-level security',
        'atum_agent sees rows of other organizations in app_public.comments',
        'atum_agent sees rows without claims in app_public.comments',
      ]),
    })
  })

  test('fall with row-level security that is not forced', async () => {
    expect(
      await broken(
        'alter table app_private.sessions no force row level security',
        'alter table app_private.sessions force row level security',
      ),
    ).toMatchObject({
      code: 503,
      faults: ['app_private.sessions does not force row-level security on its owner'],
    })
  })

  test('fall with a table that forgot whose its rows are', async () => {
    expect(
      await broken('create table app_public.loose (id integer)', 'drop table app_public.loose'),
    ).toMatchObject({ code: 503, faults: ['app_public.loose belongs to no organization'] })
  })

  test('fall with an audit log that was switched off', async () => {
    expect(
      await broken(
        'alter table app_public.comments disable trigger _900_audit; alter table app_public.audit_log disable trigger _200_refuse_change',
        'alter table app_public.comments enable trigger _900_audit; alter table app_public.audit_log enable trigger _200_refuse_change',
      ),
    ).toMatchObject({
      code: 503,
      faults: expect.arrayContaining([
        'app_public.comments is not audited',
        'the trigger _200_refuse_change of app_public.audit_log is switched off',
      ]),
    })
  })

  test('fall with a policy that lets everything through', async () => {
    const { faults } = await broken(
      'create policy oops on app_public.tickets for select to atum_customer using (true)',
      'drop policy oops on app_public.tickets',
    )
    expect(faults).toEqual([
      'atum_customer sees rows without claims in app_public.tickets',
      'atum_customer sees rows of other organizations in app_public.tickets',
      'atum_customer sees rows of other organizations in app_public.tickets',
    ])
  })

  test('stand again', async () => {
    expect(await walls()).toMatchObject({ code: 200, status: 'healthy' })
  })
})

describe('the web', () => {
  const page = { accept: 'text/html' }

  test('says what to do where it is not built', async () => {
    const response = await get('/tickets/1', page)
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('npm run build')
  })

  test('is served where it is built', async () => {
    mkdirSync(join(web, 'assets'))
    writeFileSync(join(web, 'index.html'), '<!doctype html><title>Desk</title>')
    writeFileSync(join(web, 'assets', 'app-0123.js'), 'export {}')

    for (const path of ['/', '/tickets/1', '/index.html', '/deep/er/still']) {
      const response = await get(path, page)
      expect(response.status, path).toBe(200)
      expect(response.headers.get('cache-control')).toBe('no-cache')
      expect(await response.text()).toContain('Desk')
    }
    const asset = await get('/assets/app-0123.js')
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(asset.headers.get('content-type')).toContain('javascript')
  })

  test('is not what an address of the API or a missing file answers', async () => {
    for (const path of ['/api/v1/nothing', '/internal/nothing', '/assets/gone-0123.js', '/readyz/nothing']) {
      const response = await get(path, page)
      expect(response.status, path).toBe(404)
      expect(await response.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    }
    expect((await get('/tickets/1', { accept: 'application/json' })).status).toBe(404)
    const outside = await get('/..%2f..%2f..%2fetc/passwd', page)
    expect(await outside.text()).not.toContain('root:')
  })

  test('comes with headers that keep others out', async () => {
    const { headers } = await get('/', page)
    const policy = headers.get('content-security-policy')!.split(';')
    expect(policy).toEqual([
      `default-src 'self'`,
      `script-src 'self'`,
      `style-src 'self'`,
      `img-src 'self' data: blob:`,
      `connect-src 'self' ${desk.origin.replace('http', 'ws')}`,
      `frame-ancestors 'none'`,
      `object-src 'none'`,
      `base-uri 'none'`,
      `form-action 'self'`,
    ])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
  })
})
