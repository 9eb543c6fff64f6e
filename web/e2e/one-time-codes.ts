import { generateSync } from 'otplib'

/** The code an authenticator app shows, now or so many half minutes later: each is good once. */
export const codeOf = (secret: string, later = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + later * 30 })
