import { CircleAlert, Plus, X } from 'lucide-react'
import { useId, useRef } from 'react'
import { Input } from 'react-aria-components/Input'
import { useTranslation } from 'react-i18next'
import { Button } from '../../components/button.tsx'
import { descriptionClass, errorClass, inputClass, labelClass } from '../../components/field-classes.ts'
import { classNames } from '../../lib/class-names.ts'
import type { OptionDraft } from './field-draft.ts'

export interface OptionInputsProps {
  options: readonly OptionDraft[]
  onChange: (options: OptionDraft[]) => void
  error: string | null
}

/** What there is to choose from, one a line. */
export function OptionInputs({ options, onChange, error }: OptionInputsProps) {
  const { t } = useTranslation('custom-fields')
  const id = useId()
  const list = useRef<HTMLDivElement>(null)

  /** The line that was added, or the one before the line that went. */
  function focusLine(index: number) {
    requestAnimationFrame(() => list.current?.querySelectorAll('input')[Math.max(0, index)]?.focus())
  }

  return (
    <div
      ref={list}
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={`${id}-hint`}
      className="flex flex-col gap-2"
    >
      <span id={`${id}-label`} className={labelClass}>
        {t('form.options')}
      </span>
      {options.map((option, index) => (
        <div key={index} className="flex items-start gap-1.5">
          <Input
            aria-label={t('form.option', { number: index + 1 })}
            aria-describedby={`${id}-hint`}
            autoComplete="off"
            maxLength={80}
            value={option.label}
            onChange={({ target }) =>
              onChange(
                options.map((each, place) => (place === index ? { ...each, label: target.value } : each)),
              )
            }
            className={classNames(inputClass, 'h-11 min-w-0 flex-1')}
          />
          <Button
            isIconOnly
            variant="quiet"
            className="mt-1"
            aria-label={t('form.removeOption', {
              name: option.label || t('form.option', { number: index + 1 }),
            })}
            onPress={() => {
              onChange(options.filter((_, place) => place !== index))
              focusLine(index - 1)
            }}
          >
            <X className="size-4" aria-hidden="true" />
          </Button>
        </div>
      ))}
      <Button
        size="small"
        className="self-start"
        onPress={() => {
          onChange([...options, { key: '', label: '' }])
          focusLine(options.length)
        }}
      >
        <Plus className="size-4" aria-hidden="true" />
        {t('form.addOption')}
      </Button>
      <p id={`${id}-hint`} className={error ? errorClass : descriptionClass}>
        {error && <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />}
        <span>{error ?? t('form.optionsHint')}</span>
      </p>
    </div>
  )
}
