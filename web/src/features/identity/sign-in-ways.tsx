import { ArrowLeft, ArrowRight, BookUser, KeyRound } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { buttonClasses } from '../../components/button-classes.ts'
import { Button } from '../../components/button.tsx'
import type { ProblemCode } from '../../graphql/errors.ts'
import type { Admission } from '../../lib/sign-in.ts'
import { DirectoryForm } from './directory-form.tsx'
import { providerAddress, type LoginMethods, type LoginProvider } from './login-methods.ts'

export interface SignInWaysProps {
  methods: LoginMethods
  /** Where to go once one is in, for the way that leaves this page. */
  next: string
  onAdmitted: (admission: Admission) => void
  onRefused: (code: ProblemCode) => void
  /** The form for a password kept here. */
  children: ReactNode
}

/** The question has taken the place of the button that had the focus. */
function focus(element: HTMLElement | null) {
  element?.focus()
}

/** The ways in that an organization offers: its identity providers first, its directory, a password kept here. */
export function SignInWays({ methods, next, onAdmitted, onRefused, children }: SignInWaysProps) {
  const { t } = useTranslation('identity')
  const { providers, localLogin } = methods
  const [directory, setDirectory] = useState<LoginProvider | null>(null)
  const [wantsPassword, setWantsPassword] = useState(false)

  if (providers.length === 0) return children

  if (directory) {
    return (
      <section aria-labelledby="directory" className="flex flex-col gap-5">
        <h2 id="directory" ref={focus} tabIndex={-1} className="text-lg font-semibold">
          {t('provider.signIn', { name: directory.name })}
        </h2>
        <DirectoryForm provider={directory} onAdmitted={onAdmitted} onRefused={onRefused} />
        <Button variant="quiet" className="-ms-3.5 self-start" onPress={() => setDirectory(null)}>
          <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
          {t('provider.others')}
        </Button>
      </section>
    )
  }

  return (
    <div className="flex flex-col gap-6">
      <ul className="flex flex-col gap-2.5">
        {providers.map((provider) => (
          <li key={provider.id}>
            {provider.kind === 'oidc' ? (
              <a
                href={providerAddress(provider.id, next)}
                className={buttonClasses({ size: 'large' }, 'w-full justify-start! px-4! whitespace-normal!')}
              >
                <KeyRound className="size-5 shrink-0 text-muted" aria-hidden="true" />
                <span className="min-w-0 flex-1 truncate text-start">
                  {t('provider.signIn', { name: provider.name })}
                </span>
                <ArrowRight className="size-4 shrink-0 text-faint rtl:-scale-x-100" aria-hidden="true" />
              </a>
            ) : (
              <Button
                size="large"
                className="w-full justify-start! px-4!"
                onPress={() => setDirectory(provider)}
              >
                <BookUser className="size-5 shrink-0 text-muted" aria-hidden="true" />
                <span className="min-w-0 flex-1 truncate text-start">
                  {t('provider.signIn', { name: provider.name })}
                </span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      {localLogin || wantsPassword ? (
        <>
          <p className="flex items-center gap-3 text-sm text-muted before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
            {t(localLogin ? 'provider.or' : 'provider.emergency')}
          </p>
          {children}
        </>
      ) : (
        <Button variant="quiet" className="-ms-3.5 self-start" onPress={() => setWantsPassword(true)}>
          {t('provider.emergencyLink')}
        </Button>
      )}
    </div>
  )
}
