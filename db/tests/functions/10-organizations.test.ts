import { describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, newcomer } = loginsOn(stage)
const password = 'a horse that nobody has stapled'

const operator = { role: 'atum_operator', requestId: 'operating', ipAddress: '192.0.2.1' } as const
const found = 'select app_private.found_organization($1, $2, $3, $4)'
const suspend = 'select app_private.suspend_organization($1, $2)'
const overview = 'select to_jsonb(seen) from app_private.organizations_overview() as seen'

describe('nobody but the operator', () => {
  test('makes, closes and lists organizations', async () => {
    const { customer, admin, worker } = stage.acme
    for (const actor of [
      customer,
      admin,
      worker,
      { role: 'atum_server' } as const,
      { role: 'atum_anonymous' } as const,
    ]) {
      expect(await stage.refuses(actor, found, ['initech', 'Initech', 'a@initech.test', 'A'])).toBe('42501')
      expect(await stage.refuses(actor, suspend, ['acme', true])).toBe('42501')
      expect(await stage.refuses(actor, overview)).toBe('42501')
    }
  })
})

describe('an organization is not made', () => {
  test.each([
    ['under a name that is taken', ['acme', 'Acme', 'a@acme.test', 'A'], '23505'],
    ['under what is no name', ['Not A Slug', 'Acme', 'a@acme.test', 'A'], '23514'],
    ['with an admin without an address', ['initech', 'Initech', 'nobody', 'A'], '23514'],
    ['with an admin without a name', ['initech', 'Initech', 'a@initech.test', ' '], '23514'],
    ['with no admin', ['initech', 'Initech', null, null], '23502'],
  ])('%s', async (_name, values, code) => {
    expect(await stage.refuses(operator, found, values)).toBe(code)
    expect(await value(stage.superuser, 'select count(*)::int from app_public.organizations')).toBe(2)
  })
})

describe('the operator', () => {
  test('makes an organization whose admin comes by an invitation, and is ready for tickets', async () => {
    const token = await stage.does<string>(operator, found, [
      'initech',
      'Initech',
      'admin@initech.test',
      'An admin',
    ])
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(await logIn('admin@initech.test', password)).toEqual({ outcome: 'invalid_credentials' })
    expect(await stage.ask('account_token_of', { token })).toEqual({
      outcome: 'ok',
      purpose: 'invitation',
      email: 'admin@initech.test',
      name: 'An admin',
      organization: { slug: 'initech', name: 'Initech' },
    })
    await stage.ask('accept_invitation', { token, name: 'Milton', password })
    const { user, sessionId } = await logIn('admin@initech.test', password)
    expect(user).toMatchObject({ role: 'admin', organization: { slug: 'initech' } })
    const admin = {
      role: 'atum_admin',
      organizationId: await value<string>(
        stage.superuser,
        `select id from app_public.organizations where slug = 'initech'`,
      ),
      userId: user!.id,
      sessionId: sessionId!,
    } as const
    expect(await stage.sees(admin, 'select (app_public.current_security_policy()).local_login')).toEqual([
      true,
    ])
    expect(
      await stage.does(admin, `select reference from app_public.create_ticket('A subject', 'A body')`),
    ).toBe('ATUM-1001')
  })

  test('is on record for it, in the chain of the organization, and the token is not', async () => {
    const token = await stage.does<string>(operator, found, [
      'umbrella',
      'Umbrella',
      'admin@umbrella.test',
      'An admin',
    ])
    const { rows } = await stage.superuser.query(
      `select distinct link.actor_id, link.actor_role, link.request_id, host(link.ip_address) as ip
      from app_public.audit_log as link join app_public.organizations as made on made.id = link.organization_id
      where made.slug = 'umbrella'`,
    )
    expect(rows).toEqual([
      { actor_id: null, actor_role: 'atum_operator', request_id: 'operating', ip: '192.0.2.1' },
    ])
    expect(
      await value(
        stage.superuser,
        `select count(*)::int from app_public.audit_log as link where link::text like '%' || $1 || '%'`,
        [token],
      ),
    ).toBe(0)
  })

  test('makes two in one go', async () => {
    const made = `select app_private.found_organization(slug, slug, 'a@' || slug || '.test', 'A') from unnest('{one,two}'::text[]) as slug`
    expect(await stage.refuses(operator, made)).toBe('accepted')
  })

  test('sees which there are and how many people they have', async () => {
    const seen = await stage.sees(operator, overview)
    expect(seen).toContainEqual({
      slug: 'acme',
      name: 'The acme company',
      created_at: expect.any(String),
      suspended_at: null,
      people: 5,
    })
  })

  test('closes one and opens it again, and every server is told each time', async () => {
    const listener = await stage.open(stage.database.serverUrl)
    const { organizationId } = stage.globex
    const heard = async (suspended: boolean | null) => {
      const { atum_revocations: told } = await heardWhile(listener, ['atum_revocations'], async () => {
        expect(await stage.does(operator, suspend, ['globex', suspended])).toBe(true)
      })
      return told
    }
    const state = () => stage.ask<{ organizations: string[] }>('revocation_state', {})
    expect(await heard(true)).toEqual([{ kind: 'organization', id: organizationId }])
    expect((await state()).organizations).toEqual([organizationId])
    const since = () =>
      value<Date>(stage.superuser, `select suspended_at from app_public.organizations where slug = 'globex'`)
    const closedAt = await since()
    // Closing what is closed changes nothing.
    expect(await heard(true)).toEqual([])
    expect(await since()).toEqual(closedAt)
    expect(await heard(false)).toEqual([{ kind: 'organization', id: organizationId }])
    expect((await state()).organizations).toEqual([])
    expect(
      await value(
        stage.superuser,
        `select array_agg(distinct actor_role) from app_public.audit_log where organization_id = $1 and operation = 'update' and after ? 'suspended_at'`,
        [organizationId],
      ),
    ).toEqual(['atum_operator'])
  })

  test('is told where there is none of that name', async () => {
    for (const slug of ['initrode', '', null])
      expect(await stage.does(operator, suspend, [slug, true])).toBe(false)
  })

  test('closes one without losing anything', async () => {
    const { email, userId } = await newcomer(stage.acme)
    await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
      stage.acme.organizationId,
      userId,
      password,
    ])
    await stage.does(operator, suspend, ['acme', true])
    expect(await logIn(email, password)).toEqual({ outcome: 'organization_suspended' })
    await stage.does(operator, suspend, ['acme', false])
    expect(await logIn(email, password)).toMatchObject({ outcome: 'ok' })
  })

  test('cannot act inside one: with whatever claims', async () => {
    const claims = { organizationId: stage.acme.organizationId, userId: stage.acme.admin.userId }
    for (const call of [
      'app_public.current_organization()',
      `app_public.create_ticket('A subject', 'A body')`,
      `app_public.invite_user('x@acme.test', 'X')`,
      'app_private.revocation_state()',
      `app_private.set_password('${claims.organizationId}', '${claims.userId}', '${password}')`,
    ]) {
      expect([call, await stage.refuses({ ...operator, ...claims }, `select ${call}`)]).toEqual([
        call,
        '42501',
      ])
    }
    expect(await sqlState(stage.does(operator, 'select id from app_public.organizations'))).toBe('42501')
  })
})
