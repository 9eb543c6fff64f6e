import type { Client } from 'pg'
import { value } from './connections.ts'
import type { Tenant } from './fixture.ts'
import type { Stage } from './stage.ts'

/** What the login functions answer. */
export interface Answer {
  outcome: string
  user?: { id: string; organization: { slug: string } }
  sessionId?: string
  refreshToken?: string
  organizations?: { slug: string; name: string }[]
}

interface Recorded {
  organization_id: string
  operation: string
  row_id: string | null
  actor_id: string | null
  after: unknown
}

/** Logging in and out on a stage, as the server does it, and what is recorded of it. */
export function loginsOn(stage: Stage) {
  const logIn = (
    email: string | null,
    secret: string | null,
    {
      slug = null,
      demo = false,
      userAgent = 'a browser',
      client = stage.server,
    }: { slug?: string | null; demo?: boolean; userAgent?: string; client?: Client } = {},
  ) =>
    value<Answer>(client, `select app_private.log_in($1, $2, $3, $4, '192.0.2.7', $5)`, [
      email,
      secret,
      slug,
      demo,
      userAgent,
    ])

  const refresh = (token: string | undefined, client = stage.server) =>
    value<Answer>(client, `select app_private.refresh_session($1, '192.0.2.8', 'another browser')`, [token])

  const logOut = (token: string | undefined) => stage.server.query('select app_private.log_out($1)', [token])

  /** A person with a password; in several organizations under the same address if need be. */
  async function person(
    tenant: Tenant,
    email: string,
    secret: string,
    { demo = false } = {},
  ): Promise<string> {
    const id = await value<string>(
      stage.superuser,
      `insert into app_public.users (organization_id, email, name) values ($1, $2, 'Somebody') returning id`,
      [tenant.organizationId, email],
    )
    await stage.superuser.query('select app_private.set_password($1, $2, $3, $4)', [
      tenant.organizationId,
      id,
      secret,
      demo,
    ])
    return id
  }

  const sessions = () => value<number>(stage.superuser, 'select count(*)::int from app_private.sessions')

  /** The acts, not the row changes, that were recorded while something was done. */
  async function recordedWhile(work: () => Promise<unknown>): Promise<Recorded[]> {
    const before = await value<string[]>(stage.superuser, 'select array_agg(id) from app_public.audit_log')
    await work()
    const { rows } = await stage.superuser.query<Recorded>(
      `select organization_id, operation, row_id, actor_id, after from app_public.audit_log
      where id <> all ($1::uuid[]) and operation not in ('insert', 'update', 'delete') order by recorded_at`,
      [before],
    )
    return rows
  }

  return { logIn, refresh, logOut, person, sessions, recordedWhile }
}
