import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses } = stage
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]
const everybody = () => [stage.acme.customer, ...staff()]

const insert = `insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body) values ($1, $2, $3, $4, 'x')`
function commentBy(
  actor: { organizationId?: string; userId: string },
  forged: Partial<Record<'organization' | 'ticket' | 'author' | 'visibility', string>> = {},
) {
  return [
    forged.organization ?? actor.organizationId,
    forged.ticket ?? stage.acme.ticketId,
    forged.author ?? actor.userId,
    forged.visibility ?? 'public',
  ]
}

describe('nobody', () => {
  test('who is not logged in reads comments', async () => {
    for (const role of ['atum_anonymous', 'atum_server', 'atum_worker', 'atum_reporting'] as const) {
      expect(
        await refuses(
          { role, organizationId: stage.acme.organizationId },
          'select id from app_public.comments',
        ),
      ).toBe('42501')
    }
    for (const { role } of everybody())
      expect(await sees({ role }, 'select id from app_public.comments')).toEqual([])
  })

  test('takes back or changes what was said', async () => {
    for (const actor of everybody()) {
      expect(await refuses(actor, `update app_public.comments set body = 'x'`)).toBe('42501')
      expect(await refuses(actor, `update app_public.comments set visibility = 'public'`)).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.comments')).toBe('42501')
    }
  })

  test('says when it was said, or under which identifier', async () => {
    for (const actor of everybody()) {
      for (const column of ['id', 'created_at']) {
        expect(
          await refuses(
            actor,
            `insert into app_public.comments (organization_id, ${column}) values ($1, null)`,
            [actor.organizationId],
          ),
        ).toBe('42501')
      }
    }
  })

  test('writes in the name of somebody else', async () => {
    const { acme, globex } = stage
    for (const actor of everybody()) {
      for (const author of [
        acme.neighbour.userId,
        globex.agent.userId,
        '00000000-0000-7000-8000-000000000000',
      ]) {
        expect(await refuses(actor, insert, commentBy(actor, { author }))).toBe('42501')
      }
      expect(
        await refuses(
          actor,
          `insert into app_public.comments (organization_id, ticket_id, body) values ($1, $2, 'x')`,
          [actor.organizationId, acme.ticketId],
        ),
      ).toBe('42501')
    }
  })

  test('reads or writes in another organization', async () => {
    const { acme, globex } = stage
    for (const actor of everybody()) {
      expect(
        await sees(actor, 'select count(*)::int from app_public.comments where organization_id <> $1', [
          acme.organizationId,
        ]),
      ).toEqual([0])
      expect(
        await sees(actor, 'select id from app_public.comments where id = $1', [globex.publicCommentId]),
      ).toEqual([])
      expect(
        await refuses(
          actor,
          insert,
          commentBy(actor, { organization: globex.organizationId, ticket: globex.ticketId }),
        ),
      ).toBe('42501')
      expect(await refuses(actor, insert, commentBy(actor, { organization: globex.organizationId }))).toBe(
        '42501',
      )
    }
    // The ticket of another organization under the own one is a ticket that is not there.
    expect(await refuses(acme.customer, insert, commentBy(acme.customer, { ticket: globex.ticketId }))).toBe(
      '42501',
    )
    for (const actor of staff())
      expect(await refuses(actor, insert, commentBy(actor, { ticket: globex.ticketId }))).toBe('23503')
  })
})

describe('a customer', () => {
  test('reads what is public on the own tickets, and nothing else', async () => {
    const { acme } = stage
    const seen = await sees(acme.customer, 'select body from app_public.comments order by created_at, id')
    expect(seen).toEqual(['No network, please', 'We are on it'])
    expect(
      await sees(acme.customer, 'select id from app_public.comments where id = $1', [acme.internalCommentId]),
    ).toEqual([])
    expect(
      await sees(acme.customer, 'select id from app_public.comments where ticket_id = $1', [
        acme.neighbourTicketId,
      ]),
    ).toEqual([])
    expect(await sees(acme.neighbour, 'select body from app_public.comments')).toEqual(['No printer, please'])
  })

  test('speaks in public on the own tickets only', async () => {
    const { acme } = stage
    expect(await refuses(acme.customer, insert, commentBy(acme.customer))).toBe('accepted')
    expect(await refuses(acme.customer, insert, commentBy(acme.customer, { visibility: 'internal' }))).toBe(
      '42501',
    )
    expect(
      await refuses(acme.customer, insert, commentBy(acme.customer, { ticket: acme.neighbourTicketId })),
    ).toBe('42501')
  })

  test('does not learn from a mutation key whether somebody else used it', async () => {
    const { acme } = stage
    const withKey = (actor: typeof acme.customer) =>
      refuses(
        actor,
        `insert into app_public.comments (organization_id, ticket_id, author_id, body, client_mutation_key) values ($1, $2, $3, 'x', 'the same key')`,
        [acme.organizationId, actor === acme.customer ? acme.ticketId : acme.neighbourTicketId, actor.userId],
      )
    expect(await withKey(acme.customer)).toBe('accepted')
    expect(await withKey(acme.neighbour)).toBe('accepted')
  })
})

describe('staff', () => {
  test('read everything of the organization', async () => {
    for (const actor of staff()) {
      expect(await sees(actor, 'select body from app_public.comments order by created_at, id')).toEqual([
        'No network, please',
        'No printer, please',
        'We are on it',
        'It is the switch again',
      ])
    }
  })

  test('speak in public and among themselves', async () => {
    for (const actor of staff()) {
      expect(await refuses(actor, insert, commentBy(actor))).toBe('accepted')
      expect(
        await refuses(
          actor,
          insert,
          commentBy(actor, { visibility: 'internal', ticket: stage.acme.neighbourTicketId }),
        ),
      ).toBe('accepted')
    }
  })
})
