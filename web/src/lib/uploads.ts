import { useCallback, useEffect, useEffectEvent, useReducer, useRef } from 'react'
import { RestError } from './rest.ts'
import { uploadFile, type UploadedFile } from './upload-request.ts'
import {
  isUnderWay,
  keyOfPlace,
  nextUploads,
  uploadQueue,
  type FileLimits,
  type Upload,
} from './upload-queue.ts'

let counter = 0

export interface UploadsOptions {
  limits: FileLimits | null
  /** How many are on the server already. */
  kept: number
  /** Called with what has arrived, before it leaves the queue. */
  onUploaded: (file: UploadedFile, key: string) => void
}

/** Files on their way to the server: a few at a time, each on its own. */
export function useUploads({ limits, kept, onUploaded }: UploadsOptions) {
  const [uploads, dispatch] = useReducer(uploadQueue, [])
  const requests = useRef(new Map<string, AbortController>())
  const arrived = useEffectEvent(onUploaded)

  const begin = useEffectEvent(async ({ key, file }: Upload) => {
    const controller = new AbortController()
    requests.current.set(key, controller)
    dispatch({ type: 'began', key })
    try {
      const uploaded = await uploadFile(file, {
        signal: controller.signal,
        onProgress: (progress) => dispatch({ type: 'progressed', key, progress }),
      })
      if (controller.signal.aborted) return
      arrived(uploaded, key)
      dispatch({ type: 'removed', key })
    } catch (error) {
      if (controller.signal.aborted) return
      const { status, code, details } =
        error instanceof RestError ? error : new RestError('NETWORK', String(error), 0)
      // What the server could not answer now it may answer later; what it refused it will refuse again.
      const isPassing =
        status === 0 || status >= 500 || status === 429 || status === 401 || code === 'UPLOAD_INVALID'
      dispatch(
        isPassing
          ? { type: 'interrupted', key }
          : {
              type: 'refused',
              key,
              refusal: { code: status === 413 ? 'ATTACHMENT_TOO_LARGE' : code, details },
            },
      )
    } finally {
      requests.current.delete(key)
    }
  })

  useEffect(() => {
    for (const upload of nextUploads(uploads)) {
      if (!requests.current.has(upload.key)) void begin(upload)
    }
  }, [uploads])

  useEffect(() => {
    const open = requests.current
    return () => {
      for (const controller of open.values()) controller.abort(new Error('The page was left'))
    }
  }, [])

  const isBusy = uploads.some(isUnderWay)
  useEffect(() => {
    if (!isBusy) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isBusy])

  const stop = useCallback((key: string) => {
    requests.current.get(key)?.abort(new Error('It was taken back'))
    dispatch({ type: 'removed', key })
  }, [])

  return {
    uploads,
    isBusy,
    add(files: readonly File[]) {
      const added = files.map((file) => ({ key: keyOfPlace((counter += 1)), file }))
      if (added.length > 0) dispatch({ type: 'added', files: added, limits, kept })
    },
    /** Takes one back, wherever it is. */
    stop,
    retry: (key: string) => dispatch({ type: 'retried', key }),
    /** Takes all of them back: what they belonged to is over. */
    empty: useCallback(() => {
      for (const controller of requests.current.values()) controller.abort(new Error('It was taken back'))
      dispatch({ type: 'emptied' })
    }, []),
  }
}
