import { useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { graphql } from './tada.ts'

export const STATUS_KINDS = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'] as const
export type StatusKind = (typeof STATUS_KINDS)[number]

const TicketStatesQuery = graphql(`
  query TicketStates {
    ticketStates(first: 100) {
      nodes {
        id
        rowId
        kind
        name
        isDefault
        position
        archivedAt
      }
    }
  }
`)

/** A status as the organization has it: one of its own names for one of the six kinds. */
export interface TicketState {
  rowId: string
  kind: StatusKind
  /** Null for one that is called as its kind is, in the reader's language. */
  name: string | null
  isDefault: boolean
  position: number
}

/** Kind by kind in the order of a ticket's life, the organization's order within each. */
export function inOrderOfLife<State extends Pick<TicketState, 'kind' | 'position' | 'isDefault' | 'name'>>(
  states: readonly State[],
): State[] {
  return [...states].sort(
    (one, other) =>
      STATUS_KINDS.indexOf(one.kind) - STATUS_KINDS.indexOf(other.kind) ||
      one.position - other.position ||
      Number(other.isDefault) - Number(one.isDefault) ||
      (one.name ?? '').localeCompare(other.name ?? ''),
  )
}

/** What a status is called. */
export function useStateName(): (state: { kind: StatusKind; name: string | null }) => string {
  const { t } = useTranslation('components')
  return useCallback(({ kind, name }) => name ?? t(`status.${kind}`), [t])
}

/** The statuses a ticket can be put into, in order. */
export function useTicketStates(): TicketState[] {
  const [{ data }] = useQuery({ query: TicketStatesQuery })
  return useMemo(
    () =>
      inOrderOfLife(
        (data?.ticketStates.nodes ?? []).filter((node) => node !== null).filter((node) => !node.archivedAt),
      ),
    [data],
  )
}
