import { afterEach, describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import { fixturePassword as password } from '../support/fixture.ts'
import { type Answer, loginsOn, type Newcomer } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)
const { tokenTo } = accountMailsOn(stage)
const visitor = { ip_address: '192.0.2.7', user_agent: 'a browser' }
const newPassword = 'a horse that nobody has stapled'
const expired = { outcome: 'challenge_expired' }

afterEach(() => stage.superuser.query('update app_public.security_policies set local_login = true'))

/** Somebody with a password whose codes are asked for. */
async function withCodes(role: 'agent' | 'admin' = 'agent'): Promise<Newcomer> {
  const person = await newcomer(stage.acme, role)
  await stage.superuser.query('select app_private.set_password($1, $2, $3)', [
    person.organizationId,
    person.userId,
    password,
  ])
  await stage.superuser.query(
    `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at) values ($1, $2, 'v1.sealed', now())`,
    [person.organizationId, person.userId],
  )
  return person
}

/** What the first step gives a person, without what it costs. */
async function challengeFor({ userId }: Newcomer, providerId: string | null = null): Promise<string> {
  const { challenge } = await value<Answer>(
    stage.superuser,
    `select app_private.admit(person, $2, '192.0.2.7', 'a browser', $3) from app_public.users as person where id = $1`,
    [userId, providerId ? 'provider' : 'password', providerId],
  )
  return challenge!
}

const makeProvider = () =>
  value<string>(
    stage.superuser,
    `insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id)
    values ($1, 'oidc', gen_random_uuid()::text, 'https://login.test', 'atum') returning id`,
    [stage.acme.organizationId],
  )
const provider = (change: string, id: string) => stage.superuser.query(`${change} where id = $1`, [id])
const switchedOff = 'update app_public.identity_providers set is_enabled = false'

const lookUp = (challenge: string) => stage.ask<Answer>('challenge_of', { challenge })
const pass = (challenge: string) =>
  stage.ask<Answer>('pass_two_factor', { challenge, time_step: 100, ...visitor })

const liveSessions = ({ userId }: Newcomer) =>
  value<number>(
    stage.superuser,
    'select count(*)::int from app_private.sessions where user_id = $1 and revoked_at is null',
    [userId],
  )

describe('a login that waits for its second step does not outlive', () => {
  test.each<[string, (person: Newcomer) => Promise<unknown>]>([
    [
      'a reset of the password',
      async ({ userId }) => {
        await stage.superuser.query(
          `select app_private.write_account_mail(person, 'password_reset') from app_public.users as person where id = $1`,
          [userId],
        )
        await stage.ask('reset_password', {
          token: await tokenTo(userId, 'password_reset'),
          password: newPassword,
        })
      },
    ],
    [
      'a change of the password',
      (actor) =>
        stage.ask('change_password', { current_password: password, new_password: newPassword }, { actor }),
    ],
    [
      'the end of all sessions by its person',
      (person) => stage.does(person, 'select app_public.end_other_sessions()'),
    ],
    [
      'the end of all sessions by an admin, also where there is none',
      async ({ userId }) => {
        await stage.superuser.query('update app_private.sessions set revoked_at = now() where user_id = $1', [
          userId,
        ])
        await stage.does(stage.acme.admin, 'select app_public.end_sessions_of($1)', [userId])
      },
    ],
    [
      'a second factor that an admin resets',
      ({ userId }) => stage.does(stage.acme.admin, 'select app_public.reset_two_factor($1)', [userId]),
    ],
    [
      'an account that is shut, also once it is open again',
      async ({ userId }) => {
        const change = (to: string) =>
          stage.superuser.query(`update app_public.users set disabled_at = ${to} where id = $1`, [userId])
        await change('now()')
        await change('null')
      },
    ],
    [
      'another role',
      ({ userId }) =>
        stage.superuser.query(`update app_public.users set role = 'manager' where id = $1`, [userId]),
    ],
  ])('%s', async (_name, happens) => {
    const person = await withCodes()
    const challenge = await challengeFor(person)
    expect((await lookUp(challenge)).outcome).toBe('ok')
    await happens(person)
    const before = await liveSessions(person)
    expect(await lookUp(challenge)).toEqual(expired)
    expect(await pass(challenge)).toEqual(expired)
    expect(await liveSessions(person)).toBe(before)
  })

  test.each([
    ['its provider, when that is switched off', switchedOff],
    ['its provider, when that is deleted', 'delete from app_public.identity_providers'],
  ])('%s', async (_name, change) => {
    const id = await makeProvider()
    const challenge = await challengeFor(await withCodes(), id)
    await provider(change, id)
    expect(await lookUp(challenge)).toEqual(expired)
    expect(await pass(challenge)).toEqual(expired)
  })

  test('its provider, also where both happened at the same moment', async () => {
    const id = await makeProvider()
    const challenge = await challengeFor(await withCodes(), id)
    const trigger = (change: string) =>
      stage.superuser.query(
        `alter table app_public.identity_providers ${change} trigger _510_end_sessions_when_off`,
      )
    await trigger('disable')
    await provider(switchedOff, id)
    await trigger('enable')
    expect((await lookUp(challenge)).outcome).toBe('ok')
    expect(await pass(challenge)).toEqual(expired)
  })

  test('login by password, when that is turned off, unless its person may break the glass', async () => {
    const [person, breaker] = [await withCodes(), await withCodes('admin')]
    await stage.superuser.query('update app_public.users set is_break_glass = true where id = $1', [
      breaker.userId,
    ])
    const [challenge, ofBreaker] = [await challengeFor(person), await challengeFor(breaker)]
    const byProvider = await challengeFor(await withCodes(), await makeProvider())
    await stage.superuser.query('update app_public.security_policies set local_login = false')
    expect(await pass(challenge)).toEqual({ outcome: 'local_login_off' })
    expect(await pass(ofBreaker)).toMatchObject({ outcome: 'ok' })
    expect(await pass(byProvider)).toMatchObject({ outcome: 'ok' })
  })
})

test('what another does, or another provider, leaves a login that waits alone', async () => {
  const id = await makeProvider()
  const [person, other] = [await withCodes(), await withCodes()]
  const [challenge, byProvider] = [await challengeFor(person), await challengeFor(person, id)]
  await stage.does(other, 'select app_public.end_other_sessions()')
  await provider(switchedOff, await makeProvider())
  expect((await lookUp(byProvider)).outcome).toBe('ok')
  expect(await pass(challenge)).toMatchObject({ outcome: 'ok' })
})
