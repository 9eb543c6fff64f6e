import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SecretText } from '../../components/secret-text.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TagField } from '../../components/tag-field.tsx'
import { notify } from '../../components/toast.tsx'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSendsMail } from '../../lib/mail.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { useChangePolicy } from './change-policy.ts'
import { DOMAINS_LIMIT, readMailDomain } from './mail-domain.ts'

export const RegistrationDomainsFragment = graphql(`
  fragment RegistrationDomains on SecurityPolicy {
    id
    registrationDomains
    localLogin
  }
`)

/** Whose people may make themselves a customer's account. */
export function RegistrationDomains({ policy }: { policy: FragmentOf<typeof RegistrationDomainsFragment> }) {
  const { t } = useTranslation('security-policy')
  const { organization } = useSessionUser()
  const { registrationDomains, localLogin } = readFragment(RegistrationDomainsFragment, policy)
  const saved = registrationDomains.filter((domain) => domain !== null)
  const [chosen, setChosen] = useState<string[] | null>(null)
  const changePolicy = useChangePolicy()
  const { send, isSending, problem, clear } = useSubmission()
  const wanted = chosen ?? saved
  const sendsMail = useSendsMail()
  const isOver = wanted.length > DOMAINS_LIMIT

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isOver) return
    void send(async () => {
      await changePolicy({ registrationDomains: wanted })
      setChosen(null)
      notify({ tone: 'success', title: t('registration.saved') })
    })
  }

  return (
    <SettingsSection title={t('registration.title')} intro={t('registration.intro')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-5 p-5">
        <TagField
          label={t('registration.add')}
          listLabel={t('registration.domains')}
          placeholder="example.com"
          description={t('registration.hint')}
          values={wanted}
          onChange={(domains) => {
            setChosen(domains)
            if (problem) clear()
          }}
          read={(text) => {
            const value = readMailDomain(text)
            return value === null ? { error: t('registration.odd') } : { value }
          }}
        />
        {wanted.length === 0 && <p className="text-sm text-muted">{t('registration.closed')}</p>}
        {isOver && (
          <p role="alert" className="text-sm text-danger-text">
            {t('registration.over', { limit: DOMAINS_LIMIT })}
          </p>
        )}
        {saved.length > 0 && !sendsMail && (
          <p className="text-sm text-muted">{t('registration.withoutMail')}</p>
        )}
        {saved.length > 0 && localLogin && sendsMail && (
          <div className="flex flex-col gap-1.5">
            <p className="text-sm text-muted">{t('registration.place')}</p>
            <SecretText copyLabel={t('registration.copy')}>
              {`${location.origin}/o/${encodeURIComponent(organization.slug)}/register`}
            </SecretText>
          </div>
        )}
        {saved.length > 0 && !localLogin && (
          <p className="text-sm text-muted">{t('registration.withoutPasswords')}</p>
        )}
        {problem && <ProblemAlert problem={problem} />}
        <SaveRow
          isChanged={[...wanted].sort().join() !== [...saved].sort().join()}
          isSending={isSending}
          onDiscard={() => {
            setChosen(null)
            clear()
          }}
        />
      </form>
    </SettingsSection>
  )
}
