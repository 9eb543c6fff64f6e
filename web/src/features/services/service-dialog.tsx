import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TagField } from '../../components/tag-field.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { readSkill } from '../../lib/skills.ts'
import { useSubmission } from '../../lib/submission.ts'

export const ServiceDialogFragment = graphql(`
  fragment ServiceDialog on Service {
    id
    name
    description
    teamId
    requiredSkills
    archivedAt
  }
`)

const ServiceTeamsQuery = graphql(`
  query ServiceTeams {
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

const CreateService = graphql(`
  mutation CreateService($name: String!, $description: String, $teamId: UUID, $requiredSkills: [String]) {
    createService(
      input: { name: $name, description: $description, teamId: $teamId, requiredSkills: $requiredSkills }
    ) {
      service {
        id
      }
    }
  }
`)

const UpdateService = graphql(
  `
    mutation UpdateService($id: ID!, $patch: ServicePatch!) {
      updateService(input: { id: $id, patch: $patch }) {
        service {
          id
          updatedAt
          ...ServiceDialog
        }
      }
    }
  `,
  [ServiceDialogFragment],
)

const NAME_LIMIT = 80
const DESCRIPTION_LIMIT = 500
/** The value of "no team"; row ids are UUIDs, so it cannot be one. */
const NO_TEAM = 'none'
type Service = ResultOf<typeof ServiceDialogFragment>

export interface ServiceDialogProps {
  /** The service to change; null makes one. */
  service: FragmentOf<typeof ServiceDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Offers, changes, archives or restores a service. */
export function ServiceDialog({ service, isOpen, onClose, onChanged }: ServiceDialogProps) {
  const { t } = useTranslation('services')
  const saved = readFragment(ServiceDialogFragment, service)
  const [hasDraft, setHasDraft] = useState(false)
  return (
    <DraftDialog title={saved ? saved.name : t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <ServiceForm
        service={saved}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(name) => {
          notify({ tone: 'success', title: t(saved ? 'saved' : 'made', { name }) })
          onClose()
          onChanged()
        }}
      />
      {saved && <Archiving service={saved} onChanged={onChanged} />}
    </DraftDialog>
  )
}

interface ServiceFormProps {
  service: Service | null
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (name: string) => void
}

function ServiceForm({ service, onDraft, onClose, onSaved }: ServiceFormProps) {
  const { t } = useTranslation(['services', 'components'])
  const [begun] = useState(() => ({
    name: service?.name ?? '',
    description: service?.description ?? '',
    teamId: service?.teamId ?? null,
    requiredSkills: (service?.requiredSkills ?? []).filter((skill) => skill !== null),
  }))
  const [draft, setDraft] = useState(begun)
  const [wasTried, setWasTried] = useState(false)
  const [{ data }] = useQuery({ query: ServiceTeamsQuery })
  const [, createService] = useMutation(CreateService)
  const [, updateService] = useMutation(UpdateService)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const name = draft.name.trim()
  const fault = name === '' ? 'missing' : [...name].length > NAME_LIMIT ? 'long' : null
  const isLong = [...draft.description.trim()].length > DESCRIPTION_LIMIT
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = JSON.stringify(draft) !== JSON.stringify(begun)
  const teams = (data?.teams.nodes ?? []).filter((node) => node !== null)
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function edit(part: Partial<typeof draft>) {
    setDraft({ ...draft, ...part })
    if (problem) clear()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return input.current?.focus()
    if (isLong) return
    const content = { ...draft, name, description: draft.description.trim() || null }
    void send(async () => {
      if (service) dataOf(await updateService({ id: service.id, patch: content }))
      else dataOf(await createService(content))
      onSaved(name)
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={draft.name}
        onChange={(value) => edit({ name: value })}
        limit={NAME_LIMIT}
        inputRef={input}
        error={isTaken ? t('nameFault.taken') : wasTried && fault ? t(`nameFault.${fault}`) : null}
      />
      <TextArea
        label={t('description')}
        description={t('descriptionHint')}
        rows={3}
        value={draft.description}
        onChange={(description) => edit({ description })}
        limit={DESCRIPTION_LIMIT}
        error={isLong ? t('descriptionLong') : null}
      />
      <Select
        label={t('team')}
        description={t('teamHint')}
        value={draft.teamId ?? NO_TEAM}
        choices={[
          { value: NO_TEAM, label: t('noTeam') },
          ...teams.map((team) => ({ value: team.rowId, label: team.name })),
        ]}
        onChange={(value) => edit({ teamId: value === NO_TEAM ? null : value })}
      />
      <TagField
        label={t('skills')}
        listLabel={t('skillsList')}
        description={t('skillsHint')}
        values={draft.requiredSkills}
        onChange={(requiredSkills) => edit({ requiredSkills })}
        read={(text) => readSkill(text) ?? { error: t('skillFault') }}
      />
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button
          type="submit"
          variant="primary"
          isPending={isSending}
          isDisabled={service !== null && !isChanged}
        >
          {service ? t('components:save') : t('make')}
        </Button>
      </div>
    </form>
  )
}

function Archiving({ service, onChanged }: { service: Service; onChanged: () => void }) {
  const { t } = useTranslation('services')
  const [, updateService] = useMutation(UpdateService)
  const { name, archivedAt } = service
  async function set(at: string | null) {
    dataOf(await updateService({ id: service.id, patch: { archivedAt: at } }))
    notify({ tone: 'success', title: t(at ? 'archivedNow' : 'restoredNow', { name }) })
    onChanged()
  }
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 border-t border-border pt-4">
      <p className="max-w-[36ch] text-sm text-muted">{t(archivedAt ? 'restoreHint' : 'archiveHint')}</p>
      <ConfirmedButton
        title={t(archivedAt ? 'restoreTitle' : 'archiveTitle', { name })}
        explanation={t(archivedAt ? 'restoreHint' : 'archiveHint')}
        action={t(archivedAt ? 'restore' : 'archive')}
        tone="primary"
        run={() => set(archivedAt ? null : new Date().toISOString())}
      >
        {t(archivedAt ? 'restore' : 'archive')}
      </ConfirmedButton>
    </div>
  )
}
