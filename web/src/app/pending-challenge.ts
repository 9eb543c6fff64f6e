import { redirect } from 'react-router'
import { doorOf, keptOrganization, signInPath, type Door } from '../lib/doors.ts'
import { forgetFragment, takeFragment } from '../lib/fragment.ts'
import { sessionReady } from '../lib/session.ts'
import type { Challenge } from '../lib/sign-in.ts'
import { placeAfterSignIn } from './guards.ts'

/** A sign-in between its two steps. */
export interface PendingChallenge extends Challenge {
  /** The door one came through; null for a link from a mail. */
  door: Door | null
  next: string | null
}

// In memory only: a challenge is half a session, and a page that is loaded anew begins with the password.
let pending: PendingChallenge | null = null

/** Keeps a challenge for the page of the second step. */
export function holdChallenge(challenge: PendingChallenge): void {
  pending = challenge
}

/** The second step is done, or has come to nothing. */
export function dropChallenge(): void {
  pending = null
}

/**
 * Finds the challenge for the page: from the sign-in form, or from an identity provider in the address. Who loads the
 * page anew at the recovery codes is in already, and goes where they work.
 */
export async function requireChallenge(): Promise<PendingChallenge | Response> {
  const fragment = takeFragment()
  const challenge = fragment.get('challenge')
  if (challenge) {
    const next = fragment.get('next')
    const step = fragment.get('step') === 'enrol' ? 'enrol' : 'verify'
    pending = { challenge, step, next, door: doorOf(next) }
    forgetFragment()
  }
  if (pending) return pending
  const session = await sessionReady()
  return redirect(
    session.status === 'signed-in'
      ? placeAfterSignIn(null, null, session.user)
      : signInPath('portal', keptOrganization()),
  )
}
