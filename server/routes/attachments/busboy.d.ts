// The package has no types of its own; here is what we use of it.
declare module 'busboy' {
  import type { IncomingHttpHeaders } from 'node:http'
  import type { Readable, Writable } from 'node:stream'

  interface Options {
    headers: IncomingHttpHeaders
    defParamCharset?: string
    fileHwm?: number
    highWaterMark?: number
    limits?: {
      fieldNameSize?: number
      fields?: number
      fileSize?: number
      files?: number
      headerPairs?: number
      parts?: number
    }
  }

  interface FileInformation {
    /** Absent where the part names none. */
    filename?: string
    mimeType: string
  }

  interface Form extends Writable {
    on(
      event: 'file',
      listener: (name: string | undefined, content: Readable, file: FileInformation) => void,
    ): this
    on(event: 'field' | 'partsLimit' | 'filesLimit' | 'fieldsLimit' | 'close', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  /** Throws where the headers are not those of a form. */
  export default function busboy(options: Options): Form
}
