import { beforeAll, expect, test } from 'vitest'
import { fieldsOn, optionsNamed } from '../support/custom-fields.ts'
import { refusal } from '../support/refusals.ts'
import { asRole } from '../support/session.ts'
import { setStage } from '../support/stage.ts'

const stage = setStage()
const { makeAll, clear } = fieldsOn(stage)

/** The same numbers from 0 to 1 each time, so that what fails once fails again. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
}

beforeAll(async () => {
  await clear()
  await makeAll(
    { key: 'text', type: 'text', max_length: 4, seen_by_customers: true },
    { key: 'url', type: 'url' },
    { key: 'amount', type: 'number', minimum: 0, maximum: 9 },
    { key: 'flag', type: 'boolean', seen_by_customers: true },
    { key: 'day', type: 'date', visible_when_field: 'flag', visible_when_values: ['true'] },
    { key: 'one', type: 'select', options: optionsNamed('a', 'b') },
    {
      key: 'many',
      type: 'multi_select',
      options: optionsNamed('a', 'b', 'c'),
      visible_when_field: 'one',
      visible_when_values: ['a'],
    },
    { key: 'deep', type: 'text', visible_when_field: 'many', visible_when_values: ['b', 'c'] },
    { key: 'who', type: 'user' },
    { key: 'port', type: 'number', service_ids: [stage.acme.serviceId], seen_by_customers: true },
  )
})

/** What each field may hold, said once more and in another language. */
const valid: Record<string, (value: unknown, values: Record<string, unknown>) => boolean> = {
  text: (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= 4 && value.trim() === value,
  url: (value) => typeof value === 'string' && /^https?:$/.test(new URL(value).protocol),
  amount: (value) => typeof value === 'number' && value >= 0 && value <= 9,
  flag: (value) => typeof value === 'boolean',
  day: (value, { flag }) =>
    flag === true && new Date(`${String(value)}T00:00:00Z`).toISOString().startsWith(String(value)),
  one: (value) => value === 'a' || value === 'b',
  many: (value, { one }) =>
    one === 'a' &&
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (key, index) => ['a', 'b', 'c'].includes(String(key)) && (index === 0 || value[index - 1] < key),
    ),
  deep: (value, { many }) =>
    typeof value === 'string' && Array.isArray(many) && (many.includes('b') || many.includes('c')),
  who: (value) => value === stage.acme.agent.userId,
  port: (value) => typeof value === 'number',
}

test(
  'what is stored is what the fields allow, whatever is sent in whatever order',
  { timeout: 60_000 },
  async () => {
    const random = numbersFrom(20260731)
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
    const given = () =>
    pick<unknown>([
      'a', 'b', 'c', ' d ', '', 'toolong', 'https://x.example', 'javascript:x', 0, 7, -1, 9.5, 1e20, '3.10', true, false,
      'true', '2026-02-28', '2026-02-30', ['a'], ['b', 'a', 'b'], ['c'], ['x'], [], [null], {}, { a: 1 }, null,
      stage.acme.agent.userId, stage.globex.agent.userId,
    ]) // prettier-ignore
    const keys = [...Object.keys(valid), 'unknown']
    const inCustomFields = ['text', 'flag', 'port']

    await asRole(stage.server, stage.acme.agent, async () => {
      const saved = async () => {
        const { rows } = await stage.server.query<{
          shared: Record<string, unknown>
          internal: Record<string, unknown>
        }>(
          'select custom_fields as shared, internal_fields as internal from app_public.tickets where id = $1',
          [stage.acme.ticketId],
        )
        return rows[0]!
      }
      let taken = 0
      const seen = new Set<string>()
      for (let round = 0; round < 1500; round++) {
        const patch = Object.fromEntries(
          Array.from({ length: pick([1, 1, 2, 3]) }, () => [pick(keys), given()]),
        )
        const call = `update app_public.tickets set ${pick(['custom_fields', 'internal_fields'])} = $2 where id = $1`
        const before = await saved()
        const values = [stage.acme.ticketId, JSON.stringify(patch)]
        const code = await refusal(stage.server, call, values)
        expect(['accepted', 'AD140', 'AD141', 'AD144'], JSON.stringify(patch)).toContain(code)
        if (code !== 'accepted') continue
        taken++
        await stage.server.query(call, values)
        const { shared, internal } = await saved()
        const all = { ...shared, ...internal }
        for (const [key, value] of Object.entries(all)) {
          seen.add(key)
          expect(valid[key]?.(value, all), `${key} of ${JSON.stringify({ before, patch, all })}`).toBe(true)
        }
        expect(Object.keys(shared).every((key) => inCustomFields.includes(key))).toBe(true)
        expect(Object.keys(internal).some((key) => inCustomFields.includes(key))).toBe(false)
      }
      expect(taken).toBeGreaterThan(100)
      expect([...seen].sort()).toEqual(Object.keys(valid).sort())
    })
  },
)
