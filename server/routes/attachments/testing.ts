import type { Person, TestServer } from '../../testing.ts'

/** Uploads a file as a browser does. */
export async function upload(
  { origin }: { origin: string },
  person: { token: string } | null,
  content: string | Uint8Array<ArrayBuffer>,
  { name = 'lamps.txt', type = 'text/plain', field = 'file' } = {},
): Promise<Response> {
  const form = new FormData()
  form.append(field, new Blob([content], { type }), name)
  return fetch(`${origin}/api/v1/attachments/upload`, {
    method: 'POST',
    headers: person ? { authorization: `Bearer ${person.token}` } : {},
    body: form,
  })
}

/** Asks for a file, by its id or by the rest of its address. */
export const get = (
  { origin }: { origin: string },
  person: { token: string } | null,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> =>
  fetch(path.startsWith('/') ? `${origin}${path}` : `${origin}/api/v1/attachments/${path}`, {
    method,
    headers: { ...(person ? { authorization: `Bearer ${person.token}` } : {}), ...headers },
  })

/** The code of a refusal. */
export async function codeOf(answer: Promise<Response>): Promise<string> {
  const response = await answer
  const { error } = (await response.json()) as { error?: { code: string } }
  return `${response.status} ${error?.code ?? ''}`.trim()
}

/** A file of somebody that is on a comment of a ticket. */
export async function attached(
  test: TestServer,
  person: Person,
  ticketId: string,
  content: string | Uint8Array<ArrayBuffer>,
  options: { name?: string; type?: string; visibility?: string } = {},
): Promise<string> {
  const { id } = (await (await upload(test, person, content, options)).json()) as { id: string }
  await asPerson(
    test,
    person,
    `select id from app_public.add_comment($1, 'Look', $2, attachment_ids => $3)`,
    [ticketId, options.visibility ?? 'public', [id]],
  )
  return id
}

/** Says something to the database as somebody. */
export async function asPerson(test: TestServer, person: Person, sql: string, values: unknown[]) {
  const { superuser } = test
  const organization = [test.acme, test.globex].find((tenant) => Object.values(tenant).includes(person))!
  await superuser.query('begin')
  await superuser.query(
    `select set_config('role', $1, true), set_config('atum.organization_id', $2, true), set_config('atum.user_id', $3, true)`,
    [`atum_${person.role}`, organization.id, person.id],
  )
  const { rows } = await superuser.query<{ id: string }>(sql, values)
  await superuser.query('commit')
  return rows[0]!.id
}
