import ipaddr from 'ipaddr.js'

/**
 * Where the machines of a cloud say who they are and hand out keys. Nobody receives webhooks there, so not even a webhook
 * that may call the own network is let in. All of link-local is refused besides: containers get their keys at
 * 169.254.170.2 and 169.254.170.23, other clouds use other addresses of it, and nothing else is served there.
 */
const metadataAddresses = new Set([
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::23',
  'fd00:ec2::254',
  'fd20:ce::254',
])

/** Who may be called. */
export type Reach = 'public' | 'internal' | 'nobody'

/** Whether an IP address is everybody's, of an own network, or one that no webhook calls. */
export function reachOf(address: string): Reach {
  // A zone (fe80::1%eth0) says only by which wire, not where.
  const [bare = ''] = address.split('%', 1)
  if (!ipaddr.isValid(bare)) return 'nobody'
  // What stands for an IPv4 address is that address.
  const real = embeddedAddress(ipaddr.process(bare))
  if (metadataAddresses.has(real.toString())) return 'nobody'
  const range = real.range()
  if (range === 'linkLocal' || range === 'multicast' || range === 'broadcast' || range === 'unspecified')
    return 'nobody'
  return range === 'unicast' && isGlobal(real) ? 'public' : 'internal'
}

function embeddedAddress(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === 'ipv4') return address
  const bytes = address.toByteArray()
  // The well-known prefix of NAT64 (64:ff9b::/96), and the old ways to write an IPv4 address (::/96, ::ffff:0:0:0/96).
  const isNat64 = hasPrefix(address, '64:ff9b::', 96)
  const isCompatible =
    hasPrefix(address, '::', 96) && bytes.slice(12).some((byte, at) => byte > (at === 3 ? 1 : 0))
  const isTranslated = hasPrefix(address, '::ffff:0:0:0', 96)
  if (isNat64 || isCompatible || isTranslated) return new ipaddr.IPv4(bytes.slice(12))
  // 6to4 carries it behind its first two bytes.
  if (hasPrefix(address, '2002::', 16)) return new ipaddr.IPv4(bytes.slice(2, 6))
  return address
}

const hasPrefix = (address: ipaddr.IPv4 | ipaddr.IPv6, prefix: string, bits: number): boolean =>
  (address as ipaddr.IPv6).match(ipaddr.IPv6.parse(prefix), bits)

/** Of IPv6 only 2000::/3 was ever given to anybody. */
const isGlobal = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.kind() === 'ipv4' || hasPrefix(address, '2000::', 3)
