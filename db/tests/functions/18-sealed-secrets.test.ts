import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

let owner: Awaited<ReturnType<typeof stage.open>>

beforeAll(async () => {
  owner = await stage.open(stage.database.ownerUrl)
  await stage.superuser.query(
    `update app_private.sessions set id_token = 'v1.id-token' where user_id = any ($1)`,
    [[stage.acme.agent.userId, stage.globex.agent.userId]],
  )
  await stage.superuser.query('update app_private.sessions set revoked_at = now() where user_id = $1', [
    stage.globex.agent.userId,
  ])
})

const list = async () => {
  const { rows } = await owner.query<{
    table_name: string
    organization_id: string
    row_id: string
    secret: string
  }>('select * from app_private.reencrypt_list() order by table_name, organization_id')
  return rows
}
const mailboxOf = ({ organizationId }: { organizationId: string }) =>
  value<string>(stage.superuser, 'select id from app_public.mailboxes where organization_id = $1', [
    organizationId,
  ])
const webhookOf = ({ organizationId }: typeof stage.acme) =>
  value<string>(stage.superuser, 'select id from app_public.webhooks where organization_id = $1', [
    organizationId,
  ])
const reencrypt = (table: string, organizationId: string, rowId: string, before: string, after: string) =>
  value<boolean>(owner, 'select app_private.reencrypt($1, $2, $3, $4, $5)', [
    table,
    organizationId,
    rowId,
    before,
    after,
  ])

test('nobody but the owner is given what is encrypted', async () => {
  const { customer, admin, worker } = stage.acme
  const others = ['atum_server', 'atum_operator', 'atum_anonymous', 'atum_reporting'] as const
  for (const actor of [customer, admin, worker, ...others.map((role) => ({ role }))]) {
    expect(await stage.refuses(actor, 'select * from app_private.reencrypt_list()')).toBe('42501')
    expect(await stage.refuses(actor, `select app_private.reencrypt('x', null, null, 'x', 'x')`)).toBe(
      '42501',
    )
  }
})

describe('what is encrypted', () => {
  test('is listed: of every organization, except what nobody will read again', async () => {
    const { acme, globex } = stage
    const of = (table: string, { organizationId }: typeof acme, row_id: string, secret: string) => ({
      table_name: `app_private.${table}`,
      organization_id: organizationId,
      row_id,
      secret,
    })
    expect(await list()).toEqual([
      of('authenticators', acme, acme.manager.userId, 'v1.authenticator'),
      of('authenticators', globex, globex.manager.userId, 'v1.authenticator'),
      of('identity_provider_secrets', acme, acme.providerId, 'v1.provider'),
      of('identity_provider_secrets', globex, globex.providerId, 'v1.provider'),
      of('mailbox_secrets', acme, await mailboxOf(acme), 'v1.mailbox'),
      of('mailbox_secrets', globex, await mailboxOf(globex), 'v1.mailbox'),
      of('sessions', acme, acme.agent.sessionId, 'v1.id-token'),
      of('webhook_secrets', acme, await webhookOf(acme), 'v1.webhook'),
      of('webhook_secrets', globex, await webhookOf(globex), 'v1.webhook'),
    ])
  })

  test('is stored anew, once, and what changed meanwhile is left alone', async () => {
    for (const { table_name, organization_id, row_id, secret } of await list()) {
      expect(await reencrypt(table_name, organization_id, row_id, 'v1.other', 'v1.new')).toBe(false)
      expect(await reencrypt(table_name, stage.globex.companyId, row_id, secret, 'v1.new')).toBe(false)
      expect(await reencrypt(table_name, organization_id, row_id, secret, 'v1.new')).toBe(true)
      expect(await reencrypt(table_name, organization_id, row_id, secret, 'v1.newer')).toBe(false)
    }
    expect((await list()).map(({ secret }) => secret)).toEqual((await list()).map(() => 'v1.new'))
  })

  test('is in no other table', async () => {
    const { organizationId, customer } = stage.acme
    expect(await sqlState(reencrypt('app_public.users', organizationId, customer.userId, 'a', 'b'))).toBe(
      '20000',
    )
  })

  test('stays out of the log', async () => {
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log as link where link::text ~ 'v1\\.(authenticator|provider|mailbox|webhook|id-token|new)'`,
      ),
    ).toBe(0)
  })
})

test('every column whose values the server encrypts is in the list', async () => {
  const columns = await value<string[]>(
    stage.superuser,
    `select array_agg(distinct conrelid::regclass || '.' || attname order by conrelid::regclass || '.' || attname)
    from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any (conkey)
    where contype = 'c' and pg_get_constraintdef(pg_constraint.oid) like '%v1.%'`,
  )
  expect(columns).toEqual([
    'app_private.authenticators.sealed',
    'app_private.identity_provider_secrets.sealed',
    'app_private.mailbox_secrets.sealed',
    'app_private.sessions.id_token',
    'app_private.webhook_secrets.sealed',
  ])
})
