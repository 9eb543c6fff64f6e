import { useEffect, useRef } from 'react'
import { Input } from 'react-aria-components/Input'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import { TextField } from 'react-aria-components/TextField'
import { classNames } from '../lib/class-names.ts'
import { CODE_LENGTH, digitsOf } from '../lib/one-time-code.ts'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'

export interface CodeFieldProps {
  label: string
  value: string
  onChange: (code: string) => void
  /** Called once for each code that has all its digits. */
  onComplete?: (code: string) => void
  description?: string
  error?: string | null | undefined
  /** Takes the focus when it appears: it is the answer to what was just asked. */
  takesFocus?: boolean
}

/** A one-time code: one field for all digits, so that pasting, autofill and screen readers work as in any other. */
export function CodeField(props: CodeFieldProps) {
  const { label, value, onChange, onComplete, description, error, takesFocus = false } = props
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (takesFocus) input.current?.focus()
  }, [takesFocus])
  // A refused code is emptied; the next one is typed in the same place.
  useEffect(() => {
    if (error) input.current?.focus()
  }, [error])
  return (
    <TextField
      value={value}
      onChange={(text) => {
        const code = digitsOf(text)
        if (code === value) return
        onChange(code)
        if (code.length === CODE_LENGTH) onComplete?.(code)
      }}
      name="one-time-code"
      type="text"
      inputMode="numeric"
      autoComplete="one-time-code"
      autoCorrect="off"
      spellCheck="false"
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-1.5"
    >
      <Label className={labelClass}>{label}</Label>
      <Input
        ref={input}
        dir="ltr"
        className={classNames(inputClass, 'figures h-14 text-center font-mono text-2xl tracking-[0.35em]')}
      />
      {error ? (
        <FieldMessage>{error}</FieldMessage>
      ) : (
        description && (
          <Text slot="description" className={descriptionClass}>
            {description}
          </Text>
        )
      )}
    </TextField>
  )
}
