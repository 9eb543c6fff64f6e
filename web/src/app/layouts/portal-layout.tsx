import { Plus, Search } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useMatch } from 'react-router'
import { BrandLockup } from '../../components/brand.tsx'
import { ButtonLink } from '../../components/button-link.tsx'
import { Notices } from '../../components/toast.tsx'
import { NotificationBell } from '../../features/notifications/notification-bell.tsx'
import { NotificationWatch } from '../../features/notifications/notification-watch.tsx'
import { CodesLeftNotice } from '../../features/two-factor/codes-left-notice.tsx'
import { ApiProvider } from '../../graphql/api-provider.tsx'
import { useSession } from '../../lib/session.ts'
import { AccountMenu } from '../account-menu.tsx'
import { AriaProviders } from '../aria-providers.tsx'
import { ConnectionBanner } from '../connection-banner.tsx'

/** The frame around what a customer sees. */
export function Component() {
  const { t } = useTranslation()
  const session = useSession()
  const isWriting = useMatch('/portal/new') !== null
  // Between signing out and the redirect there is nobody to draw this for.
  if (session.status !== 'signed-in') return null
  return (
    <AriaProviders>
      <ApiProvider>
        <div className="flex min-h-dvh flex-col">
          <header className="sticky top-0 z-30 border-b border-border bg-surface">
            <div className="mx-auto flex h-15 max-w-5xl items-center gap-2 px-3.5 sm:gap-3 sm:px-6">
              <Link to="/portal" aria-label={t('portal.home')} className="flex rounded-md">
                <BrandLockup />
              </Link>
              <span className="hidden truncate border-s border-border ps-3 text-sm text-muted sm:block">
                {session.user.organization.name}
              </span>
              <nav
                aria-label={t('portal.navigation')}
                className="ms-auto flex items-center gap-0.5 sm:gap-1.5"
              >
                <ButtonLink to="/portal/search" variant="quiet" isIconOnly aria-label={t('portal.search')}>
                  <Search className="size-4" aria-hidden="true" />
                </ButtonLink>
                {!isWriting && (
                  <ButtonLink to="/portal/new" variant="primary" aria-label={t('portal.newRequest')}>
                    <Plus className="size-4" aria-hidden="true" />
                    <span className="hidden sm:inline">{t('portal.newRequest')}</span>
                  </ButtonLink>
                )}
                <NotificationBell place="portal" />
                <AccountMenu place="portal" />
              </nav>
            </div>
            <ConnectionBanner />
          </header>
          <main id="content" className="mx-auto w-full max-w-5xl flex-1 px-4 pt-8 pb-20 sm:px-6">
            <Outlet />
          </main>
        </div>
        <NotificationWatch />
        <CodesLeftNotice profilePath="/portal/profile" />
        <Notices place="margin" />
      </ApiProvider>
    </AriaProviders>
  )
}
