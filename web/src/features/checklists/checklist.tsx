import { ArrowDown, ArrowUp, EllipsisVertical, Plus, Trash2 } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useMutation } from 'urql'
import { Button } from '../../components/button.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { Menu, MenuItem, MenuTrigger } from '../../components/menu.tsx'
import { PanelSection } from '../../components/panel-section.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { TextArea } from '../../components/text-area.tsx'
import { notify } from '../../components/toast.tsx'
import { dataOf } from '../../graphql/outcome.ts'
import { graphql, readFragment, type FragmentOf } from '../../graphql/tada.ts'
import { catchLostFocus } from '../../lib/lost-focus.ts'
import { useSubmission } from '../../lib/submission.ts'
import { linesOf, STEP_LIMIT } from './checklist-lines.ts'

export const ChecklistFragment = graphql(`
  fragment Checklist on Ticket {
    id
    rowId
    checklistItems(first: 100, orderBy: [POSITION_ASC]) {
      nodes {
        id
        rowId
        text
        doneAt
        doneBy {
          id
          name
        }
      }
    }
  }
`)

const AddChecklistItems = graphql(`
  mutation AddChecklistItems($ticketId: UUID!, $texts: [String]!) {
    addChecklistItems(input: { ticketId: $ticketId, texts: $texts }) {
      checklistItems {
        id
      }
    }
  }
`)

const TickChecklistItem = graphql(`
  mutation TickChecklistItem($itemId: UUID!, $done: Boolean) {
    tickChecklistItem(input: { itemId: $itemId, done: $done }) {
      checklistItem {
        id
        doneAt
        doneBy {
          id
          name
        }
      }
    }
  }
`)

const MoveChecklistItem = graphql(`
  mutation MoveChecklistItem($itemId: UUID!, $beforeItemId: UUID) {
    moveChecklistItem(input: { itemId: $itemId, beforeItemId: $beforeItemId }) {
      checklistItem {
        id
        position
      }
    }
  }
`)

const RemoveChecklistItem = graphql(`
  mutation RemoveChecklistItem($itemId: UUID!) {
    removeChecklistItem(input: { itemId: $itemId }) {
      checklistItem {
        id
      }
    }
  }
`)

interface Step {
  id: string
  rowId: string
  text: string
  doneAt: string | null
  doneBy: { name: string } | null
}

export interface ChecklistProps {
  ticket: FragmentOf<typeof ChecklistFragment>
  /** Called after a change; the page reads the ticket again. */
  onChanged: () => void
}

/** The steps of a ticket: tick off, put in order, add and take out. */
export function Checklist({ ticket: part, onChanged }: ChecklistProps) {
  const { t } = useTranslation('checklists')
  const ticket = readFragment(ChecklistFragment, part)
  const steps = ticket.checklistItems.nodes.filter((node) => node !== null)
  const done = steps.filter((step) => step.doneAt !== null).length
  const [isAdding, setIsAdding] = useState(false)
  const { send, isSending, problem } = useSubmission()
  const [, tick] = useMutation(TickChecklistItem)
  const [, move] = useMutation(MoveChecklistItem)
  const [, remove] = useMutation(RemoveChecklistItem)
  const [, add] = useMutation(AddChecklistItems)

  const run = (task: () => Promise<void>) =>
    void send(async () => {
      await task()
      onChanged()
    })

  const removeWithUndo = (step: Step) =>
    run(async () => {
      dataOf(await remove({ itemId: step.rowId }))
      notify({
        tone: 'success',
        title: t('removed', { text: step.text }),
        action: {
          label: t('undo'),
          onPress: () =>
            run(async () => void dataOf(await add({ ticketId: ticket.rowId, texts: [step.text] }))),
        },
      })
    })

  return (
    <PanelSection
      title={t('title')}
      count={steps.length > 0 ? `${done}/${steps.length}` : 0}
      foldsAs={isAdding ? undefined : 'checklist'}
      actions={
        !isAdding && (
          <Button
            variant="quiet"
            size="small"
            isIconOnly
            aria-label={t(steps.length === 0 ? 'start' : 'add')}
            onPress={() => setIsAdding(true)}
          >
            <Plus className="size-4" aria-hidden="true" />
          </Button>
        )
      }
    >
      {(steps.length > 0 || isAdding) && (
        <>
          {steps.length > 0 && (
            <ul aria-label={t('title')} aria-busy={isSending} className="flex flex-col gap-1">
              {steps.map((step, index) => (
                <StepLine
                  key={step.id}
                  step={step}
                  isFirst={index === 0}
                  isLast={index === steps.length - 1}
                  onTick={(isDone) =>
                    run(async () => void dataOf(await tick({ itemId: step.rowId, done: isDone })))
                  }
                  onMove={(by) =>
                    run(
                      async () =>
                        void dataOf(
                          await move({
                            itemId: step.rowId,
                            beforeItemId: steps[by === 'up' ? index - 1 : index + 2]?.rowId ?? null,
                          }),
                        ),
                    )
                  }
                  onRemove={() => removeWithUndo(step)}
                />
              ))}
            </ul>
          )}
          {problem && <ProblemAlert problem={problem} />}
          {isAdding && (
            <AddSteps
              onAdd={async (texts) => {
                dataOf(await add({ ticketId: ticket.rowId, texts }))
                onChanged()
              }}
              onClose={() => setIsAdding(false)}
            />
          )}
        </>
      )}
    </PanelSection>
  )
}

interface StepLineProps {
  step: Step
  isFirst: boolean
  isLast: boolean
  onTick: (isDone: boolean) => void
  onMove: (by: 'up' | 'down') => void
  onRemove: () => void
}

function StepLine({ step, isFirst, isLast, onTick, onMove, onRemove }: StepLineProps) {
  const { t } = useTranslation('checklists')
  return (
    <li className="flex items-start gap-1">
      <div className="min-w-0 flex-1 py-1 [overflow-wrap:anywhere]">
        <Checkbox
          isSelected={step.doneAt !== null}
          onChange={onTick}
          {...(step.doneAt
            ? { description: step.doneBy ? t('doneBy', { name: step.doneBy.name }) : t('done') }
            : {})}
        >
          {step.text}
        </Checkbox>
      </div>
      <MenuTrigger>
        <Button variant="quiet" size="small" isIconOnly aria-label={t('more', { text: step.text })}>
          <EllipsisVertical className="size-4" aria-hidden="true" />
        </Button>
        <Menu>
          {!isFirst && (
            <MenuItem mark={<ArrowUp className="size-4" aria-hidden="true" />} onAction={() => onMove('up')}>
              {t('up')}
            </MenuItem>
          )}
          {!isLast && (
            <MenuItem
              mark={<ArrowDown className="size-4" aria-hidden="true" />}
              onAction={() => onMove('down')}
            >
              {t('down')}
            </MenuItem>
          )}
          <MenuItem mark={<Trash2 className="size-4" aria-hidden="true" />} onAction={onRemove}>
            {t('remove')}
          </MenuItem>
        </Menu>
      </MenuTrigger>
    </li>
  )
}

interface AddStepsProps {
  onAdd: (texts: string[]) => Promise<void>
  onClose: () => void
}

/** A field for one step or, one a line, for many. */
function AddSteps({ onAdd, onClose }: AddStepsProps) {
  const { t } = useTranslation('checklists')
  const [typed, setTyped] = useState('')
  const { send, isSending, problem } = useSubmission()
  const field = useRef<HTMLTextAreaElement>(null)
  const texts = linesOf(typed)
  const isLong = texts.some((text) => text.length > STEP_LIMIT)

  function close() {
    onClose()
    catchLostFocus()
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (texts.length === 0 || isLong) return field.current?.focus()
    void send(async () => {
      await onAdd(texts)
      setTyped('')
      field.current?.focus()
    })
  }

  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-2">
      <TextArea
        label={t('steps')}
        description={t('stepsHint')}
        rows={2}
        value={typed}
        onChange={setTyped}
        textAreaRef={field}
        autoFocus
        error={isLong ? t('stepLong', { limit: STEP_LIMIT }) : null}
      />
      {problem && <ProblemAlert problem={problem} />}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" size="small" isPending={isSending}>
          {t('addSteps', { count: Math.max(texts.length, 1) })}
        </Button>
        <Button size="small" variant="quiet" onPress={close}>
          {t('close')}
        </Button>
      </div>
    </form>
  )
}
