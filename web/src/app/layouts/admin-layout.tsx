import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'
import { AdministrationNavigation } from '../administration-navigation.tsx'

/** The column in which every page of the administration stands, inside the desk. */
export function Component() {
  const { t } = useTranslation()
  return (
    <>
      <nav aria-label={t('admin.navigation')} className="border-b border-border lg:hidden">
        <AdministrationNavigation look="row" />
      </nav>
      <div className="mx-auto flex w-full max-w-5xl flex-col gap-8 px-4 pt-6 pb-24 md:px-6 lg:pt-8">
        <Outlet />
      </div>
    </>
  )
}
