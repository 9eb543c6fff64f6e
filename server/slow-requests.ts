import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

const unhurried = new WeakSet<Duplex>()

const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * Lets a request take longer than the server gives each: a large file over a slow line. Whoever says so has to see to it
 * that it comes at all.
 */
export function giveTime(request: IncomingMessage): void {
  unhurried.add(request.socket)
}

/** Refuses requests that are none, or too slow, as Node does by itself, but for those that were given time. */
export function refuseBrokenRequests(server: Server): void {
  server.on(
    'clientError',
    (error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: ServerResponse }) => {
      // Node asks once for each request, so that this is the last that is heard of it.
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && unhurried.has(socket)) return
      // What has begun to be answered is not answered again in the middle.
      if (socket.writable && !socket._httpMessage?.headersSent) {
        const refusal = refusals[error.code ?? ''] ?? '400 Bad Request'
        socket.write(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`)
      }
      socket.destroy(error)
    },
  )
}
