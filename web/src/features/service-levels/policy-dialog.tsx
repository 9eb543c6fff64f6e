import { useEffect, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { CHANNELS } from '../../lib/ticket-rules.ts'
import { Escalations, EscalationsFragment } from './escalations.tsx'
import { KINDS, PRIORITIES, targetKey, type TargetKey } from './promises.ts'
import { durationText, secondsOf } from './written-time.ts'

export const PolicyDialogFragment = graphql(
  `
    fragment PolicyDialog on SlaPolicy {
      id
      rowId
      name
      calendarId
      priorities
      serviceIds
      teamIds
      companyIds
      channels
      tags
      archivedAt
      slaTargets(first: 12) {
        nodes {
          id
          kind
          priority
          workingSeconds
        }
      }
      ...Escalations
    }
  `,
  [EscalationsFragment],
)

const CreateSlaPolicy = graphql(`
  mutation CreateSlaPolicy(
    $name: String!
    $calendarId: UUID!
    $priorities: [TicketPriority]
    $serviceIds: [UUID]
    $teamIds: [UUID]
    $companyIds: [UUID]
    $channels: [TicketChannel]
    $tags: [String]
  ) {
    createSlaPolicy(
      input: {
        name: $name
        calendarId: $calendarId
        priorities: $priorities
        serviceIds: $serviceIds
        teamIds: $teamIds
        companyIds: $companyIds
        channels: $channels
        tags: $tags
      }
    ) {
      slaPolicy {
        id
        rowId
      }
    }
  }
`)

const UpdateSlaPolicy = graphql(`
  mutation UpdateSlaPolicy($id: ID!, $patch: SlaPolicyPatch!) {
    updateSlaPolicy(input: { id: $id, patch: $patch }) {
      slaPolicy {
        id
        name
      }
    }
  }
`)

const SetSlaTarget = graphql(`
  mutation SetSlaTarget(
    $policyId: UUID!
    $priority: TicketPriority!
    $kind: SlaTargetKind!
    $workingSeconds: BigInt
  ) {
    setSlaTarget(
      input: { policyId: $policyId, priority: $priority, kind: $kind, workingSeconds: $workingSeconds }
    ) {
      slaPolicy {
        id
      }
    }
  }
`)

const DeleteSlaPolicy = graphql(`
  mutation DeleteSlaPolicy($policyId: UUID!) {
    deleteSlaPolicy(input: { policyId: $policyId }) {
      deleted
    }
  }
`)

interface Named {
  rowId: string
  name: string
}

export interface PolicyDialogProps {
  /** The policy to change; null makes one. */
  policy: FragmentOf<typeof PolicyDialogFragment> | null
  choices: {
    calendars: readonly Named[]
    services: readonly Named[]
    teams: readonly Named[]
    companies: readonly Named[]
  }
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes or removes a policy: for which tickets, what is promised, and what happens when it comes near. */
export function PolicyDialog({ policy, choices, isOpen, onClose, onChanged }: PolicyDialogProps) {
  const { t } = useTranslation('service-levels')
  const saved = readFragment(PolicyDialogFragment, policy)
  const [hasDraft, setHasDraft] = useState(false)
  const [, deletePolicy] = useMutation(DeleteSlaPolicy)
  const [, update] = useMutation(UpdateSlaPolicy)
  const { send, isSending, problem } = useSubmission()

  const archive = (policyToMove: Policy) =>
    void send(async () => {
      const archivedAt = policyToMove.archivedAt ? null : new Date().toISOString()
      dataOf(await update({ id: policyToMove.id, patch: { archivedAt } }))
      notify({
        tone: 'success',
        title: t(archivedAt ? 'policies.archivedNow' : 'policies.unarchivedNow', { name: policyToMove.name }),
      })
      onClose()
      onChanged()
    })

  return (
    <DraftDialog
      title={saved ? saved.name : t('policies.make')}
      isOpen={isOpen}
      hasDraft={hasDraft}
      onClose={onClose}
    >
      <PolicyForm
        policy={saved}
        choices={choices}
        onDraft={setHasDraft}
        onSaved={(name) => {
          notify({ tone: 'success', title: t('saved', { name }) })
          onClose()
          onChanged()
        }}
      />
      {saved && (
        <>
          <Escalations policy={saved} onChanged={onChanged} />
          {problem && <ProblemAlert problem={problem} />}
          <div className="flex flex-wrap justify-end gap-2 border-t border-border pt-4">
            <Button onPress={() => archive(saved)} isPending={isSending}>
              {t(saved.archivedAt ? 'policies.unarchive' : 'policies.archive')}
            </Button>
            <ConfirmedButton
              title={t('policies.removeTitle', { name: saved.name })}
              explanation={t('policies.removeBody')}
              action={t('remove')}
              run={async () => {
                dataOf(await deletePolicy({ policyId: saved.rowId }))
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

type Policy = Omit<ResultOf<typeof PolicyDialogFragment>, ' $fragmentRefs'>

interface PolicyFormProps extends Pick<PolicyDialogProps, 'choices'> {
  policy: Policy | null
  onDraft: (hasDraft: boolean) => void
  onSaved: (name: string) => void
}

const texts = (values: readonly (string | null)[] | undefined) =>
  (values ?? []).filter((value) => value !== null)

function PolicyForm({ policy, choices, onDraft, onSaved }: PolicyFormProps) {
  const { t } = useTranslation(['service-levels', 'components'])
  const [name, setName] = useState(policy?.name ?? '')
  const [calendarId, setCalendarId] = useState(policy?.calendarId ?? choices.calendars[0]?.rowId ?? null)
  const [priorities, setPriorities] = useState(() =>
    PRIORITIES.filter((priority) => policy?.priorities.includes(priority)),
  )
  const [serviceIds, setServiceIds] = useState(() => texts(policy?.serviceIds))
  const [teamIds, setTeamIds] = useState(() => texts(policy?.teamIds))
  const [companyIds, setCompanyIds] = useState(() => texts(policy?.companyIds))
  const [channels, setChannels] = useState(() =>
    CHANNELS.filter((channel) => policy?.channels.includes(channel)),
  )
  const [tags, setTags] = useState(() => texts(policy?.tags).join(', '))
  const [before] = useState(() => targetTexts(policy))
  const [targets, setTargets] = useState(before)
  const [wasTried, setWasTried] = useState(false)
  const [wasTouched, setWasTouched] = useState(false)
  const [, create] = useMutation(CreateSlaPolicy)
  const [, update] = useMutation(UpdateSlaPolicy)
  const [, setTarget] = useMutation(SetSlaTarget)
  const { send, isSending, problem, clear } = useSubmission()
  useEffect(() => {
    onDraft(wasTouched)
    return () => onDraft(false)
  }, [onDraft, wasTouched])

  const isFault = (text: string) => text.trim() !== '' && secondsOf(text) === null
  const isTaken = problem?.code === 'CONFLICT'
  const touching =
    <Value,>(set: (value: Value) => void) =>
    (value: Value) => {
      setWasTouched(true)
      if (problem) clear()
      set(value)
    }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (name.trim() === '' || calendarId === null || Object.values(targets).some(isFault)) return
    const values = {
      name: name.trim(),
      calendarId,
      priorities,
      serviceIds,
      teamIds,
      companyIds,
      channels,
      tags: tags
        .split(',')
        .map((tag) => tag.trim().toLowerCase())
        .filter((tag) => tag !== ''),
    }
    void send(async () => {
      let policyId = policy?.rowId
      if (policy) dataOf(await update({ id: policy.id, patch: values }))
      else policyId = dataOf(await create(values)).createSlaPolicy?.slaPolicy?.rowId
      for (const priority of PRIORITIES) {
        for (const kind of KINDS) {
          const key = targetKey(kind, priority)
          if (!policyId || targets[key] === before[key]) continue
          const seconds = secondsOf(targets[key])
          dataOf(
            await setTarget({
              policyId,
              priority,
              kind,
              workingSeconds: seconds === null ? null : String(seconds),
            }),
          )
        }
      }
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
        onChange={touching(setName)}
        error={isTaken ? t('nameTaken') : wasTried && name.trim() === '' ? t('nameMissing') : null}
      />
      <Select
        label={t('policies.calendar')}
        choices={choices.calendars.map(({ rowId, name: label }) => ({ value: rowId, label }))}
        value={calendarId}
        onChange={touching(setCalendarId)}
      />
      <fieldset className="flex flex-col gap-4">
        <legend className="mb-1 text-sm font-semibold">{t('policies.conditions')}</legend>
        <p className="text-sm text-muted">{t('policies.conditionsHint')}</p>
        <CheckboxGroup label={t('policies.priorities')} value={priorities} onChange={touching(setPriorities)}>
          <div className="flex flex-wrap gap-x-5 gap-y-2">
            {PRIORITIES.map((priority) => (
              <Checkbox key={priority} value={priority}>
                {t(`priority.${priority}`)}
              </Checkbox>
            ))}
          </div>
        </CheckboxGroup>
        {(
          [
            ['services', choices.services, serviceIds, setServiceIds],
            ['teams', choices.teams, teamIds, setTeamIds],
            ['companies', choices.companies, companyIds, setCompanyIds],
          ] as const
        ).map(
          ([word, those, chosen, choose]) =>
            those.length > 0 && (
              <CheckboxGroup
                key={word}
                label={t(`policies.${word}`)}
                value={chosen}
                onChange={touching(choose)}
              >
                <div className="flex max-h-48 flex-wrap gap-x-5 gap-y-2 overflow-y-auto">
                  {those.map((each) => (
                    <Checkbox key={each.rowId} value={each.rowId}>
                      {each.name}
                    </Checkbox>
                  ))}
                </div>
              </CheckboxGroup>
            ),
        )}
        <CheckboxGroup label={t('policies.channels')} value={channels} onChange={touching(setChannels)}>
          <div className="flex flex-wrap gap-x-5 gap-y-2">
            {CHANNELS.map((channel) => (
              <Checkbox key={channel} value={channel}>
                {t(`components:rules.channel.${channel}`)}
              </Checkbox>
            ))}
          </div>
        </CheckboxGroup>
        <TextField
          label={t('policies.tags')}
          description={t('policies.tagsHint')}
          autoComplete="off"
          value={tags}
          onChange={touching(setTags)}
        />
      </fieldset>
      <fieldset className="flex flex-col gap-3">
        <legend className="mb-1 text-sm font-semibold">{t('policies.targets')}</legend>
        <p className="text-sm text-muted">{t('policies.targetsHint')}</p>
        <div className="grid grid-cols-3 gap-x-3 gap-y-3">
          {PRIORITIES.flatMap((priority) =>
            KINDS.map((kind) => {
              const key = targetKey(kind, priority)
              return (
                <TextField
                  key={key}
                  label={t('policies.targetOf', {
                    kind: t(`kind.${kind}`),
                    priority: t(`priority.${priority}`),
                  })}
                  autoComplete="off"
                  value={targets[key]}
                  onChange={touching((text: string) => setTargets({ ...targets, [key]: text }))}
                  error={wasTried && isFault(targets[key]) ? t('policies.targetFault') : null}
                />
              )
            }),
          )}
        </div>
      </fieldset>
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex justify-end">
        <Button type="submit" variant="primary" isPending={isSending}>
          {t('components:save')}
        </Button>
      </div>
    </form>
  )
}

function targetTexts(policy: Policy | null): Record<TargetKey, string> {
  const nodes = (policy?.slaTargets.nodes ?? []).filter((target) => target !== null)
  return Object.fromEntries(
    PRIORITIES.flatMap((priority) =>
      KINDS.map((kind) => {
        const found = nodes.find((target) => target.kind === kind && target.priority === priority)
        return [targetKey(kind, priority), found ? durationText(Number(found.workingSeconds)) : '']
      }),
    ),
  ) as Record<TargetKey, string>
}
