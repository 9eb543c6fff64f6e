import { describe, expect, it } from 'vitest'
import en from './locales/en.json'
import { byDay, placeOf, wordsOf } from './notification-words.ts'

describe('the words of a notification', () => {
  it.each([
    ['reply', { event: 'comment_added' }, 'replied'],
    ['reply', { event: 'comment_added', status: 'resolved' }, 'repliedAndResolved'],
    ['reply', { event: 'comment_added', status: 'open' }, 'reopened'],
    ['note', { event: 'comment_added' }, 'noted'],
    ['mention', { event: 'comment_added' }, 'mentioned'],
    ['assigned', { event: 'assignee_changed', actor_name: 'Ann' }, 'assigned'],
    ['assigned', { event: 'assignee_changed' }, 'assignedByItself'],
    ['approval', { event: 'approval_decided', decision: 'declined' }, 'declined'],
    ['rating', { event: 'survey_answered', score: '2' }, 'rated'],
    ['alert', { alert: 'mailbox_silent' }, 'mailboxSilent'],
    ['alert', { alert: 'mail_not_taken' }, 'mailNotTaken'],
    ['alert', { alert: 'something new' }, 'other'],
    ['reply', null, 'other'],
    ['reply', { event: 'constructor' }, 'other'],
  ] as const)('%s %j is %s', (kind, facts, sentence) => {
    expect(wordsOf({ kind, facts }).sentence).toBe(sentence)
    expect(en.said).toHaveProperty(sentence)
  })

  it('take nothing for a word that is none', () => {
    expect(
      wordsOf({ kind: 'reply', facts: { actor_name: 7, status: 'odd', target: {}, subject: '' } }),
    ).toMatchObject({
      actor: null,
      status: null,
      target: null,
      subject: null,
    })
  })
})

describe('the place of a notification', () => {
  it('is its ticket, in the desk or in the portal', () => {
    const told = { kind: 'reply', facts: {}, ticket: { number: 7 } }
    expect(placeOf(told, true)).toBe('/desk/tickets/7')
    expect(placeOf(told, false)).toBe('/portal/tickets/7')
  })

  it('is nowhere when the ticket is not to be seen, and the first page for who approves all the same', () => {
    expect(placeOf({ kind: 'reply', facts: { number: 7 }, ticket: null }, false)).toBeNull()
    expect(placeOf({ kind: 'approval', facts: {}, ticket: null }, false)).toBe('/portal')
  })

  it('is where an alert is looked into', () => {
    expect(placeOf({ kind: 'alert', facts: { alert: 'webhook_disabled' }, ticket: null }, true)).toBe(
      '/desk/admin/webhooks',
    )
  })
})

it('groups by the days of the reader', () => {
  const at = (hours: number) => ({ createdAt: new Date(2026, 0, 7, hours).toISOString() })
  expect(byDay([at(23), at(0), at(-1)]).map(({ day, entries }) => [day, entries.length])).toEqual([
    ['2026-1-7', 2],
    ['2026-1-6', 1],
  ])
})
