import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { told, type ProblemCode } from '../../graphql/errors.ts'
import { forgotPath, keepOrganization, keptOrganization, signInPath, type Door } from '../../lib/doors.ts'
import { useSession } from '../../lib/session.ts'
import type { Admission } from '../../lib/sign-in.ts'
import { DoorPage } from './door-page.tsx'
import type { LoginMethods } from './login-methods.ts'
import { SignInForm } from './sign-in-form.tsx'
import { SignInWays } from './sign-in-ways.tsx'

export interface SignInPageProps {
  door: Door
  /** The organization's short name, where the address has one. */
  slug: string | null
  /** How its people get in; null without an organization, or when it could not be asked. */
  methods: LoginMethods | null
  onRetryMethods: () => void
  /** Why one was sent here: a code from the address. */
  problem: string | null
  /** Whether one has just set a password, which is all that was left to do elsewhere. */
  isPasswordSet: boolean
  email?: string | undefined
  next: string
  onAdmitted: (admission: Admission) => void
}

/** The same door in two frames, for those who ask and for those who answer; where it is an organization's own, in its name. */
export function SignInPage(props: SignInPageProps) {
  const { door, slug, methods, onRetryMethods, problem, isPasswordSet, email, next, onAdmitted } = props
  const { t } = useTranslation(['identity', 'errors'])
  const session = useSession()
  const other = door === 'portal' ? 'desk' : 'portal'
  const organization = methods?.organization ?? null
  const known = organization?.slug ?? null
  const kept = keptOrganization()
  const ended = session.status === 'signed-out' ? session : null
  const [refusal, setRefusal] = useState<ProblemCode | null>(null)
  const reason = problem ?? ended?.problem ?? null
  // A suspended organization is not named to strangers either; who was told that it is closed is not told otherwise.
  const isClosed = (refusal ?? reason) === 'ORGANIZATION_SUSPENDED'
  const form = (
    <SignInForm
      organization={known}
      forgotPath={forgotPath(door, known)}
      email={email}
      onAdmitted={onAdmitted}
      onRefused={setRefusal}
    />
  )
  return (
    <DoorPage
      title={t(`${door}Title`)}
      intro={t(`${door}Intro`)}
      organization={organization?.name}
      footer={
        <>
          {door === 'portal' && methods?.registration && methods.mail && known && (
            <p>
              {t('register.question')}{' '}
              <TextLink to={`/o/${encodeURIComponent(known)}/register`}>{t('register.link')}</TextLink>
            </p>
          )}
          <p>
            {t(`${door}Other`)} <TextLink to={signInPath(other, known)}>{t(`${door}OtherLink`)}</TextLink>
          </p>
          {slug === null && kept !== null ? (
            <p>
              <TextLink to={signInPath(door, kept)}>{t('ownSignIn.kept')}</TextLink>
            </p>
          ) : slug === null ? (
            <p>
              {t('ownSignIn.question')} <TextLink to={`/o?door=${door}`}>{t('ownSignIn.link')}</TextLink>
            </p>
          ) : (
            <p>
              {t('elsewhere', { name: organization?.name ?? slug })}{' '}
              <TextLink to={signInPath(door, null)} onClick={() => keepOrganization(null)}>
                {t('elsewhereLink')}
              </TextLink>
            </p>
          )}
        </>
      }
    >
      {/* What one came with has been read; what the form was refused for stands in the form. */}
      {refusal !== null ? null : reason !== null ? (
        <InlineAlert>{t(`errors:${told(reason)}`)}</InlineAlert>
      ) : isPasswordSet ? (
        <InlineAlert tone="success">{t('passwordSet')}</InlineAlert>
      ) : (
        ended?.reason === 'expired' && <InlineAlert tone="info">{t('expired')}</InlineAlert>
      )}
      {slug !== null && methods === null && (
        <div className="flex flex-col items-start gap-3">
          <InlineAlert>{t('methodsProblem')}</InlineAlert>
          <Button onPress={onRetryMethods}>{t('methodsRetry')}</Button>
        </div>
      )}
      {slug !== null && methods !== null && organization === null && !isClosed && (
        <InlineAlert tone="info">{t('unknownOrganization', { slug })}</InlineAlert>
      )}
      {methods ? (
        <SignInWays methods={methods} next={next} onAdmitted={onAdmitted} onRefused={setRefusal}>
          {form}
        </SignInWays>
      ) : (
        form
      )}
    </DoorPage>
  )
}
