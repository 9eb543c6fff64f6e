import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { guardedLookup, refuseAddress } from './guarded-lookup.ts'

const server = createServer((socket) => socket.on('error', () => {})).listen(0)

/** What a connection to this machine by its name came to. */
async function outcomeOf(allowInternal: boolean): Promise<string> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: 'localhost', port, lookup: guardedLookup(allowInternal) })
  try {
    await once(socket, 'connect')
    return 'connected'
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    socket.destroy()
  }
}

test('a name that leads inside is gone to where that is allowed, and not elsewhere', async () => {
  expect(await outcomeOf(true)).toBe('connected')
  expect(await outcomeOf(false)).toBe('ADDRESS_REFUSED')
  server.close()
})

test('nobody goes where the machines of a cloud hand out keys', () => {
  expect(() => refuseAddress('x.example', '169.254.169.254', true)).toThrow('may not be called')
  expect(() => refuseAddress('x.example', '10.0.0.1', false)).toThrow('may not be called')
  expect(() => refuseAddress('x.example', '10.0.0.1', true)).not.toThrow()
  expect(() => refuseAddress('x.example', '1.1.1.1', false)).not.toThrow()
})
