-- Before anybody is known. Each function answers one question and runs without claims, until it knows who it is.

create or replace function app_private.tell_servers(kind text, id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select pg_notify('atum_revocations', json_build_object('kind', kind, 'id', id)::text)
$$;

comment on function app_private.tell_servers(text, uuid) is 'Tells every server that what it knows of a `session`, `user`, `organization`, the `ip_rules` of an organization or an `api_token` no longer holds.';

-- A refresh token is 96 hexadecimal digits: the family of the session, 16 random bytes, and a secret, 32 random bytes.

create or replace function app_private.refresh_token_family(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select case when refresh_token ~ '^[0-9a-f]{96}$' then decode(left(refresh_token, 32), 'hex') end
$$;

comment on function app_private.refresh_token_family(text) is 'The family a refresh token belongs to; null for what is no refresh token.';

create or replace function app_private.token_hash(token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select sha256(convert_to(token, 'UTF8'))
$$;

comment on function app_private.token_hash(text) is 'What is kept of a random token.';

create or replace function app_private.act_for(subject app_public.users) returns void
  language sql volatile
  set search_path = ''
as $$
  select set_config('atum.organization_id', subject.organization_id::text, true), set_config('atum.user_id', subject.id::text, true)
$$;

comment on function app_private.act_for(app_public.users) is 'From here on the transaction acts for a person who has proved who they are.';

create or replace function app_private.open_session(
  subject app_public.users,
  ip_address inet,
  user_agent text,
  provider_id uuid default null,
  id_token text default null
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  refresh_token constant text := encode(public.gen_random_bytes(48), 'hex');
  session_id uuid;
begin
  insert into app_private.sessions (
    organization_id, user_id, family, refresh_token_hash, expires_at, ip_address, user_agent, identity_provider_id, id_token
  )
  values (
    subject.organization_id, subject.id, app_private.refresh_token_family(refresh_token),
    app_private.token_hash(refresh_token), now() + interval '14 days',
    open_session.ip_address, left(open_session.user_agent, 400), open_session.provider_id, open_session.id_token
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

comment on function app_private.open_session(app_public.users, inet, text, uuid, text) is 'Starts a session and returns it with its first refresh token, which is stored only as a hash.';

create or replace function app_private.refresh_session(refresh_token text, ip_address inet, user_agent text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  shown_hash constant bytea := app_private.token_hash(refresh_token);
  next_token constant text := left(refresh_token, 32) || encode(public.gen_random_bytes(32), 'hex');
  current_session app_private.sessions;
  subject app_public.users;
  is_spent boolean;
  refused text;
begin
  select * into current_session
  from app_private.sessions
  where family = app_private.refresh_token_family(refresh_token)
  for update;

  if not found or current_session.revoked_at is not null or current_session.expires_at <= now()
    or current_session.refreshed_at <= now() - interval '7 days'
  then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select * into subject
  from app_public.users
  where organization_id = current_session.organization_id and id = current_session.user_id;

  if subject.disabled_at is not null then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  perform app_private.act_for(subject);

  is_spent := shown_hash <> all (current_session.sibling_refresh_token_hashes || current_session.refresh_token_hash);

  -- Two tabs may have asked at once, or the answer did not arrive: for a moment the token before is still good.
  if is_spent and (
    current_session.previous_refresh_token_hash is distinct from shown_hash
    or current_session.refreshed_at <= now() - interval '15 seconds'
  ) then
    -- However old it is: whoever has it, has it besides somebody else.
    update app_private.sessions set revoked_at = now()
    where organization_id = current_session.organization_id and id = current_session.id;
    perform app_private.append_audit(
      subject.organization_id, 'refresh_token_reused', 'app_private.sessions', current_session.id, null, null
    );
    perform app_private.write_account_mail(subject, 'refresh_token_reused');
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, refresh_session.ip_address) then 'address_not_allowed'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    return jsonb_build_object('outcome', refused);
  end if;

  if is_spent then
    -- Which of the next ones a browser has kept is seen when it comes with one; from then on the others are spent.
    if cardinality(current_session.sibling_refresh_token_hashes) >= 8 then
      return jsonb_build_object('outcome', 'ok', 'user', app_private.identity_of(subject), 'sessionId', current_session.id);
    end if;
    update app_private.sessions
    set sibling_refresh_token_hashes = sibling_refresh_token_hashes || app_private.token_hash(next_token)
    where organization_id = current_session.organization_id and id = current_session.id;
  else
    update app_private.sessions
    set
      refresh_token_hash = app_private.token_hash(next_token),
      sibling_refresh_token_hashes = '{}',
      previous_refresh_token_hash = shown_hash,
      refreshed_at = now(),
      ip_address = refresh_session.ip_address,
      user_agent = left(refresh_session.user_agent, 400)
    where organization_id = current_session.organization_id and id = current_session.id;
  end if;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', current_session.id,
    'refreshToken', next_token
  );
end
$$;

comment on function app_private.refresh_session(text, inet, text) is
  'Exchanges a refresh token for the next one: `{outcome: ok, user, sessionId, refreshToken}`, `{outcome: session_expired}`, `organization_suspended` or `address_not_allowed`. A session that was not used for 7 days has ended. Showing a spent token, however old, ends the session and is told to the person; but for 15 seconds the token before gets a next one too, up to eight times, of which the first that is used is the one that goes on.';

create or replace function app_private.log_out(refresh_token text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ended app_private.sessions;
begin
  -- By family, so that a refresh that is under way ends with it.
  update app_private.sessions
  set revoked_at = now()
  where family = app_private.refresh_token_family(refresh_token) and revoked_at is null
  returning * into ended;

  perform app_private.act_for(person)
  from app_public.users as person
  where person.organization_id = ended.organization_id and person.id = ended.user_id;

  return case
    when ended.identity_provider_id is not null
      then jsonb_build_object('providerId', ended.identity_provider_id, 'idToken', ended.id_token)
  end;
end
$$;

comment on function app_private.log_out(text) is 'Ends the session of a refresh token. Returns `{providerId, idToken}` when an identity provider let the person in, so that they can log out there too; otherwise null. An unknown token is not an error.';

create or replace function app_private.end_sessions_of(organization_id uuid, user_id uuid, except_id uuid default null) returns integer
  language sql volatile
  set search_path = ''
as $$
  -- A login that waits for its second step would be a session in a moment.
  with forgotten as (
    delete from app_private.login_challenges as challenge
    where challenge.organization_id = end_sessions_of.organization_id and challenge.user_id = end_sessions_of.user_id
  ),
  ended as (
    update app_private.sessions as session
    set revoked_at = now()
    where session.organization_id = end_sessions_of.organization_id and session.user_id = end_sessions_of.user_id
      and session.revoked_at is null and session.expires_at > now()
      and session.id is distinct from except_id
    returning 1
  )
  select count(*)::integer from ended
$$;

comment on function app_private.end_sessions_of(uuid, uuid, uuid) is 'Ends every session of a person but one, and says how many; forgets the logins that wait for their second step.';

create or replace function app_private.tg_sessions__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('session', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_sessions__tell_servers() is 'Has every server refuse a session that ended.';

create or replace trigger _800_tell_servers after update of revoked_at on app_private.sessions
  for each row when (NEW.revoked_at is not null and OLD.revoked_at is null)
  execute function app_private.tg_sessions__tell_servers();

create or replace function app_private.session_is_live(organization_id uuid, session_id uuid) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.sessions as session
    join app_public.organizations as organization on organization.id = session.organization_id
    where session.organization_id = session_is_live.organization_id and session.id = session_is_live.session_id
      and session.revoked_at is null and session.expires_at > now() and organization.suspended_at is null
  )
$$;

comment on function app_private.session_is_live(uuid, uuid) is 'Whether a session still lets a person in; for a server that cannot be told when it ends.';

create or replace function app_private.revocation_state() returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'sessions', (
      select coalesce(jsonb_agg(id), '[]') from app_private.sessions where revoked_at > now() - interval '11 minutes'
    ),
    'organizations', (select coalesce(jsonb_agg(id), '[]') from app_public.organizations where suspended_at is not null)
  )
$$;

comment on function app_private.revocation_state() is 'What a server that comes late must know: the sessions that ended within the life of an access token, and the organizations that are suspended.';

-- For the person, and for admins

create or replace function app_private.sessions_of(organization_id uuid, user_id uuid) returns setof app_public.login_session
  language sql stable
  set search_path = ''
as $$
  select
    session.id, session.ip_address, session.user_agent, session.created_at, session.refreshed_at, session.expires_at,
    session.id is not distinct from app_hidden.current_session_id()
  from app_private.sessions as session
  where session.organization_id = sessions_of.organization_id and session.user_id = sessions_of.user_id
    and session.revoked_at is null and session.expires_at > now()
  order by session.refreshed_at desc
$$;

comment on function app_private.sessions_of(uuid, uuid) is 'The sessions of a person that have not ended.';

create or replace function app_public.own_sessions() returns setof app_public.login_session
  language sql stable security definer
  set search_path = ''
as $$
  select * from app_private.sessions_of(app_hidden.current_organization_id(), app_hidden.current_user_id())
$$;

comment on function app_public.own_sessions() is 'Where the caller is logged in, the latest first.';

create or replace function app_public.sessions_of(user_id uuid) returns setof app_public.login_session
  language sql stable security definer
  set search_path = ''
as $$
  select * from app_private.sessions_of(app_hidden.current_organization_id(), sessions_of.user_id)
$$;

comment on function app_public.sessions_of(uuid) is 'Where a person of the organization is logged in, the latest first. Admins only.';

create or replace function app_public.end_session(session_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  update app_private.sessions as session
  set revoked_at = now()
  where session.organization_id = caller.organization_id and session.id = end_session.session_id
    and session.revoked_at is null
    and (session.user_id = caller.id or app_hidden.acting_role() = 'atum_admin');
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such session';
  end if;
  return true;
end
$$;

comment on function app_public.end_session(uuid) is 'Ends a session: the own ones, for admins anybody''s. Within a second every server refuses it. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.end_other_sessions(also_this boolean default false) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  return app_private.end_sessions_of(
    caller.organization_id, caller.id, case when not coalesce(also_this, false) then app_hidden.current_session_id() end
  );
end
$$;

comment on function app_public.end_other_sessions(boolean) is 'Ends all sessions of the caller but this one, or with `alsoThis` this one too, and says how many. Errors: UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.end_sessions_of(user_id uuid) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  -- What a stranger who was in may have made to come back with.
  perform app_private.revoke_api_tokens_of(caller.organization_id, end_sessions_of.user_id);
  return app_private.end_sessions_of(caller.organization_id, end_sessions_of.user_id);
end
$$;

comment on function app_public.end_sessions_of(uuid) is 'Ends all sessions of a person of the organization and revokes their API tokens, and says how many sessions there were. Admins only. Errors: UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.tell_servers(text, uuid), app_private.refresh_token_family(text), app_private.token_hash(text),
  app_private.act_for(app_public.users), app_private.open_session(app_public.users, inet, text, uuid, text),
  app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.end_sessions_of(uuid, uuid, uuid), app_private.tg_sessions__tell_servers(),
  app_private.session_is_live(uuid, uuid), app_private.revocation_state(), app_private.sessions_of(uuid, uuid),
  app_public.own_sessions(), app_public.sessions_of(uuid), app_public.end_session(uuid), app_public.end_other_sessions(boolean),
  app_public.end_sessions_of(uuid)
from public;

grant execute on function
  app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.session_is_live(uuid, uuid), app_private.revocation_state()
to atum_server;
grant execute on function app_public.own_sessions(), app_public.end_session(uuid), app_public.end_other_sessions(boolean)
to atum_customer, atum_agent;
grant execute on function app_public.sessions_of(uuid), app_public.end_sessions_of(uuid) to atum_admin;
