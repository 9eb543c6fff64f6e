/** What we use of `clamscan` 2.4, which brings no types. */
declare module 'clamscan' {
  import type { Socket } from 'node:net'
  import type { Readable } from 'node:stream'

  export default class NodeClam {
    init(options: {
      preference: 'clamdscan'
      clamscan: { active: false }
      clamdscan: {
        socket?: string
        host?: string
        port?: number
        timeout: number
        localFallback: false
        bypassTest: true
        active: true
      }
    }): Promise<this>
    getVersion(): Promise<string>
    /** `isInfected` is null when nobody knows: that is not false. */
    scanStream(
      stream: Readable,
    ): Promise<{ isInfected: boolean | null; viruses: string[]; resultString: string }>
    _initSocket(label?: string): Promise<Socket>
  }
}
