import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { graphql } from '../../graphql/tada.ts'

const TeamChoicesQuery = graphql(`
  query TeamChoices {
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

export interface TeamsFieldProps {
  value: readonly string[]
  onChange: (teamIds: string[]) => void
}

/** The teams somebody works in, by row id. */
export function TeamsField({ value, onChange }: TeamsFieldProps) {
  const { t } = useTranslation('people')
  const [{ data }] = useQuery({ query: TeamChoicesQuery })
  const teams = (data?.teams.nodes ?? []).filter((node) => node !== null)
  if (data && teams.length === 0) return null
  return (
    <CheckboxGroup label={t('teams')} value={value} onChange={onChange}>
      <div className="grid gap-2.5 sm:grid-cols-2">
        {teams.map((team) => (
          <Checkbox key={team.id} value={team.rowId}>
            {team.name}
          </Checkbox>
        ))}
      </div>
    </CheckboxGroup>
  )
}
