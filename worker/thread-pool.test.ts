import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

test('what waits in many threads keeps nothing else waiting', () => {
  const directory = mkdtempSync(join(tmpdir(), 'atum-threads-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const pipes = Array.from({ length: 40 }, (_value, number) => join(directory, String(number)))
  execFileSync('mkfifo', pipes)
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `await import(${JSON.stringify(join(import.meta.dirname, 'thread-pool.ts'))})
      const { open, stat } = await import('node:fs/promises')
      // Each waits for somebody who writes.
      for (const pipe of ${JSON.stringify(pipes)}) open(pipe).catch(() => {})
      const answer = await Promise.race([
        stat('.').then(() => 'went on'),
        new Promise((resolve) => setTimeout(resolve, 5_000, 'waited')),
      ])
      process.stdout.write(answer, () => process.kill(process.pid, 'SIGKILL'))`,
    ],
    { env: {}, encoding: 'utf8' },
  )
  expect(stdout).toBe('went on')
})

test('the worker begins with it', () => {
  const [first] = readFileSync(join(import.meta.dirname, 'main.ts'), 'utf8').split('\n')
  expect(first).toBe("import './thread-pool.ts'")
})
