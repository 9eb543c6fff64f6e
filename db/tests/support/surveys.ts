/** A ticket whose requester was asked how it went, and has yet to say. */
export async function survey(
  run: (sql: string, ...values: unknown[]) => Promise<unknown>,
  ticketId: string | undefined,
) {
  await run(
    `with asked as (
      insert into app_public.csat_surveys (organization_id, ticket_id, requester_id, state, planned_for, sent_at, expires_at)
      select organization_id, id, requester_id, 'sent', now(), now(), now() + interval '14 days'
      from app_public.tickets where organization_id = $1 and id = $2 returning *
    )
    insert into app_private.csat_tokens (organization_id, survey_id, token_hash)
    select organization_id, id, sha256(id::text::bytea) from asked`,
    ticketId,
  )
}
