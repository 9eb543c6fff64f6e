import { EnvironmentError, readEnvironment, type ServerEnvironment } from './env.ts'
import { createLogger } from './log.ts'
import { startServer } from './server.ts'

/** Longer than stopping takes when all goes well; then the process ends anyway. */
const patienceMilliseconds = 6_000

function environmentOrExit(): ServerEnvironment {
  try {
    return readEnvironment()
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}

const environment = environmentOrExit()
const logger = createLogger(environment.logLevel)
const server = await startServer(environment, logger)
logger.info({ address: server.address.address, port: server.address.port }, 'listening')
server.graphql.ready.then(
  () => logger.info({ milliseconds: Math.round(performance.now()) }, 'ready'),
  () => {},
)

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'stopping')
    setTimeout(() => process.exit(1), patienceMilliseconds).unref()
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop cleanly')
        process.exit(1)
      },
    )
  })
}
