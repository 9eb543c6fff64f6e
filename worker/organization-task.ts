import type { JobHelpers, Task } from 'graphile-worker'
import type { ClientBase, QueryResult } from 'pg'

/** A connection inside a transaction that acts for one organization and sees no other. */
export type OrganizationClient = Pick<ClientBase, 'query'>

/** What a job does once it is inside its organization. */
export type OrganizationHandler<Payload> = (
  client: OrganizationClient,
  payload: Payload,
  helpers: JobHelpers,
) => Promise<unknown>

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A job came without the organization it is to act for. It is never run, because no row would be the right one. */
export class JobWithoutOrganizationError extends Error {
  constructor(task: string) {
    super(`The job ${task} has no organization and is refused`)
    this.name = 'JobWithoutOrganizationError'
  }
}

/**
 * The one way a job reaches tenant data: in a transaction, as the worker's role, with the claims of the organization
 * its payload names. It is refused without one.
 */
export function organizationTask<Payload extends { organizationId: string }>(
  handler: OrganizationHandler<Payload>,
): Task {
  return async (payload, helpers) => {
    if (!hasOrganization(payload)) throw new JobWithoutOrganizationError(helpers.job.task_identifier)
    await inOrganization(helpers, payload.organizationId, (client) =>
      handler(client, payload as Payload, helpers),
    )
  }
}

/** Does one piece of a job in a transaction of its own, inside the job's organization. */
export type Step = <Result>(work: (client: OrganizationClient) => Promise<Result>) => Promise<Result>

/**
 * A job that talks to somebody outside of Postgres in between. What it reads before and writes after are steps; while
 * it talks, which may take long, no transaction is open.
 */
export function steppedOrganizationTask<Payload extends { organizationId: string }>(
  handler: (step: Step, payload: Payload, helpers: JobHelpers) => Promise<unknown>,
): Task {
  return async (payload, helpers) => {
    if (!hasOrganization(payload)) throw new JobWithoutOrganizationError(helpers.job.task_identifier)
    const step: Step = (work) => inOrganization(helpers, payload.organizationId, work)
    await handler(step, payload as Payload, helpers)
  }
}

/** A job that goes through all organizations, each in a transaction of its own, so that one's fault is only its own. */
export function everyOrganizationTask(
  handler: (client: OrganizationClient, organizationId: string, helpers: JobHelpers) => Promise<unknown>,
): Task {
  return async (_payload, helpers) => {
    const { rows }: QueryResult<{ id: string }> = await helpers.query(
      'select id from app_private.organization_ids() as id',
    )
    const failures: unknown[] = []
    for (const { id } of rows) {
      try {
        await inOrganization(helpers, id, (client) => handler(client, id, helpers))
      } catch (error) {
        failures.push(error)
        helpers.logger.error(`organization ${id}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, `${failures.length} of ${rows.length} organizations failed`)
    }
  }
}

function hasOrganization(payload: unknown): payload is { organizationId: string } {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'organizationId' in payload &&
    typeof payload.organizationId === 'string' &&
    uuid.test(payload.organizationId)
  )
}

function inOrganization<Result>(
  helpers: JobHelpers,
  organizationId: string,
  work: (client: OrganizationClient) => Promise<Result>,
): Promise<Result> {
  return helpers.withPgClient(async (client) => {
    await client.query('begin')
    try {
      await client.query(
        `select set_config('role', 'atum_worker', true),
                set_config('atum.organization_id', $1, true),
                set_config('atum.request_id', $2, true),
                set_config('atum.worker', $3, true)`,
        [organizationId, `job:${helpers.job.id}`, helpers.job.locked_by ?? ''],
      )
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback')
      throw error
    }
  })
}
