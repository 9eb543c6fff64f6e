import { expect, it } from 'vitest'
import { filterOf, INBOX_VIEWS, orderOf, readInboxAddress } from './inbox-views.ts'

it('turns an odd address into the defaults', () => {
  expect(readInboxAddress(new URLSearchParams('view=secret&sort=body&direction=up'))).toEqual({
    view: 'open',
    sort: 'updated',
    direction: 'descending',
  })
})

it('reads an address, with the direction that fits the order', () => {
  expect(readInboxAddress(new URLSearchParams('view=mine&sort=due'))).toEqual({
    view: 'mine',
    sort: 'due',
    direction: 'ascending',
  })
  expect(readInboxAddress(new URLSearchParams('sort=due&direction=descending')).direction).toBe('descending')
})

it('filters every view but "all", and never lets a resolved ticket into one of work to do', () => {
  for (const view of INBOX_VIEWS) {
    const filter = filterOf(view, 'u1')
    expect(filter === undefined).toBe(view === 'all')
    if (view !== 'resolved') expect(filter?.status?.in ?? []).not.toContain('resolved')
  }
  expect(filterOf('mine', 'u1')?.assigneeId).toEqual({ equalTo: 'u1' })
})

it('keeps what is snoozed out of work to do, and what is due in two hours in what is about to be missed', () => {
  for (const view of ['mine', 'unassigned', 'open', 'pending', 'breaching'] as const) {
    expect(filterOf(view, 'u1')?.snoozedUntil).toEqual({ isNull: true })
  }
  expect(filterOf('breaching', 'u1', Date.parse('2026-03-01T10:00:42Z'))?.nextDueAt).toEqual({
    lessThan: '2026-03-01T12:00:00.000Z',
  })
})

it('breaks ties between priorities by the last change', () => {
  expect(orderOf('priority', 'descending')).toEqual(['PRIORITY_DESC', 'UPDATED_AT_DESC'])
  expect(orderOf('due', 'ascending')).toEqual(['NEXT_DUE_AT_ASC'])
})
