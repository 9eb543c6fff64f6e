-- Mailboxes as the worker reads them: who has which, how far it is, and how it goes.

create or replace function app_private.renew_mailbox_secret(mailbox_id uuid, before text, after text) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  update app_private.mailbox_secrets as secret
  set sealed = renew_mailbox_secret.after, updated_at = now()
  where secret.organization_id = app_hidden.current_organization_id() and secret.mailbox_id = renew_mailbox_secret.mailbox_id
    and secret.sealed = renew_mailbox_secret.before;
  return found;
end
$$;

comment on function app_private.renew_mailbox_secret(uuid, text, text) is 'Stores the secret that took the place of one, where it is still that one: a token endpoint may hand out a new refresh token.';

create or replace function app_private.mailbox_settings(mailbox app_public.mailboxes) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'organizationId', mailbox.organization_id, 'mailboxId', mailbox.id, 'address', mailbox.address,
    'host', mailbox.host, 'port', mailbox.port, 'security', mailbox.security, 'auth', mailbox.auth, 'username', mailbox.username,
    'folder', mailbox.folder, 'processedFolder', mailbox.processed_folder, 'tokenEndpoint', mailbox.token_endpoint,
    'clientId', mailbox.client_id, 'scopes', mailbox.scopes, 'fromEnvironment', mailbox.from_environment,
    'maxMailBytes', mailbox.max_mail_bytes,
    'secret', (
      select secret.sealed
      from app_private.mailbox_secrets as secret
      where secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id
    )
  )
$$;

comment on function app_private.mailbox_settings(app_public.mailboxes) is 'How to read a mailbox, its secret encrypted.';

create or replace function app_private.lease_mailboxes(worker_id text, seconds integer, knows_environment boolean default false) returns setof jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  -- One look of many workers at a time, and whoever comes meanwhile finds nothing to take.
  update app_public.mailbox_states as state
  set lease_holder = lease_mailboxes.worker_id, lease_until = clock_timestamp() + make_interval(secs => lease_mailboxes.seconds)
  from (
    select free.organization_id, free.mailbox_id
    from app_public.mailbox_states as free
    join app_public.mailboxes as box on box.organization_id = free.organization_id and box.id = free.mailbox_id
    join app_public.organizations as organization on organization.id = box.organization_id
    where box.is_enabled and organization.suspended_at is null
      -- Only a worker whose environment has it knows its password.
      and (lease_mailboxes.knows_environment or not box.from_environment)
      and (free.lease_holder = lease_mailboxes.worker_id or free.lease_until is null or free.lease_until < clock_timestamp())
    order by free.organization_id, free.mailbox_id
    for update of free skip locked
  ) as taken
  where state.organization_id = taken.organization_id and state.mailbox_id = taken.mailbox_id;

  return query
    select app_private.mailbox_settings(box)
    from app_public.mailboxes as box
    join app_public.mailbox_states as state on state.organization_id = box.organization_id and state.mailbox_id = box.id
    join app_public.organizations as organization on organization.id = box.organization_id
    where state.lease_holder = lease_mailboxes.worker_id and state.lease_until > clock_timestamp()
      and box.is_enabled and organization.suspended_at is null;
end
$$;

comment on function app_private.lease_mailboxes(text, integer, boolean) is
  'Takes every mailbox that no worker reads, goes on with those this one reads, for so many seconds, and returns how to read each of them. Of those an environment names only where the caller has that environment.';

create or replace function app_private.release_mailboxes(worker_id text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_public.mailbox_states as state
  set lease_holder = null, lease_until = null
  where state.lease_holder = release_mailboxes.worker_id
$$;

comment on function app_private.release_mailboxes(text) is 'Leaves the mailboxes that a worker reads to others.';

create or replace function app_private.mailbox_to_test(mailbox_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select app_private.mailbox_settings(box)
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = mailbox_to_test.mailbox_id and box.archived_at is null
$$;

comment on function app_private.mailbox_to_test(uuid) is 'How to reach a mailbox that an admin wants tested, its secret encrypted; null when it is not there any more.';

create or replace function app_private.record_mailbox_test(mailbox_id uuid, outcome text, detail text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_public.mailbox_states as state
  set tested_at = clock_timestamp(), test_outcome = record_mailbox_test.outcome, test_detail = nullif(left(record_mailbox_test.detail, 500), '')
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = record_mailbox_test.mailbox_id
    -- What was changed while it was tested is not what was tested.
    and state.test_requested_at is not null
$$;

comment on function app_private.record_mailbox_test(uuid, text, text) is 'Notes what the test of a mailbox found, unless its settings were changed meanwhile.';

create or replace function app_private.mail_room() returns bigint
  language sql stable
  set search_path = ''
as $$
  -- Anybody can send mails, and all that comes in is kept.
  select case when count(*) < 50000 then greatest(5368709120 - coalesce(sum(mail.size), 0), 0) else 0 end::bigint
  from app_public.incoming_mails as mail
  where mail.organization_id = app_hidden.current_organization_id() and mail.created_at > clock_timestamp() - interval '1 day'
    and mail.sha256 is not null
$$;

comment on function app_private.mail_room() is 'How many bytes of mail an organization may still take in: 5 GiB within a day, and 50,000 mails.';

create or replace function app_private.mailbox_progress(mailbox_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object('uidValidity', state.uid_validity::text, 'lastUid', state.last_uid, 'lastFetchedAt', state.last_fetched_at, 'room', app_private.mail_room())
  from app_public.mailbox_states as state
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = mailbox_progress.mailbox_id
$$;

comment on function app_private.mailbox_progress(uuid) is 'Where reading a mailbox goes on: `{uidValidity, lastUid, lastFetchedAt}`, null where it begins; and in `room` how many bytes the organization may still take in.';

create or replace function app_private.mailbox_fetched(mailbox_id uuid, uid_validity bigint, last_uid bigint) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_public.mailbox_states as state
  set
    -- A slow worker does not go back behind the one that took over.
    last_uid = case when state.uid_validity = mailbox_fetched.uid_validity then greatest(state.last_uid, mailbox_fetched.last_uid) else mailbox_fetched.last_uid end,
    uid_validity = mailbox_fetched.uid_validity,
    last_fetched_at = clock_timestamp(), failing_since = null, last_error = null, alerted_at = null
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = mailbox_fetched.mailbox_id
$$;

comment on function app_private.mailbox_fetched(uuid, bigint, bigint) is 'Notes that everything in a mailbox up to a number was seen to, and that it can be read.';

create or replace function app_private.mailbox_failed(mailbox_id uuid, error text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_public.mailbox_states as state
  set failing_since = coalesce(state.failing_since, clock_timestamp()), last_error = left(mailbox_failed.error, 500)
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = mailbox_failed.mailbox_id
$$;

comment on function app_private.mailbox_failed(uuid, text) is 'Notes that a mailbox cannot be read, and why.';

create or replace function app_private.sweep_mailboxes() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  silent record;
begin
  for silent in
    update app_public.mailbox_states as state
    set alerted_at = clock_timestamp()
    from app_public.mailboxes as box
    where box.organization_id = app_hidden.current_organization_id() and box.is_enabled
      and state.organization_id = box.organization_id and state.mailbox_id = box.id and state.alerted_at is null
      and greatest(state.last_fetched_at, state.enabled_at) < clock_timestamp() - make_interval(mins => box.alarm_minutes)
    returning box.id, box.name, box.address, state.last_fetched_at, state.failing_since, state.last_error, state.alerted_at
  loop
    perform app_private.alert_admins(
      'mailbox_silent',
      jsonb_build_object(
        'mailbox_id', silent.id, 'name', silent.name, 'address', silent.address, 'last_fetched_at', silent.last_fetched_at,
        'failing_since', silent.failing_since, 'error', silent.last_error
      ),
      'mailbox_silent:' || silent.id || ':' || extract(epoch from coalesce(silent.last_fetched_at, silent.alerted_at))
    );
  end loop;

  -- A job that was lost would leave a mail unread.
  perform app_private.enqueue_incoming_mail(late.organization_id, late.id)
  from app_public.incoming_mails as late
  where late.organization_id = app_hidden.current_organization_id() and late.state = 'stored' and late.created_at < now() - interval '30 minutes'
    and not exists (
      select from graphile_worker.jobs as job where job.key = 'process_incoming_mail:' || late.id
    );
end
$$;

comment on function app_private.sweep_mailboxes() is 'Tells the admins, once, of a mailbox that was not read for as long as they said, and has mails read whose job was lost. Done by a job each minute.';

create or replace function app_private.mailbox_health(out enabled integer, out silent integer)
  language sql stable security definer
  set search_path = ''
as $$
  select
    count(*)::integer,
    (count(*) filter (
      where greatest(state.last_fetched_at, state.enabled_at) < clock_timestamp() - make_interval(mins => box.alarm_minutes)
    ))::integer
  from app_public.mailbox_states as state
  join app_public.mailboxes as box on box.organization_id = state.organization_id and box.id = state.mailbox_id
  join app_public.organizations as organization on organization.id = box.organization_id
  where box.is_enabled and organization.suspended_at is null
$$;

comment on function app_private.mailbox_health() is 'How many mailboxes of all organizations are to be read, and how many of them were not for as long as their admins said; for the health endpoint.';

create or replace function app_private.keep_environment_mailbox(slug text, settings jsonb) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  home app_public.organizations;
  mailbox app_public.mailboxes;
begin
  if settings is null then
    -- What was taken out of the environment is read no more; what came by it stays.
    update app_public.mailboxes as box
    set is_enabled = false, is_default = false, archived_at = now()
    where box.from_environment and box.archived_at is null
      -- Another worker may have that environment.
      and not exists (
        select from app_public.mailbox_states as state
        where state.organization_id = box.organization_id and state.mailbox_id = box.id and state.lease_until > clock_timestamp()
      );
    return jsonb_build_object('outcome', 'none');
  end if;

  select * into home
  from app_public.organizations as organization
  where organization.suspended_at is null
    and case
      when keep_environment_mailbox.slug is null then (select count(*) from app_public.organizations) = 1
      else organization.slug = keep_environment_mailbox.slug
    end;
  if not found then
    return jsonb_build_object('outcome', 'no_organization');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('mailboxes:' || home.id, 0));

  -- Whoever writes the environment says whose its address is: another organization that claims it has it no more.
  with put_away as (
    update app_public.mailboxes as box
    set is_enabled = false, is_default = false, archived_at = now()
    where box.archived_at is null and box.organization_id <> home.id
      and (box.from_environment or box.address operator(public.=) (settings ->> 'address')::public.citext)
    returning box.organization_id, box.id
  )
  delete from app_private.mailbox_secrets as secret
  using put_away
  where secret.organization_id = put_away.organization_id and secret.mailbox_id = put_away.id;

  update app_public.mailboxes as box
  set
    address = settings ->> 'address', host = settings ->> 'host', port = (settings ->> 'port')::integer,
    security = (settings ->> 'security')::app_public.mailbox_security, username = settings ->> 'username', auth = 'password',
    token_endpoint = null, client_id = null
  where box.organization_id = home.id and box.from_environment and box.archived_at is null
  returning * into mailbox;
  if not found then
    -- One that an admin made for the same address goes on, from now on as the environment says.
    update app_public.mailboxes as box
    set
      from_environment = true, host = settings ->> 'host', port = (settings ->> 'port')::integer,
      security = (settings ->> 'security')::app_public.mailbox_security, username = settings ->> 'username', auth = 'password',
      token_endpoint = null, client_id = null
    where box.organization_id = home.id and box.address operator(public.=) (settings ->> 'address')::public.citext and box.archived_at is null
    returning * into mailbox;
    if not found then
      insert into app_public.mailboxes (organization_id, name, address, host, port, security, username, from_environment, is_default)
      values (
        home.id,
        -- The name is what mails are from; another mailbox may have it.
        case
          when exists (select from app_public.mailboxes as box where box.organization_id = home.id and box.name = left(home.name, 80) and box.archived_at is null)
          then left(settings ->> 'address', 80) else left(home.name, 80)
        end,
        settings ->> 'address', settings ->> 'host', (settings ->> 'port')::integer,
        (settings ->> 'security')::app_public.mailbox_security, settings ->> 'username', true,
        not exists (select from app_public.mailboxes as box where box.organization_id = home.id and box.is_default)
      )
      returning * into mailbox;
    end if;
    delete from app_private.mailbox_secrets as secret
    where secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id;
  end if;
  return jsonb_build_object('outcome', 'ok', 'organizationId', mailbox.organization_id, 'mailboxId', mailbox.id);
end
$$;

comment on function app_private.keep_environment_mailbox(text, jsonb) is
  'Makes the mailbox that the environment of the worker names, of the only organization or the one with this slug, or brings it up to date; null puts it away: `ok`, `none`, `no_organization`. Its password stays in the environment.';

revoke all on function
  app_private.mail_room(), app_private.mailbox_settings(app_public.mailboxes), app_private.lease_mailboxes(text, integer, boolean), app_private.release_mailboxes(text),
  app_private.mailbox_to_test(uuid), app_private.record_mailbox_test(uuid, text, text), app_private.mailbox_progress(uuid),
  app_private.mailbox_fetched(uuid, bigint, bigint), app_private.mailbox_failed(uuid, text), app_private.sweep_mailboxes(),
  app_private.mailbox_health(), app_private.keep_environment_mailbox(text, jsonb), app_private.renew_mailbox_secret(uuid, text, text)
from public;

grant execute on function app_private.mailbox_health() to atum_server;
grant execute on function
  app_private.lease_mailboxes(text, integer, boolean), app_private.release_mailboxes(text), app_private.mailbox_to_test(uuid),
  app_private.record_mailbox_test(uuid, text, text), app_private.mailbox_progress(uuid), app_private.mailbox_fetched(uuid, bigint, bigint),
  app_private.mailbox_failed(uuid, text), app_private.sweep_mailboxes(), app_private.keep_environment_mailbox(text, jsonb),
  app_private.renew_mailbox_secret(uuid, text, text)
to atum_worker;
