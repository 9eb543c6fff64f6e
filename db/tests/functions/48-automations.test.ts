import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { sees, refuses, does } = stage

/** The arguments of an automation by name, as a call of `create_automation`. */
const making = (values: Record<string, unknown>) => {
  const given = {
    name: 'A rule',
    kind: 'event',
    event_types: '{ticket_created}',
    conditions: {},
    actions: [],
    ...values,
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  return [
    `select id from app_public.create_automation(${present
      .map(([name], position) => `${name} => $${position + 1}`)
      .join(', ')})`,
    present.map(([name, value]) => (/^(conditions|actions)$/.test(name) ? JSON.stringify(value) : value)),
  ] as const
}
const urgent = [{ type: 'set_priority', priority: 'urgent' }]
const waiting = { all: [{ field: 'status', operator: 'is', value: 'pending' }] }

describe('who may', () => {
  test('admins make, order and remove automations, and nobody else', async () => {
    const { acme } = stage
    const id = await does<string>(acme.admin, ...making({ name: 'Of the admin', actions: urgent }))
    for (const actor of [
      acme.customer,
      acme.agent,
      acme.manager,
      acme.worker,
      { role: 'atum_anonymous' as const },
    ]) {
      expect(await refuses(actor, ...making({ actions: urgent }))).toBe('42501')
      expect(await refuses(actor, 'select app_public.delete_automation($1)', [id])).toBe('42501')
      expect(await refuses(actor, 'select app_public.order_automations($1)', [[id]])).toBe('42501')
      expect(
        await refuses(actor, 'update app_public.automations set is_enabled = false where id = $1', [id]),
      ).toBe('42501')
    }
    expect(await refuses(acme.admin, 'select app_public.order_automations($1)', [[id]])).toBe('accepted')
    expect(await does(acme.admin, 'select app_public.delete_automation($1)', [id])).toBe(true)
  })

  test('managers read them and their log, agents and customers do not', async () => {
    const { acme } = stage
    for (const table of ['automations', 'automation_firings']) {
      for (const actor of [acme.manager, acme.admin]) {
        expect(await sees(actor, `select id from app_public.${table}`)).toHaveLength(1)
      }
      for (const actor of [acme.customer, acme.agent, acme.worker]) {
        expect(await refuses(actor, `select id from app_public.${table}`)).toBe('42501')
      }
    }
  })

  test('nobody writes the log', async () => {
    const { acme } = stage
    for (const actor of [acme.manager, acme.admin, acme.worker]) {
      expect(await refuses(actor, `update app_public.automation_firings set outcome = 'acted'`)).toBe('42501')
      expect(await refuses(actor, 'delete from app_public.automation_firings')).toBe('42501')
    }
  })

  test('one of another organization is not there', async () => {
    const { acme, globex } = stage
    const id = await does<string>(globex.admin, ...making({ name: 'Of the other', actions: urgent }))
    expect(await sees(acme.admin, 'select id from app_public.automations where id = $1', [id])).toEqual([])
    expect(await refuses(acme.admin, 'select app_public.delete_automation($1)', [id])).toBe('AD101')
    expect(await refuses(acme.admin, 'select app_public.order_automations($1)', [[id]])).toBe('AD101')
    expect(
      await stage.touches(acme.admin, 'update app_public.automations set is_enabled = false where id = $1', [
        id,
      ]),
    ).toBe(0)
    await does(globex.admin, 'select app_public.delete_automation($1)', [id])
  })

  test('only the worker runs them, for one organization at a time', async () => {
    const { acme } = stage
    for (const call of [
      'app_private.sweep_automations()',
      `app_private.run_automations('${acme.ticketId}')`,
    ]) {
      for (const actor of [acme.customer, acme.agent, acme.admin]) {
        expect(await refuses(actor, `select ${call}`)).toBe('42501')
      }
      expect(await refuses({ role: 'atum_worker' }, `select ${call}`)).toBe('AD301')
    }
  })

  test('managers and admins try one, agents and customers do not', async () => {
    const { acme } = stage
    const trying = `select app_public.dry_run_automation('event', '{}', '${JSON.stringify(urgent)}')`
    for (const actor of [acme.customer, acme.agent, acme.worker])
      expect(await refuses(actor, trying)).toBe('42501')
    for (const actor of [acme.manager, acme.admin]) expect(await refuses(actor, trying)).toBe('accepted')
  })
})

describe('what is refused', () => {
  test.each([
    ['one that does nothing', { actions: [] }, 'AD190'],
    ['an action there is not', { actions: [{ type: 'explode' }] }, 'AD117'],
    [
      'a condition there is not',
      { actions: urgent, conditions: { all: [{ field: 'mood', operator: 'is', value: 'x' }] } },
      'AD119',
    ],
    ['one by events without an event', { actions: urgent, event_types: '{}' }, '23514'],
    ['one that answers automations', { actions: urgent, event_types: '{automation_fired}' }, '23514'],
    ['one by time with an event', { actions: urgent, kind: 'time', conditions: waiting }, '23514'],
    ['one by time without a condition', { actions: urgent, kind: 'time', event_types: '{}' }, 'AD190'],
    ['assigning to me', { actions: [{ type: 'assign_to_me' }] }, 'AD190'],
    [
      'asking about me',
      { actions: urgent, conditions: { any: [{ field: 'assignee_id', operator: 'is', value: ['me'] }] } },
      'AD190',
    ],
    [
      'asking what I watch',
      { actions: urgent, conditions: { all: [{ field: 'watched', operator: 'is', value: true }] } },
      'AD190',
    ],
    ['an empty name', { actions: urgent, name: '  ' }, '23514'],
    ['a name of 81 characters', { actions: urgent, name: 'x'.repeat(81) }, '23514'],
  ])('%s', async (_, values, code) => {
    expect(await refuses(stage.acme.admin, ...making(values))).toBe(code)
  })

  test('what an action names and another organization has', async () => {
    const { acme, globex } = stage
    for (const actions of [
      [{ type: 'set_team', team_id: globex.teamId }],
      [{ type: 'set_service', service_id: globex.serviceId }],
      [{ type: 'set_assignee', assignee_id: globex.agent.userId }],
      [{ type: 'add_watcher', user_id: globex.agent.userId }],
    ]) {
      expect(await refuses(acme.admin, ...making({ actions }))).toBe('AD101')
    }
    expect(
      await refuses(acme.admin, ...making({ actions: [{ type: 'set_team', team_id: acme.teamId }] })),
    ).toBe('accepted')
  })

  test('a name that is taken, and the hundred and first', async () => {
    const { acme } = stage
    expect(await refuses(acme.admin, ...making({ name: 'Raise what waits', actions: urgent }))).toBe('23505')
    const full = `do $$ begin for i in 1..100 loop
      perform app_public.create_automation('Rule ' || i, 'event', '[{"type": "raise_priority"}]', event_types => '{ticket_created}');
    end loop; end $$`
    expect(await refuses(acme.admin, full)).toBe('AD191')
  })

  test('changing one into what could not be made', async () => {
    const { acme } = stage
    for (const [column, value] of [
      ['actions', '[]'],
      ['conditions', '{"all": [{"field": "watched", "operator": "is", "value": true}]}'],
      ['conditions', '{}'],
    ]) {
      expect(await refuses(acme.admin, `update app_public.automations set ${column} = $1`, [value])).toBe(
        'AD190',
      )
    }
    expect(await refuses(acme.admin, `update app_public.automations set kind = 'event'`)).toBe('42501')
  })
})

test('they take turns in the order they are put in', async () => {
  const { acme } = stage
  const ids: string[] = []
  for (const name of ['One', 'Two', 'Three'])
    ids.push(await does(acme.admin, ...making({ name, actions: urgent })))
  const names = () => sees(acme.admin, 'select name from app_public.automations order by position, id')
  expect(await names()).toEqual(['Raise what waits', 'One', 'Two', 'Three'])
  await does(acme.admin, 'select app_public.order_automations($1)', [[ids[2], ids[0]]])
  expect(await names()).toEqual(['Three', 'One', 'Raise what waits', 'Two'])
})

test('whoever changed one last is noted', async () => {
  const { acme } = stage
  const id = await does<string>(acme.admin, ...making({ name: 'Noted', actions: urgent }))
  const [changed] = await sees(
    acme.admin,
    'update app_public.automations set is_enabled = false where id = $1 returning changed_by_id',
    [id],
  )
  expect(changed).toBe(acme.admin.userId)
})
