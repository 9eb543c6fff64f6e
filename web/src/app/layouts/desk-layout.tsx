import {
  ChartNoAxesColumn,
  type LucideIcon,
  Menu as MenuSign,
  Search,
  Settings,
  Smile,
  TextQuote,
} from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useMatch, useNavigate } from 'react-router'
import { BrandLockup } from '../../components/brand.tsx'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Notices } from '../../components/toast.tsx'
import { NotificationBell } from '../../features/notifications/notification-bell.tsx'
import { NotificationWatch } from '../../features/notifications/notification-watch.tsx'
import { ViewNavigation } from '../../features/ticket-views/view-navigation.tsx'
import { InboxNavigation } from '../../features/tickets/inbox-navigation.tsx'
import { RunningTimer } from '../../features/time/running-timer.tsx'
import { CodesLeftNotice } from '../../features/two-factor/codes-left-notice.tsx'
import { ApiProvider } from '../../graphql/api-provider.tsx'
import { classNames } from '../../lib/class-names.ts'
import { useSession, useSessionUser } from '../../lib/session.ts'
import { useShortcutKeys, useShortcuts } from '../../lib/shortcuts.ts'
import { AccountMenu } from '../account-menu.tsx'
import { AdministrationNavigation } from '../administration-navigation.tsx'
import { AriaProviders } from '../aria-providers.tsx'
import { ConnectionBanner } from '../connection-banner.tsx'
import { LiveIndicator } from '../live-indicator.tsx'
import { ShortcutHelp } from '../shortcut-help.tsx'

/** The frame around what the team sees: a sidebar where there is room, a drawer where there is not. */
export function Component() {
  const session = useSession()
  if (session.status !== 'signed-in') return null
  return (
    <AriaProviders>
      <ApiProvider>
        <Desk />
        <NotificationWatch />
        <CodesLeftNotice profilePath="/desk/profile" />
        <Notices place="sidebar" />
      </ApiProvider>
    </AriaProviders>
  )
}

function Desk() {
  const { t } = useTranslation(['app', 'notifications'])
  const navigate = useNavigate()
  const [isHelpOpen, setIsHelpOpen] = useState(false)
  const [isDrawerOpen, setIsDrawerOpen] = useState(false)
  const showHelp = () => setIsHelpOpen(true)
  useShortcutKeys()
  useShortcuts([
    { key: '?', label: t('shortcuts.help'), run: showHelp },
    { key: 'g', label: t('desk.toInbox'), run: () => void navigate('/desk') },
    { key: '/', label: t('desk.search'), run: () => void navigate('/desk/search') },
    { key: 'i', label: t('notifications:open'), run: () => void navigate('/desk/notifications') },
  ])
  return (
    <div className="flex min-h-dvh flex-col lg:flex-row">
      <header className="sticky top-0 hidden h-dvh w-60 shrink-0 flex-col border-e border-border bg-sunken lg:flex 2xl:w-68">
        <div className="flex h-15 items-center px-4">
          <Link to="/desk" aria-label={t('desk.home')} className="flex rounded-md">
            <BrandLockup />
          </Link>
          <NotificationBell place="desk" className="ms-auto -me-1" />
        </div>
        <nav aria-label={t('desk.navigation')} className="flex-1 overflow-y-auto px-2.5 py-2">
          <DeskNavigation />
        </nav>
        <RunningTimer className="mx-2.5 mb-2" />
        <LiveIndicator className="px-5 pb-2" />
        <div className="border-t border-border p-2.5">
          <AccountMenu place="desk" onShowShortcuts={showHelp} />
        </div>
      </header>
      <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b border-border bg-sunken px-3 lg:hidden">
        <Button variant="quiet" isIconOnly aria-label={t('desk.menu')} onPress={() => setIsDrawerOpen(true)}>
          <MenuSign className="size-5" aria-hidden="true" />
        </Button>
        <Link to="/desk" aria-label={t('desk.home')} className="flex rounded-md">
          <BrandLockup />
        </Link>
        <div className="ms-auto flex min-w-0 items-center gap-2">
          <RunningTimer />
          <LiveIndicator />
          <NotificationBell place="desk" />
        </div>
      </header>
      <div className="flex min-w-0 flex-1 flex-col">
        <ConnectionBanner />
        <main id="content" className="flex min-w-0 flex-1 flex-col">
          <Outlet />
        </main>
      </div>
      <Dialog
        title={t('desk.menu')}
        placement="side"
        isOpen={isDrawerOpen}
        onClose={() => setIsDrawerOpen(false)}
      >
        <nav aria-label={t('desk.navigation')}>
          <DeskNavigation onNavigate={() => setIsDrawerOpen(false)} />
        </nav>
        <div className="border-t border-border pt-3">
          <AccountMenu place="desk" onNavigate={() => setIsDrawerOpen(false)} />
        </div>
      </Dialog>
      <ShortcutHelp isOpen={isHelpOpen} onClose={() => setIsHelpOpen(false)} />
    </div>
  )
}

/** The inbox's filters and, for admins, the way to the administration, whose pages then stand here instead. */
function DeskNavigation({ onNavigate }: { onNavigate?: () => void }) {
  const { t } = useTranslation()
  const { role } = useSessionUser()
  const isAdministration = useMatch('/desk/admin/*') !== null
  const handed = onNavigate ? { onNavigate } : {}
  if (isAdministration) return <AdministrationNavigation {...handed} />
  return (
    <>
      <NavigationLink to="/desk/search" sign={Search} className="mb-2" {...handed}>
        {t('desk.search')}
      </NavigationLink>
      <InboxNavigation {...handed} />
      <ViewNavigation {...handed} />
      <NavigationLink to="/desk/prepared" sign={TextQuote} className="mt-4" {...handed}>
        {t('desk.prepared')}
      </NavigationLink>
      {(role === 'manager' || role === 'admin') && (
        <>
          <NavigationLink to="/desk/time" sign={ChartNoAxesColumn} {...handed}>
            {t('desk.timeReport')}
          </NavigationLink>
          <NavigationLink to="/desk/satisfaction" sign={Smile} {...handed}>
            {t('desk.satisfaction')}
          </NavigationLink>
        </>
      )}
      {role === 'admin' && (
        <NavigationLink to="/desk/admin" sign={Settings} {...handed}>
          {t('admin.open')}
        </NavigationLink>
      )}
    </>
  )
}

interface NavigationLinkProps {
  to: string
  sign: LucideIcon
  className?: string
  onNavigate?: () => void
  children: string
}

function NavigationLink({ to, sign: Sign, className, onNavigate, children }: NavigationLinkProps) {
  const isCurrent = useMatch(to) !== null
  return (
    <Link
      to={to}
      aria-current={isCurrent ? 'page' : undefined}
      {...(onNavigate ? { onClick: onNavigate } : {})}
      className={classNames(
        'flex min-h-9 items-center gap-2.5 rounded-md px-2.5 text-sm transition-colors pointer-coarse:min-h-11',
        isCurrent ? 'bg-selected font-semibold text-accent-text' : 'hover:bg-hover',
        className,
      )}
    >
      <Sign className="size-4 text-muted" aria-hidden="true" />
      {children}
    </Link>
  )
}
