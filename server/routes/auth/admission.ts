import type { Response } from 'express'
import { accessTokenSeconds, userRoles, type AccessTokens, type UserRole } from '../../access-token.ts'
import type { Ask } from './asking.ts'
import type { Cookie } from './cookies.ts'
import { refuse, type Refused } from './refusals.ts'

/** A person who has proved who they are, and got a session. */
export interface Admitted {
  outcome: 'ok'
  user: {
    id: string
    name: string
    email: string
    role: UserRole
    locale: string
    timeZone: string
    organization: { id: string; slug: string; name: string }
  }
  sessionId: string
  /** Absent where the one before is still good for a moment. */
  refreshToken?: string
}

/** A person who has taken the first step and must take a second. */
export interface Challenged {
  outcome: 'two_factor_required' | 'two_factor_enrolment'
  challenge: string
}

/** What the database answers to whoever has proved who they are. */
export type Admission = Admitted | Challenged | Refused

/** What a client gets that is let in; the refresh token comes as a cookie. */
export interface Grant {
  accessToken: string
  expiresIn: number
  user: Omit<Admitted['user'], 'organization'> & { organization: { name: string; slug: string } }
}

export interface Admissions {
  /** Gives a session to the browser, and ends the one that was there: nobody could reach it any more. */
  keep(response: Response, refreshToken: string): Promise<void>
  /** Lets a person in: keeps the session and makes the access token. */
  grant(response: Response, admitted: Admitted): Promise<Grant>
  /** Answers with a grant, with the challenge of the second step, or refuses. */
  answer(response: Response, admission: Admission): Promise<void>
}

export const isChallenged = (admission: Admission): admission is Challenged =>
  admission.outcome === 'two_factor_required' || admission.outcome === 'two_factor_enrolment'

export const isAdmitted = (admission: Admission): admission is Admitted => admission.outcome === 'ok'

/** The second step as clients know it. Whoever only has this has neither a cookie nor an access token. */
export function challengeOf({ outcome, challenge }: Challenged): {
  challenge: string
  step: 'verify' | 'enrol'
} {
  return { challenge, step: outcome === 'two_factor_required' ? 'verify' : 'enrol' }
}

/** Both tokens of one session begin with it. */
const familyOf = (refreshToken: string): string => refreshToken.slice(0, 32)

export function createAdmissions(accessTokens: AccessTokens, cookie: Cookie, ask: Ask): Admissions {
  const keep = async (response: Response, refreshToken: string): Promise<void> => {
    const former = cookie.read(response.req)
    cookie.set(response, refreshToken)
    if (former !== undefined && familyOf(former) !== familyOf(refreshToken)) {
      await ask({ request: response.req, response }, 'log_out', { refresh_token: former })
    }
  }

  const grant = async (response: Response, { user, sessionId, refreshToken }: Admitted): Promise<Grant> => {
    const { id, name, email, role, locale, timeZone, organization } = user
    if (!userRoles.includes(role)) throw new Error(`A user has the unknown role ${role}`)
    if (refreshToken !== undefined) await keep(response, refreshToken)
    return {
      accessToken: accessTokens.sign({ userId: id, organizationId: organization.id, role, sessionId }),
      expiresIn: accessTokenSeconds,
      user: {
        id,
        name,
        email,
        role,
        locale,
        timeZone,
        organization: { name: organization.name, slug: organization.slug },
      },
    }
  }

  return {
    keep,
    grant,
    async answer(response, admission) {
      if (isAdmitted(admission)) response.json(await grant(response, admission))
      else if (isChallenged(admission)) response.json(challengeOf(admission))
      else refuse(admission)
    },
  }
}
