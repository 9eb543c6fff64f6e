import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { askTokenEndpoint } from './token-endpoint.ts'

test('a token endpoint that changes the protocol instead of answering is not waited for', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  await expect(
    askTokenEndpoint(`http://127.0.0.1:${port}/`, new URLSearchParams({ grant_type: 'refresh_token' }), true),
  ).rejects.toThrow('ended without an answer')
})
