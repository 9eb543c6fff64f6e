import { Link, type LinkProps } from 'react-router'
import { classNames } from '../lib/class-names.ts'

/** A link inside or below a sentence. */
export function TextLink({ className, ...props }: Omit<LinkProps, 'className'> & { className?: string }) {
  return (
    <Link
      {...props}
      className={classNames(
        'rounded-sm font-medium text-accent-text underline-offset-4 hover:underline',
        className,
      )}
    />
  )
}
