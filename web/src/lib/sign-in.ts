import { postJson } from './rest.ts'
import { beginSession, type Grant, type SessionUser } from './session.ts'

/** What is left to do when the password was right: a second factor to show, or one to set up. */
export interface Challenge {
  challenge: string
  step: 'verify' | 'enrol'
}

export type Admission = { user: SessionUser } | { challenge: Challenge }

/** Signs in with a password kept here. Throws a RestError: INVALID_CREDENTIALS, ORGANIZATION_REQUIRED, … */
export async function signIn(email: string, password: string, organization?: string): Promise<Admission> {
  return admissionOf(
    await postJson('/auth/login', { email, password, ...(organization ? { organization } : {}) }),
  )
}

/** Signs in with the name and the password of a directory. */
export async function signInByDirectory(
  providerId: string,
  username: string,
  password: string,
): Promise<Admission> {
  return admissionOf(
    await postJson(`/auth/directory/${encodeURIComponent(providerId)}`, { username, password }),
  )
}

/** Passes the second step with a one-time code or, when the authenticator is lost, with a recovery code. */
export async function passTwoFactor(
  challenge: string,
  proof: { code: string } | { recoveryCode: string },
): Promise<SessionUser> {
  return beginSession((await postJson('/auth/two-factor/verify', { challenge, ...proof })) as Grant)
}

function admissionOf(answer: unknown): Admission {
  const { challenge, step } = answer as Partial<Challenge>
  if (typeof challenge === 'string') {
    return { challenge: { challenge, step: step === 'enrol' ? 'enrol' : 'verify' } }
  }
  return { user: beginSession(answer as Grant) }
}
