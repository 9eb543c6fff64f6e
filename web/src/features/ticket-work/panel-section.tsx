import { useId, type ReactNode } from 'react'

export interface PanelSectionProps {
  title: string
  /** What can be done here, beside the title. */
  actions?: ReactNode
  children: ReactNode
}

/** One matter in the panel beside a ticket. */
export function PanelSection({ title, actions, children }: PanelSectionProps) {
  const heading = useId()
  return (
    <section aria-labelledby={heading} className="flex flex-col gap-3 border-t border-border pt-5">
      <div className="flex min-h-8 items-center justify-between gap-2">
        <h2 id={heading} className="text-sm font-semibold">
          {title}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  )
}
