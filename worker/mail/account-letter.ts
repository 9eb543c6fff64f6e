import { english } from './english.ts'
import { german } from './german.ts'
import type { Letter } from './letter.ts'

/** What a mail about the own account is for. */
export type AccountMailPurpose =
  | 'invitation'
  | 'email_verification'
  | 'password_reset'
  | 'address_taken'
  | 'address_changed'
  | 'refresh_token_reused'
  | 'password_changed'
  | 'two_factor_on'
  | 'two_factor_off'
  | 'api_token_made'

/** What `app_private.account_mail_to_send` says: to whom, about what, and the token of the link where there is one. */
export interface AccountMail {
  purpose: AccountMailPurpose
  token: string | null
  writtenAt: string
  name: string
  /** Where the mail goes: for `address_changed` not the person's own address any more. */
  email: string
  locale: string
  timeZone: string
  organization: { slug: string; name: string }
}

/** What the words of a mail may name. */
export interface AccountFacts {
  name: string
  organization: string
  /** When it happened, as people of the language write it. */
  when: string
  /** Where the button leads. */
  link: string
}

/** A language that we write in. */
export interface AccountWords {
  language: string
  /** The locale of its dates. */
  dates: string
  letters: Record<AccountMailPurpose, (facts: AccountFacts) => Omit<Letter, 'language'>>
}

/** The mail in the person's language. */
export function accountLetter(mail: AccountMail, publicOrigin: string): Letter {
  const words = /^de\b/i.test(mail.locale) ? german : english
  return {
    language: words.language,
    ...words.letters[mail.purpose]({
      name: mail.name,
      organization: mail.organization.name,
      when: timeOf(mail, words.dates),
      link: `${publicOrigin}${pathOf(mail)}`,
    }),
  }
}

// What follows the # stays in the browser: it is in no log of a proxy and in no `Referer`.
function pathOf({ purpose, token, organization }: AccountMail): string {
  switch (purpose) {
    case 'invitation':
    case 'email_verification':
      return `/invitation#token=${token}`
    case 'password_reset':
      return `/reset#token=${token}`
    case 'address_taken':
    case 'address_changed':
    case 'refresh_token_reused':
    case 'password_changed':
    case 'two_factor_on':
    case 'two_factor_off':
    case 'api_token_made':
      return `/o/${organization.slug}`
  }
}

function timeOf({ writtenAt, timeZone }: AccountMail, dates: string): string {
  const write = (zone: string) =>
    `${new Intl.DateTimeFormat(dates, { dateStyle: 'long', timeStyle: 'short', timeZone: zone }).format(new Date(writtenAt))} (${zone})`
  try {
    return write(timeZone)
  } catch {
    // A zone that this machine does not know is no reason to keep a warning back.
    return write('UTC')
  }
}
