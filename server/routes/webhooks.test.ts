import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEncryption, placeOf } from '../encryption.ts'
import { ask, type Person, startTestServer, type TestServer } from '../testing.ts'
import { apiTokenOf, bearer } from './auth/testing/requests.ts'

let desk: TestServer
let webhookId: string

const save = `mutation ($input: SaveWebhookInput!) { saveWebhook(input: $input) { webhook { rowId name url hasSecret isEnabled eventTypes } } }`
const make = (person: { token: string } | null, input: object = {}) =>
  ask(desk, person, save, { input: { name: 'Mirror', url: 'https://hooks.example.com/desk', ...input } })

beforeAll(async () => {
  desk = await startTestServer()
  const { data } = await make(desk.acme.admin)
  webhookId = data.saveWebhook.webhook.rowId as string
})

afterAll(() => desk.close())

/** Asks for a new secret. */
async function rotate(person: { token: string } | null, body: unknown = {}, id = webhookId) {
  const response = await fetch(`${desk.origin}/api/v1/webhooks/${id}/secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(person ? bearer(person) : {}) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const answer = (await response.json()) as {
    secret?: string
    previousUntil?: string | null
    error?: { code: string }
  }
  return {
    status: response.status,
    code: answer.error?.code,
    cache: response.headers.get('cache-control'),
    ...answer,
  }
}

const sealed = async () => {
  const { rows } = await desk.superuser.query<{ sealed: string }>(
    'select sealed from app_private.webhook_secrets where webhook_id = $1 order by created_at desc, id desc',
    [webhookId],
  )
  return rows.map((row) => row.sealed)
}

describe('a secret', () => {
  test('is made for nobody but an admin who logged in, for a webhook of the own organization', async () => {
    const program = await apiTokenOf(desk, desk.acme, desk.acme.admin)
    const attempts: [{ token: string } | null, unknown, string, number, string][] = [
      [null, {}, webhookId, 401, 'UNAUTHENTICATED'],
      [desk.acme.customer, {}, webhookId, 403, 'FORBIDDEN'],
      [desk.acme.agent, {}, webhookId, 403, 'FORBIDDEN'],
      [desk.acme.manager, {}, webhookId, 403, 'FORBIDDEN'],
      [program, {}, webhookId, 403, 'SESSION_REQUIRED'],
      [desk.globex.admin, {}, webhookId, 404, 'NOT_FOUND'],
      [desk.acme.admin, {}, 'x', 400, 'INVALID_INPUT'],
      [desk.acme.admin, { keepPreviousSeconds: -1 }, webhookId, 400, 'INVALID_INPUT'],
      [desk.acme.admin, { keepPreviousSeconds: 604_801 }, webhookId, 400, 'INVALID_INPUT'],
      [desk.acme.admin, { keepPreviousSeconds: '1 day' }, webhookId, 400, 'INVALID_INPUT'],
      [desk.acme.admin, '{', webhookId, 400, 'INVALID_INPUT'],
    ]
    for (const [person, body, id, status, code] of attempts) {
      expect(await rotate(person, body, id)).toMatchObject({ status, code })
    }
    expect(await sealed()).toEqual([])
  })

  test('is shown once, kept sealed for its webhook, and stands beside the one before for a while', async () => {
    const first = await rotate(desk.acme.admin)
    expect(first).toMatchObject({ status: 201, previousUntil: null, cache: 'no-store' })
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const second = await rotate(desk.acme.admin, { keepPreviousSeconds: 3_600 })
    expect(second.secret).not.toBe(first.secret)
    expect(Date.parse(second.previousUntil!) - Date.now()).toBeGreaterThan(3_500_000)

    const { decrypt } = createEncryption(desk.environment.encryptionKeys)
    const place = placeOf.webhook(desk.acme.id, webhookId)
    const kept = await sealed()
    expect(kept.map((each) => decrypt(each, place))).toEqual([second.secret, first.secret])
    expect(() => decrypt(kept[0]!, placeOf.webhook(desk.globex.id, webhookId))).toThrow('another place')

    // After a leak the one before is worth nothing at once.
    const third = await rotate(desk.acme.admin, { keepPreviousSeconds: 0 })
    expect((await sealed()).map((each) => decrypt(each, place))).toEqual([third.secret])

    const everything = `{ webhooks { nodes { hasSecret previousSecretUntil deliveries { nodes { rowId } } } } auditLogs(first: 100) { nodes { before after } } }`
    const { text } = await ask(desk, desk.acme.admin, everything)
    expect(text).toContain('"hasSecret":true')
    for (const { secret } of [first, second, third]) expect(text).not.toContain(secret!.slice(6, 40))
  })
})

describe('over GraphQL', () => {
  const codes = async (person: Person | null, input: object) => (await make(person, input)).codes

  test('admins are told in codes what is wrong, and nobody else gets as far', async () => {
    const { acme } = desk
    for (const person of [acme.customer, acme.agent, acme.manager]) {
      expect(await codes(person, { name: 'Mine' })).toEqual(['FORBIDDEN'])
      expect((await ask(desk, person, '{ webhooks { nodes { name } } }')).codes).toContain('FORBIDDEN')
      expect((await ask(desk, person, '{ webhookDeliveries { nodes { payload } } }')).codes).toContain(
        'FORBIDDEN',
      )
    }
    expect(await codes(acme.admin, { name: 'Mirror' })).toEqual(['CONFLICT'])
    expect(await codes(acme.admin, { name: 'Odd', url: 'ftp://hooks.example.com' })).toEqual([
      'INVALID_INPUT',
    ])
    expect(await codes(acme.admin, { name: 'Inside', url: 'http://10.0.0.1/' })).toEqual([
      'WEBHOOK_ADDRESS_INTERNAL',
    ])
    const { data } = await make(acme.admin, { name: 'Without a secret' })
    const test = `mutation ($webhookId: UUID!) { sendTestWebhook(input: { webhookId: $webhookId }) { webhookDelivery { state } } }`
    expect((await ask(desk, acme.admin, test, { webhookId: data.saveWebhook.webhook.rowId })).codes).toEqual([
      'WEBHOOK_NOT_READY',
    ])
  })

  test('a webhook, its calls and each attempt are read by their admin alone', async () => {
    const { acme, globex } = desk
    const { data, codes: faults } = await ask(
      desk,
      acme.admin,
      `mutation ($webhookId: UUID!) {
        sendTestWebhook(input: { webhookId: $webhookId }) { webhookDelivery { rowId state payload eventType attempts } }
      }`,
      { webhookId },
    )
    expect(faults).toEqual([])
    const delivery = data.sendTestWebhook.webhookDelivery
    expect(delivery).toMatchObject({
      state: 'waiting',
      eventType: null,
      attempts: 0,
      payload: { type: 'ping' },
    })
    const read = `query ($filter: WebhookDeliveryFilter!) {
      webhookDeliveries(filter: $filter, orderBy: [CREATED_AT_DESC]) {
        nodes { state webhook { name waiting failedToday lastDeliveredAt } ticket { number } event { type } attemptLog { nodes { status fault } } }
      }
    }`
    const filter = { webhookId: { equalTo: webhookId }, state: { equalTo: 'waiting' } }
    expect((await ask(desk, acme.admin, read, { filter })).data.webhookDeliveries.nodes).toEqual([
      {
        state: 'waiting',
        webhook: { name: 'Mirror', waiting: 1, failedToday: 0, lastDeliveredAt: null },
        ticket: null,
        event: null,
        attemptLog: { nodes: [] },
      },
    ])
    expect((await ask(desk, globex.admin, read, { filter })).data.webhookDeliveries.nodes).toEqual([])
    const cancel = `mutation ($deliveryId: UUID!) { cancelWebhookDelivery(input: { deliveryId: $deliveryId }) { webhookDelivery { state } } }`
    expect((await ask(desk, globex.admin, cancel, { deliveryId: delivery.rowId })).codes).toEqual([
      'NOT_FOUND',
    ])
    expect(
      (await ask(desk, acme.admin, cancel, { deliveryId: delivery.rowId })).data.cancelWebhookDelivery,
    ).toEqual({
      webhookDelivery: { state: 'cancelled' },
    })
  })
})
