import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { FieldError } from 'react-aria-components/FieldError'
import { errorClass } from './field-classes.ts'

/** What is wrong with a field, tied to it for screen readers. */
export function FieldMessage({ children }: { children: ReactNode }) {
  return (
    <FieldError className={errorClass}>
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
      <span>{children}</span>
    </FieldError>
  )
}
