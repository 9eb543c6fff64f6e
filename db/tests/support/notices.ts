import { value } from './connections.ts'
import type { Stage } from './stage.ts'
import { type Actor, asRoleForGood } from './session.ts'

/** What somebody was told: whom, of what kind and why. */
export type Told = Record<string, string>

/** Ways to ask who was told what. People are called by the first word of their name. */
export function noticesOf(stage: Stage) {
  /** Tells whoever is to be told of what happened to a ticket, as the job does. */
  const announce = (ticketId: string) =>
    stage.does(stage.acme.worker, 'select app_private.announce_ticket_events($1)', [ticketId])

  /** Who is told what of a ticket because of some work: `{ agent: 'reply: assignee watcher' }`. */
  const hear = async (ticketId: string, work: () => Promise<unknown>): Promise<Told> => {
    await announce(ticketId)
    const { rows: before } = await stage.superuser.query<{ id: string }>(
      'select id from app_public.notifications where ticket_id = $1',
      [ticketId],
    )
    await work()
    await announce(ticketId)
    const { rows } = await stage.superuser.query<{ name: string; said: string }>(
      `select split_part(person.name, ' ', 1) as name,
        string_agg(notification.kind || ': ' || array_to_string(notification.reasons, ' '), ', ' order by notification.id) as said
      from app_public.notifications as notification
      join app_public.users as person using (organization_id)
      where person.id = notification.user_id and notification.ticket_id = $1 and notification.id <> all ($2)
      group by 1 order by 1`,
      [ticketId, before.map(({ id }) => id)],
    )
    return Object.fromEntries(rows.map(({ name, said }) => [name, said]))
  }

  /** A person of acme with a role of their own, and what else is to be known of them. */
  const person = async (name: string, role: 'agent' | 'customer', more: Record<string, unknown> = {}) => {
    const columns = { name, email: `${name}@acme.test`, role, ...more }
    const userId = await value<string>(
      stage.superuser,
      `insert into app_public.users (organization_id, ${Object.keys(columns).join(', ')})
      values ($1, ${Object.keys(columns)
        .map((_, position) => `$${position + 2}`)
        .join(', ')}) returning id`,
      [stage.acme.organizationId, ...Object.values(columns)],
    )
    return {
      role: `atum_${role}`,
      organizationId: stage.acme.organizationId,
      userId,
    } satisfies Actor
  }

  /** An event that nothing in the database writes by itself. */
  const record = (ticketId: string, type: string, after: object = {}, actorId: string | null = null) =>
    asRoleForGood(
      stage.superuser,
      { role: 'atum_owner', organizationId: stage.acme.organizationId, userId: actorId ?? '' },
      () =>
        value<string>(
          stage.superuser,
          `select app_private.record_ticket_event(ticket, $2, $3) from app_public.tickets as ticket where id = $1`,
          [ticketId, type, after],
        ),
    )

  return { announce, hear, person, record }
}
