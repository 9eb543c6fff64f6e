import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useClient, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Card } from '../../components/card.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Select } from '../../components/select.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { downloadText } from '../../lib/download.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { csvOf } from './csv.ts'
import { clockOf } from '../../lib/duration.ts'
import { daysOf, type Period } from '../../lib/periods.ts'

const TimeReportQuery = graphql(`
  query TimeReport($groupedBy: TimeGrouping!, $from: Date!, $to: Date!, $after: Cursor) {
    timeReport(groupedBy: $groupedBy, fromDay: $from, toDay: $to, first: 100, after: $after) {
      nodes {
        rowId
        name
        day
        entries
        seconds
        billableSeconds
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

/** The sum over all, however many lines there are. */
const TimeReportTotalQuery = graphql(`
  query TimeReportTotal($from: Date!, $to: Date!) {
    timeReport(groupedBy: month, fromDay: $from, toDay: $to, first: 100) {
      nodes {
        seconds
        billableSeconds
      }
    }
  }
`)

type Row = NonNullable<ResultOf<typeof TimeReportQuery>['timeReport']['nodes'][number]>

const GROUPINGS = ['agent', 'company', 'ticket', 'activity', 'day', 'week', 'month'] as const
type Grouping = (typeof GROUPINGS)[number]

const PERIODS = ['this_week', 'last_week', 'this_month', 'last_month', 'this_year'] as const
const OWN_DAYS = 'own_days' as const
const CHOICES = [...PERIODS, OWN_DAYS] as const

/** How long was worked, for whom and on what. */
export function TimeReportPage() {
  const { t, i18n } = useTranslation(['time', 'errors'])
  const client = useClient()
  const [groupedBy, setGroupedBy] = useState<Grouping>('agent')
  const [period, setPeriod] = useState<Period | typeof OWN_DAYS>('this_month')
  const [days, setDays] = useState(() => daysOf('this_month', new Date()))
  const [isSaving, setIsSaving] = useState(false)
  const isReadable = days.from !== '' && days.to !== ''
  const asked = isReadable ? days : daysOf('this_month', new Date())
  const variables = { groupedBy, ...asked }
  const [{ data, error, fetching, stale }, reread] = useQuery({
    query: TimeReportQuery,
    variables: { ...variables, after: null },
  })
  const rows = (data?.timeReport.nodes ?? []).filter((row) => row !== null)
  const [{ data: sums }] = useQuery({ query: TimeReportTotalQuery, variables: asked })
  const total = (sums?.timeReport.nodes ?? []).reduce(
    (sum, month) => ({
      seconds: sum.seconds + Number(month?.seconds ?? 0),
      billable: sum.billable + Number(month?.billableSeconds ?? 0),
    }),
    { seconds: 0, billable: 0 },
  )

  const nameOf = ({ name, day }: Row) =>
    day
      ? new Intl.DateTimeFormat(
          readerLocale(i18n.language),
          groupedBy === 'month'
            ? { month: 'long', year: 'numeric', timeZone: 'UTC' }
            : { dateStyle: 'medium', timeZone: 'UTC' },
        ).format(new Date(day))
      : (name ?? t(`report.without.${groupedBy}`))

  async function save() {
    setIsSaving(true)
    try {
      const all: Row[] = []
      let after: string | null = null
      do {
        const page: ResultOf<typeof TimeReportQuery>['timeReport'] = dataOf(
          await client.query(TimeReportQuery, { ...variables, after }, { requestPolicy: 'network-only' }),
        ).timeReport
        all.push(...page.nodes.filter((row) => row !== null))
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
      } while (after !== null)
      const hours = (seconds: string) => Math.round(Number(seconds) / 36) / 100
      downloadText(
        `${t('report.file')}-${asked.from}-${asked.to}.csv`,
        csvOf([
          [t(`report.by.${groupedBy}`), t('report.entries'), t('report.hours'), t('report.billableHours')],
          ...all.map((row) => [
            row.day ?? nameOf(row),
            row.entries,
            hours(row.seconds),
            hours(row.billableSeconds),
          ]),
        ]),
      )
    } catch (error) {
      notify({ tone: 'danger', title: t(`errors:${problemOf(error as Error).code}`) })
    } finally {
      setIsSaving(false)
    }
  }

  return (
    <div className="mx-auto flex w-full max-w-5xl flex-col gap-6 px-4 py-6 md:px-8">
      <PageHeader
        title={t('report.title')}
        intro={t('report.intro')}
        actions={
          <Button onPress={() => void save()} isPending={isSaving} isDisabled={rows.length === 0}>
            <Download className="size-4" aria-hidden="true" />
            {t('report.download')}
          </Button>
        }
      />
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
        <Select
          label={t('report.grouping')}
          value={groupedBy}
          onChange={setGroupedBy}
          choices={GROUPINGS.map((value) => ({ value, label: t(`report.by.${value}`) }))}
        />
        <Select
          label={t('report.period')}
          value={period}
          onChange={(chosen) => {
            setPeriod(chosen)
            if (chosen !== OWN_DAYS) setDays(daysOf(chosen, new Date()))
          }}
          choices={CHOICES.map((value) => ({ value, label: t(`report.periods.${value}`) }))}
        />
        {(['from', 'to'] as const).map((end) => (
          <TextField
            key={end}
            label={t(`report.${end}`)}
            type="date"
            value={days[end]}
            onChange={(day) => {
              setPeriod(OWN_DAYS)
              setDays({ ...days, [end]: day })
            }}
          />
        ))}
      </div>
      <Card className="overflow-x-auto">
        {error && !data ? (
          <ErrorState title={t('report.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : !data && fetching ? (
          <div role="status" aria-label={t('report.loading')} className="flex flex-col gap-4 p-5">
            {Array.from({ length: 5 }, (_, index) => (
              <Skeleton key={index} className="h-5" />
            ))}
          </div>
        ) : rows.length === 0 ? (
          <EmptyState title={t('report.emptyTitle')}>{t('report.emptyBody')}</EmptyState>
        ) : (
          <table className="w-full text-sm" aria-busy={stale}>
            <thead className="border-b border-border text-muted">
              <tr>
                <th scope="col" className="px-4 py-2.5 text-start font-medium sm:px-5">
                  {t(`report.by.${groupedBy}`)}
                </th>
                {(['entries', 'time', 'billableTime'] as const).map((column) => (
                  <th key={column} scope="col" className="px-4 py-2.5 text-end font-medium sm:px-5">
                    {t(`report.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-border">
              {rows.map((row) => (
                <tr key={row.rowId ?? row.day ?? 'none'}>
                  <th
                    scope="row"
                    className="px-4 py-2.5 text-start font-normal [overflow-wrap:anywhere] sm:px-5"
                  >
                    {nameOf(row)}
                  </th>
                  <td className="figures px-4 py-2.5 text-end sm:px-5">
                    {row.entries.toLocaleString(i18n.language)}
                  </td>
                  <td className="figures px-4 py-2.5 text-end sm:px-5">{clockOf(Number(row.seconds))}</td>
                  <td className="figures px-4 py-2.5 text-end sm:px-5">
                    {clockOf(Number(row.billableSeconds))}
                  </td>
                </tr>
              ))}
            </tbody>
            <tfoot className="border-t border-border-strong font-semibold">
              <tr>
                <th scope="row" className="px-4 py-2.5 text-start sm:px-5" colSpan={2}>
                  {t('report.total')}
                </th>
                <td className="figures px-4 py-2.5 text-end sm:px-5">{clockOf(total.seconds)}</td>
                <td className="figures px-4 py-2.5 text-end sm:px-5">{clockOf(total.billable)}</td>
              </tr>
            </tfoot>
          </table>
        )}
      </Card>
      {data?.timeReport.pageInfo.hasNextPage && (
        <p className="text-sm text-muted">{t('report.more', { count: rows.length })}</p>
      )}
    </div>
  )
}
