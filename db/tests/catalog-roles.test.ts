import { describe, expect, test } from 'vitest'
import { ours, tables, useCatalog } from './support/catalog.ts'
import { runtimeRoles } from './support/session.ts'

const found = useCatalog()

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
    ).toEqual(['atum_operator', 'atum_owner', 'atum_server', 'atum_worker'])
    expect(
      await found(
        `select rolname as name from pg_roles where rolname like 'atum\\_%' and rolcanlogin and rolinherit`,
      ),
    ).toEqual([])
  })

  test('no login waits or lies open for ever', async () => {
    expect(
      await found(`
        select rolname || ': ' || setting as name from pg_roles, unnest(rolconfig) as setting
        where rolname like 'atum\\_%' and setting ~ 'timeout'`),
    ).toEqual([
      'atum_operator: idle_in_transaction_session_timeout=60s',
      'atum_operator: statement_timeout=60s',
      'atum_server: idle_in_transaction_session_timeout=30s',
      'atum_server: lock_timeout=5s',
      'atum_server: statement_timeout=15s',
      'atum_worker: idle_in_transaction_session_timeout=120s',
    ])
  })

  test('who may become whom, and who inherits from whom', async () => {
    const memberships = await found(`
      select format('%s %s %s', member::regrole, case when inherit_option then 'inherits from' else 'may become' end, roleid::regrole) as name
      from pg_auth_members where member::regrole::text like 'atum\\_%'`)
    expect(memberships).toEqual([
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

  test('the operator makes, closes and counts organizations, and that is all', async () => {
    expect(
      await found(`
        select procedure.oid::regprocedure::text as name
        from pg_proc as procedure
        join pg_namespace as namespace on namespace.oid = procedure.pronamespace
        where namespace.nspname in ${ours} and has_function_privilege('atum_operator', procedure.oid, 'execute')`),
    ).toEqual([
      'app_private.found_organization(text,text,text,text,text,text,text)',
      'app_private.organizations_overview()',
      'app_private.suspend_organization(text,boolean)',
    ])
    expect(
      await found(`
        select class.oid::regclass::text as name
        from pg_class as class join pg_namespace as namespace on namespace.oid = class.relnamespace
        where namespace.nspname in ('app_public', 'app_hidden', 'app_private', 'graphile_worker', 'graphile_migrate')
          and class.relkind in ('r', 'p', 'v', 'm', 'f')
          and has_any_column_privilege('atum_operator', class.oid, 'select, insert, update, references')`),
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
