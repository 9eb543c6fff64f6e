import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'
import { access, constant, context, lambda, list, type Step } from 'postgraphile/grafast'

const organizationColumn = 'organization_id'
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** What a content is known by, as a row is by its id. */
const hashPattern = /^[0-9a-f]{64}$/

/** The organization of whoever asks, from the claims; null for strangers, which finds nothing. */
function organizationOfCaller(): Step<string | null> {
  return lambda(
    context().get('pgSettings') as Step<Record<string, string> | null>,
    (settings) => settings?.['atum.organization_id'] ?? null,
    true,
  )
}

interface Addressable {
  get(spec: Record<string, Step>): Step
}

/**
 * Opaque global ids. A row's id is `[type, row id]`; the organization is not in it but comes from the claims, so an id
 * tells nothing about a tenant and the id of another one is the id of nothing. The organization itself goes by its
 * slug, for the same reason.
 */
export const NodeIdsPlugin: GraphileConfig.Plugin = {
  name: 'NodeIdsPlugin',
  version: '1.0.0',
  after: ['PgTablesPlugin', 'PgPolymorphismPlugin', 'PgTableNodePlugin', 'NodeAccessorPlugin'],
  schema: {
    entityBehavior: {
      // PgTableNodePlugin registers a handler for each of these with the whole key in it.
      pgCodec: {
        override: {
          provides: ['node-ids'],
          callback: (behavior) => [behavior, '-type:node'],
        },
      },
    },
    hooks: {
      init(_, build) {
        const codec = build.getNodeIdCodec!('base64JSON')
        for (const resource of Object.values(build.pgResources)) {
          if (resource.parameters || resource.isUnique || resource.isVirtual) continue
          const uniques = resource.uniques as readonly {
            attributes: readonly string[]
            isPrimary?: boolean
          }[]
          const primaryKey = uniques.find(({ isPrimary }) => isPrimary)?.attributes
          if (!primaryKey) continue
          const typeName = build.inflection.tableType(resource.codec)
          if (!build.getTypeMetaByName(typeName)) continue

          const isTenantRow = primaryKey.includes(organizationColumn)
          const isContent = primaryKey.includes('sha256')
          // What there is once for another row, such as the state of a mailbox, is known by that one's id.
          const [own = 'id'] = primaryKey.filter((attribute) => attribute !== organizationColumn)
          const column = isContent ? 'sha256' : isTenantRow ? own : 'slug'
          const isValue = isTenantRow
            ? (value: unknown) =>
                typeof value === 'string' && (isContent ? hashPattern : uuidPattern).test(value)
            : (value: unknown) => typeof value === 'string' && value.length <= 64 && !value.includes('\0')

          build.registerNodeIdHandler!({
            typeName,
            codec,
            plan: ($record: Step & { get(attribute: string): Step }) =>
              list([constant(typeName, false), $record.get(column)]),
            getSpec($specifier: Step) {
              // Garbage is null here, and null equals nothing: an update by it finds no row and says so.
              const $value = access($specifier, [1])
              return isTenantRow
                ? { [organizationColumn]: organizationOfCaller(), [column]: $value }
                : { [column]: $value }
            },
            getIdentifiers: (value: readonly unknown[]) => value.slice(1),
            get: (spec: Record<string, Step>) => (resource as unknown as Addressable).get(spec),
            match: (value: unknown) =>
              Array.isArray(value) && value.length === 2 && value[0] === typeName && isValue(value[1]),
            // The library types the handler by its codec, which is chosen by name above.
          })
        }
        return _
      },
      GraphQLObjectType_fields(fields, build, context) {
        if (!context.scope.isRootQuery) return fields
        // A type that has no list of its own is reached through what it belongs to, or by `node`.
        const superfluous = Object.values(build.pgResources)
          .filter(
            (resource) =>
              !resource.parameters &&
              !build.behavior.pgResourceMatches(resource, 'query:resource:connection'),
          )
          .map((resource) => build.inflection.nodeById(build.inflection.tableType(resource.codec)))
        return Object.fromEntries(Object.entries(fields).filter(([name]) => !superfluous.includes(name)))
      },
    },
  },
}
