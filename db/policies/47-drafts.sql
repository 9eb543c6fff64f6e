select app_private.reset_access('app_public.ticket_drafts');

-- What somebody has not said yet is nobody else's.
create policy select_author on app_public.ticket_drafts for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
  );

-- NOTE: save_draft and discard_draft write drafts.
grant select on app_public.ticket_drafts to atum_customer, atum_agent;

select app_private.reset_access('app_public.outgoing_replies');

create policy select_author on app_public.outgoing_replies for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
  );

-- Staff send in their own name, on the tickets they see.
create policy insert_author on app_public.outgoing_replies for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = outgoing_replies.organization_id and ticket.id = outgoing_replies.ticket_id
      )
    )
  );

grant select on app_public.outgoing_replies to atum_agent;
grant insert (
  organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key,
  attachment_ids
) on app_public.outgoing_replies to atum_agent;
-- NOTE: undo_send takes one back; nothing else of it is changed.
