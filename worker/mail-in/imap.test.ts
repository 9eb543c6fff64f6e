import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { imapClient, type MailboxSettings, mostWords, openFolder, withinBytes } from './imap.ts'
import { type FetcherParts, startFetcher } from './mail-fetcher.ts'
import { MailMemory } from './mail-memory.ts'

const kibibyte = 1_024

interface Peer {
  write: (text: string) => unknown
}

type Answers = Record<string, (peer: Peer, line: string) => unknown>

/** A server with two mails, of 1,000 bytes it says. Of the first one it hands out what it is told to. */
async function liar(first: (peer: Peer) => unknown, others: Answers = {}): Promise<MailboxSettings> {
  const said: Answers = {
    SELECT: (peer) =>
      peer.write('* 2 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 3] ok\r\n* FLAGS (\\Seen)\r\n'),
    LIST: (peer) => peer.write('* LIST () "/" INBOX\r\n'),
    SEARCH: (peer) => peer.write('* SEARCH 1 2\r\n'),
    FETCH: (peer, line) => {
      const uid = /FETCH (\d)/.exec(line)![1]!
      if (!line.includes('BODY')) peer.write(`* ${uid} FETCH (UID ${uid} RFC822.SIZE 1000)\r\n`)
      else if (uid === '1') first(peer)
      else peer.write('* 2 FETCH (UID 2 BODY[] {4}\r\nmail)\r\n')
    },
    ...others,
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
    socket.setEncoding('utf8').on('data', (chunk) => {
      for (const line of String(chunk).split('\r\n').filter(Boolean)) {
        const [tag, ...words] = line.split(' ')
        said[words[0] === 'UID' ? words[1]! : words[0]!]?.(socket, line)
        socket.write(`${tag} OK done\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    security: 'none',
    username: 'x',
    folder: 'INBOX',
    processedFolder: null,
    fromEnvironment: false,
    maxMailBytes: 64 * kibibyte,
  } as MailboxSettings
}

const hugeLiteral = (peer: Peer) => peer.write('* 1 FETCH (UID 1 BODY[] {900000000}\r\nxxx')
const endlessLine = (peer: Peer) => {
  peer.write('* 1 FETCH (UID 1 BODY[] "')
  for (let at = 0; at < 18; at += 1) peer.write('x'.repeat(kibibyte * kibibyte))
}

/** The longest time in which nothing else was done. */
function longestPause(): () => number {
  let last = performance.now()
  let longest = 0
  const clock = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 5)
  onTestFinished(() => clearInterval(clock))
  return () => Math.max(longest, performance.now() - last)
}

/** Reads a mailbox, and says what was noted. */
function fetch(settings: MailboxSettings, memory = new MailMemory()) {
  const store = vi.fn<(settings: MailboxSettings, mail: object) => Promise<boolean>>(async () => true)
  const fetcher = startFetcher(settings, {
    credentials: { of: async () => ({ password: 'x' }), forget: () => {} },
    allowInternal: true,
    database: {
      progress: async () => ({ room: 1_000_000, uidValidity: null, lastUid: null, lastFetchedAt: null }),
      fetched: async () => {},
      failed: async () => {},
      store,
    },
    mails: { keep: async () => 'sha' },
    memory,
    logger: pino({ level: 'silent' }),
    lookMilliseconds: 60_000,
  } as unknown as FetcherParts)
  onTestFinished(() => fetcher.stop())
  return { store, fetcher }
}

async function sourceOf(settings: MailboxSettings, onError: (error: Error) => void = () => {}) {
  const client = imapClient(settings, { password: 'x' }, true)
  onTestFinished(() => client.close())
  client.on('error', onError)
  await openFolder(client, settings)
  const mail = await client.fetchOne('1', { source: true }, { uid: true })
  return mail ? mail.source : undefined
}

test('a mail that is a little larger than may be is still received', async () => {
  const size = 100 * kibibyte
  const settings = await liar((peer) =>
    peer.write(`* 1 FETCH (UID 1 BODY[] {${size}}\r\n${'x'.repeat(size)})\r\n`),
  )
  expect(await sourceOf(settings)).toHaveLength(size)
})

test.each([
  ['a mail far larger than it was said to be', hugeLiteral, 'LiteralTooLarge'],
  ['a line without an end', endlessLine, 'ResponseTooLarge'],
])('%s ends the connection before it is in memory', async (_what, answer, code) => {
  const onError = vi.fn<(error: Error) => void>()
  await expect(sourceOf(await liar(answer), onError)).rejects.toThrow('Connection not available')
  expect(onError.mock.calls).toMatchObject([[{ code }]])
})

test('a mail that is handed out again and again ends the connection before it is in memory', async () => {
  let sent = 0
  const settings = await liar((peer) => {
    const again = () => {
      if (sent > 200) return
      sent += 1
      peer.write(`* 1 FETCH (UID 1 BODY[] {65000}\r\n${'x'.repeat(65_000)})\r\n`)
      setTimeout(again, 1)
    }
    again()
  })
  // The mail is never all there.
  const client = imapClient(settings, { password: 'x' }, true)
  onTestFinished(() => client.close())
  await openFolder(client, settings)
  await expect(
    withinBytes(client, 1_000_000, async () => {
      for (let at = 0; at < 200; at += 1) {
        await client.noop()
        await client.fetchOne('1', { source: true }, { uid: true })
      }
    }),
  ).rejects.toThrow('more than 1000000 bytes')
})

const everything = '1:16777216'
test.each([
  ['has', { SELECT: (peer: Peer) => peer.write('* 16777216 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n') }],
  [
    'suddenly has',
    {
      SEARCH: (peer: Peer) =>
        peer.write(`* 16777216 EXISTS\r\n* ESEARCH (TAG "x") UID ALL ${everything}\r\n`),
    },
  ],
  ['loses', { SEARCH: (peer: Peer) => peer.write(`* VANISHED ${everything}\r\n`.repeat(20)) }],
])('a folder that %s millions of mails by a word keeps nobody busy', async (_what, others) => {
  const pause = longestPause()
  const settings = await liar(() => {}, others)
  const client = imapClient(settings, { password: 'x' }, true)
  onTestFinished(() => client.close())
  await expect(
    openFolder(client, settings).then(() =>
      withinBytes(client, mostWords, () => client.search({ seen: false }, { uid: true })),
    ),
  ).rejects.toThrow(/more than 1000000 mails|Connection not available/)
  expect(pause()).toBeLessThan(1_000)
})

test('a mail with more recipients than can be told is taken all the same', async () => {
  const settings = await liar((peer) => peer.write('* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n'), {
    FETCH: (peer, line) => {
      const uid = /FETCH (\d)/.exec(line)![1]!
      if (line.includes('BODY')) peer.write(`* ${uid} FETCH (UID ${uid} BODY[] {5}\r\nhello)\r\n`)
      else if (!line.includes('ENVELOPE')) peer.write(`* ${uid} FETCH (UID ${uid} RFC822.SIZE 1000)\r\n`)
      else peer.write(`* ${uid} FETCH (UID ${uid} ENVELOPE (${'() '.repeat(1_000_001)}))\r\n`)
    },
  })
  const { store } = fetch(settings)
  await vi.waitFor(() => expect(store).toHaveBeenCalled(), { timeout: 15_000 })
  expect(store.mock.calls[0]![1]).toMatchObject({ uid: 1, sha256: 'sha', size: 5 })
})

test('large mails of an organization are handed out one at a time, and those of another one meanwhile', async () => {
  const memory = new MailMemory()
  const handedOut: string[] = []
  const start = async (organizationId: string) => {
    const settings = await liar((peer) => {
      handedOut.push(organizationId)
      // It never ends.
      peer.write('* 1 FETCH (UID 1 BODY[] {200000000}\r\nxxx')
    })
    return fetch({ ...settings, organizationId, maxMailBytes: 200_000_000 }, memory)
  }
  const first = await start('one')
  await vi.waitFor(() => expect(handedOut).toEqual(['one']), { timeout: 5_000 })
  const [second] = [await start('one'), await start('one')]
  await start('two')
  await vi.waitFor(() => expect(handedOut).toEqual(['one', 'two']), { timeout: 5_000 })
  // Who waits for room stops at once, and whoever had it leaves it to the next one.
  await second.fetcher.stop()
  await first.fetcher.stop()
  await vi.waitFor(() => expect(handedOut).toEqual(['one', 'two', 'one']), { timeout: 5_000 })
})

test('the mails of large folders are listed four folders at a time in an organization', async () => {
  const memory = new MailMemory()
  const asked: string[] = []
  const start = async (organizationId: string) => {
    const settings = await liar(() => {}, {
      SEARCH: (peer) => {
        asked.push(organizationId)
        // It never ends.
        peer.write('* SEARCH {60000}\r\n')
      },
    })
    return fetch({ ...settings, organizationId }, memory)
  }
  for (let number = 0; number < 6; number += 1) await start('one')
  await vi.waitFor(() => expect(asked).toHaveLength(4), { timeout: 5_000 })
  await start('two')
  await vi.waitFor(() => expect(asked).toContain('two'), { timeout: 5_000 })
  expect(asked).toHaveLength(5)
})

test('a mail larger than it was said to be is noted, and holds up no other', async () => {
  const settings = await liar(hugeLiteral)
  const { store } = fetch(settings)
  await vi.waitFor(() => expect(store).toHaveBeenCalledTimes(2), { timeout: 8_000 })
  expect(store.mock.calls.map(([, mail]) => mail)).toMatchObject([
    { uid: 1, sha256: null, refusal: 'oversize' },
    { uid: 2, sha256: 'sha', size: 4 },
  ])
})
