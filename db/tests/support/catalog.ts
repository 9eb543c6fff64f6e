import { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'

// Each query of the catalog tests finds what breaks a rule of the house; the expected answer is nothing. Whatever is
// added later is found without being named there.

/** Opens a migrated database for the test file that calls it, and gives what asks its catalog for offenders by name. */
export function useCatalog(): (sql: string, values?: unknown[]) => Promise<string[]> {
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

  return async (sql, values = []) => {
    const { rows } = await client.query<{ name: string }>(
      `select name::text from (${sql}) as offenders order by 1`,
      values,
    )
    return rows.map(({ name }) => name)
  }
}

/** The schemas of ours, as a list to be compared with. */
export const ours = `('app_public', 'app_hidden', 'app_private')`

/** Every table. */
export const tables = `
  select class.oid, class.relname, class.relkind, class.relacl, class.relowner, namespace.nspname, class.oid::regclass::text as name
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname in ${ours} and class.relkind in ('r', 'p')`

/** Every table that holds rows of organizations. */
export const tenantTables = `
  select to_regclass(table_name) as oid, table_name as name, organization_column, row_security, forced
  from app_private.tenant_tables()`

/** Every function. */
export const routines = `
  select procedure.*, namespace.nspname, procedure.oid::regprocedure::text as name
  from pg_proc as procedure
  join pg_namespace as namespace on namespace.oid = procedure.pronamespace
  where namespace.nspname in ${ours}`

/** The names of an object's columns, in the order of the numbers given. */
export const columnNames = (relation: string, numbers: string) => `(
  select array_agg(attribute.attname::text order by position)
  from unnest(${numbers}) with ordinality as key (number, position)
  join pg_attribute as attribute on attribute.attrelid = ${relation} and attribute.attnum = key.number
)`
