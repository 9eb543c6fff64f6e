import { describe, expect, it } from 'vitest'
import { placeAfterSignIn } from './guards.ts'
import { ticketNumber } from './routes/ticket-number.ts'

describe('placeAfterSignIn', () => {
  it.each([
    'https://evil.example',
    '//evil.example/desk',
    '/\\evil.example',
    '/desk\\@evil.example',
    '/deskevil',
    'desk',
    '/',
  ])('does not follow %s', (next) => {
    expect(placeAfterSignIn('desk', next, { role: 'agent' })).toBe('/desk')
  })

  it('keeps customers out of the desk, kindly', () => {
    expect(placeAfterSignIn('desk', null, { role: 'customer' })).toBe('/portal?from=desk')
    expect(placeAfterSignIn('portal', '/desk/tickets/7', { role: 'customer' })).toBe('/portal')
  })

  it('takes who came by a link from a mail to where they work', () => {
    expect(placeAfterSignIn(null, null, { role: 'manager' })).toBe('/desk')
    expect(placeAfterSignIn(null, null, { role: 'customer' })).toBe('/portal')
  })

  it('goes to where one wanted to be', () => {
    expect(placeAfterSignIn('desk', '/desk?view=mine', { role: 'agent' })).toBe('/desk?view=mine')
    expect(placeAfterSignIn('portal', '/portal/tickets/1042', { role: 'customer' })).toBe(
      '/portal/tickets/1042',
    )
    expect(placeAfterSignIn('desk', null, { role: 'admin' })).toBe('/desk')
  })
})

it.each([undefined, '', '0', '-1', '1.5', '1e3', 'abc', '99999999999', '2147483648'])(
  'takes %j for no ticket number',
  (text) => {
    expect(ticketNumber(text)).toBeNull()
  },
)

it('reads a ticket number', () => {
  expect(ticketNumber('1042')).toBe(1042)
})
