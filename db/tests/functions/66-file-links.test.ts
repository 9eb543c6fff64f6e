import { beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../support/fixture.ts'
import { asRole, become, rolledBack } from '../support/session.ts'
import { setStage } from '../support/stage.ts'
import { uploadsOn } from '../support/uploads.ts'

const stage = setStage()
const { refuses, does } = stage
const { upload } = uploadsOn(stage)

const say = `select (app_public.add_comment($1, 'Look', $2, attachment_ids => $3)).id`

/** As the worker's functions do, which run as the owner for an organization. */
const issue = async (attachmentId: string, recipient: Person): Promise<string | null> => {
  const { organizationId } = recipient
  await stage.superuser.query('begin')
  await become(stage.superuser, { role: 'atum_owner', organizationId: organizationId! })
  const { rows } = await stage.superuser.query<{ token: string | null }>(
    'select app_private.issue_file_token($1, $2) as token',
    [attachmentId, recipient.userId],
  )
  await stage.superuser.query('commit')
  return rows[0]!.token
}
const read = (token: string, address = '192.0.2.7') =>
  rolledBack(stage.server, async () => {
    const { rows } = await stage.server.query<{ name: string }>(
      'select name from app_private.file_of_token($1, $2)',
      [token, address],
    )
    return rows.map(({ name }) => name)
  })

let ticketId: string
let fileId: string
beforeEach(async () => {
  ticketId = await does<string>(
    stage.acme.customer,
    `select id from app_public.create_ticket('The gate', 'Shut')`,
  )
  fileId = (await upload(stage.acme.agent, { name: 'plan.pdf' })).id
})

describe('a link is not made', () => {
  test('for a file that is on no comment, or on a note and for a customer', async () => {
    expect(await issue(fileId, stage.acme.customer)).toBeNull()
    expect(await issue(fileId, stage.acme.agent)).toBeNull()
    await does(stage.acme.agent, say, [ticketId, 'internal', [fileId]])
    expect(await issue(fileId, stage.acme.customer)).toBeNull()
    expect(await issue(fileId, stage.acme.agent)).toMatch(/^[0-9a-f]{64}$/)
  })

  test('for somebody who does not see the ticket', async () => {
    await does(stage.acme.agent, say, [ticketId, 'public', [fileId]])
    expect(await issue(fileId, stage.acme.neighbour)).toBeNull()
    expect(await issue(fileId, stage.globex.admin)).toBeNull()
    expect(await issue(fileId, stage.acme.customer)).not.toBeNull()
  })

  test('by anybody who logs in, nor read but by the server', async () => {
    for (const actor of [stage.acme.admin, stage.acme.worker]) {
      expect(
        await refuses(actor, 'select app_private.issue_file_token($1, $2)', [
          fileId,
          stage.acme.agent.userId,
        ]),
      ).toBe('42501')
      expect(await refuses(actor, `select app_private.file_of_token('x', null)`)).toBe('42501')
      expect(await refuses(actor, 'select 1 from app_private.file_tokens')).toBe('42501')
    }
  })
})

describe('a link leads to its file', () => {
  let token: string
  beforeEach(async () => {
    await does(stage.acme.agent, say, [ticketId, 'public', [fileId]])
    token = (await issue(fileId, stage.acme.customer))!
  })
  const changed = async (sql: string, ...values: unknown[]) => {
    await stage.superuser.query(sql, values)
    return read(token)
  }

  test('more than once, and no other token does', async () => {
    expect(await read(token)).toEqual(['plan.pdf'])
    expect(await read(token)).toEqual(['plan.pdf'])
    expect(await read(token.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toEqual([])
    expect(await read('')).toEqual([])
  })

  test('until it expires', async () => {
    expect(
      await changed(`update app_private.file_tokens set expires_at = now() - interval '1 second'`),
    ).toEqual([])
    // The next one sweeps.
    await issue(fileId, stage.acme.customer)
    const { rows } = await stage.superuser.query(
      'select from app_private.file_tokens where organization_id = $1 and expires_at < now()',
      [stage.acme.organizationId],
    )
    expect(rows).toEqual([])
  })

  test('as long as its recipient may see the ticket', async () => {
    expect(
      await changed(
        'update app_public.tickets set requester_id = $2 where id = $1',
        ticketId,
        stage.acme.neighbour.userId,
      ),
    ).toEqual([])
    expect(
      await changed(
        'update app_public.tickets set requester_id = $2 where id = $1',
        ticketId,
        stage.acme.customer.userId,
      ),
    ).toEqual(['plan.pdf'])
    const { userId } = stage.acme.customer
    expect(await changed('update app_public.users set disabled_at = now() where id = $1', userId)).toEqual([])
    expect(await changed('update app_public.users set disabled_at = null where id = $1', userId)).toEqual([
      'plan.pdf',
    ])
  })

  test('as long as the organization is open, and from where it lets people in', async () => {
    const { organizationId } = stage.acme
    const suspend = 'update app_public.organizations set suspended_at = $2 where id = $1'
    expect(await changed(suspend, organizationId, new Date())).toEqual([])
    expect(await changed(suspend, organizationId, null)).toEqual(['plan.pdf'])
    await stage.superuser.query(
      `insert into app_public.ip_rules (organization_id, network, role) values ($1, '198.51.100.0/24', 'customer')`,
      [organizationId],
    )
    expect(await read(token)).toEqual([])
    expect(await read(token, '198.51.100.7')).toEqual(['plan.pdf'])
    await stage.superuser.query(`delete from app_public.ip_rules where network = '198.51.100.0/24'`)
  })

  test('also when the ticket was merged', async () => {
    const target = await does<string>(
      stage.acme.customer,
      `select id from app_public.create_ticket('Same', 'Shut')`,
    )
    await does(stage.acme.agent, 'select (app_public.merge_ticket($1, $2)).id', [ticketId, target])
    expect(await read(token)).toEqual(['plan.pdf'])
  })

  test('and keeps no token', async () => {
    const { rows } = await stage.superuser.query<{ found: boolean }>(
      `select exists (
        select from app_public.audit_log as link
        where link.table_name = 'app_private.file_tokens' and link.after ->> 'token_hash' <> '***'
      ) as found`,
    )
    expect(rows[0]!.found).toBe(false)
    expect(
      await asRole(stage.superuser, { role: 'atum_owner' }, async () => {
        const { rows: kept } = await stage.superuser.query<{ kept: string }>(
          `select encode(token_hash, 'hex') as kept from app_private.file_tokens`,
        )
        return kept.some(({ kept: text }) => text === token)
      }),
    ).toBe(false)
  })
})
