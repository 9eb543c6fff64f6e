import { expect, test } from 'vitest'
import { ACTION_TYPES, actionFault, blankAction, isKnown, readActions, tagsOf } from './macro-actions.ts'

test('an action is refused until what it needs is there', () => {
  expect(
    ACTION_TYPES.map((type) => [type, actionFault(blankAction(type))]).filter(([, fault]) => fault),
  ).toEqual([
    ['set_state', 'state'],
    ['add_tags', 'tags'],
    ['remove_tags', 'tags'],
    ['comment', 'body'],
  ])
  expect(actionFault({ type: 'comment', visibility: 'public', body: ' ' })).toBe('body')
  expect(actionFault({ type: 'add_tags', tags: ['gate'] })).toBe(null)
  expect(actionFault({ type: 'set_state', state_id: 'an id' })).toBe(null)
})

test('what a program made is kept, and not taken for something else', () => {
  const made = { type: 'notify', to: 'managers', text: 'Look' }
  expect(readActions([made])).toEqual([made])
  expect(isKnown('notify')).toBe(false)
  expect(actionFault(made)).toBe(null)
  for (const broken of [null, 'text', {}, [null, 1, { kind: 'comment' }]])
    expect(readActions(broken)).toEqual([])
})

test('tags are typed with commas between', () => {
  expect(tagsOf(' gate, late delivery ,, ')).toEqual(['gate', 'late delivery'])
})
