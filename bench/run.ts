/**
 * `npm run bench [-- --tickets 10000 --seconds 6]` measures the API beside a handwritten handler on the same database: a
 * cluster of its own with the durability of production. Prints a table in Markdown for bench/README.md.
 */
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../infra/dev/database.ts'
import { startCluster } from '../infra/dev/postgres.ts'
import { makeReachableDirectory } from '../infra/dev/throw-away-database.ts'
import { applyUncommittedSql } from '../infra/dev/uncommitted-sql.ts'
import { type Contestant, logIn, password, start, startApi } from './contestants.ts'
import { applyLoad, type LoadResult } from './load.ts'
import { familyOf, processorMilliseconds, proportionalMegabytes } from './process-figures.ts'
import { type BenchMaterial, scenarios } from './scenarios.ts'
import { type BenchOrganization, fillVolume } from './volume.ts'

const concurrencies = [1, 8, 32]
const warmUpSeconds = 3

const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '6' } },
})
const tickets = Number(values.tickets)
const seconds = Number(values.seconds)

const directory = makeReachableDirectory()
const cluster = await startCluster({
  dataDir: directory,
  durable: true,
  port: 25800,
  removeWhenKilled: directory,
  log: console.error,
})
const contestants: Contestant[] = []
try {
  const urls = await prepareDatabase({
    superuserUrl: cluster.superuserUrl(),
    database: 'atum_bench',
    passwords: { atum_owner: 'owner', atum_server: 'server', atum_worker: 'worker' },
  })
  await applyUncommittedSql(urls.ownerUrl)
  console.error(`filling ${tickets} tickets`)
  const bench = await fillVolume(urls.ownerUrl, tickets, (done) => console.error(`  ${done}`))
  const openTicketIds = await prepare(urls.ownerUrl, bench)
  contestants.push(
    await startApi(18901, urls.serverUrl),
    await start('handwritten', 'bench/handwritten.ts', 18902, {
      DATABASE_URL: urls.serverUrl,
      BENCH_ORGANIZATION: bench.organizationId,
      BENCH_AGENT: bench.agentId,
      NODE_ENV: 'production',
    }),
  )

  console.log(
    `${tickets.toLocaleString('en')} tickets, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}\n`,
  )
  console.log('| scenario | clients | | req/s | p50 ms | p95 ms | p99 ms | CPU ms/op | ratio |')
  console.log('|---|---|---|---|---|---|---|---|---|')
  for (const scenario of scenarios) {
    for (const concurrency of concurrencies) {
      const perSecond: number[] = []
      for (const contestant of contestants) {
        const material: BenchMaterial = {
          token: contestant.name === 'graphql' ? await logIn(contestant.port) : '',
          agentId: bench.agentId,
          lastNumber: bench.lastNumber,
          openTicketIds,
        }
        const load = (loadSeconds: number) =>
          applyLoad({
            port: contestant.port,
            concurrency,
            seconds: loadSeconds,
            next: (count) => scenario[contestant.name](material, count),
            isRight: (answer) => answer.includes(scenario.expected) && !answer.includes('"errors"'),
          })
        await load(warmUpSeconds)
        const processes = [...familyOf(Number(contestant.process.pid)), ...familyOf(cluster.pid)]
        const before = processorMilliseconds(processes)
        const result = await load(seconds)
        const processor = (processorMilliseconds(processes) - before) / result.requests
        perSecond.push(result.requests / result.seconds)
        console.log(row(scenario.name, concurrency, contestant.name, result, processor, perSecond))
      }
    }
  }
  for (const { name, process } of contestants) {
    console.log(`\n${name}: ${proportionalMegabytes(Number(process.pid)).toFixed(0)} MB (PSS) afterwards`)
  }
} finally {
  for (const { process } of contestants) process.kill('SIGTERM')
  await cluster.stop('immediate')
  rmSync(directory, { recursive: true, force: true })
}

function row(
  scenario: string,
  concurrency: number,
  name: string,
  { requests, seconds: took, p50, p95, p99 }: LoadResult,
  processor: number,
  perSecond: number[],
): string {
  const [api, byHand] = perSecond
  const ratio = api && byHand ? (api / byHand).toFixed(2) : ''
  const figures = [
    (requests / took).toFixed(0),
    p50.toFixed(1),
    p95.toFixed(1),
    p99.toFixed(1),
    processor.toFixed(2),
    ratio,
  ]
  return `| ${[scenario, concurrency, name, ...figures].join(' | ')} |`
}

async function prepare(ownerUrl: string, bench: BenchOrganization): Promise<string[]> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('select app_private.set_password($1, $2, $3)', [
      bench.organizationId,
      bench.agentId,
      password,
    ])
    const { rows } = await client.query<{ id: string }>(
      `select id from app_public.tickets where organization_id = $1 and status = 'open' order by number desc limit 500`,
      [bench.organizationId],
    )
    return rows.map(({ id }) => id)
  } finally {
    await client.end()
  }
}
