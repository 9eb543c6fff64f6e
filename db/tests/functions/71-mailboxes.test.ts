import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

type Values = Record<string, unknown>

const usual = { name: 'Help', address: 'help@acme.test', host: 'imap.acme.test', username: 'help' }

function saving(values: Values): [string, unknown[]] {
  const named = { ...usual, ...values }
  const list = Object.keys(named).map((name, at) => `${name} => $${at + 1}`)
  return [
    `select to_jsonb(saved) from app_public.save_mailbox(${list.join(', ')}) as saved`,
    Object.values(named),
  ]
}
const save = (values: Values = {}, tenant = stage.acme) =>
  stage.does<{ id: string; is_default: boolean; [column: string]: unknown }>(tenant.admin, ...saving(values))
const refuses = (values: Values, actor = stage.acme.admin) => stage.refuses(actor, ...saving(values))
const rows = async (sql: string, values: unknown[] = []) =>
  (await stage.superuser.query<Values>(sql, values)).rows
const secretsOf = (id: string) => rows('select from app_private.mailbox_secrets where mailbox_id = $1', [id])
const giveSecret = (id: string, actor = stage.acme.admin) =>
  stage.ask<{ outcome: string }>('set_mailbox_secret', { mailbox_id: id, secret: 'v1.x' }, { actor })
const stateOf = async (id: string) =>
  (await rows('select * from app_public.mailbox_states where mailbox_id = $1', [id]))[0]!

beforeEach(async () => {
  await rows('delete from app_public.mailboxes')
})

describe('nobody but admins who logged in', () => {
  test('saves, tests, puts away or tells secrets', async () => {
    const { customer, agent, manager, admin } = stage.acme
    const { id } = await save()
    for (const actor of [customer, agent, manager]) {
      expect(await refuses({ name: 'x' }, actor)).toBe('42501')
      expect(await stage.refuses(actor, 'select app_public.test_mailbox($1)', [id])).toBe('42501')
      expect(await stage.refuses(actor, 'select app_public.archive_mailbox($1)', [id])).toBe('42501')
      expect(await stage.refuses(actor, 'select * from app_public.mailboxes')).toBe('42501')
      expect(await sqlState(giveSecret(id, actor))).toBe('42501')
    }
    const { sessionId: _session, ...asToken } = admin
    expect(await stage.refuses(asToken, ...saving({ name: 'x' }))).toBe('AD004')
    for (const [name, value] of [
      ['test_mailbox', id],
      ['archive_mailbox', id],
    ]) {
      expect(await stage.refuses(asToken, `select app_public.${name}($1)`, [value])).toBe('AD004')
      expect(await stage.refuses(stage.globex.admin, `select app_public.${name}($1)`, [value])).toBe('AD101')
    }
    expect(await refuses({ mailbox_id: id }, stage.globex.admin)).toBe('AD101')
    expect(await giveSecret(id, stage.globex.admin)).toEqual({ outcome: 'not_found' })
    expect(await stage.refuses(admin, 'select * from app_private.mailbox_secrets')).toBe('42501')
  })
})

test.each<[string, Values, string]>([
  ['an address that is none', { address: 'help' }, '23514'],
  ['an address with a line break', { address: 'help@acme.test\nBcc: x@y.z' }, '23514'],
  ['a host with a user', { host: 'user@host' }, '23514'],
  ['a port there is not', { port: 70_000 }, '23514'],
  ['a folder that mails are moved to from itself', { processed_folder: 'INBOX' }, '23514'],
  [
    'a token endpoint that is no address',
    { auth: 'oauth2', token_endpoint: 'ftp://x', client_id: 'x' },
    '23514',
  ],
  ['a token endpoint without a client', { auth: 'oauth2', token_endpoint: 'https://x.test' }, '23514'],
  ['a service of nobody', { service_id: '00000000-0000-0000-0000-000000000000' }, '23503'],
  ['a way to log in that is none', { auth: 'kerberos' }, '22P02'],
])('a mailbox with %s is refused', async (_what, values, code) => {
  expect(await refuses(values)).toBe(code)
})

test('an organization has at most fifty, besides those that were put away', async () => {
  await rows(
    `insert into app_public.mailboxes (organization_id, name, address, host, username)
    select $1, 'Box ' || at, 'box' || at || '@acme.test', 'imap.acme.test', 'box' from generate_series(1, 49) as at`,
    [stage.acme.organizationId],
  )
  const { id } = await save({ name: 'The last', address: 'last@acme.test' })
  expect(await refuses({})).toBe('AD262')
  // Those that are there can still be changed, and others have their own fifty.
  await save({ mailbox_id: id, name: 'Still the last', address: 'last@acme.test' })
  await save({ address: 'help@globex.test' }, stage.globex)
  await stage.does(stage.acme.admin, 'select id from app_public.archive_mailbox($1)', [id])
  await save()
})

test('a name and an address are used once, and free again when a mailbox was put away', async () => {
  const { id } = await save()
  expect(await refuses({ address: 'other@acme.test' })).toBe('23505')
  expect(await refuses({ name: 'Other', address: 'HELP@acme.test' })).toBe('23505')
  await save({ address: 'help@globex.test' }, stage.globex)
  await stage.does(stage.acme.admin, 'select app_public.archive_mailbox($1)', [id])
  expect((await save()).id).not.toBe(id)
  expect(await refuses({ mailbox_id: id, name: 'Again' })).toBe('AD101')
})

test('the address of one organization is nobody else’s while its mailbox is in use', async () => {
  const { id } = await save()
  const { globex } = stage
  expect(await refuses({ name: 'Theirs', address: 'Help@Acme.test' }, globex.admin)).toBe('23505')
  const theirs = await save({ address: 'help@globex.test' }, globex)
  expect(await refuses({ mailbox_id: theirs.id }, globex.admin)).toBe('23505')
  await rows('update app_public.mailboxes set is_enabled = false where id = $1', [id])
  expect(await refuses({ mailbox_id: theirs.id }, globex.admin)).toBe('23505')
  await stage.does(stage.acme.admin, 'select app_public.archive_mailbox($1)', [id])
  expect(await save({ mailbox_id: theirs.id }, globex)).toMatchObject({ address: 'help@acme.test' })
})

test('the first is the default, and another becomes it', async () => {
  const first = await save()
  expect(first.is_default).toBe(true)
  const second = await save({ name: 'Second', address: 'second@acme.test' })
  expect(second.is_default).toBe(false)
  await save({ mailbox_id: second.id, name: 'Second', address: 'second@acme.test', is_default: true })
  // There is always one: the one that is left to be it.
  await save({ mailbox_id: second.id, name: 'Second', address: 'second@acme.test', is_default: false })
  expect(await rows('select id from app_public.mailboxes where is_default')).toEqual([{ id: second.id }])
})

test('a secret is for the server and account it was given for', async () => {
  const { id } = await save()
  for (const [values, kept] of [
    [{ name: 'Renamed' }, 1],
    [{ host: 'elsewhere.test' }, 0],
    [{ host: 'elsewhere.test', username: 'other' }, 0],
    [{ host: 'elsewhere.test', username: 'other', security: 'none' }, 0],
    [{ host: 'elsewhere.test', username: 'other', security: 'none', port: 143 }, 0],
  ] as const) {
    expect(await giveSecret(id)).toEqual({ outcome: 'ok' })
    await save({ mailbox_id: id, ...values })
    expect(await secretsOf(id)).toHaveLength(kept)
  }
  expect(await giveSecret(id)).toEqual({ outcome: 'ok' })
  await stage.does(stage.acme.admin, 'select app_public.archive_mailbox($1)', [id])
  expect(await secretsOf(id)).toHaveLength(0)
  expect(await giveSecret(id)).toEqual({ outcome: 'not_found' })
})

test('another folder is read from its beginning, and another name from where it was', async () => {
  const { id } = await save()
  await stage.does(stage.acme.worker, 'select app_private.mailbox_fetched($1, 7, 41)', [id])
  await stage.does(stage.acme.worker, `select app_private.mailbox_failed($1, 'gone')`, [id])
  await save({ mailbox_id: id, name: 'Renamed' })
  expect(await stateOf(id)).toMatchObject({ last_uid: '41', last_error: 'gone' })
  await save({ mailbox_id: id, name: 'Renamed', port: 143 })
  expect(await stateOf(id)).toMatchObject({ last_uid: '41', last_error: null, failing_since: null })
  await save({ mailbox_id: id, name: 'Renamed', port: 143, folder: 'Requests' })
  expect(await stateOf(id)).toMatchObject({ last_uid: null, uid_validity: null })
})

test('what a test found is forgotten with the settings or the secret that it tried', async () => {
  const { id } = await save()
  const found = { test_outcome: 'refused', test_detail: 'No such user' }
  const forgotten = { test_requested_at: null, tested_at: null, test_outcome: null, test_detail: null }
  const test = () => stage.does(stage.acme.admin, 'select app_public.test_mailbox($1)', [id])
  const record = () =>
    stage.does(stage.acme.worker, `select app_private.record_mailbox_test($1, 'refused', 'No such user')`, [
      id,
    ])
  await test()
  await record()
  await save({ mailbox_id: id, name: 'Renamed' })
  expect(await stateOf(id)).toMatchObject(found)
  await giveSecret(id)
  expect(await stateOf(id)).toMatchObject(forgotten)
  await test()
  await record()
  expect(await stateOf(id)).toMatchObject(found)
  await save({ mailbox_id: id, name: 'Renamed', host: 'elsewhere.test' })
  expect(await stateOf(id)).toMatchObject(forgotten)
  // One that was under way tried what is not there any more.
  await test()
  await save({ mailbox_id: id, name: 'Renamed' })
  await record()
  expect(await stateOf(id)).toMatchObject(forgotten)
})

describe('one worker at a time', () => {
  const lease = (worker: string, seconds = 60, knowsEnvironment = false) =>
    stage.superuser
      .query<{ settings: { mailboxId: string } }>(
        'select app_private.lease_mailboxes($1, $2, $3) as settings',
        [worker, seconds, knowsEnvironment],
      )
      .then((answer) => answer.rows.map(({ settings }) => settings.mailboxId))

  test('has a mailbox, until it is silent for too long or says so', async () => {
    const [one, two] = [(await save()).id, (await save({ address: 'help@globex.test' }, stage.globex)).id]
    expect((await lease('a')).sort()).toEqual([one, two].sort())
    expect(await lease('b')).toEqual([])
    expect(await lease('a')).toHaveLength(2)
    await rows(
      `update app_public.mailbox_states set lease_until = now() - interval '1 second' where mailbox_id = $1`,
      [one],
    )
    expect(await lease('b')).toEqual([one])
    expect(await lease('a')).toEqual([two])
    await rows(`select app_private.release_mailboxes('a')`)
    expect((await lease('b')).sort()).toEqual([one, two].sort())
  })

  test('has none that is off, of an organization that is suspended, or of an environment it does not have', async () => {
    const { id } = await save({ is_enabled: false })
    expect(await lease('a')).toEqual([])
    await rows('update app_public.mailboxes set is_enabled = true, from_environment = true')
    expect(await lease('a')).toEqual([])
    expect(await lease('a', 60, true)).toEqual([id])
    await rows('update app_public.organizations set suspended_at = now() where id = $1', [
      stage.acme.organizationId,
    ])
    expect(await lease('a', 60, true)).toEqual([])
    await rows('update app_public.organizations set suspended_at = null')
  })
})

describe('the mailbox of the environment', () => {
  const settings = {
    address: 'env@acme.test',
    host: 'imap.env.test',
    port: 993,
    security: 'tls',
    username: 'env',
  }
  const keep = async (slug: string | null, given: object | null) =>
    (
      await rows('select app_private.keep_environment_mailbox($1, $2) as answer', [
        slug,
        given && JSON.stringify(given),
      ])
    )[0]!.answer as { outcome: string; mailboxId: string }

  test('belongs to the organization it names, and to the only one where it names none', async () => {
    expect(await keep(null, settings)).toMatchObject({ outcome: 'no_organization' })
    expect(await keep('nobody', settings)).toMatchObject({ outcome: 'no_organization' })
    const { mailboxId } = await keep('acme', settings)
    expect(await keep('acme', { ...settings, port: 1993 })).toMatchObject({ mailboxId })
    expect(await rows('select port, from_environment, is_default from app_public.mailboxes')).toEqual([
      { port: 1993, from_environment: true, is_default: true },
    ])
    await keep('globex', settings)
    expect(await rows('select organization_id from app_public.mailboxes where archived_at is null')).toEqual([
      { organization_id: stage.globex.organizationId },
    ])
  })

  test('is changed there and nowhere else, but for what becomes of its mails', async () => {
    const { mailboxId } = await keep('acme', settings)
    const same = { mailbox_id: mailboxId, ...settings, name: 'Renamed' }
    expect(await refuses({ ...same, host: 'elsewhere.test' })).toBe('AD260')
    expect(await refuses({ ...same, address: 'other@acme.test' })).toBe('AD260')
    expect(await save({ ...same, team_id: stage.acme.teamId })).toMatchObject({ team_id: stage.acme.teamId })
    expect(await stage.refuses(stage.acme.admin, 'select app_public.archive_mailbox($1)', [mailboxId])).toBe(
      'AD260',
    )
    expect(await giveSecret(mailboxId)).toEqual({ outcome: 'not_found' })
  })

  test('takes over one that an admin made for the address, and forgets its secret', async () => {
    const { id } = await save({ address: 'env@acme.test' })
    await giveSecret(id)
    expect(await keep('acme', settings)).toMatchObject({ mailboxId: id })
    expect(await secretsOf(id)).toHaveLength(0)
  })

  test('takes its address from another organization that claims it', async () => {
    const { id } = await save({ address: 'ENV@acme.test' }, stage.globex)
    await giveSecret(id, stage.globex.admin)
    const other = await save({ name: 'Other' }, stage.globex)
    const { mailboxId } = await keep('acme', settings)
    expect(
      await rows('select id from app_public.mailboxes where archived_at is null order by created_at'),
    ).toEqual([{ id: other.id }, { id: mailboxId }])
    expect(await secretsOf(id)).toHaveLength(0)
  })

  test('is put away when it is gone, unless another worker reads it', async () => {
    const { mailboxId } = await keep('acme', settings)
    await rows(`select app_private.lease_mailboxes('a', 60, true)`)
    await keep(null, null)
    expect(await rows('select from app_public.mailboxes where archived_at is null')).toHaveLength(1)
    await rows(`select app_private.release_mailboxes('a')`)
    await keep(null, null)
    expect(await rows('select id from app_public.mailboxes where archived_at is not null')).toEqual([
      { id: mailboxId },
    ])
  })
})

describe('a mail about a ticket is from', () => {
  const of = async () =>
    (
      await rows(
        `select (app_private.mailbox_of(ticket)).address::text from app_public.tickets as ticket where id = $1`,
        [stage.acme.ticketId],
      )
    )[0]!.address
  const came = async (mailboxId: string) =>
    rows(
      `insert into app_public.incoming_mails
        (organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, state, processed_at, ticket_id, comment_id)
      values ($1, $2, 'INBOX', 1, 1, $3, 1, 'processed', now(), $4, $5)`,
      [
        stage.acme.organizationId,
        mailboxId,
        randomUUID().replaceAll('-', '').repeat(2),
        stage.acme.ticketId,
        stage.acme.publicCommentId,
      ],
    )

  test('the mailbox it came by, else the default one, else none', async () => {
    expect(await of()).toBeNull()
    const first = await save()
    expect(await of()).toBe('help@acme.test')
    const second = await save({ name: 'Second', address: 'second@acme.test' })
    await came(second.id)
    expect(await of()).toBe('second@acme.test')
    // Answers to one that is not read would be lost.
    await rows('update app_public.mailboxes set is_enabled = false where id = $1', [second.id])
    expect(await of()).toBe('help@acme.test')
    await rows('update app_public.mailboxes set is_enabled = false where id = $1', [first.id])
    expect(await of()).toBeNull()
  })
})

test('a secret that a token endpoint replaced takes the place of that one and of no other', async () => {
  const { id } = await save()
  await giveSecret(id)
  const renew = (before: string) =>
    stage.does<boolean>(stage.acme.worker, `select app_private.renew_mailbox_secret($1, $2, 'v1.new')`, [
      id,
      before,
    ])
  expect(await renew('v1.other')).toBe(false)
  expect(await renew('v1.x')).toBe(true)
})

test('a test of the connection is asked for, and its job is there', async () => {
  const { id } = await save()
  await stage.does(stage.acme.admin, 'select app_public.test_mailbox($1)', [id])
  expect(await stateOf(id)).toMatchObject({ tested_at: null, test_outcome: null })
  // One after the other in each organization: a server may keep a place of the worker as long as a test may take.
  expect(
    await rows('select queue_name from graphile_worker.jobs where key = $1', [`test_mailbox:${id}`]),
  ).toEqual([{ queue_name: `test_mailbox:${stage.acme.organizationId}` }])
})
