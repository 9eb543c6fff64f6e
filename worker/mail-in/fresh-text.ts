import EmailReplyParser from 'email-reply-parser'

/** What somebody wrote, and what the mail repeated of earlier ones or carries in every mail. */
export interface SplitText {
  fresh: string
  /** What was cut off, quotes and signature; empty where nothing was. */
  quoted: string
}

// Patterns look at one line, or at few that belong together, and none of them goes back over what it has seen: what a
// stranger sends must not keep the worker busy.
const mostLinesOfAttribution = 4
/** Longer than any person writes by hand, and more than the library is given to look at. */
const mostForLibrary = 20_000

const marker = /^[\s>|*]*##-.{0,200}-##/
const quote = /^\s{0,3}[>|]/
const originalMessage =
  /^[\s>*_]*-{2,}\s?(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht|oprindelig besked|исходное сообщение|原始邮件)\s?-{2,}[\s*_]*$/i
const forwardMark =
  /^[\s>*]*(-{3,}\s?(forwarded message|original forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht)( from .{0,100})?\s?-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message réexpédié\s?:)[\s*]*$/i
const forwardSubject = /^\s*(fwd?|wg|tr|rv|i|vs|doorst|enc|pd|转发)\s*[:：]/i

/** The header lines that mail programs put above what they quote, by what they say. */
const quotedHeaders = [
  /^(from|von|de|da|van|fra|från|od|от|发件人|差出人)\s?[:：]/i,
  /^(sent|gesendet|date|datum|envoyé|enviado( el)?|enviada|inviato|verzonden|sendt|skickat|data|fecha|wysłano|отправлено|дата|发送时间|送信日時)\s?[:：]/i,
  /^(to|an|à|para|a|aan|til|till|do|кому|收件人|宛先)\s?[:：]/i,
  /^(subject|betreff|objet|asunto|assunto|oggetto|onderwerp|emne|ämne|temat|тема|主题|件名)\s?[:：]/i,
] as const

type Attribution = readonly [begins: RegExp, ends: RegExp]

/** How the line before a quote begins and ends, by language. */
const attributions: readonly Attribution[] = [
  [/^(on|at)\s/i, /\bwrote\s?:$/i],
  [/^am\s/i, /\bschrieb\b.{0,200}:$/i],
  [/^le\s/i, /\ba écrit\s?:$/i],
  [/^el\s/i, /\bescribió\s?:$/i],
  [/^il\s/i, /\bha scritto\s?:$/i],
  [/^em\s/i, /\bescreveu\s?:$/i],
  [/^op\s/i, /\bschreef\b.{0,200}:$/i],
  [/^(den|man|tir|ons|tor|fre|lör|lør|sön|søn)\b/i, /\bskrev\b.{0,200}:$/i],
  [/^(w dniu|dnia)\s/i, /\bnapisał(\(a\)|a)?\s?:$/i],
  [/^\d{4}[-./年]/, /<[^<>\s]+@[^<>\s]+>\s?[:：]$/],
  [/^在\s?/, /写道[:：]$/],
]
/** And where the name comes first. */
const namedAttributions: readonly Attribution[] = [
  [/^\S/, /<[^<>\s]+@[^<>\s]+>\s(schrieb|wrote|a écrit)\b.{0,120}:$/i],
  [/^\S/, /\b(wrote|schrieb) (on|am) .{5,80}:$/i],
]

const mobileSignature =
  /^(sent from (my|yahoo|outlook|mail|proton)\b.{0,80}|sent with .{0,60}(secure email|mobile app)\.?|get outlook for .{1,60}|von meinem .{1,60} gesendet\.?|gesendet (von|mit|aus) .{1,80}|diese nachricht wurde von meinem .{1,100} gesendet\.?|envoyé (de|depuis) mon .{1,60}|enviado desde mi .{1,60}|inviato da(l mio)? .{1,60}|verstuurd vanaf mijn .{1,60}|skickat från min .{1,60}|please excuse my brevity\.?)$/i

/** Whether a mail hands on what somebody else wrote, which then is what it is about. */
export function isForwarded(text: string, subject: string): boolean {
  if (forwardSubject.test(subject)) return true
  const lines = linesOf(text)
  const start = lines.findIndex((line) => forwardMark.test(line))
  // Deep in what is quoted it was handed on by somebody earlier.
  return start >= 0 && start < cutOf(lines)
}

/** Parts what somebody wrote from what the mail repeats. Nothing is lost: what is not fresh is quoted. */
export function splitText(text: string, subject: string): SplitText {
  const whole = tidy(text)
  if (isForwarded(whole, subject)) return { fresh: whole, quoted: '' }

  const lines = linesOf(whole)
  const bottom = answerBelow(lines)
  if (bottom) return settled(bottom.fresh, bottom.quoted, whole)

  const cut = cutOf(lines)
  const above = lines.slice(0, cut).join('\n')
  const below = lines.slice(cut).join('\n')
  const { kept, signature } = withoutSignature(above)
  return settled(kept, [signature, below].filter((part) => part.trim()).join('\n\n'), whole)
}

/** What nothing would be left of stays as it is. */
function settled(fresh: string, quoted: string, whole: string): SplitText {
  const kept = tidy(fresh)
  return kept ? { fresh: kept, quoted: tidyEnd(quoted) } : { fresh: '', quoted: tidyEnd(quoted) || whole }
}

/** The line at which the mail begins to repeat; the number of lines where it does not. */
function cutOf(lines: readonly string[]): number {
  const from = lines.findIndex(
    (line, at) => originalMessage.test(line) || marker.test(line) || startsHeaders(lines, at),
  )
  let cut = from < 0 ? trailingQuote(lines) : from
  // Of two ways to quote, the first one.
  cut = Math.min(cut, trailingQuote(lines.slice(0, cut)), attributionBeforeEnd(lines, cut))
  while (cut > 0 && /^[\s_>|-]*$/.test(lines[cut - 1]!)) cut -= 1
  cut = Math.min(cut, attributionBeforeEnd(lines, cut))
  return cut
}

/** Where the headers of a quoted mail stand: three of four in a row, the first one of them its sender or date. */
function startsHeaders(lines: readonly string[], at: number): boolean {
  const bare = (line: string) =>
    line
      .replace(/^[\s>|]*\*{0,2}/, '')
      .replace(/\*{1,2}\s?[:：]\*{0,2}/, ':')
      .replace(/[:：]\*{1,2}/, ':')
  const first = bare(lines[at]!)
  if (!quotedHeaders[0].test(first) && !quotedHeaders[1].test(first)) return false
  const seen = new Set<number>()
  for (const line of lines.slice(at, at + 8)) {
    const which = quotedHeaders.findIndex((header) => header.test(bare(line)))
    if (which >= 0) seen.add(which)
  }
  return seen.has(0) && seen.size >= 3
}

/** The line at which a quote begins that goes on until the end, with the line that says whose it is. */
function trailingQuote(lines: readonly string[]): number {
  let start = lines.length
  let quotes = 0
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const line = lines[at]!
    if (quote.test(line)) {
      quotes += 1
      start = at
    } else if (line.trim()) {
      break
    }
  }
  if (quotes === 0) return lines.length
  return attributionBeforeEnd(lines, start)
}

/** Where the words stand that introduce a quote which begins at a line; that line where there are none. */
function attributionBeforeEnd(lines: readonly string[], start: number): number {
  let end = start
  while (end > 0 && !lines[end - 1]!.trim()) end -= 1
  for (const kinds of [attributions, namedAttributions]) {
    let words = ''
    for (let from = end - 1; from >= 0 && from >= end - mostLinesOfAttribution; from -= 1) {
      const line = lines[from]!.replace(/^[\s>|]*/, '').trim()
      if (!line) break
      words = `${line} ${words}`.trim()
      if (words.length > 600) break
      if (kinds.some(([begins, ends]) => begins.test(words) && ends.test(words))) return from
    }
  }
  return start
}

/** An answer under a quote that is whole; undefined where the mail is anything else. */
function answerBelow(lines: readonly string[]): SplitText | undefined {
  const first = lines.findIndex((line) => quote.test(line))
  if (first < 0 || attributionBeforeEnd(lines, first) !== firstWords(lines)) return undefined
  let end = first
  while (end < lines.length && (quote.test(lines[end]!) || !lines[end]!.trim())) end += 1
  const rest = lines.slice(end)
  if (rest.length === 0 || rest.some((line) => quote.test(line) || originalMessage.test(line)))
    return undefined
  const { kept, signature } = withoutSignature(rest.join('\n'))
  return {
    fresh: kept,
    quoted: [lines.slice(0, end).join('\n'), signature].filter((part) => part.trim()).join('\n\n'),
  }
}

const firstWords = (lines: readonly string[]) => lines.findIndex((line) => line.trim())

function withoutSignature(text: string): { kept: string; signature: string } {
  const lines = linesOf(text)
  // RFC 3676: two dashes and a space. Programs lose the space.
  const dashes = lines.findIndex((line) => /^--\s?$/.test(line))
  let end = dashes < 0 ? lines.length : dashes
  let last = end
  while (last > 0 && !lines[last - 1]!.trim()) last -= 1
  if (last > 0 && mobileSignature.test(lines[last - 1]!.trim())) end = last - 1
  const kept = lines.slice(0, end).join('\n')
  const signature = lines.slice(end).join('\n')
  if (!kept.trim() || kept.length > mostForLibrary) return { kept, signature }

  const visible = new EmailReplyParser().read(kept).getVisibleText()
  // What it keeps is the beginning: anything else would be out of order.
  if (!visible.trim() || !kept.startsWith(visible.trimEnd())) return { kept, signature }
  const hidden = kept.slice(visible.trimEnd().length)
  return { kept: visible, signature: [hidden, signature].filter((part) => part.trim()).join('\n') }
}

const linesOf = (text: string) => text.split('\n')
const tidyEnd = (text: string) => text.replace(/^\s*\n/, '').trimEnd()
const tidy = (text: string) =>
  text
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    // Marks of the order of bytes, and what joins nothing, in the middle of a text.
    .replaceAll(/[\uFEFF\u200B]/g, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replaceAll(/\n{4,}/g, '\n\n\n')
    .replace(/^\n+/, '')
    .trimEnd()
