import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const LITERAL = /#[0-9a-f]{3,8}\b(?!['"]?\s*\/>)|\b(?:rgba?|hsla?|oklch|oklab)\(/gi

it('finds no colour outside the tokens', () => {
  const root = new URL('..', import.meta.url).pathname
  const files = globSync('{app,components,features,graphql,lib}/**/*.{ts,tsx,css}', { cwd: root })
  expect(files.length).toBeGreaterThan(50)
  const found = files
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => {
      const literals = readFileSync(root + file, 'utf8').match(LITERAL) ?? []
      return literals.map((literal) => `${file}: ${literal}`)
    })
  expect(found).toEqual([])
})
