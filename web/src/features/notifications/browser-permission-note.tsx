import { MonitorCheck, MonitorX, MonitorDot } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { askBrowserPermission, browserPermission } from './browser-permission.ts'

/** Whether this browser shows notifications, and the way to let it. */
export function BrowserPermissionNote() {
  const { t } = useTranslation('notifications')
  const [permission, setPermission] = useState(browserPermission)
  const Sign = permission === 'granted' ? MonitorCheck : permission === 'default' ? MonitorDot : MonitorX
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-3 border-b border-border px-5 py-4">
      <Sign className="size-5 shrink-0 text-muted" aria-hidden="true" />
      <div className="min-w-0 flex-1 basis-56">
        <h3 className="text-sm font-semibold">{t('permission.title')}</h3>
        <p role="status" className="text-sm text-muted">
          {t(`permission.${permission}`)}
        </p>
      </div>
      {permission === 'default' && (
        <Button onPress={() => void askBrowserPermission().then(setPermission)}>{t('permission.ask')}</Button>
      )}
    </div>
  )
}
