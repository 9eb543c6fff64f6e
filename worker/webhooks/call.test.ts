import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findProgram } from '../../infra/dev/system-packages.ts'
import { callWebhook, type Lookup, type WebhookCall } from './call.ts'
import { type Receiver, startReceiver } from './testing.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const former = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const body = JSON.stringify({ type: 'ping', data: { name: 'Bürö ☎' } })

let receiver: Receiver

beforeEach(async () => {
  receiver = await startReceiver()
})

afterEach(() => receiver.close())

const call = (changes: Partial<WebhookCall> = {}): WebhookCall => ({
  url: `${receiver.origin}/hook?of=acme`,
  allowInternal: true,
  messageId: 'evt_1',
  body,
  secrets: [secret],
  ...changes,
})
/** A name server that answers this first, and 127.0.0.1 to whoever asks again. */
function rebinding(...addresses: string[]): { lookup: Lookup; asked: () => number } {
  let asked = 0
  return {
    asked: () => asked,
    lookup: () => {
      asked += 1
      const now = asked === 1 ? addresses : ['127.0.0.1']
      return Promise.resolve(now.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    },
  }
}

describe('a call', () => {
  test('is signed so that the library of receivers takes it, and says what it was', async () => {
    const outcome = await callWebhook(call())
    expect(outcome).toMatchObject({ status: 204, address: '127.0.0.1', responseBody: '' })
    expect(outcome.fault).toBeUndefined()
    expect(receiver.verified(secret)).toEqual([JSON.parse(body)])
    expect(() => receiver.verified(former)).toThrow('No matching signature')
    const [{ path, headers }] = receiver.calls as [Receiver['calls'][number]]
    expect([path, headers['content-type'], headers['webhook-id']]).toEqual([
      '/hook?of=acme',
      'application/json',
      'evt_1',
    ])
    // The log has what was sent, and not by what it was proven.
    expect(outcome.requestHeaders).toMatchObject({ 'webhook-id': 'evt_1' })
    expect(Object.keys(outcome.requestHeaders!)).not.toContain('webhook-signature')
  })

  test('is signed with both secrets while one takes over from the other', async () => {
    await callWebhook(call({ secrets: [secret, former] }))
    for (const either of [secret, former]) expect(receiver.verified(either)).toHaveLength(1)
    expect(receiver.calls[0]!.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/)
  })

  test('is not made without a secret', async () => {
    for (const secrets of [[], ['whsec_']]) {
      expect(await callWebhook(call({ secrets }))).toMatchObject({ fault: 'secret' })
    }
    expect(receiver.calls).toEqual([])
  })

  test('goes past proxies that the environment names', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'NODE_USE_ENV_PROXY']) {
      process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : 'http://127.0.0.1:9'
    }
    try {
      expect(await callWebhook(call())).toMatchObject({ status: 204 })
    } finally {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'NODE_USE_ENV_PROXY']) delete process.env[name]
    }
  })
})

describe('an answer', () => {
  test.each([
    [200, undefined],
    [299, undefined],
    [400, 'response'],
    [410, 'response'],
    [500, 'response'],
    [503, 'response'],
  ])('of %i', async (status, fault) => {
    receiver.onCall = (_call, response) => void response.writeHead(status, { 'x-of': 'them' }).end('because')
    const outcome = await callWebhook(call())
    expect(outcome).toMatchObject({ status, responseBody: 'because' })
    expect(outcome.responseHeaders).toMatchObject({ 'x-of': 'them' })
    expect(outcome.fault).toBe(fault)
  })

  test('that asks to come back later', async () => {
    for (const [retryAfter, least, most] of [
      ['120', 120, 120],
      [new Date(Date.now() + 600_000).toUTCString(), 590, 601],
      ['999999999', 86_400, 86_400],
    ] as const) {
      receiver.onCall = (_call, response) => void response.writeHead(503, { 'retry-after': retryAfter }).end()
      const { retryAfterSeconds } = await callWebhook(call())
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(least)
      expect(retryAfterSeconds).toBeLessThanOrEqual(most)
    }
    receiver.onCall = (_call, response) => void response.writeHead(503, { 'retry-after': '-5 soon' }).end()
    expect((await callWebhook(call())).retryAfterSeconds).toBeUndefined()
  })

  test('of ten megabytes is not read', async () => {
    let wasCutOff = false
    let sent = 0
    const { promise: isOver, resolve } = Promise.withResolvers<void>()
    receiver.onCall = (_call, response) => {
      response.writeHead(200)
      response.on('close', () => {
        wasCutOff = !response.writableFinished
        resolve()
      })
      const more = () => {
        while (sent < 10_485_760) {
          sent += 65_536
          if (!response.write(Buffer.alloc(65_536, 'x'))) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    }
    const outcome = await callWebhook(call())
    expect(outcome).toMatchObject({ status: 200, responseBody: 'x'.repeat(8_192) })
    expect(outcome.fault).toBeUndefined()
    await isOver
    expect(wasCutOff).toBe(true)
    expect(sent).toBeLessThan(10_485_760)
  })

  test('of odd bytes is kept as a text that the database takes', async () => {
    receiver.onCall = (_call, response) => {
      response.writeHead(500, { 'set-cookie': 'key=secret', 'x-long': 'y'.repeat(2_000) })
      response.end(Buffer.concat([Buffer.from('a\0b'), Buffer.alloc(20_000, 0xff)]))
    }
    const { responseBody = '', responseHeaders = {} } = await callWebhook(call())
    expect(responseBody.startsWith('a\u{FFFD}b\u{FFFD}')).toBe(true)
    expect(Buffer.byteLength(responseBody)).toBeLessThanOrEqual(8_192)
    expect(responseHeaders['x-long']).toHaveLength(500)
    expect(responseHeaders).not.toHaveProperty('set-cookie')
  })

  test('whose words never end counts by its status', async () => {
    receiver.onCall = (_call, response) => {
      response.writeHead(200)
      response.write('Well, ')
    }
    expect(await callWebhook(call(), { wholeMilliseconds: 400 })).toMatchObject({
      status: 200,
      responseBody: 'Well, ',
    })
  })

  test('that does not come is not waited for', async () => {
    receiver.onCall = () => {}
    const outcome = await callWebhook(call(), { wholeMilliseconds: 200 })
    expect(outcome).toMatchObject({ fault: 'timeout' })
    expect(outcome.status).toBeUndefined()
    expect(outcome.durationMs).toBeLessThan(5_000)
  })

  test('that breaks off, and nobody there at all', async () => {
    receiver.onCall = (_call, _response, request) => void request.socket.destroy()
    expect(await callWebhook(call())).toMatchObject({ fault: 'connection' })
    const { origin } = receiver
    await receiver.close()
    expect(await callWebhook(call({ url: origin }))).toMatchObject({ fault: 'connection' })
    receiver = await startReceiver()
  })

  test('that leads elsewhere is not followed', async () => {
    const inside = await startReceiver()
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.onCall = (_call, response) =>
        void response.writeHead(status, { location: inside.origin }).end()
      expect(await callWebhook(call())).toMatchObject({ status, fault: 'redirect' })
    }
    expect(inside.calls).toEqual([])
    await inside.close()
  })

  test.each([
    ['of something that is no web server', '220 mail.example.com ESMTP\r\n'],
    [
      'that changes the protocol, after which none comes',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
  ])('%s', async (_what, words) => {
    const odd = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write(words))
    })
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
    const { port } = odd.address() as { port: number }
    expect(
      await callWebhook(call({ url: `http://127.0.0.1:${port}` }), { wholeMilliseconds: 2_000 }),
    ).toMatchObject({ fault: 'connection' })
    odd.close()
  })
})

describe('an internal address is not called', () => {
  const inside = (changes: Partial<WebhookCall> = {}) => call({ allowInternal: false, ...changes })

  test('by its number, however it is written', async () => {
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '[::ffff:127.0.0.1]']) {
      expect(await callWebhook(inside({ url: `http://${host}:${receiver.port}/` }))).toMatchObject({
        fault: 'internal_address',
      })
    }
    expect(receiver.calls).toEqual([])
  })

  test('by its name, not even when other addresses of it are public', async () => {
    expect(await callWebhook(inside({ url: `http://localhost:${receiver.port}/` }))).toMatchObject({
      fault: 'internal_address',
    })
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['2606:4700::1', '::1']]) {
      const { lookup } = rebinding(...addresses)
      expect(
        await callWebhook(inside({ url: `http://hooks.example.com:${receiver.port}/` }), { lookup }),
      ).toMatchObject({ fault: 'internal_address' })
    }
    expect(receiver.calls).toEqual([])
  })

  test('by a name that was public when it was checked: it is asked once, and the checked address is called', async () => {
    // Nobody answers there, and there is no route to it where there is no network.
    const { lookup, asked } = rebinding('93.184.216.34')
    const outcome = await callWebhook(inside({ url: `http://hooks.example.com:${receiver.port}/` }), {
      lookup,
      connectMilliseconds: 300,
      wholeMilliseconds: 600,
    })
    expect(['timeout', 'connection']).toContain(outcome.fault)
    expect(outcome.address).toBeUndefined()
    expect(asked()).toBe(1)
    expect(receiver.calls).toEqual([])
  })

  test('of a cloud’s keys, also where internal ones are allowed', async () => {
    for (const address of ['169.254.169.254', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '0.0.0.0']) {
      const { lookup } = rebinding(address)
      expect(await callWebhook(call({ url: 'http://hooks.example.com/' }), { lookup })).toMatchObject({
        fault: 'internal_address',
      })
    }
  })

  test('unless it is allowed, by the address that was checked and under the name that was given', async () => {
    const { lookup, asked } = rebinding('127.0.0.1')
    const outcome = await callWebhook(call({ url: `http://hooks.example.com:${receiver.port}/` }), { lookup })
    expect(outcome).toMatchObject({ status: 204, address: '127.0.0.1' })
    expect(receiver.calls[0]!.host).toBe(`hooks.example.com:${receiver.port}`)
    expect(asked()).toBe(1)
  })
})

test('a name that leads nowhere, a name server that is silent, and an address that is none', async () => {
  const url = 'http://hooks.example.com/'
  expect(
    await callWebhook(call({ url }), { lookup: () => Promise.reject(new Error('getaddrinfo ENOTFOUND')) }),
  ).toMatchObject({ fault: 'dns' })
  expect(await callWebhook(call({ url }), { lookup: () => Promise.resolve([]) })).toMatchObject({
    fault: 'dns',
  })
  expect(
    await callWebhook(call({ url }), { lookup: () => new Promise(() => {}), wholeMilliseconds: 100 }),
  ).toMatchObject({ fault: 'timeout' })
  for (const odd of ['ftp://hooks.example.com/', 'http://user:key@hooks.example.com/', 'hooks']) {
    expect(await callWebhook(call({ url: odd }))).toMatchObject({ fault: 'url' })
  }
})

const openssl = findProgram('openssl')

describe.skipIf(!openssl)('over TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'atum-webhook-'))
  let secure: Receiver

  beforeAll(async () => {
    const file = (name: string) => join(directory, name)
    execFileSync(
      openssl!,
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=hooks.example.com', '-addext', 'subjectAltName=DNS:hooks.example.com'],
        ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ],
      { stdio: 'ignore' },
    )
    secure = await startReceiver({
      key: readFileSync(file('key.pem'), 'utf8'),
      cert: readFileSync(file('cert.pem'), 'utf8'),
    })
  })

  afterAll(async () => {
    await secure.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('a certificate that nobody vouches for is not trusted', async () => {
    const { lookup } = rebinding('127.0.0.1')
    const outcome = await callWebhook(call({ url: `https://hooks.example.com:${secure.port}/` }), { lookup })
    expect(outcome).toMatchObject({ fault: 'tls' })
    expect(secure.calls).toEqual([])
  })
})
