import { placeOf } from '../../encryption.ts'
import { Router } from 'express'
import { type Admission, isAdmitted } from './admission.ts'
import { type Exchange, visitorOf } from './asking.ts'
import type { AuthParts } from './auth-routes.ts'
import { field, fieldsOf, optionalField, parseJson } from './fields.ts'
import { newSecret, timeStepOf } from './one-time-codes.ts'
import { onlyPrograms } from './own-pages.ts'
import { refuse, type Refused } from './refusals.ts'
import type { SignedInPerson } from './signed-in.ts'

interface Challenge {
  outcome: 'ok'
  organizationId: string
  userId: string
  purpose: 'verify' | 'enrol'
  email: string
  /** Encrypted; null before one was begun. */
  secret: string | null
  lastTimeStep: number | null
}

interface Authenticator {
  secret: string
  lastTimeStep: number | null
  confirmed: boolean
}

/** The second step of a login, and turning it on and off. Codes are computed here; whether they count, in SQL. */
export function twoFactorRoutes(parts: AuthParts): Router {
  const { ask, askInLine, admissions, encryption, signedIn, trustedProxies } = parts
  const routes = Router()

  async function challengeOf(exchange: Exchange, challenge: string): Promise<Challenge> {
    const answer = await ask<Challenge | Refused>(exchange, 'challenge_of', { challenge })
    return answer.outcome === 'ok' ? answer : refuse(answer)
  }

  /** The step of a code for a login that waits for it, and the secret it is of. A wrong one is counted. */
  async function stepFor(exchange: Exchange, challenge: string, purpose: Challenge['purpose']) {
    const code = field(fieldsOf(exchange.request), 'code')
    const waiting = await challengeOf(exchange, challenge)
    if (waiting.purpose !== purpose) refuse({ outcome: 'challenge_expired' })
    if (waiting.secret === null) refuse({ outcome: 'two_factor_off' })
    const secret = encryption.decrypt(
      waiting.secret,
      placeOf.authenticator(waiting.organizationId, waiting.userId),
    )
    const step = timeStepOf(secret, code, waiting.lastTimeStep)
    if (step === null) refuse(await ask<Refused>(exchange, 'fail_two_factor', { challenge }))
    return { step, sealed: waiting.secret }
  }

  routes.post('/two-factor/verify', onlyPrograms, parseJson, async (request, response) => {
    const exchange = { request, response }
    const fields = fieldsOf(request)
    const challenge = field(fields, 'challenge')
    const recoveryCode = optionalField(fields, 'recoveryCode')
    const visitor = visitorOf(request, trustedProxies)
    const admission =
      recoveryCode === null
        ? await ask<Admission>(exchange, 'pass_two_factor', {
            challenge,
            time_step: (await stepFor(exchange, challenge, 'verify')).step,
            ...visitor,
          })
        : await ask<Admission>(exchange, 'pass_recovery_code', { challenge, code: recoveryCode, ...visitor })
    await admissions.answer(response, admission)
  })

  routes.post('/two-factor/enrol', parseJson, async (request, response) => {
    const exchange = { request, response }
    const challenge = optionalField(fieldsOf(request), 'challenge')
    const { organizationId, userId, email, claims } =
      challenge === null
        ? await enrolling(await signedIn(request, response))
        : { ...(await challengeOf(exchange, challenge)), claims: {} }
    const { secret, uri } = newSecret(email)
    const begun = await ask<{ outcome: 'ok' } | Refused>(
      exchange,
      'begin_two_factor',
      { secret: encryption.encrypt(secret, placeOf.authenticator(organizationId, userId)), challenge },
      claims,
    )
    if (begun.outcome !== 'ok') refuse(begun)
    response.json({ secret, uri })
  })

  routes.post('/two-factor/confirm', onlyPrograms, parseJson, async (request, response) => {
    const exchange = { request, response }
    const challenge = optionalField(fieldsOf(request), 'challenge')
    let claims = {}
    let proven: { step: number; sealed: string }
    if (challenge === null) {
      const person = await signedIn(request, response)
      claims = person.claims
      const { confirmed, step, sealed } = await authenticatorOf(exchange, person)
      if (confirmed) refuse({ outcome: 'two_factor_already_on' })
      proven = { step: step ?? refuse({ outcome: 'invalid_code' }), sealed }
    } else {
      proven = await stepFor(exchange, challenge, 'enrol')
    }
    const confirmed = await ask<
      { outcome: 'ok'; recoveryCodes: string[]; admission: Admission | null } | Refused
    >(
      exchange,
      'confirm_two_factor',
      // The secret too: another one may have been begun with meanwhile, whose codes nobody has shown.
      { time_step: proven.step, secret: proven.sealed, challenge, ...visitorOf(request, trustedProxies) },
      claims,
    )
    if (confirmed.outcome !== 'ok') refuse(confirmed)
    const { recoveryCodes, admission } = confirmed
    // Whom something else refuses now still sees the codes, for the only time.
    const grant = admission && isAdmitted(admission) ? await admissions.grant(response, admission) : null
    response.json({ recoveryCodes, grant })
  })

  /** The authenticator of a person who logged in, and the step of the code that was given, null when it is wrong. */
  async function authenticatorOf(exchange: Exchange, { organizationId, userId, claims }: SignedInPerson) {
    const code = field(fieldsOf(exchange.request), 'code')
    const authenticator = await ask<Authenticator | null>(exchange, 'pending_two_factor', {}, claims)
    if (!authenticator) refuse({ outcome: 'two_factor_off' })
    const secret = encryption.decrypt(authenticator.secret, placeOf.authenticator(organizationId, userId))
    return {
      confirmed: authenticator.confirmed,
      sealed: authenticator.secret,
      step: timeStepOf(secret, code, authenticator.lastTimeStep),
    }
  }

  /** Asks what only who shows the password and a code again may ask. Which of both was wrong is for SQL to say. */
  async function provenAgain<T extends { outcome: 'ok' }>(exchange: Exchange, question: string): Promise<T> {
    const { request, response } = exchange
    const person = await signedIn(request, response)
    const password = field(fieldsOf(request), 'password')
    const { step } = await authenticatorOf(exchange, person)
    const answer = await askInLine<T | Refused>(
      exchange,
      question,
      { password, time_step: step },
      person.claims,
    )
    return answer.outcome === 'ok' ? answer : refuse(answer)
  }

  routes.post('/two-factor/disable', parseJson, async (request, response) => {
    await provenAgain({ request, response }, 'disable_two_factor')
    response.status(204).end()
  })

  routes.post('/two-factor/recovery-codes', parseJson, async (request, response) => {
    const { recoveryCodes } = await provenAgain<{ outcome: 'ok'; recoveryCodes: string[] }>(
      { request, response },
      'renew_recovery_codes',
    )
    response.json({ recoveryCodes })
  })

  return routes
}

const enrolling = async ({ organizationId, userId, claims, email }: SignedInPerson) => ({
  organizationId,
  userId,
  claims,
  email: await email(),
})
