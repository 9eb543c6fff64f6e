import { X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Avatar } from '../../components/avatar.tsx'
import { Button } from '../../components/button.tsx'
import { PersonField } from '../../components/person-field.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'

const TeamMembersQuery = graphql(`
  query TeamMembers($id: ID!) {
    team(id: $id) {
      id
      teamMembers(first: 100) {
        nodes {
          id
          userId
          takesTickets
          capacity
          user {
            id
            name
          }
        }
      }
    }
  }
`)

const SetTeamMember = graphql(`
  mutation SetTeamMember($teamId: UUID!, $userId: UUID!, $takesTickets: Boolean!, $capacity: Int) {
    setTeamMember(
      input: { teamId: $teamId, userId: $userId, takesTickets: $takesTickets, capacity: $capacity }
    ) {
      member {
        id
        takesTickets
        capacity
      }
    }
  }
`)

const RemoveTeamMember = graphql(`
  mutation RemoveTeamMember($teamId: UUID!, $userId: UUID!) {
    removeTeamMember(input: { teamId: $teamId, userId: $userId }) {
      removed
    }
  }
`)

export interface TeamMembersProps {
  team: { id: string; rowId: string }
  onChanged: () => void
}

/** Who works in a team, and how much of what comes in goes to them by itself. Each change is saved at once. */
export function TeamMembers({ team: held, onChanged }: TeamMembersProps) {
  const { t } = useTranslation(['teams', 'components', 'errors'])
  const teamId = held.rowId
  const [{ data }, reread] = useQuery({ query: TeamMembersQuery, variables: { id: held.id } })
  const [, setTeamMember] = useMutation(SetTeamMember)
  const [, removeTeamMember] = useMutation(RemoveTeamMember)
  const members = (data?.team?.teamMembers.nodes ?? [])
    .flatMap((node) => (node ? [{ ...node, name: node.user?.name ?? '' }] : []))
    .sort((one, other) => one.name.localeCompare(other.name))

  async function save(userId: string, takesTickets: boolean, capacity: number | null) {
    const { error } = await setTeamMember({ teamId, userId, takesTickets, capacity })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    reread({ requestPolicy: 'network-only' })
    onChanged()
  }

  async function remove(userId: string) {
    const { error } = await removeTeamMember({ teamId, userId })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    reread({ requestPolicy: 'network-only' })
    onChanged()
  }

  return (
    <section aria-label={t('members')} className="flex flex-col gap-3 border-t border-border pt-4">
      <h3 className="text-sm font-semibold">{t('members')}</h3>
      {data && members.length === 0 && <p className="text-sm text-muted">{t('noMembers')}</p>}
      <ul className="flex flex-col divide-y divide-border">
        {members.map(({ id, userId, name, takesTickets, capacity }) => (
          <li key={id} className="flex flex-wrap items-center gap-x-3 gap-y-2 py-2">
            <Avatar name={name} size="small" />
            <span className="min-w-0 flex-1 basis-32 truncate text-sm">{name}</span>
            <Switch
              isSelected={takesTickets}
              onChange={(takes) => void save(userId, takes, capacity)}
              aria-label={t('takesTicketsOf', { name })}
            >
              {t('takesTickets')}
            </Switch>
            <Capacity name={name} value={capacity} onSave={(next) => void save(userId, takesTickets, next)} />
            <Button
              variant="quiet"
              size="small"
              isIconOnly
              aria-label={t('components:remove', { name })}
              onPress={() => void remove(userId)}
            >
              <X className="size-4" aria-hidden="true" />
            </Button>
          </li>
        ))}
      </ul>
      <PersonField
        key={members.length}
        label={t('addMember')}
        circle="staff"
        value={null}
        except={members.map(({ userId }) => userId)}
        onChange={(person) => void save(person.rowId, true, null)}
      />
    </section>
  )
}

interface CapacityProps {
  name: string
  value: number | null
  onSave: (value: number | null) => void
}

/** How many open tickets somebody has at most before no more come by themselves; empty for any number. */
function Capacity({ name, value, onSave }: CapacityProps) {
  const { t } = useTranslation('teams')
  const [typed, setTyped] = useState(value === null ? '' : String(value))
  const number = typed.trim() === '' ? null : Number(typed)
  const isWrong = number !== null && !(Number.isInteger(number) && number >= 0 && number <= 10_000)
  return (
    <div className="w-24 [&_label]:sr-only">
      <TextField
        label={t('capacityOf', { name })}
        inputMode="numeric"
        autoComplete="off"
        placeholder={t('anyNumber')}
        value={typed}
        onChange={setTyped}
        onBlur={() => {
          if (!isWrong && number !== value) onSave(number)
        }}
        error={isWrong ? t('capacityFault') : null}
      />
    </div>
  )
}
