import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { TextField } from '../../components/text-field.tsx'
import { DIRECTORIES } from './provider-draft.ts'
import type { ProviderPartProps } from './provider-form.tsx'

const KNOWN = ['openldap', 'activeDirectory'] as const satisfies readonly (keyof typeof DIRECTORIES)[]

/** How a directory is asked by LDAP, and what it calls what we need. */
export function DirectoryFields({ draft, edit, errorOf }: ProviderPartProps) {
  const { t } = useTranslation('single-sign-on')
  const plain = { autoComplete: 'off', spellCheck: 'false' } as const
  return (
    <>
      <TextField
        {...plain}
        label={t('url')}
        description={t('urlHint')}
        placeholder="ldaps://ldap.example.com"
        value={draft.url}
        onChange={(url) => edit({ url })}
        error={errorOf('url')}
      />
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextField
          {...plain}
          label={t('baseDn')}
          description={t('baseDnHint')}
          placeholder="ou=people,dc=example,dc=com"
          value={draft.baseDn}
          onChange={(baseDn) => edit({ baseDn })}
          error={errorOf('baseDn')}
        />
        <TextField
          {...plain}
          label={t('bindDn')}
          description={t('bindDnHint')}
          placeholder="cn=desk,dc=example,dc=com"
          value={draft.bindDn}
          onChange={(bindDn) => edit({ bindDn })}
          error={errorOf('bindDn')}
        />
      </div>
      <fieldset className="flex flex-col gap-5 border-t border-border pt-5">
        <legend className="sr-only">{t('attributes')}</legend>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-2">
          <span className="text-sm text-muted">{t('fillIn')}</span>
          {KNOWN.map((directory) => (
            <Button key={directory} size="small" onPress={() => edit(DIRECTORIES[directory])}>
              {t(`directory.${directory}`)}
            </Button>
          ))}
        </div>
        <TextField
          {...plain}
          label={t('userFilter')}
          description={t('userFilterHint')}
          value={draft.userFilter}
          onChange={(userFilter) => edit({ userFilter })}
          error={errorOf('userFilter')}
        />
        <div className="grid items-start gap-5 sm:grid-cols-3">
          <TextField
            {...plain}
            label={t('subjectAttribute')}
            description={t('subjectAttributeHint')}
            value={draft.subjectAttribute}
            onChange={(subjectAttribute) => edit({ subjectAttribute })}
            error={errorOf('subjectAttribute')}
          />
          <TextField
            {...plain}
            label={t('emailAttribute')}
            value={draft.emailAttribute}
            onChange={(emailAttribute) => edit({ emailAttribute })}
            error={errorOf('emailAttribute')}
          />
          <TextField
            {...plain}
            label={t('nameAttribute')}
            value={draft.nameAttribute}
            onChange={(nameAttribute) => edit({ nameAttribute })}
            error={errorOf('nameAttribute')}
          />
        </div>
      </fieldset>
    </>
  )
}
