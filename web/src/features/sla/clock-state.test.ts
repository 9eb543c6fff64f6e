import { describe, expect, it } from 'vitest'
import { clockProgress, clockState, type Clock } from './clock-state.ts'

const at = (time: string) => `2026-03-02T${time}:00Z`
const now = (time: string) => Date.parse(at(time))
const clock = (part: Partial<Clock> = {}): Clock => ({
  startedAt: at('10:00'),
  dueAt: at('12:00'),
  metAt: null,
  breachedAt: null,
  pausedAt: null,
  ...part,
})

describe('clockState', () => {
  it('breaches at the due instant, before the server has said so', () => {
    expect(clockState(clock(), now('11:59'))).toBe('running')
    expect(clockState(clock(), now('12:00'))).toBe('breached')
  })

  it('does not breach while it is paused', () => {
    expect(clockState(clock({ pausedAt: at('11:00') }), now('13:00'))).toBe('paused')
  })

  it('calls a target that was met afterwards missed', () => {
    expect(clockState(clock({ metAt: at('11:00') }), now('13:00'))).toBe('met')
    expect(clockState(clock({ metAt: at('12:30') }), now('13:00'))).toBe('missed')
    expect(clockState(clock({ metAt: at('11:00'), breachedAt: at('10:30') }), now('13:00'))).toBe('missed')
  })
})

it.each([
  [clock(), '11:00', 0.5],
  [clock(), '14:00', 1],
  [clock({ pausedAt: at('10:30') }), '11:30', 0.25],
  [clock({ metAt: at('11:30') }), '14:00', 0.75],
  [clock({ dueAt: null }), '11:00', 0],
  [clock({ dueAt: at('09:00') }), '11:00', 1],
])('fills the bar of case %#', (subject, time, progress) => {
  expect(clockProgress(subject, now(time))).toBeCloseTo(progress)
})
