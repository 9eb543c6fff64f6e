import { expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses } = stage
const everybody = () => [stage.acme.customer, stage.acme.agent, stage.acme.manager, stage.acme.admin]
const read = 'select id from app_public.api_tokens'

test('an API token is not there for who is not logged in', async () => {
  const roles = ['atum_anonymous', 'atum_server', 'atum_worker', 'atum_operator', 'atum_reporting'] as const
  for (const role of roles) expect(await refuses({ ...stage.acme.agent, role }, read)).toBe('42501')
  for (const { role, organizationId } of everybody()) {
    expect(await sees({ role }, read)).toEqual([])
    if (role !== 'atum_admin') expect(await sees({ role, organizationId: organizationId! }, read)).toEqual([])
  }
})

test('an API token is seen by its person and by admins, of the own organization', async () => {
  const { acme, globex } = stage
  for (const actor of [acme.agent, acme.admin]) expect(await sees(actor, read)).toEqual([acme.apiTokenId])
  for (const actor of [acme.customer, acme.manager]) expect(await sees(actor, read)).toEqual([])
  for (const actor of everybody()) {
    expect(await sees(actor, `${read} where id = $1`, [globex.apiTokenId])).toEqual([])
  }
})

test('an API token is made, changed and removed by nobody but the functions', async () => {
  for (const actor of everybody()) {
    for (const column of ['name', 'scopes', 'expires_at', 'revoked_at', 'last_used_at']) {
      expect(await refuses(actor, `update app_public.api_tokens set ${column} = ${column}`)).toBe('42501')
    }
    expect(await refuses(actor, 'delete from app_public.api_tokens')).toBe('42501')
    expect(
      await refuses(
        actor,
        `insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint) values ($1, $2, 'x', '{admin:write}', 'admin', 'abcd')`,
        [actor.organizationId, actor.userId],
      ),
    ).toBe('42501')
  }
})
