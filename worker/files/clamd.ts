import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import NodeClam from 'clamscan'
import type { ScannerEnvironment } from './scanner-environment.ts'

/** What a scanner says of a file that it answered for. */
export interface Verdict {
  state: 'clean' | 'infected' | 'unscannable'
  /** What was found, or why it could not be looked into. */
  signature?: string
}

/** The scanner does not answer at all: that is nothing about the file. */
export class ScannerAwayError extends Error {}

/** A scanner of files. */
export interface Scanner {
  /** Of a packed file that is larger it sees the beginning. */
  maxUnpackedBytes: number
  /** Its version and that of its signatures. Throws `ScannerAwayError`. */
  version: () => Promise<string>
  /** Looks into a file. Throws where it came to no verdict, and then nothing is known of the file. */
  scan: (content: Readable, size: number) => Promise<Verdict>
}

const versionMilliseconds = 3_000
/** Sent and not yet read by clamd: enough to keep it busy, and no more than memory is to spare for. */
const mostAhead = 1024 * 1024

/**
 * A clamd. A file is clean when clamd says so in as many words, and in no other case: silence, half an answer, an error
 * and a connection that breaks are no verdict.
 */
export function clamd(environment: ScannerEnvironment): Scanner {
  const { address, maxBytes, maxUnpackedBytes, timeoutMilliseconds } = environment
  return {
    maxUnpackedBytes,

    version: async () => {
      const connection = await connect(address, versionMilliseconds)
      try {
        const answer = await within(versionMilliseconds, connection.getVersion(), 'it does not answer')
        const version = answer.replaceAll('\0', '').trim()
        if (!/^ClamAV \S/.test(version))
          throw new Error(`it answers ${JSON.stringify(version.slice(0, 100))}`)
        return version
      } catch (error) {
        throw new ScannerAwayError(reasonOf(error), { cause: error })
      } finally {
        connection.socket?.destroy()
      }
    },

    scan: async (content, size) => {
      try {
        // There is nothing in it, and clamd has no answer to that.
        if (size === 0) return { state: 'clean' }
        if (size > maxBytes) {
          return { state: 'unscannable', signature: `Larger than the scanner is given (${maxBytes} bytes)` }
        }
        return await scanStream(await connect(address, timeoutMilliseconds), content, size)
      } finally {
        content.destroy()
      }
    },
  }
}

/** The client of one connection, which it shows: what is sent is paced by it, and its end is an end. */
class Connection extends NodeClam {
  socket: Socket | undefined
  /** What clamd said until now. */
  said = ''
  readonly #over = Promise.withResolvers<never>()

  /** Fails when nothing goes back or forth any more. */
  get over(): Promise<never> {
    return this.#over.promise
  }

  override async _initSocket(label?: string): Promise<Socket> {
    const socket = await super._initSocket(label)
    socket.on('data', (chunk: Buffer) => {
      this.said += String(chunk)
    })
    socket.on('timeout', () => this.#over.reject(new Error('The scanner does not answer')))
    // What its last words mean is found out first.
    socket.on('close', () => setImmediate(() => this.#over.reject(new Error('The scanner hung up'))))
    // Only a scan waits for it.
    this.over.catch(() => {})
    this.socket = socket
    return socket
  }
}

function connect(address: ScannerEnvironment['address'], timeout: number): Promise<Connection> {
  return new Connection().init({
    preference: 'clamdscan',
    clamscan: { active: false },
    clamdscan: { ...address, timeout, localFallback: false, bypassTest: true, active: true },
  })
}

async function scanStream(connection: Connection, content: Readable, size: number): Promise<Verdict> {
  const stop = new AbortController()
  const paced = Readable.from(pace(connection, content, size, stop.signal), { objectMode: false })
  // Whom it concerns hears of it by the scan.
  paced.on('error', () => {})
  try {
    const answer = await Promise.race([connection.scanStream(paced), connection.over])
    if (answer.isInfected === false) return { state: 'clean' }
    if (answer.isInfected === true) return blocked(answer.viruses[0] ?? answer.resultString)
    throw new Error(`The scanner came to no verdict: ${JSON.stringify(answer.resultString.slice(0, 200))}`)
  } catch (error) {
    // It hangs up in the middle of what is too long for it, so that its words may come by either way.
    if (/size limit exceeded/i.test(`${connection.said} ${reasonOf(error)}`)) {
      return { state: 'unscannable', signature: 'Larger than the scanner accepts (StreamMaxLength)' }
    }
    throw error
  } finally {
    stop.abort()
    connection.socket?.destroy()
  }
}

/** What the scanner could not open or would not read to the end is not clean, and not infected either. */
function blocked(signature: string): Verdict {
  const couldNotLook = /^Heuristics\.(Limits\.Exceeded|Encrypted)/i.test(signature)
  return { state: couldNotLook ? 'unscannable' : 'infected', signature }
}

/** The content as fast as clamd reads it: the client itself would take all of it into memory. */
async function* pace(connection: Connection, content: Readable, size: number, signal: AbortSignal) {
  let sent = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    const { socket } = connection
    if (socket && socket.writableLength > mostAhead) await once(socket, 'drain', { signal })
    sent += chunk.length
    yield chunk
  }
  // Half of a file is another file.
  if (sent !== size) throw new Error(`The file has ${sent} bytes and not ${size}`)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

async function within<T>(milliseconds: number, work: Promise<T>, reason: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(reason)), milliseconds)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
