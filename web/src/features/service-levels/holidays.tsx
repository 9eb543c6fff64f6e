import { X } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'

export const HolidaysFragment = graphql(`
  fragment Holidays on SlaCalendar {
    id
    rowId
    slaHolidays(first: 40) {
      nodes {
        id
        rowId
        name
        heldOn
        heldUntil
        repeatsYearly
        shutFrom
        shutUntil
      }
      totalCount
    }
  }
`)

const AddSlaHoliday = graphql(
  `
    mutation AddSlaHoliday(
      $calendarId: UUID!
      $name: String!
      $heldOn: Date!
      $heldUntil: Date
      $repeatsYearly: Boolean!
      $shutFrom: String
      $shutUntil: String
    ) {
      addSlaHoliday(
        input: {
          calendarId: $calendarId
          name: $name
          heldOn: $heldOn
          heldUntil: $heldUntil
          repeatsYearly: $repeatsYearly
          shutFrom: $shutFrom
          shutUntil: $shutUntil
        }
      ) {
        slaHoliday {
          id
          calendar {
            id
            ...Holidays
          }
        }
      }
    }
  `,
  [HolidaysFragment],
)

const RemoveSlaHoliday = graphql(`
  mutation RemoveSlaHoliday($holidayId: UUID!) {
    removeSlaHoliday(input: { holidayId: $holidayId }) {
      removed
    }
  }
`)

type Holiday = NonNullable<ResultOf<typeof HolidaysFragment>['slaHolidays']['nodes'][number]>

export interface HolidaysProps {
  calendar: FragmentOf<typeof HolidaysFragment>
  onChanged: () => void
}

/** The days on which a calendar is shut. */
export function Holidays({ calendar, onChanged }: HolidaysProps) {
  const { t } = useTranslation('service-levels')
  const { rowId, slaHolidays } = readFragment(HolidaysFragment, calendar)
  const holidays = slaHolidays.nodes
    .filter((holiday) => holiday !== null)
    .sort((one, other) => (String(one.heldOn) < String(other.heldOn) ? -1 : 1))
  const [name, setName] = useState('')
  const [first, setFirst] = useState('')
  const [last, setLast] = useState('')
  const [from, setFrom] = useState('')
  const [isYearly, setYearly] = useState(false)
  const [wasTried, setWasTried] = useState(false)
  const [, add] = useMutation(AddSlaHoliday)
  const [, remove] = useMutation(RemoveSlaHoliday)
  const { send, isSending, problem } = useSubmission()

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (name.trim() === '' || first === '') return
    void send(async () => {
      dataOf(
        await add({
          calendarId: rowId,
          name: name.trim(),
          heldOn: first,
          heldUntil: last || null,
          repeatsYearly: isYearly,
          shutFrom: from || null,
          shutUntil: from ? '24:00' : null,
        }),
      )
      setWasTried(false)
      setName('')
      setFirst('')
      setLast('')
      setFrom('')
      onChanged()
    })
  }

  return (
    <section className="flex flex-col gap-4 border-t border-border pt-4">
      <h3 className="text-sm font-semibold">{t('holiday.title')}</h3>
      {holidays.length === 0 ? (
        <p className="text-sm text-muted">{t('holiday.none')}</p>
      ) : (
        <ul aria-label={t('holiday.title')} className="flex flex-col gap-1.5">
          {holidays.map((holiday) => (
            <li key={holiday.id} className="flex items-center justify-between gap-3 text-sm">
              <span className="min-w-0">
                <span className="font-medium">{holiday.name}</span>{' '}
                <span className="text-muted">
                  <HolidayDays holiday={holiday} />
                </span>
              </span>
              <Button
                variant="quiet"
                size="small"
                isIconOnly
                aria-label={t('holiday.remove', { name: holiday.name })}
                onPress={() =>
                  void send(async () => {
                    dataOf(await remove({ holidayId: holiday.rowId }))
                    onChanged()
                  })
                }
              >
                <X className="size-4" aria-hidden="true" />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={submit} noValidate className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={t('holiday.name')}
          autoComplete="off"
          value={name}
          onChange={setName}
          error={wasTried && name.trim() === '' ? t('nameMissing') : null}
        />
        <TextField
          label={t('holiday.first')}
          type="date"
          value={first}
          onChange={setFirst}
          error={wasTried && first === '' ? t('holiday.firstMissing') : null}
        />
        <TextField
          label={t('holiday.last')}
          description={t('holiday.lastHint')}
          type="date"
          value={last}
          onChange={setLast}
        />
        <TextField
          label={t('holiday.from')}
          description={t('holiday.fromHint')}
          type="time"
          value={from}
          onChange={setFrom}
        />
        <Switch isSelected={isYearly} onChange={setYearly}>
          {t('holiday.yearly')}
        </Switch>
        <Button type="submit" isPending={isSending}>
          {t('holiday.add')}
        </Button>
      </form>
      {problem && <ProblemAlert problem={problem} />}
    </section>
  )
}

function HolidayDays({ holiday }: { holiday: Holiday }) {
  const { t, i18n } = useTranslation('service-levels')
  const format = new Intl.DateTimeFormat(readerLocale(i18n.language), {
    day: 'numeric',
    month: 'long',
    ...(holiday.repeatsYearly ? {} : { year: 'numeric' }),
    timeZone: 'UTC',
  })
  const day = (date: unknown) => format.format(new Date(`${String(date)}T00:00:00Z`))
  const first = day(holiday.heldOn)
  const words = holiday.shutFrom
    ? t('holiday.part', { first, from: holiday.shutFrom, until: holiday.shutUntil })
    : holiday.heldUntil
      ? t('holiday.span', { first, last: day(holiday.heldUntil) })
      : first
  return <>{holiday.repeatsYearly ? `${words}, ${t('holiday.everyYear')}` : words}</>
}
