import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { value } from './connections.ts'
import type { Person, Tenant } from './fixture.ts'
import type { Stage } from './stage.ts'

/** What the login functions answer. */
export interface Answer {
  outcome: string
  user?: { id: string; role: string; organization: { slug: string } }
  sessionId?: string
  refreshToken?: string
  challenge?: string
  organizations?: { slug: string; name: string }[]
  retryAfterSeconds?: number
  reason?: string
}

type Role = 'customer' | 'agent' | 'manager' | 'admin'

export type Newcomer = Person & { email: string }

interface Recorded {
  organization_id: string
  operation: string
  row_id: string | null
  actor_id: string | null
  after: unknown
}

interface LoginOptions {
  slug?: string | null
  demo?: boolean
  from?: string
  userAgent?: string
  client?: Client
}

/** Logging in and out on a stage, as the server does it, and what is recorded of it. */
export function loginsOn(stage: Stage) {
  const logIn = (
    email: string | null,
    secret: string | null,
    { slug = null, demo = false, from = '192.0.2.7', userAgent = 'a browser', client }: LoginOptions = {},
  ) =>
    stage.ask<Answer>(
      'log_in',
      {
        email,
        password: secret,
        organization_slug: slug,
        demo_allowed: demo,
        ip_address: from,
        user_agent: userAgent,
      },
      { actor: { ipAddress: from }, ...(client && { client }) },
    )

  const refresh = (token: string | undefined, client = stage.server, from = '192.0.2.8') =>
    stage.ask<Answer>(
      'refresh_session',
      { refresh_token: token, ip_address: from, user_agent: 'another browser' },
      { actor: { ipAddress: from }, client },
    )

  const logOut = (token: string | undefined) => stage.ask<unknown>('log_out', { refresh_token: token })

  /** A person; in several organizations under the same address if need be. */
  const account = (tenant: Tenant, email: string, role: Role = 'customer') =>
    value<string>(
      stage.superuser,
      `insert into app_public.users (organization_id, email, name, role) values ($1, $2, 'Somebody', $3) returning id`,
      [tenant.organizationId, email, role],
    )

  /** A person with a password. */
  async function person(
    tenant: Tenant,
    email: string,
    secret: string,
    { demo = false, role = 'customer' }: { demo?: boolean; role?: Role } = {},
  ): Promise<string> {
    const id = await account(tenant, email, role)
    await stage.superuser.query('select app_private.set_password($1, $2, $3, $4)', [
      tenant.organizationId,
      id,
      secret,
      demo,
    ])
    return id
  }

  /** A session as logging in opens one, without what a password costs. */
  const openSession = (userId: string) =>
    value<Answer>(
      stage.superuser,
      `select app_private.open_session(person, '192.0.2.7', 'a browser') from app_public.users as person where id = $1`,
      [userId],
    )

  /** Somebody new who logged in. */
  async function newcomer(tenant: Tenant, role: Role = 'customer'): Promise<Newcomer> {
    const email = `${randomUUID()}@${tenant.slug}.test`
    const userId = await account(tenant, email, role)
    const { sessionId } = await openSession(userId)
    return {
      role: `atum_${role}`,
      organizationId: tenant.organizationId,
      userId,
      sessionId: sessionId!,
      email,
    }
  }

  /** Nobody ever mistyped a password. */
  const forgiveFailures = () => stage.superuser.query('delete from app_private.login_failures')

  const sessions = () => value<number>(stage.superuser, 'select count(*)::int from app_private.sessions')

  /** The acts, not the row changes, that were recorded while something was done. */
  async function recordedWhile(work: () => Promise<unknown>): Promise<Recorded[]> {
    const before = await value<string[]>(stage.superuser, 'select array_agg(id) from app_public.audit_log')
    await work()
    const { rows } = await stage.superuser.query<Recorded>(
      `select organization_id, operation, row_id, actor_id, after from app_public.audit_log
      where id <> all ($1::uuid[]) and operation not in ('insert', 'update', 'delete') order by recorded_at, seq`,
      [before],
    )
    return rows
  }

  /** The acts of which is not recorded from where or in which request they came. */
  const actsWithoutOrigin = () =>
    value<string[]>(
      stage.superuser,
      `select coalesce(array_agg(distinct operation), '{}') from app_public.audit_log
      where operation not in ('insert', 'update', 'delete') and (ip_address is null or request_id is null)`,
    )

  return {
    logIn,
    refresh,
    logOut,
    account,
    person,
    openSession,
    newcomer,
    forgiveFailures,
    sessions,
    recordedWhile,
    actsWithoutOrigin,
  }
}
