import { Check } from 'lucide-react'
import {
  Checkbox as AriaCheckbox,
  type CheckboxProps as AriaCheckboxProps,
} from 'react-aria-components/Checkbox'

export interface CheckboxProps extends Omit<AriaCheckboxProps, 'className' | 'children'> {
  children: string
  description?: string
  /** A `cell` stands under a heading that says its words where there is room for columns. */
  look?: 'alone' | 'cell'
}

/** Yes or no, said with what follows; alone or in a `CheckboxGroup`. */
export function Checkbox({ children, description, look = 'alone', ...props }: CheckboxProps) {
  return (
    <AriaCheckbox
      {...props}
      className="group flex cursor-pointer items-start gap-2.5 text-sm data-[disabled]:cursor-not-allowed data-[disabled]:opacity-55 pointer-coarse:min-h-11 pointer-coarse:py-1"
    >
      <span className="mt-px grid size-4.5 shrink-0 place-items-center rounded-sm border border-border-strong bg-surface text-on-accent transition-colors group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-offset-2 group-data-[focus-visible]:outline-focus group-data-[hovered]:border-muted group-data-[invalid]:border-danger group-data-[selected]:border-accent group-data-[selected]:bg-accent">
        <Check
          className="invisible size-3.5 group-data-[selected]:visible"
          strokeWidth={3}
          aria-hidden="true"
        />
      </span>
      <span className={look === 'cell' ? 'min-w-0 sm:sr-only' : 'min-w-0'}>
        <span className="block text-text">{children}</span>
        {description && <span className="block text-muted">{description}</span>}
      </span>
    </AriaCheckbox>
  )
}
