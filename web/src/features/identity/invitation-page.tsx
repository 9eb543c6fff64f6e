import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { NewPasswordField } from '../../components/new-password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { passwordRefusal } from '../../lib/password-refusal.ts'
import { passwordProblem } from '../../lib/password.ts'
import { useSubmission } from '../../lib/submission.ts'
import { AccountLinkPage } from './account-link-page.tsx'
import { acceptInvitation, type AccountLink } from './account-links.ts'
import type { CredentialsPageProps } from './reset-page.tsx'

/** The first visit of somebody who was invited, or registered: how they are called, and a password of their own. */
export function InvitationPage({ token, onSet }: CredentialsPageProps) {
  return (
    <AccountLinkPage page="invitation" token={token}>
      {(link) => <InvitationForm token={token ?? ''} link={link} onSet={onSet} />}
    </AccountLinkPage>
  )
}

function InvitationForm({
  token,
  link,
  onSet,
}: {
  token: string
  link: AccountLink
  onSet: CredentialsPageProps['onSet']
}) {
  const { t } = useTranslation('identity')
  const [name, setName] = useState(link.name)
  const [password, setPassword] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const nameInput = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()
  const isUnnamed = name.trim() === ''

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (isUnnamed) return nameInput.current?.focus()
    if (passwordProblem(password)) return passwordInput.current?.focus()
    void send(
      async () => {
        await acceptInvitation(token, name.trim(), password)
        await onSet({ email: link.email, password, organization: link.organization.slug })
      },
      (refusal) => passwordRefusal(refusal) && passwordInput.current?.focus(),
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && !passwordRefusal(problem) && <ProblemAlert problem={problem} />}
      <TextField
        label={t('email')}
        type="email"
        name="email"
        autoComplete="username"
        value={link.email}
        isReadOnly
        description={t('invitation.emailHint')}
      />
      <TextField
        label={t('name')}
        name="name"
        autoComplete="name"
        value={name}
        onChange={setName}
        inputRef={nameInput}
        error={wasTried && isUnnamed ? t('nameMissing') : null}
      />
      <NewPasswordField
        label={t('password')}
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
        {t(link.purpose === 'invitation' ? 'invitation.accept' : 'verification.accept')}
      </Button>
    </form>
  )
}
