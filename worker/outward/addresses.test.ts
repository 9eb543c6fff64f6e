import { expect, test } from 'vitest'
import { reachOf } from './addresses.ts'

test.each([
  '93.184.216.34',
  '1.1.1.1',
  '169.253.255.255',
  '169.255.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '::ffff:1.1.1.1',
  // Where there is only IPv6, DNS64 says so of a public IPv4 address.
  '64:ff9b::101:101',
])('%s is everybody’s', (address) => {
  expect(reachOf(address)).toBe('public')
})

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.178.1',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '240.0.0.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  'fd00:ec2::1',
  'fec0::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::7f00:1',
  '::ffff:0:7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::a00:1',
  '64:ff9b:1::101:101',
  '2002:7f00:1::',
  '2002:c0a8:1::1',
  '2001:0:4136:e378::1',
  '2001:db8::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
])('%s is of an own network', (address) => {
  expect(reachOf(address)).toBe('internal')
})

test.each([
  // Where clouds hand out keys, however it is written.
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd00:0ec2:0:0::0254',
  'fd20:ce::254',
  // All of link-local, where they hand them out to containers.
  '169.254.0.0',
  '169.254.1.1',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.255.255',
  '::ffff:169.254.170.2',
  '64:ff9b::a9fe:aa02',
  '2002:a9fe:aa02::',
  'fe80::1',
  'fe80::1%eth0',
  'fe80::a9fe:a9fe',
  'febf::1',
  '0.0.0.0',
  '::',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  'localhost',
  '',
])('%s is called by nobody', (address) => {
  expect(reachOf(address)).toBe('nobody')
})
