const frameMilliseconds = 100
const firstWordMilliseconds = 5_000
const nextWordMilliseconds = 10_000

const live = process.stdout.isTTY === true
const coloured = live && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

const paint = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text)

/** Colours of the few words that carry one; nothing where the output is not a terminal. */
export const colour = { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) }

interface RunningStep {
  title: string
  started: number
  nextWord: number
}

const running = new Set<RunningStep>()
let ticker: NodeJS.Timeout | undefined
let statusShown = false

// A terminal that was closed while we still had something to say is no reason to leave PostgreSQL running.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** Prints a line above whatever is under way. */
export function print(text = ''): void {
  clearStatus()
  process.stdout.write(`${text}\n`)
  drawStatus()
}

/** Runs one step with its seconds on the screen, and leaves a line behind when it is done. */
export async function step<T>(
  title: string,
  run: () => Promise<T>,
  done?: (result: T) => string,
): Promise<T> {
  const started = performance.now()
  const entry = { title, started, nextWord: started + firstWordMilliseconds }
  running.add(entry)
  ticker ??= setInterval(tick, frameMilliseconds)
  try {
    const result = await run()
    finish(entry)
    const detail = done ? colour.dim(`  ${done(result)}`) : ''
    print(`  ${colour.green('✓')} ${title.padEnd(26)} ${seconds(started).padStart(6)}${detail}`)
    return result
  } catch (error) {
    finish(entry)
    print(`  ${colour.red('✗')} ${title.padEnd(26)} ${seconds(started).padStart(6)}`)
    throw error
  }
}

/** The time since `since` (of `performance.now()`), as `1.2 s`. */
export function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

function finish(entry: RunningStep): void {
  running.delete(entry)
  if (running.size > 0) return
  clearInterval(ticker)
  ticker = undefined
}

function tick(): void {
  if (live) {
    clearStatus()
    drawStatus()
    return
  }
  const now = performance.now()
  for (const entry of running) {
    if (now < entry.nextWord) continue
    entry.nextWord += nextWordMilliseconds
    process.stdout.write(`  … ${entry.title} ${seconds(entry.started)}\n`)
  }
}

function clearStatus(): void {
  if (statusShown) process.stdout.write('\r\x1b[K')
  statusShown = false
}

function drawStatus(): void {
  if (!live || running.size === 0) return
  const text = [...running].map(({ title, started }) => `${title} ${seconds(started)}`).join(' · ')
  process.stdout.write(`  … ${text}`.slice(0, (process.stdout.columns ?? 80) - 1))
  statusShown = true
}
