import { expect, it } from 'vitest'
import { parseDraft } from './draft.ts'
import { forgetKept, readKept, writeKept } from './kept.ts'

const blank = { body: '', visibility: 'public', serviceId: null as string | null }

it.each([null, '', '{', '42', 'null', '"text"'])('takes %j for no draft', (text) => {
  expect(parseDraft(text, blank)).toEqual(blank)
})

it('ignores fields that are gone or have another type', () => {
  expect(parseDraft('{"body":7,"visibility":"internal","colour":"red"}', blank)).toEqual({
    body: '',
    visibility: 'internal',
    serviceId: null,
  })
})

it('reads back what was kept', () => {
  const draft = { body: 'Hello\n', visibility: 'internal', serviceId: 'a' }
  expect(parseDraft(JSON.stringify(draft), blank)).toEqual(draft)
})

it('keeps without storage, and forgets what one person typed when they leave', () => {
  writeKept('atum.my.1.draft.reply', 'x')
  writeKept('atum.theme', 'dark')
  expect(readKept('atum.my.1.draft.reply')).toBe('x')
  forgetKept('atum.my.')
  expect(readKept('atum.my.1.draft.reply')).toBeNull()
  expect(readKept('atum.theme')).toBe('dark')
})
