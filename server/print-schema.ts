// Writes server/schema.graphql from the database, or with --check says whether it is what the database gives.
import { schemaDatabaseUrl } from './env.ts'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { makeSchema } from 'postgraphile'
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'postgraphile/graphql'
import { schemaPreset } from './graphile.config.ts'

/** The committed schema, which the web and other clients are written against. */
export const schemaFile = fileURLToPath(new URL('schema.graphql', import.meta.url))

/** The text of a schema. Sorted: the order of the catalog is not the same in a fresh and in an upgraded database. */
export function schemaText(schema: GraphQLSchema): string {
  const heading = '# Generated from the database by `npm run generate`. DO NOT EDIT.\n\n'
  return `${heading}${printSchema(lexicographicSortSchema(schema))}\n`
}

async function main(): Promise<number> {
  const mode = process.argv[2]
  const connectionString = schemaDatabaseUrl()
  if ((mode !== '--write' && mode !== '--check') || !connectionString) {
    process.stderr.write(
      'Usage: DATABASE_URL=postgres://atum_server… node server/print-schema.ts --write|--check\n',
    )
    return 2
  }
  const pool = new Pool({ connectionString, max: 1 })
  try {
    const { schema } = await makeSchema(schemaPreset(pool))
    const text = schemaText(schema)
    if (mode === '--write') {
      await writeFile(schemaFile, text)
      return 0
    }
    const committed = await readFile(schemaFile, 'utf8').catch(() => '')
    if (committed === text) return 0
    process.stderr.write('server/schema.graphql is not what the database gives: run `npm run generate`\n')
    return 1
  } finally {
    await pool.end()
  }
}

if (import.meta.main) process.exitCode = await main()
