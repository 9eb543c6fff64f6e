const LONGEST = 40

/** A skill as it is kept, in lower case, so that services and agents mean the same; null for one that is too long. */
export function readSkill(text: string): { value: string } | null {
  const value = text.trim().toLowerCase()
  return value !== '' && [...value].length <= LONGEST ? { value } : null
}
