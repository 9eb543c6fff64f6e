import { Check, ChevronDown } from 'lucide-react'
import { Button } from 'react-aria-components/Button'
import { ComboBox } from 'react-aria-components/ComboBox'
import { Group } from 'react-aria-components/Group'
import { Input } from 'react-aria-components/Input'
import { Label } from 'react-aria-components/Label'
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox'
import { Text } from 'react-aria-components/Text'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'
import { optionClass } from './option-classes.ts'
import { Popover } from './popover.tsx'
import type { Choice } from './select.tsx'

export interface ComboboxProps<Value extends string> {
  label: string
  choices: readonly Choice<Value>[]
  value: Value | null
  onChange: (value: Value) => void
  placeholder?: string
  description?: string
  error?: string | null | undefined
  isDisabled?: boolean
  look?: 'field' | 'inline'
  /** For more choices than one reads at once: called with what is looked for, empty for anything. */
  onSearch?: (text: string) => void
}

/** One of many: typing narrows the list. Leaving without choosing puts the old choice back. */
export function Combobox<Value extends string>(props: ComboboxProps<Value>) {
  const { label, choices, value, onChange, placeholder, description, isDisabled, look = 'field' } = props
  const { onSearch, error } = props
  const { t } = useTranslation('components')
  const chosen = choices.find((choice) => choice.value === value)
  return (
    <ComboBox
      defaultItems={choices.map((choice) => ({ ...choice, id: choice.value }))}
      value={value}
      onChange={(key) => {
        const next = choices.find((choice) => choice.value === key)
        if (next && next.value !== value) onChange(next.value)
      }}
      {...(onSearch ? { onInputChange: (text: string) => onSearch(text === chosen?.label ? '' : text) } : {})}
      menuTrigger="focus"
      // Who types before the choices are there sees them come: a list that closes for want of any stays closed.
      allowsEmptyCollection
      isDisabled={isDisabled ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={look === 'field' ? 'flex flex-col gap-1.5' : 'contents'}
    >
      <Label className={look === 'field' ? labelClass : 'text-sm text-muted'}>{label}</Label>
      <Group
        className={classNames(
          'flex items-center gap-2',
          look === 'field'
            ? classNames(inputClass, 'h-11')
            : 'touch-target -mx-2 min-h-8 min-w-0 rounded-md px-2 text-sm data-[hovered]:bg-hover ' +
                'focus-within:bg-surface focus-within:outline-2 focus-within:outline-focus',
        )}
      >
        {chosen?.mark}
        <Input
          placeholder={placeholder ?? ''}
          // The list tells the field of a focus that never left it, which must not select what is being typed.
          onFocus={(event) => event.nativeEvent.isTrusted && event.currentTarget.select()}
          className="min-w-0 flex-1 truncate bg-transparent outline-none"
        />
        <Button className="-me-1 grid size-6 place-items-center rounded-sm text-faint">
          <ChevronDown className="size-4" aria-hidden="true" />
        </Button>
      </Group>
      {error ? (
        <FieldMessage>{error}</FieldMessage>
      ) : (
        description && (
          <Text slot="description" className={descriptionClass}>
            {description}
          </Text>
        )
      )}
      {/* The list scrolls, not the sheet: scrolling the sheet to a choice far down moves the page, and that closes it. */}
      <Popover
        className={classNames('flex flex-col', look === 'field' ? 'min-w-(--trigger-width)' : 'min-w-60')}
      >
        <ListBox<Choice<Value> & { id: Value }>
          className="max-h-80 min-h-0 overflow-auto outline-none"
          renderEmptyState={() => <p className="px-2.5 py-2 text-sm text-muted">{t('nothingFound')}</p>}
        >
          {(choice) => (
            <ListBoxItem id={choice.id} textValue={choice.label} className={optionClass}>
              {({ isSelected }) => (
                <>
                  {choice.mark}
                  <span className="min-w-0 flex-1 truncate">{choice.label}</span>
                  {choice.description && (
                    <Text slot="description" className="figures shrink-0 text-muted">
                      {choice.description}
                    </Text>
                  )}
                  <Check
                    className={classNames('size-4 shrink-0 text-accent-text', !isSelected && 'invisible')}
                    aria-hidden="true"
                  />
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  )
}
