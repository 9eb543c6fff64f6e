import { forgetKept, readKept, writeKept } from './kept.ts'
import { postJson, RestError } from './rest.ts'
import { createStore, useStore } from './store.ts'

export type UserRole = 'customer' | 'agent' | 'manager' | 'admin'

export interface SessionUser {
  /** The row's id, which filters and mutations take. */
  id: string
  name: string
  email: string
  role: UserRole
  locale: string | null
  timeZone: string | null
  organization: { name: string; slug: string }
}

export type Session =
  | { status: 'unknown' }
  | { status: 'unreachable' }
  | { status: 'signed-out'; reason: 'never' | 'expired' | 'left'; problem?: string }
  | { status: 'signed-in'; user: SessionUser }

/** What the server gives whoever has proved who they are; the refresh cookie came with it. */
export interface Grant {
  accessToken: string
  expiresIn: number
  user: SessionUser
}

/** The prefix of everything in storage that one person typed; signing out forgets it. */
export const PERSONAL_PREFIX = 'atum.my.'

/** Said in storage, never the token itself: without it a visitor of the landing page is not asked for a session. */
const HINT_KEY = 'atum.session'
const LOCK_NAME = 'atum.session.refresh'
const REFRESH_BEFORE_MS = 45_000
const USABLE_BEFORE_MS = 5_000
const RETRY_MS = 5_000

/** Refusals that may pass while the session goes on. */
const OUTLIVED = new Set(['ORGANIZATION_SUSPENDED', 'ADDRESS_NOT_ALLOWED'])

const store = createStore<Session>({ status: 'unknown' })
let token: { value: string; expiresAt: number } | null = null
let refreshing: Promise<void> | null = null
let timer: ReturnType<typeof setTimeout> | undefined
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('atum.session')

/** Whether this role works at the desk. */
export function isStaff(role: UserRole): boolean {
  return role !== 'customer'
}

/** The session as it is now. */
export const currentSession = store.get

/** Follows the session outside React. */
export const subscribeToSession = store.subscribe

/** Follows the session in React. */
export function useSession(): Session {
  return useStore(store)
}

/** The signed-in user; only for screens behind a guard. */
export function useSessionUser(): SessionUser {
  const session = useSession()
  if (session.status !== 'signed-in') throw new Error('This screen needs a session and is not behind a guard')
  return session.user
}

/** Resolves once it is known whether there is a session, asking the server the first time. */
export async function sessionReady(): Promise<Session> {
  const status = store.get().status
  if (status === 'unknown' || status === 'unreachable') {
    if (readKept(HINT_KEY) === null) store.set({ status: 'signed-out', reason: 'never' })
    else await refresh()
  }
  return store.get()
}

/** Begins a session here and in the other tabs. */
export function beginSession(grant: Grant): SessionUser {
  accept(grant)
  channel?.postMessage({ type: 'signed-in', userId: grant.user.id })
  return grant.user
}

/** Takes up the session that another way in has left in the cookie, whatever is known of it here. */
export async function takeUpSession(): Promise<Session> {
  await refresh()
  const session = store.get()
  if (session.status === 'signed-in') channel?.postMessage({ type: 'signed-in', userId: session.user.id })
  return session
}

/** Asks the server again who this is: after the person changed their name, language or time zone. */
export async function renewSession(): Promise<void> {
  await refresh()
}

/**
 * Ends the session here, in the other tabs and on the server. Answers where the browser must go to end it at the
 * identity provider too, or null.
 */
export async function signOut(): Promise<string | null> {
  try {
    const answer = await postJson('/auth/logout', {})
    const address = (answer as { endSessionUrl?: unknown } | null)?.endSessionUrl
    return typeof address === 'string' ? address : null
  } finally {
    forgetKept(PERSONAL_PREFIX)
    drop('left')
    channel?.postMessage({ type: 'signed-out' })
  }
}

/** A token that will still be good when the request arrives, refreshed first where it is not; null when signed out. */
export async function accessToken(): Promise<string | null> {
  if (token && token.expiresAt - Date.now() > USABLE_BEFORE_MS) return token.value
  if (store.get().status === 'signed-out') return null
  await refresh()
  return token?.value ?? null
}

/** Says that the server refused `refused`; returns a fresh token, or null when the session is over. */
export async function replaceToken(refused: string | null): Promise<string | null> {
  if (token?.value === refused) token = null
  return accessToken()
}

/**
 * One refresh at a time, in this tab by the promise and among tabs by the lock: the refresh cookie rotates, and
 * two requests with the same one would look like theft to the server.
 */
function refresh(): Promise<void> {
  refreshing ??= exclusively(async () => {
    try {
      accept((await postJson('/auth/refresh', {})) as Grant)
    } catch (error) {
      if (error instanceof RestError && isVerdict(error)) {
        // A closed organization and a refused network are worth telling, and the session may outlive them.
        const problem = OUTLIVED.has(error.code) ? error.code : null
        drop(store.get().status === 'signed-in' ? 'expired' : 'never', problem)
      } else if (store.get().status === 'signed-in') {
        schedule(RETRY_MS)
      } else {
        store.set({ status: 'unreachable' })
      }
    }
  }).finally(() => {
    refreshing = null
  })
  return refreshing
}

/** Whether the server has said that there is no session: not a proxy, nor an answer that broke off when a page was left. */
const isVerdict = ({ status, code }: RestError): boolean =>
  (status === 401 || status === 403) && code !== 'UNKNOWN'

function exclusively(task: () => Promise<void>): Promise<void> {
  return typeof navigator !== 'undefined' && navigator.locks
    ? navigator.locks.request(LOCK_NAME, task)
    : task()
}

function accept(grant: Grant): void {
  token = { value: grant.accessToken, expiresAt: Date.now() + grant.expiresIn * 1000 }
  writeKept(HINT_KEY, '1')
  const previous = store.get()
  const unchanged =
    previous.status === 'signed-in' && JSON.stringify(previous.user) === JSON.stringify(grant.user)
  if (!unchanged) store.set({ status: 'signed-in', user: grant.user })
  schedule(Math.max(grant.expiresIn * 1000 - REFRESH_BEFORE_MS, RETRY_MS) * (0.9 + Math.random() * 0.1))
}

function drop(reason: 'never' | 'expired' | 'left', problem: string | null = null): void {
  clearTimeout(timer)
  token = null
  if (problem === null) writeKept(HINT_KEY, null)
  store.set({ status: 'signed-out', reason, ...(problem ? { problem } : {}) })
}

function schedule(delay: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => void refresh(), delay)
}

channel?.addEventListener('message', (message: MessageEvent<{ type: string; userId?: string }>) => {
  const session = store.get()
  if (message.data.type === 'signed-out' && session.status === 'signed-in') drop('left')
  if (message.data.type !== 'signed-in') return
  // Another person signed in next door: the cookie is theirs now, so this tab starts again as them.
  if (session.status === 'signed-in' && session.user.id !== message.data.userId) location.reload()
  if (session.status === 'signed-out') void refresh()
})
