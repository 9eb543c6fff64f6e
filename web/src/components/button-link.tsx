import type { LinkProps } from 'react-router'
import { Link } from 'react-router'
import { buttonClasses, type ButtonLook } from './button-classes.ts'

export interface ButtonLinkProps extends Omit<LinkProps, 'className'>, ButtonLook {
  className?: string
}

/** A link that looks like a button: it goes somewhere, a button does something. */
export function ButtonLink({ variant, size, isIconOnly, className, ...props }: ButtonLinkProps) {
  return <Link {...props} className={buttonClasses({ variant, size, isIconOnly }, className)} />
}
