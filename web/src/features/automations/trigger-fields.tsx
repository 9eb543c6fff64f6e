import { useTranslation } from 'react-i18next'
import { Checkbox } from '../../components/checkbox.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Select } from '../../components/select.tsx'
import { PRIORITIES, STATUSES } from '../../lib/ticket-rules.ts'
import { ACTORS, EVENT_TYPES, type AutomationDraft, type EventType } from './automation-draft.ts'

export interface TriggerFieldsProps {
  draft: AutomationDraft
  onChange: (part: Partial<AutomationDraft>) => void
  error: boolean
}

const EITHER = 'either'
/** What an event says of a score that counts as a bad one, beside the score itself. */
const LOW_SCORE = 'true'
const SCORES = ['1', '2', '3', '4', '5'] as const

/** What must happen, by whom, and to what it must lead. */
export function TriggerFields({ draft, onChange, error }: TriggerFieldsProps) {
  const { t } = useTranslation(['automations', 'components'])
  const { eventTypes, actors, visibility, toValues } = draft
  // A kind of event that was chosen elsewhere can be taken away here.
  const offered = [...EVENT_TYPES, ...eventTypes.filter((type) => !EVENT_TYPES.includes(type))]
  const becomes = [
    ...(eventTypes.includes('status_changed')
      ? STATUSES.map((value) => ({ value, label: t(`components:status.${value}`) }))
      : []),
    ...(eventTypes.includes('priority_changed')
      ? PRIORITIES.map((value) => ({ value, label: t(`components:priority.${value}`) }))
      : []),
    ...(eventTypes.includes('survey_answered')
      ? [
          { value: LOW_SCORE, label: t('when.lowScore') },
          ...SCORES.map((value) => ({ value, label: t('when.score', { score: value }) })),
        ]
      : []),
  ]
  return (
    <>
      <CheckboxGroup<EventType>
        label={t('when.events')}
        value={eventTypes}
        onChange={(next) => onChange({ eventTypes: next, toValues: [] })}
        error={error ? t('fault.events') : null}
      >
        <div className="grid gap-2.5 sm:grid-cols-2">
          {offered.map((type) => (
            <Checkbox key={type} value={type}>
              {t(`event.${type}`, { defaultValue: type })}
            </Checkbox>
          ))}
        </div>
      </CheckboxGroup>
      <CheckboxGroup
        label={t('when.by')}
        value={actors}
        onChange={(next) => onChange({ actors: next })}
        description={t('when.byHint')}
      >
        <div className="flex flex-wrap gap-x-6 gap-y-2.5">
          {ACTORS.map((actor) => (
            <Checkbox key={actor} value={actor}>
              {t(`actor.${actor}`)}
            </Checkbox>
          ))}
        </div>
      </CheckboxGroup>
      <div className="grid gap-5 empty:hidden sm:grid-cols-2">
        {eventTypes.includes('comment_added') && (
          <Select
            label={t('when.visibility')}
            choices={[
              { value: EITHER, label: t('when.either') },
              { value: 'public', label: t('when.public') },
              { value: 'internal', label: t('when.internal') },
            ]}
            value={visibility ?? EITHER}
            onChange={(next) =>
              onChange({ visibility: next === 'public' || next === 'internal' ? next : null })
            }
          />
        )}
        {becomes.length > 0 && toValues.length < 2 && (
          <Select
            label={t('when.becomes')}
            choices={[{ value: EITHER, label: t('when.anything') }, ...becomes]}
            value={toValues[0] ?? EITHER}
            onChange={(next) => onChange({ toValues: next === EITHER ? [] : [next] })}
          />
        )}
      </div>
    </>
  )
}
