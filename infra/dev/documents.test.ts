import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { repository } from './repository.ts'

const documents = [
  'README.md',
  'bench/README.md',
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(repository, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
]

const textOf = (document: string) => readFileSync(join(repository, document), 'utf8')
const anchorsIn = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )

test.each(documents)('%s leads to places that are there', (document) => {
  const astray = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].filter(
    ([, path = '', anchor]) => {
      const target = path ? join(dirname(document), path) : document
      if (!existsSync(join(repository, target))) return true
      return anchor !== undefined && !anchorsIn(textOf(target)).includes(anchor)
    },
  )
  expect(astray.map(([link]) => link)).toEqual([])
})

test.each(documents)('%s names tests that are there', (document) => {
  const named = [...textOf(document).matchAll(/`([\w./-]+\.test\.tsx?)`/g)].map(([, path = '']) => path)
  // A pattern of names is not a name.
  expect(named.filter((path) => path.includes('/') && !existsSync(join(repository, path)))).toEqual([])
})

test('docs/ASVS.md has every requirement of both levels once, and counts them right', () => {
  const lines = [
    ...textOf('docs/ASVS.md').matchAll(/^\| (\d+\.\d+\.\d+) \| ([12]) \| .+? \| ([^|]+) \| .+ \|$/gm),
  ]
  const requirements = lines.map(([, number = '', level = '', state = '']) => ({
    number,
    level,
    state: state.replaceAll('*', ''),
  }))
  expect(new Set(requirements.map(({ number }) => number)).size).toBe(253)
  expect(requirements).toHaveLength(253)

  const counted = [...textOf('docs/ASVS.md').matchAll(/^\| (\S[^|]*) \| [^|]+ \| (\d+) \| (\d+) \|$/gm)]
  expect(counted).toHaveLength(5)
  for (const [, state, ...counts] of counted) {
    const found = ['1', '2'].map(
      (level) => requirements.filter((each) => each.state === state && each.level === level).length,
    )
    expect([state, ...found]).toEqual([state, ...counts.map(Number)])
  }
})
