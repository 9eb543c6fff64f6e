import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../infra/dev/testing.ts'
import { runtimeRoles } from './support/session.ts'

// Each query finds what breaks a rule of the house; the expected answer is nothing. Whatever is added later is found
// without being named here.

let database: TestDatabase
let client: Client

beforeAll(async () => {
  database = await createTestDatabase()
  client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

/** The offenders a query finds, by name. */
async function found(sql: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select name::text from (${sql}) as offenders order by 1`,
    values,
  )
  return rows.map(({ name }) => name)
}

const ours = `('app_public', 'app_hidden', 'app_private')`

const tables = `
  select class.oid, class.relname, class.relkind, class.relacl, class.relowner, namespace.nspname, class.oid::regclass::text as name
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname in ${ours} and class.relkind in ('r', 'p')`

const tenantTables = `
  select to_regclass(table_name) as oid, table_name as name, organization_column, row_security, forced
  from app_private.tenant_tables()`

const routines = `
  select procedure.*, namespace.nspname, procedure.oid::regprocedure::text as name
  from pg_proc as procedure
  join pg_namespace as namespace on namespace.oid = procedure.pronamespace
  where namespace.nspname in ${ours}`

/** The names of an object's columns, in the order of the numbers given. */
const columnNames = (relation: string, numbers: string) => `(
  select array_agg(attribute.attname::text order by position)
  from unnest(${numbers}) with ordinality as key (number, position)
  join pg_attribute as attribute on attribute.attrelid = ${relation} and attribute.attnum = key.number
)`

test('the catalog is there to be read', async () => {
  expect((await found(tables)).length).toBeGreaterThanOrEqual(19)
  expect((await found(tenantTables)).length).toBeGreaterThanOrEqual(18)
  expect((await found(routines)).length).toBeGreaterThanOrEqual(50)
})

describe('tenancy', () => {
  test('row-level security is enabled and forced on every tenant table', async () => {
    expect(
      await found(`select name from (${tenantTables}) as tenant where not (row_security and forced)`),
    ).toEqual([])
  })

  test('every other table is named here with its reason, and closed to every request role', async () => {
    expect(
      await found(
        `select name from (${tables}) as ours where oid not in (select oid from (${tenantTables}) as tenant)`,
      ),
    ).toEqual([
      // Processes, not people; reached through definer functions only.
      'app_private.worker_heartbeats',
    ])
    expect(
      await found(
        `
        select ours.name || ' to ' || role as name
        from (${tables}) as ours
        cross join unnest($1::text[]) as role
        where ours.oid not in (select oid from (${tenantTables}) as tenant)
          and has_any_column_privilege(role, ours.oid, 'select, insert, update')`,
        [runtimeRoles],
      ),
    ).toEqual([])
  })

  test('every tenant table belongs to the owner, who is bound to the claims', async () => {
    expect(
      await found(`select name from (${tables}) as ours where relowner <> 'atum_owner'::regrole`),
    ).toEqual([])
    expect(
      await found(`
        select name from (${tenantTables}) as tenant
        where not exists (
          select from pg_policy as policy
          where policy.polrelid = tenant.oid and policy.polroles = array['atum_owner'::regrole::oid]
            and pg_get_expr(policy.polqual, policy.polrelid) like '%current_organization_id()%'
            and pg_get_expr(policy.polwithcheck, policy.polrelid) = pg_get_expr(policy.polqual, policy.polrelid)
        )`),
    ).toEqual([])
  })

  test('every policy compares the organization of the row with the one of the caller, once a query', async () => {
    expect(
      await found(`
        select format('%s on %s', policy.polname, tenant.name) as name
        from (${tenantTables}) as tenant
        join pg_policy as policy on policy.polrelid = tenant.oid
        cross join lateral (
          values (pg_get_expr(policy.polqual, policy.polrelid)), (pg_get_expr(policy.polwithcheck, policy.polrelid))
        ) as expressions (expression)
        where expression is not null
          and expression !~ (tenant.organization_column || ' = \\( SELECT app_hidden.current_organization_id\\(\\)')`),
    ).toEqual([])
  })

  test('no policy is for everybody, and no policy is permissive of everything', async () => {
    expect(
      await found(`
        select format('%s on %s', policy.polname, ours.name) as name
        from (${tables}) as ours
        join pg_policy as policy on policy.polrelid = ours.oid
        where 0 = any (policy.polroles) or 'true' in (pg_get_expr(policy.polqual, policy.polrelid), pg_get_expr(policy.polwithcheck, policy.polrelid))`),
    ).toEqual([])
  })

  test('every tenant table has a primary key that leads with the organization', async () => {
    expect(
      await found(`
        select tenant.name
        from (${tenantTables}) as tenant
        left join pg_constraint as key on key.conrelid = tenant.oid and key.contype = 'p'
        where key.oid is null or (${columnNames('tenant.oid', 'key.conkey')})[1] is distinct from tenant.organization_column`),
    ).toEqual([])
    // One row for each organization, so that no second column is needed.
    expect(
      await found(`
        select tenant.name
        from (${tenantTables}) as tenant
        join pg_constraint as key on key.conrelid = tenant.oid and key.contype = 'p'
        where cardinality(key.conkey) < 2`),
    ).toEqual(['app_private.audit_heads', 'app_private.ticket_counters', 'app_public.organizations'])
  })

  test('organization_id is a uuid and never null', async () => {
    expect(
      await found(`
        select tenant.name
        from (${tenantTables}) as tenant
        join pg_attribute as attribute on attribute.attrelid = tenant.oid and attribute.attname = tenant.organization_column
        where not attribute.attnotnull or attribute.atttypid <> 'uuid'::regtype`),
    ).toEqual([])
  })

  test('every foreign key between tenant tables carries the organization, to the organization', async () => {
    expect(
      await found(`
        select format('%s on %s', key.conname, tenant.name) as name
        from (${tenantTables}) as tenant
        join pg_constraint as key on key.conrelid = tenant.oid and key.contype = 'f'
        join (${tenantTables}) as referenced on referenced.oid = key.confrelid
        cross join lateral (select ${columnNames('tenant.oid', 'key.conkey')} as columns, ${columnNames('referenced.oid', 'key.confkey')} as targets) as pair
        where pair.columns[1] is distinct from 'organization_id' or pair.targets[1] is distinct from referenced.organization_column`),
    ).toEqual([])
  })

  test('a foreign key that empties its column leaves the organization alone', async () => {
    expect(
      await found(`
        select format('%s on %s', key.conname, tenant.name) as name
        from (${tenantTables}) as tenant
        join pg_constraint as key on key.conrelid = tenant.oid and key.contype = 'f'
        where key.confdeltype in ('n', 'd')
          and (key.confdelsetcols is null or array_position(${columnNames('tenant.oid', 'key.confdelsetcols')}, 'organization_id') is not null)`),
    ).toEqual([])
  })

  test('every column that names a row of another table is a foreign key', async () => {
    expect(
      await found(`
        select format('%s.%s', tenant.name, attribute.attname) as name
        from (${tenantTables}) as tenant
        join pg_attribute as attribute on attribute.attrelid = tenant.oid and attribute.attnum > 0 and not attribute.attisdropped
        where attribute.attname like '%\\_id' and attribute.atttypid = 'uuid'::regtype
          and not exists (
            select from pg_constraint as key
            where key.conrelid = tenant.oid and key.contype = 'f' and attribute.attnum = any (key.conkey)
          )`),
    ).toEqual([
      // The log outlives what it tells about.
      'app_private.audit_heads.organization_id',
      'app_public.audit_log.actor_id',
      'app_public.audit_log.organization_id',
      'app_public.audit_log.row_id',
    ])
  })

  test('every unique index of a tenant table contains the organization, as sharding needs', async () => {
    expect(
      await found(`
        select index.indexrelid::regclass::text as name
        from (${tenantTables}) as tenant
        join pg_index as index on index.indrelid = tenant.oid and index.indisunique
        where array_position(${columnNames('tenant.oid', 'index.indkey::int2[]')}, tenant.organization_column) is null`),
    ).toEqual([
      // Organizations are the table that all shards refer to.
      'app_public.organizations_slug_key',
    ])
  })
})

describe('indexes', () => {
  test('every foreign key is the beginning of an index', async () => {
    expect(
      await found(`
        select format('%s on %s', key.conname, ours.name) as name
        from (${tables}) as ours
        join pg_constraint as key on key.conrelid = ours.oid and key.contype = 'f'
        where not exists (
          select from pg_index as index
          where index.indrelid = ours.oid and index.indisvalid
            and (index.indpred is null or pg_get_expr(index.indpred, ours.oid) ~ '^\\(\\w+ IS NOT NULL\\)$')
            and (index.indkey::int2[])[0:cardinality(key.conkey) - 1] @> key.conkey
        )`),
    ).toEqual([])
  })

  test('no two indexes of a table are the same', async () => {
    expect(
      await found(`
        select format('%s and %s', one.indexrelid::regclass, other.indexrelid::regclass) as name
        from (${tables}) as ours
        join pg_index as one on one.indrelid = ours.oid
        join pg_index as other on other.indrelid = ours.oid and other.indexrelid > one.indexrelid
        where one.indkey = other.indkey and one.indclass = other.indclass
          and pg_get_expr(one.indpred, ours.oid) is not distinct from pg_get_expr(other.indpred, ours.oid)`),
    ).toEqual([])
  })
})

describe('documentation', () => {
  const uncommented = (objects: string) =>
    found(`select name from (${objects}) as objects where description is null or description !~ '\\S'`)

  test('every schema of ours has a comment', async () => {
    expect(
      await uncommented(
        `select nspname as name, obj_description(oid, 'pg_namespace') as description from pg_namespace where nspname in ${ours}`,
      ),
    ).toEqual([])
  })

  test('every table has a comment', async () => {
    expect(
      await uncommented(
        `select name, obj_description(oid, 'pg_class') as description from (${tables}) as ours`,
      ),
    ).toEqual([])
  })

  test('every column of the API has a comment, also of views and composite types', async () => {
    expect(
      await uncommented(`
        select format('%s.%s', class.oid::regclass, attribute.attname) as name, col_description(class.oid, attribute.attnum) as description
        from pg_class as class
        join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
        where class.relnamespace = 'app_public'::regnamespace and class.relkind in ('r', 'p', 'v', 'm', 'c', 'f')`),
    ).toEqual([])
  })

  test('every type of the API has a comment', async () => {
    expect(
      await uncommented(`
        select type.oid::regtype::text as name, obj_description(type.oid, 'pg_type') as description
        from pg_type as type
        left join pg_class as class on class.oid = type.typrelid
        where type.typnamespace = 'app_public'::regnamespace
          and (type.typtype in ('e', 'd', 'r') or (type.typtype = 'c' and class.relkind = 'c'))`),
    ).toEqual([])
  })

  test('every function has a comment', async () => {
    expect(
      await uncommented(
        `select name, obj_description(oid, 'pg_proc') as description from (${routines}) as ours`,
      ),
    ).toEqual([])
  })
})

describe('functions', () => {
  test('every one pins its search path', async () => {
    expect(
      await found(`
        select name from (${routines}) as ours
        where not exists (select from unnest(proconfig) as setting where setting like 'search_path=%')
          -- An SQL-standard body is parsed once, when it is made.
          and prosqlbody is null`),
    ).toEqual([])
  })

  test('no pinned search path lets a caller in: it is empty, or ends with the temporary schema', async () => {
    expect(
      await found(`
        select name from (${routines}) as ours, unnest(proconfig) as setting
        where setting like 'search_path=%' and setting not in ('search_path=""', 'search_path=pg_catalog, public, pg_temp')`),
    ).toEqual([])
  })

  test('none is for everybody', async () => {
    expect(
      await found(`
        select name from (${routines}) as ours
        where proacl is null or exists (select from aclexplode(proacl) as item where item.grantee = 0)`),
    ).toEqual([])
  })

  test('every one belongs to the owner', async () => {
    expect(
      await found(`select name from (${routines}) as ours where proowner <> 'atum_owner'::regrole`),
    ).toEqual([])
  })

  test('no request role runs a function of app_private, and no stranger one that writes', async () => {
    expect(
      await found(
        `select name || ' as ' || role as name from (${routines}) as ours
        cross join unnest(array['atum_anonymous', 'atum_customer', 'atum_agent', 'atum_manager', 'atum_admin', 'atum_reporting']) as role
        where nspname = 'app_private' and has_function_privilege(role, oid, 'execute')`,
      ),
    ).toEqual([])
    expect(
      await found(
        `select name from (${routines}) as ours where has_function_privilege('atum_anonymous', oid, 'execute') and provolatile = 'v'`,
      ),
    ).toEqual([])
  })

  test('every one is written in the file of its domain', async () => {
    const folder = join(import.meta.dirname, '../functions')
    const written = new Set(
      readdirSync(folder)
        .filter((name) => name.endsWith('.sql'))
        .flatMap((name) => [
          ...readFileSync(join(folder, name), 'utf8').matchAll(
            /^create or replace function ([a-z_.]+"?[a-z_0-9]+"?)\(/gm,
          ),
        ])
        .map(([, name]) => name!.replaceAll('"', '')),
    )
    const stray = await found(`select distinct nspname || '.' || proname as name from (${routines}) as ours`)
    expect(stray.filter((name) => !written.has(name))).toEqual([
      // Tables depend on it, so it lives in the migration.
      'app_hidden.uuid_v7',
    ])
    const there = new Set(stray)
    expect([...written].filter((name) => !there.has(name))).toEqual([])
  })

  test('no table depends on a function that is edited in place', async () => {
    expect(
      await found(`
        select distinct format('%s in %s', ours.name, dependency.classid::regclass) as name
        from (${routines}) as ours
        join pg_depend as dependency on dependency.refclassid = 'pg_proc'::regclass and dependency.refobjid = ours.oid
        where dependency.classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass)
          and ours.proname <> 'uuid_v7'`),
    ).toEqual([])
  })

  test('no name has two meanings', async () => {
    expect(
      await found(
        `select nspname || '.' || proname as name from (${routines}) as ours group by 1 having count(*) > 1`,
      ),
    ).toEqual([])
  })
})

describe('names', () => {
  const triggers = `
    select trigger.*, format('%s on %s', trigger.tgname, ours.name) as name
    from (${tables}) as ours
    join pg_trigger as trigger on trigger.tgrelid = ours.oid and not trigger.tgisinternal`

  test('a trigger is _NNN_name, so that the order of names is the order of work', async () => {
    expect(
      await found(`select name from (${triggers}) as ours where tgname !~ '^_[0-9]{3}_[a-z][a-z_]*$'`),
    ).toEqual([])
  })

  test('a trigger function is tg__name where many tables share it and tg_table__name where one has it', async () => {
    expect(
      await found(`
        select trigger.name || ': ' || function.proname as name
        from (${triggers}) as trigger
        join pg_proc as function on function.oid = trigger.tgfoid
        join pg_class as class on class.oid = trigger.tgrelid
        where function.proname !~ ('^tg_(_|' || class.relname || '__)[a-z][a-z_]*$')`),
    ).toEqual([])
    expect(
      await found(
        `select name from (${routines}) as ours where (proname like 'tg\\_%') <> (prorettype = 'trigger'::regtype)`,
      ),
    ).toEqual([])
  })

  test('a policy is verb_who', async () => {
    expect(
      await found(`
        select format('%s on %s', policy.polname, ours.name) as name
        from (${tables}) as ours
        join pg_policy as policy on policy.polrelid = ours.oid
        where policy.polname !~ ('^' || case policy.polcmd
          when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
        end || '_[a-z][a-z_]*$')`),
    ).toEqual([])
  })

  test('tables, columns, types, values, functions and arguments are snake_case', async () => {
    expect(
      await found(`
        select name from (
          select relname::text as name from (${tables}) as ours
          union all
          select attname from (${tables}) as ours join pg_attribute on attrelid = ours.oid where attnum > 0 and not attisdropped
          union all
          select typname from pg_type join pg_namespace as namespace on namespace.oid = typnamespace
          where namespace.nspname in ${ours} and typtype in ('e', 'd', 'c')
          union all
          select enumlabel from pg_enum join pg_type as type on type.oid = enumtypid join pg_namespace as namespace on namespace.oid = typnamespace
          where namespace.nspname in ${ours}
          union all
          select proname from (${routines}) as ours where prorettype <> 'trigger'::regtype
          union all
          select argument from (${routines}) as ours, unnest(proargnames) as argument where argument <> ''
        ) as names
        where name !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'`),
    ).toEqual([])
  })

  test('a constraint has the name Postgres gives it', async () => {
    expect(
      await found(`
        select format('%s on %s', constraints.conname, ours.name) as name
        from (${tables}) as ours
        join pg_constraint as constraints on constraints.conrelid = ours.oid
        cross join lateral (select array_to_string(${columnNames('ours.oid', 'constraints.conkey')}, '_') as columns) as keyed
        where constraints.contype in ('p', 'u', 'f', 'c')
          and constraints.conname !~ case constraints.contype
            when 'p' then '^' || ours.relname || '_pkey$'
            -- Names are cut in the middle at 63 bytes.
            when 'u' then '^' || ours.relname || '_' || keyed.columns || '_key$'
            when 'f' then '^' || ours.relname || '_' || keyed.columns || '_fkey[0-9]*$'
            else '^' || ours.relname || '_([a-z0-9_]+_)?check[0-9]*$'
          end
          and length(ours.relname || '_' || keyed.columns || '_fkey') <= 63`),
    ).toEqual([])
  })

  test('an index is table_columns_idx, or _key where it is unique', async () => {
    expect(
      await found(`
        select index.indexrelid::regclass::text as name
        from (${tables}) as ours
        join pg_index as index on index.indrelid = ours.oid
        join pg_class as class on class.oid = index.indexrelid
        where not exists (select from pg_constraint where conindid = index.indexrelid and contype in ('p', 'u', 'x'))
          and class.relname !~ ('^' || ours.relname || '_[a-z0-9_]+_' || case when index.indisunique then 'key' else 'idx' end || '$')`),
    ).toEqual([])
  })
})

describe('columns', () => {
  test('nothing counts by itself: no serial, no identity', async () => {
    expect(
      await found(`
        select class.oid::regclass::text as name
        from pg_class as class join pg_namespace as namespace on namespace.oid = class.relnamespace
        where namespace.nspname in ${ours} and class.relkind = 'S'`),
    ).toEqual([])
  })

  test('an instant has a time zone', async () => {
    expect(
      await found(`
        select format('%s.%s', ours.name, attribute.attname) as name
        from (${tables}) as ours
        join pg_attribute as attribute on attribute.attrelid = ours.oid and attribute.attnum > 0 and not attribute.attisdropped
        where attribute.atttypid in ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'money'::regtype, 'json'::regtype)
          or (attribute.attname like '%\\_at' and attribute.atttypid <> 'timestamptz'::regtype)`),
    ).toEqual([])
  })

  test('an identifier of our own is a UUID of version 7', async () => {
    expect(
      await found(`
        select ours.name
        from (${tables}) as ours
        join pg_attribute as attribute on attribute.attrelid = ours.oid and attribute.attname = 'id'
        left join pg_attrdef as fallback on fallback.adrelid = ours.oid and fallback.adnum = attribute.attnum
        where attribute.atttypid <> 'uuid'::regtype
          or pg_get_expr(fallback.adbin, ours.oid) is distinct from 'app_hidden.uuid_v7()'`),
    ).toEqual([])
    const { rows } = await client.query<{ id: string }>(
      'select app_hidden.uuid_v7() as id from generate_series(1, 100)',
    )
    for (const { id } of rows)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const milliseconds = Number.parseInt(rows[0]!.id.replace('-', '').slice(0, 12), 16)
    expect(Math.abs(Date.now() - milliseconds)).toBeLessThan(60_000)
  })
})

describe('roles', () => {
  test('none of ours is above row-level security or makes roles', async () => {
    expect(
      await found(`
        select rolname as name from pg_roles
        where rolname like 'atum\\_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`),
    ).toEqual([])
  })

  test('the logins are the ones we know, and are nobody until they say so', async () => {
    expect(
      await found(`select rolname as name from pg_roles where rolname like 'atum\\_%' and rolcanlogin`),
    ).toEqual(['atum_owner', 'atum_server', 'atum_worker'])
    expect(
      await found(
        `select rolname as name from pg_roles where rolname like 'atum\\_%' and rolcanlogin and rolinherit`,
      ),
    ).toEqual([])
  })

  test('who may become whom, and who inherits from whom', async () => {
    const { rows } = await client.query<{ line: string }>(`
      select format('%s %s %s', member::regrole, case when inherit_option then 'inherits from' else 'may become' end, roleid::regrole) as line
      from pg_auth_members where member::regrole::text like 'atum\\_%' order by 1`)
    expect(rows.map(({ line }) => line)).toEqual([
      'atum_admin inherits from atum_manager',
      'atum_manager inherits from atum_agent',
      'atum_server may become atum_admin',
      'atum_server may become atum_agent',
      'atum_server may become atum_anonymous',
      'atum_server may become atum_customer',
      'atum_server may become atum_manager',
    ])
  })

  test('the owner owns everything of ours and only that', async () => {
    expect(
      await found(`select nspname as name from pg_namespace where nspowner = 'atum_owner'::regrole`),
    ).toEqual(['app_hidden', 'app_private', 'app_public', 'graphile_migrate', 'graphile_worker'])
    expect(
      await found(
        `select datname as name from pg_database where datname = current_database() and datdba <> 'atum_owner'::regrole`,
      ),
    ).toEqual([])
  })

  test('nobody but the owner makes anything here', async () => {
    expect(
      await found(
        `select nspname || ' by ' || role as name
        from pg_namespace, unnest($1::text[]) as role
        where nspname !~ '^pg_' and has_schema_privilege(role, oid, 'create')`,
        [runtimeRoles],
      ),
    ).toEqual([])
    expect(
      await found(
        `select role as name from unnest($1::text[]) as role where has_database_privilege(role, current_database(), 'create, temporary')`,
        [runtimeRoles],
      ),
    ).toEqual([])
  })

  test('no request role reaches app_private or the queue', async () => {
    expect(
      await found(`
        select nspname || ' by ' || role as name
        from pg_namespace
        cross join unnest(array['atum_anonymous', 'atum_customer', 'atum_agent', 'atum_manager', 'atum_admin', 'atum_reporting']) as role
        where nspname in ('app_private', 'graphile_worker', 'graphile_migrate') and has_schema_privilege(role, oid, 'usage')`),
    ).toEqual([])
  })

  test('no grant on a table is for everybody, and insert and update are granted by column', async () => {
    expect(
      await found(`
        select format('%s on %s to %s', item.privilege_type, ours.name, case when item.grantee = 0 then 'public' else item.grantee::regrole::text end) as name
        from (${tables}) as ours
        cross join lateral aclexplode(ours.relacl) as item
        where item.grantee <> ours.relowner and (item.grantee = 0 or item.privilege_type <> 'SELECT')`),
    ).toEqual([])
  })

  test("the queue is the worker's alone", async () => {
    expect(
      await found(`
        select format('%s by %s', class.oid::regclass, item.grantee) as name
        from pg_class as class
        cross join lateral aclexplode(class.relacl) as item
        where class.relnamespace = 'graphile_worker'::regnamespace
          and item.grantee not in (class.relowner, 'atum_worker'::regrole)`),
    ).toEqual([])
    expect(
      await found(`
        select class.oid::regclass::text as name from pg_class as class
        where class.relnamespace = 'graphile_worker'::regnamespace and class.relname like '\\_private\\_%' and class.relkind in ('r', 'p')
          and not (class.relrowsecurity and exists (select from pg_policy where polrelid = class.oid and polroles = array['atum_worker'::regrole::oid]))`),
    ).toEqual([])
  })
})

describe('schemas', () => {
  test('public holds nothing but extensions', async () => {
    expect(
      await found(`
        select object.kind || ' ' || object.oid::text as name
        from (
          select 'pg_class'::regclass as kind, oid from pg_class where relnamespace = 'public'::regnamespace
          union all
          select 'pg_proc'::regclass, oid from pg_proc where pronamespace = 'public'::regnamespace
          union all
          select 'pg_type'::regclass, oid from pg_type
          where typnamespace = 'public'::regnamespace and typelem = 0 and typrelid = 0 and typtype <> 'm'
        ) as object
        where not exists (
          select from pg_depend
          where classid = object.kind and pg_depend.objid = object.oid and deptype in ('e', 'i')
        )`),
    ).toEqual([])
  })

  test("there are no others than ours, the queue's and the log's", async () => {
    expect(
      await found(`select nspname as name from pg_namespace where nspname !~ '^(pg_|information_schema$)'`),
    ).toEqual(['app_hidden', 'app_private', 'app_public', 'graphile_migrate', 'graphile_worker', 'public'])
  })

  test('a view sees what its reader sees', async () => {
    expect(
      await found(`
        select class.oid::regclass::text as name
        from pg_class as class join pg_namespace as namespace on namespace.oid = class.relnamespace
        where namespace.nspname in ('app_public', 'app_hidden', 'app_private', 'reporting')
          and (
            class.relkind = 'm'
            or (class.relkind = 'v' and not coalesce(class.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false))
          )`),
    ).toEqual([])
  })

  test('the extensions are the ones of contrib we name', async () => {
    expect(await found(`select extname as name from pg_extension`)).toEqual([
      'btree_gist',
      'citext',
      'pg_trgm',
      'pgcrypto',
      'plpgsql',
      'unaccent',
    ])
  })
})
