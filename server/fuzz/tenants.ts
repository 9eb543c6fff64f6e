import type { Client } from 'pg'
import { nodeId, type Person, type Tenant } from '../testing.ts'
import type { Identifiers } from './operations.ts'

/** A row of each kind that an argument can name, made where the tenant has none yet. */
export async function furnish(client: Client, tenant: Tenant): Promise<void> {
  await client.query(`
    select set_config('atum.organization_id', '${tenant.id}', false);
    insert into app_public.companies (organization_id, name, shares_tickets)
    values ('${tenant.id}', 'Company of ${tenant.slug}', false);
    update app_public.users set company_id = (select id from app_public.companies where organization_id = '${tenant.id}' limit 1)
    where organization_id = '${tenant.id}' and role = 'customer';
    insert into app_public.team_members (organization_id, team_id, user_id) values ('${tenant.id}', '${tenant.teamId}', '${tenant.agent.id}');
    insert into app_public.ip_rules (organization_id, network, note) values
      ('${tenant.id}', '0.0.0.0/0', 'Everywhere for ${tenant.slug}'), ('${tenant.id}', '::/0', 'Everywhere for ${tenant.slug}');
    insert into app_public.identity_providers (organization_id, kind, name, issuer, client_id)
    values ('${tenant.id}', 'oidc', 'Login of ${tenant.slug}', 'https://login.${tenant.slug}.test', 'desk-of-${tenant.slug}');
    insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint)
    values ('${tenant.id}', '${tenant.admin.id}', 'Token of ${tenant.slug}', '{read}', 'admin', 'abcd');
    insert into app_public.canned_responses (organization_id, title, body, visibility)
    values ('${tenant.id}', 'Response of ${tenant.slug}', 'Text of ${tenant.slug}', 'shared');
    insert into app_public.macros (organization_id, name, actions, visibility)
    values ('${tenant.id}', 'Macro of ${tenant.slug}', '[{"type": "raise_priority"}]', 'shared');
    insert into app_public.ticket_drafts (organization_id, ticket_id, author_id, body)
    select '${tenant.id}', id, '${tenant.admin.id}', 'Draft of ${tenant.slug}'
    from app_public.tickets where organization_id = '${tenant.id}' order by id limit 1;
    insert into app_public.outgoing_replies (organization_id, ticket_id, author_id, body)
    select '${tenant.id}', id, '${tenant.admin.id}', 'Reply of ${tenant.slug}'
    from app_public.tickets where organization_id = '${tenant.id}' order by id limit 1;
    insert into app_public.sla_holidays (organization_id, calendar_id, name, held_on)
    select organization_id, id, 'Holiday of ${tenant.slug}', '2024-01-01' from app_public.sla_calendars where organization_id = '${tenant.id}';
    insert into app_public.custom_fields (organization_id, key, type, label, seen_by_customers)
    values ('${tenant.id}', 'field_of_${tenant.slug}', 'select', 'Field of ${tenant.slug}', true);
    insert into app_public.custom_field_options (organization_id, field_id, key, label)
    select organization_id, id, 'option_of_${tenant.slug}', 'Option of ${tenant.slug}' from app_public.custom_fields where organization_id = '${tenant.id}';
    insert into app_public.custom_field_services (organization_id, field_id, service_id)
    select organization_id, id, '${tenant.serviceId}' from app_public.custom_fields where organization_id = '${tenant.id}';
    insert into app_public.ticket_views (organization_id, name, visibility) values ('${tenant.id}', 'View of ${tenant.slug}', 'shared');
    with automation as (
      insert into app_public.automations (organization_id, name, kind, position, is_enabled, conditions, actions)
      values ('${tenant.id}', 'Automation of ${tenant.slug}', 'time', 1, false,
        '{"all": [{"field": "breached", "operator": "is", "value": true}]}', '[{"type": "raise_priority"}]')
      returning organization_id, id, name
    )
    insert into app_public.automation_firings (organization_id, automation_id, automation_name, ticket_id, outcome)
    select automation.organization_id, automation.id, automation.name, ticket.id, 'unchanged'
    from automation, lateral (select id from app_public.tickets as one where one.organization_id = automation.organization_id limit 1) as ticket;
    with activity as (
      insert into app_public.time_activities (organization_id, name) values ('${tenant.id}', 'Activity of ${tenant.slug}')
      returning organization_id, id
    ),
    entry as (
      insert into app_public.time_entries (organization_id, ticket_id, agent_id, activity_id, worked_on, seconds, note)
      select organization_id, '${tenant.ticketId}', '${tenant.agent.id}', id, '2026-01-05', 600, 'Note of ${tenant.slug}' from activity
      returning organization_id, id
    ),
    correction as (
      insert into app_public.time_corrections (organization_id, entry_id, reason, previous_worked_on, previous_seconds, previous_is_billable, previous_note)
      select organization_id, id, 'Reason of ${tenant.slug}', '2026-01-05', 60, true, '' from entry
    )
    insert into app_public.running_timers (organization_id, agent_id, ticket_id)
    values ('${tenant.id}', '${tenant.agent.id}', '${tenant.ticketId}');
    insert into app_public.sla_escalations (organization_id, policy_id, kind, offset_seconds, actions)
    select organization_id, id, 'resolution', 31536000, '[]' from app_public.sla_policies where organization_id = '${tenant.id}';
    select set_config('atum.organization_id', '', false);`)
}

const tables = {
  ticket: ['app_public.tickets', 'Ticket'],
  comment: ['app_public.comments', 'Comment'],
  event: ['app_public.ticket_events', 'TicketEvent'],
  user: ['app_public.users', 'User'],
  team: ['app_public.teams', 'Team'],
  teamMember: ['app_public.team_members', 'TeamMember'],
  service: ['app_public.services', 'Service'],
  company: ['app_public.companies', 'Company'],
  rule: ['app_public.ip_rules', 'IpRule'],
  provider: ['app_public.identity_providers', 'IdentityProvider'],
  token: ['app_public.api_tokens', 'ApiToken'],
  cannedResponse: ['app_public.canned_responses', 'CannedResponse'],
  macro: ['app_public.macros', 'Macro'],
  draft: ['app_public.ticket_drafts', 'TicketDraft'],
  outgoingReply: ['app_public.outgoing_replies', 'OutgoingReply'],
  session: ['app_private.sessions', 'LoginSession'],
  view: ['app_public.ticket_views', 'TicketView'],
  slaCalendar: ['app_public.sla_calendars', 'SlaCalendar'],
  slaHoliday: ['app_public.sla_holidays', 'SlaHoliday'],
  slaPolicy: ['app_public.sla_policies', 'SlaPolicy'],
  slaTarget: ['app_public.sla_targets', 'SlaTarget'],
  slaEscalation: ['app_public.sla_escalations', 'SlaEscalation'],
  slaRecomputation: ['app_public.sla_recomputations', 'SlaRecomputation'],
  slaCalculation: ['app_public.sla_calculations', 'SlaCalculation'],
  customField: ['app_public.custom_fields', 'CustomField'],
  automation: ['app_public.automations', 'Automation'],
  automationFiring: ['app_public.automation_firings', 'AutomationFiring'],
  timeActivity: ['app_public.time_activities', 'TimeActivity'],
  timeEntry: ['app_public.time_entries', 'TimeEntry'],
  timeCorrection: ['app_public.time_corrections', 'TimeCorrection'],
  runningTimer: ['app_public.running_timers', 'RunningTimer'],
  securityPolicy: ['app_public.security_policies', 'SecurityPolicy'],
  auditLog: ['app_public.audit_log', 'AuditLog'],
} as const

/** One identifier of each kind. */
export async function identifiersOf(client: Client, tenant: Tenant): Promise<Identifiers> {
  const rows: Record<string, string> = {}
  const nodes: Record<string, string> = { Organization: nodeId('Organization', tenant.slug) }
  for (const [word, [table, type]] of Object.entries(tables)) {
    const { rows: found } = await client.query<{ id: string }>(
      `select id from ${table} where organization_id = $1 order by id limit 1`,
      [tenant.id],
    )
    const id = found[0]?.id
    if (!id) throw new Error(`${tenant.slug} has no row in ${table}`)
    rows[word] = id
    nodes[type] = nodeId(type, id)
  }
  rows.changedRow = rows.ticket!
  return {
    rows,
    nodes,
    cursor: Buffer.from(JSON.stringify(['primary_key_asc', [tenant.id, rows.ticket]])).toString('base64'),
  }
}

/** Identifiers of the same form that nothing has. */
export function identifiersOfNothing(like: Identifiers): Identifiers {
  const rows = Object.fromEntries(Object.keys(like.rows).map((word) => [word, crypto.randomUUID()]))
  const nodes = Object.fromEntries(
    Object.keys(like.nodes).map((type) => [
      type,
      nodeId(type, type === 'Organization' ? 'nowhere' : crypto.randomUUID()),
    ]),
  )
  const cursor = Buffer.from(
    JSON.stringify(['primary_key_asc', [crypto.randomUUID(), crypto.randomUUID()]]),
  ).toString('base64')
  return { rows, nodes, cursor }
}

const tenantTables = `select table_name, organization_column from app_private.tenant_tables()`

/** Every text and identifier of a tenant by which one would know a row of it. */
export async function tracesOf(client: Client, tenant: Tenant): Promise<string[]> {
  const { rows: named } = await client.query<{ table_name: string; organization_column: string }>(
    tenantTables,
  )
  const traces = new Set<string>([tenant.slug])
  for (const { table_name, organization_column } of named) {
    const { rows } = await client.query<{ id: string | null }>(
      `select to_jsonb(source) ->> 'id' as id from ${table_name} as source where ${organization_column} = $1`,
      [tenant.id],
    )
    for (const { id } of rows) if (id) traces.add(id)
  }
  return [...traces]
}

/** A digest of all that a tenant has: two that are equal say that nothing of it was touched. */
export async function digestOf(client: Client, tenant: Tenant): Promise<Record<string, string>> {
  const { rows: named } = await client.query<{ table_name: string; organization_column: string }>(
    tenantTables,
  )
  const digest: Record<string, string> = {}
  for (const { table_name, organization_column } of named) {
    const { rows } = await client.query<{ digest: string }>(
      `select md5(coalesce(string_agg(to_jsonb(source)::text, e'\\n' order by to_jsonb(source)::text), '')) as digest
       from ${table_name} as source where ${organization_column} = $1`,
      [tenant.id],
    )
    digest[table_name] = rows[0]!.digest
  }
  return digest
}

/** Everybody who may ask. */
export const callersOf = (tenant: Tenant): [string, Person | null][] => [
  ['nobody', null],
  ['customer', tenant.customer],
  ['agent', tenant.agent],
  ['manager', tenant.manager],
  ['admin', tenant.admin],
]
