import { describe, expect, it } from 'vitest'
import { splitAddresses } from './web-addresses.ts'

const linksIn = (text: string) => splitAddresses(text).flatMap(({ href }) => href ?? [])
const shown = (text: string) => splitAddresses(text).flatMap((part) => (part.href ? part.text : []))

describe('what is not an address', () => {
  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt://%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'file:///etc/passwd',
    'ftp://example.com/x',
    'mailto:someone@example.com',
    'blob:null/1',
    'www.example.com',
    '//example.com',
    'http:/example.com',
    'http:example.com',
    'https://',
    'https://...',
    'https://[',
    'http://[::1',
    'https://:80',
    'https://example.com:99999/',
    'xhttps://example.com',
    'éhttps://example.com',
    'https://bank.example@evil.example/',
    'https://bank.example:443@evil.example/',
    '',
  ])('leaves %j as text', (text) => {
    expect(linksIn(text)).toEqual([])
    expect(
      splitAddresses(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text)
  })

  it('does not make a link of an address longer than anybody follows', () => {
    expect(linksIn(`https://example.com/${'a'.repeat(3_000)}`)).toEqual([])
  })
})

describe('where an address ends', () => {
  it.each([
    ['See https://example.com/a.', 'https://example.com/a'],
    ['https://example.com/a, then', 'https://example.com/a'],
    ['Really https://example.com/a?!', 'https://example.com/a'],
    ['(see https://example.com/a)', 'https://example.com/a'],
    ['(see https://example.com/a).', 'https://example.com/a'],
    ['[text](https://example.com/a)', 'https://example.com/a'],
    ['((https://example.com/a_(b)))', 'https://example.com/a_(b)'],
    ['https://example.com/Atum_(god)', 'https://example.com/Atum_(god)'],
    ['<https://example.com/a>', 'https://example.com/a'],
    ['"https://example.com/a"', 'https://example.com/a'],
    ["'https://example.com/a'", 'https://example.com/a'],
    ['„https://example.com/a“', 'https://example.com/a'],
    ['**https://example.com/a**', 'https://example.com/a'],
    ['https://example.com/?q=1&r=a;b#c', 'https://example.com/?q=1&r=a;b#c'],
    ['https://example.com/"onmouseover="alert(1)', 'https://example.com/'],
    ['https://example.com/<img src=x onerror=alert(1)>', 'https://example.com/'],
    ['https://example.com\\@evil.example', 'https://example.com'],
    ['https://example.com/\u202egpj.exe', 'https://example.com/'],
    ['https://example.com\u200b.evil.example', 'https://example.com'],
    ['https://example.com/a\u0000b', 'https://example.com/a'],
    ['見る：https://example.com/道。', 'https://example.com/道'],
    ['javascript:https://example.com/%0aalert(1)', 'https://example.com/%0aalert(1)'],
  ])('in %j', (text, address) => {
    expect(shown(text)).toEqual([address])
    expect(
      splitAddresses(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text)
  })
})

it('leads only to http and https, whatever stands around it', () => {
  const text = 'HTTP://Example.COM/A and https://exämple.com/ü and http://localhost:8000, http://[::1]/x'
  expect(linksIn(text)).toEqual([
    'http://example.com/A',
    'https://xn--exmple-cua.com/%C3%BC',
    'http://localhost:8000/',
    'http://[::1]/x',
  ])
})

it('keeps every character of the text, in order', () => {
  const text = '\n a https://a.example b\nhttps://b.example\n\n(https://c.example) 🌅'
  expect(splitAddresses(text)).toEqual([
    { text: '\n a ' },
    { text: 'https://a.example', href: 'https://a.example/' },
    { text: ' b\n' },
    { text: 'https://b.example', href: 'https://b.example/' },
    { text: '\n\n(' },
    { text: 'https://c.example', href: 'https://c.example/' },
    { text: ') 🌅' },
  ])
})

it.each([
  ['nothing but brackets', `https://example.com/${')'.repeat(50_000)}`],
  ['one address after the other', 'https://a.example '.repeat(2_800)],
  ['one scheme after the other', 'https://'.repeat(6_250)],
  ['almost a scheme', 'https:/'.repeat(7_000)],
])('reads the longest body at once: %s', (_, text) => {
  const begun = performance.now()
  splitAddresses(text)
  // About 10 ms; anything that grows with the square of the length takes minutes.
  expect(performance.now() - begun).toBeLessThan(1_000)
})
