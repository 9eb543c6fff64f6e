import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { notify } from '../../components/toast.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { useChangePolicy } from './change-policy.ts'

export const LocalLoginFragment = graphql(`
  fragment LocalLogin on SecurityPolicy {
    id
    localLogin
  }
`)

export interface LocalLoginProps {
  policy: FragmentOf<typeof LocalLoginFragment>
  /** Whether there is another way in. */
  hasProvider: boolean
}

/** Whether passwords kept here let people in. Turning them off is asked about: it may shut everybody out. */
export function LocalLogin({ policy, hasProvider }: LocalLoginProps) {
  const { t } = useTranslation('security-policy')
  const { localLogin } = readFragment(LocalLoginFragment, policy)
  const [asks, setAsks] = useState(false)
  const changePolicy = useChangePolicy()
  const { send, isSending, problem, clear } = useSubmission()

  const change = (next: boolean) =>
    void send(
      async () => {
        await changePolicy({ localLogin: next })
        setAsks(false)
        notify({ tone: 'success', title: t(next ? 'localLogin.isOn' : 'localLogin.isOff') })
      },
      () => setAsks(false),
    )

  return (
    <SettingsSection title={t('localLogin.title')} intro={t('localLogin.intro')}>
      <div className="flex flex-col gap-4 p-5">
        <Switch
          isSelected={localLogin}
          isDisabled={isSending}
          onChange={(next) => {
            clear()
            if (next) change(true)
            else setAsks(true)
          }}
          description={t('localLogin.hint')}
        >
          {t('localLogin.switch')}
        </Switch>
        {problem?.code === 'LAST_ADMIN' ? (
          <InlineAlert>
            {t('localLogin.lastAdmin')}{' '}
            <TextLink to="/desk/admin/people?role=admin&state=active" className="underline">
              {t('localLogin.toAdmins')}
            </TextLink>
          </InlineAlert>
        ) : (
          problem && <ProblemAlert problem={problem} />
        )}
      </div>
      <ConfirmDialog
        title={t('localLogin.askTitle')}
        action={t('localLogin.turnOff')}
        isOpen={asks}
        isPending={isSending}
        onClose={() => setAsks(false)}
        onConfirm={() => change(false)}
      >
        <p>{t('localLogin.askBody')}</p>
        {!hasProvider && <p className="font-medium text-danger-text">{t('localLogin.noProvider')}</p>}
      </ConfirmDialog>
    </SettingsSection>
  )
}
