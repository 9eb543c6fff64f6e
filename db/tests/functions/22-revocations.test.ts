import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { type Answer, loginsOn } from '../support/logins.ts'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { refresh, logOut, account, openSession, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const sealed = 'v1.id-token'

let listener: Awaited<ReturnType<typeof stage.open>>

beforeAll(async () => {
  listener = await stage.open(stage.database.serverUrl)
})

const heard = async (work: () => Promise<unknown>) =>
  (await heardWhile(listener, ['atum_revocations'], work)).atum_revocations

/** Somebody new with so many sessions, acting in the first. */
async function loggedIn(count: number): Promise<{ actor: Person; sessions: Answer[] }> {
  const userId = await account(stage.acme, `${randomUUID()}@sessions.test`)
  const sessions: Answer[] = []
  for (let each = 0; each < count; each += 1) sessions.push(await openSession(userId))
  const { organizationId } = stage.acme
  return {
    actor: { role: 'atum_customer', organizationId, userId, sessionId: sessions[0]!.sessionId! },
    sessions,
  }
}

const isLive = (sessionId: string | undefined, organizationId = stage.acme.organizationId) =>
  stage.ask('session_is_live', { organization_id: organizationId, session_id: sessionId })
const end = 'select app_public.end_session($1)'
const asToken = ({ sessionId: _session, ...person }: Person) => person

describe('a session is not ended', () => {
  test('by somebody else, by staff of the same organization or by an admin of another', async () => {
    const { actor } = await loggedIn(1)
    const { neighbour, agent, manager } = stage.acme
    for (const other of [neighbour, agent, manager, stage.globex.admin]) {
      expect(await stage.refuses(other, end, [actor.sessionId])).toBe('AD101')
    }
    for (const other of [neighbour, agent, manager]) {
      expect(await stage.refuses(other, 'select app_public.end_sessions_of($1)', [actor.userId])).toBe(
        '42501',
      )
      expect(await stage.refuses(other, 'select app_public.sessions_of($1)', [actor.userId])).toBe('42501')
    }
    const { admin } = stage.globex
    expect(await stage.sees(admin, 'select app_public.end_sessions_of($1)', [actor.userId])).toEqual([0])
    expect(await stage.sees(admin, 'select app_public.sessions_of($1)', [actor.userId])).toEqual([])
  })

  test('by an API token, by a stranger, twice, or where it never was', async () => {
    const { actor } = await loggedIn(1)
    const { admin } = stage.acme
    for (const sql of [end, 'select app_public.end_sessions_of($1)']) {
      expect(await stage.refuses(asToken(admin), sql, [actor.sessionId])).toBe('AD004')
    }
    expect(await stage.refuses(asToken(actor), 'select app_public.end_other_sessions()')).toBe('AD004')
    expect(await stage.refuses({ role: 'atum_anonymous' }, end, [actor.sessionId])).toBe('42501')
    expect(await stage.refuses({ role: 'atum_customer' }, end, [actor.sessionId])).toBe('AD001')
    expect(await stage.refuses(actor, end, [randomUUID()])).toBe('AD101')
    await stage.does(actor, end, [actor.sessionId])
    expect(await stage.refuses(actor, end, [actor.sessionId])).toBe('AD101')
  })
})

describe('a person', () => {
  test('sees the own sessions, the latest first, and nothing secret of them', async () => {
    const { actor, sessions } = await loggedIn(2)
    await stage.superuser.query(
      `update app_private.sessions set refreshed_at = now() - interval '1 hour' where id = $1`,
      [actor.sessionId],
    )
    const rows = await stage.sees(actor, 'select to_jsonb(own) from app_public.own_sessions() as own')
    const instant = expect.any(String)
    const seen = {
      ip_address: '192.0.2.7',
      user_agent: 'a browser',
      created_at: instant,
      refreshed_at: instant,
      expires_at: instant,
    }
    expect(rows).toEqual([
      { id: sessions[1]!.sessionId, is_current: false, ...seen },
      { id: sessions[0]!.sessionId, is_current: true, ...seen },
    ])
    expect(await stage.sees(asToken(actor), 'select is_current from app_public.own_sessions()')).toEqual([
      false,
      false,
    ])
  })

  test('does not see those that ended', async () => {
    const { actor, sessions } = await loggedIn(3)
    await stage.superuser.query('update app_private.sessions set expires_at = now() where id = $1', [
      sessions[1]!.sessionId,
    ])
    await logOut(sessions[2]!.refreshToken)
    expect(await stage.sees(actor, 'select id from app_public.own_sessions()')).toEqual([actor.sessionId])
  })

  test('ends one of them', async () => {
    const { actor, sessions } = await loggedIn(2)
    const [, second] = sessions
    expect(await heard(() => stage.does(actor, end, [second!.sessionId]))).toEqual([
      { kind: 'session', id: second!.sessionId },
    ])
    expect(await refresh(second!.refreshToken)).toEqual({ outcome: 'session_expired' })
    expect([await isLive(actor.sessionId), await isLive(second!.sessionId)]).toEqual([true, false])
  })

  test('ends the others, and then also this one', async () => {
    const { actor, sessions } = await loggedIn(3)
    expect(await stage.does(actor, 'select app_public.end_other_sessions()')).toBe(2)
    expect(await isLive(actor.sessionId)).toBe(true)
    expect(await stage.does(actor, 'select app_public.end_other_sessions(also_this => true)')).toBe(1)
    for (const { refreshToken } of sessions)
      expect((await refresh(refreshToken)).outcome).toBe('session_expired')
  })
})

describe('an admin', () => {
  test("sees and ends anybody's in the organization", async () => {
    const { actor, sessions } = await loggedIn(3)
    const { admin } = stage.acme
    expect(
      await stage.sees(admin, 'select id from app_public.sessions_of($1) where not is_current', [
        actor.userId,
      ]),
    ).toHaveLength(3)
    await stage.does(admin, end, [actor.sessionId])
    const told = await heard(() => stage.does(admin, 'select app_public.end_sessions_of($1)', [actor.userId]))
    expect(told).toHaveLength(2)
    expect(told).toEqual(
      expect.arrayContaining(sessions.slice(1).map(({ sessionId }) => ({ kind: 'session', id: sessionId }))),
    )
  })

  test('is on record for it', async () => {
    const { actor } = await loggedIn(1)
    const { admin } = stage.acme
    await stage.does({ ...admin, ipAddress: '192.0.2.99', requestId: 'ending' }, end, [actor.sessionId])
    const { rows } = await stage.superuser.query(
      `select actor_id, actor_role, host(ip_address) as ip, table_name, row_id, operation from app_public.audit_log where request_id = 'ending'`,
    )
    expect(rows).toEqual([
      {
        actor_id: admin.userId,
        actor_role: 'atum_admin',
        ip: '192.0.2.99',
        table_name: 'app_private.sessions',
        row_id: actor.sessionId,
        operation: 'update',
      },
    ])
  })
})

describe('a refresh token is not exchanged', () => {
  const during = async (change: { obstacle: string; relief: string }, work: () => Promise<unknown>) => {
    await stage.superuser.query(change.obstacle)
    try {
      await work()
    } finally {
      await stage.superuser.query(change.relief)
    }
  }
  const suspended = {
    obstacle: `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    relief: 'update app_public.organizations set suspended_at = null',
  }
  const elsewhere = {
    obstacle: `insert into app_public.ip_rules (organization_id, role, network)
      select id, 'customer', '192.0.2.7/32' from app_public.organizations where slug = 'acme'`,
    relief: `delete from app_public.ip_rules where role = 'customer'`,
  }

  test.each([
    { outcome: 'organization_suspended', change: suspended },
    { outcome: 'address_not_allowed', change: elsewhere },
  ])('where the answer is $outcome, and the session goes on afterwards', async ({ outcome, change }) => {
    const { sessions } = await loggedIn(1)
    const first = await refresh(sessions[0]!.refreshToken, stage.server, '192.0.2.7')
    await during(change, async () => {
      // Nor by the token before, in the moment in which it still answers.
      for (const { refreshToken } of [first, sessions[0]!]) {
        expect(await refresh(refreshToken)).toEqual({ outcome })
      }
    })
    expect((await refresh(first.refreshToken)).outcome).toBe('ok')
  })

  test('and one that was stolen ends the session wherever it is shown', async () => {
    const { actor, sessions } = await loggedIn(1)
    await refresh(sessions[0]!.refreshToken)
    await stage.superuser.query(
      `update app_private.sessions set refreshed_at = now() - interval '1 minute' where id = $1`,
      [actor.sessionId],
    )
    await during(elsewhere, async () => {
      expect(await refresh(sessions[0]!.refreshToken)).toEqual({ outcome: 'session_expired' })
    })
    expect(await isLive(actor.sessionId)).toBe(false)
  })

  test('twice without the person being told, and every server', async () => {
    const { actor, sessions } = await loggedIn(1)
    const second = await refresh(sessions[0]!.refreshToken)
    await refresh(second.refreshToken)
    expect(await heard(() => refresh(sessions[0]!.refreshToken))).toEqual([
      { kind: 'session', id: actor.sessionId },
    ])
    const { rows } = await stage.superuser.query(
      `select mail.purpose, mail.expires_at, job.payload
      from app_private.account_mails as mail
      join graphile_worker._private_jobs as job on job.payload ->> 'accountMailId' = mail.id::text
      where mail.user_id = $1`,
      [actor.userId],
    )
    expect(rows).toEqual([
      {
        purpose: 'refresh_token_reused',
        expires_at: null,
        payload: { accountMailId: expect.any(String), organizationId: stage.acme.organizationId },
      },
    ])
  })
})

describe('what a server asks', () => {
  test('whether a session is live: not of another organization, nor where its own is closed', async () => {
    const { actor } = await loggedIn(1)
    expect(await isLive(actor.sessionId)).toBe(true)
    expect(await isLive(actor.sessionId, stage.globex.organizationId)).toBe(false)
    expect(await isLive(randomUUID())).toBe(false)
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    expect(await isLive(actor.sessionId)).toBe(false)
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    await stage.superuser.query('update app_private.sessions set expires_at = now() where id = $1', [
      actor.sessionId,
    ])
    expect(await isLive(actor.sessionId)).toBe(false)
  })

  test('when it comes late: which sessions ended in the life of an access token, and who is closed', async () => {
    const { actor, sessions } = await loggedIn(2)
    await stage.superuser.query(
      `update app_private.sessions set revoked_at = now() - interval '12 minutes' where revoked_at is not null`,
    )
    const state = () => stage.ask<{ sessions: string[]; organizations: string[] }>('revocation_state', {})
    expect(await state()).toEqual({ sessions: [], organizations: [] })
    await stage.does(actor, end, [sessions[1]!.sessionId])
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'globex'`,
    )
    expect(await state()).toEqual({
      sessions: [sessions[1]!.sessionId],
      organizations: [stage.globex.organizationId],
    })
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
  })
})

describe('logging out', () => {
  test('of a session that an identity provider opened says where to log out too', async () => {
    const { actor, sessions } = await loggedIn(1)
    await stage.superuser.query(
      'update app_private.sessions set identity_provider_id = $2, id_token = $3 where id = $1',
      [actor.sessionId, stage.acme.providerId, sealed],
    )
    expect(await logOut(sessions[0]!.refreshToken)).toEqual({
      providerId: stage.acme.providerId,
      idToken: sealed,
    })
    expect(await logOut(sessions[0]!.refreshToken)).toBe(null)
  })

  test('says nothing otherwise, tells the servers, and is on record', async () => {
    const { actor, sessions } = await loggedIn(1)
    expect(
      await heard(async () => {
        expect(await logOut(sessions[0]!.refreshToken)).toBe(null)
      }),
    ).toEqual([{ kind: 'session', id: actor.sessionId }])
    const by = await value(
      stage.superuser,
      `select actor_id from app_public.audit_log where row_id = $1 and after ? 'revoked_at' and operation = 'update'`,
      [actor.sessionId],
    )
    expect(by).toBe(actor.userId)
    expect(await recordedWhile(() => logOut('never given'))).toEqual([])
    expect(await actsWithoutOrigin()).toEqual([])
  })
})
