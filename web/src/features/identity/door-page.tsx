import { Building2 } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { BrandLockup } from '../../components/brand.tsx'
import { PageHeading } from '../../components/page-heading.tsx'
import { Sunrise } from '../../components/sunrise.tsx'
import { classNames } from '../../lib/class-names.ts'

export interface DoorPageProps {
  title: string
  intro?: ReactNode
  /** The organization whose door it is, where that is known. */
  organization?: string | null | undefined
  /** Names the step, where the page has several. */
  step?: string
  /** `medium` has room for things side by side, `wide` for a picture beside its words. */
  width?: keyof typeof WIDTHS
  children: ReactNode
  /** Other ways, below a line. */
  footer?: ReactNode
}

const WIDTHS = { narrow: 'max-w-sm', medium: 'max-w-lg', wide: 'max-w-2xl' } as const

/** The frame of every page before one is in: the brand, one thing to do, and the first morning below it. */
export function DoorPage(props: DoorPageProps) {
  const { title, intro, organization, step, width = 'narrow', children, footer } = props
  return (
    <div className="flex min-h-dvh flex-col overflow-x-clip bg-sky">
      <header className="flex h-16 shrink-0 items-center px-5 sm:px-8">
        <Link to="/" className="flex rounded-md">
          <BrandLockup />
        </Link>
      </header>
      <main id="content" className="relative z-10 flex flex-col items-center px-5 pt-[6dvh] pb-12">
        <div className={classNames('flex w-full flex-col gap-7', WIDTHS[width])}>
          <div className="flex flex-col gap-1.5">
            {organization && (
              <p className="mb-1 flex items-center gap-2 text-sm font-medium text-accent-text">
                <Building2 className="size-4 shrink-0" aria-hidden="true" />
                <span className="min-w-0 [overflow-wrap:anywhere]">{organization}</span>
              </p>
            )}
            <PageHeading title={title} step={step} className="text-3xl [overflow-wrap:anywhere]">
              {title}
            </PageHeading>
            {intro && <p className="text-muted [overflow-wrap:anywhere]">{intro}</p>}
          </div>
          {children}
          {footer && (
            <div className="flex flex-col gap-2 border-t border-border pt-5 text-sm text-muted">{footer}</div>
          )}
        </div>
      </main>
      <Sunrise view="far" className="mt-auto aspect-[3200/455] min-h-36 w-full shrink-0 overflow-visible" />
    </div>
  )
}
