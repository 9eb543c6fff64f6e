import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../../components/button.tsx'
import { Menu, MenuTrigger } from '../../components/menu.tsx'

export interface BulkMenuProps {
  sign: LucideIcon
  label: string
  isDisabled: boolean
  children: ReactNode
}

/** A button of the bar whose choices open above it. */
export function BulkMenu({ sign: Sign, label, isDisabled, children }: BulkMenuProps) {
  return (
    <MenuTrigger>
      <Button size="small" variant="quiet" isDisabled={isDisabled}>
        <Sign className="size-4" aria-hidden="true" />
        {label}
      </Button>
      <Menu placement="top start">{children}</Menu>
    </MenuTrigger>
  )
}
