import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { become } from './session.ts'

// Histories are written by the owner, who alone may say when something happened; each test is a transaction that is
// rolled back. Monday 2024-01-15, hours 09:00 to 17:00 UTC: normal answers within 4 hours and ends within 32.

export let client: Client
export let organizationId: string
export let requesterId: string
export let agentId: string

/** Sets the desk up for a test file, and anew for each test. */
export function setSlaDesk(): void {
  let database: TestDatabase

  beforeAll(async () => {
    database = await createTestDatabase()
    // The superuser may become everybody.
    client = new Client({ connectionString: database.superuserUrl })
    await client.connect()
  })

  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  beforeEach(async () => {
    await client.query('begin')
    await become(client, { role: 'atum_owner' })
    organizationId = await makeOrganization('desk')
    requesterId = await makeUser(organizationId, 'requester', 'customer')
    agentId = await makeUser(organizationId, 'agent', 'agent')
  })

  afterEach(async () => {
    await client.query('rollback')
  })
}

/** The one value, named `value`, of the one row. */
export async function one<T>(sql: string, values: unknown[] = []): Promise<T> {
  const { rows } = await client.query<{ value: T }>(sql, values)
  return rows[0]!.value
}

/** An organization that works from Monday to Friday, 09:00 to 17:00 UTC. */
export async function makeOrganization(slug: string): Promise<string> {
  return one<string>('select app_private.create_organization($1, $1, hours => $2) as value', [
    slug,
    JSON.stringify(
      Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, [['09:00', '17:00']]])),
    ),
  ])
}

/** A person; the identifier. */
export const makeUser = (organization: string, name: string, role: string) =>
  one<string>(
    `insert into app_public.users (organization_id, email, name, role) values ($1, $2 || '@desk.test', $2, $3) returning id as value`,
    [organization, name, role],
  )

/** Opens a ticket at an instant; the identifier. */
export const open = (at: string, values: { priority?: string; status?: string; requester?: string } = {}) =>
  one<string>(
    `insert into app_public.tickets (organization_id, subject, priority, status, requester_id, created_at, updated_at)
    values ($1, 'No network', $2, $3, $4, $5, $5) returning id as value`,
    [
      organizationId,
      values.priority ?? 'normal',
      values.status ?? 'new',
      values.requester ?? requesterId,
      at,
    ],
  )

/** Says something on a ticket at an instant. */
export const comment = (ticketId: string, authorId: string, at: string, visibility = 'public') =>
  client.query(
    `insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, created_at)
    values ($1, $2, $3, $4, 'words', $5)`,
    [organizationId, ticketId, authorId, visibility, at],
  )

/** A ticket with its description, so that the next comment is an answer. */
export async function openDescribed(at: string, values: Parameters<typeof open>[1] = {}): Promise<string> {
  const ticketId = await open(at, values)
  await comment(ticketId, values.requester ?? requesterId, at)
  return ticketId
}

/** Gives a ticket another status at an instant. */
export const move = (ticketId: string, status: string, at: string) =>
  client.query('update app_public.tickets set status = $2, updated_at = $3 where id = $1', [
    ticketId,
    status,
    at,
  ])

/** Gives a ticket another priority at an instant. */
export const prioritize = (ticketId: string, priority: string, at: string) =>
  client.query('update app_public.tickets set priority = $2, updated_at = $3 where id = $1', [
    ticketId,
    priority,
    at,
  ])

/** A clock as one reads it: instants in UTC, spans in seconds. */
export interface Clock {
  due: string
  paused: number
  pausedAt: string | null
  met: string | null
  breached: string | null
  elapsed: number | null
}

/** How `to_char` prints an instant. */
export const instant = `'YYYY-MM-DD HH24:MI:SS'`

/** The clock of a ticket. */
export async function clockOf(
  ticketId: string,
  kind: 'first_response' | 'next_response' | 'resolution',
): Promise<Clock> {
  const { rows } = await client.query<Clock>(
    `select
      to_char(due_at, ${instant}) as due,
      (select coalesce(sum(extract(epoch from upper(span) - lower(span))), 0)::float8 from unnest(paused) as span) as paused,
      to_char(paused_at, ${instant}) as "pausedAt",
      to_char(met_at, ${instant}) as met,
      to_char(breached_at, ${instant}) as breached,
      elapsed_seconds::float8 as elapsed
    from app_public.sla_calculations where ticket_id = $1 and kind = $2`,
    [ticketId, kind],
  )
  return rows[0]!
}

/** What the ticket itself says of its clocks. */
export async function ticketShows(ticketId: string) {
  const { rows } = await client.query<{ due: string | null; breached: boolean }>(
    `select to_char(next_due_at, ${instant}) as due, breached from app_public.tickets where id = $1`,
    [ticketId],
  )
  return rows[0]!
}

/** What the history tells of the promises. */
export async function slaEvents(ticketId: string) {
  const { rows } = await client.query<{ event: string }>(
    `select format('%s %s %s %s', to_char(created_at, ${instant}), type, after ->> 'kind', visibility) as event
    from app_public.ticket_events where ticket_id = $1 and type in ('sla_met', 'sla_breached', 'sla_warned', 'sla_escalated') order by created_at, after ->> 'kind'`,
    [ticketId],
  )
  return rows.map(({ event }) => event)
}

/** What the worker does each minute, for one organization. */
export const sweep = async (organization = organizationId) => {
  await become(client, { role: 'atum_worker', organizationId: organization })
  const recorded = await one<number>('select app_private.record_sla_breaches() as value')
  await become(client, { role: 'atum_owner' })
  return recorded
}

export const hour = 3600
/** A clock that runs and has nothing to tell yet. */
export const running = { paused: 0, pausedAt: null, met: null, breached: null, elapsed: null }
