import { describe, expect, test } from 'vitest'
import {
  askedFields,
  fieldFault,
  fieldOptions,
  fieldText,
  fieldValues,
  sentValue,
  type FieldDefinition,
  typedNumber,
} from './custom-fields.ts'

const field = (parts: Partial<FieldDefinition> = {}): FieldDefinition => ({
  key: 'x',
  type: 'text',
  label: 'X',
  help: null,
  seenByCustomers: false,
  setByCustomers: false,
  requiredWhen: 'never',
  minimum: null,
  maximum: null,
  maxLength: null,
  visibleWhenField: null,
  visibleWhenValues: [],
  archivedAt: null,
  options: [],
  serviceIds: [],
  ...parts,
})
const words = { language: 'en', yes: 'Yes', no: 'No' }

test('what is no object has no values, and what is no list no options', () => {
  for (const json of [null, undefined, 'x', 1, []]) expect(fieldValues(json)).toEqual({})
  for (const json of [null, {}, 'x', [1, { key: 'a' }]]) expect(fieldOptions(json)).toEqual([])
  expect(fieldOptions([{ key: 'a', label: 'A', archived: true }])).toEqual([
    { key: 'a', label: 'A', archived: true },
  ])
})

describe('a ticket asks for', () => {
  const asked = (fields: FieldDefinition[], serviceId: string | null = null, values = {}) =>
    askedFields(fields, serviceId, values).map(({ key }) => key)

  test('what every service asks for, or its own, and nothing that is archived', () => {
    const fields = [
      field({ key: 'all' }),
      field({ key: 'vpn', serviceIds: ['vpn'] }),
      field({ key: 'old', archivedAt: '2026-01-01T00:00:00Z' }),
    ]
    expect(asked(fields)).toEqual(['all'])
    expect(asked(fields, 'fax')).toEqual(['all'])
    expect(asked(fields, 'vpn')).toEqual(['all', 'vpn'])
  })

  test('what hangs on a choice while it is made', () => {
    const fields = [
      field({ key: 'deep', visibleWhenField: 'parts', visibleWhenValues: ['disk', 'screen'] }),
      field({ key: 'parts', type: 'multi_select', visibleWhenField: 'broken', visibleWhenValues: ['true'] }),
      field({ key: 'broken', type: 'boolean' }),
    ]
    expect(asked(fields)).toEqual(['broken'])
    expect(asked(fields, null, { parts: ['disk'] })).toEqual(['broken'])
    expect(asked(fields, null, { broken: false, parts: ['disk'] })).toEqual(['broken'])
    expect(asked(fields, null, { broken: true, parts: ['mouse'] })).toEqual(['parts', 'broken'])
    expect(asked(fields, null, { broken: true, parts: ['mouse', 'disk'] })).toEqual([
      'deep',
      'parts',
      'broken',
    ])
  })

  test('nothing in a circle, and nothing that hangs on what is not there', () => {
    const circle = [
      field({ key: 'a', visibleWhenField: 'b', visibleWhenValues: ['true'] }),
      field({ key: 'b', visibleWhenField: 'a', visibleWhenValues: ['true'] }),
      field({ key: 'c', visibleWhenField: 'nothing', visibleWhenValues: ['true'] }),
    ]
    expect(asked(circle, null, { a: true, b: true, nothing: true })).toEqual([])
  })
})

test('a value is refused before it is sent', () => {
  const number = field({ type: 'number', minimum: -1, maximum: 5 })
  expect(fieldFault(field(), ' ', true)).toBe('missing')
  expect(fieldFault(field(), ' ', false)).toBeNull()
  expect(fieldFault(field({ type: 'boolean' }), false, true)).toBeNull()
  expect(['x', '1e3', '-2', '6', '2,5', 3].map((value) => fieldFault(number, value, false))).toEqual([
    'number',
    'number',
    'least',
    'most',
    null,
    null,
  ])
  expect(fieldFault(field({ maxLength: 2 }), '👋👋', false)).toBeNull()
  expect(fieldFault(field({ maxLength: 2 }), 'abc', false)).toBe('long')
  expect(fieldFault(field({ type: 'url' }), 'desk.example', false)).toBe('address')
  expect(fieldFault(field({ type: 'url' }), 'https://desk.example/a?b', false)).toBeNull()
})

test('a value is sent as the API takes it', () => {
  expect(typedNumber('1,5')).toBe(1.5)
  expect(sentValue(field({ type: 'number' }), ' 1,5 ')).toBe(1.5)
  expect(sentValue(field(), ' a ')).toBe('a')
  expect(sentValue(field({ type: 'boolean' }), false)).toBe(false)
  for (const nothing of ['', ' ', [], null, undefined]) expect(sentValue(field(), nothing)).toBeNull()
})

test('a value is read in the language of the reader', () => {
  const options = [
    { key: 'a', label: 'Apple', archived: false },
    { key: 'b', label: 'Bread', archived: true },
  ]
  const text = (parts: Partial<FieldDefinition>, value: unknown, language = 'en') =>
    fieldText(field(parts), value, { ...words, language, person: (id) => (id === '1' ? 'Ada' : undefined) })
  expect(text({ type: 'number' }, 1234.5)).toBe('1,234.5')
  expect(text({ type: 'number' }, 1234.5, 'de')).toBe('1.234,5')
  expect(text({ type: 'date' }, '2026-07-31')).toBe('Jul 31, 2026')
  expect(text({ type: 'date' }, '2026-07-31', 'de')).toBe('31.07.2026')
  expect(text({ type: 'boolean' }, false)).toBe('No')
  expect(text({ type: 'select', options }, 'b')).toBe('Bread')
  expect(text({ type: 'select', options }, 'gone')).toBe('gone')
  expect(text({ type: 'multi_select', options }, ['a', 'b'])).toBe('Apple, Bread')
  expect(text({ type: 'user' }, '1')).toBe('Ada')
  expect(text({ type: 'url' }, 'https://x')).toBe('https://x')
  for (const type of [
    'number',
    'date',
    'boolean',
    'select',
    'multi_select',
    'user',
    'text',
    'url',
  ] as const) {
    expect(text({ type }, null), type).toBe('')
  }
})
