/** How a connection is protected, and how one logs in. */
export type Security = 'tls' | 'starttls' | 'none'
/** What is given to log in: a password, a refresh token that is exchanged, or an access token as it is. */
export type Login = 'password' | 'refresh' | 'access'

/** A mailbox as it is typed. */
export interface MailboxDraft {
  name: string
  address: string
  host: string
  port: string
  security: Security
  login: Login
  username: string
  folder: string
  processedFolder: string
  tokenEndpoint: string
  clientId: string
  scopes: string
  serviceId: string
  teamId: string
  isDefault: boolean
  isEnabled: boolean
  acceptsStrangers: boolean
  acceptsLists: boolean
  maxMegabytes: string
  alarmMinutes: string
  /** Never told again once it was sent. */
  secret: string
  clientSecret: string
}

/** A mailbox as the server keeps it. */
export interface MailboxSettings {
  name: string
  address: string
  host: string
  port: number
  security: Security
  auth: 'password' | 'oauth2'
  username: string
  folder: string
  processedFolder: string | null
  tokenEndpoint: string | null
  clientId: string | null
  scopes: string | null
  serviceId: string | null
  teamId: string | null
  isDefault: boolean
  isEnabled: boolean
  acceptsStrangers: boolean
  acceptsLists: boolean
  maxMailBytes: string
  alarmMinutes: number
}

const MEGABYTE = 1024 * 1024

export const NAME_LIMIT = 80

/** A mailbox to fill in. */
export const BLANK: MailboxDraft = {
  name: '',
  address: '',
  host: '',
  port: '993',
  security: 'tls',
  login: 'password',
  username: '',
  folder: 'INBOX',
  processedFolder: '',
  tokenEndpoint: '',
  clientId: '',
  scopes: '',
  serviceId: '',
  teamId: '',
  isDefault: false,
  isEnabled: true,
  acceptsStrangers: true,
  acceptsLists: false,
  maxMegabytes: '35',
  alarmMinutes: '15',
  secret: '',
  clientSecret: '',
}

/** A mailbox to change. */
export function draftOf(saved: MailboxSettings): MailboxDraft {
  const { auth, maxMailBytes, ...same } = saved
  return {
    ...same,
    port: String(saved.port),
    login: auth === 'password' ? 'password' : saved.tokenEndpoint === null ? 'access' : 'refresh',
    processedFolder: saved.processedFolder ?? '',
    tokenEndpoint: saved.tokenEndpoint ?? '',
    clientId: saved.clientId ?? '',
    scopes: saved.scopes ?? '',
    serviceId: saved.serviceId ?? '',
    teamId: saved.teamId ?? '',
    maxMegabytes: String(Math.round((Number(maxMailBytes) / MEGABYTE) * 10) / 10),
    alarmMinutes: String(saved.alarmMinutes),
    secret: '',
    clientSecret: '',
  }
}

/** What the server is asked to keep. */
export function settingsOf(draft: MailboxDraft) {
  const orNull = (text: string) => text.trim() || null
  const isExchanged = draft.login === 'refresh'
  return {
    name: draft.name.trim(),
    address: draft.address.trim(),
    host: draft.host.trim(),
    port: Number(draft.port),
    security: draft.security,
    auth: draft.login === 'password' ? ('password' as const) : ('oauth2' as const),
    username: draft.username.trim(),
    folder: draft.folder.trim(),
    processedFolder: orNull(draft.processedFolder),
    tokenEndpoint: isExchanged ? orNull(draft.tokenEndpoint) : null,
    clientId: isExchanged ? orNull(draft.clientId) : null,
    scopes: isExchanged ? orNull(draft.scopes) : null,
    serviceId: orNull(draft.serviceId),
    teamId: orNull(draft.teamId),
    isDefault: draft.isDefault,
    isEnabled: draft.isEnabled,
    acceptsStrangers: draft.acceptsStrangers,
    acceptsLists: draft.acceptsLists,
    maxMailBytes: String(Math.round(Number(draft.maxMegabytes.replace(',', '.')) * MEGABYTE)),
    alarmMinutes: Number(draft.alarmMinutes),
  }
}

/** What is sent to log in with; null where nothing was typed, and what is stored stays. */
export function secretOf({ login, secret, clientSecret }: MailboxDraft): Record<string, string> | null {
  if (secret === '') return null
  if (login === 'password') return { password: secret }
  if (login === 'access') return { accessToken: secret.trim() }
  return { refreshToken: secret.trim(), ...(clientSecret === '' ? {} : { clientSecret }) }
}

/** Whether a test of what was saved says nothing of what is typed now. */
export function isConnectedOtherwise(before: MailboxDraft, after: MailboxDraft): boolean {
  const [one, other] = [settingsOf(before), settingsOf(after)]
  return (
    needsSecretAnew(before, after) ||
    one.folder !== other.folder ||
    one.scopes !== other.scopes ||
    after.secret !== '' ||
    after.clientSecret !== ''
  )
}

/** Whether another server or account is asked from now on: its secret is given anew. */
export function needsSecretAnew(before: MailboxDraft, after: MailboxDraft): boolean {
  const [one, other] = [settingsOf(before), settingsOf(after)]
  return (['host', 'port', 'security', 'auth', 'username', 'tokenEndpoint', 'clientId'] as const).some(
    (field) => one[field] !== other[field],
  )
}

export type Fault = 'missing' | 'odd' | 'long'
export type FaultyField =
  | 'name'
  | 'address'
  | 'host'
  | 'port'
  | 'username'
  | 'folder'
  | 'processedFolder'
  | 'tokenEndpoint'
  | 'clientId'
  | 'maxMegabytes'
  | 'alarmMinutes'
  | 'secret'

const ADDRESS = /^[^\s<>@,;:"()]+@[^\s<>@,;:"()]+$/

/** What is wrong with what was typed, by field; the server judges by the same rules. */
export function faultsOf(draft: MailboxDraft): Partial<Record<FaultyField, Fault>> {
  const faults: Partial<Record<FaultyField, Fault>> = {}
  const demand = (field: FaultyField, limit: number, isRight: (text: string) => boolean = () => true) => {
    const text = draft[field].trim()
    if (text === '') faults[field] = 'missing'
    else if ([...text].length > limit) faults[field] = 'long'
    else if (!isRight(text)) faults[field] = 'odd'
  }
  const isWhole = (from: number, to: number) => (text: string) =>
    /^\d+$/.test(text) && Number(text) >= from && Number(text) <= to
  demand('name', NAME_LIMIT)
  demand('address', 254, (text) => ADDRESS.test(text))
  demand('host', 253, (text) => /^[^\s/@]+$/.test(text))
  demand('port', 5, isWhole(1, 65_535))
  demand('username', 254)
  demand('folder', 200)
  if (draft.processedFolder.trim() === draft.folder.trim()) faults.processedFolder = 'odd'
  if (draft.login === 'refresh') {
    demand('tokenEndpoint', 500, (text) => /^https?:\/\/\S+$/.test(text) && URL.canParse(text))
    demand('clientId', 500)
  }
  demand('maxMegabytes', 6, (text) => {
    const megabytes = Number(text.replace(',', '.'))
    return megabytes >= 0.1 && megabytes <= 256
  })
  demand('alarmMinutes', 5, isWhole(1, 10_080))
  return faults
}

/** The port that goes with a protection, where nobody chose another. */
export function portFor(security: Security, port: string): string {
  if (port !== '993' && port !== '143') return port
  return security === 'tls' ? '993' : '143'
}
