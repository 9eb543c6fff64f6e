select app_private.reset_access('app_public.time_activities');

create policy select_staff on app_public.time_activities for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.time_activities for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.time_activities to atum_agent;
grant update (name, is_billable, archived_at) on app_public.time_activities to atum_admin;
-- NOTE: made by a function; what time was recorded for is never removed.

select app_private.reset_access('app_public.time_entries');

-- Staff read the time on tickets they see, and the own time wherever it was worked.
create policy select_staff on app_public.time_entries for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or agent_id = (select app_hidden.current_user_id())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = time_entries.organization_id and ticket.id = time_entries.ticket_id
      )
    )
  );

grant select on app_public.time_entries to atum_agent;
-- NOTE: recorded and corrected by functions, which keep what an entry said before.

select app_private.reset_access('app_public.time_corrections');

create policy select_staff on app_public.time_corrections for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.time_entries as entry
      where entry.organization_id = time_corrections.organization_id and entry.id = time_corrections.entry_id
    )
  );

grant select on app_public.time_corrections to atum_agent;

select app_private.reset_access('app_public.running_timers');

create policy select_self on app_public.running_timers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and agent_id = (select app_hidden.current_user_id())
  );

grant select on app_public.running_timers to atum_agent;
