import { expect, test } from 'vitest'
import {
  ACTIONS,
  blankAction,
  blankCondition,
  durationOf,
  FIELDS,
  isEditable,
  isUnfinished,
  readConditions,
  valueKind,
  withOperator,
  type ActionType,
  type Field,
} from './ticket-rules.ts'

test('every field begins with a condition that can be edited', () => {
  for (const field of Object.keys(FIELDS) as Field[]) {
    expect(isEditable(blankCondition(field)), field).toBe(true)
  }
})

test('every action begins with a place for all it needs', () => {
  for (const type of Object.keys(ACTIONS) as ActionType[]) {
    expect(Object.keys(blankAction(type))).toEqual(['type', ...Object.keys(ACTIONS[type])])
  }
})

test('what was made elsewhere in another form is not edited', () => {
  expect(isEditable({ field: 'custom_fields.site', operator: 'is', value: 'a' })).toBe(false)
  expect(isEditable({ field: 'status', operator: 'is', value: ['open', 'new'] })).toBe(false)
  expect(isEditable({ field: 'constructor', operator: 'is', value: 'a' })).toBe(false)
})

test('an operator that asks for nothing takes the value away, and one that asks brings one back', () => {
  const empty = withOperator({ field: 'team_id', operator: 'is', value: 'x' }, 'is_empty')
  expect(empty).toEqual({ field: 'team_id', operator: 'is_empty' })
  expect(valueKind(empty)).toBeNull()
  expect(isUnfinished(empty)).toBe(false)
  const again = withOperator(empty, 'is_not')
  expect(valueKind(again)).toBe('team')
  expect(isUnfinished(again)).toBe(true)
})

test('a length is told in the largest unit that tells it whole', () => {
  expect(durationOf(259_200)).toEqual({ amount: 3, unit: 'days' })
  expect(durationOf(5_400)).toEqual({ amount: 90, unit: 'minutes' })
  expect(durationOf(90)).toEqual({ amount: 2, unit: 'minutes' })
})

test('conditions of any form are read without a fall', () => {
  for (const nonsense of [null, 'x', [], { all: 'x' }, { any: [1, null] }]) {
    expect(readConditions(nonsense)).toEqual({ all: [], any: [] })
  }
})
