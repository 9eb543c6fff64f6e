import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { does, sees, refuses } = stage

const save = 'select id from app_public.save_webhook($1, $2)'
const address = 'https://hooks.example.com/desk'

describe('who may', () => {
  test('nobody but an admin who logged in makes, changes or removes one', async () => {
    const { acme } = stage
    const [id] = await sees(acme.admin, 'select id from app_public.webhooks')
    for (const actor of [
      acme.customer,
      acme.agent,
      acme.manager,
      acme.worker,
      { role: 'atum_anonymous' as const },
    ]) {
      expect(await refuses(actor, save, ['Mine', address])).toBe('42501')
      expect(await refuses(actor, 'select app_public.delete_webhook($1)', [id])).toBe('42501')
      for (const table of ['webhooks', 'webhook_deliveries', 'webhook_attempts']) {
        expect(await refuses(actor, `select id from app_public.${table}`)).toBe('42501')
      }
    }
    const { sessionId: _, ...program } = acme.admin
    expect(await refuses(program, save, ['Mine', address])).toBe('AD004')
    expect(await refuses(program, 'select app_public.delete_webhook($1)', [id])).toBe('AD004')
    expect(await refuses(acme.admin, save, ['Mine', address])).toBe('accepted')
  })

  test('nobody writes them, or their log, past the functions', async () => {
    const { acme } = stage
    for (const statement of [
      `update app_public.webhooks set url = 'https://elsewhere.example'`,
      'delete from app_public.webhook_deliveries',
      `update app_public.webhook_attempts set status = 200`,
      'select from app_private.webhook_secrets',
    ]) {
      for (const actor of [acme.admin, acme.worker]) expect(await refuses(actor, statement)).toBe('42501')
    }
  })

  test('one of another organization is not there', async () => {
    const { acme, globex } = stage
    const [id] = await sees(globex.admin, 'select id from app_public.webhooks')
    const [deliveryId] = await sees(globex.admin, 'select id from app_public.webhook_deliveries')
    expect(await sees(acme.admin, 'select id from app_public.webhooks where id = $1', [id])).toEqual([])
    for (const call of [
      `app_public.save_webhook('Theirs', '${address}', webhook_id => $1)`,
      'app_public.delete_webhook($1)',
      'app_public.send_test_webhook($1)',
      'app_public.replay_webhook_since($1, now())',
    ]) {
      expect(await refuses(acme.admin, `select ${call}`, [id])).toBe('AD101')
    }
    for (const call of ['replay_webhook_delivery', 'cancel_webhook_delivery']) {
      expect(await refuses(acme.admin, `select app_public.${call}($1)`, [deliveryId])).toBe('AD101')
    }
    expect(
      await stage.ask(
        'set_webhook_secret',
        { webhook_id: id, secret: 'v1.stolen', keep_previous: '1 day' },
        { actor: acme.admin },
      ),
    ).toEqual({ outcome: 'not_found' })
    expect(await sees(globex.admin, 'select name from app_public.webhooks')).toEqual(['Fixture'])
  })

  test('only the server stores a secret, for an admin', async () => {
    const { acme } = stage
    const [id] = await sees(acme.admin, 'select id from app_public.webhooks')
    const call = `select app_private.set_webhook_secret('${String(id)}', 'v1.mine', interval '1 day')`
    for (const actor of [acme.agent, acme.admin, acme.worker])
      expect(await refuses(actor, call)).toBe('42501')
    for (const person of [acme.customer, acme.agent, acme.manager]) {
      await expect(
        stage.ask(
          'set_webhook_secret',
          { webhook_id: id, secret: 'v1.mine', keep_previous: '1 day' },
          { actor: person },
        ),
      ).rejects.toMatchObject({ code: '42501' })
    }
  })
})

describe('what is refused', () => {
  test.each([
    'ftp://hooks.example.com/',
    'hooks.example.com',
    'https://user:secret@hooks.example.com/',
    'https://hooks.example.com/#part',
    'https://hooks.example.com/a b',
    'https://hooks.example.com\\@127.0.0.1/',
    'https://hööks.example.com/',
    'https://%31%32%37.0.0.1/',
    'https:///nowhere',
    'javascript:alert(1)',
    `https://hooks.example.com/${'x'.repeat(2000)}`,
  ])('an address that is none: %s', async (url) => {
    // Also where it looks as if it led inside, it is no address for anybody.
    const allowed = 'select app_public.save_webhook($1, $2, allow_internal => true)'
    expect(await refuses(stage.acme.admin, allowed, ['Odd', url])).toBe('23514')
    expect(await refuses(stage.acme.admin, save, ['Odd', url])).toMatch(/^(23514|AD270)$/)
  })

  test.each([
    'http://127.0.0.1/',
    'http://10.1.2.3:8080/',
    'http://172.20.0.1/',
    'http://192.168.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://168.63.129.16/',
    'http://100.64.1.1/',
    'http://0.0.0.0/',
    'http://224.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]:8080/hook',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://localhost/',
    'http://LOCALHOST:3000/',
    'http://desk.localhost/',
    'http://printer.local/',
    'http://metadata.google.internal/',
  ])('an address inside the own network: %s', async (url) => {
    expect(await refuses(stage.acme.admin, save, ['Inside', url])).toBe('AD270')
    expect(
      await refuses(stage.acme.admin, 'select app_public.save_webhook($1, $2, allow_internal => true)', [
        'Inside',
        url,
      ]),
    ).toBe('accepted')
  })

  test.each([
    'https://hooks.example.com',
    'https://hooks.example.com?key=1&other=a@b',
    'http://93.184.216.34:8080/hook',
    'https://[2606:4700::1111]/hook',
    'https://10.example.com/',
    'https://localhost.example.com/',
  ])('and none of everybody: %s', async (url) => {
    expect(await refuses(stage.acme.admin, save, ['Outside', url])).toBe('accepted')
  })

  test('a change that would lead inside', async () => {
    const { acme } = stage
    const id = await does<string>(
      acme.admin,
      `select id from app_public.save_webhook('Allowed', 'http://10.0.0.1/', allow_internal => true)`,
    )
    expect(
      await refuses(
        acme.admin,
        `select app_public.save_webhook('Allowed', 'http://10.0.0.1/', webhook_id => $1)`,
        [id],
      ),
    ).toBe('AD270')
    await does(acme.admin, 'select app_public.delete_webhook($1)', [id])
  })

  test('a name that is taken, empty or long, and the fifty-first', async () => {
    const { acme } = stage
    expect(await refuses(acme.admin, save, ['Fixture', address])).toBe('23505')
    expect(await refuses(acme.admin, save, ['  ', address])).toBe('23514')
    expect(await refuses(acme.admin, save, ['x'.repeat(81), address])).toBe('23514')
    expect(
      await refuses(
        acme.admin,
        `select app_public.save_webhook('Number ' || number, '${address}') from generate_series(1, 50) as number`,
      ),
    ).toBe('AD271')
    expect(
      await refuses(
        acme.admin,
        `select app_public.save_webhook('Number ' || number, '${address}') from generate_series(1, 49) as number`,
      ),
    ).toBe('accepted')
  })

  test('a test or a replay without a secret, and a replay of one that is off', async () => {
    const { acme } = stage
    const id = await does<string>(acme.admin, save, ['No secret', address])
    expect(await refuses(acme.admin, 'select app_public.send_test_webhook($1)', [id])).toBe('AD272')
    expect(await refuses(acme.admin, 'select app_public.replay_webhook_since($1, now())', [id])).toBe('AD272')
    await does(acme.admin, 'select app_public.delete_webhook($1)', [id])

    const [fixture] = await sees(acme.admin, `select id from app_public.webhooks where name = 'Fixture'`)
    const [deliveryId] = await sees(acme.admin, 'select id from app_public.webhook_deliveries')
    await does(
      acme.admin,
      `select app_public.save_webhook('Fixture', '${address}', webhook_id => $1, is_enabled => false)`,
      [fixture],
    )
    expect(await refuses(acme.admin, 'select app_public.replay_webhook_since($1, now())', [fixture])).toBe(
      'AD272',
    )
    expect(await refuses(acme.admin, 'select app_public.replay_webhook_delivery($1)', [deliveryId])).toBe(
      'AD272',
    )
    // Trying it out before it is switched on is what tests are for.
    expect(await refuses(acme.admin, 'select app_public.send_test_webhook($1)', [fixture])).toBe('accepted')
    await does(acme.admin, `select app_public.save_webhook('Fixture', '${address}', webhook_id => $1)`, [
      fixture,
    ])
  })
})

describe('secrets', () => {
  const secrets = async (webhookId: string) => {
    const { rows } = await stage.superuser.query<{ sealed: string; ends: string | null }>(
      `select sealed, case when expires_at is null then null else round(extract(epoch from expires_at - now()) / 3600) end::text as ends
      from app_private.webhook_secrets where webhook_id = $1 order by created_at`,
      [webhookId],
    )
    return rows.map(({ sealed, ends }) => `${sealed} ${ends ?? 'for good'}`)
  }
  const rotate = (webhookId: string, secret: string, keep: string) =>
    stage.ask<{ outcome: string; previousUntil: string | null }>(
      'set_webhook_secret',
      { webhook_id: webhookId, secret, keep_previous: keep },
      { actor: stage.acme.admin },
    )

  test('the one before is good for as long as it was said, and never for more than a week', async () => {
    const id = await does<string>(stage.acme.admin, save, ['Rotated', address])
    const has =
      'select app_public.webhooks_has_secret(webhook) from app_public.webhooks as webhook where id = $1'
    expect(await sees(stage.acme.admin, has, [id])).toEqual([false])
    expect(await rotate(id, 'v1.first', '1 day')).toEqual({ outcome: 'ok', previousUntil: null })
    expect(await sees(stage.acme.admin, has, [id])).toEqual([true])
    expect((await rotate(id, 'v1.second', '24 hours')).previousUntil).not.toBeNull()
    expect(await secrets(id)).toEqual(['v1.first 24', 'v1.second for good'])
    await rotate(id, 'v1.third', '90 days')
    // What was to end in a day still does.
    expect(await secrets(id)).toEqual(['v1.first 24', 'v1.second 168', 'v1.third for good'])
    await rotate(id, 'v1.fourth', '24 hours')
    expect(await secrets(id)).toEqual(['v1.second 24', 'v1.third 24', 'v1.fourth for good'])
    // After a leak nothing of before is good.
    await rotate(id, 'v1.fifth', '0')
    expect(await secrets(id)).toEqual(['v1.fifth for good'])
    await does(stage.acme.admin, 'select app_public.delete_webhook($1)', [id])
    expect(await secrets(id)).toEqual([])
  })

  test('no secret is in the audit log, and each change of a webhook is', async () => {
    const { rows } = await stage.superuser.query<{ secrets: number; changes: number }>(
      `select
        count(*) filter (where link::text ~ 'v1[.](first|second|webhook)')::int as secrets,
        count(*) filter (where table_name = 'app_public.webhooks' and operation = 'update' and after ? 'is_enabled')::int as changes
      from app_public.audit_log as link`,
    )
    expect(rows).toEqual([{ secrets: 0, changes: 2 }])
  })
})
