import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation, useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { ConditionEditor } from '../../components/condition-editor.tsx'
import { ConfirmedButton } from '../../components/confirmed-button.tsx'
import { DraftDialog } from '../../components/draft-dialog.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'
import { TextField } from '../../components/text-field.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { useRuleChoices } from '../../graphql/rule-choices.ts'
import { graphql, readFragment, type FragmentOf, type ResultOf } from '../../graphql/tada.ts'
import { customFieldName } from '../../lib/custom-field-rules.ts'
import { useSessionUser } from '../../lib/session.ts'
import { useSubmission } from '../../lib/submission.ts'
import { isUnfinished } from '../../lib/ticket-rules.ts'
import {
  ASSIGNEES,
  COLUMNS,
  LEAST_PRIORITIES,
  NO_CONDITIONS,
  readConditions,
  SORTS,
  STATUSES,
  VISIBILITIES,
  writeConditions,
} from './view-draft.ts'

export const ViewDialogFragment = graphql(`
  fragment ViewDialog on TicketView {
    id
    rowId
    name
    visibility
    teamId
    conditions
    columns
    sort
    direction
  }
`)

const ViewTeamsQuery = graphql(`
  query ViewTeams {
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

const SaveTicketView = graphql(
  `
    mutation SaveTicketView($input: SaveTicketViewInput!) {
      saveTicketView(input: $input) {
        view {
          id
          ...ViewDialog
        }
      }
    }
  `,
  [ViewDialogFragment],
)

const DeleteTicketView = graphql(`
  mutation DeleteTicketView($viewId: UUID!) {
    deleteTicketView(input: { viewId: $viewId }) {
      deleted
    }
  }
`)

const NAME_LIMIT = 60
const FIRST_COLUMNS: string[] = [
  'reference',
  'subject',
  'status',
  'priority',
  'assignee',
  'team',
  'due',
  'updated',
]

type View = ResultOf<typeof ViewDialogFragment>

export interface ViewDialogProps {
  /** The view to change; null makes one. */
  view: FragmentOf<typeof ViewDialogFragment> | null
  isOpen: boolean
  onClose: () => void
  onSaved: (rowId: string) => void
  onDeleted?: () => void
}

/** Makes, changes or deletes a view. */
export function ViewDialog({ view, isOpen, onClose, onSaved, onDeleted }: ViewDialogProps) {
  const { t } = useTranslation('ticket-views')
  const saved = readFragment(ViewDialogFragment, view)
  const [hasDraft, setHasDraft] = useState(false)
  const [, deleteView] = useMutation(DeleteTicketView)
  return (
    <DraftDialog title={saved ? saved.name : t('make')} isOpen={isOpen} hasDraft={hasDraft} onClose={onClose}>
      <ViewForm
        view={saved}
        onDraft={setHasDraft}
        onClose={onClose}
        onSaved={(rowId, name) => {
          notify({ tone: 'success', title: t('saved', { name }) })
          onClose()
          onSaved(rowId)
        }}
      />
      {saved && (
        <div className="flex flex-wrap items-center justify-between gap-3 border-t border-border pt-4">
          <p className="max-w-[36ch] text-sm text-muted">{t('deleteHint')}</p>
          <ConfirmedButton
            title={t('deleteTitle', { name: saved.name })}
            explanation={t(saved.visibility === 'personal' ? 'deleteBody' : 'deleteBodyForAll')}
            action={t('delete')}
            run={async () => {
              dataOf(await deleteView({ viewId: saved.rowId }))
              notify({ tone: 'success', title: t('deleted', { name: saved.name }) })
              onClose()
              onDeleted?.()
            }}
          >
            {t('delete')}
          </ConfirmedButton>
        </div>
      )}
    </DraftDialog>
  )
}

interface ViewFormProps {
  view: View | null
  /** Tells whether something is changed that is not saved. */
  onDraft: (hasDraft: boolean) => void
  onClose: () => void
  onSaved: (rowId: string, name: string) => void
}

function ViewForm({ view, onDraft, onClose, onSaved }: ViewFormProps) {
  const { t } = useTranslation(['ticket-views', 'components'])
  const { role } = useSessionUser()
  const [first] = useState(() => ({
    name: view?.name ?? '',
    visibility: view?.visibility ?? ('personal' as const),
    teamOfView: view?.teamId ?? null,
    columns: (view?.columns ?? FIRST_COLUMNS) as string[],
    sort: view?.sort ?? ('updated' as const),
    direction: view?.direction ?? ('descending' as const),
    conditions: view ? readConditions(view.conditions) : NO_CONDITIONS,
  }))
  const [draft, setDraft] = useState(first)
  const [wasTried, setWasTried] = useState(false)
  const [{ data }] = useQuery({ query: ViewTeamsQuery })
  const [, saveView] = useMutation(SaveTicketView)
  const { send, isSending, problem, clear } = useSubmission()
  const input = useRef<HTMLInputElement>(null)
  const isManager = role !== 'agent'
  const teams = (data?.teams.nodes ?? []).flatMap((team) =>
    team ? [{ value: team.rowId, label: team.name }] : [],
  )
  const isNameless = draft.name.trim() === '' || draft.name.trim().length > NAME_LIMIT
  const isTeamless = draft.visibility === 'team' && draft.teamOfView === null
  const isColumnless = draft.columns.length === 0
  const isChanged = JSON.stringify(draft) !== JSON.stringify(first)
  const choices = useRuleChoices()
  const isUnready = [...draft.conditions.others, ...draft.conditions.anyOf].some(isUnfinished)
  const columns = [
    ...COLUMNS.map((name) => ({ name, label: t(`columns.${name}`) })),
    ...choices.fields.map(({ key, label }) => ({ name: customFieldName(key), label })),
  ]
  useEffect(() => {
    onDraft(isChanged)
    return () => onDraft(false)
  }, [onDraft, isChanged])

  function change(part: Partial<typeof draft>) {
    setDraft({ ...draft, ...part })
    if (problem) clear()
  }
  const changeConditions = (part: Partial<typeof draft.conditions>) =>
    change({ conditions: { ...draft.conditions, ...part } })

  function submit(event: FormEvent) {
    event.preventDefault()
    setWasTried(true)
    if (isNameless) return input.current?.focus()
    if (isTeamless || isColumnless || isUnready) return
    void send(async () => {
      const { saveTicketView } = dataOf(
        await saveView({
          input: {
            ...(view ? { viewId: view.rowId } : {}),
            name: draft.name.trim(),
            visibility: draft.visibility,
            teamId: draft.visibility === 'team' ? draft.teamOfView : null,
            conditions: writeConditions(draft.conditions),
            columns: draft.columns,
            sort: draft.sort,
            direction: draft.direction,
          },
        }),
      )
      const rowId = readFragment(ViewDialogFragment, saveTicketView?.view ?? null)?.rowId
      if (rowId) onSaved(rowId, draft.name.trim())
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-5">
      <TextField
        label={t('name')}
        autoComplete="off"
        autoFocus
        value={draft.name}
        onChange={(name) => change({ name })}
        limit={NAME_LIMIT}
        inputRef={input}
        error={wasTried && isNameless ? t('nameFault') : null}
      />
      <div className="grid gap-5 sm:grid-cols-2">
        <Select
          label={t('visibility.label')}
          value={draft.visibility}
          choices={VISIBILITIES.filter(
            (value) => value !== 'shared' || isManager || first.visibility === 'shared',
          ).map((value) => ({ value, label: t(`visibility.${value}`) }))}
          onChange={(visibility) => change({ visibility })}
        />
        {draft.visibility === 'team' && (
          <Select
            label={t('visibility.whichTeam')}
            value={draft.teamOfView}
            choices={teams}
            onChange={(teamOfView) => change({ teamOfView })}
            error={wasTried && isTeamless ? t('visibility.teamFault') : null}
          />
        )}
      </div>
      <CheckboxGroup
        label={t('conditions.status')}
        value={draft.conditions.statuses}
        onChange={(statuses) => changeConditions({ statuses })}
        description={t('conditions.statusHint')}
      >
        <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
          {STATUSES.map((status) => (
            <Checkbox key={status} value={status}>
              {t(`components:status.${status}`)}
            </Checkbox>
          ))}
        </div>
      </CheckboxGroup>
      <div className="grid gap-5 sm:grid-cols-2">
        <Select
          label={t('conditions.assignee')}
          value={draft.conditions.assignee}
          choices={ASSIGNEES.map((value) => ({ value, label: t(`conditions.assignees.${value}`) }))}
          onChange={(assignee) => changeConditions({ assignee })}
        />
        <Select
          label={t('conditions.team')}
          value={draft.conditions.teamId}
          choices={[{ value: '', label: t('conditions.anyTeam') }, ...teams]}
          onChange={(teamId) => changeConditions({ teamId })}
        />
        <Select
          label={t('conditions.priority')}
          value={draft.conditions.leastPriority}
          choices={LEAST_PRIORITIES.map((value) => ({
            value,
            label:
              value === 'any'
                ? t('conditions.anyPriority')
                : t('conditions.atLeast', { priority: t(`components:priority.${value}`) }),
          }))}
          onChange={(leastPriority) => changeConditions({ leastPriority })}
        />
        <TextField
          label={t('conditions.tags')}
          value={draft.conditions.tags}
          onChange={(tags) => changeConditions({ tags })}
          description={t('conditions.tagsHint')}
        />
      </div>
      <Switch
        isSelected={draft.conditions.onlyBreached}
        onChange={(onlyBreached) => changeConditions({ onlyBreached })}
      >
        {t('conditions.breached')}
      </Switch>
      <ConditionEditor
        label={t('conditions.others')}
        conditions={draft.conditions.others}
        onChange={(others) => changeConditions({ others })}
        choices={choices}
      />
      <ConditionEditor
        label={t('conditions.anyOf')}
        conditions={draft.conditions.anyOf}
        onChange={(anyOf) => changeConditions({ anyOf })}
        choices={choices}
      />
      {wasTried && isUnready && <InlineAlert tone="danger">{t('conditions.unfinished')}</InlineAlert>}
      <div className="grid gap-5 sm:grid-cols-2">
        <Select
          label={t('sort.label')}
          value={draft.sort}
          choices={SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))}
          onChange={(sort) => change({ sort })}
        />
        <Select
          label={t('direction.label')}
          value={draft.direction}
          choices={(['descending', 'ascending'] as const).map((value) => ({
            value,
            label: t(`direction.${value}`),
          }))}
          onChange={(direction) => change({ direction })}
        />
      </div>
      <CheckboxGroup
        label={t('columnsLabel')}
        value={draft.columns.filter((column) => columns.some(({ name }) => name === column))}
        onChange={(chosen) =>
          // In the order of the list; what a program added stays at the end.
          change({
            columns: [
              ...columns.map(({ name }) => name).filter((name) => chosen.includes(name)),
              ...draft.columns.filter((column) => !columns.some(({ name }) => name === column)),
            ],
          })
        }
        error={wasTried && isColumnless ? t('columnsFault') : null}
      >
        <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
          {columns.map(({ name, label }) => (
            <Checkbox key={name} value={name}>
              {label}
            </Checkbox>
          ))}
        </div>
      </CheckboxGroup>
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onPress={onClose}>{t('components:cancel')}</Button>
        <Button type="submit" variant="primary" isPending={isSending}>
          {view ? t('components:save') : t('make')}
        </Button>
      </div>
    </form>
  )
}
