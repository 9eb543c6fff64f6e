import { setTimeout as delay } from 'node:timers/promises'
import { Router } from 'express'
import type { AuthParts } from './auth-routes.ts'
import { field, fieldsOf, optionalField, parseJson } from './fields.ts'
import { refuse, type Refused } from './refusals.ts'

// Longer than the database takes for an address it knows, so that the time says no more than the answer.
const mailMilliseconds = 150

interface AccountToken {
  outcome: 'ok'
  purpose: 'invitation' | 'email_verification' | 'password_reset'
  email: string
  name: string
  organization: { slug: string; name: string }
}

/** How an account begins and how a forgotten password is replaced: by links that people are mailed. */
export function accountRoutes({ ask, askInLine, signedIn }: AuthParts): Router {
  const routes = Router()

  for (const [path, question] of [
    ['/forgot', 'request_password_reset'],
    ['/verification', 'request_verification'],
  ] as const) {
    routes.post(path, parseJson, async (request, response) => {
      const fields = fieldsOf(request)
      await noSoonerThan(
        mailMilliseconds,
        ask({ request, response }, question, {
          email: field(fields, 'email').trim(),
          organization_slug: optionalField(fields, 'organization'),
        }),
      )
      response.status(202).json({})
    })
  }

  routes.post('/account-token', parseJson, async (request, response) => {
    const answer = await ask<AccountToken | Refused>({ request, response }, 'account_token_of', {
      token: field(fieldsOf(request), 'token'),
    })
    if (answer.outcome !== 'ok') refuse(answer)
    const { purpose, email, name, organization } = answer
    response.json({ purpose, email, name, organization })
  })

  routes.post('/reset', parseJson, async (request, response) => {
    const fields = fieldsOf(request)
    await askInLine({ request, response }, 'reset_password', {
      token: field(fields, 'token'),
      password: field(fields, 'password'),
    })
    response.status(204).end()
  })

  routes.post('/invitation', parseJson, async (request, response) => {
    const fields = fieldsOf(request)
    await askInLine({ request, response }, 'accept_invitation', {
      token: field(fields, 'token'),
      name: field(fields, 'name').trim(),
      password: field(fields, 'password'),
    })
    response.status(204).end()
  })

  routes.post('/register', parseJson, async (request, response) => {
    const fields = fieldsOf(request)
    await noSoonerThan(
      mailMilliseconds,
      ask({ request, response }, 'register', {
        organization_slug: field(fields, 'organization'),
        email: field(fields, 'email').trim(),
        name: field(fields, 'name').trim(),
      }),
    )
    response.status(202).json({})
  })

  routes.post('/password', parseJson, async (request, response) => {
    const { claims } = await signedIn(request, response)
    const fields = fieldsOf(request)
    const answer = await askInLine<{ outcome: 'ok' } | Refused>(
      { request, response },
      'change_password',
      { current_password: field(fields, 'currentPassword'), new_password: field(fields, 'newPassword') },
      claims,
    )
    if (answer.outcome !== 'ok') refuse(answer)
    response.status(204).end()
  })

  return routes
}

/** What `work` comes to, when at least so many milliseconds have passed. */
async function noSoonerThan<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const [result] = await Promise.allSettled([work, delay(milliseconds)])
  if (result.status === 'rejected') throw result.reason
  return result.value
}
