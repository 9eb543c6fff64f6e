import { useTranslation } from 'react-i18next'
import { SecretText } from '../../components/secret-text.tsx'
import { TextField } from '../../components/text-field.tsx'
import type { ProviderPartProps } from './provider-form.tsx'

/** How a provider is asked by OpenID Connect, and the address it must know of us. */
export function OpenIdFields({
  providerId,
  draft,
  edit,
  errorOf,
}: ProviderPartProps & { providerId: string | null }) {
  const { t } = useTranslation('single-sign-on')
  return (
    <>
      <div className="flex flex-col gap-1.5">
        <p className="text-sm font-medium">{t('redirect')}</p>
        {providerId !== null && (
          <SecretText copyLabel={t('copyRedirect')}>
            {`${location.origin}/api/v1/auth/sso/callback/${providerId}`}
          </SecretText>
        )}
        <p className="text-sm text-muted">{t(providerId === null ? 'redirectLater' : 'redirectHint')}</p>
      </div>
      <TextField
        label={t('issuer')}
        description={t('issuerHint')}
        type="url"
        inputMode="url"
        placeholder="https://id.example.com/realms/main"
        autoComplete="off"
        value={draft.issuer}
        onChange={(issuer) => edit({ issuer })}
        error={errorOf('issuer')}
      />
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextField
          label={t('clientId')}
          description={t('clientIdHint')}
          autoComplete="off"
          spellCheck="false"
          value={draft.clientId}
          onChange={(clientId) => edit({ clientId })}
          error={errorOf('clientId')}
        />
        <TextField
          label={t('scopes')}
          description={t('scopesHint')}
          autoComplete="off"
          spellCheck="false"
          value={draft.scopes}
          onChange={(scopes) => edit({ scopes })}
          error={errorOf('scopes')}
        />
      </div>
    </>
  )
}
