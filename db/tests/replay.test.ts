import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { prepareDatabase, withClient } from '../../infra/dev/database.ts'
import { runProgram } from '../../infra/dev/run-program.ts'
import { createTestDatabase } from '../../infra/dev/testing.ts'
import { dumpSchema, schemaFile } from '../dump.ts'
import { repeatableFiles } from '../stage.ts'

test('what is edited in place is what was committed to the log', async () => {
  await expect(runProgram(process.execPath, ['db/stage.ts', '--check'])).resolves.not.toThrow()
})

test('the log, replayed on an empty database, leaves nothing that the files one edits would change', async () => {
  const { superuserUrl, passwords } = inject('testCluster')
  const database = `atum_replay_${randomBytes(6).toString('hex')}`
  onTestFinished(() =>
    withClient(superuserUrl, async (client) => {
      await client.query(`drop database if exists ${database} with (force)`)
    }),
  )
  const { ownerUrl } = await prepareDatabase({ superuserUrl, database, passwords })

  await withClient(ownerUrl, async (client) => {
    const replayed = await dumpSchema(client)
    for (const { path } of repeatableFiles()) await client.query(readFileSync(path, 'utf8'))
    expect(await dumpSchema(client)).toBe(replayed)
  })
})

test('db/schema.sql is what the database is', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const fresh = await withClient(database.ownerUrl, dumpSchema)
  expect(readFileSync(schemaFile, 'utf8') === fresh, 'run `npm run db:dump`').toBe(true)
})

test('the snapshot shows every kind of change', async () => {
  const database = await createTestDatabase()
  const client = new Client({ connectionString: database.superuserUrl })
  await client.connect()
  onTestFinished(async () => {
    await client.end()
    await database.drop()
  })
  const before = await dumpSchema(client)
  const changes = [
    'alter table app_public.teams add column colour text',
    'alter table app_public.teams alter column colour set not null',
    `alter table app_public.teams alter column colour set default 'red'`,
    `alter table app_public.teams add constraint teams_colour_check check (colour <> '')`,
    'create index teams_colour_idx on app_public.teams (colour)',
    `comment on column app_public.teams.colour is 'A colour.'`,
    'grant insert (colour) on app_public.teams to atum_agent',
    'grant delete on app_public.teams to atum_agent',
    'alter policy select_staff on app_public.teams using (false)',
    'create policy delete_staff on app_public.teams for delete to atum_agent using (false)',
    'alter table app_public.teams disable trigger _900_audit',
    'drop trigger _900_audit on app_public.teams',
    'alter table app_public.teams no force row level security',
    'alter table app_public.teams disable row level security',
    `alter type app_public.user_role add value 'guest'`,
    `create view app_public.team_names as select name from app_public.teams`,
    `alter view app_public.team_names set (security_invoker = true)`,
    'create function app_public.nothing() returns void language sql return null::void',
    'grant execute on function app_public.nothing() to atum_anonymous',
    'alter function app_public.nothing() security definer',
    `alter function app_public.nothing() set search_path = ''`,
    `create or replace function app_hidden.is_staff() returns boolean language sql stable parallel safe set search_path = '' as 'select true'`,
    `comment on function app_hidden.is_staff() is null`,
    'grant usage on schema app_private to atum_agent',
    'alter default privileges for role atum_owner grant execute on functions to public',
  ]
  let last = before
  for (const change of changes) {
    await client.query(change)
    const next = await dumpSchema(client)
    expect(next, change).not.toBe(last)
    last = next
  }
})
