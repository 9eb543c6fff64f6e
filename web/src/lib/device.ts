/** What a browser or program called itself, as far as it is worth telling a person. */
export interface Device {
  /** What draws it: a phone or tablet held in the hand, a computer, or a program without a screen. */
  kind: 'handheld' | 'computer' | 'program'
  /** The browser's or program's name, which is the same in every language. */
  name: string | null
  system: string | null
}

// In this order: most browsers also call themselves what they want to be taken for.
const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const SYSTEMS: [RegExp, string, Device['kind']][] = [
  [/\biPhone\b/, 'iPhone', 'handheld'],
  [/\biPad\b/, 'iPad', 'handheld'],
  [/\bAndroid\b/, 'Android', 'handheld'],
  [/\bWindows\b/, 'Windows', 'computer'],
  [/\bCrOS\b/, 'ChromeOS', 'computer'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS', 'computer'],
  [/\bLinux\b|\bX11\b/, 'Linux', 'computer'],
]

/** What a browser or program is, as far as it says so itself: enough to know one's own devices, no more. */
export function deviceOf(userAgent: string | null): Device {
  const text = userAgent ?? ''
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1] ?? null
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))
  if (browser === null && system === undefined) {
    // "curl/8.5.0", "python-requests/2.31": the first word is its name.
    return { kind: 'program', name: /^[\w.-]{1,40}(?=\/|\s|$)/.exec(text)?.[0] ?? null, system: null }
  }
  return { kind: system?.[2] ?? 'computer', name: browser, system: system?.[1] ?? null }
}
