import { useMemo } from 'react'
import { encode } from 'uqr'

/** The rim of light a reader needs around the code, in modules: the standard's four. */
const QUIET = 4

/**
 * A text as a picture for a phone's camera. Dark on light in both themes: many readers do not see a code the other way
 * round.
 */
export function QrCode({ text, label, className }: { text: string; label: string; className?: string }) {
  const { size, path } = useMemo(() => {
    const { data, size } = encode(text, { ecc: 'M', border: QUIET })
    // One rectangle for each run of a line, so that no seam shows between modules.
    const path = data
      .map((line, y) =>
        [...runsOf(line)].map(([start, length]) => `M${start} ${y}h${length}v1h-${length}z`).join(''),
      )
      .join('')
    return { size, path }
  }, [text])
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      className={className}
    >
      <g className="scheme-light">
        <path className="fill-raised" d={`M0 0h${size}v${size}h-${size}z`} />
        <path className="fill-text" d={path} />
      </g>
    </svg>
  )
}

function* runsOf(line: readonly boolean[]): Generator<[start: number, length: number]> {
  for (let start = 0; start < line.length; start += 1) {
    if (!line[start]) continue
    let end = start
    while (line[end]) end += 1
    yield [start, end - start]
    start = end
  }
}
