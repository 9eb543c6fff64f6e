import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Avatar } from '../../components/avatar.tsx'
import { Button } from '../../components/button.tsx'
import { Combobox } from '../../components/combobox.tsx'
import { PriorityGlyph } from '../../components/priority-mark.tsx'
import { Select } from '../../components/select.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf, type VariablesOf } from '../../graphql/tada.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useShortcuts } from '../../lib/shortcuts.ts'
import { TicketChoices } from './ticket-choices.ts'
import { PRIORITIES } from './ticket-states.ts'
import { useStateChoices } from './use-state-choices.tsx'

export const TicketPropertiesFragment = graphql(`
  fragment TicketProperties on Ticket {
    id
    status
    priority
    state {
      id
      rowId
      kind
      name
    }
    assignee {
      id
      rowId
      name
    }
    team {
      id
      rowId
      name
    }
    service {
      id
      rowId
      name
    }
  }
`)

const UpdateTicket = graphql(
  `
    mutation UpdateTicket($id: ID!, $patch: TicketPatch!) {
      updateTicket(input: { id: $id, patch: $patch }) {
        ticket {
          id
          updatedAt
          nextDueAt
          breached
          ...TicketProperties
        }
      }
    }
  `,
  [TicketPropertiesFragment],
)

type Patch = VariablesOf<typeof UpdateTicket>['patch']
type PropertyName = 'status' | 'priority' | 'assignee' | 'team' | 'service'

/** The value of a choice that means "none"; row ids are UUIDs, so it cannot be one. */
const NOBODY = 'none'

/** The properties of a ticket, each changed in place: shown at once, taken back on refusal, undone from the notice. */
export function TicketProperties({ ticket }: { ticket: FragmentOf<typeof TicketPropertiesFragment> }) {
  const { t } = useTranslation(['tickets', 'components', 'errors'])
  const user = useSessionUser()
  const { id, status, state, priority, assignee, team, service } = readFragment(
    TicketPropertiesFragment,
    ticket,
  )
  const states = useStateChoices(state)
  const [{ data: choices }] = useQuery({ query: TicketChoices, requestPolicy: 'cache-first' })
  const [, updateTicket] = useMutation(UpdateTicket)

  const people = useNamedChoices(choices?.users?.nodes, assignee, t('nobody'), true)
  const teams = useNamedChoices(choices?.teams?.nodes, team, t('none'))
  const services = useNamedChoices(choices?.services?.nodes, service, t('none'))

  async function change(name: PropertyName, patch: Patch, undo: Patch | null, value: string) {
    const { error } = await updateTicket({ id, patch })
    if (error) {
      notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
      return
    }
    notify({
      tone: 'success',
      title: t(`properties.changed.${name}`, { value }),
      ...(undo ? { action: { label: t('properties.undo'), onPress: () => void revert(undo) } } : {}),
    })
  }

  async function revert(patch: Patch) {
    const { error } = await updateTicket({ id, patch })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
  }

  const isOwn = assignee?.rowId === user.id
  const take = () =>
    void change('assignee', { assigneeId: user.id }, { assigneeId: assignee?.rowId ?? null }, user.name)
  useShortcuts(isOwn ? [] : [{ key: 'a', label: t('shortcuts.take'), run: take }])

  const rowIdOf = (value: string) => (value === NOBODY ? null : value)
  const labelOf = (list: readonly { value: string; label: string }[], value: string) =>
    list.find((choice) => choice.value === value)?.label ?? ''

  return (
    <div className="grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] items-center gap-x-4 gap-y-1.5">
      <Select
        look="inline"
        label={t('properties.status')}
        value={state?.rowId ?? null}
        choices={states}
        onChange={(stateId) =>
          // A ticket that was worked on cannot become new again, so leaving "new" has no way back.
          void change(
            'status',
            { stateId },
            status === 'new' || !state ? null : { stateId: state.rowId },
            labelOf(states, stateId),
          )
        }
      />
      <Select
        look="inline"
        label={t('properties.priority')}
        value={priority}
        choices={PRIORITIES.map((value) => ({
          value,
          label: t(`components:priority.${value}`),
          mark: <PriorityGlyph priority={value} />,
        }))}
        onChange={(value) =>
          void change('priority', { priority: value }, { priority }, t(`components:priority.${value}`))
        }
      />
      <Combobox
        look="inline"
        label={t('properties.assignee')}
        value={assignee?.rowId ?? NOBODY}
        choices={people}
        onChange={(value) =>
          void change(
            'assignee',
            { assigneeId: rowIdOf(value) },
            { assigneeId: assignee?.rowId ?? null },
            labelOf(people, value),
          )
        }
      />
      {!isOwn && (
        <Button
          variant="quiet"
          size="small"
          className="col-start-2 -ms-2.5 justify-self-start text-accent-text"
          onPress={take}
        >
          {t('properties.takeIt')}
        </Button>
      )}
      <Select
        look="inline"
        label={t('properties.team')}
        value={team?.rowId ?? NOBODY}
        choices={teams}
        onChange={(value) =>
          void change(
            'team',
            { teamId: rowIdOf(value) },
            { teamId: team?.rowId ?? null },
            labelOf(teams, value),
          )
        }
      />
      <Select
        look="inline"
        label={t('properties.service')}
        value={service?.rowId ?? NOBODY}
        choices={services}
        onChange={(value) =>
          void change(
            'service',
            { serviceId: rowIdOf(value) },
            { serviceId: service?.rowId ?? null },
            labelOf(services, value),
          )
        }
      />
    </div>
  )
}

interface NamedRow {
  rowId: string
  name: string
  disabledAt?: string | null
  archivedAt?: string | null
}

/** Choices from rows, with "none" first and the current one even when the list does not have it (or not yet). */
function useNamedChoices(
  nodes: readonly (NamedRow | null)[] | undefined,
  current: { rowId: string; name: string } | null,
  noneLabel: string,
  withAvatar = false,
) {
  const currentId = current?.rowId
  const currentName = current?.name
  return useMemo(() => {
    const rows = (nodes ?? [])
      .filter((node) => node !== null)
      .filter((node) => !node.disabledAt && !node.archivedAt)
    if (currentId && currentName && !rows.some((row) => row.rowId === currentId)) {
      rows.unshift({ rowId: currentId, name: currentName })
    }
    const mark = (name: string | null) => (withAvatar ? { mark: <Avatar name={name} size="small" /> } : {})
    return [
      { value: NOBODY, label: noneLabel, ...mark(null) },
      ...rows.map((row) => ({ value: row.rowId, label: row.name, ...mark(row.name) })),
    ]
  }, [nodes, currentId, currentName, noneLabel, withAvatar])
}
