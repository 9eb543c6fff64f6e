import { expect, it } from 'vitest'
import { readQuarantineAddress, views, writeQuarantineAddress } from './quarantine-address.ts'

it('shows what is held back for an address that says nothing, or nonsense', () => {
  for (const address of ['', 'show=lost', 'show=constructor']) {
    expect(readQuarantineAddress(new URLSearchParams(address))).toBe('held')
  }
})

it.each(views)('is read as it was written: %s', (view) => {
  expect(readQuarantineAddress(writeQuarantineAddress(view))).toBe(view)
})
