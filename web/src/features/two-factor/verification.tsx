import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { CodeField } from '../../components/code-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { CODE_LENGTH } from '../../lib/one-time-code.ts'
import type { SessionUser } from '../../lib/session.ts'
import { passTwoFactor } from '../../lib/sign-in.ts'
import { useSubmission } from '../../lib/submission.ts'
import { tellCodesLeft } from './recovery-sign-in.ts'

export type VerificationWay = 'code' | 'recovery'

export interface VerificationProps {
  challenge: string
  /** By which way one gets on, for the words above. */
  onWay: (way: VerificationWay) => void
  onPassed: (user: SessionUser) => void
  /** The sign-in must begin anew. */
  onExpired: () => void
}

/** The second step of a sign-in: a code from the authenticator app or, when that is lost, a recovery code. */
export function Verification({ challenge, onWay, onPassed, onExpired }: VerificationProps) {
  const { t } = useTranslation('two-factor')
  const [way, setWay] = useState<VerificationWay>('code')
  const [code, setCode] = useState('')
  const [recoveryCode, setRecoveryCode] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const recoveryInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting, clear } = useSubmission()

  function pass(proof: { code: string } | { recoveryCode: string }) {
    void send(
      async () => {
        const user = await passTwoFactor(challenge, proof)
        if ('recoveryCode' in proof) tellCodesLeft()
        onPassed(user)
      },
      (refusal) => {
        if (refusal.code === 'CHALLENGE_EXPIRED') return onExpired()
        if (refusal.code === 'INVALID_CODE') setCode('')
        recoveryInput.current?.select()
      },
    )
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (way === 'code' && code.length === CODE_LENGTH) pass({ code })
    if (way === 'recovery' && recoveryCode.trim()) pass({ recoveryCode: recoveryCode.trim() })
  }

  function change(next: VerificationWay) {
    setWay(next)
    onWay(next)
    setWasTried(false)
    setCode('')
    setRecoveryCode('')
    clear()
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && <ProblemAlert problem={problem} />}
      {way === 'code' ? (
        <CodeField
          key="code"
          label={t('code')}
          description={t('codeHint')}
          value={code}
          onChange={(value) => {
            setCode(value)
            setWasTried(false)
          }}
          onComplete={(value) => pass({ code: value })}
          error={wasTried && !problem && code.length < CODE_LENGTH ? t('codeMissing') : null}
          takesFocus
        />
      ) : (
        <TextField
          key="recovery"
          label={t('recoveryCode')}
          description={t('recoveryCodeHint')}
          name="recovery-code"
          autoComplete="off"
          autoCorrect="off"
          spellCheck="false"
          // It has just taken the place of the field that had the focus.
          autoFocus
          value={recoveryCode}
          onChange={setRecoveryCode}
          inputRef={recoveryInput}
          error={wasTried && !recoveryCode.trim() ? t('recoveryCodeMissing') : null}
        />
      )}
      <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
        {t('goOn')}
      </Button>
      <Button
        variant="quiet"
        className="-ms-3.5 self-start"
        onPress={() => change(way === 'code' ? 'recovery' : 'code')}
      >
        {t(way === 'code' ? 'useRecoveryCode' : 'useCode')}
      </Button>
    </form>
  )
}
