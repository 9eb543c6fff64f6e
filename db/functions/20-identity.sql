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

-- Before anybody is known. Each function answers one question and runs without claims.

create or replace function app_private.set_password(organization_id uuid, user_id uuid, password text, is_demo boolean default false)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if octet_length(password) > 72 then
    raise exception using errcode = 'AD003', message = 'A password has at most 72 bytes';
  end if;

  -- Cost 10: about 50 ms on the machine this was measured on, the least that OWASP accepts for bcrypt.
  insert into app_private.user_secrets as secret (organization_id, user_id, password_hash, is_demo)
  values (set_password.organization_id, set_password.user_id, public.crypt(password, public.gen_salt('bf', 10)), set_password.is_demo)
  on conflict on constraint user_secrets_pkey
  do update set password_hash = excluded.password_hash, is_demo = excluded.is_demo, updated_at = now();
end
$$;

comment on function app_private.set_password(uuid, uuid, text, boolean) is 'Stores the bcrypt hash of a password. Error PASSWORD_TOO_LONG beyond 72 bytes, because bcrypt reads no further.';

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

-- A refresh token is 96 hexadecimal digits: the family of the session, 16 random bytes, and a secret, 32 random bytes.

create or replace function app_private.refresh_token_family(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select case when refresh_token ~ '^[0-9a-f]{96}$' then decode(left(refresh_token, 32), 'hex') end
$$;

comment on function app_private.refresh_token_family(text) is 'The family a refresh token belongs to; null for what is no refresh token.';

create or replace function app_private.refresh_token_hash(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select sha256(convert_to(refresh_token, 'UTF8'))
$$;

comment on function app_private.refresh_token_hash(text) is 'What is kept of a refresh token.';

create or replace function app_private.open_session(subject app_public.users, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  refresh_token constant text := encode(public.gen_random_bytes(48), 'hex');
  session_id uuid;
begin
  perform set_config('atum.organization_id', subject.organization_id::text, true);
  perform set_config('atum.user_id', subject.id::text, true);

  insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at, ip_address, user_agent)
  values (
    subject.organization_id, subject.id, app_private.refresh_token_family(refresh_token),
    app_private.refresh_token_hash(refresh_token), now() + interval '14 days',
    open_session.ip_address, left(open_session.user_agent, 400)
  )
  returning id into session_id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', session_id,
    'refreshToken', refresh_token
  );
end
$$;

comment on function app_private.open_session(app_public.users, inet, text) is 'Starts a session and returns it with its first refresh token, which is stored only as a hash.';

create or replace function app_private.log_in(
  email text,
  password text,
  organization_slug text,
  demo_allowed boolean,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- The hash of nothing anybody knows: comparing with it costs what comparing with a real one costs.
  unmatchable constant text := '$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5z5rB0FLW8q5sYV8yQ1q6l7u1Qk2e';
  candidate record;
  compared integer := 0;
  matching app_public.users[] := '{}';
  failed record;
begin
  for candidate in
    select person, secret.password_hash, secret.is_demo
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
    order by person.organization_id
  loop
    compared := compared + 1;
    if crypt(password, candidate.password_hash) = candidate.password_hash
      and (candidate.person).disabled_at is null
      and (demo_allowed or not candidate.is_demo)
    then
      matching := matching || candidate.person;
    end if;
  end loop;

  -- An unknown address takes as long as a known one, and one organization as long as two.
  while compared < 2 loop
    perform crypt(password, unmatchable);
    compared := compared + 1;
  end loop;

  if cardinality(matching) = 1 then
    perform app_private.append_audit(
      matching[1].organization_id, 'login', 'app_public.users', matching[1].id, null, null,
      actor_id => matching[1].id
    );
    return app_private.open_session(matching[1], log_in.ip_address, log_in.user_agent);
  end if;

  if cardinality(matching) > 1 then
    return jsonb_build_object(
      'outcome', 'organization_required',
      'organizations', (
        select jsonb_agg(jsonb_build_object('slug', organization.slug, 'name', organization.name) order by organization.name)
        from unnest(matching) as person
        join app_public.organizations as organization on organization.id = person.organization_id
      )
    );
  end if;

  -- A wrong password is recorded where the person is, an unknown address in the platform's own chain: both write.
  perform app_private.append_audit(
    coalesce(person.organization_id, app_hidden.platform_scope()), 'login_failed', 'app_public.users', person.id,
    null, jsonb_build_object('email', left(log_in.email, 254))
  )
  from (select 1) as always
  left join lateral (
    select known.organization_id, known.id
    from app_public.users as known
    join app_public.organizations as organization on organization.id = known.organization_id
    where known.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
  ) as person on true;

  return jsonb_build_object('outcome', 'invalid_credentials');
end
$$;

comment on function app_private.log_in(text, text, text, boolean, inet, text) is
  'Answers whether this address and password are somebody: `{outcome: ok, user, sessionId, refreshToken}`, `{outcome: organization_required, organizations}` when they are right in several organizations, or `{outcome: invalid_credentials}`. Never raises for wrong ones, so that the failure is recorded.';

create or replace function app_private.refresh_session(refresh_token text, ip_address inet, user_agent text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  token_hash constant bytea := app_private.refresh_token_hash(refresh_token);
  next_token constant text := left(refresh_token, 32) || encode(public.gen_random_bytes(32), 'hex');
  current_session app_private.sessions;
  subject app_public.users;
begin
  select * into current_session
  from app_private.sessions
  where family = app_private.refresh_token_family(refresh_token)
  for update;

  if not found or current_session.revoked_at is not null or current_session.expires_at <= now() then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select * into subject
  from app_public.users
  where organization_id = current_session.organization_id and id = current_session.user_id;

  if subject.disabled_at is not null then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  perform set_config('atum.organization_id', subject.organization_id::text, true);
  perform set_config('atum.user_id', subject.id::text, true);

  if current_session.refresh_token_hash <> token_hash then
    -- Two tabs may have asked at once: for a moment the token before still answers, but makes no new one.
    if current_session.previous_refresh_token_hash = token_hash
      and current_session.refreshed_at > now() - interval '15 seconds'
    then
      return jsonb_build_object('outcome', 'ok', 'user', app_private.identity_of(subject), 'sessionId', current_session.id);
    end if;
    -- However old it is: whoever has it, has it besides somebody else.
    update app_private.sessions set revoked_at = now()
    where organization_id = current_session.organization_id and id = current_session.id;
    perform app_private.append_audit(
      subject.organization_id, 'refresh_token_reused', 'app_private.sessions', current_session.id, null, null,
      actor_id => subject.id
    );
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  update app_private.sessions
  set
    refresh_token_hash = app_private.refresh_token_hash(next_token),
    previous_refresh_token_hash = token_hash,
    refreshed_at = now(),
    ip_address = refresh_session.ip_address,
    user_agent = left(refresh_session.user_agent, 400)
  where organization_id = current_session.organization_id and id = current_session.id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', current_session.id,
    'refreshToken', next_token
  );
end
$$;

comment on function app_private.refresh_session(text, inet, text) is
  'Exchanges a refresh token for the next one: `{outcome: ok, user, sessionId, refreshToken}` or `{outcome: session_expired}`. Showing a spent token, however old, ends the session.';

create or replace function app_private.log_out(refresh_token text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  -- By family, so that a refresh that is under way ends with it.
  update app_private.sessions
  set revoked_at = now()
  where family = app_private.refresh_token_family(refresh_token) and revoked_at is null
$$;

comment on function app_private.log_out(text) is 'Ends the session of a refresh token. An unknown token is not an error.';

create or replace function app_private.tg_users__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_private.sessions
  set revoked_at = now()
  where organization_id = NEW.organization_id and user_id = NEW.id and revoked_at is null;
  return null;
end
$$;

comment on function app_private.tg_users__end_sessions() is 'Ends the sessions of a person who was disabled or whose role changed.';

create or replace trigger _500_end_sessions after update of disabled_at, role on app_public.users
  for each row
  when (NEW.disabled_at is distinct from OLD.disabled_at or NEW.role <> OLD.role)
  execute function app_private.tg_users__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.users
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public."current_user"(), app_private.set_password(uuid, uuid, text, boolean),
  app_private.identity_of(app_public.users), app_private.open_session(app_public.users, inet, text),
  app_private.log_in(text, text, text, boolean, inet, text), app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.refresh_token_family(text), app_private.refresh_token_hash(text),
  app_private.tg_users__end_sessions()
from public;

grant execute on function app_public."current_user"() to atum_anonymous, atum_customer, atum_agent;
grant execute on function
  app_private.log_in(text, text, text, boolean, inet, text), app_private.refresh_session(text, inet, text),
  app_private.log_out(text)
to atum_server;
