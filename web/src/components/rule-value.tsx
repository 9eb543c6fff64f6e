import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleChoices } from '../graphql/rule-choices.ts'
import {
  AUDIENCES,
  CHANNELS,
  durationOf,
  PRIORITIES,
  STATUSES,
  UNITS,
  type DetailKind,
  type Unit,
} from '../lib/ticket-rules.ts'
import { Select, type Choice } from './select.tsx'
import { TextArea } from './text-area.tsx'
import { TextField } from './text-field.tsx'

export interface RuleValueProps {
  kind: DetailKind
  value: unknown
  onChange: (value: unknown) => void
  choices: RuleChoices
  /** Whether "none" is a value: an action can take a team away. */
  allowsNone?: boolean
}

const NONE = 'none'

/** The value of one condition or action, asked for in the way of its kind. */
export function RuleValue({ kind, value, onChange, choices, allowsNone = false }: RuleValueProps) {
  const { t } = useTranslation('components')
  const label = t(`rules.value.${kind}`)
  const oneOf = (options: readonly Choice<string>[]) => (
    <Select
      label={label}
      choices={options}
      value={typeof value === 'string' ? value : null}
      onChange={onChange}
      placeholder={t('rules.choose')}
    />
  )
  switch (kind) {
    case 'status':
      return oneOf(STATUSES.map((each) => ({ value: each, label: t(`status.${each}`) })))
    case 'priority':
      return oneOf(PRIORITIES.map((each) => ({ value: each, label: t(`priority.${each}`) })))
    case 'channel':
      return oneOf(CHANNELS.map((each) => ({ value: each, label: t(`rules.channel.${each}`) })))
    case 'visibility':
      return oneOf(
        (['public', 'internal'] as const).map((each) => ({
          value: each,
          label: t(`rules.visibility.${each}`),
        })),
      )
    case 'audience':
      return oneOf(AUDIENCES.map((each) => ({ value: each, label: t(`rules.audience.${each}`) })))
    case 'boolean':
      return (
        <Select
          label={label}
          choices={[
            { value: 'true', label: t('rules.yes') },
            { value: 'false', label: t('rules.no') },
          ]}
          value={String(value === true)}
          onChange={(next) => onChange(next === 'true')}
        />
      )
    case 'agent':
    case 'team':
    case 'service':
      return (
        <Select
          label={label}
          choices={[...(allowsNone ? [{ value: NONE, label: t('rules.none') }] : []), ...choices[kind]]}
          value={typeof value === 'string' ? value : allowsNone ? NONE : null}
          onChange={(next) => onChange(next === NONE ? null : next)}
          placeholder={t('rules.choose')}
        />
      )
    case 'tags':
      return (
        <TextField
          label={label}
          value={Array.isArray(value) ? value.join(', ') : ''}
          onChange={(text) => onChange(text === '' ? [] : text.split(',').map((each) => each.trimStart()))}
          placeholder={t('rules.tagsExample')}
          autoComplete="off"
        />
      )
    case 'duration':
      return <Duration label={label} seconds={typeof value === 'number' ? value : 0} onChange={onChange} />
    case 'text':
    case 'long_text': {
      const Field = kind === 'text' ? TextField : TextArea
      return (
        <Field
          label={label}
          value={typeof value === 'string' ? value : ''}
          onChange={onChange}
          autoComplete="off"
        />
      )
    }
  }
}

interface DurationProps {
  label: string
  seconds: number
  onChange: (seconds: number) => void
}

function Duration({ label, seconds, onChange }: DurationProps) {
  const { t } = useTranslation('components')
  const read = durationOf(seconds)
  // What was chosen stays, also when a larger unit would tell the same: 24 hours do not become a day while one types.
  const [unit, setUnit] = useState<Unit>(read.unit)
  const amount = seconds === 0 ? '' : String(Math.round(seconds / UNITS[unit]))
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_minmax(0,1.4fr)] gap-2">
      <TextField
        label={label}
        inputMode="numeric"
        autoComplete="off"
        value={amount}
        onChange={(text) => onChange(Math.min(Number(text.replace(/\D/g, '')), 9_999) * UNITS[unit])}
      />
      <Select
        label={t('rules.unit')}
        choices={(Object.keys(UNITS) as Unit[]).map((each) => ({
          value: each,
          label: t(`rules.units.${each}`),
        }))}
        value={unit}
        onChange={(next) => {
          setUnit(next)
          onChange(Math.round(seconds / UNITS[unit]) * UNITS[next])
        }}
      />
    </div>
  )
}
