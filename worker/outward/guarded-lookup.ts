import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { reachOf } from './addresses.ts'

/** An address to which somebody's name leads, and where the worker does not go for them. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError'
  readonly code = 'ADDRESS_REFUSED'
}

/** Throws an AddressRefusedError where the worker does not go for somebody. */
export function refuseAddress(hostname: string, address: string, allowInternal: boolean): void {
  const reach = reachOf(address)
  if (reach === 'nobody' || (reach === 'internal' && !allowInternal)) {
    throw new AddressRefusedError(`${hostname} leads to ${address}, which may not be called`)
  }
}

/**
 * Says where a name leads, for one connection: what it checked is what is connected to, so that a name which leads
 * elsewhere the next time gains nothing. An address that is written as such is asked of nobody: refuse it before.
 */
export function guardedLookup(allowInternal: boolean): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      try {
        if (error) throw error
        // One is enough: whoever mixes an internal address among public ones has a reason.
        for (const { address } of addresses) refuseAddress(hostname, address, allowInternal)
      } catch (refusal) {
        callback(refusal as Error, [])
        return
      }
      if (options.all) callback(null, addresses)
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}
