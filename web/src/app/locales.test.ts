import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname

function keysOf(value: unknown, path = ''): string[] {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => keysOf(inner, path ? `${path}.${name}` : name))
    : [path.replace(/_(zero|one|two|few|many|other)$/, '')]
}

const read = (file: string): unknown => JSON.parse(readFileSync(root + file, 'utf8'))

it('says in every language what it says in English', () => {
  const english = globSync('**/locales/en.json', { cwd: root })
  expect(english.length).toBeGreaterThan(6)
  const others = globSync('**/locales/*.json', { cwd: root }).filter((file) => !file.endsWith('/en.json'))
  const languages = new Set(others.map((file) => file.slice(file.lastIndexOf('/') + 1)))
  for (const file of english) {
    for (const language of languages) {
      const other = file.replace('en.json', language)
      expect(others, `${other} is missing`).toContain(other)
      expect([other, ...new Set(keysOf(read(other)))].sort()).toEqual(
        [other, ...new Set(keysOf(read(file)))].sort(),
      )
    }
  }
})
