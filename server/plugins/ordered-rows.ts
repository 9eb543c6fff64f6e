import type { GraphileConfig } from 'graphile-config'
import 'postgraphile'
import {
  listOfCodec,
  PgSelectStep,
  TYPES,
  type PgClassSingleStep,
  type PgCodec,
  type PgResource,
} from 'postgraphile/@dataplan/pg'
import { sql } from 'postgraphile/pg-sql2'

/**
 * A function may return a page: a row with a list of rows in it. PostGraphile reads their fields from `unnest`, joined
 * to whatever is asked of them, and then they come in any order; this keeps the one the function gave them.
 */
export const OrderedRowsPlugin: GraphileConfig.Plugin = {
  name: 'OrderedRowsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields_field(field, build, context) {
        const { pgCodec, pgFieldAttribute } = context.scope
        const rowCodec = pgFieldAttribute?.codec.arrayOfCodec as PgCodec | undefined
        if (!pgCodec?.attributes || !rowCodec?.attributes) return field
        const resource = build.pgTableResource(rowCodec as never, false) as PgResource | null
        const name = Object.keys(pgCodec.attributes).find(
          (key) => pgCodec.attributes?.[key] === pgFieldAttribute,
        )
        if (!resource || name === undefined) return field
        return {
          ...field,
          plan($record: PgClassSingleStep) {
            const $rows = new PgSelectStep({
              resource,
              identifiers: [],
              from: (rows) => sql`unnest(${rows.placeholder}) with ordinality`,
              args: [
                { step: $record.get(name as never), pgCodec: listOfCodec(resource.codec as never) as never },
              ],
            })
            $rows.orderBy({ fragment: sql`${$rows.alias}.ordinality`, codec: TYPES.bigint, direction: 'ASC' })
            $rows.setTrusted()
            return $rows
          },
        }
      },
    },
  },
}
