import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { giveTime, refuseBrokenRequests } from './slow-requests.ts'

const impatient = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 }

/** What a server answers to a request whose body comes in pieces with pauses between. */
async function answerTo(listener: RequestListener, head: string, pieces: string[] = []): Promise<string> {
  const server = createServer(impatient, listener)
  refuseBrokenRequests(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(head)
  const left = [...pieces]
  const timer = setInterval(() => {
    const piece = left.shift()
    if (piece !== undefined) socket.write(piece)
    else if (pieces.length > 0) clearInterval(timer)
  }, 120)
  let said = ''
  socket.on('data', (data) => {
    said += String(data)
    if (said.includes('whole')) socket.end()
  })
  // Also after an error: whoever is cut off may hear that instead of the answer's end.
  await new Promise((resolve) => socket.on('close', resolve))
  clearInterval(timer)
  return said
}

const slow = 'POST / HTTP/1.1\r\nHost: desk.test\r\nContent-Length: 4\r\n\r\n'
const readAll: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('whole'))
}

test('a request that is too slow is refused', async () => {
  expect(await answerTo(readAll, slow, ['a', 'b', 'c', 'd'])).toMatch(/^HTTP\/1.1 408 /)
})

test('but not one that was given time', async () => {
  const listener: RequestListener = (request, response) => {
    giveTime(request)
    readAll(request, response)
  }
  expect(await answerTo(listener, slow, ['a', 'b', 'c', 'd'])).toMatch(/^HTTP\/1.1 200 /)
})

test('what is no request is refused as Node does', async () => {
  expect(await answerTo(readAll, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  expect(await answerTo(readAll, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 /,
  )
})

test('an answer that has begun is not spoiled by another one', async () => {
  const listener: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('begun')
  }
  expect(await answerTo(listener, slow, ['a'])).not.toContain('408')
})
