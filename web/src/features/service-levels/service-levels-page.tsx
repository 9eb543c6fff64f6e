import { ArrowDown, ArrowUp, CalendarDays, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { ErrorState } from '../../components/error-state.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { SettingsSection } from '../../components/settings-section.tsx'
import { Skeleton } from '../../components/skeleton.tsx'
import { problemOf } from '../../graphql/errors.ts'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, type ResultOf } from '../../graphql/tada.ts'
import { readerLocale } from '../../lib/reader-locale.ts'
import { useSubmission } from '../../lib/submission.ts'
import { CalendarDialog, CalendarDialogFragment } from './calendar-dialog.tsx'
import { PolicyDialog, PolicyDialogFragment } from './policy-dialog.tsx'
import { KINDS, PRIORITIES } from './promises.ts'
import { durationText, hoursOf, shiftsText, WEEKDAYS } from './written-time.ts'

const ServiceLevelsQuery = graphql(
  `
    query ServiceLevels {
      slaCalendars(first: 20, orderBy: [NAME_ASC]) {
        nodes {
          id
          rowId
          name
          timeZone
          hours
          slaHolidays(first: 40) {
            totalCount
          }
          ...CalendarDialog
        }
      }
      slaPolicies(first: 30, orderBy: [POSITION_ASC]) {
        nodes {
          id
          rowId
          name
          archivedAt
          priorities
          tags
          serviceIds
          teamIds
          companyIds
          channels
          calendar {
            id
            name
          }
          slaTargets(first: 12) {
            nodes {
              id
              kind
              priority
              workingSeconds
            }
          }
          slaEscalations(first: 20) {
            totalCount
          }
          ...PolicyDialog
        }
      }
      services(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          rowId
          name
        }
      }
      teams(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          rowId
          name
        }
      }
      companies(first: 100, orderBy: [NAME_ASC]) {
        nodes {
          id
          rowId
          name
        }
      }
      slaRecomputations(first: 1, orderBy: [PRIMARY_KEY_DESC]) {
        nodes {
          id
          total
          done
          finishedAt
        }
      }
    }
  `,
  [CalendarDialogFragment, PolicyDialogFragment],
)

const OrderSlaPolicies = graphql(`
  mutation OrderSlaPolicies($policyIds: [UUID]!) {
    orderSlaPolicies(input: { policyIds: $policyIds }) {
      slaPolicies {
        id
        position
      }
    }
  }
`)

type Data = ResultOf<typeof ServiceLevelsQuery>
type Policy = NonNullable<Data['slaPolicies']['nodes'][number]>
interface Named {
  rowId: string
  name: string
}

/** What the organization promises, and when it works. */
export function ServiceLevelsPage() {
  const { t } = useTranslation(['service-levels', 'errors'])
  const [{ data, error, fetching }, read] = useQuery({ query: ServiceLevelsQuery })
  const [open, setOpen] = useState<string | null>(null)
  const reread = () => read({ requestPolicy: 'network-only' })
  const close = () => setOpen(null)

  if (!data) {
    return (
      <>
        <PageHeader title={t('title')} intro={t('intro')} />
        {error ? (
          <ErrorState title={t('listError')} onRetry={reread}>
            {t(`errors:${problemOf(error).code}`)}
          </ErrorState>
        ) : (
          <div role="status" aria-label={t('loading')} aria-busy={fetching} className="flex flex-col gap-4">
            <Skeleton className="h-24" />
            <Skeleton className="h-24" />
          </div>
        )}
      </>
    )
  }

  const all = data.slaPolicies.nodes.filter((policy) => policy !== null)
  const policies = all.filter((policy) => policy.archivedAt === null)
  const archived = all.filter((policy) => policy.archivedAt !== null)
  const calendars = data.slaCalendars.nodes.filter((calendar) => calendar !== null)
  const work = data.slaRecomputations.nodes[0]
  const dialog = { onClose: close, onChanged: reread }
  return (
    <>
      <PageHeader title={t('title')} intro={t('intro')} />
      <div className="flex flex-col gap-8">
        {work && work.finishedAt === null && (
          <InlineAlert tone="info">{t('counting', { done: work.done, total: work.total })}</InlineAlert>
        )}
        <SettingsSection title={t('policies.title')} intro={t('policies.intro')}>
          <PolicyList policies={policies} names={data} onOpen={setOpen} onChanged={reread} />
          {archived.length > 0 && (
            <ul aria-label={t('policies.archived')} className="divide-y divide-border border-t border-border">
              {archived.map((policy) => (
                <li key={policy.id} className="flex flex-wrap items-center gap-3 px-4 py-3 sm:px-5">
                  <p className="min-w-0 flex-1 truncate ps-8 text-sm text-muted">
                    {t('policies.archivedOf', { name: policy.name })}
                  </p>
                  <Button
                    size="small"
                    aria-label={t('changeOf', { name: policy.name })}
                    onPress={() => setOpen(policy.id)}
                  >
                    {t('change')}
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <div className="border-t border-border p-4">
            <Button onPress={() => setOpen('policy')}>
              <Plus className="size-4" aria-hidden="true" />
              {t('policies.make')}
            </Button>
          </div>
        </SettingsSection>
        <SettingsSection title={t('calendars.title')} intro={t('calendars.intro')}>
          <ul aria-label={t('calendars.title')} className="divide-y divide-border">
            {calendars.map((calendar) => (
              <li key={calendar.id} className="flex flex-wrap items-center gap-3 px-4 py-3 sm:px-5">
                <CalendarDays className="size-5 shrink-0 text-faint" aria-hidden="true" />
                <div className="min-w-0 flex-1 basis-44">
                  <p className="truncate text-sm font-medium">{calendar.name}</p>
                  <p className="text-sm text-muted">
                    <HoursLine hours={calendar.hours} /> · {calendar.timeZone.replaceAll('_', ' ')} ·{' '}
                    {t('calendars.holidays', { count: calendar.slaHolidays.totalCount })}
                  </p>
                </div>
                <Button
                  size="small"
                  aria-label={t('changeOf', { name: calendar.name })}
                  onPress={() => setOpen(calendar.id)}
                >
                  {t('change')}
                </Button>
              </li>
            ))}
          </ul>
          <div className="border-t border-border p-4">
            <Button onPress={() => setOpen('calendar')}>
              <Plus className="size-4" aria-hidden="true" />
              {t('calendars.make')}
            </Button>
          </div>
        </SettingsSection>
      </div>
      <CalendarDialog calendar={null} isOpen={open === 'calendar'} {...dialog} />
      {calendars.map((calendar) => (
        <CalendarDialog key={calendar.id} calendar={calendar} isOpen={open === calendar.id} {...dialog} />
      ))}
      <PolicyDialog policy={null} isOpen={open === 'policy'} choices={choicesOf(data)} {...dialog} />
      {all.map((policy) => (
        <PolicyDialog
          key={policy.id}
          policy={policy}
          isOpen={open === policy.id}
          choices={choicesOf(data)}
          {...dialog}
        />
      ))}
    </>
  )
}

const choicesOf = (data: Data) => ({
  calendars: data.slaCalendars.nodes.filter((calendar) => calendar !== null),
  services: data.services.nodes.filter((service) => service !== null),
  teams: data.teams.nodes.filter((team) => team !== null),
  companies: data.companies.nodes.filter((company) => company !== null),
})

/** "Mon–Fri 09:00–17:00" would be a language of its own: the days that are alike are told once. */
function HoursLine({ hours }: { hours: unknown }) {
  const { t, i18n } = useTranslation('service-levels')
  const days = hoursOf(hours)
  if (!days) return <>{t('calendars.alwaysOpen')}</>
  const short = new Intl.DateTimeFormat(readerLocale(i18n.language), { weekday: 'short', timeZone: 'UTC' })
  const groups: { from: number; to: number; text: string }[] = []
  WEEKDAYS.forEach((day, index) => {
    const text = shiftsText(days[day])
    const last = groups.at(-1)
    if (text === '') return
    if (last && last.to === index - 1 && last.text === text) last.to = index
    else groups.push({ from: index, to: index, text })
  })
  // 2024-01-01 was a Monday.
  const name = (index: number) => short.format(new Date(Date.UTC(2024, 0, 1 + index)))
  return (
    <>
      {groups
        .map(({ from, to, text }) => `${from === to ? name(from) : `${name(from)}–${name(to)}`} ${text}`)
        .join(' · ')}
    </>
  )
}

interface PolicyListProps {
  policies: Policy[]
  names: Data
  onOpen: (id: string) => void
  onChanged: () => void
}

function PolicyList({ policies, names, onOpen, onChanged }: PolicyListProps) {
  const { t } = useTranslation(['service-levels', 'components'])
  const [, order] = useMutation(OrderSlaPolicies)
  const { send, isSending, problem } = useSubmission()
  const move = (index: number, by: -1 | 1) =>
    void send(async () => {
      const ids = policies.map(({ rowId }) => rowId)
      const [moved] = ids.splice(index, 1)
      ids.splice(index + by, 0, moved!)
      dataOf(await order({ policyIds: ids }))
      onChanged()
    })
  if (policies.length === 0) return <p className="p-5 text-sm text-muted">{t('policies.none')}</p>
  return (
    <>
      {problem && (
        <div className="p-4">
          <ProblemAlert problem={problem} />
        </div>
      )}
      <ol aria-label={t('policies.title')} className="divide-y divide-border">
        {policies.map((policy, index) => (
          <li key={policy.id} className="flex flex-wrap items-start gap-3 px-4 py-3 sm:px-5">
            <span className="w-5 shrink-0 pt-0.5 text-end text-sm text-faint tabular-nums" aria-hidden="true">
              {index + 1}
            </span>
            <div className="flex min-w-0 flex-1 basis-56 flex-col gap-1">
              <p className="truncate text-sm font-medium">{policy.name}</p>
              <p className="text-sm text-muted">
                {conditionsOf(policy, names, t) || t('policies.everything')} · {policy.calendar?.name}
                {policy.slaEscalations.totalCount > 0 &&
                  ` · ${t('policies.escalations', { count: policy.slaEscalations.totalCount })}`}
              </p>
              <Targets policy={policy} />
            </div>
            <div className="flex items-center gap-1">
              <Button
                variant="quiet"
                size="small"
                isIconOnly
                isDisabled={index === 0 || isSending}
                aria-label={t('policies.earlier', { name: policy.name })}
                onPress={() => move(index, -1)}
              >
                <ArrowUp className="size-4" aria-hidden="true" />
              </Button>
              <Button
                variant="quiet"
                size="small"
                isIconOnly
                isDisabled={index === policies.length - 1 || isSending}
                aria-label={t('policies.later', { name: policy.name })}
                onPress={() => move(index, 1)}
              >
                <ArrowDown className="size-4" aria-hidden="true" />
              </Button>
              <Button
                size="small"
                aria-label={t('changeOf', { name: policy.name })}
                onPress={() => onOpen(policy.id)}
              >
                {t('change')}
              </Button>
            </div>
          </li>
        ))}
      </ol>
    </>
  )
}

function Targets({ policy }: { policy: Policy }) {
  const { t } = useTranslation('service-levels')
  const targets = policy.slaTargets.nodes.filter((target) => target !== null)
  const kinds = KINDS.filter((kind) => targets.some((target) => target.kind === kind))
  return (
    <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-sm">
      {kinds.map((kind) => (
        <div key={kind} className="contents">
          <dt className="text-muted">{t(`kind.${kind}`)}</dt>
          <dd className="flex flex-wrap gap-x-3 tabular-nums">
            {PRIORITIES.map((priority) => {
              const target = targets.find((each) => each.kind === kind && each.priority === priority)
              return (
                target && (
                  <span key={priority}>
                    <span className="text-muted">{t(`priority.${priority}`)}</span>{' '}
                    {durationText(Number(target.workingSeconds))}
                  </span>
                )
              )
            })}
          </dd>
        </div>
      ))}
    </dl>
  )
}

type Translate = ReturnType<typeof useTranslation<['service-levels', 'components']>>['t']

function conditionsOf(policy: Policy, names: Data, t: Translate): string {
  const named = (nodes: readonly (Named | null)[], ids: readonly (string | null)[]) =>
    nodes.flatMap((node) => (node && ids.includes(node.rowId) ? [node.name] : []))
  const parts = [
    policy.priorities.flatMap((priority) => (priority ? [t(`priority.${priority}`)] : [])),
    named(names.services.nodes, policy.serviceIds),
    named(names.teams.nodes, policy.teamIds),
    named(names.companies.nodes, policy.companyIds),
    policy.channels.flatMap((channel) => (channel ? [t(`components:rules.channel.${channel}`)] : [])),
    policy.tags.map((tag) => `#${tag}`),
  ]
  return parts
    .filter((part) => part.length > 0)
    .map((part) => part.join(', '))
    .join(' · ')
}
