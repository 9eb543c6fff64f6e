import { colour } from './terminal.ts'

const warning = 40
const error = 50

/**
 * What the terminal shows of a line that a child logged: warnings and errors of its JSON log in one line, anything
 * else it wrote to its error output as it is, and nothing of the rest (the log file has it all).
 */
export function compactLogLine(name: string, line: string, stream: 'stdout' | 'stderr'): string | undefined {
  const entry = parse(line)
  if (!entry) return stream === 'stderr' && line.trim() ? `${label(name)} ${line}` : undefined
  const level = Number(entry.level)
  if (!(level >= warning)) return undefined
  const word = level >= error ? colour.red('error') : colour.yellow('warn')
  const message = typeof entry.msg === 'string' ? entry.msg : ''
  const cause = causeOf(entry)
  return `${label(name)} ${word} ${[message, cause === message ? '' : cause].filter(Boolean).join(': ')}`
}

function label(name: string): string {
  return colour.dim(name.padEnd(8))
}

function causeOf(entry: Record<string, unknown>): string {
  const cause = entry.err ?? entry.error
  if (typeof cause === 'string') return cause
  if (!cause || typeof cause !== 'object') return ''
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code} ` : ''
  return 'message' in cause ? `${code}${String(cause.message)}` : ''
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
