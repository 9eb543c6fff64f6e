import './env.ts'
import 'postgraphile'
import { fileURLToPath } from 'node:url'
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection'
import type { GraphileConfig } from 'graphile-config'
import type { Pool } from 'pg'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makePgSmartTagsFromFilePlugin } from 'postgraphile/utils'
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter'
import { AutomationResultsPlugin } from './plugins/automation-results.ts'
import { BulkResultsPlugin } from './plugins/bulk-results.ts'
import { MultirangesPlugin } from './plugins/multiranges.ts'
import { NamingPlugin } from './plugins/naming.ts'
import { NodeIdsPlugin } from './plugins/node-ids.ts'
import { OrderedRowsPlugin } from './plugins/ordered-rows.ts'
import { OrdersPlugin } from './plugins/orders.ts'
import { PagesPlugin } from './plugins/pages.ts'
import { PresencePlugin } from './plugins/presence.ts'
import { SubscriptionsPlugin } from './plugins/subscriptions.ts'
import { TenancyPlugin } from './plugins/tenancy.ts'
import { UpdatesPlugin } from './plugins/updates.ts'

// The API is functions and reading; what else a table offers it says in postgraphile.tags.json5.
const defaultBehavior = [
  '-resource:insert -resource:update -resource:delete',
  '-constraint:resource:update -constraint:resource:delete -nodeId:resource:update -nodeId:resource:delete',
  '-resource:list -resource:connection:backwards -query:resource:single -condition:attribute:filterBy',
].join(' ')

/** What shapes the GraphQL schema, and nothing else: the same database gives the same schema in every process. */
export function schemaPreset(
  pool: Pool,
  pgSubscriber: GraphileConfig.PgServiceConfiguration['pgSubscriber'] = null,
) {
  return {
    extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset, PostGraphileConnectionFilterPreset],
    plugins: [
      makePgSmartTagsFromFilePlugin(fileURLToPath(new URL('postgraphile.tags.json5', import.meta.url))),
      MultirangesPlugin,
      TenancyPlugin,
      NodeIdsPlugin,
      NamingPlugin,
      OrdersPlugin,
      OrderedRowsPlugin,
      PagesPlugin,
      UpdatesPlugin,
      AutomationResultsPlugin,
      BulkResultsPlugin,
      SubscriptionsPlugin,
      PresencePlugin,
    ],
    disablePlugins: [
      // Version 4.0.1 never reads its option `connectionFilterRelations: false`.
      'PgConnectionArgFilterBackwardRelationsPlugin',
      'PgConnectionArgFilterForwardRelationsPlugin',
      // `filter` says what `condition` says, and more.
      'PgConditionArgumentPlugin',
      'PgConditionCustomFieldsPlugin',
      // What Relay 1 needed.
      'QueryQueryPlugin',
      'RegisterQueryNodePlugin',
      'MutationPayloadQueryPlugin',
      'PgMutationPayloadEdgePlugin',
    ],
    pgServices: [makePgService({ pool, schemas: ['app_public'], pgSubscriber, pubsub: false })],
    gather: {
      // An argument without a default is required.
      pgStrictFunctions: true,
    },
    schema: {
      defaultBehavior,
      dontSwallowErrors: true,
      pgShortPk: false,
      connectionFilterAllowedOperators: [
        'isNull',
        'equalTo',
        'notEqualTo',
        'in',
        'notIn',
        'lessThan',
        'lessThanOrEqualTo',
        'greaterThan',
        'greaterThanOrEqualTo',
        'includesInsensitive',
        'startsWithInsensitive',
      ],
      // An empty filter asks for nothing in particular, as a program that builds one will.
      connectionFilterAllowEmptyObjectInput: true,
      connectionFilterAllowNullInput: true,
      connectionFilterComputedColumns: false,
      connectionFilterSetofFunctions: false,
      connectionFilterArrays: false,
    },
  } satisfies GraphileConfig.Preset
}
