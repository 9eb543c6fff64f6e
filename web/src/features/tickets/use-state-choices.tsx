import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Choice } from '../../components/select.tsx'
import { StatusGlyph } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { useStateName, useTicketStates, type StatusKind } from '../../graphql/ticket-states.ts'
import { classNames } from '../../lib/class-names.ts'

interface Current {
  rowId: string
  kind: StatusKind
  name: string | null
}

/**
 * The statuses a ticket may be put into, under their kinds where a kind has several; only one that is new may stay so.
 * The current one is among them even when it was archived since.
 */
export function useStateChoices(current: Current | null): Choice<string>[] {
  const { t } = useTranslation('components')
  const nameOf = useStateName()
  const states = useTicketStates()
  const { rowId: currentId, kind: currentKind, name: currentName } = current ?? {}
  return useMemo(() => {
    const offered: Current[] = states.filter(({ kind }) => kind !== 'new' || currentKind === 'new')
    if (currentId && currentKind && !offered.some((state) => state.rowId === currentId)) {
      offered.unshift({ rowId: currentId, kind: currentKind, name: currentName ?? null })
    }
    const isGrouped = new Set(offered.map(({ kind }) => kind)).size < offered.length
    return offered.map((state) => ({
      value: state.rowId,
      label: nameOf(state),
      mark: (
        <StatusGlyph status={state.kind} className={classNames('size-4 shrink-0', STATUS_INK[state.kind])} />
      ),
      group: isGrouped ? t(`status.${state.kind}`) : undefined,
    }))
  }, [states, currentId, currentKind, currentName, nameOf, t])
}
