import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

/** One line of JSON an event, to standard output. */
export function createLogger(level: string): Logger {
  return pino({ name: 'atum-server', level })
}
