import { Router } from 'express'
import { escapeIdentifier, type Pool, type PoolClient } from 'pg'
import { isFromThisMachine } from '../caller.ts'
import { withTransaction } from '../database.ts'
import { RequestError } from '../errors.ts'

/** Every role that acts at run time. */
const runtimeRoles = [
  'atum_server',
  'atum_anonymous',
  'atum_customer',
  'atum_agent',
  'atum_manager',
  'atum_admin',
  'atum_worker',
  'atum_reporting',
]
/** Those this server can become; null is its own login. */
const ownRoles = [null, 'atum_anonymous', 'atum_customer', 'atum_agent', 'atum_manager', 'atum_admin']

interface TenantTable {
  table_name: string
  organization_column: string
}

interface Report {
  status: 'healthy' | 'unhealthy'
  checks: { tables: number; roles: number; probes: number; organizations: number }
  faults: string[]
}

/** `/internal/rls/health`: whether the walls between organizations stand, tried and not only read. */
export function rlsHealthRoutes(pool: Pool): Router {
  const routes = Router()
  routes.get('/internal/rls/health', async (request, response) => {
    if (!isFromThisMachine(request)) {
      throw new RequestError('NOT_FOUND', 'There is nothing at this address')
    }
    const report = await inspectWalls(pool)
    response
      .set('cache-control', 'no-store')
      .status(report.status === 'healthy' ? 200 : 503)
      .json(report)
  })
  return routes
}

async function inspectWalls(pool: Pool): Promise<Report> {
  const faults: string[] = []
  const { tables, organizations } = await withTransaction(pool, {}, async (client) => {
    faults.push(...(await rolesThatPassWalls(client)))
    const { rows: found } = await client.query<{ fault: string }>(
      'select fault from app_private.wall_faults() as fault',
    )
    faults.push(...found.map(({ fault }) => fault))
    const { rows } = await client.query<TenantTable>(
      'select table_name, organization_column from app_private.tenant_tables()',
    )
    const probe = await client.query<{ ids: string[] }>('select app_private.rls_probe_organizations() as ids')
    return { tables: rows, organizations: probe.rows[0]?.ids ?? [] }
  })
  if (tables.length === 0) faults.push('There are no tenant tables')

  let probes = 0
  for (const role of ownRoles) {
    for (const organization of [null, ...organizations]) {
      const seen = await foreignRows(pool, role, organization, tables)
      probes += seen.probed
      faults.push(...seen.faults)
    }
  }
  return {
    status: faults.length === 0 ? 'healthy' : 'unhealthy',
    checks: {
      tables: tables.length,
      roles: runtimeRoles.length,
      probes,
      organizations: organizations.length,
    },
    faults,
  }
}

async function rolesThatPassWalls(client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string; missing: boolean; passes: boolean }>(
    `select wanted.name, role.oid is null as missing, coalesce(role.rolsuper or role.rolbypassrls, false) as passes
     from unnest($1::text[]) as wanted (name)
     left join pg_catalog.pg_roles as role on role.rolname = wanted.name`,
    [runtimeRoles],
  )
  return rows.flatMap(({ name, missing, passes }) => {
    if (missing) return [`The role ${name} does not exist`]
    return passes ? [`The role ${name} passes row-level security`] : []
  })
}

/** Reads as `role`, with the claims of `organization` or none, every table it may, and names those that show others' rows. */
async function foreignRows(
  pool: Pool,
  role: string | null,
  organization: string | null,
  tables: readonly TenantTable[],
): Promise<{ probed: number; faults: string[] }> {
  const settings: Record<string, string> = {}
  if (role) settings.role = role
  if (organization) settings['atum.organization_id'] = organization
  return withTransaction(pool, settings, async (client) => {
    const { rows: readable } = await client.query<{ table_name: string }>(
      `select table_name
       from unnest($1::text[]) as wanted (table_name)
       where has_schema_privilege(split_part(table_name, '.', 1), 'usage')
         and (has_table_privilege(table_name, 'select') or has_any_column_privilege(table_name, 'select'))`,
      [tables.map(({ table_name }) => table_name)],
    )
    const names = new Set(readable.map(({ table_name }) => table_name))
    const probed = tables.filter(({ table_name }) => names.has(table_name))
    if (probed.length === 0) return { probed: 0, faults: [] }
    // Below or above instead of "other than": both are ends of an index, so a table of millions costs nothing.
    const { rows } = await client.query<{ table_name: string }>(
      probed
        .map(({ table_name, organization_column }, index) => {
          const column = escapeIdentifier(organization_column)
          const foreign = organization
            ? `exists (select from ${table_name} where ${column} < $1) or exists (select from ${table_name} where ${column} > $1)`
            : `exists (select from ${table_name})`
          return `select '${probed[index]!.table_name}' as table_name where ${foreign}`
        })
        .join(' union all '),
      organization ? [organization] : [],
    )
    const whose = organization ? 'rows of other organizations' : 'rows without claims'
    return {
      probed: probed.length,
      faults: rows.map(({ table_name }) => `${role ?? 'atum_server'} sees ${whose} in ${table_name}`),
    }
  })
}
