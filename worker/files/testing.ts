import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { crc32, deflateRawSync } from 'node:zlib'
import { putOnLeash } from '../../infra/dev/leash.ts'
import { findProgram } from '../../infra/dev/system-packages.ts'

/** Whether this machine has a scanner. */
export const hasClamd = findProgram('clamd') !== undefined

// In pieces, because every other scanner would take the repository away.
const eicarPieces = [
  'X5O!P%@AP[4',
  String.fromCharCode(92),
  'PZX54(P^)7CC)7}$',
  'EICAR-STANDARD-',
  'ANTIVIRUS-TEST-FILE',
  '!$H+H*',
]

/** The file that every scanner takes for a virus, and that does no harm. */
export const eicar = Buffer.from(eicarPieces.join(''))

/** By what name our signatures know it. */
export const eicarName = 'Atum.Eicar-Test.UNOFFICIAL'

/** What the scanner of a test takes at most. */
export const clamdMaxBytes = 8 * 1024 * 1024

/** Of a packed file that is larger it looks at the beginning only. */
export const clamdMaxFileBytes = 32 * 1024 * 1024

export interface TestClamd {
  /** Where it listens; the same after it was started again. */
  socket: string
  process: ChildProcess
  /** Ends at once, as after a crash. */
  kill: () => Promise<void>
  /** Comes back where it was, and knows `signatures` besides. */
  start: (signatures?: Record<string, Buffer>) => Promise<void>
  close: () => Promise<void>
}

/** A real clamd with a small database of its own, for as long as the test runs. */
export async function startClamd(): Promise<TestClamd> {
  const directory = mkdtempSync(join(tmpdir(), 'atum-clamd-'))
  const socket = join(directory, 'clamd.sock')
  for (const name of ['db', 'tmp']) mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'clamd.conf'), configuration(directory, socket))

  let leash: ReturnType<typeof putOnLeash> | undefined
  const clamd: TestClamd = {
    socket,
    process: undefined as unknown as ChildProcess,
    async start(signatures = {}) {
      writeSignatures(join(directory, 'db'), { 'Atum.Eicar-Test': eicar, ...signatures })
      const child = spawn(findProgram('clamd')!, ['--config-file', join(directory, 'clamd.conf')], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let words = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (words += String(chunk)))
      }
      leash?.release()
      leash = putOnLeash({
        target: child.pid!,
        signal: 'SIGTERM',
        escalation: 'SIGKILL',
        removeDirectory: directory,
      })
      clamd.process = child
      while (!(await answers(socket))) {
        if (child.exitCode !== null) throw new Error(`clamd did not start: ${words}`)
        await delay(20)
      }
    },
    async kill() {
      const ended = once(clamd.process, 'exit')
      clamd.process.kill('SIGKILL')
      await ended
    },
    async close() {
      if (clamd.process.exitCode === null && clamd.process.signalCode === null) await clamd.kill()
      leash?.release()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await clamd.start()
  return clamd
}

function configuration(directory: string, socket: string): string {
  return `Foreground yes
LocalSocket ${socket}
FixStaleSocket yes
DatabaseDirectory ${join(directory, 'db')}
TemporaryDirectory ${join(directory, 'tmp')}
SelfCheck 0
MaxThreads 4
StreamMaxLength 8M
MaxFileSize 32M
MaxScanSize 64M
MaxRecursion 8
AlertExceedsMax yes
AlertEncrypted yes
`
}

/** Found wherever they stand in a file, and in whatever is packed into it. */
function writeSignatures(directory: string, signatures: Record<string, Buffer>): void {
  const lines = Object.entries(signatures).map(([name, body]) => `${name}:0:*:${body.toString('hex')}`)
  writeFileSync(join(directory, 'local.ndb'), `${lines.join('\n')}\n`)
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    socket.write('zPING\0')
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    return String(chunk).startsWith('PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Stands between a worker and clamd, and can come between them. */
export interface TestWire {
  socket: string
  /** What is done once so many bytes of a file have gone through; the rest of it waits for that. */
  onBytes: { bytes: number; act: () => Promise<void> } | undefined
  /** Files go in and nothing comes out. */
  swallows: boolean
  close: () => Promise<void>
}

/** A wire to a clamd. */
export async function startWire(clamd: { socket: string }): Promise<TestWire> {
  const directory = mkdtempSync(join(tmpdir(), 'atum-wire-'))
  const path = join(directory, 'wire.sock')
  const open = new Set<Socket>()
  const server: Server = createServer((inside) => {
    const outside = connect(clamd.socket)
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        // With the last words of whoever hung up.
        other.destroySoon()
      })
    }
    outside.on('data', (chunk: Buffer) => inside.write(chunk))
    let passed = 0
    inside.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (wire.swallows && passed > 20) return
      const { onBytes } = wire
      if (onBytes && passed >= onBytes.bytes) {
        wire.onBytes = undefined
        inside.pause()
        void onBytes.act().then(() => {
          outside.write(chunk)
          inside.resume()
        })
        return
      }
      outside.write(chunk)
    })
  })
  const wire: TestWire = {
    socket: path,
    onBytes: undefined,
    swallows: false,
    async close() {
      for (const each of open) each.destroy()
      server.close()
      await once(server, 'close')
      rmSync(directory, { recursive: true, force: true })
    },
  }
  server.listen(path)
  await once(server, 'listening')
  return wire
}

/** A zip with one file in it, packed. */
export function zip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content)
  const bytes = Buffer.from(name)
  const common = Buffer.alloc(26)
  // Version 2.0, no flags, deflate, no date.
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(8, 4)
  common.writeUInt32LE(crc32(content), 10)
  common.writeUInt32LE(packed.length, 14)
  common.writeUInt32LE(content.length, 18)
  common.writeUInt16LE(bytes.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, bytes, packed])

  const rest = Buffer.alloc(14)
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, bytes])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06', 'latin1'), end])
}
