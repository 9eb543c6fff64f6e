/** What is typed for the settings, as it stands in the fields. */
export interface TypedSettings {
  megabytes: string
  files: string
  retentionDays: string
}

/** The settings as the server keeps them. */
export interface KeptSettings {
  maxFileBytes: number
  maxFilesPerComment: number
  retentionDays: number | null
}

export const MEGABYTE = 1024 * 1024
export const MOST_MEGABYTES = 1024
export const MOST_FILES = 50
export const MOST_DAYS = 36_500
/** What the server takes at most in a list of types. */
export const TYPES_LIMIT = 100

/** As it is typed: of a size that is no whole number of megabytes, two digits. */
export const asTyped = ({
  maxFileBytes,
  maxFilesPerComment,
  retentionDays,
}: KeptSettings): TypedSettings => ({
  megabytes: String(Math.round((maxFileBytes / MEGABYTE) * 100) / 100),
  files: String(maxFilesPerComment),
  retentionDays: retentionDays === null ? '' : String(retentionDays),
})

const whole = (text: string, most: number): number | null => {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN
  return number >= 1 && number <= most ? number : null
}

/** Each as the server keeps it, or `fault`. A comma is a point to half of those who type numbers. */
export function readSettings(typed: TypedSettings): {
  [Name in keyof KeptSettings]: KeptSettings[Name] | 'fault'
} {
  const text = typed.megabytes.trim().replace(',', '.')
  const megabytes = /^\d{1,4}(\.\d{1,2})?$/.test(text) ? Number(text) : Number.NaN
  return {
    maxFileBytes: megabytes > 0 && megabytes <= MOST_MEGABYTES ? Math.round(megabytes * MEGABYTE) : 'fault',
    maxFilesPerComment: whole(typed.files, MOST_FILES) ?? 'fault',
    retentionDays:
      typed.retentionDays.trim() === '' ? null : (whole(typed.retentionDays, MOST_DAYS) ?? 'fault'),
  }
}

const NAME = '[a-z0-9][a-z0-9!#$&^_.+-]*'
const TYPE = new RegExp(`^${NAME}/(?:${NAME}|\\*)$`)

/** What administrators type for what they mean. */
const ENDINGS: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  csv: 'text/csv',
  html: 'text/html',
  zip: 'application/zip',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  mp4: 'video/mp4',
  mp3: 'audio/mpeg',
  exe: 'application/x-msdownload',
}

/** A type such as `image/png` or `image/*`, also from an ending such as `.pdf`; null for what is none. */
export function readType(text: string): string | null {
  const type = text.trim().toLowerCase()
  const known = ENDINGS[type.replace(/^\*?\./, '')]
  return known ?? (TYPE.test(type) && type.length <= 120 ? type : null)
}
