import { useRef, useState } from 'react'
import { useMutation } from 'urql'
import { problemOf, told, type ProblemCode } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'

const BulkUpdateTickets = graphql(`
  mutation BulkUpdateTickets($ticketIds: [UUID]!, $actions: JSON!) {
    bulkUpdateTickets(input: { ticketIds: $ticketIds, actions: $actions }) {
      results {
        ticketId
        changed
        code
      }
    }
  }
`)

const ApplyMacroToTickets = graphql(`
  mutation ApplyMacroToTickets($ticketIds: [UUID]!, $macroId: UUID!) {
    applyMacroToTickets(input: { ticketIds: $ticketIds, macroId: $macroId }) {
      results {
        ticketId
        changed
        code
      }
    }
  }
`)

/** So many in one transaction: long ones would let everybody else wait, and show no progress. */
const CHUNK = 100

export type BulkAction = { type: string } & Record<string, unknown>

/** What is done to each: single actions, or all that a macro says. */
export type BulkChange = { actions: BulkAction[] } | { macroId: string }

export interface BulkOutcome {
  total: number
  done: number
  changed: number
  refused: { ticketId: string; code: ProblemCode }[]
  /** What ended it before its time. */
  problem: ProblemCode | null
  isRunning: boolean
}

/** Does the same to many tickets, a hundred at a time, and keeps what became of each. */
export function useBulkChange(onChanged: () => void) {
  const [, bulkUpdate] = useMutation(BulkUpdateTickets)
  const [, applyMacro] = useMutation(ApplyMacroToTickets)
  const [outcome, setOutcome] = useState<BulkOutcome | null>(null)
  const isStopped = useRef(false)

  async function change(ticketIds: string[], what: BulkChange) {
    if ('macroId' in what) {
      const { data, error } = await applyMacro({ ticketIds, macroId: what.macroId })
      return { results: data?.applyMacroToTickets?.results, error }
    }
    const { data, error } = await bulkUpdate({ ticketIds, actions: what.actions })
    return { results: data?.bulkUpdateTickets?.results, error }
  }

  async function run(ticketIds: readonly string[], what: BulkChange): Promise<BulkOutcome> {
    isStopped.current = false
    let now: BulkOutcome = {
      total: ticketIds.length,
      done: 0,
      changed: 0,
      refused: [],
      problem: null,
      isRunning: true,
    }
    setOutcome(now)
    for (let start = 0; start < ticketIds.length && !isStopped.current && !now.problem; start += CHUNK) {
      const chunk = ticketIds.slice(start, start + CHUNK)
      const { results: answers, error } = await change(chunk, what)
      if (error) {
        now = { ...now, problem: problemOf(error).code }
        break
      }
      const results = (answers ?? []).filter((result) => result !== null)
      now = {
        ...now,
        done: now.done + chunk.length,
        changed: now.changed + results.filter(({ changed }) => changed).length,
        refused: [
          ...now.refused,
          ...results
            .filter(({ changed }) => !changed)
            .map(({ ticketId, code }) => ({ ticketId, code: told(code) })),
        ],
      }
      setOutcome(now)
    }
    now = { ...now, isRunning: false }
    setOutcome(now)
    onChanged()
    return now
  }

  return {
    outcome,
    run,
    stop: () => {
      isStopped.current = true
    },
    dismiss: () => setOutcome(null),
  }
}
