import { describe, expect, it } from 'vitest'
import { readNetwork } from './network.ts'

describe('readNetwork', () => {
  it.each([
    ['', 'missing'],
    ['  ', 'missing'],
    ['office', 'odd'],
    ['192.0.2', 'odd'],
    ['192.0.2.256', 'odd'],
    ['192.0.2.0/33', 'odd'],
    ['192.0.2.0/', 'odd'],
    ['192.0.2.0/24/8', 'odd'],
    ['192.0.2.0/-1', 'odd'],
    ['2001:db8::/129', 'odd'],
    ['2001:db8', 'odd'],
    ['2001::db8::1', 'odd'],
    ['12345::', 'odd'],
    ['http://192.0.2.1', 'odd'],
  ] as const)('refuses %j: %s', (text, fault) => {
    expect(readNetwork(text)).toEqual({ fault })
  })

  it.each([
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['2001:db8::1/32', '2001:db8::/32'],
  ])('says where the network of %j begins', (text, network) => {
    expect(readNetwork(text)).toEqual({ fault: 'inside', network })
  })

  it.each([
    [' 192.0.2.0/24 ', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::/64', '2001:db8::/64'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.0/120', '::ffff:c000:200/120'],
  ])('reads %j as %j', (text, network) => {
    expect(readNetwork(text)).toEqual({ network })
  })
})
