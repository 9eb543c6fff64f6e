const CAP = 100

/** A count as the server makes it: up to a hundred, and beyond that only that there are more. */
export function countOf(count: number, language: string): string {
  const digits = new Intl.NumberFormat(language)
  return count > CAP ? `${digits.format(CAP)}+` : digits.format(count)
}
