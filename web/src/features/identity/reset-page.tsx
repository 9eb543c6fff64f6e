import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { NewPasswordField } from '../../components/new-password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { passwordRefusal } from '../../lib/password-refusal.ts'
import { passwordProblem } from '../../lib/password.ts'
import { useSubmission } from '../../lib/submission.ts'
import { AccountLinkPage } from './account-link-page.tsx'
import { resetPassword, type AccountLink } from './account-links.ts'

/** What one can sign in with from now on. */
export interface Credentials {
  email: string
  password: string
  organization: string
}

export interface CredentialsPageProps {
  token: string | null
  /** Called with what was just set, to sign in with it; the form stays busy until that is done. */
  onSet: (credentials: Credentials) => Promise<void>
}

/** A new password in place of a forgotten one. */
export function ResetPage({ token, onSet }: CredentialsPageProps) {
  return (
    <AccountLinkPage page="reset" token={token}>
      {(link) => <ResetForm token={token ?? ''} link={link} onSet={onSet} />}
    </AccountLinkPage>
  )
}

function ResetForm({
  token,
  link,
  onSet,
}: {
  token: string
  link: AccountLink
  onSet: CredentialsPageProps['onSet']
}) {
  const { t } = useTranslation('identity')
  const [password, setPassword] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (passwordProblem(password)) return passwordInput.current?.focus()
    void send(
      async () => {
        await resetPassword(token, password)
        await onSet({ email: link.email, password, organization: link.organization.slug })
      },
      () => passwordInput.current?.focus(),
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && !passwordRefusal(problem) && <ProblemAlert problem={problem} />}
      {/* Password managers keep the new password under this name. */}
      <input hidden type="email" name="email" autoComplete="username" value={link.email} readOnly />
      <NewPasswordField
        label={t('newPassword')}
        value={password}
        onChange={(value) => {
          setPassword(value)
          if (problem) clear()
        }}
        problem={problem}
        wasTried={wasTried}
        inputRef={passwordInput}
      />
      <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
        {t('reset.set')}
      </Button>
    </form>
  )
}
