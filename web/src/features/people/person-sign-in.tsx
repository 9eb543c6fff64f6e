import { Mail, ShieldOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { Pill } from '../../components/pill.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { useSubmission } from '../../lib/submission.ts'
import { HandOverLink } from './hand-over-link.tsx'
import { personState } from './person-state.ts'

export const PersonSignInFragment = graphql(`
  fragment PersonSignIn on User {
    id
    rowId
    name
    email
    role
    isBreakGlass
    activatedAt
    disabledAt
    hasTwoFactor
  }
`)

const SetBreakGlass = graphql(
  `
    mutation SetBreakGlass($id: ID!, $isBreakGlass: Boolean!) {
      updateUser(input: { id: $id, patch: { isBreakGlass: $isBreakGlass } }) {
        user {
          id
          updatedAt
          ...PersonSignIn
        }
      }
    }
  `,
  [PersonSignInFragment],
)

const ResendInvitation = graphql(`
  mutation ResendInvitation($userId: UUID!) {
    resendInvitation(input: { userId: $userId }) {
      done
    }
  }
`)

const ResetTwoFactor = graphql(`
  mutation ResetTwoFactor($userId: UUID!) {
    resetTwoFactor(input: { userId: $userId }) {
      done
    }
  }
`)

export interface PersonSignInProps {
  person: FragmentOf<typeof PersonSignInFragment>
  /** What is done about a lost password or code by another admin, and not by oneself. */
  isOwn: boolean
  isLocalLoginOff: boolean
  /** Whether the organization demands a second factor of the person's role. */
  mustHaveTwoFactors: boolean
  onChanged: () => void
}

/** How somebody gets in, and what to do when they cannot. */
export function PersonSignIn(props: PersonSignInProps) {
  const { isOwn, isLocalLoginOff, mustHaveTwoFactors, onChanged } = props
  const { t } = useTranslation('people')
  const person = readFragment(PersonSignInFragment, props.person)
  const state = personState(person)
  const [, resetTwoFactor] = useMutation(ResetTwoFactor)
  const sendsMail = useSendsMail()
  const purpose = state === 'invited' ? 'invitation' : 'password_reset'
  return (
    <SettingsSection title={t('signIn.title')} intro={t('signIn.intro')}>
      <div className="divide-y divide-border">
        {state === 'invited' && sendsMail && (
          <Part title={t('signIn.invitedTitle')} text={t('signIn.invited', { email: person.email })}>
            <InvitationAgain userId={person.rowId} email={person.email} />
          </Part>
        )}
        {!isOwn && (
          <Part
            title={t(`link.title.${purpose}`)}
            text={
              state === 'disabled'
                ? t('link.disabled')
                : t(`link.${sendsMail ? 'text' : 'textWithoutMail'}.${purpose}`, { name: person.name })
            }
          >
            {/* Another purpose is another link. */}
            <HandOverLink
              key={purpose}
              userId={person.rowId}
              purpose={purpose}
              isDisabled={state === 'disabled'}
            />
          </Part>
        )}
        {state !== 'invited' && !isOwn && (
          <Part
            title={t('signIn.twoFactorTitle')}
            state={
              <Pill tone={person.hasTwoFactor ? 'success' : 'neutral'}>
                {t(person.hasTwoFactor ? 'signIn.twoFactorOn' : 'signIn.twoFactorOff')}
              </Pill>
            }
            text={t(mustHaveTwoFactors ? 'signIn.twoFactorDemanded' : 'signIn.twoFactor')}
          >
            <ConfirmedButton
              className="self-start"
              isDisabled={!person.hasTwoFactor}
              title={t('signIn.resetTitle', { name: person.name })}
              explanation={t('signIn.resetBody')}
              action={t('signIn.reset')}
              run={async () => {
                dataOf(await resetTwoFactor({ userId: person.rowId }))
                notify({ tone: 'success', title: t('signIn.resetDone', { name: person.name }) })
                onChanged()
              }}
            >
              <ShieldOff className="size-4" aria-hidden="true" />
              {t('signIn.reset')}
            </ConfirmedButton>
          </Part>
        )}
        {(person.role !== 'customer' || person.isBreakGlass) && (
          <div className="p-5">
            <BreakGlass person={person} isLocalLoginOff={isLocalLoginOff} />
          </div>
        )}
      </div>
    </SettingsSection>
  )
}

function Part(props: { title: string; state?: ReactNode; text: string; children: ReactNode }) {
  const { title, state, text, children } = props
  return (
    <div className="flex flex-col gap-3 p-5">
      <div className="flex flex-col gap-1">
        <div className="flex flex-wrap items-center gap-2">
          <h3 className="text-sm font-semibold">{title}</h3>
          {state}
        </div>
        <p className="max-w-[60ch] text-sm text-muted">{text}</p>
      </div>
      {children}
    </div>
  )
}

function InvitationAgain({ userId, email }: { userId: string; email: string }) {
  const { t } = useTranslation('people')
  const [, resendInvitation] = useMutation(ResendInvitation)
  const { send, isSending, problem } = useSubmission()
  return (
    <>
      <Button
        className="self-start"
        isPending={isSending}
        onPress={() =>
          void send(async () => {
            dataOf(await resendInvitation({ userId }))
            notify({ tone: 'success', title: t('signIn.resent', { email }) })
          })
        }
      >
        <Mail className="size-4" aria-hidden="true" />
        {t('signIn.resend')}
      </Button>
      {problem && <ProblemAlert problem={problem} />}
    </>
  )
}

interface BreakGlassProps {
  person: { id: string; name: string; isBreakGlass: boolean }
  isLocalLoginOff: boolean
}

function BreakGlass({ person: { id, isBreakGlass }, isLocalLoginOff }: BreakGlassProps) {
  const { t } = useTranslation('people')
  const [, setBreakGlass] = useMutation(SetBreakGlass)
  const { send, isSending, problem } = useSubmission()
  return (
    <div className="flex flex-col gap-3">
      <Switch
        isSelected={isBreakGlass}
        isDisabled={isSending}
        onChange={(next) =>
          void send(async () => {
            dataOf(await setBreakGlass({ id, isBreakGlass: next }))
          })
        }
        description={t(isLocalLoginOff ? 'signIn.breakGlassNow' : 'signIn.breakGlassHint')}
      >
        {t('signIn.breakGlass')}
      </Switch>
      {problem && <ProblemAlert problem={problem} />}
    </div>
  )
}
