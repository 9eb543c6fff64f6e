/**
 * `npm run bench [-- --tickets 10000 --seconds 6]` measures the API beside a handwritten handler on the same database: a
 * cluster of its own with the durability of production. Prints a table in Markdown for bench/README.md.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../infra/dev/database.ts'
import { startCluster } from '../infra/dev/postgres.ts'
import { makeReachableDirectory } from '../infra/dev/throw-away-database.ts'
import { applyLoad, type LoadResult } from './load.ts'
import { familyOf, processorMilliseconds, proportionalMegabytes } from './process-figures.ts'
import { type BenchMaterial, scenarios } from './scenarios.ts'
import { type BenchOrganization, fillVolume } from './volume.ts'

const repository = join(import.meta.dirname, '..')
const password = 'measured-not-guessed'
const concurrencies = [1, 8, 32]
const warmUpSeconds = 3

const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '6' } },
})
const tickets = Number(values.tickets)
const seconds = Number(values.seconds)

interface Contestant {
  name: 'graphql' | 'handwritten'
  port: number
  process: ChildProcess
}

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
  console.error(`filling ${tickets} tickets`)
  const bench = await fillVolume(urls.ownerUrl, tickets, (done) => console.error(`  ${done}`))
  const openTicketIds = await prepare(urls.ownerUrl, bench)
  contestants.push(
    await start('graphql', 'server/main.ts', 18901, {
      DATABASE_URL: urls.serverUrl,
      ATUM_JWT_SECRET: 'measured-not-guessed-measured-not-guessed',
      ATUM_ENCRYPTION_KEY: 'measured-not-guessed-measured-not-guessed',
      // One person asks here as often as thousands do.
      ATUM_RATE_LIMITS: 'off',
      // The web would send hashes; what is run is the same.
      ATUM_TRUSTED_DOCUMENTS: 'also',
      ATUM_PUBLIC_URL: 'http://localhost:18901',
      HOST: '127.0.0.1',
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
    }),
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

async function start(
  name: Contestant['name'],
  script: string,
  port: number,
  environment: Record<string, string>,
): Promise<Contestant> {
  const child = spawn(process.execPath, ['--max-semi-space-size=8', '--max-old-space-size=256', script], {
    cwd: repository,
    env: { ...environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).resume()
  const ended = once(child, 'exit')
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/healthz`)
      return { name, port, process: child }
    } catch {
      if (child.exitCode !== null) throw new Error(`${name} did not start`)
      await Promise.race([delay(100), ended])
    }
  }
}

async function logIn(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'agent1@bench.example', password, organization: 'bench' }),
  })
  const { accessToken } = (await response.json()) as { accessToken?: string }
  if (!accessToken) throw new Error(`the login answered ${response.status}`)
  return accessToken
}
