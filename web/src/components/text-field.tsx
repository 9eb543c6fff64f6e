import type { Ref } from 'react'
import { Input } from 'react-aria-components/Input'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import {
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components/TextField'
import { classNames } from '../lib/class-names.ts'
import { CharacterCount } from './character-count.tsx'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'

export interface TextFieldProps extends Omit<AriaTextFieldProps, 'className' | 'children' | 'isInvalid'> {
  label: string
  description?: string
  /** What is wrong; its presence makes the field invalid. */
  error?: string | null | undefined
  /** Counts down when the text comes near; the text may run over, and is then refused with words, not cut. */
  limit?: number
  /** An example of what may stand here; never the only word about it. */
  placeholder?: string
  inputRef?: Ref<HTMLInputElement>
}

/** One line of text with its label, a hint and what is wrong with it. */
export function TextField(props: TextFieldProps) {
  const { label, description, error, limit, placeholder, inputRef, ...rest } = props
  return (
    <AriaTextField
      {...rest}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-1.5"
    >
      <Label className={labelClass}>{label}</Label>
      <Input
        ref={inputRef}
        {...(placeholder ? { placeholder } : {})}
        className={classNames(inputClass, 'h-11')}
      />
      <div className="flex items-start justify-between gap-4 empty:hidden">
        {error ? (
          <FieldMessage>{error}</FieldMessage>
        ) : (
          description && (
            <Text slot="description" className={descriptionClass}>
              {description}
            </Text>
          )
        )}
        {limit !== undefined && <CharacterCount length={rest.value?.length ?? 0} limit={limit} />}
      </div>
    </AriaTextField>
  )
}
