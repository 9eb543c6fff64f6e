import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'

/** Who the measurements act for. */
export interface BenchOrganization {
  organizationId: string
  agentId: string
  customerId: string
  /** The number of the newest ticket. */
  lastNumber: number
}

const ticketsPerStatement = 50_000
const filledTables = ['tickets', 'comments', 'ticket_events', 'sla_calculations']
/** From so many tickets on it is quicker to build the indexes anew. */
const manyTickets = 50_000

/**
 * Makes the organization `bench`, or adds to it, and fills it with tickets and their comments. A neighbour of the same
 * shape and a tenth of the size stands beside it, so that every index holds more than one organization.
 */
export async function fillVolume(
  ownerUrl: string,
  tickets: number,
  onProgress: (done: number) => void = () => {},
  { comments = 4 }: { comments?: number } = {},
): Promise<BenchOrganization> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'atum-bench' })
  await client.connect()
  try {
    const insert = await readFile(join(import.meta.dirname, 'volume.sql'), 'utf8')
    const index = await readFile(join(import.meta.dirname, 'volume-search.sql'), 'utf8')
    const indexes = tickets >= manyTickets ? await dropIndexes(client) : []
    const { rows: logins } = await client.query<{ isSuperuser: boolean }>(
      'select rolsuper as "isSuperuser" from pg_roles where rolname = current_user',
    )
    const isSuperuser = logins[0]?.isSuperuser
    let done = 0
    for (const { slug, share } of [
      { slug: 'bench-neighbour', share: Math.ceil(tickets / 10) },
      { slug: 'bench', share: tickets },
    ]) {
      const organizationId = await organization(client, slug)
      for (let left = share; left > 0; left -= ticketsPerStatement) {
        await client.query('begin')
        // The history is written as it would be, so nothing of it may happen again. A superuser, of a cluster that is
        // thrown away, spares the foreign keys too: they are a third of the work.
        if (isSuperuser) await client.query('set local session_replication_role = replica')
        else await setTriggers(client, 'disable')
        const count = Math.min(left, ticketsPerStatement)
        const { rows } = await client.query<{ last_number: number }>(
          `update app_private.ticket_counters set last_number = last_number + $2 where organization_id = $1
           returning last_number - $2 as last_number`,
          [organizationId, count],
        )
        await client.query(insert, [organizationId, count, rows[0]?.last_number, comments])
        await client.query(index, [organizationId, rows[0]?.last_number])
        if (!isSuperuser) await setTriggers(client, 'enable')
        await client.query('commit')
        onProgress((done += count))
      }
    }
    await client.query(
      `select app_private.learn_words(organization_id, string_agg(word, ' '))
       from (select distinct organization_id, regexp_split_to_table(subject, '[^[:alpha:]]+') as word from app_public.tickets) as words
       group by organization_id`,
    )
    for (const definition of indexes) await client.query(definition)
    await client.query('vacuum analyze')
    return await describe(client)
  } finally {
    await client.end()
  }
}

async function setTriggers(client: Client, how: 'disable' | 'enable'): Promise<void> {
  for (const table of filledTables) await client.query(`alter table app_public.${table} ${how} trigger user`)
}

/** Takes away the indexes that no constraint needs, and returns what makes them again. */
async function dropIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select index.indexrelid::regclass::text as name, pg_get_indexdef(index.indexrelid) as definition
     from pg_index as index
     where index.indrelid = any ($1::regclass[]) and not index.indisunique
       -- By this one the search documents find what was said.
       and index.indexrelid <> 'app_public.comments_organization_id_ticket_id_created_at_idx'::regclass`,
    [[...filledTables.map((table) => `app_public.${table}`), 'app_hidden.ticket_documents']],
  )
  for (const { name } of rows) await client.query(`drop index ${name}`)
  return rows.map(({ definition }) => definition)
}

async function organization(client: Client, slug: string): Promise<string> {
  const { rows: existing } = await client.query<{ id: string }>(
    'select id from app_public.organizations where slug = $1',
    [slug],
  )
  if (existing[0]) return existing[0].id
  const { rows } = await client.query<{ id: string }>(
    `select app_private.create_organization($1, $1, 'Europe/Berlin', 'en', 'BENCH',
       '{"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]], "wed": [["09:00", "17:00"]], "thu": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]]}'
     ) as id`,
    [slug],
  )
  const id = rows[0]?.id
  if (!id) throw new Error(`the organization ${slug} was not made`)
  await client.query(
    `insert into app_public.teams (organization_id, name) select $1::uuid, 'Team ' || n from generate_series(1, 5) as n`,
    [id],
  )
  await client.query(
    `insert into app_public.services (organization_id, name) select $1::uuid, 'Service ' || n from generate_series(1, 8) as n`,
    [id],
  )
  await client.query(
    `insert into app_public.users (organization_id, email, name, role)
     select $1::uuid, 'agent' || n || '@' || $2::text || '.example', 'Agent ' || n, 'agent'::app_public.user_role from generate_series(1, 20) as n
     union all
     select $1::uuid, 'customer' || n || '@' || $2::text || '.example', 'Customer ' || n, 'customer' from generate_series(1, 500) as n`,
    [id, slug],
  )
  return id
}

async function describe(client: Client): Promise<BenchOrganization> {
  const { rows } = await client.query<{
    organization_id: string
    agent_id: string
    customer_id: string
    last_number: number
  }>(
    `select organization.id as organization_id, agent.id as agent_id, customer.id as customer_id, counter.last_number
     from app_public.organizations as organization
     join app_private.ticket_counters as counter on counter.organization_id = organization.id
     join app_public.users as agent on agent.organization_id = organization.id and agent.email = 'agent1@bench.example'
     join app_public.users as customer on customer.organization_id = organization.id and customer.email = 'customer1@bench.example'
     where organization.slug = 'bench'`,
  )
  const [row] = rows
  if (!row) throw new Error('the organization bench has no people')
  return {
    organizationId: row.organization_id,
    agentId: row.agent_id,
    customerId: row.customer_id,
    lastNumber: row.last_number,
  }
}
