import { redirect, type LoaderFunctionArgs } from 'react-router'
import { readLoginMethods, type LoginMethods } from '../features/identity/login-methods.ts'
import { doorOf, keepOrganization, keptOrganization, signInPath, type Door } from '../lib/doors.ts'
import { takeFragment } from '../lib/fragment.ts'
import { readSendsMail } from '../lib/mail.ts'
import { sessionReady, takeUpSession } from '../lib/session.ts'
import { placeAfterSignIn, skipWhenSignedIn } from './guards.ts'

/** Which page before the door one is at. */
export interface Entrance {
  door: Door
  /** The organization's short name, at its own address. */
  slug: string | null
  /** How its people get in; null without an organization, or when it could not be asked. */
  methods: LoginMethods | null
}

/** The sign-in page of a door. */
export function commonDoor(door: Door) {
  const skip = skipWhenSignedIn(door)
  return async (args: LoaderFunctionArgs): Promise<Entrance | Response> => {
    const elsewhere = await skip(args)
    if (elsewhere) return elsewhere
    const { search, searchParams } = new URL(args.request.url)
    const organization = keptOrganization()
    // An identity provider sends people back to the door; the button to try again is on their organization's page.
    if (organization !== null && searchParams.has('problem')) {
      return redirect(signInPath(door, organization) + search)
    }
    return { door, slug: null, methods: null }
  }
}

/** The sign-in page of a door at the address of an organization. */
export function organizationDoor(door: Door) {
  const skip = skipWhenSignedIn(door)
  return async (args: LoaderFunctionArgs): Promise<Entrance | Response> => {
    const elsewhere = await skip(args)
    return elsewhere ?? organizationEntrance(door, args)
  }
}

/** Asks how people of the organization in the address get in. The page says so when that cannot be found out. */
export async function organizationEntrance(door: Door, args: LoaderFunctionArgs): Promise<Entrance> {
  const slug = args.params['slug'] ?? ''
  const methods = await readLoginMethods(slug, args.request.signal).catch(() => null)
  if (methods?.organization) keepOrganization(methods.organization.slug)
  return { door, slug, methods }
}

/** Takes up the session that an identity provider has begun. */
export async function arriveSignedIn({ request }: LoaderFunctionArgs): Promise<Response> {
  const next = new URL(request.url).searchParams.get('next')
  const session = await takeUpSession()
  if (session.status === 'signed-in') return redirect(placeAfterSignIn(doorOf(next), next, session.user))
  if (session.status === 'unreachable') throw new Response(null, { status: 503 })
  const problem = (session.status === 'signed-out' && session.problem) || 'SSO_FAILED'
  return redirect(`${signInPath(doorOf(next), keptOrganization())}?problem=${encodeURIComponent(problem)}`)
}

/** Known before the page is drawn: it promises a mail, or says that none is sent. */
export async function askAboutMail(): Promise<null> {
  await readSendsMail()
  return null
}

/**
 * For the pages behind links from mails: their token leaves the address before anything is drawn, and whoever is
 * signed in here already is told so.
 */
export async function arriveByLink(): Promise<null> {
  takeFragment()
  await sessionReady()
  return null
}
