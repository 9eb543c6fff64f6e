import { classNames } from '../lib/class-names.ts'
import { initialsOf } from '../lib/initials.ts'

const SIZES = { small: 'size-5 text-[0.5625rem]', medium: 'size-8 text-xs', large: 'size-11 text-sm' }

/** A person by their initials. Decorative: the name always stands near. */
export function Avatar({
  name,
  size = 'medium',
}: {
  name: string | null | undefined
  size?: keyof typeof SIZES
}) {
  return (
    <span
      aria-hidden="true"
      className={classNames(
        'grid shrink-0 place-items-center rounded-full font-semibold tracking-wide select-none',
        name ? 'bg-accent-soft text-accent-text' : 'border border-dashed border-border-strong text-faint',
        SIZES[size],
      )}
    >
      {name ? initialsOf(name) : ''}
    </span>
  )
}
