import { join } from 'node:path'
import { createServer } from 'vite'
import { repository } from './repository.ts'

// The web as it is edited, on the address that people use; what is not the web goes on to the server.
const port = Number(process.env.PORT)
const target = `http://127.0.0.1:${process.env.ATUM_SERVER_PORT}`
const server = await createServer({
  configFile: join(repository, 'web/vite.config.ts'),
  clearScreen: false,
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    proxy: {
      '/api': { target },
      '/graphql': { target, ws: true },
      '/healthz': { target },
      '/readyz': { target },
    },
  },
})
await server.listen()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close().finally(() => process.exit()))
}
