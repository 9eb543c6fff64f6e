// Plain JavaScript that Node 18 understands: it runs before node_modules, and the Node in it, exist.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install, needsInstall } from './install.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const oldestNode = [22, 18]
const parentPollMilliseconds = 200

/** Installs what is missing, then becomes `script` under the Node that the project pins. */
export async function launch(script) {
  process.env.ATUM_COMMAND_STARTED ??= String(Date.now())
  try {
    if (needsInstall()) await install()
    run(findNode(), script)
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}

function findNode() {
  const pinned = join(repository, 'node_modules', '.bin', 'node')
  for (const node of [pinned, process.execPath]) {
    if (node === process.execPath ? isNewEnough(process.version) : existsSync(node) && canRun(node))
      return node
  }
  throw new Error(
    `ATUM Desk needs Node ${oldestNode.join('.')} or newer; this is ${process.version}. ` +
      'On Linux (x64, arm64, glibc) the right one comes with `npm ci`; elsewhere install it from your system.',
  )
}

function canRun(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && isNewEnough(stdout.trim())
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

function run(node, script) {
  const child = spawn(node, [fileURLToPath(new URL(script, import.meta.url)), ...process.argv.slice(2)], {
    cwd: repository,
    // The channel carries no messages: its end tells the child that we are gone, also when we were killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const forward = (signal) => child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  // npm passes a signal on to the shell between it and us, which dies of it without telling us; killed, npm tells nobody.
  if (process.env.npm_lifecycle_event) {
    const before = launchers()
    setInterval(() => launchers() !== before && child.kill('SIGTERM'), parentPollMilliseconds).unref()
  }
  child.once('error', (error) => {
    console.error(`${node} could not be run: ${error.message}`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1)
    for (const name of signals) process.off(name, forward)
    process.kill(process.pid, signal)
  })
}

/** The pids of our parent and, where that is npm's shell, of npm. */
function launchers() {
  const parent = process.ppid
  try {
    const isShell = /sh\0-c\0/.test(readFileSync(`/proc/${parent}/cmdline`, 'utf8'))
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8')
    return isShell ? `${parent} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}` : String(parent)
  } catch {
    return String(parent)
  }
}
