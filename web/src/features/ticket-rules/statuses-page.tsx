import { Plus } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { StatusPill } from '../../components/status-pill.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql } from '../../graphql/tada.ts'
import {
  inOrderOfLife,
  STATUS_KINDS,
  useStateName,
  type StatusKind,
  type TicketState,
} from '../../graphql/ticket-states.ts'
import { StatusDialog } from './status-dialog.tsx'

const StatusesQuery = graphql(`
  query Statuses {
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

const MakeStatusDefault = graphql(`
  mutation MakeStatusDefault($stateId: UUID!) {
    makeTicketStateDefault(input: { stateId: $stateId }) {
      state {
        id
        isDefault
      }
    }
  }
`)

const ArchiveStatus = graphql(`
  mutation ArchiveStatus($id: ID!, $archivedAt: Datetime) {
    updateTicketState(input: { id: $id, patch: { archivedAt: $archivedAt } }) {
      ticketState {
        id
        archivedAt
      }
    }
  }
`)

export interface Status extends TicketState {
  id: string
  archivedAt: string | null
}

/** The organization's own names for the six kinds of status. */
export function StatusesPage() {
  const { t } = useTranslation(['ticket-rules', 'components', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: StatusesQuery })
  const rereadSoon = useReread(useCallback(() => reread({ requestPolicy: 'network-only' }), [reread]))
  const [edited, setEdited] = useState<{ kind: StatusKind; status: Status | null } | null>(null)
  const statuses = inOrderOfLife((data?.ticketStates.nodes ?? []).filter((node) => node !== null))
  return (
    <>
      <PageHeader title={t('statuses.title')} intro={t('statuses.intro')} />
      {error && !data ? (
        <ErrorState title={t('statuses.error')} onRetry={rereadSoon}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : !data ? (
        <Card>
          <SkeletonRows label={t('loading')} rows={6} />
        </Card>
      ) : (
        STATUS_KINDS.map((kind) => (
          <section key={kind} aria-labelledby={`kind-${kind}`} className="flex flex-col gap-3">
            <div className="flex flex-wrap items-center justify-between gap-3">
              <div className="min-w-0 flex-1 basis-60">
                <h2 id={`kind-${kind}`} className="font-semibold">
                  {t(`components:status.${kind}`)}
                </h2>
                <p className="text-sm text-muted">{t(`statuses.meaning.${kind}`)}</p>
              </div>
              <Button
                size="small"
                aria-label={t('statuses.addTo', { kind: t(`components:status.${kind}`) })}
                onPress={() => setEdited({ kind, status: null })}
              >
                <Plus className="size-4" aria-hidden="true" />
                {t('statuses.add')}
              </Button>
            </div>
            <Card className="overflow-hidden">
              <ul className="divide-y divide-border">
                {statuses
                  .filter((status) => status.kind === kind)
                  .map((status) => (
                    <StatusRow
                      key={status.id}
                      status={status}
                      onEdit={() => setEdited({ kind, status })}
                      onChanged={rereadSoon}
                    />
                  ))}
              </ul>
            </Card>
          </section>
        ))
      )}
      <StatusDialog edited={edited} onClose={() => setEdited(null)} onChanged={rereadSoon} />
    </>
  )
}

interface StatusRowProps {
  status: Status
  onEdit: () => void
  onChanged: () => void
}

function StatusRow({ status, onEdit, onChanged }: StatusRowProps) {
  const { t } = useTranslation(['ticket-rules', 'errors'])
  const name = useStateName()(status)
  const [, makeDefault] = useMutation(MakeStatusDefault)
  const [, archive] = useMutation(ArchiveStatus)
  const { id, rowId, kind, isDefault, archivedAt } = status

  async function act(task: Promise<{ error?: Error | undefined }>) {
    const { error } = await task
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
    onChanged()
  }

  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5 sm:px-5">
      <span className="flex min-w-0 flex-1 basis-48 flex-wrap items-center gap-2">
        <StatusPill status={kind} name={name} />
        {isDefault && <Pill tone="neutral">{t('statuses.default')}</Pill>}
        {archivedAt && <Pill tone="warning">{t('statuses.archived')}</Pill>}
      </span>
      <span className="flex flex-wrap items-center gap-1">
        <Button size="small" variant="quiet" aria-label={t('statuses.renameOf', { name })} onPress={onEdit}>
          {t('statuses.rename')}
        </Button>
        {!isDefault && !archivedAt && (
          <Button
            size="small"
            variant="quiet"
            aria-label={t('statuses.makeDefaultOf', { name })}
            onPress={() => void act(makeDefault({ stateId: rowId }))}
          >
            {t('statuses.makeDefault')}
          </Button>
        )}
        {!isDefault && (
          <Button
            size="small"
            variant="quiet"
            aria-label={t(archivedAt ? 'statuses.restoreOf' : 'statuses.archiveOf', { name })}
            onPress={() =>
              void act(archive({ id, archivedAt: archivedAt ? null : new Date().toISOString() }))
            }
          >
            {t(archivedAt ? 'statuses.restore' : 'statuses.archive')}
          </Button>
        )}
      </span>
    </li>
  )
}
