import type { LucideIcon } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'

const TONES = {
  neutral: 'bg-sunken text-muted',
  accent: 'bg-accent-soft text-accent-text',
  info: 'bg-info-soft text-info-text',
  success: 'bg-success-soft text-success-text',
  warning: 'bg-warning-soft text-warning-text',
  danger: 'bg-danger-soft text-danger-text',
}

export interface PillProps {
  tone: keyof typeof TONES
  /** Decorative: the words say it all. */
  sign?: LucideIcon
  children: string
  className?: string
}

/** A word or two about how something stands. */
export function Pill({ tone, sign: Sign, children, className }: PillProps) {
  return (
    <span
      className={classNames(
        'inline-flex items-center gap-1.5 rounded-full py-0.5 align-middle text-sm font-medium whitespace-nowrap',
        Sign ? 'ps-2 pe-2.5' : 'px-2.5',
        TONES[tone],
        className,
      )}
    >
      {Sign && <Sign className="size-3.5 shrink-0" aria-hidden="true" />}
      {children}
    </span>
  )
}
