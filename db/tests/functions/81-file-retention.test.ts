import { beforeEach, describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does, refuses } = stage

const run = (sql: string, ...values: unknown[]) => stage.superuser.query<Record<string, unknown>>(sql, values)
const days = (count: number) => new Date(Date.now() - count * 86_400_000)

let made = 0
async function content(state = 'clean', age = 400): Promise<string> {
  made += 1
  const { rows } = await run(
    `insert into app_public.stored_files (organization_id, sha256, size, content_type, state, signature, created_at)
    values ($1, encode(sha256($2::text::bytea), 'hex'), 7, 'text/plain', $3, 'Eicar', $4) returning sha256`,
    stage.acme.organizationId,
    `content ${made}`,
    state,
    days(age),
  )
  return rows[0]!.sha256 as string
}

async function attach(sha256: string, commentId: string | null, age = 0): Promise<string> {
  const { rows } = await run(
    `insert into app_public.attachments (organization_id, ticket_id, comment_id, uploaded_by_id, name, sha256, size, content_type, state, created_at)
    select file.organization_id, comment.ticket_id, comment.id, $3, 'switch.log', file.sha256, file.size, file.content_type, file.state, $4
    from app_public.stored_files as file
    left join app_public.comments as comment on comment.organization_id = file.organization_id and comment.id = $2
    where file.sha256 = $1 and file.organization_id = $5 returning id`,
    sha256,
    commentId,
    stage.acme.agent.userId,
    days(age),
    stage.acme.organizationId,
  )
  return rows[0]!.id as string
}

const stateOf = async (sha256: string) =>
  (
    await run(
      'select state from app_public.stored_files where sha256 = $1 and organization_id = $2',
      sha256,
      stage.acme.organizationId,
    )
  ).rows[0]?.state
const isThere = async (id: string) =>
  (await run('select from app_public.attachments where id = $1', id)).rowCount === 1
const removeOld = () => does(stage.acme.worker, 'select app_private.remove_old_files()')
const jobs = async (task: string) =>
  (
    await run(
      `select job.payload from graphile_worker._private_jobs as job
      join graphile_worker._private_tasks as task on task.id = job.task_id where task.identifier = $1`,
      task,
    )
  ).rows.map(({ payload }) => payload as Record<string, string>)

beforeEach(async () => {
  await run('delete from graphile_worker._private_jobs')
})

test('only the worker removes, for one organization at a time', async () => {
  for (const call of [
    'app_private.remove_old_files()',
    `app_private.contents_without_row('{}')`,
    `app_private.file_placement('x')`,
    `app_private.content_removed('x')`,
  ]) {
    for (const actor of [stage.acme.customer, stage.acme.agent, stage.acme.admin]) {
      expect(await refuses(actor, `select ${call}`)).toBe('42501')
    }
  }
  expect(await refuses({ role: 'atum_worker' }, 'select app_private.remove_old_files()')).toBe('AD301')
})

describe('uploads that were sent with nothing', () => {
  test('are forgotten after a day, unless somebody still writes', async () => {
    const old = await attach(await content(), null, 2)
    const young = await attach(await content(), null, 0.9)
    const sent = await attach(await content(), stage.acme.publicCommentId, 2)
    const drafted = await attach(await content(), null, 30)
    await run(
      `update app_public.ticket_drafts set attachment_ids = array[$2::uuid] where organization_id = $1`,
      stage.acme.organizationId,
      drafted,
    )
    await removeOld()
    expect(await Promise.all([old, young, sent, drafted].map(isThere))).toEqual([false, true, true, true])
  })

  test('leave contents, which are forgotten with them', async () => {
    const unused = await content('clean', 2)
    const young = await content('clean', 0.9)
    const blocked = await content('infected', 29)
    const longBlocked = await content('infected', 31)
    const used = await content('clean', 2)
    await attach(used, stage.acme.publicCommentId)
    await removeOld()
    expect(await Promise.all([unused, young, blocked, longBlocked, used].map(stateOf))).toEqual([
      undefined,
      'clean',
      'infected',
      undefined,
      'clean',
    ])
    expect(await jobs('sweep_contents')).toEqual([{ organizationId: stage.acme.organizationId }])
    const left = await stage.sees(stage.acme.worker, 'select app_private.contents_without_row($1)', [
      [unused, young, 'a'.repeat(64)],
    ])
    expect(left).toEqual([unused, 'a'.repeat(64)])
  })
})

describe('files whose time is over', () => {
  const keep = (retention: number | null) =>
    run(
      'update app_public.attachment_settings set retention_days = $2 where organization_id = $1',
      stage.acme.organizationId,
      retention,
    )
  const close = async (ticketId: string, age: number) => {
    await run(`update app_public.tickets set status = 'closed' where id = $1`, ticketId)
    await run(
      'update app_public.tickets set closed_at = $2, resolved_at = $2 where id = $1',
      ticketId,
      days(age),
    )
  }
  let neighbourCommentId: string

  beforeEach(async () => {
    const { rows } = await run(
      'select id from app_public.comments where ticket_id = $1',
      stage.acme.neighbourTicketId,
    )
    neighbourCommentId = rows[0]!.id as string
    await close(stage.acme.ticketId, 30.5)
  })

  test('stay for ever where nobody said for how long', async () => {
    const sha256 = await content()
    await attach(sha256, stage.acme.publicCommentId)
    await keep(null)
    await removeOld()
    expect(await stateOf(sha256)).toBe('clean')
  })

  test('are removed so many days after their ticket was closed, also those that are held back', async () => {
    const clean = await content()
    const infected = await content('infected')
    for (const sha256 of [clean, infected]) await attach(sha256, stage.acme.publicCommentId)
    await keep(31)
    await removeOld()
    expect(await Promise.all([clean, infected].map(stateOf))).toEqual(['clean', 'infected'])
    await keep(30)
    await removeOld()
    expect(await Promise.all([clean, infected].map(stateOf))).toEqual(['removed', 'removed'])
    expect((await jobs('place_file')).map(({ sha256 }) => sha256)).toEqual(
      expect.arrayContaining([clean, infected]),
    )
    const { rows } = await run(
      `select event.actor_name, event.after ->> 'reason' as reason from app_public.ticket_events as event
      where event.type = 'attachment_removed' and event.ticket_id = $1 limit 1`,
      stage.acme.ticketId,
    )
    expect(rows).toEqual([
      { actor_name: 'Retention', reason: 'Kept for 30 days after its tickets were closed' },
    ])
  })

  test('stay while another ticket needs the same content, or an upload waits with it', async () => {
    const shared = await content()
    await attach(shared, stage.acme.publicCommentId)
    await attach(shared, neighbourCommentId)
    const staged = await content()
    await attach(staged, stage.acme.publicCommentId)
    await attach(staged, null)
    await keep(30)
    await removeOld()
    expect(await Promise.all([shared, staged].map(stateOf))).toEqual(['clean', 'clean'])
  })

  test('are deleted though the job that was to delete them was lost', async () => {
    const sha256 = await content('removed')
    await attach(sha256, neighbourCommentId)
    await keep(null)
    await removeOld()
    expect((await jobs('place_file')).map((payload) => payload.sha256)).toContain(sha256)
    await does(stage.acme.worker, 'select app_private.content_removed($1)', [sha256])
    await run('delete from graphile_worker._private_jobs')
    await removeOld()
    expect((await jobs('place_file')).map((payload) => payload.sha256)).not.toContain(sha256)
  })
})

test.each([
  ['pending', 'quarantine'],
  ['infected', 'quarantine'],
  ['unscannable', 'quarantine'],
  ['clean', 'uploads'],
  ['unscanned', 'uploads'],
  ['removed', 'nowhere'],
])('the content of what is %s belongs in %s', async (state, place) => {
  const sha256 = await content(state)
  expect(await does(stage.acme.worker, 'select place from app_private.file_placement($1)', [sha256])).toBe(
    place,
  )
  expect(
    await does(stage.globex.worker, 'select place from app_private.file_placement($1)', [sha256]),
  ).toBeNull()
})
