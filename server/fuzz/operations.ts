import { readFileSync } from 'node:fs'
import {
  buildSchema,
  getNamedType,
  GraphQLNonNull,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLNullableType,
  type GraphQLSchema,
} from 'postgraphile/graphql'

/** The identifiers that are put where the schema takes one, by the word its argument is named with. */
export interface Identifiers {
  /** Row ids: `ticketId` is looked up as `ticket`. */
  rows: Record<string, string>
  /** Global ids by the name of their type. */
  nodes: Record<string, string>
  cursor: string
}

/** One operation, and the places in it that take an identifier. */
export interface Operation {
  name: string
  kind: 'query' | 'mutation'
  text: string
  slots: readonly Slot[]
  variables(own: Identifiers, filled?: Filling): Record<string, unknown>
}

/** A place that takes an identifier: the path to it, and what it takes. */
export interface Slot {
  path: string
  takes: 'UUID' | 'ID' | 'Cursor'
  word: string
}

/** What is put into one of the places. */
export interface Filling {
  path: string
  value: string
}

const deepest = 5
const deepestSelection = 2
const pageSize = 7
/** Less than a query may have; one that would have more is asked in parts. */
const mostFields = 400
const words: Record<string, string> = {
  requester: 'user',
  assignee: 'user',
  author: 'user',
  actor: 'user',
  createdBy: 'user',
  agent: 'user',
  entry: 'timeEntry',
  timer: 'runningTimer',
  activity: 'timeActivity',
  field: 'customField',
  calendar: 'slaCalendar',
  holiday: 'slaHoliday',
  escalation: 'slaEscalation',
  policy: 'slaPolicy',
}

/** Every query and mutation of the schema, each with all that it may be asked with. */
export function operationsOf(schemaFile: string): Operation[] {
  const schema = buildSchema(readFileSync(schemaFile, 'utf8'))
  return (['query', 'mutation'] as const).flatMap((kind) =>
    Object.values(
      (kind === 'query' ? schema.getQueryType() : schema.getMutationType())?.getFields() ?? {},
    ).flatMap((field) =>
      inParts(partsOf(schema, getNamedType(field.type), deepestSelection)).map((selection) =>
        operationOf(kind, field, selection),
      ),
    ),
  )
}

const fieldsIn = (part: string) => part.split(' ').filter((word) => /^\w/.test(word)).length

/** Selections that have all parts between them, each with no more fields than may be asked for at once. */
function inParts(parts: string[]): string[] {
  const selections: string[][] = [[]]
  for (const part of parts) {
    const fields = fieldsIn([...selections.at(-1)!, part].join(' '))
    if (fields > mostFields && selections.at(-1)!.length > 0) selections.push([])
    selections.at(-1)!.push(part)
  }
  return selections.map(braced)
}

const braced = (parts: string[]) => (parts.length > 0 ? `{ ${parts.join(' ')} }` : '')

function operationOf(
  kind: 'query' | 'mutation',
  field: GraphQLField<unknown, unknown>,
  selection: string,
): Operation {
  // The page is said in the text: what a variable will hold is not known to the guard that counts what a query may give.
  const args = field.args.filter(({ name }) => name !== 'first')
  const declared = args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ')
  const passed = field.args
    .map(({ name }) => `${name}: ${name === 'first' ? pageSize : `$${name}`}`)
    .join(', ')
  const text = `${kind} ${declared && `(${declared})`} { ${field.name}${passed && `(${passed})`} ${selection} }`
  const slots = args.flatMap(({ name, type }) => slotsOf(type, name, name))
  return {
    name: field.name,
    kind,
    text,
    slots,
    variables: (own, filled) =>
      Object.fromEntries(
        args.map(({ name, type }) => [name, valueOf(type, name, name, own, field.name, filled)]),
      ),
  }
}

/** All scalars, and what lies below as deep as is worth looking. */
function partsOf(schema: GraphQLSchema, type: GraphQLNamedType, depth: number): string[] {
  if (!isCompositeType(type)) return []
  if (!isObjectType(type)) {
    // `node` may be anything: each type says what it is called.
    const members = schema
      .getPossibleTypes(type)
      .map((member) => `... on ${member.name} ${scalarsOf(member)}`)
    return ['__typename', ...members]
  }
  return Object.values(type.getFields()).flatMap((field) => {
    const next = getNamedType(field.type)
    if (!isCompositeType(next)) return [field.name]
    if (field.args.some(({ type: argument }) => isNonNullType(argument)) || depth === 0) return []
    if (next.name.endsWith('Edge')) return []
    const small = next.name.endsWith('Connection') ? '(first: 3)' : ''
    const below = braced(partsOf(schema, next, depth - 1))
    return below ? [`${field.name}${small} ${below}`] : []
  })
}

function scalarsOf(type: GraphQLNamedType): string {
  if (!isObjectType(type)) return ''
  const names = Object.values(type.getFields())
    .filter((field) => !isCompositeType(getNamedType(field.type)))
    .map((field, index) => `${type.name.toLowerCase()}${index}: ${field.name}`)
  return `{ ${names.join(' ')} }`
}

const wordOf = (name: string) => {
  const bare = name.replace(/Ids?$/, '')
  return words[bare] ?? bare
}

function slotsOf(type: GraphQLInputType, path: string, name: string, depth = 0): Slot[] {
  const named = getNamedType(type)
  if (named.name === 'UUID' || named.name === 'ID' || named.name === 'Cursor') {
    return [{ path, takes: named.name, word: wordOf(name) }]
  }
  if (!isInputObjectType(named) || depth > deepest) return []
  return Object.values(named.getFields())
    .filter((field) => !/^(and|or|not)$/.test(field.name))
    .filter((field) => named.name !== 'UUIDFilter' || /^(equalTo|in|greaterThan)$/.test(field.name))
    .flatMap((field) =>
      slotsOf(
        field.type,
        `${path}.${field.name}`,
        named.name === 'UUIDFilter' ? name : field.name,
        depth + 1,
      ),
    )
}

/** The least that is needed, in the own identifiers, and what fills the place in question. */
function valueOf(
  type: GraphQLInputType,
  path: string,
  name: string,
  own: Identifiers,
  operation: string,
  filled: Filling | undefined,
): unknown {
  const isRequired = isNonNullType(type)
  const bare = isRequired ? type.ofType : type
  const isOnTheWay = filled !== undefined && (filled.path === path || filled.path.startsWith(`${path}.`))
  if (!isRequired && !isOnTheWay) return undefined
  if (isListType(bare)) return [valueOf(requiredOf(bare.ofType), path, name, own, operation, filled)]
  const named = getNamedType(bare)
  if (isInputObjectType(named)) {
    return Object.fromEntries(
      Object.values(named.getFields())
        .map((field) => [
          field.name,
          valueOf(field.type, `${path}.${field.name}`, field.name, own, operation, filled),
        ])
        .filter(([, value]) => value !== undefined),
    )
  }
  if (filled?.path === path) return filled.value
  if (isEnumType(named)) return named.getValues()[0]?.name
  switch (named.name) {
    case 'UUID':
      return own.rows[wordOf(name)] ?? crypto.randomUUID()
    case 'ID':
      return (
        own.nodes[operation.replace(/^(update|delete)/, '').replace(/^./, (first) => first.toUpperCase())] ??
        'WyJ4Il0='
      )
    case 'Int':
      return 1
    case 'Boolean':
      return false
    case 'Datetime':
      return '2999-01-01T00:00:00Z'
    case 'CidrAddress':
      return '0.0.0.0/0'
    case 'JSON':
      return {}
    default:
      return `fuzz-${operation}@fuzz.test`
  }
}

const requiredOf = (type: GraphQLInputType): GraphQLInputType =>
  isNonNullType(type) ? type : (new GraphQLNonNull(type as GraphQLNullableType) as GraphQLInputType)
