import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, touches } = stage
const everybody = () => [stage.acme.customer, stage.acme.agent, stage.acme.manager, stage.acme.admin]
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]

describe('nobody who is not logged in', () => {
  test.each(['app_public.organizations', 'app_public.services', 'app_public.teams'])(
    'reads %s',
    async (table) => {
      expect(await refuses({ role: 'atum_anonymous' }, `select * from ${table}`)).toBe('42501')
      expect(
        await refuses(
          { role: 'atum_anonymous', organizationId: stage.acme.organizationId },
          `select * from ${table}`,
        ),
      ).toBe('42501')
      expect(
        await refuses(
          { role: 'atum_server', organizationId: stage.acme.organizationId },
          `select * from ${table}`,
        ),
      ).toBe('42501')
      expect(
        await refuses(
          { role: 'atum_worker', organizationId: stage.acme.organizationId },
          `select * from ${table}`,
        ),
      ).toBe('42501')
      expect(
        await refuses(
          { role: 'atum_reporting', organizationId: stage.acme.organizationId },
          `select * from ${table}`,
        ),
      ).toBe('42501')
    },
  )

  test('a request role without claims sees nothing', async () => {
    for (const { role } of everybody()) {
      expect(await sees({ role }, 'select id from app_public.organizations')).toEqual([])
      expect(await sees({ role }, 'select id from app_public.services')).toEqual([])
      expect(await sees({ role }, 'select (app_public.current_organization()).id')).toEqual([null])
    }
  })
})

describe('another organization', () => {
  test('is not there', async () => {
    const { acme, globex } = stage
    for (const actor of everybody()) {
      expect(await sees(actor, 'select id from app_public.organizations')).toEqual([acme.organizationId])
      expect(await sees(actor, 'select (app_public.current_organization()).slug')).toEqual(['acme'])
      expect(
        await sees(actor, 'select id from app_public.organizations where id = $1', [globex.organizationId]),
      ).toEqual([])
      expect(
        await sees(actor, `select id from app_public.services where organization_id = $1`, [
          globex.organizationId,
        ]),
      ).toEqual([])
    }
    for (const actor of staff()) {
      expect(
        await sees(actor, 'select id from app_public.teams where organization_id = $1', [
          globex.organizationId,
        ]),
      ).toEqual([])
    }
  })

  test('cannot be reached by claiming what is none', async () => {
    for (const organizationId of ['00000000-0000-0000-0000-000000000000', stage.globex.agent.userId]) {
      expect(
        await sees({ role: 'atum_admin', organizationId }, 'select id from app_public.organizations'),
      ).toEqual([])
    }
    expect(
      await refuses(
        { role: 'atum_admin', organizationId: `' or true --` },
        'select id from app_public.organizations',
      ),
    ).toBe('22P02')
  })
})

describe('a customer', () => {
  test('does not know of teams', async () => {
    expect(await refuses(stage.acme.customer, 'select id from app_public.teams')).toBe('42501')
  })

  test('does not read what staff must know to work on a service', async () => {
    const skills = 'select required_skills from app_public.services'
    expect(await stage.refuses(stage.acme.customer, skills)).toBe('42501')
    expect(await stage.refuses(stage.acme.agent, skills)).toBe('accepted')
  })

  test('chooses from the services', async () => {
    expect(await sees(stage.acme.customer, 'select name from app_public.services order by name')).toEqual([
      'Fax',
      'VPN',
    ])
  })
})

test('staff see teams and services', async () => {
  for (const actor of staff()) {
    expect(await sees(actor, 'select name from app_public.teams')).toEqual(['Network'])
    expect(await sees(actor, 'select name from app_public.services order by name')).toEqual(['Fax', 'VPN'])
  }
})

test('nobody but an admin changes teams, services, stages and settings', async () => {
  for (const assignment of [
    `app_public.teams set name = name || '.'`,
    `app_public.teams set assignment_method = 'round_robin'`,
    `app_public.services set name = name || '.'`,
    `app_public.services set required_skills = '{vpn}'`,
    `app_public.ticket_states set position = 7`,
    `app_public.ticket_settings set reopen_days = 7`,
  ]) {
    for (const actor of everybody()) {
      expect(await refuses(actor, `update ${assignment}`)).toBe(
        actor === stage.acme.admin ? 'accepted' : '42501',
      )
    }
    // Nothing of another organization is within reach.
    expect(
      await touches(stage.acme.admin, `update ${assignment} where organization_id = $1`, [
        stage.globex.organizationId,
      ]),
    ).toBe(0)
  }
})

test('nobody writes the rest, and nobody reads the counters', async () => {
  for (const actor of everybody()) {
    expect(await refuses(actor, `update app_public.organizations set name = 'x'`)).toBe('42501')
    for (const table of [
      'app_public.organizations',
      'app_public.services',
      'app_public.teams',
      'app_public.ticket_states',
      'app_public.ticket_settings',
      'app_public.tags',
    ]) {
      expect(await refuses(actor, `delete from ${table}`)).toBe('42501')
      expect(await refuses(actor, `truncate ${table} cascade`)).toBe('42501')
    }
    expect(
      await refuses(actor, `insert into app_public.teams (organization_id, name) values ($1, 'x')`, [
        stage.acme.organizationId,
      ]),
    ).toBe('42501')
    expect(await refuses(actor, `select app_private.create_organization('mine', 'Mine')`)).toBe('42501')
    expect(await refuses(actor, 'select * from app_private.ticket_counters')).toBe('42501')
  }
})

describe('the owner', () => {
  test('with claims stays inside the organization, like everybody else', async () => {
    const { acme, globex } = stage
    const owner = { role: 'atum_owner', organizationId: acme.organizationId } as const
    expect(await sees(owner, 'select id from app_public.organizations')).toEqual([acme.organizationId])
    expect(await touches(owner, `update app_public.teams set name = name`)).toBe(1)
    expect(
      await touches(owner, `delete from app_public.teams where organization_id = $1`, [
        globex.organizationId,
      ]),
    ).toBe(0)
    expect(
      await refuses(owner, `insert into app_public.teams (organization_id, name) values ($1, 'x')`, [
        globex.organizationId,
      ]),
    ).toBe('42501')
    expect(
      await refuses(owner, `update app_public.teams set organization_id = $1`, [globex.organizationId]),
    ).toBe('42501')
  })

  test('without claims, as in a migration, sees all', async () => {
    expect(
      await sees({ role: 'atum_owner' }, 'select slug from app_public.organizations order by slug'),
    ).toEqual(['acme', 'globex'])
  })
})
