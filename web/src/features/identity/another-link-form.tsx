import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { useSubmission } from '../../lib/submission.ts'
import { requestVerification } from './account-links.ts'
import { emailProblem } from './email.ts'

/** For those who registered themselves and came too late: the mail once more. */
export function AnotherLinkForm() {
  const { t } = useTranslation('identity')
  const [email, setEmail] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const [sentTo, setSentTo] = useState<string | null>(null)
  const emailInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()
  const fault = emailProblem(email)

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return emailInput.current?.focus()
    void send(async () => {
      await requestVerification(email.trim(), null)
      setSentTo(email.trim())
    })
  }

  if (sentTo !== null) {
    return <InlineAlert tone="success">{t('verification.sentAgain', { email: sentTo })}</InlineAlert>
  }
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      {problem && <ProblemAlert problem={problem} />}
      <TextField
        label={t('email')}
        description={t('verification.againHint')}
        type="email"
        name="email"
        autoComplete="username"
        inputMode="email"
        value={email}
        onChange={setEmail}
        inputRef={emailInput}
        error={wasTried && fault ? t(`emailProblem.${fault}`) : null}
      />
      <Button
        type="submit"
        variant="primary"
        size="large"
        className="self-start"
        isPending={isSending}
        isDisabled={isWaiting}
      >
        {t('verification.sendAgain')}
      </Button>
    </form>
  )
}
