select app_private.reset_access('app_public.sla_calendars');

create policy select_staff on app_public.sla_calendars for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.sla_calendars for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_calendars to atum_agent;
grant update (name, time_zone, hours) on app_public.sla_calendars to atum_admin;
-- NOTE: made and removed by functions; so are holidays, policies, targets and escalations.

select app_private.reset_access('app_public.sla_holidays');

create policy select_staff on app_public.sla_holidays for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_holidays to atum_agent;

select app_private.reset_access('app_public.sla_policies');

create policy select_staff on app_public.sla_policies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.sla_policies for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_policies to atum_agent;
grant update (name, calendar_id, priorities, service_ids, team_ids, company_ids, channels, tags, archived_at)
  on app_public.sla_policies to atum_admin;

select app_private.reset_access('app_public.sla_targets');

create policy select_staff on app_public.sla_targets for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_targets to atum_agent;

select app_private.reset_access('app_public.sla_escalations');

create policy select_staff on app_public.sla_escalations for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_escalations to atum_agent;

select app_private.reset_access('app_public.sla_recomputations');

create policy select_manager on app_public.sla_recomputations for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

grant select (organization_id, id, requested_by_id, total, done, created_at, started_at, finished_at)
  on app_public.sla_recomputations to atum_manager;

select app_private.reset_access('app_public.sla_calculations');

-- Clocks are the organization's own measure; customers are not shown them.
create policy select_staff on app_public.sla_calculations for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = sla_calculations.organization_id and ticket.id = sla_calculations.ticket_id
      )
    )
  );

-- NOTE: only triggers and the worker's functions write clocks.
grant select on app_public.sla_calculations to atum_agent;
