import type { Client } from 'pg'
import { channels } from './channels.ts'
import { mailIn } from './mail-in.ts'
import { type Actor, asRoleForGood, committed } from './session.ts'
import { survey } from './surveys.ts'
import { webhooks } from './webhooks.ts'

/** Somebody who logged in. */
export type Person = Actor & { userId: string; sessionId: string }

/** One organization of the fixture, with a row in every tenant table. */
export interface Tenant {
  organizationId: string
  slug: string
  customer: Person
  /** Another customer of the same organization and company, who shares no tickets. */
  neighbour: Person
  agent: Person
  /** Logs in with a second factor. */
  manager: Person
  admin: Person
  worker: Actor
  companyId: string
  serviceId: string
  archivedServiceId: string
  teamId: string
  /** Requested by the customer, answered by the agent in public and in private. */
  ticketId: string
  publicCommentId: string
  internalCommentId: string
  /** Requested by the neighbour. */
  neighbourTicketId: string
  timeActivityId: string
  /** Of the agent, on the ticket of the customer; it was corrected. */
  timeEntryId: string
  providerId: string
  /** Of the agent. */
  apiTokenId: string
}

/** The password of everybody in the fixture. */
export const fixturePassword = 'correct horse battery staple'

/** Two organizations that have the same people, names and numbers. `client` is a superuser's. */
export async function twoTenants(client: Client): Promise<{ acme: Tenant; globex: Tenant }> {
  return { acme: await tenant(client, 'acme'), globex: await tenant(client, 'globex') }
}

async function tenant(client: Client, slug: string): Promise<Tenant> {
  const id: Insert = async (sql, values = []) => {
    const { rows } = await client.query<{ id: string }>(sql, values)
    return rows[0]!.id
  }

  const people = await committed(client, async () => {
    await client.query('set local role atum_owner')
    const organizationId = await id('select app_private.create_organization($1, $2) as id', [
      slug,
      `The ${slug} company`,
    ])

    const companyId = await id(
      `insert into app_public.companies (organization_id, name) values ($1, 'Tidewater') returning id`,
      [organizationId],
    )
    const person = async (
      name: string,
      role: 'customer' | 'agent' | 'manager' | 'admin',
    ): Promise<Person> => {
      const userId = await id(
        `insert into app_public.users (organization_id, email, name, role, company_id)
        values ($1, $2, $3, $4, $5) returning id`,
        [
          organizationId,
          `${name}@${slug}.test`,
          `${name} of ${slug}`,
          role,
          role === 'customer' ? companyId : null,
        ],
      )
      const sessionId = await id(
        `insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at)
        values ($1, $2, public.gen_random_bytes(16), sha256($3::text::bytea), now() + interval '1 day') returning id`,
        [organizationId, userId, `refresh token of ${name} of ${slug}`],
      )
      return { role: `atum_${role}` as const, organizationId, userId, sessionId }
    }
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
    const access = await wayIn(id, slug, people)

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
    return { organizationId, slug, ...people, ...access, companyId, teamId, serviceId, archivedServiceId }
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

  const publicCommentId = await addComment('We are on it', 'public')
  const internalCommentId = await addComment('It is the switch again', 'internal')
  await automation(client, people.admin, ticketId)
  await serviceLevels(client, people)
  await ticketWork(client, people.agent, { ticketId, neighbourTicketId, publicCommentId })
  const time = await workedTime(id, people.agent, ticketId)
  await preparedReplies(client, people.agent, { ticketId, teamId: people.teamId })

  await customFields(client, people)

  return {
    ...people,
    worker: { role: 'atum_worker', organizationId: people.organizationId },
    ticketId,
    neighbourTicketId,
    publicCommentId,
    internalCommentId,
    ...time,
  }
}

/** A level that waits for years; the recomputation it asks for is over. */
async function serviceLevels(client: Client, { organizationId }: { organizationId: string }) {
  await client.query(
    `insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
    select organization_id, id, 'resolution', 31536000, '[{"type": "raise_priority"}]' from app_public.sla_policies where organization_id = $1`,
    [organizationId],
  )
  await client.query(
    'update app_public.sla_recomputations set started_at = now(), finished_at = now() where organization_id = $1',
    [organizationId],
  )
}

/** A row in each table of what agents note about tickets; none of it changes a ticket. */
async function ticketWork(
  client: Client,
  agent: Person,
  { ticketId, neighbourTicketId, publicCommentId }: Record<string, string>,
) {
  const run = (sql: string, ...values: unknown[]) => client.query(sql, [agent.organizationId, ...values])
  await committed(client, async () => {
    await run('insert into app_public.tags (organization_id, name) values ($1, $2)', 'switch')
    await run(
      'insert into app_public.ticket_watchers (organization_id, ticket_id, user_id) values ($1, $2, $3)',
      ticketId,
      agent.userId,
    )
    await run(
      'insert into app_public.comment_mentions (organization_id, comment_id, user_id) values ($1, $2, $3)',
      publicCommentId,
      agent.userId,
    )
    await run(
      `insert into app_public.ticket_relationships (organization_id, ticket_id, kind, other_ticket_id) values ($1, $2, 'blocks', $3)`,
      ticketId,
      neighbourTicketId,
    )
    await run(
      `insert into app_public.ticket_views (organization_id, name, visibility) values ($1, 'Everything', 'shared')`,
    )
    // A merge that was taken back: both tickets are as before.
    await run(
      `insert into app_public.ticket_merges (organization_id, source_ticket_id, target_ticket_id, source_state_id, undone_at)
      select organization_id, $2, $3, state_id, now() from app_public.tickets where organization_id = $1 and id = $2`,
      ticketId,
      neighbourTicketId,
    )
    await approvals(run, ticketId, agent)
    await channels(run, ticketId, agent)
    await mailIn(run, ticketId)
    await survey(run, neighbourTicketId)
    await webhooks(run, ticketId, agent)
  })
}

/** Time that the agent worked on a ticket, and goes on working. */
async function workedTime(insert: Insert, { organizationId, userId }: Person, ticketId: string) {
  const timeActivityId = await insert(
    `insert into app_public.time_activities (organization_id, name) values ($1, 'Repair') returning id`,
    [organizationId],
  )
  const timeEntryId = await insert(
    `insert into app_public.time_entries (organization_id, ticket_id, agent_id, activity_id, worked_on, seconds)
    values ($1, $2, $3, $4, '2026-01-05', 1800) returning id`,
    [organizationId, ticketId, userId, timeActivityId],
  )
  await insert(
    `insert into app_public.time_corrections (organization_id, entry_id, corrected_by_id, reason,
      previous_worked_on, previous_seconds, previous_activity_id, previous_is_billable, previous_note)
    values ($1, $2, $3, 'A slip', '2026-01-05', 3600, $4, true, '') returning id`,
    [organizationId, timeEntryId, userId, timeActivityId],
  )
  await insert(
    'insert into app_public.running_timers (organization_id, agent_id, ticket_id) values ($1, $2, $3) returning id',
    [organizationId, userId, ticketId],
  )
  return { timeActivityId, timeEntryId }
}

/** What an agent prepared, is writing and sent: a row in each table of that. */
async function preparedReplies(client: Client, agent: Person, { ticketId, teamId }: Record<string, string>) {
  const run = (sql: string, ...values: unknown[]) =>
    client.query(sql, [agent.organizationId, agent.userId, ...values])
  await committed(client, async () => {
    await run(
      `with made as (
        insert into app_public.canned_responses (organization_id, folder, title, body, visibility, team_id)
        values ($1, 'Network', 'Restart the switch', 'Hello {{requester.first_name}}, please restart it.', 'team', $3)
        returning id
      )
      insert into app_private.canned_response_uses (organization_id, canned_response_id, user_id, month)
      select $1, id, $2, date_trunc('month', now()) from made`,
      teamId,
    )
    await run(
      `with made as (
        insert into app_public.macros (organization_id, name, actions, visibility)
        values ($1, 'Urgent', '[{"type": "set_priority", "priority": "urgent"}]', 'shared')
        returning id
      )
      insert into app_private.macro_uses (organization_id, macro_id, user_id, month)
      select $1, id, $2, date_trunc('month', now()) from made`,
    )
    await run(
      `insert into app_private.upload_amounts (organization_id, user_id, hour, bytes) values ($1, $2, date_trunc('hour', now()), 7)`,
    )
    await run(
      `insert into app_public.ticket_drafts (organization_id, author_id, ticket_id, body) values ($1, $2, $3, 'It may be')`,
      ticketId,
    )
    await run(
      `insert into app_public.outgoing_replies (organization_id, author_id, ticket_id, body) values ($1, $2, $3, 'On its way')`,
      ticketId,
    )
    // It stays on its way, whatever a test delivers.
    await client.query(
      `update app_public.outgoing_replies set send_at = now() + interval '1 year' where organization_id = $1`,
      [agent.organizationId],
    )
  })
}

/** A field that customers see, with an option, which no ticket of the fixture asks for. */
async function customFields(
  client: Client,
  { organizationId, archivedServiceId }: { organizationId: string; archivedServiceId: string },
) {
  await committed(client, async () => {
    await client.query(
      `with field as (
        insert into app_public.custom_fields (organization_id, key, type, label, seen_by_customers)
        values ($1, 'site', 'select', 'Site', true) returning id
      ), option as (
        insert into app_public.custom_field_options (organization_id, field_id, key, label)
        select $1, id, 'harbour', 'Harbour' from field
      )
      insert into app_public.custom_field_services (organization_id, field_id, service_id) select $1, id, $2 from field`,
      [organizationId, archivedServiceId],
    )
  })
}

/** A row in each table of automations. It is switched off, so that nothing in the fixture moves by itself. */
async function automation(client: Client, admin: Person, ticketId: string) {
  const of = (...values: unknown[]) => [admin.organizationId, ...values]
  await committed(client, async () => {
    const { rows } = await client.query<{ id: string }>(
      `insert into app_public.automations (organization_id, name, kind, position, is_enabled, conditions, actions, created_by_id)
      values ($1, 'Raise what waits', 'time', 1, false, '{"all": [{"field": "created_at", "operator": "older_than", "value": 3600}]}',
        '[{"type": "raise_priority"}]', $2) returning id`,
      of(admin.userId),
    )
    const automationId = rows[0]!.id
    await client.query(
      `insert into app_public.automation_firings (organization_id, automation_id, automation_name, ticket_id, outcome)
      values ($1, $2, 'Raise what waits', $3, 'unchanged')`,
      of(automationId, ticketId),
    )
    for (const table of ['automation_queue', 'automation_matches']) {
      await client.query(
        `insert into app_private.${table} (organization_id, automation_id, ticket_id) values ($1, $2, $3)`,
        of(automationId, ticketId),
      )
    }
  })
}

type Insert = (sql: string, values?: unknown[]) => Promise<string>

/** A row in each table of how people get in, none of which keeps anybody of the fixture out. */
async function wayIn(
  insert: Insert,
  slug: string,
  { neighbour, agent, manager }: Pick<Tenant, 'neighbour' | 'agent' | 'manager'>,
) {
  const of = (person: Person) => [person.organizationId, person.userId]

  const providerId = await insert(
    `insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id)
    values ($1, 'oidc', 'Company login', 'https://login.test', 'atum') returning id`,
    [manager.organizationId],
  )
  await insert(
    `insert into app_private.identity_provider_secrets (organization_id, provider_id, sealed)
    values ($1, $2, 'v1.provider') returning provider_id as id`,
    [manager.organizationId, providerId],
  )
  await insert(
    `insert into app_private.user_identities (organization_id, user_id, provider_id, subject)
    values ($1, $2, $3, 'the manager') returning id`,
    [...of(manager), providerId],
  )

  await insert(
    `insert into app_private.authenticators (organization_id, user_id, sealed, confirmed_at)
    values ($1, $2, 'v1.authenticator', now()) returning user_id as id`,
    of(manager),
  )
  await insert(
    `insert into app_private.recovery_codes (organization_id, user_id, code_hash)
    values ($1, $2, sha256($3::text::bytea)) returning id`,
    [...of(manager), `recovery code of ${slug}`],
  )
  await insert(
    `insert into app_private.login_challenges (organization_id, user_id, challenge_hash, purpose, proof)
    values ($1, $2, sha256($3::text::bytea), 'verify', 'password') returning id`,
    [...of(manager), `challenge of ${slug}`],
  )

  await insert(
    `insert into app_private.account_mails (organization_id, user_id, purpose, token_hash, expires_at, created_at)
    values ($1, $2, 'password_reset', sha256($3::text::bytea), now() - interval '1 day', now() - interval '2 days') returning id`,
    [...of(neighbour), `reset token of ${slug}`],
  )

  const apiTokenId = await insert(
    `insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint)
    values ($1, $2, 'A script', '{read}', 'agent', 'abcd') returning id`,
    of(agent),
  )
  await insert(
    `insert into app_private.api_token_secrets (organization_id, token_id, token_hash)
    values ($1, $2, sha256($3::text::bytea)) returning token_id as id`,
    [agent.organizationId, apiTokenId, `api token of ${slug}`],
  )

  for (const everywhere of ['0.0.0.0/0', '::/0']) {
    await insert('insert into app_public.ip_rules (organization_id, network) values ($1, $2) returning id', [
      agent.organizationId,
      everywhere,
    ])
  }
  return { providerId, apiTokenId }
}

/** A question that was taken back, a step, and a template. */
async function approvals(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
  agent: Person,
) {
  await run(
    `with asked as (
      insert into app_public.ticket_approvals (organization_id, ticket_id, ticket_reference, question, state, ended_at)
      select organization_id, id, reference, 'A new switch for 900 €?', 'cancelled', now()
      from app_public.tickets where organization_id = $1 and id = $2
      returning id
    )
    insert into app_public.ticket_approvers (organization_id, approval_id, user_id) select $1, id, $3 from asked`,
    ticketId,
    agent.userId,
  )
  await run(
    `insert into app_public.checklist_items (organization_id, ticket_id, position, text) values ($1, $2, 1, 'Look at the lamps')`,
    ticketId,
  )
  await run(
    `insert into app_public.ticket_templates (organization_id, name, subject, seen_by_customers) values ($1, 'A new colleague', 'A new colleague starts', true)`,
  )
}
