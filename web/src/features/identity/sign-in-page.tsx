import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { BrandLockup } from '../../components/brand.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Sunrise } from '../../components/sunrise.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { useSession, type SessionUser } from '../../lib/session.ts'
import { SignInForm } from './sign-in-form.tsx'

/** The same door in two frames: for those who ask and for those who answer. */
export function SignInPage({
  door,
  onSignedIn,
}: {
  door: 'portal' | 'desk'
  onSignedIn: (user: SessionUser) => void
}) {
  const { t } = useTranslation('identity')
  const session = useSession()
  const other = door === 'portal' ? 'desk' : 'portal'
  return (
    <div className="flex min-h-dvh flex-col overflow-x-clip bg-sky">
      <header className="flex h-16 items-center px-5 sm:px-8">
        <Link to="/" className="flex rounded-md">
          <BrandLockup />
        </Link>
      </header>
      <main id="content" className="relative z-10 flex flex-col items-center px-5 pt-[7dvh] pb-12">
        <div className="flex w-full max-w-sm flex-col gap-7">
          <div className="flex flex-col gap-1.5">
            <PageHeading title={t(`${door}Title`)} className="text-3xl">
              {t(`${door}Title`)}
            </PageHeading>
            <p className="text-muted">{t(`${door}Intro`)}</p>
          </div>
          {session.status === 'signed-out' && session.reason === 'expired' && (
            <InlineAlert tone="info">{t('expired')}</InlineAlert>
          )}
          <SignInForm onSignedIn={onSignedIn} />
          <p className="border-t border-border pt-5 text-sm text-muted">
            {t(`${door}Other`)}{' '}
            <Link
              to={`/${other}/login`}
              className="font-medium text-accent-text underline-offset-4 hover:underline"
            >
              {t(`${door}OtherLink`)}
            </Link>
          </p>
        </div>
      </main>
      <Sunrise view="far" className="mt-auto overflow-visible aspect-[3200/455] min-h-36 w-full shrink-0" />
    </div>
  )
}
