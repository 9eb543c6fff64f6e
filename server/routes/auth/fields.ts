import express, { type ErrorRequestHandler, type Request } from 'express'
import { RequestError } from '../../errors.ts'

const longestField = 1_024
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What a request says in its body. */
export type Fields = Record<string, unknown>

export const parseJson = express.json({ limit: '16kb' })

/** The body of a request. A form of another site can send any other content type. */
export function fieldsOf(request: Request): Fields {
  if (!request.is('application/json')) {
    throw new RequestError('INVALID_INPUT', 'The content type must be application/json')
  }
  return (request.body ?? {}) as Fields
}

export function field(fields: Fields, name: string): string {
  const value = fields[name]
  if (
    typeof value !== 'string' ||
    value === '' ||
    Buffer.byteLength(value) > longestField ||
    value.includes('\0')
  ) {
    throw new RequestError('INVALID_INPUT', `${name} must be a text of 1 to ${longestField} bytes`, {
      field: name,
    })
  }
  return value
}

/** Null where the field is absent. */
export function optionalField(fields: Fields, name: string): string | null {
  return fields[name] === undefined || fields[name] === null ? null : field(fields, name)
}

export const isUuid = (value: string): boolean => uuidPattern.test(value)

/** A body that is not JSON is a login that is not one. */
export const asInvalidInput: ErrorRequestHandler = (error: { type?: unknown }, _request, _response, next) => {
  next(
    error.type === 'entity.parse.failed' ||
      error.type === 'charset.unsupported' ||
      error.type === 'encoding.unsupported'
      ? new RequestError('INVALID_INPUT', 'The body must be JSON')
      : error,
  )
}
