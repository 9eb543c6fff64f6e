import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'

const typeNames: Record<string, string> = {
  inboxCounts: 'InboxCounts',
  VerifyAuditChainRecord: 'AuditChainVerdict',
}

/** Columns of a result that always have a value, where the catalog cannot say so. */
const alwaysPresent: Record<string, readonly string[]> = {
  AuditChainVerdict: ['checked', 'verified'],
}

/**
 * Says things as people say them, and drops what repeats what we have: Relay's `clientMutationId`, which is echoed and
 * does nothing, beside the `clientMutationKey` that makes a retry safe.
 */
export const NamingPlugin: GraphileConfig.Plugin = {
  name: 'NamingPlugin',
  version: '1.0.0',
  inflection: {
    replace: {
      tableType(previous, _preset, codec) {
        return typeNames[codec.name] ?? previous?.(codec) ?? codec.name
      },
    },
  },
  schema: {
    hooks: {
      GraphQLInputObjectType_fields(fields, _build, context) {
        const { clientMutationId: echoed, ...kept } = fields
        return context.scope.isMutationInput && echoed ? kept : fields
      },
      GraphQLObjectType_fields(fields, _build, context) {
        const { clientMutationId: echoed, ...kept } = fields
        return context.scope.isMutationPayload && echoed ? kept : fields
      },
      GraphQLObjectType_fields_field(field, build, context) {
        const { fieldName, isRootQuery, isPgFieldConnection } = context.scope
        const present =
          alwaysPresent[context.Self.name]?.includes(fieldName) || (isRootQuery && isPgFieldConnection)
        if (!present || build.graphql.isNonNullType(field.type)) return field
        return { ...field, type: new build.graphql.GraphQLNonNull(field.type) }
      },
    },
  },
}
