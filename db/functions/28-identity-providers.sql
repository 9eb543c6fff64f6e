create or replace function app_private.login_methods(organization_slug text) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'organization', case when organization.id is not null then jsonb_build_object('slug', organization.slug, 'name', organization.name) end,
    'localLogin', coalesce(policy.local_login, true),
    'registration', coalesce(policy.local_login and cardinality(policy.registration_domains) > 0, false),
    'providers', coalesce(
      (
        select jsonb_agg(jsonb_build_object('id', provider.id, 'name', provider.name, 'kind', provider.kind) order by provider.name)
        from app_public.identity_providers as provider
        where provider.organization_id = organization.id and provider.is_enabled
      ),
      '[]'
    )
  )
  from (select 1) as always
  left join app_public.organizations as organization
    on organization.slug = login_methods.organization_slug and organization.suspended_at is null
  left join app_public.security_policies as policy on policy.organization_id = organization.id
$$;

comment on function app_private.login_methods(text) is 'What the login page of an organization offers: `{organization, localLogin, registration, providers}`. An unknown organization offers a password.';

create or replace function app_private.identity_provider(provider_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', provider.id, 'organizationId', provider.organization_id, 'organizationSlug', organization.slug,
    'kind', provider.kind, 'name', provider.name,
    'issuer', provider.issuer, 'clientId', provider.client_id, 'scopes', provider.scopes,
    'url', provider.url, 'baseDn', provider.base_dn, 'bindDn', provider.bind_dn, 'userFilter', provider.user_filter,
    'subjectAttribute', provider.subject_attribute, 'emailAttribute', provider.email_attribute,
    'nameAttribute', provider.name_attribute, 'roleClaim', provider.role_claim, 'secret', secret.sealed
  )
  from app_public.identity_providers as provider
  join app_public.organizations as organization on organization.id = provider.organization_id
  left join app_private.identity_provider_secrets as secret
    on secret.organization_id = provider.organization_id and secret.provider_id = provider.id
  where provider.id = identity_provider.provider_id and provider.is_enabled and organization.suspended_at is null
$$;

comment on function app_private.identity_provider(uuid) is 'How to ask an identity provider, its secret encrypted; null when it is not there, is off, or its organization is suspended.';

create or replace function app_private.role_by_provider(provider app_public.identity_providers, groups text[]) returns app_public.user_role
  language sql stable
  set search_path = ''
as $$
  select coalesce(max((provider.role_mapping ->> membership)::app_public.user_role), provider.default_role)
  from unnest(groups) as membership
  where provider.role_mapping ? membership
$$;

comment on function app_private.role_by_provider(app_public.identity_providers, text[]) is 'The highest role that the groups of a person give, or the default one.';

create or replace function app_private.log_in_by_provider(
  provider_id uuid,
  subject text,
  email text,
  email_verified boolean,
  name text,
  groups text[],
  id_token text,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  provider app_public.identity_providers;
  person app_public.users;
  granted app_public.user_role;
  refused text;
begin
  select known.* into provider
  from app_public.identity_providers as known
  where known.id = log_in_by_provider.provider_id and known.is_enabled;
  if not found then
    return jsonb_build_object('outcome', 'refused', 'reason', 'no_account');
  end if;
  perform set_config('atum.organization_id', provider.organization_id::text, true);
  granted := app_private.role_by_provider(provider, groups);

  select known.* into person
  from app_private.user_identities as identity
  join app_public.users as known on known.organization_id = identity.organization_id and known.id = identity.user_id
  where identity.organization_id = provider.organization_id and identity.provider_id = provider.id
    and identity.subject = log_in_by_provider.subject;

  if not found then
    if not coalesce(email_verified, false) or email is null then
      refused := 'email_not_verified';
    else
      select known.* into person
      from app_public.users as known
      where known.organization_id = provider.organization_id and known.email = log_in_by_provider.email::citext;

      refused := case
        when person.id is null and not provider.makes_people then 'no_account'
        when person.disabled_at is not null then 'disabled'
        when granted is null and (person.id is null or provider.role_claim is not null) then 'no_role'
        -- The provider means another person by this address than it did: who left does not hand on the account.
        when exists (
          select
          from app_private.user_identities as identity
          where identity.organization_id = person.organization_id and identity.user_id = person.id
            and identity.provider_id = provider.id and identity.subject <> log_in_by_provider.subject
        ) then 'no_account'
      end;

      if refused is null then
        insert into app_public.users (organization_id, email, name, role)
        select
          provider.organization_id, log_in_by_provider.email,
          left(coalesce(nullif(btrim(log_in_by_provider.name), ''), split_part(log_in_by_provider.email, '@', 1)), 120), granted
        where person.id is null
        -- Two first logins at the same moment.
        on conflict on constraint users_organization_id_email_key do nothing;

        -- The address is proved by the provider, as it would be by a link.
        update app_public.users as known
        set activated_at = coalesce(known.activated_at, now())
        where known.organization_id = provider.organization_id and known.email = log_in_by_provider.email::citext
        returning known.* into strict person;

        insert into app_private.user_identities (organization_id, provider_id, subject, user_id)
        values (provider.organization_id, provider.id, log_in_by_provider.subject, person.id)
        on conflict on constraint user_identities_organization_id_provider_id_subject_key do nothing;
      end if;
    end if;
  else
    refused := case
      when person.disabled_at is not null then 'disabled'
      when provider.role_claim is not null and granted is null then 'no_role'
    end;
  end if;

  if refused is not null then
    perform app_private.append_audit(
      provider.organization_id, 'login_refused', 'app_public.users', person.id, null,
      jsonb_build_object('reason', refused, 'email', left(email, 254), 'provider', provider.name)
    );
    return jsonb_build_object('outcome', 'refused', 'reason', refused);
  end if;

  if provider.role_claim is not null and granted <> person.role then
    begin
      update app_public.users as changed
      set role = granted
      where changed.organization_id = person.organization_id and changed.id = person.id;
      person.role := granted;
    exception
      -- The last admin stays one, whatever the directory says.
      when sqlstate 'AD007' then null;
    end;
  end if;

  return app_private.admit(person, 'provider', ip_address, user_agent, provider.id, id_token);
end
$$;

comment on function app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text) is
  'An identity provider says who somebody is. The subject counts; a verified address binds it to a person once, or makes one. Groups give the role at each login. Answers what `admit` does, or `{outcome: refused, reason}` with `no_account`, `no_role`, `email_not_verified` or `disabled`.';

create or replace function app_private.directory_attempt(provider_id uuid, username text, ip_address inet) returns jsonb
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  wait constant integer := app_private.login_wait(provider_id::text || ' ' || username, ip_address);
begin
  return case
    when wait > 0 then jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait)
    else jsonb_build_object('outcome', 'ok')
  end;
end
$$;

comment on function app_private.directory_attempt(uuid, text, inet) is 'Whether a password of a directory may be tried now: `ok`, or `{outcome: too_many_attempts, retryAfterSeconds}`.';

create or replace function app_private.directory_failure(provider_id uuid, username text, ip_address inet) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  organization_id uuid;
begin
  select provider.organization_id into organization_id
  from app_public.identity_providers as provider
  where provider.id = directory_failure.provider_id;

  perform app_private.append_audit(
    coalesce(organization_id, app_hidden.platform_scope()), act.operation, 'app_public.identity_providers',
    directory_failure.provider_id, null, jsonb_build_object('username', left(username, 254))
  )
  from (
    select 'login_failed' as operation
    union all
    select 'lockout' where app_private.count_login_failure(directory_failure.provider_id::text || ' ' || username, ip_address)
  ) as act;
end
$$;

comment on function app_private.directory_failure(uuid, text, inet) is 'Counts and records a wrong password of a directory.';

create or replace function app_private.set_identity_provider_secret(provider_id uuid, secret text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins set secrets';
  end if;
  insert into app_private.identity_provider_secrets as stored (organization_id, provider_id, sealed)
  select provider.organization_id, provider.id, secret
  from app_public.identity_providers as provider
  where provider.organization_id = app_hidden.current_organization_id() and provider.id = set_identity_provider_secret.provider_id
  on conflict on constraint identity_provider_secrets_pkey do update set sealed = excluded.sealed, updated_at = now();
  return jsonb_build_object('outcome', case when found then 'ok' else 'not_found' end);
end
$$;

comment on function app_private.set_identity_provider_secret(uuid, text) is 'Stores the encrypted client secret or bind password of an identity provider: `ok`, `not_found`. Admins only.';

create or replace function app_public.save_identity_provider(
  kind app_public.identity_provider_kind,
  name text,
  provider_id uuid default null,
  is_enabled boolean default true,
  issuer text default null,
  client_id text default null,
  scopes text[] default '{openid,email,profile}',
  url text default null,
  base_dn text default null,
  bind_dn text default null,
  user_filter text default null,
  subject_attribute text default 'entryUUID',
  email_attribute text default 'mail',
  name_attribute text default 'cn',
  role_claim text default null,
  role_mapping jsonb default '{}',
  default_role app_public.user_role default null,
  makes_people boolean default true,
  asks_second_factor boolean default false
) returns app_public.identity_providers
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.identity_providers;
begin
  if jsonb_typeof(save_identity_provider.role_mapping) <> 'object' or exists (
    select
    from jsonb_path_query(save_identity_provider.role_mapping, 'strict $.*') as mapped_role
    where mapped_role not in ('"customer"', '"agent"', '"manager"', '"admin"')
  ) then
    raise exception using errcode = 'AD013', message = 'A group is mapped to customer, agent, manager or admin';
  end if;

  if save_identity_provider.provider_id is null then
    insert into app_public.identity_providers (
      organization_id, kind, name, is_enabled, issuer, client_id, scopes, url, base_dn, bind_dn, user_filter,
      subject_attribute, email_attribute, name_attribute, role_claim, role_mapping, default_role, makes_people,
      asks_second_factor
    )
    values (
      app_hidden.current_organization_id(), save_identity_provider.kind, save_identity_provider.name,
      save_identity_provider.is_enabled, save_identity_provider.issuer, save_identity_provider.client_id,
      save_identity_provider.scopes, save_identity_provider.url, save_identity_provider.base_dn,
      save_identity_provider.bind_dn, save_identity_provider.user_filter,
      save_identity_provider.subject_attribute, save_identity_provider.email_attribute,
      save_identity_provider.name_attribute, save_identity_provider.role_claim,
      save_identity_provider.role_mapping, save_identity_provider.default_role,
      save_identity_provider.makes_people, save_identity_provider.asks_second_factor
    )
    returning * into saved;
  else
    -- A secret is for the one it was given for: where another is asked from now on, it is given anew.
    delete from app_private.identity_provider_secrets as secret
    using app_public.identity_providers as former
    where former.organization_id = app_hidden.current_organization_id() and former.id = save_identity_provider.provider_id
      and secret.organization_id = former.organization_id and secret.provider_id = former.id
      and (former.kind, former.issuer, former.client_id, former.url, former.bind_dn) is distinct from (
        save_identity_provider.kind, save_identity_provider.issuer, save_identity_provider.client_id,
        save_identity_provider.url, save_identity_provider.bind_dn
      );

    update app_public.identity_providers as provider
    set
      kind = save_identity_provider.kind,
      name = save_identity_provider.name,
      is_enabled = save_identity_provider.is_enabled,
      issuer = save_identity_provider.issuer,
      client_id = save_identity_provider.client_id,
      scopes = save_identity_provider.scopes,
      url = save_identity_provider.url,
      base_dn = save_identity_provider.base_dn,
      bind_dn = save_identity_provider.bind_dn,
      user_filter = save_identity_provider.user_filter,
      subject_attribute = save_identity_provider.subject_attribute,
      email_attribute = save_identity_provider.email_attribute,
      name_attribute = save_identity_provider.name_attribute,
      role_claim = save_identity_provider.role_claim,
      role_mapping = save_identity_provider.role_mapping,
      default_role = save_identity_provider.default_role,
      makes_people = save_identity_provider.makes_people,
      asks_second_factor = save_identity_provider.asks_second_factor
    where provider.organization_id = app_hidden.current_organization_id() and provider.id = save_identity_provider.provider_id
    returning * into saved;
    if not found then
      raise exception using errcode = 'AD101', message = 'There is no such identity provider';
    end if;
  end if;
  return saved;
end
$$;

comment on function app_public.save_identity_provider(
  app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
  app_public.user_role, boolean, boolean
) is
  'Adds an identity provider, or with `providerId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/identity-provider-secret`, and anew where another address, client or account is asked with it. Switching it off ends the sessions it opened. Admins only. Errors: IDENTITY_PROVIDER_INVALID for a mapping to what is no role, INVALID_INPUT for settings that do not fit the kind, CONFLICT for a name that is taken, NOT_FOUND.';

create or replace function app_public.identity_providers_has_secret(provider app_public.identity_providers) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.identity_provider_secrets as secret
    where secret.organization_id = app_hidden.current_organization_id()
      and secret.organization_id = provider.organization_id and secret.provider_id = provider.id
  )
$$;

comment on function app_public.identity_providers_has_secret(app_public.identity_providers) is 'Whether a client secret or bind password is stored. Admins only.';

create or replace function app_public.delete_identity_provider(provider_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.identity_providers as provider
  where provider.organization_id = app_hidden.current_organization_id() and provider.id = delete_identity_provider.provider_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such identity provider';
  end if;
  return true;
end
$$;

comment on function app_public.delete_identity_provider(uuid) is 'Removes an identity provider, its secret and whom it means, and ends the sessions it opened. People stay. Admins only. Error NOT_FOUND.';

create or replace function app_private.tg_identity_providers__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_private.sessions as session
  set revoked_at = now()
  where session.organization_id = OLD.organization_id and session.identity_provider_id = OLD.id
    and session.revoked_at is null and session.expires_at > now();
  return coalesce(NEW, OLD);
end
$$;

comment on function app_private.tg_identity_providers__end_sessions() is 'Ends the sessions that a provider opened which is no longer trusted.';

create or replace trigger _500_end_sessions before delete on app_public.identity_providers
  for each row execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _510_end_sessions_when_off before update of is_enabled on app_public.identity_providers
  for each row when (OLD.is_enabled and not NEW.is_enabled)
  execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.identity_providers
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.login_methods(text), app_private.identity_provider(uuid),
  app_private.role_by_provider(app_public.identity_providers, text[]),
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_attempt(uuid, text, inet), app_private.directory_failure(uuid, text, inet),
  app_private.set_identity_provider_secret(uuid, text),
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid),
  app_private.tg_identity_providers__end_sessions()
from public;

grant execute on function
  app_private.login_methods(text), app_private.identity_provider(uuid),
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_attempt(uuid, text, inet), app_private.directory_failure(uuid, text, inet),
  app_private.set_identity_provider_secret(uuid, text)
to atum_server;
grant execute on function
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid)
to atum_admin;
