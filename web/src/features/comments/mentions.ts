export interface Mentionable {
  rowId: string
  name: string
}

/** As far back as a name is looked for; longer ones are picked before they are typed out. */
const LONGEST = 60

/** The mention that is being typed before the caret: where its `@` stands, and what follows it. */
export function mentionBeingTyped(text: string, caret: number): { start: number; words: string } | null {
  const before = text.slice(Math.max(0, caret - LONGEST), caret)
  const typed = /(?:^|[\s(])@([^@\n]*)$/u.exec(before)?.[1]
  if (typed === undefined || /^\s/.test(typed)) return null
  return { start: caret - typed.length - 1, words: typed }
}

/** Whose name goes on as it is typed: by any of its words, as people remember either name. */
export function matching<Person extends Mentionable>(people: readonly Person[], words: string): Person[] {
  const typed = words.toLocaleLowerCase()
  return people.filter(({ name }) => {
    const lower = name.toLocaleLowerCase()
    return lower.startsWith(typed) || lower.split(/\s+/).some((word) => word.startsWith(typed))
  })
}

/** The text with a picked name in place of what was typed of it, and where the caret goes. */
export function withMention(
  text: string,
  start: number,
  caret: number,
  name: string,
): { text: string; caret: number } {
  const after = text.slice(caret)
  const space = /^\s/.test(after) ? '' : ' '
  return { text: `${text.slice(0, start)}@${name}${space}${after}`, caret: start + name.length + 2 }
}

/** Who is called by name in a text. Longer names first: in "@Ann Lee" nobody calls Ann. */
export function mentionedIn<Person extends Mentionable>(text: string, people: readonly Person[]): Person[] {
  let rest = text
  return [...people]
    .sort((one, other) => other.name.length - one.name.length)
    .filter(({ name }) => {
      const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      const called = new RegExp(`(?<=^|[\\s(])@${literal}(?![\\p{L}\\p{N}])`, 'giu')
      const without = rest.replace(called, '')
      const isCalled = without !== rest
      rest = without
      return isCalled
    })
}
