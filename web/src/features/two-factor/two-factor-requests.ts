import { postAuthorized } from '../../lib/authorized-post.ts'
import { postJson } from '../../lib/rest.ts'
import { beginSession, type Grant, type SessionUser } from '../../lib/session.ts'

/** What an authenticator app must know, as text to type and as the address in the QR code. */
export interface Enrolment {
  secret: string
  uri: string
}

/** On behalf of whom: a login that waits for its second step, or the signed-in person. */
const ask = (path: string, body: object, challenge: string | null) =>
  challenge === null ? postAuthorized(path, body) : postJson(path, { ...body, challenge })

/** Makes a secret for an authenticator app. Nothing changes until a code made with it is confirmed. */
export async function beginEnrolment(challenge: string | null): Promise<Enrolment> {
  return (await ask('/auth/two-factor/enrol', {}, challenge)) as Enrolment
}

/** Confirms that the app makes the right codes. The recovery codes are told this once. */
export async function confirmEnrolment(
  code: string,
  challenge: string | null,
): Promise<{ recoveryCodes: string[]; user: SessionUser | null }> {
  const answer = (await ask('/auth/two-factor/confirm', { code }, challenge)) as {
    recoveryCodes: string[]
    grant: Grant | null
  }
  return { recoveryCodes: answer.recoveryCodes, user: answer.grant ? beginSession(answer.grant) : null }
}

/** Turns two-factor sign-in off. */
export async function turnOff(password: string, code: string): Promise<void> {
  await postAuthorized('/auth/two-factor/disable', { password, code })
}

/** Makes ten new recovery codes; the old ones are good no more. */
export async function renewRecoveryCodes(password: string, code: string): Promise<string[]> {
  const answer = await postAuthorized('/auth/two-factor/recovery-codes', { password, code })
  return (answer as { recoveryCodes: string[] }).recoveryCodes
}
