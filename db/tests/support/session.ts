import type { Client } from 'pg'

/** Every role a request or a process can have. */
export const runtimeRoles = [
  'atum_server',
  'atum_anonymous',
  'atum_customer',
  'atum_agent',
  'atum_manager',
  'atum_admin',
  'atum_worker',
  'atum_operator',
  'atum_reporting',
] as const

export type Role = (typeof runtimeRoles)[number] | 'atum_owner'

/** Who acts: a role, and the claims the server would have set for it. */
export interface Actor {
  role: Role
  organizationId?: string
  userId?: string
  /** What a person who logged in has, and an API token has not. */
  sessionId?: string
  ipAddress?: string
  requestId?: string
}

/** Becomes an actor until the end of the transaction. The client's login must be allowed to. */
export async function become(client: Client, actor: Actor): Promise<void> {
  await client.query(
    `select
      set_config('role', $1, true), set_config('atum.organization_id', $2, true), set_config('atum.user_id', $3, true),
      set_config('atum.session_id', $4, true), set_config('atum.ip_address', $5, true), set_config('atum.request_id', $6, true)`,
    [
      actor.role,
      actor.organizationId ?? '',
      actor.userId ?? '',
      actor.sessionId ?? '',
      actor.ipAddress ?? '',
      actor.requestId ?? '',
    ],
  )
}

/** Runs something in a transaction of its own and commits it, with the end-of-transaction triggers that entails. */
export async function committed<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

/** Runs something in a transaction that leaves nothing behind. */
export async function rolledBack<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    return await work()
  } finally {
    await client.query('rollback')
  }
}

/** Runs something as somebody and leaves nothing behind. */
export const asRole = <T>(client: Client, actor: Actor, work: () => Promise<T>): Promise<T> =>
  rolledBack(client, async () => {
    await become(client, actor)
    return work()
  })

/** Runs something as somebody for good. */
export const asRoleForGood = <T>(client: Client, actor: Actor, work: () => Promise<T>): Promise<T> =>
  committed(client, async () => {
    await become(client, actor)
    return work()
  })
