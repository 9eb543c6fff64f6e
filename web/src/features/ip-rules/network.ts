/** A network as it was typed: understood, or what is wrong with it. */
export type NetworkReading =
  | { network: string }
  | { fault: 'missing' | 'odd' }
  /** The address is inside the network but does not begin it, which Postgres refuses; what was probably meant. */
  | { fault: 'inside'; network: string }

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** Reads an IPv4 or IPv6 network such as `192.0.2.0/24`; an address alone is the network of just itself. */
export function readNetwork(text: string): NetworkReading {
  const typed = text.trim()
  if (typed === '') return { fault: 'missing' }
  const [address = '', length, ...rest] = typed.split('/')
  const bytes = bytesOf(address)
  if (!bytes || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
    return { fault: 'odd' }
  const bits = bytes.length * 8
  const prefix = length === undefined ? bits : Number(length)
  if (prefix > bits) return { fault: 'odd' }
  const start = bytes.map((byte, index) => byte & maskByte(prefix - index * 8))
  const network = `${textOf(start)}/${prefix}`
  return start.every((byte, index) => byte === bytes[index]) ? { network } : { fault: 'inside', network }
}

function maskByte(bitsLeft: number): number {
  return (0xff << (8 - Math.min(8, Math.max(0, bitsLeft)))) & 0xff
}

function bytesOf(address: string): number[] | null {
  const parts = V4.exec(address)
  if (parts) {
    const bytes = parts.slice(1).map(Number)
    return bytes.every((byte) => byte <= 255) ? bytes : null
  }
  if (!/^[0-9a-f:.]+$/i.test(address) || !address.includes(':')) return null
  // The URL parser knows every way to write one, and answers with the shortest.
  const url = URL.parse(`http://[${address}]/`)
  if (!url) return null
  const [head = '', tail] = url.hostname.slice(1, -1).split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const groups =
    tail === undefined
      ? before
      : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return groups.flatMap((group) => [group >> 8, group & 0xff])
}

const groupsOf = (text: string) =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))

function textOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
