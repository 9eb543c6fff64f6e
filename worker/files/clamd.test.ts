import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clamd, ScannerAwayError } from './clamd.ts'
import {
  clamdMaxBytes,
  eicar,
  eicarName,
  hasClamd,
  startClamd,
  startWire,
  type TestClamd,
  type TestWire,
} from './testing.ts'

const scannerAt = (
  address: { socket: string } | { host: string; port: number },
  timeoutMilliseconds = 1_000,
) => clamd({ address, maxBytes: 100_000_000, maxUnpackedBytes: 100_000_000, timeoutMilliseconds })

describe('a scanner that is none', () => {
  let server: Server | undefined
  const sockets = new Set<Socket>()

  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    server?.close()
  })

  /** Listens, and answers whatever it is asked with these words. */
  async function answering(words: string | null): Promise<{ host: string; port: number }> {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => {
        if (words !== null) socket.end(words)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { host: '127.0.0.1', port: (server.address() as { port: number }).port }
  }

  test.each([
    ['silence', null],
    ['nothing', ''],
    ['half an answer', 'stream: '],
    ['an error', 'INSTREAM: Can not read. ERROR'],
    ['words of somebody else', '220 mail.example.com ESMTP'],
    ['a clean bill in the middle', 'stream: OK and then some'],
    ['an unknown command', 'UNKNOWN COMMAND'],
    ['too slow a file', 'COMMAND READ TIMED OUT'],
  ])('%s is no verdict', async (_, words) => {
    const scanner = scannerAt(await answering(words), 300)
    await expect(scanner.scan(Readable.from([Buffer.from('content')]), 7)).rejects.toThrow()
  })

  test('nobody there and somebody else there are a scanner that is away', async () => {
    await expect(scannerAt({ socket: '/nonexistent' }).version()).rejects.toThrow(ScannerAwayError)
    await expect(scannerAt(await answering('220 mail.example.com ESMTP')).version()).rejects.toThrow(
      ScannerAwayError,
    )
  })
})

describe.skipIf(!hasClamd)('a real scanner', () => {
  let real: TestClamd
  let wire: TestWire

  beforeAll(async () => {
    real = await startClamd()
    wire = await startWire(real)
  })

  afterAll(async () => {
    await wire.close()
    await real.close()
  })

  test('is given no more of a file than it reads', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    let taken = 0
    async function* content() {
      for (; taken < 64 * 1024 * 1024; taken += chunk.length) yield chunk
    }
    const takenWhileHeld = Promise.withResolvers<number>()
    wire.onBytes = {
      bytes: 1024 * 1024,
      act: async () => {
        // Until nothing more is taken.
        for (let before = -1; before !== taken;) {
          before = taken
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        takenWhileHeld.resolve(taken)
      },
    }
    const verdict = scannerAt(wire, 10_000)
      .scan(Readable.from(content()), 64 * 1024 * 1024)
      .catch(() => {})
    expect(await takenWhileHeld.promise).toBeLessThan(4 * 1024 * 1024)
    await verdict
  })

  test('is not asked about what is larger than it may be given', async () => {
    const scanner = clamd({
      address: { socket: '/nonexistent' },
      maxBytes: 10,
      maxUnpackedBytes: 10,
      timeoutMilliseconds: 1_000,
    })
    expect(await scanner.scan(Readable.from([Buffer.alloc(11)]), 11)).toMatchObject({ state: 'unscannable' })
    await expect(scanner.scan(Readable.from([Buffer.alloc(10)]), 10)).rejects.toThrow()
  })

  test('never calls clean what is larger than it reads', async () => {
    const scanner = scannerAt(real, 10_000)
    for (const size of [clamdMaxBytes + 1, clamdMaxBytes * 4]) {
      const outcome = await scanner
        .scan(Readable.from([Buffer.alloc(size)]), size)
        .catch(() => ({ state: 'no verdict' }))
      expect(['unscannable', 'no verdict']).toContain(outcome.state)
    }
  })

  test('finds a virus at any place of a file', async () => {
    const scanner = scannerAt(real, 10_000)
    for (const before of [0, 1, 65_530, 65_536, 131_000]) {
      const content = Buffer.concat([Buffer.alloc(before, 'a'), eicar])
      expect(await scanner.scan(Readable.from([content]), content.length)).toEqual({
        state: 'infected',
        signature: eicarName,
      })
    }
  })
})
