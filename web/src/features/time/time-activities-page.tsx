import { Clock, Plus } from 'lucide-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Pill } from '../../components/pill.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { useReread } from '../../graphql/reread.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'

const TimeActivityRowFragment = graphql(`
  fragment TimeActivityRow on TimeActivity {
    id
    name
    isBillable
    archivedAt
  }
`)

const TimeActivitiesQuery = graphql(
  `
    query TimeActivities {
      timeActivities(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          ...TimeActivityRow
        }
      }
    }
  `,
  [TimeActivityRowFragment],
)

const CreateTimeActivity = graphql(`
  mutation CreateTimeActivity($name: String!, $isBillable: Boolean) {
    createTimeActivity(input: { name: $name, isBillable: $isBillable }) {
      timeActivity {
        id
      }
    }
  }
`)

const UpdateTimeActivity = graphql(
  `
    mutation UpdateTimeActivity($id: ID!, $patch: TimeActivityPatch!) {
      updateTimeActivity(input: { id: $id, patch: $patch }) {
        timeActivity {
          id
          ...TimeActivityRow
        }
      }
    }
  `,
  [TimeActivityRowFragment],
)

const NAME_LIMIT = 60

/** The kinds of work that time is recorded for. */
export function TimeActivitiesPage() {
  const { t } = useTranslation(['time', 'errors'])
  const [{ data, error, fetching }, reread] = useQuery({ query: TimeActivitiesQuery })
  const rereadSoon = useReread(() => reread({ requestPolicy: 'network-only' }))
  const [isMaking, setIsMaking] = useState(false)
  const activities = (data?.timeActivities.nodes ?? []).filter((activity) => activity !== null)
  const make = (
    <Button variant="primary" onPress={() => setIsMaking(true)}>
      <Plus className="size-4" aria-hidden="true" />
      {t('activities.make')}
    </Button>
  )
  return (
    <>
      <PageHeader
        title={t('activities.title')}
        intro={t('activities.intro')}
        actions={activities.length > 0 && make}
      />
      <Card className="overflow-hidden">
        {error && !data ? (
          <ErrorState title={t('activities.error')} onRetry={rereadSoon}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : !data && fetching ? (
          <div role="status" aria-label={t('activities.loading')} className="flex flex-col gap-4 p-5">
            {Array.from({ length: 3 }, (_, index) => (
              <Skeleton key={index} className="h-5 w-48" />
            ))}
          </div>
        ) : activities.length === 0 ? (
          <EmptyState title={t('activities.emptyTitle')} action={make}>
            {t('activities.emptyBody')}
          </EmptyState>
        ) : (
          <ul aria-label={t('activities.title')} className="divide-y divide-border">
            {activities.map((activity) => (
              <ActivityRow key={activity.id} activity={activity} onChanged={rereadSoon} />
            ))}
          </ul>
        )}
      </Card>
      <ActivityDialog
        activity={null}
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onChanged={rereadSoon}
      />
    </>
  )
}

interface ActivityRowProps {
  activity: FragmentOf<typeof TimeActivityRowFragment>
  onChanged: () => void
}

function ActivityRow({ activity: row, onChanged }: ActivityRowProps) {
  const { t } = useTranslation(['time', 'errors'])
  const activity = readFragment(TimeActivityRowFragment, row)
  const [isOpen, setIsOpen] = useState(false)
  const [{ fetching }, update] = useMutation(UpdateTimeActivity)
  const isArchived = activity.archivedAt !== null

  async function archive() {
    const patch = { archivedAt: isArchived ? null : new Date().toISOString() }
    const { error } = await update({ id: activity.id, patch })
    if (error) notify({ tone: 'danger', title: t(`errors:${problemOf(error).code}`) })
  }

  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 sm:px-5">
      <Clock className="size-5 shrink-0 text-faint" aria-hidden="true" />
      <p className="min-w-0 flex-1 basis-40 truncate text-sm font-medium">{activity.name}</p>
      {isArchived ? (
        <Pill tone="neutral">{t('activities.archived')}</Pill>
      ) : (
        <span className="text-sm text-muted">{t(activity.isBillable ? 'billable' : 'notBillable')}</span>
      )}
      <div className="flex gap-2">
        <Button
          size="small"
          isPending={fetching}
          aria-label={t(isArchived ? 'activities.restoreOf' : 'activities.archiveOf', {
            name: activity.name,
          })}
          onPress={() => void archive()}
        >
          {t(isArchived ? 'activities.restore' : 'activities.archive')}
        </Button>
        <Button
          size="small"
          aria-label={t('activities.changeOf', { name: activity.name })}
          onPress={() => setIsOpen(true)}
        >
          {t('activities.change')}
        </Button>
      </div>
      <ActivityDialog
        activity={activity}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        onChanged={onChanged}
      />
    </li>
  )
}

interface ActivityDialogProps {
  /** The activity to change; null makes one. */
  activity: ResultOf<typeof TimeActivityRowFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

function ActivityDialog({ activity, isOpen, onClose, onChanged }: ActivityDialogProps) {
  const { t } = useTranslation('time')
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog
      title={activity ? activity.name : t('activities.make')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <ActivityForm activity={activity} onDraft={setHasDraft} onClose={onClose} onChanged={onChanged} />
    </DraftDialog>
  )
}

interface ActivityFormProps extends Omit<ActivityDialogProps, 'isOpen'> {
  onDraft: (hasDraft: boolean) => void
}

function ActivityForm({ activity, onDraft, onClose, onChanged }: ActivityFormProps) {
  const { t } = useTranslation(['time', 'components'])
  const [typed, setTyped] = useState(activity?.name ?? '')
  const [isBillable, setIsBillable] = useState(activity?.isBillable ?? true)
  const [wasTried, setWasTried] = useState(false)
  const [, create] = useMutation(CreateTimeActivity)
  const [, update] = useMutation(UpdateTimeActivity)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const name = typed.trim()
  const fault = name === '' ? 'missing' : name.length > NAME_LIMIT ? 'long' : null
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = name !== (activity?.name ?? '') || isBillable !== (activity?.isBillable ?? true)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return input.current?.focus()
    void send(
      async () => {
        if (activity) dataOf(await update({ id: activity.id, patch: { name, isBillable } }))
        else dataOf(await create({ name, isBillable }))
        notify({ tone: 'success', title: t('activities.saved', { name }) })
        onClose()
        onChanged()
      },
      ({ code }) => code === 'CONFLICT' && input.current?.focus(),
    )
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('activities.name')}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          if (problem) clear()
        }}
        limit={NAME_LIMIT}
        inputRef={input}
        error={
          isTaken
            ? t('activities.nameFault.taken')
            : wasTried && fault
              ? t(`activities.nameFault.${fault}`)
              : null
        }
      />
      <Switch isSelected={isBillable} onChange={setIsBillable} description={t('activities.billableHint')}>
        {t('billable')}
      </Switch>
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {activity ? t('components:save') : t('activities.make')}
        </Button>
      </div>
    </form>
  )
}
