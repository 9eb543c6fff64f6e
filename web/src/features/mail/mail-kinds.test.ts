import { describe, expect, it } from 'vitest'
import german from './locales/de.json'
import english from './locales/en.json'
import { readMailKind, unknownVariables, variableWord, withVariable } from './mail-kinds.ts'

describe('mail kinds', () => {
  it('are read from an address, and nothing else is', () => {
    expect(readMailKind('reply')).toBe('reply')
    expect(readMailKind('constructor')).toBeNull()
    expect(readMailKind(undefined)).toBeNull()
  })

  it('have variables that are explained', () => {
    for (const name of [
      'organization.name',
      'survey_link',
      'survey_link:5',
      'comment.body',
      'how_to_answer',
    ]) {
      for (const words of [english, german]) expect(words.variables).toHaveProperty(variableWord(name))
    }
  })

  it('tell which variables they do not have', () => {
    const known = ['recipient.name', 'survey_link:5', null]
    expect(unknownVariables('{{recipient.name}} {{ survey_link:5 }} {single}', known)).toEqual([])
    expect(unknownVariables('{{nickname}} {{nickname}} {{recipient.nam e}} {{recipient.name', known)).toEqual(
      ['{{nickname}}', '{{recipient.nam e}}'],
    )
    expect(unknownVariables('{{recipient.', known)).toEqual(['{{recipient.}}'])
  })

  it('take a variable in place of what is selected', () => {
    expect(withVariable('Hello you!', 'recipient.name', { start: 6, end: 9 })).toEqual({
      text: 'Hello {{recipient.name}}!',
      cursor: 24,
    })
  })
})
