import { expect, test } from 'vitest'
import {
  blankFieldCondition,
  customFieldKey,
  editableField,
  FIELD_OPERATORS,
  withFieldOperator,
} from './custom-field-rules.ts'
import type { FieldType } from './custom-fields.ts'
import { isUnfinished } from './ticket-rules.ts'

const types = Object.keys(FIELD_OPERATORS) as FieldType[]

test.each(types)(
  'a %s begins with a condition that can be edited, and with each of its operators',
  (type) => {
    const field = { key: 'site', type }
    const blank = blankFieldCondition(field)
    for (const operator of FIELD_OPERATORS[type]) {
      expect(editableField(withFieldOperator(blank, operator, type), [field])).toBe(field)
    }
    expect(isUnfinished(blank)).toBe(type !== 'boolean')
    expect(isUnfinished(withFieldOperator(blank, 'is_empty', type))).toBe(false)
  },
)

test('what no field has is not edited', () => {
  const fields = [{ key: 'site', type: 'select' as const }]
  expect(editableField({ field: 'custom_fields.gone', operator: 'is', value: 'a' }, fields)).toBeNull()
  expect(editableField({ field: 'custom_fields.site', operator: 'at_least', value: 'a' }, fields)).toBeNull()
  expect(editableField({ field: 'custom_fields.site', operator: 'is', value: ['a'] }, fields)).toBeNull()
  expect(editableField({ field: 'site', operator: 'is', value: 'a' }, fields)).toBeNull()
  expect(customFieldKey('subject')).toBeNull()
})
