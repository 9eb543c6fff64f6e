import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Select } from '../../components/select.tsx'
import { graphql } from '../../graphql/tada.ts'
import { useSessionUser } from '../../lib/session.ts'

export interface Audience {
  visibility: 'personal' | 'team' | 'shared'
  teamId: string | null
}

const AudienceTeamsQuery = graphql(`
  query AudienceTeams {
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

/** Whether the own role prepares things for others. */
export function usePreparesForOthers(): boolean {
  const { role } = useSessionUser()
  return role === 'manager' || role === 'admin'
}

/** For whom something is prepared. Agents prepare for themselves, managers and admins also for others. */
export function AudienceField({
  value,
  onChange,
}: {
  value: Audience
  onChange: (audience: Audience) => void
}) {
  const { t } = useTranslation('canned-responses')
  const forOthers = usePreparesForOthers()
  const [{ data }] = useQuery({ query: AudienceTeamsQuery, pause: !forOthers })
  const teams = (data?.teams.nodes ?? []).filter((node) => node !== null)
  if (!forOthers) return <p className="text-sm text-muted">{t('audience.onlyMe')}</p>
  return (
    <Select
      label={t('audience.label')}
      value={value.teamId ?? value.visibility}
      choices={[
        { value: 'personal', label: t('audience.personal') },
        { value: 'shared', label: t('audience.shared') },
        ...teams.map((team) => ({ value: team.rowId, label: t('audience.team', { name: team.name }) })),
      ]}
      onChange={(chosen) =>
        onChange(
          chosen === 'personal' || chosen === 'shared'
            ? { visibility: chosen, teamId: null }
            : { visibility: 'team', teamId: chosen },
        )
      }
    />
  )
}
