/** What the worker reads from its environment, parsed once; a missing value ends the process with a clear message. */
export interface WorkerEnvironment {
  /** The database, as `atum_worker`. */
  databaseUrl: string
  /** How many jobs run side by side. */
  concurrency: number
  logLevel: string
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads the environment, or throws an error that names the variable to set. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): WorkerEnvironment {
  const databaseUrl = variables.DATABASE_URL
  if (!databaseUrl || !URL.canParse(databaseUrl)) {
    throw new Error('DATABASE_URL must be the connection string of the database, as atum_worker')
  }
  const concurrency = Number(variables.ATUM_WORKER_CONCURRENCY ?? '4')
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 100) {
    throw new Error('ATUM_WORKER_CONCURRENCY must be a whole number from 1 to 100')
  }
  const logLevel = variables.LOG_LEVEL ?? 'info'
  if (!logLevels.includes(logLevel)) {
    throw new Error(`LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  }
  return { databaseUrl, concurrency, logLevel }
}
