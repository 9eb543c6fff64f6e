/** As much as is looked for; whoever types on writes, and does not look for a prepared text any more. */
const LONGEST = 60

/** What is looked for before the caret: where its `::` stands, and the words after it. */
export function cannedBeingTyped(text: string, caret: number): { start: number; words: string } | null {
  const before = text.slice(Math.max(0, caret - LONGEST), caret)
  const words = /(?:^|[\s(])::([^:\n]*)$/u.exec(before)?.[1]
  if (words === undefined || /\s{2}$/.test(words)) return null
  return { start: caret - words.length - 2, words: words.trim() }
}

/** The text with a prepared one in place of what was typed to find it, and where the caret goes. */
export function withCanned(
  text: string,
  start: number,
  caret: number,
  body: string,
): { text: string; caret: number } {
  return { text: text.slice(0, start) + body + text.slice(caret), caret: start + body.length }
}

/** The text with `::` at the caret, ready to look for something, and where the caret goes. */
export function withCannedMark(text: string, caret: number): { text: string; caret: number } {
  const mark = caret === 0 || /\s$/.test(text.slice(0, caret)) ? '::' : ' ::'
  return { text: text.slice(0, caret) + mark + text.slice(caret), caret: caret + mark.length }
}
