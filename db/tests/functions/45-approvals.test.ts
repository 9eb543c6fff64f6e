import { beforeEach, describe, expect, test } from 'vitest'
import { sqlState } from '../support/refusals.ts'
import { type Actor, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
let ticketId: string

beforeEach(async () => {
  ticketId = await stage.does(
    stage.acme.customer,
    `select id from app_public.create_ticket('A new laptop', 'Mine is ten years old')`,
  )
})

const ask = (approverIds: string[], rule = 'all', actor: Actor = stage.acme.agent) =>
  stage.does<string>(actor, 'select id from app_public.request_approval($1, $2, $3, $4)', [
    ticketId,
    'A laptop for 1,200 €?',
    approverIds,
    rule,
  ])

const decide = (actor: Actor, approvalId: string, decision: string, note: string | null = null) =>
  stage.does<string>(actor, 'select state from app_public.decide_approval($1, $2, $3)', [
    approvalId,
    decision,
    note,
  ])

const refusedDecision = (actor: Actor, approvalId: string) =>
  stage.refuses(actor, `select app_public.decide_approval($1, 'approved')`, [approvalId])

const stateOf = async (approvalId: string) =>
  (
    await stage.sees(stage.acme.admin, 'select state from app_public.ticket_approvals where id = $1', [
      approvalId,
    ])
  )[0]

const events = () =>
  stage.sees(
    stage.acme.admin,
    `select type || coalesce(' ' || (after ->> 'decision'), '') || ' ' || (after ->> 'state')
    from app_public.ticket_events where ticket_id = $1 and type::text like 'approval%' order by created_at, id`,
    [ticketId],
  )

/** Lets the neighbour decide for the company, for one test. */
async function withCompanyManager<T>(work: () => Promise<T>): Promise<T> {
  const { acme } = stage
  const become = (manages: boolean) =>
    stage.does(
      acme.admin,
      'with changed as (update app_public.users set manages_company = $2 where id = $1 returning 1) select count(*) from changed',
      [acme.neighbour.userId, manages],
    )
  await become(true)
  try {
    return await work()
  } finally {
    await become(false)
  }
}

describe('a question for approval', () => {
  test('of all is approved when the last one says yes', async () => {
    const { manager, admin } = stage.acme
    const id = await ask([manager.userId, admin.userId])
    expect(await decide(manager, id, 'approved')).toBe('pending')
    expect(await decide(admin, id, 'approved', ' Fine ')).toBe('approved')
    expect(await events()).toEqual([
      'approval_requested pending',
      'approval_decided approved pending',
      'approval_decided approved approved',
    ])
    expect(
      await stage.sees(
        manager,
        'select note from app_public.ticket_approvers where approval_id = $1 and note is not null',
        [id],
      ),
    ).toEqual(['Fine'])
  })

  test('of all is declined by one no', async () => {
    const id = await ask([stage.acme.manager.userId, stage.acme.admin.userId])
    expect(await decide(stage.acme.manager, id, 'declined')).toBe('declined')
    expect(await refusedDecision(stage.acme.admin, id)).toBe('AD152')
  })

  test('of any is approved by one yes', async () => {
    const id = await ask([stage.acme.manager.userId, stage.acme.admin.userId], 'any')
    expect(await decide(stage.acme.manager, id, 'declined')).toBe('pending')
    expect(await decide(stage.acme.admin, id, 'approved')).toBe('approved')
  })

  test('of any is declined when everybody says no', async () => {
    const id = await ask([stage.acme.manager.userId, stage.acme.admin.userId], 'any')
    await decide(stage.acme.manager, id, 'declined')
    expect(await decide(stage.acme.admin, id, 'declined')).toBe('declined')
  })

  test('answered by two at the same moment is decided once', async () => {
    const { manager, admin } = stage.acme
    const id = await ask([manager.userId, admin.userId])
    const answers = await Promise.all(
      [manager, admin].map(async (actor) => {
        const client = await stage.open(stage.database.serverUrl)
        return asRoleForGood(client, actor, () =>
          client.query<{ state: string }>(`select state from app_public.decide_approval($1, 'approved')`, [
            id,
          ]),
        )
      }),
    )
    expect(answers.map(({ rows }) => rows[0]!.state).sort()).toEqual(['approved', 'pending'])
    expect(await stateOf(id)).toBe('approved')
  })

  test('asks somebody once, however often named', async () => {
    const { manager } = stage.acme
    const id = await ask([manager.userId, manager.userId])
    expect(await decide(manager, id, 'approved')).toBe('approved')
  })

  test('can be taken back', async () => {
    const id = await ask([stage.acme.manager.userId])
    expect(await stage.does(stage.acme.agent, 'select state from app_public.cancel_approval($1)', [id])).toBe(
      'cancelled',
    )
    expect(await refusedDecision(stage.acme.manager, id)).toBe('AD152')
    expect(await stage.refuses(stage.acme.agent, 'select app_public.cancel_approval($1)', [id])).toBe('AD152')
  })

  test('waits in the list of whoever is asked, until it is answered', async () => {
    const { manager, admin } = stage.acme
    const id = await ask([manager.userId])
    const waiting = (actor: Actor) =>
      stage.sees(actor, 'select id from app_public.pending_approvals() where ticket_id = $1', [ticketId])
    expect(await waiting(manager)).toEqual([id])
    expect(await waiting(admin)).toEqual([])
    await decide(manager, id, 'declined')
    expect(await waiting(manager)).toEqual([])
  })
})

describe('a customer', () => {
  test('who decides for the company answers without seeing the ticket', async () => {
    await withCompanyManager(async () => {
      const { neighbour } = stage.acme
      const id = await ask([neighbour.userId])
      expect(
        await stage.sees(neighbour, 'select id from app_public.tickets where id = $1', [ticketId]),
      ).toEqual([])
      expect(
        await stage.sees(neighbour, 'select question from app_public.pending_approvals() where id = $1', [
          id,
        ]),
      ).toEqual(['A laptop for 1,200 €?'])
      expect(await decide(neighbour, id, 'approved')).toBe('approved')
    })
  })

  test('does not decide any more what is no longer theirs to decide', async () => {
    const { neighbour, manager } = stage.acme
    const id = await withCompanyManager(() => ask([neighbour.userId, manager.userId], 'any'))
    expect(await refusedDecision(neighbour, id)).toBe('AD101')
    expect(await decide(manager, id, 'approved')).toBe('approved')
  })

  test('reads the own answer alone', async () => {
    await withCompanyManager(async () => {
      const { neighbour, manager } = stage.acme
      const id = await ask([neighbour.userId, manager.userId])
      await decide(manager, id, 'approved', 'Too old indeed')
      expect(
        await stage.sees(
          neighbour,
          'select user_id from app_public.ticket_approvers where approval_id = $1',
          [id],
        ),
      ).toEqual([neighbour.userId])
    })
  })

  test('who is not asked learns of nothing', async () => {
    const id = await ask([stage.acme.manager.userId])
    for (const table of ['ticket_approvals where id', 'ticket_approvers where approval_id'])
      expect(await stage.sees(stage.acme.customer, `select id from app_public.${table} = $1`, [id])).toEqual(
        [],
      )
    expect(await refusedDecision(stage.acme.customer, id)).toBe('AD101')
  })

  test('who is the requester may be asked', async () => {
    const id = await ask([stage.acme.customer.userId])
    expect(await decide(stage.acme.customer, id, 'approved')).toBe('approved')
  })
})

describe('it is refused', () => {
  const request = (actor: Actor, approverIds: unknown, on = ticketId) =>
    stage.refuses(actor, `select app_public.request_approval($1, 'Yes?', $2)`, [on, approverIds])

  test('to ask whoever may not see the ticket', async () => {
    expect(await request(stage.acme.agent, [stage.acme.neighbour.userId])).toBe('AD151')
    expect(await request(stage.acme.agent, [stage.globex.admin.userId])).toBe('AD151')
  })

  test('to ask nobody, or everybody', async () => {
    expect(await request(stage.acme.agent, [])).toBe('AD151')
    expect(await request(stage.acme.agent, null)).toBe('AD151')
    expect(await request(stage.acme.agent, Array(21).fill(stage.acme.admin.userId))).toBe('AD151')
  })

  test('to ask nothing', async () => {
    expect(
      await stage.refuses(stage.acme.agent, `select app_public.request_approval($1, '  ', $2)`, [
        ticketId,
        [stage.acme.admin.userId],
      ]),
    ).toBe('23514')
  })

  test('on a ticket that is done', async () => {
    await stage.does(
      stage.acme.agent,
      `with changed as (update app_public.tickets set status = 'resolved' where id = $1 returning 1) select count(*) from changed`,
      [ticketId],
    )
    expect(await request(stage.acme.agent, [stage.acme.admin.userId])).toBe('AD150')
  })

  test('by customers, and by other organizations', async () => {
    expect(await request(stage.acme.customer, [stage.acme.admin.userId])).toBe('42501')
    expect(await request(stage.globex.agent, [stage.globex.admin.userId])).toBe('AD101')
    const id = await ask([stage.acme.manager.userId])
    expect(await stage.refuses(stage.acme.customer, 'select app_public.cancel_approval($1)', [id])).toBe(
      '42501',
    )
    expect(await stage.refuses(stage.globex.admin, 'select app_public.cancel_approval($1)', [id])).toBe(
      'AD101',
    )
    expect(await refusedDecision(stage.globex.manager, id)).toBe('AD101')
  })

  test('to answer for somebody else, or twice', async () => {
    const { manager, admin, agent } = stage.acme
    const id = await ask([manager.userId, admin.userId])
    expect(await refusedDecision(agent, id)).toBe('AD101')
    await decide(manager, id, 'approved')
    expect(await refusedDecision(manager, id)).toBe('AD152')
    expect(
      await sqlState(
        stage.does(
          manager,
          `update app_public.ticket_approvers set decision = 'declined' where approval_id = $1`,
          [id],
        ),
      ),
    ).toBe('42501')
  })
})
