import { Plus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { RuleChoices } from '../graphql/rule-choices.ts'
import { ACTIONS, blankAction, type Action, type ActionType, type DetailKind } from '../lib/ticket-rules.ts'
import { Button } from './button.tsx'
import { RuleValue } from './rule-value.tsx'
import { Select } from './select.tsx'

export interface ActionEditorProps {
  /** Names the list: "What is done". */
  label: string
  actions: readonly Action[]
  onChange: (actions: Action[]) => void
  choices: RuleChoices
}

/** What needs room takes it. */
const SPANS: Partial<Record<DetailKind, string>> = {
  long_text: 'sm:col-span-3',
  tags: 'sm:col-span-2',
}

const TYPES = Object.keys(ACTIONS) as ActionType[]

/** Things that are done to a ticket, one a line. */
export function ActionEditor({ label, actions, onChange, choices }: ActionEditorProps) {
  const { t } = useTranslation('components')
  const replace = (index: number, action: Action) =>
    onChange(actions.map((each, place) => (place === index ? action : each)))
  return (
    <div role="group" aria-label={label} className="flex flex-col gap-3">
      <h3 className="text-sm font-medium">{label}</h3>
      {actions.length > 0 && (
        <ol className="flex flex-col gap-3">
          {actions.map((action, index) => (
            // Lines have no other name than their place.
            <li key={index} className="flex items-end gap-2 rounded-lg border border-border p-3">
              {Object.hasOwn(ACTIONS, action.type) ? (
                <Line action={action} onChange={(next) => replace(index, next)} choices={choices} />
              ) : (
                <code className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">
                  {JSON.stringify(action)}
                </code>
              )}
              <Button
                variant="quiet"
                isIconOnly
                aria-label={t('rules.removeAction', { number: index + 1 })}
                onPress={() => onChange(actions.filter((_, place) => place !== index))}
              >
                <X className="size-4" aria-hidden="true" />
              </Button>
            </li>
          ))}
        </ol>
      )}
      <Button
        size="small"
        className="self-start"
        onPress={() => onChange([...actions, blankAction('set_priority')])}
        isDisabled={actions.length >= 20}
      >
        <Plus className="size-4" aria-hidden="true" />
        {t('rules.addAction')}
      </Button>
    </div>
  )
}

interface LineProps {
  action: Action
  onChange: (action: Action) => void
  choices: RuleChoices
}

function Line({ action, onChange, choices }: LineProps) {
  const { t } = useTranslation('components')
  const type = action.type as ActionType
  return (
    <div className="grid min-w-0 flex-1 gap-3 sm:grid-cols-3">
      <Select
        label={t('rules.action')}
        choices={TYPES.map((each) => ({ value: each, label: t(`rules.actions.${each}`) }))}
        value={type}
        onChange={(next) => onChange(blankAction(next))}
      />
      {Object.entries(ACTIONS[type]).map(([name, kind]) => (
        <div key={`${type} ${name}`} className={SPANS[kind as DetailKind]}>
          <RuleValue
            kind={kind as DetailKind}
            value={action[name]}
            onChange={(value) => onChange({ ...action, [name]: value })}
            choices={choices}
            allowsNone={type !== 'add_watcher'}
          />
        </div>
      ))}
    </div>
  )
}
