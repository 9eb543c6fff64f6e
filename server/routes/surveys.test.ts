import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../log.ts'
import { startServer } from '../server.ts'
import { ask, startTestServer, type TestServer } from '../testing.ts'

let desk: TestServer
let surveyId: string

beforeAll(async () => {
  desk = await startTestServer()
  surveyId = await surveyOf(desk.acme.ticketId)
})

afterAll(() => desk.close())

/** A survey that was sent to the requester of a ticket. */
async function surveyOf(ticketId: string, expiresIn = '14 days') {
  const { rows } = await desk.superuser.query<{ id: string }>(
    `insert into app_public.csat_surveys (organization_id, ticket_id, requester_id, state, planned_for, sent_at, expires_at)
    select organization_id, id, requester_id, 'sent', now() - interval '1 day', now() - interval '1 day', now() + $2::interval
    from app_public.tickets where id = $1 returning id`,
    [ticketId, expiresIn],
  )
  return rows[0]!.id
}

/** The token that a mail would carry. */
async function tokenOf(id = surveyId) {
  const { superuser, acme } = desk
  await superuser.query('begin')
  await superuser.query(`select set_config('atum.organization_id', $1, true)`, [acme.id])
  const { rows } = await superuser.query<{ token: string }>(
    'select app_private.issue_survey_token($1) as token',
    [id],
  )
  await superuser.query('commit')
  return rows[0]!.token
}

const post = async (
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  origin = desk.origin,
) => {
  const response = await fetch(`${origin}/api/v1/surveys/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown> & { error?: { code: string } }
  return { status: response.status, code: answer.error?.code, headers: response.headers, answer }
}
const scoreOf = async (id = surveyId) =>
  (
    await desk.superuser.query<{ score: number | null }>(
      'select score from app_public.csat_surveys where id = $1',
      [id],
    )
  ).rows[0]!.score

describe('refused is', () => {
  test.each([
    ['look', {}],
    ['look', { token: 7 }],
    ['answer', { score: 5 }],
    ['answer', { token: 'x' }],
    ['answer', { token: 'x', score: '5' }],
    ['answer', { token: 'x', score: 0 }],
    ['answer', { token: 'x', score: 6 }],
    ['answer', { token: 'x', score: 4.5 }],
    ['answer', { token: 'x', score: 5, comment: 5 }],
    ['answer', { token: 'x', score: 5, comment: 'x'.repeat(2_001) }],
    ['answer', { token: 'x', score: 5, comment: 'a\0b' }],
  ])('%s with %j', async (path, body) => {
    expect(await post(path, body)).toMatchObject({ status: 400, code: 'INVALID_INPUT' })
  })

  test('a form, and a page of another site', async () => {
    const token = await tokenOf()
    for (const path of ['look', 'answer']) {
      expect(await post(path, { token, score: 1 }, { 'content-type': 'text/plain' })).toMatchObject({
        status: 400,
      })
      expect(await post(path, { token, score: 1 }, { origin: 'https://evil.test' })).toMatchObject({
        status: 403,
      })
    }
    expect(await scoreOf()).toBeNull()
  })

  test('a token that is none, in the same words as one that is worth nothing any more', async () => {
    for (const path of ['look', 'answer']) {
      for (const token of ['f'.repeat(64), "' or true --", '𝕏']) {
        expect(await post(path, { token, score: 5 })).toMatchObject({ status: 404, code: 'SURVEY_NOT_FOUND' })
      }
    }
  })

  test('an answer when the time is over, while the page still says so', async () => {
    const { superuser, acme } = desk
    const id = await surveyOf(acme.neighbourTicketId)
    const token = await tokenOf(id)
    await superuser.query(
      `update app_public.csat_surveys set expires_at = now() - interval '1 second' where id = $1`,
      [id],
    )
    expect(await post('answer', { token, score: 5 })).toMatchObject({ status: 410, code: 'SURVEY_EXPIRED' })
    expect(await post('look', { token })).toMatchObject({ status: 200, answer: { expired: true } })
  })
})

test('following the link answers nothing, however often and by whatever method', async () => {
  const token = await tokenOf()
  for (const method of ['GET', 'HEAD']) {
    for (const path of [
      `/survey/${token}?score=1`,
      '/api/v1/surveys/answer',
      `/api/v1/surveys/answer?token=${token}&score=1`,
    ]) {
      await fetch(desk.origin + path, { method, headers: { accept: 'text/html' } })
    }
  }
  await post('look', { token })
  expect(await scoreOf()).toBeNull()
})

test('whoever has the link reads the question, answers without logging in, and changes their mind', async () => {
  const { acme } = desk
  const token = await tokenOf()
  const looked = await post('look', { token })
  expect(looked.headers.get('cache-control')).toBe('no-store')
  expect(looked.answer).toMatchObject({
    organization: 'The acme company',
    locale: 'en',
    score: null,
    comment: null,
  })
  expect(Object.keys(looked.answer).sort()).toEqual([
    'comment',
    'expired',
    'expiresAt',
    'locale',
    'organization',
    'question',
    'reference',
    'score',
    'subject',
  ])
  expect(await post('answer', { token, score: 2 })).toMatchObject({
    status: 200,
    answer: { score: 2, comment: null },
  })
  expect(await post('answer', { token, score: 4, comment: '𝕏'.repeat(2_000) })).toMatchObject({ status: 200 })
  expect(await post('answer', { token, score: 4 })).toMatchObject({
    answer: { score: 4, comment: '𝕏'.repeat(2_000) },
  })

  const { data } = await ask(
    desk,
    acme.agent,
    `query ($number: Int!) {
      ticketByNumber(number: $number) {
        survey { state score answeredBy }
        ticketEvents { nodes { type } }
      }
    }`,
    { number: acme.ticketNumber },
  )
  expect(data.ticketByNumber.survey).toEqual({ state: 'answered', score: 4, answeredBy: 'mail' })
  const answers = data.ticketByNumber.ticketEvents.nodes.filter(
    ({ type }: { type: string }) => type === 'survey_answered',
  )
  expect(answers).toHaveLength(2)
})

test('the requester answers in the portal as well, and others do not', async () => {
  const { acme } = desk
  const answer = `mutation ($id: UUID!) {
    answerSurvey(input: { surveyId: $id, score: 5, comment: "Thanks" }) { survey { state score comment answeredBy } }
  }`
  const other = await ask(desk, acme.neighbour, answer, { id: surveyId })
  expect(other.errors[0]!.extensions).toMatchObject({ code: 'SURVEY_NOT_FOUND' })
  const { data } = await ask(desk, acme.customer, answer, { id: surveyId })
  expect(data.answerSurvey.survey).toEqual({
    state: 'answered',
    score: 5,
    comment: 'Thanks',
    answeredBy: 'portal',
  })
})

test('one address asks twenty times at once and not more', async () => {
  const limited = await startServer(
    { ...desk.environment, databaseUrl: desk.database.serverUrl, rateLimits: true },
    createLogger('silent'),
  )
  const origin = `http://127.0.0.1:${limited.address.port}`
  const asked = await Promise.all(
    Array.from({ length: 40 }, () => post('look', { token: 'f'.repeat(64) }, {}, origin)),
  )
  await limited.stop()
  const codes = asked.map(({ code }) => code)
  expect(codes.filter((code) => code === 'SURVEY_NOT_FOUND').length).toBeGreaterThanOrEqual(20)
  expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThan(10)
})
