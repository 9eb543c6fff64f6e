import { CircleAlert, CircleCheck, Info } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

const TONES = {
  danger: { Sign: CircleAlert, look: 'bg-danger-soft text-danger-text' },
  info: { Sign: Info, look: 'bg-info-soft text-info-text' },
  success: { Sign: CircleCheck, look: 'bg-success-soft text-success-text' },
}

/** Trouble is no use below the fold, where whoever pressed a button far from it does not look. */
function reveal(element: HTMLElement | null) {
  element?.scrollIntoView({ block: 'nearest' })
}

/** A line of trouble or news inside a form, read out when it appears; trouble is brought into view. */
export function InlineAlert({
  tone = 'danger',
  children,
}: {
  tone?: keyof typeof TONES
  children: ReactNode
}) {
  const { Sign, look } = TONES[tone]
  return (
    <div
      role="alert"
      ref={tone === 'danger' ? reveal : null}
      className={classNames('flex scroll-my-24 items-start gap-2.5 rounded-md px-3 py-2.5 text-sm', look)}
    >
      <Sign className="mt-px size-4 shrink-0" aria-hidden="true" />
      <span>{children}</span>
    </div>
  )
}
