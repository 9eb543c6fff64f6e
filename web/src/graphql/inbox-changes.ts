import { useEffect, useRef } from 'react'
import { useSubscription } from 'urql'
import { graphql } from './tada.ts'

const InboxChanged = graphql(`
  subscription InboxChanged {
    inboxChanged(replaySeconds: 5) {
      event
      ticketId
      eventId
    }
  }
`)

/** Calls back whenever one of the tickets the caller may see has changed. */
export function useInboxChanges(onChange: (ticketId: string) => void): void {
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  }, [onChange])
  const [{ data }] = useSubscription({ query: InboxChanged })
  useEffect(() => {
    if (data?.inboxChanged) latest.current(data.inboxChanged.ticketId)
  }, [data])
}
