import { describe, expect, test } from 'vitest'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { columnNames, ours, routines, tables, useCatalog } from './support/catalog.ts'

const found = useCatalog()

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
