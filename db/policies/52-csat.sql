select app_private.reset_access('app_public.csat_settings');

create policy select_staff on app_public.csat_settings for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.csat_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.csat_settings to atum_agent;
grant update (is_enabled, delay_minutes, sample_percent, expires_days, question, low_score)
  on app_public.csat_settings to atum_admin;

select app_private.reset_access('app_public.csat_surveys');

-- Requesters see what they were asked themselves; not that they will be, and not what their colleagues were.
create policy select_requester on app_public.csat_surveys for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
    and sent_at is not null
  );

create policy select_staff on app_public.csat_surveys for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = csat_surveys.organization_id and ticket.id = csat_surveys.ticket_id
      )
    )
  );

grant select (
  organization_id, id, ticket_id, requester_id, state, question, score, comment, planned_for, sent_at, expires_at, answered_at,
  answered_by, created_at
) on app_public.csat_surveys to atum_customer;
grant select on app_public.csat_surveys to atum_agent;
-- NOTE: planned, sent and answered by functions.

select app_private.reset_access('app_private.csat_tokens');
-- NOTE: only the functions of surveys read and write it.
