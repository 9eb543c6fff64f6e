import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import express from 'express'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { requestId } from './request-id.ts'
import { requestLog } from './request-log.ts'

test('neither a query nor the token of a link is in the log', async () => {
  const lines: string[] = []
  const log = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString())
      done()
    },
  })
  const app = express()
  app.use(requestId(0))
  app.use(requestLog(pino({ level: 'debug' }, log), 0))
  app.use((_request, response) => {
    response.status(404).end()
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const path of [
    '/survey/secret?score=4',
    '/files/secret',
    '/survey/secret/secret',
    '/graphql?token=secret',
  ]) {
    await fetch(origin + path, { headers: { authorization: 'Bearer secret' } })
  }
  server.close()
  await once(server, 'close')
  expect(lines.map((line) => (JSON.parse(line) as { req: { path: string } }).req.path)).toEqual([
    '/survey/…',
    '/files/…',
    '/survey/…',
    '/graphql',
  ])
  expect(lines.join('')).not.toContain('secret')
})
