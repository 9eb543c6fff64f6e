import { Logger as QueueLogger } from 'graphile-worker'
import type { Logger } from 'pino'

/** Lets the queue speak through the process's own log. */
export function queueLogger(logger: Logger): QueueLogger {
  return new QueueLogger((scope) => (level, message, meta) => {
    const fields = { ...scope, ...(meta?.error instanceof Error ? { error: meta.error.message } : {}) }
    if (level === 'warning') logger.warn(fields, message)
    else if (level === 'error') logger.error(fields, message)
    // A line for each job is what one turns on to look for something.
    else logger.debug(fields, message)
  })
}
