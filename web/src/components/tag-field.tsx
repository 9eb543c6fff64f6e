import { X } from 'lucide-react'
import { useRef, useState, type KeyboardEvent } from 'react'
import { Button } from 'react-aria-components/Button'
import { Label } from 'react-aria-components/Label'
import { Tag, TagGroup, TagList } from 'react-aria-components/TagGroup'
import { useTranslation } from 'react-i18next'
import { TextField } from './text-field.tsx'

export interface TagFieldProps {
  /** Names the field one types into: "Add a mail domain". */
  label: string
  /** Names what is there already: "Mail domains". */
  listLabel: string
  values: readonly string[]
  onChange: (values: string[]) => void
  /** A typed text as it is kept, or what is wrong with it, in words. */
  read: (text: string) => { value: string } | { error: string }
  description?: string
  placeholder?: string
}

/** Several short texts: Enter, a comma or leaving the field adds what was typed, Delete removes the one in focus. */
export function TagField(props: TagFieldProps) {
  const { label, listLabel, values, onChange, read, description, placeholder } = props
  const { t } = useTranslation('components')
  const [text, setText] = useState('')
  const [error, setError] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)

  function add(typed: string) {
    const added = [...values]
    const kept: string[] = []
    let fault: string | null = null
    for (const part of typed.split(/[\s,;]+/).filter(Boolean)) {
      const reading = read(part)
      if ('error' in reading) {
        kept.push(part)
        fault ??= reading.error
      } else if (!added.includes(reading.value)) added.push(reading.value)
    }
    setText(kept.join(' '))
    setError(fault)
    if (added.length > values.length) onChange(added)
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Enter' && event.key !== ',') return
    if (text.trim() === '') return
    event.preventDefault()
    add(text)
  }

  return (
    <div className="flex flex-col gap-3">
      <TextField
        label={label}
        value={text}
        onChange={(next) => {
          setText(next)
          setError(null)
        }}
        onKeyDown={onKeyDown}
        onBlur={() => add(text)}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData('text')
          if (!/[\s,;]/.test(pasted.trim())) return
          event.preventDefault()
          add(`${text} ${pasted}`)
        }}
        inputRef={input}
        error={error}
        autoComplete="off"
        spellCheck="false"
        {...(description ? { description } : {})}
        {...(placeholder ? { placeholder } : {})}
      />
      {values.length > 0 && (
        <TagGroup
          selectionMode="none"
          onRemove={(keys) => {
            onChange(values.filter((value) => !keys.has(value)))
            if (keys.size >= values.length) input.current?.focus()
          }}
        >
          <Label className="sr-only">{listLabel}</Label>
          <TagList className="flex flex-wrap gap-1.5">
            {values.map((value) => (
              <Tag
                key={value}
                id={value}
                textValue={value}
                className="inline-flex max-w-full cursor-default items-center gap-1 rounded-md border border-border bg-sunken py-1 ps-2.5 pe-1 text-sm outline-none data-[focus-visible]:outline-2 data-[focus-visible]:outline-focus"
              >
                <span className="truncate">{value}</span>
                <Button
                  slot="remove"
                  aria-label={t('remove', { name: value })}
                  className="touch-target grid size-6 shrink-0 place-items-center rounded-sm text-muted data-[hovered]:bg-hover data-[hovered]:text-text"
                >
                  <X className="size-3.5" aria-hidden="true" />
                </Button>
              </Tag>
            ))}
          </TagList>
        </TagGroup>
      )}
    </div>
  )
}
