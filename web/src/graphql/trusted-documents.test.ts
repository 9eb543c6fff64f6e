import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { readTrustedDocuments } from '../../trusted-documents.ts'

const repository = join(import.meta.dirname, '../../..')

test('the server understands every operation of the web', () => {
  const schema = buildSchema(readFileSync(join(repository, 'server/schema.graphql'), 'utf8'))
  const { texts } = readTrustedDocuments(join(repository, 'web/src'))
  const faults = Object.values(texts).flatMap((text) =>
    validate(schema, parse(text)).map(({ message }) => message),
  )
  expect(faults).toEqual([])
})
