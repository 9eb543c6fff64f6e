import { describe, expect, it } from 'vitest'
import {
  areGroupsRight,
  blankProvider,
  draftOf,
  providerFaults,
  settingsOf,
  type ProviderDraft,
} from './provider-draft.ts'
import { newGroup } from './role-mapping.ts'

const openId: ProviderDraft = {
  ...blankProvider('oidc'),
  name: ' Acme ',
  issuer: 'https://id.acme.example/realms/acme ',
  clientId: 'desk',
}
const directory: ProviderDraft = {
  ...blankProvider('ldap'),
  name: 'Directory',
  url: 'ldaps://ldap.acme.example',
  baseDn: 'ou=people,dc=acme,dc=example',
}

describe('providerFaults', () => {
  it('wants what each kind needs, and nothing of the other', () => {
    expect(providerFaults(blankProvider('oidc'))).toEqual({
      name: 'missing',
      issuer: 'missing',
      clientId: 'missing',
    })
    expect(providerFaults(blankProvider('ldap'))).toEqual({
      name: 'missing',
      url: 'missing',
      baseDn: 'missing',
    })
    expect(providerFaults(openId)).toEqual({})
    expect(providerFaults(directory)).toEqual({})
  })

  it.each([
    [{ ...openId, issuer: 'id.acme.example' }, { issuer: 'odd' }],
    [{ ...openId, issuer: 'javascript:alert(1)' }, { issuer: 'odd' }],
    [{ ...openId, name: 'x'.repeat(81) }, { name: 'long' }],
    [{ ...openId, scopes: 'a '.repeat(21) }, { scopes: 'long' }],
    [{ ...openId, rolesFrom: 'groups' as const }, { roleClaim: 'missing' }],
    [{ ...openId, rolesFrom: 'groups' as const, roleClaim: 'my groups' }, { roleClaim: 'odd' }],
    [{ ...directory, url: 'https://ldap.acme.example' }, { url: 'odd' }],
    [{ ...directory, userFilter: '(uid=*)' }, { userFilter: 'odd' }],
    [{ ...directory, nameAttribute: '1cn' }, { nameAttribute: 'odd' }],
    [{ ...directory, emailAttribute: '' }, { emailAttribute: 'missing' }],
  ])('refuses case %#', (draft, faults) => {
    expect(providerFaults(draft)).toEqual(faults)
  })
})

it('looks at the mapping only where groups give the role', () => {
  const draft = { ...openId, groups: [newGroup('')] }
  expect(areGroupsRight(draft)).toBe(true)
  expect(areGroupsRight({ ...draft, rolesFrom: 'groups' })).toBe(false)
})

describe('settingsOf', () => {
  it('sends nothing of the other kind', () => {
    const filled = { ...openId, url: 'ldaps://x', baseDn: 'x', bindDn: 'x' }
    expect(settingsOf(filled)).toMatchObject({
      name: 'Acme',
      issuer: 'https://id.acme.example/realms/acme',
      url: null,
      baseDn: null,
      bindDn: null,
      userFilter: null,
    })
    expect(settingsOf({ ...directory, issuer: 'https://x', clientId: 'x' })).toMatchObject({
      issuer: null,
      clientId: null,
      bindDn: null,
    })
  })

  it('drops a mapping that nobody would look at', () => {
    const mapped = { ...openId, roleClaim: 'groups', groups: [newGroup('helpdesk')] }
    expect(settingsOf(mapped)).toMatchObject({ roleClaim: null, roleMapping: {} })
    expect(settingsOf({ ...mapped, rolesFrom: 'groups' })).toMatchObject({
      roleClaim: 'groups',
      roleMapping: { helpdesk: 'agent' },
    })
  })

  it('never sends the secret, which has a way of its own', () => {
    expect(JSON.stringify(settingsOf({ ...openId, secret: 'hunter2' }))).not.toContain('hunter2')
  })
})

it('reads back what it wrote', () => {
  const draft = {
    ...openId,
    rolesFrom: 'groups' as const,
    roleClaim: 'groups',
    groups: [newGroup('leads', 'manager')],
  }
  expect(settingsOf(draftOf(settingsOf(draft)))).toEqual(settingsOf(draft))
  expect(settingsOf(draftOf(settingsOf(directory)))).toEqual(settingsOf(directory))
})
