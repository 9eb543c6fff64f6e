import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { useConnection, type Connection } from './connection.ts'

const WORDS = {
  connected: 'live',
  renewing: 'live',
  connecting: 'connecting',
  lost: 'reconnecting',
  offline: 'reconnecting',
} as const satisfies Record<Exclude<Connection, 'idle'>, string>

/** A small sun while changes arrive by themselves. */
export function LiveIndicator({ className }: { className?: string }) {
  const { t } = useTranslation()
  const connection = useConnection()
  if (connection === 'idle') return null
  const isLive = WORDS[connection] === 'live'
  return (
    <span className={classNames('inline-flex items-center gap-1.5 text-xs text-muted', className)}>
      <span
        aria-hidden="true"
        className={classNames('size-2 rounded-full', isLive ? 'bg-sun' : 'border border-border-strong')}
      />
      {t(`connection.${WORDS[connection]}`)}
    </span>
  )
}
