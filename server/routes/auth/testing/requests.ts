import { expect } from 'vitest'
import { type Person, type Tenant, type TestServer } from '../../../testing.ts'

/** What a page of ours sends along. */
export const program = { 'x-atum-request': '1' }

export const bearer = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` })

/** Posts JSON to /api/v1/auth as a page of ours does. */
export function post(
  { origin }: { origin: string },
  path: string,
  body: unknown,
  headers: Record<string, string> = program,
): Promise<Response> {
  return fetch(`${origin}/api/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

/** The pair of the first cookie that an answer sets. */
export const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';', 1)[0] ?? ''

/** Reads a refusal: it must have this code, and set no cookie that lets anybody in. */
export async function expectRefusal(
  response: Response,
  status: number,
  code: string,
): Promise<Record<string, unknown> | undefined> {
  const { error } = (await response.json()) as {
    error?: { code: string; details?: Record<string, unknown> }
  }
  expect([response.status, error?.code]).toEqual([status, code])
  expect(response.headers.get('set-cookie') ?? '').not.toMatch(/atum_refresh(_\d+)?=[0-9a-f]/)
  return error?.details
}

/** An API token of a person, with every right there is for the role. */
export async function apiTokenOf(
  { superuser }: TestServer,
  { id: organizationId }: Tenant,
  person: Person,
): Promise<{ token: string }> {
  await superuser.query('begin')
  await superuser.query(
    `select
       set_config('atum.organization_id', $1, true), set_config('atum.user_id', $2, true),
       set_config('atum.session_id', $3, true)`,
    [organizationId, person.id, person.sessionId],
  )
  const { rows } = await superuser.query<{ secret: string }>(
    `select secret from app_public.create_api_token('Robot', $1)`,
    [/^(manager|admin)$/.test(person.role) ? ['read', 'admin:write'] : ['read', 'tickets:write']],
  )
  await superuser.query('commit')
  return { token: rows[0]!.secret }
}

/** The operations that the audit log has of a person, in order. */
export async function auditOf({ superuser }: TestServer, { id }: { id: string }): Promise<string[]> {
  const { rows } = await superuser.query<{ operation: string }>(
    `select operation from app_public.audit_log
     where table_name = 'app_public.users' and row_id = $1 and operation !~ '^(insert|update)$' order by seq`,
    [id],
  )
  return rows.map(({ operation }) => operation)
}
