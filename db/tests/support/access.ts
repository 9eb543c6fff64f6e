import type { Client } from 'pg'
import type { Tenant } from './fixture.ts'
import { sqlState } from './refusals.ts'
import { become, runtimeRoles, type Actor, type Role } from './session.ts'

export const verbs = ['select', 'insert', 'update', 'delete'] as const
export const scopes = ['own', 'other', 'none'] as const

type Verb = (typeof verbs)[number]
type Scope = (typeof scopes)[number]

/**
 * What came of trying: `rows` were reached, `none` were there to be reached, the right to try was `denied`, or the
 * SQLSTATE with which a trigger refused.
 */
export type Outcome = 'rows' | 'none' | 'denied' | (string & {})

/** One attempt: who tried what on which table, with claims of the own tenant on the own or another one, or without. */
export interface Attempt {
  table: string
  role: Role
  verb: Verb
  scope: Scope
  outcome: Outcome
}

interface Table {
  name: string
  /** The column that says whose a row is; null for the machine's own tables. */
  organizationColumn: string | null
  /** Those that are written: not what Postgres makes of them. */
  columns: string[]
}

/** Every table of ours. */
export async function allTables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    select
      class.oid::regclass::text as name,
      tenant.organization_column as "organizationColumn",
      array_agg(attribute.attname::text order by attribute.attnum) as columns
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
    left join app_private.tenant_tables() as tenant on to_regclass(tenant.table_name) = class.oid
    where namespace.nspname in ('app_public', 'app_hidden', 'app_private') and class.relkind in ('r', 'p')
    group by class.oid, tenant.organization_column
    order by 1`)
  return rows
}

/**
 * Tries every verb as every role on the tables given, in a transaction of the caller's: each attempt is taken back.
 * The client must be a superuser's.
 */
export async function tryEverything(
  client: Client,
  tables: Table[],
  tenants: { own: Tenant; other: Tenant },
): Promise<Attempt[]> {
  const attempts: Attempt[] = []
  for (const table of tables) {
    for (const role of ['atum_owner', ...runtimeRoles] as const) {
      const allowed = await grantedColumns(client, table, role)
      for (const scope of scopes) {
        const actor = actorOf(role, scope, tenants.own)
        const target = scope === 'other' ? tenants.other : tenants.own
        const row = await rowToCopy(client, table, target, userOf(role, tenants.own), role)
        for (const verb of verbs) {
          await client.query('savepoint attempt')
          await become(client, actor)
          const outcome = await attempt(client, { verb, table, allowed, target, row })
          await client.query('rollback to savepoint attempt; release savepoint attempt')
          attempts.push({ table: table.name, role, verb, scope, outcome })
        }
      }
    }
  }
  return attempts
}

function userOf(role: Role, tenant: Tenant): string | undefined {
  switch (role) {
    case 'atum_customer':
      return tenant.customer.userId
    case 'atum_agent':
      return tenant.agent.userId
    case 'atum_manager':
      return tenant.manager.userId
    case 'atum_admin':
      return tenant.admin.userId
    default:
      return undefined
  }
}

function actorOf(role: Role, scope: Scope, own: Tenant): Actor {
  if (scope === 'none') return { role }
  const userId = userOf(role, own)
  return { role, organizationId: own.organizationId, ...(userId ? { userId } : {}) }
}

type ColumnsByVerb = Record<'select' | 'insert' | 'update', string[]>

async function grantedColumns(client: Client, table: Table, role: Role): Promise<ColumnsByVerb> {
  const { rows } = await client.query<ColumnsByVerb>(
    `select
      coalesce(array_agg(name) filter (where has_column_privilege($2, $1, name, 'select')), '{}') as select,
      coalesce(array_agg(name) filter (where has_column_privilege($2, $1, name, 'insert')), '{}') as insert,
      coalesce(array_agg(name) filter (where has_column_privilege($2, $1, name, 'update')), '{}') as update
    from unnest($3::text[]) as name`,
    [table.name, role, table.columns],
  )
  return rows[0]!
}

/** A row of the tenant as its writer would write it once more: a new id, in the writer's own name. */
async function rowToCopy(
  client: Client,
  table: Table,
  tenant: Tenant,
  userId: string | undefined,
  role: Role,
) {
  const { rows } = await client.query<{ row: Record<string, unknown> }>(
    `select to_jsonb(source) || case when to_jsonb(source) ? 'id' then jsonb_build_object('id', app_hidden.uuid_v7()) else '{}' end as row
    from ${table.name} as source
    ${table.organizationColumn ? `where ${table.organizationColumn} = $1` : 'where $1::uuid is not null'}
    order by to_jsonb(source) ->> 'id' limit 1`,
    [tenant.organizationId],
  )
  const row = rows[0]?.row
  if (!row) throw new Error(`The fixture has no row in ${table.name}`)
  const inOwnName =
    role === 'atum_customer' ? ['requester_id', 'created_by_id', 'author_id'] : ['created_by_id', 'author_id']
  for (const column of inOwnName) {
    if (column in row && userId) row[column] = userId
  }
  return row
}

interface Trial {
  verb: Verb
  table: Table
  allowed: ColumnsByVerb
  target: Tenant
  row: Record<string, unknown>
}

async function attempt(client: Client, { verb, table, allowed, target, row }: Trial): Promise<Outcome> {
  const { name, columns, organizationColumn } = table
  // Without any grant the statement is sent all the same: what is recorded is what Postgres says to it.
  const listed = (granted: string[]) => (granted.length > 0 ? granted : columns)
  const ofTenant = organizationColumn
    ? { where: `where ${organizationColumn} = $1`, values: [target.organizationId] }
    : { where: '', values: [] }

  let reached: number | null = null
  const statement = (sql: string, values: unknown[]) =>
    client.query(sql, values).then(({ rowCount }) => {
      reached = rowCount
    })

  let state: string
  switch (verb) {
    case 'select':
      state = await sqlState(
        statement(
          `select ${listed(allowed.select).join(', ')} from ${name} ${ofTenant.where}`,
          ofTenant.values,
        ),
      )
      break
    case 'insert': {
      const list = listed(allowed.insert).join(', ')
      state = await sqlState(
        statement(
          `insert into ${name} (${list}) select ${list} from jsonb_populate_record(null::${name}, $1)`,
          [row],
        ),
      )
      break
    }
    case 'update': {
      // One that may be read as well, because it is set to what it is.
      const readable = allowed.update.filter((name) => allowed.select.includes(name))
      const column = (readable.length > 0 ? readable : listed(allowed.update)).at(-1)!
      state = await sqlState(
        statement(`update ${name} set ${column} = ${column} ${ofTenant.where}`, ofTenant.values),
      )
      break
    }
    case 'delete':
      state = await sqlState(statement(`delete from ${name} ${ofTenant.where}`, ofTenant.values))
  }
  if (state === 'accepted') return reached ? 'rows' : 'none'
  if (state === '42501') return 'denied'
  // A constraint speaks only after every wall has let the row pass.
  if (state.startsWith('23')) return 'rows'
  return state
}

/**
 * The attempts as one reads them, by table, role and verb: the outcomes on a row of the own tenant, of another tenant,
 * and without claims, in this order; said once where they are the same.
 */
export function asMatrix(attempts: Attempt[]): Record<string, Record<string, unknown>> {
  const saidOnce = (said: string[]) => (new Set(said).size === 1 ? said[0]! : undefined)
  const matrix: Record<string, Record<string, unknown>> = {}
  for (const [table, ofTable] of Map.groupBy(attempts, (attempt) => attempt.table)) {
    const roles: Record<string, unknown> = {}
    for (const [role, ofRole] of Map.groupBy(ofTable, (attempt) => attempt.role)) {
      const byVerb = Object.fromEntries(
        verbs.map((verb) => {
          const outcomes = ofRole.filter((attempt) => attempt.verb === verb).map(({ outcome }) => outcome)
          return [verb, saidOnce(outcomes) ?? outcomes.join(', ')]
        }),
      )
      roles[role] = saidOnce(Object.values(byVerb)) ?? byVerb
    }
    matrix[table] = roles
  }
  return matrix
}
