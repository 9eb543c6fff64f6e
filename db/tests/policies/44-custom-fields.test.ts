import { beforeAll, describe, expect, test } from 'vitest'
import { fieldsOn, optionsNamed } from '../support/custom-fields.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { makeAll, clear } = fieldsOn(stage)
const tables = ['custom_fields', 'custom_field_options', 'custom_field_services']
const staff = () => [stage.acme.agent, stage.acme.manager, stage.acme.admin]

beforeAll(async () => {
  await clear()
  const serviceIds = [stage.acme.serviceId]
  await makeAll(
    {
      key: 'shown',
      type: 'select',
      seen_by_customers: true,
      options: optionsNamed('a'),
      service_ids: serviceIds,
    },
    { key: 'secret', type: 'select', options: optionsNamed('b'), service_ids: serviceIds },
  )
})

const keys = 'select key from app_public.custom_fields order by key'

describe('what fields there are', () => {
  test.each(tables)(
    'is not there in %s for who is not logged in, or of another organization',
    async (table) => {
      for (const role of [
        'atum_anonymous',
        'atum_server',
        'atum_worker',
        'atum_operator',
        'atum_reporting',
      ] as const) {
        expect(await stage.refuses({ ...stage.acme.admin, role }, `select id from app_public.${table}`)).toBe(
          '42501',
        )
      }
      for (const actor of [stage.globex.customer, stage.globex.agent, stage.globex.admin]) {
        expect(await stage.sees(actor, `select id from app_public.${table}`)).toEqual([])
      }
      for (const { role } of [stage.acme.customer, ...staff()]) {
        expect(await stage.sees({ role }, `select id from app_public.${table}`)).toEqual([])
      }
    },
  )

  test('is known to staff', async () => {
    for (const actor of staff()) {
      expect(await stage.sees(actor, keys)).toEqual(['secret', 'shown'])
      for (const table of tables.slice(1)) {
        expect(await stage.sees(actor, `select id from app_public.${table}`)).toHaveLength(2)
      }
    }
  })

  test('is known to customers as far as they see their values', async () => {
    const { customer } = stage.acme
    expect(await stage.sees(customer, keys)).toEqual(['shown'])
    expect(await stage.sees(customer, 'select key from app_public.custom_field_options')).toEqual(['a'])
    expect(
      await stage.sees(customer, 'select service_id from app_public.custom_field_services'),
    ).toHaveLength(1)
  })

  test.each(tables)('is changed in %s by nobody but the functions', async (table) => {
    for (const actor of [stage.acme.customer, ...staff()]) {
      for (const statement of [
        `insert into app_public.${table} (organization_id) values ('${stage.acme.organizationId}')`,
        `update app_public.${table} set id = id`,
        `delete from app_public.${table}`,
      ]) {
        expect(await stage.refuses(actor, statement), `${actor.role} ${statement}`).toBe('42501')
      }
    }
  })
})
