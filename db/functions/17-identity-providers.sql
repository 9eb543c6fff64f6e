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
  perform app_private.subject_of_claims();

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
  'Adds an identity provider, or with `providerId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/identity-provider-secret`, and anew where another address, client or account is asked with it. Switching it off ends the sessions it opened. Admins only. Errors: IDENTITY_PROVIDER_INVALID for a mapping to what is no role, INVALID_INPUT for settings that do not fit the kind, CONFLICT for a name that is taken, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

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
  perform app_private.subject_of_claims();

  delete from app_public.identity_providers as provider
  where provider.organization_id = app_hidden.current_organization_id() and provider.id = delete_identity_provider.provider_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such identity provider';
  end if;
  return true;
end
$$;

comment on function app_public.delete_identity_provider(uuid) is 'Removes an identity provider, its secret and whom it means, and ends the sessions it opened. People stay. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_identity_providers__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  delete from app_private.login_challenges as challenge
  where challenge.organization_id = OLD.organization_id and challenge.identity_provider_id = OLD.id;

  update app_private.sessions as session
  set revoked_at = now()
  where session.organization_id = OLD.organization_id and session.identity_provider_id = OLD.id
    and session.revoked_at is null and session.expires_at > now();
  return coalesce(NEW, OLD);
end
$$;

comment on function app_private.tg_identity_providers__end_sessions() is 'Ends the sessions that a provider opened which is no longer trusted, and the logins by it that wait for their second step.';

create or replace trigger _500_end_sessions before delete on app_public.identity_providers
  for each row execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _510_end_sessions_when_off before update of is_enabled on app_public.identity_providers
  for each row when (OLD.is_enabled and not NEW.is_enabled)
  execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.identity_providers
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.login_methods(text), app_private.identity_provider(uuid), app_private.set_identity_provider_secret(uuid, text),
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid),
  app_private.tg_identity_providers__end_sessions()
from public;

grant execute on function
  app_private.login_methods(text), app_private.identity_provider(uuid), app_private.set_identity_provider_secret(uuid, text)
to atum_server;
grant execute on function
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid)
to atum_admin;
