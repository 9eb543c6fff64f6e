import { useRef } from 'react'
import { ComboBox } from 'react-aria-components/ComboBox'
import { Input } from 'react-aria-components/Input'
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox'
import { classNames } from '../lib/class-names.ts'
import { inputClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'
import { optionClass } from './option-classes.ts'
import { Popover } from './popover.tsx'

export interface SuggestFieldProps {
  label: string
  text: string
  onText: (text: string) => void
  /** What may be meant by what is typed. */
  suggestions: readonly string[]
  /** Called with a suggestion that was chosen, or with what was typed and confirmed with Enter. */
  onAdd: (text: string) => void
  placeholder?: string
  error?: string | null
}

/** A short text of which there are some already: they are suggested, and a new one is as good. */
export function SuggestField(props: SuggestFieldProps) {
  const { label, text, onText, suggestions, onAdd, placeholder, error } = props
  const input = useRef<HTMLInputElement>(null)
  return (
    <ComboBox
      aria-label={label}
      items={suggestions.map((suggestion) => ({ id: suggestion }))}
      value={null}
      inputValue={text}
      onInputChange={onText}
      onChange={(key) => {
        if (key === null) return
        onAdd(String(key))
        onText('')
      }}
      allowsCustomValue
      menuTrigger="input"
      // Who types before the suggestions are there sees them come: a list that closes for want of any stays closed.
      allowsEmptyCollection
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-1.5"
    >
      <Input
        ref={input}
        placeholder={placeholder ?? ''}
        onKeyDown={(event) => {
          // With a suggestion in focus, Enter is the list's.
          if (event.key !== 'Enter' || input.current?.hasAttribute('aria-activedescendant')) return
          event.preventDefault()
          if (text.trim() !== '') onAdd(text)
        }}
        className={classNames(inputClass, 'h-9 text-sm pointer-coarse:h-11')}
      />
      {error && <FieldMessage>{error}</FieldMessage>}
      {/* Nothing to suggest is nothing to see: what is typed is as good. */}
      <Popover className={classNames('min-w-(--trigger-width)', suggestions.length === 0 && 'hidden')}>
        <ListBox<{ id: string }> className="max-h-64 overflow-auto outline-none">
          {(suggestion) => (
            <ListBoxItem id={suggestion.id} textValue={suggestion.id} className={optionClass}>
              <span className="truncate">{suggestion.id}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  )
}
