-- The search documents of the tickets of one organization from a number on, as the triggers would have kept them.
-- $1 organization, $2 the number after which they begin.
insert into app_hidden.ticket_documents (organization_id, ticket_id, words)
select
  ticket.organization_id, ticket.id,
  app_private.ticket_words(ticket, 'app_hidden.english')
    || setweight(to_tsvector('app_hidden.english', coalesce(said.in_public, '')), 'B')
    || setweight(to_tsvector('app_hidden.english', coalesce(said.internally, '')), 'D')
from app_public.tickets as ticket
cross join lateral (
  select
    string_agg(comment.body, ' ') filter (where comment.visibility = 'public') as in_public,
    string_agg(comment.body, ' ') filter (where comment.visibility = 'internal') as internally
  from app_public.comments as comment
  where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id
) as said
where ticket.organization_id = $1::uuid and ticket.number > $2::integer
