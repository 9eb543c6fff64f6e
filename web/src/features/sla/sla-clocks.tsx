import { CircleCheck, CirclePause, CircleX, Timer } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Deadline } from '../../components/deadline.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { RelativeTime } from '../../components/relative-time.tsx'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { classNames } from '../../lib/class-names.ts'
import { useNow } from '../../lib/clock.ts'
import { deadlineTone } from '../../lib/deadline.ts'
import { clockProgress, clockState, type ClockState } from './clock-state.ts'

export const SlaClocksFragment = graphql(`
  fragment SlaClocks on Ticket {
    id
    slaCalculations {
      nodes {
        id
        kind
        startedAt
        dueAt
        metAt
        breachedAt
        pausedAt
        targetSeconds
      }
    }
  }
`)

type Clock = NonNullable<ResultOf<typeof SlaClocksFragment>['slaCalculations']['nodes'][number]>

const SIGNS = {
  running: Timer,
  paused: CirclePause,
  met: CircleCheck,
  missed: CircleX,
  breached: CircleX,
} as const

const INK: Record<ClockState, string> = {
  running: 'text-muted',
  paused: 'text-muted',
  met: 'text-success-text',
  missed: 'text-danger-text',
  breached: 'text-danger-text',
}

/** The promises made for a ticket and how they stand, ticking. */
export function SlaClocks({ ticket }: { ticket: FragmentOf<typeof SlaClocksFragment> }) {
  const { t } = useTranslation('sla')
  const { slaCalculations } = readFragment(SlaClocksFragment, ticket)
  const clocks = slaCalculations.nodes
    .filter((clock) => clock !== null)
    .sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))
  return (
    <PanelSection title={t('title')}>
      {clocks.length === 0 ? (
        <p className="text-sm text-muted">{t('none')}</p>
      ) : (
        <ul className="flex flex-col gap-3.5">
          {clocks.map((clock) => (
            <SlaClock key={clock.id} clock={clock} />
          ))}
        </ul>
      )}
    </PanelSection>
  )
}

const ORDER: readonly string[] = ['first_response', 'next_response', 'resolution']

function SlaClock({ clock }: { clock: Clock }) {
  const { t } = useTranslation('sla')
  const now = useNow('second')
  const state = clockState(clock, now)
  const target = Number(clock.targetSeconds)
  const Sign = SIGNS[state]
  return (
    <li className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between gap-3 text-sm">
        <span>{t(`kind.${clock.kind}`)}</span>
        <span className={classNames('flex items-center gap-1.5', INK[state])}>
          <Sign className="size-3.5 shrink-0" aria-hidden="true" />
          {state === 'running' && clock.dueAt ? (
            <Deadline dueAt={clock.dueAt} targetSeconds={target} />
          ) : state === 'breached' && clock.dueAt ? (
            <Deadline dueAt={clock.dueAt} />
          ) : (
            <span className={state === 'missed' ? 'font-medium' : undefined}>{t(`state.${state}`)}</span>
          )}
          {clock.metAt && <RelativeTime at={clock.metAt} className="text-muted" />}
        </span>
      </div>
      {/* A promise that was kept has no way left to go. */}
      {state !== 'met' && (
        <ProgressLine
          progress={state === 'breached' ? 1 : clockProgress(clock, now)}
          tone={
            state === 'running'
              ? clock.dueAt
                ? deadlineTone(Date.parse(clock.dueAt), now, target)
                : 'calm'
              : state === 'paused'
                ? 'calm'
                : 'overdue'
          }
        />
      )}
    </li>
  )
}

const FILL = {
  calm: 'fill-accent',
  near: 'fill-sun-deep',
  overdue: 'fill-danger',
}

/** Decorative: the words above say the same. An SVG, because its length is an attribute and needs no inline style. */
function ProgressLine({ progress, tone }: { progress: number; tone: keyof typeof FILL }) {
  return (
    <svg
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      className="h-1 w-full overflow-hidden rounded-full bg-sunken rtl:-scale-x-100"
      aria-hidden="true"
    >
      <rect width={progress * 100} height="4" className={FILL[tone]} />
    </svg>
  )
}
