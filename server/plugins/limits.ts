import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'
import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type SelectionSetNode,
  type ValidationRule,
} from 'postgraphile/graphql'
import { defaultPageSize, maximumPageSize } from './pages.ts'

/** How many fields may lie inside each other. The deepest query of the web has 7. */
export const maximumDepth = 12
/** How many fields an answer may have, lists counted as long as they may get. */
export const maximumCost = 20_000
/** A change counts as this many fields. */
const mutationCost = 1_000
/** A question that reads, or a change that writes, much more than it answers counts as this many. */
const costOfQuestion: ReadonlyMap<string, number> = new Map([
  ['verifyAuditChain', 5_000],
  ['ticketViewCounts', 2_000],
  ['searchTickets', 1_000],
  ['bulkUpdateTickets', 8_000],
  ['applyMacroToTickets', 8_000],
  ['dryRunAutomation', 5_000],
])
/**
 * How many selections a query may have with its fragments put in place. Planning takes its time from them: 25 ms for
 * each field of the root, and most for `node`, where each type it may be is planned by itself (58 of them took 6 s).
 * The largest query of the web has 40, GraphiQL's question about the schema 200.
 */
const maximumSelections = 500
const rootFieldSelections = 10
const nodeFieldSelections = 100

interface Measure {
  cost: number
  depth: number
  selections: number
}

/** How many rows a connection may give; a variable counts as the most it can be. */
function pageSizeOf(field: FieldNode): number {
  const first = field.arguments?.find(({ name }) => name.value === 'first')?.value
  if (!first) return defaultPageSize
  return first.kind === Kind.INT ? Math.min(Number(first.value), maximumPageSize) : maximumPageSize
}

/** A list that is no page of its own, such as the tickets of a view: it has at most what its parent was asked for. */
function listSizeOf(type: GraphQLNamedType | undefined, field: GraphQLField<unknown, unknown>, page: number) {
  const isOwnList = isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type))
  return isOwnList && !type?.name.endsWith('Connection') ? page : 1
}

function measure(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  root: GraphQLNamedType,
  selectionSet: SelectionSetNode,
  fieldCost: number,
): Measure {
  const total: Measure = { cost: 0, depth: 0, selections: 0 }

  const walk = (
    set: SelectionSetNode,
    type: GraphQLNamedType | undefined,
    depth: number,
    rows: number,
    page: number,
    within: readonly string[],
  ) => {
    for (const selection of set.selections) {
      total.selections += 1
      if (total.selections > maximumSelections) return
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value.startsWith('__')) continue
        if (depth === 1) {
          total.selections += selection.name.value === 'node' ? nodeFieldSelections : rootFieldSelections
        }
        total.depth = Math.max(total.depth, depth)
        const question = costOfQuestion.get(selection.name.value)
        total.cost += rows * (question ?? (depth === 1 ? fieldCost : 1))
        if (!selection.selectionSet) continue
        const field =
          isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined
        const next = field ? getNamedType(field.type) : undefined
        const size = next?.name.endsWith('Connection')
          ? pageSizeOf(selection)
          : field
            ? listSizeOf(type, field, page)
            : 1
        const nextPage = field?.args.some(({ name }) => name === 'first')
          ? pageSizeOf(selection)
          : maximumPageSize
        walk(selection.selectionSet, next, depth + 1, rows * Math.max(size, 1), nextPage, within)
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition && schema.getType(selection.typeCondition.name.value)
        walk(selection.selectionSet, condition ?? type, depth, rows, page, within)
      } else {
        const name = selection.name.value
        const fragment = fragments.get(name)
        if (!fragment || within.includes(name)) continue
        walk(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), depth, rows, page, [
          ...within,
          name,
        ])
      }
    }
  }

  walk(selectionSet, isCompositeType(root) ? root : undefined, 1, 1, maximumPageSize, [])
  return total
}

/** Refuses queries that are too deep or ask for too much. Its verdict is kept with the parsed document. */
export const limitsRule: ValidationRule = (context) => {
  const schema = context.getSchema()
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of context.getDocument().definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  return {
    OperationDefinition(operation) {
      const root = schema.getRootType(operation.operation)
      if (!root) return
      const fieldCost = operation.operation === 'mutation' ? mutationCost : 1
      const { cost, depth, selections } = measure(schema, fragments, root, operation.selectionSet, fieldCost)
      if (depth > maximumDepth) {
        context.reportError(
          new GraphQLError(`This query is ${depth} fields deep; ${maximumDepth} are allowed`, {
            extensions: { code: 'QUERY_TOO_DEEP' },
          }),
        )
      }
      if (cost > maximumCost || selections > maximumSelections) {
        context.reportError(
          new GraphQLError(
            selections > maximumSelections
              ? `This query has more than ${maximumSelections} fields`
              : `This query may give ${cost} fields; ${maximumCost} are allowed. Ask for fewer rows or fewer fields`,
            { extensions: { code: 'QUERY_TOO_EXPENSIVE' } },
          ),
        )
      }
    },
  }
}

export const LimitsPlugin: GraphileConfig.Plugin = {
  name: 'LimitsPlugin',
  version: '1.0.0',
  grafserv: {
    middleware: {
      setPreset(next, event) {
        event.validationRules.push(limitsRule)
        return next()
      },
    },
  },
}
