import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import { loginsOn, type Newcomer } from '../support/logins.ts'
import { refusal, sqlState } from '../support/refusals.ts'
import { asRole } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { logIn, newcomer, openSession, forgiveFailures, recordedWhile, actsWithoutOrigin } = loginsOn(stage)
const { mailsTo, latest, toSend, tokenTo, jobsFor, forgetMails } = accountMailsOn(stage)
const newPassword = 'a horse that nobody has stapled'

beforeEach(async () => {
  await forgiveFailures()
  await forgetMails()
})

const write = (userId: string, purpose: string) =>
  stage.superuser.query(
    'select app_private.write_account_mail(person, $2) from app_public.users as person where id = $1',
    [userId, purpose],
  )
const reset = (token: string | null, password: string | null = newPassword, client = stage.server) =>
  stage.ask('reset_password', { token, password }, { client })
const accept = (token: string | null, password: string | null = newPassword, client = stage.server) =>
  stage.ask('accept_invitation', { token, name: 'My own name', password }, { client })
const lookUp = (token: string | null) => stage.ask('account_token_of', { token })
const requestReset = (email: string | null, slug: string | null = 'acme') =>
  stage.ask('request_password_reset', { email, organization_slug: slug })
const requestVerification = (email: string | null, slug: string | null = 'acme') =>
  stage.ask('request_verification', { email, organization_slug: slug })

const change = (person: { userId: string }, assignment: string) =>
  stage.superuser.query(`update app_public.users set ${assignment} where id = $1`, [person.userId])

/** Somebody who was invited or registered and has not come yet. */
async function expected(): Promise<Newcomer> {
  const person = await newcomer(stage.acme)
  await change(person, 'activated_at = null')
  return person
}

const links = [
  { purpose: 'password_reset', follow: reset, lasts: '1 hour' },
  { purpose: 'invitation', follow: accept, lasts: '7 days' },
  { purpose: 'email_verification', follow: accept, lasts: '1 day' },
]

describe.each(links)('the link of $purpose is refused', ({ purpose, follow, lasts }) => {
  const linkTo = async (person: Newcomer) => {
    await write(person.userId, purpose)
    return tokenTo(person.userId, purpose)
  }
  const refused = async (token: string | null) => {
    expect(await sqlState(follow(token))).toBe('AD010')
    expect(await sqlState(lookUp(token))).toBe('AD010')
  }

  test.each(['', 'x', 'f'.repeat(64), '%', null])('where it was never written (%j)', refused)

  test('where it is the stored hash', async () => {
    const person = await expected()
    await linkTo(person)
    await refused(
      await value<string>(
        stage.superuser,
        `select encode(token_hash, 'hex') from app_private.account_mails where user_id = $1`,
        [person.userId],
      ),
    )
  })

  test('the second time', async () => {
    const token = await linkTo(await expected())
    expect(await sqlState(follow(token))).toBe('accepted')
    await refused(token)
  })

  test('to the second of two at the same moment', async () => {
    const token = await linkTo(await expected())
    const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
    const states = await Promise.all(clients.map((client) => sqlState(follow(token, newPassword, client))))
    expect(states.toSorted()).toEqual(['AD010', 'accepted'])
  })

  test(`after ${lasts}`, async () => {
    const person = await expected()
    const token = await linkTo(person)
    const ages = (interval: string) =>
      stage.superuser.query(
        `update app_private.account_mails set expires_at = expires_at - $2::interval where user_id = $1`,
        [person.userId, interval],
      )
    await ages(lasts)
    await ages('-1 minute')
    expect(await sqlState(lookUp(token))).toBe('accepted')
    await ages('1 minute')
    await refused(token)
  })

  test('once a later one was written, or the same mail was tried again', async () => {
    const person = await expected()
    const first = await linkTo(person)
    const second = await linkTo(person)
    await refused(first)
    const third = await tokenTo(person.userId, purpose)
    await refused(second)
    expect(await sqlState(follow(third))).toBe('accepted')
  })

  test('for what the others are for', async () => {
    const token = await linkTo(await expected())
    for (const other of links) {
      if (other.follow !== follow) expect(await sqlState(other.follow(token))).toBe('AD010')
    }
    expect(await sqlState(follow(token))).toBe('accepted')
  })

  test('while the account or the organization is shut', async () => {
    const person = await expected()
    const token = await linkTo(person)
    await change(person, 'disabled_at = now()')
    await refused(token)
    await change(person, 'disabled_at = null')
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    await refused(token)
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    expect(await sqlState(follow(token))).toBe('accepted')
  })
})

describe.each(links)('the link of $purpose', ({ purpose, follow }) => {
  test.each([
    ['AD005', 'short'],
    ['AD003', 'é'.repeat(40)],
    ['AD006', 'qwertyuiop'],
    ['23502', null],
  ])('stays good when the password is refused (%s)', async (code, password) => {
    const person = await expected()
    await write(person.userId, purpose)
    const token = await tokenTo(person.userId, purpose)
    expect(await sqlState(follow(token, password))).toBe(code)
    expect(await lookUp(token)).toEqual({
      outcome: 'ok',
      purpose,
      email: person.email,
      name: 'Somebody',
      organization: { slug: 'acme', name: 'The acme company' },
    })
    expect(await sqlState(follow(token, newPassword))).toBe('accepted')
  })
})

describe('following a link', () => {
  test('resets the password, ends every session and tells the person', async () => {
    const person = await newcomer(stage.acme)
    await openSession(person.userId)
    await write(person.userId, 'password_reset')
    const token = await tokenTo(person.userId, 'password_reset')
    const acts = await recordedWhile(() => reset(token))
    expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual([
      ['password_reset', person.userId, person.userId],
    ])
    expect(
      await value(
        stage.superuser,
        'select count(*)::int from app_private.sessions where user_id = $1 and revoked_at is null',
        [person.userId],
      ),
    ).toBe(0)
    expect(await mailsTo(person.userId)).toEqual(['password_reset', 'password_changed'])
    expect(await logIn(person.email, newPassword)).toMatchObject({ outcome: 'ok' })
  })

  test.each([
    ['invitation', 'invitation_accepted'],
    ['email_verification', 'email_verified'],
  ])('of %s lets the person in, under the own name and password', async (purpose, operation) => {
    const person = await expected()
    await write(person.userId, purpose)
    const token = await tokenTo(person.userId, purpose)
    const acts = await recordedWhile(() => accept(token))
    expect(acts.map(({ operation, actor_id }) => [operation, actor_id])).toEqual([[operation, person.userId]])
    expect(await logIn(person.email, newPassword)).toMatchObject({
      outcome: 'ok',
      user: { id: person.userId, name: 'My own name' },
    })
  })

  test('of an invitation keeps the name where none is given', async () => {
    const person = await expected()
    await write(person.userId, 'invitation')
    const token = await tokenTo(person.userId, 'invitation')
    await stage.ask('accept_invitation', { token, name: '  ', password: newPassword })
    expect(
      await value(stage.superuser, 'select name from app_public.users where id = $1', [person.userId]),
    ).toBe('Somebody')
  })
})

describe('asking for a reset link', () => {
  test('says the same to everybody, and writes to nobody who is not there', async () => {
    const [shut, waiting, there] = [await newcomer(stage.acme), await expected(), await newcomer(stage.acme)]
    await change(shut, 'disabled_at = now()')
    const answers = []
    for (const email of [shut.email, waiting.email, 'nobody@acme.test', '', '%', null]) {
      answers.push(await requestReset(email))
    }
    for (const slug of ['globex', 'initech', '']) answers.push(await requestReset(there.email, slug))
    await stage.superuser.query(
      `update app_public.organizations set suspended_at = now() where slug = 'acme'`,
    )
    answers.push(await requestReset(there.email))
    await stage.superuser.query('update app_public.organizations set suspended_at = null')
    await stage.superuser.query('update app_public.security_policies set local_login = false')
    answers.push(await requestReset(there.email))
    await stage.superuser.query('update app_public.security_policies set local_login = true')
    for (const { userId } of [shut, waiting, there]) expect(await mailsTo(userId)).toEqual([])

    answers.push(await requestReset(there.email.toUpperCase()))
    expect(await mailsTo(there.userId)).toEqual(['password_reset'])
    expect(new Set(answers).size).toBe(1)
  })

  test('is answered once in two minutes', async () => {
    const person = await newcomer(stage.acme)
    for (let each = 1; each <= 3; each += 1) await requestReset(person.email)
    expect(await mailsTo(person.userId)).toHaveLength(1)
    await forgetMails()
    await requestReset(person.email)
    expect(await mailsTo(person.userId)).toHaveLength(2)
  })

  test('without an organization writes to the person in each of them', async () => {
    const email = `${randomUUID()}@both.test`
    const { rows } = await stage.superuser.query<{ id: string }>(
      `insert into app_public.users (organization_id, email, name) select id, $1, 'Both' from app_public.organizations returning id`,
      [email],
    )
    await requestReset(email, null)
    for (const { id } of rows) expect(await mailsTo(id)).toEqual(['password_reset'])
  })

  test('where local login is off writes to who may break the glass', async () => {
    const person = await newcomer(stage.acme, 'admin')
    await change(person, 'is_break_glass = true')
    await stage.superuser.query('update app_public.security_policies set local_login = false')
    await requestReset(person.email)
    await stage.superuser.query('update app_public.security_policies set local_login = true')
    expect(await mailsTo(person.userId)).toEqual(['password_reset'])
  })

  test('is on record without saying that the person did it', async () => {
    const person = await newcomer(stage.acme)
    const acts = await recordedWhile(() => requestReset(person.email))
    expect(acts.map(({ operation, row_id, actor_id }) => [operation, row_id, actor_id])).toEqual([
      ['password_reset_requested', person.userId, null],
    ])
    expect(await actsWithoutOrigin()).toEqual([])
  })
})

test('a verification is written once more to who registered and has not come, and to nobody else', async () => {
  const [registered, invited, there] = [await expected(), await expected(), await newcomer(stage.acme)]
  await write(registered.userId, 'email_verification')
  await write(invited.userId, 'invitation')
  await forgetMails()
  for (const email of [registered.email, invited.email, there.email, 'nobody@acme.test', null]) {
    expect(await requestVerification(email)).toBe(null)
  }
  expect(await mailsTo(registered.userId)).toEqual(['email_verification', 'email_verification'])
  expect(await mailsTo(invited.userId)).toEqual(['invitation'])
  expect(await mailsTo(there.userId)).toEqual([])
})

describe('a mail', () => {
  test('has a job with identifiers and no more, and no token before it is sent', async () => {
    const person = await newcomer(stage.acme)
    await requestReset(person.email)
    const mailId = await latest(person.userId, 'password_reset')
    expect(await jobsFor(person.userId)).toEqual([
      { accountMailId: mailId, organizationId: stage.acme.organizationId },
    ])
    const { rows } = await stage.superuser.query(
      'select token_hash, delivery, used_at from app_private.account_mails where id = $1',
      [mailId],
    )
    expect(rows).toEqual([{ token_hash: null, delivery: 'waiting', used_at: null }])
  })

  test('is given to the worker of its organization, until it was sent', async () => {
    const person = await newcomer(stage.acme)
    await requestReset(person.email)
    const mailId = await latest(person.userId, 'password_reset')
    expect(await toSend(mailId, stage.globex.organizationId)).toBe(null)
    expect(await toSend(mailId, '')).toBe(null)
    expect(await toSend(randomUUID())).toBe(null)
    expect(await toSend(mailId)).toMatchObject({
      purpose: 'password_reset',
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      email: person.email,
      locale: 'en',
      organization: { slug: 'acme' },
    })
    const sent = (delivery: string) =>
      stage.does(stage.acme.worker, 'select app_private.account_mail_sent($1, $2)', [mailId, delivery])
    expect(await sqlState(sent('lost'))).toBe('23514')
    await sent('sent')
    expect(await toSend(mailId)).toBe(null)
  })

  test('that is over is not sent any more', async () => {
    const person = await newcomer(stage.acme)
    await requestReset(person.email)
    const first = await latest(person.userId, 'password_reset')
    await write(person.userId, 'password_reset')
    expect(await toSend(first)).toBe(null)
    const second = await latest(person.userId, 'password_reset')
    await stage.superuser.query('update app_private.account_mails set expires_at = now() where id = $1', [
      second,
    ])
    expect(await toSend(second)).toBe(null)
  })

  test('that only tells something carries no token', async () => {
    const person = await newcomer(stage.acme)
    await write(person.userId, 'password_changed')
    expect(await toSend(await latest(person.userId, 'password_changed'))).toMatchObject({
      purpose: 'password_changed',
      token: null,
    })
  })

  test('leaves its token nowhere but in itself', async () => {
    const person = await newcomer(stage.acme)
    await requestReset(person.email)
    const token = await tokenTo(person.userId, 'password_reset')
    const everything = await value<string>(
      stage.superuser,
      `select string_agg(everything::text, ' ') from (
        select to_jsonb(mail) as everything from app_private.account_mails as mail
        union all select to_jsonb(link) from app_public.audit_log as link
        union all select to_jsonb(job) from graphile_worker._private_jobs as job
      ) as everywhere`,
    )
    expect(everything).toContain(person.email)
    expect(everything).not.toContain(token)
  })

  test("is the worker's alone to be given", async () => {
    for (const actor of [stage.acme.customer, stage.acme.admin, { role: 'atum_server' } as const]) {
      await asRole(stage.server, actor, async () => {
        for (const call of [
          'account_mail_to_send(null)',
          `account_mail_sent(null, 'sent')`,
          'issue_account_token(null)',
        ]) {
          expect(await refusal(stage.server, `select app_private.${call}`)).toBe('42501')
        }
      })
    }
  })
})
