import busboy from 'busboy'
import type { Request } from 'express'
import { RequestError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { giveTime } from '../../slow-requests.ts'
import { FileTooLargeError, type FileStorage, type ReceivedFile } from '../../storage/file-storage.ts'

// A line that brings nothing for so long brings nothing any more.
const silenceMilliseconds = 20_000
// What is left of an upload that was refused is let in for a while, because a browser hears no answer before it has sent
// all it has, or is cut off.
const patienceMilliseconds = 10_000
// The boundaries and headers around the file.
const framingBytes = 16 * 1024

/** A file that came in, and what its sender says of it. */
export interface Upload {
  file: ReceivedFile
  name: string
  claimedContentType: string
}

/**
 * Takes the one file of a form in, named `file`, onto the disk. Throws UPLOAD_INVALID, ATTACHMENT_TOO_LARGE,
 * UNSUPPORTED_MEDIA_TYPE or SERVICE_UNAVAILABLE, and leaves nothing behind then.
 */
export async function receiveUpload(
  request: Request,
  { storage, most, logger }: { storage: FileStorage; most: number; logger: Logger },
): Promise<Upload> {
  try {
    if (Number(request.get('content-length') ?? 0) > most + framingBytes) throw tooLarge(most)
    giveTime(request)
    return await readForm(request, storage, most)
  } catch (error) {
    endSoon(request)
    throw asRefusal(error, most, logger)
  }
}

async function readForm(request: Request, storage: FileStorage, most: number): Promise<Upload> {
  const form = openForm(request)
  const { promise: failure, reject: fail } = Promise.withResolvers<never>()
  failure.catch(() => {})
  const refuse = (message: string) => fail(new RequestError('UPLOAD_INVALID', message))
  let upload: Promise<Upload> | undefined
  let stop = (_error: Error) => {}

  form.on('file', (field, content, { filename, mimeType }) => {
    // Whoever reads it hears of it; where nobody does it is no fault of its own.
    content.on('error', () => {})
    if (upload || field !== 'file') {
      content.resume()
      refuse('A form has one file, named file')
      return
    }
    stop = (error) => content.destroy(error)
    upload = storage
      .receive(letGo(content), { most })
      .then((file) => ({ file, name: unescaped(filename ?? ''), claimedContentType: mimeType }))
    upload.catch(fail)
  })
  for (const event of ['field', 'fieldsLimit', 'filesLimit', 'partsLimit'] as const) {
    form.on(event, () => refuse('A form has one file, named file, and nothing else'))
  }
  form.on('error', () => refuse('The form could not be read'))
  const whole = new Promise<void>((resolve) => {
    form.on('close', resolve)
  })
  request.once('close', () => {
    if (!request.complete) refuse('The upload broke off')
  })
  request.on('error', () => refuse('The upload broke off'))
  request.setTimeout(silenceMilliseconds, () => refuse('The upload stood still for too long'))

  try {
    request.pipe(form)
    await Promise.race([whole, failure])
    if (!upload) throw new RequestError('UPLOAD_INVALID', 'The form has no file named file')
    return await Promise.race([upload, failure])
  } catch (error) {
    request.unpipe(form)
    stop(error as Error)
    form.destroy()
    // Whole or in part, it is not wanted.
    await upload?.then(({ file }) => storage.discard(file)).catch(() => {})
    throw error
  } finally {
    request.setTimeout(0)
  }
}

/**
 * Gives the memory of each piece back once it was taken in. The collector would only come for it after tens of megabytes,
 * which with a few uploads at a time is more than all the rest of the server needs.
 */
async function* letGo(content: AsyncIterable<Buffer<ArrayBuffer>>): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    yield piece
    // Where the piece is all there is in its memory, which nobody else can be looking at then.
    if (piece.byteLength === piece.buffer.byteLength) piece.buffer.transfer(0)
  }
}

// As the HTML standard has browsers write a name: these three, and nothing else.
const unescaped = (name: string): string =>
  name.replaceAll(/%(22|0d|0a)/gi, (escaped) => decodeURIComponent(escaped))

function openForm(request: Request) {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      // A piece at a time: what is collected would be copied together.
      highWaterMark: 1,
      fileHwm: 1,
      limits: { files: 1, fields: 0, parts: 2, headerPairs: 20 },
    })
  } catch {
    throw new RequestError('UNSUPPORTED_MEDIA_TYPE', 'A file is uploaded as multipart/form-data')
  }
}

function endSoon(request: Request): void {
  request.resume()
  if (request.complete) return
  const { socket } = request
  const impatience = setTimeout(() => socket.destroy(), patienceMilliseconds)
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(impatience))
}

const tooLarge = (most: number) =>
  new RequestError('ATTACHMENT_TOO_LARGE', `A file has at most ${most} bytes`, { maxFileBytes: most })

function asRefusal(error: unknown, most: number, logger: Logger): unknown {
  if (error instanceof FileTooLargeError) return tooLarge(most)
  // No room, no right, no disk: what the line breaks of was told already.
  if (error instanceof Error && 'syscall' in error) {
    logger.error({ err: error }, 'a file could not be written')
    return new RequestError('SERVICE_UNAVAILABLE', 'Files cannot be kept here right now')
  }
  return error
}
