import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import { Client, ResultCodeError, type Entry } from 'ldapts'
import { type Directory, isThisMachine, ProviderFailure, type ProvidedPerson } from './identity-providers.ts'

const patienceMilliseconds = 5_000
const mostBytes = 1024 * 1024
const mostGroups = 1_000

// Wrong credentials, and the words for an account that is locked, expired or may not log in like this.
const refusingCodes = new Set([19, 32, 48, 49, 50, 53])

/**
 * Asks a directory whether a name and a password are somebody; undefined where they are not, whichever of both is
 * wrong. What keeps it from answering is a ProviderFailure.
 */
export async function askDirectory(
  directory: Directory,
  bindPassword: string | null,
  username: string,
  password: string,
): Promise<ProvidedPerson | undefined> {
  // A bind without a password succeeds with every directory that holds to the standard, and proves nothing.
  if (password === '') return undefined
  const line = createLine(directory.url)
  try {
    return await line.within(async (client) => {
      if (directory.bindDn !== null && bindPassword !== null)
        await client.bind(directory.bindDn, bindPassword)
      const entry = await findEntry(client, directory, username)
      // Who is not there takes as many questions as who is.
      const name = entry?.dn ?? `cn=${randomUUID()},${directory.baseDn}`
      if (!(await mayBind(client, name, password)) || !entry) return undefined
      return personOf(entry, directory)
    })
  } catch (error) {
    const { message } = error as Error
    throw new ProviderFailure(message.split('\n', 1)[0]!)
  }
}

async function findEntry(
  client: Client,
  { baseDn, userFilter, subjectAttribute, emailAttribute, nameAttribute, roleClaim }: Directory,
  username: string,
): Promise<Entry | undefined> {
  // RFC 4515: whatever it is, it is a value and never a part of the filter. The client takes an escaped byte for a
  // whole character, so that what is not ASCII, and means nothing to a filter, stays as it is.
  const value = username.replaceAll(
    /[^a-z0-9\u0080-\u{10ffff}]/giu,
    (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  const { searchEntries } = await client.search(baseDn, {
    scope: 'sub',
    filter: userFilter.replaceAll('{username}', () => value),
    attributes: [subjectAttribute, emailAttribute, nameAttribute, ...(roleClaim === null ? [] : [roleClaim])],
    // Some directories number people with bytes.
    explicitBufferAttributes: [subjectAttribute, 'objectGUID'],
    sizeLimit: 2,
    timeLimit: patienceMilliseconds / 1_000,
  })
  const [entry, another] = searchEntries
  // Two people of one name are nobody. Without a name a bind would be anonymous.
  return another === undefined && entry?.dn ? entry : undefined
}

async function mayBind(client: Client, dn: string, password: string): Promise<boolean> {
  try {
    await client.bind(dn, password)
    return true
  } catch (error) {
    if (error instanceof ResultCodeError && refusingCodes.has(error.code)) return false
    throw error
  }
}

function personOf(entry: Entry, directory: Directory): ProvidedPerson {
  const [subject] = valuesOf(entry, directory.subjectAttribute)
  if (!subject) throw new Error('The entry lacks the attribute that names its subject')
  return {
    subject,
    email: valuesOf(entry, directory.emailAttribute)[0] ?? null,
    // Nobody but those who keep the directory writes addresses into it.
    emailVerified: true,
    name: valuesOf(entry, directory.nameAttribute)[0] ?? null,
    groups: directory.roleClaim === null ? [] : valuesOf(entry, directory.roleClaim).slice(0, mostGroups),
  }
}

/** The values of an attribute, whose name a directory writes in the case it likes. Bytes that are no text in digits. */
function valuesOf(entry: Entry, name: string): string[] {
  const key = Object.keys(entry).find((known) => known.toLowerCase() === name.toLowerCase())
  const value = key === undefined ? [] : entry[key]!
  return (Array.isArray(value) ? value : [value])
    .map((one) =>
      typeof one === 'string'
        ? one
        : isUtf8(one) && !/\p{Cc}/u.test(one.toString())
          ? one.toString()
          : one.toString('hex'),
    )
    .filter((one) => one !== '')
}

interface Line {
  /** Runs `conversation` within the time we have, and hangs up. */
  within<T>(conversation: (client: Client) => Promise<T>): Promise<T>
}

/**
 * One connection to a directory, encrypted unless it does not leave this machine. The client would open another one by
 * itself where the first breaks, and would send the password over it unencrypted.
 */
function createLine(address: string): Line {
  const url = new URL(address)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const sockets: net.Socket[] = []
  const identity = { host, minVersion: 'TLSv1.2', ...(net.isIP(host) ? {} : { servername: host }) } as const

  const keep = <T extends net.Socket>(socket: T): T => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > mostBytes) socket.destroy(new Error('The directory sends too much'))
    })
    sockets.push(socket)
    return socket
  }
  const once = () => {
    if (sockets.length > 0) throw new Error('The directory hung up')
  }

  const client = new Client({
    url: address,
    timeout: patienceMilliseconds,
    connectTimeout: patienceMilliseconds,
    strictDN: false,
    createConnection: ((port: number, name: string) => {
      once()
      return keep(net.connect(port, name))
    }) as typeof net.connect,
    createSecureConnection: ((...args: [tls.ConnectionOptions] | [number, string]) => {
      const [first, name] = args
      // With options it is the upgrade of the connection that is open.
      if (typeof first === 'object') return keep(tls.connect(first))
      once()
      return keep(tls.connect(first, name, identity))
    }) as typeof tls.connect,
  })

  return {
    async within(conversation) {
      const { promise: impatience, reject } = Promise.withResolvers<never>()
      const timer = setTimeout(
        () => reject(new Error('The directory takes too long')),
        2 * patienceMilliseconds,
      )
      const talk = async () => {
        if (url.protocol === 'ldap:' && !isThisMachine(url.hostname)) await client.startTLS({ ...identity })
        return conversation(client)
      }
      const talking = talk()
      talking.catch(() => {})
      try {
        return await Promise.race([talking, impatience])
      } finally {
        clearTimeout(timer)
        for (const socket of sockets) {
          // The client takes its own listeners away, and an error that nobody hears ends the process.
          socket.on('error', () => {})
          socket.destroy()
        }
      }
    },
  }
}
