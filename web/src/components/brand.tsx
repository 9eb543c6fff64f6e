import { useId } from 'react'
import { classNames } from '../lib/class-names.ts'

const MOUND = 'M2 52c16-1 19-17 30-17s14 16 30 17z'

/** The sun rising from the primeval mound over the waters. Decorative: the name stands beside it. */
export function BrandMark({ className }: { className?: string }) {
  const mask = useId()
  return (
    <svg viewBox="0 0 64 64" className={className} aria-hidden="true">
      <mask id={mask}>
        <path fill="white" d="M0 0h64v64H0z" />
        <path fill="black" stroke="black" strokeWidth="7" d={MOUND} />
      </mask>
      <circle cx="32" cy="23" r="17" className="fill-sun" mask={`url(#${mask})`} />
      <path className="fill-accent" d={MOUND} />
      <path className="stroke-accent" fill="none" strokeWidth="4" strokeLinecap="round" d="M13 59h38" />
    </svg>
  )
}

/** The name, drawn: the first letter is the mound with the sun still below it. */
export function Wordmark({ className }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 248 64"
      className={classNames('overflow-visible', className)}
      role="img"
      aria-label="ATUM"
    >
      <g fill="none" stroke="currentColor" strokeWidth="8" strokeLinejoin="round" strokeLinecap="round">
        <path d="M6 56C20 56 22 8 34 8s14 48 28 48" />
        <path d="M74 9h44M96 9v47" />
        <path d="M132 9v27a20 20 0 0 0 40 0V9" />
        <path d="M190 56V13c0-4 5-5.5 7.5-2l18 25.5 18-25.5c2.5-3.5 7.5-2 7.5 2v43" />
      </g>
      <circle cx="34" cy="44" r="8.5" className="fill-sun" />
    </svg>
  )
}

/** Mark, name and product as they stand at the head of a page. */
export function BrandLockup({ className }: { className?: string }) {
  return (
    <span className={classNames('inline-flex items-center gap-2.5', className)}>
      <BrandMark className="size-7 shrink-0" />
      <span className="inline-flex items-center gap-2">
        <Wordmark className="h-4 w-auto text-text" />
        <span className="text-base leading-none font-medium text-muted">Desk</span>
      </span>
    </span>
  )
}
