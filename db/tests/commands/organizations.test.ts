import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { referenceTo } from '../../../infra/dev/process-identity.ts'
import { setInstallation } from '../support/commands.ts'
import { value } from '../support/connections.ts'

const installation = setInstallation()
const { run } = installation

const asOperator = () => ({ ATUM_OPERATOR_DATABASE_URL: installation.operatorUrl })
const namesOf = (slug: string) => [
  ...['--slug', slug, '--name', `The ${slug} company`],
  ...['--admin-email', `ada@${slug}.test`, '--admin-name', 'Ada'],
]
const tokenIn = (words: string) => /#token=([0-9a-f]{64})\b/.exec(words)?.[1] ?? ''

const logIn = (email: string, password: string) =>
  value<string>(
    installation.server,
    `select app_private.log_in($1, $2, null, false, '192.0.2.7', 'a browser') ->> 'outcome'`,
    [email, password],
  )

test('organization:create makes an organization whose first admin comes in by a link', async () => {
  const words = await run('create-organization', namesOf('acme'), {
    ...asOperator(),
    ATUM_PUBLIC_URL: 'https://desk.example.com, https://other.example.com',
  })
  expect(words).toContain('The acme company is there.')
  const token = tokenIn(words)
  expect(words).toContain(`\n  https://desk.example.com/invitation#token=${token}\n`)
  // Nothing that could be taken for a password.
  expect(words).not.toMatch(/with the password/)

  await installation.server.query('select app_private.accept_invitation($1, null, $2)', [
    token,
    'correct horse battery staple',
  ])
  expect(await logIn('ada@acme.test', 'correct horse battery staple')).toBe('ok')
  expect(
    await value(installation.superuser, `select role from app_public.users where email = 'ada@acme.test'`),
  ).toBe('admin')
})

test('it is the owner without another login, and gives the path where no address is known', async () => {
  expect(await run('create-organization', namesOf('globex'))).toMatch(
    /\n {2}\/invitation#token=[0-9a-f]{64} \(at the address of your ATUM Desk\)\n/,
  )
})

test('the address is that of the run on this database, and not that of another', async () => {
  const state = (ownerUrl: string) =>
    writeFileSync(
      join(installation.dataDir, 'state.json'),
      JSON.stringify({
        launcher: referenceTo(process.pid),
        children: {},
        address: 'http://localhost:8123',
        ownerUrl,
      }),
    )
  state(installation.ownerUrl)
  expect(await run('create-organization', namesOf('initech'))).toContain(
    'http://localhost:8123/invitation#token=',
  )
  // A running one is worked on without being named.
  expect(await run('create-organization', namesOf('hooli'), {})).toContain('http://localhost:8123/')
  state('postgres://atum_owner@127.0.0.1:1/other')
  expect(await run('create-organization', namesOf('umbrella'))).toContain('  /invitation#token=')
})

test('nothing is made of what is there already, or of half the words', async () => {
  await expect(run('create-organization', namesOf('acme'))).rejects.toThrow(
    /ended with 2:\nNothing was done: there is an organization called that/,
  )
  await expect(run('create-organization', ['--slug', 'other'])).rejects.toThrow(/ended with 2:\nNeeded: /)
  await expect(run('create-organization', ['--colour', 'red'])).rejects.toThrow(/ended with 2/)
  expect(
    await value(
      installation.superuser,
      `select count(*)::int from app_public.organizations where slug = 'other'`,
    ),
  ).toBe(0)
})

test('organization:suspend keeps everybody out until organization:resume', async () => {
  expect(await run('suspend-organization', ['--slug', 'acme'], asOperator())).toContain('acme is closed.')
  expect(await logIn('ada@acme.test', 'correct horse battery staple')).toBe('organization_suspended')
  expect(await run('list-organizations', [], asOperator())).toMatch(
    /^slug +name +people +since\nacme +The acme company +1 +\d{4}-\d\d-\d\d +closed since \d{4}-\d\d-\d\d\nglobex +The globex company +1 +\d{4}-\d\d-\d\d +open\n/,
  )
  expect(await run('suspend-organization', ['--resume', '--slug', 'acme'], asOperator())).toContain(
    'acme is open.',
  )
  expect(await logIn('ada@acme.test', 'correct horse battery staple')).toBe('ok')
})

test('an organization that is not there is no silent success', async () => {
  await expect(run('suspend-organization', ['--slug', 'nobody'])).rejects.toThrow(
    /ended with 2:\nThere is no organization "nobody"/,
  )
  await expect(run('suspend-organization', [])).rejects.toThrow(/ended with 2:\nNeeded: --slug/)
})

test('what the operator did is in the audit log, in the name of that login', async () => {
  const { rows } = await installation.superuser.query<{ actor_role: string; suspended: boolean }>(
    `select log.actor_role, log.after ->> 'suspended_at' is not null as suspended
     from app_public.audit_log as log join app_public.organizations as organization on organization.id = log.row_id
     where organization.slug = 'acme' and log.operation = 'update' and log.after ? 'suspended_at' order by log.seq`,
  )
  expect(rows).toEqual([
    { actor_role: 'atum_operator', suspended: true },
    { actor_role: 'atum_operator', suspended: false },
  ])
})

test('the operator reads nothing in an organization', async () => {
  await installation.superuser.query('begin; set local role atum_operator')
  for (const table of [
    'app_public.organizations',
    'app_public.users',
    'app_public.tickets',
    'app_private.sessions',
  ]) {
    await installation.superuser.query('savepoint attempt')
    await expect(installation.superuser.query(`select from ${table}`)).rejects.toMatchObject({
      code: '42501',
    })
    await installation.superuser.query('rollback to savepoint attempt')
  }
  await installation.superuser.query('rollback')
})
