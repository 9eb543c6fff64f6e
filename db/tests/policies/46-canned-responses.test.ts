import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person, Tenant } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer } = loginsOn(stage)

const createResponse = `select id from app_public.create_canned_response($1, 'A body', 'A folder', $2, $3)`
const createMacro = `select id from app_public.create_macro($1, '[{"type": "raise_priority"}]', 'When it hurts', $2, $3)`
const titlesSeen = 'select title from app_public.canned_responses order by title'
const macrosSeen = 'select name from app_public.macros order by name'

/** An agent of Acme who is restricted to the own teams, and works in one of their own. */
let restricted: Person
let otherTeamId: string

beforeAll(async () => {
  const { acme, superuser } = stage
  const { userId } = await newcomer(acme, 'agent')
  restricted = { ...acme.agent, userId, sessionId: randomUUID() }
  await superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [userId])
  otherTeamId = await value<string>(
    superuser,
    `insert into app_public.teams (organization_id, name) values ($1, 'Printers') returning id`,
    [acme.organizationId],
  )
  await superuser.query(
    'insert into app_public.team_members (organization_id, team_id, user_id) values ($1, $2, $3)',
    [acme.organizationId, otherTeamId, userId],
  )
})

describe.each([
  ['canned response', createResponse, 'app_public.canned_responses', 'title', titlesSeen],
  ['macro', createMacro, 'app_public.macros', 'name', macrosSeen],
])('a %s', (_word, create, table, name, seen) => {
  const make = (actor: Person, title: string, visibility: string, teamId: string | null = null) =>
    stage.does<string>(actor, create, [title, visibility, teamId])

  test('is nothing to customers, to strangers and to another organization', async () => {
    const { acme, globex } = stage
    for (const actor of [acme.customer, { role: 'atum_anonymous' } as const, acme.worker]) {
      expect(await stage.refuses(actor, seen)).toBe('42501')
      expect(await stage.refuses(actor, create, ['A title', 'personal', null])).toBe('42501')
    }
    await make(acme.manager, 'Of Acme', 'shared')
    expect(await stage.sees(globex.admin, seen)).not.toContain('Of Acme')
    expect(await stage.refuses(acme.manager, create, ['A title', 'team', globex.teamId])).toBe('23503')
    expect(await stage.refuses(acme.manager, create, ['A title', 'team', null])).toBe('23514')
  })

  test('of an agent is personal, and nobody else sees or changes it', async () => {
    const { agent, manager, admin, teamId } = stage.acme
    for (const [visibility, team] of [
      ['team', teamId],
      ['shared', null],
    ]) {
      expect(await stage.refuses(agent, create, ['A title', visibility, team])).toBe('42501')
    }
    const id = await make(agent, 'Mine alone', 'personal')
    expect(await stage.sees(agent, seen)).toContain('Mine alone')
    for (const other of [manager, admin]) {
      expect(await stage.sees(other, seen)).not.toContain('Mine alone')
      expect(await stage.touches(other, `update ${table} set ${name} = 'x' where id = $1`, [id])).toBe(0)
    }
    expect(await stage.refuses(agent, `update ${table} set visibility = 'shared' where id = $1`, [id])).toBe(
      '42501',
    )
    expect(await stage.touches(agent, `update ${table} set archived_at = now() where id = $1`, [id])).toBe(1)
  })

  test('of a team or of all is changed by managers and admins alone', async () => {
    const { agent, manager, admin, teamId } = stage.acme
    for (const id of [
      await make(manager, 'Of all', 'shared'),
      await make(manager, 'Of Network', 'team', teamId),
    ]) {
      expect(await stage.touches(agent, `update ${table} set ${name} = 'x' where id = $1`, [id])).toBe(0)
      for (const writer of [manager, admin]) {
        expect(await stage.touches(writer, `update ${table} set ${name} = 'x' where id = $1`, [id])).toBe(1)
      }
      expect(await stage.refuses(admin, `delete from ${table} where id = $1`, [id])).toBe('42501')
    }
  })

  test('of a team is seen by all agents but those who are restricted to other teams', async () => {
    const { agent, manager, teamId } = stage.acme
    await make(manager, 'For Network', 'team', teamId)
    await make(manager, 'For Printers', 'team', otherTeamId)
    expect(await stage.sees(agent, seen)).toEqual(expect.arrayContaining(['For Network', 'For Printers']))
    expect(await stage.sees(restricted, seen)).toContain('For Printers')
    expect(await stage.sees(restricted, seen)).not.toContain('For Network')
  })

  test('that a manager opens up belongs to nobody, and to whoever closes it again', async () => {
    const { manager } = stage.acme
    const id = await make(manager, 'Opened up', 'personal')
    const become = (visibility: string) =>
      stage.does<string | null>(
        manager,
        `update ${table} set visibility = $2 where id = $1 returning owner_id`,
        [id, visibility],
      )
    expect(await become('shared')).toBe(null)
    expect(await become('personal')).toBe(manager.userId)
  })
})

test('nobody counts uses by hand', async () => {
  const tenant: Tenant = stage.acme
  for (const actor of [tenant.agent, tenant.admin, tenant.worker]) {
    for (const table of ['app_private.canned_response_uses', 'app_private.macro_uses']) {
      expect(await stage.refuses(actor, `select from ${table}`)).toBe('42501')
      expect(await stage.refuses(actor, `update ${table} set uses = 7`)).toBe('42501')
    }
  }
})
