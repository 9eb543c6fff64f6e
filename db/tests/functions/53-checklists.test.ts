import { beforeEach, describe, expect, test } from 'vitest'
import { type Actor, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
let ticketId: string

beforeEach(async () => {
  ticketId = await stage.does(
    stage.acme.customer,
    `select id from app_public.create_ticket('A new colleague', 'Starts on Monday')`,
  )
})

const add = (texts: unknown, actor: Actor = stage.acme.agent) =>
  stage.does<string>(actor, 'select id from app_public.add_checklist_items($1, $2)', [ticketId, texts])

const list = () =>
  stage.sees(
    stage.acme.agent,
    `select text || case when done_at is null then '' else ' ✓' end
    from app_public.checklist_items where ticket_id = $1 order by position, id`,
    [ticketId],
  )

const idOf = async (text: string) =>
  (
    await stage.sees(
      stage.acme.agent,
      'select id from app_public.checklist_items where ticket_id = $1 and text = $2',
      [ticketId, text],
    )
  )[0] as string

describe('a checklist', () => {
  test('keeps its steps in the order in which they were added', async () => {
    await add([' Laptop ', 'Badge'])
    await add(['Desk'])
    expect(await list()).toEqual(['Laptop', 'Badge', 'Desk'])
  })

  test('tells what was done, by whom, and what was not after all', async () => {
    const { agent } = stage.acme
    await add(['Laptop'])
    const id = await idOf('Laptop')
    expect(await stage.does(agent, 'select done_by_id from app_public.tick_checklist_item($1)', [id])).toBe(
      agent.userId,
    )
    // Ticked twice is ticked once.
    await stage.does(stage.acme.admin, 'select id from app_public.tick_checklist_item($1)', [id])
    expect(await list()).toEqual(['Laptop ✓'])
    await stage.does(agent, 'select id from app_public.tick_checklist_item($1, false)', [id])
    expect(await list()).toEqual(['Laptop'])
    expect(
      await stage.sees(
        agent,
        `select after ->> 'what' from app_public.ticket_events
        where ticket_id = $1 and type = 'checklist_changed' order by created_at, id`,
        [ticketId],
      ),
    ).toEqual(['added', 'done', 'undone'])
  })

  test('can be put in another order, and shortened', async () => {
    const { agent } = stage.acme
    await add(['Laptop', 'Badge', 'Desk'])
    const move = async (text: string, before: string | null) =>
      stage.does(agent, 'select id from app_public.move_checklist_item($1, $2)', [
        await idOf(text),
        before && (await idOf(before)),
      ])
    await move('Desk', 'Laptop')
    expect(await list()).toEqual(['Desk', 'Laptop', 'Badge'])
    await move('Desk', null)
    expect(await list()).toEqual(['Laptop', 'Badge', 'Desk'])
    await stage.does(agent, 'select id from app_public.remove_checklist_item($1)', [await idOf('Badge')])
    expect(await list()).toEqual(['Laptop', 'Desk'])
  })

  test('two people add to at the same moment loses no step', async () => {
    await Promise.all(
      [stage.acme.agent, stage.acme.manager, stage.acme.admin].map(async (actor, number) => {
        const client = await stage.open(stage.database.serverUrl)
        await asRoleForGood(client, actor, () =>
          client.query('select app_public.add_checklist_items($1, $2)', [
            ticketId,
            [`a${number}`, `b${number}`],
          ]),
        )
      }),
    )
    const positions = await stage.sees(
      stage.acme.agent,
      'select position from app_public.checklist_items where ticket_id = $1 order by 1',
      [ticketId],
    )
    expect(positions).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('it is refused', () => {
  test('to have more than 100 steps, an empty or an endless one', async () => {
    const refused = (texts: unknown) =>
      stage.refuses(stage.acme.agent, 'select app_public.add_checklist_items($1, $2)', [ticketId, texts])
    expect(await refused(Array(101).fill('Step'))).toBe('AD153')
    expect(await refused([' '])).toBe('23514')
    expect(await refused(['x'.repeat(501)])).toBe('23514')
    expect(await refused([null])).toBe('23502')
    await add(Array(100).fill('Step'))
    expect(await refused(['One more'])).toBe('AD153')
  })

  test('to customers, to other organizations, and on what is not there', async () => {
    await add(['Laptop'])
    const id = await idOf('Laptop')
    const attempts: [sql: string, values: unknown[]][] = [
      [`select app_public.add_checklist_items($1, '{Badge}')`, [ticketId]],
      ['select app_public.tick_checklist_item($1)', [id]],
      ['select app_public.remove_checklist_item($1)', [id]],
      ['select app_public.move_checklist_item($1)', [id]],
    ]
    for (const [sql, values] of attempts) {
      expect(await stage.refuses(stage.acme.customer, sql, values), sql).toBe('42501')
      expect(await stage.refuses(stage.globex.admin, sql, values), sql).toBe('AD101')
    }
    const other = await stage.sees(stage.globex.agent, 'select id from app_public.checklist_items limit 1')
    expect(
      await stage.refuses(stage.acme.agent, 'select app_public.move_checklist_item($1, $2)', [id, other[0]]),
    ).toBe('AD101')
    expect(await list()).toEqual(['Laptop'])
  })
})
