import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { ErrorState } from '../../components/error-state.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { TextField } from '../../components/text-field.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { useDebounced } from '../../lib/debounced.ts'
import { readTicketNumber } from './ticket-number.ts'

const TicketByNumberQuery = graphql(`
  query TicketByNumber($number: Int!) {
    ticketByNumber(number: $number) {
      id
      rowId
      number
      reference
      subject
      status
      mergedIntoId
      state {
        id
        name
      }
      requester {
        id
        rowId
        name
      }
    }
  }
`)

export type FoundTicket = NonNullable<ResultOf<typeof TicketByNumberQuery>['ticketByNumber']>

/** The ticket whose number is typed, once the server has answered; null while there is none. */
export function useFoundTicket(typed: string) {
  const rested = useDebounced(typed)
  const number = readTicketNumber(rested)
  const [{ data, error, fetching, stale }, reread] = useQuery({
    query: TicketByNumberQuery,
    variables: { number: number ?? 0 },
    pause: number === null,
  })
  const isCurrent = rested === typed && number !== null && !fetching && !stale
  const found = data?.ticketByNumber ?? null
  return {
    ticket: isCurrent && found?.number === number ? found : null,
    isMissing: isCurrent && !error && found === null,
    error: isCurrent ? (error ?? null) : null,
    reread,
  }
}

export interface TicketNumberFieldProps {
  label: string
  typed: string
  onTyped: (typed: string) => void
  search: ReturnType<typeof useFoundTicket>
  /** Why the ticket that was found will not do. */
  refusal?: string | null
}

/** Another ticket, by its number; what was found is shown below, so that nobody takes the wrong one. */
export function TicketNumberField({ label, typed, onTyped, search, refusal }: TicketNumberFieldProps) {
  const { t } = useTranslation(['ticket-work', 'errors'])
  const { ticket, isMissing, error, reread } = search
  return (
    <div className="flex flex-col gap-3">
      <TextField
        label={label}
        placeholder={t('number.placeholder')}
        autoComplete="off"
        autoFocus
        inputMode="text"
        value={typed}
        onChange={onTyped}
        error={isMissing ? t('number.missing') : (refusal ?? null)}
      />
      {error && (
        <ErrorState title={t('number.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      )}
      <div aria-live="polite">
        {ticket && (
          <div className="flex flex-col gap-1 rounded-md border border-border bg-sunken px-3 py-2.5 text-sm">
            <div className="flex flex-wrap items-center justify-between gap-2">
              <span className="figures text-muted">{ticket.reference}</span>
              <StatusPill status={ticket.status} name={ticket.state?.name} />
            </div>
            <p className="font-medium [overflow-wrap:anywhere]">{ticket.subject}</p>
            <p className="text-muted">{ticket.requester?.name}</p>
          </div>
        )}
      </div>
    </div>
  )
}
