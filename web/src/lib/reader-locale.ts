import { currentSession } from './session.ts'

/**
 * The language of the page as its reader writes it: a page in English has British dates for who reads en-GB, and
 * American ones only for who reads en-US or says no more than English.
 */
export function localeFor(language: string, wanted: readonly (string | null)[]): string {
  const sameLanguage = (candidate: string | null): candidate is string =>
    candidate !== null && candidate !== language && candidate.split('-')[0] === language.split('-')[0]
  return wanted.find(sameLanguage) ?? language
}

/** How dates are written for whoever is here, in the language of the page. */
export function readerLocale(language: string): string {
  const session = currentSession()
  const own = session.status === 'signed-in' ? session.user.locale : null
  return localeFor(language, [own, ...navigator.languages])
}
