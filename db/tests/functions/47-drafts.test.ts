import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()

const save = `select to_jsonb(draft) from app_public.save_draft($1, $2, $3, seen_version => $4) as draft`
const drafts =
  'select to_jsonb(draft) from app_public.ticket_drafts as draft where ticket_id = $1 order by visibility'

interface Draft {
  body: string
  version: number
  visibility: string
}

let ticketId: string

beforeEach(async () => {
  ticketId = await stage.does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket('The gate stays shut', 'Since eight')`,
  )
})

const keep = (body: string, seenVersion: number | null = null, visibility = 'public') =>
  stage.does<Draft>(stage.acme.agent, save, [ticketId, body, visibility, seenVersion])
const kept = () => stage.sees(stage.acme.agent, drafts, [ticketId]) as Promise<Draft[]>

describe('a draft', () => {
  test('is not kept for a ticket one does not see, and not without end', async () => {
    const { agent } = stage.acme
    expect(await stage.refuses(agent, save, [stage.globex.ticketId, 'x', 'public', null])).toBe('AD101')
    expect(await stage.refuses({ ...agent, userId: '' }, save, [ticketId, 'x', 'public', null])).toBe('AD001')
    expect(await stage.refuses(agent, save, [ticketId, 'x'.repeat(262_145), 'public', null])).toBe('23514')
  })

  test('is one reply and one note for each person and ticket, and the last save wins', async () => {
    await keep('One')
    await keep('A note', null, 'internal')
    expect(await keep('Two')).toMatchObject({ body: 'Two', version: 2 })
    expect((await kept()).map(({ body, visibility }) => [visibility, body])).toEqual([
      ['public', 'Two'],
      ['internal', 'A note'],
    ])
    expect(await stage.sees(stage.acme.manager, drafts, [ticketId])).toEqual([])
  })

  test('that crosses with one from another device is refused, and both are still there', async () => {
    expect(await keep('On the desk', 0)).toMatchObject({ version: 1 })
    expect(await stage.refuses(stage.acme.agent, save, [ticketId, 'On the train', 'public', 0])).toBe('AD180')
    expect(await keep('On the desk, more', 1)).toMatchObject({ version: 2 })
    expect(await stage.refuses(stage.acme.agent, save, [ticketId, 'On the train', 'public', 1])).toBe('AD180')
    expect(await kept()).toMatchObject([{ body: 'On the desk, more', version: 2 }])
  })

  test('whose save is repeated, because its answer was lost, does not cross with itself', async () => {
    await keep('Hello', 0)
    expect(await keep('Hello', 0)).toMatchObject({ version: 1 })
    await keep('Hello there', 1)
    expect(await keep('Hello there', 1)).toMatchObject({ version: 2 })
  })

  test('that was sent or discarded elsewhere does not come back by a save of the other device', async () => {
    const { agent } = stage.acme
    await keep('Hello', 0)
    expect(await stage.does(agent, 'select app_public.discard_draft($1)', [ticketId])).toBe(true)
    expect(await stage.refuses(agent, save, [ticketId, 'Hello you', 'public', 1])).toBe('AD180')
    expect(await stage.does(agent, 'select app_public.discard_draft($1)', [ticketId])).toBe(false)
  })

  test('is discarded only as it was seen, and by its author', async () => {
    const { agent, manager } = stage.acme
    const discard = `select app_public.discard_draft($1, 'public', $2)`
    await keep('One', 0)
    await keep('Two', 1)
    expect(await stage.does(agent, discard, [ticketId, 1])).toBe(false)
    expect(await stage.does(manager, discard, [ticketId, 2])).toBe(false)
    expect(await stage.does(agent, discard, [ticketId, 2])).toBe(true)
  })

  test('leaves no trace in the audit log, however often it is saved', async () => {
    const links = () => value<number>(stage.superuser, 'select count(*)::int from app_public.audit_log')
    const before = await links()
    for (let seen = 0; seen < 20; seen += 1) await keep(`Draft ${seen}`, seen)
    expect(await links()).toBe(before)
    expect(await stage.sees({ role: 'atum_owner' }, 'select app_private.wall_faults()')).toEqual([])
  })
})
