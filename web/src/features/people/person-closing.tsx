import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'

export const PersonClosingFragment = graphql(`
  fragment PersonClosing on User {
    id
    name
    activatedAt
    disabledAt
  }
`)

const SetDisabled = graphql(
  `
    mutation SetDisabled($id: ID!, $disabledAt: Datetime) {
      updateUser(input: { id: $id, patch: { disabledAt: $disabledAt } }) {
        user {
          id
          updatedAt
          ...PersonClosing
        }
      }
    }
  `,
  [PersonClosingFragment],
)

export interface PersonClosingProps {
  person: FragmentOf<typeof PersonClosingFragment>
  isOwn: boolean
  onChanged: () => void
}

/** Shuts an account and opens it again; what its person wrote stays either way. */
export function PersonClosing({ person, isOwn, onChanged }: PersonClosingProps) {
  const { t } = useTranslation('people')
  const [, setDisabled] = useMutation(SetDisabled)
  const { id, name, disabledAt } = readFragment(PersonClosingFragment, person)
  const isShut = disabledAt !== null
  return (
    <SettingsSection title={t('closing.title')} intro={t('closing.intro')}>
      <div className="flex flex-wrap items-center justify-between gap-4 p-5">
        <p className="max-w-[48ch] text-sm text-muted">
          {isShut ? (
            <>
              {t('closing.isShut')} <RelativeTime at={disabledAt} />
            </>
          ) : (
            t(isOwn ? 'closing.own' : 'closing.isOpen')
          )}
        </p>
        {!isOwn && (
          <ConfirmedButton
            variant={isShut ? 'secondary' : 'danger'}
            tone={isShut ? 'primary' : 'danger'}
            title={t(isShut ? 'closing.enableTitle' : 'closing.disableTitle', { name })}
            explanation={t(isShut ? 'closing.enableBody' : 'closing.disableBody', { name })}
            action={t(isShut ? 'closing.enable' : 'closing.disable')}
            run={async () => {
              dataOf(await setDisabled({ id, disabledAt: isShut ? null : new Date().toISOString() }))
              notify({
                tone: 'success',
                title: t(isShut ? 'closing.enabled' : 'closing.disabled', { name }),
              })
              onChanged()
            }}
          >
            {t(isShut ? 'closing.enable' : 'closing.disable')}
          </ConfirmedButton>
        )}
      </div>
    </SettingsSection>
  )
}
