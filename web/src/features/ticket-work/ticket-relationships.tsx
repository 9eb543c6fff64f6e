import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { StatusGlyph, type Status } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useStateName } from '../../graphql/ticket-states.ts'
import { classNames } from '../../lib/class-names.ts'
import { RelateDialog } from './relate-dialog.tsx'
import { relationOf, RELATIONS, relationshipFor, type Relation } from './relationships.ts'
import { useRelate } from './use-relate.ts'

export const TicketRelationshipsFragment = graphql(`
  fragment TicketRelationships on Ticket {
    id
    rowId
    relationships(first: 100) {
      nodes {
        id
        rowId
        kind
        otherTicket {
          id
          rowId
          number
          reference
          subject
          status
          state {
            id
            name
          }
        }
      }
    }
    relationshipsFromOthers(first: 100) {
      nodes {
        id
        rowId
        kind
        ticket {
          id
          rowId
          number
          reference
          subject
          status
          state {
            id
            name
          }
        }
      }
    }
  }
`)

const UnrelateTickets = graphql(`
  mutation UnrelateTickets($relationshipId: UUID!) {
    unrelateTickets(input: { relationshipId: $relationshipId }) {
      removed
    }
  }
`)

interface OtherTicket {
  rowId: string
  number: number
  reference: string
  subject: string
  status: Status
  state: { name: string | null } | null
}

interface Related {
  id: string
  relation: Relation
  other: OtherTicket
}

export interface TicketRelationshipsProps {
  ticket: FragmentOf<typeof TicketRelationshipsFragment>
  onChanged: () => void
}

/** How a ticket stands to others. */
export function TicketRelationships({ ticket, onChanged }: TicketRelationshipsProps) {
  const { t } = useTranslation(['ticket-work', 'components', 'errors'])
  const { rowId, relationships, relationshipsFromOthers } = readFragment(TicketRelationshipsFragment, ticket)
  const [isAdding, setIsAdding] = useState(false)
  const [, unrelate] = useMutation(UnrelateTickets)
  const relate = useRelate()

  const all: Related[] = [
    ...relationships.nodes.flatMap((node) =>
      node?.otherTicket
        ? [{ id: node.rowId, relation: relationOf(node.kind, 'first'), other: node.otherTicket }]
        : [],
    ),
    ...relationshipsFromOthers.nodes.flatMap((node) =>
      node?.ticket ? [{ id: node.rowId, relation: relationOf(node.kind, 'second'), other: node.ticket }] : [],
    ),
  ]

  async function remove({ id, relation, other }: Related) {
    const { error } = await unrelate({ relationshipId: id })
    if (error) {
      notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
      return
    }
    onChanged()
    notify({
      tone: 'success',
      title: t('relationships.removed', { reference: other.reference }),
      action: { label: t('undo'), onPress: () => void putBack(relation, other) },
    })
  }

  async function putBack(relation: Relation, other: OtherTicket) {
    const { error } = await relate(relationshipFor(relation, rowId, other.rowId))
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    else onChanged()
  }

  return (
    <>
      <PanelSection
        title={t('relationships.title')}
        count={all.length}
        foldsAs="relationships"
        actions={
          <Button
            variant="quiet"
            size="small"
            isIconOnly
            aria-label={t('relationships.add')}
            onPress={() => setIsAdding(true)}
          >
            <Plus className="size-4" aria-hidden="true" />
          </Button>
        }
      >
        {all.length > 0 &&
          RELATIONS.map((relation) => {
            const members = all.filter((each) => each.relation === relation)
            if (members.length === 0) return null
            return (
              <div key={relation} className="flex flex-col gap-1">
                <h3 className="text-xs font-medium text-muted">
                  {t(`relationships.heading.${relation}`, { count: members.length })}
                </h3>
                <ul className="flex flex-col">
                  {members.map((related) => (
                    <RelatedTicket
                      key={related.id}
                      other={related.other}
                      onRemove={() => void remove(related)}
                    />
                  ))}
                </ul>
              </div>
            )
          })}
      </PanelSection>
      <RelateDialog
        ticketId={rowId}
        isOpen={isAdding}
        onClose={() => setIsAdding(false)}
        onRelated={onChanged}
      />
    </>
  )
}

function RelatedTicket({ other, onRemove }: { other: OtherTicket; onRemove: () => void }) {
  const { t } = useTranslation('components')
  const nameOf = useStateName()
  const isDone = other.status === 'resolved' || other.status === 'closed'
  const state = nameOf({ kind: other.status, name: other.state?.name ?? null })
  return (
    <li className="-mx-2 flex items-start gap-2 rounded-md ps-2 text-sm hover:bg-hover">
      <span className="mt-2 shrink-0" title={state}>
        <StatusGlyph status={other.status} className={classNames('size-4', STATUS_INK[other.status])} />
        <span className="sr-only">{state}</span>
      </span>
      <Link
        to={`/desk/tickets/${other.number}`}
        className="min-w-0 flex-1 rounded-sm py-1.5 underline-offset-4 hover:underline"
      >
        <span className="figures text-muted">{other.reference}</span>{' '}
        <span className={classNames('[overflow-wrap:anywhere]', isDone && 'text-muted line-through')}>
          {other.subject}
        </span>
      </Link>
      <Button
        variant="quiet"
        size="small"
        isIconOnly
        aria-label={t('remove', { name: other.reference })}
        onPress={onRemove}
      >
        <X className="size-3.5" aria-hidden="true" />
      </Button>
    </li>
  )
}
