import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { type Actor, asRoleForGood } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

interface Survey {
  id: string
  state: string
  score: number | null
  comment: string | null
  requester_id: string
  assignee_id: string | null
  team_id: string | null
  service_id: string | null
  question: string | null
  answered_by: string | null
  planned_for: string
  sent_at: string | null
  expires_at: string | null
}
interface Event {
  type: string
  visibility: string
  actor_id: string | null
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

const stage = setStage()
const { sees, refuses, does, ask } = stage

const settings = (values: Record<string, unknown>) =>
  does(
    stage.acme.admin,
    `update app_public.csat_settings set ${Object.keys(values)
      .map((name, position) => `${name} = $${position + 1}`)
      .join(', ')} returning id`,
    Object.values(values),
  )
const openTicket = (actor: Actor = stage.acme.customer) =>
  does<string>(
    actor,
    `select id from app_public.create_ticket('The lamp is out', 'Since noon', service_id => $1)`,
    [stage.acme.serviceId],
  )
const setStatus = (ticketId: string, status: string) =>
  does(stage.acme.agent, 'update app_public.tickets set status = $2 where id = $1 returning id', [
    ticketId,
    status,
  ])
/** What the job does: tells of all that happened to a ticket. */
const announce = (ticketId: string) =>
  does(stage.acme.worker, 'select app_private.announce_ticket_events($1)', [ticketId])
const surveyOf = (ticketId: string) =>
  value<Survey | null>(
    stage.superuser,
    'select to_jsonb(survey) from (values (1)) as one left join app_public.csat_surveys as survey on survey.ticket_id = $1',
    [ticketId],
  )
const send = (surveyId: string) =>
  does<boolean>(stage.acme.worker, 'select app_private.send_survey($1)', [surveyId])
const sweep = () => does(stage.acme.worker, 'select app_private.sweep_surveys()')
const jobOf = async (surveyId: string) => {
  const { rows } = await stage.superuser.query<{ run_at: Date }>(
    `select run_at from graphile_worker.jobs where key = 'send_survey:' || $1`,
    [surveyId],
  )
  return rows
}
const eventsOf = async (ticketId: string, type = 'survey_answered') => {
  const { rows } = await stage.superuser.query<Event>(
    'select type, visibility, actor_id, before, after from app_public.ticket_events where ticket_id = $1 and type = $2 order by id',
    [ticketId, type],
  )
  return rows
}
/** A ticket that was resolved, and the survey that was planned. */
async function resolved(actor?: Actor) {
  const ticketId = await openTicket(actor)
  await setStatus(ticketId, 'resolved')
  await announce(ticketId)
  return { ticketId, survey: await surveyOf(ticketId) }
}
/** A ticket whose requester was asked. */
async function asked(actor?: Actor) {
  const { ticketId, survey } = await resolved(actor)
  expect(await send(survey!.id)).toBe(true)
  return { ticketId, surveyId: survey!.id }
}
const answering = 'select to_jsonb(said) from app_public.answer_survey($1, $2, $3) as said'
const answer = (actor: Actor, ...values: [string, number | null, (string | null)?]) =>
  does<Survey>(actor, answering, [...values, null].slice(0, 3))
const tokenOf = (surveyId: string) =>
  asRoleForGood(stage.superuser, { ...stage.acme.worker, role: 'atum_owner' }, () =>
    value<string | null>(stage.superuser, 'select app_private.issue_survey_token($1)', [surveyId]),
  )

beforeEach(() =>
  settings({
    is_enabled: true,
    delay_minutes: 0,
    sample_percent: 100,
    expires_days: 14,
    question: null,
    low_score: 2,
  }),
)

describe('who may', () => {
  test('only admins change the settings, and staff reads them', async () => {
    const { acme, globex } = stage
    const change = `update app_public.csat_settings set delay_minutes = 5`
    for (const actor of [
      acme.customer,
      acme.agent,
      acme.manager,
      acme.worker,
      { role: 'atum_anonymous' } as const,
    ]) {
      expect(await refuses(actor, change)).toBe('42501')
    }
    expect(await stage.touches(acme.admin, change)).toBe(1)
    expect(
      await stage.touches(acme.admin, `${change} where organization_id = $1`, [globex.organizationId]),
    ).toBe(0)
    expect(await refuses(acme.customer, 'select * from app_public.current_csat_settings()')).toBe('42501')
    expect(await sees(acme.agent, 'select is_enabled from app_public.current_csat_settings()')).toEqual([
      true,
    ])
  })

  test.each([
    ['delay_minutes', -1],
    ['delay_minutes', 43_201],
    ['sample_percent', 0],
    ['sample_percent', 101],
    ['expires_days', 0],
    ['expires_days', 91],
    ['low_score', 0],
    ['low_score', 5],
    ['question', ' '],
    ['question', 'two\nlines'],
    ['question', 'x'.repeat(301)],
  ])('%s is not %j', async (column, given) => {
    expect(
      await refuses(stage.acme.admin, `update app_public.csat_settings set ${column} = $1`, [given]),
    ).toBe('23514')
  })

  test('nobody writes a survey, reads a token, or asks by themselves', async () => {
    const { acme } = stage
    for (const actor of [acme.customer, acme.agent, acme.manager, acme.admin, acme.worker]) {
      expect(await refuses(actor, 'update app_public.csat_surveys set score = 5')).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.csat_surveys')).toBe('42501')
      expect(await refuses(actor, 'select id from app_private.csat_tokens')).toBe('42501')
      expect(await refuses(actor, 'select app_private.issue_survey_token($1)', [randomUUID()])).toBe('42501')
      expect(await refuses(actor, `select app_private.answer_survey_by_token('x', 1)`)).toBe('42501')
    }
    for (const call of ['app_private.sweep_surveys()', `app_private.send_survey('${randomUUID()}')`]) {
      for (const actor of [acme.customer, acme.agent, acme.admin])
        expect(await refuses(actor, `select ${call}`)).toBe('42501')
      expect(await refuses({ role: 'atum_worker' }, `select ${call}`)).toBe('AD301')
    }
  })

  test('the requester alone answers, and only what was asked', async () => {
    const { acme, globex } = stage
    const { surveyId } = await asked()
    for (const actor of [acme.neighbour, globex.customer]) {
      expect(await refuses(actor, answering, [surveyId, 1, null])).toBe('AD290')
      expect(await sees(actor, 'select id from app_public.csat_surveys where id = $1', [surveyId])).toEqual(
        [],
      )
    }
    for (const actor of [acme.agent, acme.admin]) {
      expect(await refuses(actor, answering, [surveyId, 5, null])).toBe('42501')
    }
    const { survey } = await resolved()
    expect(await refuses(acme.customer, answering, [survey!.id, 5, null])).toBe('AD290')
    expect(
      await sees(acme.customer, 'select id from app_public.csat_surveys where id = $1', [survey!.id]),
    ).toEqual([])
  })

  test('a requester reads the question and not who is judged by it', async () => {
    const { surveyId } = await asked()
    const { customer } = stage.acme
    expect(
      await sees(customer, 'select state from app_public.csat_surveys where id = $1', [surveyId]),
    ).toEqual(['sent'])
    for (const column of ['assignee_id', 'team_id', 'service_id']) {
      expect(await refuses(customer, `select ${column} from app_public.csat_surveys`)).toBe('42501')
    }
    expect(await answer(customer, surveyId, 4)).toMatchObject({
      assignee_id: null,
      team_id: null,
      service_id: null,
    })
  })

  test('an agent who is restricted reads those of the tickets they see', async () => {
    const { acme } = stage
    const { ticketId, surveyId } = await asked()
    const reading = 'select id from app_public.csat_surveys where id = $1'
    await stage.superuser.query('update app_public.users set restricted_to_teams = true where id = $1', [
      acme.agent.userId,
    ])
    expect(await sees(acme.agent, reading, [surveyId])).toEqual([surveyId])
    await stage.superuser.query(
      'update app_public.tickets set team_id = null, assignee_id = null where id = $1',
      [ticketId],
    )
    expect(await sees(acme.agent, reading, [surveyId])).toEqual([])
    await stage.superuser.query('update app_public.users set restricted_to_teams = false where id = $1', [
      acme.agent.userId,
    ])
    expect(await sees(acme.agent, reading, [surveyId])).toEqual([surveyId])
  })
})

describe('nobody is asked', () => {
  test('where the organization does not ask', async () => {
    await settings({ is_enabled: false })
    expect((await resolved()).survey).toBeNull()
  })

  test('by a ticket that staff requested', async () => {
    expect((await resolved(stage.acme.agent)).survey).toBeNull()
  })

  test('when the requester is shut', async () => {
    const { acme, superuser } = stage
    const ticketId = await openTicket(acme.neighbour)
    await setStatus(ticketId, 'resolved')
    const shut = (sql: string) =>
      superuser.query(`update app_public.users set disabled_at = ${sql} where id = $1`, [
        acme.neighbour.userId,
      ])
    await shut('now()')
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toBeNull()
    await shut('null')
  })

  test('about a ticket that goes on in another one', async () => {
    const [source, target] = [await openTicket(), await openTicket()]
    await does(stage.acme.agent, 'select id from app_public.merge_ticket($1, $2)', [source, target])
    await announce(source)
    expect(await surveyOf(source)).toBeNull()

    const { ticketId, survey } = await resolved()
    await does(stage.acme.agent, 'select id from app_public.merge_ticket($1, $2)', [ticketId, target])
    // Between the merge and the job that tells of it.
    expect(await send(survey!.id)).toBe(false)
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toMatchObject({ state: 'cancelled', sent_at: null })
  })

  test('by what is not the end of a ticket', async () => {
    const ticketId = await openTicket()
    await setStatus(ticketId, 'pending')
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toBeNull()
  })

  test('before it is time', async () => {
    await settings({ delay_minutes: 90 })
    const { survey } = await resolved()
    const [job] = await jobOf(survey!.id)
    expect(job!.run_at.getTime()).toBe(Date.parse(survey!.planned_for))
    expect(job!.run_at.getTime() - Date.now()).toBeGreaterThan(89 * 60_000)
    expect(await send(survey!.id)).toBe(false)
    expect((await surveyOf((await resolved()).ticketId))!.state).toBe('planned')
  })

  test('when surveys were switched off since, or the ticket has another requester', async () => {
    const [one, other] = [await resolved(), await resolved()]
    await settings({ is_enabled: false })
    expect(await send(one.survey!.id)).toBe(false)
    expect(await surveyOf(one.ticketId)).toMatchObject({ state: 'cancelled' })
    await settings({ is_enabled: true })
    await does(
      stage.acme.agent,
      'update app_public.tickets set requester_id = $2 where id = $1 returning id',
      [other.ticketId, stage.acme.neighbour.userId],
    )
    expect(await send(other.survey!.id)).toBe(false)
  })
})

describe('a requester is asked', () => {
  test('once, as it was at the end, with an event that customers do not see', async () => {
    const { acme } = stage
    await settings({ question: 'Were we quick?' })
    const { ticketId, survey } = await resolved()
    expect(survey).toMatchObject({
      state: 'planned',
      requester_id: acme.customer.userId,
      team_id: acme.teamId,
      service_id: acme.serviceId,
      sent_at: null,
      question: null,
    })
    expect(await jobOf(survey!.id)).toHaveLength(1)
    expect(await send(survey!.id)).toBe(true)
    expect(await send(survey!.id)).toBe(false)
    const sent = (await surveyOf(ticketId))!
    expect(sent).toMatchObject({ state: 'sent', question: 'Were we quick?' })
    expect(Date.parse(sent.expires_at!) - Date.parse(sent.sent_at!)).toBe(14 * 86_400_000)
    expect(await eventsOf(ticketId, 'survey_sent')).toEqual([
      {
        type: 'survey_sent',
        visibility: 'internal',
        actor_id: null,
        before: null,
        after: { survey_id: survey!.id },
      },
    ])
  })

  test('also when a ticket is closed at once, and not again when a resolved one is', async () => {
    const ticketId = await openTicket()
    await setStatus(ticketId, 'closed')
    await announce(ticketId)
    expect((await surveyOf(ticketId))!.state).toBe('planned')

    const other = await asked()
    await setStatus(other.ticketId, 'closed')
    await announce(other.ticketId)
    expect((await surveyOf(other.ticketId))!.state).toBe('sent')
  })

  test('at the next end when the ticket was taken up before, and never twice', async () => {
    const { ticketId, survey } = await resolved()
    await setStatus(ticketId, 'open')
    expect(await send(survey!.id)).toBe(false)
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toMatchObject({ state: 'cancelled' })

    await does(
      stage.acme.agent,
      'update app_public.tickets set assignee_id = $2 where id = $1 returning id',
      [ticketId, stage.acme.manager.userId],
    )
    await setStatus(ticketId, 'resolved')
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toMatchObject({
      state: 'planned',
      assignee_id: stage.acme.manager.userId,
    })
    expect(await send(survey!.id)).toBe(true)

    await setStatus(ticketId, 'open')
    await setStatus(ticketId, 'resolved')
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toMatchObject({ id: survey!.id, state: 'sent' })
    expect(await eventsOf(ticketId, 'survey_sent')).toHaveLength(1)
  })

  test('in a sample that is the same each time and grows with its share', async () => {
    const shares = await stage.superuser.query<{ at_30: number; at_60: number; both: number; all: number }>(
      `select count(*) filter (where app_private.is_sampled(id, 30))::int as at_30,
        count(*) filter (where app_private.is_sampled(id, 60))::int as at_60,
        count(*) filter (where app_private.is_sampled(id, 30) and app_private.is_sampled(id, 60))::int as both,
        count(*) filter (where app_private.is_sampled(id, 100))::int as all
      from (select app_hidden.uuid_v7() as id from generate_series(1, 4000)) as made`,
    )
    const { at_30, at_60, both, all } = shares.rows[0]!
    expect(all).toBe(4000)
    expect(both).toBe(at_30)
    // Five standard deviations.
    expect(Math.abs(at_30 - 1200)).toBeLessThan(145)
    expect(Math.abs(at_60 - 2400)).toBeLessThan(155)

    await settings({ sample_percent: 1 })
    const ticketId = await openTicket()
    const share = await value<number>(
      stage.superuser,
      'select min(percent) from generate_series(1, 100) as percent where app_private.is_sampled($1, percent)',
      [ticketId],
    )
    await setStatus(ticketId, 'resolved')
    await settings({ sample_percent: Math.max(share - 1, 1) })
    await announce(ticketId)
    expect(await surveyOf(ticketId)).toEqual(share === 1 ? expect.anything() : null)
    await settings({ sample_percent: share })
    await setStatus(ticketId, 'open')
    await setStatus(ticketId, 'resolved')
    await announce(ticketId)
    expect((await surveyOf(ticketId))!.state).toBe('planned')
  })

  test('by the sweep where the job was lost', async () => {
    const { survey } = await resolved()
    await stage.superuser.query(
      `delete from graphile_worker._private_jobs where key = 'send_survey:' || $1`,
      [survey!.id],
    )
    await sweep()
    expect(await jobOf(survey!.id)).toEqual([])
    await stage.superuser.query(
      `update app_public.csat_surveys set planned_for = now() - interval '2 minutes' where id = $1`,
      [survey!.id],
    )
    await sweep()
    expect(await jobOf(survey!.id)).toHaveLength(1)
  })
})

describe('an answer', () => {
  test.each([0, 6, -1])('is no %i', async (score) => {
    const { surveyId } = await asked()
    expect(await refuses(stage.acme.customer, answering, [surveyId, score, null])).toBe('23514')
  })

  test('has a score, and at most 2,000 characters', async () => {
    const { surveyId } = await asked()
    expect(await refuses(stage.acme.customer, answering, [surveyId, null, 'x'])).toBe('23502')
    expect(await refuses(stage.acme.customer, answering, [surveyId, 3, 'x'.repeat(2001)])).toBe('23514')
    expect(await refuses(stage.acme.customer, answering, [surveyId, 3, 'x'.repeat(2000)])).toBe('accepted')
  })

  test('is told once, and once more for what is said differently', async () => {
    const { customer } = stage.acme
    const { ticketId, surveyId } = await asked()
    expect(await answer(customer, surveyId, 2)).toMatchObject({
      state: 'answered',
      score: 2,
      answered_by: 'portal',
    })
    await answer(customer, surveyId, 2)
    await answer(customer, surveyId, 2, '  Too slow \n')
    await answer(customer, surveyId, 2, 'Too slow')
    await answer(customer, surveyId, 4)
    expect(await answer(customer, surveyId, 4, '')).toMatchObject({ score: 4, comment: null })
    expect((await eventsOf(ticketId)).map(({ before, after }) => [before, after])).toEqual([
      [null, { survey_id: surveyId, score: 2, low: true }],
      [{ comment: null }, { survey_id: surveyId, comment: 'Too slow' }],
      [{ score: 2 }, { survey_id: surveyId, score: 4, low: false }],
      [{ comment: 'Too slow' }, { survey_id: surveyId, comment: null }],
    ])
    for (const { visibility, actor_id } of await eventsOf(ticketId)) {
      expect([visibility, actor_id]).toEqual(['internal', customer.userId])
    }
  })

  test('is not given, and not changed, when the time is over', async () => {
    const { customer } = stage.acme
    const [silent, said] = [await asked(), await asked()]
    await answer(customer, said.surveyId, 5)
    await stage.superuser.query(
      `update app_public.csat_surveys set sent_at = now() - interval '15 days', expires_at = now() - interval '1 second' where id in ($1, $2)`,
      [silent.surveyId, said.surveyId],
    )
    for (const { surveyId } of [silent, said]) {
      expect(await refuses(customer, answering, [surveyId, 1, null])).toBe('AD291')
      expect(await tokenOf(surveyId)).toBeNull()
    }
    await sweep()
    expect((await surveyOf(silent.ticketId))!.state).toBe('expired')
    expect((await surveyOf(said.ticketId))!.state).toBe('answered')
  })
})

describe('a link in a mail', () => {
  const shown = (token: string) => ask<Record<string, unknown>>('survey_by_token', { token })
  const answered = (token: string, score: number | null, comment: string | null = null) =>
    ask<Record<string, unknown>>('answer_survey_by_token', { token, score, comment })
  const refused = (question: Promise<unknown>) =>
    question.then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )

  test('is worth nothing when it is none', async () => {
    for (const token of ['', 'f'.repeat(64), "' or true --"]) {
      expect(await refused(shown(token))).toBe('AD290')
      expect(await refused(answered(token, 5))).toBe('AD290')
    }
  })

  test('is made for each time the mail is sent, kept as a hash, and each of them answers for its person', async () => {
    const { acme } = stage
    const { ticketId, surveyId } = await asked()
    const [first, second] = [(await tokenOf(surveyId))!, (await tokenOf(surveyId))!]
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(second).not.toBe(first)
    const kept = await value<string>(
      stage.superuser,
      'select string_agg(token::text, $2) from app_private.csat_tokens as token where survey_id = $1',
      [surveyId, ''],
    )
    expect(kept).not.toContain(first)

    expect(await shown(first)).toMatchObject({
      subject: 'The lamp is out',
      score: null,
      expired: false,
      locale: 'en',
    })
    expect(await answered(first, 1)).toMatchObject({ score: 1, comment: null })
    expect(await answered(second, 1, 'It is dark')).toMatchObject({ score: 1, comment: 'It is dark' })
    expect(await surveyOf(ticketId)).toMatchObject({ state: 'answered', answered_by: 'mail' })
    expect((await eventsOf(ticketId)).map(({ actor_id }) => actor_id)).toEqual([
      acme.customer.userId,
      acme.customer.userId,
    ])
    const audited = await stage.superuser.query<{ actor_id: string; ip_address: string }>(
      `select actor_id, host(ip_address) as ip_address from app_public.audit_log
      where table_name = 'app_public.csat_surveys' and row_id = $1 and after ? 'score'`,
      [surveyId],
    )
    expect(audited.rows).toContainEqual({ actor_id: acme.customer.userId, ip_address: '192.0.2.7' })
  })

  test('says that it is over when it is, and answers no more', async () => {
    const { surveyId } = await asked()
    const token = (await tokenOf(surveyId))!
    await stage.superuser.query(
      `update app_public.csat_surveys set sent_at = now() - interval '15 days', expires_at = now() where id = $1`,
      [surveyId],
    )
    expect(await shown(token)).toMatchObject({ expired: true })
    expect(await refused(answered(token, 5))).toBe('AD291')
  })

  test('is worth nothing when its person is shut or the organization is', async () => {
    const { acme, superuser } = stage
    const { surveyId } = await asked()
    const token = (await tokenOf(surveyId))!
    for (const [table, column, id] of [
      ['users', 'disabled_at', acme.customer.userId],
      ['organizations', 'suspended_at', acme.organizationId],
    ]) {
      await superuser.query(`update app_public.${table} set ${column} = now() where id = $1`, [id])
      expect(await refused(shown(token))).toBe('AD290')
      await superuser.query(`update app_public.${table} set ${column} = null where id = $1`, [id])
    }
    expect(await refused(shown(token))).toBe('accepted')
  })

  test('two clicks at the same moment are one answer', async () => {
    const { ticketId, surveyId } = await asked()
    const token = (await tokenOf(surveyId))!
    const clients = [await stage.open(stage.database.serverUrl), await stage.open(stage.database.serverUrl)]
    await Promise.all(clients.map((client) => ask('answer_survey_by_token', { token, score: 5 }, { client })))
    expect(await eventsOf(ticketId)).toHaveLength(1)
  })
})

describe('automations', () => {
  test('take up a ticket and tell the managers of a bad score, once', async () => {
    const { acme } = stage
    await does(
      acme.admin,
      `select id from app_public.create_automation('Look into it', 'event', $1, event_types => '{survey_answered}', actors => '{customer}', to_values => '{1,2}')`,
      [
        JSON.stringify([
          { type: 'set_status', status: 'open' },
          {
            type: 'notify',
            to: 'managers',
            text: '{{requester.name}} was not content with {{ticket.reference}}',
          },
        ]),
      ],
    )
    const run = (ticketId: string) => does(acme.worker, 'select app_private.run_automations($1)', [ticketId])
    const statusOf = (ticketId: string) =>
      value<string>(stage.superuser, 'select status from app_public.tickets where id = $1', [ticketId])

    const good = await asked()
    await answer(acme.customer, good.surveyId, 3, '2')
    await run(good.ticketId)
    // A comment is no score.
    expect(await statusOf(good.ticketId)).toBe('resolved')

    const bad = await asked()
    await answer(acme.customer, bad.surveyId, 1)
    await run(bad.ticketId)
    expect(await statusOf(bad.ticketId)).toBe('open')
    expect(await eventsOf(bad.ticketId, 'notice_sent')).toHaveLength(1)
    await setStatus(bad.ticketId, 'resolved')
    await answer(acme.customer, bad.surveyId, 1, 'Nobody came')
    await run(bad.ticketId)
    expect(await statusOf(bad.ticketId)).toBe('resolved')
  })
})
