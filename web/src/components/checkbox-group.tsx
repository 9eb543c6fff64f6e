import type { ReactNode } from 'react'
import { CheckboxGroup as AriaCheckboxGroup } from 'react-aria-components/CheckboxGroup'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import { descriptionClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'

export interface CheckboxGroupProps<Value extends string> {
  label: string
  value: readonly Value[]
  onChange: (value: Value[]) => void
  description?: string
  error?: string | null | undefined
  children: ReactNode
}

/** Several of a few; the `Checkbox`es inside carry the values. */
export function CheckboxGroup<Value extends string>(props: CheckboxGroupProps<Value>) {
  const { label, value, onChange, description, error, children } = props
  return (
    <AriaCheckboxGroup
      value={[...value]}
      onChange={(next) => onChange(next as Value[])}
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-2.5"
    >
      <Label className={labelClass}>{label}</Label>
      {children}
      {error ? (
        <FieldMessage>{error}</FieldMessage>
      ) : (
        description && (
          <Text slot="description" className={descriptionClass}>
            {description}
          </Text>
        )
      )}
    </AriaCheckboxGroup>
  )
}
