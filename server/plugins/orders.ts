import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'

/** Nobody sorts by an identifier: of keys made of them, the primary key alone is an order, that of creation. */
export const OrdersPlugin: GraphileConfig.Plugin = {
  name: 'OrdersPlugin',
  version: '1.0.0',
  schema: {
    entityBehavior: {
      pgCodecAttribute: {
        override: {
          provides: ['orders'],
          callback: (behavior, [codec, attributeName]) =>
            codec.attributes[attributeName]?.codec.name === 'uuid'
              ? [behavior, '-attribute:orderBy']
              : behavior,
        },
      },
    },
  },
}
