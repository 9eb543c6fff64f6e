--! Previous: sha1:27431b2256ca5c3f9f6e3b4c8e6198688c2aa2b0
--! Hash: sha1:25e1cc044ca088946994e150dea92615be7682e6
--! Message: A line for each organization

--! split: 1-current.sql
-- Tables, types, indexes, constraints of the next change.

drop function if exists app_hidden.match_rank(uuid, tsquery);
-- It has one parameter more from now on.
drop function if exists app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer);

--! split: 1000-functions-00-common.sql
-- Claims: what a request says about its caller, set with `set local` by the server and the worker, read only here.
-- Written as `return` expressions: their names are bound when they are made, so that they need no search_path of their
-- own and the planner may put them in place of the call.

create or replace function app_hidden.current_organization_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.organization_id', true), '')::uuid;

comment on function app_hidden.current_organization_id() is 'The organization this transaction acts in, or null when nobody is known.';

create or replace function app_hidden.current_user_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.user_id', true), '')::uuid;

comment on function app_hidden.current_user_id() is 'The person this transaction acts for, or null for the system and for strangers.';

create or replace function app_hidden.current_worker() returns text
  language sql stable parallel safe
  return nullif(current_setting('atum.worker', true), '');

comment on function app_hidden.current_worker() is 'The name under which the worker whose job this is locks jobs, or null.';

create or replace function app_hidden.current_session_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.session_id', true), '')::uuid;

comment on function app_hidden.current_session_id() is 'The session of a person who logged in, or null for API tokens, the system and strangers.';

create or replace function app_hidden.current_address() returns inet
  language sql stable parallel safe
  return nullif(current_setting('atum.ip_address', true), '')::inet;

comment on function app_hidden.current_address() is 'The address the request came from, or null.';

create or replace function app_hidden.acting_role() returns text
  language sql stable parallel safe
  -- Unlike current_user, the setting is not changed by entering a security definer function.
  return coalesce(nullif(current_setting('role', true), 'none'), session_user::text);

comment on function app_hidden.acting_role() is 'The database role that a request became, also inside security definer functions.';

create or replace function app_hidden.is_staff() returns boolean
  language sql stable parallel safe
  return app_hidden.acting_role() in ('atum_agent', 'atum_manager', 'atum_admin');

comment on function app_hidden.is_staff() is 'Whether the request acts as staff: agent, manager or admin.';

revoke all on function
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.current_worker(),
  app_hidden.current_session_id(), app_hidden.current_address(), app_hidden.acting_role(), app_hidden.is_staff()
from public;

grant execute on function
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.current_session_id(),
  app_hidden.current_address(), app_hidden.acting_role(), app_hidden.is_staff()
to atum_anonymous, atum_customer, atum_agent, atum_server, atum_worker;

-- Access starts from zero: every policy file calls this first, so that deleting a policy is deleting its lines.
create or replace function app_private.reset_access(target regclass) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  existing record;
  organization_column text;
begin
  for existing in select polname from pg_catalog.pg_policy where polrelid = target loop
    execute format('drop policy %I on %s', existing.polname, target);
  end loop;

  for existing in
    select distinct grantee.rolname
    from (
      select relacl as acl from pg_catalog.pg_class where oid = target
      union all
      select attacl from pg_catalog.pg_attribute where attrelid = target and attacl is not null
    ) as lists
    cross join lateral pg_catalog.aclexplode(lists.acl) as item
    join pg_catalog.pg_roles as grantee on grantee.oid = item.grantee
    where grantee.rolname <> 'atum_owner'
  loop
    execute format('revoke all on %s from %I', target, existing.rolname);
  end loop;

  execute format('revoke all on %s from public', target);
  execute format('alter table %s enable row level security, force row level security', target);

  select attname into organization_column
  from pg_catalog.pg_attribute
  where attrelid = target and attname = 'organization_id' and not attisdropped;

  -- Definer functions run as the owner. Called for somebody they stay inside that organization like everybody else;
  -- only migrations and the few functions that run before anybody is known see all rows.
  execute format(
    'create policy all_owner on %1$s to atum_owner'
    ' using ((select app_hidden.current_organization_id()) is null or %2$I = (select app_hidden.current_organization_id()))'
    ' with check ((select app_hidden.current_organization_id()) is null or %2$I = (select app_hidden.current_organization_id()))',
    target, coalesce(organization_column, 'id')
  );
end
$$;

comment on function app_private.reset_access(regclass) is
  'Takes every policy and grant from a tenant table, enables and forces row-level security, and leaves the owner bound to the claims where there are any.';

create or replace function app_private.tg__stamp_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg__stamp_updated_at() is 'Keeps updated_at, unless the writer set it.';

-- Jobs. This is the only way in, because a job without an organization could not be run behind row-level security.
create or replace function app_private.enqueue(
  task text,
  organization_id uuid,
  payload jsonb default '{}',
  run_at timestamptz default null,
  job_key text default null,
  max_attempts integer default 25,
  queue_name text default null
) returns void
  language plpgsql volatile security definer
  set search_path = ''
  -- A plan made while the queue was short reads it whole, and is kept: with 7,500 jobs waiting, as when no worker runs, a
  -- job took 1.4 ms to add instead of 0.6.
  set plan_cache_mode = force_custom_plan
as $$
begin
  if organization_id is null then
    raise exception using errcode = 'AD301', message = format('The job %s has no organization', task);
  end if;

  perform graphile_worker.add_job(
    identifier => task,
    payload => (payload || jsonb_build_object('organizationId', organization_id))::json,
    run_at => run_at,
    max_attempts => max_attempts,
    job_key => job_key,
    queue_name => queue_name
  );
end
$$;

comment on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer, text) is
  'Adds a job in this transaction. A job_key names it: adding again with the same key moves it. Of those with the same queue_name one is done at a time, so that what an organization waits for holds up no other one. Error JOB_WITHOUT_ORGANIZATION when organization_id is null.';

create or replace function app_private.free_lost_jobs() returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  lost text[];
begin
  select array_agg(distinct job.locked_by) into lost
  from graphile_worker._private_jobs as job
  -- A worker that has just started may not have said so yet.
  where job.locked_at < clock_timestamp() - interval '30 seconds'
    and not exists (
      select
      from app_private.worker_heartbeats as heartbeat
      where job.locked_by = any (heartbeat.lock_names) and heartbeat.seen_at > clock_timestamp() - interval '30 seconds'
    );
  if lost is not null then
    perform app_private.free_jobs_of(lost);
  end if;
end
$$;

comment on function app_private.free_lost_jobs() is
  'Frees the jobs of workers that were silent for 30 seconds.';

create or replace function app_private.record_heartbeat(worker_id text, started_at timestamptz, lock_names text[] default '{}')
  returns void
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_private.worker_heartbeats as heartbeat (worker_id, started_at, seen_at, lock_names)
  values (record_heartbeat.worker_id, record_heartbeat.started_at, clock_timestamp(), record_heartbeat.lock_names)
  on conflict (worker_id) do update
  set started_at = excluded.started_at, seen_at = excluded.seen_at, lock_names = excluded.lock_names;

  delete from app_private.worker_heartbeats where seen_at < clock_timestamp() - interval '1 day';

  select app_private.free_lost_jobs();
$$;

comment on function app_private.record_heartbeat(text, timestamptz, text[]) is
  'A worker says that it is alive, and by which names it locks jobs. Frees the jobs of those who were silent for 30 seconds; those silent for a day are forgotten.';

create or replace function app_private.workers_on(host text) returns setof text
  language sql stable security definer
  set search_path = ''
as $$
  select heartbeat.worker_id
  from app_private.worker_heartbeats as heartbeat
  where starts_with(heartbeat.worker_id, workers_on.host || ':')
$$;

comment on function app_private.workers_on(text) is 'The workers that a machine is known for, as `<host>:<process id>`.';

create or replace function app_private.bury_worker(worker_id text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  gone text[];
begin
  delete from app_private.worker_heartbeats as heartbeat
  where heartbeat.worker_id = bury_worker.worker_id
  returning heartbeat.lock_names into gone;
  if found then
    perform app_private.free_jobs_of(gone);
  end if;
end
$$;

comment on function app_private.bury_worker(text) is 'Forgets a worker of which somebody knows that it is gone, and frees its jobs.';

create or replace function app_private.last_heartbeat_at() returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select max(seen_at) from app_private.worker_heartbeats
$$;

comment on function app_private.last_heartbeat_at() is 'When a worker was last heard of.';

create or replace function app_private.last_migration() returns text
  language sql stable security definer
  set search_path = ''
as $$
  select filename from graphile_migrate.migrations order by filename desc limit 1
$$;

comment on function app_private.last_migration() is 'The file name of the last committed migration this database has.';

-- The catalog's own view of the walls, for the health endpoint and the tests.
create or replace function app_private.tenant_tables()
  returns table (table_name text, organization_column text, row_security boolean, forced boolean)
  language sql stable
  set search_path = ''
as $$
  select
    format('%I.%I', namespace.nspname, class.relname),
    case when class.oid = 'app_public.organizations'::regclass then 'id' else 'organization_id' end,
    class.relrowsecurity,
    class.relforcerowsecurity
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'p')
    and namespace.nspname in ('app_public', 'app_hidden', 'app_private')
    and (
      class.oid = 'app_public.organizations'::regclass
      or exists (
        select
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = class.oid and attribute.attname = 'organization_id' and not attribute.attisdropped
      )
    )
  order by 1
$$;

comment on function app_private.tenant_tables() is 'Every table that holds rows of organizations, and whether its row-level security is enabled and forced.';

create or replace function app_private.unaudited_tables() returns setof text
  language sql immutable
  set search_path = ''
as $$
  values
    ('app_public.audit_log'),
    -- Change with every write, and are checked by it.
    ('app_private.audit_heads'), ('app_private.ticket_counters'),
    -- What follows from audited rows.
    ('app_hidden.ticket_documents'), ('app_hidden.search_words'),
    -- The login it belongs to is recorded as an act.
    ('app_private.login_challenges'),
    -- Counts that move with every use.
    ('app_private.canned_response_uses'), ('app_private.macro_uses'), ('app_private.upload_amounts'),
    -- Saved every few seconds, and nothing that was said yet (docs/decisions/0011).
    ('app_public.ticket_drafts'),
    -- What they lead to is recorded in automation_firings, and what that changes in its own table.
    ('app_private.automation_queue'), ('app_private.automation_matches'),
    -- The events that wait to be told.
    ('app_private.announcement_queue'),
    -- What moves with every look into a mailbox.
    ('app_public.mailbox_states'),
    -- They repeat events, which are recorded, and what moves in them are the marks of reading.
    ('app_public.notifications'),
    -- What was told of events that are recorded: a queue, and its log.
    ('app_public.webhook_deliveries'), ('app_public.webhook_attempts')
$$;

comment on function app_private.unaudited_tables() is 'The tenant tables whose changes the audit log does not record, each for a reason.';

create or replace function app_private.wall_faults() returns setof text
  language sql stable
  set search_path = ''
as $$
  with ours as (
    select class.oid, format('%I.%I', namespace.nspname, class.relname) as table_name
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relkind in ('r', 'p') and namespace.nspname in ('app_public', 'app_hidden', 'app_private')
  )
  select format('%s has no row-level security', table_name)
  from app_private.tenant_tables()
  where not row_security
  union all
  select format('%s does not force row-level security on its owner', table_name)
  from app_private.tenant_tables()
  where row_security and not forced
  union all
  -- The table that forgot the column is the likeliest mistake. Those named here belong to no organization.
  select format('%s belongs to no organization', table_name)
  from ours
  where table_name not in (select tenant.table_name from app_private.tenant_tables() as tenant)
    and table_name not in (
      'app_private.worker_heartbeats', 'app_private.scanner_status', 'app_private.login_failures', 'app_private.rate_buckets', 'app_private.common_passwords'
    )
  union all
  select format('%s is not audited', tenant.table_name)
  from app_private.tenant_tables() as tenant
  where tenant.table_name not in (select app_private.unaudited_tables())
    and not exists (
      select
      from pg_catalog.pg_trigger as trigger
      where trigger.tgrelid = to_regclass(tenant.table_name) and trigger.tgname = '_900_audit' and trigger.tgenabled <> 'D'
    )
  union all
  select format('the trigger %s of %s is switched off', trigger.tgname, ours.table_name)
  from ours
  join pg_catalog.pg_trigger as trigger on trigger.tgrelid = ours.oid
  where not trigger.tgisinternal and trigger.tgenabled = 'D' and trigger.tgname <> '_900_audit'
$$;

comment on function app_private.wall_faults() is 'What the catalog shows to be wrong with the walls between organizations and with the audit log; nothing when they stand.';

create or replace function app_private.rls_probe_organizations() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(id), '{}') from (select id from app_public.organizations order by id limit 2) as two
$$;

comment on function app_private.rls_probe_organizations() is 'Up to two organizations for the health endpoint to probe the walls between.';

revoke all on function
  app_private.reset_access(regclass), app_private.tg__stamp_updated_at(),
  app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer, text),
  app_private.free_lost_jobs(), app_private.record_heartbeat(text, timestamptz, text[]), app_private.workers_on(text),
  app_private.bury_worker(text), app_private.last_heartbeat_at(), app_private.last_migration(),
  app_private.tenant_tables(), app_private.unaudited_tables(), app_private.wall_faults(), app_private.rls_probe_organizations()
from public;

grant execute on function
  app_private.record_heartbeat(text, timestamptz, text[]), app_private.workers_on(text), app_private.bury_worker(text)
to atum_worker;
grant execute on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer, text) to atum_worker;
grant execute on function
  app_private.last_heartbeat_at(), app_private.last_migration(), app_private.tenant_tables(), app_private.unaudited_tables(),
  app_private.wall_faults(), app_private.rls_probe_organizations()
to atum_server;

--! split: 1034-functions-34-attachments.sql
-- Files: they come into quarantine, are looked into, and go with a comment.

create or replace function app_private.tg_organizations__found_attachments() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.attachment_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_attachments() is 'Gives a new organization its settings of attachments.';

create or replace trigger _500_found_attachments after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_attachments();

create or replace trigger _100_stamp_updated_at before update on app_public.attachment_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_hidden.safe_file_name(name text) returns text
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  -- What turns the direction of a line, so that `gpj.exe` reads `exe.jpg`, and what takes no room on it.
  unseen constant text := (
    select string_agg(chr(code), '')
    from (
      select generate_series(8203, 8207) union all select generate_series(8232, 8238) union all select generate_series(8288, 8303)
      union all values (173), (1564), (65279)
    ) as listed (code)
  );
  -- Only the last part of a path, whichever way its slashes lean.
  told constant text := normalize((regexp_match(replace(coalesce(name, ''), chr(92), '/'), '[^/]*$'))[1], nfc);
  cleaned constant text := btrim(regexp_replace(translate(told, unseen, ''), '[[:cntrl:]]+', ' ', 'g'));
  ending constant text := coalesce((regexp_match(cleaned, '[.][^. ]{1,20}$'))[1], '');
  safe constant text := case
    when length(cleaned) > 200 then left(cleaned, 200 - length(ending)) || ending
    else cleaned
  end;
begin
  return case when btrim(safe, '. ') = '' then 'file' else safe end;
end
$$;

comment on function app_hidden.safe_file_name(text) is 'What a file may be called here: the last part of what it is called elsewhere, without characters that cannot be seen, of at most 200 characters with its ending kept; `file` where nothing is left.';

create or replace function app_private.is_content_type_among(content_type text, patterns text[]) returns boolean
  language sql immutable parallel safe
  return lower(content_type) = any (patterns) or split_part(lower(content_type), '/', 1) || '/*' = any (patterns);

comment on function app_private.is_content_type_among(text, text[]) is 'Whether a type is one of those listed, as `image/png` or as `image/*`.';

create or replace function app_private.is_type_refused(organization_id uuid, content_type text) returns boolean
  language sql stable
  set search_path = ''
as $$
  select app_private.is_content_type_among(is_type_refused.content_type, settings.refused_content_types)
    or settings.allowed_content_types <> '{}'
    and not app_private.is_content_type_among(is_type_refused.content_type, settings.allowed_content_types)
  from app_public.attachment_settings as settings
  where settings.organization_id = is_type_refused.organization_id
$$;

comment on function app_private.is_type_refused(uuid, text) is 'Whether an organization takes no files of a type.';

create or replace function app_private.store_content(sha256 text, size bigint, content_type text) returns app_public.stored_files
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  stored app_public.stored_files;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  -- What this installation scans is known to the program that asks, and to nobody who uses it.
  unjudged constant app_public.file_state :=
    case current_setting('atum.attachment_scanner', true) when 'off' then 'unscanned' else 'pending' end;
begin
  insert into app_public.stored_files (organization_id, sha256, size, content_type, state)
  values (caller_organization_id, store_content.sha256, store_content.size, lower(store_content.content_type), unjudged)
  on conflict do nothing;

  -- Until the bytes are in their place nobody judges them, or takes them away.
  select * into strict stored
  from app_public.stored_files as file
  where file.organization_id = caller_organization_id and file.sha256 = store_content.sha256
  for update;

  -- What was forgotten for its age begins anew; what an admin took away stays away.
  if stored.state = 'removed' and stored.decided_by_id is null then
    update app_public.stored_files as file
    set state = unjudged, signature = null, scanned_at = null, scanned_with = null, decided_at = null, reason = null
    where file.organization_id = stored.organization_id and file.sha256 = stored.sha256
    returning * into stored;
  end if;

  -- What came in while nobody scanned, and comes again now that somebody does.
  if stored.state = 'unscanned' and unjudged = 'pending' then
    update app_public.stored_files as file
    set state = 'pending'
    where file.organization_id = stored.organization_id and file.sha256 = stored.sha256
    returning * into stored;
  end if;

  if stored.state = 'pending' then
    perform app_private.enqueue_scan(stored.organization_id, stored.sha256);
  end if;
  return stored;
end
$$;

comment on function app_private.store_content(text, bigint, text) is
  'The row of a content, made where there is none and locked until the end of the transaction, in which the caller puts the bytes where its state says. Has a job scan what nobody judged yet, and what nobody scanned when it came before.';

create or replace function app_private.count_upload(size bigint, largest bigint) returns void
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  uploaded numeric;
  most bigint;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  -- Of two uploads of one person the second sees what the first one brought.
  perform pg_advisory_xact_lock(hashtextextended('uploads:' || caller_organization_id || ':' || caller_id, 0));

  -- One file as large as files may be is taken in any case.
  select greatest(case person.role when 'customer' then 524288000 else 5368709120 end, count_upload.largest) into strict most
  from app_public.users as person
  where person.organization_id = caller_organization_id and person.id = caller_id;

  -- The hour in which a day ago is counts whole.
  select coalesce(sum(counted.bytes), 0) into uploaded
  from app_private.upload_amounts as counted
  where counted.organization_id = caller_organization_id and counted.user_id = caller_id
    and counted.hour > clock_timestamp() - interval '25 hours';
  if uploaded + count_upload.size > most then
    raise exception using errcode = 'AD238', message = format('You may upload %s bytes within a day; wait until tomorrow', most);
  end if;

  insert into app_private.upload_amounts as counted (organization_id, user_id, hour, bytes)
  values (caller_organization_id, caller_id, date_trunc('hour', clock_timestamp(), 'UTC'), count_upload.size)
  on conflict on constraint upload_amounts_pkey do update set bytes = counted.bytes + excluded.bytes;
end
$$;

comment on function app_private.count_upload(bigint, bigint) is
  'Counts what the caller uploads, also what is discarded later, and refuses what is more than 500 MiB within a day, 5 GiB for staff. Error TOO_MANY_UPLOADS.';

create or replace function app_hidden.store_upload(
  sha256 text, size bigint, content_type text, name text, claimed_content_type text, content_id text default null
) returns app_public.attachments
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  made app_public.attachments;
  stored app_public.stored_files;
  settings app_public.attachment_settings;
  most_waiting constant integer := 200;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to upload a file';
  end if;

  select * into strict settings
  from app_public.attachment_settings as chosen
  where chosen.organization_id = caller_organization_id;

  if store_upload.size = 0 then
    raise exception using errcode = 'AD236', message = 'The file is empty';
  end if;
  if store_upload.size > settings.max_file_bytes then
    raise exception using errcode = 'AD230', message = format('A file has at most %s bytes', settings.max_file_bytes);
  end if;
  if app_private.is_type_refused(caller_organization_id, store_upload.content_type) then
    raise exception using errcode = 'AD231', message = format('Files of the type %s are not taken here', store_upload.content_type);
  end if;
  if (
    select count(*)
    from app_public.attachments as waiting
    where waiting.organization_id = caller_organization_id and waiting.uploaded_by_id = caller_id and waiting.comment_id is null
  ) >= most_waiting then
    raise exception using
      errcode = 'AD238', message = format('You have %s files that are on no comment yet; send or discard some', most_waiting);
  end if;

  perform app_private.count_upload(store_upload.size, settings.max_file_bytes);

  stored := app_private.store_content(store_upload.sha256, store_upload.size, store_upload.content_type);
  if stored.state = 'removed' then
    raise exception using errcode = 'AD237', message = 'An admin removed this file';
  end if;

  insert into app_public.attachments
    (organization_id, uploaded_by_id, name, claimed_content_type, content_id, sha256, size, content_type, state)
  values (
    caller_organization_id, caller_id, app_hidden.safe_file_name(store_upload.name),
    left(store_upload.claimed_content_type, 200), nullif(left(store_upload.content_id, 255), ''),
    stored.sha256, stored.size, stored.content_type, stored.state
  )
  returning * into made;
  return made;
end
$$;

comment on function app_hidden.store_upload(text, bigint, text, text, text, text) is
  'Takes in a file of the caller, to go on a comment later, and has it scanned. The caller of the database puts the bytes where the state says before it commits. Errors: UNAUTHENTICATED, ATTACHMENT_EMPTY, ATTACHMENT_TOO_LARGE, ATTACHMENT_TYPE_REFUSED, TOO_MANY_UPLOADS, ATTACHMENT_REMOVED.';

create or replace function app_private.store_mail_file(
  sha256 text, size bigint, content_type text, name text, claimed_content_type text, content_id text, comment_id uuid,
  uploaded_by_id uuid
) returns app_public.attachments
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  made app_public.attachments;
  stored constant app_public.stored_files :=
    app_private.store_content(store_mail_file.sha256, store_mail_file.size, store_mail_file.content_type);
begin
  insert into app_public.attachments (
    organization_id, uploaded_by_id, ticket_id, comment_id, name, claimed_content_type, content_id, sha256, size, content_type, state,
    created_at
  )
  select
    said.organization_id, store_mail_file.uploaded_by_id, said.ticket_id, said.id, app_hidden.safe_file_name(store_mail_file.name),
    left(store_mail_file.claimed_content_type, 200), nullif(left(store_mail_file.content_id, 255), ''),
    stored.sha256, stored.size, stored.content_type, stored.state,
    -- All of a mail come in one transaction, and keep their order.
    clock_timestamp()
  from app_public.comments as said
  where said.organization_id = stored.organization_id and said.id = store_mail_file.comment_id
  returning * into strict made;

  -- What is scanned first is held back by the verdict.
  if stored.state = 'unscanned' and app_private.is_type_refused(stored.organization_id, stored.content_type) then
    made.state := app_private.record_verdict(stored.sha256, 'unscannable', app_private.refused_type_reason(stored.content_type));
  end if;
  return made;
end
$$;

comment on function app_private.store_mail_file(text, bigint, text, text, text, text, uuid, uuid) is
  'Puts a file that came by mail on its comment, and has it scanned. Nothing is refused: what may not be read is not served, and what is of a type that is not taken is held back until an admin releases it. The worker puts the bytes where the state says before it commits.';

create or replace function app_hidden.attach_uploads(comment app_public.comments, attachment_ids uuid[]) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  said app_public.comments;
  file record;
  found_files integer := 0;
  most integer;
  wanted constant uuid[] := array(select distinct id from unnest(attach_uploads.attachment_ids) as listed (id));
begin
  select settings.max_files_per_comment into most
  from app_public.attachment_settings as settings
  where settings.organization_id = app_hidden.current_organization_id();
  if cardinality(wanted) > most then
    raise exception using errcode = 'AD232', message = format('A comment carries at most %s files', most);
  end if;

  -- Read again, because whoever calls this can put a row together that says what they like.
  select * into said
  from app_public.comments as written
  where written.organization_id = app_hidden.current_organization_id() and written.id = comment.id
    and written.author_id = app_hidden.current_user_id();

  -- Of two comments that want the same file one waits, and finds it gone.
  for file in
    select staged.id, staged.name, staged.state
    from app_public.attachments as staged
    where staged.organization_id = said.organization_id and staged.id = any (wanted)
      and staged.uploaded_by_id = said.author_id and staged.comment_id is null
    order by staged.id
    for update
  loop
    found_files := found_files + 1;
    if file.state = 'infected' then
      raise exception using errcode = 'AD234', message = format('%s is infected; leave it out', file.name);
    end if;
    if file.state = 'removed' then
      raise exception using errcode = 'AD237', message = format('%s was removed; leave it out', file.name);
    end if;
  end loop;
  if found_files < cardinality(wanted) then
    raise exception using
      errcode = 'AD233', message = 'A file is not there any more: it was sent with something else, discarded, or forgotten after a day; upload it again';
  end if;

  -- Several are uploaded at a time, and the smallest is there first: from now on they stand in the order in which they
  -- are named, each with the moment of its place.
  update app_public.attachments as attached
  set comment_id = said.id, ticket_id = said.ticket_id, created_at = came.moment + came.place * interval '1 microsecond'
  from (
    select listed.id, row_number() over (order by min(listed.place)) as place
    from unnest(attach_uploads.attachment_ids) with ordinality as listed (id, place)
    group by listed.id
  ) as named
  join (
    select staged.created_at as moment, row_number() over (order by staged.created_at, staged.id) as place
    from app_public.attachments as staged
    where staged.organization_id = said.organization_id and staged.id = any (wanted)
  ) as came on came.place = named.place
  where attached.organization_id = said.organization_id and attached.id = named.id;
end
$$;

comment on function app_hidden.attach_uploads(app_public.comments, uuid[]) is
  'Puts files that the caller uploaded onto a comment that the caller wrote, in the order in which they are named. Errors: TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED.';

create or replace function app_private.copy_attachments(from_comment app_public.comments, to_comment app_public.comments) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.attachments (
    organization_id, uploaded_by_id, ticket_id, comment_id, name, claimed_content_type, content_id, sha256, size, content_type, state,
    created_at
  )
  select
    to_comment.organization_id, file.uploaded_by_id, to_comment.ticket_id, to_comment.id, file.name, file.claimed_content_type,
    file.content_id, file.sha256, file.size, file.content_type, file.state,
    now() + row_number() over (order by file.created_at, file.id) * interval '1 microsecond'
  from app_public.attachments as file
  where file.organization_id = from_comment.organization_id and file.comment_id = from_comment.id
    and file.ticket_id = from_comment.ticket_id
$$;

comment on function app_private.copy_attachments(app_public.comments, app_public.comments) is 'Puts the files of a comment onto another one too. Their contents are kept once.';

create or replace function app_private.tg_attachments__record_event() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  said app_public.comments;
  files jsonb;
begin
  select * into said
  from app_public.comments as written
  where written.organization_id = NEW.organization_id and written.id = NEW.comment_id;

  -- Known before it came: no verdict will tell of it.
  if NEW.state in ('infected', 'unscannable') and (TG_OP = 'INSERT' or OLD.comment_id is null) then
    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_name, comment_id, after)
    select
      said.organization_id, said.ticket_id, 'attachment_blocked', 'internal', app_hidden.current_actor_name(), said.id,
      jsonb_strip_nulls(jsonb_build_object(
        'name', NEW.name, 'files', jsonb_build_array(jsonb_build_object('id', NEW.id, 'name', NEW.name)),
        'state', file.state, 'signature', file.signature
      ))
    from app_public.stored_files as file
    where file.organization_id = NEW.organization_id and file.sha256 = NEW.sha256;
  end if;

  -- At the end of the transaction, when all that came with the comment is on it: one event tells of them all.
  select jsonb_agg(
    jsonb_build_object('id', file.id, 'name', file.name, 'size', file.size, 'content_type', file.content_type)
    order by file.created_at, file.id
  ) into files
  from app_public.attachments as file
  where file.organization_id = said.organization_id and file.comment_id = said.id and file.ticket_id = said.ticket_id
    and not exists (
      select
      from app_public.ticket_events as told
      where told.organization_id = said.organization_id and told.comment_id = said.id and told.type = 'attachment_added'
        and told.after -> 'files' @> jsonb_build_array(jsonb_build_object('id', file.id))
    );
  if files is null then
    return null;
  end if;

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, comment_id, after)
  values (
    said.organization_id, said.ticket_id, 'attachment_added', said.visibility, said.author_id, said.author_name, said.id,
    jsonb_build_object('files', files)
  );
  return null;
end
$$;

comment on function app_private.tg_attachments__record_event() is 'Records that files came with a comment, in one event that is seen by whoever sees the comment, and for staff that one of them is blocked.';

drop trigger if exists _600_record_event on app_public.attachments;
create constraint trigger _600_record_event after insert or update on app_public.attachments
  deferrable initially deferred
  for each row when (NEW.comment_id is not null)
  execute function app_private.tg_attachments__record_event();

create or replace function app_public.discard_upload(attachment_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.attachments as staged
  where staged.organization_id = app_hidden.current_organization_id() and staged.uploaded_by_id = app_hidden.current_user_id()
    and staged.id = discard_upload.attachment_id and staged.comment_id is null;
  return found;
end
$$;

comment on function app_public.discard_upload(uuid) is
  'Throws away a file that the caller uploaded and that is on no comment yet. Returns whether there was one.';

create or replace function app_public.own_uploads(attachment_ids uuid[] default null) returns setof app_public.attachments
  language sql stable
  set search_path = ''
as $$
  select file.*
  from app_public.attachments as file
  where file.organization_id = app_hidden.current_organization_id() and file.uploaded_by_id = app_hidden.current_user_id()
    and file.comment_id is null
    and (own_uploads.attachment_ids is null or file.id = any (own_uploads.attachment_ids))
  order by file.created_at desc, file.id desc
$$;

comment on function app_public.own_uploads(uuid[]) is
  'The files that the caller uploaded and that are on no comment yet, newest first; with `attachmentIds` those of them. Each is forgotten a day after it was uploaded.';

create or replace function app_public.ticket_drafts_attachments(draft app_public.ticket_drafts) returns setof app_public.attachments
  language sql stable
  set search_path = ''
as $$
  select file.*
  from app_public.attachments as file
  where file.organization_id = draft.organization_id and file.id = any (draft.attachment_ids) and file.comment_id is null
  order by array_position(draft.attachment_ids, file.id)
$$;

comment on function app_public.ticket_drafts_attachments(app_public.ticket_drafts) is 'The files that wait to be sent with the draft, as far as they are still there.';

create or replace function app_public.outgoing_replies_attachments(reply app_public.outgoing_replies)
  returns setof app_public.attachments
  language sql stable
  set search_path = ''
as $$
  select file.*
  from app_public.attachments as file
  where file.organization_id = reply.organization_id and file.id = any (reply.attachment_ids) and file.comment_id is null
  order by array_position(reply.attachment_ids, file.id)
$$;

comment on function app_public.outgoing_replies_attachments(app_public.outgoing_replies) is 'The files that go with the reply.';

revoke all on function
  app_private.tg_organizations__found_attachments(), app_hidden.safe_file_name(text),
  app_private.is_content_type_among(text, text[]), app_private.is_type_refused(uuid, text), app_private.store_content(text, bigint, text),
  app_private.count_upload(bigint, bigint), app_hidden.store_upload(text, bigint, text, text, text, text),
  app_private.store_mail_file(text, bigint, text, text, text, text, uuid, uuid),
  app_hidden.attach_uploads(app_public.comments, uuid[]),
  app_private.copy_attachments(app_public.comments, app_public.comments), app_private.tg_attachments__record_event(),
  app_public.discard_upload(uuid), app_public.own_uploads(uuid[]), app_public.ticket_drafts_attachments(app_public.ticket_drafts),
  app_public.outgoing_replies_attachments(app_public.outgoing_replies)
from public;

grant execute on function
  app_hidden.store_upload(text, bigint, text, text, text, text), app_hidden.attach_uploads(app_public.comments, uuid[]),
  app_public.discard_upload(uuid), app_public.own_uploads(uuid[]), app_public.ticket_drafts_attachments(app_public.ticket_drafts)
to atum_customer, atum_agent;
grant execute on function app_public.outgoing_replies_attachments(app_public.outgoing_replies) to atum_agent;
grant execute on function app_private.store_mail_file(text, bigint, text, text, text, text, uuid, uuid) to atum_worker;

--! split: 1040-functions-40-sla.sql
-- Arithmetic: pure functions over a calendar as jsonb,
-- `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25", "12-26", {"from": "2026-08-03", "to": "2026-08-14"},
-- {"from": "12-27", "to": "01-02"}, {"date": "12-24", "from": "12:00", "to": "24:00"}]}`.

create or replace function app_hidden.local_instant(local_time timestamp, time_zone text) returns timestamptz
  language sql stable parallel safe
  -- Postgres takes the second of two instants at which a clock shows the same time, and moves a time that a clock skips
  -- forward. What opening hours mean is the first of the two, so the offset of the day before is tried first.
  return case
    when (
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC'
    ) at time zone time_zone = local_time
    then least(
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC',
      local_time at time zone time_zone
    )
    else local_time at time zone time_zone
  end;

comment on function app_hidden.local_instant(timestamp, text) is
  'The instant at which a clock in a time zone shows a local time: the first of two when clocks go back, moved forward when clocks skip it.';

create or replace function app_hidden.are_hours(hours jsonb) returns boolean
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{mon,tue,wed,thu,fri,sat,sun}';
  weekday text;
  hours_of_day text;
  hours_before text := '[]';
begin
  if jsonb_typeof(hours) <> 'object' or hours - weekdays <> '{}' then
    return false;
  end if;
  foreach weekday in array weekdays loop
    hours_of_day := hours ->> weekday;
    -- Most days are like the one before, and the text of a jsonb value is always written the same way.
    if hours_of_day <> hours_before and hours_of_day <> '[]' then
      if hours_of_day !~ '^\[(?:\["(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)", "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)"\](?:, )?)*\]$' then
        return false;
      end if;
      hours_before := hours_of_day;
    end if;
  end loop;
  return hours_before <> '[]';
end
$$;

comment on function app_hidden.are_hours(jsonb) is 'Whether a value is working hours: by weekday, pairs of times between 00:00 and 24:00, and not none at all.';

create or replace function app_hidden.is_day(day text) returns boolean
  language sql stable parallel safe
  return coalesce(
    day ~ '^(?:\d{4}-)?\d\d-\d\d$' and pg_input_is_valid(case when length(day) = 5 then '2024-' || day else day end, 'date'), false
  );

comment on function app_hidden.is_day(text) is 'Whether a text is a date, `2026-12-25`, or a day of every year, `12-25`.';

create or replace function app_hidden.check_calendar(calendar jsonb) returns void
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  hours constant jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
begin
  if hours is distinct from '"always_open"' then
    if hours is null or jsonb_typeof(hours) <> 'object' or hours::text !~ '\[\[' then
      raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
    end if;
    if not app_hidden.are_hours(hours) then
      raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
    end if;
  end if;

  if jsonb_typeof(holidays) <> 'array' or exists (
    select
    from jsonb_array_elements(holidays) as holiday
    where case jsonb_typeof(holiday)
      when 'string' then not app_hidden.is_day(holiday #>> '{}')
      when 'object' then not coalesce(
        case
          when holiday ? 'date' then
            app_hidden.is_day(holiday ->> 'date')
            and holiday ->> 'from' ~ '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$' and holiday ->> 'to' ~ '^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
            and holiday ->> 'from' < holiday ->> 'to'
          else
            app_hidden.is_day(holiday ->> 'from') and app_hidden.is_day(holiday ->> 'to')
            and length(holiday ->> 'from') = length(holiday ->> 'to')
            and (length(holiday ->> 'from') = 5 or holiday ->> 'from' <= holiday ->> 'to')
        end,
        false
      )
      else true
    end
  ) then
    raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours, or with times or holidays that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_holidays(holidays jsonb, first_day date, last_day date, in_part boolean) returns datemultirange
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  holiday jsonb;
  first_text text;
  last_text text;
  first_of_month date;
  last_of_month date;
  lowest constant text := to_char(first_day, 'YYYY-MM-DD');
  highest constant text := to_char(last_day, 'YYYY-MM-DD');
  is_one_year constant boolean := left(lowest, 4) = left(highest, 4);
  found_days datemultirange := '{}';
begin
  for index in 0 .. jsonb_array_length(holidays) - 1 loop
    first_text := holidays ->> index;
    last_text := first_text;
    -- Dates are the most, and most of them are not near.
    continue when length(first_text) <= 10 and in_part or length(first_text) = 10 and (first_text < lowest or first_text > highest);
    if length(first_text) > 10 then
      holiday := holidays -> index;
      continue when holiday ? 'date' <> in_part;
      first_text := coalesce(holiday ->> 'date', holiday ->> 'from');
      last_text := coalesce(holiday ->> 'date', holiday ->> 'to');
    end if;
    -- Those of every year are as easily told to be elsewhere, unless a year ends on the way.
    continue when length(first_text) = 5 and length(last_text) = 5 and is_one_year and first_text <= last_text
      and (last_text < right(lowest, 5) or first_text > right(highest, 5));

    if length(first_text) = 10 and length(last_text) = 10 then
      found_days := found_days + datemultirange(daterange(first_text::date, last_text::date, '[]'));
    elsif length(first_text) = 5 and length(last_text) = 5 then
      -- One that goes over the end of the year may have begun in the year before.
      for year in extract(year from first_day)::integer - 1 .. extract(year from last_day)::integer loop
        first_of_month := make_date(year, left(first_text, 2)::integer, 1);
        last_of_month := make_date(year + (last_text < first_text)::integer, left(last_text, 2)::integer, 1);
        -- The 29th of February is not held in a year without one.
        found_days := found_days + datemultirange(daterange(
          first_of_month + right(first_text, 2)::integer - 1,
          least(last_of_month + right(last_text, 2)::integer, (last_of_month + interval '1 month')::date)
        ));
      end loop;
    else
      raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
    end if;
  end loop;
  return found_days;
end
$$;

comment on function app_hidden.business_holidays(jsonb, date, date, boolean) is 'The local days near a span of days that are shut: those shut in part, or those shut from midnight to midnight.';

create or replace function app_hidden.business_shut(holidays jsonb, day date, zone text) returns tstzmultirange
  language sql stable parallel safe
  set search_path = ''
as $$
  select coalesce(range_agg(tstzrange(part.from_at, greatest(part.from_at, part.to_at))), '{}')
  from jsonb_array_elements(holidays) as holiday
  cross join lateral (
    select
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'from')::interval else '00:00' end, zone) as from_at,
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'to')::interval else '24:00' end, zone) as to_at
  ) as part
  where app_hidden.business_holidays(jsonb_build_array(holiday), day, day, holiday ? 'date') @> day
$$;

comment on function app_hidden.business_shut(jsonb, date, text) is 'The spans of a local day in which its holidays shut the calendar.';

create or replace function app_hidden.business_shifts(hours text) returns interval[]
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  -- JSON and arrays differ in their brackets, and this is the quickest way from one to the other.
  shifts constant interval[] := translate(hours, '[]', '{}');
begin
  for index in 2 .. coalesce(array_length(shifts, 1), 0) loop
    if shifts[index][1] < shifts[index - 1][1] then
      return array(
        select array[opening, closing]
        from unnest(shifts[:][1:1]) with ordinality as openings (opening, place)
        join unnest(shifts[:][2:2]) with ordinality as closings (closing, place) using (place)
        order by opening
      );
    end if;
  end loop;
  return shifts;
end
$$;

comment on function app_hidden.business_shifts(text) is 'The hours of one day as pairs of times since midnight, by when they open.';

-- The one walk over working time: day by day, and by whole weeks where a week is like any other. Instants are microseconds
-- since 1970 within it: arithmetic with them is exact, costs a fraction of that with intervals, and means the same in every
-- session's time zone.
create or replace function app_hidden.business_walk(
  calendar jsonb, start_at timestamptz, working_time double precision, stop_at timestamptz, paused tstzmultirange,
  out reached_at timestamptz, out worked double precision
)
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
  second constant double precision := 1e6;
  day_length constant double precision := 86400 * second;
  zone constant text := calendar ->> 'tz';
  hours jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
  has_holidays constant boolean := holidays <> '[]';
  has_parts constant boolean := has_holidays and holidays::text like '%"date"%';
  has_pauses constant boolean := paused <> '{}';
  start constant double precision := round(date_part('epoch', start_at) * second);
  stop constant double precision := coalesce(round(date_part('epoch', stop_at) * second), 'infinity');
  target constant double precision := coalesce(working_time, 'infinity');
  -- A day earlier, for hours that go over midnight.
  day date := (start_at at time zone zone)::date - 1;
  -- From here on it pays to know what a whole week comes to.
  weekly_from constant date := day + 10;
  week double precision;
  midnight double precision;
  next_midnight double precision;
  day_before double precision := 0;
  -- Up to here everything is counted; shifts that overlap are not counted twice.
  edge double precision := start;
  looked_until date := day - 1;
  shut_days datemultirange;
  special_days datemultirange;
  hours_of_day text;
  hours_before text;
  shifts interval[];
  opens double precision;
  closes double precision;
  is_special boolean;
  has_holes boolean;
  shut tstzmultirange;
  piece tstzrange;
begin
  if hours = '"always_open"' then
    hours := '{"sun": [["00:00", "24:00"]], "mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]], "wed": [["00:00", "24:00"]], "thu": [["00:00", "24:00"]], "fri": [["00:00", "24:00"]], "sat": [["00:00", "24:00"]]}';
  elsif app_hidden.are_hours(hours) is not true then
    perform app_hidden.check_calendar(calendar);
  end if;

  if zone is null then
    raise exception using errcode = 'AD202', message = 'A calendar needs a time zone';
  end if;

  worked := 0;
  midnight := date_part('epoch', app_hidden.local_instant(day, zone)) * second;
  while midnight < stop loop
    -- A calendar that is never open long enough.
    exit when midnight - start > 120 * 366 * day_length;

    if has_holidays and day >= looked_until then
      looked_until := day + 12 + least((target - worked) / (14400 * second), 800)::integer;
      shut_days := app_hidden.business_holidays(holidays, day - 1, looked_until + 10, false);
      special_days := shut_days;
      if has_parts then
        special_days := special_days + app_hidden.business_holidays(holidays, day - 1, looked_until + 10, true);
      end if;
    end if;

    if day > weekly_from then
      if week is null then
        week := (
          app_hidden.business_walk(
            jsonb_build_object('tz', 'UTC', 'hours', hours), '2024-01-08 00:00Z', null, '2024-01-15 00:00Z', '{}'
          )
        ).worked;
      end if;
      -- A week like any other: no holiday, no change of the clocks and no pause in it or beside it.
      if target - worked > week and midnight + 8 * day_length <= stop and midnight - day_before = day_length
        and to_timestamp((midnight + 8 * day_length) / second) at time zone zone = day + 8
        and not (has_holidays and special_days && daterange(day - 1, day + 8))
        and not (has_pauses and paused && tstzrange(to_timestamp(midnight / second), to_timestamp((midnight + 8 * day_length) / second)))
      then
        worked := worked + week;
        edge := edge + 7 * day_length;
        day := day + 7;
        midnight := midnight + 7 * day_length;
        day_before := midnight - day_length;
        continue;
      end if;
    end if;

    next_midnight := midnight + day_length;
    if to_timestamp(next_midnight / second) at time zone zone <> day + 1 then
      next_midnight := date_part('epoch', app_hidden.local_instant(day + 1, zone)) * second;
    end if;

    hours_of_day := hours ->> weekdays[date_part('dow', day)::integer + 1];
    -- Most days are like the one before.
    if hours_of_day is distinct from hours_before then
      shifts := app_hidden.business_shifts(hours_of_day);
      hours_before := hours_of_day;
    end if;

    is_special := has_holidays and special_days @> day;
    for index in 1 .. coalesce(array_length(shifts, 1), 0) loop
      exit when is_special and shut_days @> day;
      opens := midnight + date_part('epoch', shifts[index][1]) * second;
      closes := midnight + date_part('epoch', shifts[index][2]) * second;
      if opens = closes then
        raise exception using errcode = 'AD202', message = 'Working hours cannot close when they open';
      end if;
      if closes < opens or next_midnight - midnight <> day_length then
        opens := date_part('epoch', app_hidden.local_instant(day + shifts[index][1], zone)) * second;
        closes := date_part('epoch', app_hidden.local_instant(
          day + shifts[index][2] + case when shifts[index][2] < shifts[index][1] then interval '24 hours' else '0' end, zone
        )) * second;
      end if;
      has_holes := has_pauses;
      shut := '{}';
      if is_special then
        shut := app_hidden.business_shut(holidays, day, zone);
        -- Nobody begins a shift when the rest of the day is shut.
        continue when shut @> tstzrange(to_timestamp(opens / second), to_timestamp(next_midnight / second));
        has_holes := true;
      end if;
      if has_holidays and closes > next_midnight and special_days @> day + 1 then
        shut := shut + app_hidden.business_shut(holidays, day + 1, zone);
        has_holes := true;
      end if;

      opens := greatest(opens, edge);
      closes := least(closes, stop);
      continue when closes <= opens;
      edge := closes;

      if not has_holes or not shut + paused && tstzrange(to_timestamp(opens / second), to_timestamp(closes / second)) then
        if target - worked <= closes - opens then
          reached_at := to_timestamp((opens + target - worked) / second);
          return;
        end if;
        worked := worked + closes - opens;
      else
        for piece in
          select unnest(tstzmultirange(tstzrange(to_timestamp(opens / second), to_timestamp(closes / second))) - shut - paused)
        loop
          opens := round(date_part('epoch', lower(piece)) * second);
          closes := round(date_part('epoch', upper(piece)) * second);
          if target - worked <= closes - opens then
            reached_at := to_timestamp((opens + target - worked) / second);
            return;
          end if;
          worked := worked + closes - opens;
        end loop;
      end if;
    end loop;

    day := day + 1;
    day_before := midnight;
    midnight := next_midnight;
  end loop;
end
$$;

comment on function app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange) is
  'Walks from an instant until so many microseconds are worked, or until another instant; what is null has no end but that of 120 years. Says when the working time was reached, or else how much was worked, in microseconds.';

create or replace function app_hidden.business_due_at(
  calendar jsonb,
  start_at timestamptz,
  working_seconds bigint,
  paused tstzmultirange default '{}'
) returns timestamptz
  language plpgsql stable strict parallel safe
  set search_path = ''
as $$
declare
  reach interval := make_interval(hours => 240 + (-working_seconds / 600)::integer);
  worked double precision;
  due_at timestamptz;
begin
  if abs(working_seconds) > 3240000000 then
    raise exception using errcode = 'AD203', message = 'That is more than a hundred years of working time';
  end if;
  if working_seconds >= 0 then
    due_at := (app_hidden.business_walk(calendar, start_at, working_seconds * 1e6::double precision, null, paused)).reached_at;
    if due_at is null then
      raise exception using errcode = 'AD201', message = 'This calendar is never open long enough';
    end if;
    return due_at;
  end if;

  -- Backwards is forwards from far enough before, and then on to the opening when it ends at a closing.
  while reach < interval '1100000 hours' loop
    worked := (app_hidden.business_walk(calendar, start_at - reach, null, start_at, paused)).worked;
    if worked + working_seconds * 1e6::double precision >= 0 then
      return (
        app_hidden.business_walk(
          calendar,
          (app_hidden.business_walk(calendar, start_at - reach, worked + working_seconds * 1e6::double precision, null, paused)).reached_at,
          0, null, paused
        )
      ).reached_at;
    end if;
    reach := reach * 2;
  end loop;
  raise exception using errcode = 'AD201', message = 'This calendar was never open long enough';
end
$$;

comment on function app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange) is
  'When so many seconds of working time have passed since an instant, without the paused spans. Ends at the closing instant when they end exactly there; zero is the first open instant; negative goes backwards. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID, SLA_TARGET_TOO_LONG.';

create or replace function app_hidden.business_seconds(
  calendar jsonb,
  from_at timestamptz,
  to_at timestamptz,
  paused tstzmultirange default '{}'
) returns bigint
  language sql stable strict parallel safe
  set search_path = ''
as $$
  select round((app_hidden.business_walk(calendar, from_at, null, greatest(from_at, to_at), paused)).worked / 1e6)::bigint
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; zero when the second is not after the first. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

revoke all on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
from public;

grant execute on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
to atum_agent, atum_worker;

--! split: 1064-functions-64-found-tickets.sql
-- What a search finds, and in which order.

create or replace function app_hidden.match_ranks(ticket_ids uuid[], words tsquery) returns table (ticket_id uuid, rank real)
  language sql stable security definer
  set search_path = ''
as $$
  select document.ticket_id, max(ts_rank('{0.2, 0.4, 0.4, 1.0}', document.words, match_ranks.words))
  from app_hidden.ticket_documents as document
  where document.organization_id = app_hidden.current_organization_id() and document.ticket_id = any (match_ranks.ticket_ids)
  group by document.ticket_id
$$;

comment on function app_hidden.match_ranks(uuid[], tsquery) is 'How well the tickets that the caller found match.';

create or replace function app_hidden.found_tickets(words tsquery, conditions text, number_digits text) returns uuid[]
  language plpgsql stable
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  organization_word constant tsquery := app_hidden.lexeme(app_hidden.organization_word(caller_organization_id));
  newest constant integer := app_hidden.newest_ticket_number();
  level record;
  found uuid[] := '{}';
  numbered uuid[];
  -- One more than are put in order, to know that there are more.
  enough constant integer := 201;
begin
  if number_digits <> '' then
    execute format(
      $sql$
        select array_agg(named.id)
        from (
          select ticket.id
          from unnest($2, $3) as range (first, last)
          cross join lateral (
            select ticket.id, ticket.number
            from app_public.tickets as ticket
            where ticket.organization_id = $1 and ticket.number between range.first and range.last and %s
            order by ticket.number desc
            limit 50
          ) as ticket
          limit 50
        ) as named
      $sql$,
      conditions
    )
    into numbered
    using
      caller_organization_id,
      array(select number_digits::bigint * power(10, more)::bigint from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1),
      array(select (number_digits::bigint + 1) * power(10, more)::bigint - 1 from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1);
  end if;

  if numnode(words) = 0 then
    if number_digits is null then
      execute format(
        $sql$
          select array_agg(newest.id)
          from (
            select ticket.id from app_public.tickets as ticket where ticket.organization_id = $1 and %s order by ticket.updated_at desc limit $2
          ) as newest
        $sql$,
        conditions
      )
      into found using caller_organization_id, enough;
    end if;
    return coalesce(numbered, '{}') || coalesce(found, '{}');
  end if;

  -- A word that is on every sixth ticket is found among the newest at once; one that is not there is rare, and all
  -- tickets that have it are few: as many of the newest as there are tell whether sixteen times as many would do.
  -- Customers see few tickets, so theirs are looked through first.
  for level in
    select *
    from (
      values
        (1, app_hidden.newest_blocks(caller_organization_id, newest, 2048, 1), greatest(newest / 2048 - 1, 0) * 2048),
        (2, app_hidden.newest_blocks(caller_organization_id, newest, 32768, 2), greatest(newest / 32768 - 1, 0) * 32768),
        (3, app_hidden.lexeme(app_hidden.organization_word(caller_organization_id)), 0)
    ) as levels (place, within, first_number)
    where app_hidden.is_staff() or place = 3
    order by place
  loop
    continue when level.place = 2 and coalesce(cardinality(found), 0) * 16 < enough;
    perform set_config('atum.searched_words', (level.within && words)::text, true);
    execute format(
      $sql$
        with matching as materialized (
          select ticket.number, ticket.id
          from app_hidden.ticket_documents as document
          join app_public.tickets as ticket on ticket.organization_id = document.organization_id and ticket.id = document.ticket_id
          where document.organization_id = $1 and ticket.organization_id = $1 and ticket.number >= $3 and %s
          limit 20000
        )
        select array_agg(newest.id) from (select distinct number, id from matching order by number desc limit $2) as newest
      $sql$,
      conditions
    )
    into found using caller_organization_id, enough, level.first_number;
    exit when cardinality(found) >= enough or level.first_number = 0;
  end loop;
  perform set_config('atum.searched_words', '', true);
  return coalesce(numbered, '{}') || coalesce(found, '{}');
end
$$;

comment on function app_hidden.found_tickets(tsquery, text, text) is 'The newest tickets the caller sees that have the words, after those with the number.';

create or replace function app_hidden.newest_blocks(organization_id uuid, newest integer, size integer, kind integer) returns tsquery
  language sql immutable
  return app_hidden.lexeme((app_hidden.block_words(organization_id, newest))[kind])
    || app_hidden.lexeme((app_hidden.block_words(organization_id, greatest(newest - size, 0)))[kind]);

comment on function app_hidden.newest_blocks(uuid, integer, integer, integer) is 'A search of the newest two blocks of numbers, small or large.';

create or replace function app_hidden.newest_ticket_number() returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select counter.last_number
  from app_private.ticket_counters as counter
  where counter.organization_id = app_hidden.current_organization_id()
$$;

comment on function app_hidden.newest_ticket_number() is 'The highest number a ticket of the organization has.';

create or replace function app_public.search_tickets(query text, first integer default 20, after text default null) returns app_public.ticket_search
  language plpgsql stable
  set search_path = ''
  -- Reading a whole table is reading what is everybody's; an organization waits for its own size at most.
  set enable_seqscan = off
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  language constant regconfig := app_hidden.search_language();
  read app_hidden.ticket_query;
  conditions text;
  found uuid[];
  skipped integer := 0;
  answer app_public.ticket_search;
  -- No text has them, since those it came with are taken out; so no match can be forged, and there is no HTML in it.
  marks constant text := U&'\E000\E001';
  marking constant text := U&'StartSel="\E000", StopSel="\E001"';
begin
  if length(query) > 500 then
    raise exception using errcode = 'AD160', message = 'A search has at most 500 characters';
  end if;
  -- Null is no number of tickets, and would be no limit.
  first := coalesce(first, 20);
  if first not between 1 and 50 then
    raise exception using errcode = 'AD160', message = 'A page has 1 to 50 tickets';
  end if;
  if after is not null then
    if after !~ '^\d{1,3}$' then
      raise exception using errcode = 'AD160', message = 'This is no cursor of a search';
    end if;
    skipped := after;
  end if;

  answer.matches := '{}';
  answer.is_capped := false;
  answer.is_mended := false;
  read := app_hidden.read_ticket_search(query);
  -- Nothing but words that every text has, such as "the".
  if read.is_empty or (numnode(read.words) = 0 and numnode(read.filters) = 0 and read.conditions = '[]' and read.number_digits is null) then
    return answer;
  end if;

  if jsonb_array_length(read.conditions) > 20 then
    raise exception using errcode = 'AD160', message = 'A search has at most 20 filters';
  end if;
  conditions := app_hidden.search_condition_sql(read.conditions);
  found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, read.number_digits);

  if cardinality(found) = 0 and numnode(read.words) > 0 then
    read := app_hidden.read_ticket_search(query, 'mend');
    found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, null);
    answer.is_mended := cardinality(found) > 0;
  end if;
  answer.is_capped := cardinality(found) > 200;

  with hits as (
    select hit.ticket_id, min(hit.position) as position
    -- Where nothing is to be ranked, they are in order already.
    from unnest(found[:case when numnode(read.words) = 0 and read.number_digits is null then least(skipped + first + 1, 200) else 200 end])
      with ordinality as hit (ticket_id, position)
    group by hit.ticket_id
  ),
  ranked as (
    select
      ticket.id, ticket.subject, hits.position,
      case
        when ticket.number::text = read.number_digits then 3
        when starts_with(ticket.number::text, read.number_digits) then 2
        when numnode(read.words) = 0 then 0
        else match.rank
      end::real as rank
    from hits
    join app_public.tickets as ticket on ticket.organization_id = caller_organization_id and ticket.id = hits.ticket_id
    left join app_hidden.match_ranks(found[:200], app_hidden.readable(read.words)) as match (ticket_id, rank)
      on match.ticket_id = hits.ticket_id and numnode(read.words) > 0
    order by rank desc, hits.position
    limit first + 1
    offset skipped
  )
  select
    array_agg(
      (
        caller_organization_id, ranked.id,
        case
          when numnode(read.marked) = 0 then ranked.subject
          else ts_headline(language, translate(ranked.subject, marks, ''), read.marked, 'HighlightAll=true, ' || marking)
        end,
        said.excerpt, ranked.rank
      )::app_public.ticket_match
      order by ranked.rank desc, ranked.position
    )
  into answer.matches
  from ranked
  left join lateral (
    select ts_headline(language, translate(best.body, marks, ''), read.marked, 'MaxWords=36, MinWords=18, ' || marking) as excerpt
    from (
      select comment.body
      from (
        select latest.body, sum(length(latest.body)) over (order by latest.created_at desc, latest.id desc) as so_far
        from (
          select said.id, said.created_at, left(said.body, 20000) as body
          from app_public.comments as said
          where said.organization_id = caller_organization_id and said.ticket_id = ranked.id
          order by said.created_at desc
          limit 50
        ) as latest
      ) as comment
      cross join lateral (select to_tsvector(language, comment.body) as words offset 0) as read_again
      -- However much somebody pours into a ticket, whoever finds it does not wait for all of it.
      where comment.so_far - length(comment.body) < 60000 and read_again.words @@ read.marked
      order by ts_rank(read_again.words, read.marked) desc
      limit 1
    ) as best
    where numnode(read.marked) > 0
  ) as said on true;

  if cardinality(answer.matches) > first then
    answer.next_cursor := skipped + first;
    answer.matches := answer.matches[:first];
  end if;
  answer.matches := coalesce(answer.matches, '{}');
  return answer;
end
$$;

comment on function app_public.search_tickets(text, integer, text) is
  'Searches the tickets the caller sees: their subjects, conversations and custom fields; for staff also internal comments and fields, tags, and the requester''s name and mail address. `query` has up to 500 characters: words that must all be there, "exact phrases", -words that must not; the last word may be the beginning of one, and a number is also that of a ticket. Filters: status, is (unresolved, unassigned, breached, snoozed, watched), priority, channel, assignee and requester (me, or a name), team, service, company, tag, created and updated (a day, or with >, >=, <, <= before it); -filter: leaves out. A page has `first` (1 to 50) matches; `after` is the `nextCursor` of the one before. The newest 200 tickets that match are put in order. Errors: SEARCH_INVALID.';

revoke all on function
  app_hidden.match_ranks(uuid[], tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
from public;

grant execute on function
  app_hidden.match_ranks(uuid[], tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
to atum_customer, atum_agent;

--! split: 1067-functions-67-file-verdicts.sql
-- Verdicts of the scanner over files. What admins decide is in 83-file-decisions.sql.

create or replace function app_private.tell_verdict(file app_public.stored_files, event app_public.ticket_event_type) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_events (organization_id, ticket_id, comment_id, type, visibility, actor_id, actor_name, after)
  select
    file.organization_id, attachment.ticket_id, attachment.comment_id, tell_verdict.event, 'internal', app_hidden.current_user_id(),
    app_hidden.current_actor_name(),
    jsonb_strip_nulls(jsonb_build_object(
      'name', (array_agg(attachment.name order by attachment.created_at, attachment.id))[1],
      'files', jsonb_agg(jsonb_build_object('id', attachment.id, 'name', attachment.name) order by attachment.created_at, attachment.id),
      'state', file.state, 'signature', file.signature, 'reason', file.reason
    ))
  from app_public.attachments as attachment
  where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256 and attachment.comment_id is not null
  group by attachment.ticket_id, attachment.comment_id
  order by attachment.ticket_id, attachment.comment_id
$$;

comment on function app_private.tell_verdict(app_public.stored_files, app_public.ticket_event_type) is 'Writes an event of every comment that a file is on.';

create or replace function app_private.enqueue_scan(organization_id uuid, sha256 text, run_at timestamptz default null) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'scan_file', organization_id, jsonb_build_object('sha256', sha256), run_at => enqueue_scan.run_at,
    job_key => 'scan_file:' || organization_id || ':' || sha256,
    -- Two at a time for each organization: whatever it has scanned, the files of others are as well.
    queue_name => 'scan_file:' || organization_id || ':' || get_byte(decode(left(sha256, 2), 'hex'), 0) % 2
  )
$$;

comment on function app_private.enqueue_scan(uuid, text, timestamptz) is 'Has a job scan a file, once however often it is asked.';

create or replace function app_private.enqueue_placing(organization_id uuid, sha256 text) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'place_file', organization_id, jsonb_build_object('sha256', sha256), job_key => 'place_file:' || organization_id || ':' || sha256
  )
$$;

comment on function app_private.enqueue_placing(uuid, text) is 'Has a job put the content of a file where its state says it belongs.';

create or replace function app_private.tg_stored_files__begin_again() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  if NEW.state = 'pending' then
    NEW.scan_at := now();
    NEW.scan_attempts := 0;
    NEW.signature := null;
    NEW.decided_by_id := null;
    NEW.decided_at := null;
    NEW.reason := null;
  end if;
  if NEW.state <> 'removed' then
    NEW.content_removed_at := null;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_stored_files__begin_again() is 'A file that waits for the scanner again is as new, and one that is uploaded again is not gone.';

create or replace trigger _100_begin_again before update of state on app_public.stored_files
  for each row when (NEW.state <> OLD.state) execute function app_private.tg_stored_files__begin_again();

create or replace function app_private.file_to_scan(sha256 text) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object('sha256', file.sha256, 'size', file.size, 'state', file.state)
  from app_public.stored_files as file
  where file.organization_id = app_hidden.current_organization_id() and file.sha256 = file_to_scan.sha256
    and (
      file.state = 'pending'
      or (
        file.state in ('clean', 'unscanned', 'released')
        and file.scanned_with is distinct from (select status.version from app_private.scanner_status as status)
      )
    )
$$;

comment on function app_private.file_to_scan(text) is
  'The size and state of a file that waits for the scanner, or that is served and was last scanned by another version; null when there is nothing to scan.';

-- What becomes of a file. A verdict that comes late changes nothing that was decided meanwhile, and a second scan only
-- ever takes away:
-- * What was clean is infected when a newer scanner finds something in it. That it can no longer look into it all takes
--   nothing back: a scan found it clean from end to end.
-- * What an admin released stays so while the scanner finds what the admin knew of, under the same name. Something of
--   another name is news that nobody decided about: it goes back into quarantine, and may be released once more.
-- * What is in quarantine comes out by an admin alone, who may also have it scanned again.
create or replace function app_private.state_after(
  file app_public.stored_files, verdict app_public.file_state, signature text
) returns app_public.file_state
  language sql immutable
  set search_path = ''
as $$
  select case
    when file.state in ('pending', 'unscanned') then verdict
    when file.state = 'clean' and verdict = 'infected' then verdict
    when file.state = 'released' and verdict = 'infected' and signature is distinct from file.signature then verdict
    else file.state
  end
$$;

comment on function app_private.state_after(app_public.stored_files, app_public.file_state, text) is 'The state of a file after a verdict of the scanner.';

create or replace function app_private.refused_type_reason(content_type text) returns text
  language sql immutable
  set search_path = ''
as $$
  select format('Files of the type %s are not taken here', content_type)
$$;

comment on function app_private.refused_type_reason(text) is 'Why a file that came by mail is held back though nothing is wrong with it.';

create or replace function app_private.record_verdict(
  sha256 text, state app_public.file_state, signature text default null, scanned_with text default null
) returns app_public.file_state
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  carrier app_public.attachments;
  was_served boolean;
  found_signature text := coalesce(
    left(nullif(btrim(record_verdict.signature), ''), 300), case when record_verdict.state in ('infected', 'unscannable') then 'unknown' end
  );
  before app_public.stored_files;
  file app_public.stored_files;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'A verdict is over a file of one organization';
  end if;
  if record_verdict.state not in ('clean', 'unscanned', 'infected', 'unscannable') then
    raise exception using errcode = '22023', message = 'That is no verdict of a scanner';
  end if;

  select * into before
  from app_public.stored_files as judged
  where judged.organization_id = app_hidden.current_organization_id() and judged.sha256 = record_verdict.sha256
  for no key update;
  if not found or before.state in ('infected', 'unscannable', 'removed') then
    return before.state;
  end if;

  -- Uploads of such a type are refused; this one came by mail, where nobody can be told so.
  if before.state = 'pending' and record_verdict.state in ('clean', 'unscanned')
    and app_private.is_type_refused(before.organization_id, before.content_type)
  then
    record_verdict.state := 'unscannable';
    found_signature := app_private.refused_type_reason(before.content_type);
  end if;

  file := before;
  file.state := app_private.state_after(before, record_verdict.state, found_signature);
  update app_public.stored_files as judged
  set state = file.state,
    signature = case when file.state = 'released' then judged.signature when file.state = record_verdict.state then found_signature end,
    scanned_at = case when record_verdict.state = 'unscanned' then judged.scanned_at else clock_timestamp() end,
    scanned_with = left(record_verdict.scanned_with, 200),
    scan_attempts = 0,
    decided_by_id = case when file.state = 'released' then judged.decided_by_id end,
    decided_at = case when file.state = 'released' then judged.decided_at end,
    reason = case when file.state = 'released' then judged.reason end
  where judged.organization_id = before.organization_id and judged.sha256 = before.sha256
  returning * into file;
  if file.state = before.state then
    return file.state;
  end if;

  -- Whoever uploaded it may be waiting to hear.
  perform pg_notify(
    'attachment:' || attachment.id, json_build_object('event', 'attachment_scanned', 'attachmentId', attachment.id)::text
  )
  from app_public.attachments as attachment
  where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
    and attachment.created_at > now() - interval '1 day';

  if file.state in ('infected', 'unscannable') then
    -- By a job of its own, should the one that scans it die now.
    perform app_private.enqueue_placing(file.organization_id, file.sha256);
    perform app_private.tell_verdict(file, 'attachment_blocked');
    -- One that came in this very transaction was not.
    was_served := before.state <> 'pending' and before.created_at < now();
    select * into carrier
    from app_public.attachments as attachment
    where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
    order by attachment.ticket_id is null, attachment.created_at, attachment.id
    limit 1;
    perform app_private.alert_admins(
      'file_blocked',
      jsonb_strip_nulls(jsonb_build_object(
        'sha256', file.sha256, 'state', file.state, 'signature', file.signature, 'was_served', was_served,
        'name', carrier.name, 'ticket_id', carrier.ticket_id
      )),
      -- A mail brings two hundred of them: of a ticket, or of whoever uploads, one is told of once an hour, and the quarantine
      -- names them all. What was served is news each time.
      'file_blocked:' || case
        when was_served then file.sha256 || ':' || md5(file.signature)
        else coalesce(carrier.ticket_id::text, carrier.uploaded_by_id::text, file.sha256) || ':' || file.state || ':'
          || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24')
      end
    );
  end if;
  return file.state;
end
$$;

comment on function app_private.record_verdict(text, app_public.file_state, text, text) is
  'Notes what the scanner said of a file, `clean`, `infected`, `unscannable` or, where there is no scanner, `unscanned`; tells whoever waits for it, and when it is blocked its tickets and the admins. One of a type that the organization does not take is `unscannable` where it would be served for the first time. Returns the state of the file after it, null when there is none. Error JOB_WITHOUT_ORGANIZATION.';

create or replace function app_private.scan_failed(sha256 text, error text) returns app_public.file_state
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  file app_public.stored_files;
begin
  update app_public.stored_files as tried
  set scan_attempts = tried.scan_attempts + 1,
    -- 4, 8, 16 seconds …, but no more than five minutes.
    scan_at = clock_timestamp() + least(interval '2 seconds' * 2 ^ (tried.scan_attempts + 1), interval '5 minutes')
  where tried.organization_id = app_hidden.current_organization_id() and tried.sha256 = scan_failed.sha256 and tried.state = 'pending'
  returning * into file;

  if file.scan_attempts >= 8 then
    return app_private.record_verdict(file.sha256, 'unscannable', 'The scanner fails over it: ' || scan_failed.error);
  elsif file.sha256 is not null then
    perform app_private.enqueue_scan(file.organization_id, file.sha256, file.scan_at);
  end if;
  return file.state;
end
$$;

comment on function app_private.scan_failed(text, text) is
  'Notes that a scanner that answers failed over a file: it waits and is tried again, ever more slowly, and after eight times it is `unscannable`. Returns its state, null when it does not wait any more.';

create or replace function app_private.record_scanner(state text, version text default null, reason text default null) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  before app_private.scanner_status;
begin
  select * into before from app_private.scanner_status for update;

  insert into app_private.scanner_status as status (scanner, state, version, reason)
  values ('clamd', record_scanner.state, left(record_scanner.version, 200), left(record_scanner.reason, 500))
  on conflict (scanner) do update
  set state = excluded.state,
    since = case when excluded.state = status.state then status.since else excluded.since end,
    checked_at = excluded.checked_at,
    version = excluded.version,
    reason = excluded.reason;

  -- It is back: what waited for it is scanned now. A sweep finds what is beyond these, and what it failed over has a time
  -- of its own, or a file that it crashes over would crash it again at once.
  if before.state = 'away' and record_scanner.state <> 'away' then
    perform app_private.enqueue_scan(waiting.organization_id, waiting.sha256)
    from (
      select file.organization_id, file.sha256
      from app_public.stored_files as file
      where file.state = 'pending' and file.scan_at <= now()
      order by file.scan_at
      limit 1000
    ) as waiting;
  end if;
end
$$;

comment on function app_private.record_scanner(text, text, text) is
  'A worker says whether the scanner is `answering`, `away` or `off`, in which version, or why not. When it is back, what waits is scanned.';

create or replace function app_private.scanner_health(
  out state text, out since timestamptz, out checked_at timestamptz, out version text, out reason text, out files_waiting bigint
)
  language sql stable security definer
  set search_path = ''
as $$
  select status.state, status.since, status.checked_at, status.version, status.reason, waiting.files
  from (select count(*) as files from app_public.stored_files as file where file.state = 'pending') as waiting
  left join app_private.scanner_status as status on true
$$;

comment on function app_private.scanner_health() is 'What is known of the scanner, and how many files of all organizations wait for it.';

create or replace function app_private.sweep_waiting_files() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  status app_private.scanner_status;
  waiting bigint;
begin
  -- What an admin decided is carried out though the job that was to do it died.
  perform app_private.enqueue_placing(decided.organization_id, decided.sha256)
  from (
    select file.organization_id, file.sha256
    from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id()
      and file.decided_at between now() - interval '10 minutes' and now() - interval '1 minute'
    limit 1000
  ) as decided;

  select * into status from app_private.scanner_status;

  if status.state in ('answering', 'off') then
    perform app_private.enqueue_scan(lost.organization_id, lost.sha256)
    from (
      select file.organization_id, file.sha256
      from app_public.stored_files as file
      where file.organization_id = app_hidden.current_organization_id() and file.state = 'pending'
        and file.scan_at < now() - interval '2 minutes'
      order by file.scan_at
      limit 1000
    ) as lost;
  elsif status.state = 'away' and status.since < now() - interval '10 minutes' then
    select count(*) into waiting
    from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id() and file.state = 'pending';
    if waiting > 0 then
      perform app_private.alert_admins(
        'scanner_away', jsonb_build_object('since', status.since, 'waiting', waiting), 'scanner_away:' || extract(epoch from status.since)
      );
    end if;
  end if;
end
$$;

comment on function app_private.sweep_waiting_files() is
  'Has those files scanned, and what admins decided done, whose own job was lost, and tells the admins when files wait because the scanner is away for ten minutes. Done by a job each minute.';

create or replace function app_private.rescan_files() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  status app_private.scanner_status;
  asked integer;
begin
  select * into status from app_private.scanner_status;
  if status.state is distinct from 'answering' then
    return 0;
  end if;

  -- What is new to the world is found in the files of the last weeks, so those are looked at with each day's signatures;
  -- older ones once a month, so that the whole archive is not read every night.
  select count(*) into asked
  from (
    (
      select file.organization_id, file.sha256
      from app_public.stored_files as file
      where file.organization_id = app_hidden.current_organization_id() and file.state in ('clean', 'unscanned', 'released')
        and file.scanned_with is distinct from status.version
        and (file.scanned_at is null or file.scanned_at < now() - interval '30 days')
      order by file.scanned_at nulls first
      limit 100
    )
    union
    (
      select file.organization_id, file.sha256
      from app_public.stored_files as file
      where file.organization_id = app_hidden.current_organization_id() and file.state in ('clean', 'unscanned', 'released')
        and file.scanned_with is distinct from status.version
        and file.created_at > now() - interval '30 days' and file.scanned_at < now() - interval '20 hours'
      order by file.scanned_at
      limit 100
    )
  ) as due
  cross join lateral app_private.enqueue_scan(due.organization_id, due.sha256);
  return asked;
end
$$;

comment on function app_private.rescan_files() is
  'Has served files scanned again that an older version of the scanner or its signatures looked at, oldest first, up to two hundred; returns how many. They are served meanwhile. Done by a job.';

revoke all on function
  app_private.tell_verdict(app_public.stored_files, app_public.ticket_event_type), app_private.enqueue_scan(uuid, text, timestamptz),
  app_private.enqueue_placing(uuid, text), app_private.refused_type_reason(text), app_private.tg_stored_files__begin_again(), app_private.file_to_scan(text),
  app_private.state_after(app_public.stored_files, app_public.file_state, text), app_private.record_verdict(text, app_public.file_state, text, text),
  app_private.scan_failed(text, text), app_private.record_scanner(text, text, text), app_private.scanner_health(), app_private.sweep_waiting_files(),
  app_private.rescan_files()
from public;

grant execute on function
  app_private.file_to_scan(text), app_private.record_verdict(text, app_public.file_state, text, text), app_private.scan_failed(text, text),
  app_private.record_scanner(text, text, text), app_private.sweep_waiting_files(), app_private.rescan_files()
to atum_worker;
grant execute on function app_private.scanner_health() to atum_server;

--! split: 1068-functions-68-mail-messages.sql
-- Mails are written in the transaction of the fact they tell of, kept, and sent by a job. What they carry that lets
-- somebody in is made when they are sent (docs/decisions/0008), so that it is nowhere but in the mail.

create or replace function app_private.mail_thread(ticket app_public.tickets, reader app_public.users) returns text[]
  language sql stable
  set search_path = ''
as $$
  -- The first one, by which programs keep a thread together, and the last ones.
  with earlier as (
    select mail.message_id, mail.created_at
    from app_public.mail_messages as mail
    where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.user_id = reader.id
    union all
    select mail.message_id, mail.created_at
    from app_public.incoming_mails as mail
    where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.comment_id is not null
      and lower(mail.from_address) = reader.email::text and mail.message_id ~ '^<[^[:space:][:cntrl:]<>]+>$'
  ),
  counted as (
    select message_id, created_at, row_number() over (order by created_at, message_id) as first, row_number() over (order by created_at desc, message_id desc) as last
    from earlier
  )
  select coalesce(array_agg(message_id order by first), '{}') from counted where first = 1 or last <= 19
$$;

comment on function app_private.mail_thread(app_public.tickets, app_public.users) is 'The `References` of a mail to a person about a ticket: up to 20 earlier ones that they got or wrote, oldest first.';

create or replace function app_private.mail_variables_of(
  recipient app_public.users, ticket app_public.tickets, comment app_public.comments, facts jsonb, language text, can_answer boolean
) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
begin
  return (
    select jsonb_strip_nulls(jsonb_build_object(
      'organization.name', organization.name,
      'recipient.name', recipient.name, 'recipient.first_name', split_part(recipient.name, ' ', 1),
      'ticket.reference', ticket.reference, 'ticket.subject', ticket.subject,
      'ticket.status', words.said ->> (case ticket.status when 'pending' then 'pending_status' else ticket.status::text end),
      'ticket.priority', words.said ->> ticket.priority::text,
      'ticket.service', service.name,
      'comment.author', coalesce(author.name, comment.author_name, organization.name),
      'comment.body', comment.body,
      'how_to_answer', words.said ->> case when can_answer then 'by_mail' else 'in_portal' end,
      'notice.title', notice.title, 'notice.text', case when comment.id is null then notice.body end,
      'alert.title', notice.title, 'alert.text', notice.body,
      'survey.question', coalesce(
        survey.question, case language when 'de' then 'Wie haben wir das gemacht?' else 'How did we do?' end
      )
    ))
    from app_public.organizations as organization
    cross join lateral (select app_hidden.mail_words(language) as said) as words
    cross join lateral app_hidden.notice_words(facts, language, coalesce(recipient.time_zone, organization.time_zone)) as notice
    left join app_public.services as service on service.organization_id = organization.id and service.id = ticket.service_id
    left join app_public.csat_surveys as survey
      on survey.organization_id = organization.id and survey.id::text = facts ->> 'survey_id'
    left join app_public.users as author on author.organization_id = organization.id and author.id = comment.author_id
    where organization.id = recipient.organization_id
  );
end
$$;

comment on function app_private.mail_variables_of(app_public.users, app_public.tickets, app_public.comments, jsonb, text, boolean) is
  'What the variables of a mail stand for. Nothing that only staff may read is among them, but what a notice tells its reader.';

create or replace function app_private.may_be_mailed(
  kind app_public.mail_kind, recipient app_public.users, ticket app_public.tickets, comment app_public.comments, facts jsonb
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    recipient.disabled_at is null
    and recipient.email::text ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$'
    -- Whatever went wrong before: what a person may not read does not reach them by mail either.
    and (recipient.role <> 'customer' or comment.id is null or comment.visibility = 'public')
    and (
      ticket.id is null or app_private.may_see_ticket(recipient.id, ticket)
      or (kind = 'notice' and comment.id is null and facts -> 'reasons' ? 'approver')
    )
    and (
      kind <> 'acknowledgement'
      or not exists (
        select from app_public.mail_settings as settings
        where settings.organization_id = recipient.organization_id and not settings.acknowledges
      )
    ),
    false
  )
$$;

comment on function app_private.may_be_mailed(app_public.mail_kind, app_public.users, app_public.tickets, app_public.comments, jsonb) is
  'Whether a mail to a person is written at all: they have an address and an account that is not shut, may read what it says, and the organization sends such mails.';

create or replace function app_private.write_mail(
  kind app_public.mail_kind,
  dedupe_key text,
  recipient app_public.users,
  ticket app_public.tickets default null,
  comment app_public.comments default null,
  facts jsonb default '{}',
  send_at timestamptz default null
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  organization app_public.organizations;
  template record;
  rendering app_public.mail_rendering;
  frame jsonb;
  variables jsonb;
  said constant jsonb := coalesce(facts, '{}') || case when ticket.id is null then '{}' else jsonb_build_object('number', ticket.number) end;
  mailbox app_public.mailboxes;
  files jsonb := '[]';
  path constant text := app_hidden.notice_path(said, recipient.role);
  mail_id constant uuid := app_hidden.uuid_v7();
  due constant timestamptz := greatest(coalesce(send_at, now()), now());
begin
  if not app_private.may_be_mailed(kind, recipient, ticket, comment, said) or exists (
    select from app_public.mail_messages as written
    where written.organization_id = recipient.organization_id and written.dedupe_key = write_mail.dedupe_key
  ) then
    return null;
  end if;

  select * into strict organization from app_public.organizations as own where own.id = recipient.organization_id;
  select * into strict template
  from app_private.mail_template_for(organization, kind, coalesce(recipient.locale, organization.locale));

  if ticket.id is not null and kind <> 'alert' then
    mailbox := app_private.mailbox_of(ticket);
  end if;
  if comment.id is not null then
    select coalesce(jsonb_agg(jsonb_build_object('id', file.id, 'name', file.name, 'size', file.size) order by file.created_at, file.id), '[]')
    into files
    from (
      select *
      from app_public.attachments as attached
      where attached.organization_id = comment.organization_id and attached.comment_id = comment.id
      order by attached.created_at, attached.id
      limit 50
    ) as file;
  end if;

  frame := app_private.mail_frame(organization, template.language) || jsonb_build_object(
    'reference', ticket.reference,
    'marker', mailbox.id is not null and kind in ('acknowledgement', 'reply', 'resolution', 'notice')
  );
  variables := app_private.mail_variables_of(recipient, ticket, comment, said, template.language, mailbox.id is not null);
  rendering := app_hidden.render_mail(
    template.subject, template.body, variables,
    jsonb_build_object('files', files, 'notices', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'title', concat_ws(': ', entry.facts ->> 'reference', notice.title),
        'text', concat_ws(E'\n', entry.facts ->> 'subject', nullif(notice.body, '')),
        'path', app_hidden.notice_path(entry.facts, recipient.role)
      ) order by entry.position), '[]')
      from jsonb_array_elements(coalesce(said -> 'notifications', '[]')) with ordinality as entry (facts, position)
      cross join lateral app_hidden.notice_words(entry.facts, template.language, coalesce(recipient.time_zone, organization.time_zone)) as notice
    )),
    jsonb_build_object('link', '{{link:' || path || '}}', 'ticket_link', '{{link:' || path || '}}', 'survey_link', '{{survey_link}}'),
    frame
  );

  insert into app_public.mail_messages (
    organization_id, id, kind, dedupe_key, user_id, to_name, to_address, from_name, from_address, ticket_id, comment_id, locale,
    subject, text_body, html_body, message_id, reference_ids, attachment_ids, survey_id, asks_for_reply, send_at, give_up_at
  )
  values (
    recipient.organization_id, mail_id, kind, write_mail.dedupe_key, recipient.id,
    nullif(btrim(regexp_replace(recipient.name, '[[:cntrl:][:space:]]+', ' ', 'g')), ''), recipient.email,
    coalesce((select settings.sender_name from app_public.mail_settings as settings where settings.organization_id = organization.id), mailbox.name),
    mailbox.address, ticket.id, comment.id, template.language, rendering.subject, rendering.text_body, rendering.html_body,
    -- The domain is that of the sender, which is known when it is sent; what is looked for later is the part before it.
    format('<%s.%s@desk.invalid>', mail_id, encode(public.gen_random_bytes(8), 'hex')),
    case when ticket.id is null then '{}' else app_private.mail_thread(ticket, recipient) end,
    array(select (file.value ->> 'id')::uuid from jsonb_array_elements(files) with ordinality as file (value, position) order by file.position),
    case when kind = 'survey' and pg_input_is_valid(said ->> 'survey_id', 'uuid') then (said ->> 'survey_id')::uuid end,
    mailbox.id is not null, due, due + interval '1 day'
  )
  on conflict on constraint mail_messages_organization_id_dedupe_key_key do nothing;
  if not found then
    return null;
  end if;

  perform app_private.enqueue_mail(recipient.organization_id, mail_id, due);
  return mail_id;
end
$$;

comment on function app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz) is
  'Writes a mail to a person by the template of its kind, and has it sent; one for each key. Facts: the `survey_id` of a survey, `notifications` of a digest, those of a notification or an alert otherwise. Returns its row id, or null where one was written before or the person is not to be mailed.';

create or replace function app_private.enqueue_mail(organization_id uuid, mail_id uuid, run_at timestamptz default null) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'send_mail', enqueue_mail.organization_id, jsonb_build_object('mailId', enqueue_mail.mail_id),
    run_at => case when enqueue_mail.run_at > now() then enqueue_mail.run_at end, job_key => 'send_mail:' || enqueue_mail.mail_id,
    -- Two at a time for each organization: one that has thousands to send leaves room for the mails of others.
    queue_name => 'send_mail:' || enqueue_mail.organization_id || ':' || get_byte(uuid_send(enqueue_mail.mail_id), 15) % 2
  )
$$;

comment on function app_private.enqueue_mail(uuid, uuid, timestamptz) is 'Has a job send a mail.';

-- What answers refer to

create or replace function app_private.mails_of_message_ids(message_ids text[]) returns table (mail_id uuid)
  language sql stable
  set search_path = ''
as $$
  select mail.id
  from unnest(message_ids[1:200]) as named (message_id)
  cross join lateral regexp_match(
    lower(named.message_id), '^<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})[.]([0-9a-f]{16})@'
  ) as found (parts)
  join app_public.mail_messages as mail
    on mail.organization_id = app_hidden.current_organization_id() and mail.id = found.parts[1]::uuid
    and starts_with(mail.message_id, '<' || found.parts[1] || '.' || found.parts[2] || '@')
  group by mail.id
$$;

comment on function app_private.mails_of_message_ids(text[]) is 'Our own mails among up to 200 Message-IDs, by what stands before the @.';

create or replace function app_private.ticket_of_message_ids(message_ids text[]) returns table (ticket_id uuid, user_id uuid)
  language sql stable security definer
  set search_path = ''
as $$
  select mail.ticket_id, mail.user_id
  from app_private.mails_of_message_ids(message_ids) as named
  join app_public.mail_messages as mail on mail.organization_id = app_hidden.current_organization_id() and mail.id = named.mail_id
  where mail.ticket_id is not null
  order by array_position(message_ids, mail.message_id) desc nulls last, mail.created_at desc, mail.id desc
$$;

comment on function app_private.ticket_of_message_ids(text[]) is
  'The tickets that mails of ours were about, and to whom they were, by the Message-IDs an answer refers to (`In-Reply-To`, `References`); the newest first. A ticket may be merged into another one by now.';

create or replace function app_private.ticket_of_reply_token(token text) returns table (ticket_id uuid, user_id uuid)
  language sql stable security definer
  set search_path = ''
as $$
  select mail.ticket_id, mail.user_id
  from app_private.mail_reply_tokens as known
  join app_public.mail_messages as mail on mail.organization_id = known.organization_id and mail.id = known.mail_id
  where known.organization_id = app_hidden.current_organization_id()
    and known.token_hash = app_private.token_hash(lower(ticket_of_reply_token.token)) and mail.ticket_id is not null
$$;

comment on function app_private.ticket_of_reply_token(text) is
  'The ticket a mail of ours was about, and to whom it was, by the token in the address it was answered to. A ticket may be merged into another one by now.';

revoke all on function
  app_private.mail_thread(app_public.tickets, app_public.users),
  app_private.mail_variables_of(app_public.users, app_public.tickets, app_public.comments, jsonb, text, boolean),
  app_private.may_be_mailed(app_public.mail_kind, app_public.users, app_public.tickets, app_public.comments, jsonb),
  app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz),
  app_private.enqueue_mail(uuid, uuid, timestamptz),
  app_private.mails_of_message_ids(text[]), app_private.ticket_of_message_ids(text[]), app_private.ticket_of_reply_token(text)
from public;

grant execute on function app_private.ticket_of_message_ids(text[]), app_private.ticket_of_reply_token(text) to atum_worker;

--! split: 1071-functions-71-mailboxes.sql
-- Mailboxes: what they are, and what admins do with them. Who reads them is in 84-mailbox-fetching.sql, what came in by
-- them in 73-incoming-mails.sql.

create or replace function app_private.mailbox_of(ticket app_public.tickets) returns app_public.mailboxes
  language plpgsql stable
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  -- One that is not read any more is no place to answer to.
  select box.* into mailbox
  from app_public.incoming_mails as mail
  join app_public.mailboxes as box on box.organization_id = mail.organization_id and box.id = mail.mailbox_id
  where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.comment_id is not null and box.is_enabled
  order by mail.created_at, mail.id
  limit 1;
  if not found then
    select box.* into mailbox
    from app_public.mailboxes as box
    where box.organization_id = ticket.organization_id and box.is_default and box.is_enabled;
  end if;
  return mailbox;
end
$$;

comment on function app_private.mailbox_of(app_public.tickets) is 'The mailbox that mails about a ticket are from: the one it came by, else the default one; null where there is neither, or it is not read.';

create or replace function app_private.tg_mailboxes__keep_state() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.mailbox_states as state (organization_id, mailbox_id)
  values (NEW.organization_id, NEW.id)
  on conflict (organization_id, mailbox_id) do update
  set
    enabled_at = case when NEW.is_enabled and not OLD.is_enabled then now() else state.enabled_at end,
    -- What was wrong with another server, or before it was switched off, is not what is wrong now.
    failing_since = null, last_error = null, alerted_at = null,
    test_requested_at = null, tested_at = null, test_outcome = null, test_detail = null,
    -- Another folder or account counts for itself.
    uid_validity = case when (NEW.host, NEW.username, NEW.folder) is distinct from (OLD.host, OLD.username, OLD.folder) then null else state.uid_validity end,
    last_uid = case when (NEW.host, NEW.username, NEW.folder) is distinct from (OLD.host, OLD.username, OLD.folder) then null else state.last_uid end;
  return null;
end
$$;

comment on function app_private.tg_mailboxes__keep_state() is 'Gives a mailbox its state, and begins anew where it is another place from now on.';

create or replace trigger _500_found_state after insert on app_public.mailboxes
  for each row execute function app_private.tg_mailboxes__keep_state();

create or replace trigger _510_renew_state after update on app_public.mailboxes
  for each row
  when (
    (NEW.host, NEW.port, NEW.security, NEW.auth, NEW.username, NEW.folder, NEW.token_endpoint, NEW.client_id, NEW.is_enabled)
    is distinct from
    (OLD.host, OLD.port, OLD.security, OLD.auth, OLD.username, OLD.folder, OLD.token_endpoint, OLD.client_id, OLD.is_enabled)
  )
  execute function app_private.tg_mailboxes__keep_state();

create or replace trigger _100_stamp_updated_at before update on app_public.mailboxes
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_private.mailbox_of_organization(mailbox_id uuid) returns app_public.mailboxes
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  select * into mailbox
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = mailbox_of_organization.mailbox_id
    and box.archived_at is null
  for no key update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such mailbox';
  end if;
  return mailbox;
end
$$;

comment on function app_private.mailbox_of_organization(uuid) is 'A mailbox in use of the caller''s organization, locked. Error NOT_FOUND.';

create or replace function app_public.save_mailbox(
  name text,
  address text,
  host text,
  username text,
  mailbox_id uuid default null,
  port integer default 993,
  security app_public.mailbox_security default 'tls',
  auth app_public.mailbox_auth default 'password',
  folder text default 'INBOX',
  processed_folder text default null,
  token_endpoint text default null,
  client_id text default null,
  scopes text default null,
  service_id uuid default null,
  team_id uuid default null,
  is_default boolean default false,
  is_enabled boolean default true,
  accepts_strangers boolean default true,
  accepts_lists boolean default false,
  max_mail_bytes bigint default 36700160,
  alarm_minutes integer default 15
) returns app_public.mailboxes
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  former app_public.mailboxes;
  saved app_public.mailboxes;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
begin
  perform app_private.subject_of_claims();

  -- Two who save at the same moment come one after the other, so that one is the default.
  perform pg_advisory_xact_lock(hashtextextended('mailboxes:' || caller_organization_id, 0));

  if save_mailbox.mailbox_id is not null then
    former := app_private.mailbox_of_organization(save_mailbox.mailbox_id);
  end if;
  if former.from_environment and (
    (former.address, former.host, former.port, former.security, former.auth, former.username)
    is distinct from (
      btrim(save_mailbox.address)::public.citext, btrim(save_mailbox.host), save_mailbox.port, save_mailbox.security, save_mailbox.auth,
      btrim(save_mailbox.username)
    )
  ) then
    raise exception using errcode = 'AD260', message = 'The environment of the worker says how this mailbox is reached; change it there';
  end if;

  -- Each holds a connection of the worker open, which reads for all organizations. What was put away holds none.
  if former.id is null and (
    select count(*)
    from app_public.mailboxes as box
    where box.organization_id = caller_organization_id and box.archived_at is null
  ) >= 50 then
    raise exception using errcode = 'AD262', message = 'An organization has at most 50 mailboxes';
  end if;

  -- The first one is the default, unless another was chosen.
  saved.is_default := save_mailbox.is_default or not exists (
    select from app_public.mailboxes as box
    where box.organization_id = caller_organization_id and box.is_default and box.id is distinct from save_mailbox.mailbox_id
  );
  if saved.is_default then
    update app_public.mailboxes as box
    set is_default = false
    where box.organization_id = caller_organization_id and box.is_default and box.id is distinct from save_mailbox.mailbox_id;
  end if;

  if former.id is null then
    insert into app_public.mailboxes (
      organization_id, name, address, host, port, security, auth, username, folder, processed_folder, token_endpoint, client_id, scopes,
      service_id, team_id, is_default, is_enabled, accepts_strangers, accepts_lists, max_mail_bytes, alarm_minutes
    )
    values (
      caller_organization_id, btrim(save_mailbox.name), btrim(save_mailbox.address), btrim(save_mailbox.host), save_mailbox.port,
      save_mailbox.security, save_mailbox.auth, btrim(save_mailbox.username), save_mailbox.folder, save_mailbox.processed_folder,
      save_mailbox.token_endpoint, save_mailbox.client_id, save_mailbox.scopes, save_mailbox.service_id, save_mailbox.team_id,
      saved.is_default, save_mailbox.is_enabled, save_mailbox.accepts_strangers, save_mailbox.accepts_lists,
      save_mailbox.max_mail_bytes, save_mailbox.alarm_minutes
    )
    returning * into saved;
    return saved;
  end if;

  -- A secret is for the server it was given for: where another is asked from now on, it is given anew.
  delete from app_private.mailbox_secrets as secret
  where secret.organization_id = caller_organization_id and secret.mailbox_id = former.id
    and (former.host, former.port, former.security, former.auth, former.username, former.token_endpoint, former.client_id)
      is distinct from (
        btrim(save_mailbox.host), save_mailbox.port, save_mailbox.security, save_mailbox.auth, btrim(save_mailbox.username),
        save_mailbox.token_endpoint, save_mailbox.client_id
      );

  update app_public.mailboxes as box
  set
    name = btrim(save_mailbox.name), address = btrim(save_mailbox.address), host = btrim(save_mailbox.host), port = save_mailbox.port,
    security = save_mailbox.security, auth = save_mailbox.auth, username = btrim(save_mailbox.username), folder = save_mailbox.folder,
    processed_folder = save_mailbox.processed_folder, token_endpoint = save_mailbox.token_endpoint, client_id = save_mailbox.client_id,
    scopes = save_mailbox.scopes, service_id = save_mailbox.service_id, team_id = save_mailbox.team_id, is_default = saved.is_default,
    is_enabled = save_mailbox.is_enabled, accepts_strangers = save_mailbox.accepts_strangers, accepts_lists = save_mailbox.accepts_lists,
    max_mail_bytes = save_mailbox.max_mail_bytes, alarm_minutes = save_mailbox.alarm_minutes
  where box.organization_id = caller_organization_id and box.id = former.id
  returning * into saved;
  return saved;
end
$$;

comment on function app_public.save_mailbox(
  text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid,
  boolean, boolean, boolean, boolean, bigint, integer
) is
  'Adds a mailbox, or with `mailboxId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/mailbox-secret`, and anew where another server or account is asked from now on. The first mailbox is the default one, and another becomes it by `isDefault`. Admins only. Errors: MAILBOX_FROM_ENVIRONMENT for the connection of one that the environment names, TOO_MANY_MAILBOXES beyond 50, INVALID_INPUT, CONFLICT for a name that another mailbox has, or an address that any mailbox of this installation has, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.archive_mailbox(mailbox_id uuid) returns app_public.mailboxes
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  perform app_private.subject_of_claims();
  mailbox := app_private.mailbox_of_organization(archive_mailbox.mailbox_id);
  if mailbox.from_environment then
    raise exception using errcode = 'AD260', message = 'The environment of the worker names this mailbox; take it out there';
  end if;

  update app_public.mailboxes as box
  set archived_at = now(), is_enabled = false, is_default = false
  where box.organization_id = mailbox.organization_id and box.id = mailbox.id
  returning * into mailbox;
  delete from app_private.mailbox_secrets as secret
  where secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id;
  return mailbox;
end
$$;

comment on function app_public.archive_mailbox(uuid) is
  'Puts a mailbox away and forgets its secret; what came by it stays, here and on its server. Admins only. Errors: NOT_FOUND, MAILBOX_FROM_ENVIRONMENT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.mailboxes_has_secret(mailbox app_public.mailboxes) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select mailbox.from_environment or exists (
    select
    from app_private.mailbox_secrets as secret
    where secret.organization_id = app_hidden.current_organization_id()
      and secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id
  )
$$;

comment on function app_public.mailboxes_has_secret(app_public.mailboxes) is 'Whether a password or tokens are stored, or come from the environment. Admins only.';

create or replace function app_public.test_mailbox(mailbox_id uuid) returns app_public.mailbox_states
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
  state app_public.mailbox_states;
begin
  perform app_private.subject_of_claims();
  mailbox := app_private.mailbox_of_organization(test_mailbox.mailbox_id);

  update app_public.mailbox_states as tested
  set test_requested_at = clock_timestamp(), tested_at = null, test_outcome = null, test_detail = null
  where tested.organization_id = mailbox.organization_id and tested.mailbox_id = mailbox.id
  returning * into state;
  perform app_private.enqueue(
    'test_mailbox', mailbox.organization_id, jsonb_build_object('mailboxId', mailbox.id), job_key => 'test_mailbox:' || mailbox.id,
    max_attempts => 2,
    -- A server that does not answer holds up the other tests of its organization, and nobody else.
    queue_name => 'test_mailbox:' || mailbox.organization_id
  );
  return state;
end
$$;

comment on function app_public.test_mailbox(uuid) is
  'Has the worker connect to a mailbox, log in and open its folder, and returns the state that its findings will be in: `testedAt` is null until then. Nothing is fetched. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.set_mailbox_secret(mailbox_id uuid, secret text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins set secrets';
  end if;
  insert into app_private.mailbox_secrets as stored (organization_id, mailbox_id, sealed)
  select box.organization_id, box.id, secret
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = set_mailbox_secret.mailbox_id
    and box.archived_at is null and not box.from_environment
  on conflict on constraint mailbox_secrets_pkey do update set sealed = excluded.sealed, updated_at = now();
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- What a test found, it found with another secret.
  update app_public.mailbox_states as state
  set test_requested_at = null, tested_at = null, test_outcome = null, test_detail = null
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = set_mailbox_secret.mailbox_id;
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.set_mailbox_secret(uuid, text) is 'Stores the encrypted password or tokens of a mailbox: `ok`, `not_found`. Admins only.';

revoke all on function
  app_private.mailbox_of(app_public.tickets), app_private.tg_mailboxes__keep_state(), app_private.mailbox_of_organization(uuid),
  app_public.save_mailbox( text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid, boolean, boolean, boolean, boolean, bigint, integer ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid),
  app_private.set_mailbox_secret(uuid, text)
from public;

grant execute on function
  app_public.save_mailbox( text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid, boolean, boolean, boolean, boolean, bigint, integer ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid)
to atum_admin;
grant execute on function app_private.set_mailbox_secret(uuid, text) to atum_server;

--! split: 1073-functions-73-incoming-mails.sql
-- Mails that came in: each is stored once, and decided once, in one transaction with everything that follows from it.
-- Whom and what a mail answers is in 85-mail-threads.sql.

create or replace function app_private.enqueue_incoming_mail(organization_id uuid, incoming_mail_id uuid, run_at timestamptz default null)
  returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'process_incoming_mail', enqueue_incoming_mail.organization_id,
    jsonb_build_object('incomingMailId', enqueue_incoming_mail.incoming_mail_id), enqueue_incoming_mail.run_at,
    'process_incoming_mail:' || enqueue_incoming_mail.incoming_mail_id,
    -- Anybody can send mails that are slow to read. They hold up those of the same organization alone.
    queue_name => 'process_incoming_mail:' || enqueue_incoming_mail.organization_id
  )
$$;

comment on function app_private.enqueue_incoming_mail(uuid, uuid, timestamptz) is 'Has a job read a mail that was stored, one after the other in each organization.';

create or replace function app_private.store_incoming_mail(mailbox_id uuid, facts jsonb) returns uuid
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  mail app_public.incoming_mails;
  mailbox app_public.mailboxes;
begin
  select * into strict mailbox
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = store_incoming_mail.mailbox_id;

  insert into app_public.incoming_mails (
    organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, message_id, from_name, from_address, subject, received_at,
    state, reason, processed_at
  )
  values (
    mailbox.organization_id, mailbox.id, left(facts ->> 'folder', 200), (facts ->> 'uidValidity')::bigint, (facts ->> 'uid')::bigint,
    facts ->> 'sha256', (facts ->> 'size')::bigint, nullif(left(facts ->> 'messageId', 998), ''), nullif(left(facts ->> 'fromName', 200), ''),
    nullif(left(facts ->> 'fromAddress', 320), ''), left(facts ->> 'subject', 998),
    coalesce((facts ->> 'receivedAt')::timestamptz, now()),
    case when facts ->> 'sha256' is null then 'refused' else 'stored' end::app_public.incoming_mail_state,
    case when facts ->> 'sha256' is null then coalesce(facts ->> 'refusal', 'oversize') end, case when facts ->> 'sha256' is null then now() end
  )
  -- Fetched before, by its number or by every byte of it.
  on conflict do nothing
  returning * into mail;
  if not found then
    return null;
  end if;

  if mail.state = 'refused' then
    perform app_private.alert_of_mail(mail, mailbox.name);
  else
    perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id);
  end if;
  return mail.id;
end
$$;

comment on function app_private.store_incoming_mail(uuid, jsonb) is
  'Notes a mail whose bytes are on disk, and has it read; one without `sha256` is noted as refused, for its size or for the `refusal` that is given. Returns its row id, or null where it was noted before. `{folder, uidValidity, uid, sha256, size, messageId, fromName, fromAddress, subject, receivedAt}`.';

comment on column app_public.incoming_mails.reason is 'Why, in one word: `auto_reply`, `bounce`, `complaint`, `loop`, `bulk`, `mailing_list`, `flood`, `stranger`, `duplicate`, `person_disabled`, `no_sender`, `oversize`, `unreadable`, or for one on a ticket `not_participant`, `unproven_staff`, `unproven`, `ticket_over`; null for nothing out of the ordinary.';

create or replace function app_private.alert_of_mail(mail app_public.incoming_mails, mailbox_name text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.alert_admins(
    'mail_not_taken',
    jsonb_build_object(
      'incoming_mail_id', mail.id, 'name', mailbox_name, 'reason', mail.reason, 'from', left(mail.from_address, 200),
      'subject', left(mail.subject, 200), 'size', mail.size
    ),
    -- Anybody can send mails that cannot be taken: of a mailbox one is told of once an hour, and the log names them all.
    'mail_not_taken:' || mail.mailbox_id || ':' || mail.reason || ':' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24')
  );
end
$$;

comment on function app_private.alert_of_mail(app_public.incoming_mails, text) is 'Tells the admins of a mail that could not be taken, for each reason and mailbox once an hour.';

create or replace function app_private.incoming_mail_to_read(incoming_mail_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object('sha256', mail.sha256, 'address', mailbox.address)
  from app_public.incoming_mails as mail
  join app_public.mailboxes as mailbox on mailbox.organization_id = mail.organization_id and mailbox.id = mail.mailbox_id
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = incoming_mail_to_read.incoming_mail_id
    and mail.state = 'stored'
$$;

comment on function app_private.incoming_mail_to_read(uuid) is 'Where a mail that waits is on disk, and to which address it came; null when it was decided.';

create or replace function app_private.settle_mail(
  mail app_public.incoming_mails,
  state app_public.incoming_mail_state,
  reason text default null,
  detail text default null,
  ticket_id uuid default null,
  comment_id uuid default null
) returns jsonb
  language sql volatile
  set search_path = ''
as $$
  update app_public.incoming_mails as settled
  set
    state = settle_mail.state, reason = settle_mail.reason, detail = nullif(left(settle_mail.detail, 1000), ''),
    ticket_id = settle_mail.ticket_id, comment_id = settle_mail.comment_id, processed_at = clock_timestamp()
  where settled.organization_id = mail.organization_id and settled.id = mail.id
  returning jsonb_build_object(
    'state', settled.state, 'reason', settled.reason, 'ticketId', settled.ticket_id, 'commentId', settled.comment_id, 'files', jsonb_build_array()
  )
$$;

comment on function app_private.settle_mail(app_public.incoming_mails, app_public.incoming_mail_state, text, text, uuid, uuid) is 'Writes down what became of a mail.';

create or replace function app_private.incoming_mail_failed(incoming_mail_id uuid, detail text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.incoming_mails;
begin
  update app_public.incoming_mails as failed
  set state = 'failed', reason = 'unreadable', detail = left(incoming_mail_failed.detail, 1000), processed_at = clock_timestamp()
  where failed.organization_id = app_hidden.current_organization_id() and failed.id = incoming_mail_failed.incoming_mail_id
    and failed.state = 'stored'
  returning * into mail;
  if found then
    perform app_private.alert_of_mail(mail, box.name)
    from app_public.mailboxes as box
    where box.organization_id = mail.organization_id and box.id = mail.mailbox_id;
  end if;
end
$$;

comment on function app_private.incoming_mail_failed(uuid, text) is 'Notes that a mail could not be read, and tells the admins. It stays on disk and can be tried again.';

create or replace function app_public.retry_incoming_mail(incoming_mail_id uuid) returns app_public.incoming_mails
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.incoming_mails;
begin
  perform app_private.subject_of_claims();

  update app_public.incoming_mails as tried
  set
    state = 'stored', reason = null, detail = null, processed_at = null, overruled_at = now(),
    overruled_by_id = app_hidden.current_user_id()
  where tried.organization_id = app_hidden.current_organization_id() and tried.id = retry_incoming_mail.incoming_mail_id
    and tried.state in ('failed', 'ignored') and tried.sha256 is not null
  returning * into mail;
  if not found then
    if exists (
      select from app_public.incoming_mails as known
      where known.organization_id = app_hidden.current_organization_id() and known.id = retry_incoming_mail.incoming_mail_id
    ) then
      raise exception using errcode = 'AD261', message = 'Only a mail that failed or was ignored is taken up again';
    end if;
    raise exception using errcode = 'AD101', message = 'There is no such mail';
  end if;
  perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id);
  return mail;
end
$$;

comment on function app_public.retry_incoming_mail(uuid) is
  'Has a mail that failed read again, or one that was ignored taken all the same, and returns it: it is on a ticket in a moment. Admins only. Errors: NOT_FOUND, MAIL_NOT_TAKEN_UP for one that is on a ticket, waits, or was never fetched; UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.incoming_mail_words(word text) returns text
  language sql stable
  set search_path = ''
as $$
  select case when organization.locale like 'de%' then words.german else words.english end
  from app_public.organizations as organization
  join (
    values
      ('no_text', 'The mail has no text.', 'Die Mail hat keinen Text.'),
      ('no_subject', 'Mail without a subject', 'Mail ohne Betreff'),
      (
        'unproven_staff',
        'Came by mail from the address of a colleague. Nothing proves that the colleague wrote it: it answers no mail that was sent to that address alone within 14 days.',
        'Kam per Mail von der Adresse einer Kollegin oder eines Kollegen. Nichts beweist, wer sie geschrieben hat: Sie antwortet auf keine Mail, die in den letzten 14 Tagen nur an diese Adresse ging.'
      ),
      (
        'not_participant',
        'Came by mail from somebody who does not see this ticket:',
        'Kam per Mail von jemandem, der dieses Ticket nicht sieht:'
      )
  ) as words (word, english, german) on words.word = incoming_mail_words.word
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_private.incoming_mail_words(text) is 'What we say ourselves where a mail came in, in the language of the organization.';

create or replace function app_private.mail_comment(
  mail app_public.incoming_mails,
  facts jsonb,
  ticket_id uuid,
  author app_public.users,
  visibility app_public.comment_visibility,
  preface text default null
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
declare
  said app_public.comments;
  body text := coalesce(nullif(btrim(facts ->> 'text', E' \n\t'), ''), app_private.incoming_mail_words('no_text'));
begin
  if preface is not null then
    body := left(preface, 1000) || E'\n\n' || body;
    -- The worker leaves room for it; this is the last line.
    while octet_length(body) > 65536 loop
      body := left(body, length(body) - 1 - (octet_length(body) - 65536) / 4);
    end loop;
  end if;

  perform set_config('atum.user_id', coalesce(author.id::text, ''), true);
  insert into app_public.comments (organization_id, ticket_id, author_id, author_name, visibility, body)
  values (
    mail.organization_id, mail_comment.ticket_id, author.id, case when author.id is null then 'Mail' end, mail_comment.visibility, body
  )
  returning * into said;
  perform set_config('atum.user_id', '', true);

  insert into app_public.comment_originals (organization_id, comment_id, html, quoted_text, incoming_mail_id)
  select said.organization_id, said.id, facts ->> 'html', facts ->> 'quoted', mail.id
  where facts ->> 'html' is not null or facts ->> 'quoted' is not null;
  return said;
end
$$;

comment on function app_private.mail_comment(app_public.incoming_mails, jsonb, uuid, app_public.users, app_public.comment_visibility, text) is 'Writes what a mail says as a comment, and keeps what it carried beside.';

create or replace function app_private.incoming_mail_files(mail app_public.incoming_mails, facts jsonb, said app_public.comments) returns jsonb
  language sql volatile
  set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('sha256', stored.sha256, 'state', stored.state)), '[]')
  from jsonb_array_elements(facts -> 'files') as file
  cross join lateral app_private.store_mail_file(
    file ->> 'sha256', (file ->> 'size')::bigint, file ->> 'contentType', file ->> 'name', file ->> 'claimedContentType',
    file ->> 'contentId', said.id, said.author_id
  ) as stored
$$;

comment on function app_private.incoming_mail_files(app_public.incoming_mails, jsonb, app_public.comments) is 'Puts the files of a mail onto its comment, and returns the state of each: the worker puts the bytes there before it commits.';

create or replace function app_private.watch_by_mail(ticket app_public.tickets, facts jsonb) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.add_watcher(ticket, person.id)
  from app_public.users as person
  where person.organization_id = ticket.organization_id
    and person.email = any (array(
      select app_private.mail_address(address) from jsonb_array_elements_text(facts -> 'copied') as address limit 50
    ))
    and person.id <> ticket.requester_id and person.id is distinct from ticket.assignee_id
    and app_private.may_see_ticket(person.id, ticket)
$$;

comment on function app_private.watch_by_mail(app_public.tickets, jsonb) is 'Has people who were written to as well, and may see the ticket, watch it.';

create or replace function app_private.reopen_by_mail(ticket app_public.tickets) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as waiting
  set status = case when waiting.status in ('pending', 'on_hold', 'resolved') then 'open' else waiting.status end, snoozed_until = null
  where waiting.organization_id = ticket.organization_id and waiting.id = ticket.id
    and (waiting.status in ('pending', 'on_hold', 'resolved') or waiting.status <> 'closed' and waiting.snoozed_until is not null)
$$;

comment on function app_private.reopen_by_mail(app_public.tickets) is 'Takes a ticket into work again about which somebody else wrote: a note alone would not.';

-- What stands after a plus is chosen freely by who has the address.
create or replace function app_private.address_without_plus(address text) returns text
  language sql immutable
  set search_path = ''
as $$
  select regexp_replace(lower(address), '^([^+@]+)[+][^@]*@', '\1@')
$$;

comment on function app_private.address_without_plus(text) is 'A mail address in small letters without what stands between a plus and the at sign: whose mails are counted together.';

create or replace function app_private.is_mail_flood(mail app_public.incoming_mails, is_known boolean, ticket_id uuid default null) returns boolean
  language sql stable
  set search_path = ''
as $$
  select
    (
      select count(*)
      from app_public.incoming_mails as many
      where many.organization_id = mail.organization_id and many.created_at > now() - interval '1 hour' and many.state = 'processed'
        and app_private.address_without_plus(many.from_address) = app_private.address_without_plus(mail.from_address)
        and (is_mail_flood.ticket_id is null or many.ticket_id = is_mail_flood.ticket_id)
    ) >= case when is_mail_flood.ticket_id is null then 30 else 10 end
    -- Addresses cost nothing: those that nobody had heard of are counted together.
    or not is_known and (
      select count(*)
      from app_public.incoming_mails as many
      join app_public.users as person on person.organization_id = many.organization_id
        and person.email = app_private.mail_address(many.from_address) and person.created_at >= many.created_at
      where many.organization_id = mail.organization_id and many.mailbox_id = mail.mailbox_id
        and many.created_at > now() - interval '1 hour' and many.state = 'processed'
    ) >= 300
$$;

comment on function app_private.is_mail_flood(app_public.incoming_mails, boolean, uuid) is
  'Whether a mail is too much: after 10 of one sender on a ticket in an hour, 30 of one sender in all, or, where its sender was not known before, 300 of such people to one mailbox.';

create or replace function app_private.receive_mail(incoming_mail_id uuid, facts jsonb) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  mail app_public.incoming_mails;
  mailbox app_public.mailboxes;
  sender app_public.users;
  nobody app_public.users;
  answered record;
  ticket app_public.tickets;
  said app_public.comments;
  earlier app_public.incoming_mails;
  ignored text;
  reason text;
  preface text;
  proven boolean := false;
  speaks boolean := false;
  may_go_on boolean;
  address constant public.citext := app_private.mail_address(facts #>> '{from,address}');
begin
  select * into mail
  from app_public.incoming_mails as waiting
  where waiting.organization_id = app_hidden.current_organization_id() and waiting.id = receive_mail.incoming_mail_id
  for update;
  if not found or mail.state <> 'stored' then
    return null;
  end if;
  select * into strict mailbox
  from app_public.mailboxes as box
  where box.organization_id = mail.organization_id and box.id = mail.mailbox_id;

  -- What it answers may be a mail that is being read at this moment: the first one opens the ticket.
  if mail.created_at > now() - interval '5 minutes' and exists (
    select
    from app_public.incoming_mails as first
    where first.organization_id = mail.organization_id and first.state = 'stored' and first.id <> mail.id
      and first.message_id = any (array(select jsonb_array_elements_text(facts -> 'references')))
      and (first.created_at, first.id) < (mail.created_at, mail.id)
  ) then
    perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id, now() + interval '3 seconds');
    return jsonb_build_object('state', 'stored', 'files', jsonb_build_array());
  end if;

  update app_public.incoming_mails as read
  set
    message_id = nullif(left(facts ->> 'messageId', 998), ''), subject = left(facts ->> 'subject', 998),
    from_name = nullif(left(facts #>> '{from,name}', 200), ''), from_address = nullif(left(facts #>> '{from,address}', 320), ''),
    to_addresses = array(select left(recipient, 320) from jsonb_array_elements_text(facts -> 'recipients') as recipient limit 100),
    sent_at = (facts ->> 'sentAt')::timestamptz
  where read.organization_id = mail.organization_id and read.id = mail.id
  returning * into mail;

  perform set_config('atum.actor_name', 'Mail', true);

  -- The same mail by two ways: to two of our addresses, or moved back into the folder. One after the other.
  if mail.message_id is not null then
    perform pg_advisory_xact_lock(hashtextextended('mail:' || mail.organization_id || mail.message_id, 0));
    select * into earlier
    from app_public.incoming_mails as known
    where known.organization_id = mail.organization_id and known.message_id = mail.message_id and known.id <> mail.id
      and lower(known.from_address) is not distinct from lower(mail.from_address) and known.subject is not distinct from mail.subject
      and known.sent_at is not distinct from mail.sent_at and known.state = 'processed'
    limit 1;
    if found then
      return app_private.settle_mail(mail, 'ignored', 'duplicate', ticket_id => earlier.ticket_id);
    end if;
  end if;

  select found.ticket_id, found.way into answered
  from app_private.answered_tickets(facts) as found
  limit 1;
  if answered.ticket_id is not null then
    -- It may have gone on in another one.
    with recursive trail (id, merged_into_id, depth) as (
      select first.id, first.merged_into_id, 0
      from app_public.tickets as first
      where first.organization_id = mail.organization_id and first.id = answered.ticket_id
      union all
      select next.id, next.merged_into_id, trail.depth + 1
      from trail
      join app_public.tickets as next on next.organization_id = mail.organization_id and next.id = trail.merged_into_id
      where trail.depth < 20
    )
    select goal.* into ticket
    from trail
    join app_public.tickets as goal on goal.organization_id = mail.organization_id and goal.id = trail.id
    order by trail.depth desc
    limit 1;
    -- One mail at a time writes on a ticket.
    perform from app_public.tickets as locked where locked.organization_id = ticket.organization_id and locked.id = ticket.id for no key update;
    select * into ticket from app_public.tickets as locked where locked.organization_id = ticket.organization_id and locked.id = ticket.id;
  end if;

  if mail.overruled_at is null then
    ignored := app_private.why_to_ignore(mail, mailbox, facts);
    if ignored in ('bounce', 'complaint') then
      perform app_private.record_bounce(
        array(select jsonb_array_elements_text(facts #> '{report,messageIds}')),
        case ignored when 'bounce' then 'bounced' else 'complained' end, facts #>> '{report,detail}'
      )
      where coalesce((facts #>> '{report,isFinal}')::boolean, true);
    end if;
    if ignored is not null then
      return app_private.settle_mail(mail, 'ignored', ignored, facts #>> '{report,detail}', ticket.id);
    end if;
  end if;
  if address is null or length(address::text) > 254 then
    return app_private.settle_mail(mail, 'ignored', 'no_sender', facts #>> '{from,address}', ticket.id);
  end if;

  select * into sender
  from app_public.users as person
  where person.organization_id = mail.organization_id and person.email = address;
  if sender.disabled_at is not null then
    return app_private.settle_mail(mail, 'ignored', 'person_disabled', null, ticket.id);
  end if;

  if ticket.id is not null then
    proven := sender.id is not null and app_private.proves_staff(
      facts, sender,
      array(
        select named.id
        from app_public.tickets as named
        where named.organization_id = ticket.organization_id
          and (named.id in (ticket.id, answered.ticket_id) or named.merged_into_id = ticket.id)
      )
    );
    -- Whoever has a number alone must be one who sees the ticket; a stranger opens one of their own.
    speaks := sender.id is not null and app_private.may_see_ticket(sender.id, ticket);
    may_go_on := ticket.status <> 'closed' and not (
      ticket.status = 'resolved' and exists (
        select
        from app_public.ticket_settings as settings
        where settings.organization_id = ticket.organization_id
          and ticket.resolved_at + make_interval(days => settings.reopen_days) < now()
      )
    );

    if not speaks and (answered.way = 'subject' or not may_go_on) then
      ticket := null;
    elsif mail.overruled_at is null and app_private.is_mail_flood(mail, true, ticket.id) then
      return app_private.settle_mail(mail, 'ignored', 'flood', null, ticket.id);
    end if;
  end if;

  if ticket.id is not null and speaks and sender.role <> 'customer' then
    -- Anybody can write an address of ours as the sender: what only the colleague was sent proves that it is the colleague.
    if not proven then
      reason := 'unproven_staff';
      said := app_private.mail_comment(
        mail, facts, ticket.id, nobody, 'internal', app_private.incoming_mail_words('unproven_staff') || E'\n' || sender.name || ' <' || sender.email || '>'
      );
      perform app_private.reopen_by_mail(ticket);
    else
      speaks := may_go_on and (ticket.requester_id = sender.id or app_private.answers_public_words(facts, sender.id));
      said := app_private.mail_comment(mail, facts, ticket.id, sender, case when speaks then 'public' else 'internal' end::app_public.comment_visibility);
      -- The first public answer takes a new ticket into work.
      update app_public.tickets as taken
      set status = 'open'
      where taken.organization_id = ticket.organization_id and taken.id = ticket.id and taken.status = 'new'
        and said.visibility = 'public' and taken.requester_id <> sender.id;
      perform app_private.watch_by_mail(ticket, facts);
    end if;
  elsif ticket.id is not null and speaks and may_go_on then
    -- Customers are asked for no proof, but admins see where there was none: a number is no secret.
    reason := case when answered.way = 'subject' then 'unproven' end;
    said := app_private.mail_comment(mail, facts, ticket.id, sender, 'public');
    perform app_private.watch_by_mail(ticket, facts);
  elsif ticket.id is not null and not speaks then
    reason := 'not_participant';
    said := app_private.mail_comment(
      mail, facts, ticket.id, nobody, 'internal',
      app_private.incoming_mail_words('not_participant') || E'\n' || coalesce(nullif(mail.from_name, '') || ' ', '') || '<' || address || '>'
    );
    perform app_private.reopen_by_mail(ticket);
  else
    if sender.id is null and not mailbox.accepts_strangers and mail.overruled_at is null then
      return app_private.settle_mail(mail, 'ignored', 'stranger');
    end if;
    if mail.overruled_at is null and app_private.is_mail_flood(mail, sender.id is not null) then
      return app_private.settle_mail(mail, 'ignored', 'flood');
    end if;

    sender := app_private.customer_by_mail(facts -> 'from');
    said := app_private.ticket_by_mail(mail, mailbox, facts, sender, ticket);
    reason := case when ticket.id is not null then 'ticket_over' when sender.role <> 'customer' then 'unproven_staff' end;
  end if;

  return app_private.settle_mail(mail, 'processed', reason, null, said.ticket_id, said.id)
    || jsonb_build_object('files', app_private.incoming_mail_files(mail, facts, said));
end
$$;

comment on function app_private.receive_mail(uuid, jsonb) is
  'Decides what becomes of a mail, and writes it: a comment on the ticket it answers, a new ticket, or nothing, with the reason. Done once; null when it was. Returns `{state, reason, ticketId, commentId, files}`: the worker puts the bytes of each file where its state says before it commits.';

create or replace function app_private.ticket_by_mail(
  mail app_public.incoming_mails, mailbox app_public.mailboxes, facts jsonb, sender app_public.users, former app_public.tickets
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  said app_public.comments;
begin
  insert into app_public.tickets (organization_id, subject, service_id, team_id, requester_id, created_by_id, channel)
  values (
    mail.organization_id,
    coalesce(
      nullif(btrim(left(btrim(regexp_replace(facts ->> 'subject', '[[:cntrl:][:space:]]+', ' ', 'g')), 200)), ''),
      app_private.incoming_mail_words('no_subject')
    ),
    -- A service that is no longer offered is asked for no more.
    (
      select service.id from app_public.services as service
      where service.organization_id = mail.organization_id and service.id = mailbox.service_id and service.archived_at is null
    ),
    mailbox.team_id, sender.id, sender.id, 'mail'
  )
  returning * into ticket;

  said := app_private.mail_comment(mail, facts, ticket.id, sender, 'public');
  if former.id is not null then
    perform app_public.relate_tickets(ticket.id, 'relates_to', former.id);
  end if;
  if sender.role <> 'customer' then
    insert into app_public.comments (organization_id, ticket_id, author_name, visibility, body)
    values (ticket.organization_id, ticket.id, 'Mail', 'internal', app_private.incoming_mail_words('unproven_staff'));
  end if;

  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = ticket.organization_id and made.id = ticket.id;
  perform app_private.watch_by_mail(ticket, facts);
  return said;
end
$$;

comment on function app_private.ticket_by_mail(app_public.incoming_mails, app_public.mailboxes, jsonb, app_public.users, app_public.tickets) is
  'Opens a ticket with what a mail says, related to one that is over where it answers that, and returns the description.';

revoke all on function
  app_private.enqueue_incoming_mail(uuid, uuid, timestamptz), app_private.store_incoming_mail(uuid, jsonb), app_private.alert_of_mail(app_public.incoming_mails, text), app_private.incoming_mail_to_read(uuid),
  app_private.settle_mail(app_public.incoming_mails, app_public.incoming_mail_state, text, text, uuid, uuid),
  app_private.incoming_mail_failed(uuid, text), app_public.retry_incoming_mail(uuid), app_private.incoming_mail_words(text),
  app_private.mail_comment(app_public.incoming_mails, jsonb, uuid, app_public.users, app_public.comment_visibility, text),
  app_private.incoming_mail_files(app_public.incoming_mails, jsonb, app_public.comments), app_private.watch_by_mail(app_public.tickets, jsonb),
  app_private.reopen_by_mail(app_public.tickets), app_private.address_without_plus(text),
  app_private.is_mail_flood(app_public.incoming_mails, boolean, uuid), app_private.receive_mail(uuid, jsonb),
  app_private.ticket_by_mail(app_public.incoming_mails, app_public.mailboxes, jsonb, app_public.users, app_public.tickets)
from public;

grant execute on function
  app_private.store_incoming_mail(uuid, jsonb), app_private.incoming_mail_to_read(uuid), app_private.incoming_mail_failed(uuid, text),
  app_private.receive_mail(uuid, jsonb)
to atum_worker;
grant execute on function app_public.retry_incoming_mail(uuid) to atum_admin;

--! split: 1075-functions-75-webhook-deliveries.sql
-- Webhooks: what they are told. Each call is a row before it is a job; how it is made is in 87-webhook-calls.sql.

create or replace function app_private.webhook_instant(at timestamptz) returns text
  language sql stable
  set search_path = ''
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

comment on function app_private.webhook_instant(timestamptz) is 'An instant as JavaScript writes it, in UTC.';

create or replace function app_private.webhook_message(event app_public.ticket_events) returns text
  language sql stable
  set search_path = ''
  return 'evt_' || replace(event.id::text, '-', '');

comment on function app_private.webhook_message(app_public.ticket_events) is 'By what a receiver knows an event that it was told of before.';

create or replace function app_private.webhook_person(organization_id uuid, user_id uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object('id', person.id, 'name', person.name, 'email', person.email, 'role', person.role)
  from app_public.users as person
  where person.organization_id = webhook_person.organization_id and person.id = webhook_person.user_id
$$;

comment on function app_private.webhook_person(uuid, uuid) is 'A person as webhooks are told of one; null for nobody.';

create or replace function app_private.webhook_ticket(ticket app_public.tickets, with_internal boolean) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', ticket.id, 'number', ticket.number, 'reference', ticket.reference, 'subject', ticket.subject,
    'status', ticket.status,
    'state', (
      select jsonb_build_object('id', state.id, 'name', state.name)
      from app_public.ticket_states as state
      where state.organization_id = ticket.organization_id and state.id = ticket.state_id
    ),
    'priority', ticket.priority, 'channel', ticket.channel,
    'service', (
      select jsonb_build_object('id', service.id, 'name', service.name)
      from app_public.services as service
      where service.organization_id = ticket.organization_id and service.id = ticket.service_id
    ),
    'team', (
      select jsonb_build_object('id', team.id, 'name', team.name)
      from app_public.teams as team
      where team.organization_id = ticket.organization_id and team.id = ticket.team_id
    ),
    'company', (
      select jsonb_build_object('id', company.id, 'name', company.name)
      from app_public.companies as company
      where company.organization_id = ticket.organization_id and company.id = ticket.company_id
    ),
    'requester', app_private.webhook_person(ticket.organization_id, ticket.requester_id),
    'assignee', app_private.webhook_person(ticket.organization_id, ticket.assignee_id),
    'customFields', ticket.custom_fields,
    'createdAt', app_private.webhook_instant(ticket.created_at), 'updatedAt', app_private.webhook_instant(ticket.updated_at),
    'resolvedAt', app_private.webhook_instant(ticket.resolved_at), 'closedAt', app_private.webhook_instant(ticket.closed_at)
  )
  || case
    when with_internal then jsonb_build_object('tags', ticket.tags, 'internalFields', ticket.internal_fields)
    else '{}'
  end
$$;

comment on function app_private.webhook_ticket(app_public.tickets, boolean) is 'A ticket as webhooks are told of one; what only staff see is with those that asked for it.';

create or replace function app_private.webhook_description(event app_public.ticket_events) returns uuid
  language sql stable
  set search_path = ''
as $$
  select comment.id
  from app_public.comments as comment
  where comment.organization_id = event.organization_id and comment.ticket_id = event.ticket_id
  order by comment.created_at, comment.id
  limit 1
$$;

comment on function app_private.webhook_description(app_public.ticket_events) is 'The comment with which a ticket was opened.';

create or replace function app_private.webhook_payload(event app_public.ticket_events, with_internal boolean) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'type', 'ticket.' || regexp_replace(event.type::text, '^ticket_', ''),
    'timestamp', app_private.webhook_instant(event.created_at),
    'data', jsonb_build_object(
      'organization', (
        select jsonb_build_object('id', organization.id, 'slug', organization.slug)
        from app_public.organizations as organization
        where organization.id = event.organization_id
      ),
      'event', jsonb_build_object(
        'id', event.id, 'type', event.type, 'visibility', event.visibility, 'before', event.before, 'after', event.after,
        'actor', coalesce(
          app_private.webhook_person(event.organization_id, event.actor_id),
          jsonb_build_object('name', event.actor_name)
        )
      ),
      'ticket', (
        select app_private.webhook_ticket(ticket, with_internal)
        from app_public.tickets as ticket
        where ticket.organization_id = event.organization_id and ticket.id = event.ticket_id
      ),
      'comment', (
        select jsonb_build_object(
          'id', comment.id, 'visibility', comment.visibility, 'body', comment.body,
          'author', app_private.webhook_person(comment.organization_id, comment.author_id),
          'createdAt', app_private.webhook_instant(comment.created_at)
        )
        from app_public.comments as comment
        where comment.organization_id = event.organization_id
          and comment.id = coalesce(event.comment_id, case event.type when 'ticket_created' then app_private.webhook_description(event) end)
          and (with_internal or comment.visibility = 'public')
      )
    )
  )
$$;

comment on function app_private.webhook_payload(app_public.ticket_events, boolean) is 'What a webhook is told of an event: `{type, timestamp, data}`. The ticket is as it is now.';

create or replace function app_private.webhook_wants(webhook app_public.webhooks, event app_public.ticket_events) returns boolean
  language sql stable
  set search_path = ''
as $$
  select webhook.organization_id = event.organization_id
    and (webhook.event_types = '{}' or event.type = any (webhook.event_types))
    and (webhook.includes_internal or event.visibility = 'public')
$$;

comment on function app_private.webhook_wants(app_public.webhooks, app_public.ticket_events) is 'Whether a webhook is told of an event, where it is told of anything.';

create or replace function app_private.enqueue_webhook_lane(organization_id uuid, webhook_id uuid, lane uuid, run_at timestamptz default null)
  returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'deliver_webhook', organization_id, jsonb_build_object('webhookId', webhook_id, 'lane', lane), run_at,
    'deliver_webhook:' || webhook_id || ':' || lane,
    -- The places of an organization are counted by its calls; these lines hold as well where it deletes webhooks under them. A
    -- test, whose lane is its own, does not wait for what is told.
    queue_name => 'deliver_webhook:' || organization_id || case
      when exists (
        select
        from app_public.webhook_deliveries as test
        where test.organization_id = enqueue_webhook_lane.organization_id and test.id = enqueue_webhook_lane.lane
      ) then ':test:' || get_byte(uuid_send(lane), 15) % 2
      else ':' || get_byte(uuid_send(lane), 15) % 4
    end
  )
$$;

comment on function app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz) is 'Has a webhook called with what waits in a lane, now or at an instant.';

create or replace function app_private.call_webhooks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  made record;
begin
  if not exists (
    select from app_public.webhooks as webhook where webhook.organization_id = event.organization_id and webhook.is_enabled
  ) then
    return;
  end if;

  for made in
    insert into app_public.webhook_deliveries (
      organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, payload
    )
    select
      webhook.organization_id, webhook.id, event.id, event.type, event.ticket_id, event.ticket_id,
      app_private.webhook_message(event), app_private.webhook_payload(event, webhook.includes_internal)
    from app_public.webhooks as webhook
    where webhook.organization_id = event.organization_id and webhook.is_enabled
      and app_private.webhook_wants(webhook, event) and app_private.has_webhook_secret(webhook)
    on conflict do nothing
    returning organization_id, webhook_id, lane
  loop
    perform app_private.enqueue_webhook_lane(made.organization_id, made.webhook_id, made.lane);
  end loop;
end
$$;

comment on function app_private.call_webhooks(app_public.ticket_events) is 'Has each webhook that wants events of this type told of one.';

revoke all on function
  app_private.webhook_instant(timestamptz), app_private.webhook_message(app_public.ticket_events), app_private.webhook_person(uuid, uuid),
  app_private.webhook_ticket(app_public.tickets, boolean), app_private.webhook_payload(app_public.ticket_events, boolean),
  app_private.webhook_description(app_public.ticket_events), app_private.webhook_wants(app_public.webhooks, app_public.ticket_events),
  app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz), app_private.call_webhooks(app_public.ticket_events)
from public;

--! split: 1076-functions-76-notification-choices.sql
-- How people want to hear of what, and when they want to hear of nothing.

-- What reaches a person who said nothing. A kind that is not named for a role is not told to it.
create or replace function app_hidden.usual_notifications()
  returns table (
    kind app_public.notification_kind, role app_public.user_role, in_app boolean, mail app_public.notification_mail, in_browser boolean
  )
  language sql immutable parallel safe
  set search_path = ''
as $$
  select usual.kind::app_public.notification_kind, role, usual.in_app, usual.mail::app_public.notification_mail, usual.in_browser
  from (
    values
      ('acknowledgement', '{customer}', true, 'immediate', false),
      ('acknowledgement', '{agent,manager,admin}', true, 'off', false),
      ('new_ticket', '{agent,manager,admin}', true, 'off', false),
      ('assigned', '{agent,manager,admin}', true, 'immediate', true),
      ('reply', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('note', '{agent,manager,admin}', true, 'digest', true),
      ('mention', '{agent,manager,admin}', true, 'immediate', true),
      ('status_changed', '{customer,agent,manager,admin}', true, 'off', false),
      ('resolved', '{customer}', true, 'immediate', true),
      ('resolved', '{agent,manager,admin}', true, 'off', false),
      ('approval', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('sla_warning', '{agent,manager,admin}', true, 'off', true),
      ('sla_breach', '{agent,manager,admin}', true, 'immediate', true),
      ('notice', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('problem', '{agent,manager,admin}', true, 'immediate', false),
      ('rating', '{agent,manager,admin}', true, 'off', false),
      ('alert', '{admin}', true, 'immediate', false)
  ) as usual (kind, roles, in_app, mail, in_browser)
  cross join unnest(usual.roles::app_public.user_role[]) as role
$$;

comment on function app_hidden.usual_notifications() is 'How people of each role hear of each kind as long as they have not said otherwise.';

create or replace function app_hidden.quiet_until(
  quiet_from integer, quiet_to integer, quiet_weekdays integer[], time_zone text, at timestamptz
) returns timestamptz
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  until timestamptz := at;
  later timestamptz;
begin
  if quiet_from is null then
    return null;
  end if;

  -- Quiet days may follow each other without a gap, for a week at most.
  for attempt in 1..8 loop
    select max(span.ends) into later
    from (
      select
        app_hidden.local_instant(day + make_interval(mins => quiet_from), time_zone) as begins,
        app_hidden.local_instant(
          day + make_interval(days => case when quiet_to <= quiet_from then 1 else 0 end, mins => quiet_to), time_zone
        ) as ends
      from (
        select (until at time zone time_zone)::date - back as day from generate_series(0, 1) as back
      ) as days
      where extract(isodow from day) = any (quiet_weekdays)
    ) as span
    where span.begins <= until and until < span.ends;
    exit when later is null;
    until := later;
  end loop;
  return nullif(until, at);
end
$$;

comment on function app_hidden.quiet_until(integer, integer, integer[], text, timestamptz) is 'When the quiet hours end in which an instant is, or null when it is in none. They begin on each of the weekdays, in minutes after midnight, and go over midnight where their end is not after their begin.';

create or replace function app_private.quiet_until(person app_public.users, at timestamptz) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select app_hidden.quiet_until(
    settings.quiet_from, settings.quiet_to, settings.quiet_weekdays, coalesce(person.time_zone, organization.time_zone), quiet_until.at
  )
  from app_private.notification_settings as settings
  join app_public.organizations as organization on organization.id = settings.organization_id
  where settings.organization_id = person.organization_id and settings.user_id = person.id and settings.quiet_from is not null
$$;

comment on function app_private.quiet_until(app_public.users, timestamptz) is 'When the quiet hours of a person end in which an instant is, or null when it is in none.';

do $$
begin
  if to_regtype('app_public.notification_choice') is null then
    create type app_public.notification_choice as (
      kind app_public.notification_kind, in_app boolean, mail app_public.notification_mail, in_browser boolean, is_usual boolean
    );
    create type app_public.notification_schedule as (
      quiet_from integer, quiet_to integer, quiet_weekdays integer[], digest_hour integer, time_zone text
    );
  end if;
end
$$;

comment on type app_public.notification_choice is 'How somebody hears of something.';
comment on column app_public.notification_choice.kind is 'Of what.';
comment on column app_public.notification_choice.in_app is 'Whether it is shown in the app.';
comment on column app_public.notification_choice.mail is 'Whether it is mailed.';
comment on column app_public.notification_choice.in_browser is 'Whether the browser shows it while they look elsewhere; only of what is shown in the app.';
comment on column app_public.notification_choice.is_usual is 'Whether that is what their role says, and not they.';

comment on type app_public.notification_schedule is 'When somebody wants no mail and no sign from their browser, and when the mail of the day comes.';
comment on column app_public.notification_schedule.quiet_from is 'When quiet hours begin, in minutes after midnight, 0 to 1439; null for none.';
comment on column app_public.notification_schedule.quiet_to is 'When they end, in minutes after midnight, 1 to 1440, on the next day where that is not after their begin.';
comment on column app_public.notification_schedule.quiet_weekdays is 'The days on which they begin, from 1 for Monday to 7 for Sunday.';
comment on column app_public.notification_schedule.digest_hour is 'The hour at which the mail of the day comes, 0 to 23.';
comment on column app_public.notification_schedule.time_zone is 'The time zone all of this is in: the own one, or that of the organization.';

create or replace function app_public.own_notification_choices() returns setof app_public.notification_choice
  language sql stable security definer
  set search_path = ''
as $$
  select
    usual.kind, coalesce(choice.in_app, usual.in_app), coalesce(choice.mail, usual.mail),
    coalesce(choice.in_browser, usual.in_browser), choice.id is null
  from app_public.users as person
  join app_hidden.usual_notifications() as usual on usual.role = person.role
  left join app_private.notification_choices as choice
    on choice.organization_id = person.organization_id and choice.user_id = person.id and choice.kind = usual.kind
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
  order by usual.kind
$$;

comment on function app_public.own_notification_choices() is 'How the caller hears of each thing that people of their role are told.';

create or replace function app_public.choose_notification(
  kind app_public.notification_kind, in_app boolean, mail app_public.notification_mail, in_browser boolean
) returns app_public.notification_choice
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  chosen app_public.notification_choice;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose what you are told';
  end if;
  if not exists (select from app_public.own_notification_choices() as offered where offered.kind = choose_notification.kind) then
    raise exception using errcode = '23514', message = 'People of your role are not told of this';
  end if;

  insert into app_private.notification_choices as choice (organization_id, user_id, kind, in_app, mail, in_browser)
  values (
    app_hidden.current_organization_id(), app_hidden.current_user_id(), choose_notification.kind, choose_notification.in_app,
    choose_notification.mail, choose_notification.in_browser
  )
  on conflict (organization_id, user_id, kind) do update
  set in_app = excluded.in_app, mail = excluded.mail, in_browser = excluded.in_browser, updated_at = now();

  select * into strict chosen from app_public.own_notification_choices() as made where made.kind = choose_notification.kind;
  return chosen;
end
$$;

comment on function app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean) is
  'Says how the caller hears of one kind of thing, and returns it. Errors: UNAUTHENTICATED, INVALID_INPUT for what people of their role are not told.';

create or replace function app_public.reset_notification_choices(kind app_public.notification_kind default null)
  returns setof app_public.notification_choice
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose what you are told';
  end if;

  delete from app_private.notification_choices as choice
  where choice.organization_id = app_hidden.current_organization_id() and choice.user_id = app_hidden.current_user_id()
    and (reset_notification_choices.kind is null or choice.kind = reset_notification_choices.kind);
  return query select * from app_public.own_notification_choices();
end
$$;

comment on function app_public.reset_notification_choices(app_public.notification_kind) is 'Has the caller hear of everything, or of one kind of thing, as people of their role usually do, and returns how they hear of each. Error UNAUTHENTICATED.';

create or replace function app_public.own_notification_schedule() returns app_public.notification_schedule
  language sql stable security definer
  set search_path = ''
as $$
  select
    settings.quiet_from, settings.quiet_to, coalesce(settings.quiet_weekdays, '{1,2,3,4,5,6,7}'), coalesce(settings.digest_hour, 8),
    coalesce(person.time_zone, organization.time_zone)
  from app_public.users as person
  join app_public.organizations as organization on organization.id = person.organization_id
  left join app_private.notification_settings as settings
    on settings.organization_id = person.organization_id and settings.user_id = person.id
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_public.own_notification_schedule() is 'When the caller wants to hear of nothing, and when their mail of the day comes.';

create or replace function app_public.change_notification_schedule(
  digest_hour integer, quiet_from integer default null, quiet_to integer default null, quiet_weekdays integer[] default '{1,2,3,4,5,6,7}'
) returns app_public.notification_schedule
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose when you are told';
  end if;

  insert into app_private.notification_settings as settings
    (organization_id, user_id, quiet_from, quiet_to, quiet_weekdays, digest_hour)
  values (
    app_hidden.current_organization_id(), app_hidden.current_user_id(), change_notification_schedule.quiet_from,
    change_notification_schedule.quiet_to,
    array(select distinct weekday from unnest(change_notification_schedule.quiet_weekdays) as weekday order by weekday),
    change_notification_schedule.digest_hour
  )
  on conflict (organization_id, user_id) do update
  set
    quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, quiet_weekdays = excluded.quiet_weekdays,
    digest_hour = excluded.digest_hour, updated_at = now();
  return app_public.own_notification_schedule();
end
$$;

comment on function app_public.change_notification_schedule(integer, integer, integer, integer[]) is
  'Says when the caller wants no mail and no sign from their browser, and at which hour the mail of the day comes, and returns it. Without `quietFrom` and `quietTo` there are no quiet hours. Errors: UNAUTHENTICATED, INVALID_INPUT.';

-- Roles change, and tickets move: the policies of notifications say the same of what is shown.
create or replace function app_private.may_still_be_told(
  person app_public.users, kind app_public.notification_kind, reasons app_public.notification_reason[], event text, ticket app_public.tickets
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    person.disabled_at is null
    and exists (
      select from app_hidden.usual_notifications() as usual
      where usual.kind = may_still_be_told.kind and usual.role = person.role
    )
    and (
      person.role <> 'customer'
      or reasons && '{requester,watcher,approver}'
        and (may_still_be_told.kind <> 'approval' or event = 'approval_requested')
    )
    and (
      may_still_be_told.kind = 'alert' or event is not distinct from 'approval_requested'
      or app_private.may_see_ticket(person.id, ticket)
    ),
    false
  )
$$;

comment on function app_private.may_still_be_told(
  app_public.users, app_public.notification_kind, app_public.notification_reason[], text, app_public.tickets
) is 'Whether a person, as they are now, may be told what they were once: of a ticket they may see, or were asked to approve, and as a customer nothing that staff is told.';

-- A mail that waited for the end of quiet hours, or for a mail server, may have nothing to say any more.
create or replace function app_private.mail_still_wanted(mail app_public.mail_messages) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select case
    when mail.kind in ('notice', 'alert') then not exists (
      select
      from app_public.notifications as notification
      join app_public.users as person
        on person.organization_id = notification.organization_id and person.id = notification.user_id
      left join app_public.tickets as ticket
        on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
      where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
        and mail.dedupe_key
          = coalesce('event:' || notification.event_id, 'alert:' || notification.dedupe_key) || ':' || notification.user_id
        and (
          (mail.kind = 'notice' and notification.read_at is not null)
          or not app_private.may_still_be_told(
            person, notification.kind, notification.reasons, notification.facts ->> 'event', ticket
          )
        )
    )
    when mail.kind in ('acknowledgement', 'reply', 'resolution', 'survey', 'digest') and not exists (
      select
      from app_public.users as person
      left join app_public.tickets as ticket on ticket.organization_id = mail.organization_id and ticket.id = mail.ticket_id
      left join app_public.comments as comment on comment.organization_id = mail.organization_id and comment.id = mail.comment_id
      where person.organization_id = mail.organization_id and person.id = mail.user_id
        and app_private.may_be_mailed(mail.kind, person, ticket, comment, '{}')
    ) then false
    -- What stands in the mail of the day is written; who became a customer since does not get it, nor who lost a ticket of it.
    when mail.kind = 'digest' then not exists (
      select
      from app_public.notifications as notification
      join app_public.users as person
        on person.organization_id = notification.organization_id and person.id = notification.user_id
      left join app_public.tickets as ticket
        on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
      where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
        and notification.mail = 'digest' and notification.digested_at = mail.created_at
        and not app_private.may_still_be_told(
          person, notification.kind, notification.reasons, notification.facts ->> 'event', ticket
        )
    )
    else true
  end
$$;

comment on function app_private.mail_still_wanted(app_public.mail_messages) is 'Whether a mail is still to be sent: a notice is not when its reader has read it in the app by now, a notice or an alert is not when they may not be told it any more, nor the mail of the day when they became a customer or lost a ticket of it. None is whose reader was shut out or does not see its ticket any more.';

create or replace function app_private.write_digest(person app_public.users, slot timestamptz, slot_date date) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
declare
  entries jsonb;
  unread integer;
begin
  with due as (
    update app_public.notifications as notification
    set digested_at = now()
    where notification.organization_id = person.organization_id and notification.user_id = person.id
      and notification.mail = 'digest' and notification.digested_at is null and notification.created_at < slot
    returning *
  ),
  wanted as (
    select due.*, row_number() over (order by due.created_at desc, due.id desc) as position
    from due
    join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
    where due.read_at is null and app_private.may_still_be_told(person, due.kind, due.reasons, due.facts ->> 'event', ticket)
  )
  select
    count(*),
    jsonb_agg(
      wanted.facts || jsonb_build_object('kind', wanted.kind, 'reasons', wanted.reasons, 'created_at', wanted.created_at)
      order by wanted.position
    ) filter (where wanted.position <= 50)
  into unread, entries
  from wanted;

  if unread = 0 then
    return false;
  end if;
  perform app_private.write_mail(
    'digest', 'digest:' || person.id || ':' || slot_date, person,
    facts => jsonb_build_object('count', unread, 'notifications', entries),
    send_at => app_private.quiet_until(person, now())
  );
  return true;
end
$$;

comment on function app_private.write_digest(app_public.users, timestamptz, date) is 'Puts what a person has not read of what they wanted in the mail of the day into that mail, the newest 50 by name, and returns whether there is one.';

create or replace function app_private.write_digests() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  due record;
  written integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'The mails of the day are written for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  for due in
    select person, slot.day, app_hidden.local_instant(slot.day + make_interval(hours => clock.digest_hour), clock.time_zone) as at
    from (
      select waiting.user_id, min(waiting.created_at) as since
      from app_public.notifications as waiting
      where waiting.organization_id = app_hidden.current_organization_id() and waiting.mail = 'digest' and waiting.digested_at is null
      group by waiting.user_id
    ) as waiting
    join app_public.users as person
      on person.organization_id = app_hidden.current_organization_id() and person.id = waiting.user_id
    join app_public.organizations as organization on organization.id = person.organization_id
    left join app_private.notification_settings as settings
      on settings.organization_id = person.organization_id and settings.user_id = person.id
    cross join lateral (
      select coalesce(person.time_zone, organization.time_zone) as time_zone, coalesce(settings.digest_hour, 8) as digest_hour
    ) as clock
    -- The last hour of the mail that has come.
    cross join lateral (
      select
        (now() at time zone clock.time_zone)::date
        - case when app_hidden.local_instant(
            (now() at time zone clock.time_zone)::date + make_interval(hours => clock.digest_hour), clock.time_zone
          ) > now() then 1 else 0 end as day
    ) as slot
    where waiting.since < app_hidden.local_instant(slot.day + make_interval(hours => clock.digest_hour), clock.time_zone)
    limit 1000
  loop
    if app_private.write_digest(due.person, due.at, due.day) then
      written := written + 1;
    end if;
  end loop;
  return written;
end
$$;

comment on function app_private.write_digests() is 'Writes the mails of the day of the current organization whose hour has come, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace trigger _100_stamp_updated_at before update on app_private.notification_choices
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_private.notification_settings
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.usual_notifications(), app_hidden.quiet_until(integer, integer, integer[], text, timestamptz),
  app_private.quiet_until(app_public.users, timestamptz), app_public.own_notification_choices(),
  app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean),
  app_public.reset_notification_choices(app_public.notification_kind), app_public.own_notification_schedule(),
  app_public.change_notification_schedule(integer, integer, integer, integer[]),
  app_private.may_still_be_told(
    app_public.users, app_public.notification_kind, app_public.notification_reason[], text, app_public.tickets
  ),
  app_private.mail_still_wanted(app_public.mail_messages), app_private.write_digest(app_public.users, timestamptz, date),
  app_private.write_digests()
from public;

grant execute on function
  app_public.own_notification_choices(),
  app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean),
  app_public.reset_notification_choices(app_public.notification_kind), app_public.own_notification_schedule(),
  app_public.change_notification_schedule(integer, integer, integer, integer[])
to atum_customer, atum_agent;
grant execute on function app_private.write_digests() to atum_worker;

--! split: 1084-functions-84-mailbox-fetching.sql
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

--! split: 1087-functions-87-webhook-calls.sql
-- Webhooks: how they are called. The worker claims a call (take_webhook_delivery), calls with no transaction open, and
-- notes what came of it (finish_webhook_attempt).

create or replace function app_private.due_webhook_lanes(webhook app_public.webhooks)
  returns table (lane uuid, created_at timestamptz, attempts integer)
  language sql stable
  set search_path = ''
as $$
  select first.lane, first.created_at, first.attempts
  from (
    select distinct on (waiting.lane)
      waiting.lane, waiting.next_attempt_at, waiting.claimed_until, waiting.created_at, waiting.attempts
    from app_public.webhook_deliveries as waiting
    where waiting.organization_id = webhook.organization_id and waiting.webhook_id = webhook.id and waiting.state = 'waiting'
    order by waiting.lane, waiting.created_at, waiting.id
  ) as first
  where first.next_attempt_at <= clock_timestamp()
    and (first.claimed_until is null or first.claimed_until < clock_timestamp())
  order by first.created_at
$$;

comment on function app_private.due_webhook_lanes(app_public.webhooks) is 'The lanes whose first call is due and under way nowhere, those first that wait longest.';

create or replace function app_private.wake_webhook(webhook app_public.webhooks, lanes integer) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, due.lane)
  from (select lane from app_private.due_webhook_lanes(webhook) order by created_at limit lanes) as due
$$;

comment on function app_private.wake_webhook(app_public.webhooks, integer) is 'Has a webhook called with what is due in up to so many lanes, those first that wait longest.';

create or replace function app_private.webhook_places(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  -- Receivers that are slow or gone take no more than their share of the worker, which calls for all organizations: a few
  -- places for all webhooks of an organization, however many it has, and one for a webhook while it fails.
  select greatest(
    0,
    least(
      3 - count(*),
      case when webhook.failing_since is null then 3 else 1 end - count(*) filter (where claimed.webhook_id = webhook.id)
    )
  )::integer
  from app_public.webhook_deliveries as claimed
  where claimed.organization_id = webhook.organization_id and claimed.claimed_until > clock_timestamp()
$$;

comment on function app_private.webhook_places(app_public.webhooks) is 'How many more calls of a webhook may be under way now.';

create or replace function app_private.wake_webhooks() returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.enqueue_webhook_lane(due.organization_id, due.webhook_id, due.lane)
  from (
    select webhook.organization_id, webhook.id as webhook_id, first.lane
    from app_public.webhooks as webhook
    join app_public.organizations as organization on organization.id = webhook.organization_id
    cross join lateral app_private.webhook_places(webhook) as places
    cross join lateral (
      select lane.lane, lane.created_at
      from app_private.due_webhook_lanes(webhook) as lane
      -- One that fails is not asked by one lane after the other: those it refused come back when their time is, and the
      -- others are for the sweep.
      where places > 0 and (webhook.failing_since is null or lane.attempts > 0)
      order by lane.created_at
      limit places
    ) as first
    where webhook.organization_id = app_hidden.current_organization_id() and organization.suspended_at is null
    order by first.created_at
    -- More places than the organization has find no use.
    limit 3
  ) as due;
end
$$;

comment on function app_private.wake_webhooks() is 'Has the webhooks of the organization called with what is due and for which there is a place, whichever of them it is, what waits longest first.';

create or replace function app_private.take_webhook_delivery(webhook_id uuid, lane uuid) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook app_public.webhooks;
  delivery app_public.webhook_deliveries;
  attempt_id uuid;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Webhooks are called for one organization at a time';
  end if;
  -- Of two workers at one lane only one finds its first call unclaimed.
  perform pg_advisory_xact_lock(hashtextextended('webhook:' || take_webhook_delivery.webhook_id || ':' || take_webhook_delivery.lane, 0));

  select hook.* into webhook
  from app_public.webhooks as hook
  join app_public.organizations as organization on organization.id = hook.organization_id
  where hook.organization_id = app_hidden.current_organization_id() and hook.id = take_webhook_delivery.webhook_id
    and organization.suspended_at is null;
  if not found then
    -- It was deleted while it was called, and others may have found its place taken.
    perform app_private.wake_webhooks();
    return null;
  end if;

  loop
    select * into delivery
    from app_public.webhook_deliveries as first
    where first.organization_id = webhook.organization_id and first.webhook_id = webhook.id
      and first.lane = take_webhook_delivery.lane and first.state = 'waiting'
    order by first.created_at, first.id
    limit 1
    for no key update;
    if not found then
      -- This lane leaves its place, and others may have found all places taken, also those of another webhook.
      perform app_private.wake_webhooks();
      return null;
    end if;
    exit when webhook.is_enabled or delivery.event_id is null;
    -- It came while the webhook was being switched off.
    update app_public.webhook_deliveries as late
    set state = 'cancelled', ended_at = now()
    where late.organization_id = delivery.organization_id and late.id = delivery.id;
  end loop;

  if delivery.claimed_until > clock_timestamp() then
    return null;
  end if;
  if delivery.next_attempt_at > clock_timestamp() then
    perform app_private.enqueue_webhook_lane(
      delivery.organization_id, delivery.webhook_id, delivery.lane, delivery.next_attempt_at
    );
    -- What failed leaves its place as well.
    perform app_private.wake_webhooks();
    return null;
  end if;
  -- Of two lanes that see the last place only one takes it.
  perform pg_advisory_xact_lock(hashtextextended('webhook_places:' || delivery.organization_id, 0));
  -- Whoever leaves a place wakes those that found none. A test is made at once, unless two others are under way.
  if delivery.event_id is not null and app_private.webhook_places(webhook) = 0 then
    return null;
  end if;
  if delivery.event_id is null and (
    select count(*)
    from app_public.webhook_deliveries as test
    where test.organization_id = delivery.organization_id and test.event_id is null and test.claimed_until > clock_timestamp()
  ) >= 2 then
    perform app_private.enqueue_webhook_lane(
      delivery.organization_id, delivery.webhook_id, delivery.lane, clock_timestamp() + interval '3 seconds'
    );
    return null;
  end if;

  insert into app_public.webhook_attempts (organization_id, delivery_id)
  values (delivery.organization_id, delivery.id)
  returning id into attempt_id;

  update app_public.webhook_deliveries as claimed
  set
    claim = attempt_id, claimed_until = clock_timestamp() + interval '1 minute', claimed_by = app_hidden.current_worker(),
    attempts = claimed.attempts + 1
  where claimed.organization_id = delivery.organization_id and claimed.id = delivery.id;

  return jsonb_build_object(
    'attemptId', attempt_id, 'url', webhook.url, 'allowInternal', webhook.allow_internal, 'messageId', delivery.message_id,
    -- As text, because what is signed is letters and not values.
    'body', delivery.payload::text,
    'secrets', (
      select coalesce(jsonb_agg(secret.sealed order by secret.created_at desc, secret.id desc), '[]')
      from app_private.webhook_secrets as secret
      where secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id
        and (secret.expires_at is null or secret.expires_at > now())
    )
  );
end
$$;

comment on function app_private.take_webhook_delivery(uuid, uuid) is
  'Claims the first call that waits in a lane for a minute: `{attemptId, url, allowInternal, messageId, body, secrets}`, the secrets sealed, the one in use first; null when there is none, when it is not due, or when somebody else makes it. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.stop_webhook(webhook app_public.webhooks, reason app_public.webhook_stop) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.webhooks as stopped
  set is_enabled = false, disabled_at = now(), disabled_reason = reason, failing_since = coalesce(stopped.failing_since, now())
  where stopped.organization_id = webhook.organization_id and stopped.id = webhook.id and stopped.is_enabled;
  if found then
    perform app_private.alert_admins(
      'webhook_disabled',
      jsonb_build_object('webhook_id', webhook.id, 'name', webhook.name, 'url', webhook.url, 'reason', reason),
      'webhook_disabled:' || webhook.id || ':' || extract(epoch from now())::bigint
    );
  end if;
end
$$;

comment on function app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop) is 'Switches a webhook off because its receiver is gone or takes nothing any more, and tells the admins.';

create or replace function app_private.webhook_retry_delay(attempts integer, retry_after interval) returns interval
  language sql volatile
  set search_path = ''
as $$
  select greatest(
    -- 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, then every 4 hours; spread, so that what failed together does not come back together.
    least(interval '5 seconds' * power(4, least(attempts, 10) - 1), interval '4 hours') * (0.8 + 0.4 * random()),
    least(coalesce(retry_after, interval '0'), interval '4 hours')
  )
$$;

comment on function app_private.webhook_retry_delay(integer, interval) is 'How long to wait after so many attempts: ever longer, and not shorter than the receiver asked for, up to four hours.';

create or replace function app_private.finish_webhook_attempt(attempt_id uuid, outcome jsonb) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  attempt app_public.webhook_attempts;
  delivery app_public.webhook_deliveries;
  webhook app_public.webhooks;
  is_taken boolean;
begin
  update app_public.webhook_attempts as ended
  set
    ended_at = clock_timestamp(),
    remote_address = (outcome ->> 'address')::inet,
    request_headers = coalesce(outcome -> 'requestHeaders', '{}'),
    status = (outcome ->> 'status')::integer,
    response_headers = coalesce(outcome -> 'responseHeaders', '{}'),
    response_body = outcome ->> 'responseBody',
    fault = (outcome ->> 'fault')::app_public.webhook_fault,
    error = left(outcome ->> 'error', 500),
    duration_ms = (outcome ->> 'durationMs')::integer
  where ended.organization_id = app_hidden.current_organization_id() and ended.id = finish_webhook_attempt.attempt_id
    and ended.ended_at is null
  returning * into attempt;
  if not found then
    return;
  end if;
  is_taken := attempt.fault is null;

  -- The webhook before its calls, in which order whoever switches it off locks them too.
  select hook.* into strict webhook
  from app_public.webhook_deliveries as called
  join app_public.webhooks as hook on hook.organization_id = called.organization_id and hook.id = called.webhook_id
  where called.organization_id = attempt.organization_id and called.id = attempt.delivery_id
  for no key update of hook;

  update app_public.webhook_deliveries as called
  set
    claim = null,
    claimed_until = null,
    last_status = attempt.status,
    last_fault = attempt.fault,
    state = case
      when called.state <> 'waiting' then called.state
      when is_taken then 'delivered'
      when attempt.status = 410 or now() >= called.give_up_at or called.event_id is null then 'failed'
      else 'waiting'
    end,
    next_attempt_at = case
      when is_taken then called.next_attempt_at
      else least(
        now() + app_private.webhook_retry_delay(called.attempts, make_interval(secs => (outcome ->> 'retryAfterSeconds')::double precision)),
        greatest(called.give_up_at, now())
      )
    end,
    ended_at = coalesce(
      called.ended_at,
      case
        when is_taken or attempt.status = 410 or now() >= called.give_up_at or called.event_id is null then now()
      end
    )
  where called.organization_id = attempt.organization_id and called.id = attempt.delivery_id
    -- Where it took so long that somebody else tries again, only that it was taken still counts.
    and (called.claim = attempt.id or (is_taken and called.state = 'waiting'))
  returning * into delivery;
  -- A test says nothing of how it is getting on.
  if not found or delivery.event_id is null then
    return;
  end if;

  if is_taken then
    if webhook.failing_since is not null then
      update app_public.webhooks as recovered
      set failing_since = null
      where recovered.organization_id = webhook.organization_id and recovered.id = webhook.id
      returning * into webhook;
      perform app_private.wake_webhook(webhook, 100);
    end if;
    return;
  end if;

  if webhook.failing_since is null then
    update app_public.webhooks as failing
    set failing_since = now()
    where failing.organization_id = webhook.organization_id and failing.id = webhook.id;
  end if;
  if attempt.status = 410 then
    perform app_private.stop_webhook(webhook, 'gone');
  elsif webhook.failing_since < now() - interval '3 days' and (
    select count(*)
    from (
      select
      from app_public.webhook_deliveries as given_up
      where given_up.organization_id = webhook.organization_id and given_up.webhook_id = webhook.id and given_up.state = 'failed'
        and given_up.event_id is not null and given_up.ended_at >= webhook.failing_since
      order by given_up.created_at desc
      limit 3
    ) as counted
  ) >= 3 then
    perform app_private.stop_webhook(webhook, 'failing');
  end if;
end
$$;

comment on function app_private.finish_webhook_attempt(uuid, jsonb) is
  'Notes what came of an attempt, once: `{address, requestHeaders, status, responseHeaders, responseBody, fault, error, durationMs, retryAfterSeconds}`, without a fault when it was taken. What was not is tried again for a day. Switches the webhook off when it answered 410 Gone, or when every attempt failed for three days and at least three calls were given up.';

create or replace function app_private.sweep_webhooks() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Webhooks are called for one organization at a time';
  end if;

  for webhook in
    select * from app_public.webhooks as hook where hook.organization_id = app_hidden.current_organization_id()
  loop
    -- One that fails is probed by a few; when one of them is taken, that wakes the others.
    perform app_private.wake_webhook(webhook, case when webhook.failing_since is null then 100 else 3 end);
  end loop;

  delete from app_private.webhook_secrets as secret
  where secret.organization_id = app_hidden.current_organization_id() and secret.expires_at <= now();

  delete from app_public.webhook_deliveries as old
  where old.organization_id = app_hidden.current_organization_id() and old.id in (
    select ended.id
    from app_public.webhook_deliveries as ended
    where ended.organization_id = app_hidden.current_organization_id() and ended.created_at < now() - interval '30 days'
      and ended.state <> 'waiting'
    order by ended.created_at
    limit 1000
  );
end
$$;

comment on function app_private.sweep_webhooks() is
  'Has webhooks called with what is due and has lost its job, forgets secrets that are over, and up to 1,000 calls that are older than 30 days. Done by a job each minute. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.due_webhook_lanes(app_public.webhooks), app_private.wake_webhook(app_public.webhooks, integer),
  app_private.webhook_places(app_public.webhooks), app_private.wake_webhooks(), app_private.take_webhook_delivery(uuid, uuid),
  app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop), app_private.webhook_retry_delay(integer, interval),
  app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
from public;

grant execute on function
  app_private.take_webhook_delivery(uuid, uuid), app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
to atum_worker;

--! split: 1088-functions-88-webhook-replays.sql
-- Webhooks: what admins do with their calls by hand.

create or replace function app_private.webhook_to_call(webhook_id uuid) returns app_public.webhooks
  language plpgsql stable
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
begin
  select * into webhook
  from app_public.webhooks as called
  where called.organization_id = app_hidden.current_organization_id() and called.id = webhook_to_call.webhook_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  if not app_private.has_webhook_secret(webhook) then
    raise exception using errcode = 'AD272', message = 'The webhook has no secret to sign its calls with';
  end if;
  return webhook;
end
$$;

comment on function app_private.webhook_to_call(uuid) is 'A webhook that can be called. Errors NOT_FOUND, WEBHOOK_NOT_READY.';

create or replace function app_public.send_test_webhook(webhook_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook constant app_public.webhooks := app_private.webhook_to_call(send_test_webhook.webhook_id);
  test_id constant uuid := app_hidden.uuid_v7();
  delivery app_public.webhook_deliveries;
begin
  -- Of several that wait the last one says what there is to know. Each would keep a place of the worker for as long as its
  -- receiver likes.
  update app_public.webhook_deliveries as earlier
  set state = 'cancelled', ended_at = now()
  where earlier.organization_id = webhook.organization_id and earlier.webhook_id = webhook.id and earlier.event_id is null
    and earlier.state = 'waiting' and earlier.claim is null;

  insert into app_public.webhook_deliveries (organization_id, id, webhook_id, lane, message_id, payload, give_up_at)
  select
    webhook.organization_id, test_id, webhook.id, test_id, 'ping_' || replace(test_id::text, '-', ''),
    jsonb_build_object(
      'type', 'ping', 'timestamp', app_private.webhook_instant(now()),
      'data', jsonb_build_object(
        'organization', jsonb_build_object('id', organization.id, 'slug', organization.slug),
        'webhook', jsonb_build_object('id', webhook.id, 'name', webhook.name)
      )
    ),
    now()
  from app_public.organizations as organization
  where organization.id = webhook.organization_id
  returning * into delivery;
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.send_test_webhook(uuid) is 'Calls a webhook once with a body of type `ping`, also when it is switched off, and returns the call, whose `state` says before long how it went; a test before it that was not begun is cancelled. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY without a secret.';

create or replace function app_public.replay_webhook_delivery(delivery_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  told app_public.webhook_deliveries;
  webhook app_public.webhooks;
  delivery app_public.webhook_deliveries;
begin
  select * into told
  from app_public.webhook_deliveries as former
  where former.organization_id = app_hidden.current_organization_id() and former.id = replay_webhook_delivery.delivery_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such call';
  end if;
  webhook := app_private.webhook_to_call(told.webhook_id);
  if told.event_id is null then
    return app_public.send_test_webhook(told.webhook_id);
  end if;
  if not webhook.is_enabled then
    raise exception using errcode = 'AD272', message = 'The webhook is switched off';
  end if;
  -- Two at the same moment come one after the other.
  perform pg_advisory_xact_lock(hashtextextended('webhook-replay:' || webhook.id, 0));

  insert into app_public.webhook_deliveries (
    organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, replay, payload
  )
  select
    told.organization_id, told.webhook_id, told.event_id, told.event_type, told.ticket_id, told.lane, told.message_id,
    max(former.replay) + 1, told.payload
  from app_public.webhook_deliveries as former
  where former.organization_id = told.organization_id and former.webhook_id = told.webhook_id and former.message_id = told.message_id
  returning * into delivery;
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.replay_webhook_delivery(uuid) is 'Tells a webhook once more what it was told or could not be told, with the same body and the same `webhook-id`, and returns the new call. A test is made anew. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

create or replace function app_public.replay_webhook_since(webhook_id uuid, since timestamptz, includes_delivered boolean default false)
  returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook constant app_public.webhooks := app_private.webhook_to_call(replay_webhook_since.webhook_id);
  -- Older ones are forgotten, and those from before it was made were never meant for it.
  earliest constant timestamptz := greatest(replay_webhook_since.since, webhook.created_at, now() - interval '30 days');
  -- The identifiers of events begin with their time, so that the primary key finds the first one.
  first_id constant uuid :=
    (lpad(to_hex(floor(extract(epoch from earliest) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  -- Each is a row of its own that is kept for a month: whoever switches a webhook off and on could have any number made.
  most constant bigint := least(10000, greatest(0, 20000 - (
    select count(*)
    from app_public.webhook_deliveries as recent
    where recent.organization_id = webhook.organization_id and recent.created_at > now() - interval '1 hour' and recent.replay > 0
  )));
  woken record;
  replayed integer := 0;
begin
  if not webhook.is_enabled then
    raise exception using errcode = 'AD272', message = 'The webhook is switched off';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('webhook-replay:' || webhook.id, 0));

  for woken in
    with missed as (
      select event as told, event.id, latest.replay, latest.payload
      from app_public.ticket_events as event
      left join lateral (
        select former.replay, former.payload, former.state
        from app_public.webhook_deliveries as former
        where former.organization_id = event.organization_id and former.webhook_id = webhook.id
          and former.message_id = app_private.webhook_message(event)
        order by former.replay desc
        limit 1
      ) as latest on true
      where event.organization_id = webhook.organization_id and event.id >= first_id
        and app_private.webhook_wants(webhook, event)
        and coalesce(latest.state <> 'waiting' and (replay_webhook_since.includes_delivered or latest.state <> 'delivered'), true)
        -- What waits to be announced is told in its turn.
        and not exists (
          select
          from app_private.announcement_queue as queued
          where queued.organization_id = event.organization_id and queued.event_id = event.id
        )
      order by event.id
      limit most
    ),
    made as (
      insert into app_public.webhook_deliveries (
        organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, replay, payload, created_at
      )
      select
        webhook.organization_id, webhook.id, missed.id, (missed.told).type, (missed.told).ticket_id, (missed.told).ticket_id,
        app_private.webhook_message(missed.told), coalesce(missed.replay + 1, 0),
        coalesce(missed.payload, app_private.webhook_payload(missed.told, webhook.includes_internal)),
        -- In the order in which it happened.
        clock_timestamp() + row_number() over (order by missed.id) * interval '1 microsecond'
      from missed
      returning lane
    )
    select made.lane, count(*)::integer as calls from made group by made.lane
  loop
    perform app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, woken.lane);
    replayed := replayed + woken.calls;
  end loop;
  return replayed;
end
$$;

comment on function app_public.replay_webhook_since(uuid, timestamptz, boolean) is 'Tells a webhook of what happened since an instant and it was not told of: what was given up or cancelled, and what happened while it was off; with `includesDelivered` also of what it took. At most 10,000 at a time, and 20,000 once more within an hour for all webhooks of an organization, from the last 30 days and since the webhook was made; returns how many. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

create or replace function app_public.cancel_webhook_delivery(delivery_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  delivery app_public.webhook_deliveries;
begin
  update app_public.webhook_deliveries as cancelled
  set state = 'cancelled', ended_at = now()
  where cancelled.organization_id = app_hidden.current_organization_id() and cancelled.id = cancel_webhook_delivery.delivery_id
    and cancelled.state = 'waiting'
  returning * into delivery;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such call that waits';
  end if;
  -- What waited behind it goes on.
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.cancel_webhook_delivery(uuid) is 'Cancels a call that waits, so that the later ones of its ticket go on, and returns it. Admins only. Error NOT_FOUND when none waits.';

revoke all on function
  app_private.webhook_to_call(uuid), app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid),
  app_public.replay_webhook_since(uuid, timestamptz, boolean), app_public.cancel_webhook_delivery(uuid)
from public;

grant execute on function
  app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid), app_public.replay_webhook_since(uuid, timestamptz, boolean),
  app_public.cancel_webhook_delivery(uuid)
to atum_admin;

--! split: 1089-functions-89-live-changes.sql
-- What a subscription begins with, so that nothing is missed between the reading of a page and the listening for changes.
-- Each answers what NOTIFY would have said, to whom row-level security shows it.

create or replace function app_hidden.first_id_of(seconds integer) returns uuid
  language sql stable
  set search_path = ''
as $$
  select rpad(lpad(to_hex(floor(extract(epoch from clock_timestamp() - make_interval(secs => seconds)) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

comment on function app_hidden.first_id_of(integer) is 'The least id that app_hidden.uuid_v7 could have made in the last seconds.';

create or replace function app_hidden.latest_change(seconds integer, ticket_id uuid default null) returns text
  language sql stable
  set search_path = ''
as $$
  select json_build_object('event', event.type, 'ticketId', event.ticket_id, 'eventId', event.id)::text
  from app_public.ticket_events as event
  where event.organization_id = app_hidden.current_organization_id() and event.id >= app_hidden.first_id_of(seconds)
    and (latest_change.ticket_id is null or event.ticket_id = latest_change.ticket_id)
  order by event.id desc
  limit 1
$$;

comment on function app_hidden.latest_change(integer, uuid) is 'The latest event of the last seconds, of one ticket or of all that the caller sees, as it was told to subscribers; null when there was none.';

create or replace function app_hidden.latest_notification(seconds integer) returns text
  language sql stable security definer
  set search_path = ''
as $$
  select json_build_object('event', 'added', 'notificationId', notification.id)::text
  from app_public.notifications as notification
  where notification.organization_id = app_hidden.current_organization_id() and notification.user_id = app_hidden.current_user_id()
    and notification.id >= app_hidden.first_id_of(seconds) and notification.is_shown
  order by notification.id desc
  limit 1
$$;

comment on function app_hidden.latest_notification(integer) is 'The latest notification that the caller was shown in the last seconds, as it was told to subscribers; null when there was none.';

revoke all on function
  app_hidden.first_id_of(integer), app_hidden.latest_change(integer, uuid), app_hidden.latest_notification(integer)
from public;

grant execute on function
  app_hidden.first_id_of(integer), app_hidden.latest_change(integer, uuid), app_hidden.latest_notification(integer)
to atum_customer, atum_agent;
