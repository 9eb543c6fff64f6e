import type { ReactNode } from 'react'

export type Status = 'new' | 'open' | 'pending' | 'on_hold' | 'resolved' | 'closed'

/**
 * A status as a moment of the sun's day, told apart by shape before colour: rising, at noon, half in shadow,
 * eclipsed, set and done, gone below the horizon.
 */
export function StatusGlyph({ status, className }: { status: Status; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={className ?? 'size-4 shrink-0'}
      fill="none"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      stroke="currentColor"
      aria-hidden="true"
    >
      {SHAPES[status]}
    </svg>
  )
}

const SHAPES: Record<Status, ReactNode> = {
  new: (
    <>
      <path d="M3.5 11a4.5 4.5 0 0 1 9 0z" fill="currentColor" stroke="none" />
      <path d="M1.5 13h13M8 2v1.25M3 4.25l.9.9M13 4.25l-.9.9" />
    </>
  ),
  open: <circle cx="8" cy="8" r="5.5" fill="currentColor" stroke="none" />,
  pending: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M8 2.75a5.25 5.25 0 0 0 0 10.5z" fill="currentColor" stroke="none" />
    </>
  ),
  on_hold: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M6.5 6v4M9.5 6v4" />
    </>
  ),
  resolved: (
    <>
      <circle cx="8" cy="8" r="6" fill="currentColor" stroke="none" />
      <path d="m5.4 8.2 1.8 1.8 3.4-3.7" className="stroke-surface" />
    </>
  ),
  closed: <path d="M1.5 8h13M4.5 11.5h7" />,
}
