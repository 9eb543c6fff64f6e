import { generateSecret, generateURI, verifySync } from 'otplib'

const issuer = 'ATUM Desk'
// A step of 30 seconds before and after: clocks differ, and people type slowly.
const toleranceSeconds = 30

/** A new secret, and the address that an authenticator app reads as a QR code. */
export function newSecret(account: string): { secret: string; uri: string } {
  const secret = generateSecret()
  return { secret, uri: generateURI({ issuer, label: account, secret }) }
}

/** The time step that a code is of; null for a wrong code, and for one of a step that was used or came before it. */
export function timeStepOf(secret: string, code: string, lastTimeStep: number | null): number | null {
  const token = code.replaceAll(/\s/g, '')
  try {
    const verified = verifySync({
      secret,
      token,
      epochTolerance: toleranceSeconds,
      ...(lastTimeStep === null ? {} : { afterTimeStep: lastTimeStep }),
    })
    return verified.valid && 'timeStep' in verified ? verified.timeStep : null
  } catch {
    // The library throws for what is no code of six digits, and for a last step that lies in the future.
    return null
  }
}
