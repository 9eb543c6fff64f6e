create or replace function app_public.current_security_policy() returns app_public.security_policies
  language sql stable
  set search_path = ''
as $$
  select * from app_public.security_policies where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_security_policy() is 'How people of the organization get in. Admins only.';

create or replace function app_private.can_break_glass(organization_id uuid, except_id uuid default null) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.organization_id = can_break_glass.organization_id and person.id is distinct from except_id
      and person.is_break_glass and person.role = 'admin' and person.disabled_at is null and person.activated_at is not null
  )
$$;

comment on function app_private.can_break_glass(uuid, uuid) is 'Whether an admin, besides the one named, gets in by password while local login is off.';

create or replace function app_public.change_security_policy(
  two_factor_roles app_public.user_role[] default null,
  registration_domains text[] default null,
  local_login boolean default null
) returns app_public.security_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  changed app_public.security_policies;
begin
  if exists (
    select from unnest(change_security_policy.registration_domains) as domain
    where (lower(domain) ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$') is not true
  ) then
    raise exception using errcode = '23514', message = 'A mail domain is written like example.com';
  end if;

  perform app_private.subject_of_claims();

  -- One after the other with whoever takes the break-glass account away.
  perform from app_public.organizations where id = app_hidden.current_organization_id() for no key update;

  update app_public.security_policies as policy
  set
    two_factor_roles = coalesce(array_remove(change_security_policy.two_factor_roles, null), policy.two_factor_roles),
    registration_domains = case
      when change_security_policy.registration_domains is null then policy.registration_domains
      else array(select distinct lower(domain) from unnest(change_security_policy.registration_domains) as domain order by 1)
    end,
    local_login = coalesce(change_security_policy.local_login, policy.local_login)
  where policy.organization_id = app_hidden.current_organization_id()
  returning * into changed;

  if not changed.local_login and not app_private.can_break_glass(changed.organization_id) then
    raise exception using
      errcode = 'AD007', message = 'Name a break-glass admin with a password before local login is turned off';
  end if;
  return changed;
end
$$;

comment on function app_public.change_security_policy(app_public.user_role[], text[], boolean) is
  'Changes what is given and leaves the rest. People whose role must now have a second factor and who have none are logged out, and enrol one at the next login. Local login is turned off only where a break-glass admin can get in. Admins only. Errors: LAST_ADMIN, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_security_policies__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_private.sessions as session
  set revoked_at = now()
  from app_public.users as person
  where session.organization_id = NEW.organization_id
    and person.organization_id = session.organization_id and person.id = session.user_id
    and session.revoked_at is null and session.expires_at > now()
    and person.role = any (NEW.two_factor_roles) and person.role <> all (OLD.two_factor_roles)
    and not exists (
      select
      from app_private.authenticators as authenticator
      where authenticator.organization_id = person.organization_id and authenticator.user_id = person.id
        and authenticator.confirmed_at is not null
    )
    -- Whoever decides it enrols at the next login, and sees now what was saved.
    and session.id is distinct from app_hidden.current_session_id();
  return null;
end
$$;

comment on function app_private.tg_security_policies__end_sessions() is 'Logs out those who must now have a second factor and have none.';

create or replace trigger _500_end_sessions after update of two_factor_roles on app_public.security_policies
  for each row execute function app_private.tg_security_policies__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.security_policies
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.can_break_glass(uuid, uuid), app_public.current_security_policy(), app_public.change_security_policy(app_public.user_role[], text[], boolean),
  app_private.tg_security_policies__end_sessions()
from public;

grant execute on function
  app_public.current_security_policy(), app_public.change_security_policy(app_public.user_role[], text[], boolean)
to atum_admin;
