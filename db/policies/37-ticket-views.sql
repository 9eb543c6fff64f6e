select app_private.reset_access('app_public.ticket_views');

create policy select_staff on app_public.ticket_views for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      owner_id = (select app_hidden.current_user_id())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or (owner_id is null and team_id is null)
    )
  );

-- Managers keep the views of all teams in order; what is personal is nobody else's.
create policy select_manager on app_public.ticket_views for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id is null);

-- NOTE: save_ticket_view and delete_ticket_view write.
grant select on app_public.ticket_views to atum_agent;
