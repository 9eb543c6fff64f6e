import type { ReactNode } from 'react'
import { EmptyScene } from './empty-scene.tsx'
import { StateHeading } from './state-heading.tsx'

export interface EmptyStateProps {
  title: string
  children?: ReactNode
  action?: ReactNode
  isPage?: boolean
}

/** Says that there is nothing here, why that may be, and what to do. */
export function EmptyState({ title, children, action, isPage }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center gap-3 px-4 py-14 text-center">
      <EmptyScene className="h-20 w-auto" />
      <StateHeading isPage={isPage}>{title}</StateHeading>
      {children && <p className="text-muted">{children}</p>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  )
}
