import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'

/** A call as it came in. */
export interface ReceivedCall {
  path: string
  host: string
  headers: Record<string, string>
  body: string
}

/** A real receiver, which answers 204 until the test says otherwise. */
export interface Receiver {
  origin: string
  port: number
  calls: ReceivedCall[]
  /** Answers a call. */
  onCall: (call: ReceivedCall, response: ServerResponse, request: IncomingMessage) => Promise<void> | void
  /** The bodies whose signature is right, read by the library that receivers use. */
  verified: (secret: string) => Record<string, unknown>[]
  close: () => Promise<void>
}

/** Starts a receiver on 127.0.0.1; with a certificate it speaks TLS. */
export async function startReceiver(certificate?: { key: string; cert: string }): Promise<Receiver> {
  const receiver: Receiver = {
    origin: '',
    port: 0,
    calls: [],
    onCall: (_call, response) => void response.writeHead(204).end(),
    verified: (secret) =>
      receiver.calls.map(
        ({ body, headers }) => new Webhook(secret).verify(body, headers) as Record<string, unknown>,
      ),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    void (async () => {
      const call = {
        path: request.url ?? '',
        host: request.headers.host ?? '',
        headers: request.headers as Record<string, string>,
        body: await readAll(request),
      }
      receiver.calls.push(call)
      await receiver.onCall(call, response, request)
    })().catch(() => response.destroy())
  }
  const server: Server = certificate ? createSecureServer(certificate, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  receiver.port = (server.address() as AddressInfo).port
  receiver.origin = `${certificate ? 'https' : 'http'}://127.0.0.1:${receiver.port}`
  return receiver
}
