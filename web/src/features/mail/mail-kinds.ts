/** What mails are for, in the order in which a customer gets them, and then what staff get. */
export const MAIL_KINDS = [
  'acknowledgement',
  'reply',
  'resolution',
  'survey',
  'notice',
  'digest',
  'alert',
  'test',
] as const

export type MailKind = (typeof MAIL_KINDS)[number]

/** The kind that an address names, or null. */
export function readMailKind(given: string | undefined): MailKind | null {
  return MAIL_KINDS.find((kind) => kind === given) ?? null
}

/** The languages for which there are built-in words. */
export const MAIL_LANGUAGES = ['en', 'de'] as const

/** The name under which the words explain a variable: `survey_link:1` has the same as `survey_link`. */
export function variableWord(name: string): string {
  return name.replace(/:.*$/, '').replaceAll('.', '_')
}

/** The variable without which mails of a kind are worth nothing. */
export const NEEDED_VARIABLES: Partial<Record<MailKind, string>> = {
  reply: 'comment.body',
  survey: 'survey_link',
  digest: 'notices',
  alert: 'alert.text',
}

/** What stands in a text as a variable and is none that such mails have, also where it is not closed. */
export function unknownVariables(text: string, known: readonly (string | null)[]): string[] {
  const found = [...text.matchAll(/\{\{([^{}]{0,60})/g)].map(([, name]) => name!.trim())
  return [...new Set(found)].filter((name) => !known.includes(name)).map((name) => `{{${name}}}`)
}

/** A variable in a text, in place of what is selected there, and where the cursor is then. */
export function withVariable(
  text: string,
  name: string,
  selection: { start: number; end: number },
): { text: string; cursor: number } {
  const variable = `{{${name}}}`
  return {
    text: text.slice(0, selection.start) + variable + text.slice(selection.end),
    cursor: selection.start + variable.length,
  }
}
