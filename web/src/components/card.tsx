import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

/** A sheet that holds things which belong together. */
export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <div className={classNames('rounded-xl border border-border bg-surface shadow-card', className)}>
      {children}
    </div>
  )
}
