import type { Ref } from 'react'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import { TextArea as AriaTextArea } from 'react-aria-components/TextArea'
import {
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from 'react-aria-components/TextField'
import { classNames } from '../lib/class-names.ts'
import { CharacterCount } from './character-count.tsx'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'

export interface TextAreaProps extends Omit<AriaTextFieldProps, 'className' | 'children' | 'isInvalid'> {
  label: string
  description?: string
  error?: string | null | undefined
  limit?: number
  rows?: number
  textAreaRef?: Ref<HTMLTextAreaElement>
}

/** Several lines of text; it grows with what is written, up to half the screen. */
export function TextArea({
  label,
  description,
  error,
  limit,
  rows = 5,
  textAreaRef,
  ...props
}: TextAreaProps) {
  return (
    <AriaTextField
      {...props}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-1.5"
    >
      <Label className={labelClass}>{label}</Label>
      <AriaTextArea
        ref={textAreaRef}
        rows={rows}
        className={classNames(
          inputClass,
          'field-sizing-content max-h-[50dvh] resize-y py-2.5',
          rows < 5 ? 'min-h-24' : 'min-h-52',
        )}
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
        {limit !== undefined && <CharacterCount length={props.value?.length ?? 0} limit={limit} />}
      </div>
    </AriaTextField>
  )
}
