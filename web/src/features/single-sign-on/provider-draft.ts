import type { UserRole } from '../../lib/session.ts'
import { groupFault, groupsOf, mappingOf, type MappedGroup } from './role-mapping.ts'

export type ProviderKind = 'oidc' | 'ldap'

/** The settings of an identity provider as they are typed. */
export interface ProviderDraft {
  kind: ProviderKind
  name: string
  isEnabled: boolean
  issuer: string
  clientId: string
  scopes: string
  url: string
  baseDn: string
  bindDn: string
  userFilter: string
  subjectAttribute: string
  emailAttribute: string
  nameAttribute: string
  /** Whether the provider's groups give the role at each sign-in, or admins do, here. */
  rolesFrom: 'groups' | 'here'
  roleClaim: string
  groups: MappedGroup[]
  /** Null refuses who is in no mapped group. */
  defaultRole: UserRole | null
  makesPeople: boolean
  asksSecondFactor: boolean
  secret: string
}

/** The settings as the server keeps them. */
export interface ProviderSettings {
  kind: ProviderKind
  name: string
  isEnabled: boolean
  issuer: string | null
  clientId: string | null
  scopes: readonly (string | null)[]
  url: string | null
  baseDn: string | null
  bindDn: string | null
  userFilter: string | null
  subjectAttribute: string
  emailAttribute: string
  nameAttribute: string
  roleClaim: string | null
  roleMapping: unknown
  defaultRole: UserRole | null
  makesPeople: boolean
  asksSecondFactor: boolean
}

/** What the attributes and the filter are called in the two directories most have. */
export const DIRECTORIES = {
  openldap: {
    userFilter: '(&(objectClass=inetOrgPerson)(uid={username}))',
    subjectAttribute: 'entryUUID',
    emailAttribute: 'mail',
    nameAttribute: 'cn',
  },
  activeDirectory: {
    userFilter:
      '(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={username})(userPrincipalName={username})))',
    subjectAttribute: 'objectGUID',
    emailAttribute: 'mail',
    nameAttribute: 'displayName',
  },
} as const

/** A provider to fill in. */
export function blankProvider(kind: ProviderKind): ProviderDraft {
  return {
    kind,
    name: '',
    isEnabled: true,
    issuer: '',
    clientId: '',
    scopes: 'openid email profile',
    url: '',
    baseDn: '',
    bindDn: '',
    ...DIRECTORIES.openldap,
    rolesFrom: 'here',
    roleClaim: '',
    groups: [],
    defaultRole: 'customer',
    makesPeople: true,
    asksSecondFactor: false,
    secret: '',
  }
}

/** A provider to change. Its secret is never told, so there is nothing to show of it. */
export function draftOf(saved: ProviderSettings): ProviderDraft {
  const { issuer, clientId, scopes, url, baseDn, bindDn, userFilter, roleClaim, roleMapping, ...same } = saved
  return {
    ...same,
    issuer: issuer ?? '',
    clientId: clientId ?? '',
    scopes: scopes.filter(Boolean).join(' '),
    url: url ?? '',
    baseDn: baseDn ?? '',
    bindDn: bindDn ?? '',
    userFilter: userFilter ?? '',
    rolesFrom: roleClaim === null ? 'here' : 'groups',
    roleClaim: roleClaim ?? '',
    groups: groupsOf(roleMapping),
    secret: '',
  }
}

/** What the server is asked to keep: nothing of the kind it is not, and no mapping that could never be looked at. */
export function settingsOf(draft: ProviderDraft) {
  const isOpenId = draft.kind === 'oidc'
  const byGroups = draft.rolesFrom === 'groups'
  const orNull = (text: string) => text.trim() || null
  return {
    kind: draft.kind,
    name: draft.name.trim(),
    isEnabled: draft.isEnabled,
    issuer: isOpenId ? orNull(draft.issuer) : null,
    clientId: isOpenId ? orNull(draft.clientId) : null,
    scopes: draft.scopes.split(/[\s,]+/).filter(Boolean),
    url: isOpenId ? null : orNull(draft.url),
    baseDn: isOpenId ? null : orNull(draft.baseDn),
    bindDn: isOpenId ? null : orNull(draft.bindDn),
    userFilter: isOpenId ? null : orNull(draft.userFilter),
    subjectAttribute: draft.subjectAttribute.trim(),
    emailAttribute: draft.emailAttribute.trim(),
    nameAttribute: draft.nameAttribute.trim(),
    roleClaim: byGroups ? orNull(draft.roleClaim) : null,
    roleMapping: byGroups ? mappingOf(draft.groups) : {},
    defaultRole: draft.defaultRole,
    makesPeople: draft.makesPeople,
    asksSecondFactor: draft.asksSecondFactor,
  }
}

export const PROVIDER_NAME_LIMIT = 80

export type ProviderFault = 'missing' | 'odd' | 'long'
/** The text fields, in the order in which they stand. */
export const FAULTY_FIELDS = [
  'name',
  'issuer',
  'clientId',
  'scopes',
  'url',
  'baseDn',
  'bindDn',
  'userFilter',
  'subjectAttribute',
  'emailAttribute',
  'nameAttribute',
  'roleClaim',
] as const satisfies readonly (keyof ProviderDraft)[]
export type ProviderField = (typeof FAULTY_FIELDS)[number]

const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9;-]{0,60}$/
const isLong = (text: string, limit: number) => [...text.trim()].length > limit

/** What is wrong with what was typed, by field; the server judges by the same rules. */
export function providerFaults(draft: ProviderDraft): Partial<Record<ProviderField, ProviderFault>> {
  const faults: Partial<Record<ProviderField, ProviderFault>> = {}
  const demand = (field: ProviderField, limit: number, isRight: (text: string) => boolean = () => true) => {
    const text = draft[field].trim()
    if (text === '') faults[field] = 'missing'
    else if (isLong(text, limit)) faults[field] = 'long'
    else if (!isRight(text)) faults[field] = 'odd'
  }
  demand('name', PROVIDER_NAME_LIMIT)
  if (draft.kind === 'oidc') {
    demand('issuer', 500, (text) => isAddress(text, ['https:', 'http:']))
    demand('clientId', 300)
    if (draft.scopes.split(/[\s,]+/).filter(Boolean).length > 20) faults.scopes = 'long'
  } else {
    demand('url', 500, (text) => isAddress(text, ['ldaps:', 'ldap:']))
    demand('baseDn', 500)
    if (isLong(draft.bindDn, 500)) faults.bindDn = 'long'
    demand('userFilter', 500, (text) => text.includes('{username}'))
    for (const field of ['subjectAttribute', 'emailAttribute', 'nameAttribute'] as const) {
      demand(field, 61, (text) => ATTRIBUTE.test(text))
    }
  }
  if (draft.rolesFrom === 'groups') demand('roleClaim', 200, (text) => !/\s/.test(text))
  return faults
}

/** Whether every row of the mapping, where there is one, names a group of its own. */
export function areGroupsRight(draft: ProviderDraft): boolean {
  return draft.rolesFrom === 'here' || draft.groups.every((row) => groupFault(draft.groups, row) === null)
}

function isAddress(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text)
  return url !== null && protocols.includes(url.protocol) && url.hostname !== '' && !/\s/.test(text)
}
