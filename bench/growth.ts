/**
 * `npm run bench:growth [-- --sizes 10000,100000,1000000 --requests 200]` measures what a desk asks all day while the
 * tickets grow, on a cluster of its own, and writes the plan of every statement at the last size to bench/explain.
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
import { hotQueries, savedViews } from './hot-queries.ts'
import { applyLoad, type LoadResult } from './load.ts'
import { familyOf, processorMilliseconds } from './process-figures.ts'
import { type BenchOrganization, fillVolume } from './volume.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    requests: { type: 'string', default: '200' },
    comments: { type: 'string', default: '1' },
    port: { type: 'string', default: '25800' },
  },
})
const sizes = values.sizes.split(',').map(Number)
const requests = Number(values.requests)
const warmUpRequests = 20

interface Figure extends LoadResult {
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
const figures = new Map<string, Figure[]>()
let api: Contestant | undefined
try {
  const urls = await prepareDatabase({
    superuserUrl: cluster.superuserUrl(),
    database: 'atum_bench',
    passwords: { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' },
  })
  await applyUncommittedSql(urls.ownerUrl)
  const superuserUrl = withDatabase(cluster.superuserUrl(), 'atum_bench')
  let filled = 0
  for (const size of sizes) {
    console.error(`filling up to ${size} tickets`)
    const started = performance.now()
    const bench = await fillVolume(superuserUrl, size - filled, (done) => console.error(`  ${done}`), {
      comments: Number(values.comments),
    })
    console.error(`  in ${((performance.now() - started) / 1000).toFixed(0)} s`)
    if (filled === 0) await prepare(urls.ownerUrl, bench)
    filled = size
    api = await startApi(Number(values.port) + 1, urls.serverUrl)
    await measure(api, bench)
    api.process.kill('SIGTERM')
    if (size === sizes.at(-1)) await writePlans(superuserUrl, bench, size)
  }
  print()
} finally {
  api?.process.kill('SIGTERM')
  await cluster.stop('immediate')
  rmSync(directory, { recursive: true, force: true })
}

async function measure(api: Contestant, bench: BenchOrganization): Promise<void> {
  const material = {
    token: await logIn(api.port),
    agentId: bench.agentId,
    lastNumber: bench.lastNumber,
    openTicketIds: [],
  }
  await answering(api, material.token)
  for (const { name, query, variables } of hotQueries) {
    let rows = 0
    const load = (count: number) =>
      applyLoad({
        port: api.port,
        concurrency: 1,
        requests: count,
        next: (turn) => ({
          path: '/graphql',
          body: JSON.stringify({ query, variables: variables(material, turn) }),
          headers: { authorization: `Bearer ${material.token}` },
        }),
        isRight(answer) {
          rows += answer.split('"reference":').length - 1
          return answer.startsWith('{"data":{') && !answer.includes('"errors"')
        },
      })
    await load(warmUpRequests)
    rows = 0
    const processes = [...familyOf(Number(api.process.pid)), ...familyOf(cluster.pid)]
    const before = processorMilliseconds(processes)
    const result = await load(requests)
    const processor = (processorMilliseconds(processes) - before) / result.requests
    figures.set(name, [...(figures.get(name) ?? []), { ...result, processor, rows: rows / result.requests }])
    console.error(
      `  ${name}: p50 ${result.p50.toFixed(1)} p95 ${result.p95.toFixed(1)} CPU ${processor.toFixed(1)}`,
    )
  }
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

function print(): void {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}, ${requests} requests each\n`,
  )
  const head = sizes.map((size) => `p50 / p95 ms, CPU ms, tickets at ${size.toLocaleString('en')}`)
  console.log(`| | ${head.join(' | ')} | p95 by the smallest |`)
  console.log(`|---|${sizes.map(() => '---').join('|')}|---|`)
  for (const [name, results] of figures) {
    const cells = results.map(
      ({ p50, p95, processor, rows }) =>
        `${p50.toFixed(1)} / ${p95.toFixed(1)}, ${processor.toFixed(1)}, ${rows.toFixed(0)}`,
    )
    const growth = results.slice(1).map(({ p95 }) => (p95 / (results[0]?.p95 ?? NaN)).toFixed(2))
    console.log(`| ${[name, ...cells, growth.join(', ')].join(' | ')} |`)
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
  } finally {
    await client.end()
  }
}
