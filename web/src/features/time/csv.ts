/**
 * A table as a file of a spreadsheet. A cell that a spreadsheet would take for a formula is told to be a text, because
 * names and subjects are written by strangers.
 */
export function csvOf(rows: readonly (readonly (string | number)[])[]): string {
  // With a mark at its beginning, without which some read it in another encoding.
  return `\uFEFF${rows.map((row) => row.map(cellOf).join(',')).join('\r\n')}\r\n`
}

function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const text = /^[\s]*[=+\-@]|^[\t\r\n]/.test(value) ? `'${value}` : value
  return /[",;\r\n]|^'/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
