import { classNames } from '../lib/class-names.ts'

/** The place of something that is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={classNames('block animate-shimmer rounded-md bg-sunken', className)}
    />
  )
}
