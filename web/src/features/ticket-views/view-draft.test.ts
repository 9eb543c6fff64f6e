import { expect, it } from 'vitest'
import { NO_CONDITIONS, readConditions, writeConditions } from './view-draft.ts'

it('keeps what it has no field for', () => {
  const conditions = {
    all: [
      { field: 'status', operator: 'is', value: ['open'] },
      { field: 'subject', operator: 'contains', value: 'VPN' },
      { field: 'assignee_id', operator: 'is', value: ['00000000-0000-0000-0000-000000000001'] },
    ],
    any: [{ field: 'channel', operator: 'is', value: 'desk' }],
  }
  expect(writeConditions(readConditions(conditions))).toEqual(conditions)
  expect(readConditions(null)).toEqual({ ...NO_CONDITIONS, statuses: [] })
})

it('writes what it reads', () => {
  const draft = {
    ...NO_CONDITIONS,
    statuses: ['new' as const, 'pending' as const],
    leastPriority: 'high' as const,
    assignee: 'nobody' as const,
    teamId: '00000000-0000-0000-0000-000000000001',
    tags: 'vpn, new office',
    onlyBreached: true,
  }
  expect(readConditions(writeConditions(draft))).toEqual(draft)
  expect(readConditions(writeConditions({ ...draft, assignee: 'me' })).assignee).toBe('me')
  expect(writeConditions({ ...NO_CONDITIONS, statuses: [], tags: ' , ' })).toEqual({})
})
