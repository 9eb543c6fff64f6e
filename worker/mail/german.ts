import type { AccountFacts, AccountWords } from './account-letter.ts'

const frame = ({ name, organization }: AccountFacts) => ({
  greeting: `Guten Tag ${name},`,
  footer: `Diese Nachricht hat der Helpdesk von ${organization} selbsttätig geschrieben. Antworten darauf liest niemand.`,
})

const signIn = ({ link }: AccountFacts) => ({ label: 'Anmelden', link })

export const german: AccountWords = {
  language: 'de',
  dates: 'de-DE',
  letters: {
    invitation: (facts) => ({
      ...frame(facts),
      subject: `Ihr Konto beim Helpdesk von ${facts.organization}`,
      before: [
        `Sie sind zum Helpdesk von ${facts.organization} eingeladen. Wählen Sie ein Passwort, und Sie sind dabei.`,
      ],
      button: { label: 'Einladung annehmen', link: facts.link },
      after: [
        'Der Link gilt einmal und 7 Tage lang. Wenn Sie keine Einladung erwartet haben, müssen Sie nichts tun.',
      ],
    }),
    email_verification: (facts) => ({
      ...frame(facts),
      greeting: 'Guten Tag,',
      subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${facts.organization}`,
      before: [
        `Mit dieser E-Mail-Adresse hat jemand beim Helpdesk von ${facts.organization} um ein Konto gebeten. Wenn Sie das waren, folgen Sie dem Link: Er bestätigt die Adresse, und Sie wählen ein Passwort.`,
      ],
      button: { label: 'Adresse bestätigen', link: facts.link },
      after: [
        'Der Link gilt einmal und einen Tag lang. Wenn Sie es nicht waren, tun Sie nichts, und niemand kommt hinein.',
      ],
    }),
    password_reset: (facts) => ({
      ...frame(facts),
      subject: `Ein neues Passwort für ${facts.organization}`,
      before: [
        `Jemand, wahrscheinlich Sie, hat ein neues Passwort für Ihr Konto beim Helpdesk von ${facts.organization} angefordert.`,
      ],
      button: { label: 'Neues Passwort wählen', link: facts.link },
      after: [
        'Der Link gilt einmal und eine Stunde lang. Wenn Sie es nicht waren, tun Sie nichts, und Ihr Passwort bleibt, wie es ist.',
      ],
    }),
    address_taken: (facts) => ({
      ...frame(facts),
      subject: `Sie haben schon ein Konto bei ${facts.organization}`,
      before: [
        `Jemand, wahrscheinlich Sie, wollte sich mit dieser E-Mail-Adresse beim Helpdesk von ${facts.organization} registrieren. Sie haben dort schon ein Konto.`,
      ],
      button: signIn(facts),
      after: [
        'Wenn Sie Ihr Passwort vergessen haben, fordern Sie dort ein neues an. Wenn Sie es nicht waren, müssen Sie nichts tun: Es wurde nichts geändert.',
      ],
    }),
    address_changed: (facts) => ({
      ...frame(facts),
      subject: `Die E-Mail-Adresse Ihres Kontos bei ${facts.organization} wurde geändert`,
      before: [
        `Ihr Konto beim Helpdesk von ${facts.organization} hat seit dem ${facts.when} eine andere E-Mail-Adresse. Dies ist die letzte Nachricht, die hierher geht, und Links, die hierher geschickt wurden, gelten nicht mehr.`,
      ],
      button: signIn(facts),
      after: ['Wenn es weder Sie noch Ihre Administration waren, sagen Sie es ihr sofort.'],
    }),
    refresh_token_reused: (facts) => ({
      ...frame(facts),
      subject: `Eine Ihrer Anmeldungen bei ${facts.organization} wurde beendet`,
      before: [
        `Was Sie beim Helpdesk von ${facts.organization} angemeldet hält, wurde am ${facts.when} von zwei Stellen aus benutzt. Das geschieht, wenn jemand es kopiert hat. Darum wurde diese Anmeldung überall beendet.`,
      ],
      button: signIn(facts),
      after: [
        'Ihr Profil zeigt, wo Sie sonst noch angemeldet sind. Wenn Sie nicht wissen, wie es dazu kam, ändern Sie dort Ihr Passwort und sagen Sie es Ihrer Administration.',
      ],
    }),
    password_changed: (facts) => ({
      ...frame(facts),
      subject: `Ihr Passwort bei ${facts.organization} wurde geändert`,
      before: [
        `Das Passwort Ihres Kontos beim Helpdesk von ${facts.organization} wurde am ${facts.when} geändert. Ihre anderen Anmeldungen sind damit beendet.`,
      ],
      button: signIn(facts),
      after: [
        'Wenn Sie es nicht waren, fordern Sie dort sofort ein neues Passwort an und sagen Sie es Ihrer Administration.',
      ],
    }),
    two_factor_on: (facts) => ({
      ...frame(facts),
      subject: `Die Anmeldung mit zwei Faktoren bei ${facts.organization} ist eingeschaltet`,
      before: [
        `Seit dem ${facts.when} fragt eine Anmeldung mit Ihrem Konto beim Helpdesk von ${facts.organization} außer nach dem Passwort nach einem Einmalcode.`,
      ],
      button: signIn(facts),
      after: [
        'Bewahren Sie die Wiederherstellungscodes so auf, dass Sie sie ohne Ihr Telefon finden. Wenn Sie es nicht waren, sagen Sie es sofort Ihrer Administration.',
      ],
    }),
    two_factor_off: (facts) => ({
      ...frame(facts),
      subject: `Die Anmeldung mit zwei Faktoren bei ${facts.organization} ist ausgeschaltet`,
      before: [
        `Seit dem ${facts.when} fragt eine Anmeldung mit Ihrem Konto beim Helpdesk von ${facts.organization} nach keinem Einmalcode mehr. Die Wiederherstellungscodes sind nichts mehr wert.`,
      ],
      button: signIn(facts),
      after: [
        'Wenn es weder Sie noch Ihre Administration waren, ändern Sie sofort Ihr Passwort und sagen Sie es ihr.',
      ],
    }),
    api_token_made: (facts) => ({
      ...frame(facts),
      subject: `Ein neues API-Token in Ihrem Namen bei ${facts.organization}`,
      before: [
        `Am ${facts.when} hat jemand, der als Sie angemeldet war, beim Helpdesk von ${facts.organization} ein API-Token erstellt. Damit kommt ein Programm in Ihrem Namen hinein.`,
      ],
      button: signIn(facts),
      after: [
        'Ihr Profil zeigt alle. Wenn Sie es nicht waren, widerrufen Sie es dort, beenden Sie Ihre anderen Anmeldungen, ändern Sie Ihr Passwort und sagen Sie es Ihrer Administration.',
      ],
    }),
  },
}
