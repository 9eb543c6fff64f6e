import { useId, type ReactNode } from 'react'
import { Card } from './card.tsx'

export interface SettingsSectionProps {
  title: string
  intro: ReactNode
  children: ReactNode
}

/** One matter of a page of settings: what it is about beside the card where it is set, above it where there is no room. */
export function SettingsSection({ title, intro, children }: SettingsSectionProps) {
  const heading = useId()
  return (
    <section
      aria-labelledby={heading}
      className="grid gap-x-10 gap-y-4 border-t border-border pt-8 xl:grid-cols-[17rem_minmax(0,1fr)]"
    >
      <div className="flex flex-col gap-1.5">
        <h2 id={heading} className="text-lg font-semibold">
          {title}
        </h2>
        <p className="max-w-[60ch] text-sm text-muted">{intro}</p>
      </div>
      <Card className="min-w-0 self-start">{children}</Card>
    </section>
  )
}
