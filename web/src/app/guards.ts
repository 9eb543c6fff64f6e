import { redirect, type LoaderFunctionArgs } from 'react-router'
import { keptOrganization, signInPath, type Door } from '../lib/doors.ts'
import { currentSession, isStaff, sessionReady, type SessionUser } from '../lib/session.ts'

/** Lets the signed-in pass; others go to the door's login and come back to where they wanted to be. */
export function requireSession(door: Door) {
  return async ({ request }: LoaderFunctionArgs): Promise<Response | null> => {
    const session = await sessionReady()
    if (session.status === 'signed-in') {
      // A customer at the desk is not told off but brought to where their requests are.
      return door === 'desk' && !isStaff(session.user.role) ? redirect('/portal?from=desk') : null
    }
    if (session.status === 'unreachable') throw new Response(null, { status: 503 })
    const { pathname, search } = new URL(request.url)
    const next = pathname + search
    const remembers = session.status === 'signed-out' && session.reason !== 'left' && next !== `/${door}`
    const place = signInPath(door, keptOrganization())
    return redirect(`${place}${remembers ? `?next=${encodeURIComponent(next)}` : ''}`)
  }
}

/** Lets admins pass; the rest of the team goes back to their work. Who is not let into the desk is the desk's matter. */
export async function requireAdmin(): Promise<Response | null> {
  const session = await sessionReady()
  const mayNot = session.status === 'signed-in' && isStaff(session.user.role) && session.user.role !== 'admin'
  return mayNot ? redirect('/desk') : null
}

/** Lets managers and admins pass; agents go back to their work. */
export async function requireManager(): Promise<Response | null> {
  const session = await sessionReady()
  return session.status === 'signed-in' && session.user.role === 'agent' ? redirect('/desk') : null
}

/** Sends those who are signed in already past the login page. */
export function skipWhenSignedIn(door: Door) {
  return async ({ request }: LoaderFunctionArgs): Promise<Response | null> => {
    await sessionReady()
    const session = currentSession()
    if (session.status !== 'signed-in') return null
    return redirect(placeAfterSignIn(door, new URL(request.url).searchParams.get('next'), session.user))
  }
}

/**
 * Where a person goes after signing in: where they wanted to, if it is inside the app and theirs, or the door's first
 * page. Who came through no door, but by a link from a mail, goes where they work.
 */
export function placeAfterSignIn(
  through: Door | null,
  next: string | null,
  user: Pick<SessionUser, 'role'>,
): string {
  const mayDesk = isStaff(user.role)
  const door = through ?? (mayDesk ? 'desk' : 'portal')
  // One slash and no second: `//elsewhere.example` and `/\elsewhere.example` are other sites to a browser.
  if (next && /^\/(?:portal|desk)(?:[/?]|$)/.test(next) && !next.includes('\\')) {
    if (!next.startsWith('/desk') || mayDesk) return next
  }
  if (door === 'desk' && !mayDesk) return '/portal?from=desk'
  return `/${door}`
}
