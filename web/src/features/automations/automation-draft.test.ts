import { expect, test } from 'vitest'
import { BLANK, draftOf, faultOf, sent } from './automation-draft.ts'

const whole = {
  ...BLANK,
  name: 'Urgent',
  actions: [{ type: 'add_tags', tags: ['vip ', '', 'new'] }],
}

test('says what is missing, in the order of the form', () => {
  expect(faultOf(BLANK)).toBe('name')
  expect(faultOf({ ...whole, name: 'x'.repeat(81) })).toBe('nameLong')
  expect(faultOf({ ...whole, eventTypes: [] })).toBe('events')
  expect(faultOf({ ...whole, kind: 'time' })).toBe('conditions')
  expect(faultOf({ ...whole, actions: [] })).toBe('actions')
  expect(faultOf({ ...whole, actions: [{ type: 'add_tags', tags: [' '] }] })).toBe('unfinished')
  expect(faultOf({ ...whole, actions: [{ type: 'add_watcher', user_id: null }] })).toBe('unfinished')
  expect(faultOf({ ...whole, actions: [{ type: 'set_team', team_id: null }] })).toBeNull()
  expect(
    faultOf({ ...whole, conditions: { all: [{ field: 'team_id', operator: 'is', value: null }], any: [] } }),
  ).toBe('unfinished')
  expect(faultOf(whole)).toBeNull()
})

test('sends what was typed without the blanks, and no lists that are empty', () => {
  expect(sent(whole)).toMatchObject({ conditions: {}, actions: [{ type: 'add_tags', tags: ['vip', 'new'] }] })
})

test('one that goes by time says nothing of events', () => {
  expect(sent({ ...whole, kind: 'time', actors: ['staff'], visibility: 'public' })).toMatchObject({
    eventTypes: [],
    actors: [],
    visibility: null,
  })
})

test('what the editor does not know is kept', () => {
  const saved = {
    name: 'Made elsewhere',
    kind: 'event' as const,
    eventTypes: ['subject_changed'],
    actors: [],
    visibility: null,
    toValues: [],
    conditions: { all: [{ field: 'custom_fields.site', operator: 'is', value: ['a', 'b'] }] },
    actions: [{ type: 'set_custom_fields', values: { site: 'a' } }],
  }
  expect(sent(draftOf(saved))).toMatchObject({
    eventTypes: ['subject_changed'],
    conditions: saved.conditions,
    actions: saved.actions,
  })
})
