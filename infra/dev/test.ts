import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'
import {
  canInstallPackages,
  installPackages,
  missingPackages,
  type SystemPackage,
  systemPackages,
} from './system-packages.ts'
import { colour, print, seconds, step } from './terminal.ts'
import { closingLine, type TestTally } from './test-tally.ts'

interface Check {
  title: string
  args: string[]
  /** The check is made where this exists. */
  of: string
}

const checks: Check[] = [
  { title: 'Types', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], of: 'tsconfig.json' },
  {
    title: 'Types of the web',
    args: ['node_modules/typescript/bin/tsc', '-p', 'web/tsconfig.json'],
    of: 'web/tsconfig.json',
  },
  {
    title: 'Lint',
    args: ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0'],
    of: 'eslint.config.js',
  },
  {
    title: 'Format',
    args: ['node_modules/prettier/bin/prettier.cjs', '--check', '.'],
    of: '.prettierrc.json',
  },
  { title: 'Migrations committed', args: ['db/stage.ts', '--check'], of: 'db/stage.ts' },
]

const strict = process.env.CI === 'true'
const chosen = process.argv.slice(2)
const namedProjects = chosen.flatMap((argument, index) => {
  if (argument === '--project') return chosen[index + 1] ?? []
  return argument.startsWith('--project=') ? argument.slice('--project='.length) : []
})
const vitestArguments = [...chosen]
const started = performance.now()
const troubles: string[] = []
const leftOut: TestTally['skipped'] = []

await providePackages()
// With arguments one works on a part: the checks of the whole would only be in the way.
if (chosen.length === 0) await runChecks()
const tally = await runVitest()
tally.skipped.push(...leftOut)

if (strict && tally.skipped.length > 0) troubles.push('CI=true: nothing may be skipped.')
if (tally.passed + tally.failed === 0 && troubles.length === 0) troubles.push('No test was executed.')

print()
for (const { name, reason } of tally.skipped) print(colour.yellow(`Skipped: ${name} (${reason})`))
for (const trouble of troubles) print(colour.red(trouble))
print(colour.dim(`npm test took ${seconds(started)}`))
// A failed check is no test, but a closing line of "0 failed" above a failing exit status would mislead.
print(closingLine({ ...tally, failed: tally.failed + troubles.length }))
process.exit(troubles.length > 0 || tally.failed > 0 ? 1 : 0)

/** Installs what is missing where it may, and leaves the tests out that cannot run without the rest. */
async function providePackages(): Promise<void> {
  let missing = missingPackages(systemPackages.filter(isWanted))
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  let reason = 'not root, or no apt-get'
  if (canInstallPackages()) {
    try {
      await step(`Debian packages: ${names}`, () => installPackages(missing))
    } catch (error) {
      reason = messageOf(error)
    }
    missing = missingPackages(missing)
  }
  for (const { name, projects, files, missing: consequence } of missing) {
    leftOut.push({
      name: files ? files.join(', ') : `all of ${projects.join(', ')}`,
      reason: `without ${name} ${consequence}; ${reason}`,
    })
    if (files) vitestArguments.push(...files.map((file) => `--exclude=${file}`))
    // Named on the command line they run, and say themselves what they miss.
    else if (namedProjects.length === 0)
      vitestArguments.push(...projects.map((project) => `--project=!${project}`))
  }
}

/** Whether the run includes a project that uses the package. */
function isWanted({ projects }: SystemPackage): boolean {
  return namedProjects.length === 0 || projects.some((project) => namedProjects.includes(project))
}

async function runChecks(): Promise<void> {
  const waiting = checks.filter(({ of }) => existsSync(join(repository, of)))
  const failures: string[] = []
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { title, args } = check
      try {
        await step(title, () => runProgram(process.execPath, args))
      } catch (error) {
        troubles.push(`Failed: ${title}`)
        failures.push(`${colour.bold(title)}\n${messageOf(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  for (const failure of failures) print(`\n${failure}`)
}

async function runVitest(): Promise<TestTally> {
  const directory = mkdtempSync(join(tmpdir(), 'atum-tally-'))
  const file = join(directory, 'tally.json')
  const vitest = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...vitestArguments], {
    cwd: repository,
    env: { ...process.env, ATUM_TEST_TALLY: file },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  let interrupted = false
  const interrupt = () => {
    interrupted = true
    vitest.kill('SIGTERM')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
  // Whoever launched us was killed without a word.
  process.on('disconnect', interrupt)
  const [code, signal] = await once(vitest, 'exit')
  if (interrupted) {
    rmSync(directory, { recursive: true, force: true })
    print('\nInterrupted.')
    process.exit(130)
  }
  let counted: TestTally = { passed: 0, failed: 0, skipped: [] }
  try {
    counted = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    troubles.push('vitest ended without a result.')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  if (code !== 0 && counted.failed === 0)
    troubles.push(`vitest ended with ${signal ?? `exit status ${code}`}.`)
  return counted
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
