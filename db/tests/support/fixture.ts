import type { Client } from 'pg'
import { type Actor, asRoleForGood, committed } from './session.ts'

/** One organization of the fixture, with a row in every tenant table. */
export interface Tenant {
  organizationId: string
  slug: string
  customer: Actor & { userId: string }
  /** Another customer of the same organization. */
  neighbour: Actor & { userId: string }
  agent: Actor & { userId: string }
  manager: Actor & { userId: string }
  admin: Actor & { userId: string }
  worker: Actor
  serviceId: string
  archivedServiceId: string
  teamId: string
  /** Requested by the customer, answered by the agent in public and in private. */
  ticketId: string
  publicCommentId: string
  internalCommentId: string
  /** Requested by the neighbour. */
  neighbourTicketId: string
}

/** The password of everybody in the fixture. */
export const fixturePassword = 'correct horse battery staple'

/** Two organizations that have the same people, names and numbers. `client` is a superuser's. */
export async function twoTenants(client: Client): Promise<{ acme: Tenant; globex: Tenant }> {
  return { acme: await tenant(client, 'acme'), globex: await tenant(client, 'globex') }
}

async function tenant(client: Client, slug: string): Promise<Tenant> {
  const id = async (sql: string, values: unknown[] = []): Promise<string> => {
    const { rows } = await client.query<{ id: string }>(sql, values)
    return rows[0]!.id
  }

  const people = await committed(client, async () => {
    await client.query('set local role atum_owner')
    const organizationId = await id('select app_private.create_organization($1, $2) as id', [
      slug,
      `The ${slug} company`,
    ])

    const person = async (name: string, role: 'customer' | 'agent' | 'manager' | 'admin') => ({
      role: `atum_${role}` as const,
      organizationId,
      userId: await id(
        'insert into app_public.users (organization_id, email, name, role) values ($1, $2, $3, $4) returning id',
        [organizationId, `${name}@${slug}.test`, `${name} of ${slug}`, role],
      ),
    })
    const people = {
      customer: await person('customer', 'customer'),
      neighbour: await person('neighbour', 'customer'),
      agent: await person('agent', 'agent'),
      manager: await person('manager', 'manager'),
      admin: await person('admin', 'admin'),
    }
    // The hash of one login is enough: each costs 50 ms.
    await client.query('select app_private.set_password($1, $2, $3)', [
      organizationId,
      people.customer.userId,
      fixturePassword,
    ])
    await client.query(
      `insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at)
      values ($1, $2, public.gen_random_bytes(16), sha256($3::text::bytea), now() + interval '1 day')`,
      [organizationId, people.customer.userId, `refresh token of ${slug}`],
    )

    const teamId = await id(
      `insert into app_public.teams (organization_id, name) values ($1, 'Network') returning id`,
      [organizationId],
    )
    await client.query(
      'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
      [organizationId, teamId, people.agent.userId],
    )
    const service = (name: string, archived: boolean) =>
      id(
        `insert into app_public.services (organization_id, name, team_id, archived_at)
        values ($1, $2, $3, case when $4 then now() end) returning id`,
        [organizationId, name, teamId, archived],
      )
    const serviceId = await service('VPN', false)
    const archivedServiceId = await service('Fax', true)
    await client.query(
      `insert into app_public.sla_holidays (organization_id, calendar_id, name, held_on)
      select organization_id, id, 'New Year', '2024-01-01' from app_public.sla_calendars where organization_id = $1`,
      [organizationId],
    )
    return { organizationId, slug, ...people, teamId, serviceId, archivedServiceId }
  })

  const createTicket = (actor: Actor, subject: string) =>
    asRoleForGood(client, actor, () =>
      id('select id from app_public.create_ticket($1, $2, service_id => $3)', [
        subject,
        `${subject}, please`,
        people.serviceId,
      ]),
    )
  const ticketId = await createTicket(people.customer, 'No network')
  const neighbourTicketId = await createTicket(people.neighbour, 'No printer')
  const addComment = (body: string, visibility: 'public' | 'internal') =>
    asRoleForGood(client, people.agent, () =>
      id('select id from app_public.add_comment($1, $2, $3)', [ticketId, body, visibility]),
    )

  return {
    ...people,
    worker: { role: 'atum_worker', organizationId: people.organizationId },
    ticketId,
    neighbourTicketId,
    publicCommentId: await addComment('We are on it', 'public'),
    internalCommentId: await addComment('It is the switch again', 'internal'),
  }
}
