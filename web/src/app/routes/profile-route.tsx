import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Avatar } from '../../components/avatar.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { OwnApiTokens } from '../../features/api-tokens/own-api-tokens.tsx'
import { BrowserPermissionNote } from '../../features/notifications/browser-permission-note.tsx'
import { OwnNotificationChoices } from '../../features/notifications/own-notification-choices.tsx'
import { OwnNotificationSchedule } from '../../features/notifications/own-notification-schedule.tsx'
import { PasswordForm } from '../../features/profile/password-form.tsx'
import { ProfileForm } from '../../features/profile/profile-form.tsx'
import { OwnSessions } from '../../features/sessions/own-sessions.tsx'
import { TwoFactorSettings } from '../../features/two-factor/two-factor-settings.tsx'
import { useSessionUser } from '../../lib/session.ts'
import { chooseLanguage, LANGUAGES } from '../i18n.ts'

/** Everything about oneself, the same in the portal and at the desk. */
export function Component() {
  const { t } = useTranslation(['app', 'profile', 'notifications', 'two-factor', 'sessions', 'api-tokens'])
  const user = useSessionUser()
  // A new password ends the other sessions, which the list of them has to hear of.
  const [passwords, setPasswords] = useState(0)
  return (
    <div className="flex flex-col gap-10">
      <header className="flex items-center gap-4">
        <Avatar name={user.name} size="large" />
        <div className="min-w-0">
          <PageHeading title={t('profile:title')} className="text-3xl">
            {t('profile:title')}
          </PageHeading>
          <p className="flex flex-wrap gap-x-2 text-muted [overflow-wrap:anywhere]">
            <span>{user.email}</span>
            <span aria-hidden="true">·</span>
            <span>{t(`account.roles.${user.role}`)}</span>
            <span aria-hidden="true">·</span>
            <span>{user.organization.name}</span>
          </p>
        </div>
      </header>
      <SettingsSection title={t('profile:about.title')} intro={t('profile:about.intro')}>
        <ProfileForm languages={LANGUAGES} onLanguage={(language) => void chooseLanguage(language)} />
      </SettingsSection>
      <div id="notifications" className="scroll-mt-20">
        <SettingsSection title={t('notifications:choices.title')} intro={t('notifications:choices.intro')}>
          <BrowserPermissionNote />
          <OwnNotificationChoices />
          <OwnNotificationSchedule />
        </SettingsSection>
      </div>
      <SettingsSection title={t('profile:password.title')} intro={t('profile:password.intro')}>
        <PasswordForm onChanged={() => setPasswords((count) => count + 1)} />
      </SettingsSection>
      <SettingsSection title={t('two-factor:settings.title')} intro={t('two-factor:settings.intro')}>
        <TwoFactorSettings />
      </SettingsSection>
      <SettingsSection title={t('sessions:title')} intro={t('sessions:intro')}>
        <OwnSessions key={passwords} />
      </SettingsSection>
      <SettingsSection title={t('api-tokens:title')} intro={t('api-tokens:intro')}>
        <OwnApiTokens />
      </SettingsSection>
    </div>
  )
}
