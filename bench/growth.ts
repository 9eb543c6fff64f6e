/**
 * `npm run bench:growth [-- --sizes 10000,100000,1000000 --requests 400 --only search]` measures what a desk asks all day while the
 * tickets grow, on a cluster of its own with a database of each size, and writes the plan of every statement at the last
 * size to bench/explain.
 * Prints a table in Markdown for bench/README.md.
 */
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { withDatabase } from '../infra/dev/connection-url.ts'
import { prepareDatabase } from '../infra/dev/database.ts'
import { startCluster } from '../infra/dev/postgres.ts'
import { makeReachableDirectory } from '../infra/dev/throw-away-database.ts'
import { applyUncommittedSql } from '../infra/dev/uncommitted-sql.ts'
import { type Contestant, logIn, password, startApi } from './contestants.ts'
import { writePlans } from './explain.ts'
import { hotQueries, savedViews, wordOfTwenty, type HotQuery } from './hot-queries.ts'
import { applyLoad, percentile } from './load.ts'
import { familyOf, processorMilliseconds } from './process-figures.ts'
import { type BenchOrganization, fillVolume } from './volume.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    requests: { type: 'string', default: '400' },
    comments: { type: 'string', default: '1' },
    port: { type: 'string', default: '25800' },
    only: { type: 'string', default: '' },
  },
})
const sizes = values.sizes.split(',').map(Number)
const requests = Number(values.requests)
const warmUpRequests = 30
/** The sizes are asked in turns of so many, so that a machine that is slower for a while is so for all of them. */
const requestsOfTurn = 20

/** A database of one size, and the API on it. */
interface Place {
  bench: BenchOrganization
  superuserUrl: string
  api: Contestant
  token: string
}

interface Figure {
  latencies: number[]
  processor: number
  /** How many tickets an answer had, on average: more to show costs more, however it was found. */
  rows: number
}

const directory = makeReachableDirectory()
const cluster = await startCluster({
  dataDir: directory,
  durable: true,
  port: Number(values.port),
  removeWhenKilled: directory,
  log: console.error,
})
const places: Place[] = []
try {
  for (const [position, size] of sizes.entries()) places.push(await fill(size, position))
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}, ${requests} requests each\n`,
  )
  const head = sizes.map((size) => `p50 / p95 ms, CPU ms, tickets at ${size.toLocaleString('en')}`)
  console.log(`| | ${head.join(' | ')} | p95 by the smallest, pages alike |`)
  console.log(`|---|${sizes.map(() => '---').join('|')}|---|`)
  for (const hotQuery of hotQueries) if (hotQuery.name.includes(values.only)) await compare(hotQuery)
  const largest = places.at(-1)
  if (largest) await writePlans(largest.superuserUrl, largest.bench, Number(sizes.at(-1)))
} finally {
  for (const { api } of places) api.process.kill('SIGTERM')
  await cluster.stop('immediate')
  rmSync(directory, { recursive: true, force: true })
}

async function fill(size: number, position: number): Promise<Place> {
  const database = `atum_bench_${size}`
  const urls = await prepareDatabase({
    superuserUrl: cluster.superuserUrl(),
    database,
    passwords: { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' },
  })
  await applyUncommittedSql(urls.ownerUrl)
  const superuserUrl = withDatabase(cluster.superuserUrl(), database)
  console.error(`filling up to ${size} tickets`)
  const started = performance.now()
  const bench = await fillVolume(superuserUrl, size, (done) => console.error(`  ${done}`), {
    comments: Number(values.comments),
  })
  console.error(`  in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  await prepare(urls.ownerUrl, bench)
  const api = await startApi(Number(values.port) + 1 + position, urls.serverUrl)
  const token = await logIn(api.port)
  await answering(api, token)
  return { bench, superuserUrl, api, token }
}

/** Prints what a question costs at each size, and how that grows where the answers are of the same length. */
async function compare({ name, query, page, variables }: HotQuery): Promise<void> {
  const asIs = await measure(query, page, variables)
  const fullest = Math.round(asIs[0]?.rows ?? 0)
  const isFilledEverywhere = page === undefined || fullest >= page || fullest === 0
  const alike = isFilledEverywhere ? asIs : await measure(query, fullest, variables)
  const cells = asIs.map(
    ({ latencies, processor, rows }) =>
      `${percentile(latencies, 0.5).toFixed(1)} / ${percentile(latencies, 0.95).toFixed(1)}, ${processor.toFixed(1)}, ${rows.toFixed(0)}`,
  )
  const p95 = alike.map(({ latencies }) => percentile(latencies, 0.95))
  const growth = p95.slice(1).map((figure) => (figure / (p95[0] ?? NaN)).toFixed(2))
  console.log(
    `| ${[name, ...cells, `${growth.join(', ')}${isFilledEverywhere ? '' : `, of ${fullest}`}`].join(' | ')} |`,
  )
}

async function measure(
  query: string,
  first: number | undefined,
  variables: HotQuery['variables'],
): Promise<Figure[]> {
  const figures: Figure[] = places.map(() => ({ latencies: [], processor: 0, rows: 0 }))
  const ask = ({ api, token, bench }: Place, count: number, from: number, seen: (rows: number) => void) =>
    applyLoad({
      port: api.port,
      concurrency: 1,
      requests: count,
      next: (turn) => ({
        path: '/graphql',
        body: JSON.stringify({
          query,
          variables: {
            ...variables({ token, openTicketIds: [], ...bench }, from + turn),
            ...(first === undefined ? {} : { first }),
          },
        }),
        headers: { authorization: `Bearer ${token}` },
      }),
      isRight(answer) {
        seen(answer.split('"reference":').length - 1)
        return answer.startsWith('{"data":{') && !answer.includes('"errors"')
      },
    })
  for (const place of places) await ask(place, warmUpRequests, 0, () => {})
  for (let from = 0; from < requests; from += requestsOfTurn) {
    for (const [position, place] of places.entries()) {
      const figure = figures[position] as Figure
      const processes = [...familyOf(Number(place.api.process.pid)), ...familyOf(cluster.pid)]
      const before = processorMilliseconds(processes)
      const { latencies } = await ask(place, requestsOfTurn, from, (rows) => {
        figure.rows += rows / requests
      })
      figure.processor += (processorMilliseconds(processes) - before) / requests
      figure.latencies.push(...latencies)
    }
  }
  for (const { latencies } of figures) latencies.sort((a, b) => a - b)
  return figures
}

/** The schema is made while the first requests come, and they are told so. */
async function answering({ port }: Contestant, token: string): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ __typename }' }),
    })
    if (response.ok) return
    await delay(200)
  }
}

async function prepare(ownerUrl: string, bench: BenchOrganization): Promise<void> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('select app_private.set_password($1, $2, $3)', [
      bench.organizationId,
      bench.agentId,
      password,
    ])
    for (const [position, conditions] of savedViews.entries()) {
      await client.query(
        `insert into app_public.ticket_views (organization_id, name, visibility, conditions, position) values ($1, $2, 'shared', $3, $4)`,
        [bench.organizationId, `View ${position + 1}`, JSON.stringify(conditions), position],
      )
    }
    await client.query(
      `update app_public.tickets as ticket set subject = ticket.subject || $2
       from (
         select id, row_number() over (order by number) as place, count(*) over () as all_of_them
         from app_public.tickets where organization_id = $1
       ) as numbered
       where ticket.organization_id = $1 and ticket.id = numbered.id and numbered.place % (numbered.all_of_them / 20) = 0`,
      [bench.organizationId, ` ${wordOfTwenty}`],
    )
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}
