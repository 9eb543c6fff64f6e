import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

const add = 'select to_jsonb(made) from app_public.add_ip_rule($1, $2, $3, $4) as made'
const remove = 'select app_public.remove_ip_rule($1, $2)'

interface Rule {
  id: string
  network: string
  role: string | null
}

// Each test begins where people come from everywhere, and the admin is somewhere.
beforeEach(() => stage.superuser.query('delete from app_public.ip_rules'))

const adminAt = (ipAddress: string) => ({ ...stage.acme.admin, ipAddress, requestId: 'walling' })
const here = () => adminAt('192.0.2.7')

const allow = (network: string, role: string | null = null, acceptLockout = true) =>
  stage.does<Rule>(here(), add, [network, role, null, acceptLockout])

const comesIn = (address: string | null, role = 'agent', organizationId = stage.acme.organizationId) =>
  stage.ask<boolean>('ip_allowed', { organization_id: organizationId, role, address })

test('nobody but admins says who may come from where', async () => {
  const { customer, agent, manager } = stage.acme
  const { id } = await allow('192.0.2.0/24')
  for (const actor of [customer, agent, manager, { role: 'atum_anonymous' } as const]) {
    expect(await stage.refuses(actor, add, ['0.0.0.0/0', null, null, true])).toBe('42501')
    expect(await stage.refuses(actor, remove, [id, true])).toBe('42501')
  }
  expect(await stage.refuses(stage.globex.admin, remove, [id, true])).toBe('AD101')
  expect(await stage.refuses(here(), remove, [randomUUID(), true])).toBe('AD101')
})

describe('a rule is refused', () => {
  test.each([
    ['that is no network', 'acme', '22P02'],
    ['that has an address within a network', '192.0.2.7/24', '22P02'],
    ['without a network', null, '23502'],
  ])('%s', async (_name, network, code) => {
    expect(await stage.refuses(here(), add, [network, null, null, true])).toBe(code)
  })

  test('with a note that is too long, or for a role that is none', async () => {
    expect(await stage.refuses(here(), add, ['192.0.2.0/24', null, 'x'.repeat(201), true])).toBe('23514')
    expect(await stage.refuses(here(), add, ['192.0.2.0/24', 'owner', null, true])).toBe('22P02')
  })

  test('that is there, however it is written', async () => {
    await allow('192.0.2.0/24')
    expect(await stage.refuses(here(), add, ['192.0.2.0/24', null, 'Again', true])).toBe('23505')
    expect(await stage.refuses(here(), add, ['::ffff:192.0.2.0/120', null, null, true])).toBe('23505')
    expect(await stage.refuses(here(), add, ['192.0.2.0/24', 'agent', null, true])).toBe('accepted')
  })
})

describe('whoever may come in', () => {
  test('without any rule comes from everywhere', async () => {
    for (const address of ['192.0.2.7', '2001:db8::1', null]) expect(await comesIn(address)).toBe(true)
  })

  test.each([
    [
      '192.0.2.0/24',
      ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.7'],
      ['192.0.3.1', '2001:db8::1', '::ffff:192.0.3.1', '::c000:207'],
    ],
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207'], ['192.0.2.8', '::ffff:192.0.2.8']],
    ['::ffff:192.0.2.0/120', ['192.0.2.200', '::ffff:192.0.2.200'], ['192.0.3.1', '::ffff:192.0.3.1']],
    [
      '2001:db8:1::/48',
      ['2001:db8:1::', '2001:db8:1:ffff::1'],
      ['2001:db8:2::1', '192.0.2.7', '::ffff:192.0.2.7'],
    ],
    ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['2001:db8::1', '::1']],
    ['::ffff:0:0/96', ['1.2.3.4', '::ffff:1.2.3.4'], ['2001:db8::1']],
    ['::/0', ['2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
  ])('by %s', async (network, allowed, refused) => {
    await allow(network)
    for (const address of allowed) expect([address, await comesIn(address)]).toEqual([address, true])
    for (const address of refused) expect([address, await comesIn(address)]).toEqual([address, false])
    expect(await comesIn(null)).toBe(false)
  })

  test('comes by one of several rules', async () => {
    await allow('192.0.2.0/24')
    await allow('2001:db8::/32')
    for (const address of ['192.0.2.1', '2001:db8::1']) expect(await comesIn(address)).toBe(true)
    expect(await comesIn('198.51.100.1')).toBe(false)
  })

  test('comes by the rules of the role, where it has any, and not by those for everybody', async () => {
    await allow('192.0.2.0/24')
    await allow('198.51.100.0/24', 'agent')
    const seen = []
    for (const role of ['customer', 'agent', 'manager', 'admin']) {
      seen.push([role, await comesIn('192.0.2.1', role), await comesIn('198.51.100.1', role)])
    }
    expect(seen).toEqual([
      ['customer', true, false],
      ['agent', false, true],
      ['manager', true, false],
      ['admin', true, false],
    ])
  })

  test('comes from everywhere where only other roles have rules', async () => {
    await allow('198.51.100.0/24', 'agent')
    expect([await comesIn('203.0.113.1', 'agent'), await comesIn('203.0.113.1', 'customer')]).toEqual([
      false,
      true,
    ])
  })

  test('comes by the rules of the own organization', async () => {
    await allow('192.0.2.0/24')
    expect(await comesIn('203.0.113.1', 'agent', stage.globex.organizationId)).toBe(true)
  })
})

describe('an admin does not lock the own address out unawares', () => {
  const refuses = (actor: ReturnType<typeof here>, sql: string, values: unknown[]) =>
    stage.refuses(actor, sql, values)

  test('by a rule for somewhere else', async () => {
    for (const role of [null, 'admin']) {
      expect(await refuses(here(), add, ['198.51.100.0/24', role, null, false])).toBe('AD008')
      expect(await refuses(here(), add, ['198.51.100.0/24', role, null, null])).toBe('AD008')
      expect(await refuses(adminAt('2001:db8::7'), add, ['2001:db8:1::/48', role, null, false])).toBe('AD008')
    }
  })

  test('by removing the rule they come by', async () => {
    const { id } = await allow('192.0.2.0/24')
    const other = await allow('198.51.100.0/24')
    expect(await refuses(here(), remove, [id, false])).toBe('AD008')
    expect(await refuses(here(), remove, [id, null])).toBe('AD008')
    expect(await refuses(here(), remove, [other.id, false])).toBe('accepted')
  })

  test('by removing the rules of the role, which leaves those for everybody', async () => {
    await allow('198.51.100.0/24')
    const { id } = await allow('192.0.2.0/24', 'admin')
    expect(await refuses(here(), remove, [id, false])).toBe('AD008')
  })

  test('but does what the address survives', async () => {
    expect(await refuses(here(), add, ['192.0.2.0/24', null, null, false])).toBe('accepted')
    expect(await refuses(here(), add, ['198.51.100.0/24', 'agent', null, false])).toBe('accepted')
    expect(await refuses(adminAt('::ffff:192.0.2.7'), add, ['192.0.2.0/24', null, null, false])).toBe(
      'accepted',
    )
    const { id } = await allow('198.51.100.0/24')
    // The last rule goes, and everybody comes from everywhere.
    expect(await refuses(here(), remove, [id, false])).toBe('accepted')
  })

  test('and says so where it is meant', async () => {
    expect(await refuses(here(), add, ['198.51.100.0/24', null, null, true])).toBe('accepted')
    const { id } = await allow('192.0.2.0/24')
    await allow('198.51.100.0/24')
    expect(await refuses(here(), remove, [id, true])).toBe('accepted')
  })
})

test('every server is told, and the log by whom', async () => {
  const listener = await stage.open(stage.database.serverUrl)
  const { atum_revocations: heard } = await heardWhile(listener, ['atum_revocations'], async () => {
    const { id } = await allow('::ffff:192.0.2.0/120')
    await stage.does(here(), remove, [id, true])
  })
  expect(heard).toEqual([1, 2].map(() => ({ kind: 'ip_rules', id: stage.acme.organizationId })))
  expect(
    await value(
      stage.superuser,
      `select array_agg(operation || ' ' || (coalesce(after, before) ->> 'network') order by seq) from app_public.audit_log
      where table_name = 'app_public.ip_rules' and request_id = 'walling' and actor_id = $1 and host(ip_address) = '192.0.2.7'
        and seq > (select max(seq) - 2 from app_public.audit_log where organization_id = $2)`,
      [stage.acme.admin.userId, stage.acme.organizationId],
    ),
  ).toEqual(['insert 192.0.2.0/24', 'delete 192.0.2.0/24'])
})
