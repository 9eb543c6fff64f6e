import type { ReactNode } from 'react'
import { Popover as AriaPopover, type PopoverProps as AriaPopoverProps } from 'react-aria-components/Popover'
import { classNames } from '../lib/class-names.ts'

export interface PopoverProps extends Omit<AriaPopoverProps, 'className' | 'children'> {
  children: ReactNode
  className?: string
}

/** The raised sheet under menus and lists of choices. */
export function Popover({ children, className, ...props }: PopoverProps) {
  return (
    <AriaPopover
      offset={6}
      {...props}
      className={classNames(
        'max-w-[calc(100vw-1.5rem)] overflow-auto rounded-lg border border-border bg-raised p-1 shadow-overlay data-[entering]:animate-enter',
        className,
      )}
    >
      {children}
    </AriaPopover>
  )
}
