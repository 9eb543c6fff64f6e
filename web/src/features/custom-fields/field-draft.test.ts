import { describe, expect, test } from 'vitest'
import { draftFaults, draftOf, keyedOptions, keyOf, sentDraft, type FieldDraft } from './field-draft.ts'

const draft = (parts: Partial<FieldDraft> = {}): FieldDraft => ({
  ...draftOf(null),
  label: 'Site',
  key: 'site',
  ...parts,
})

test('a key is made of a name', () => {
  expect(keyOf('Cost centre (new)')).toBe('cost_centre_new')
  expect(keyOf('Gerätegröße')).toBe('gerategrosse')
  expect(keyOf('2nd floor')).toBe('nd_floor')
  expect(keyOf('…')).toBe('')
  expect(keyOf('x'.repeat(50))).toHaveLength(40)
})

test('an option keeps its key, and a new one gets one that is free', () => {
  expect(
    keyedOptions(
      [
        { key: 'north', label: ' Up ' },
        { key: '', label: 'North' },
        { key: '', label: '北' },
        { key: '', label: 'South' },
      ],
      ['south'],
    ),
  ).toEqual([
    { key: 'north', label: 'Up' },
    { key: 'north_2', label: 'North' },
    { key: 'option', label: '北' },
    { key: 'south_2', label: 'South' },
  ])
})

describe('a draft', () => {
  test('is told what is wrong with it', () => {
    expect(draftFaults(draft())).toEqual({})
    expect(draftFaults(draftOf(null))).toEqual({ label: 'label', key: 'key' })
    const faultOf = (parts: Partial<FieldDraft>) => draftFaults(draft(parts))
    expect(faultOf({ label: 'x'.repeat(81) })).toEqual({ label: 'labelLong' })
    expect(faultOf({ key: 'Site' })).toEqual({ key: 'key' })
    expect(faultOf({ type: 'select' })).toEqual({ options: 'options' })
    const twice = [
      { key: '', label: 'A' },
      { key: '', label: 'A ' },
    ]
    expect(faultOf({ type: 'select', options: twice })).toEqual({ options: 'options' })
    expect(faultOf({ type: 'number', minimum: 'x' })).toEqual({ minimum: 'number' })
    expect(faultOf({ type: 'number', minimum: '2', maximum: '1' })).toEqual({ maximum: 'range' })
    expect(faultOf({ maxLength: '5001' })).toEqual({ maxLength: 'length' })
    expect(faultOf({ serviceIds: [] })).toEqual({ serviceIds: 'services' })
    expect(faultOf({ visibleWhenField: 'kind' })).toEqual({ visibleWhenValues: 'values' })
  })

  test('is sent without what its kind does not have', () => {
    const full = draft({
      minimum: '1',
      maxLength: '5',
      setByCustomers: true,
      options: [{ key: '', label: 'A' }],
      visibleWhenValues: ['true'],
    })
    expect(sentDraft(full)).toEqual({
      label: 'Site',
      help: null,
      setByCustomers: false,
      requiredWhen: 'never',
      minimum: null,
      maximum: null,
      maxLength: 5,
      options: [],
      serviceIds: [],
      visibleWhenField: null,
      visibleWhenValues: [],
    })
    expect(sentDraft({ ...full, type: 'number', seenByCustomers: true })).toMatchObject({
      minimum: 1,
      maxLength: null,
      setByCustomers: true,
    })
    expect(sentDraft({ ...full, type: 'user', seenByCustomers: true })).toMatchObject({
      setByCustomers: false,
    })
  })
})
