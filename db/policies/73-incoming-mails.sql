select app_private.reset_access('app_public.incoming_mails');

create policy select_admin on app_public.incoming_mails for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.incoming_mails to atum_admin;
-- NOTE: written by the functions of the worker.

select app_private.reset_access('app_public.comment_originals');

-- Whoever reads the comment reads what came with it.
create policy select_member on app_public.comment_originals for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.comments as comment
      where comment.organization_id = comment_originals.organization_id and comment.id = comment_originals.comment_id
    )
  );

grant select on app_public.comment_originals to atum_customer, atum_agent;
-- NOTE: written by the functions of the worker.
