import { useEffect, useRef } from 'react'
import { useSubscription } from 'urql'
import { graphql } from '../../graphql/tada.ts'

const TicketChanged = graphql(`
  subscription TicketChanged($ticketId: UUID!) {
    ticketChanged(ticketId: $ticketId, replaySeconds: 20) {
      event
      ticketId
      eventId
    }
  }
`)

/** Calls back whenever something happened to this ticket. */
export function useTicketChanges(ticketId: string | undefined, onChange: () => void): void {
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  }, [onChange])
  const [{ data }] = useSubscription({
    query: TicketChanged,
    variables: { ticketId: ticketId ?? '' },
    pause: ticketId === undefined,
  })
  useEffect(() => {
    if (data?.ticketChanged) latest.current()
  }, [data])
}
