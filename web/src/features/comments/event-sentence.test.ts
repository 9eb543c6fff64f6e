import { describe, expect, it } from 'vitest'
import { eventSentence, eventTarget, inOrder, type TimelineEvent } from './event-sentence.ts'

const words = { status: (value: string) => value.toUpperCase(), priority: (value: string) => `!${value}` }
const ada = { rowId: 'u1', name: 'Ada' }
const event = (type: string, before: unknown = null, after: unknown = null): TimelineEvent => ({
  type,
  before,
  after,
  actor: ada,
})

describe('eventSentence', () => {
  it('does not stumble over what it does not know', () => {
    const other = { key: 'other', before: null, after: null }
    expect(eventSentence(event('tag_added', {}, { tag: 'x' }), words)).toEqual(other)
    expect(eventSentence(event('status_changed'), words)).toEqual(other)
    expect(eventSentence(event('status_changed', 'open', ['pending']), words)).toEqual(other)
    expect(eventSentence(event('team_changed', { team_name: null }, { team_name: null }), words)).toEqual(
      other,
    )
  })

  it.each([
    ['open', 'pending', 'status_changed'],
    ['open', 'resolved', 'status_resolved'],
    ['resolved', 'closed', 'status_resolved'],
    ['resolved', 'open', 'status_reopened'],
  ])('tells %s to %s as %s', (was, is, key) => {
    expect(eventSentence(event('status_changed', { status: was }, { status: is }), words)).toEqual({
      key,
      before: was.toUpperCase(),
      after: is.toUpperCase(),
    })
  })

  it('tells taking a ticket, giving it back, being given it and losing it apart', () => {
    const nobody = { assignee_id: null, assignee_name: null }
    const self = { assignee_id: 'u1', assignee_name: 'Ada' }
    const grace = { assignee_id: 'u2', assignee_name: 'Grace' }
    const key = (before: unknown, after: unknown) =>
      eventSentence(event('assignee_changed', before, after), words).key
    expect(key(nobody, self)).toBe('assignee_taken')
    expect(key(self, nobody)).toBe('assignee_left')
    expect(key(nobody, grace)).toBe('assignee_set')
    expect(key(grace, nobody)).toBe('assignee_removed')
  })

  it('names the promise', () => {
    expect(eventTarget(event('sla_breached', null, { kind: 'resolution' }))).toBe('resolution')
    expect(eventTarget(event('sla_met', null, null))).toBe('first_response')
  })
})

describe('inOrder', () => {
  it('puts what was said before what followed from it in the same save', () => {
    const at = '2026-03-02T10:00:00Z'
    const events = [
      { rowId: '3', type: 'status_changed', createdAt: at },
      { rowId: '9', type: 'comment_added', createdAt: '2026-03-02T11:00:00+00:00' },
      { rowId: '2', type: 'comment_added', createdAt: at },
      { rowId: '4', type: 'ticket_created', createdAt: at },
    ]
    expect(inOrder(events).map(({ rowId }) => rowId)).toEqual(['4', '2', '3', '9'])
  })
})
