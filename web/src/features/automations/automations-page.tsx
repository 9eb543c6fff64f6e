import { ArrowDown, ArrowUp, CalendarClock, Plus, RefreshCwOff, TriangleAlert, Zap } from 'lucide-react'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { ButtonLink } from '../../components/button-link.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'

const AutomationRowFragment = graphql(`
  fragment AutomationRow on Automation {
    id
    rowId
    name
    kind
    isEnabled
    isFailing
    loopsStopped
    lastFiredAt
  }
`)

const AutomationsQuery = graphql(
  `
    query Automations {
      automations(first: 100, orderBy: [POSITION_ASC]) {
        nodes {
          id
          rowId
          ...AutomationRow
        }
      }
    }
  `,
  [AutomationRowFragment],
)

const SwitchAutomation = graphql(`
  mutation SwitchAutomation($id: ID!, $isEnabled: Boolean!) {
    updateAutomation(input: { id: $id, patch: { isEnabled: $isEnabled } }) {
      automation {
        id
        isEnabled
        updatedAt
      }
    }
  }
`)

const OrderAutomations = graphql(`
  mutation OrderAutomations($automationIds: [UUID]!) {
    orderAutomations(input: { automationIds: $automationIds }) {
      ordered
    }
  }
`)

/** What is done to tickets by itself, in its order. */
export function AutomationsPage() {
  const { t } = useTranslation(['automations', 'errors'])
  const [{ data, error, fetching }, read] = useQuery({
    query: AutomationsQuery,
    requestPolicy: 'cache-and-network',
  })
  const reread = useReread(useCallback(() => read({ requestPolicy: 'network-only' }), [read]))
  const [, order] = useMutation(OrderAutomations)
  const automations = (data?.automations.nodes ?? []).filter((node) => node !== null)

  async function move(index: number, by: -1 | 1) {
    const ids = automations.map(({ rowId }) => rowId)
    const [moved] = ids.splice(index, 1)
    if (!moved) return
    ids.splice(index + by, 0, moved)
    try {
      dataOf(await order({ automationIds: ids }))
    } catch (thrown) {
      notify({ tone: 'danger', title: t(`errors:${problemOf(thrown as Error).code}`) })
    }
    reread()
  }

  const make = (
    <ButtonLink variant="primary" to="/desk/admin/automations/new">
      <Plus className="size-4" aria-hidden="true" />
      {t('make')}
    </ButtonLink>
  )
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} actions={automations.length > 0 && make} />
      <Card className="overflow-hidden">
        {automations.length > 0 ? (
          <ol aria-label={t('title')} className="divide-y divide-border">
            {automations.map((automation, index) => (
              <AutomationRow
                key={automation.id}
                automation={automation}
                onUp={index > 0 ? () => move(index, -1) : null}
                onDown={index < automations.length - 1 ? () => move(index, 1) : null}
              />
            ))}
          </ol>
        ) : error ? (
          <ErrorState title={t('listError')} onRetry={reread}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : fetching ? (
          <SkeletonRows label={t('loading')} rows={3} />
        ) : (
          <EmptyState title={t('empty.title')} action={make}>
            {t('empty.body')}
          </EmptyState>
        )}
      </Card>
    </>
  )
}

interface AutomationRowProps {
  automation: FragmentOf<typeof AutomationRowFragment>
  onUp: (() => void) | null
  onDown: (() => void) | null
}

function AutomationRow({ automation: row, onUp, onDown }: AutomationRowProps) {
  const { t } = useTranslation('automations')
  const automation = readFragment(AutomationRowFragment, row)
  const { id, name, kind, isEnabled, isFailing, loopsStopped, lastFiredAt } = automation
  const [, switchAutomation] = useMutation(SwitchAutomation)
  const { send, isSending } = useSubmission()
  const Sign = kind === 'time' ? CalendarClock : Zap
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 sm:px-5">
      <Sign className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <div className="min-w-0 flex-1 basis-48">
        <p className="text-sm font-medium [overflow-wrap:anywhere]">
          <TextLink to={`/desk/admin/automations/${automation.rowId}`}>{name}</TextLink>
        </p>
        <p className="text-sm text-muted">
          {t(`kind.${kind}`)}
          {' · '}
          {lastFiredAt ? (
            <>
              {t('lastFired')} <RelativeTime at={lastFiredAt} />
            </>
          ) : (
            t('neverFired')
          )}
        </p>
      </div>
      {isFailing && (
        <Pill tone="danger" sign={TriangleAlert}>
          {t('failing')}
        </Pill>
      )}
      {(loopsStopped ?? 0) > 0 && (
        <Pill tone="warning" sign={RefreshCwOff}>
          {t('loops', { count: loopsStopped ?? 0 })}
        </Pill>
      )}
      <div className="flex items-center gap-1">
        <Button
          variant="quiet"
          isIconOnly
          aria-label={t('up', { name })}
          isDisabled={!onUp}
          onPress={() => onUp?.()}
        >
          <ArrowUp className="size-4" aria-hidden="true" />
        </Button>
        <Button
          variant="quiet"
          isIconOnly
          aria-label={t('down', { name })}
          isDisabled={!onDown}
          onPress={() => onDown?.()}
        >
          <ArrowDown className="size-4" aria-hidden="true" />
        </Button>
        <div className="w-20">
          <Switch
            aria-label={t('switch', { name })}
            isSelected={isEnabled}
            isDisabled={isSending}
            onChange={(next) =>
              void send(async () => void dataOf(await switchAutomation({ id, isEnabled: next })))
            }
          >
            {t(isEnabled ? 'on' : 'off')}
          </Switch>
        </div>
      </div>
    </li>
  )
}
