import { expect, it } from 'vitest'
import { readMailDomain } from './mail-domain.ts'

it.each([
  '',
  '@',
  'example',
  'exa mple.com',
  '-a.example',
  'a..example',
  'münchen.example',
  'https://a.example',
])('takes %j for no mail domain', (text) => {
  expect(readMailDomain(text)).toBeNull()
})

it.each([
  ['Example.COM', 'example.com'],
  ['@example.com', 'example.com'],
  ['ada@mail.example.com', 'mail.example.com'],
  ['example.com.', 'example.com'],
  ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
])('reads %j as %j', (text, domain) => {
  expect(readMailDomain(text)).toBe(domain)
})
