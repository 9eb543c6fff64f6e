import { CloudOff } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useConnection } from './connection.ts'

/** Says across the page that what is shown may be old. */
export function ConnectionBanner() {
  const { t } = useTranslation()
  const connection = useConnection()
  const isAway = connection === 'offline' || connection === 'lost'
  return (
    <div role="status">
      {isAway && (
        <p className="flex items-center justify-center gap-2 bg-warning-soft px-4 py-2 text-center text-sm text-warning-text">
          <CloudOff className="size-4 shrink-0" aria-hidden="true" />
          {t(`connection.${connection}`)}
        </p>
      )}
    </div>
  )
}
