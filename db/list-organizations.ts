/**
 * `npm run organization:list` prints the organizations of the installation, how many people each has and whether it is
 * open. ATUM_OPERATOR_DATABASE_URL names the database, as its operator, or DATABASE_URL, as its owner; without either,
 * the running one is used.
 */
import { requireOperatorUrl } from '../infra/dev/operator-url.ts'
import { inTransaction, readOptions } from './command-line.ts'

interface Organization {
  slug: string
  name: string
  people: string
  created_at: Date
  suspended_at: Date | null
}

readOptions({})
const organizations = await inTransaction(requireOperatorUrl(), 'list-organizations', async (client) => {
  const { rows } = await client.query<Organization>('select * from app_private.organizations_overview()')
  return rows
})

const day = (instant: Date) => instant.toISOString().slice(0, 10)
const table = [
  ['slug', 'name', 'people', 'since', ''],
  ...organizations.map(({ slug, name, people, created_at, suspended_at }) => [
    slug,
    name,
    people,
    day(created_at),
    suspended_at ? `closed since ${day(suspended_at)}` : 'open',
  ]),
]
const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)))
for (const cells of table) {
  console.log(
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}
