import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import type { ProblemCode } from '../../graphql/errors.ts'
import { signInByDirectory, type Admission } from '../../lib/sign-in.ts'
import { useSubmission } from '../../lib/submission.ts'
import type { LoginProvider } from './login-methods.ts'

export interface DirectoryFormProps {
  provider: LoginProvider
  onAdmitted: (admission: Admission) => void
  /** The form says it itself; the page leaves out what it said before. */
  onRefused: (code: ProblemCode) => void
}

/** Name and password as the organization's directory knows them; they are checked there and not kept here. */
export function DirectoryForm({ provider, onAdmitted, onRefused }: DirectoryFormProps) {
  const { t } = useTranslation('identity')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const usernameInput = useRef<HTMLInputElement>(null)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()
  const isUnnamed = username.trim() === ''

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (isUnnamed) return usernameInput.current?.focus()
    if (password === '') return passwordInput.current?.focus()
    void send(
      async () => onAdmitted(await signInByDirectory(provider.id, username.trim(), password)),
      ({ code }) => {
        onRefused(code)
        passwordInput.current?.select()
      },
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && <ProblemAlert problem={problem} />}
      <TextField
        label={t('directory.username')}
        description={t('directory.usernameHint', { name: provider.name })}
        name="username"
        autoComplete="username"
        autoCorrect="off"
        spellCheck="false"
        value={username}
        onChange={setUsername}
        inputRef={usernameInput}
        error={wasTried && isUnnamed ? t('directory.usernameMissing') : null}
      />
      <PasswordField
        label={t('password')}
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        inputRef={passwordInput}
        error={wasTried && password === '' ? t('passwordMissing') : null}
      />
      <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
        {t('signIn')}
      </Button>
    </form>
  )
}
