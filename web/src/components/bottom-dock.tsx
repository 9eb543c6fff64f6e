import { useEffect, useRef, type ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

/** What a notice takes; with less than that below the dock, notices stand above it. */
const NOTICE_PX = 72

export interface BottomDockProps {
  children: ReactNode
  /** False where something just above it comes first and must not be covered. */
  isDocked?: boolean
}

/**
 * Stands over the end of the page where the window is high enough for both. It tells the notices how far up they
 * must keep to cover none of it, in `--dock`.
 */
export function BottomDock({ children, isDocked = true }: BottomDockProps) {
  const dock = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = dock.current
    if (!element) return
    const { style } = document.documentElement
    const measure = () => {
      const { top, bottom } = element.getBoundingClientRect()
      const isAtEnd = innerHeight - bottom < NOTICE_PX
      style.setProperty('--dock', `${isAtEnd ? Math.max(0, Math.round(innerHeight - top)) : 0}px`)
    }
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    observer.observe(document.body)
    addEventListener('scroll', measure, { passive: true })
    addEventListener('resize', measure)
    return () => {
      observer.disconnect()
      removeEventListener('scroll', measure)
      removeEventListener('resize', measure)
      style.removeProperty('--dock')
    }
  }, [])
  return (
    <div
      ref={dock}
      className={classNames(
        'bottom-0 z-10 -mx-1 bg-canvas px-1 pb-4',
        isDocked && '[@media(min-height:30rem)]:sticky',
      )}
    >
      {children}
    </div>
  )
}
