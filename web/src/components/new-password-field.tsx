import { Check } from 'lucide-react'
import type { Ref } from 'react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '../graphql/errors.ts'
import { passwordRefusal } from '../lib/password-refusal.ts'
import { charactersMissing, passwordProblem, PASSWORD_MINIMUM } from '../lib/password.ts'
import { PasswordField } from './password-field.tsx'

export interface NewPasswordFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  /** What the form was refused for; shown here when it is about the password. */
  problem?: Problem | null
  /** Whether an empty or a short one is already a mistake, and not just unfinished. */
  wasTried: boolean
  inputRef?: Ref<HTMLInputElement>
}

/** A password to be: says while one types what it still needs, and no more than can be known here. */
export function NewPasswordField(props: NewPasswordFieldProps) {
  const { label, value, onChange, problem = null, wasTried, inputRef } = props
  const { t } = useTranslation(['components', 'errors'])
  const refusal = passwordRefusal(problem)
  const fault = passwordProblem(value)
  const missing = charactersMissing(value)
  return (
    <PasswordField
      label={label}
      value={value}
      onChange={onChange}
      autoComplete="new-password"
      name="new-password"
      {...(inputRef ? { inputRef } : {})}
      error={
        refusal
          ? t(`errors:${refusal}`)
          : fault === 'long'
            ? t('errors:PASSWORD_TOO_LONG')
            : wasTried && fault
              ? t('errors:PASSWORD_TOO_SHORT')
              : null
      }
      description={
        <span aria-live="polite" className="flex items-start gap-1.5">
          {fault === null && (
            <Check className="mt-0.5 size-4 shrink-0 text-success-text" aria-hidden="true" />
          )}
          {fault === null
            ? t('newPassword.enough')
            : value === ''
              ? t('newPassword.rule', { count: PASSWORD_MINIMUM })
              : t('newPassword.missing', { count: missing })}
        </span>
      }
    />
  )
}
