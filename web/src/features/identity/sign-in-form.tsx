import { Building2, ChevronRight } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import type { ProblemCode } from '../../graphql/errors.ts'
import { RestError } from '../../lib/rest.ts'
import { signIn, type Admission } from '../../lib/sign-in.ts'
import { useSubmission } from '../../lib/submission.ts'
import { emailProblem } from './email.ts'
import { hasKeyboard } from '../../lib/keyboard.ts'
import { organizationsOf, type OrganizationChoice } from './organization-choice.ts'

export interface SignInFormProps {
  /** Where the page is an organization's own: only its people get in. */
  organization: string | null
  forgotPath: string
  /** The address that is known already, from the page one comes from. */
  email?: string | undefined
  onAdmitted: (admission: Admission) => void
  /** The form says it itself; the page leaves out what it said before. */
  onRefused: (code: ProblemCode) => void
}

/** The question has taken the place of the button that had the focus. */
function focus(element: HTMLElement | null) {
  element?.focus()
}

/** Address and password; asks for the organization only when the address is known in several. */
export function SignInForm(props: SignInFormProps) {
  const { organization, forgotPath, email: knownEmail, onAdmitted, onRefused } = props
  const { t } = useTranslation('identity')
  const [email, setEmail] = useState(knownEmail ?? '')
  const [password, setPassword] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const [organizations, setOrganizations] = useState<OrganizationChoice[] | null>(null)
  const emailInput = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()
  const emailFault = emailProblem(email)

  const enter = (slug: string | null) =>
    send(
      async () => onAdmitted(await signIn(email.trim(), password, slug ?? undefined)),
      ({ code }, error) => {
        onRefused(code)
        const choices =
          error instanceof RestError && error.code === 'ORGANIZATION_REQUIRED'
            ? organizationsOf(error.details)
            : []
        setOrganizations(choices.length > 0 ? choices : null)
        if (choices.length > 0) clear()
        else passwordInput.current?.select()
      },
    )

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (emailFault) emailInput.current?.focus()
    else if (password === '') passwordInput.current?.focus()
    else void enter(organization)
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
          {organizations.map((choice) => (
            <li key={choice.slug}>
              <Button
                className="h-auto w-full justify-start px-3.5 py-3 text-base"
                isDisabled={isSending}
                onPress={() => void enter(choice.slug)}
              >
                <Building2 className="size-5 text-muted" aria-hidden="true" />
                <span className="flex-1 truncate text-start">{choice.name}</span>
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
      {problem && <ProblemAlert problem={problem} />}
      <TextField
        label={t('email')}
        type="email"
        name="email"
        autoComplete="username"
        inputMode="email"
        autoFocus={!knownEmail && hasKeyboard()}
        value={email}
        onChange={setEmail}
        inputRef={emailInput}
        error={wasTried && emailFault ? t(`emailProblem.${emailFault}`) : null}
      />
      <PasswordField
        label={t('password')}
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        inputRef={passwordInput}
        error={wasTried && password === '' ? t('passwordMissing') : null}
      />
      <div className="flex flex-col gap-4">
        <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
          {t('signIn')}
        </Button>
        <TextLink to={forgotPath} className="self-start text-sm">
          {t('forgot.link')}
        </TextLink>
      </div>
    </form>
  )
}
