import { describe, expect, test } from 'vitest'
import { setStage } from '../support/stage.ts'

const stage = setStage()

/** The subjects of Acme's tickets that a condition picks, for its agent. */
async function picks(conditions: unknown): Promise<unknown[]> {
  const compiled = await compile(conditions)
  return stage.sees(
    stage.acme.agent,
    `select subject from app_public.tickets as ticket where ${compiled} order by subject`,
  )
}

async function compile(conditions: unknown): Promise<string> {
  const [compiled] = await stage.sees(stage.acme.agent, 'select app_hidden.ticket_condition_sql($1)', [
    JSON.stringify(conditions),
  ])
  return compiled as string
}

const both = ['No network', 'No printer']

// The fixture's ticket "No network" was answered and is open; "No printer" is new.
describe('conditions pick', () => {
  const cases: Record<string, [conditions: unknown, subjects: string[]]> = {
    'everything when there are none': [{}, both],
    'by one word': [{ all: [{ field: 'status', operator: 'is', value: 'new' }] }, ['No printer']],
    'by a list of words': [{ all: [{ field: 'status', operator: 'is', value: ['new', 'open'] }] }, both],
    'by none of the words': [
      { all: [{ field: 'status', operator: 'is_not', value: ['new'] }] },
      ['No network'],
    ],
    'by the order of priorities': [
      { all: [{ field: 'priority', operator: 'at_least', value: 'normal' }] },
      both,
    ],
    'nothing above': [{ all: [{ field: 'priority', operator: 'at_least', value: 'high' }] }, []],
    'by an empty column': [{ all: [{ field: 'assignee_id', operator: 'is_empty' }] }, both],
    'what is not mine when it is nobody’s': [
      { all: [{ field: 'assignee_id', operator: 'is_not', value: 'me' }] },
      both,
    ],
    'by what a subject says, whatever its case': [
      { all: [{ field: 'subject', operator: 'contains', value: 'PRINT' }] },
      ['No printer'],
    ],
    'by what a subject does not say': [
      { all: [{ field: 'subject', operator: 'contains_not', value: 'print' }] },
      ['No network'],
    ],
    'by age': [{ all: [{ field: 'created_at', operator: 'newer_than', value: 3600 }] }, both],
    'by an instant': [
      { all: [{ field: 'created_at', operator: 'before', value: '2020-01-01T00:00:00Z' }] },
      [],
    ],
    'by what is watched': [{ all: [{ field: 'watched', operator: 'is', value: true }] }, ['No network']],
    'by what is not watched': [{ all: [{ field: 'watched', operator: 'is', value: false }] }, ['No printer']],
    'by tags that are not there': [
      { all: [{ field: 'tags', operator: 'includes_none', value: ['vpn'] }] },
      both,
    ],
    'all of several': [
      {
        all: [
          { field: 'status', operator: 'is', value: 'new' },
          { field: 'subject', operator: 'contains', value: 'network' },
        ],
      },
      [],
    ],
    'any of several': [
      {
        any: [
          { field: 'status', operator: 'is', value: 'new' },
          { field: 'subject', operator: 'contains', value: 'network' },
        ],
      },
      both,
    ],
    'all of some and any of others': [
      {
        all: [{ field: 'channel', operator: 'is', value: 'portal' }],
        any: [
          { field: 'status', operator: 'is', value: 'new' },
          { field: 'breached', operator: 'is', value: true },
        ],
      },
      ['No printer'],
    ],
  }
  for (const [name, [conditions, subjects]] of Object.entries(cases)) {
    test(name, async () => {
      expect(await picks(conditions)).toEqual(subjects)
    })
  }

  const fieldCases: Record<string, [condition: object, found: boolean]> = {
    'a text': [{ field: 'custom_fields.site', operator: 'is', value: 'Hamburg' }, true],
    'one of several texts': [
      { field: 'custom_fields.site', operator: 'is', value: ['Kiel', 'Hamburg'] },
      true,
    ],
    'another text': [{ field: 'custom_fields.site', operator: 'is', value: 'Kiel' }, false],
    'one of a list': [{ field: 'custom_fields.affected', operator: 'is', value: 'mail' }, true],
    'not one of a list': [{ field: 'custom_fields.affected', operator: 'is_not', value: 'mail' }, false],
    'a part of a text': [{ field: 'custom_fields.site', operator: 'contains', value: 'HAM' }, true],
    'a number at least': [{ field: 'custom_fields.seats', operator: 'at_least', value: 9 }, true],
    'a number at most': [{ field: 'custom_fields.seats', operator: 'at_most', value: 9 }, false],
    'a date at most': [{ field: 'custom_fields.since', operator: 'at_most', value: '2026-12-31' }, true],
    'a value that is no number': [{ field: 'custom_fields.site', operator: 'at_least', value: 9 }, false],
    nothing: [{ field: 'custom_fields.absent', operator: 'is_empty' }, true],
    something: [{ field: 'custom_fields.cost_centre', operator: 'is_not_empty' }, true],
  }
  for (const [name, [condition, found]] of Object.entries(fieldCases)) {
    test(`by a custom field that holds ${name}`, async () => {
      const compiled = await compile({ all: [condition] })
      const [answer] = await stage.sees(
        stage.acme.agent,
        `select ${compiled} from (select
          '{"site": "Hamburg", "seats": 10, "affected": ["mail", "vpn"], "since": "2026-03-01"}'::jsonb as custom_fields,
          '{"cost_centre": "4711"}'::jsonb as internal_fields) as ticket`,
      )
      expect(answer).toBe(found)
    })
  }
})

describe('conditions are refused', () => {
  const refused: Record<string, unknown> = {
    'that are no object': [],
    'under another word': { none: [] },
    'that are no list': { all: {} },
    'more than 20': { all: Array(21).fill({ field: 'status', operator: 'is', value: 'new' }) },
    'on an unknown field': { all: [{ field: 'client_mutation_key', operator: 'is', value: 'x' }] },
    'with an operator of another field': { all: [{ field: 'status', operator: 'contains', value: 'new' }] },
    'with a word that is none': { all: [{ field: 'status', operator: 'is', value: 'lost' }] },
    'without a value': { all: [{ field: 'status', operator: 'is' }] },
    'with an id that is none': { all: [{ field: 'team_id', operator: 'is', value: "') or true --" }] },
    'where “me” is no person': { all: [{ field: 'team_id', operator: 'is', value: 'me' }] },
    'with an instant that is none': { all: [{ field: 'created_at', operator: 'before', value: 'soon' }] },
    'with seconds that are none': {
      all: [{ field: 'created_at', operator: 'older_than', value: '1; drop' }],
    },
    'with more to say': { all: [{ field: 'status', operator: 'is', value: 'new', or: true }] },
    'on a custom field without a key': { all: [{ field: 'custom_fields', operator: 'is', value: 'x' }] },
    'on a custom field with a bad key': {
      all: [{ field: "custom_fields.a' or '", operator: 'is', value: 'x' }],
    },
    'on a part of a column': { all: [{ field: 'status.x', operator: 'is', value: 'new' }] },
  }
  for (const [name, conditions] of Object.entries(refused)) {
    test(name, async () => {
      expect(
        await stage.refuses(stage.acme.agent, 'select app_hidden.check_ticket_conditions($1)', [
          JSON.stringify(conditions),
        ]),
      ).toBe('AD119')
    })
  }

  test('from customers, who have no use for them', async () => {
    expect(await stage.refuses(stage.acme.customer, `select app_hidden.ticket_condition_sql('{}')`)).toBe(
      '42501',
    )
  })
})

test('a value is a value, whatever it looks like', async () => {
  for (const value of ["'", "\\'", '$$', "') or true or ('", 'a%s%L', '{{x}}', '"'])
    expect(
      await picks({ all: [{ field: 'subject', operator: 'contains', value }] }),
      `subject contains ${value}`,
    ).toEqual([])
})
