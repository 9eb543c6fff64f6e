import { describe, expect, test } from 'vitest'
import { columnNames, ours, routines, tables, tenantTables, useCatalog } from './support/catalog.ts'
import { runtimeRoles } from './support/session.ts'

const found = useCatalog()

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
      // Each is reached through definer functions only.
      // What many people use belongs to nobody.
      'app_private.common_passwords',
      // A wrong address is of no organization, and whoever guesses tries all of them.
      'app_private.login_failures',
      // Strangers have an allowance too.
      'app_private.rate_buckets',
      // One scanner serves the whole machine.
      'app_private.scanner_status',
      // Processes, not people.
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
      // No organization mails from the address of another one, wherever that is.
      'app_public.mailboxes_address_key',
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
    const ids = await found('select app_hidden.uuid_v7() as name from generate_series(1, 100)')
    expect(new Set(ids).size).toBe(100)
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const milliseconds = Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16)
    expect(Math.abs(Date.now() - milliseconds)).toBeLessThan(60_000)
  })
})
