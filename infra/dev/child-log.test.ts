import { expect, test } from 'vitest'
import { compactLogLine } from './child-log.ts'

test.each([
  ['an information', '{"level":30,"msg":"listening"}', 'stdout'],
  ['what is no log line, on the ordinary output', 'hello', 'stdout'],
  ['an empty line', '  ', 'stderr'],
] as const)('does not show %s', (_, line, stream) => {
  expect(compactLogLine('server', line, stream)).toBeUndefined()
})

test.each([
  ['{"level":40,"msg":"slow"}', 'server   warn slow'],
  [
    '{"level":50,"msg":"failed","err":{"code":"57P01","message":"gone","stack":"…"}}',
    'server   error failed: 57P01 gone',
  ],
  ['{"level":50,"msg":"gone","err":{"message":"gone"}}', 'server   error gone'],
])('shows %s in one line', (line, shown) => {
  expect(compactLogLine('server', line, 'stdout')).toBe(shown)
})

test('shows what a crash writes', () => {
  expect(compactLogLine('worker', '    at main.ts:1', 'stderr')).toBe('worker       at main.ts:1')
})
