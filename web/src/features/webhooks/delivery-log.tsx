import { ChevronDown, RefreshCw } from 'lucide-react'
import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { Select } from '../../components/select.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { usePages } from '../../graphql/pages.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { DeliveryDetail } from './delivery-detail.tsx'
import { DeliveryStatePill, STATES, useOutcomeWords, type DeliveryState } from './delivery-parts.tsx'
import { ReplaySince } from './replay-since.tsx'

const DeliveryRowFragment = graphql(`
  fragment WebhookDeliveryRow on WebhookDelivery {
    id
    rowId
    eventType
    state
    attempts
    replay
    lastStatus
    lastFault
    createdAt
    ticket {
      id
      number
      reference
      subject
    }
  }
`)

const DeliveriesQuery = graphql(
  `
    query WebhookDeliveries($filter: WebhookDeliveryFilter!, $after: Cursor) {
      webhookDeliveries(first: 20, after: $after, filter: $filter, orderBy: [CREATED_AT_DESC]) {
        nodes {
          id
          ...WebhookDeliveryRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [DeliveryRowFragment],
)

const connectionOf = (data: ResultOf<typeof DeliveriesQuery>) => data.webhookDeliveries
const EVERY = 'every'

export interface DeliveryLogProps {
  webhookId: string
  canReplay: boolean
  /** The calls are read again: how the webhook is getting on may have changed with them. */
  onReread: () => void
}

/** What a webhook was told and is yet to be told. */
export function DeliveryLog({ webhookId, canReplay, onReread }: DeliveryLogProps) {
  const { t } = useTranslation(['webhooks', 'errors'])
  const [state, setState] = useState<DeliveryState | typeof EVERY>(EVERY)
  const list = usePages({
    document: DeliveriesQuery,
    variables: {
      filter: {
        webhookId: { equalTo: webhookId },
        ...(state === EVERY ? {} : { state: { equalTo: state } }),
      },
    },
    connectionOf,
  })
  function rereadAll() {
    list.reread()
    onReread()
  }
  return (
    <SettingsSection title={t('log.title')} intro={t('log.intro')}>
      <div className="flex flex-wrap items-end justify-between gap-3 border-b border-border px-5 py-4">
        <div className="w-48 max-w-full">
          <Select
            label={t('log.filter')}
            value={state}
            onChange={setState}
            choices={[
              { value: EVERY, label: t('log.every') },
              ...STATES.map((value) => ({ value, label: t(`state.${value}`) })),
            ]}
          />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button onPress={rereadAll}>
            <RefreshCw className="size-4" aria-hidden="true" />
            {t('log.reread')}
          </Button>
          {canReplay && <ReplaySince webhookId={webhookId} onReplayed={rereadAll} />}
        </div>
      </div>
      {list.error && list.nodes.length === 0 ? (
        <ErrorState title={t('log.error')} onRetry={list.reread}>
          {t(`errors:${problemOf(list.error).code}`)}
        </ErrorState>
      ) : list.isLoading ? (
        <SkeletonRows label={t('loading')} rows={3} />
      ) : list.nodes.length === 0 ? (
        <EmptyState title={t(state === EVERY ? 'log.empty' : 'log.emptyFilter')}>
          {t(state === EVERY ? 'log.emptyBody' : 'log.emptyFilterBody')}
        </EmptyState>
      ) : (
        <ul
          aria-label={t('log.title')}
          // What is opened has a ground of its own, which would stand out at the corners of the card.
          className={classNames(
            'divide-y divide-border last:overflow-clip last:rounded-b-[calc(var(--radius-xl)-1px)]',
            list.isStale && 'opacity-60',
          )}
        >
          {list.nodes.map((delivery) => (
            <DeliveryRow key={delivery.id} delivery={delivery} onChanged={rereadAll} />
          ))}
        </ul>
      )}
      {list.hasMore && (
        <div className="border-t border-border px-5 py-3">
          <Button size="small" onPress={list.more} isPending={list.isLoadingMore}>
            {t('log.more')}
          </Button>
        </div>
      )}
    </SettingsSection>
  )
}

interface DeliveryRowProps {
  delivery: FragmentOf<typeof DeliveryRowFragment>
  onChanged: () => void
}

function DeliveryRow({ delivery: row, onChanged }: DeliveryRowProps) {
  const { t } = useTranslation('webhooks')
  const outcomeWords = useOutcomeWords()
  const [isOpen, setIsOpen] = useState(false)
  const id = useId()
  const delivery = readFragment(DeliveryRowFragment, row)
  const { eventType, state, attempts, replay, lastStatus, lastFault, ticket, createdAt } = delivery
  const event = eventType ? t(`event.${eventType}`) : t('event.ping')
  return (
    <li className="flex flex-col">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-5 py-3 text-sm">
        <DeliveryStatePill state={state} />
        <div className="min-w-0 flex-1 basis-52">
          <p className="font-medium">
            {event}
            {replay > 0 && <span className="font-normal text-muted"> · {t('log.again')}</span>}
          </p>
          <p className="truncate text-muted">
            {ticket && (
              <>
                <TextLink to={`/desk/tickets/${ticket.number}`}>{ticket.reference}</TextLink> {ticket.subject}
              </>
            )}
          </p>
        </div>
        <p className="me-auto text-muted sm:me-0">
          {attempts > 0 && <>{outcomeWords(lastStatus, lastFault)} · </>}
          <RelativeTime at={createdAt} />
        </p>
        <Button
          variant="quiet"
          isIconOnly
          aria-label={t('log.detail', { event })}
          aria-expanded={isOpen}
          aria-controls={id}
          onPress={() => setIsOpen(!isOpen)}
        >
          <ChevronDown
            className={classNames('size-4 transition-transform', isOpen && 'rotate-180')}
            aria-hidden="true"
          />
        </Button>
      </div>
      <div id={id} hidden={!isOpen} className="border-t border-border bg-canvas px-5 py-4">
        {isOpen && <DeliveryDetail deliveryId={delivery.rowId} onChanged={onChanged} />}
      </div>
    </li>
  )
}
