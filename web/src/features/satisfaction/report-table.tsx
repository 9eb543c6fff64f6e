import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Card } from '../../components/card.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { graphql, readFragment } from '../../graphql/tada.ts'
import type { Days } from '../../lib/periods.ts'
import { DistributionLine } from './charts.tsx'

export type Grouping = 'agent' | 'team' | 'service'

export const ReportRowFragment = graphql(`
  fragment SatisfactionRow on CsatReportRow {
    rowId
    name
    month
    sent
    answered
    satisfied
    responseRate
    average
    csat
    distribution
  }
`)

const ReportQuery = graphql(
  `
    query SatisfactionReport($groupedBy: CsatGrouping!, $from: Date!, $to: Date!) {
      csatReport(groupedBy: $groupedBy, fromDay: $from, toDay: $to, first: 100) {
        nodes {
          ...SatisfactionRow
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  `,
  [ReportRowFragment],
)

const COLUMNS = ['sent', 'answers', 'responseRate', 'average', 'csat'] as const
const cell = 'px-4 py-2.5 sm:px-5'
/** On a phone there is room for one of the numbers; the others stand below the name. */
const roomy = `${cell} max-sm:hidden`

/** Who was answered how often, and what was said of them. */
export function ReportTable({ grouping, days }: { grouping: Grouping; days: Days }) {
  const { t, i18n } = useTranslation(['satisfaction', 'errors'])
  const [{ data, error, fetching, stale }, reread] = useQuery({
    query: ReportQuery,
    variables: { groupedBy: grouping, ...days },
  })
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent' })
  const mean = new Intl.NumberFormat(i18n.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const rows = (data?.csatReport.nodes ?? []).flatMap((node) =>
    node ? [readFragment(ReportRowFragment, node)] : [],
  )
  if (error && !data) {
    return (
      <ErrorState title={t('report.error')} onRetry={() => reread({ requestPolicy: 'network-only' })}>
        {t(`errors:${problemOf(error).code}`)}
      </ErrorState>
    )
  }
  if (!data && fetching) {
    return (
      <div role="status" aria-label={t('report.loading')}>
        <Skeleton className="h-40 rounded-xl" />
      </div>
    )
  }
  return (
    <>
      <Card className="overflow-x-auto">
        <table className="w-full text-sm" aria-busy={stale}>
          <caption className="sr-only">{t('report.whose')}</caption>
          <thead className="border-b border-border text-muted">
            <tr>
              <th scope="col" className={`${cell} text-start font-medium`}>
                {t(`report.by.${grouping}`)}
              </th>
              {COLUMNS.map((column) => (
                <th
                  key={column}
                  scope="col"
                  className={`${column === 'csat' ? cell : roomy} text-end font-medium whitespace-nowrap`}
                >
                  {t(`report.${column}`)}
                </th>
              ))}
              <th scope="col" className={`${cell} text-start font-medium max-md:hidden`}>
                {t('report.distribution')}
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-border">
            {rows.map((row) => (
              <tr key={row.rowId ?? 'none'}>
                <th
                  scope="row"
                  className={`${cell} text-start font-normal [overflow-wrap:anywhere] sm:min-w-36`}
                >
                  {row.name ?? t(`report.without.${grouping}`)}
                  <span className="block pt-0.5 text-muted sm:hidden">
                    {t('report.inShort', {
                      sent: row.sent.toLocaleString(i18n.language),
                      answered: row.answered.toLocaleString(i18n.language),
                      rate: row.responseRate === null ? '–' : percent.format(row.responseRate),
                      average: row.average === null ? '–' : mean.format(row.average),
                    })}
                  </span>
                  <span className="block pt-2 pb-1 sm:hidden">
                    <DistributionLine distribution={row.distribution} answered={row.answered} />
                  </span>
                </th>
                <td className={`figures ${roomy} text-end`}>{row.sent.toLocaleString(i18n.language)}</td>
                <td className={`figures ${roomy} text-end`}>{row.answered.toLocaleString(i18n.language)}</td>
                <td className={`figures ${roomy} text-end`}>
                  {row.responseRate === null ? '–' : percent.format(row.responseRate)}
                </td>
                <td className={`figures ${roomy} text-end`}>
                  {row.average === null ? '–' : mean.format(row.average)}
                </td>
                <td className={`figures ${cell} text-end align-top font-semibold sm:align-middle`}>
                  {row.csat === null ? '–' : percent.format(row.csat)}
                </td>
                <td className={`${cell} w-1/4 max-md:hidden`}>
                  <DistributionLine distribution={row.distribution} answered={row.answered} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
      {data?.csatReport.pageInfo.hasNextPage && (
        <p className="text-sm text-muted">{t('report.more', { count: rows.length })}</p>
      )}
    </>
  )
}
