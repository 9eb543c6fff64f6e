import { ArrowRight, Inbox, LifeBuoy } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { BrandLockup } from '../../components/brand.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { Sunrise } from '../../components/sunrise.tsx'

const FACTS = [1, 2, 3, 4] as const

/** What ATUM Desk is, and its two doors. */
export function LandingPage() {
  const { t } = useTranslation('landing')
  return (
    <div className="flex min-h-dvh flex-col bg-sky">
      <header className="mx-auto flex h-18 w-full max-w-6xl items-center px-5 sm:px-8">
        <BrandLockup />
      </header>
      <main id="content" className="flex flex-1 flex-col overflow-x-clip">
        <div className="mx-auto flex w-full max-w-6xl flex-col items-center px-5 pt-8 text-center sm:px-8 sm:pt-14">
          <PageHeading title={t('title')} className="text-display whitespace-pre-line tracking-[-0.035em]">
            {t('hello')}
          </PageHeading>
          <p className="mt-5 max-w-[54ch] text-lg text-muted">{t('intro')}</p>
        </div>
        <nav
          aria-label={t('doors')}
          className="relative z-10 mx-auto mt-9 grid w-full max-w-3xl gap-3 px-5 sm:grid-cols-2 sm:px-8"
        >
          <Door
            to="/portal"
            sign={<LifeBuoy className="size-5" aria-hidden="true" />}
            title={t('getHelp')}
            isMain
          >
            {t('getHelpHint')}
          </Door>
          <Door to="/desk" sign={<Inbox className="size-5" aria-hidden="true" />} title={t('agents')}>
            {t('agentsHint')}
          </Door>
        </nav>
        <Sunrise
          view="near"
          className="-mt-14 overflow-visible h-72 min-h-72 w-full flex-1 sm:-mt-20 sm:h-96 sm:min-h-96"
        />
        <section aria-label={t('facts')} className="border-t border-border bg-surface">
          <dl className="mx-auto grid max-w-6xl gap-x-10 gap-y-8 px-5 py-14 sm:grid-cols-2 sm:px-8 lg:grid-cols-4">
            {FACTS.map((fact) => (
              <div key={fact} className="flex flex-col gap-1.5">
                <dt className="font-semibold">{t(`fact${fact}`)}</dt>
                <dd className="text-muted">{t(`fact${fact}Body`)}</dd>
              </div>
            ))}
          </dl>
        </section>
      </main>
      <footer className="bg-surface">
        <div className="mx-auto max-w-6xl px-5 sm:px-8">
          <p className="border-t border-border py-6 text-sm text-muted">{t('footer')}</p>
        </div>
      </footer>
    </div>
  )
}

interface DoorProps {
  to: string
  sign: ReactNode
  title: string
  isMain?: boolean
  children: string
}

function Door({ to, sign, title, isMain = false, children }: DoorProps) {
  return (
    <Link
      to={to}
      className={
        'group flex flex-col gap-1.5 rounded-xl border p-5 text-start shadow-raised transition-colors ' +
        (isMain
          ? 'border-accent bg-accent text-on-accent hover:bg-accent-hover'
          : 'border-border bg-surface hover:border-border-strong')
      }
    >
      <span className="flex items-center gap-2.5 text-lg font-semibold">
        {sign}
        {title}
        <ArrowRight
          className="ms-auto size-5 transition-transform group-hover:translate-x-0.5 rtl:-scale-x-100"
          aria-hidden="true"
        />
      </span>
      <span className={isMain ? 'text-sm' : 'text-sm text-muted'}>{children}</span>
    </Link>
  )
}
