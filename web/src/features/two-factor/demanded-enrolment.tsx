import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import type { SessionUser } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { EnrolmentForm } from './enrolment.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'
import { beginEnrolment, confirmEnrolment, type Enrolment } from './two-factor-requests.ts'

export type EnrolmentStep = 'why' | 'app' | 'codes'

export interface DemandedEnrolmentProps {
  challenge: string
  /** Tells the frame which step is shown, for its heading. */
  onStep: (step: EnrolmentStep) => void
  onDone: (user: SessionUser) => void
  /** The sign-in must begin anew. */
  onExpired: () => void
}

/** What a role that must have a second factor does before anything else: an app, a code, the recovery codes. */
export function DemandedEnrolment({ challenge, onStep, onDone, onExpired }: DemandedEnrolmentProps) {
  const { t } = useTranslation('two-factor')
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null)
  const [result, setResult] = useState<{ codes: string[]; user: SessionUser | null } | null>(null)
  const { send, isSending, problem, isWaiting } = useSubmission()

  if (result) {
    return (
      <RecoveryCodes
        codes={result.codes}
        account={result.user?.email ?? location.host}
        action={t('goOn')}
        // Without a session something else refused the person meanwhile; signing in again says what.
        onKept={() => (result.user ? onDone(result.user) : onExpired())}
      />
    )
  }

  if (enrolment) {
    return (
      <EnrolmentForm
        enrolment={enrolment}
        confirm={async (code) => {
          const { recoveryCodes, user } = await confirmEnrolment(code, challenge)
          setResult({ codes: recoveryCodes, user })
          onStep('codes')
        }}
        onExpired={onExpired}
      />
    )
  }

  return (
    <div className="flex flex-col gap-5">
      {problem && <ProblemAlert problem={problem} />}
      <p className="text-muted">{t('demanded.need')}</p>
      <Button
        variant="primary"
        size="large"
        className="self-start"
        isPending={isSending}
        isDisabled={isWaiting}
        onPress={() =>
          void send(
            async () => {
              setEnrolment(await beginEnrolment(challenge))
              onStep('app')
            },
            (refusal) => refusal.code === 'CHALLENGE_EXPIRED' && onExpired(),
          )
        }
      >
        {t('demanded.begin')}
      </Button>
    </div>
  )
}
