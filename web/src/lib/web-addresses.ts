export interface TextPart {
  text: string
  /** Where it leads, when it is an address: always http or https. */
  href?: string
}

/** Longer than any address somebody wants to follow; beyond it the text stays text. */
const LONGEST = 2_048

// Ends at what no address contains, at quotes and brackets in any script, and at the invisible characters that could
// make it look like another one (a backslash too: browsers read it as a slash).
const ADDRESS =
  /(?<![\p{L}\p{N}_])https?:\/\/[^\s\p{Cc}\p{Cf}<>"`{}|\\^“”„‟‘’‚‛«»‹›「」『』【】〈〉《》（）［］、。，；：！？…]+/giu

const CLOSING: Record<string, string> = { ')': '(', ']': '[' }
const TRAILING = new Set('.,;:!?\'"*')

/**
 * Splits what a person wrote into plain text and http(s) addresses; put together, the parts are the text again. The
 * sentence's own punctuation and a bracket that was opened before the address stay outside of it.
 */
export function splitAddresses(text: string): TextPart[] {
  const parts: TextPart[] = []
  let plain = 0
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(match[0])
    const href = hrefOf(address)
    if (href === null) continue
    if (match.index > plain) parts.push({ text: text.slice(plain, match.index) })
    parts.push({ text: address, href })
    plain = match.index + address.length
  }
  if (plain < text.length) parts.push({ text: text.slice(plain) })
  return parts
}

function withoutTrailing(address: string): string {
  const surplus: Record<string, number> = {}
  for (const character of address) surplus[character] = (surplus[character] ?? 0) + 1
  let end = address.length
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1)
    const opening = CLOSING[last]
    if (opening) {
      // "…/Atum_(god)" keeps its bracket, "(see …/Atum)" does not.
      if ((surplus[last] ?? 0) <= (surplus[opening] ?? 0)) break
      surplus[last] = (surplus[last] ?? 0) - 1
    } else if (!TRAILING.has(last)) break
  }
  return address.slice(0, end)
}

function hrefOf(address: string): string | null {
  if (address.length > LONGEST || !URL.canParse(address)) return null
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null
  // "https://bank.example@evil.example" leads to the second name and reads like the first.
  if (url.username !== '' || url.password !== '') return null
  return url.href
}
