import { ArrowLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { PageHeading } from './page-heading.tsx'

export interface PageHeaderProps {
  title: string
  intro?: ReactNode
  /** A sign before the title; decorative. */
  mark?: ReactNode
  /** What can be done with the page as a whole. */
  actions?: ReactNode
  /** The list that this page is one entry of. */
  back?: { to: string; label: string }
}

/** The head of a page of settings: where one is, what it is for, and what can be done. */
export function PageHeader({ title, intro, mark, actions, back }: PageHeaderProps) {
  return (
    <header className="flex flex-col gap-2">
      {back && (
        <Link
          to={back.to}
          className="touch-target -ms-1 inline-flex items-center gap-1 self-start rounded-sm px-1 text-sm text-muted hover:text-text"
        >
          <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden="true" />
          {back.label}
        </Link>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="flex min-w-0 flex-1 basis-72 items-center gap-4">
          {mark}
          <div className="flex max-w-[68ch] min-w-0 flex-col gap-1.5">
            <PageHeading title={title} className="[overflow-wrap:anywhere]">
              {title}
            </PageHeading>
            {intro && <p className="text-muted">{intro}</p>}
          </div>
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
    </header>
  )
}
