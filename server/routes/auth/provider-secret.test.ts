import { describe, expect, test } from 'vitest'
import { bearer, post, program } from './testing/requests.ts'
import { stageSignOn } from './testing/sign-on.ts'

const stage = stageSignOn()
const { landAt, signOn, startAt } = stage

describe('the secret of a provider', () => {
  const save = (body: unknown, headers: Record<string, string>) =>
    post(stage.desk, 'identity-provider-secret', body, headers)

  test('is taken from nobody but an admin, for a provider of the own organization', async () => {
    const body = { providerId: stage.ids.real, secret: 'stolen' }
    const attempts: [unknown, Record<string, string>, number, string][] = [
      [body, program, 401, 'UNAUTHENTICATED'],
      [body, bearer(stage.desk.acme.agent), 403, 'FORBIDDEN'],
      [body, bearer(stage.desk.acme.manager), 403, 'FORBIDDEN'],
      [body, bearer(stage.desk.globex.admin), 404, 'NOT_FOUND'],
      [{ ...body, providerId: 'x' }, bearer(stage.desk.acme.admin), 400, 'INVALID_INPUT'],
      [{ ...body, secret: '' }, bearer(stage.desk.acme.admin), 400, 'INVALID_INPUT'],
    ]
    for (const [attempt, headers, status, code] of attempts) {
      const response = await save(attempt, headers)
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }])
    }
    expect(await signOn()).toBe('/signed-in?next=%2Fportal')
  })

  test('is kept encrypted, and does not open for another provider', async () => {
    const { rows } = await stage.desk.superuser.query<{ sealed: string }>(
      'select sealed from app_private.identity_provider_secrets',
    )
    for (const { sealed } of rows) expect(sealed).toMatch(/^v1\./)
    await stage.desk.superuser.query('begin')
    await stage.desk.superuser.query(
      `update app_private.identity_provider_secrets as copied set sealed = original.sealed
       from app_private.identity_provider_secrets as original
       where copied.provider_id = $1 and original.provider_id = $2`,
      [stage.ids.other, stage.ids.real],
    )
    await stage.desk.superuser.query('commit')
    expect(await landAt(startAt(stage.ids.other))).toBe('/portal/login?problem=SSO_FAILED')
  })
})
