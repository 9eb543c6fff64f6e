import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { NewPasswordField } from '../../components/new-password-field.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { notify } from '../../components/toast.tsx'
import { postAuthorized } from '../../lib/authorized-post.ts'
import { passwordRefusal } from '../../lib/password-refusal.ts'
import { passwordProblem } from '../../lib/password.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'

/** Changes the password kept here. Every other session of the person ends. */
export function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const { t } = useTranslation('profile')
  const { email } = useSessionUser()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const currentInput = useRef<HTMLInputElement>(null)
  const nextInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()
  const isWrong = problem?.code === 'INVALID_CREDENTIALS'

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (current === '') return currentInput.current?.focus()
    if (passwordProblem(next)) return nextInput.current?.focus()
    void send(
      async () => {
        await postAuthorized('/auth/password', { currentPassword: current, newPassword: next })
        setCurrent('')
        setNext('')
        setWasTried(false)
        notify({ tone: 'success', title: t('password.changed') })
        onChanged()
      },
      (refusal) => {
        if (refusal.code === 'INVALID_CREDENTIALS') currentInput.current?.select()
        else if (passwordRefusal(refusal)) nextInput.current?.focus()
      },
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex max-w-lg flex-col gap-5 p-5">
      {problem && !isWrong && !passwordRefusal(problem) && <ProblemAlert problem={problem} />}
      {/* Password managers keep the new password under this name. */}
      <input hidden type="email" name="email" autoComplete="username" value={email} readOnly />
      <PasswordField
        label={t('password.current')}
        autoComplete="current-password"
        name="current-password"
        value={current}
        onChange={(value) => {
          setCurrent(value)
          if (isWrong) clear()
        }}
        inputRef={currentInput}
        error={
          isWrong ? t('password.wrong') : wasTried && current === '' ? t('password.currentMissing') : null
        }
      />
      <NewPasswordField
        label={t('password.new')}
        value={next}
        onChange={(value) => {
          setNext(value)
          if (passwordRefusal(problem)) clear()
        }}
        problem={problem}
        wasTried={wasTried}
        inputRef={nextInput}
      />
      <Button type="submit" className="self-start" isPending={isSending} isDisabled={isWaiting}>
        {t('password.change')}
      </Button>
    </form>
  )
}
