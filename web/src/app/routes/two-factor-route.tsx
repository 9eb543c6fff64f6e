import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLoaderData, useNavigate } from 'react-router'
import { TextLink } from '../../components/text-link.tsx'
import { DoorPage } from '../../features/identity/door-page.tsx'
import { DemandedEnrolment, type EnrolmentStep } from '../../features/two-factor/demanded-enrolment.tsx'
import { Verification, type VerificationWay } from '../../features/two-factor/verification.tsx'
import { keptOrganization, signInPath } from '../../lib/doors.ts'
import type { SessionUser } from '../../lib/session.ts'
import { placeAfterSignIn } from '../guards.ts'
import { dropChallenge, type PendingChallenge } from '../pending-challenge.ts'

/** The second step of a sign-in, however the first was taken. */
export function Component() {
  const { challenge, step, door, next } = useLoaderData<PendingChallenge>()
  const { t } = useTranslation(['two-factor', 'identity'])
  const navigate = useNavigate()
  const [enrolmentStep, setEnrolmentStep] = useState<EnrolmentStep>('why')
  const [way, setWay] = useState<VerificationWay>('code')
  const entrance = signInPath(door ?? 'portal', keptOrganization())

  function enter(user: SessionUser) {
    dropChallenge()
    void navigate(placeAfterSignIn(door, next, user), { replace: true })
  }

  function beginAnew() {
    dropChallenge()
    const back = new URLSearchParams({ problem: 'CHALLENGE_EXPIRED', ...(next ? { next } : {}) })
    void navigate(`${entrance}?${back.toString()}`, { replace: true })
  }

  const footer = (
    <p>
      <TextLink to={entrance} onClick={dropChallenge}>
        {t('identity:backToSignIn')}
      </TextLink>
    </p>
  )
  if (step === 'verify') {
    return (
      <DoorPage title={t('verify.title')} intro={t(`verify.intro.${way}`)} footer={footer}>
        <Verification challenge={challenge} onWay={setWay} onPassed={enter} onExpired={beginAnew} />
      </DoorPage>
    )
  }
  const words = {
    why: { title: t('demanded.title'), intro: t('demanded.intro') },
    app: { title: t('demanded.appTitle') },
    codes: { title: t('demanded.codesTitle'), intro: t('demanded.codesIntro') },
  }[enrolmentStep]
  return (
    <DoorPage
      {...words}
      step={enrolmentStep}
      width={enrolmentStep === 'app' ? 'wide' : 'narrow'}
      footer={enrolmentStep !== 'codes' && footer}
    >
      <DemandedEnrolment
        challenge={challenge}
        onStep={setEnrolmentStep}
        onDone={enter}
        onExpired={beginAnew}
      />
    </DoorPage>
  )
}
