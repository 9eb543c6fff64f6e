import { X } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TextField } from '../../components/text-field.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { KINDS, type Kind } from './promises.ts'
import { durationText, secondsOf } from './written-time.ts'

export const EscalationsFragment = graphql(`
  fragment Escalations on SlaPolicy {
    id
    rowId
    slaEscalations(first: 20) {
      nodes {
        id
        rowId
        kind
        offsetSeconds
        actions
      }
      totalCount
    }
  }
`)

const SetSlaEscalation = graphql(
  `
    mutation SetSlaEscalation(
      $policyId: UUID!
      $kind: SlaTargetKind!
      $offsetSeconds: BigInt!
      $actions: JSON!
    ) {
      setSlaEscalation(
        input: { policyId: $policyId, kind: $kind, offsetSeconds: $offsetSeconds, actions: $actions }
      ) {
        slaEscalation {
          id
          policy {
            id
            ...Escalations
          }
        }
      }
    }
  `,
  [EscalationsFragment],
)

const DeleteSlaEscalation = graphql(`
  mutation DeleteSlaEscalation($escalationId: UUID!) {
    deleteSlaEscalation(input: { escalationId: $escalationId }) {
      deleted
    }
  }
`)

const ACTS = ['notify_assignee', 'notify_team', 'notify_managers', 'raise_priority'] as const
type Act = (typeof ACTS)[number]

const actionOf = (act: Act, text: string) =>
  act === 'raise_priority'
    ? { type: 'raise_priority' }
    : { type: 'notify', to: act.slice('notify_'.length), text }

/** What this screen can say about a list of actions; the API knows more than it. */
function actOf(actions: unknown): Act | null {
  if (!Array.isArray(actions) || actions.length !== 1) return null
  const { type, to } = actions[0] as { type?: unknown; to?: unknown }
  return ACTS.find((act) => act === (type === 'notify' ? `notify_${String(to)}` : type)) ?? null
}

type Escalation = NonNullable<ResultOf<typeof EscalationsFragment>['slaEscalations']['nodes'][number]>

export interface EscalationsProps {
  policy: FragmentOf<typeof EscalationsFragment>
  onChanged: () => void
}

/** What a policy does by itself before and after a promise is due. */
export function Escalations({ policy, onChanged }: EscalationsProps) {
  const { t } = useTranslation('service-levels')
  const { rowId, slaEscalations } = readFragment(EscalationsFragment, policy)
  const levels = slaEscalations.nodes
    .filter((level) => level !== null)
    .sort(
      (one, other) =>
        KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
        Number(one.offsetSeconds) - Number(other.offsetSeconds),
    )
  const [kind, setKind] = useState<Kind>('resolution')
  const [side, setSide] = useState<'before' | 'after'>('before')
  const [time, setTime] = useState('1h')
  const [act, setAct] = useState<Act>('notify_assignee')
  const [, set] = useMutation(SetSlaEscalation)
  const [, remove] = useMutation(DeleteSlaEscalation)
  const { send, isSending, problem } = useSubmission()
  const seconds = time.trim() === '' ? 0 : secondsOf(time)

  function submit(event: FormEvent) {
    event.preventDefault()
    if (seconds === null) return
    void send(async () => {
      dataOf(
        await set({
          policyId: rowId,
          kind,
          offsetSeconds: String(side === 'before' ? -seconds : seconds),
          actions: [actionOf(act, t('escalation.notice', { ticket: '{{ticket.reference}}' }))],
        }),
      )
      onChanged()
    })
  }

  return (
    <section className="flex flex-col gap-4 border-t border-border pt-4">
      <h3 className="text-sm font-semibold">{t('escalation.title')}</h3>
      {levels.length > 0 && (
        <ul aria-label={t('escalation.title')} className="flex flex-col gap-1.5">
          {levels.map((level) => (
            <li key={level.id} className="flex items-center justify-between gap-3 text-sm">
              <span className="min-w-0">
                <When level={level} />
                <span className="block text-muted">
                  <What actions={level.actions} />
                </span>
              </span>
              <Button
                variant="quiet"
                size="small"
                isIconOnly
                aria-label={t('escalation.remove')}
                onPress={() =>
                  void send(async () => {
                    dataOf(await remove({ escalationId: level.rowId }))
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
        <Select
          label={t('escalation.kind')}
          choices={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
          value={kind}
          onChange={setKind}
        />
        <Select
          label={t('escalation.side')}
          choices={(['before', 'after'] as const).map((value) => ({
            value,
            label: t(`escalation.sides.${value}`),
          }))}
          value={side}
          onChange={setSide}
        />
        <TextField
          label={t('escalation.time')}
          description={t('escalation.timeHint')}
          autoComplete="off"
          value={time}
          onChange={setTime}
          error={seconds === null ? t('policies.targetFault') : null}
        />
        <Select
          label={t('escalation.act')}
          choices={ACTS.map((value) => ({ value, label: t(`escalation.acts.${value}`) }))}
          value={act}
          onChange={setAct}
        />
        <div className="flex justify-end sm:col-span-2">
          <Button type="submit" isPending={isSending}>
            {t('escalation.add')}
          </Button>
        </div>
      </form>
      {problem && <ProblemAlert problem={problem} />}
    </section>
  )
}

function When({ level }: { level: Escalation }) {
  const { t } = useTranslation('service-levels')
  const offset = Number(level.offsetSeconds)
  const kind = t(`kind.${level.kind}`)
  const words = offset === 0 ? 'at' : offset < 0 ? 'before' : 'after'
  return <>{t(`escalation.${words}`, { time: durationText(offset), kind })}</>
}

function What({ actions }: { actions: unknown }) {
  const { t } = useTranslation('service-levels')
  const act = actOf(actions)
  return (
    <>
      {act
        ? t(`escalation.acts.${act}`)
        : t('escalation.acts.other', { count: Array.isArray(actions) ? actions.length : 0 })}
    </>
  )
}
