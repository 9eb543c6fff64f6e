import type { Task } from 'graphile-worker'
import type { QueryResult } from 'pg'
import { type Encryption, placeOf } from '../../server/encryption.ts'
import { type Step, steppedOrganizationTask } from '../organization-task.ts'
import { type CallOptions, type CallOutcome, callWebhook, type WebhookCall } from '../webhooks/call.ts'

type Payload = GraphileWorker.Tasks['deliver_webhook']

/** A call as the database hands it out. */
interface Claimed extends Omit<WebhookCall, 'secrets'> {
  attemptId: string
  secrets: readonly string[]
}

/**
 * Calls a webhook with what waits in a lane, one after the other, until nothing is due. What a worker that is lost had
 * called but not noted is called once more, with the same `webhook-id`.
 */
export default function deliverWebhook(encryption: Encryption | undefined, options: CallOptions = {}): Task {
  return steppedOrganizationTask<Payload>(
    async (step, { organizationId, webhookId, lane }, { abortSignal, logger }) => {
      const place = placeOf.webhook(organizationId, webhookId)
      while (!abortSignal.aborted) {
        const claimed = await take(step, webhookId, lane)
        if (!claimed) return

        const outcome = await call(claimed, encryption, place, { ...options, signal: abortSignal })
        if (outcome.fault === 'secret') logger.error(`webhook ${webhookId}: ${outcome.error}`)
        await step((client) =>
          client.query('select app_private.finish_webhook_attempt($1, $2)', [
            claimed.attemptId,
            JSON.stringify(outcome),
          ]),
        )
      }
    },
  )
}

function take(step: Step, webhookId: string, lane: string): Promise<Claimed | null> {
  return step(async (client) => {
    const { rows }: QueryResult<{ claimed: Claimed | null }> = await client.query(
      'select app_private.take_webhook_delivery($1, $2) as claimed',
      [webhookId, lane],
    )
    return rows[0]?.claimed ?? null
  })
}

function call(
  { secrets: sealed, ...claimed }: Claimed,
  encryption: Encryption | undefined,
  place: string,
  options: CallOptions,
): Promise<CallOutcome> | CallOutcome {
  const unsigned = (error: string) => ({ fault: 'secret' as const, error, durationMs: 0 })
  if (!encryption) return unsigned('The worker has no ATUM_ENCRYPTION_KEY to open the secret with')
  let secrets: string[]
  try {
    secrets = sealed.map((secret) => encryption.decrypt(secret, place))
  } catch (error) {
    return unsigned((error as Error).message)
  }
  return callWebhook({ ...claimed, secrets }, options)
}
