/** Calm water, the sun at rest on the horizon. */
export function EmptyScene({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 160 80" className={className} aria-hidden="true" fill="none" strokeLinecap="round">
      <path d="M48 50a32 32 0 0 1 64 0z" className="fill-sun-soft stroke-sun" strokeWidth="2" />
      <g className="stroke-border-strong" strokeWidth="2">
        <path d="M12 50h136" />
        <path d="M36 59h88" opacity="0.7" />
        <path d="M56 68h48" opacity="0.45" />
        <path d="M70 77h20" opacity="0.3" />
      </g>
    </svg>
  )
}
