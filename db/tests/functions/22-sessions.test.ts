import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { fixturePassword } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const password = fixturePassword
const { logIn, refresh, logOut, person, recordedWhile } = loginsOn(stage)

beforeAll(async () => {
  await person(stage.acme, 'twice@example.test', 'one in acme')
  await person(stage.globex, 'twice@example.test', 'another in globex')
})

describe('a refresh token', () => {
  const state = (sessionId: string | undefined) =>
    value<boolean>(stage.superuser, 'select revoked_at is not null from app_private.sessions where id = $1', [
      sessionId,
    ])
  /** The moment in which two tabs may show the same token is over. */
  const passMoment = (sessionId: string | undefined) =>
    stage.superuser.query(
      `update app_private.sessions set refreshed_at = now() - interval '1 minute' where id = $1`,
      [sessionId],
    )

  test.each(['', 'x', 'f'.repeat(96), 'a\nb'])('that was never given (%j) is none', async (token) => {
    expect(await refresh(token)).toEqual({ outcome: 'session_expired' })
  })

  test('that is null is none', async () => {
    expect(await refresh(undefined)).toEqual({
      outcome: 'session_expired',
    })
  })

  test('that is the stored hash is none', async () => {
    const { sessionId } = await logIn('customer@acme.test', password)
    const hash = await value<string>(
      stage.superuser,
      `select encode(refresh_token_hash, 'hex') from app_private.sessions where id = $1`,
      [sessionId],
    )
    expect(await refresh(hash)).toEqual({ outcome: 'session_expired' })
  })

  test('gives the next one, and the same person', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    expect(second).toEqual({ ...first, refreshToken: expect.stringMatching(/^[0-9a-f]{96}$/) })
    expect(second.refreshToken).not.toBe(first.refreshToken)
    const third = await refresh(second.refreshToken)
    expect(third.outcome).toBe('ok')
    expect(
      await value(stage.superuser, 'select host(ip_address) from app_private.sessions where id = $1', [
        first.sessionId,
      ]),
    ).toBe('192.0.2.8')
  })

  test('shown once more at once, as by a second tab or where the answer was lost, is answered with another', async () => {
    const first = await logIn('customer@acme.test', password)
    await refresh(first.refreshToken)
    const again = await refresh(first.refreshToken)
    expect(again).toMatchObject({ outcome: 'ok', user: first.user, sessionId: first.sessionId })
    // Whose browser never had the first answer is not taken for a thief, however much later.
    await passMoment(first.sessionId)
    const next = await refresh(again.refreshToken)
    expect(next.outcome).toBe('ok')
    expect((await refresh(next.refreshToken)).outcome).toBe('ok')
  })

  test('given out beside another is spent once one of them is used', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    const beside = await refresh(first.refreshToken)
    expect((await refresh(second.refreshToken)).outcome).toBe('ok')
    expect(await refresh(beside.refreshToken)).toEqual({ outcome: 'session_expired' })
    expect(await state(first.sessionId)).toBe(true)
  })

  test('shown again and again gets no tokens without end', async () => {
    const first = await logIn('customer@acme.test', password)
    for (let time = 0; time < 9; time += 1) {
      expect((await refresh(first.refreshToken)).refreshToken).toMatch(/^[\da-f]{96}$/)
    }
    expect(await refresh(first.refreshToken)).toEqual({
      outcome: 'ok',
      user: first.user,
      sessionId: first.sessionId,
    })
  })

  test('shown twice at the same moment gives two, of which one goes on', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    const clients = await Promise.all([
      stage.open(stage.database.serverUrl),
      stage.open(stage.database.serverUrl),
    ])
    const answers = await Promise.all(clients.map((client) => refresh(refreshToken, client)))
    expect(answers.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(2)
    expect((await refresh(answers[1]?.refreshToken)).outcome).toBe('ok')
    expect(await state(sessionId)).toBe(false)
  })

  test('shown again later ends the session, also for who holds the next one', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    await passMoment(first.sessionId)
    const records = await recordedWhile(async () => {
      expect(await refresh(first.refreshToken)).toEqual({ outcome: 'session_expired' })
    })
    expect(records).toEqual([
      {
        organization_id: stage.acme.organizationId,
        operation: 'refresh_token_reused',
        row_id: first.sessionId,
        actor_id: stage.acme.customer.userId,
        after: null,
      },
    ])
    expect(await state(first.sessionId)).toBe(true)
    expect(await refresh(second.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('shown again after several others ends the session too', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    const third = await refresh(second.refreshToken)
    // At once: the moment of grace is for the token before, not for the one before that.
    expect(await refresh(first.refreshToken)).toEqual({ outcome: 'session_expired' })
    expect(await state(first.sessionId)).toBe(true)
    expect(await refresh(third.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('does not end other sessions of the same person', async () => {
    const one = await logIn('customer@acme.test', password)
    const other = await logIn('customer@acme.test', password)
    await refresh(one.refreshToken)
    await passMoment(one.sessionId)
    await refresh(one.refreshToken)
    expect((await refresh(other.refreshToken)).outcome).toBe('ok')
  })

  test('of a session that ended by itself is none', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    await stage.superuser.query('update app_private.sessions set expires_at = now() where id = $1', [
      sessionId,
    ])
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of an account that was shut meanwhile is none', async () => {
    const { refreshToken } = await logIn('twice@example.test', 'one in acme')
    const shut = (at: string) =>
      stage.superuser.query(
        `update app_public.users set disabled_at = ${at} where email = 'twice@example.test'`,
      )
    await shut('now()')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    // The session ended with it, and does not come back to life when the account does.
    await shut('null')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of a person whose role changed is none', async () => {
    const { refreshToken } = await logIn('twice@example.test', 'one in acme')
    const promote = (role: string) =>
      stage.superuser.query(`update app_public.users set role = $1 where email = 'twice@example.test'`, [
        role,
      ])
    const { rows } = await stage.superuser.query<{ role: string }>(
      `select role from app_public.users where email = 'twice@example.test' limit 1`,
    )
    await promote('manager')
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    await promote(rows[0]?.role ?? 'customer')
  })

  test('is none after logging out, and logging out of nothing is no error', async () => {
    const { refreshToken, sessionId } = await logIn('customer@acme.test', password)
    await logOut(refreshToken)
    expect(await state(sessionId)).toBe(true)
    expect(await refresh(refreshToken)).toEqual({ outcome: 'session_expired' })
    for (const token of [refreshToken, 'never given', '']) await logOut(token)
  })

  test('that was already spent logs out all the same, as when a refresh is under way', async () => {
    const first = await logIn('customer@acme.test', password)
    const second = await refresh(first.refreshToken)
    await logOut(first.refreshToken)
    expect(await refresh(second.refreshToken)).toEqual({ outcome: 'session_expired' })
  })

  test('of somebody else is not touched by logging out', async () => {
    const mine = await logIn('customer@acme.test', password)
    const theirs = await logIn('twice@example.test', 'another in globex')
    await logOut(mine.refreshToken)
    expect((await refresh(theirs.refreshToken)).outcome).toBe('ok')
  })
})
