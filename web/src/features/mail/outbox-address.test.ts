import { expect, it } from 'vitest'
import { readOutboxAddress, writeOutboxAddress } from './outbox-address.ts'

it('shows everything for an address that says nothing, or nonsense', () => {
  for (const address of ['', 'state=lost', 'state=constructor']) {
    expect(readOutboxAddress(new URLSearchParams(address))).toEqual({ state: null, recipient: '' })
  }
})

it.each([
  { state: 'failed', recipient: '' },
  { state: null, recipient: 'ada@acme.example' },
  { state: 'kept', recipient: 'Ada & Co' },
] as const)('is read as it was written: %o', (selection) => {
  expect(readOutboxAddress(writeOutboxAddress(selection))).toEqual(selection)
})
