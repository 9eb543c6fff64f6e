import { useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { Holidays, HolidaysFragment } from './holidays.tsx'
import { hoursOf, shiftsOf, shiftsText, WEEKDAYS, type Weekday } from './written-time.ts'

export const CalendarDialogFragment = graphql(
  `
    fragment CalendarDialog on SlaCalendar {
      id
      rowId
      name
      timeZone
      hours
      ...Holidays
    }
  `,
  [HolidaysFragment],
)

const CreateSlaCalendar = graphql(`
  mutation CreateSlaCalendar($name: String!, $timeZone: String!, $hours: JSON!) {
    createSlaCalendar(input: { name: $name, timeZone: $timeZone, hours: $hours }) {
      slaCalendar {
        id
      }
    }
  }
`)

const UpdateSlaCalendar = graphql(
  `
    mutation UpdateSlaCalendar($id: ID!, $patch: SlaCalendarPatch!) {
      updateSlaCalendar(input: { id: $id, patch: $patch }) {
        slaCalendar {
          id
          ...CalendarDialog
        }
      }
    }
  `,
  [CalendarDialogFragment],
)

const DeleteSlaCalendar = graphql(`
  mutation DeleteSlaCalendar($calendarId: UUID!) {
    deleteSlaCalendar(input: { calendarId: $calendarId }) {
      deleted
    }
  }
`)

export interface CalendarDialogProps {
  /** The calendar to change; null makes one. */
  calendar: FragmentOf<typeof CalendarDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes or removes a calendar. */
export function CalendarDialog({ calendar, isOpen, onClose, onChanged }: CalendarDialogProps) {
  const { t } = useTranslation('service-levels')
  const saved = readFragment(CalendarDialogFragment, calendar)
  const [hasDraft, setHasDraft] = useState(false)
  const [, deleteCalendar] = useMutation(DeleteSlaCalendar)
  return (
    <DraftDialog
      title={saved ? saved.name : t('calendars.make')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <CalendarForm
        calendar={saved}
        onDraft={setHasDraft}
        onSaved={(name) => {
          notify({ tone: 'success', title: t('saved', { name }) })
          onClose()
          onChanged()
        }}
      />
      {saved && (
        <>
          <Holidays calendar={saved} onChanged={onChanged} />
          <div className="flex justify-end border-t border-border pt-4">
            <ConfirmedButton
              title={t('calendars.removeTitle', { name: saved.name })}
              explanation={t('calendars.removeBody')}
              action={t('remove')}
              run={async () => {
                dataOf(await deleteCalendar({ calendarId: saved.rowId }))
                notify({ tone: 'success', title: t('removed', { name: saved.name }) })
                onClose()
                onChanged()
              }}
            >
              {t('remove')}
            </ConfirmedButton>
          </div>
        </>
      )}
    </DraftDialog>
  )
}

interface CalendarFormProps {
  calendar: Pick<ResultOf<typeof CalendarDialogFragment>, 'id' | 'name' | 'timeZone' | 'hours'> | null
  onDraft: (hasDraft: boolean) => void
  onSaved: (name: string) => void
}

function CalendarForm({ calendar, onDraft, onSaved }: CalendarFormProps) {
  const { t } = useTranslation(['service-levels', 'components'])
  const days = calendar ? hoursOf(calendar.hours) : null
  const [name, setName] = useState(calendar?.name ?? '')
  const [zone, setZone] = useState(calendar?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  const [isAlwaysOpen, setAlwaysOpen] = useState(calendar !== null && days === null)
  const [texts, setTexts] = useState(
    () =>
      Object.fromEntries(
        WEEKDAYS.map((day, index) => [
          day,
          days ? shiftsText(days[day]) : calendar === null && index < 5 ? '09:00–17:00' : '',
        ]),
      ) as Record<Weekday, string>,
  )
  const [wasTried, setWasTried] = useState(false)
  const [wasTouched, setWasTouched] = useState(false)
  const [, create] = useMutation(CreateSlaCalendar)
  const [, update] = useMutation(UpdateSlaCalendar)
  const { send, isSending, problem, clear } = useSubmission()
  useEffect(() => {
    onDraft(wasTouched)
    return () => onDraft(false)
  }, [onDraft, wasTouched])

  const shifts = WEEKDAYS.map((day) => [day, shiftsOf(texts[day])] as const)
  const isClosed = !isAlwaysOpen && shifts.every(([, read]) => read?.length === 0)
  const isTaken = problem?.code === 'CONFLICT'
  const touch = () => {
    setWasTouched(true)
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (name.trim() === '' || isClosed || (!isAlwaysOpen && shifts.some(([, read]) => read === null))) return
    const hours = isAlwaysOpen
      ? 'always_open'
      : Object.fromEntries(shifts.filter(([, read]) => read && read.length > 0))
    void send(async () => {
      const values = { name: name.trim(), timeZone: zone.trim(), hours }
      if (calendar) dataOf(await update({ id: calendar.id, patch: values }))
      else dataOf(await create(values))
      onSaved(values.name)
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={name}
        onChange={(value) => {
          touch()
          setName(value)
        }}
        error={isTaken ? t('nameTaken') : wasTried && name.trim() === '' ? t('nameMissing') : null}
      />
      <TextField
        label={t('calendars.timeZone')}
        autoComplete="off"
        value={zone}
        onChange={(value) => {
          touch()
          setZone(value)
        }}
      />
      <Switch
        isSelected={isAlwaysOpen}
        onChange={(value) => {
          touch()
          setAlwaysOpen(value)
        }}
      >
        {t('calendars.alwaysOpen')}
      </Switch>
      {!isAlwaysOpen && (
        <fieldset className="flex flex-col gap-3">
          <legend className="mb-1 text-sm font-medium">{t('calendars.hours')}</legend>
          <p className="text-sm text-muted">{t('calendars.hoursHint')}</p>
          <div className="grid gap-3 sm:grid-cols-2">
            {shifts.map(([day, read]) => (
              <TextField
                key={day}
                label={t(`day.${day}`)}
                autoComplete="off"
                value={texts[day]}
                onChange={(value) => {
                  touch()
                  setTexts({ ...texts, [day]: value })
                }}
                error={wasTried && read === null ? t('calendars.hoursFault') : null}
              />
            ))}
          </div>
          {wasTried && isClosed && (
            <p role="alert" className="text-sm text-danger-text">
              {t('calendars.hoursMissing')}
            </p>
          )}
        </fieldset>
      )}
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex justify-end">
        <Button type="submit" variant="primary" isPending={isSending}>
          {t('components:save')}
        </Button>
      </div>
    </form>
  )
}
