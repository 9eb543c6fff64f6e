import { classNames } from '../lib/class-names.ts'

export interface ButtonLook {
  variant?: 'primary' | 'secondary' | 'quiet' | 'danger' | undefined
  size?: 'small' | 'medium' | 'large' | undefined
  isIconOnly?: boolean | undefined
}

const VARIANTS = {
  primary:
    'bg-accent text-on-accent shadow-card hover:bg-accent-hover data-[hovered]:bg-accent-hover data-[pressed]:bg-accent-hover',
  secondary:
    'border border-border bg-surface text-text shadow-card hover:bg-hover data-[hovered]:bg-hover data-[pressed]:bg-sunken',
  quiet:
    'text-muted hover:bg-hover hover:text-text data-[hovered]:bg-hover data-[hovered]:text-text data-[pressed]:bg-sunken',
  danger: 'bg-danger text-on-danger hover:bg-danger-hover data-[hovered]:bg-danger-hover',
}

const SIZES = { small: 'h-8 px-2.5 text-sm', medium: 'h-9 px-3.5 text-sm', large: 'h-11 px-5 text-base' }
const SQUARES = { small: 'size-8 text-sm', medium: 'size-9 text-sm', large: 'size-11 text-base' }

/** How a button looks; shared with links that act as one. */
export function buttonClasses(look: ButtonLook = {}, more?: string): string {
  const { variant = 'secondary', size = 'medium', isIconOnly = false } = look
  return classNames(
    'touch-target relative inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors select-none',
    'data-[disabled]:opacity-55 data-[pending]:cursor-progress',
    VARIANTS[variant],
    (isIconOnly ? SQUARES : SIZES)[size],
    more,
  )
}
