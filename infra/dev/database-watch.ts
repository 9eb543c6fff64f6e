import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.ts'
import { runProgram } from './run-program.ts'

// graphile-migrate follows `migrations/current`, where a function or policy has its place only once it was edited:
// so each edit is staged, and from then on followed.
const settleMilliseconds = 100

let staging = Promise.resolve()
let pending: NodeJS.Timeout | undefined

function stage(): void {
  staging = staging.then(async () => {
    try {
      process.stdout.write(await runProgram(process.execPath, ['db/stage.ts']))
    } catch (error) {
      console.error(error instanceof Error ? error.message : String(error))
    }
  })
}

stage()
await staging
for (const folder of ['db/functions', 'db/policies']) {
  watch(join(repository, folder), () => {
    clearTimeout(pending)
    pending = setTimeout(stage, settleMilliseconds)
  })
}

const migrate = spawn(process.execPath, ['db/migrate.ts', 'watch'], {
  cwd: repository,
  stdio: ['ignore', 'inherit', 'inherit'],
})
migrate.once('exit', (code) => process.exit(code ?? 1))
