import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { accountMailsOn } from '../support/account-mails.ts'
import { value } from '../support/connections.ts'
import { fixturePassword as password } from '../support/fixture.ts'
import { loginsOn, type Newcomer } from '../support/logins.ts'
import { sqlState } from '../support/refusals.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { newcomer, forgiveFailures } = loginsOn(stage)
const { mailsTo, tokenTo, forgetMails } = accountMailsOn(stage)
const newPassword = 'a horse that nobody has stapled'
const purposes = ['invitation', 'email_verification', 'password_reset'] as const

beforeEach(forgiveFailures)

const write = (userId: string, purpose: string) =>
  stage.superuser.query(
    'select app_private.write_account_mail(person, $2) from app_public.users as person where id = $1',
    [userId, purpose],
  )
const activated = ({ userId }: Newcomer, at: 'now()' | 'null') =>
  stage.superuser.query(`update app_public.users set activated_at = ${at} where id = $1`, [userId])

/** Somebody who was invited or registered and has not come yet, with a link of each purpose. */
async function expected(): Promise<{ person: Newcomer; tokens: Record<(typeof purposes)[number], string> }> {
  const person = await newcomer(stage.acme)
  await activated(person, 'null')
  for (const purpose of purposes) await write(person.userId, purpose)
  const [invitation, verification, reset] = [
    await tokenTo(person.userId, 'invitation'),
    await tokenTo(person.userId, 'email_verification'),
    await tokenTo(person.userId, 'password_reset'),
  ]
  return { person, tokens: { invitation, email_verification: verification, password_reset: reset } }
}

const accept = (token: string, client = stage.server) =>
  stage.ask('accept_invitation', { token, name: '', password: newPassword }, { client })
const reset = (token: string) => stage.ask('reset_password', { token, password: newPassword })
const lookUp = (token: string) => sqlState(stage.ask('account_token_of', { token }))

describe('no link is open any more', () => {
  test.each<[string, (given: Awaited<ReturnType<typeof expected>>) => Promise<unknown>]>([
    ['once an invitation was accepted', ({ tokens }) => accept(tokens.invitation)],
    ['once an address was proved', ({ tokens }) => accept(tokens.email_verification)],
    ['once a password was reset', ({ tokens }) => reset(tokens.password_reset)],
    ['once an identity provider let the person in', ({ person }) => activated(person, 'now()')],
    [
      'once the password was changed',
      async ({ person }) => {
        await stage.superuser.query('alter table app_public.users disable trigger _500_spend_links')
        await activated(person, 'now()')
        await stage.superuser.query('alter table app_public.users enable trigger _500_spend_links')
        await stage.superuser.query(
          `insert into app_private.user_secrets (organization_id, user_id, password_hash)
          values ($1, $2, public.crypt($3, public.gen_salt('bf', 4)))`,
          [person.organizationId, person.userId, password],
        )
        expect(
          await stage.ask(
            'change_password',
            { current_password: password, new_password: newPassword },
            { actor: person },
          ),
        ).toEqual({ outcome: 'ok' })
      },
    ],
  ])('%s', async (_name, happens) => {
    const given = await expected()
    for (const token of Object.values(given.tokens)) expect(await lookUp(token)).toBe('accepted')
    await happens(given)
    for (const token of Object.values(given.tokens)) {
      expect(await lookUp(token)).toBe('AD010')
      expect(await sqlState(accept(token))).toBe('AD010')
      expect(await sqlState(reset(token))).toBe('AD010')
    }
  })

  test('of an invitation where somebody came, whoever wrote it', async () => {
    const { person } = await expected()
    await activated(person, 'now()')
    await write(person.userId, 'invitation')
    const token = await tokenTo(person.userId, 'invitation')
    expect(await lookUp(token)).toBe('AD010')
    expect(await sqlState(accept(token))).toBe('AD010')
  })
})

test('of two links that are followed at the same moment one is good', async () => {
  const { tokens } = await expected()
  const clients = await Promise.all([1, 2].map(() => stage.open(stage.database.serverUrl)))
  const states = await Promise.all(
    [tokens.invitation, tokens.email_verification].map((token, index) =>
      sqlState(accept(token, clients[index])),
    ),
  )
  expect(states.toSorted()).toEqual(['AD010', 'accepted'])
})

describe('at the same moment', () => {
  const several = () => Promise.all(Array.from({ length: 4 }, () => stage.open(stage.database.serverUrl)))
  const openLinks = (userId: string) =>
    value<number>(
      stage.superuser,
      'select count(*)::int from app_private.account_mails where user_id = $1 and expires_at is not null and used_at is null',
      [userId],
    )

  test('several who ask for a reset get one link, and one mail', async () => {
    const { userId, email } = await newcomer(stage.acme)
    await Promise.all(
      (await several()).map((client) =>
        stage.ask('request_password_reset', { email, organization_slug: 'acme' }, { client }),
      ),
    )
    expect(await mailsTo(userId)).toEqual(['password_reset'])
    expect(await openLinks(userId)).toBe(1)
  })

  test('several invitations leave one link', async () => {
    const email = `${randomUUID()}@acme.test`
    const userId = await stage.does<string>(
      stage.acme.admin,
      `select id from app_public.invite_user($1, 'Somebody')`,
      [email],
    )
    await forgetMails()
    const { organizationId, userId: admin, sessionId } = stage.acme.admin
    await Promise.all(
      (await several()).map((client, index) =>
        client.query(
          `begin; set local role atum_admin; set local atum.organization_id = '${organizationId}';
          set local atum.user_id = '${admin}'; set local atum.session_id = '${sessionId}';
          select app_public.${index % 2 ? 'resend_invitation' : 'create_account_link'}('${userId}'); commit`,
        ),
      ),
    )
    expect(await openLinks(userId)).toBe(1)
  })
})
