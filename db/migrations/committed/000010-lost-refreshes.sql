--! Previous: sha1:25e1cc044ca088946994e150dea92615be7682e6
--! Hash: sha1:7e432323a7af961bbebc3e8b9b36225c2b0a7c14
--! Message: Lost refreshes

--! split: 1-current.sql
-- Tables, types, indexes, constraints of the next change.

alter table app_private.sessions
  add column if not exists sibling_refresh_token_hashes bytea[] not null default '{}'
    check (cardinality(sibling_refresh_token_hashes) <= 8 and array_position(sibling_refresh_token_hashes, null) is null);

comment on table app_private.sessions is
  'A login on one device. Its refresh tokens begin with the family, 16 random bytes, and end with a secret of which only the sha256 is kept: of the current one, of those that were given out beside it because its answer may not have arrived, and of the one before. Whoever shows any other token of the family ends the session.';

--! split: 1022-functions-22-sessions.sql
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

--! split: 1080-functions-80-audit.sql
-- The canonical text of a record. docs/SECURITY.md repeats it byte for byte for those who verify an export.

create or replace function app_hidden.platform_scope() returns uuid
  language sql immutable parallel safe
  return '00000000-0000-0000-0000-000000000000'::uuid;

comment on function app_hidden.platform_scope() is 'The chain of what belongs to no organization, such as a login with an unknown address.';

create or replace function app_hidden.audit_field(name text, value text) returns text
  language sql immutable parallel safe
  return name || ':' || coalesce(octet_length(convert_to(value, 'UTF8'))::text || ':' || value, '-') || E'\n';

comment on function app_hidden.audit_field(text, text) is 'One line of the canonical text: `name:bytes:value`, or `name:-` for null.';

create or replace function app_hidden.audit_canonical_text(record app_public.audit_log) returns text
  language sql stable parallel safe
  return
    'atum-audit-v1' || E'\n'
    || app_hidden.audit_field('chain_scope', record.chain_scope)
    || app_hidden.audit_field('seq', record.seq::text)
    || app_hidden.audit_field('id', record.id::text)
    || app_hidden.audit_field('recorded_at', to_char(record.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || app_hidden.audit_field('actor_id', record.actor_id::text)
    || app_hidden.audit_field('actor_role', record.actor_role)
    || app_hidden.audit_field('ip_address', host(record.ip_address))
    || app_hidden.audit_field('request_id', record.request_id)
    || app_hidden.audit_field('operation', record.operation)
    || app_hidden.audit_field('table_name', record.table_name)
    || app_hidden.audit_field('row_id', record.row_id::text)
    || app_hidden.audit_field('before', record.before::text)
    || app_hidden.audit_field('after', record.after::text)
    || app_hidden.audit_field('prev_hash', record.prev_hash);

comment on function app_hidden.audit_canonical_text(app_public.audit_log) is 'The text over which the hash of a record is made.';

create or replace function app_hidden.audit_row_hash(record app_public.audit_log) returns text
  language sql stable parallel safe
  return encode(sha256(convert_to(app_hidden.audit_canonical_text(record), 'UTF8')), 'hex');

comment on function app_hidden.audit_row_hash(app_public.audit_log) is 'The sha256 of the canonical text, in hexadecimal.';

-- The head of a chain is one row, locked by the first link of a transaction. It is written with that link and once more
-- at the end: writing it with every link would leave as many dead versions of it, and a transaction of ten thousand
-- changes would walk past all of them each time (minutes instead of seconds). In between the last link is read from the
-- log, where it is ours because the head is locked. A setting says from where to look; whoever speaks SQL can write one,
-- so it only spares a look at the links before it: the last one from there on is the last, and where there is none it is
-- looked for in the whole log.
create or replace function app_private.last_audit_link(organization_id uuid) returns app_private.audit_heads
  language plpgsql stable
  set search_path = ''
  -- A plan that was made while the log was young would read all of it, again for each link of a long transaction.
  set enable_seqscan = off
  set enable_sort = off
as $$
declare
  hint constant bigint :=
    coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb -> last_audit_link.organization_id::text;
  last app_private.audit_heads;
begin
  select link.organization_id, link.seq, link.row_hash into last
  from app_public.audit_log as link
  where link.organization_id = last_audit_link.organization_id and link.seq >= hint
  order by link.seq desc
  limit 1;
  if not found then
    select link.organization_id, link.seq, link.row_hash into last
    from app_public.audit_log as link
    where link.organization_id = last_audit_link.organization_id
    order by link.seq desc
    limit 1;
  end if;
  return last;
end
$$;

comment on function app_private.last_audit_link(uuid) is 'The last link of a chain whose head is locked by this transaction.';

create or replace function app_private.append_audit(
  organization_id uuid,
  operation text,
  table_name text,
  row_id uuid,
  before jsonb,
  after jsonb,
  actor_id uuid default app_hidden.current_user_id()
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  head app_private.audit_heads;
  is_ours boolean;
  link app_public.audit_log;
begin
  loop
    select * into head
    from app_private.audit_heads as stored
    where stored.organization_id = append_audit.organization_id
    for update;
    exit when found;
    insert into app_private.audit_heads (organization_id, seq, row_hash)
    values (append_audit.organization_id, 0, repeat('0', 64))
    on conflict do nothing;
  end loop;

  is_ours := head.changed_by is not distinct from pg_current_xact_id();
  if is_ours then
    head := app_private.last_audit_link(append_audit.organization_id);
  end if;

  link.organization_id := append_audit.organization_id;
  link.id := app_hidden.uuid_v7();
  link.chain_scope := append_audit.organization_id::text;
  link.seq := head.seq + 1;
  link.recorded_at := clock_timestamp();
  link.actor_role := app_hidden.acting_role();
  -- The server says for whom it acts and from where; whoever logs in to Postgres acts for themselves.
  if session_user in ('atum_operator', 'atum_worker') then
    link.ip_address := inet_client_addr();
  else
    link.actor_id := append_audit.actor_id;
    link.ip_address := app_hidden.current_address();
  end if;
  link.request_id := nullif(current_setting('atum.request_id', true), '');
  link.operation := append_audit.operation;
  link.table_name := append_audit.table_name;
  link.row_id := append_audit.row_id;
  link.before := append_audit.before;
  link.after := append_audit.after;
  link.prev_hash := head.row_hash;
  link.row_hash := app_hidden.audit_row_hash(link);

  insert into app_public.audit_log values (link.*);

  perform set_config(
    'atum.audit_heads',
    (
      coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb
      || jsonb_build_object(append_audit.organization_id, link.seq)
    )::text,
    true
  );

  if not is_ours then
    update app_private.audit_heads as stored
    set seq = link.seq, row_hash = link.row_hash, changed_by = pg_current_xact_id()
    where stored.organization_id = append_audit.organization_id;
  end if;
end
$$;

comment on function app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid) is 'Adds one link to the chain of an organization.';

create or replace function app_private.tg_audit_heads__store() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  last constant app_private.audit_heads := app_private.last_audit_link(NEW.organization_id);
begin
  -- The head's row is locked since the first link, so that the last one is ours. It is nobody's from here on, so that a
  -- link that comes after this one writes it, and stores it, again.
  update app_private.audit_heads as stored
  set seq = last.seq, row_hash = last.row_hash, changed_by = null
  where stored.organization_id = NEW.organization_id and stored.changed_by is not null;
  return null;
end
$$;

comment on function app_private.tg_audit_heads__store() is 'Stores the last head of a chain when all links of the transaction are made.';

drop trigger if exists _900_store on app_private.audit_heads;

create constraint trigger _900_store after update on app_private.audit_heads
  deferrable initially deferred for each row execute function app_private.tg_audit_heads__store();

-- Deferred to the end of the transaction, so that the head of the chain is the last lock a transaction takes: it is
-- held only while committing, and two writers that want each other's rows cannot deadlock over it.
create or replace function app_private.tg__audit() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  old_row constant jsonb := case when TG_OP = 'INSERT' then null else to_jsonb(OLD) end;
  new_row constant jsonb := case when TG_OP = 'DELETE' then null else to_jsonb(NEW) end;
  whole_row constant jsonb := coalesce(new_row, old_row);
  before jsonb := old_row;
  after jsonb := new_row;
  masked text;
begin
  if TG_OP = 'UPDATE' then
    select jsonb_object_agg(field.key, old_row -> field.key), jsonb_object_agg(field.key, field.value)
    into before, after
    from jsonb_each(new_row) as field
    where field.value is distinct from old_row -> field.key
      -- Moves each minute; a use from a new address is recorded as an act, and a scan by its verdict.
      and field.key not in ('last_used_at', 'last_used_ip', 'scan_at', 'scan_attempts', 'scanned_at', 'scanned_with');

    if after is null then
      return null;
    end if;
  end if;

  foreach masked in array coalesce(TG_ARGV, '{}') loop
    if before ? masked then
      before := before || jsonb_build_object(masked, '***');
    end if;
    if after ? masked then
      after := after || jsonb_build_object(masked, '***');
    end if;
  end loop;

  perform app_private.append_audit(
    coalesce(whole_row ->> 'organization_id', whole_row ->> 'id')::uuid,
    lower(TG_OP),
    TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
    coalesce(whole_row ->> 'id', whole_row ->> 'user_id', whole_row ->> 'provider_id', whole_row ->> 'token_id')::uuid,
    before,
    after
  );
  return null;
end
$$;

comment on function app_private.tg__audit() is 'Records a change of a tenant table. Its arguments name the columns whose values are masked.';

create or replace function app_private.tg_audit_log__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception using errcode = 'AD401', message = 'The audit log only grows';
end
$$;

comment on function app_private.tg_audit_log__refuse() is 'Refuses to change or remove what was recorded, also to the owner. Error AUDIT_APPEND_ONLY.';

create or replace trigger _200_refuse_change before update or delete on app_public.audit_log
  for each row execute function app_private.tg_audit_log__refuse();

create or replace trigger _200_refuse_truncate before truncate on app_public.audit_log
  for each statement execute function app_private.tg_audit_log__refuse();

-- Every tenant table is audited, except those that unaudited_tables names.
do $$
declare
  audited record;
begin
  for audited in
    select
      tenant.table_name,
      case tenant.table_name
        when 'app_private.user_secrets' then $masked$'password_hash'$masked$
        when 'app_private.sessions' then $masked$'family', 'refresh_token_hash', 'sibling_refresh_token_hashes', 'previous_refresh_token_hash', 'id_token'$masked$
        when 'app_private.authenticators' then $masked$'sealed'$masked$
        when 'app_private.identity_provider_secrets' then $masked$'sealed'$masked$
        when 'app_private.mailbox_secrets' then $masked$'sealed'$masked$
        when 'app_private.webhook_secrets' then $masked$'sealed'$masked$
        when 'app_private.recovery_codes' then $masked$'code_hash'$masked$
        when 'app_private.account_mails' then $masked$'token_hash'$masked$
        when 'app_private.mail_reply_tokens' then $masked$'token_hash'$masked$
        when 'app_private.csat_tokens' then $masked$'token_hash'$masked$
        when 'app_private.api_token_secrets' then $masked$'token_hash'$masked$
        when 'app_private.file_tokens' then $masked$'token_hash'$masked$
        -- It may yet be taken back; the comment it becomes is recorded with every word.
        when 'app_public.outgoing_replies' then $masked$'body'$masked$
        -- As much as a mail holds; its words are recorded with the comment.
        when 'app_public.comment_originals' then $masked$'html', 'quoted_text'$masked$
        -- Twice what the comment says, which is recorded.
        when 'app_public.mail_messages' then $masked$'text_body', 'html_body'$masked$
        else ''
      end as masked
    from app_private.tenant_tables() as tenant
    where tenant.table_name not in (select app_private.unaudited_tables())
  loop
    execute format('drop trigger if exists _900_audit on %s', audited.table_name);
    execute format(
      'create constraint trigger _900_audit after insert or update or delete on %s'
      ' deferrable initially deferred for each row execute function app_private.tg__audit(%s)',
      audited.table_name, audited.masked
    );
  end loop;
end
$$;

create or replace function app_private.verify_audit_chain_of(organization_id uuid)
  returns table (chain_scope text, checked bigint, verified boolean, broken_seq bigint, broken_id uuid, reason text)
  language sql stable security definer
  set search_path = ''
as $$
  with links as (
    select
      link.seq, link.id, link.prev_hash, link.row_hash,
      row_number() over in_order as expected_seq,
      lag(link.row_hash, 1, repeat('0', 64)) over in_order as expected_prev_hash,
      app_hidden.audit_row_hash(link) as expected_row_hash
    from app_public.audit_log as link
    where link.organization_id = verify_audit_chain_of.organization_id
    window in_order as (order by link.seq)
  ),
  faults as (
    select
      seq, id,
      case
        when seq <> expected_seq then format('record %s is missing', expected_seq)
        when row_hash <> expected_row_hash then 'its content does not match its hash'
        else 'it does not follow the record before it'
      end as reason
    from links
    where seq <> expected_seq or row_hash <> expected_row_hash or prev_hash <> expected_prev_hash
    order by seq
    limit 1
  ),
  tail as (
    select count(*) as checked, max(seq) as seq, (array_agg(row_hash order by seq desc))[1] as row_hash from links
  ),
  head as (
    select heads.seq, heads.row_hash
    from app_private.audit_heads as heads
    where heads.organization_id = verify_audit_chain_of.organization_id
  ),
  verdict as (
    select seq, id, reason from faults
    union all
    select
      case
        when coalesce(tail.seq, 0) < coalesce(head.seq, 0) then coalesce(tail.seq, 0) + 1
        when coalesce(tail.seq, 0) > coalesce(head.seq, 0) then coalesce(head.seq, 0) + 1
        else tail.seq
      end,
      null,
      case when coalesce(tail.seq, 0) < head.seq then format('the last %s records are missing', head.seq - coalesce(tail.seq, 0))
        else 'the end of the chain is not where its head says' end
    from tail
    left join head on true
    where not exists (select from faults)
      and (coalesce(tail.seq, 0), coalesce(tail.row_hash, repeat('0', 64)))
        is distinct from (coalesce(head.seq, 0), coalesce(head.row_hash, repeat('0', 64)))
  )
  select
    verify_audit_chain_of.organization_id::text, tail.checked, verdict.reason is null, verdict.seq, verdict.id, verdict.reason
  from tail
  left join verdict on true
$$;

comment on function app_private.verify_audit_chain_of(uuid) is 'Follows one chain from its first record to its head and names the first that is wrong.';

create or replace function app_private.audit_scopes() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select organization_id from app_private.audit_heads
  union
  select id from app_public.organizations
  union
  -- A scope whose head was removed still has its records. Found by skipping from one organization to the next.
  select organization_id from (
    with recursive scopes (organization_id) as (
      (select organization_id from app_public.audit_log order by organization_id limit 1)
      union all
      select (
        select next.organization_id from app_public.audit_log as next
        where next.organization_id > scopes.organization_id order by next.organization_id limit 1
      )
      from scopes
      where scopes.organization_id is not null
    )
    select organization_id from scopes where organization_id is not null
  ) as recorded
  order by 1
$$;

comment on function app_private.audit_scopes() is 'Every chain there is.';

create or replace function app_public.verify_audit_chain(
  out checked bigint, out verified boolean, out broken_seq bigint, out reason text
)
  language plpgsql stable security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to verify the audit log of your organization';
  end if;

  select result.checked, result.verified, result.broken_seq, result.reason
  into checked, verified, broken_seq, reason
  from app_private.verify_audit_chain_of(app_hidden.current_organization_id()) as result;
end
$$;

comment on function app_public.verify_audit_chain() is
  'Follows the audit chain of the organization: how many records were checked, whether all are as they were written, and the first that is not and why. Admins only. Error UNAUTHENTICATED without claims.';

revoke all on function
  app_hidden.platform_scope(), app_hidden.audit_field(text, text), app_hidden.audit_canonical_text(app_public.audit_log),
  app_hidden.audit_row_hash(app_public.audit_log),
  app_private.last_audit_link(uuid), app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid),
  app_private.tg_audit_heads__store(),
  app_private.tg__audit(),
  app_private.tg_audit_log__refuse(), app_private.verify_audit_chain_of(uuid), app_private.audit_scopes(),
  app_public.verify_audit_chain()
from public;

grant execute on function app_public.verify_audit_chain() to atum_admin;
