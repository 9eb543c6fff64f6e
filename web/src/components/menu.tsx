import { Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { Header } from 'react-aria-components/Header'
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  type MenuItemProps as AriaMenuItemProps,
  type MenuProps as AriaMenuProps,
  type MenuSectionProps as AriaMenuSectionProps,
} from 'react-aria-components/Menu'
import type { PopoverProps } from 'react-aria-components/Popover'
import { optionClass } from './option-classes.ts'
import { Popover } from './popover.tsx'

export { MenuTrigger } from 'react-aria-components/Menu'

export interface MenuProps<Item> extends Omit<AriaMenuProps<Item>, 'className'> {
  placement?: PopoverProps['placement']
}

/** What opens from a button inside a `MenuTrigger`. */
export function Menu<Item extends object>({ placement = 'bottom end', ...props }: MenuProps<Item>) {
  return (
    <Popover placement={placement} className="min-w-52">
      <AriaMenu {...props} className="outline-none" />
    </Popover>
  )
}

export interface MenuItemProps extends Omit<AriaMenuItemProps, 'className' | 'children'> {
  mark?: ReactNode
  children: string
}

/** One thing that can be done; in a section with a selection it shows a tick when chosen. */
export function MenuItem({ mark, children, ...props }: MenuItemProps) {
  return (
    <AriaMenuItem textValue={children} {...props} className={optionClass}>
      {({ isSelected, selectionMode }) => (
        <>
          {mark}
          <span className="min-w-0 flex-1">{children}</span>
          {selectionMode !== 'none' && isSelected && (
            <Check className="size-4 shrink-0 text-accent-text" aria-hidden="true" />
          )}
        </>
      )}
    </AriaMenuItem>
  )
}

export interface MenuSectionProps<Item> extends Omit<AriaMenuSectionProps<Item>, 'className' | 'children'> {
  /** Without one, `aria-label` names the section. */
  title?: string
  children: ReactNode
}

/** Items under a heading. */
export function MenuSection<Item extends object>({ title, children, ...props }: MenuSectionProps<Item>) {
  return (
    <AriaMenuSection
      {...props}
      className="mt-1 border-t border-border pt-1 first:mt-0 first:border-t-0 first:pt-0"
    >
      {title && <Header className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-muted">{title}</Header>}
      {children}
    </AriaMenuSection>
  )
}
