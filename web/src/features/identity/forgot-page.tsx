import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { ButtonLink } from '../../components/button-link.tsx'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { signInPath, type Door } from '../../lib/doors.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { useSubmission } from '../../lib/submission.ts'
import { requestReset } from './account-links.ts'
import { DoorPage } from './door-page.tsx'
import { emailProblem } from './email.ts'
import { MailSent } from './mail-sent.tsx'

/** Asks for a mail with a link to a new password. */
export function ForgotPage({ door, slug }: { door: Door; slug: string | null }) {
  const { t } = useTranslation('identity')
  const [email, setEmail] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const [isSent, setIsSent] = useState(false)
  const emailInput = useRef<HTMLInputElement>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()
  const sendsMail = useSendsMail()
  const fault = emailProblem(email)

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return emailInput.current?.focus()
    void send(async () => {
      await requestReset(email.trim(), slug)
      setIsSent(true)
    })
  }

  if (!sendsMail) {
    return (
      <DoorPage title={t('forgot.title')} intro={t('forgot.noMail')} step="noMail">
        <ButtonLink to={signInPath(door, slug)} size="large" className="self-start">
          {t('backToSignIn')}
        </ButtonLink>
      </DoorPage>
    )
  }
  if (isSent) {
    return (
      <DoorPage title={t('mailSent.title')} step="sent">
        <MailSent signInPath={signInPath(door, slug)}>{t('forgot.sent', { email: email.trim() })}</MailSent>
      </DoorPage>
    )
  }
  return (
    <DoorPage
      title={t('forgot.title')}
      intro={t('forgot.intro')}
      step="ask"
      footer={
        <p>
          <TextLink to={signInPath(door, slug)}>{t('backToSignIn')}</TextLink>
        </p>
      }
    >
      <form onSubmit={submit} noValidate className="flex flex-col gap-5">
        {problem && <ProblemAlert problem={problem} />}
        <TextField
          label={t('email')}
          type="email"
          name="email"
          autoComplete="username"
          inputMode="email"
          value={email}
          onChange={setEmail}
          inputRef={emailInput}
          error={wasTried && fault ? t(`emailProblem.${fault}`) : null}
        />
        <Button type="submit" variant="primary" size="large" isPending={isSending} isDisabled={isWaiting}>
          {t('forgot.send')}
        </Button>
      </form>
    </DoorPage>
  )
}
