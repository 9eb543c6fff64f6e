import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { called, type Field, fieldsOn, optionsNamed } from '../support/custom-fields.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { make, makeAll, change, archive, clear } = fieldsOn(stage)

beforeEach(clear)

const refusesToMake = (values: Record<string, unknown>, admin = stage.acme.admin) =>
  stage.refuses(
    admin,
    ...called('create_custom_field', { key: 'made', label: 'Made', type: 'text', ...values }),
  )
const refusesToChange = (id: string, values: Record<string, unknown>) =>
  stage.refuses(
    stage.acme.admin,
    ...called('change_custom_field', { field_id: id, label: 'Changed', ...values }),
  )
const keysInOrder = () =>
  stage.sees(stage.acme.agent, 'select key from app_public.custom_fields order by position')
const optionsOf = (id: string) =>
  stage.sees(
    stage.acme.agent,
    `select label || case when archived_at is null then '' else ' (archived)' end
    from app_public.custom_field_options where field_id = $1 order by archived_at is not null, position`,
    [id],
  )

test('nobody but admins says what the fields are', async () => {
  const { id } = await make({ key: 'site', type: 'text' })
  const { customer, agent, manager } = stage.acme
  for (const actor of [customer, agent, manager, { role: 'atum_anonymous' } as const]) {
    for (const [name, values] of Object.entries({
      create_custom_field: { key: 'other', type: 'text', label: 'Other' },
      change_custom_field: { field_id: id, label: 'Other' },
      archive_custom_field: { field_id: id },
      arrange_custom_fields: { field_ids: [id] },
    })) {
      expect(await stage.refuses(actor, ...called(name, values)), `${actor.role} ${name}`).toBe('42501')
    }
  }
})

test('nobody changes those of another organization, or some that are not there', async () => {
  const { id } = await make({ key: 'site', type: 'text' }, stage.globex.admin)
  for (const other of [id, randomUUID()]) {
    expect(await refusesToChange(other, {})).toBe('AD101')
    for (const [name, values] of Object.entries({
      archive_custom_field: { field_id: other },
      arrange_custom_fields: { field_ids: [other] },
    })) {
      expect(await stage.refuses(stage.acme.admin, ...called(name, values)), name).toBe('AD101')
    }
  }
  expect(await refusesToMake({ service_ids: [stage.globex.serviceId] })).toBe('23503')
  expect(await refusesToMake({ visible_when_field: 'site', visible_when_values: ['true'] })).toBe('23503')
})

describe('a field is not made', () => {
  test('without a proper key and label', async () => {
    for (const key of ['', 'Site', '1st', 'a b', 'a-b', 'x'.repeat(41), '_x']) {
      expect(await refusesToMake({ key }), key).toBe('23514')
    }
    for (const label of [' ', 'x'.repeat(81)]) expect(await refusesToMake({ label }), label).toBe('23514')
    expect(await refusesToMake({ key: null })).toBe('23502')
    expect(await refusesToMake({ help: 'x'.repeat(501) })).toBe('23514')
  })

  test('under a key that is taken, also by one that is archived', async () => {
    const { id } = await make({ key: 'made', type: 'text' })
    expect(await refusesToMake({})).toBe('23505')
    await archive(id)
    expect(await refusesToMake({})).toBe('23505')
    expect(await refusesToMake({}, stage.globex.admin)).toBe('accepted')
  })

  test('with limits that its type does not have or that leave nothing', async () => {
    for (const values of [
      { minimum: 1 },
      { type: 'date', maximum: 1 },
      { type: 'number', minimum: 2, maximum: 1 },
      { type: 'number', max_length: 5 },
      { max_length: 0 },
      { max_length: 5001 },
      { type: 'number', minimum: '1e15' },
    ]) {
      expect(await refusesToMake(values), JSON.stringify(values)).toBe('23514')
    }
    expect(await refusesToMake({ type: 'number', minimum: 1, maximum: 1 })).toBe('accepted')
  })

  test('for customers to fill in what they do not see, or to choose people', async () => {
    expect(await refusesToMake({ set_by_customers: true })).toBe('23514')
    expect(await refusesToMake({ type: 'user', set_by_customers: true, seen_by_customers: true })).toBe(
      '23514',
    )
    expect(await refusesToMake({ set_by_customers: true, seen_by_customers: true })).toBe('accepted')
  })

  test('with options that are none, or none where there must be some', async () => {
    for (const values of [
      { options: optionsNamed('one') },
      { type: 'select' },
      { type: 'multi_select', options: [] },
      { type: 'select', options: { key: 'one', label: 'One' } },
      { type: 'select', options: ['one'] },
      { type: 'select', options: [{ key: 'one' }] },
      { type: 'select', options: [{ key: 1, label: 'One' }] },
      { type: 'select', options: optionsNamed('one', 'one') },
      { type: 'select', options: optionsNamed(...Array.from({ length: 201 }, (_, index) => `o${index}`)) },
    ]) {
      expect(await refusesToMake(values), JSON.stringify(values)).toBe('AD145')
    }
    for (const options of [[{ key: 'A', label: 'A' }], [{ key: 'a', label: ' ' }]]) {
      expect(await refusesToMake({ type: 'select', options })).toBe('23514')
    }
  })

  test('when there are a hundred', async () => {
    await stage.superuser.query(
      `insert into app_public.custom_fields (organization_id, key, type, label)
      select $1, 'field_' || number, 'text', 'Field' from generate_series(1, 100) as number`,
      [stage.acme.organizationId],
    )
    expect(await refusesToMake({})).toBe('AD145')
    await archive(
      (
        await stage.sees(stage.acme.admin, `select id from app_public.custom_fields where key = 'field_7'`)
      )[0] as string,
    )
    expect(await refusesToMake({})).toBe('accepted')
  })
})

describe('a field', () => {
  test('comes after those there are, and is put elsewhere', async () => {
    await makeAll({ key: 'one', type: 'text' }, { key: 'two', type: 'text' }, { key: 'three', type: 'text' })
    const three = await make({ key: 'four', type: 'text' })
    expect(await keysInOrder()).toEqual(['one', 'two', 'three', 'four'])
    await stage.does(stage.acme.admin, ...called('arrange_custom_fields', { field_ids: [three.id] }))
    expect(await keysInOrder()).toEqual(['four', 'one', 'two', 'three'])
  })

  test('keeps its key, type and audience when everything else is said anew', async () => {
    const { id } = await make({
      key: 'size',
      type: 'number',
      minimum: 1,
      help: ' Metres ',
      seen_by_customers: true,
    })
    expect(await change(id, { label: ' Length ', maximum: 9, required_when: 'resolving' })).toMatchObject({
      key: 'size',
      type: 'number',
      seen_by_customers: true,
      label: 'Length',
      help: null,
      minimum: null,
      maximum: 9,
      required_when: 'resolving',
    })
  })

  test('renames its options and archives those it no longer names', async () => {
    const { id } = await make({ key: 'site', type: 'select', options: optionsNamed('north', 'south') })
    await change(id, {
      options: [
        { key: 'west', label: 'West' },
        { key: 'south', label: 'Southern' },
      ],
    })
    expect(await optionsOf(id)).toEqual(['West', 'Southern', 'NORTH (archived)'])
    await change(id, { options: optionsNamed('north') })
    expect((await optionsOf(id))[0]).toBe('NORTH')
  })

  test('is asked for by the services it names, without any by all', async () => {
    const { id } = await make({ key: 'site', type: 'text', service_ids: [stage.acme.serviceId] })
    const services = () =>
      stage.sees(
        stage.acme.agent,
        'select service_id from app_public.custom_field_services where field_id = $1',
        [id],
      )
    expect(await services()).toEqual([stage.acme.serviceId])
    await change(id, { service_ids: [stage.acme.archivedServiceId, stage.acme.archivedServiceId] })
    expect(await services()).toEqual([stage.acme.archivedServiceId])
    await change(id)
    expect(await services()).toEqual([])
  })

  test('is retired once, and taken up again', async () => {
    const { id } = await make({ key: 'site', type: 'text' })
    const { archived_at: archivedAt } = await archive(id)
    expect(archivedAt).not.toBeNull()
    expect((await archive(id)).archived_at).toBe(archivedAt)
    expect((await archive(id, false)).archived_at).toBeNull()
  })
})

describe('a condition', () => {
  const when = (field: string, ...values: string[]) => ({
    visible_when_field: field,
    visible_when_values: values,
  })

  beforeEach(() =>
    makeAll(
      { key: 'hidden', type: 'boolean' },
      { key: 'shown', type: 'boolean', seen_by_customers: true },
      { key: 'site', type: 'select', seen_by_customers: true, options: optionsNamed('north', 'south') },
      { key: 'name', type: 'text', seen_by_customers: true },
    ),
  )

  test('looks at a choice, for a value it can have', async () => {
    expect(await refusesToMake(when('site', 'south'))).toBe('accepted')
    expect(await refusesToMake(when('hidden', 'true', 'false'))).toBe('accepted')
    for (const values of [when('name', 'x'), when('site', 'east'), when('hidden', 'yes')]) {
      expect(await refusesToMake(values), JSON.stringify(values)).toBe('AD145')
    }
    for (const values of [when('site'), { visible_when_values: ['north'] }, when('made', 'true')]) {
      expect(await refusesToMake(values), JSON.stringify(values)).toBe('23514')
    }
  })

  test('of a field that customers see looks at one that they see', async () => {
    expect(await refusesToMake({ ...when('hidden', 'true'), seen_by_customers: true })).toBe('AD145')
    expect(await refusesToMake({ ...when('shown', 'true'), seen_by_customers: true })).toBe('accepted')
  })

  test('never goes in a circle, nor on for ever', async () => {
    const fields: Field[] = [await make({ key: 'f0', type: 'boolean' })]
    for (const depth of [1, 2, 3, 4, 5]) {
      fields.push(await make({ key: `f${depth}`, type: 'boolean', ...when(`f${depth - 1}`, 'true') }))
    }
    expect(await refusesToMake(when('f5', 'true'))).toBe('AD145')
    expect(await refusesToMake(when('f4', 'true'))).toBe('accepted')
    // Five follow the first already.
    expect(await refusesToChange(fields[0]!.id, when('shown', 'true'))).toBe('AD145')
    for (const last of ['f1', 'f2', 'f5']) {
      expect(await refusesToChange(fields[0]!.id, when(last, 'true')), last).toBe('AD145')
    }
    await change(fields[3]!.id)
    expect(await refusesToChange(fields[0]!.id, when('shown', 'true'))).toBe('accepted')
  })

  test('holds the field it looks at in use', async () => {
    const { id } = await make({ key: 'made', type: 'text', ...when('site', 'north') })
    const [site] = await stage.sees(
      stage.acme.admin,
      `select id from app_public.custom_fields where key = 'site'`,
    )
    const retire = called('archive_custom_field', { field_id: site })
    expect(await stage.refuses(stage.acme.admin, ...retire)).toBe('AD145')
    await archive(id)
    expect(await stage.refuses(stage.acme.admin, ...retire)).toBe('accepted')
    await archive(site as string)
    expect(
      await stage.refuses(
        stage.acme.admin,
        ...called('archive_custom_field', { field_id: id, archived: false }),
      ),
    ).toBe('AD145')
  })
})
