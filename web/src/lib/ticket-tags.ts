/** As many as the server takes on a ticket, and as long. */
export const TAGS_LIMIT = 30
export const TAG_LENGTH_LIMIT = 40

/** The tags in what was typed: one, or several with commas between them, written as the server keeps them. */
export function readTags(typed: string): string[] {
  const tags = typed.split(',').map((tag) => tag.trim().replace(/\s+/g, ' ').toLowerCase())
  return [...new Set(tags.filter((tag) => tag !== ''))]
}

/** What is wrong with tags that are to be added to others, if anything. */
export function tagsFault(
  added: readonly string[],
  present: readonly string[],
): 'long' | 'quoted' | 'many' | null {
  if (added.some((tag) => [...tag].length > TAG_LENGTH_LIMIT)) return 'long'
  if (added.some((tag) => /"/.test(tag))) return 'quoted'
  return new Set([...present, ...added]).size > TAGS_LIMIT ? 'many' : null
}
