import { expect, test } from 'vitest'
import { linesOf } from './checklist-lines.ts'

test('each line is a step', () => {
  expect(linesOf('Laptop\nBadge')).toEqual(['Laptop', 'Badge'])
})

test('blank lines are none', () => {
  expect(linesOf(' \r\nLaptop\r\n\r\n')).toEqual(['Laptop'])
})

test('a list from elsewhere comes without its marks', () => {
  expect(linesOf('- Laptop\n* Badge\n• Desk\n1. Phone\n2) Key\n[ ] Chair\n[x] Lamp')).toEqual([
    'Laptop',
    'Badge',
    'Desk',
    'Phone',
    'Key',
    'Chair',
    'Lamp',
  ])
})

test('what only looks like a mark stays', () => {
  expect(linesOf('-5 °C in the server room\n2.5 GHz card')).toEqual([
    '-5 °C in the server room',
    '2.5 GHz card',
  ])
})
