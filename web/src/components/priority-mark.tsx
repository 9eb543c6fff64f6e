import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'

export type Priority = 'low' | 'normal' | 'high' | 'urgent'

const INK: Record<Priority, string> = {
  low: 'text-priority-low',
  normal: 'text-priority-normal',
  high: 'text-priority-high',
  urgent: 'text-priority-urgent',
}

const STEPS: Record<Priority, number> = { low: 1, normal: 2, high: 3, urgent: 4 }

/** The steps of the mound, as many as it presses. */
export function PriorityGlyph({ priority, className }: { priority: Priority; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={classNames('shrink-0', INK[priority], className ?? 'size-4')}
      aria-hidden="true"
    >
      {[0, 1, 2, 3].map((step) => (
        <rect
          key={step}
          x={1 + step * 3.75}
          y={10.5 - step * 2.75}
          width="2.75"
          height={4 + step * 2.75}
          rx="1"
          fill="currentColor"
          opacity={step < STEPS[priority] ? 1 : 0.22}
        />
      ))}
    </svg>
  )
}

/** How urgent a ticket is. */
export function PriorityMark({ priority, className }: { priority: Priority; className?: string }) {
  const { t } = useTranslation('components')
  return (
    <span
      className={classNames(
        'inline-flex items-center gap-1.5 align-middle text-sm whitespace-nowrap',
        priority === 'urgent' ? 'font-medium text-priority-urgent' : 'text-text',
        className,
      )}
    >
      <PriorityGlyph priority={priority} className="size-3.5" />
      {t(`priority.${priority}`)}
    </span>
  )
}
