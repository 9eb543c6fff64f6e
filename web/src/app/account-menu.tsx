import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { Avatar } from '../components/avatar.tsx'
import { Button } from '../components/button.tsx'
import { Menu, MenuItem, MenuSection, MenuTrigger } from '../components/menu.tsx'
import { isStaff, signOut, useSessionUser } from '../lib/session.ts'
import { chooseTheme, THEMES, useTheme } from '../lib/theme.ts'
import { chooseLanguage, LANGUAGES } from './i18n.ts'

export interface AccountMenuProps {
  place: 'portal' | 'desk'
  onShowShortcuts?: () => void
  onNavigate?: () => void
}

/** Who is signed in, how they want it to look, and the way out. */
export function AccountMenu({ place, onShowShortcuts, onNavigate }: AccountMenuProps) {
  const { t, i18n } = useTranslation()
  const user = useSessionUser()
  const theme = useTheme()
  const navigate = useNavigate()
  const go = (path: string) => {
    onNavigate?.()
    void navigate(path)
  }
  const languageName = (language: string) =>
    new Intl.DisplayNames(language, { type: 'language' }).of(language) ?? language
  return (
    <MenuTrigger>
      <Button
        variant="quiet"
        className={place === 'desk' ? 'h-auto w-full justify-start px-2 py-1.5 text-start' : '-me-3.5'}
      >
        <span className="sr-only">
          {t(place === 'desk' ? 'account.prefix' : 'account.menu', { name: user.name })}
        </span>
        <Avatar name={user.name} />
        {place === 'desk' && (
          <span className="min-w-0 flex-1 leading-tight">
            <span className="block truncate text-text">{user.name}</span>
            <span className="block truncate text-xs font-normal text-muted">{user.organization.name}</span>
          </span>
        )}
      </Button>
      <Menu placement={place === 'desk' ? 'top start' : 'bottom end'}>
        <MenuSection title={`${user.name} · ${t(`account.roles.${user.role}`)}`}>
          <MenuItem onAction={() => go(`/${place}/profile`)}>{t('account.profile')}</MenuItem>
          {isStaff(user.role) && place === 'portal' ? (
            <MenuItem onAction={() => go('/desk')}>{t('account.toDesk')}</MenuItem>
          ) : null}
          {place === 'desk' ? (
            <MenuItem onAction={() => go('/portal')}>{t('account.toPortal')}</MenuItem>
          ) : null}
          {onShowShortcuts ? <MenuItem onAction={onShowShortcuts}>{t('account.shortcuts')}</MenuItem> : null}
        </MenuSection>
        <MenuSection
          title={t('account.theme')}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[theme]}
          onSelectionChange={(keys) => {
            const chosen = THEMES.find((candidate) => keys !== 'all' && keys.has(candidate))
            if (chosen) chooseTheme(chosen)
          }}
        >
          {THEMES.map((candidate) => (
            <MenuItem key={candidate} id={candidate}>
              {t(`account.themes.${candidate}`)}
            </MenuItem>
          ))}
        </MenuSection>
        {LANGUAGES.length > 1 ? (
          <MenuSection
            title={t('account.language')}
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[i18n.language]}
            onSelectionChange={(keys) => {
              const chosen = LANGUAGES.find((candidate) => keys !== 'all' && keys.has(candidate))
              if (chosen) void chooseLanguage(chosen)
            }}
          >
            {LANGUAGES.map((language) => (
              <MenuItem key={language} id={language}>
                {languageName(language)}
              </MenuItem>
            ))}
          </MenuSection>
        ) : null}
        <MenuSection aria-label={t('account.signOut')}>
          <MenuItem onAction={() => void leave()}>{t('account.signOut')}</MenuItem>
        </MenuSection>
      </Menu>
    </MenuTrigger>
  )
}

/** Signs out here and, where an identity provider let one in, there too. */
async function leave(): Promise<void> {
  const elsewhere = await signOut().catch(() => null)
  if (elsewhere) location.assign(elsewhere)
}
