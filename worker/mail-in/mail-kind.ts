/** What a mail is, as far as it says: of a person, or of a machine that wants no answer. */
export type MailKind = 'person' | 'auto_reply' | 'bulk' | 'mailing_list' | 'bounce' | 'complaint'

/** What of a mail tells its kind. Header names are in lower case. */
export interface MailSigns {
  header: (name: string) => string | undefined
  subject: string
  fromAddress: string
  /** The media type of the whole, and its `report-type`. */
  contentType: string
  reportType: string
}

const absent =
  /^\s*((re|aw)\s*:\s*)?(automatic reply|auto(matic)?[ -]?reply|autoresponse|auto[ -]?response|out of (the )?office( reply| autoreply| message)?\s*[:!-]|out of (the )?office$|abwesenheits(notiz|nachricht|meldung|assistent)|automatische (antwort|abwesenheitsnotiz)|abwesend\s*[:!-]|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|risposta automatica|fuori sede|automatisch antwoord|afwezig\s*[:!-]|resposta automática|automatsvar|autosvar|autom\. svar|自動応答|自动回复)/i
const returned =
  /^\s*(undeliver|delivery (status notification|failure|has failed)|mail delivery (failed|failure|system)|returned mail|failure notice|message (not delivered|delivery failure)|unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|non remis|no se puede entregar)/i

/** Tells by its headers whether a person wrote a mail (RFC 3834, RFC 3464, RFC 5965, and what programs do besides). */
export function kindOf({ header, subject, fromAddress, contentType, reportType }: MailSigns): MailKind {
  const isReport = contentType === 'multipart/report'
  if (isReport && reportType === 'feedback-report') return 'complaint'
  const fromMailSystem =
    /^(mailer-daemon|mail-daemon|postmaster)@/i.test(fromAddress) ||
    /^\s*<>\s*$/.test(header('return-path') ?? '')
  if (isReport && reportType === 'delivery-status') return 'bounce'
  if (
    header('x-failed-recipients') ||
    (fromMailSystem && returned.test(subject)) ||
    /^mailer-daemon@/i.test(fromAddress)
  )
    return 'bounce'

  const submitted = header('auto-submitted')?.trim().toLowerCase()
  if (submitted && !/^no\b/.test(submitted)) return 'auto_reply'
  if (header('x-autoreply') || header('x-autorespond') || header('x-autoresponder') || header('x-auto-reply'))
    return 'auto_reply'
  // A read receipt, and whatever else reports.
  if (isReport || absent.test(subject)) return 'auto_reply'

  const precedence = header('precedence')?.trim().toLowerCase() ?? ''
  if (/^auto[_-]?reply/.test(precedence)) return 'auto_reply'
  // What a list sends says also that it is bulk.
  if (header('list-id') && (header('list-post') || precedence === 'list')) return 'mailing_list'
  if (precedence === 'bulk' || precedence === 'junk') return 'bulk'
  if (precedence === 'list' || header('list-id')) return 'mailing_list'
  return 'person'
}
