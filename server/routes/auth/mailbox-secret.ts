import { Router } from 'express'
import { placeOf } from '../../encryption.ts'
import { RequestError } from '../../errors.ts'
import type { AuthParts } from './auth-routes.ts'
import { field, fieldsOf, type Fields, isUuid, parseJson } from './fields.ts'
import { refuse, type Refused } from './refusals.ts'

/** Tokens of OAuth 2 are longer than any password. */
const longestSecret = 8_192

/**
 * Takes the password or the tokens of a mailbox from an admin. They go in encrypted, for the worker alone, and come out
 * for nobody.
 */
export function mailboxSecretRoutes({ ask, encryption, signedIn }: AuthParts): Router {
  const routes = Router()

  routes.post('/mailbox-secret', parseJson, async (request, response) => {
    const { claims } = await signedIn(request, response)
    const fields = fieldsOf(request)
    const mailboxId = field(fields, 'mailboxId').toLowerCase()
    if (!isUuid(mailboxId)) {
      throw new RequestError('INVALID_INPUT', 'mailboxId must be a UUID', { field: 'mailboxId' })
    }
    const place = placeOf.mailbox(claims['atum.organization_id']!, mailboxId)
    const answer = await ask<{ outcome: 'ok' } | Refused>(
      { request, response },
      'set_mailbox_secret',
      { mailbox_id: mailboxId, secret: encryption.encrypt(JSON.stringify(secretOf(fields)), place) },
      claims,
    )
    if (answer.outcome !== 'ok') refuse(answer)
    response.status(204).end()
  })

  return routes
}

/** A password, an access token, or a refresh token with or without a client secret; one of them. */
function secretOf(fields: Fields): Record<string, string> {
  const given = ['password', 'accessToken', 'refreshToken'].filter((name) => fields[name] !== undefined)
  const [name] = given
  if (name === undefined || given.length > 1) {
    throw new RequestError(
      'INVALID_INPUT',
      'password, accessToken or refreshToken must be given, and only one',
      {
        field: 'password',
      },
    )
  }
  return {
    [name]: secretField(fields, name),
    ...(name === 'refreshToken' && fields.clientSecret !== undefined
      ? { clientSecret: secretField(fields, 'clientSecret') }
      : {}),
  }
}

function secretField(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '' || value.length > longestSecret || /[\0\r\n]/.test(value)) {
    throw new RequestError(
      'INVALID_INPUT',
      `${name} must be a text of 1 to ${longestSecret} characters in one line`,
      {
        field: name,
      },
    )
  }
  return value
}
