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
