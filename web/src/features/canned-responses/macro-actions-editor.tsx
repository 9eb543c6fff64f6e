import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Button } from '../../components/button.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { Select } from '../../components/select.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { TextField } from '../../components/text-field.tsx'
import { graphql } from '../../graphql/tada.ts'
import { useStateName, useTicketStates } from '../../graphql/ticket-states.ts'
import { BODY_LIMIT } from '../../lib/text-limits.ts'
import { ACTION_TYPES, actionFault, blankAction, isKnown, tagsOf, type MacroAction } from './macro-actions.ts'

const ActionChoicesQuery = graphql(`
  query ActionChoices {
    teams(first: 100, orderBy: [NAME_ASC]) {
      nodes {
        id
        rowId
        name
      }
    }
    users(
      first: 100
      filter: { role: { in: [agent, manager, admin] }, disabledAt: { isNull: true } }
      orderBy: [NAME_ASC]
    ) {
      nodes {
        id
        rowId
        name
      }
    }
  }
`)

const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const
const NOBODY = 'nobody'

export interface MacroActionsEditorProps {
  actions: readonly MacroAction[]
  onChange: (actions: MacroAction[]) => void
  showsFaults: boolean
}

/** What a macro does, one thing after the other. */
export function MacroActionsEditor({ actions, onChange, showsFaults }: MacroActionsEditorProps) {
  const { t } = useTranslation(['canned-responses', 'components'])
  const nameOf = (type: string) => (isKnown(type) ? t(`action.${type}`) : t('action.other', { type }))
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1.5 text-sm font-medium">{t('macro.actions')}</legend>
      <ol className="flex flex-col gap-3">
        {actions.map((action, index) => (
          // Actions have no name of their own; their place is what tells them apart.
          <li key={index} className="flex items-start gap-2 rounded-lg border border-border bg-surface p-3">
            <div className="flex min-w-0 flex-1 flex-col gap-2">
              <ActionFields
                action={action}
                name={nameOf(action.type)}
                showsFault={showsFaults}
                onChange={(changed) => onChange(actions.map((other, at) => (at === index ? changed : other)))}
              />
            </div>
            <Button
              variant="quiet"
              size="small"
              isIconOnly
              aria-label={t('components:remove', { name: nameOf(action.type) })}
              onPress={() => onChange(actions.filter((_, at) => at !== index))}
            >
              <X className="size-4" aria-hidden="true" />
            </Button>
          </li>
        ))}
      </ol>
      <MenuTrigger>
        <Button className="self-start" isDisabled={actions.length >= 20}>
          <Plus className="size-4" aria-hidden="true" />
          {t('macro.addAction')}
        </Button>
        <Menu placement="bottom start">
          {ACTION_TYPES.map((type) => (
            <MenuItem key={type} onAction={() => onChange([...actions, blankAction(type)])}>
              {t(`action.${type}`)}
            </MenuItem>
          ))}
        </Menu>
      </MenuTrigger>
    </fieldset>
  )
}

interface ActionFieldsProps {
  action: MacroAction
  name: string
  showsFault: boolean
  onChange: (action: MacroAction) => void
}

function ActionFields({ action, name, showsFault, onChange }: ActionFieldsProps) {
  const { t } = useTranslation(['canned-responses', 'components'])
  const states = useTicketStates()
  const stateName = useStateName()
  const [{ data }] = useQuery({ query: ActionChoicesQuery })
  const fault = showsFault ? actionFault(action) : null
  const error = fault ? t(`fault.${fault}`) : null
  const text = (field: string) => String(action[field] ?? '')
  const choicesOf = (
    nodes: readonly ({ rowId: string; name: string } | null)[] | undefined,
    none: string,
  ) => [
    { value: NOBODY, label: none },
    ...(nodes ?? []).filter((node) => node !== null).map((node) => ({ value: node.rowId, label: node.name })),
  ]
  const idOrNull = (value: string) => (value === NOBODY ? null : value)

  switch (action.type) {
    case 'set_state':
      return (
        <Select
          label={name}
          value={text('state_id') || null}
          error={error}
          placeholder={t('choose')}
          choices={states.map((state) => ({ value: state.rowId, label: stateName(state) }))}
          onChange={(state_id) => onChange({ ...action, state_id })}
        />
      )
    case 'set_priority':
      return (
        <Select
          label={name}
          value={text('priority')}
          choices={PRIORITIES.map((value) => ({
            value,
            label: t(`components:priority.${value}`),
          }))}
          onChange={(priority) => onChange({ ...action, priority })}
        />
      )
    case 'set_team':
      return (
        <Select
          label={name}
          value={text('team_id') || NOBODY}
          choices={choicesOf(data?.teams.nodes, t('noTeam'))}
          onChange={(chosen) => onChange({ ...action, team_id: idOrNull(chosen) })}
        />
      )
    case 'set_assignee':
      return (
        <Select
          label={name}
          value={text('assignee_id') || NOBODY}
          choices={choicesOf(data?.users.nodes, t('nobody'))}
          onChange={(chosen) => onChange({ ...action, assignee_id: idOrNull(chosen) })}
        />
      )
    case 'add_tags':
    case 'remove_tags':
      return <TagsField action={action} name={name} error={error} onChange={onChange} />
    case 'comment':
      return (
        <>
          <Select
            label={name}
            value={text('visibility')}
            choices={[
              { value: 'public', label: t('reply') },
              { value: 'internal', label: t('note') },
            ]}
            onChange={(visibility) => onChange({ ...action, visibility })}
          />
          <TextArea
            label={t('text')}
            rows={4}
            value={text('body')}
            error={error}
            limit={BODY_LIMIT}
            onChange={(body) => onChange({ ...action, body })}
          />
        </>
      )
    default:
      return <p className="py-1 text-sm">{name}</p>
  }
}

function TagsField({
  action,
  name,
  error,
  onChange,
}: Omit<ActionFieldsProps, 'showsFault'> & { error: string | null }) {
  const { t } = useTranslation('canned-responses')
  const tags = action['tags']
  const [typed, setTyped] = useState(Array.isArray(tags) ? tags.join(', ') : '')
  return (
    <TextField
      label={name}
      description={t('tagsHint')}
      autoComplete="off"
      value={typed}
      error={error}
      onChange={(value) => {
        setTyped(value)
        onChange({ ...action, tags: tagsOf(value) })
      }}
    />
  )
}
