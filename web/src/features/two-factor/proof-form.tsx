import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { CodeField } from '../../components/code-field.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { CODE_LENGTH } from '../../lib/one-time-code.ts'
import { useSubmission } from '../../lib/submission.ts'
import { renewRecoveryCodes, turnOff } from './two-factor-requests.ts'

export interface ProofFormProps {
  /** What is done with the proof. */
  purpose: 'off' | 'codes'
  onOff: () => void
  onCodes: (codes: string[]) => void
  onCancel: () => void
}

/** Password and code once more, before the second factor is touched: somebody may have found an open desk. */
export function ProofForm({ purpose, onOff, onCodes, onCancel }: ProofFormProps) {
  const { t } = useTranslation('two-factor')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const passwordInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()
  const isWrong = problem?.code === 'INVALID_CREDENTIALS'

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (password === '') return passwordInput.current?.focus()
    if (code.length < CODE_LENGTH) return
    void send(
      async () => {
        if (purpose === 'codes') return onCodes(await renewRecoveryCodes(password, code))
        await turnOff(password, code)
        onOff()
      },
      (refusal) => {
        // A code is good once, whatever else was wrong.
        setCode('')
        if (refusal.code === 'INVALID_CREDENTIALS') passwordInput.current?.select()
      },
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex max-w-sm flex-col gap-5">
      <div className="flex flex-col gap-1">
        <h3 className="font-semibold">{t(`settings.proofTitle.${purpose}`)}</h3>
        <p className="text-sm text-muted">{t(`settings.proofIntro.${purpose}`)}</p>
      </div>
      {problem && !isWrong && <ProblemAlert problem={problem} />}
      <PasswordField
        label={t('settings.password')}
        autoComplete="current-password"
        value={password}
        onChange={(value) => {
          setPassword(value)
          if (isWrong) clear()
        }}
        inputRef={passwordInput}
        error={
          isWrong
            ? t('settings.credentials')
            : wasTried && password === ''
              ? t('settings.passwordMissing')
              : null
        }
      />
      <CodeField
        label={t('code')}
        value={code}
        onChange={setCode}
        error={wasTried && !problem && password !== '' && code.length < CODE_LENGTH ? t('codeMissing') : null}
      />
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          variant={purpose === 'off' ? 'danger' : 'primary'}
          isPending={isSending}
          isDisabled={isWaiting}
        >
          {t(purpose === 'off' ? 'settings.turnOff' : 'settings.newCodes')}
        </Button>
        <Button variant="quiet" onPress={onCancel}>
          {t('settings.cancel')}
        </Button>
      </div>
    </form>
  )
}
