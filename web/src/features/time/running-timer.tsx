import { Square, Timer } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Button } from '../../components/button.tsx'
import { classNames } from '../../lib/class-names.ts'
import { useNow } from '../../lib/clock.ts'
import { tickingClock } from '../../lib/duration.ts'
import { useTimer } from './timer.ts'

/** The timer that runs, wherever one is in the desk; nothing where none does. */
export function RunningTimer({ className }: { className?: string }) {
  const { t } = useTranslation('time')
  const { timer, stop, isBusy } = useTimer()
  if (!timer) return null
  const reference = timer.ticket?.reference ?? ''
  return (
    <section
      aria-label={t('timer.running')}
      className={classNames(
        'flex min-w-0 items-center gap-1 rounded-lg border border-border bg-surface ps-2.5 pe-1 text-sm',
        className,
      )}
    >
      <Link
        to={timer.ticket ? `/desk/tickets/${timer.ticket.number}` : '/desk'}
        title={timer.ticket?.subject}
        className="flex min-h-9 min-w-0 flex-1 items-center gap-2 rounded-sm"
      >
        <Timer className="size-4 shrink-0 text-accent-text" aria-hidden="true" />
        <span className="truncate">{reference}</span>
        <TickingClock since={timer.startedAt} />
      </Link>
      <Button
        variant="quiet"
        size="small"
        isIconOnly
        aria-label={t('timer.stopOn', { ticket: reference })}
        isPending={isBusy}
        onPress={() => void stop()}
      >
        <Square className="size-3.5 fill-current" aria-hidden="true" />
      </Button>
    </section>
  )
}

/** How long a timer runs, every second; not read out each time. */
export function TickingClock({ since, className }: { since: string; className?: string }) {
  const now = useNow('second')
  return (
    <span role="timer" aria-live="off" className={classNames('figures ms-auto', className)}>
      {tickingClock((now - Date.parse(since)) / 1000)}
    </span>
  )
}
