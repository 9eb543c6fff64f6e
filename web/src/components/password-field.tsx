import { Eye, EyeOff } from 'lucide-react'
import { useState, type ReactNode, type Ref } from 'react'
import { Group } from 'react-aria-components/Group'
import { Input } from 'react-aria-components/Input'
import { Label } from 'react-aria-components/Label'
import { Text } from 'react-aria-components/Text'
import { TextField } from 'react-aria-components/TextField'
import { ToggleButton } from 'react-aria-components/ToggleButton'
import { useTranslation } from 'react-i18next'
import { classNames } from '../lib/class-names.ts'
import { descriptionClass, inputClass, labelClass } from './field-classes.ts'
import { FieldMessage } from './field-message.tsx'

export interface PasswordFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  autoComplete: 'current-password' | 'new-password'
  name?: string
  description?: ReactNode
  error?: string | null | undefined
  inputRef?: Ref<HTMLInputElement>
}

/** A password, hidden until one asks to see it. */
export function PasswordField(props: PasswordFieldProps) {
  const { label, value, onChange, autoComplete, name = 'password', description, error, inputRef } = props
  const { t } = useTranslation('components')
  const [isShown, setIsShown] = useState(false)
  const Sign = isShown ? EyeOff : Eye
  return (
    <TextField
      value={value}
      onChange={onChange}
      name={name}
      type={isShown ? 'text' : 'password'}
      autoComplete={autoComplete}
      autoCorrect="off"
      spellCheck="false"
      isInvalid={Boolean(error)}
      validationBehavior="aria"
      className="flex flex-col gap-1.5"
    >
      <Label className={labelClass}>{label}</Label>
      <Group className="relative">
        <Input ref={inputRef} autoCapitalize="none" className={classNames(inputClass, 'h-11 pe-12')} />
        <ToggleButton
          isSelected={isShown}
          onChange={setIsShown}
          aria-label={t('showPassword')}
          className="touch-target absolute! inset-y-1 end-1 grid w-9 place-items-center rounded-md text-muted data-[hovered]:bg-hover data-[hovered]:text-text"
        >
          <Sign className="size-4.5" aria-hidden="true" />
        </ToggleButton>
      </Group>
      {error ? (
        <FieldMessage>{error}</FieldMessage>
      ) : (
        description && (
          <Text slot="description" elementType="div" className={descriptionClass}>
            {description}
          </Text>
        )
      )}
    </TextField>
  )
}
