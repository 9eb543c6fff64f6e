import { beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { loginsOn } from '../support/logins.ts'
import { setStage } from '../support/stage.ts'
import { uploadsOn } from '../support/uploads.ts'

const stage = setStage()
const { sees, refuses, touches, does } = stage
const { newcomer } = loginsOn(stage)
const { upload } = uploadsOn(stage)

const mine = 'select name from app_public.attachments where id = any ($1) order by name'

describe('a file is seen', () => {
  let restricted: Person
  let ids: string[]

  beforeAll(async () => {
    const { customer, agent, ticketId } = stage.acme
    restricted = await newcomer(stage.acme, 'agent')
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      restricted.userId,
    ])
    const say = `select (app_public.add_comment($1, 'Look', $2, attachment_ids => $3)).id`
    const made: [Person, string, string | null][] = [
      [customer, 'asked', 'public'],
      [agent, 'answered', 'public'],
      [agent, 'noted', 'internal'],
      [customer, 'waits at the customer', null],
      [agent, 'waits at the agent', null],
    ]
    ids = []
    for (const [by, name, visibility] of made) {
      const { id } = await upload(by, { name })
      ids.push(id)
      if (visibility) await does(by, say, [ticketId, visibility, [id]])
    }
  })

  test('by whoever sees its comment, and before it is on one by its uploader alone', async () => {
    const { customer, neighbour, agent, manager, admin } = stage.acme
    expect(await sees(customer, mine, [ids])).toEqual(['answered', 'asked', 'waits at the customer'])
    expect(await sees(neighbour, mine, [ids])).toEqual([])
    expect(await sees(agent, mine, [ids])).toEqual(['answered', 'asked', 'noted', 'waits at the agent'])
    for (const person of [manager, admin])
      expect(await sees(person, mine, [ids])).toEqual(['answered', 'asked', 'noted'])
    expect(await sees(restricted, mine, [ids])).toEqual([])
    expect(await sees(stage.globex.admin, mine, [ids])).toEqual([])
  })

  test('by an agent who is restricted once the ticket is of their team', async () => {
    await stage.superuser.query(
      `insert into app_public.team_members (organization_id, team_id, user_id)
      select organization_id, team_id, $2 from app_public.tickets where id = $1`,
      [stage.acme.ticketId, restricted.userId],
    )
    expect(await sees(restricted, mine, [ids])).toEqual(['answered', 'asked', 'noted'])
  })
})

test('nobody writes files but by functions', async () => {
  for (const person of [stage.acme.customer, stage.acme.agent, stage.acme.admin]) {
    for (const statement of [
      `insert into app_public.attachments (organization_id, name, sha256, size, content_type, state)
        select organization_id, 'x', sha256, size, content_type, state from app_public.attachments`,
      `update app_public.attachments set state = 'clean'`,
      `update app_public.attachments set uploaded_by_id = null`,
      'delete from app_public.attachments',
      `update app_public.stored_files set state = 'clean'`,
      'delete from app_public.stored_files',
    ]) {
      expect(await refuses(person, statement), `${person.role} ${statement}`).toBe('42501')
    }
  }
})

describe('the settings', () => {
  test('are read by everybody, changed by admins of the organization', async () => {
    const change =
      'update app_public.attachment_settings set max_files_per_comment = 5 where organization_id = $1'
    for (const person of [stage.acme.customer, stage.acme.agent]) {
      expect(await sees(person, 'select organization_id from app_public.attachment_settings')).toEqual([
        stage.acme.organizationId,
      ])
      expect(await refuses(person, change, [stage.acme.organizationId])).toBe('42501')
    }
    expect(await refuses(stage.acme.manager, change, [stage.acme.organizationId])).toBe('42501')
    expect(await touches(stage.acme.admin, change, [stage.acme.organizationId])).toBe(1)
    expect(await touches(stage.acme.admin, change, [stage.globex.organizationId])).toBe(0)
  })
})
