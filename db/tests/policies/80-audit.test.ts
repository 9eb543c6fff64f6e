import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses } = stage

describe('the audit log', () => {
  test.each([
    'atum_customer',
    'atum_agent',
    'atum_manager',
    'atum_anonymous',
    'atum_server',
    'atum_worker',
    'atum_reporting',
  ] as const)('is not for %s', async (role) => {
    const actor = { ...stage.acme.admin, role }
    expect(await refuses(actor, 'select id from app_public.audit_log')).toBe('42501')
    expect(await refuses(actor, 'select count(*) from app_public.audit_log')).toBe('42501')
    expect(await refuses(actor, 'select * from app_public.verify_audit_chain()')).toBe('42501')
  })

  test("is an admin's, of the own organization", async () => {
    expect(await sees(stage.acme.admin, 'select distinct organization_id from app_public.audit_log')).toEqual(
      [stage.acme.organizationId],
    )
    expect(await sees({ role: 'atum_admin' }, 'select id from app_public.audit_log')).toEqual([])
    expect(
      await sees(stage.globex.admin, 'select id from app_public.audit_log where organization_id = $1', [
        stage.acme.organizationId,
      ]),
    ).toEqual([])
  })

  test('does not show an admin what belongs to no organization', async () => {
    await stage.server.query(`select app_private.log_in('nobody@nowhere.test', 'x', null, false, null, null)`)
    expect(
      await sees(
        { role: 'atum_owner' },
        `select count(*)::int from app_public.audit_log where organization_id = app_hidden.platform_scope()`,
      ),
    ).toEqual([1])
    expect(
      await sees(stage.acme.admin, `select id from app_public.audit_log where operation = 'login_failed'`),
    ).toEqual([])
  })

  test('is verified for the own organization, and for nobody without one', async () => {
    expect(await sees(stage.acme.admin, 'select verified from app_public.verify_audit_chain()')).toEqual([
      true,
    ])
    // A verdict about nothing would read as "verified".
    expect(await refuses({ role: 'atum_admin' }, 'select app_public.verify_audit_chain()')).toBe('AD001')
  })

  test('is written by nobody, and its heads are seen by nobody', async () => {
    for (const actor of [
      stage.acme.customer,
      stage.acme.agent,
      stage.acme.manager,
      stage.acme.admin,
      stage.acme.worker,
    ]) {
      for (const table of ['app_public.audit_log', 'app_private.audit_heads']) {
        expect(
          await refuses(actor, `insert into ${table} (organization_id) values ($1)`, [
            stage.acme.organizationId,
          ]),
        ).toBe('42501')
        expect(await refuses(actor, `update ${table} set seq = seq`)).toBe('42501')
        expect(await refuses(actor, `delete from ${table}`)).toBe('42501')
        expect(await refuses(actor, `truncate ${table}`)).toBe('42501')
      }
      expect(await refuses(actor, 'select seq from app_private.audit_heads')).toBe('42501')
    }
  })
})
