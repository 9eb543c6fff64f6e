import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { mailsOn } from '../support/mails.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const mails = mailsOn(stage)
const written = async () => (await mails.write(stage.acme.customer))!
const retry = 'select app_public.retry_mail($1)'
const cancel = 'select app_public.cancel_mail($1)'
const change = (id: string, assignment: string) =>
  stage.superuser.query(`update app_public.mail_messages set ${assignment} where id = $1`, [id])
const found = (state: string | null, recipient: string | null = null, actor = stage.acme.admin) =>
  stage.sees(actor, 'select id from app_public.outbox($1, $2)', [state, recipient])

describe('the outbox', () => {
  test('is for the admins of its organization', async () => {
    const { acme, globex } = stage
    const id = await written()
    for (const actor of [acme.customer, acme.agent, acme.manager, acme.worker]) {
      for (const sql of [retry, cancel]) expect(await stage.refuses(actor, sql, [id])).toBe('42501')
      expect(await stage.refuses(actor, 'select app_public.outbox()')).toBe('42501')
      expect(await stage.refuses(actor, 'select app_public.send_kept_mails()')).toBe('42501')
      expect(await stage.refuses(actor, `select app_public.send_test_mail('a@b.test')`)).toBe('42501')
    }
    for (const sql of [retry, cancel]) {
      expect(await stage.refuses(globex.admin, sql, [id])).toBe('AD101')
      expect(await stage.refuses(acme.admin, sql, [randomUUID()])).toBe('AD101')
    }
    expect(await found(null, null, globex.admin)).not.toContain(id)
  })

  test('is found by state, and by part of a name or an address, which is no pattern', async () => {
    const id = await written()
    expect((await found(null))[0]).toBe(id)
    expect(await found('waiting')).toContain(id)
    expect(await found('failed')).not.toContain(id)
    for (const words of ['customer@', 'CUSTOMER of', ' acme.test ', 'r@a'])
      expect(await found(null, words)).toContain(id)
    for (const words of ['%', '_', 'custom_r', '\\', 'nobody']) expect(await found(null, words)).toEqual([])
  })

  test('shows a mail without what lets somebody in', async () => {
    const id = await written()
    await mails.toSend(id)
    const [preview] = await stage.sees(
      stage.acme.admin,
      'select to_jsonb(app_public.mail_messages_preview(mail)) from app_public.mail_messages as mail where id = $1',
      [id],
    )
    expect(preview).toMatchObject({ text_body: expect.stringContaining('We are on it') as string })
    expect(JSON.stringify(preview)).not.toContain('{{')
  })
})

describe('another attempt', () => {
  test('is not made of what was sent, or is being sent', async () => {
    const id = await written()
    await mails.toSend(id)
    expect(await stage.refuses(stage.acme.admin, retry, [id])).toBe('AD250')
    await mails.wasSent(id)
    expect(await stage.refuses(stage.acme.admin, retry, [id])).toBe('AD250')
  })

  test.each(['failed', 'kept', 'cancelled', 'bounced', 'complained', 'waiting'])(
    'is made of one that is %s',
    async (state) => {
      const id = await written()
      await change(
        id,
        `state = '${state}', sent_at = ${/bounced|complained/.test(state) ? 'now()' : 'null'}, give_up_at = now(), send_at = now() + interval '1 hour'`,
      )
      await stage.does(stage.acme.admin, retry, [id])
      const mail = await mails.row(id)
      expect(mail.state).toBe('waiting')
      expect(mail.give_up_at.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000)
      expect(await mails.attempts(id)).toMatchObject([{ outcome: 'asked_again' }])
      expect(await mails.job(id)).toBeDefined()
      expect(await mails.toSend(id)).not.toBeNull()
    },
  )

  test('is made of all that were kept', async () => {
    const ids = [await written(), await written()]
    for (const id of ids) await change(id, `state = 'kept'`)
    const other = (await mails.write(stage.globex.customer))!
    await change(other, `state = 'kept'`)
    expect(await stage.does(stage.acme.admin, 'select app_public.send_kept_mails()')).toBe(2)
    for (const id of ids) expect(await mails.row(id)).toMatchObject({ state: 'waiting' })
    expect(await mails.row(other)).toMatchObject({ state: 'kept' })
  })
})

test('what waits is cancelled, and nothing else', async () => {
  const id = await written()
  await stage.does(stage.acme.admin, cancel, [id])
  expect(await mails.row(id)).toMatchObject({ state: 'cancelled' })
  expect(await mails.toSend(id)).toBeNull()
  expect(await stage.refuses(stage.acme.admin, cancel, [id])).toBe('AD251')
  const underWay = await written()
  await mails.toSend(underWay)
  expect(await stage.refuses(stage.acme.admin, cancel, [underWay])).toBe('AD251')
})

test('a test goes to an address, and says nothing but that', async () => {
  const send = `select (app_public.send_test_mail($1)).id`
  for (const address of ['', 'nobody', 'a@b\r\nBcc: c@d.test', '<a@b.test>', 'a@b.test, c@d.test']) {
    expect(await stage.refuses(stage.acme.admin, send, [address])).toBe('22023')
  }
  const id = await stage.does<string>(stage.acme.admin, send, ['Somebody@Elsewhere.test'])
  const mail = (await mails.toSend(id))!
  expect(mail.to.address).toBe('somebody@elsewhere.test')
  expect(mail.subject).toBe('A test from the help desk of The acme company')
  expect(mail.replyTo).toBeNull()
})
