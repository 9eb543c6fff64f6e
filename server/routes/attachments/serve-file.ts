import { create } from 'content-disposition'
import type { Response } from 'express'
import { RequestError } from '../../errors.ts'
import type { FileUse } from '../../file-links.ts'
import type { FileStorage } from '../../storage/file-storage.ts'
import { type AttachmentFile, refuseHeldBack } from './attachment-files.ts'

// What a browser shows without running anything that is in it. SVG and HTML are programs.
const pictures = new Set(['image/png', 'image/apng', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])
const pdf = 'application/pdf'

/** Whether a file is shown, and not only handed over. */
export const hasPreview = (contentType: string): boolean => pictures.has(contentType) || contentType === pdf

/**
 * Answers with the content of a file, or the part of it that was asked for. It comes from somebody, and so nothing of it
 * may act in our name: it is handed over to be kept, or, for a preview, shown in a sandbox.
 */
export async function serveFile(
  response: Response,
  storage: FileStorage,
  file: AttachmentFile,
  use: FileUse,
): Promise<void> {
  refuseHeldBack(file)
  if (use === 'preview' && !hasPreview(file.contentType)) {
    throw new RequestError('PREVIEW_REFUSED', 'Only pictures and PDF are shown; download this file')
  }
  const path = await storage.pathOf(file.organizationId, file.sha256)
  if (path === undefined) throw new Error(`The content ${file.sha256} of ${file.organizationId} is not there`)

  response.set({
    'content-type': file.contentType.startsWith('text/')
      ? `${file.contentType}; charset=utf-8`
      : file.contentType,
    'content-disposition': create(file.name, { type: use === 'preview' ? 'inline' : 'attachment' }),
    'content-security-policy':
      use === 'preview' ? previewPolicy(file.contentType) : "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-store',
    etag: `"${file.sha256}"`,
  })
  if (use === 'preview') response.set('x-frame-options', 'SAMEORIGIN')
  // The last bytes, of which there are fewer, are all there are (RFC 9110, 14.1.2), which Express takes for an error.
  const suffix = /^bytes=-(\d+)$/.exec(response.req.headers.range ?? '')?.[1]
  if (Number(suffix) > file.size) response.req.headers.range = 'bytes=0-'
  await send(response, path)
}

/** Shown in a frame of our own pages at most. A browser's PDF viewer does not start in a sandbox, and has one itself. */
function previewPolicy(contentType: string): string {
  const common = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
  return contentType === pdf ? `${common}; object-src 'self'` : `${common}; img-src 'self'; sandbox`
}

function send(response: Response, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Ranges, conditions and HEAD as RFC 9110 has them.
  response.sendFile(path, { cacheControl: false, lastModified: false, dotfiles: 'allow' }, (error) => {
    const { code, status } = (error ?? {}) as { code?: string; status?: number }
    // Who went away hears no answer, and what cannot be satisfied is a range.
    if (!error || response.headersSent || code === 'ECONNABORTED') resolve()
    else if (status === 416) {
      response.status(416).type('text').removeHeader('content-disposition')
      response.end()
      resolve()
    } else if (status === 412) {
      response.status(412).end()
      resolve()
    } else reject(error)
  })
  return promise
}
