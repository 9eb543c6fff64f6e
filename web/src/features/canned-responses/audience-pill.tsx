import { Globe, User, Users } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Pill } from '../../components/pill.tsx'
import type { Audience } from './audience-field.tsx'

/** Who may use something. */
export function AudiencePill({
  visibility,
  team,
}: {
  visibility: Audience['visibility']
  team: { name: string } | null
}) {
  const { t } = useTranslation('canned-responses')
  switch (visibility) {
    case 'personal':
      return (
        <Pill tone="neutral" sign={User}>
          {t('audience.personal')}
        </Pill>
      )
    case 'team':
      return (
        <Pill tone="info" sign={Users}>
          {team?.name ?? t('audience.someTeam')}
        </Pill>
      )
    case 'shared':
      return (
        <Pill tone="info" sign={Globe}>
          {t('audience.shared')}
        </Pill>
      )
  }
}
