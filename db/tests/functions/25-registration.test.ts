import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import { fixturePassword as password, type Person } from '../support/fixture.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, person, openSession, forgiveFailures, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const { mailsTo, tokenTo, jobsFor, forgetMails } = accountMailsOn(stage)
const newPassword = 'a horse that nobody has stapled'

const policy = (assignment: string) =>
  stage.superuser.query(`update app_public.security_policies set ${assignment} where organization_id = $1`, [
    stage.acme.organizationId,
  ])

beforeAll(() => policy(`registration_domains = '{acme.test,acme.example}'`))

beforeEach(forgiveFailures)

const register = (
  values: Partial<Record<'organization_slug' | 'email' | 'name', string | null>> = {},
  client = stage.server,
) =>
  stage.ask(
    'register',
    { organization_slug: 'acme', email: 'new@acme.test', name: 'Somebody new', ...values },
    { client },
  )

const census = () => value<number>(stage.superuser, 'select count(*)::int from app_public.users')
const idOf = (email: string) =>
  value<string>(
    stage.superuser,
    'select id from app_public.users where email = $1 and organization_id = $2',
    [email, stage.acme.organizationId],
  )

describe('nobody registers', () => {
  test.each([
    ['where nobody may', { organization_slug: 'globex' }, 'AD012'],
    ['where nothing is', { organization_slug: 'initech' }, 'AD012'],
    ['nowhere', { organization_slug: null }, 'AD012'],
    ['from another mail domain', { email: 'new@globex.test' }, 'AD012'],
    ['from a domain that ends the same', { email: 'new@not-acme.test' }, 'AD012'],
    ['from a domain below', { email: 'new@mail.acme.test' }, 'AD012'],
    ['from a domain that begins the same', { email: 'new@acme.test.evil.test' }, 'AD012'],
    ['from two domains', { email: 'new@acme.test@evil.test' }, 'AD012'],
    ['with a domain alone', { email: '@acme.test' }, 'AD012'],
    ['without a domain', { email: 'acme.test' }, 'AD012'],
    ['without an address', { email: null }, 'AD012'],
    ['without a name', { name: ' ' }, '23514'],
    ['with a name that is null', { name: null }, '23502'],
  ])('%s', async (_name, values, code) => {
    const before = await census()
    expect(await sqlState(register(values))).toBe(code)
    expect(await census()).toBe(before)
  })

  test.each([
    [
      'where the organization is closed for a time',
      () =>
        stage.superuser.query(`update app_public.organizations set suspended_at = now() where slug = 'acme'`),
      () => stage.superuser.query('update app_public.organizations set suspended_at = null'),
    ],
    ['where local login is off', () => policy('local_login = false'), () => policy('local_login = true')],
  ])('%s', async (_name, change, undo) => {
    await change()
    expect(await sqlState(register())).toBe('AD012')
    await undo()
  })
})

describe('who registers', () => {
  test('is a customer, and comes in once the link was followed', async () => {
    expect(await register({ email: 'First@ACME.example' })).toBe('')
    const id = await idOf('first@acme.example')
    expect(await logIn('first@acme.example', '')).toEqual({ outcome: 'invalid_credentials' })
    expect(await mailsTo(id)).toEqual(['email_verification'])
    expect(await jobsFor(id)).toEqual([
      { accountMailId: expect.any(String), organizationId: stage.acme.organizationId },
    ])
    const token = await tokenTo(id, 'email_verification')
    await stage.ask('accept_invitation', { token, name: '', password })
    expect(await logIn('first@acme.example', password)).toMatchObject({
      outcome: 'ok',
      user: { id, role: 'customer', name: 'Somebody new' },
    })
  })

  test('under an address that is taken is answered the same, and changes nothing', async () => {
    await person(stage.acme, 'taken@acme.test', password)
    const id = await idOf('taken@acme.test')
    const before = await census()
    expect(await register({ email: 'TAKEN@acme.test', name: 'A stranger' })).toBe('')
    expect(await census()).toBe(before)
    expect(await logIn('taken@acme.test', password)).toMatchObject({
      outcome: 'ok',
      user: { name: 'Somebody' },
    })
    expect(await mailsTo(id)).toEqual(['address_taken'])
  })

  test('again and again under an address that is taken writes once in an hour', async () => {
    await person(stage.acme, 'again@acme.test', password)
    for (let each = 1; each <= 3; each += 1) await register({ email: 'again@acme.test' })
    const id = await idOf('again@acme.test')
    expect(await mailsTo(id)).toEqual(['address_taken'])
    await forgetMails()
    await register({ email: 'again@acme.test' })
    expect(await mailsTo(id)).toEqual(['address_taken', 'address_taken'])
  })

  test('twice at the same moment is one person', async () => {
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const states = await Promise.all(
      clients.map((client) => sqlState(register({ email: 'race@acme.test' }, client))),
    )
    expect(states).toEqual(['accepted', 'accepted'])
    expect((await mailsTo(await idOf('race@acme.test'))).toSorted()).toEqual([
      'address_taken',
      'email_verification',
    ])
  })

  test('takes an address that somebody of another organization has', async () => {
    await person(stage.globex, 'elsewhere@acme.test', newPassword)
    await register({ email: 'elsewhere@acme.test' })
    expect(await logIn('elsewhere@acme.test', newPassword, { slug: 'globex' })).toMatchObject({
      outcome: 'ok',
    })
    expect(await mailsTo(await idOf('elsewhere@acme.test'))).toEqual(['email_verification'])
  })
})

describe('changing the password', () => {
  const change = (actor: Partial<Person>, current: string | null, next: string | null) =>
    stage.ask<Answer>('change_password', { current_password: current, new_password: next }, { actor })

  async function loggedIn(): Promise<Person & { email: string }> {
    const email = `${randomUUID()}@acme.test`
    const userId = await person(stage.acme, email, password)
    const { sessionId } = await openSession(userId)
    return {
      role: 'atum_customer',
      organizationId: stage.acme.organizationId,
      userId,
      sessionId: sessionId!,
      email,
    }
  }

  test('needs a session', async () => {
    const { sessionId: _session, ...token } = await loggedIn()
    expect(await sqlState(change({}, password, newPassword))).toBe('AD001')
    expect(await sqlState(change(token, password, newPassword))).toBe('AD004')
  })

  test('needs the one before, and slows down who guesses it', async () => {
    const somebody = await loggedIn()
    const acts = await recordedWhile(async () => {
      for (const wrong of ['wrong', '', null, newPassword, password.toUpperCase()]) {
        expect(await change(somebody, wrong, newPassword)).toEqual({ outcome: 'invalid_credentials' })
      }
    })
    expect(acts.map(({ operation, actor_id }) => [operation, actor_id])).toEqual(
      ['login_failed', 'login_failed', 'login_failed', 'login_failed', 'lockout', 'login_failed'].map(
        (act) => [act, somebody.userId],
      ),
    )
    expect((await change(somebody, password, newPassword)).outcome).toBe('too_many_attempts')
    await forgiveFailures()
    expect((await logIn(somebody.email, password)).outcome).toBe('ok')
  })

  test('needs one there that was set here', async () => {
    expect(await change(stage.acme.agent, '', newPassword)).toEqual({ outcome: 'invalid_credentials' })
  })

  test.each([
    ['AD005', 'short'],
    ['AD003', 'é'.repeat(40)],
    ['AD006', 'qwertyuiop'],
    ['23502', null],
  ])('to one that is refused (%s) changes nothing', async (code, next) => {
    const somebody = await loggedIn()
    expect(await sqlState(change(somebody, password, next))).toBe(code)
    expect((await logIn(somebody.email, password)).outcome).toBe('ok')
  })

  test('ends the other sessions, tells the person, and is on record', async () => {
    const somebody = await loggedIn()
    const other = await openSession(somebody.userId)
    const acts = await recordedWhile(async () => {
      expect(await change(somebody, password, newPassword)).toEqual({ outcome: 'ok' })
    })
    expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual([
      ['password_changed', somebody.userId, somebody.userId],
    ])
    const isLive = (sessionId: string | undefined) =>
      stage.ask('session_is_live', { organization_id: somebody.organizationId, session_id: sessionId })
    expect([await isLive(somebody.sessionId), await isLive(other.sessionId)]).toEqual([true, false])
    expect(await mailsTo(somebody.userId)).toEqual(['password_changed'])
    expect((await logIn(somebody.email, password)).outcome).toBe('invalid_credentials')
    expect((await logIn(somebody.email, newPassword)).outcome).toBe('ok')
    expect(await actsWithoutOrigin()).toEqual([])
  })
})
