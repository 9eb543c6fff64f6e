import { describe, expect, it } from 'vitest'
import { matching, mentionBeingTyped, mentionedIn, withMention } from './mentions.ts'

const people = ['Ann', 'Ann Lee', 'Lukáš Novák', 'Leanne (night)'].map((name, index) => ({
  rowId: String(index),
  name,
}))
const names = (found: { name: string }[]) => found.map(({ name }) => name).sort()

describe('mentionBeingTyped', () => {
  it.each(['ann@acme.example', 'no sign', '@ ann', '@ann@', '@Ann\nnext'])('sees none in "%s"', (text) => {
    expect(mentionBeingTyped(text, text.length)).toBeNull()
  })

  it('sees it at the caret, with spaces in it, wherever the text goes on', () => {
    expect(mentionBeingTyped('@', 1)).toEqual({ start: 0, words: '' })
    expect(mentionBeingTyped('Please look, @Ann L at this', 19)).toEqual({ start: 13, words: 'Ann L' })
  })
})

describe('mentionedIn', () => {
  it('calls nobody by half a name, nor by an address', () => {
    expect(mentionedIn('@Annabel, @Luk and mail@Ann', people)).toEqual([])
  })

  it('takes the longer name, and the shorter where it stands by itself', () => {
    expect(names(mentionedIn('@Ann Lee, please', people))).toEqual(['Ann Lee'])
    expect(names(mentionedIn('@Ann Lee and @ann', people))).toEqual(['Ann', 'Ann Lee'])
    expect(names(mentionedIn('(@lukáš novák) @Leanne (night)!', people))).toEqual([
      'Leanne (night)',
      'Lukáš Novák',
    ])
  })
})

it('finds people by either name', () => {
  expect(names(matching(people, 'le'))).toEqual(['Ann Lee', 'Leanne (night)'])
  expect(names(matching(people, 'Ann L'))).toEqual(['Ann Lee'])
})

it('puts the name in place of what was typed', () => {
  expect(withMention('Hi @lu!', 3, 6, 'Lukáš Novák')).toEqual({ text: 'Hi @Lukáš Novák !', caret: 16 })
  expect(withMention('Hi @lu there', 3, 6, 'Ann')).toEqual({ text: 'Hi @Ann there', caret: 8 })
})
