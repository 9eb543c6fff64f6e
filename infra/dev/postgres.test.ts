import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { withLogin } from './connection-url.ts'
import { type Cluster, startCluster } from './postgres.ts'
import { isRunning, type ProcessReference, referenceTo } from './process-identity.ts'

const port = 25540
let dataDir: string

/** Runs `startCluster` in a process of its own, so that this process can be killed. */
async function startElsewhere(removeWhenKilled?: string) {
  const program = `
    import { startCluster } from ${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))}
    const cluster = await startCluster({ dataDir: ${JSON.stringify(dataDir)}, port: ${port}, durable: false, log: () => {},
      ${removeWhenKilled ? `removeWhenKilled: ${JSON.stringify(removeWhenKilled)},` : ''} })
    process.send(cluster.pid)
    setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [pid] = await once(child, 'message')
  return { child, postmaster: referenceTo(Number(pid)) }
}

async function gone(reference: ProcessReference) {
  await expect.poll(() => isRunning(reference), { timeout: 5_000, interval: 20 }).toBe(false)
}

async function select(cluster: Cluster, sql: string) {
  const client = new Client({ connectionString: cluster.superuserUrl() })
  await client.connect()
  try {
    const { rows } = await client.query<{ value: unknown }>(sql)
    return rows[0]?.value
  } finally {
    await client.end()
  }
}

const start = async (log: (line: string) => void = () => {}, durable = false) => {
  const cluster = await startCluster({ dataDir, port, durable, log })
  onTestFinished(() => cluster.stop('immediate'))
  return cluster
}

beforeAll(async () => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'atum-postgres-')), 'postgres')
  chmodSync(join(dataDir, '..'), 0o711)
  const cluster = await startCluster({ dataDir, port, durable: false, log: () => {} })
  await cluster.stop()
})

afterAll(() => rmSync(join(dataDir, '..'), { recursive: true, force: true }))

describe('startCluster', () => {
  test('refuses a wrong password and hides the right one from other users', async () => {
    const cluster = await start()
    const client = new Client({ connectionString: withLogin(cluster.superuserUrl(), 'postgres', 'wrong') })
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' })
    expect(readFileSync(join(dataDir, 'superuser-password'), 'utf8').length).toBeGreaterThan(20)
    const { mode } = await import('node:fs').then(({ statSync }) =>
      statSync(join(dataDir, 'superuser-password')),
    )
    expect(mode & 0o077).toBe(0)
  })

  test('refuses data of another version, and says so', async () => {
    const file = join(dataDir, 'data', 'PG_VERSION')
    const version = readFileSync(file, 'utf8')
    writeFileSync(file, '12\n')
    onTestFinished(() => writeFileSync(file, version))
    await expect(start()).rejects.toThrow(/made by PostgreSQL 12/)
  })

  test('tells why PostgreSQL did not start', async () => {
    const file = join(dataDir, 'data', 'postgresql.auto.conf')
    const settings = readFileSync(file, 'utf8')
    writeFileSync(file, 'work_mem = nonsense\n')
    onTestFinished(() => writeFileSync(file, settings))
    await expect(start()).rejects.toThrow(/invalid value for parameter "work_mem"/)
  })

  test('listens on the loopback address only', async () => {
    const cluster = await start()
    expect(await select(cluster, `select current_setting('listen_addresses') as value`)).toBe('127.0.0.1')
    expect(await select(cluster, `select current_setting('unix_socket_directories') as value`)).toBe('')
  })

  test('is durable when it is asked to be', async () => {
    const durable = await start(() => {}, true)
    expect(await select(durable, `select current_setting('fsync') as value`)).toBe('on')
    await durable.stop()
    expect(await select(await start(), `select current_setting('fsync') as value`)).toBe('off')
  })

  test('takes the next port when its own is busy', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const said: string[] = []
    const cluster = await start((line) => said.push(line))
    expect(cluster.port).toBeGreaterThan(port)
    expect(said).toEqual([`Port ${port} is busy: PostgreSQL takes ${cluster.port}`])
  })

  test('goes when whoever started it is killed, and takes its directory along', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'atum-gone-'))
    const { child, postmaster } = await startElsewhere(directory)
    expect(isRunning(postmaster)).toBe(true)
    child.kill('SIGKILL')
    await gone(postmaster)
    await expect.poll(() => existsSync(directory), { timeout: 8_000 }).toBe(false)
  })

  test('goes when whoever started it is told to end', async () => {
    const { child, postmaster } = await startElsewhere()
    child.kill('SIGTERM')
    await gone(postmaster)
  })

  test('stops the one that a killed run left on its data', async () => {
    const { child, postmaster } = await startElsewhere()
    // Not even the leash is left when a machine runs out of memory at the wrong moment: play that by stopping it.
    const { execFileSync } = await import('node:child_process')
    const leash = execFileSync('pgrep', ['-f', `atum-leash INT ${postmaster.pid} `], {
      encoding: 'utf8',
    }).trim()
    process.kill(Number(leash), 'SIGKILL')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isRunning(postmaster)).toBe(true)

    const said: string[] = []
    const cluster = await start((line) => said.push(line))
    expect(isRunning(postmaster)).toBe(false)
    expect(cluster.port).toBe(port)
    expect(said).toEqual([`Stopping the PostgreSQL that an earlier run left behind (pid ${postmaster.pid})`])
  })

  test('is not misled by a stale pid that another program has by now', async () => {
    const bystander = spawn('sleep', ['60'])
    onTestFinished(() => void bystander.kill())
    writeFileSync(join(dataDir, 'data', 'postmaster.pid'), `${bystander.pid}\n${join(dataDir, 'data')}\n`)
    const cluster = await start()
    expect(cluster.port).toBe(port)
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
  })
})
