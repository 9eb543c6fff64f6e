import { Building2, ChevronRight } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { RestError } from '../../lib/rest.ts'
import { signIn, type SessionUser } from '../../lib/session.ts'
import { organizationsOf, type OrganizationChoice } from './organization-choice.ts'

export interface SignInFormProps {
  onSignedIn: (user: SessionUser) => void
}

/** The question has taken the place of the button that had the focus. */
function focus(element: HTMLElement | null) {
  element?.focus()
}

/** Address and password; asks for the organization only when the address is known in several. */
export function SignInForm({ onSignedIn }: SignInFormProps) {
  const { t } = useTranslation(['identity', 'errors'])
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [isSending, setIsSending] = useState(false)
  const [wasTried, setWasTried] = useState(false)
  const [failure, setFailure] = useState<Error | null>(null)
  const [organizations, setOrganizations] = useState<OrganizationChoice[] | null>(null)
  const emailInput = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)

  const emailError = email.trim() === '' ? t('emailMissing') : /.@./.test(email) ? null : t('emailOdd')
  const passwordError = password === '' ? t('passwordMissing') : null

  async function send(organization?: string) {
    if (isSending) return
    setIsSending(true)
    setFailure(null)
    try {
      onSignedIn(await signIn(email.trim(), password, organization))
    } catch (error) {
      const choices =
        error instanceof RestError && error.code === 'ORGANIZATION_REQUIRED'
          ? organizationsOf(error.details)
          : []
      if (choices.length > 0) {
        setOrganizations(choices)
      } else {
        setFailure(error instanceof Error ? error : new Error(String(error)))
        setOrganizations(null)
      }
    } finally {
      setIsSending(false)
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (emailError) emailInput.current?.focus()
    else if (passwordError) passwordInput.current?.focus()
    else void send()
  }

  if (organizations) {
    return (
      <section aria-labelledby="choose-organization" className="flex flex-col gap-4">
        <div className="flex flex-col gap-1">
          <h2 id="choose-organization" ref={focus} tabIndex={-1} className="text-lg font-semibold">
            {t('chooseOrganization')}
          </h2>
          <p className="text-muted">{t('chooseOrganizationIntro', { email: email.trim() })}</p>
        </div>
        <ul className="flex flex-col gap-2">
          {organizations.map((organization) => (
            <li key={organization.slug}>
              <Button
                className="h-auto w-full justify-start px-3.5 py-3 text-base"
                isDisabled={isSending}
                onPress={() => void send(organization.slug)}
              >
                <Building2 className="size-5 text-muted" aria-hidden="true" />
                <span className="flex-1 truncate text-start">{organization.name}</span>
                <ChevronRight className="size-4 text-faint rtl:-scale-x-100" aria-hidden="true" />
              </Button>
            </li>
          ))}
        </ul>
        <Button variant="quiet" className="self-start" onPress={() => setOrganizations(null)}>
          {t('back')}
        </Button>
      </section>
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {failure && <InlineAlert>{t(`errors:${problemOf(failure).code}`)}</InlineAlert>}
      <TextField
        label={t('email')}
        type="email"
        name="email"
        autoComplete="username"
        inputMode="email"
        value={email}
        onChange={setEmail}
        inputRef={emailInput}
        error={wasTried ? emailError : null}
      />
      <TextField
        label={t('password')}
        type="password"
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        inputRef={passwordInput}
        error={wasTried ? passwordError : null}
      />
      <Button type="submit" variant="primary" size="large" isPending={isSending}>
        {t('signIn')}
      </Button>
    </form>
  )
}
