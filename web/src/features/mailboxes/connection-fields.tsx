import { useTranslation } from 'react-i18next'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PasswordField } from '../../components/password-field.tsx'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { TextField } from '../../components/text-field.tsx'
import { portFor, type Login, type Security } from './mailbox-draft.ts'
import type { MailboxPartProps } from './mailbox-form.tsx'

const SECURITIES = ['tls', 'starttls', 'none'] as const satisfies readonly Security[]
const LOGINS = ['password', 'refresh', 'access'] as const satisfies readonly Login[]

export interface ConnectionFieldsProps extends MailboxPartProps {
  /** What becomes of the secret: one is stored and kept, or is demanded anew, or none is stored. */
  secretHint: 'keep' | 'anew' | 'hint'
  fromEnvironment: boolean
}

/** Where the mailbox is, and as whom it is read. */
export function ConnectionFields({
  draft,
  edit,
  errorOf,
  secretHint,
  fromEnvironment,
}: ConnectionFieldsProps) {
  const { t } = useTranslation('mailboxes')
  return (
    <SettingsSection title={t('connection.title')} intro={t('connection.intro')}>
      <div className="flex flex-col gap-5 p-5">
        {fromEnvironment && <InlineAlert tone="info">{t('environmentHint')}</InlineAlert>}
        <div className="grid items-start gap-5 sm:grid-cols-[minmax(0,1fr)_7rem]">
          <TextField
            label={t('host')}
            autoComplete="off"
            spellCheck="false"
            placeholder="imap.example.com"
            isDisabled={fromEnvironment}
            value={draft.host}
            onChange={(host) => edit({ host })}
            error={errorOf('host')}
          />
          <TextField
            label={t('port')}
            inputMode="numeric"
            autoComplete="off"
            isDisabled={fromEnvironment}
            value={draft.port}
            onChange={(port) => edit({ port })}
            error={errorOf('port')}
          />
        </div>
        <Select
          label={t('security')}
          choices={SECURITIES.map((value) => ({
            value,
            label: t(`securities.${value}`),
            description: t(`securityHint.${value}`),
          }))}
          isDisabled={fromEnvironment}
          value={draft.security}
          onChange={(security) => edit({ security, port: portFor(security, draft.port) })}
        />
        {draft.security === 'none' && <InlineAlert tone="info">{t('inTheClear')}</InlineAlert>}
        <div className="grid items-start gap-5 sm:grid-cols-2">
          <TextField
            label={t('username')}
            description={t('usernameHint')}
            autoComplete="off"
            spellCheck="false"
            isDisabled={fromEnvironment}
            value={draft.username}
            onChange={(username) => edit({ username })}
            error={errorOf('username')}
          />
          <Select
            label={t('login')}
            choices={LOGINS.map((value) => ({
              value,
              label: t(`logins.${value}`),
              description: t(`loginHint.${value}`),
            }))}
            isDisabled={fromEnvironment}
            value={draft.login}
            onChange={(login) => edit({ login, secret: '', clientSecret: '' })}
          />
        </div>
        {draft.login === 'refresh' && <TokenFields {...{ draft, edit, errorOf }} />}
        {!fromEnvironment && (
          <PasswordField
            label={t(`secret.${draft.login}`)}
            description={t(`secret.${secretHint}`)}
            name="mailbox-secret"
            autoComplete="new-password"
            value={draft.secret}
            onChange={(secret) => edit({ secret })}
            error={errorOf('secret')}
          />
        )}
        <div className="grid items-start gap-5 sm:grid-cols-2">
          <TextField
            label={t('folder')}
            description={t('folderHint')}
            autoComplete="off"
            spellCheck="false"
            value={draft.folder}
            onChange={(folder) => edit({ folder })}
            error={errorOf('folder')}
          />
          <TextField
            label={t('processedFolder')}
            description={t('processedFolderHint')}
            autoComplete="off"
            spellCheck="false"
            value={draft.processedFolder}
            onChange={(processedFolder) => edit({ processedFolder })}
            error={errorOf('processedFolder')}
          />
        </div>
      </div>
    </SettingsSection>
  )
}

/** Where a refresh token is exchanged, and as what. */
function TokenFields({ draft, edit, errorOf }: MailboxPartProps) {
  const { t } = useTranslation('mailboxes')
  return (
    <>
      <TextField
        label={t('tokenEndpoint')}
        description={t('tokenEndpointHint')}
        type="url"
        inputMode="url"
        autoComplete="off"
        placeholder="https://login.example.com/oauth2/v2.0/token"
        value={draft.tokenEndpoint}
        onChange={(tokenEndpoint) => edit({ tokenEndpoint })}
        error={errorOf('tokenEndpoint')}
      />
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextField
          label={t('clientId')}
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
        />
      </div>
      <PasswordField
        label={t('secret.client')}
        description={t('secret.clientHint')}
        name="mailbox-client-secret"
        autoComplete="new-password"
        value={draft.clientSecret}
        onChange={(clientSecret) => edit({ clientSecret })}
      />
    </>
  )
}
