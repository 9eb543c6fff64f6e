import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Checkbox } from '../../components/checkbox.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SaveRow } from '../../components/save-row.tsx'
import { Select } from '../../components/select.tsx'
import { SkeletonRows } from '../../components/skeleton-rows.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'
import { clockTime, minutesOf, type Schedule, scheduleDraft, scheduleFaults } from './schedule-draft.ts'

const OwnNotificationScheduleQuery = graphql(`
  query OwnNotificationSchedule {
    ownNotificationSchedule {
      quietFrom
      quietTo
      quietWeekdays
      digestHour
      timeZone
    }
  }
`)

const ChangeNotificationSchedule = graphql(`
  mutation ChangeNotificationSchedule(
    $digestHour: Int!
    $quietFrom: Int
    $quietTo: Int
    $quietWeekdays: [Int!]
  ) {
    changeNotificationSchedule(
      input: {
        digestHour: $digestHour
        quietFrom: $quietFrom
        quietTo: $quietTo
        quietWeekdays: $quietWeekdays
      }
    ) {
      schedule {
        quietFrom
        quietTo
        quietWeekdays
        digestHour
        timeZone
      }
    }
  }
`)

const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
const WEEKDAYS = ['1', '2', '3', '4', '5', '6', '7'] as const
/** A week that begins on a Monday, for the names of its days. */
const MONDAY = Date.UTC(2026, 0, 5)

/** When the reader wants to hear of nothing, and when their mail of the day comes. */
export function OwnNotificationSchedule() {
  const { t } = useTranslation(['notifications', 'errors'])
  const [{ data, error }, reread] = useQuery({ query: OwnNotificationScheduleQuery })
  const schedule = data?.ownNotificationSchedule
  if (schedule) return <Form key={JSON.stringify(schedule)} schedule={asSchedule(schedule)} />
  if (error) {
    return (
      <ErrorState title={t('schedule.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    )
  }
  return <SkeletonRows label={t('choices.loading')} rows={1} />
}

type Answer = NonNullable<ResultOf<typeof OwnNotificationScheduleQuery>['ownNotificationSchedule']>

const asSchedule = (answer: Answer): Schedule => ({
  ...answer,
  quietWeekdays: answer.quietWeekdays.filter((weekday) => weekday !== null),
})

function Form({ schedule }: { schedule: Schedule }) {
  const { t, i18n } = useTranslation('notifications')
  const [draft, setDraft] = useState(() => scheduleDraft(schedule))
  const [wasTried, setWasTried] = useState(false)
  const [, change] = useMutation(ChangeNotificationSchedule)
  const { send, isSending, problem } = useSubmission()
  const faults = wasTried ? scheduleFaults(draft) : {}
  const isChanged = JSON.stringify(draft) !== JSON.stringify(scheduleDraft(schedule))
  const edit = (changes: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...changes }))
  const weekdayName = (weekday: number) =>
    new Intl.DateTimeFormat(readerLocale(i18n.language), { weekday: 'long', timeZone: 'UTC' }).format(
      MONDAY + (weekday - 1) * 86_400_000,
    )

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (Object.keys(scheduleFaults(draft)).length > 0) return
    void send(async () => {
      dataOf(
        await change({
          digestHour: draft.digestHour,
          ...(draft.isQuiet
            ? {
                quietFrom: minutesOf(draft.from),
                // The end of a day is told by its beginning as well.
                quietTo: minutesOf(draft.to) || 1440,
                quietWeekdays: draft.weekdays.map(Number),
              }
            : {}),
        }),
      )
      notify({ tone: 'success', title: t('schedule.saved') })
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5 border-t border-border p-5">
      {problem && <ProblemAlert problem={problem} />}
      <Switch
        isSelected={draft.isQuiet}
        onChange={(isQuiet) => edit({ isQuiet })}
        description={t('schedule.hint')}
      >
        {t('schedule.use')}
      </Switch>
      {draft.isQuiet && (
        <fieldset className="flex flex-col gap-5 sm:ps-12">
          <legend className="sr-only">{t('schedule.title')}</legend>
          <div className="grid max-w-xs grid-cols-2 gap-4">
            <TextField
              type="time"
              label={t('schedule.from')}
              value={draft.from}
              onChange={(from) => edit({ from })}
              error={faults.from && t(`schedule.${faults.from}`)}
            />
            <TextField
              type="time"
              label={t('schedule.to')}
              value={draft.to}
              onChange={(to) => edit({ to })}
              error={faults.to && t(`schedule.${faults.to}`)}
            />
          </div>
          <CheckboxGroup
            label={t('schedule.weekdays')}
            value={draft.weekdays}
            onChange={(weekdays) => edit({ weekdays })}
            error={faults.weekdays && t(`schedule.${faults.weekdays}`)}
          >
            <div className="grid grid-cols-[repeat(auto-fill,minmax(8rem,1fr))] gap-x-4 gap-y-2">
              {WEEKDAYS.map((weekday) => (
                <Checkbox key={weekday} value={weekday}>
                  {weekdayName(Number(weekday))}
                </Checkbox>
              ))}
            </div>
          </CheckboxGroup>
        </fieldset>
      )}
      <div className="max-w-xs">
        <Select
          label={t('schedule.digestHour')}
          description={t('schedule.digestHint')}
          value={String(draft.digestHour)}
          choices={HOURS.map((hour) => ({ value: String(hour), label: clockTime(hour * 60) }))}
          onChange={(hour) => edit({ digestHour: Number(hour) })}
        />
      </div>
      <p className="text-sm text-muted">
        {t('schedule.zone', { zone: schedule.timeZone.replaceAll('_', ' ') })}
      </p>
      <SaveRow
        isChanged={isChanged}
        isSending={isSending}
        onDiscard={() => {
          setDraft(scheduleDraft(schedule))
          setWasTried(false)
        }}
      />
    </form>
  )
}
