select app_private.reset_access('app_public.comments');

-- Customers read what was said in public on the tickets they see.
create policy select_requester on app_public.comments for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

-- Customers speak in public, in their own name, on the tickets they see.
create policy insert_requester on app_public.comments for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

create policy select_staff on app_public.comments for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

-- Staff speak in their own name, on the tickets they see.
create policy insert_staff on app_public.comments for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

grant select on app_public.comments to atum_customer, atum_agent;
grant insert (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  on app_public.comments to atum_customer, atum_agent;
-- NOTE: update and delete are granted to nobody; what was said stays said.

select app_private.reset_access('app_public.comment_mentions');

create policy select_staff on app_public.comment_mentions for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.comments as comment
        where comment.organization_id = comment_mentions.organization_id and comment.id = comment_mentions.comment_id
      )
    )
  );

-- NOTE: add_comment writes mentions.
grant select on app_public.comment_mentions to atum_agent;
