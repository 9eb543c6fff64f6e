import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, startTestServer, type Answer, type Person, type TestServer } from '../testing.ts'
import { operationsOf, type Filling, type Identifiers, type Operation, type Slot } from './operations.ts'
import { callersOf, digestOf, furnish, identifiersOf, identifiersOfNothing, tracesOf } from './tenants.ts'

// Every query and mutation is asked, as everybody, with identifiers of another organization in each place that takes one.
// Nothing of that organization may be in an answer or an error, nothing of it may change, and an identifier of it must
// be answered like one that nothing has.

const operations = operationsOf(fileURLToPath(new URL('../schema.graphql', import.meta.url)))

let desk: TestServer
let own: Identifiers
let foreign: Identifiers
let nothing: Identifiers
let traces: string[]

beforeAll(async () => {
  desk = await startTestServer()
  await furnish(desk.superuser, desk.acme)
  await furnish(desk.superuser, desk.globex)
  own = await identifiersOf(desk.superuser, desk.acme)
  foreign = await identifiersOf(desk.superuser, desk.globex)
  nothing = identifiersOfNothing(foreign)
  traces = await tracesOf(desk.superuser, desk.globex)
})

afterAll(() => desk.close())

/** The pairs of values to put into a place: a foreign one, and one that nothing has. The kind it is named after comes first. */
function valuesFor(slot: Slot): [foreign: string, nothing: string][] {
  if (slot.takes === 'Cursor') return [[foreign.cursor, nothing.cursor]]
  const [theirs, none] = slot.takes === 'UUID' ? [foreign.rows, nothing.rows] : [foreign.nodes, nothing.nodes]
  const kinds = Object.keys(theirs).sort(
    (one, other) => Number(other === slot.word) - Number(one === slot.word),
  )
  return kinds.map((kind) => [theirs[kind]!, none[kind]!])
}

const put = (person: Person | null, operation: Operation, filling?: Filling) =>
  ask(desk, person, operation.text, operation.variables(own, filling))

/** What was answered, without what differs each time. */
const shape = ({ status, data, codes, errors }: Answer) => ({
  status,
  data,
  codes,
  messages: errors.map(({ message }) => message),
})

function foreignTraces({ text }: Answer, sent: string): string[] {
  return traces.filter((trace) => text.includes(trace) && trace !== sent && !sent.includes(trace))
}

/** What an answer to a foreign identifier gives away, beside the answer to one that nothing has. */
async function findingsOf(
  person: Person | null,
  operation: Operation,
  path: string,
  theirs: string,
  none: string,
) {
  const [answer, other] = await Promise.all([
    put(person, operation, { path, value: theirs }),
    put(person, operation, { path, value: none }),
  ])
  const findings: unknown[] = []
  const found = foreignTraces(answer, theirs)
  if (found.length > 0) findings.push({ operation: operation.name, path, theirs, found })
  // What comes after a value in a list depends on the value, whosever it is.
  if (!path.endsWith('after') && !path.endsWith('greaterThan')) {
    const [said, expected] = [answer, other].map((each) => JSON.stringify(shape(each)))
    if (said !== expected) findings.push({ operation: operation.name, path, theirs, said, expected })
  }
  return findings
}

test('the operations are those of the schema, and many take an identifier', () => {
  expect(operations.length).toBeGreaterThan(50)
  expect(operations.flatMap(({ slots }) => slots).length).toBeGreaterThan(100)
})

test('each of them can be asked: what is refused is refused by a rule', async () => {
  const unasked = []
  for (const operation of operations.filter(({ kind }) => kind === 'query')) {
    const { codes, errors } = await put(desk.acme.admin, operation)
    if (codes.some((code) => !['NOT_FOUND', 'INVALID_INPUT'].includes(code))) {
      unasked.push([operation.name, errors[0]])
    }
  }
  expect(unasked).toEqual([])
})

test('a wall that is down is found', async () => {
  await desk.superuser.query(
    'create policy leak on app_public.companies for select to atum_admin using (true)',
  )
  try {
    const companies = operations.find(({ name }) => name === 'companies')!
    const findings = await findingsOf(
      desk.acme.admin,
      companies,
      'filter.rowId.equalTo',
      foreign.rows.company!,
      nothing.rows.company!,
    )
    expect(findings).toHaveLength(2)
  } finally {
    await desk.superuser.query('drop policy leak on app_public.companies')
  }
})

describe('a foreign identifier', () => {
  test.each(['nobody', 'customer', 'agent', 'manager', 'admin'])(
    'is the identifier of nothing to %s, in every place of every query',
    async (name) => {
      const person = new Map(callersOf(desk.acme)).get(name) ?? null
      const findings: unknown[] = []
      let asked = 0
      for (const operation of operations.filter(({ kind }) => kind === 'query')) {
        for (const slot of operation.slots) {
          const values = valuesFor(slot)
          // Each kind in each place as an admin, who sees most; as the others the kind that belongs there.
          for (const [theirs, none] of name === 'admin' ? values : values.slice(0, 1)) {
            findings.push(...(await findingsOf(person, operation, slot.path, theirs, none)))
            asked += 1
          }
        }
      }
      expect(findings).toEqual([])
      expect(asked).toBeGreaterThan(name === 'admin' ? 1_000 : 80)
    },
    240_000,
  )

  test('changes nothing of its organization, in any place of any mutation, and tells nothing of it', async () => {
    const before = await digestOf(desk.superuser, desk.globex)
    const findings: unknown[] = []
    let asked = 0
    for (const [name, person] of callersOf(desk.acme)) {
      for (const operation of operations.filter(({ kind }) => kind === 'mutation')) {
        for (const slot of operation.slots) {
          const values = valuesFor(slot)
          for (const [theirs, none] of name === 'admin' ? values : values.slice(0, 1)) {
            const filling = { path: slot.path, value: theirs }
            const answer = await put(person, operation, filling)
            const other = await put(person, operation, { path: slot.path, value: none })
            asked += 1
            const found = foreignTraces(answer, theirs)
            if (found.length > 0) findings.push({ name, operation: operation.name, ...filling, found })
            if (JSON.stringify(answer.codes) !== JSON.stringify(other.codes)) {
              findings.push({
                name,
                operation: operation.name,
                ...filling,
                said: answer.codes,
                expected: other.codes,
              })
            }
            if (answer.codes.includes('INTERNAL'))
              findings.push({ name, operation: operation.name, ...filling })
          }
        }
      }
    }
    expect(findings).toEqual([])
    expect(asked).toBeGreaterThan(400)
    expect(await digestOf(desk.superuser, desk.globex)).toEqual(before)
  }, 240_000)

  test('is answered in the time of one that nothing has', async () => {
    const slow: unknown[] = []
    for (const operation of operations) {
      const slot = operation.slots.find(({ takes }) => takes !== 'Cursor')
      if (!slot) continue
      const [[theirs, none]] = valuesFor(slot) as [[string, string]]
      // The fastest of many: whatever else the machine does makes an answer slower, never faster.
      const fastest = { theirs: Infinity, none: Infinity }
      const measure = async (which: 'theirs' | 'none', value: string) => {
        const started = performance.now()
        await put(desk.acme.admin, operation, { path: slot.path, value })
        fastest[which] = Math.min(fastest[which], performance.now() - started)
      }
      const differs = () => Math.abs(fastest.theirs - fastest.none) > Math.max(1.5, fastest.none * 0.25)
      for (let round = 0; round < 6 || (differs() && round < 60); round += 1) {
        await measure('theirs', theirs)
        await measure('none', none)
      }
      if (differs()) slow.push({ operation: operation.name, ...fastest })
    }
    expect(slow).toEqual([])
  }, 240_000)
})
