import { expect, test } from 'vitest'
import { byFolder, tidyFolder } from './folders.ts'

test('a folder is kept as a path without blanks and empty parts', () => {
  for (const [typed, kept] of [
    ['', ''],
    [' / ', ''],
    ['Billing', 'Billing'],
    [' Billing / Late refunds/', 'Billing/Late refunds'],
    ['//Billing', 'Billing'],
  ]) {
    expect(tidyFolder(typed!)).toBe(kept)
  }
})

test('what is in one folder is listed together', () => {
  const entries = ['A', 'A', 'B'].map((folder, index) => ({ folder, index }))
  expect(byFolder(entries).map(({ folder, entries }) => [folder, entries.length])).toEqual([
    ['A', 2],
    ['B', 1],
  ])
})
