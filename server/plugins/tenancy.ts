import type { GraphileConfig } from 'graphile-config'
import 'postgraphile'

const organizationColumn = 'organization_id'

const hidden = [
  '-attribute:select',
  '-attribute:base',
  '-attribute:insert',
  '-attribute:update',
  '-attribute:filterBy',
  '-attribute:orderBy',
] as const

interface RelationDetails {
  registry: { pgRelations: Record<string, Record<string, RelationShape>> }
  codec: { name: string }
  relationName: string
}

interface RelationShape {
  localAttributes: readonly string[]
  remoteAttributes: readonly string[]
}

const withoutOrganization = (attributes: readonly string[]) =>
  attributes.filter((attribute) => attribute !== organizationColumn)

/** Shows a relation inflector the composite key without the organization, which every key has and no name needs. */
function trimmed(details: RelationDetails): RelationDetails {
  const { registry, codec, relationName } = details
  const relation = registry.pgRelations[codec.name]?.[relationName]
  if (!relation || relation.localAttributes.length < 2) return details
  if (!relation.localAttributes.includes(organizationColumn)) return details
  return {
    ...details,
    registry: {
      ...registry,
      pgRelations: {
        ...registry.pgRelations,
        [codec.name]: {
          ...registry.pgRelations[codec.name],
          [relationName]: {
            ...relation,
            localAttributes: withoutOrganization(relation.localAttributes),
            remoteAttributes: withoutOrganization(relation.remoteAttributes),
          },
        },
      },
    },
  }
}

const relationInflectors = [
  'singleRelation',
  'singleRelationBackwards',
  'manyRelationConnection',
  'manyRelationList',
  '_manyRelation',
]

type Inflector = (details: RelationDetails) => string

/**
 * Hides the tenant: `ticket.requester` instead of `userByOrganizationIdAndRequesterId`, no column, argument, filter or
 * order named after the organization, and no relation to it, because a caller has exactly one.
 */
export const TenancyPlugin: GraphileConfig.Plugin = {
  name: 'TenancyPlugin',
  version: '1.0.0',
  inflection: {
    replace: Object.fromEntries(
      relationInflectors.map((name) => [
        name,
        function (this: unknown, previous: Inflector, _preset: unknown, details: RelationDetails) {
          return previous.call(this, trimmed(details))
        },
      ]),
    ),
  },
  schema: {
    entityBehavior: {
      pgCodecAttribute: {
        override: {
          provides: ['tenancy'],
          callback(behavior, [, attributeName]) {
            return attributeName === organizationColumn ? [behavior, ...hidden] : behavior
          },
        },
      },
      pgCodecRelation: {
        override: {
          provides: ['tenancy'],
          callback(behavior, relation) {
            const leadsToOrganization =
              withoutOrganization(relation.localAttributes).length === 0 ||
              withoutOrganization(relation.remoteAttributes).length === 0
            return leadsToOrganization ? [behavior, '-select', '-list', '-connection', '-single'] : behavior
          },
        },
      },
    },
  },
}
