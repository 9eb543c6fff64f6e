import { describe, expect, it } from 'vitest'
import { readTags, tagsFault } from './ticket-tags.ts'

describe('tagsFault', () => {
  it('finds what the server would refuse', () => {
    expect(tagsFault(['x'.repeat(41)], [])).toBe('long')
    expect(tagsFault(['say "hello"'], [])).toBe('quoted')
    const thirty = Array.from({ length: 30 }, (_, index) => `tag ${index}`)
    expect(tagsFault(['one more'], thirty)).toBe('many')
    expect(tagsFault(['tag 3'], thirty)).toBeNull()
  })
})

it('reads tags as the server keeps them', () => {
  expect(readTags(' VPN,  Plant   Oslo,vpn,, ')).toEqual(['vpn', 'plant oslo'])
})
