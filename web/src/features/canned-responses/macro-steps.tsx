import { useTranslation } from 'react-i18next'
import { classNames } from '../../lib/class-names.ts'
import { isKnown } from './macro-actions.ts'

export interface MacroStep {
  type: string
  value: string | null
  visibility: 'public' | 'internal' | null
  text: string | null
}

const PRIORITY_WORDS = ['low', 'normal', 'high', 'urgent'] as const
const STATUS_WORDS = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'] as const

/** What a macro would do, in words, with what it would say as it would read. */
export function MacroSteps({ steps }: { steps: readonly MacroStep[] }) {
  const { t } = useTranslation(['canned-responses', 'components'])

  function valueOf({ type, value }: MacroStep): string {
    const priority = PRIORITY_WORDS.find((word) => word === value)
    if (priority && type.endsWith('_priority')) return t(`components:priority.${priority}`)
    const status = STATUS_WORDS.find((word) => word === value)
    if (status && (type === 'set_state' || type === 'set_status')) return t(`components:status.${status}`)
    if (value === null && type === 'set_team') return t('noTeam')
    if (value === null && type === 'set_assignee') return t('nobody')
    return value ?? ''
  }
  const nameOf = ({ type, visibility }: MacroStep) =>
    type === 'comment'
      ? t(visibility === 'internal' ? 'note' : 'reply')
      : isKnown(type)
        ? t(`action.${type}`)
        : t('action.other', { type })

  return (
    <ol aria-label={t('macro.preview')} className="flex flex-col gap-2.5">
      {steps.map((step, index) => (
        <li key={index} className="text-sm">
          <span className="text-muted">{nameOf(step)}</span>
          {valueOf(step) !== '' && <span className="ms-2 font-medium">{valueOf(step)}</span>}
          {step.text && (
            <blockquote
              dir="auto"
              className={classNames(
                'mt-1.5 max-h-60 overflow-y-auto rounded-md border px-3 py-2 [overflow-wrap:anywhere] whitespace-pre-wrap',
                step.visibility === 'internal' ? 'border-note-border bg-note' : 'border-border bg-surface',
              )}
            >
              {step.text}
            </blockquote>
          )}
        </li>
      ))}
    </ol>
  )
}
