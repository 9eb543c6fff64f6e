import { beforeEach, describe, expect, test } from 'vitest'
import { heardWhile } from '../support/notifications.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, does } = stage

let made = 0
/** A file on the customer's ticket, in a state. */
async function file(state: string, values: Record<string, unknown> = {}): Promise<string> {
  made += 1
  const given: Record<string, unknown> = {
    ...(/infected|unscannable/.test(state) ? { signature: 'Eicar' } : {}),
    ...(state === 'released' ? { signature: 'Eicar', reason: 'It is ours', decided_at: new Date() } : {}),
    ...values,
  }
  const names = Object.keys(given)
  const { rows } = await stage.superuser.query<{ sha256: string }>(
    `with file as (
      insert into app_public.stored_files (organization_id, sha256, size, content_type, state${names.map((name) => `, ${name}`).join('')})
      values ($1, encode(sha256($2::text::bytea), 'hex'), 7, 'text/plain', $3${names.map((_, position) => `, $${position + 5}`).join('')})
      returning *
    )
    insert into app_public.attachments (organization_id, ticket_id, comment_id, uploaded_by_id, name, sha256, size, content_type, state)
    select file.organization_id, comment.ticket_id, comment.id, comment.author_id, 'switch.log', file.sha256, file.size, file.content_type, file.state
    from file join app_public.comments as comment on comment.organization_id = file.organization_id and comment.id = $4
    returning sha256`,
    [stage.acme.organizationId, `file ${made}`, state, stage.acme.publicCommentId, ...Object.values(given)],
  )
  return rows[0]!.sha256
}

const stored = async (sha256: string) => {
  const { rows } = await stage.superuser.query<Record<string, unknown>>(
    `select state, signature, reason, decided_by_id, scanned_with, scan_attempts, content_removed_at,
      (select array_agg(distinct attachment.state::text) from app_public.attachments as attachment where attachment.sha256 = file.sha256) as attached
    from app_public.stored_files as file where sha256 = $1`,
    [sha256],
  )
  return rows[0]
}
const judge = (sha256: string, state: string, signature?: string) =>
  does<string | null>(stage.acme.worker, 'select app_private.record_verdict($1, $2, $3, $4)', [
    sha256,
    state,
    signature ?? null,
    'ClamAV 2',
  ])
const jobs = async (task: string, sha256: string) => {
  const { rows } = await stage.superuser.query<{ wait: number }>(
    `select extract(epoch from job.run_at - now())::float as wait from graphile_worker._private_jobs as job
    join graphile_worker._private_tasks as task on task.id = job.task_id
    where task.identifier = $1 and job.payload ->> 'sha256' = $2`,
    [task, sha256],
  )
  return rows
}
const told = async (type: string, sha256: string) => {
  const { rows } = await stage.superuser.query<Record<string, unknown>>(
    `select event.after, event.visibility, event.actor_id, event.comment_id
    from app_public.ticket_events as event
    where event.type = $1 and event.after -> 'files' @> (
      select jsonb_build_array(jsonb_build_object('id', attachment.id)) from app_public.attachments as attachment where sha256 = $2
    )`,
    [type, sha256],
  )
  return rows
}

beforeEach(() => stage.superuser.query('delete from app_private.scanner_status'))

describe('who may', () => {
  const decisions = ['release_file($1, $2)', 'remove_file($1, $2)']

  test('admins decide about files, and nobody else', async () => {
    const { acme } = stage
    const sha256 = await file('infected')
    for (const actor of [
      acme.customer,
      acme.agent,
      acme.manager,
      acme.worker,
      { role: 'atum_anonymous' as const },
    ]) {
      for (const call of decisions) {
        expect(await refuses(actor, `select app_public.${call}`, [sha256, 'So'])).toBe('42501')
      }
      expect(await refuses(actor, 'select app_public.scan_file_again($1)', [sha256])).toBe('42501')
      expect(await refuses(actor, 'select sha256 from app_public.stored_files')).toBe('42501')
    }
    for (const call of decisions) {
      expect(await refuses(acme.admin, `select app_public.${call}`, [sha256, 'So'])).toBe('accepted')
    }
  })

  test('nobody writes a verdict but the worker, and for one organization', async () => {
    const { acme } = stage
    const sha256 = await file('pending')
    for (const call of [
      `app_private.record_verdict('${sha256}', 'clean')`,
      `app_private.file_to_scan('${sha256}')`,
      `app_private.scan_failed('${sha256}', 'No')`,
      `app_private.record_scanner('answering')`,
      'app_private.rescan_files()',
      'app_private.sweep_waiting_files()',
    ]) {
      for (const actor of [acme.customer, acme.agent, acme.admin]) {
        expect(await refuses(actor, `select ${call}`)).toBe('42501')
      }
    }
    expect(await refuses(acme.admin, `update app_public.stored_files set state = 'clean'`)).toBe('42501')
    const verdict = `select app_private.record_verdict('${sha256}', 'clean')`
    expect(await refuses({ role: 'atum_worker' }, verdict)).toBe('AD301')
    expect(await refuses(acme.worker, verdict)).toBe('accepted')
  })

  test('one of another organization is not there', async () => {
    const { globex } = stage
    const sha256 = await file('infected')
    for (const call of decisions) {
      expect(await refuses(globex.admin, `select app_public.${call}`, [sha256, 'So'])).toBe('AD101')
    }
    expect(await refuses(globex.admin, 'select app_public.scan_file_again($1)', [sha256])).toBe('AD101')
    expect(await does(globex.worker, `select app_private.record_verdict($1, 'clean')`, [sha256])).toBeNull()
    expect(await sees(globex.worker, 'select app_private.file_to_scan($1)', [sha256])).toEqual([null])
    expect(await stored(sha256)).toMatchObject({ state: 'infected' })
  })
})

describe('a verdict', () => {
  test.each([
    // What is, what the scanner says, and what becomes of it.
    ['pending', 'clean', 'clean'],
    ['pending', 'unscanned', 'unscanned'],
    ['pending', 'infected', 'infected'],
    ['pending', 'unscannable', 'unscannable'],
    ['unscanned', 'clean', 'clean'],
    ['unscanned', 'infected', 'infected'],
    ['unscanned', 'unscannable', 'unscannable'],
    ['clean', 'infected', 'infected'],
    ['clean', 'unscannable', 'clean'],
    ['clean', 'unscanned', 'clean'],
    ['infected', 'clean', 'infected'],
    ['unscannable', 'clean', 'unscannable'],
    ['unscannable', 'unscanned', 'unscannable'],
    ['removed', 'clean', 'removed'],
    ['released', 'clean', 'released'],
    ['released', 'unscannable', 'released'],
  ])('over what is %s, that it is %s, makes it %s', async (before, verdict, after) => {
    const sha256 = await file(before)
    expect(await judge(sha256, verdict, /infected|unscannable/.test(verdict) ? 'Other' : undefined)).toBe(
      after,
    )
    expect(await stored(sha256)).toMatchObject({ state: after, attached: [after] })
  })

  test('that is none is refused', async () => {
    const sha256 = await file('pending')
    for (const state of ['pending', 'released', 'removed']) {
      const call = 'select app_private.record_verdict($1, $2)'
      expect(await refuses(stage.acme.worker, call, [sha256, state])).toBe('22023')
    }
    expect(await stored(sha256)).toMatchObject({ state: 'pending' })
  })

  test('takes back what was released only when something else is found', async () => {
    const sha256 = await file('released')
    expect(await judge(sha256, 'infected', 'Eicar')).toBe('released')
    expect(await stored(sha256)).toMatchObject({ reason: 'It is ours', signature: 'Eicar' })
    expect(await judge(sha256, 'infected', 'Worm')).toBe('infected')
    expect(await stored(sha256)).toMatchObject({ reason: null, signature: 'Worm', decided_by_id: null })
  })

  test('is told to whoever waits, and where it blocks to the history of the ticket, once', async () => {
    const { acme } = stage
    const sha256 = await file('pending')
    const [id] = await sees(acme.admin, 'select id from app_public.attachments where sha256 = $1', [sha256])
    const channel = `attachment:${String(id)}`
    const listener = await stage.open(stage.database.serverUrl)
    const heard = await heardWhile(listener, [channel], () => judge(sha256, 'infected', 'Eicar'))
    expect(heard[channel]).toEqual([{ event: 'attachment_scanned', attachmentId: id }])
    await judge(sha256, 'infected', 'Eicar')
    expect(await told('attachment_blocked', sha256)).toEqual([
      {
        after: {
          name: 'switch.log',
          files: [{ id, name: 'switch.log' }],
          state: 'infected',
          signature: 'Eicar',
        },
        visibility: 'internal',
        actor_id: null,
        comment_id: acme.publicCommentId,
      },
    ])
    // Its content is moved though the job that scanned it may be gone.
    expect(await jobs('place_file', sha256)).toHaveLength(1)
  })

  test('is told to the admins once an hour of a ticket, but where it was served each time', async () => {
    const { admin } = stage.acme
    const alerts = async () => {
      const { rows } = await stage.superuser.query<{ served: boolean }>(
        `select (facts -> 'was_served')::boolean as served from app_public.notifications
        where user_id = $1 and facts ->> 'alert' = 'file_blocked' order by created_at`,
        [admin.userId],
      )
      return rows.map(({ served }) => served)
    }
    await stage.superuser.query('delete from app_public.notifications')
    for (let number = 0; number < 3; number += 1) await judge(await file('pending'), 'infected', 'Eicar')
    expect(await alerts()).toEqual([false])
    const before = new Date(Date.now() - 3_600_000)
    for (let number = 0; number < 2; number += 1)
      await judge(await file('clean', { created_at: before }), 'infected', 'Eicar')
    expect(await alerts()).toEqual([false, true, true])
  })

  test('that it is clean is no news for the history', async () => {
    const sha256 = await file('pending')
    await judge(sha256, 'clean')
    expect(await told('attachment_blocked', sha256)).toEqual([])
  })

  test('without a name for what was found is a verdict all the same', async () => {
    const sha256 = await file('pending')
    expect(await judge(sha256, 'infected', '  ')).toBe('infected')
    expect(await stored(sha256)).toMatchObject({ signature: 'unknown' })
  })

  test('over a file that keeps failing is that it cannot be scanned', async () => {
    const sha256 = await file('pending')
    const fail = () =>
      does(stage.acme.worker, 'select app_private.scan_failed($1, $2)', [sha256, 'It hung up'])
    const waits: number[] = []
    for (let attempt = 1; attempt < 8; attempt += 1) {
      expect(await fail()).toBe('pending')
      const [job, ...others] = await jobs('scan_file', sha256)
      expect(others).toEqual([])
      waits.push(Math.round(job!.wait))
    }
    expect(waits).toEqual([4, 8, 16, 32, 64, 128, 256])
    expect(await fail()).toBe('unscannable')
    expect(await stored(sha256)).toMatchObject({ signature: 'The scanner fails over it: It hung up' })
    expect(await fail()).toBeNull()
  })
})

describe('a decision', () => {
  type Call = [string, unknown[]]
  const release = (sha256: string, reason: string | null = 'It is ours'): Call => [
    'select state from app_public.release_file($1, $2)',
    [sha256, reason],
  ]
  const remove = (sha256: string, reason: string | null = 'Nobody needs it'): Call => [
    'select state from app_public.remove_file($1, $2)',
    [sha256, reason],
  ]

  test('needs a reason', async () => {
    const sha256 = await file('infected')
    for (const decision of [release, remove]) {
      for (const reason of ['', ' \n ', null]) {
        expect(await refuses(stage.acme.admin, ...decision(sha256, reason))).toBe('AD240')
      }
      expect(await refuses(stage.acme.admin, ...decision(sha256, 'x'.repeat(1_001)))).toBe('23514')
    }
  })

  test('releases what a verdict holds back, and nothing else', async () => {
    for (const state of ['pending', 'clean', 'unscanned', 'released', 'removed']) {
      expect(await refuses(stage.acme.admin, ...release(await file(state)))).toBe('AD241')
    }
    for (const state of ['infected', 'unscannable']) {
      const sha256 = await file(state)
      expect(await does(stage.acme.admin, ...release(sha256, ' It is ours '))).toBe('released')
      expect(await stored(sha256)).toMatchObject({
        signature: 'Eicar',
        reason: 'It is ours',
        decided_by_id: stage.acme.admin.userId,
        attached: ['released'],
      })
      expect(await told('attachment_released', sha256)).toMatchObject([
        { actor_id: stage.acme.admin.userId, after: { reason: 'It is ours', signature: 'Eicar' } },
      ])
      expect(await jobs('place_file', sha256)).toHaveLength(1)
    }
  })

  test('removes whatever is there, once', async () => {
    for (const state of ['pending', 'clean', 'unscanned', 'infected', 'unscannable', 'released']) {
      const sha256 = await file(state)
      expect(await does(stage.acme.admin, ...remove(sha256))).toBe('removed')
      expect(await told('attachment_removed', sha256)).toMatchObject([
        { after: { reason: 'Nobody needs it' } },
      ])
      expect(await jobs('place_file', sha256)).toHaveLength(1)
      expect(await refuses(stage.acme.admin, ...remove(sha256))).toBe('AD242')
    }
  })

  test('is in the audit log with its reason, and the scanner’s rounds are not', async () => {
    const sha256 = await file('infected')
    await does(stage.acme.admin, ...release(sha256))
    const records = () =>
      sees(
        stage.acme.admin,
        `select after ->> 'reason' from app_public.audit_log
        where table_name = 'app_public.stored_files' and operation = 'update' and actor_id = $1
        order by seq desc limit 1`,
        [stage.acme.admin.userId],
      )
    expect(await records()).toEqual(['It is ours'])
    const count = () => sees(stage.acme.admin, 'select count(*)::int from app_public.audit_log')
    const before = await count()
    await judge(sha256, 'infected', 'Eicar')
    expect(await count()).toEqual(before)
  })

  test('to scan again is about what is held back, which stays so', async () => {
    const again = 'select state from app_public.scan_file_again($1)'
    for (const state of ['pending', 'clean', 'released', 'removed']) {
      expect(await refuses(stage.acme.admin, again, [await file(state)])).toBe('AD241')
    }
    const sha256 = await file('unscannable', { scan_attempts: 8 })
    expect(await does(stage.acme.admin, again, [sha256])).toBe('pending')
    expect(await stored(sha256)).toMatchObject({ state: 'pending', signature: null, scan_attempts: 0 })
    expect(await jobs('scan_file', sha256)).toHaveLength(1)
  })

  test('shows admins what a file is called, who brought it and where it is, also when it was sent with nothing', async () => {
    const { acme } = stage
    const sha256 = await file('infected')
    await stage.superuser.query(
      `insert into app_public.attachments (organization_id, uploaded_by_id, name, sha256, size, content_type, state, created_at)
      select organization_id, $2, 'first.log', sha256, size, content_type, state, now() - interval '1 hour'
      from app_public.stored_files where sha256 = $1`,
      [sha256, acme.customer.userId],
    )
    const of = (what: string) =>
      sees(acme.admin, `select ${what} from app_public.stored_files as file where sha256 = $1`, [sha256])
    expect(await of('app_public.stored_files_names(file)')).toEqual([['first.log', 'switch.log']])
    expect(await of('(app_public.stored_files_uploaded_by(file)).id')).toEqual([acme.customer.userId])
    expect(await of('(app_public.stored_files_tickets(file)).id')).toEqual([acme.ticketId])
  })
})

describe('the scanner', () => {
  const report = (state: string, reason: string | null = null) =>
    stage.superuser.query('select app_private.record_scanner($1, $2, $3)', [
      state,
      state === 'answering' ? 'ClamAV 2' : null,
      reason,
    ])
  const health = async () => {
    const { rows } = await stage.superuser.query<Record<string, unknown>>(
      'select * from app_private.scanner_health()',
    )
    return rows[0]!
  }

  test('that went away is away since then, however often it is asked for', async () => {
    await report('answering')
    await report('away', 'It is off')
    const { since } = await health()
    await report('away', 'It is still off')
    expect(await health()).toMatchObject({ state: 'away', since, reason: 'It is still off', version: null })
    await report('answering')
    expect(await health()).toMatchObject({ state: 'answering', reason: null, version: 'ClamAV 2' })
    expect((await health()).since).not.toEqual(since)
  })

  test('that is back scans what waited, but not at once what it failed over', async () => {
    const waiting = await file('pending')
    const failed = await file('pending', { scan_at: new Date(Date.now() + 60_000) })
    await report('away')
    expect(await jobs('scan_file', waiting)).toEqual([])
    await report('answering')
    expect(await jobs('scan_file', waiting)).toHaveLength(1)
    expect(await jobs('scan_file', failed)).toEqual([])
  })

  test('loses no file though its job was lost, and is left alone while it is away', async () => {
    const lost = await file('pending', { scan_at: new Date(Date.now() - 180_000) })
    const young = await file('pending')
    const sweep = () => does(stage.acme.worker, 'select app_private.sweep_waiting_files()')
    await report('away')
    await sweep()
    expect(await jobs('scan_file', lost)).toEqual([])
    await stage.superuser.query(`update app_private.scanner_status set state = 'answering'`)
    await sweep()
    expect(await jobs('scan_file', lost)).toHaveLength(1)
    expect(await jobs('scan_file', young)).toEqual([])
  })

  test('has a decision carried out whose job was lost', async () => {
    const sha256 = await file('released', { decided_at: new Date(Date.now() - 120_000) })
    await does(stage.acme.worker, 'select app_private.sweep_waiting_files()')
    expect(await jobs('place_file', sha256)).toHaveLength(1)
  })

  test('that has learned looks at files again: those of the last weeks daily, older ones monthly', async () => {
    const hours = (count: number) => new Date(Date.now() - count * 3_600_000)
    const days = (count: number) => hours(count * 24)
    const old = { scanned_with: 'ClamAV 1' }
    const due = [
      await file('clean', { ...old, scanned_at: days(31), created_at: days(300) }),
      await file('clean', { ...old, scanned_at: hours(21), created_at: days(2) }),
      await file('released', { ...old, scanned_at: days(31), created_at: days(40) }),
      await file('unscanned', { created_at: days(400) }),
    ]
    const others = [
      await file('clean', { ...old, scanned_at: days(29), created_at: days(300) }),
      await file('clean', { ...old, scanned_at: hours(19), created_at: days(2) }),
      await file('clean', { scanned_with: 'ClamAV 2', scanned_at: days(31), created_at: days(300) }),
      await file('infected', { ...old, scanned_at: days(31), created_at: days(40) }),
      await file('removed', { ...old, scanned_at: days(31), created_at: days(40) }),
    ]
    const rescan = () => does<number>(stage.acme.worker, 'select app_private.rescan_files()')
    await report('away')
    expect(await rescan()).toBe(0)
    await report('answering')
    await rescan()
    for (const sha256 of due) {
      expect(await jobs('scan_file', sha256)).toHaveLength(1)
      expect(await sees(stage.acme.worker, 'select app_private.file_to_scan($1)', [sha256])).toMatchObject([
        { sha256 },
      ])
    }
    for (const sha256 of others) expect(await jobs('scan_file', sha256)).toEqual([])
  })
})
