import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createFileLinks } from '../../file-links.ts'
import { openSession, startTestServer, type TestServer } from '../../testing.ts'
import { asPerson, attached, codeOf, get, upload } from './testing.ts'

let desk: TestServer

beforeAll(async () => {
  desk = await startTestServer()
})
afterAll(() => desk.close())

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const onTicket = (content: string | Uint8Array<ArrayBuffer> = '0123456789', options = {}) =>
  attached(desk, desk.acme.customer, desk.acme.ticketId, content, options)
const judge = (id: string, state: string) =>
  desk.superuser.query(
    `update app_public.stored_files as file
    set state = $2::app_public.file_state, signature = 'Eicar-Test', decided_at = now(), reason = 'Because'
    from app_public.attachments as attachment
    where attachment.id = $1 and attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256`,
    [id, state],
  )
const linkTo = async (id: string, use = 'download', person = desk.acme.customer) => {
  const response = await get(desk, person, `${id}/link?use=${use}`, {}, 'POST')
  expect(response.status).toBe(200)
  return (await response.json()) as { url: string; expiresAt: string; seconds: number }
}

describe('a file is not served', () => {
  test('to strangers, to another organization, to who does not see its ticket, or where there is none', async () => {
    const id = await onTicket()
    expect(await codeOf(get(desk, null, id))).toBe('401 UNAUTHENTICATED')
    for (const person of [desk.acme.neighbour, desk.globex.customer, desk.globex.admin]) {
      for (const path of [id, `${id}/preview`, `${id}/state`]) {
        expect(await codeOf(get(desk, person, path)), path).toBe('404 ATTACHMENT_NOT_FOUND')
      }
      expect(await codeOf(get(desk, person, `${id}/link`, {}, 'POST'))).toBe('404 ATTACHMENT_NOT_FOUND')
    }
    for (const path of [desk.acme.ticketId, 'x', '%2e%2e%2fsecrets', `${id}'--`]) {
      expect(await codeOf(get(desk, desk.acme.admin, path)), path).toBe('404 ATTACHMENT_NOT_FOUND')
    }
    expect((await get(desk, desk.acme.agent, id)).status).toBe(200)
  })

  test('to a customer where it is on a note, and to anybody but its uploader before it is on a comment', async () => {
    const { agent, customer, ticketId } = desk.acme
    const note = await attached(desk, agent, ticketId, 'for us', { visibility: 'internal' })
    expect(await codeOf(get(desk, customer, note))).toBe('404 ATTACHMENT_NOT_FOUND')
    expect((await get(desk, desk.acme.manager, note)).status).toBe(200)

    const { id } = (await (await upload(desk, agent, 'not sent')).json()) as { id: string }
    expect((await get(desk, agent, id)).status).toBe(200)
    expect(await codeOf(get(desk, desk.acme.admin, id))).toBe('404 ATTACHMENT_NOT_FOUND')
  })

  test.each([
    ['pending', '409 ATTACHMENT_PENDING'],
    ['infected', '422 ATTACHMENT_INFECTED'],
    ['unscannable', '409 ATTACHMENT_BLOCKED'],
    ['removed', '410 ATTACHMENT_REMOVED'],
  ])('while it is %s, by any way', async (state, code) => {
    const id = await onTicket(png)
    const links = [await linkTo(id), await linkTo(id, 'preview')]
    const mailed = await mailLink(id)
    await judge(id, state)
    const answers = [
      get(desk, desk.acme.admin, id),
      get(desk, desk.acme.admin, `${id}/preview`),
      get(desk, desk.acme.admin, `${id}/link`, {}, 'POST'),
      ...links.map(({ url }) => get(desk, null, url)),
      get(desk, null, mailed),
    ]
    for (const answer of answers) expect(await codeOf(answer)).toBe(code)
    await judge(id, 'released')
    expect((await get(desk, desk.acme.customer, id)).status).toBe(200)
    await judge(id, 'unscanned')
  })

  test('when its content is lost, which is told as our fault', async () => {
    const id = await onTicket('soon lost')
    rmSync(join(desk.environment.dataDirectory, 'uploads', desk.acme.id), { recursive: true })
    expect(await codeOf(get(desk, desk.acme.agent, id))).toBe('500 INTERNAL')
  })
})

describe('a download', () => {
  test('is to be kept under its name, and can do nothing in our name', async () => {
    const id = await onTicket('<script>alert(document.domain)</script>', { name: 'böse "x".html' })
    const response = await get(desk, desk.acme.agent, id)
    expect(await response.text()).toBe('<script>alert(document.domain)</script>')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': `attachment; filename="b?se \\"x\\".html"; filename*=UTF-8''b%C3%B6se%20%22x%22.html`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'cache-control': 'private, no-store',
      'accept-ranges': 'bytes',
      'content-length': '39',
    })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(response.headers.get('last-modified')).toBeNull()
  })

  test('is told of without being sent', async () => {
    const id = await onTicket()
    const response = await get(desk, desk.acme.agent, id, {}, 'HEAD')
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '10',
      '',
    ])
    expect((await get(desk, desk.globex.agent, id, {}, 'HEAD')).status).toBe(404)
  })

  test.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=9-9', 206, '9', 'bytes 9-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=5-2', 416, '', 'bytes */10'],
    ['bytes=-0', 416, '', 'bytes */10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['bytes=x', 200, '0123456789', null],
    ['lines=0-1', 200, '0123456789', null],
  ])('of %s is answered with %s', async (range, status, content, contentRange) => {
    const id = await onTicket()
    const response = await get(desk, desk.acme.agent, id, { range })
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
      status,
      content,
      contentRange,
    ])
  })

  test('goes on where it broke off, as long as it is the same file', async () => {
    const id = await onTicket()
    const etag = (await get(desk, desk.acme.agent, id)).headers.get('etag')!
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/)
    const range = { range: 'bytes=5-' }
    expect((await get(desk, desk.acme.agent, id, { ...range, 'if-range': etag })).status).toBe(206)
    expect((await get(desk, desk.acme.agent, id, { ...range, 'if-range': '"other"' })).status).toBe(200)
    // By hand, because fetch asks for a new one whatever is there.
    const [asked] = (await once(
      request(`${desk.origin}/api/v1/attachments/${id}`, {
        headers: { authorization: `Bearer ${desk.acme.agent.token}`, 'if-none-match': etag },
      }).end(),
      'response',
    )) as [IncomingMessage]
    expect(asked.resume().statusCode).toBe(304)
    expect((await get(desk, desk.acme.agent, id, { 'if-match': '"other"' })).status).toBe(412)
  })
})

describe('a preview', () => {
  test('is shown in a sandbox, in our own pages', async () => {
    const id = await onTicket(png, { name: 'a.png' })
    const response = await get(desk, desk.acme.customer, `${id}/preview`)
    expect(Buffer.from(await response.arrayBuffer()).equals(png)).toBe(true)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename=a.png',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; img-src 'self'; sandbox",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  test.each([
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/png'],
    ['<html>', 'image/png'],
    ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', 'application/pdf'],
    ['words', 'image/png'],
  ])('is there for no %s, whatever its sender calls it', async (content, type) => {
    const id = await onTicket(content, { name: 'a.png', type })
    expect(await codeOf(get(desk, desk.acme.agent, `${id}/preview`))).toBe('415 PREVIEW_REFUSED')
    expect(await codeOf(get(desk, desk.acme.agent, `${id}/link?use=preview`, {}, 'POST'))).toBe(
      '415 PREVIEW_REFUSED',
    )
    expect((await get(desk, desk.acme.agent, id)).headers.get('content-disposition')).toMatch(/^attachment/)
  })
})

describe('a link', () => {
  test('serves one file in one way, without a token', async () => {
    const id = await onTicket(png)
    const download = await linkTo(id)
    expect(download.seconds).toBe(300)
    expect(Date.parse(download.expiresAt) - Date.now()).toBeLessThanOrEqual(300_000)
    const preview = await linkTo(id, 'preview')
    expect((await get(desk, null, download.url)).headers.get('content-disposition')).toMatch(/^attachment/)
    expect((await get(desk, null, preview.url)).headers.get('content-disposition')).toMatch(/^inline/)
    expect((await get(desk, null, preview.url, {}, 'HEAD')).status).toBe(200)

    const another = await onTicket()
    const token = (url: string) => url.split('?token=')[1]
    for (const url of [
      `${id}?token=${token(preview.url)}`,
      `${id}/preview?token=${token(download.url)}`,
      `${another}?token=${token(download.url)}`,
      `${id}?token=`,
      `${id}?token=x`,
      `${id}?token=${desk.acme.customer.token}`,
      `${id}?token=x&token=${token(download.url)}`,
    ]) {
      expect(await codeOf(get(desk, null, url)), url).toBe('404 FILE_LINK_INVALID')
    }
    // What is not good is not made good by who asks.
    expect(await codeOf(get(desk, desk.acme.customer, `${id}?token=x`))).toBe('404 FILE_LINK_INVALID')
    expect(await codeOf(get(desk, { token: token(download.url)! }, id))).toBe('401 UNAUTHENTICATED')
    expect(await codeOf(get(desk, null, `${id}/state?token=${token(download.url)}`))).toBe(
      '401 UNAUTHENTICATED',
    )
  })

  test('is over after five minutes', async () => {
    const id = await onTicket()
    const { customer, id: organizationId } = desk.acme
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 301_000 })
    const { token } = createFileLinks(desk.environment.jwtSecrets).sign({
      attachmentId: id,
      use: 'download',
      claims: { userId: customer.id, organizationId, role: 'customer', sessionId: customer.sessionId },
    })
    vi.useRealTimers()
    expect(await codeOf(get(desk, null, `${id}?token=${token}`))).toBe('404 FILE_LINK_INVALID')
  })

  test('ends with the session that made it, and with no other', async () => {
    const id = await onTicket()
    const { customer, id: organizationId } = desk.acme
    const session = async () => {
      const sessionId = await openSession(desk.superuser, organizationId, customer.id)
      const claims = { userId: customer.id, organizationId, role: 'customer' as const, sessionId }
      return { ...customer, sessionId, token: desk.server.accessTokens.sign(claims) }
    }
    const [one, two] = [await session(), await session()]
    const [first, second] = [await linkTo(id, 'download', one), await linkTo(id, 'download', two)]
    await desk.superuser.query('update app_private.sessions set revoked_at = now() where id = $1', [
      one.sessionId,
    ])
    await expect.poll(() => codeOf(get(desk, null, first.url))).toBe('404 FILE_LINK_INVALID')
    expect((await get(desk, null, second.url)).status).toBe(200)
  })

  test('shows what its person may see when it is followed', async () => {
    const { agent, customer, neighbour } = desk.acme
    const ticketId = await asPerson(desk, customer, `select id from app_public.create_ticket('x', 'y')`, [])
    const id = await attached(desk, agent, ticketId, 'handed over')
    const { url } = await linkTo(id)
    await desk.superuser.query('update app_public.tickets set requester_id = $2 where id = $1', [
      ticketId,
      neighbour.id,
    ])
    expect(await codeOf(get(desk, null, url))).toBe('404 ATTACHMENT_NOT_FOUND')
  })

  test('is not made for programs, nor for another use', async () => {
    const id = await onTicket()
    expect(await codeOf(get(desk, desk.acme.agent, `${id}/link?use=delete`, {}, 'POST'))).toBe(
      '400 INVALID_INPUT',
    )
    expect(await codeOf(get(desk, null, `${id}/link`, {}, 'POST'))).toBe('401 UNAUTHENTICATED')
    const { agent, id: organizationId } = desk.acme
    await desk.superuser.query('begin')
    await desk.superuser.query(
      `select set_config('role', 'atum_agent', true), set_config('atum.organization_id', $1, true),
        set_config('atum.user_id', $2, true), set_config('atum.session_id', $3, true)`,
      [organizationId, agent.id, agent.sessionId],
    )
    const { rows } = await desk.superuser.query<{ secret: string }>(
      `select secret from app_public.create_api_token('Reader', '{read}', now() + interval '1 day')`,
    )
    await desk.superuser.query('commit')
    const program = { token: rows[0]!.secret }
    expect(await codeOf(get(desk, program, `${id}/link`, {}, 'POST'))).toBe('403 SESSION_REQUIRED')
    expect((await get(desk, program, id)).status).toBe(200)
  })
})

/** What a mail would have. */
async function mailLink(attachmentId: string, person = desk.acme.customer): Promise<string> {
  await desk.superuser.query('begin')
  await desk.superuser.query(
    `select set_config('role', 'atum_owner', true), set_config('atum.organization_id', $1, true)`,
    [desk.acme.id],
  )
  const { rows } = await desk.superuser.query<{ token: string }>(
    'select app_private.issue_file_token($1, $2) as token',
    [attachmentId, person.id],
  )
  await desk.superuser.query('commit')
  return `/files/${rows[0]!.token}`
}

describe('a link in a mail', () => {
  test('hands the file over, also in parts', async () => {
    const id = await onTicket(png, { name: 'plan.png' })
    const path = await mailLink(id)
    const response = await get(desk, null, path)
    expect(Buffer.from(await response.arrayBuffer()).equals(png)).toBe(true)
    expect(response.headers.get('content-disposition')).toBe('attachment; filename=plan.png')
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect((await get(desk, null, path, { range: 'bytes=0-3' })).status).toBe(206)
    expect((await get(desk, null, path, {}, 'HEAD')).headers.get('content-length')).toBe(String(png.length))
  })

  test('shows a person a page where it leads nowhere', async () => {
    const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
    const useless = await get(desk, null, '/files/x', html)
    expect(useless.url).toBe(`${desk.origin}/file-link?problem=FILE_LINK_INVALID`)
    const response = await get(desk, null, await mailLink(await onTicket()), html)
    expect([response.status, response.redirected]).toEqual([200, false])
  })

  test('is over when it is expired, was none, or its person may not see the ticket any more', async () => {
    const id = await onTicket()
    const path = await mailLink(id)
    await desk.superuser.query('update app_public.users set disabled_at = now() where id = $1', [
      desk.acme.customer.id,
    ])
    expect(await codeOf(get(desk, null, path))).toBe('404 FILE_LINK_INVALID')
    await desk.superuser.query('update app_public.users set disabled_at = null where id = $1', [
      desk.acme.customer.id,
    ])
    expect((await get(desk, null, path)).status).toBe(200)
    await desk.superuser.query('update app_private.file_tokens set expires_at = now()')
    expect(await codeOf(get(desk, null, path))).toBe('404 FILE_LINK_INVALID')
    for (const wrong of [`/files/${'0'.repeat(64)}`, '/files/x', '/files/..%2f..%2fsecrets']) {
      expect(await codeOf(get(desk, null, wrong)), wrong).toBe('404 FILE_LINK_INVALID')
    }
  })
})
