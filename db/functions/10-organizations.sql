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
  insert into app_public.security_policies (organization_id) values (new_organization_id);
  insert into app_public.ticket_settings (organization_id) values (new_organization_id);
  insert into app_public.ticket_states (organization_id, kind, is_default)
  select new_organization_id, kind, true from unnest(enum_range(null::app_public.ticket_status)) as kind;

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

-- The operator of the installation makes and closes organizations, and sees nothing inside them.

create or replace function app_private.found_organization(
  slug text, name text, admin_email text, admin_name text, time_zone text default 'Etc/UTC', locale text default 'en', ticket_prefix text default 'ATUM'
) returns text
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  new_admin app_public.users;
  mail_id uuid;
begin
  -- The one before, where several are made in one transaction.
  perform set_config('atum.organization_id', '', true);
  perform set_config(
    'atum.organization_id', app_private.create_organization(slug, name, time_zone, locale, ticket_prefix)::text, true
  );

  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (app_hidden.current_organization_id(), admin_email, admin_name, 'admin', null)
  returning * into new_admin;

  insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
  values (new_admin.organization_id, new_admin.id, 'invitation', now() + interval '7 days', 'handed_over')
  returning id into mail_id;
  return app_private.issue_account_token(mail_id);
end
$$;

comment on function app_private.found_organization(text, text, text, text, text, text, text) is
  'Makes an organization with its first admin, and returns the token of the admin''s invitation, good for 7 days: `/invitation#token=…`. For the operator.';

create or replace function app_private.suspend_organization(slug text, suspended boolean default true) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  update app_public.organizations as organization
  set suspended_at = case when suspended then coalesce(organization.suspended_at, now()) end
  where organization.slug = suspend_organization.slug;
  return found;
end
$$;

comment on function app_private.suspend_organization(text, boolean) is 'Closes an organization for a time, or with false opens it again; false when there is none of this name. Within a second nobody of it gets in, and open sockets close. For the operator.';

create or replace function app_private.organizations_overview()
  returns table (slug text, name text, created_at timestamptz, suspended_at timestamptz, people bigint)
  language sql stable security definer
  set search_path = ''
as $$
  select organization.slug, organization.name, organization.created_at, organization.suspended_at,
    (select count(*) from app_public.users as person where person.organization_id = organization.id)
  from app_public.organizations as organization
  order by organization.slug
$$;

comment on function app_private.organizations_overview() is 'The organizations of the installation, and how many people each has. For the operator.';

create or replace function app_private.tg_organizations__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('organization', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__tell_servers() is 'Has every server close or open an organization.';

create or replace trigger _800_tell_servers after update of suspended_at on app_public.organizations
  for each row when (NEW.suspended_at is distinct from OLD.suspended_at)
  execute function app_private.tg_organizations__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.organizations
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.teams
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.services
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public.current_organization(), app_private.organization_ids(),
  app_private.create_organization(text, text, text, text, text, jsonb),
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview(),
  app_private.tg_organizations__tell_servers()
from public;

grant execute on function app_public.current_organization() to atum_anonymous, atum_customer, atum_agent;
grant execute on function app_private.organization_ids() to atum_worker;
grant execute on function
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview()
to atum_operator;
