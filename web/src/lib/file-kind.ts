/** What a file is to whoever looks at a list of them. */
export type FileKind = 'image' | 'pdf' | 'text' | 'sheet' | 'slides' | 'archive' | 'audio' | 'video' | 'other'

/** Pictures that the server gives to a page; SVG is a program and is only downloaded. */
const SHOWN = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])

const BY_TYPE: readonly [RegExp, FileKind][] = [
  [/^image\//, 'image'],
  [/^application\/pdf$/, 'pdf'],
  [/spreadsheet|excel|\/csv$|numbers/, 'sheet'],
  [/presentation|powerpoint|keynote/, 'slides'],
  [/zip|tar|compressed|rar|gzip|archive|bzip/, 'archive'],
  [/^audio\//, 'audio'],
  [/^video\//, 'video'],
  [/^text\/|wordprocessing|msword|opendocument\.text|rtf|json|xml/, 'text'],
]

/** By its type, which the server found in the content. */
export function fileKind(contentType: string): FileKind {
  return BY_TYPE.find(([pattern]) => pattern.test(contentType))?.[1] ?? 'other'
}

/** Whether it can be looked at here, without downloading it. */
export function previewOf(contentType: string): 'image' | 'pdf' | null {
  if (SHOWN.has(contentType)) return 'image'
  return contentType === 'application/pdf' ? 'pdf' : null
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** A size as people say it: "1.4 MB". Of 1024, as file managers count. */
export function sizeText(bytes: number, language: string): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** step
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step > 0 && value < 10 ? 1 : 0,
  }).format(value)
}
