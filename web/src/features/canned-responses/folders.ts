/** A folder as it is kept: its parts without blanks around them, none of them empty. */
export const tidyFolder = (typed: string): string =>
  typed
    .split('/')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('/')

/** What is listed folder by folder, in the order it came. */
export function byFolder<Entry extends { folder: string }>(
  entries: readonly Entry[],
): { folder: string; entries: Entry[] }[] {
  const folders: { folder: string; entries: Entry[] }[] = []
  for (const entry of entries) {
    const last = folders.at(-1)
    if (last?.folder === entry.folder) last.entries.push(entry)
    else folders.push({ folder: entry.folder, entries: [entry] })
  }
  return folders
}
