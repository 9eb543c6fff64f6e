/** By what files are scanned, and what it may be given. */
export interface ScannerEnvironment {
  /** Where clamd listens: a socket, or a host and a port. */
  address: { socket: string } | { host: string; port: number }
  /** What is larger is not sent. No more than clamd's StreamMaxLength, MaxFileSize and MaxScanSize. */
  maxBytes: number
  /** A zip with a larger file in it is not taken for clean. No more than clamd's MaxFileSize. */
  maxUnpackedBytes: number
  /** How long clamd may be silent over one file. More than its MaxScanTime, which is two minutes. */
  timeoutMilliseconds: number
}

// Where Debian's clamav-daemon listens, and what its clamd.conf takes.
const debianSocket = '/var/run/clamav/clamd.ctl'
const debianMaxBytes = 25 * 1024 * 1024

/** Reads how files are scanned; undefined where they are not (`ATTACHMENT_SCANNER=off`). */
export function readScannerEnvironment(variables: NodeJS.ProcessEnv): ScannerEnvironment | undefined {
  const scanner = variables.ATTACHMENT_SCANNER?.trim() || 'clamd'
  if (scanner !== 'clamd' && scanner !== 'off') throw new Error('ATTACHMENT_SCANNER must be clamd or off')
  if (scanner === 'off') return undefined

  const socket = variables.CLAMD_SOCKET?.trim()
  const host = variables.CLAMD_HOST?.trim()
  if (socket && host) throw new Error('CLAMD_SOCKET and CLAMD_HOST cannot both be set')
  const number = (name: string, otherwise: number, most: number) => {
    const value = Number(variables[name]?.trim() || otherwise)
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new Error(`${name} must be a whole number from 1 to ${most}`)
    }
    return value
  }
  return {
    address: host ? { host, port: number('CLAMD_PORT', 3310, 65_535) } : { socket: socket || debianSocket },
    maxBytes: number('CLAMD_MAX_BYTES', debianMaxBytes, 2 ** 32 - 1),
    maxUnpackedBytes: number('CLAMD_MAX_UNPACKED_BYTES', debianMaxBytes, 2 ** 32 - 1),
    timeoutMilliseconds: number('CLAMD_TIMEOUT_SECONDS', 150, 3_600) * 1_000,
  }
}
