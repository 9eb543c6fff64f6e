import 'postgraphile'
import type { GraphileConfig } from 'graphile-config'
import { lambda, type Step } from 'postgraphile/grafast'
import { RequestError } from '../errors.ts'

/** How many rows a connection gives when the client does not say. */
export const defaultPageSize = 50
/** How many rows a client may ask of one connection. */
export const maximumPageSize = 100

interface Pageable {
  setFirst($first: Step<number>): void
}

function pageSize(first: number | null | undefined): number {
  if (first === null || first === undefined) return defaultPageSize
  if (first < 0 || first > maximumPageSize) {
    throw new RequestError('INVALID_INPUT', `first must be between 0 and ${maximumPageSize}`, {
      field: 'first',
      maximum: maximumPageSize,
    })
  }
  return first
}

/** Gives each connection a default size and a largest one. Pages go forward only, so `first` never meets `last`. */
export const PagesPlugin: GraphileConfig.Plugin = {
  name: 'PagesPlugin',
  version: '1.0.0',
  after: ['PgFirstLastBeforeAfterArgsPlugin'],
  schema: {
    hooks: {
      GraphQLObjectType_fields_field_args(args, _build, context) {
        if (!context.scope.isPgFieldConnection || !args.first) return args
        const { offset: _skipping, ...kept } = args
        return {
          ...kept,
          first: {
            ...args.first,
            description: `How many to read, at most ${maximumPageSize}.`,
            defaultValue: defaultPageSize,
            applyPlan(_$parent: unknown, $connection: unknown, arg: { getRaw(): Step<number | null> }) {
              ;($connection as Pageable).setFirst(lambda(arg.getRaw(), pageSize, true))
            },
          },
        }
      },
    },
  },
}
