/** What an organization lets be attached. */
export interface FileLimits {
  maxFileBytes: number
  maxFiles: number
  /** Types such as `image/png` or `image/*`; empty for any. */
  allowedTypes: readonly string[]
}

/** Why a file was not taken. */
export interface UploadRefusal {
  code: string
  /** What was found in it, where the scanner named it. */
  details?: unknown
}

/** A file on its way to the server. */
export interface Upload {
  key: string
  file: File
  state: 'waiting' | 'sending' | 'interrupted' | 'refused'
  /** How much of it the server has, from 0 to 1. */
  progress: number
  refusal?: UploadRefusal
}

export type UploadAction =
  | { type: 'added'; files: readonly { key: string; file: File }[]; limits: FileLimits | null; kept: number }
  | { type: 'began'; key: string }
  | { type: 'progressed'; key: string; progress: number }
  | { type: 'interrupted'; key: string }
  | { type: 'refused'; key: string; refusal: UploadRefusal }
  | { type: 'retried'; key: string }
  /** It is on the server, or nobody wants it any more. */
  | { type: 'removed'; key: string }
  | { type: 'emptied' }

/** So many go at the same time: more would not be sooner, and each would be later. */
const AT_ONCE = 3

/** Files on their way, in the order they were added. */
export function uploadQueue(uploads: readonly Upload[], action: UploadAction): readonly Upload[] {
  switch (action.type) {
    case 'added': {
      const { limits, kept } = action
      // What was refused takes nobody's place.
      let places =
        (limits?.maxFiles ?? Number.POSITIVE_INFINITY) -
        kept -
        uploads.filter(({ state }) => state !== 'refused').length
      const added = action.files.map(({ key, file }): Upload => {
        const refusal = refusalOf(file, limits) ?? (places > 0 ? null : { code: 'TOO_MANY_ATTACHMENTS' })
        if (!refusal) places -= 1
        return refusal
          ? { key, file, state: 'refused', progress: 0, refusal }
          : { key, file, state: 'waiting', progress: 0 }
      })
      return [...uploads, ...added]
    }
    case 'began':
      return change(uploads, action.key, ['waiting'], { state: 'sending', progress: 0 })
    case 'progressed':
      return change(uploads, action.key, ['sending'], { progress: action.progress })
    case 'interrupted':
      return change(uploads, action.key, ['sending'], { state: 'interrupted', progress: 0 })
    case 'refused':
      return change(uploads, action.key, ['sending'], { state: 'refused', refusal: action.refusal })
    case 'retried':
      return change(uploads, action.key, ['interrupted'], { state: 'waiting', progress: 0 })
    case 'removed':
      return uploads.filter(({ key }) => key !== action.key)
    case 'emptied':
      return []
  }
}

/** Only what is certain before the server has looked: the type is found in the content, which it alone reads. */
function refusalOf(file: File, limits: FileLimits | null): UploadRefusal | null {
  return limits && file.size > limits.maxFileBytes
    ? { code: 'ATTACHMENT_TOO_LARGE', details: { maxFileBytes: limits.maxFileBytes } }
    : null
}

function change(
  uploads: readonly Upload[],
  key: string,
  from: readonly Upload['state'][],
  values: Partial<Upload>,
): readonly Upload[] {
  return uploads.map((upload) =>
    upload.key === key && from.includes(upload.state) ? { ...upload, ...values } : upload,
  )
}

/** The key of a file by the place at which it was chosen. */
export const keyOfPlace = (place: number): string => `upload-${place}`

/** The place at which a file was chosen. */
export const placeOfKey = (key: string): number => Number(key.slice('upload-'.length))

/** With one that has arrived: in the order in which they were chosen, however long each of them took. */
export function withArrived<T extends { id: string }>(
  files: readonly T[],
  file: T,
  places: ReadonlyMap<string, number>,
): T[] {
  const place = places.get(file.id) ?? Number.POSITIVE_INFINITY
  // What was there before anything was chosen comes first.
  const after = files.findIndex(({ id }) => (places.get(id) ?? 0) > place)
  return after < 0 ? [...files, file] : files.toSpliced(after, 0, file)
}

/** Those that may begin now. */
export function nextUploads(uploads: readonly Upload[]): readonly Upload[] {
  const free = AT_ONCE - uploads.filter(({ state }) => state === 'sending').length
  return uploads.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free))
}

/** Whether something is still to come that sending can wait for. */
export const isUnderWay = ({ state }: Upload): boolean => state === 'waiting' || state === 'sending'
