import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { value } from '../support/connections.ts'
import type { Person } from '../support/fixture.ts'
import { type Upload, uploadsOn } from '../support/uploads.ts'
import { sqlState } from '../support/refusals.ts'
import { asRoleForGood, become } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { refuses, sees, does } = stage
const { upload, judge } = uploadsOn(stage)

const say = `select (app_public.add_comment($1, 'Look at this', $2, attachment_ids => $3)).id`
const filesOn = (commentId: string, by: Person = stage.acme.agent) =>
  sees(by, 'select name from app_public.attachments where comment_id = $1 order by created_at', [commentId])
const eventsOf = (ticketId: string, by: Person = stage.acme.agent) =>
  sees(
    by,
    `select jsonb_build_object('comment_id', comment_id, 'actor_id', actor_id, 'visibility', visibility, 'after', after)
    from app_public.ticket_events
    where ticket_id = $1 and type = 'attachment_added' order by id`,
    [ticketId],
  ) as Promise<{ comment_id: string; actor_id: string; visibility: string; after: { files: object[] } }[]>
const setting = (assignment: string) =>
  stage.superuser.query(`update app_public.attachment_settings set ${assignment}`)

let ticketId: string
beforeEach(async () => {
  ticketId = await does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket('The gate', 'Shut')`,
  )
})

describe('an upload is refused', () => {
  const storing = (values: Partial<Upload>, by: Person = stage.acme.customer) =>
    upload(by, values).then(
      () => 'accepted',
      (error: { code: string }) => error.code,
    )

  test('to nobody, and to whoever has no role for it', async () => {
    const call = `select app_hidden.store_upload(repeat('a', 64), 1, 'text/plain', 'x', null)`
    expect(await refuses({ role: 'atum_anonymous' }, call)).toBe('42501')
    expect(await refuses({ role: 'atum_worker', organizationId: stage.acme.organizationId }, call)).toBe(
      '42501',
    )
    expect(await refuses({ ...stage.acme.customer, userId: '' }, call)).toBe('AD001')
  })

  test('when it is empty, too large or of a type that is not taken', async () => {
    expect(await storing({ size: 0 })).toBe('AD236')
    await setting('max_file_bytes = 1000')
    expect(await storing({ size: 1000 })).toBe('accepted')
    expect(await storing({ size: 1001 })).toBe('AD230')
    await setting('max_file_bytes = default')

    expect(await storing({ contentType: 'application/x-elf' })).toBe('AD231')
    await setting(
      `allowed_content_types = '{image/*, text/plain}', refused_content_types = '{image/svg+xml}'`,
    )
    expect(await storing({ contentType: 'application/pdf' })).toBe('AD231')
    expect(await storing({ contentType: 'image/svg+xml' })).toBe('AD231')
    expect(await storing({ contentType: 'IMAGE/PNG' })).toBe('accepted')
    expect(await storing({ contentType: 'text/plain' })).toBe('accepted')
    await setting('allowed_content_types = default, refused_content_types = default')
  })

  test('when it is more than one person may upload within a day, though it was discarded', async () => {
    await setting('max_file_bytes = 524288000')
    const megabyte = 1_048_576
    const { customer, agent } = stage.acme
    const amounts = (sql: string) => stage.superuser.query(`${sql} where user_id = $1`, [customer.userId])
    await amounts('delete from app_private.upload_amounts')
    for (const size of [300, 199]) {
      const { id } = await upload(customer, { size: size * megabyte })
      await does(customer, 'select app_public.discard_upload($1)', [id])
    }
    expect(await storing({ size: megabyte + 1 })).toBe('AD238')
    expect(await storing({ size: megabyte })).toBe('accepted')
    expect(await storing({ size: 1 })).toBe('AD238')
    for (let count = 0; count < 10; count += 1)
      expect(await storing({ size: 500 * megabyte }, agent)).toBe('accepted')
    expect(await storing({ size: 500 * megabyte }, agent)).toBe('AD238')

    await amounts(`update app_private.upload_amounts set hour = hour - interval '24 hours'`)
    expect(await storing({ size: 1 })).toBe('AD238')
    await amounts(`update app_private.upload_amounts set hour = hour - interval '1 hour'`)
    expect(await storing({ size: 1 })).toBe('accepted')
    await stage.superuser.query('delete from app_private.upload_amounts')
    await setting('max_file_bytes = default')
  })

  test('when another one of the same moment brought the most', async () => {
    const { customer } = stage.acme
    const sha256 = randomBytes(32).toString('hex')
    const store = `select app_hidden.store_upload($1, $2, 'text/plain', 'x', null)`
    await setting('max_file_bytes = 524288000')
    await stage.superuser.query('delete from app_private.upload_amounts')
    const other = await stage.open(stage.database.serverUrl)
    for (const client of [stage.server, other]) {
      await client.query('begin')
      await become(client, customer)
    }
    await stage.server.query(store, [sha256, 524_288_000])
    const waits = sqlState(other.query(store, [randomBytes(32).toString('hex'), 1]))
    await stage.server.query('commit')
    expect(await waits).toBe('AD238')
    await other.query('rollback')
    await stage.superuser.query('delete from app_private.upload_amounts')
    await setting('max_file_bytes = default')
  })

  test('when there are two hundred that were never sent', async () => {
    const { neighbour } = stage.acme
    await upload(neighbour)
    await stage.superuser.query(
      `insert into app_public.attachments (organization_id, uploaded_by_id, name, sha256, size, content_type, state)
      select organization_id, uploaded_by_id, name, sha256, size, content_type, state
      from app_public.attachments cross join generate_series(1, 199)
      where uploaded_by_id = $1 and comment_id is null`,
      [neighbour.userId],
    )
    expect(await storing({}, neighbour)).toBe('AD238')
    expect(await storing({}, stage.acme.customer)).toBe('accepted')
  })
})

describe('a file is not put on a comment', () => {
  test.each([
    ['of somebody else', () => upload(stage.acme.agent)],
    ['of another organization', () => upload(stage.globex.customer)],
    ['that is not there', () => Promise.resolve({ id: '01900000-0000-7000-8000-000000000000' })],
  ])('%s', async (_, uploaded) => {
    const { id } = await uploaded()
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', [id]])).toBe('AD233')
    expect(
      await refuses(stage.acme.customer, `select app_public.create_ticket('x', 'y', attachment_ids => $1)`, [
        [id],
      ]),
    ).toBe('AD233')
  })

  test('that is on another one already', async () => {
    const { id } = await upload(stage.acme.customer)
    await does(stage.acme.customer, say, [ticketId, 'public', [id]])
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', [id]])).toBe('AD233')
  })

  test('on a ticket out of sight, or as a note of a customer', async () => {
    const { id } = await upload(stage.acme.customer)
    expect(await refuses(stage.acme.customer, say, [stage.acme.neighbourTicketId, 'public', [id]])).toBe(
      'AD101',
    )
    expect(await refuses(stage.acme.customer, say, [stage.globex.ticketId, 'public', [id]])).toBe('AD101')
    expect(await refuses(stage.acme.customer, say, [ticketId, 'internal', [id]])).toBe('42501')
  })

  test('that is infected or was removed', async () => {
    const bad = await upload(stage.acme.customer)
    await judge(bad, 'infected')
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', [bad.id]])).toBe('AD234')
    const gone = await upload(stage.acme.customer)
    await judge(gone, 'removed')
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', [gone.id]])).toBe('AD237')
  })

  test('as one of too many', async () => {
    await setting('max_files_per_comment = 2')
    const ids: string[] = []
    for (let count = 0; count < 3; count++) ids.push((await upload(stage.acme.customer)).id)
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', ids])).toBe('AD232')
    expect(await refuses(stage.acme.customer, say, [ticketId, 'public', ids.slice(1)])).toBe('accepted')
    await setting('max_files_per_comment = default')
  })

  test('that its author did not write', async () => {
    const { id } = await upload(stage.acme.agent)
    const call = `select app_hidden.attach_uploads(comment, $2) from app_public.comments as comment where id = $1`
    expect(await refuses(stage.acme.agent, call, [stage.acme.publicCommentId, [id]])).toBe('accepted')
    const commentId = await does<string>(stage.acme.customer, say, [ticketId, 'public', []])
    expect(await refuses(stage.acme.agent, call, [commentId, [id]])).toBe('AD233')
  })
})

describe('a file', () => {
  test('goes with a comment, and one event tells of all that do', async () => {
    const { customer } = stage.acme
    const one = await upload(customer, { name: 'one.txt' })
    const two = await upload(customer, { name: 'two.txt' })
    const commentId = await does<string>(customer, say, [ticketId, 'public', [two.id, one.id, one.id]])
    // As they are named, not as they were there.
    expect(await filesOn(commentId)).toEqual(['two.txt', 'one.txt'])
    const events = await eventsOf(ticketId, customer)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      comment_id: commentId,
      actor_id: customer.userId,
      visibility: 'public',
    })
    expect(events[0]!.after.files).toEqual([
      { id: two.id, name: 'two.txt', size: 7, content_type: 'text/plain' },
      { id: one.id, name: 'one.txt', size: 7, content_type: 'text/plain' },
    ])
  })

  test('goes with the description of a ticket', async () => {
    const { id } = await upload(stage.acme.customer)
    const opened = await does<string>(
      stage.acme.customer,
      `select id from app_public.create_ticket('The gate', 'Shut', attachment_ids => $1)`,
      [[id]],
    )
    expect(
      await sees(stage.acme.customer, 'select id from app_public.attachments where ticket_id = $1', [opened]),
    ).toEqual([id])
    expect(await eventsOf(opened, stage.acme.customer)).toHaveLength(1)
  })

  test('of a note is for staff, and so is what tells of it', async () => {
    const { id } = await upload(stage.acme.agent)
    const commentId = await does<string>(stage.acme.agent, say, [ticketId, 'internal', [id]])
    expect(await filesOn(commentId)).toHaveLength(1)
    expect(await eventsOf(ticketId)).toHaveLength(1)
    expect(await filesOn(commentId, stage.acme.customer)).toEqual([])
    expect(await eventsOf(ticketId, stage.acme.customer)).toEqual([])
  })

  test('goes with a comment that is sent twice, once', async () => {
    const { id } = await upload(stage.acme.customer)
    const retried = `select (app_public.add_comment($1, 'Look', client_mutation_key => 'retried-1', attachment_ids => $2)).id`
    const first = await does<string>(stage.acme.customer, retried, [ticketId, [id]])
    expect(await does(stage.acme.customer, retried, [ticketId, [id]])).toBe(first)
    expect(await filesOn(first)).toHaveLength(1)
  })

  test('that is thrown away is gone, as long as it is the own one and on no comment', async () => {
    const discard = 'select app_public.discard_upload($1)'
    const { id } = await upload(stage.acme.customer)
    expect(await does(stage.acme.agent, discard, [id])).toBe(false)
    expect(await does(stage.globex.customer, discard, [id])).toBe(false)
    expect(await does(stage.acme.customer, discard, [id])).toBe(true)
    expect(await does(stage.acme.customer, discard, [id])).toBe(false)
    const sent = await upload(stage.acme.customer)
    await does(stage.acme.customer, say, [ticketId, 'public', [sent.id]])
    expect(await does(stage.acme.customer, discard, [sent.id])).toBe(false)
  })
})

describe('a content', () => {
  const rows = (sha256: string) =>
    value<string>(stage.superuser, 'select count(*) from app_public.stored_files where sha256 = $1', [sha256])
  const jobs = (sha256: string) =>
    value<string>(
      stage.superuser,
      `select count(*) from graphile_worker._private_jobs where task_id in
        (select id from graphile_worker._private_tasks where identifier = 'scan_file') and payload ->> 'sha256' = $1`,
      [sha256],
    )

  test('is kept once in an organization, and scanned once', async () => {
    const first = await upload(stage.acme.customer)
    expect(first.state).toBe('pending')
    const again = await upload(stage.acme.agent, { sha256: first.sha256 })
    expect(again.id).not.toBe(first.id)
    expect([await rows(first.sha256), await jobs(first.sha256)]).toEqual(['1', '1'])
    // Another organization knows nothing of it.
    await judge(first, 'clean')
    expect((await upload(stage.globex.agent, { sha256: first.sha256 })).state).toBe('pending')
    expect([await rows(first.sha256), await jobs(first.sha256)]).toEqual(['2', '2'])
  })

  test('that was judged is not judged again', async () => {
    const first = await upload(stage.acme.customer)
    await stage.superuser.query(
      'select graphile_worker.complete_jobs(array(select id from graphile_worker.jobs))',
    )
    await judge(first, 'clean')
    expect((await upload(stage.acme.agent, { sha256: first.sha256 })).state).toBe('clean')
    expect(await jobs(first.sha256)).toBe('0')
  })

  test('is unscanned at once where nothing scans', async () => {
    const made = await upload(stage.acme.customer, {}, { scanner: 'off' })
    expect(made.state).toBe('unscanned')
    expect(await jobs(made.sha256)).toBe('0')
    // Until it comes again and something does.
    expect((await upload(stage.acme.agent, { sha256: made.sha256 })).state).toBe('pending')
    expect(await jobs(made.sha256)).toBe('1')
  })

  test('that was forgotten for its age comes back; what an admin took away does not', async () => {
    const forgotten = await upload(stage.acme.customer)
    await judge(forgotten, 'removed')
    expect((await upload(stage.acme.customer, { sha256: forgotten.sha256 })).state).toBe('pending')

    const taken = await upload(stage.acme.customer)
    await judge(taken, 'removed', stage.acme.admin)
    await expect(upload(stage.acme.customer, { sha256: taken.sha256 })).rejects.toMatchObject({
      code: 'AD237',
    })
  })
})

test.each([
  ['photo.jpg', 'photo.jpg'],
  ['C:\\Users\\me\\photo.jpg', 'photo.jpg'],
  ['../../etc/passwd', 'passwd'],
  ['/', 'file'],
  ['..', 'file'],
  [' . ', 'file'],
  ['', 'file'],
  ['a\r\nSet-Cookie: b.txt', 'a Set-Cookie: b.txt'],
  ['invoice‮gpj.exe', 'invoicegpj.exe'],
  ['a​b.txt', 'ab.txt'],
  ['Größe ü.txt', 'Größe ü.txt'],
  [`${'x'.repeat(300)}.tar`, `${'x'.repeat(196)}.tar`],
  ['"quoted"; name.txt', '"quoted"; name.txt'],
])('a file called %j is called %j here', async (told, safe) => {
  expect(await value(stage.superuser, 'select app_hidden.safe_file_name($1)', [told])).toBe(safe)
})

describe('files that come by mail', () => {
  const call = `select app_private.store_mail_file($1, 0, 'application/x-elf', '../x', null, '', $2, null)`
  const sha256 = 'c'.repeat(64)

  test('are taken from the worker alone', async () => {
    expect(await refuses(stage.acme.admin, call, [sha256, stage.acme.publicCommentId])).toBe('42501')
    expect(await refuses(stage.acme.worker, call, [sha256, stage.globex.publicCommentId])).toBe('P0002')
  })

  test('are never refused, and told of like others', async () => {
    const commentId = await does<string>(stage.acme.customer, say, [ticketId, 'public', []])
    await does(stage.acme.worker, call, [sha256, commentId])
    expect(await filesOn(commentId)).toEqual(['x'])
    expect(await eventsOf(ticketId, stage.acme.customer)).toHaveLength(1)
  })
})

describe('a file of a type that is not taken, by mail,', () => {
  const call = `select to_jsonb(app_private.store_mail_file($1, 7, 'application/x-elf', 'tool', null, '', $2, null))`
  const byMail = async (scanner: string) => {
    const sha256 = randomBytes(32).toString('hex')
    const commentId = await does<string>(stage.acme.customer, say, [ticketId, 'public', []])
    const { state } = await asRoleForGood(stage.superuser, stage.acme.worker, async () => {
      await stage.superuser.query(`select set_config('atum.attachment_scanner', $1, true)`, [scanner])
      return value<{ state: string }>(stage.superuser, call, [sha256, commentId])
    })
    const verdict = (said: string) =>
      does<string>(stage.acme.worker, `select app_private.record_verdict($1, $2::app_public.file_state)`, [
        sha256,
        said,
      ])
    const states = () =>
      value<string>(
        stage.superuser,
        `select concat(file.state, ' ', attached.state, ' ', file.signature)
        from app_public.stored_files as file join app_public.attachments as attached using (organization_id, sha256)
        where file.sha256 = $1`,
        [sha256],
      )
    return { sha256, state, verdict, states }
  }
  const held = 'unscannable unscannable Files of the type application/x-elf are not taken here'
  const blocked = () =>
    sees(
      stage.acme.agent,
      `select after from app_public.ticket_events where ticket_id = $1 and type = 'attachment_blocked'`,
      [ticketId],
    )

  test('is held back at once where nothing scans', async () => {
    const { state, states } = await byMail('off')
    expect(state).toBe('unscannable')
    expect(await states()).toBe(held)
    expect(await blocked()).toMatchObject([{ name: 'tool', state: 'unscannable' }])
  })

  test.each(['clean', 'unscanned'])(
    'is held back when it is found %s, until it is released',
    async (said) => {
      const { sha256, state, verdict, states } = await byMail('clamd')
      expect(state).toBe('pending')
      expect(await verdict(said)).toBe('unscannable')
      expect(await states()).toBe(held)
      expect(await blocked()).toHaveLength(1)

      await does(stage.acme.admin, 'select (app_public.scan_file_again($1)).state', [sha256])
      expect(await verdict(said)).toBe('unscannable')
      await does(stage.acme.admin, `select (app_public.release_file($1, 'Wanted')).state`, [sha256])
      expect(await verdict('clean')).toBe('released')
    },
  )

  test('is infected when it is', async () => {
    const { verdict } = await byMail('clamd')
    expect(await verdict('infected')).toBe('infected')
  })
})

describe('a file that is known to be bad', () => {
  const blocked = (by: Person) =>
    sees(
      by,
      `select after from app_public.ticket_events where ticket_id = $1 and type = 'attachment_blocked'`,
      [ticketId],
    )

  test('is told to staff when it comes by mail', async () => {
    const known = await upload(stage.acme.customer)
    await judge(known, 'infected')
    const commentId = await does<string>(stage.acme.customer, say, [ticketId, 'public', []])
    const attachmentId = await does<string>(
      stage.acme.worker,
      `select (app_private.store_mail_file($1, 7, 'text/plain', 'bad.txt', null, null, $2, null)).id`,
      [known.sha256, commentId],
    )
    expect(await blocked(stage.acme.agent)).toEqual([
      {
        name: 'bad.txt',
        files: [{ id: attachmentId, name: 'bad.txt' }],
        state: 'infected',
        signature: 'Eicar-Test',
      },
    ])
    expect(await blocked(stage.acme.customer)).toEqual([])
  })

  test('is told once, when it is sent, and not when it was not', async () => {
    const odd = await upload(stage.acme.customer)
    await judge(odd, 'unscannable')
    expect(await blocked(stage.acme.agent)).toEqual([])
    await does(stage.acme.customer, say, [ticketId, 'public', [odd.id]])
    expect(await blocked(stage.acme.agent)).toMatchObject([{ files: [{ id: odd.id }], state: 'unscannable' }])
    await judge(odd, 'released', stage.acme.admin)
    expect(await blocked(stage.acme.agent)).toHaveLength(1)
  })
})

test('of two comments that want the same file at the same moment one gets it', async () => {
  const { id } = await upload(stage.acme.customer)
  const other = await stage.open(stage.database.serverUrl)
  for (const client of [stage.server, other]) {
    await client.query('begin')
    await become(client, stage.acme.customer)
  }
  await stage.server.query(say, [ticketId, 'public', [id]])
  const waits = sqlState(other.query(say, [stage.acme.ticketId, 'public', [id]]))
  await stage.server.query('commit')
  expect(await waits).toBe('AD233')
  await other.query('rollback')
})

describe('the files of a reply that waits', () => {
  const send = (ids: string[], key: string) =>
    does<string>(
      stage.acme.agent,
      `select (app_public.send_reply($1, 'Here', client_mutation_key => $3, attachment_ids => $2)).outgoing_reply_id`,
      [ticketId, ids, key],
    )
  const deliver = async (replyId: string) => {
    await stage.superuser.query('update app_public.outgoing_replies set send_at = now() where id = $1', [
      replyId,
    ])
    return does<number>(stage.acme.worker, 'select app_private.deliver_replies($1)', [replyId])
  }
  const drafts = () =>
    sees(
      stage.acme.agent,
      `select jsonb_build_object('refused', draft.refused_code, 'ids', draft.attachment_ids, 'files',
        array(select file.name from app_public.ticket_drafts_attachments(draft) as file))
      from app_public.ticket_drafts as draft where ticket_id = $1`,
      [ticketId],
    )

  test('are refused when they are sent', async () => {
    const { id } = await upload(stage.acme.customer)
    expect(
      await refuses(stage.acme.agent, `select app_public.send_reply($1, 'x', attachment_ids => $2)`, [
        ticketId,
        [id],
      ]),
    ).toBe('AD233')
  })

  test('leave with it', async () => {
    const { id } = await upload(stage.acme.agent, { name: 'plan.txt' })
    const replyId = await send([id], 'leaves-1')
    expect(
      await sees(stage.acme.agent, 'select comment_id from app_public.attachments where id = $1', [id]),
    ).toEqual([null])
    expect(await deliver(replyId)).toBe(1)
    const [commentId] = await sees(
      stage.acme.agent,
      'select comment_id from app_public.attachments where id = $1',
      [id],
    )
    expect(await filesOn(commentId as string, stage.acme.customer)).toEqual(['plan.txt'])
  })

  test('come back with it', async () => {
    const { id } = await upload(stage.acme.agent, { name: 'plan.txt' })
    const other = await upload(stage.acme.agent, { name: 'other.txt' })
    const replyId = await send([id], 'comes-back-1')
    await does(
      stage.acme.agent,
      `select version from app_public.save_draft($1, 'And', attachment_ids => $2)`,
      [ticketId, [other.id, id]],
    )
    await does(stage.acme.agent, 'select version from app_public.undo_send($1)', [replyId])
    expect(await drafts()).toEqual([{ refused: null, ids: [id, other.id], files: ['plan.txt', 'other.txt'] }])
  })

  test('bring it back when one turns out to be infected', async () => {
    const file = await upload(stage.acme.agent)
    const replyId = await send([file.id], 'infected-1')
    await judge(file, 'infected')
    expect(await deliver(replyId)).toBe(0)
    expect(await drafts()).toMatchObject([{ refused: 'AD234', ids: [file.id] }])
  })
})

describe('a draft', () => {
  const save = (ids: string[], seenVersion: number) =>
    does<number>(
      stage.acme.customer,
      `select version from app_public.save_draft($1, 'So far', seen_version => $3, attachment_ids => $2)`,
      [ticketId, ids, seenVersion],
    )

  test('keeps its files, and a save with other files is another save', async () => {
    const { id } = await upload(stage.acme.customer)
    expect(await save([id], 0)).toBe(1)
    expect(await save([id], 0)).toBe(1)
    await expect(save([], 0)).rejects.toMatchObject({ code: 'AD180' })
    expect(await save([], 1)).toBe(2)
  })

  test('shows nothing of a file that somebody else uploaded', async () => {
    const { id } = await upload(stage.acme.agent)
    await save([id], 0)
    expect(
      await sees(
        stage.acme.customer,
        `select file.id from app_public.ticket_drafts as draft, app_public.ticket_drafts_attachments(draft) as file
        where draft.ticket_id = $1`,
        [ticketId],
      ),
    ).toEqual([])
  })
})

describe('the files of a ticket', () => {
  const fileIds = (id: string) =>
    sees(stage.acme.agent, 'select id from app_public.attachments where ticket_id = $1 order by id', [id])

  test('go along when it is merged, and come back', async () => {
    const { id } = await upload(stage.acme.customer)
    await does(stage.acme.customer, say, [ticketId, 'public', [id]])
    const target = await does<string>(
      stage.acme.customer,
      `select id from app_public.create_ticket('Same', 'Shut')`,
    )
    const mergeId = await does<string>(stage.acme.agent, 'select (app_public.merge_ticket($1, $2)).id', [
      ticketId,
      target,
    ])
    expect([await fileIds(ticketId), await fileIds(target)]).toEqual([[], [id]])
    expect(await eventsOf(ticketId)).toEqual([])
    expect(await eventsOf(target)).toHaveLength(1)
    // Said on the target meanwhile, it stays there.
    const later = await upload(stage.acme.customer)
    await does(stage.acme.customer, say, [target, 'public', [later.id]])
    await does(stage.acme.agent, 'select (app_public.undo_merge($1)).id', [mergeId])
    expect([await fileIds(ticketId), await fileIds(target)]).toEqual([[id], [later.id]])
    expect(await eventsOf(ticketId)).toHaveLength(1)
    expect(await eventsOf(target)).toHaveLength(1)
  })

  test('stay when a comment is split off, and are on the new ticket too', async () => {
    const file = await upload(stage.acme.customer, { name: 'both.txt' })
    const commentId = await does<string>(stage.acme.customer, say, [ticketId, 'public', [file.id]])
    const split = await does<string>(
      stage.acme.agent,
      `select (app_public.split_comment($1, 'Another matter')).id`,
      [commentId],
    )
    expect(await fileIds(ticketId)).toEqual([file.id])
    expect(
      await sees(stage.acme.customer, 'select name from app_public.attachments where ticket_id = $1', [
        split,
      ]),
    ).toEqual(['both.txt'])
    expect(await eventsOf(split, stage.acme.customer)).toHaveLength(1)
    // One content: a verdict is over both.
    await judge(file, 'infected')
    expect(
      await sees(stage.acme.agent, 'select state::text from app_public.attachments where ticket_id = $1', [
        split,
      ]),
    ).toEqual(['infected'])
  })
})
