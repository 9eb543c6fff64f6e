import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { repository } from './repository.ts'

/** Runs a program of ours to its end and gives what it said; what it said is the error when it fails. */
export async function runProgram(
  command: string,
  args: string[],
  options: { environment?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: repository,
    env: options.environment ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
  })
  let words = ''
  child.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  // Rejects with the error when the program cannot be run, or is stopped by the signal.
  const [code, signal] = await once(child, 'close')
  if (code !== 0) {
    const shown = [command === process.execPath ? 'node' : command, ...args].join(' ')
    throw new Error(`\`${shown}\` ended with ${signal ?? code}:\n${words.trim()}`)
  }
  return words
}
