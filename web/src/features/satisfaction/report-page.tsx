import { useId, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { Select } from '../../components/select.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextField } from '../../components/text-field.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment } from '../../graphql/tada.ts'
import { daysOf, type Days, type Period } from '../../lib/periods.ts'
import { useSessionUser } from '../../lib/session.ts'
import { AnswerList } from './answer-list.tsx'
import { Distribution, Months } from './charts.tsx'
import { ReportRowFragment, ReportTable, type Grouping } from './report-table.tsx'
import { averageOf, shareOf, sumOf, type Answers } from './report.ts'

const MonthsQuery = graphql(
  `
    query SatisfactionMonths($from: Date!, $to: Date!) {
      csatReport(groupedBy: month, fromDay: $from, toDay: $to, first: 100) {
        nodes {
          ...SatisfactionRow
        }
      }
    }
  `,
  [ReportRowFragment],
)

const PERIODS = ['this_month', 'last_month', 'this_year'] as const satisfies readonly Period[]
const OWN_DAYS = 'own_days' as const
const CHOICES = [...PERIODS, OWN_DAYS] as const
const GROUPINGS = ['agent', 'team', 'service'] as const satisfies readonly Grouping[]

/** What customers said of how it went. */
export function SatisfactionReportPage() {
  const { t } = useTranslation(['satisfaction', 'errors'])
  const { role } = useSessionUser()
  const [period, setPeriod] = useState<(typeof CHOICES)[number]>('this_year')
  const [typed, setTyped] = useState<Days>(() => daysOf('this_year', new Date()))
  const [grouping, setGrouping] = useState<Grouping>('agent')
  const days = typed.from !== '' && typed.to !== '' ? typed : daysOf('this_year', new Date())
  const [{ data, error, fetching }, reread] = useQuery({ query: MonthsQuery, variables: { ...days } })
  const months = (data?.csatReport.nodes ?? []).flatMap((node) =>
    node ? [readFragment(ReportRowFragment, node)] : [],
  )
  const total = sumOf(months)

  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-6 px-4 py-6 md:px-8">
      <PageHeader title={t('report.title')} intro={t('report.intro')} />
      <div className="grid gap-4 sm:grid-cols-3">
        <Select
          label={t('report.period')}
          value={period}
          onChange={(chosen) => {
            setPeriod(chosen)
            if (chosen !== OWN_DAYS) setTyped(daysOf(chosen, new Date()))
          }}
          choices={CHOICES.map((value) => ({ value, label: t(`report.periods.${value}`) }))}
        />
        {(['from', 'to'] as const).map((end) => (
          <TextField
            key={end}
            label={t(`report.${end}`)}
            type="date"
            value={typed[end]}
            onChange={(day) => {
              setPeriod(OWN_DAYS)
              setTyped({ ...typed, [end]: day })
            }}
          />
        ))}
      </div>
      {error && !data ? (
        <ErrorState title={t('report.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
          {t(`errors:${problemOf(error).code}`)}
        </ErrorState>
      ) : !data && fetching ? (
        <div role="status" aria-label={t('report.loading')} className="grid gap-4 sm:grid-cols-4">
          {Array.from({ length: 4 }, (_, index) => (
            <Skeleton key={index} className="h-24 rounded-xl" />
          ))}
        </div>
      ) : total.sent === 0 ? (
        <Card>
          <EmptyState
            title={t('report.emptyTitle')}
            action={
              role === 'admin' && <TextLink to="/desk/admin/satisfaction">{t('report.toSettings')}</TextLink>
            }
          >
            {t('report.emptyBody')}
          </EmptyState>
        </Card>
      ) : (
        <>
          <Figures total={total} />
          <div className="grid gap-4 lg:grid-cols-2">
            <Sheet title={t('report.distribution')}>
              <Distribution distribution={total.distribution} answered={total.answered} />
            </Sheet>
            <Sheet title={t('report.months')}>
              <Months months={months} />
            </Sheet>
          </div>
          <Part
            title={t('report.whose')}
            actions={
              <Segmented
                label={t('report.grouping')}
                value={grouping}
                onChange={setGrouping}
                segments={GROUPINGS.map((value) => ({ value, label: t(`report.by.${value}`) }))}
              />
            }
          >
            <ReportTable grouping={grouping} days={days} />
          </Part>
          <Part title={t('report.said')}>
            <AnswerList days={days} />
          </Part>
        </>
      )}
    </div>
  )
}

/** The four numbers one comes for. */
function Figures({ total }: { total: Answers }) {
  const { t, i18n } = useTranslation('satisfaction')
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent' })
  const mean = new Intl.NumberFormat(i18n.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const csat = shareOf(total.satisfied, total.answered)
  const response = shareOf(total.answered, total.sent)
  const average = averageOf(total)
  const figures = [
    { name: 'csat', value: csat === null ? '–' : percent.format(csat) },
    { name: 'average', value: average === null ? '–' : mean.format(average) },
    { name: 'responseRate', value: response === null ? '–' : percent.format(response) },
    { name: 'answers', value: total.answered.toLocaleString(i18n.language) },
  ] as const
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
      {figures.map(({ name, value }) => (
        <Card key={name} className="flex flex-col-reverse justify-end gap-1 p-4 sm:p-5">
          <dt className="text-sm text-muted">{t(`report.figure.${name}`, { count: total.sent })}</dt>
          <dd className="figures text-3xl font-semibold">{value}</dd>
        </Card>
      ))}
    </dl>
  )
}

function Sheet({ title, children }: { title: string; children: ReactNode }) {
  const heading = useId()
  return (
    <section aria-labelledby={heading} className="min-w-0">
      <Card className="flex h-full flex-col gap-4 p-4 sm:p-5">
        <h2 id={heading} className="font-semibold">
          {title}
        </h2>
        {children}
      </Card>
    </section>
  )
}

function Part({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  const heading = useId()
  return (
    <section aria-labelledby={heading} className="flex flex-col gap-4 pt-2">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id={heading} className="text-lg font-semibold">
          {title}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  )
}
