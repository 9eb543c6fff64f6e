import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { PasswordField } from '../../components/password-field.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { DirectoryFields } from './directory-fields.tsx'
import { OpenIdFields } from './openid-fields.tsx'
import {
  areGroupsRight,
  providerFaults,
  settingsOf,
  PROVIDER_NAME_LIMIT,
  type ProviderDraft,
  type ProviderField,
} from './provider-draft.ts'
import { ProviderRoles } from './provider-roles.tsx'
import { writeProviderSecret } from './provider-secret.ts'

export const ProviderFormFragment = graphql(`
  fragment ProviderForm on IdentityProvider {
    id
    kind
    name
    isEnabled
    issuer
    clientId
    scopes
    url
    baseDn
    bindDn
    userFilter
    subjectAttribute
    emailAttribute
    nameAttribute
    roleClaim
    roleMapping
    defaultRole
    makesPeople
    asksSecondFactor
  }
`)

const SaveIdentityProvider = graphql(
  `
    mutation SaveIdentityProvider($input: SaveIdentityProviderInput!) {
      saveIdentityProvider(input: $input) {
        identityProvider {
          id
          rowId
          updatedAt
          hasSecret
          ...ProviderForm
        }
      }
    }
  `,
  [ProviderFormFragment],
)

/** The settings behind a fragment. */
export function readProvider(provider: FragmentOf<typeof ProviderFormFragment>) {
  return readFragment(ProviderFormFragment, provider)
}

export interface ProviderFormProps {
  /** Null while it is not saved. */
  providerId: string | null
  /** Whether one is stored. */
  hasSecret: boolean
  saved: ProviderDraft
  onSaved: (providerId: string) => void
}

/** What each group of fields is given. */
export interface ProviderPartProps {
  draft: ProviderDraft
  edit: (part: Partial<ProviderDraft>) => void
  /** What is wrong with a field, in words, once saving was tried. */
  errorOf: (field: ProviderField) => string | null
}

/** All settings of an identity provider, saved together; the secret goes its own way and is never shown again. */
export function ProviderForm({ providerId, hasSecret, saved, onSaved }: ProviderFormProps) {
  const { t } = useTranslation('single-sign-on')
  const [edits, setEdits] = useState<Partial<ProviderDraft>>({})
  const [wasTried, setWasTried] = useState(false)
  const [secretFailed, setSecretFailed] = useState(false)
  const [, saveProvider] = useMutation(SaveIdentityProvider)
  const { send, isSending, problem, clear } = useSubmission()
  const form = useRef<HTMLFormElement>(null)
  const draft = { ...saved, ...edits }
  const faults = providerFaults(draft)
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged =
    draft.secret !== '' || JSON.stringify(settingsOf(draft)) !== JSON.stringify(settingsOf(saved))

  const edit = (part: Partial<ProviderDraft>) => {
    setEdits({ ...edits, ...part })
    if (problem) clear()
  }

  const errorOf = (field: ProviderField) => {
    if (field === 'name' && isTaken) return t('fault.taken')
    const fault = faults[field]
    if (!fault || !wasTried) return null
    return fault === 'odd' ? t(`odd.${field as 'issuer'}`) : t(`fault.${fault}`)
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (Object.keys(faults).length > 0 || !areGroupsRight(draft)) {
      // The fields are marked with the next frame.
      requestAnimationFrame(() =>
        form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid] input')?.focus(),
      )
      return
    }
    void send(async () => {
      setSecretFailed(false)
      const { saveIdentityProvider: answer } = dataOf(
        await saveProvider({ input: { ...settingsOf(draft), ...(providerId ? { providerId } : {}) } }),
      )
      const made = answer?.identityProvider
      if (!made) return
      const { secret } = draft
      setEdits(secret === '' ? {} : { secret })
      if (secret !== '') {
        try {
          await writeProviderSecret(made.rowId, secret)
        } catch (error) {
          // The settings are kept; only the secret has to be sent again.
          setSecretFailed(true)
          if (providerId) throw error
          notify({ tone: 'danger', title: t('secret.failed') })
        }
        setEdits({})
      }
      setWasTried(false)
      notify({ tone: 'success', title: t('saved', { name: draft.name.trim() }) })
      onSaved(made.rowId)
    })
  }

  const part = { draft, edit, errorOf }
  return (
    <form ref={form} onSubmit={submit} noValidate className="flex flex-col gap-8">
      <SettingsSection title={t('connection.title')} intro={t(`connection.intro.${draft.kind}`)}>
        <div className="flex flex-col gap-5 p-5">
          <TextField
            label={t('name')}
            description={t('nameHint', { name: draft.name.trim() || t('nameExample') })}
            autoComplete="off"
            value={draft.name}
            onChange={(name) => edit({ name })}
            limit={PROVIDER_NAME_LIMIT}
            error={errorOf('name')}
          />
          {draft.kind === 'oidc' ? (
            <OpenIdFields {...part} providerId={providerId} />
          ) : (
            <DirectoryFields {...part} />
          )}
          <PasswordField
            label={t(`secret.${draft.kind}`)}
            description={t(hasSecret ? 'secret.keep' : `secret.hint.${draft.kind}`)}
            name="provider-secret"
            autoComplete="new-password"
            value={draft.secret}
            onChange={(secret) => edit({ secret })}
          />
          <Switch
            isSelected={draft.isEnabled}
            onChange={(isEnabled) => edit({ isEnabled })}
            description={t('enabledHint')}
          >
            {t('enabled')}
          </Switch>
        </div>
      </SettingsSection>
      <ProviderRoles {...part} wasTried={wasTried} />
      <SettingsSection title={t('secondFactor.title')} intro={t('secondFactor.intro')}>
        <div className="p-5">
          <Switch
            isSelected={draft.asksSecondFactor}
            onChange={(asksSecondFactor) => edit({ asksSecondFactor })}
            description={t('secondFactor.hint')}
          >
            {t('secondFactor.switch')}
          </Switch>
        </div>
      </SettingsSection>
      <div className="flex flex-col gap-4 border-t border-border pt-6 xl:ms-78">
        {problem && !isTaken && (
          <>
            {secretFailed && <p className="text-sm text-muted">{t('secret.settingsKept')}</p>}
            <ProblemAlert problem={problem} />
          </>
        )}
        <SaveRow
          isChanged={isChanged}
          isSending={isSending}
          {...(providerId ? {} : { label: t('addThis') })}
          onDiscard={() => {
            setEdits({})
            setWasTried(false)
            clear()
          }}
        />
      </div>
    </form>
  )
}
