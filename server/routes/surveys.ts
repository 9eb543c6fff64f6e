import { Router, type Request } from 'express'
import type { Pool } from 'pg'
import { clientAddress } from '../caller.ts'
import { RequestError } from '../errors.ts'
import { limits, networkOf, type RateLimits } from '../rate-limits.ts'
import { createAsk } from './auth/asking.ts'
import { asInvalidInput, field, fieldsOf, parseJson } from './auth/fields.ts'
import { onlyOwnPages } from './auth/own-pages.ts'

const longestComment = 2_000

/**
 * How it went, said by whoever has the link from the mail, without logging in. Looking changes nothing and answering is
 * a POST: what follows every link of a mail to look for malware must not answer for a person. The token travels in the
 * body, where no log has it.
 */
export function surveyRoutes(options: {
  pool: Pool
  publicOrigins: readonly string[]
  trustedProxies: number
  rateLimits: RateLimits
}): Router {
  const { publicOrigins, trustedProxies, rateLimits } = options
  const ask = createAsk(options.pool, trustedProxies)

  const routes = Router()
  routes.use(onlyOwnPages(publicOrigins))
  routes.use(async (request, _response, next) => {
    await rateLimits.spend(limits.survey, networkOf(clientAddress(request, trustedProxies)))
    next()
  })

  routes.post('/look', parseJson, async (request, response) => {
    response.json(
      await ask({ request, response }, 'survey_by_token', { token: field(fieldsOf(request), 'token') }),
    )
  })

  routes.post('/answer', parseJson, async (request, response) => {
    response.json(
      await ask({ request, response }, 'answer_survey_by_token', {
        token: field(fieldsOf(request), 'token'),
        ...answerOf(request),
      }),
    )
  })

  routes.use(asInvalidInput)
  return routes
}

function answerOf(request: Request): { score: number; comment: string | null } {
  const { score, comment } = fieldsOf(request)
  if (typeof score !== 'number' || !Number.isInteger(score) || score < 1 || score > 5) {
    throw new RequestError('INVALID_INPUT', 'score must be a whole number from 1 to 5', { field: 'score' })
  }
  if (comment === undefined || comment === null) return { score, comment: null }
  if (typeof comment !== 'string' || [...comment].length > longestComment || comment.includes('\0')) {
    throw new RequestError('INVALID_INPUT', `comment must be a text of up to ${longestComment} characters`, {
      field: 'comment',
    })
  }
  return { score, comment }
}
