import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'
import { TYPES } from 'postgraphile/@dataplan/pg'

/** PostGraphile knows no multiranges. As text they keep their place in a row; the columns themselves are not shown. */
export const MultirangesPlugin: GraphileConfig.Plugin = {
  name: 'MultirangesPlugin',
  version: '1.0.0',
  gather: {
    hooks: {
      pgCodecs_findPgCodec(_info, event) {
        if (!event.pgCodec && event.pgType.typtype === 'm') event.pgCodec = TYPES.text
      },
    },
  },
}
