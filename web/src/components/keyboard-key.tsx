/** A key of the keyboard. */
export function KeyboardKey({ children }: { children: string }) {
  return (
    <kbd className="inline-grid min-w-5.5 place-items-center rounded-sm border border-border bg-surface px-1.5 font-mono text-xs leading-5 text-muted">
      {children}
    </kbd>
  )
}
