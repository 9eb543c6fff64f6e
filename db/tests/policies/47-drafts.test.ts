import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()

const drafts = 'select body from app_public.ticket_drafts'
const outgoing = 'select body from app_public.outgoing_replies'
const save = 'select body from app_public.save_draft($1, $2)'

describe('a draft', () => {
  test('is seen by nobody but its author', async () => {
    const { agent, manager, admin, customer, worker } = stage.acme
    await stage.does(agent, save, [stage.acme.ticketId, 'Not for you'])
    expect(await stage.sees(agent, drafts)).toEqual(['Not for you'])
    for (const other of [manager, admin, customer, stage.globex.agent]) {
      expect(await stage.sees(other, drafts)).not.toContain('Not for you')
    }
    for (const actor of [worker, { role: 'atum_anonymous' } as const]) {
      expect(await stage.refuses(actor, drafts)).toBe('42501')
    }
  })

  test('is written by functions alone', async () => {
    for (const actor of [stage.acme.agent, stage.acme.admin, stage.acme.customer]) {
      expect(await stage.refuses(actor, `update app_public.ticket_drafts set body = 'x'`)).toBe('42501')
      expect(await stage.refuses(actor, 'delete from app_public.ticket_drafts')).toBe('42501')
      expect(
        await stage.refuses(
          actor,
          `insert into app_public.ticket_drafts (organization_id, ticket_id, author_id, body) values ($1, $2, $3, 'x')`,
          [stage.acme.organizationId, stage.acme.ticketId, actor.userId],
        ),
      ).toBe('42501')
    }
  })

  test('of a customer is a reply on an own ticket', async () => {
    const { customer, ticketId, neighbourTicketId } = stage.acme
    expect(await stage.does(customer, save, [ticketId, 'It still does not'])).toBe('It still does not')
    expect(await stage.refuses(customer, save, [neighbourTicketId, 'x'])).toBe('AD101')
    expect(await stage.refuses(customer, save, [stage.globex.ticketId, 'x'])).toBe('AD101')
    expect(
      await stage.refuses(customer, `select app_public.save_draft($1, 'x', 'internal')`, [ticketId]),
    ).toBe('42501')
    expect(
      await stage.refuses(customer, `select app_public.save_draft($1, 'x', status => 'closed')`, [ticketId]),
    ).toBe('42501')
  })
})

describe('a reply on its way', () => {
  const insert =
    'insert into app_public.outgoing_replies (organization_id, ticket_id, author_id, body) values ($1, $2, $3, $4)'

  test('is seen by nobody but its author', async () => {
    const { agent, manager, admin, customer } = stage.acme
    expect(await stage.sees(agent, outgoing)).toEqual(['On its way'])
    for (const other of [manager, admin]) expect(await stage.sees(other, outgoing)).toEqual([])
    for (const actor of [customer, stage.acme.worker, { role: 'atum_anonymous' } as const]) {
      expect(await stage.refuses(actor, outgoing)).toBe('42501')
    }
  })

  test('is sent in the own name, within the own organization, at the time that is fixed', async () => {
    const { agent, manager, customer, organizationId, ticketId } = stage.acme
    expect(await stage.refuses(agent, insert, [organizationId, ticketId, agent.userId, 'x'])).toBe('accepted')
    expect(await stage.refuses(agent, insert, [organizationId, ticketId, manager.userId, 'x'])).toBe('42501')
    expect(
      await stage.refuses(agent, insert, [
        stage.globex.organizationId,
        stage.globex.ticketId,
        agent.userId,
        'x',
      ]),
    ).toBe('42501')
    expect(await stage.refuses(customer, insert, [organizationId, ticketId, customer.userId, 'x'])).toBe(
      '42501',
    )
    expect(await stage.refuses(agent, 'update app_public.outgoing_replies set send_at = now()')).toBe('42501')
    expect(await stage.refuses(agent, 'delete from app_public.outgoing_replies')).toBe('42501')
  })

  test('is sent and taken back by staff, and delivered by the worker alone', async () => {
    const { acme } = stage
    expect(await stage.refuses(acme.customer, `select app_public.send_reply($1, 'x')`, [acme.ticketId])).toBe(
      '42501',
    )
    expect(await stage.refuses(acme.customer, 'select app_public.undo_send($1)', [acme.ticketId])).toBe(
      '42501',
    )
    for (const actor of [acme.agent, acme.admin, acme.customer]) {
      expect(await stage.refuses(actor, 'select app_private.deliver_replies()')).toBe('42501')
    }
    expect(await stage.refuses({ role: 'atum_worker' }, 'select app_private.deliver_replies()')).toBe('AD301')
  })
})
