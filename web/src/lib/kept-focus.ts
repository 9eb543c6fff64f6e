import { useEffect, useRef, type RefObject } from 'react'
import { catchLostFocus } from './lost-focus.ts'

/**
 * Keeps a keyboard in its place: when a part of a list goes and takes the focus with it, the list gets it, or
 * the page's heading where no list is left. `shown` is another one whenever something may have gone; the list itself
 * must be focusable.
 */
export function useKeptFocus(list: RefObject<HTMLElement | null>, shown: string | number): void {
  const wasInside = useRef(false)
  useEffect(() => {
    const notice = ({ target }: FocusEvent) => {
      // A question about a row is asked in a dialog, and the focus comes back to the row after it.
      if (!(target instanceof Element) || target.closest('[role="dialog"], [role="alertdialog"]')) return
      wasInside.current = list.current?.contains(target) ?? false
    }
    document.addEventListener('focusin', notice)
    return () => document.removeEventListener('focusin', notice)
  }, [list])
  useEffect(() => {
    if (wasInside.current && document.activeElement === document.body) {
      if (list.current) list.current.focus({ preventScroll: true })
      else catchLostFocus()
    }
  }, [list, shown])
}
