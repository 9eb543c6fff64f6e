import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { StatusGlyph, type Status } from './status-glyph.tsx'

export const STATUS_INK: Record<Status, string> = {
  new: 'text-status-new',
  open: 'text-status-open',
  pending: 'text-status-pending',
  on_hold: 'text-status-on-hold',
  resolved: 'text-status-resolved',
  closed: 'text-status-closed',
}

const GROUNDS: Record<Status, string> = {
  new: 'bg-status-new-soft',
  open: 'bg-status-open-soft',
  pending: 'bg-status-pending-soft',
  on_hold: 'bg-status-on-hold-soft',
  resolved: 'bg-status-resolved-soft',
  closed: 'bg-status-closed-soft',
}

export interface StatusPillProps {
  status: Status
  /** The organization's own name for it; without one it is called as its kind is. */
  name?: string | null | undefined
  className?: string
}

/** Where a ticket stands. */
export function StatusPill({ status, name, className }: StatusPillProps) {
  const { t } = useTranslation('components')
  return (
    <span
      className={classNames(
        'inline-flex max-w-full items-center gap-1.5 align-middle rounded-full py-0.5 ps-1.5 pe-2.5 text-sm font-medium whitespace-nowrap',
        GROUNDS[status],
        STATUS_INK[status],
        className,
      )}
    >
      <StatusGlyph status={status} className="size-3.5 shrink-0" />
      <span className="truncate">{name ?? t(`status.${status}`)}</span>
    </span>
  )
}
