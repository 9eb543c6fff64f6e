/** What is written to somebody, still without a shape. All of it is text, and none of it markup. */
export interface Letter {
  /** The language's BCP 47 tag. */
  language: string
  subject: string
  greeting: string
  before: string[]
  button: { label: string; link: string }
  after: string[]
  footer: string
}

/** The letter for readers of plain text. */
export function asText({ greeting, before, button, after, footer }: Letter): string {
  const paragraphs = [greeting, ...before, `${button.label}:\n${button.link}`, ...after, `-- \n${footer}`]
  return `${paragraphs.join('\n\n')}\n`
}

/**
 * The same as HTML. Nothing in it is fetched from anywhere, so that opening a mail tells nobody, and its link is shown
 * in full as well, so that one can see where it leads.
 */
export function asHtml({ language, subject, greeting, before, button, after, footer }: Letter): string {
  const paragraph = (text: string) => `<p>${escaped(text)}</p>`
  return [
    '<!doctype html>',
    `<html lang="${escaped(language)}">`,
    `<head><meta charset="utf-8"><title>${escaped(subject)}</title></head>`,
    '<body style="font-family: system-ui, sans-serif; font-size: 16px; line-height: 1.5; max-width: 36em">',
    ...[greeting, ...before].map(paragraph),
    `<p><a href="${escaped(button.link)}" style="font-weight: bold">${escaped(button.label)}</a><br>`,
    `<small style="overflow-wrap: anywhere">${escaped(button.link)}</small></p>`,
    ...after.map(paragraph),
    `<p><small>${escaped(footer)}</small></p>`,
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
