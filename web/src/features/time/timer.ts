import { useMutation, useQuery } from 'urql'
import { useTranslation } from 'react-i18next'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql } from '../../graphql/tada.ts'
import { useWindowFocus } from '../../lib/window-focus.ts'
import { clockOf } from '../../lib/duration.ts'

const CurrentTimerQuery = graphql(`
  query CurrentTimer {
    currentTimer {
      id
      rowId
      ticketId
      startedAt
      ticket {
        id
        number
        reference
        subject
      }
    }
  }
`)

const StartTimer = graphql(`
  mutation StartTimer($ticketId: UUID!) {
    startTimer(input: { ticketId: $ticketId }) {
      timer {
        id
        rowId
        ticketId
        startedAt
        ticket {
          id
          number
          reference
          subject
        }
      }
    }
  }
`)

const StopTimer = graphql(`
  mutation StopTimer($timerId: UUID!) {
    stopTimer(input: { timerId: $timerId }) {
      timeEntry {
        id
        seconds
        ticketId
      }
    }
  }
`)

const DiscardTimer = graphql(`
  mutation DiscardTimer($timerId: UUID!) {
    discardTimer(input: { timerId: $timerId }) {
      discarded
    }
  }
`)

/** The timer of whoever looks, which may have been started or stopped in another window, and what can be done with it. */
export function useTimer() {
  const { t } = useTranslation(['time', 'errors'])
  const [{ data }, reread] = useQuery({ query: CurrentTimerQuery })
  const [starting, startTimer] = useMutation(StartTimer)
  const [stopping, stopTimer] = useMutation(StopTimer)
  const [, discardTimer] = useMutation(DiscardTimer)
  const readAgain = () => reread({ requestPolicy: 'network-only' })
  useWindowFocus(readAgain)
  const timer = data?.currentTimer ?? null

  const tell = (error: Error) => {
    notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    readAgain()
  }
  return {
    timer,
    isBusy: starting.fetching || stopping.fetching,
    async start(ticketId: string) {
      const { error } = await startTimer({ ticketId })
      if (error) tell(error)
    },
    async stop() {
      if (!timer) return
      const { data: stopped, error } = await stopTimer({ timerId: timer.rowId })
      if (error) return tell(error)
      const seconds = stopped?.stopTimer?.timeEntry?.seconds ?? 0
      notify({
        tone: 'success',
        title: t('timer.recorded', { time: clockOf(seconds), ticket: timer.ticket?.reference ?? '' }),
      })
    },
    async discard() {
      if (!timer) return
      const { error } = await discardTimer({ timerId: timer.rowId })
      if (error) tell(error)
    },
  }
}
