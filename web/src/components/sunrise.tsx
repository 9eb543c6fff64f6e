/** How much of the scene is seen: from the shore, or from far out with the sun small on a wide horizon. */
const VIEWS = { near: '0 0 1600 620', far: '-800 165 3200 455' }

/** Widths of the light on the water, from the horizon towards the viewer. */
const REFLECTION = [196, 236, 168, 214, 128, 164, 84, 112]

/**
 * The first morning: the sun behind the primeval mound, its light on the waters. Drawn in the tokens' colours, so it is
 * dawn in the light theme and the hour before it in the dark one.
 */
export function Sunrise({ view, className }: { view: 'near' | 'far'; className?: string }) {
  return (
    <svg
      viewBox={VIEWS[view]}
      preserveAspectRatio="xMidYMax slice"
      className={className}
      aria-hidden="true"
      fill="none"
    >
      <defs>
        <radialGradient id="glow" cx="0.5" cy="0.5" r="0.5">
          <stop offset="0" stopColor="var(--color-sun)" stopOpacity="0.5" />
          <stop offset="0.45" stopColor="var(--color-sun)" stopOpacity="0.14" />
          <stop offset="1" stopColor="var(--color-sun)" stopOpacity="0" />
        </radialGradient>
        <linearGradient id="depth" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="var(--color-water)" stopOpacity="0.16" />
          <stop offset="1" stopColor="var(--color-water)" stopOpacity="0.02" />
        </linearGradient>
      </defs>
      <g className="animate-sunrise">
        <circle cx="800" cy="330" r="400" fill="url(#glow)" />
        <g className="stroke-sun" strokeWidth="1.5">
          {[188, 234, 288, 350, 420, 498].map((radius, index) => (
            <circle key={radius} cx="800" cy="330" r={radius} opacity={0.5 - index * 0.078} />
          ))}
        </g>
        <circle cx="800" cy="330" r="140" className="fill-sun" />
      </g>
      <rect x="-2400" y="440" width="6400" height="180" className="fill-sky" />
      <rect x="-2400" y="440" width="6400" height="180" fill="url(#depth)" />
      <path className="fill-sky" d="M440 442c180-8 210-128 360-128s180 120 360 128z" />
      <path className="fill-mound" d="M462 440c170-8 196-112 338-112s168 104 338 112z" />
      <path className="stroke-mound" strokeWidth="3" d="M-2400 440h6400" />
      <g className="stroke-sun" strokeWidth="5" strokeLinecap="round">
        {REFLECTION.map((width, index) => (
          <path
            key={index}
            d={`M${800 - width} ${462 + index * 19}h${width * 2}`}
            opacity={0.85 - index * 0.085}
            className={index % 2 ? 'animate-ripple-late' : 'animate-ripple'}
          />
        ))}
      </g>
      <g className="stroke-water" strokeWidth="2" strokeLinecap="round" opacity="0.5">
        <path d="M90 470h260M1230 468h300M210 506h150M1120 512h190M40 548h220M1330 556h230M330 566h120M1060 578h130M-640 472h330M-360 520h210M-720 562h240M1720 476h280M2060 524h300M1780 570h160" />
      </g>
    </svg>
  )
}
