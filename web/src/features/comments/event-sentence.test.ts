import { describe, expect, it } from 'vitest'
import { eventSentence, eventTarget, inOrder, type TimelineEvent } from './event-sentence.ts'

const words = {
  status: (value: string) => value.toUpperCase(),
  priority: (value: string) => `!${value}`,
  list: (values: string[]) => values.join(' + '),
  time: (value: string) => `at ${value}`,
  fields: (values: Record<string, unknown>) =>
    Object.entries(values).flatMap(([key, value]) => (key === 'unknown' ? [] : [`${key}=${String(value)}`])),
  duration: (seconds: number) => `${seconds} s`,
}
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

  it('tells time that was recorded, corrected and taken back apart', () => {
    const told = (before: unknown, after: unknown) =>
      eventSentence(event('time_corrected', before, after), words)
    expect(eventSentence(event('time_recorded', null, { seconds: 60 }), words)).toMatchObject({
      key: 'time_recorded',
      after: '60 s',
    })
    expect(told({ seconds: 60 }, { seconds: 90 })).toMatchObject({
      key: 'time_corrected',
      before: '60 s',
      after: '90 s',
    })
    expect(told({ seconds: 60 }, { seconds: 60 }).key).toBe('time_details_corrected')
    expect(told({ seconds: 60 }, { seconds: 0 })).toMatchObject({ key: 'time_taken_back', before: '60 s' })
    expect(told({}, {}).key).toBe('other')
  })

  it('tells files, mails that did not arrive, and surveys', () => {
    const told = (type: string, after: unknown, before: unknown = null) => {
      const { key, before: was, after: is } = eventSentence(event(type, before, after), words)
      return [key, was, is]
    }
    const files = [{ name: 'a.txt' }, { name: 'b.png' }]
    expect(told('attachment_added', { files })).toEqual(['attachment_added', null, 'a.txt + b.png'])
    expect(told('attachment_added', { files: [] })[0]).toBe('other')
    for (const type of ['attachment_blocked', 'attachment_released', 'attachment_removed', 'mail_failed']) {
      expect(told(type, { name: 'Ada' })).toEqual([type, null, 'Ada'])
      expect(told(type, {})[0]).toBe('other')
    }
    expect(told('survey_sent', { survey_id: 's' })).toEqual(['survey_sent', null, null])
    expect(told('survey_answered', { score: 2, low: true })).toEqual(['survey_scored', null, '2'])
    expect(told('survey_answered', { score: 2, comment: 'Slow' })).toEqual([
      'survey_scored_and_said',
      '2',
      'Slow',
    ])
    expect(told('survey_answered', { score: 4 }, { score: 2 })).toEqual(['survey_changed', '2', '4'])
    expect(told('survey_answered', { comment: 'Slow' }, { comment: null })).toEqual([
      'survey_said',
      null,
      'Slow',
    ])
    expect(told('survey_answered', { comment: null }, { comment: 'Slow' })).toEqual([
      'survey_unsaid',
      null,
      null,
    ])
    expect(told('survey_answered', {})[0]).toBe('other')
  })

  it.each([
    ['added', 'step_added'],
    ['done', 'step_done'],
    ['undone', 'step_undone'],
    ['removed', 'step_removed'],
  ])('tells a step that was %s', (what, key) => {
    expect(eventSentence(event('checklist_changed', null, { what, text: 'Ask' }), words)).toMatchObject({
      key,
      after: 'Ask',
    })
  })

  it('tells why a file was blocked', () => {
    const told = (after: object) => eventSentence(event('attachment_blocked', null, after), words)
    const infected = { name: 'a.doc', state: 'infected', signature: 'Eicar' }
    expect(told(infected)).toEqual({ key: 'attachment_infected', before: 'Eicar', after: 'a.doc' })
    expect(told({ ...infected, state: 'unscannable' }).key).toBe('attachment_unscannable')
    expect(told({ name: 'a.doc', state: 'infected' }).key).toBe('attachment_blocked')
  })

  it('tells what was asked for approval, and each answer', () => {
    const told = (type: string, more: object = {}) =>
      eventSentence(event(type, null, { question: 'May we?', ...more }), words)
    expect(told('approval_requested')).toMatchObject({ key: 'approval_requested', after: 'May we?' })
    expect(told('approval_decided', { decision: 'approved' }).key).toBe('approval_approved')
    expect(told('approval_decided', { decision: 'declined' }).key).toBe('approval_declined')
    expect(told('approval_cancelled').key).toBe('approval_cancelled')
    expect(told('approval_decided').key).toBe('other')
    expect(eventSentence(event('checklist_changed', null, { what: 'moved', text: 'Ask' }), words).key).toBe(
      'other',
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

  it("calls a status as the organization does, and the reader's language where it has no name", () => {
    const before = { status: 'open', state_name: null }
    const after = { status: 'open', state_name: 'With the carrier' }
    const told = { key: 'status_changed', before: 'OPEN', after: 'With the carrier' }
    expect(eventSentence(event('state_changed', before, after), words)).toEqual(told)
    expect(eventSentence(event('status_changed', before, { ...after, status: 'pending' }), words)).toEqual(
      told,
    )
  })

  it('tells what came and went of the tags', () => {
    const changed = (was: string[], is: string[]) =>
      eventSentence(event('tags_changed', { tags: was }, { tags: is }), words)
    expect(changed([], ['a', 'b'])).toEqual({ key: 'tags_added', before: '', after: 'a + b' })
    expect(changed(['a'], [])).toEqual({ key: 'tags_removed', before: 'a', after: '' })
    expect(changed(['a', 'c'], ['b', 'c'])).toEqual({ key: 'tags_changed', before: 'a', after: 'b' })
  })

  it('tells what was filled in and what was emptied', () => {
    const changed = (before: object, after: object) =>
      eventSentence(event('custom_fields_changed', before, after), words)
    expect(changed({ site: 'a', floor: 1 }, { site: 'b', desk: 2 })).toEqual({
      key: 'fields_changed',
      before: null,
      after: 'site=b + floor=null + desk=2',
    })
    expect(changed({}, { unknown: 1 }).key).toBe('other')
  })

  it('tells watching from being asked to', () => {
    const key = (type: string, id: string) => {
      const told = { watcher_id: id, watcher_name: 'Somebody' }
      return eventSentence(type === 'watcher_added' ? event(type, null, told) : event(type, told), words).key
    }
    expect(key('watcher_added', 'u1')).toBe('watcher_joined')
    expect(key('watcher_added', 'u2')).toBe('watcher_added')
    expect(key('watcher_removed', 'u1')).toBe('watcher_left')
    expect(key('watcher_removed', 'u2')).toBe('watcher_removed')
  })

  it('sees a relationship from the side of its ticket, and names the other', () => {
    const told = { kind: 'child_of', ticket_reference: 'ACME-1042' }
    expect(eventSentence(event('relationship_added', null, { ...told, first: true }), words)).toEqual({
      key: 'related_parent',
      before: null,
      after: 'ACME-1042',
      ticket: 1042,
    })
    expect(eventSentence(event('relationship_removed', { ...told, first: false }), words).key).toBe(
      'unrelated_child',
    )
    expect(eventSentence(event('relationship_added', null, { ...told, kind: 'x' }), words).key).toBe('other')
  })

  it('tells from which side a message was split', () => {
    const told = { ticket_reference: 'ACME-7' }
    expect(eventSentence(event('ticket_split', null, told), words).key).toBe('split_into')
    expect(eventSentence(event('ticket_split', null, { ...told, is_origin: true }), words).key).toBe(
      'split_from',
    )
  })

  it('names the promise', () => {
    expect(eventTarget(event('sla_breached', null, { kind: 'resolution' }))).toBe('resolution')
    expect(eventTarget(event('sla_met', null, null))).toBe('first_response')
  })
})

describe('automations', () => {
  it('are named, and so is what they tell people', () => {
    expect(eventSentence(event('automation_fired', null, { automation_name: 'Urgent' }), words)).toEqual({
      key: 'automation_fired',
      before: null,
      after: 'Urgent',
    })
    expect(eventSentence(event('notice_sent', null, { to: 'managers', text: 'Look' }), words)).toEqual({
      key: 'notice_sent',
      before: null,
      after: 'Look',
    })
    expect(eventSentence(event('automation_fired'), words).key).toBe('other')
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
