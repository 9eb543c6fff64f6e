import { Check, ChevronDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from 'react-aria-components/Button'
import { Label } from 'react-aria-components/Label'
import { Header } from 'react-aria-components/Header'
import { ListBox, ListBoxItem, ListBoxSection } from 'react-aria-components/ListBox'
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select'
import { Text } from 'react-aria-components/Text'
import { classNames } from '../lib/class-names.ts'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'
import { optionClass } from './option-classes.ts'
import { Popover } from './popover.tsx'

export interface Choice<Value extends string> {
  value: Value
  label: string
  description?: string | null | undefined
  /** A sign before the label; decorative, the label says it all. */
  mark?: ReactNode
  /** The heading it stands under, together with the choices beside it that have the same one. */
  group?: string | undefined
}

export interface SelectProps<Value extends string> {
  label: string
  choices: readonly Choice<Value>[]
  value: Value | null
  onChange: (value: Value) => void
  placeholder?: string
  description?: string
  error?: string | null | undefined
  isDisabled?: boolean
  /**
   * `inline` sits in a panel of properties and looks like text until it is reached for; a `cell` does so under a heading
   * that says its label where there is room for columns.
   */
  look?: 'field' | 'inline' | 'cell'
}

/** One of a few. For a list long enough to search, see {@link Combobox}. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const {
    label,
    choices,
    value,
    onChange,
    placeholder,
    description,
    error,
    isDisabled,
    look = 'field',
  } = props
  const chosen = choices.find((choice) => choice.value === value)
  return (
    <AriaSelect
      value={value}
      onChange={(key) => {
        const next = choices.find((choice) => choice.value === key)
        if (next && next.value !== value) onChange(next.value)
      }}
      isDisabled={isDisabled ?? false}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className={look === 'field' ? 'flex flex-col gap-1.5' : 'contents'}
    >
      <Label
        className={
          look === 'field' ? labelClass : classNames('text-sm text-muted', look === 'cell' && 'sm:sr-only')
        }
      >
        {label}
      </Label>
      <Button
        className={classNames(
          'group flex items-center justify-between gap-2 text-start',
          look === 'field'
            ? classNames(inputClass, 'h-11')
            : 'touch-target -mx-2 min-h-8 min-w-0 rounded-md px-2 text-sm text-text data-[hovered]:bg-hover data-[pressed]:bg-sunken',
        )}
      >
        <SelectValue className="flex min-w-0 items-center gap-2">
          {chosen ? (
            <>
              {chosen.mark}
              <span className="truncate">{chosen.label}</span>
            </>
          ) : (
            <span className="truncate text-faint">{placeholder}</span>
          )}
        </SelectValue>
        <ChevronDown className="size-4 shrink-0 text-faint" aria-hidden="true" />
      </Button>
      {error ? (
        <FieldMessage>{error}</FieldMessage>
      ) : (
        description && (
          <Text slot="description" className={descriptionClass}>
            {description}
          </Text>
        )
      )}
      <Popover className="min-w-(--trigger-width)">
        <ListBox className="outline-none">
          {groupsOf(choices).map(({ title, members }) =>
            title === undefined ? (
              members.map((choice) => <Option key={choice.value} choice={choice} />)
            ) : (
              <ListBoxSection
                key={title}
                className="mt-1 border-t border-border pt-1 first:mt-0 first:border-t-0 first:pt-0"
              >
                <Header className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-muted">{title}</Header>
                {members.map((choice) => (
                  <Option key={choice.value} choice={choice} />
                ))}
              </ListBoxSection>
            ),
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}

function Option<Value extends string>({ choice }: { choice: Choice<Value> }) {
  return (
    <ListBoxItem id={choice.value} textValue={choice.label} className={optionClass}>
      {({ isSelected }) => (
        <>
          {choice.mark}
          <span className="min-w-0 flex-1">
            <Text slot="label">{choice.label}</Text>
            {choice.description && (
              <Text slot="description" className="block text-muted">
                {choice.description}
              </Text>
            )}
          </span>
          <Check
            className={classNames('size-4 shrink-0 text-accent-text', !isSelected && 'invisible')}
            aria-hidden="true"
          />
        </>
      )}
    </ListBoxItem>
  )
}

interface Group<Value extends string> {
  title: string | undefined
  members: Choice<Value>[]
}

function groupsOf<Value extends string>(choices: readonly Choice<Value>[]): Group<Value>[] {
  const groups: Group<Value>[] = []
  for (const choice of choices) {
    const last = groups.at(-1)
    if (last && last.title === choice.group) last.members.push(choice)
    else groups.push({ title: choice.group, members: [choice] })
  }
  return groups
}
