import { expect, it } from 'vitest'
import { readTicketNumber } from './ticket-number.ts'

it.each(['', 'ACME-', 'the one of yesterday', '0', '2147483648', '12 monkeys'])(
  'finds no number in "%s"',
  (typed) => {
    expect(readTicketNumber(typed)).toBeNull()
  },
)

it.each(['1042', ' #1042 ', 'ACME-1042', 'acme 1042', 'https://desk.acme.example/desk/tickets/1042/'])(
  'finds the number in "%s"',
  (typed) => {
    expect(readTicketNumber(typed)).toBe(1042)
  },
)
