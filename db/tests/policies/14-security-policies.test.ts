import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses } = stage

const tables = ['security_policies', 'ip_rules', 'identity_providers']

describe.each(tables)('%s', (table) => {
  const read = `select id from app_public.${table}`

  test('are read by nobody but admins', async () => {
    const roles = ['atum_anonymous', 'atum_server', 'atum_worker', 'atum_operator', 'atum_reporting'] as const
    const { customer, agent, manager, admin } = stage.acme
    for (const actor of [customer, agent, manager, ...roles.map((role) => ({ ...admin, role }))]) {
      expect(await refuses(actor, read)).toBe('42501')
    }
    expect(await sees({ role: 'atum_admin' }, read)).toEqual([])
  })

  test('are those of the own organization', async () => {
    for (const { admin, organizationId } of [stage.acme, stage.globex]) {
      expect(await sees(admin, `select distinct organization_id from app_public.${table}`)).toEqual([
        organizationId,
      ])
    }
  })

  test('are written by nobody but the functions', async () => {
    const { customer, agent, manager, admin, worker, organizationId } = stage.acme
    for (const actor of [customer, agent, manager, admin, worker]) {
      expect(await refuses(actor, `update app_public.${table} set organization_id = organization_id`)).toBe(
        '42501',
      )
      expect(
        await refuses(actor, `insert into app_public.${table} (organization_id) values ($1)`, [
          organizationId,
        ]),
      ).toBe('42501')
      expect(await refuses(actor, `delete from app_public.${table}`)).toBe('42501')
    }
  })
})

test('an admin asks for the policy of the own organization', async () => {
  const asked = 'select (app_public.current_security_policy()).organization_id'
  expect(await sees(stage.acme.admin, asked)).toEqual([stage.acme.organizationId])
  expect(await refuses(stage.acme.manager, asked)).toBe('42501')
})
