import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { CheckboxGroup } from '../../components/checkbox-group.tsx'
import { Checkbox } from '../../components/checkbox.tsx'
import { InlineAlert } from '../../components/inline-alert.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { EVENT_GROUPS, type EventType, type WebhookDraft } from './webhook-draft.ts'

export interface EventPickerProps {
  draft: WebhookDraft
  onChange: (part: Partial<WebhookDraft>) => void
  isMissing: boolean
}

/** Of which events a webhook is told: of all, or of some by what they are about. */
export function EventPicker({ draft, onChange, isMissing }: EventPickerProps) {
  const { t } = useTranslation('webhooks')
  const { isForAll, eventTypes } = draft

  function choose(types: readonly EventType[], chosen: readonly EventType[]) {
    onChange({ eventTypes: [...eventTypes.filter((type) => !types.includes(type)), ...chosen] })
  }

  return (
    <div className="flex flex-col gap-5">
      <div className="flex">
        <Segmented
          label={t('events.which')}
          value={isForAll ? 'all' : 'some'}
          onChange={(which) => onChange({ isForAll: which === 'all' })}
          segments={[
            { value: 'all', label: t('events.all') },
            { value: 'some', label: t('events.some') },
          ]}
        />
      </div>
      {isForAll ? (
        <p className="text-sm text-muted">{t('events.allHint')}</p>
      ) : (
        <>
          {isMissing && <InlineAlert>{t('fault.events')}</InlineAlert>}
          <div className="grid gap-x-8 gap-y-6 sm:grid-cols-2">
            {EVENT_GROUPS.map(({ name, types }) => {
              const all: readonly EventType[] = types
              const chosen = eventTypes.filter((type) => all.includes(type))
              const isWhole = chosen.length === all.length
              return (
                <div key={name} className="flex flex-col gap-2">
                  <CheckboxGroup<EventType>
                    label={t(`events.group.${name}`)}
                    value={chosen}
                    onChange={(next) => choose(all, next)}
                  >
                    {all.map((type) => (
                      <Checkbox key={type} value={type}>
                        {t(`event.${type}`)}
                      </Checkbox>
                    ))}
                  </CheckboxGroup>
                  <Button
                    variant="quiet"
                    size="small"
                    className="-ms-2 self-start"
                    aria-label={t(isWhole ? 'events.noneOf' : 'events.allOf', {
                      group: t(`events.group.${name}`),
                    })}
                    onPress={() => choose(all, isWhole ? [] : all)}
                  >
                    {t(isWhole ? 'events.none' : 'events.whole')}
                  </Button>
                </div>
              )
            })}
          </div>
        </>
      )}
    </div>
  )
}
