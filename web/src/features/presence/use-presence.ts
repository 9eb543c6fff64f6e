import { useEffect, useRef, useSyncExternalStore } from 'react'
import { useMutation, useQuery, useSubscription } from 'urql'
import { graphql } from '../../graphql/tada.ts'

const TicketPresence = graphql(`
  subscription TicketPresence($ticketId: UUID!) {
    ticketPresence(ticketId: $ticketId) {
      ticketId
      people {
        userId
        state
        since
      }
    }
  }
`)

const PresentPeopleQuery = graphql(`
  query PresentPeople($ids: [UUID!]!) {
    users(first: 50, filter: { rowId: { in: $ids } }) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

const ShowTyping = graphql(`
  mutation ShowTyping($ticketId: UUID!, $isTyping: Boolean!) {
    showTyping(input: { ticketId: $ticketId, isTyping: $isTyping }) {
      ticketId
    }
  }
`)

/** How often others are told again that somebody still types; it holds for six seconds. */
const SAY_AGAIN_MS = 3_000
/** Who has not pressed a key for this long thinks, and does not type. */
const STILL_MS = 4_000

export interface PresentColleague {
  userId: string
  name: string
  isTyping: boolean
}

/** Who else is at a ticket. Others see whoever looks at the page, not a tab that lies behind another. */
export function usePresence(ticketId: string | undefined): PresentColleague[] {
  const isSeen = useIsSeen()
  const [{ data }] = useSubscription({
    query: TicketPresence,
    variables: { ticketId: ticketId ?? '' },
    pause: !isSeen || ticketId === undefined,
  })
  const people = isSeen ? (data?.ticketPresence?.people ?? []) : []
  const ids = people.map(({ userId }) => userId).sort()
  const [{ data: known }] = useQuery({
    query: PresentPeopleQuery,
    variables: { ids },
    pause: ids.length === 0,
  })
  const names = new Map((known?.users.nodes ?? []).flatMap((user) => (user ? [[user.rowId, user.name]] : [])))
  return people.flatMap(({ userId, state }) => {
    const name = names.get(userId)
    return name ? [{ userId, name, isTyping: state === 'typing' }] : []
  })
}

/** Tells others that somebody types, for as long as keys are pressed. */
export function useTypingSignal(ticketId: string): { typed: () => void; stopped: () => void } {
  const [, showTyping] = useMutation(ShowTyping)
  const send = useRef(showTyping)
  useEffect(() => {
    send.current = showTyping
  }, [showTyping])
  const saidAt = useRef(0)
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined)
  const signal = useRef({
    typed() {
      clearTimeout(rest.current)
      rest.current = setTimeout(() => signal.current.stopped(), STILL_MS)
      if (Date.now() - saidAt.current < SAY_AGAIN_MS) return
      saidAt.current = Date.now()
      void send.current({ ticketId, isTyping: true })
    },
    stopped() {
      clearTimeout(rest.current)
      if (saidAt.current === 0) return
      saidAt.current = 0
      void send.current({ ticketId, isTyping: false })
    },
  })
  useEffect(() => () => clearTimeout(rest.current), [])
  return signal.current
}

const subscribe = (onChange: () => void) => {
  document.addEventListener('visibilitychange', onChange)
  return () => document.removeEventListener('visibilitychange', onChange)
}

const useIsSeen = () => useSyncExternalStore(subscribe, () => !document.hidden)
