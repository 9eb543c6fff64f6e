import { useEffect, useRef, type ReactNode } from 'react'
import { useLocation } from 'react-router'
import { classNames } from '../lib/class-names.ts'
import { useDocumentTitle } from '../lib/document-title.ts'

export interface PageHeadingProps {
  children: ReactNode
  /** The page's name in the tab. */
  title: string
  /** Names the step of a page that has several: at the next one the heading takes the focus again. */
  step?: string | undefined
  className?: string
}

/**
 * The `h1` of a page. It names the document, and after a navigation inside the app it takes the focus, so that a
 * screen reader begins where the new page does.
 */
export function PageHeading({ children, title, step, className }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { key, state } = useLocation()
  useDocumentTitle(title)
  useEffect(() => {
    const keepsFocus = typeof state === 'object' && state !== null && 'keepFocus' in state
    // `default` is the page the browser itself loaded: it has put the focus where it belongs.
    if (key !== 'default' && !keepsFocus) heading.current?.focus({ preventScroll: true })
  }, [key, state])
  const shownStep = useRef(step)
  useEffect(() => {
    if (shownStep.current === step) return
    shownStep.current = step
    heading.current?.focus()
  }, [step])
  return (
    <h1 ref={heading} tabIndex={-1} className={classNames('text-2xl font-semibold', className)}>
      {children}
    </h1>
  )
}
