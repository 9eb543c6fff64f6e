import { redirect, type LoaderFunctionArgs } from 'react-router'
import { currentSession, isStaff, sessionReady, type SessionUser } from '../lib/session.ts'

export type Door = 'portal' | 'desk'

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
    return redirect(`/${door}/login${remembers ? `?next=${encodeURIComponent(next)}` : ''}`)
  }
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

/** Where a person goes after signing in: where they wanted to, if it is inside the app and theirs, or the door's first page. */
export function placeAfterSignIn(door: Door, next: string | null, user: Pick<SessionUser, 'role'>): string {
  const mayDesk = isStaff(user.role)
  // One slash and no second: `//elsewhere.example` and `/\elsewhere.example` are other sites to a browser.
  if (next && /^\/(?:portal|desk)(?:[/?]|$)/.test(next) && !next.includes('\\')) {
    if (!next.startsWith('/desk') || mayDesk) return next
  }
  if (door === 'desk' && !mayDesk) return '/portal?from=desk'
  return `/${door}`
}
