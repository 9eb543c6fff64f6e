import { useMemo } from 'react'
import { splitAddresses } from '../lib/web-addresses.ts'

/** What a person wrote, as text; only its http and https addresses can be followed, in a tab of their own. */
export function WrittenText({ children }: { children: string }) {
  const parts = useMemo(() => splitAddresses(children), [children])
  return parts.map((part, index) =>
    part.href === undefined ? (
      part.text
    ) : (
      <a
        key={index}
        href={part.href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        // An address reads from left to right in any language.
        dir="ltr"
        className="rounded-sm text-accent-text underline decoration-1 underline-offset-2 hover:decoration-2"
      >
        {part.text}
      </a>
    ),
  )
}
