-- Who is at a ticket is in the memory of the servers and in no table. What they ask here is who may be there.

create or replace function app_private.lost_from_sight(organization_ids uuid[], ticket_ids uuid[], user_ids uuid[]) returns integer[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(place.position::integer order by place.position), '{}')
  from unnest(organization_ids, ticket_ids, user_ids) with ordinality as place (organization_id, ticket_id, user_id, position)
  where not exists (
    select
    from app_public.tickets as ticket
    join app_public.users as person on person.organization_id = ticket.organization_id and person.id = place.user_id
    where ticket.organization_id = place.organization_id and ticket.id = place.ticket_id
      and person.role <> 'customer' and person.disabled_at is null
      and (ticket.assignee_id = person.id or app_private.may_see_ticket(person.id, ticket))
  )
$$;

comment on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) is
  'Which of those who are at tickets, by their position from one on, are no staff any more or do not see the ticket any more. For the server, which asks of all its people at once.';

revoke all on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) from public;

grant execute on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) to atum_server;
