import { CircleAlert, Info } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

/** A line of trouble or news inside a form, read out when it appears. */
export function InlineAlert({
  tone = 'danger',
  children,
}: {
  tone?: 'danger' | 'info'
  children: ReactNode
}) {
  const Sign = tone === 'danger' ? CircleAlert : Info
  return (
    <div
      role="alert"
      className={classNames(
        'flex items-start gap-2.5 rounded-md px-3 py-2.5 text-sm',
        tone === 'danger' ? 'bg-danger-soft text-danger-text' : 'bg-info-soft text-info-text',
      )}
    >
      <Sign className="mt-px size-4 shrink-0" aria-hidden="true" />
      <span>{children}</span>
    </div>
  )
}
