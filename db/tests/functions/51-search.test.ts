import type { Client, QueryResult } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../infra/dev/testing.ts'
import { connections } from '../support/connections.ts'
import { type Tenant, twoTenants } from '../support/fixture.ts'
import { sqlState } from '../support/refusals.ts'
import { type Actor, asRole, asRoleForGood } from '../support/session.ts'
import { createTicket, type Ticket } from '../support/tickets.ts'

const open = connections()
let database: TestDatabase
let superuser: Client
/** The login of the web server, which may become the request roles. */
let server: Client
let acme: Tenant
let globex: Tenant

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = await open.open(database.superuserUrl)
  server = await open.open(database.serverUrl)
  const tenants = await twoTenants(superuser)
  acme = tenants.acme
  globex = tenants.globex
})

afterAll(async () => {
  await open.close()
  await database.drop()
})

interface Match {
  number: number
  subject: string
  excerpt: string | null
}

interface Found {
  matches: Match[]
  next_cursor: string | null
  is_capped: boolean
  is_mended: boolean
}

/** What a search answers to whom the client has become. */
async function found(query: string, first: number | null = 20, after: string | null = null): Promise<Found> {
  const { rows } = await server.query<Found>(
    `select
      search.next_cursor, search.is_capped, search.is_mended,
      coalesce(
        (
          select json_agg(json_build_object('number', ticket.number, 'subject', match.subject, 'excerpt', match.excerpt) order by place)
          from unnest(search.matches) with ordinality as match (organization_id, ticket_id, subject, excerpt, rank, place)
          join app_public.tickets as ticket on ticket.organization_id = match.organization_id and ticket.id = match.ticket_id
        ),
        '[]'
      ) as matches
    from app_public.search_tickets($1, $2, $3) as search`,
    [query, first, after],
  )
  return rows[0]!
}

const numbers = async (query: string) => (await found(query)).matches.map(({ number }) => number)

const forGood = <T>(actor: Actor, work: () => Promise<T>) => asRoleForGood(server, actor, work)

/** What somebody finds. */
const finds = (actor: Actor, query: string) => asRole(server, actor, () => numbers(query))

/** A ticket of the customer that stays, with comments of the agent. */
async function ticketWith(
  values: Record<string, unknown>,
  comments: { body: string; visibility: 'public' | 'internal' }[] = [],
): Promise<Ticket> {
  const ticket = await forGood(acme.customer, () => createTicket(server, values))
  for (const { body, visibility } of comments) {
    await forGood(acme.agent, () =>
      server.query('select app_public.add_comment($1, $2, $3)', [ticket.id, body, visibility]),
    )
  }
  return ticket
}

describe('a search is refused', () => {
  test.each([
    ['status:nowhere'],
    ['is:fine'],
    ['priority:enormous'],
    ['channel:pigeon'],
    ['created:yesterday'],
    ['created:>2026-02-30'],
    ['updated:=2026-01-01'],
    ['-created:2026-01-01'],
    ['x'.repeat(501)],
    ['status:open '.repeat(21)],
  ])('%s', async (query) => {
    expect(await asRole(server, acme.agent, () => sqlState(found(query)))).toBe('AD160')
  })

  test('no number of tickets for twenty of them', async () => {
    await asRole(server, acme.agent, async () => {
      for (let count = 0; count < 21; count += 1) await createTicket(server, { subject: 'An armadillo' })
      const { matches, next_cursor } = await found('armadillo', null)
      expect(matches).toHaveLength(20)
      expect(next_cursor).toBe('20')
    })
  })

  test('with a page that is none', async () => {
    for (const [first, after] of [
      [0, null],
      [51, null],
      [-1, null],
      [20, 'x'],
      [20, '-1'],
      [20, '99999999999'],
    ] as const) {
      expect(await asRole(server, acme.agent, () => sqlState(found('network', first, after)))).toBe('AD160')
    }
  })

  test('to strangers, and to customers by what only staff knows', async () => {
    expect(await asRole(server, { role: 'atum_anonymous' }, () => sqlState(found('network')))).toBe('42501')
    for (const query of [
      'assignee:me',
      'team:network',
      'company:tidewater',
      'tag:vpn',
      '-tag:vpn',
      'is:snoozed',
      'is:breached',
    ]) {
      expect(await asRole(server, acme.customer, () => sqlState(found(query)))).toBe('AD160')
    }
  })
})

describe('nobody finds', () => {
  test('what is another organization’s', async () => {
    const secret = await forGood(globex.customer, () => createTicket(server, { subject: 'Zanzibar' }))
    expect(await finds(globex.agent, 'zanzibar')).toEqual([secret.number])
    for (const actor of [acme.admin, acme.agent, acme.customer]) {
      expect(await finds(actor, 'zanzibar')).toEqual([])
      expect(await finds(actor, 'zanzibr')).toEqual([])
      expect(await finds(actor, `#${secret.number}`)).toEqual([])
    }
  })

  test('by internal words as a customer, nor learns of them by what is left out', async () => {
    await superuser.query(
      `insert into app_public.custom_fields (organization_id, key, type, label, seen_by_customers) values ($1, 'note', 'text', 'Note', false)`,
      [acme.organizationId],
    )
    const ticket = await ticketWith({ subject: 'Quarterly crocodile' }, [
      { body: 'The wombat clause applies', visibility: 'internal' },
      { body: 'We look at the lemur', visibility: 'public' },
    ])
    await forGood(acme.agent, () =>
      server.query(
        `update app_public.tickets set tags = '{okapi}', internal_fields = '{"note": "tapir"}' where id = $1`,
        [ticket.id],
      ),
    )
    for (const word of [
      'wombat',
      'okapi',
      'tapir',
      'oka',
      'okapy',
      'tag:okapi',
      'crocodile requester:customer@acme',
    ]) {
      expect(await finds(acme.agent, word)).toEqual([ticket.number])
    }
    for (const word of ['wombat', 'okapi', 'tapir', 'okapy', 'crocodile requester:customer@acme']) {
      expect(await finds(acme.customer, word)).toEqual([])
    }
    expect(await finds(acme.customer, 'lemur crocodile')).toEqual([ticket.number])
    expect(await finds(acme.customer, 'crocodile -wombat')).toEqual([ticket.number])
    expect(await finds(acme.agent, 'crocodile -wombat')).toEqual([])
    const [match] = (await asRole(server, acme.customer, () => found('crocodile'))).matches
    expect(JSON.stringify(match)).not.toMatch(/wombat/)
  })

  test('a ticket of somebody else as a customer', async () => {
    expect(await finds(acme.customer, 'printer')).toEqual([])
    expect(await finds(acme.neighbour, 'printer')).toEqual([1002])
    expect(await finds(acme.customer, '1002')).toEqual([])
  })

  test('outside of the own teams when restricted to them', async () => {
    const ticket = await ticketWith({ subject: 'Payroll armadillo' })
    expect(await finds(acme.agent, 'armadillo')).toEqual([ticket.number])
    await forGood(
      { role: 'atum_admin', organizationId: acme.organizationId, userId: acme.admin.userId },
      () =>
        server.query('update app_public.users set restricted_to_teams = true where id = $1', [
          acme.agent.userId,
        ]),
    )
    try {
      expect(await finds(acme.agent, 'armadillo')).toEqual([])
      expect(await finds(acme.agent, 'printer')).toEqual([1002])
    } finally {
      await superuser.query('update app_public.users set restricted_to_teams = false where id = $1', [
        acme.agent.userId,
      ])
    }
  })
})

describe('a search finds', () => {
  test('what was just written, in the same transaction', async () => {
    await asRole(server, acme.agent, async () => {
      const ticket = await createTicket(server, { subject: 'Gecko in the server room', body: 'It is green' })
      expect(await numbers('gecko green')).toEqual([ticket.number])
      await server.query('select app_public.add_comment($1, $2)', [ticket.id, 'Now an iguana'])
      expect(await numbers('iguana gecko')).toEqual([ticket.number])
      await server.query(`update app_public.tickets set subject = 'Chameleon' where id = $1`, [ticket.id])
      expect(await numbers('gecko')).toEqual([])
      expect(await numbers('chameleon iguana green')).toEqual([ticket.number])
    })
  })

  test('words in their forms, without their accents, whole phrases, beginnings and misspelt ones', async () => {
    const ticket = await ticketWith({
      subject: 'Café routers are crashing',
      body: 'Since the storm of last night',
    })
    for (const query of [
      'cafe',
      'CAFÉ',
      'router',
      'crashed',
      '"storm of last night"',
      'rou',
      'routter storm',
      'storm -snow',
    ]) {
      expect([query, await finds(acme.agent, query)]).toEqual([query, [ticket.number]])
    }
    for (const query of ['"last storm"', 'storm -router', 'storm snow']) {
      expect([query, await finds(acme.agent, query)]).toEqual([query, []])
    }
    const mended = await asRole(server, acme.agent, () => found('routter'))
    expect(mended.is_mended).toBe(true)
    expect(mended.matches[0]?.subject).toBe('Café \uE000routers\uE001 are crashing')
  })

  test('numbers and their beginnings', async () => {
    const { rows } = await superuser.query<{ reference: string }>(
      'select reference from app_public.tickets where id = $1',
      [acme.ticketId],
    )
    const reference = rows[0]!.reference
    for (const query of ['1001', '#1001', reference, reference.toLowerCase()]) {
      expect((await finds(acme.agent, query))[0]).toBe(1001)
    }
    const partial = await finds(acme.agent, '100')
    expect(partial).toEqual(expect.arrayContaining([1001, 1002]))
    expect(await finds(acme.customer, '100')).not.toContain(1002)
    expect(await finds(acme.agent, '1001 status:closed')).toEqual([])
  })

  test('by filters, and without what a filter leaves out', async () => {
    const ticket = await ticketWith({
      subject: 'Filtered heron',
      priority: 'urgent',
      service_id: acme.serviceId,
    })
    await forGood(acme.agent, () =>
      server.query(`update app_public.tickets set tags = '{heron food}', assignee_id = $2 where id = $1`, [
        ticket.id,
        acme.agent.userId,
      ]),
    )
    for (const query of [
      'status:new',
      'is:new',
      '-status:closed',
      'is:unresolved',
      'priority:urgent',
      '-priority:low',
      'assignee:me',
      'assignee:agent',
      '-assignee:none',
      '-is:unassigned',
      'requester:customer',
      'requester:customer@acme',
      'team:net',
      'service:vpn',
      'company:tidewater',
      'channel:portal',
      'tag:"heron food"',
      '-tag:cats',
      'created:>=2026-01-01',
      '-created:<2026-01-01',
      '-is:breached',
      '-is:snoozed',
    ]) {
      expect([query, await finds(acme.agent, `heron ${query}`)]).toEqual([query, [ticket.number]])
      // Filters alone search too.
      expect([query, await finds(acme.agent, query)]).toEqual([
        query,
        expect.arrayContaining([ticket.number]),
      ])
    }
    for (const query of [
      '-status:new',
      'is:closed',
      'assignee:none',
      '-assignee:me',
      'assignee:nobody-is-called-so',
      'team:billing',
      '-tag:"heron food"',
      'created:<2026-01-01',
      'is:snoozed',
      'is:watched',
    ]) {
      expect([query, await finds(acme.agent, `heron ${query}`)]).toEqual([query, []])
    }
  })

  test('nothing by nothing, and takes what is no filter as a word', async () => {
    for (const query of [
      '',
      '   ',
      '-',
      '"',
      '""',
      ':',
      'the',
      '!&|()<->:*',
      "'",
      '\\',
      "o'; drop table x",
      '🦊',
      'a:b:c',
    ]) {
      expect([query, await finds(acme.agent, query)]).toEqual([query, []])
    }
    const ticket = await ticketWith({ subject: 'Timeout at http://intranet.acme.test/x' })
    expect(await finds(acme.agent, 'http://intranet.acme.test/x')).toEqual([ticket.number])
  })

  test('comments in the ticket they were moved to, and takes the new name of a requester', async () => {
    const source = await ticketWith({ subject: 'First porcupine' }, [
      { body: 'With marmalade', visibility: 'public' },
    ])
    const target = await ticketWith({ subject: 'Second porcupine' })
    await forGood(acme.agent, () =>
      server.query('select app_public.merge_ticket($1, $2)', [source.id, target.id]),
    )
    expect(await finds(acme.agent, 'second marmalade')).toEqual([target.number])
    expect(await finds(acme.agent, 'first marmalade')).toEqual([])

    await forGood(acme.customer, () =>
      server.query(`update app_public.users set name = 'Ottilie' where id = $1`, [acme.customer.userId]),
    )
    const jobs = await superuser.query(
      `select from graphile_worker.jobs where task_identifier = 'index_tickets' and key = $1`,
      [`index_tickets:${acme.customer.userId}`],
    )
    expect(jobs.rowCount).toBe(1)
    await superuser.query(`select set_config('atum.organization_id', $1, false)`, [acme.organizationId])
    let after: string | null = null
    do {
      const { rows }: QueryResult<{ after: string | null }> = await superuser.query(
        'select app_private.index_tickets_from($1, $2, 2) as after',
        [after, acme.customer.userId],
      )
      after = rows[0]!.after
    } while (after !== null)
    await superuser.query(`select set_config('atum.organization_id', '', false)`)
    expect(await finds(acme.agent, 'ottilie porcupine second marmalade')).toEqual([target.number])
  })

  test('words on every page of a long conversation', async () => {
    const page = (place: number) =>
      Array.from({ length: 1500 }, (_, word) => `word${place}x${word}`).join(' ')
    const ticket = await ticketWith(
      { subject: 'Endless tapeworm' },
      [0, 1, 2, 3].map((place) => ({ body: page(place), visibility: 'public' as const })),
    )
    for (const word of ['word0x7', 'word3x1499']) {
      expect(await finds(acme.agent, `${word} tapeworm`)).toEqual([ticket.number])
    }
    await forGood(acme.agent, () =>
      server.query(`update app_public.tickets set subject = 'Endless hookworm' where id = $1`, [ticket.id]),
    )
    expect(await finds(acme.agent, 'word3x1 hookworm')).toEqual([ticket.number])
    const { rows } = await superuser.query<{ pages: number }>(
      'select count(*)::integer as pages from app_hidden.ticket_documents where ticket_id = $1',
      [ticket.id],
    )
    expect(rows[0]!.pages).toBe(2)
  })
})

describe('a match', () => {
  test('is marked in plain text, and no text forges a mark or brings HTML', async () => {
    await asRole(server, acme.agent, async () => {
      await createTicket(server, {
        subject: '<b>Pelican</b> \uE000forged\uE001',
        body: '<img src="x" onerror="alert(1)"> A pelican',
      })
      const [match] = (await found('pelican')).matches
      expect(match!.subject.replaceAll(/[\uE000\uE001]/g, '')).toBe('<b>Pelican</b> forged')
      expect(match!.subject).toContain('\uE000Pelican\uE001')
      expect(match!.subject).not.toContain('\uE000forged')
      expect(match!.excerpt).toContain('\uE000pelican\uE001')
    })
  })

  test('comes page by page, each once, and says when there are more than are put in order', async () => {
    await asRole(server, acme.agent, async () => {
      await server.query(
        `select app_public.create_ticket('Starling ' || n, 'A body') from generate_series(1, 205) as n`,
      )
      const read: number[] = []
      let after: string | null = null
      do {
        const page: Found = await found('starling', 50, after)
        expect(page.is_capped).toBe(true)
        read.push(...page.matches.map(({ number }) => number))
        after = page.next_cursor
      } while (after !== null)
      expect(new Set(read).size).toBe(200)
      expect(read).toHaveLength(200)
    })
  })
})

test('an excerpt is looked for in what was said last, and not in all that was ever poured into a ticket', async () => {
  const said = (body: string) => ({ body, visibility: 'public' as const })
  const excerptAfter = async (later: number) => {
    const { number } = await ticketWith({ subject: 'Logs' }, [
      said('An okapi'),
      ...Array.from({ length: later }, () => said('log '.repeat(5_000))),
    ])
    const { matches } = await asRole(server, acme.agent, () => found('okapi'))
    return matches.find((match) => match.number === number)
  }
  expect((await excerptAfter(2))?.excerpt).toContain('okapi')
  expect((await excerptAfter(3))?.excerpt).toBeNull()
})
