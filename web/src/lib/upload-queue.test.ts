import { describe, expect, test } from 'vitest'
import {
  isUnderWay,
  keyOfPlace,
  nextUploads,
  placeOfKey,
  uploadQueue,
  withArrived,
  type FileLimits,
  type Upload,
} from './upload-queue.ts'

const limits: FileLimits = { maxFileBytes: 10, maxFiles: 3, allowedTypes: [] }
const file = (name: string, size = 5) => new File(['x'.repeat(size)], name)
const add = (uploads: readonly Upload[], names: string[], kept = 0, size = 5) =>
  uploadQueue(uploads, {
    type: 'added',
    files: names.map((name) => ({ key: name, file: file(name, size) })),
    limits,
    kept,
  })
const told = (uploads: readonly Upload[]) =>
  uploads.map(({ key, state, refusal }) => (refusal ? `${key}: ${refusal.code}` : `${key}: ${state}`))

describe('what is added', () => {
  test('is refused where it is larger than may be', () => {
    expect(told(add([], ['large'], 0, 11))).toEqual(['large: ATTACHMENT_TOO_LARGE'])
    expect(told(add([], ['just'], 0, 10))).toEqual(['just: waiting'])
  })

  test('is refused where there is no place for it, counting what is on the server', () => {
    expect(told(add([], ['a', 'b', 'c'], 1))).toEqual(['a: waiting', 'b: waiting', 'c: TOO_MANY_ATTACHMENTS'])
  })

  test('gets the place of what was refused or taken back', () => {
    const full = add(add([], ['large'], 0, 11), ['a', 'b', 'c', 'd'])
    expect(told(full)).toEqual([
      'large: ATTACHMENT_TOO_LARGE',
      'a: waiting',
      'b: waiting',
      'c: waiting',
      'd: TOO_MANY_ATTACHMENTS',
    ])
    const freed = uploadQueue(full, { type: 'removed', key: 'a' })
    expect(told(add(freed, ['e'])).at(-1)).toBe('e: waiting')
  })

  test('is left to the server where the limits are not known', () => {
    const added = uploadQueue([], {
      type: 'added',
      files: [{ key: 'large', file: file('large', 99) }],
      limits: null,
      kept: 99,
    })
    expect(told(added)).toEqual(['large: waiting'])
  })
})

describe('an upload', () => {
  const sending = uploadQueue(add([], ['a']), { type: 'began', key: 'a' })

  test('that was cut off is tried again from the start, and one that was refused is not', () => {
    const half = uploadQueue(sending, { type: 'progressed', key: 'a', progress: 0.5 })
    const cut = uploadQueue(half, { type: 'interrupted', key: 'a' })
    expect(cut).toMatchObject([{ state: 'interrupted', progress: 0 }])
    expect(uploadQueue(cut, { type: 'retried', key: 'a' })).toMatchObject([{ state: 'waiting', progress: 0 }])
    const refused = uploadQueue(half, { type: 'refused', key: 'a', refusal: { code: 'ATTACHMENT_INFECTED' } })
    expect(told(uploadQueue(refused, { type: 'retried', key: 'a' }))).toEqual(['a: ATTACHMENT_INFECTED'])
  })

  test('that was taken back is not brought back by what is heard of it later', () => {
    const gone = uploadQueue(sending, { type: 'removed', key: 'a' })
    expect(uploadQueue(gone, { type: 'progressed', key: 'a', progress: 1 })).toEqual([])
    expect(uploadQueue(gone, { type: 'interrupted', key: 'a' })).toEqual([])
  })

  test('is waited for as long as something of it is still to come', () => {
    const states: Upload['state'][] = ['waiting', 'sending', 'interrupted', 'refused']
    expect(states.filter((state) => isUnderWay({ ...sending[0]!, state }))).toEqual(['waiting', 'sending'])
  })
})

test('three go at a time', () => {
  const many = uploadQueue([], {
    type: 'added',
    files: ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, file: file(key) })),
    limits: null,
    kept: 0,
  })
  expect(nextUploads(many).map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  const under = ['a', 'b'].reduce((uploads, key) => uploadQueue(uploads, { type: 'began', key }), many)
  expect(nextUploads(under).map(({ key }) => key)).toEqual(['c'])
  const done = uploadQueue(uploadQueue(under, { type: 'began', key: 'c' }), { type: 'removed', key: 'a' })
  expect(nextUploads(done).map(({ key }) => key)).toEqual(['d'])
})

test('what arrives stands where it was chosen, after what was there', () => {
  const places = new Map(['large', 'small', 'last'].map((id, at) => [id, placeOfKey(keyOfPlace(at + 7))]))
  let files = [{ id: 'kept' }]
  for (const id of ['small', 'last', 'large', 'brought back']) files = withArrived(files, { id }, places)
  expect(files.map(({ id }) => id)).toEqual(['kept', 'large', 'small', 'last', 'brought back'])
})
