import { AlarmClock, CircleDot, Flag, Tags, UserRound, UsersRound, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useQuery } from 'urql'
import { Avatar } from '../../components/avatar.tsx'
import { BottomDock } from '../../components/bottom-dock.tsx'
import { Button } from '../../components/button.tsx'
import { MenuItem } from '../../components/menu.tsx'
import { PriorityGlyph } from '../../components/priority-mark.tsx'
import { StatusGlyph } from '../../components/status-glyph.tsx'
import { STATUS_INK } from '../../components/status-pill.tsx'
import { useStateName, useTicketStates } from '../../graphql/ticket-states.ts'
import { classNames } from '../../lib/class-names.ts'
import { useShortcuts } from '../../lib/shortcuts.ts'
import { SNOOZES, snoozeTime } from '../../lib/snooze-times.ts'
import { BulkMacros } from './bulk-macros.tsx'
import { BulkMenu } from './bulk-menu.tsx'
import { BulkTagsDialog } from './bulk-tags-dialog.tsx'
import { TicketChoices } from './ticket-choices.ts'
import { PRIORITIES } from './ticket-states.ts'
import type { BulkAction } from './use-bulk-change.ts'

export interface BulkBarProps {
  count: number
  isRunning: boolean
  /** Chooses everything that the list has, also what is not on the screen; absent where that is chosen. */
  onSelectAll: (() => void) | null
  isSelectingAll: boolean
  onClear: () => void
  onAct: (actions: BulkAction[]) => void
  onMacro: (macroId: string) => void
}

/** What is done to all chosen tickets at once. */
export function BulkBar(props: BulkBarProps) {
  const { count, isRunning, onSelectAll, isSelectingAll, onClear, onAct, onMacro } = props
  const { t, i18n } = useTranslation(['tickets', 'components'])
  const [{ data: choices }] = useQuery({ query: TicketChoices, requestPolicy: 'cache-first' })
  const states = useTicketStates().filter(({ kind }) => kind !== 'new')
  const nameOf = useStateName()
  const [isTagging, setIsTagging] = useState(false)
  useShortcuts([{ key: 'Escape', label: t('bulk.clear'), run: onClear }])
  const people = (choices?.users.nodes ?? [])
    .filter((node) => node !== null)
    .filter((person) => !person.disabledAt)
  const teams = (choices?.teams.nodes ?? []).filter((node) => node !== null)

  return (
    <BottomDock>
      <div
        role="toolbar"
        aria-label={t('bulk.label')}
        className="mx-4 mt-3 flex flex-wrap items-center gap-x-1 gap-y-1.5 rounded-xl border border-border-strong bg-raised px-2 py-1.5 shadow-overlay md:mx-5"
      >
        <Button variant="quiet" size="small" isIconOnly aria-label={t('bulk.clear')} onPress={onClear}>
          <X className="size-4" aria-hidden="true" />
        </Button>
        <span className="figures pe-2 text-sm font-medium" aria-live="polite">
          {t('bulk.count', { count, amount: new Intl.NumberFormat(i18n.language).format(count) })}
        </span>
        {onSelectAll && (
          <Button
            variant="quiet"
            size="small"
            className="text-accent-text"
            onPress={onSelectAll}
            isPending={isSelectingAll}
          >
            {t('bulk.all')}
          </Button>
        )}
        <span className="flex flex-wrap items-center gap-1 sm:ms-auto">
          <BulkMenu sign={UserRound} label={t('bulk.assign')} isDisabled={isRunning}>
            <MenuItem onAction={() => onAct([{ type: 'assign_to_me' }])}>{t('bulk.toMe')}</MenuItem>
            <MenuItem onAction={() => onAct([{ type: 'set_assignee', assignee_id: null }])}>
              {t('nobody')}
            </MenuItem>
            {people.map((person) => (
              <MenuItem
                key={person.rowId}
                mark={<Avatar name={person.name} size="small" />}
                onAction={() => onAct([{ type: 'set_assignee', assignee_id: person.rowId }])}
              >
                {person.name}
              </MenuItem>
            ))}
          </BulkMenu>
          <BulkMenu sign={CircleDot} label={t('properties.status')} isDisabled={isRunning}>
            {states.map((state) => (
              <MenuItem
                key={state.rowId}
                mark={
                  <StatusGlyph
                    status={state.kind}
                    className={classNames('size-4 shrink-0', STATUS_INK[state.kind])}
                  />
                }
                onAction={() => onAct([{ type: 'set_state', state_id: state.rowId }])}
              >
                {nameOf(state)}
              </MenuItem>
            ))}
          </BulkMenu>
          <BulkMenu sign={Flag} label={t('properties.priority')} isDisabled={isRunning}>
            {PRIORITIES.map((priority) => (
              <MenuItem
                key={priority}
                mark={<PriorityGlyph priority={priority} />}
                onAction={() => onAct([{ type: 'set_priority', priority }])}
              >
                {t(`components:priority.${priority}`)}
              </MenuItem>
            ))}
          </BulkMenu>
          <BulkMenu sign={UsersRound} label={t('properties.team')} isDisabled={isRunning}>
            <MenuItem onAction={() => onAct([{ type: 'set_team', team_id: null }])}>{t('none')}</MenuItem>
            {teams.map((team) => (
              <MenuItem key={team.rowId} onAction={() => onAct([{ type: 'set_team', team_id: team.rowId }])}>
                {team.name}
              </MenuItem>
            ))}
          </BulkMenu>
          <Button size="small" variant="quiet" isDisabled={isRunning} onPress={() => setIsTagging(true)}>
            <Tags className="size-4" aria-hidden="true" />
            {t('bulk.tags')}
          </Button>
          <BulkMenu sign={AlarmClock} label={t('bulk.snooze')} isDisabled={isRunning}>
            {SNOOZES.filter((name) => snoozeTime(name, new Date())).map((name) => (
              <MenuItem
                key={name}
                onAction={() => {
                  const now = new Date()
                  const until = snoozeTime(name, now)
                  if (!until) return
                  onAct([{ type: 'snooze', seconds: Math.ceil((until.getTime() - now.getTime()) / 1000) }])
                }}
              >
                {t(`bulk.snoozes.${name}`)}
              </MenuItem>
            ))}
          </BulkMenu>
          <BulkMacros count={count} isDisabled={isRunning} onMacro={onMacro} />
        </span>
        <BulkTagsDialog isOpen={isTagging} onClose={() => setIsTagging(false)} onAct={onAct} />
      </div>
    </BottomDock>
  )
}
