import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { notify } from '../../components/toast.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import type { UserRole } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { useChangePolicy } from './change-policy.ts'

export const TwoFactorRolesFragment = graphql(`
  fragment TwoFactorRoles on SecurityPolicy {
    id
    twoFactorRoles
  }
`)

/** From the most rights, where it counts most, to the fewest. */
const ROLES = ['admin', 'manager', 'agent', 'customer'] as const satisfies readonly UserRole[]

/** The roles that must sign in with two factors. */
export function TwoFactorRoles({ policy }: { policy: FragmentOf<typeof TwoFactorRolesFragment> }) {
  const { t } = useTranslation(['security-policy', 'app'])
  const { twoFactorRoles } = readFragment(TwoFactorRolesFragment, policy)
  const saved = ROLES.filter((role) => twoFactorRoles.includes(role))
  const [chosen, setChosen] = useState<readonly UserRole[] | null>(null)
  const [asks, setAsks] = useState(false)
  const changePolicy = useChangePolicy()
  const { send, isSending, problem, clear } = useSubmission()
  const wanted = ROLES.filter((role) => (chosen ?? saved).includes(role))
  const added = wanted.filter((role) => !saved.includes(role))

  const save = () =>
    void send(
      async () => {
        await changePolicy({ twoFactorRoles: wanted })
        setChosen(null)
        setAsks(false)
        notify({ tone: 'success', title: t('twoFactor.saved') })
      },
      () => setAsks(false),
    )

  function submit(event: FormEvent) {
    event.preventDefault()
    if (added.length > 0) setAsks(true)
    else save()
  }

  return (
    <SettingsSection title={t('twoFactor.title')} intro={t('twoFactor.intro')}>
      <form onSubmit={submit} className="flex flex-col gap-5 p-5">
        <CheckboxGroup label={t('twoFactor.roles')} value={wanted} onChange={setChosen}>
          {ROLES.map((role) => (
            <Checkbox key={role} value={role}>
              {t(`app:account.roles.${role}`)}
            </Checkbox>
          ))}
        </CheckboxGroup>
        {problem && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={wanted.join() !== saved.join()}
          isSending={isSending}
          onDiscard={() => {
            setChosen(null)
            clear()
          }}
        />
      </form>
      <ConfirmDialog
        title={t('twoFactor.askTitle')}
        action={t('twoFactor.demand')}
        tone="primary"
        isOpen={asks}
        isPending={isSending}
        onClose={() => setAsks(false)}
        onConfirm={save}
      >
        <p>
          {t('twoFactor.askRoles', {
            roles: added.map((role) => t(`app:account.roles.${role}`)).join(', '),
          })}
        </p>
        <p>{t('twoFactor.askBody')}</p>
      </ConfirmDialog>
    </SettingsSection>
  )
}
