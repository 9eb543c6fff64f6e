import type { Client } from 'pg'

/** What verification says of a chain. */
export interface Verdict {
  checked: number
  verified: boolean
  broken_seq: number | null
}

/** Follows a chain from its first record to its head. */
export async function verdictOf(client: Client, scope: string): Promise<Verdict> {
  const { rows } = await client.query<Verdict>(
    'select checked::float8, verified, broken_seq::float8 from app_private.verify_audit_chain_of($1)',
    [scope],
  )
  return rows[0]!
}

/** One record of the log, as text where the canonical text has text. */
export interface Link {
  seq: number
  chain_scope: string
  id: string
  recorded_microseconds: string
  actor_id: string | null
  actor_role: string
  ip_address: string | null
  request_id: string | null
  operation: string
  table_name: string
  row_id: string | null
  before: string | null
  after: string | null
  prev_hash: string
  row_hash: string
}

/** Every record of a chain, in its order. `client` is a superuser's. */
export async function readChain(client: Client, scope: string): Promise<Link[]> {
  const { rows } = await client.query<Link>(
    `select
      seq::float8, chain_scope, id, (extract(epoch from recorded_at) * 1000000)::bigint::text as recorded_microseconds,
      actor_id, actor_role, host(ip_address) as ip_address, request_id, operation, table_name, row_id,
      before::text, after::text, prev_hash, row_hash
    from app_public.audit_log where organization_id = $1 order by seq`,
    [scope],
  )
  return rows
}
