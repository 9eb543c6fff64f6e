import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { useMutationKey } from '../../graphql/mutation-key.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { clockOf, LONGEST_SECONDS, parseDuration } from '../../lib/duration.ts'

export const TimeActivityChoiceFragment = graphql(`
  fragment TimeActivityChoice on TimeActivity {
    id
    rowId
    name
    isBillable
    archivedAt
  }
`)

export const TimeEntryDialogFragment = graphql(`
  fragment TimeEntryDialog on TimeEntry {
    id
    rowId
    seconds
    workedOn
    isBillable
    note
    version
    activityId
  }
`)

const RecordTime = graphql(`
  mutation RecordTime($input: RecordTimeInput!) {
    recordTime(input: $input) {
      timeEntry {
        id
      }
    }
  }
`)

const CorrectTime = graphql(
  `
    mutation CorrectTime($input: CorrectTimeInput!) {
      correctTime(input: $input) {
        timeEntry {
          id
          ...TimeEntryDialog
        }
      }
    }
  `,
  [TimeEntryDialogFragment],
)

const NOTE_LIMIT = 1000
const REASON_LIMIT = 500
const NO_ACTIVITY = 'none'

export interface TimeEntryDialogProps {
  ticketId: string
  /** The entry to correct; null records one. */
  entry: FragmentOf<typeof TimeEntryDialogFragment> | null
  activities: readonly FragmentOf<typeof TimeActivityChoiceFragment>[]
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Records time on a ticket, or corrects what was recorded. */
export function TimeEntryDialog({ isOpen, onClose, entry, ...props }: TimeEntryDialogProps) {
  const { t } = useTranslation('time')
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog
      title={t(entry ? 'correct.title' : 'record.title')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <TimeEntryForm {...props} entry={entry} onClose={onClose} onDraft={setHasDraft} />
    </DraftDialog>
  )
}

interface TimeEntryFormProps extends Omit<TimeEntryDialogProps, 'isOpen'> {
  onDraft: (hasDraft: boolean) => void
}

function TimeEntryForm({ ticketId, entry, activities, onClose, onChanged, onDraft }: TimeEntryFormProps) {
  const { t } = useTranslation(['time', 'components'])
  const saved = readFragment(TimeEntryDialogFragment, entry)
  const choices = readFragment(TimeActivityChoiceFragment, activities).filter(
    ({ archivedAt, rowId }) => archivedAt === null || rowId === saved?.activityId,
  )
  const [typed, setTyped] = useState(saved ? clockOf(saved.seconds) : '')
  const [day, setDay] = useState(saved?.workedOn ?? '')
  const [activityId, setActivityId] = useState<string>(saved?.activityId ?? NO_ACTIVITY)
  const [isBillable, setIsBillable] = useState(saved?.isBillable ?? true)
  const [note, setNote] = useState(saved?.note ?? '')
  const [reason, setReason] = useState('')
  const [wasTried, setWasTried] = useState(false)
  const [, recordTime] = useMutation(RecordTime)
  const [, correctTime] = useMutation(CorrectTime)
  const mutationKey = useMutationKey()
  const { send, isSending, problem, clear } = useSubmission()
  const durationInput = useRef<HTMLInputElement>(null)
  const reasonInput = useRef<HTMLInputElement>(null)

  // What is not touched stays to the second, also where the screen shows minutes.
  const seconds = saved && typed === clockOf(saved.seconds) ? saved.seconds : parseDuration(typed)
  const durationFault =
    seconds === null ? 'unreadable' : seconds < (saved ? 0 : 1) || seconds > LONGEST_SECONDS ? 'range' : null
  const reasonFault = saved !== null && reason.trim() === ''
  const isChanged = saved
    ? reason !== '' || seconds !== saved.seconds || note !== saved.note || isBillable !== saved.isBillable
    : typed !== '' || note !== ''
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (durationFault || seconds === null) return durationInput.current?.focus()
    if (reasonFault) return reasonInput.current?.focus()
    const content = {
      seconds,
      workedOn: day || null,
      activityId: activityId === NO_ACTIVITY ? null : activityId,
      isBillable,
      note: note.trim(),
    }
    void send(async () => {
      if (saved) {
        dataOf(
          await correctTime({
            input: { entryId: saved.rowId, reason: reason.trim(), version: saved.version, ...content },
          }),
        )
      } else {
        const key = mutationKey.keyFor({ ticketId, ...content })
        dataOf(await recordTime({ input: { ticketId, ...content, clientMutationKey: key } }))
        mutationKey.done()
      }
      notify({
        tone: 'success',
        title: t(saved ? 'correct.done' : 'record.done', { time: clockOf(seconds) }),
      })
      onClose()
      onChanged()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField
          label={t('field.duration')}
          description={t('field.durationHint')}
          autoComplete="off"
          autoFocus
          value={typed}
          onChange={(value) => {
            setTyped(value)
            if (problem) clear()
          }}
          inputRef={durationInput}
          error={wasTried && durationFault ? t(`field.durationFault.${durationFault}`) : null}
        />
        <TextField
          label={t('field.day')}
          {...(saved ? {} : { description: t('field.dayHint') })}
          type="date"
          value={day}
          onChange={setDay}
        />
      </div>
      {choices.length > 0 && (
        <Select
          label={t('field.activity')}
          value={activityId}
          onChange={(chosen) => {
            setActivityId(chosen)
            const activity = choices.find(({ rowId }) => rowId === chosen)
            if (activity) setIsBillable(activity.isBillable)
          }}
          choices={[
            // What has an activity keeps one.
            ...(saved?.activityId ? [] : [{ value: NO_ACTIVITY, label: t('field.noActivity') }]),
            ...choices.map(({ rowId, name }) => ({ value: rowId, label: name })),
          ]}
        />
      )}
      <TextField
        label={t('field.note')}
        value={note}
        onChange={setNote}
        limit={NOTE_LIMIT}
        autoComplete="off"
      />
      <Switch isSelected={isBillable} onChange={setIsBillable}>
        {t('billable')}
      </Switch>
      {saved && (
        <TextField
          label={t('field.reason')}
          description={t('field.reasonHint')}
          value={reason}
          onChange={setReason}
          limit={REASON_LIMIT}
          autoComplete="off"
          inputRef={reasonInput}
          error={wasTried && reasonFault ? t('field.reasonMissing') : null}
        />
      )}
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {t(saved ? 'correct.action' : 'record.action')}
        </Button>
      </div>
    </form>
  )
}
