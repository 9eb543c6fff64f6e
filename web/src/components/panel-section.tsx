import { ChevronDown } from 'lucide-react'
import { useId, useState, type ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { readKept, writeKept } from '../lib/kept.ts'

export interface PanelSectionProps {
  title: string
  /** What can be done here, beside the title. */
  actions?: ReactNode
  /** How much there is, told beside the title, as a number or as `2/5`. */
  count?: number | string
  /** Makes the section one that folds, and is what this browser remembers it by. Left out while something is added. */
  foldsAs?: string | undefined
  /** Where there is nothing to show, the title and what can be done stand alone. */
  children?: ReactNode
}

/** One matter in the panel beside a ticket. */
export function PanelSection({ title, actions, count, foldsAs, children }: PanelSectionProps) {
  const heading = useId()
  const body = useId()
  const key = `atum.folded.${foldsAs ?? ''}`
  const [wasFolded, setWasFolded] = useState(() => readKept(key) !== null)
  const isFolded = foldsAs !== undefined && wasFolded
  const hasBody = children !== undefined && children !== null && children !== false
  const amount = count !== undefined && count !== 0 && (
    <span className="figures font-normal text-muted">{count}</span>
  )

  function fold(next: boolean) {
    setWasFolded(next)
    writeKept(key, next ? 'yes' : null)
  }

  return (
    <section aria-labelledby={heading} className="flex flex-col gap-2.5 border-t border-border pt-4">
      <div className="flex min-h-8 items-center justify-between gap-2">
        <h2 className="min-w-0 text-sm font-semibold">
          {foldsAs !== undefined && hasBody ? (
            <button
              type="button"
              aria-expanded={!isFolded}
              aria-controls={body}
              onClick={() => fold(!isFolded)}
              className="touch-target -ms-1 flex items-center gap-1.5 rounded-sm px-1 hover:text-accent-text"
            >
              <span id={heading}>{title}</span>
              {amount}
              <ChevronDown
                className={classNames(
                  'size-4 text-muted transition-transform',
                  isFolded && '-rotate-90 rtl:rotate-90',
                )}
                aria-hidden="true"
              />
            </button>
          ) : (
            <span className="flex items-center gap-1.5">
              <span id={heading}>{title}</span>
              {amount}
            </span>
          )}
        </h2>
        {actions && <div className="-me-1.5 flex items-center gap-1">{actions}</div>}
      </div>
      {hasBody && (
        <div
          id={body}
          hidden={isFolded}
          className={classNames('flex-col gap-3', isFolded ? 'hidden' : 'flex')}
        >
          {children}
        </div>
      )}
    </section>
  )
}
