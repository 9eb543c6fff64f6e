import { useTranslation } from 'react-i18next'
import { Select } from '../../components/select.tsx'
import type { UserRole } from '../../lib/session.ts'
import { ROLES } from './roles.ts'

export interface RoleFieldProps {
  value: UserRole
  onChange: (role: UserRole) => void
  description?: string
  isDisabled?: boolean
}

/** The role, each with what it is for. */
export function RoleField({ value, onChange, description, isDisabled }: RoleFieldProps) {
  const { t } = useTranslation(['people', 'app'])
  return (
    <Select
      label={t('role')}
      value={value}
      choices={ROLES.map((role) => ({
        value: role,
        label: t(`app:account.roles.${role}`),
        description: t(`roles.short.${role}`),
      }))}
      onChange={onChange}
      description={description ?? t(`roles.short.${value}`)}
      isDisabled={isDisabled ?? false}
    />
  )
}
