import { Bell } from 'lucide-react'
import { useState } from 'react'
import { DialogTrigger } from 'react-aria-components/Dialog'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { Popover } from '../../components/popover.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { NotificationList } from './notification-list.tsx'
import { ReadAllButton } from './read-all-button.tsx'
import { useUnreadCount } from './use-notifications.ts'

/** The server counts no further than one more than this. */
const MOST = 99

export interface NotificationBellProps {
  place: 'desk' | 'portal'
  className?: string
}

/** How much is unread, and what it is when pressed. */
export function NotificationBell({ place, className }: NotificationBellProps) {
  const { t } = useTranslation('notifications')
  const unread = useUnreadCount() ?? 0
  const [isOpen, setIsOpen] = useState(false)
  const close = () => setIsOpen(false)
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setIsOpen}>
      <Button
        variant="quiet"
        isIconOnly
        aria-label={unread > MOST ? t('bellMany', { most: MOST }) : t('bell', { count: unread })}
        {...(className ? { className } : {})}
      >
        <Bell className="size-4.5" aria-hidden="true" />
        {unread > 0 && (
          <span
            aria-hidden="true"
            className="figures absolute -end-0.5 -top-0.5 grid h-4.5 min-w-4.5 place-items-center rounded-full border border-surface bg-danger px-1 text-[0.6875rem] leading-none font-semibold text-on-danger"
          >
            {unread > MOST ? `${MOST}+` : unread}
          </span>
        )}
      </Button>
      <Popover
        placement={place === 'desk' ? 'bottom start' : 'bottom end'}
        className="w-104"
        aria-label={t('title')}
      >
        <div className="-m-1 flex max-h-[min(40rem,80dvh)] flex-col">
          <div className="flex flex-wrap items-center justify-between gap-2 border-b border-border px-4 py-2.5">
            <h2 className="font-semibold">{t('title')}</h2>
            <ReadAllButton />
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto">
            <NotificationList show="all" heading="h3" onFollowed={close} />
          </div>
          <div className="flex flex-wrap justify-between gap-x-4 gap-y-1 border-t border-border px-4 py-2.5 text-sm">
            <TextLink to={`/${place}/notifications`} onClick={close}>
              {t('all')}
            </TextLink>
            <TextLink to={`/${place}/profile#notifications`} onClick={close}>
              {t('settings')}
            </TextLink>
          </div>
        </div>
      </Popover>
    </DialogTrigger>
  )
}
