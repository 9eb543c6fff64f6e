create or replace function app_public."current_user"() returns app_public.users
  language sql stable security definer
  set search_path = ''
as $$
  -- Definer, because a customer may read the own mail address and nobody else's.
  select *
  from app_public.users
  where organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
$$;

comment on function app_public."current_user"() is 'The person who is logged in, or null.';

create or replace function app_private.refuse_weak_password(password text, subject app_public.users, is_demo boolean) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  if octet_length(password) > 72 then
    raise exception using errcode = 'AD003', message = 'A password has at most 72 bytes';
  end if;
  if length(password) < 10 then
    raise exception using errcode = 'AD005', message = 'A password has at least 10 characters';
  end if;
  if exists (select from app_private.common_passwords as common where common.password in (
      lower(refuse_weak_password.password),
      -- A common word that somebody made longer with digits and signs.
      lower(regexp_replace(refuse_weak_password.password, '[^[:alpha:]]+$', ''))
    ))
    or lower(password) in (lower(subject.name), lower(subject.email::text), lower(split_part(subject.email::text, '@', 1)))
    or password ~ '^(.)\1*$'
    -- What the demo is opened with stands in our own handbook.
    or (not is_demo and lower(password) ~ '^atum[^[:alpha:]]*(desk[^[:alpha:]]*)?(demo[^[:alpha:]]*)?$')
  then
    raise exception using errcode = 'AD006', message = 'Many people use this password, or it is the own name or ours';
  end if;
end
$$;

comment on function app_private.refuse_weak_password(text, app_public.users, boolean) is
  'At least 10 characters, at most 72 bytes, not among the common passwords nor one of them with digits or signs at its end, not the own name or address, not one character repeated, and except in the demo not the name of this software; nothing else is asked for. Errors PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

create or replace function app_private.set_password(organization_id uuid, user_id uuid, password text, is_demo boolean default false)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  select * into strict subject
  from app_public.users as person
  where person.organization_id = set_password.organization_id and person.id = set_password.user_id;

  perform app_private.refuse_weak_password(password, subject, set_password.is_demo);

  -- Cost 10: about 50 ms on the machine this was measured on, the least that OWASP accepts for bcrypt.
  insert into app_private.user_secrets as secret (organization_id, user_id, password_hash, is_demo)
  values (set_password.organization_id, set_password.user_id, public.crypt(password, public.gen_salt('bf', 10)), set_password.is_demo)
  on conflict on constraint user_secrets_pkey
  do update set password_hash = excluded.password_hash, is_demo = excluded.is_demo, updated_at = now();

  perform app_private.spend_links_of(subject.organization_id, subject.id);
end
$$;

comment on function app_private.set_password(uuid, uuid, text, boolean) is 'Stores the bcrypt hash of a password, and spends the links the person was sent before. Errors PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

create or replace function app_private.identity_of(subject app_public.users) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', subject.id,
    'name', subject.name,
    'email', subject.email,
    'role', subject.role,
    'locale', coalesce(subject.locale, organization.locale),
    'timeZone', coalesce(subject.time_zone, organization.time_zone),
    'organization', jsonb_build_object('id', organization.id, 'slug', organization.slug, 'name', organization.name)
  )
  from app_public.organizations as organization
  where organization.id = subject.organization_id
$$;

comment on function app_private.identity_of(app_public.users) is 'What the server tells a client about the person who just logged in, and puts into the access token.';

create or replace function app_private.subject_of_claims() returns app_public.users
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in first';
  end if;
  if app_hidden.current_session_id() is null then
    raise exception using errcode = 'AD004', message = 'Only a person who logged in may do that, not an API token';
  end if;

  select * into strict subject
  from app_public.users
  where organization_id = app_hidden.current_organization_id() and id = app_hidden.current_user_id();
  return subject;
end
$$;

comment on function app_private.subject_of_claims() is 'The person who logged in. Errors UNAUTHENTICATED for strangers, SESSION_REQUIRED for API tokens.';

create or replace function app_private.tg_users__refuse_api_token() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  -- The owner, and a provider that says who somebody is, act as no request role.
  if app_hidden.acting_role() in ('atum_customer', 'atum_agent', 'atum_manager', 'atum_admin') then
    perform app_private.subject_of_claims();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_users__refuse_api_token() is 'Whoever found an API token makes nobody an admin, takes no address over and shuts nobody out. Errors SESSION_REQUIRED, UNAUTHENTICATED.';

create or replace trigger _150_refuse_api_token before update of email, role, disabled_at, is_break_glass on app_public.users
  for each row
  when (
    NEW.email is distinct from OLD.email or NEW.role is distinct from OLD.role
    or NEW.disabled_at is distinct from OLD.disabled_at or NEW.is_break_glass is distinct from OLD.is_break_glass
  )
  execute function app_private.tg_users__refuse_api_token();

create or replace function app_private.tg_users__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if OLD.id = app_hidden.current_user_id()
    and (NEW.role <> OLD.role or (NEW.disabled_at is not null and OLD.disabled_at is null))
  then
    raise exception using errcode = 'AD009', message = 'Another admin changes your role or shuts your account';
  end if;

  if OLD.role = 'admin' and OLD.disabled_at is null
    and (NEW.role <> 'admin' or NEW.disabled_at is not null or (OLD.is_break_glass and not NEW.is_break_glass))
  then
    -- Two admins who demote each other at the same moment come one after the other.
    perform from app_public.organizations where id = OLD.organization_id for no key update;

    if (NEW.role <> 'admin' or NEW.disabled_at is not null) and not exists (
      select
      from app_public.users as other
      where other.organization_id = OLD.organization_id and other.id <> OLD.id
        and other.role = 'admin' and other.disabled_at is null and other.activated_at is not null
    ) then
      raise exception using errcode = 'AD007', message = 'The organization needs an admin who can log in';
    end if;

    if OLD.is_break_glass
      and not app_private.can_break_glass(OLD.organization_id, OLD.id)
      and exists (
        select from app_public.security_policies as policy
        where policy.organization_id = OLD.organization_id and not policy.local_login
      )
    then
      raise exception using errcode = 'AD007', message = 'While local login is off, the organization needs a break-glass admin';
    end if;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_users__refuse() is 'Keeps an admin who can log in, also one who may break the glass while local login is off, and lets nobody change the own role or shut the own account. Errors LAST_ADMIN, NOT_YOURSELF.';

create or replace trigger _200_refuse before update of role, disabled_at, is_break_glass on app_public.users
  for each row execute function app_private.tg_users__refuse();

create or replace function app_private.tg_users__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.end_sessions_of(NEW.organization_id, NEW.id);
  if NEW.disabled_at is not null then
    perform app_private.revoke_api_tokens_of(NEW.organization_id, NEW.id);
  end if;
  -- API tokens carry the role too.
  perform app_private.tell_servers('user', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__end_sessions() is 'Ends the sessions of a person who was disabled or whose role changed, revokes the API tokens of one who was disabled, and has the servers forget what they knew of the person.';

create or replace trigger _500_end_sessions after update of disabled_at, role on app_public.users
  for each row
  when (NEW.disabled_at is distinct from OLD.disabled_at or NEW.role <> OLD.role)
  execute function app_private.tg_users__end_sessions();

create or replace function app_private.tg_users__spend_links() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.spend_links_of(NEW.organization_id, NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__spend_links() is 'What was sent to an address that is no longer the person''s, or before the person had come, opens nothing any more.';

create or replace trigger _500_spend_links after update of email, activated_at on app_public.users
  for each row when (NEW.email is distinct from OLD.email or (OLD.activated_at is null and NEW.activated_at is not null))
  execute function app_private.tg_users__spend_links();

create or replace function app_private.tg_users__tell_old_address() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.write_account_mail(NEW, 'address_changed', OLD.email::text);
  return null;
end
$$;

comment on function app_private.tg_users__tell_old_address() is 'Whose address it was learns that it no longer is. Who never came is told nothing.';

create or replace trigger _600_tell_old_address after update of email on app_public.users
  for each row when (NEW.email is distinct from OLD.email and OLD.activated_at is not null)
  execute function app_private.tg_users__tell_old_address();

create or replace function app_private.tg_users__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__tell_servers() is 'Has the servers close the sockets of a person who sees other tickets from now on: they come back and listen where they should.';

create or replace function app_private.tg_team_members__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', person.id)
  from app_public.users as person
  where person.organization_id = coalesce(NEW.organization_id, OLD.organization_id)
    and person.id = coalesce(NEW.user_id, OLD.user_id) and person.restricted_to_teams;
  return null;
end
$$;

comment on function app_private.tg_team_members__tell_servers() is 'Has the servers close the sockets of an agent who sees other tickets from now on.';

create or replace trigger _800_tell_servers after insert or delete on app_public.team_members
  for each row execute function app_private.tg_team_members__tell_servers();

create or replace trigger _800_tell_servers after update of restricted_to_teams, company_id on app_public.users
  for each row
  when (NEW.restricted_to_teams <> OLD.restricted_to_teams or NEW.company_id is distinct from OLD.company_id)
  execute function app_private.tg_users__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.users
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public."current_user"(), app_private.refuse_weak_password(text, app_public.users, boolean),
  app_private.set_password(uuid, uuid, text, boolean), app_private.identity_of(app_public.users),
  app_private.subject_of_claims(), app_private.tg_users__refuse_api_token(), app_private.tg_users__refuse(),
  app_private.tg_users__end_sessions(), app_private.tg_users__spend_links(), app_private.tg_users__tell_old_address(), app_private.tg_users__tell_servers(),
  app_private.tg_team_members__tell_servers()
from public;

grant execute on function app_public."current_user"() to atum_anonymous, atum_customer, atum_agent;
