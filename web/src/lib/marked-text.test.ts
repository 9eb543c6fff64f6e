import { expect, it } from 'vitest'
import { partsOf } from './marked-text.ts'

it('shows a mark that never ends, or never began, as plain text', () => {
  expect(partsOf('a \uE000b')).toEqual([
    { text: 'a ', isMarked: false },
    { text: 'b', isMarked: false },
  ])
  expect(partsOf('a\uE001 b')).toEqual([{ text: 'a b', isMarked: false }])
  expect(partsOf('')).toEqual([])
})

it('parts what matched from what did not', () => {
  expect(partsOf('The \uE000VPN\uE001 and the \uE000printer\uE001')).toEqual([
    { text: 'The ', isMarked: false },
    { text: 'VPN', isMarked: true },
    { text: ' and the ', isMarked: false },
    { text: 'printer', isMarked: true },
  ])
})
