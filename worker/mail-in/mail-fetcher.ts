import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FetchMessageObject, ImapFlow } from 'imapflow'
import type { Logger } from 'pino'
import type { MailboxCredentials } from './credentials.ts'
import {
  faultOf,
  imapClient,
  MailboxError,
  type MailboxSettings,
  mostWords,
  openFolder,
  withinBytes,
} from './imap.ts'
import type { MailDatabase, Progress, StoredMail } from './mail-database.ts'
import type { MailMemory } from './mail-memory.ts'
import type { MailStore } from './mail-store.ts'

/** What a fetcher works with. */
export interface FetcherParts {
  credentials: MailboxCredentials
  /** Whether mail is read inside the own network for organizations that want it. */
  allowInternal: boolean
  database: MailDatabase
  mails: MailStore
  memory: MailMemory
  logger: Logger
  /** How often it looks without being told; servers forget to tell. */
  lookMilliseconds: number
}

/** Reads one mailbox until it is stopped. */
export interface Fetcher {
  stop: () => Promise<void>
}

const firstPause = 1_000
const longestPause = 60_000
const goodbyeMilliseconds = 2_000
/** A server that cannot hand out one mail would keep all that come after it. */
const mostTries = 3
/** More tries than any mail has: of one over which the connection ends each time. */
const neverAgain = 1_000_000
/** What listing the mails of a folder takes, where a server names as many as are listened to. */
const listBytes = 67_108_864
/** How far back is looked where the server numbered its mails anew. */
const daysBack = 2

/**
 * Connects to a mailbox, takes what is there, waits to be told of more, and connects again when it is cut off. Each mail
 * is on the disk before it is noted, noted before it is marked as read, and never deleted: whoever is killed in between
 * takes it again, and it is one mail all the same.
 */
export function startFetcher(settings: MailboxSettings, parts: FetcherParts): Fetcher {
  const stopping = new AbortController()
  const tries = new Map<string, number>()
  const running = (async () => {
    let pause = firstPause
    while (!stopping.signal.aborted) {
      try {
        await readUntilItEnds({
          settings,
          parts,
          signal: stopping.signal,
          tries,
          onSuccess: () => (pause = firstPause),
        })
      } catch (error) {
        if (stopping.signal.aborted) return
        const { fault, message } = faultOf(error)
        if (fault === 'refused') parts.credentials.forget(settings)
        parts.logger.warn({ mailbox: settings.mailboxId, fault, error: message }, 'a mailbox cannot be read')
        await parts.database
          .failed(settings, message)
          .catch((failure: Error) =>
            parts.logger.warn({ error: failure.message }, 'and that could not be noted'),
          )
      }
      // Not all at the same moment, where a server that many wait for comes back.
      await delay(pause * (0.75 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {})
      pause = Math.min(pause * 2, longestPause)
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

interface Reading {
  settings: MailboxSettings
  parts: FetcherParts
  signal: AbortSignal
  tries: Map<string, number>
  onSuccess: () => void
}

async function readUntilItEnds(reading: Reading): Promise<void> {
  const { settings, parts, signal, onSuccess } = reading
  const client = imapClient(settings, await parts.credentials.of(settings), parts.allowInternal)
  const closed = new AbortController()
  client.on('close', () => closed.abort())
  const ended = AbortSignal.any([signal, closed.signal])
  // Whatever it does at that moment, it does not go on.
  const leave = () =>
    void Promise.race([client.logout(), delay(goodbyeMilliseconds)])
      .catch(() => {})
      .finally(() => client.close())
  signal.addEventListener('abort', leave, { once: true })
  try {
    await openFolder(client, settings)
    await prepare(client, settings)
    while (!ended.aborted) {
      await takeWhatIsNew(client, reading)
      onSuccess()
      if (ended.aborted) break
      await withinBytes(client, mostWords, () => news(client, ended, parts.lookMilliseconds))
    }
    if (!signal.aborted) throw Object.assign(new Error('The connection was closed'), { code: 'ECONNRESET' })
  } finally {
    signal.removeEventListener('abort', leave)
    client.close()
  }
}

/** Waits until the server tells of new mail, or it is time to look. */
async function news(client: ImapFlow, ended: AbortSignal, lookMilliseconds: number): Promise<void> {
  const heard = new AbortController()
  const either = AbortSignal.any([ended, heard.signal])
  const arrival = once(client, 'exists', { signal: either })
  const time = delay(lookMilliseconds, undefined, { signal: either })
  // Ends with the next command; a server without it is asked when it is time.
  const idling = client.idle()
  idling.catch(() => {})
  await Promise.race([arrival, time]).catch(() => {})
  heard.abort()
  await Promise.allSettled([arrival, time])
}

async function prepare(client: ImapFlow, { processedFolder }: MailboxSettings): Promise<void> {
  // Says so by itself where it is there already.
  if (processedFolder !== null)
    await withinBytes(client, mostWords, () => client.mailboxCreate(processedFolder))
}

async function takeWhatIsNew(client: ImapFlow, reading: Reading): Promise<void> {
  const { settings, parts, signal } = reading
  const { database } = parts
  const progress = await database.progress(settings)
  // Servers tell of what is new when they are asked for anything.
  await withinBytes(client, mostWords, () => client.noop())
  const { mailbox } = client
  if (!mailbox) throw new Error('The folder was closed')
  const uidValidity = String(mailbox.uidValidity)
  const isKnown = progress.uidValidity === uidValidity && progress.lastUid !== null
  // Of when the folder was opened: what came since is looked for once more, and is known by then.
  let lastUid = isKnown ? progress.lastUid! : Math.max(0, mailbox.uidNext - 1)

  const uids = await parts.memory.hold(settings.organizationId, listBytes, signal, () =>
    uidsToTake(client, progress, isKnown),
  )
  for (const uid of uids) {
    if (signal.aborted) return
    await parts.memory.hold(settings.organizationId, settings.maxMailBytes, signal, () =>
      takeMail(client, reading, uidValidity, uid),
    )
    // The first time what was read before is left alone: where that is cut off, it begins anew.
    if (isKnown && uid > lastUid) {
      lastUid = uid
      await database.fetched(settings, uidValidity, lastUid)
    }
  }
  await database.fetched(settings, uidValidity, lastUid)
}

/** What to take: all that came since; the first time what nobody read; where the numbers are new, what could be new. */
async function uidsToTake(client: ImapFlow, progress: Progress, isKnown: boolean): Promise<Uint32Array> {
  const find = async (query: Parameters<ImapFlow['search']>[0]) =>
    (await withinBytes(client, mostWords, () => client.search(query, { uid: true }))) || []
  if (isKnown) {
    const last = progress.lastUid!
    // A range up to the end always holds the last mail, also where that is none of the new ones.
    return inOrder((await find({ uid: `${last + 1}:*` })).filter((uid) => uid > last))
  }
  const unread = await find({ seen: false })
  if (progress.uidValidity === null) return inOrder(unread)
  const since = new Date(
    (progress.lastFetchedAt === null ? Date.now() : Date.parse(progress.lastFetchedAt)) -
      daysBack * 86_400_000,
  )
  return inOrder([...unread, ...(await find({ since }))])
}

/** Each once, kept in as little memory as they need until all were taken. */
function inOrder(uids: number[]): Uint32Array {
  const sorted = Uint32Array.from(uids).sort()
  return sorted.filter((uid, at) => uid !== sorted[at - 1])
}

async function takeMail(client: ImapFlow, reading: Reading, uidValidity: string, uid: number): Promise<void> {
  const { settings, parts, tries } = reading
  const { database, mails, logger } = parts
  const key = `${uidValidity}:${uid}`
  const attempt = (tries.get(key) ?? 0) + 1
  tries.set(key, attempt)
  // It was noted before the connection ended over it, and would end this one too.
  if (attempt > neverAgain) return
  // A mail may have more senders and recipients than can be told; it says them all the same.
  const envelope = attempt === 1
  const described = await withinBytes(client, settings.maxMailBytes + mostWords, () =>
    client.fetchOne(String(uid), { uid: true, size: true, envelope, internalDate: true }, { uid: true }),
  )
  // It is gone: somebody took it out of the folder.
  if (!described) {
    tries.delete(key)
    return
  }

  const note = noteOf(described, settings.folder, uidValidity, uid)
  if (note.size > settings.maxMailBytes) {
    tries.delete(key)
    if (await database.store(settings, { ...note, sha256: null, refusal: 'oversize' })) {
      logger.warn(
        { mailbox: settings.mailboxId, uid, size: note.size },
        'a mail is too large and stays on the server',
      )
    }
    return
  }

  const { room } = await database.progress(settings)
  if (note.size > room) noRoom(tries, key)
  const source = await sourceOf(client, settings, uid)
  if (source === 'oversize') {
    tries.set(key, neverAgain)
    await database.store(settings, { ...note, sha256: null, refusal: 'oversize' })
    logger.warn(
      { mailbox: settings.mailboxId, uid, size: note.size },
      'a mail is larger than the server says, and stays there',
    )
    return
  }
  if (!source) {
    if (attempt < mostTries) throw new Error(`The server does not hand out the mail ${uid}`)
    await database.store(settings, { ...note, sha256: null, refusal: 'unreadable' })
    logger.error({ mailbox: settings.mailboxId, uid }, 'the server does not hand out a mail')
    return
  }
  if (source.length > room) noRoom(tries, key)
  tries.delete(key)

  const sha256 = await mails.keep(settings.organizationId, source)
  const isNew = await database.store(settings, { ...note, sha256, size: source.length })
  await markAsTaken(client, settings, uid)
  if (isNew) logger.info({ mailbox: settings.mailboxId, uid, size: source.length }, 'a mail came in')
}

/** Leaves a mail on its server until there is room, and all after it. */
function noRoom(tries: Map<string, number>, key: string): never {
  tries.delete(key)
  throw new MailboxError(
    'failed',
    'More mail came in within a day than an organization may take in; what is new stays on its server until then',
  )
}

async function sourceOf(
  client: ImapFlow,
  { maxMailBytes }: MailboxSettings,
  uid: number,
): Promise<Buffer | 'oversize' | undefined> {
  // What waits for the mail hears only that the connection is gone.
  let isOversize = false
  const hear = ({ code }: { code?: string }) => {
    isOversize ||= code === 'LiteralTooLarge' || code === 'ResponseTooLarge'
  }
  client.on('error', hear)
  try {
    const mail = await withinBytes(client, maxMailBytes + mostWords, () =>
      client.fetchOne(String(uid), { source: true }, { uid: true }),
    )
    return (mail && mail.source) || undefined
  } catch (error) {
    hear(error as { code?: string })
    if (isOversize) return 'oversize'
    throw error
  } finally {
    client.off('error', hear)
  }
}

async function markAsTaken(
  client: ImapFlow,
  { processedFolder }: MailboxSettings,
  uid: number,
): Promise<void> {
  await client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true })
  if (processedFolder !== null) await client.messageMove(String(uid), processedFolder, { uid: true })
}

function noteOf(
  { envelope, size, internalDate }: FetchMessageObject,
  folder: string,
  uidValidity: string,
  uid: number,
): StoredMail {
  const [from] = envelope?.from ?? []
  const text = (value: string | undefined) => value?.replaceAll('\0', '').toWellFormed()
  const received = new Date(internalDate ?? Number.NaN)
  return {
    folder,
    uidValidity,
    uid,
    sha256: null,
    size: size ?? 0,
    messageId: text(envelope?.messageId),
    fromName: text(from?.name),
    fromAddress: text(from?.address),
    subject: text(envelope?.subject),
    receivedAt: Number.isNaN(received.getTime()) ? undefined : received.toISOString(),
  }
}
