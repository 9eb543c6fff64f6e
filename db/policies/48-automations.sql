select app_private.reset_access('app_public.automations');

create policy select_manager on app_public.automations for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.automations for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.automations to atum_manager;
grant update (name, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions)
  on app_public.automations to atum_admin;
-- NOTE: made, ordered and removed by functions.

select app_private.reset_access('app_public.automation_firings');

-- NOTE: agents read what an automation did in the history of the ticket.
create policy select_manager on app_public.automation_firings for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.automation_firings to atum_manager;

select app_private.reset_access('app_private.automation_queue');
select app_private.reset_access('app_private.automation_matches');
-- NOTE: only the functions of automations read and write these.
