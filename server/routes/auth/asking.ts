import type { Request, Response } from 'express'
import type { Pool } from 'pg'
import { clientAddress } from '../../caller.ts'
import { withTransaction } from '../../database.ts'

/** A request and what it is answered with. */
export interface Exchange {
  request: Request
  response: Response
}

/** Asks one function of `app_private` by the names of its arguments. What it recorded is kept, also where it refuses. */
export type Ask = <T>(
  exchange: Exchange,
  question: string,
  values: Record<string, unknown>,
  /** Who asks, where that is known. */
  claims?: Record<string, string>,
) => Promise<T>

export function createAsk(pool: Pool, trustedProxies: number): Ask {
  return <T>(
    { request, response }: Exchange,
    question: string,
    values: Record<string, unknown>,
    claims: Record<string, string> = {},
  ) => {
    const names = Object.keys(values).map((name, index) => `${name} => $${index + 1}`)
    const settings = {
      ...claims,
      'atum.request_id': response.locals.requestId as string,
      'atum.ip_address': clientAddress(request, trustedProxies),
    }
    return withTransaction(pool, settings, async (client) => {
      const { rows } = await client.query<{ answer: T }>(
        `select app_private.${question}(${names.join(', ')}) as answer`,
        Object.values(values),
      )
      return rows[0]!.answer
    })
  }
}

/** From where and with what somebody asks, as the database keeps it of a session. */
export function visitorOf(
  request: Request,
  trustedProxies: number,
): { ip_address: string; user_agent: string | null } {
  return {
    ip_address: clientAddress(request, trustedProxies),
    user_agent: request.get('user-agent') ?? null,
  }
}
