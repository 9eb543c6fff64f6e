import { RestError, restRefusal } from './rest.ts'
import { accessToken, replaceToken } from './session.ts'

/** A file that the server has. */
export interface UploadedFile {
  id: string
  name: string
  size: number
  contentType: string
  /** `pending` until the scanner has looked. */
  state: string
}

export interface UploadOptions {
  onProgress: (progress: number) => void
  signal: AbortSignal
}

/**
 * Sends a file as the signed-in person. Throws a {@link RestError} with the server's code, or `NETWORK` when it was
 * cut off; with a token that is no longer good it tries once more with a fresh one.
 */
export async function uploadFile(file: File, options: UploadOptions): Promise<UploadedFile> {
  const token = await accessToken()
  try {
    return await send(file, token, options)
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 401) throw error
    const replacement = await replaceToken(token)
    if (!replacement) throw error
    return send(file, replacement, options)
  }
}

/** By XMLHttpRequest, because fetch does not tell how much of it has left. */
function send(
  file: File,
  token: string | null,
  { onProgress, signal }: UploadOptions,
): Promise<UploadedFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', '/api/v1/attachments/upload')
    request.responseType = 'json'
    request.setRequestHeader('x-atum-request', '1')
    if (token) request.setRequestHeader('authorization', `Bearer ${token}`)
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      if (total > 0) onProgress(loaded / total)
    })
    request.addEventListener('load', () => {
      const { status, statusText, response } = request
      if (status === 201 || status === 202) resolve(response as UploadedFile)
      else reject(restRefusal(status, statusText, response, request.getResponseHeader('retry-after')))
    })
    request.addEventListener('error', () => reject(new RestError('NETWORK', 'The upload was cut off', 0)))
    request.addEventListener('abort', () => reject(signal.reason as Error))
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    signal.addEventListener('abort', () => request.abort(), { once: true })
    const form = new FormData()
    form.set('file', file, file.name)
    request.send(form)
  })
}
