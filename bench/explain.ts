import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { savedViews } from './hot-queries.ts'
import type { BenchOrganization } from './volume.ts'

const folder = join(import.meta.dirname, 'explain')

/** Tables of a few rows, which Postgres reads whole because that is the quickest way. */
const smallTables = new Set([
  'organizations',
  'teams',
  'team_members',
  'services',
  'ticket_states',
  'ticket_views',
  'ticket_counters',
  'companies',
])

/** A statement whose cost must not grow, and who asks it. */
export interface HotStatement {
  name: string
  role: 'atum_agent' | 'atum_customer'
  sql: string
  values?: unknown[]
}

const working = `ticket.status in ('new', 'open', 'pending', 'on_hold') and ticket.snoozed_until is null`
const list = (condition: string, order = 'ticket.updated_at desc, ticket.id desc') =>
  `select ticket.id, ticket.number, ticket.subject from app_public.tickets as ticket
   where ticket.organization_id = (select app_hidden.current_organization_id()) and ${condition} order by ${order} limit 51`
const search = `select (app_public.search_tickets($1)).is_capped`
const view = 'select (app_public.preview_tickets($1, $2)).next_cursor'
const condition = (place: number) => JSON.stringify(savedViews[place])

/** What the API asks for what `hot-queries.ts` asks of the API. */
export const hotStatements: HotStatement[] = [
  { name: 'list-newest', role: 'atum_agent', sql: list('true') },
  {
    name: 'list-mine',
    role: 'atum_agent',
    sql: list(`${working} and ticket.assignee_id = current_setting('atum.user_id')::uuid`),
  },
  { name: 'list-unassigned', role: 'atum_agent', sql: list(`${working} and ticket.assignee_id is null`) },
  { name: 'list-breached', role: 'atum_agent', sql: list(`${working} and ticket.breached = true`) },
  {
    name: 'list-breaching',
    role: 'atum_agent',
    sql: list(
      `${working} and ticket.next_due_at < now() + interval '2 hours'`,
      'ticket.next_due_at, ticket.id',
    ),
  },
  {
    name: 'list-open',
    role: 'atum_agent',
    sql: list(`ticket.status in ('new', 'open') and ticket.snoozed_until is null`),
  },
  { name: 'list-own', role: 'atum_customer', sql: list('true') },
  {
    name: 'open-ticket',
    role: 'atum_agent',
    sql: 'select subject from app_public.ticket_by_number((select max(number) - 7 from app_public.tickets where organization_id = (select app_hidden.current_organization_id())))',
  },
  {
    name: 'open-comments',
    role: 'atum_agent',
    sql: `select comment.body from app_public.comments as comment
      where comment.organization_id = (select app_hidden.current_organization_id())
        and comment.ticket_id = (select id from app_public.tickets where organization_id = (select app_hidden.current_organization_id()) order by number desc limit 1)
      order by comment.created_at, comment.id limit 51`,
  },
  { name: 'counts-inbox', role: 'atum_agent', sql: 'select * from app_public.inbox_counts()' },
  { name: 'counts-views', role: 'atum_agent', sql: 'select * from app_public.ticket_view_counts()' },
  { name: 'view-open', role: 'atum_agent', sql: view, values: [condition(0), 'updated'] },
  { name: 'view-mine-by-due-time', role: 'atum_agent', sql: view, values: [condition(1), 'due'] },
  { name: 'search-common-word', role: 'atum_agent', sql: search, values: ['printer'] },
  { name: 'search-rare-word', role: 'atum_agent', sql: search, values: ['kufeltum'] },
  { name: 'search-two-words', role: 'atum_agent', sql: search, values: ['printer kufeltum'] },
  { name: 'search-phrase', role: 'atum_agent', sql: search, values: ['"restarting did not help"'] },
  {
    name: 'search-filters-and-word',
    role: 'atum_agent',
    sql: search,
    values: ['status:open assignee:me printer'],
  },
  {
    name: 'search-filters',
    role: 'atum_agent',
    sql: search,
    values: ['is:unassigned is:unresolved priority:urgent'],
  },
  { name: 'search-number', role: 'atum_agent', sql: search, values: ['BENCH-104'] },
  { name: 'search-slip', role: 'atum_agent', sql: search, values: ['invoise'] },
  { name: 'search-as-customer', role: 'atum_customer', sql: search, values: ['printer'] },
]

/** The plans of a statement and of every statement inside the functions it calls. The login is a superuser's. */
export async function plansOf(
  client: Client,
  { role, sql, values }: HotStatement,
  { organizationId, agentId, customerId }: BenchOrganization,
): Promise<string[]> {
  const plans: string[] = []
  const listen = ({ message }: { message?: string | undefined }) => {
    if (message?.startsWith('duration:')) plans.push(message.replace(/^.*plan:\n/, ''))
  }
  client.on('notice', listen)
  await client.query('begin')
  try {
    await client.query(
      `select
        set_config('role', $1, true), set_config('atum.organization_id', $2, true), set_config('atum.user_id', $3, true)`,
      [role, organizationId, role === 'atum_agent' ? agentId : customerId],
    )
    plans.length = 0
    await client.query(sql, values)
  } finally {
    await client.query('rollback')
    client.off('notice', listen)
  }
  return plans
}

/** Has a session say the plan of everything it runs. */
export async function explainAll(client: Client): Promise<void> {
  await client.query(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set auto_explain.log_level = notice;
    set client_min_messages = notice`)
}

/** The tenant tables that a plan reads from beginning to end, but for those that are small. */
export function tablesReadWhole(plans: string[]): string[] {
  const read = plans.flatMap((plan) =>
    [...plan.matchAll(/Seq Scan on (?:\w+\.)?(\w+)/g)].map(([, table]) => table as string),
  )
  return [...new Set(read)].filter((table) => !smallTables.has(table) && !table.startsWith('pg_'))
}

/** Writes the plans of all hot statements to bench/explain, and fails when one reads a table whole. */
export async function writePlans(
  superuserUrl: string,
  bench: BenchOrganization,
  tickets: number,
): Promise<void> {
  const client = new Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    await explainAll(client)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    const faults: string[] = []
    for (const statement of hotStatements) {
      const plans = await plansOf(client, statement, bench)
      faults.push(...tablesReadWhole(plans).map((table) => `${statement.name} reads ${table} whole`))
      const head = `${tickets.toLocaleString('en')} tickets, as ${statement.role}\n${statement.sql}\n${statement.values ? JSON.stringify(statement.values) + '\n' : ''}`
      // Each statement once, and none that reads no table of weight.
      const seen = new Set<string>()
      const worthwhile = plans.filter((plan) => {
        const text = plan.split('\n\n')[0] ?? plan
        const query = text.replace(/Query Parameters:[^]*/, '').split(/\n(?=\S+.*\(cost=)/)[0] ?? text
        if (seen.has(query) || !/ on (tickets|comments|ticket_\w+|users|search_words)/.test(plan))
          return false
        seen.add(query)
        return true
      })
      await writeFile(join(folder, `${statement.name}.txt`), `${head}\n${worthwhile.join('\n\n')}\n`)
    }
    if (faults.length > 0) throw new Error(faults.join('\n'))
  } finally {
    await client.end()
  }
}
