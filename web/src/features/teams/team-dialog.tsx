import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { useSubmission } from '../../lib/submission.ts'
import { TeamMembers } from './team-members.tsx'

export const TeamDialogFragment = graphql(`
  fragment TeamDialog on Team {
    id
    rowId
    name
    assignmentMethod
  }
`)

const CreateTeam = graphql(`
  mutation CreateTeam($name: String!, $assignmentMethod: AssignmentMethod!) {
    createTeam(input: { name: $name, assignmentMethod: $assignmentMethod }) {
      team {
        id
      }
    }
  }
`)

const UpdateTeam = graphql(`
  mutation UpdateTeam($id: ID!, $patch: TeamPatch!) {
    updateTeam(input: { id: $id, patch: $patch }) {
      team {
        id
        name
        assignmentMethod
        updatedAt
      }
    }
  }
`)

const DeleteTeam = graphql(`
  mutation DeleteTeam($teamId: UUID!) {
    deleteTeam(input: { teamId: $teamId }) {
      deleted
    }
  }
`)

const NAME_LIMIT = 80
const METHODS = ['manual', 'round_robin', 'least_loaded'] as const
type Team = ResultOf<typeof TeamDialogFragment>

export interface TeamDialogProps {
  /** The team to change; null makes one. */
  team: FragmentOf<typeof TeamDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onChanged: () => void
}

/** Makes, changes, staffs or removes a team. */
export function TeamDialog({ team, isOpen, onClose, onChanged }: TeamDialogProps) {
  const { t } = useTranslation('teams')
  const saved = readFragment(TeamDialogFragment, team)
  const [hasDraft, setHasDraft] = useState(false)
  const [, deleteTeam] = useMutation(DeleteTeam)
  return (
    <DraftDialog title={saved ? saved.name : t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <TeamForm
        team={saved}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(name) => {
          notify({ tone: 'success', title: t(saved ? 'saved' : 'made', { name }) })
          onClose()
          onChanged()
        }}
      />
      {saved && <TeamMembers team={saved} onChanged={onChanged} />}
      {saved && (
        <div className="flex flex-wrap items-center justify-between gap-3 border-t border-border pt-4">
          <p className="max-w-[36ch] text-sm text-muted">{t('removeHint')}</p>
          <ConfirmedButton
            title={t('removeTitle', { name: saved.name })}
            explanation={t('removeBody')}
            action={t('remove')}
            run={async () => {
              dataOf(await deleteTeam({ teamId: saved.rowId }))
              notify({ tone: 'success', title: t('removed', { name: saved.name }) })
              onClose()
              onChanged()
            }}
          >
            {t('remove')}
          </ConfirmedButton>
        </div>
      )}
    </DraftDialog>
  )
}

interface TeamFormProps {
  team: Team | null
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (name: string) => void
}

function TeamForm({ team, onDraft, onClose, onSaved }: TeamFormProps) {
  const { t } = useTranslation(['teams', 'components'])
  const [typed, setTyped] = useState(team?.name ?? '')
  const [method, setMethod] = useState(team?.assignmentMethod ?? 'manual')
  const [wasTried, setWasTried] = useState(false)
  const [, createTeam] = useMutation(CreateTeam)
  const [, updateTeam] = useMutation(UpdateTeam)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const name = typed.trim()
  const fault = name === '' ? 'missing' : [...name].length > NAME_LIMIT ? 'long' : null
  const isTaken = problem?.code === 'CONFLICT'
  const isChanged = name !== (team?.name ?? '') || method !== (team?.assignmentMethod ?? 'manual')
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (fault) return input.current?.focus()
    void send(async () => {
      if (team) dataOf(await updateTeam({ id: team.id, patch: { name, assignmentMethod: method } }))
      else dataOf(await createTeam({ name, assignmentMethod: method }))
      onSaved(name)
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={typed}
        onChange={(value) => {
          setTyped(value)
          if (problem) clear()
        }}
        limit={NAME_LIMIT}
        inputRef={input}
        error={isTaken ? t('nameFault.taken') : wasTried && fault ? t(`nameFault.${fault}`) : null}
      />
      <Select
        label={t('methodLabel')}
        value={method}
        choices={METHODS.map((value) => ({
          value,
          label: t(`method.${value}`),
          description: t(`methodHint.${value}`),
        }))}
        onChange={setMethod}
      />
      {problem && !isTaken && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button
          type="submit"
          variant="primary"
          isPending={isSending}
          isDisabled={team !== null && !isChanged}
        >
          {team ? t('components:save') : t('make')}
        </Button>
      </div>
    </form>
  )
}
