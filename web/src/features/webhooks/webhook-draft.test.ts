import { describe, expect, it } from 'vitest'
import { BLANK, draftOf, EVENT_GROUPS, faultOf, sent } from './webhook-draft.ts'

const good = { ...BLANK, name: 'Mirror', url: 'https://hooks.example.com/desk' }

describe('a draft', () => {
  it('is told what is wrong with it, first things first', () => {
    expect(faultOf(BLANK)).toBe('name')
    expect(faultOf({ ...good, name: 'x'.repeat(81) })).toBe('nameLong')
    for (const url of ['', 'hooks.example.com', 'ftp://hooks.example.com', 'https://']) {
      expect(faultOf({ ...good, url })).toBe('url')
    }
    expect(faultOf({ ...good, url: `https://hooks.example.com/${'x'.repeat(2_000)}` })).toBe('url')
    expect(faultOf({ ...good, url: 'https://user:key@hooks.example.com' })).toBe('login')
    expect(faultOf({ ...good, url: 'https://hooks.example.com/#here' })).toBe('fragment')
    expect(faultOf({ ...good, isForAll: false })).toBe('events')
    expect(faultOf({ ...good, isForAll: false, eventTypes: ['sla_breached'] })).toBeNull()
    expect(faultOf(good)).toBeNull()
  })

  it('is sent with the address as machines write it, and without events when it is for all', () => {
    expect(
      sent({ ...good, name: ' Mirror ', url: ' HTTPS://Höoks.example.com/a b ', eventTypes: ['sla_met'] }),
    ).toMatchObject({ name: 'Mirror', url: 'https://xn--hoks-5qa.example.com/a%20b', eventTypes: [] })
    expect(sent(good)).not.toHaveProperty('isForAll')
  })

  it('comes back as it was saved', () => {
    const saved = { ...sent({ ...good, isForAll: false, eventTypes: ['sla_met'] }) }
    expect(sent(draftOf(saved))).toEqual(saved)
    expect(draftOf({ ...saved, eventTypes: [] }).isForAll).toBe(true)
  })
})

it('names each kind of event once', () => {
  const types = EVENT_GROUPS.flatMap((group): readonly string[] => group.types)
  expect(new Set(types).size).toBe(types.length)
  expect(types).toHaveLength(41)
})
