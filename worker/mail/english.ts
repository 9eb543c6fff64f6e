import type { AccountFacts, AccountWords } from './account-letter.ts'

const frame = ({ name, organization }: AccountFacts) => ({
  greeting: `Hello ${name},`,
  footer: `The help desk of ${organization} wrote this by itself. Nobody reads answers to it.`,
})

const signIn = ({ link }: AccountFacts) => ({ label: 'Sign in', link })

export const english: AccountWords = {
  language: 'en',
  dates: 'en-GB',
  letters: {
    invitation: (facts) => ({
      ...frame(facts),
      subject: `Your account at the help desk of ${facts.organization}`,
      before: [
        `You are invited to the help desk of ${facts.organization}. Choose a password and you are in.`,
      ],
      button: { label: 'Accept the invitation', link: facts.link },
      after: ['The link works once, and for 7 days. If you expected no invitation, you need do nothing.'],
    }),
    email_verification: (facts) => ({
      ...frame(facts),
      // Without the name: whoever typed it in may not be the one who has the address.
      greeting: 'Hello,',
      subject: `Confirm your mail address for ${facts.organization}`,
      before: [
        `Somebody asked for an account with this mail address at the help desk of ${facts.organization}. If that was you, follow the link: it confirms the address, and you choose a password.`,
      ],
      button: { label: 'Confirm the address', link: facts.link },
      after: ['The link works once, and for one day. If it was not you, do nothing, and nobody gets in.'],
    }),
    password_reset: (facts) => ({
      ...frame(facts),
      subject: `A new password for ${facts.organization}`,
      before: [
        `Somebody, probably you, asked for a new password for your account at the help desk of ${facts.organization}.`,
      ],
      button: { label: 'Choose a new password', link: facts.link },
      after: [
        'The link works once, and for one hour. If it was not you, do nothing, and your password stays as it is.',
      ],
    }),
    address_taken: (facts) => ({
      ...frame(facts),
      subject: `You have an account at ${facts.organization} already`,
      before: [
        `Somebody, probably you, tried to register with this mail address at the help desk of ${facts.organization}. You have an account there already.`,
      ],
      button: signIn(facts),
      after: [
        'If you forgot your password, ask for a new one there. If it was not you, you need do nothing: nothing was changed.',
      ],
    }),
    address_changed: (facts) => ({
      ...frame(facts),
      subject: `The mail address of your account at ${facts.organization} was changed`,
      before: [
        `Your account at the help desk of ${facts.organization} has had another mail address since ${facts.when}. This is the last message that comes here, and links that were sent here work no more.`,
      ],
      button: signIn(facts),
      after: ['If it was neither you nor your administrator, tell your administrator at once.'],
    }),
    refresh_token_reused: (facts) => ({
      ...frame(facts),
      subject: `A login of yours at ${facts.organization} was ended`,
      before: [
        `What keeps you logged in at the help desk of ${facts.organization} was used from two places, on ${facts.when}. That happens when somebody has copied it, so this login was ended everywhere.`,
      ],
      button: signIn(facts),
      after: [
        'Your profile shows where else you are logged in. If you do not know how this came about, change your password there and tell your administrator.',
      ],
    }),
    password_changed: (facts) => ({
      ...frame(facts),
      subject: `Your password at ${facts.organization} was changed`,
      before: [
        `The password of your account at the help desk of ${facts.organization} was changed on ${facts.when}. Your other logins ended with it.`,
      ],
      button: signIn(facts),
      after: ['If it was not you, ask there for a new password at once, and tell your administrator.'],
    }),
    two_factor_on: (facts) => ({
      ...frame(facts),
      subject: `Two-factor login at ${facts.organization} is on`,
      before: [
        `Since ${facts.when} a login to your account at the help desk of ${facts.organization} asks for a one-time code besides the password.`,
      ],
      button: signIn(facts),
      after: [
        'Keep the recovery codes where you find them without your phone. If it was not you, tell your administrator at once.',
      ],
    }),
    two_factor_off: (facts) => ({
      ...frame(facts),
      subject: `Two-factor login at ${facts.organization} is off`,
      before: [
        `Since ${facts.when} a login to your account at the help desk of ${facts.organization} asks for no one-time code. The recovery codes are worth nothing any more.`,
      ],
      button: signIn(facts),
      after: ['If it was neither you nor your administrator, change your password at once, and tell them.'],
    }),
    api_token_made: (facts) => ({
      ...frame(facts),
      subject: `A new API token in your name at ${facts.organization}`,
      before: [
        `On ${facts.when} somebody who was logged in as you made an API token at the help desk of ${facts.organization}. A program gets in with it in your name.`,
      ],
      button: signIn(facts),
      after: [
        'Your profile shows all of them. If it was not you, revoke it there, end your other logins, change your password, and tell your administrator.',
      ],
    }),
  },
}
