create or replace function app_public.current_organization() returns app_public.organizations
  language sql stable
  set search_path = ''
as $$
  select * from app_public.organizations where id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_organization() is 'The organization of the caller, or null when nobody is logged in.';

create or replace function app_private.organization_ids() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select id from app_public.organizations order by id
$$;

comment on function app_private.organization_ids() is 'Every organization, for jobs that go from one to the next.';

create or replace function app_private.create_organization(
  slug text,
  name text,
  time_zone text default 'Etc/UTC',
  locale text default 'en',
  ticket_prefix text default 'ATUM',
  hours jsonb default '"always_open"'
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  new_organization_id uuid;
  new_calendar_id uuid;
  new_policy_id uuid;
begin
  insert into app_public.organizations (slug, name, time_zone, locale, ticket_prefix)
  values (slug, name, time_zone, locale, ticket_prefix)
  returning id into new_organization_id;

  insert into app_private.ticket_counters (organization_id) values (new_organization_id);

  insert into app_public.sla_calendars (organization_id, name, time_zone, hours)
  values (new_organization_id, 'Working hours', time_zone, hours)
  returning id into new_calendar_id;

  insert into app_public.sla_policies (organization_id, name, calendar_id)
  values (new_organization_id, 'Standard', new_calendar_id)
  returning id into new_policy_id;

  insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
  select new_organization_id, new_policy_id, target.priority::app_public.ticket_priority, target.kind::app_public.sla_target_kind, target.hours * 3600
  from (
    values
      ('urgent', 'first_response', 1), ('urgent', 'resolution', 8),
      ('high', 'first_response', 2), ('high', 'resolution', 16),
      ('normal', 'first_response', 4), ('normal', 'resolution', 32),
      ('low', 'first_response', 8), ('low', 'resolution', 64)
  ) as target (priority, kind, hours);

  return new_organization_id;
end
$$;

comment on function app_private.create_organization(text, text, text, text, text, jsonb) is
  'Makes an organization with a calendar and a standard service level policy, ready for its first ticket. Returns its id.';

create or replace trigger _100_stamp_updated_at before update on app_public.organizations
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.teams
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.services
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public.current_organization(), app_private.organization_ids(),
  app_private.create_organization(text, text, text, text, text, jsonb)
from public;

grant execute on function app_public.current_organization() to atum_anonymous, atum_customer, atum_agent;
grant execute on function app_private.organization_ids() to atum_worker;
