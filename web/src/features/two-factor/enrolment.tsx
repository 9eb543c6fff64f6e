import { useState, type FormEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { CodeField } from '../../components/code-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { QrCode } from '../../components/qr-code.tsx'
import { SecretText } from '../../components/secret-text.tsx'
import { CODE_LENGTH } from '../../lib/one-time-code.ts'
import { useSubmission } from '../../lib/submission.ts'
import type { Enrolment } from './two-factor-requests.ts'

export interface EnrolmentFormProps {
  enrolment: Enrolment
  /** Confirms a code; throws a RestError when it is refused. */
  confirm: (code: string) => Promise<void>
  onExpired?: () => void
  /** Another way out, beside the button. */
  cancel?: ReactNode
  /** Below which heading of the page it stands. */
  headings?: 'h2' | 'h3'
}

/** Puts the secret into an authenticator app, by camera or by hand, and proves it with a code. */
export function EnrolmentForm(props: EnrolmentFormProps) {
  const { enrolment, confirm, onExpired, cancel, headings = 'h2' } = props
  const { t } = useTranslation('two-factor')
  const [code, setCode] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const { send, isSending, problem, isWaiting } = useSubmission()

  function prove(complete: string) {
    void send(
      () => confirm(complete),
      (refusal) => {
        if (refusal.code === 'CHALLENGE_EXPIRED') onExpired?.()
        if (refusal.code === 'INVALID_CODE') setCode('')
      },
    )
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (code.length === CODE_LENGTH) prove(code)
  }

  return (
    <form onSubmit={submit} noValidate>
      <ol className="flex flex-col gap-7">
        <Step number={1} heading={headings} title={t('enrol.scan')}>
          <div className="flex flex-col gap-5 sm:flex-row sm:items-center">
            <QrCode
              text={enrolment.uri}
              label={t('enrol.qr')}
              className="size-48 shrink-0 self-center rounded-lg border border-border"
            />
            <div className="flex min-w-0 flex-col gap-2">
              <p className="text-sm text-muted">{t('enrol.scanHint')}</p>
              <p className="text-sm text-muted">{t('enrol.byHand')}</p>
              <SecretText copyLabel={t('enrol.copySecret')} group={4}>
                {enrolment.secret}
              </SecretText>
            </div>
          </div>
        </Step>
        <Step number={2} heading={headings} title={t('enrol.prove')}>
          <div className="flex max-w-xs flex-col gap-5">
            {problem && <ProblemAlert problem={problem} />}
            <CodeField
              label={t('code')}
              description={t('enrol.proveHint')}
              value={code}
              onChange={(value) => {
                setCode(value)
                setWasTried(false)
              }}
              onComplete={prove}
              error={wasTried && !problem && code.length < CODE_LENGTH ? t('codeMissing') : null}
            />
            <div className="flex flex-wrap gap-2">
              <Button
                type="submit"
                variant="primary"
                size="large"
                isPending={isSending}
                isDisabled={isWaiting}
              >
                {t('enrol.confirm')}
              </Button>
              {cancel}
            </div>
          </div>
        </Step>
      </ol>
    </form>
  )
}

interface StepProps {
  number: number
  heading: 'h2' | 'h3'
  title: string
  children: ReactNode
}

function Step({ number, heading: Heading, title, children }: StepProps) {
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3.5 gap-y-4">
      <span
        aria-hidden="true"
        className="grid size-7 place-items-center rounded-full bg-accent-soft text-sm font-semibold text-accent-text"
      >
        {number}
      </span>
      <Heading className="self-center text-lg leading-tight font-semibold">{title}</Heading>
      <div className="col-span-2 sm:col-start-2">{children}</div>
    </li>
  )
}
