import { beforeAll, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import { type Actor, asRole } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

interface Row {
  id: string | null
  name: string | null
  month: string | null
  sent: number
  answered: number
  satisfied: number
  response_rate: number
  average: number | null
  csat: number | null
  distribution: number[]
}

const stage = setStage()
const report = async (
  groupedBy: string,
  from = '2026-03-01',
  to = '2026-04-30',
  actor: Actor = stage.acme.manager,
) =>
  (await stage.sees(actor, 'select to_jsonb(row) from app_public.csat_report($1, $2, $3) as row', [
    groupedBy,
    from,
    to,
  ])) as Row[]
const answers = (rest: string, actor: Actor = stage.acme.manager) =>
  stage.sees(actor, `select score from app_public.csat_answers('2026-03-01', '2026-04-30'${rest})`)

// Who was assigned, when they were asked, what they said.
const asked: [
  assignee: 'agent' | 'manager' | null,
  sentAt: string,
  score: number | null,
  comment?: string,
][] = [
  ['agent', '2026-03-02 10:00+00', 5],
  ['agent', '2026-03-03 10:00+00', 4, 'Quick'],
  ['agent', '2026-03-04 10:00+00', 1, 'Nobody came'],
  ['agent', '2026-03-05 10:00+00', null],
  // In Berlin this is April.
  ['manager', '2026-03-31 22:30+00', 2],
  [null, '2026-04-30 21:59:59+00', 3],
  // And this is May.
  [null, '2026-04-30 22:00+00', 5],
]

beforeAll(async () => {
  const { superuser, acme, globex } = stage
  await superuser.query('delete from app_public.csat_surveys')
  await superuser.query(`update app_public.organizations set time_zone = 'Europe/Berlin'`)
  for (const tenant of [acme, globex]) {
    for (const [assignee, sentAt, score, comment] of asked) {
      await superuser.query(
        `with ticket as (
          insert into app_public.tickets (organization_id, subject, requester_id, service_id) values ($1, 'Asked', $2, $3) returning *
        )
        insert into app_public.csat_surveys (
          organization_id, ticket_id, requester_id, assignee_id, team_id, service_id, state, score, comment, planned_for, sent_at,
          expires_at, answered_at, answered_by
        )
        select organization_id, id, requester_id, $4, team_id, service_id,
          case when $6::int is null then 'sent' else 'answered' end::app_public.survey_state, $6, $7, $5, $5,
          $5::timestamptz + interval '14 days', case when $6 is not null then $5::timestamptz + interval '1 hour' end,
          case when $6 is not null then 'mail'::app_public.survey_way end
        from ticket`,
        [
          tenant.organizationId,
          tenant.customer.userId,
          tenant.serviceId,
          assignee ? tenant[assignee].userId : null,
          sentAt,
          score,
          comment ?? null,
        ],
      )
    }
  }
})

describe('who may', () => {
  test('managers and admins read reports, agents, customers and strangers none', async () => {
    const { acme } = stage
    const reading = [
      `select * from app_public.csat_report('agent', '2026-03-01', '2026-04-30')`,
      `select * from app_public.csat_answers('2026-03-01', '2026-04-30')`,
    ]
    for (const sql of reading) {
      for (const actor of [acme.customer, acme.agent, acme.worker, { role: 'atum_anonymous' } as const]) {
        expect(await stage.refuses(actor, sql)).toBe('42501')
      }
      for (const actor of [acme.manager, acme.admin]) expect(await stage.refuses(actor, sql)).toBe('accepted')
    }
  })
})

describe('the report', () => {
  test('is of one organization, by who was assigned', async () => {
    const { acme } = stage
    expect(await report('agent')).toEqual([
      {
        id: acme.agent.userId,
        name: 'agent of acme',
        month: null,
        sent: 4,
        answered: 3,
        satisfied: 2,
        response_rate: 0.75,
        average: 10 / 3,
        csat: 2 / 3,
        distribution: [1, 0, 0, 1, 1],
      },
      expect.objectContaining({ id: acme.manager.userId, sent: 1, answered: 1, csat: 0, average: 2 }),
      expect.objectContaining({ id: null, name: null, sent: 1, answered: 1, average: 3 }),
    ])
  })

  test('has its months in the time zone of the organization', async () => {
    expect((await report('month')).map(({ month, sent }) => [month, sent])).toEqual([
      ['2026-03-01', 4],
      ['2026-04-01', 2],
    ])
    expect((await report('month', '2026-05-01', '2026-05-31')).map(({ sent }) => sent)).toEqual([1])
  })

  test('is by team and by service as well, and empty where nobody was asked', async () => {
    const { acme } = stage
    expect(await report('team')).toMatchObject([{ id: acme.teamId, name: 'Network', sent: 6 }])
    expect(await report('service')).toMatchObject([{ id: acme.serviceId, name: 'VPN', sent: 6 }])
    expect(await report('month', '2020-01-01', '2020-12-31')).toEqual([])
  })

  test('has no average where nobody answered', async () => {
    expect(await report('agent', '2026-03-05', '2026-03-05')).toMatchObject([
      { sent: 1, answered: 0, response_rate: 0, average: null, csat: null, distribution: [0, 0, 0, 0, 0] },
    ])
  })
})

test('answers are listed, latest first, and the bad ones, those with words, or those of somebody', async () => {
  const { acme } = stage
  expect(await answers('')).toEqual([3, 2, 1, 4, 5])
  expect(await answers(', only_low => true')).toEqual([2, 1])
  expect(await answers(', only_commented => true')).toEqual([1, 4])
  expect(await answers(', only_low => true, only_commented => true')).toEqual([1])
  expect(await answers(`, assignee_id => '${acme.manager.userId}'`)).toEqual([2])
  expect(await answers(`, team_id => '${stage.globex.teamId}'`)).toEqual([])
  await stage.does(acme.admin, 'update app_public.csat_settings set low_score = 3 returning id')
  expect(await answers(', only_low => true')).toEqual([3, 2, 1])
})

test('a period among many years is found by its index', async () => {
  const { superuser, acme } = stage
  // Without triggers: the tickets do not matter here, and making them would take half a minute.
  await superuser.query('set session_replication_role = replica')
  await superuser.query(
    `insert into app_public.csat_surveys (organization_id, ticket_id, requester_id, state, planned_for, sent_at, expires_at)
    select $1, app_hidden.uuid_v7(), $2, 'expired', '2016-01-01', '2016-01-01'::timestamptz + day * interval '1 day', '2026-01-01'
    from generate_series(1, 3500) as day`,
    [acme.organizationId, acme.customer.userId],
  )
  await superuser.query('reset session_replication_role')
  await superuser.query('analyze app_public.csat_surveys')
  const plan = await asRole(superuser, acme.manager, () =>
    value<object>(
      superuser,
      `explain (format json) select count(*) from app_public.csat_surveys as survey
      where survey.organization_id = (select app_hidden.current_organization_id())
        and survey.sent_at >= (select app_hidden.organization_day('2026-03-01')) and survey.sent_at < (select app_hidden.organization_day('2026-05-01'))`,
    ),
  )
  expect(JSON.stringify(plan)).toContain('csat_surveys_organization_id_sent_at_idx')
})
