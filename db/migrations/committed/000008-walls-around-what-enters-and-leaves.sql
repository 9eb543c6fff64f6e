--! Previous: sha1:09b1bc9f08b23e334efdce0788e8f2561b28bd43
--! Hash: sha1:27431b2256ca5c3f9f6e3b4c8e6198688c2aa2b0
--! Message: walls around what enters and leaves

--! split: 1-current.sql
-- Tables, types, indexes, constraints of the next change.

-- Mails leave from the address of a mailbox: it is one organization's among all of an installation. Where two have it by
-- now this stops, and whoever runs the installation says whose it is.
create unique index if not exists mailboxes_address_key on app_public.mailboxes (address) where archived_at is null;
drop index if exists app_public.mailboxes_organization_id_address_key;
comment on column app_public.mailboxes.address is 'The mail address people write to and answers come from, unique among those in use in the whole installation.';

create table if not exists app_private.upload_amounts (
  organization_id uuid not null,
  user_id uuid not null,
  hour timestamptz not null,
  bytes bigint not null check (bytes >= 0),
  primary key (organization_id, user_id, hour),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.upload_amounts is 'How much each person uploaded in an hour of the last day, whatever became of it.';
comment on column app_private.upload_amounts.organization_id is 'The organization it belongs to.';
comment on column app_private.upload_amounts.user_id is 'Who uploaded.';
comment on column app_private.upload_amounts.hour is 'When the hour began.';
comment on column app_private.upload_amounts.bytes is 'Bytes, each upload for itself, also of content that was there.';

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
  max_attempts integer default 25
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
    job_key => job_key
  );
end
$$;

comment on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer) is
  'Adds a job in this transaction. A job_key names it: adding again with the same key moves it. Error JOB_WITHOUT_ORGANIZATION when organization_id is null.';

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
  app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer),
  app_private.free_lost_jobs(), app_private.record_heartbeat(text, timestamptz, text[]), app_private.workers_on(text),
  app_private.bury_worker(text), app_private.last_heartbeat_at(), app_private.last_migration(),
  app_private.tenant_tables(), app_private.unaudited_tables(), app_private.wall_faults(), app_private.rls_probe_organizations()
from public;

grant execute on function
  app_private.record_heartbeat(text, timestamptz, text[]), app_private.workers_on(text), app_private.bury_worker(text)
to atum_worker;
grant execute on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer) to atum_worker;
grant execute on function
  app_private.last_heartbeat_at(), app_private.last_migration(), app_private.tenant_tables(), app_private.unaudited_tables(),
  app_private.wall_faults(), app_private.rls_probe_organizations()
to atum_server;

--! split: 1019-functions-19-mail-rendering.sql
-- How a mail is made. It is rendered where it is written, once, so that what is read later is what was said. The text of
-- a template makes both its plain text and its HTML: every value is escaped, paragraphs and links become markup, and
-- nothing is fetched from anywhere. Links that let somebody in stay gaps, `{{…}}`, until it is sent.

create or replace function app_hidden.as_html(content text) returns text
  language sql immutable strict
  set search_path = ''
as $$
  select replace(replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
$$;

comment on function app_hidden.as_html(text) is 'A text as it stands in HTML, where nothing in it is markup.';

-- What a person wrote may look like a gap, or become one beside its neighbour.
create or replace function app_hidden.without_gaps(content text) returns text
  language sql immutable strict
  set search_path = ''
as $$
  select regexp_replace(regexp_replace(replace(content, '{{', '{{braces}}'), '(^|[^{])\{$', '\1{{brace}}'), '^\{(?!\{)', '{{brace}}')
$$;

comment on function app_hidden.without_gaps(text) is 'A text in which braces that could be taken for a gap are gaps themselves, filled with braces.';

create or replace function app_hidden.fill_gaps(content text, gaps jsonb, origin text) returns text
  language sql immutable
  set search_path = ''
as $$
  select coalesce(string_agg(
    case
      when piece.position = 1 then piece.value
      when found.parts is null then '{{' || piece.value
      when starts_with(found.parts[1], 'link:/') then fill_gaps.origin || substr(found.parts[1], 6) || found.parts[2]
      when found.parts[1] = 'braces' then '{{' || found.parts[2]
      when found.parts[1] = 'brace' then '{' || found.parts[2]
      else coalesce(gaps ->> found.parts[1], '') || found.parts[2]
    end,
    '' order by piece.position
  ), '')
  from string_to_table(content, '{{') with ordinality as piece (value, position)
  left join lateral regexp_match(piece.value, '^\s*([a-z_]+(?::[^{}[:space:]]*)?)\s*\}\}(.*)$') as found (parts) on true
$$;

comment on function app_hidden.fill_gaps(text, jsonb, text) is
  'The body of a mail with its gaps filled: `{{link:/path}}` with the address people use, any other with what is said of it, or nothing.';

create or replace function app_hidden.with_links(content text) returns text
  language sql immutable
  set search_path = ''
as $$
  select regexp_replace(
    regexp_replace(
      content,
      'https?://(?:[^[:space:]&<>]|&amp;)*[^[:space:]&<>.,;:!?)]',
      '<a href="\&">\&</a>', 'g'
    ),
    '\{\{\s*(link:/[^{}[:space:]]*|survey_link(?::[1-5])?)\s*\}\}',
    '<a href="{{\1}}">{{\1}}</a>', 'g'
  )
$$;

comment on function app_hidden.with_links(text) is 'A text that is escaped already, with its addresses and its gaps for links as links.';

create or replace function app_hidden.mail_paragraphs(content text, attributes text) returns text
  language sql immutable
  set search_path = ''
as $$
  select coalesce(string_agg(
    '<p' || attributes || '>' || replace(replace(app_hidden.with_links(btrim(paragraph.value, E'\n')), '  ', '&nbsp; '), E'\n', E'<br>\n') || '</p>',
    E'\n' order by paragraph.position
  ), '')
  from regexp_split_to_table(content, '\n[[:blank:]]*\n') with ordinality as paragraph (value, position)
  where paragraph.value ~ '\S'
$$;

comment on function app_hidden.mail_paragraphs(text, text) is 'A text that is escaped already as paragraphs of HTML.';

create or replace function app_hidden.ink_on(color text) returns text
  language sql immutable
  set search_path = ''
as $$
  select case
    when (
      ('x' || substr(color, 2, 2))::bit(8)::integer * 299 + ('x' || substr(color, 4, 2))::bit(8)::integer * 587
        + ('x' || substr(color, 6, 2))::bit(8)::integer * 114
    ) > 140000 then '#16181d'
    else '#ffffff'
  end
$$;

comment on function app_hidden.ink_on(text) is 'Black or white, whichever reads better on a colour.';

create or replace function app_hidden.mail_buttons(paragraph text, links jsonb, color text) returns text
  language sql immutable
  set search_path = ''
as $$
  select '<p style="margin:20px 0">' || string_agg(
    '<a class="button" href="' || app_hidden.fill_in(found.parts[2], links)
      || '" style="display:inline-block;margin:0 8px 8px 0;padding:10px 18px;border-radius:8px;font-weight:600;text-decoration:none;background:'
      || color || ';color:' || app_hidden.ink_on(color) || '">' || app_hidden.as_html(btrim(found.parts[1])) || '</a>',
    E'\n' order by line.position
  ) || '</p>'
  from string_to_table(paragraph, E'\n') with ordinality as line (value, position)
  cross join lateral regexp_match(line.value, '^(.*):\s*(\{\{.*\}\})\s*$') as found (parts)
$$;

comment on function app_hidden.mail_buttons(text, jsonb, text) is 'Lines of the form `Label: {{link}}` as buttons.';

-- Without tables and images; who reads in the dark is not blinded, and what a mail program leaves of it still reads well.
create or replace function app_hidden.mail_document(subject text, content text, frame jsonb) returns text
  language sql immutable
  set search_path = ''
as $$
  select '<!doctype html>
<html lang="' || app_hidden.as_html(frame ->> 'language') || '">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>' || app_hidden.as_html(app_hidden.without_gaps(subject)) || '</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
a { color: inherit }
@media (prefers-color-scheme: dark) {
  body { background: #15181e !important; color: #e7e9ec !important }
  .card { background: #1e222a !important; border-right-color: #343a45 !important; border-bottom-color: #343a45 !important; border-left-color: #343a45 !important }
  .said { border-color: #4a5261 !important }
  .faint { color: #a4abb6 !important }
}
</style>
</head>
<body style="margin:0;padding:0;background:#f4f3f0;color:#1c2230;font-family:system-ui,-apple-system,''Segoe UI'',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.55">
<div style="max-width:600px;margin:0 auto;padding:16px;overflow-wrap:anywhere">
' || case when (frame ->> 'marker')::boolean
    then '<p class="faint" style="margin:0 0 12px;font-size:12px;color:#6b7280">' || app_hidden.as_html(frame #>> '{words,marker}') || E'</p>\n'
    else '' end
  || '<div class="card" style="background:#ffffff;border:1px solid #e2e0db;border-top:4px solid ' || (frame ->> 'color') || ';border-radius:10px;padding:8px 24px 12px">
<p class="faint" style="margin:12px 0 4px;font-size:13px;font-weight:600;color:#5b6472">' || app_hidden.as_html(frame ->> 'name') || '</p>
' || content || '
</div>
<div class="faint" style="padding:4px 24px;font-size:13px;color:#6b7280">
' || app_hidden.mail_paragraphs(app_hidden.as_html(frame ->> 'footer'), ' style="margin:8px 0"') || '
</div>
</div>
</body>
</html>
'
$$;

comment on function app_hidden.mail_document(text, text, jsonb) is 'The page that every mail is. It loads nothing.';

create or replace function app_hidden.mail_files(files jsonb, words jsonb, as_html boolean) returns text
  language sql immutable
  set search_path = ''
as $$
  select case when as_html
    then '<p style="margin:16px 0 4px"><strong>' || app_hidden.as_html(words ->> 'files') || E'</strong></p>\n<ul style="margin:0 0 16px;padding-left:20px">'
      || string_agg('<li>' || app_hidden.as_html(app_hidden.without_gaps(listed.line)) || '{{file_link:' || (listed.file ->> 'id') || '}}</li>', '' order by listed.position) || '</ul>'
    else (words ->> 'files') || E':\n'
      || string_agg('- ' || app_hidden.without_gaps(listed.line) || '{{file_link:' || (listed.file ->> 'id') || '}}', E'\n' order by listed.position)
  end
  from (
    select
      entry.value as file, entry.position,
      (entry.value ->> 'name') || ' (' || replace(pg_size_pretty((entry.value ->> 'size')::bigint), 'bytes', 'B') || ')' as line
    from jsonb_array_elements(files) with ordinality as entry (value, position)
  ) as listed
  having count(*) > 0
$$;

comment on function app_hidden.mail_files(jsonb, jsonb, boolean) is 'The list of the files of a mail, each with a gap for how it comes.';

create or replace function app_hidden.mail_notices(notices jsonb, words jsonb, as_html boolean) returns text
  language sql immutable
  set search_path = ''
as $$
  select case when as_html
    then string_agg(
      '<p style="margin:14px 0"><strong>' || app_hidden.as_html(entry.title) || '</strong>'
        || coalesce(E'<br>\n' || replace(app_hidden.as_html(entry.text), E'\n', E'<br>\n'), '')
        || coalesce(E'<br>\n' || app_hidden.with_links(entry.link), '') || '</p>',
      E'\n' order by entry.position
    )
    else string_agg('- ' || concat_ws(E'\n  ', entry.title, replace(entry.text, E'\n', E'\n  '), entry.link), E'\n\n' order by entry.position)
  end
  from (
    select
      noticed.position, app_hidden.without_gaps(noticed.value ->> 'title') as title,
      app_hidden.without_gaps(nullif(noticed.value ->> 'text', '')) as text,
      '{{link:' || substring(noticed.value ->> 'path' from '^/[A-Za-z0-9/_?=&.-]*$') || '}}' as link
    from jsonb_array_elements(notices) with ordinality as noticed (value, position)
    where noticed.position <= 100
    union all
    select 101, app_hidden.without_gaps(words ->> 'and_more'), null, null
    where jsonb_array_length(notices) > 100
  ) as entry
$$;

comment on function app_hidden.mail_notices(jsonb, jsonb, boolean) is 'Up to a hundred notices as a mail tells of them: a list of `{title, text, path}`.';

create or replace function app_hidden.mail_subject(template text, variables jsonb, reference text) returns text
  language sql immutable
  set search_path = ''
as $$
  select left(
    case when reference is null or strpos(said.subject, '[' || reference || ']') > 0 then '' else '[' || reference || '] ' end
      || coalesce(nullif(said.subject, ''), variables ->> 'organization.name', '-'),
    300
  )
  from (
    -- Also what only looks like the end of a line, so that no part of it can become a header.
    select btrim(regexp_replace(app_hidden.fill_in(template, variables), '[[:cntrl:][:space:]]+', ' ', 'g')) as subject
  ) as said
$$;

comment on function app_hidden.mail_subject(text, jsonb, text) is 'The subject of a mail: one line, and the reference of its ticket before it.';

create or replace function app_hidden.render_mail(subject text, body text, variables jsonb, lists jsonb, links jsonb, frame jsonb)
  returns app_public.mail_rendering
  language plpgsql immutable
  set search_path = ''
as $$
declare
  words constant jsonb := frame -> 'words';
  files constant jsonb := coalesce(lists -> 'files', '[]');
  notices constant jsonb := coalesce(lists -> 'notices', '[]');
  in_text constant jsonb := (
    select coalesce(jsonb_object_agg(value.key, app_hidden.without_gaps(value.value)), '{}') from jsonb_each_text(variables) as value
  ) || links || jsonb_strip_nulls(jsonb_build_object(
    'files', app_hidden.mail_files(files, words, false), 'notices', app_hidden.mail_notices(notices, words, false)
  ));
  in_html constant jsonb := (
    select coalesce(jsonb_object_agg(value.key, app_hidden.as_html(app_hidden.without_gaps(value.value))), '{}')
    from jsonb_each_text(variables) as value
  ) || links;
  rendering app_public.mail_rendering;
  paragraph text;
  alone text;
  said text;
  texts text[] := case when (frame ->> 'marker')::boolean then array[words ->> 'marker'] else '{}' end;
  htmls text[] := '{}';
begin
  rendering.subject := app_hidden.mail_subject(subject, variables, frame ->> 'reference');

  for paragraph in
    select btrim(piece.value, E' \t\n')
    from regexp_split_to_table(replace(body, chr(13), ''), '\n[[:blank:]]*\n') with ordinality as piece (value, position)
    order by piece.position
  loop
    said := btrim(app_hidden.fill_in(paragraph, in_text), E'\n');
    continue when said !~ '\S';
    texts := texts || said;

    alone := substring(paragraph from '^\{\{\s*([a-z_.]+)\s*\}\}$');
    htmls := htmls || case
      when alone = 'comment.body' then
        '<div class="said" style="margin:16px 0;padding:2px 0 2px 16px;border-left:3px solid #d6d9df">' || E'\n'
          || app_hidden.mail_paragraphs(in_html ->> alone, ' style="margin:10px 0"') || E'\n</div>'
      when alone = 'files' then app_hidden.mail_files(files, words, true)
      when alone = 'notices' then app_hidden.mail_notices(notices, words, true)
      when paragraph ~ '^([^\n{}]+:[[:blank:]]*\{\{\s*(link|ticket_link|survey_link(:[1-5])?)\s*\}\}[[:blank:]]*(\n|$))+$' then
        app_hidden.mail_buttons(paragraph, links, frame ->> 'color')
      else
        app_hidden.mail_paragraphs(
          app_hidden.fill_in(
            app_hidden.as_html(paragraph),
            in_html || jsonb_strip_nulls(jsonb_build_object('files', app_hidden.as_html(in_text ->> 'files'), 'notices', app_hidden.as_html(in_text ->> 'notices')))
          ),
          ' style="margin:14px 0"'
        )
    end;
  end loop;

  rendering.text_body := array_to_string(texts, E'\n\n') || E'\n\n-- \n' || (frame ->> 'name')
    || coalesce(E'\n' || nullif(frame ->> 'footer', ''), '') || E'\n';
  rendering.html_body := app_hidden.mail_document(rendering.subject, array_to_string(htmls, E'\n'), frame);
  return rendering;
end
$$;

comment on function app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb) is
  'Makes a mail of a template: `variables` are what people wrote, `lists` has `files` and `notices`, `links` are gaps, and `frame` says `language`, `words`, `name`, `color`, `footer`, `reference` and whether there is a `marker`.';

revoke all on function
  app_hidden.as_html(text), app_hidden.without_gaps(text), app_hidden.fill_gaps(text, jsonb, text), app_hidden.with_links(text),
  app_hidden.mail_paragraphs(text, text), app_hidden.ink_on(text), app_hidden.mail_buttons(text, jsonb, text),
  app_hidden.mail_document(text, text, jsonb), app_hidden.mail_files(jsonb, jsonb, boolean), app_hidden.mail_notices(jsonb, jsonb, boolean),
  app_hidden.mail_subject(text, jsonb, text), app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb)
from public;

grant execute on function app_hidden.fill_gaps(text, jsonb, text) to atum_admin;

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
    organization_id, uploaded_by_id, ticket_id, comment_id, name, claimed_content_type, content_id, sha256, size, content_type, state
  )
  select
    said.organization_id, store_mail_file.uploaded_by_id, said.ticket_id, said.id, app_hidden.safe_file_name(store_mail_file.name),
    left(store_mail_file.claimed_content_type, 200), nullif(left(store_mail_file.content_id, 255), ''),
    stored.sha256, stored.size, stored.content_type, stored.state
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

  update app_public.attachments as attached
  set comment_id = said.id, ticket_id = said.ticket_id
  where attached.organization_id = said.organization_id and attached.id = any (wanted);
end
$$;

comment on function app_hidden.attach_uploads(app_public.comments, uuid[]) is
  'Puts files that the caller uploaded onto a comment that the caller wrote. Errors: TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED.';

create or replace function app_private.copy_attachments(from_comment app_public.comments, to_comment app_public.comments) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.attachments (
    organization_id, uploaded_by_id, ticket_id, comment_id, name, claimed_content_type, content_id, sha256, size, content_type, state
  )
  select
    to_comment.organization_id, file.uploaded_by_id, to_comment.ticket_id, to_comment.id, file.name, file.claimed_content_type,
    file.content_id, file.sha256, file.size, file.content_type, file.state
  from app_public.attachments as file
  where file.organization_id = from_comment.organization_id and file.comment_id = from_comment.id
    and file.ticket_id = from_comment.ticket_id
  order by file.created_at, file.id
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

--! split: 1050-functions-50-mail-words.sql
-- What mails say where nobody wrote another template, in each language.

create or replace function app_hidden.built_in_mail_templates()
  returns table (kind app_public.mail_kind, locale text, subject text, body text)
  language sql immutable
  set search_path = ''
as $$
  values
    ('acknowledgement'::app_public.mail_kind, 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

thank you for your message. We have it as {{ticket.reference}} and will answer as soon as we can.

{{comment.body}}

{{files}}

View your request: {{ticket_link}}

{{how_to_answer}}'),
    ('acknowledgement', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

vielen Dank für Ihre Nachricht. Sie ist als {{ticket.reference}} bei uns, und wir antworten so bald wie möglich.

{{comment.body}}

{{files}}

Anfrage ansehen: {{ticket_link}}

{{how_to_answer}}'),
    ('reply', 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

{{comment.author}} wrote about {{ticket.reference}}:

{{comment.body}}

{{files}}

View the conversation: {{ticket_link}}

{{how_to_answer}}'),
    ('reply', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

{{comment.author}} schreibt zu {{ticket.reference}}:

{{comment.body}}

{{files}}

Verlauf ansehen: {{ticket_link}}

{{how_to_answer}}'),
    ('resolution', 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

we have resolved {{ticket.reference}}.

{{comment.body}}

{{files}}

View your request: {{ticket_link}}

If something is still missing, answer and we will look at it again. {{how_to_answer}}'),
    ('resolution', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

wir haben {{ticket.reference}} gelöst.

{{comment.body}}

{{files}}

Anfrage ansehen: {{ticket_link}}

Wenn noch etwas fehlt, antworten Sie, und wir sehen es uns wieder an. {{how_to_answer}}'),
    ('notice', 'en', '{{notice.title}}',
      'Hello {{recipient.name}},

{{notice.title}}

{{notice.text}}

{{comment.body}}

{{files}}

Open it: {{link}}'),
    ('notice', 'de', '{{notice.title}}',
      'Guten Tag {{recipient.name}},

{{notice.title}}

{{notice.text}}

{{comment.body}}

{{files}}

Öffnen: {{link}}'),
    ('digest', 'en', 'What happened at {{organization.name}}',
      'Hello {{recipient.name}},

this happened since the last summary:

{{notices}}

Open the desk: {{link}}'),
    ('digest', 'de', 'Was bei {{organization.name}} geschehen ist',
      'Guten Tag {{recipient.name}},

das ist seit der letzten Übersicht geschehen:

{{notices}}

Helpdesk öffnen: {{link}}'),
    ('survey', 'en', 'How did we do?',
      'Hello {{recipient.name}},

we have resolved {{ticket.reference}}, “{{ticket.subject}}”. {{survey.question}} One click is enough:

5 – very good: {{survey_link:5}}
4 – good: {{survey_link:4}}
3 – so-so: {{survey_link:3}}
2 – bad: {{survey_link:2}}
1 – very bad: {{survey_link:1}}

Thank you!'),
    ('survey', 'de', 'Wie war es mit uns?',
      'Guten Tag {{recipient.name}},

wir haben {{ticket.reference}}, „{{ticket.subject}}“, gelöst. {{survey.question}} Ein Klick genügt:

5 – sehr gut: {{survey_link:5}}
4 – gut: {{survey_link:4}}
3 – mittel: {{survey_link:3}}
2 – schlecht: {{survey_link:2}}
1 – sehr schlecht: {{survey_link:1}}

Vielen Dank!'),
    ('alert', 'en', '{{alert.title}}',
      'Hello {{recipient.name}},

{{alert.title}}

{{alert.text}}

Look at it: {{link}}'),
    ('alert', 'de', '{{alert.title}}',
      'Guten Tag {{recipient.name}},

{{alert.title}}

{{alert.text}}

Ansehen: {{link}}'),
    ('test', 'en', 'A test from the help desk of {{organization.name}}',
      'Hello,

this mail shows that the help desk of {{organization.name}} can send mails, and how they look.

Open the desk: {{link}}'),
    ('test', 'de', 'Ein Test vom Helpdesk von {{organization.name}}',
      'Guten Tag,

diese Mail zeigt, dass der Helpdesk von {{organization.name}} Mails verschicken kann, und wie sie aussehen.

Helpdesk öffnen: {{link}}')
$$;

comment on function app_hidden.built_in_mail_templates() is 'What mails say where an organization has no words of its own.';

create or replace function app_hidden.mail_variables(kind app_public.mail_kind) returns text[]
  language sql immutable
  set search_path = ''
as $$
  select array['organization.name', 'recipient.name', 'recipient.first_name'] || case kind
    when 'digest' then array['notices', 'link']
    when 'alert' then array['alert.title', 'alert.text', 'link']
    when 'test' then array['link']
    else array['ticket.reference', 'ticket.subject', 'ticket.status', 'ticket.priority', 'ticket.service'] || case kind
      when 'notice' then array['notice.title', 'notice.text', 'comment.author', 'comment.body', 'files', 'link']
      when 'survey' then
        array['survey.question', 'survey_link', 'survey_link:1', 'survey_link:2', 'survey_link:3', 'survey_link:4', 'survey_link:5', 'ticket_link']
      else array['comment.author', 'comment.body', 'files', 'ticket_link', 'how_to_answer']
    end
  end
$$;

comment on function app_hidden.mail_variables(app_public.mail_kind) is 'The variables that stand for something in mails of a kind.';

create or replace function app_hidden.mail_words(language text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select case language
    when 'de' then '{
      "marker": "##- Bitte antworten Sie oberhalb dieser Zeile -##", "files": "Dateien", "and_more": "Mehr im Helpdesk.",
      "by_mail": "Antworten Sie einfach auf diese Mail.", "in_portal": "Bitte antworten Sie im Portal; Antworten auf diese Mail liest niemand.",
      "blocked": "nicht angehängt: als gefährlich erkannt", "pending": "nicht angehängt: wird noch geprüft, im Portal zu finden",
      "gone": "nicht angehängt: wurde entfernt", "large": "zu groß für eine Mail, im Portal zu finden",
      "new": "neu", "open": "offen", "pending_status": "wartend", "on_hold": "zurückgestellt", "resolved": "gelöst", "closed": "geschlossen",
      "low": "niedrig", "normal": "normal", "high": "hoch", "urgent": "dringend"
    }'::jsonb
    else '{
      "marker": "##- Please write your answer above this line -##", "files": "Files", "and_more": "More in the help desk.",
      "by_mail": "To answer, simply reply to this mail.", "in_portal": "Please answer in the portal; nobody reads answers to this mail.",
      "blocked": "not attached: found to be dangerous", "pending": "not attached: still being checked, to be found in the portal",
      "gone": "not attached: it was removed", "large": "too large for a mail, to be found in the portal",
      "new": "new", "open": "open", "pending_status": "pending", "on_hold": "on hold", "resolved": "resolved", "closed": "closed",
      "low": "low", "normal": "normal", "high": "high", "urgent": "urgent"
    }'::jsonb
  end
$$;

comment on function app_hidden.mail_words(text) is
  'The words around what a mail says. The `marker`, above which answers are written, begins with `##-` and ends with `-##` in every language.';

revoke all on function
  app_hidden.built_in_mail_templates(), app_hidden.mail_variables(app_public.mail_kind), app_hidden.mail_words(text)
from public;

--! split: 1052-functions-52-csat.sql
-- How it went, in the words of those who asked.

create or replace function app_private.tg_organizations__found_surveys() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.csat_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_surveys() is 'Gives a new organization its settings of surveys.';

create or replace trigger _500_found_surveys after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_surveys();

create or replace trigger _100_stamp_updated_at before update on app_public.csat_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.current_csat_settings() returns app_public.csat_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.csat_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_csat_settings() is 'Whether and how the organization asks how it went. Staff only.';

create or replace function app_private.is_sampled(ticket_id uuid, percent integer) returns boolean
  language sql immutable
  set search_path = ''
as $$
  -- The first four bytes of a hash, because those of the id are a clock.
  select ('x' || left(md5(ticket_id::text), 8))::bit(32)::bigint % 100 < percent
$$;

comment on function app_private.is_sampled(uuid, integer) is 'Whether a ticket is among so many in a hundred. It always is or never, and with a higher number those of a lower one still are.';

create or replace function app_private.may_be_surveyed(ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select ticket.status in ('resolved', 'closed') and ticket.merged_into_id is null
    and exists (
      select
      from app_public.csat_settings as settings
      join app_public.organizations as organization on organization.id = settings.organization_id
      join app_public.users as requester
        on requester.organization_id = settings.organization_id and requester.id = ticket.requester_id
      where settings.organization_id = ticket.organization_id and settings.is_enabled
        and organization.suspended_at is null and requester.role = 'customer' and requester.disabled_at is null
    )
$$;

comment on function app_private.may_be_surveyed(app_public.tickets) is 'Whether the requester of a ticket is to be asked how it went: it is done and goes on nowhere else, it was requested by an active customer, and the organization asks.';

create or replace function app_private.plan_survey(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  done constant text[] := '{resolved, closed}';
  was_done constant boolean := coalesce(event.before ->> 'status', '') = any (done);
  is_done constant boolean := coalesce(event.after ->> 'status', '') = any (done);
  settings app_public.csat_settings;
  ticket app_public.tickets;
  survey app_public.csat_surveys;
begin
  -- Whatever makes the question one about something that is not over. At the next end it is planned again.
  if event.type = 'ticket_merged' or (event.type in ('status_changed', 'state_changed') and was_done and not is_done) then
    update app_public.csat_surveys as planned
    set state = 'cancelled'
    where planned.organization_id = event.organization_id and planned.ticket_id = event.ticket_id and planned.state = 'planned';
    return;
  end if;
  if event.type <> 'status_changed' or was_done or not is_done then
    return;
  end if;

  select * into settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = event.organization_id and chosen.is_enabled;
  if not found or not app_private.is_sampled(event.ticket_id, settings.sample_percent) then
    return;
  end if;
  select * into ticket
  from app_public.tickets as over
  where over.organization_id = event.organization_id and over.id = event.ticket_id;
  if not app_private.may_be_surveyed(ticket) then
    return;
  end if;

  insert into app_public.csat_surveys as planned
    (organization_id, ticket_id, requester_id, assignee_id, team_id, service_id, planned_for)
  values (
    ticket.organization_id, ticket.id, ticket.requester_id, ticket.assignee_id, ticket.team_id, ticket.service_id,
    event.created_at + make_interval(mins => settings.delay_minutes)
  )
  on conflict on constraint csat_surveys_organization_id_ticket_id_key do update set
    state = 'planned', requester_id = excluded.requester_id, assignee_id = excluded.assignee_id, team_id = excluded.team_id,
    service_id = excluded.service_id, planned_for = excluded.planned_for
  where planned.state = 'cancelled'
  returning * into survey;
  if found then
    perform app_private.enqueue_survey(survey);
  end if;
end
$$;

comment on function app_private.plan_survey(app_public.ticket_events) is 'Plans to ask the requester how it went when an event resolved the ticket, and no more when one took it up again before they were asked.';

create or replace function app_private.enqueue_survey(survey app_public.csat_surveys) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'send_survey', survey.organization_id, jsonb_build_object('surveyId', survey.id), survey.planned_for,
    job_key => 'send_survey:' || survey.id
  )
$$;

comment on function app_private.enqueue_survey(app_public.csat_surveys) is 'Has a job ask at the time that is planned.';

create or replace function app_private.send_survey(survey_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  survey app_public.csat_surveys;
  settings app_public.csat_settings;
  ticket app_public.tickets;
  requester app_public.users;
  event_id uuid;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Surveys are sent for one organization at a time';
  end if;

  select * into survey
  from app_public.csat_surveys as planned
  where planned.organization_id = app_hidden.current_organization_id() and planned.id = send_survey.survey_id
    and planned.state = 'planned' and planned.planned_for <= now()
  for update;
  if not found then
    return false;
  end if;

  select * into strict ticket
  from app_public.tickets as over
  where over.organization_id = survey.organization_id and over.id = survey.ticket_id;
  select * into requester
  from app_public.users as person
  where person.organization_id = survey.organization_id and person.id = survey.requester_id;
  if requester.id is distinct from ticket.requester_id or not app_private.may_be_surveyed(ticket) then
    update app_public.csat_surveys as dropped
    set state = 'cancelled'
    where dropped.organization_id = survey.organization_id and dropped.id = survey.id;
    return false;
  end if;

  select * into strict settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = survey.organization_id;
  update app_public.csat_surveys as asked
  set
    state = 'sent', question = settings.question, sent_at = now(), expires_at = now() + make_interval(days => settings.expires_days)
  where asked.organization_id = survey.organization_id and asked.id = survey.id;

  perform app_private.write_mail(
    'survey', 'survey:' || survey.id, requester, ticket, facts => jsonb_build_object('survey_id', survey.id)
  );
  event_id := app_private.record_ticket_event(ticket, 'survey_sent', jsonb_build_object('survey_id', survey.id));
  -- Customers hear of what is public; of this the one who is asked.
  perform pg_notify(
    'requester:' || requester.id, json_build_object('event', 'survey_sent', 'ticketId', ticket.id, 'eventId', event_id)::text
  );
  return true;
end
$$;

comment on function app_private.send_survey(uuid) is 'Asks a requester how it went, when it is time and their ticket is still done; says whether it did. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.sweep_surveys() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Surveys are swept for one organization at a time';
  end if;

  perform app_private.enqueue_survey(late)
  from (
    select *
    from app_public.csat_surveys as planned
    where planned.organization_id = app_hidden.current_organization_id() and planned.state = 'planned'
      and planned.planned_for < now() - interval '1 minute'
    order by planned.planned_for
    limit 1000
  ) as late
  where not exists (
    select
    from graphile_worker.jobs as job
    where job.key = 'send_survey:' || late.id and job.locked_at is null and job.attempts < job.max_attempts
  );

  update app_public.csat_surveys as over
  set state = 'expired'
  where over.organization_id = app_hidden.current_organization_id() and over.state = 'sent' and over.expires_at <= now();

  -- Until then a link that is over says so.
  delete from app_private.csat_tokens as old
  where old.organization_id = app_hidden.current_organization_id() and old.created_at < now() - interval '1 year';
end
$$;

comment on function app_private.sweep_surveys() is 'Gives surveys whose job was lost a new one, ends those that nobody answered in time, and forgets the links of a year ago. Done by a job each minute. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.issue_survey_token(survey_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
begin
  insert into app_private.csat_tokens (organization_id, survey_id, token_hash)
  select survey.organization_id, survey.id, app_private.token_hash(token)
  from app_public.csat_surveys as survey
  where survey.organization_id = app_hidden.current_organization_id() and survey.id = issue_survey_token.survey_id
    and survey.expires_at > now();
  return case when found then token end;
end
$$;

comment on function app_private.issue_survey_token(uuid) is 'Makes a token by which whoever got the mail of a survey answers it; null when the time is over.';

-- Answers

create or replace function app_private.note_answer(
  survey app_public.csat_surveys, way app_public.survey_way, score integer, comment text
) returns app_public.csat_surveys
  language plpgsql volatile
  set search_path = ''
as $$
declare
  said app_public.csat_surveys;
  ticket app_public.tickets;
  settings app_public.csat_settings;
begin
  -- One answer at a time: the second of two that are the same finds nothing to change.
  select * into strict said
  from app_public.csat_surveys as asked
  where asked.organization_id = survey.organization_id and asked.id = survey.id
  for update;
  if said.expires_at <= now() then
    raise exception using errcode = 'AD291', message = 'The time to answer is over';
  end if;
  if note_answer.score is null then
    raise exception using errcode = '23502', column = 'score', message = 'An answer has a score from 1 to 5';
  end if;

  survey := said;
  said.score := note_answer.score;
  -- What is not said stays; an empty text takes it back.
  said.comment := case when note_answer.comment is null then said.comment else nullif(btrim(note_answer.comment, E' \t\r\n'), '') end;
  if (said.score, said.comment) is not distinct from (survey.score, survey.comment) then
    return survey;
  end if;

  update app_public.csat_surveys as answered
  set state = 'answered', score = said.score, comment = said.comment, answered_at = now(), answered_by = way
  where answered.organization_id = said.organization_id and answered.id = said.id
  returning * into said;

  select * into strict ticket
  from app_public.tickets as over
  where over.organization_id = said.organization_id and over.id = said.ticket_id;
  select * into strict settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = said.organization_id;
  -- A comment that comes later is no new score: what asks for a score has been answered.
  perform app_private.record_ticket_event(
    ticket, 'survey_answered',
    jsonb_build_object('survey_id', said.id)
      || case when said.score is distinct from survey.score
        then jsonb_build_object('score', said.score, 'low', said.score <= settings.low_score) else '{}' end
      || case when said.comment is distinct from survey.comment then jsonb_build_object('comment', said.comment) else '{}' end,
    case when survey.score is not null then
      case when said.score <> survey.score then jsonb_build_object('score', survey.score) else '{}' end
        || case when said.comment is distinct from survey.comment then jsonb_build_object('comment', survey.comment) else '{}' end
    end
  );
  return said;
end
$$;

comment on function app_private.note_answer(app_public.csat_surveys, app_public.survey_way, integer, text) is
  'Keeps what a requester answers, and tells the spine what changed; nothing when nothing did. Errors SURVEY_EXPIRED, INVALID_INPUT.';

create or replace function app_private.survey_as_seen_by_caller(survey app_public.csat_surveys) returns app_public.csat_surveys
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not app_hidden.is_staff() then
    survey.assignee_id := null;
    survey.team_id := null;
    survey.service_id := null;
  end if;
  return survey;
end
$$;

comment on function app_private.survey_as_seen_by_caller(app_public.csat_surveys) is 'A survey without what its reader may not see of it.';

create or replace function app_public.answer_survey(survey_id uuid, score integer, comment text default null)
  returns app_public.csat_surveys
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  survey app_public.csat_surveys;
begin
  select * into survey
  from app_public.csat_surveys as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = answer_survey.survey_id
    and asked.requester_id = app_hidden.current_user_id() and asked.sent_at is not null;
  if not found then
    raise exception using errcode = 'AD290', message = 'There is no such survey';
  end if;
  return app_private.survey_as_seen_by_caller(
    app_private.note_answer(survey, 'portal', answer_survey.score, answer_survey.comment)
  );
end
$$;

comment on function app_public.answer_survey(uuid, integer, text) is
  'Says how it went, or says it differently until the time is over, and returns the survey. `score` is 1 (very bad) to 5 (very good), `comment` has up to 2,000 characters; without one the comment there is stays, an empty one takes it back. Saying the same again changes nothing. Only the requester who was asked. Errors: SURVEY_NOT_FOUND, SURVEY_EXPIRED, INVALID_INPUT.';

create or replace function app_private.survey_of_token(token text) returns app_public.csat_surveys
  language plpgsql stable
  set search_path = ''
as $$
declare
  survey app_public.csat_surveys;
begin
  select asked.* into survey
  from app_private.csat_tokens as issued
  join app_public.csat_surveys as asked on asked.organization_id = issued.organization_id and asked.id = issued.survey_id
  join app_public.users as requester on requester.organization_id = asked.organization_id and requester.id = asked.requester_id
  join app_public.organizations as organization on organization.id = asked.organization_id
  where issued.token_hash = app_private.token_hash(survey_of_token.token)
    and requester.disabled_at is null and organization.suspended_at is null;
  if not found then
    raise exception using errcode = 'AD290', message = 'This link leads to no survey';
  end if;
  return survey;
end
$$;

comment on function app_private.survey_of_token(text) is 'The survey that a link in a mail answers. Error SURVEY_NOT_FOUND.';

create or replace function app_private.survey_to_show(survey app_public.csat_surveys) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'organization', organization.name, 'reference', ticket.reference, 'subject', ticket.subject, 'question', survey.question,
    'locale', coalesce(requester.locale, organization.locale), 'score', survey.score, 'comment', survey.comment,
    'expiresAt', survey.expires_at, 'expired', survey.expires_at <= now()
  )
  from app_public.organizations as organization
  join app_public.tickets as ticket on ticket.organization_id = organization.id and ticket.id = survey.ticket_id
  join app_public.users as requester on requester.organization_id = organization.id and requester.id = survey.requester_id
  where organization.id = survey.organization_id
$$;

comment on function app_private.survey_to_show(app_public.csat_surveys) is 'What whoever followed the link in a mail reads: `{organization, reference, subject, question, locale, score, comment, expiresAt, expired}`.';

create or replace function app_private.survey_by_token(token text) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select app_private.survey_to_show(app_private.survey_of_token(token))
$$;

comment on function app_private.survey_by_token(text) is 'What a link in a mail asks: `{organization, reference, subject, question, locale, score, comment, expiresAt, expired}`. Error SURVEY_NOT_FOUND.';

create or replace function app_private.answer_survey_by_token(token text, score integer, comment text default null) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  survey constant app_public.csat_surveys := app_private.survey_of_token(answer_survey_by_token.token);
begin
  perform app_private.act_for(requester)
  from app_public.users as requester
  where requester.organization_id = survey.organization_id and requester.id = survey.requester_id;
  return app_private.survey_to_show(
    app_private.note_answer(survey, 'mail', answer_survey_by_token.score, answer_survey_by_token.comment)
  );
end
$$;

comment on function app_private.answer_survey_by_token(text, integer, text) is
  'Answers the survey of a link in a mail, for whoever got it, and returns what `survey_by_token` does. Errors: SURVEY_NOT_FOUND, SURVEY_EXPIRED, INVALID_INPUT.';

revoke all on function
  app_private.tg_organizations__found_surveys(), app_public.current_csat_settings(), app_private.is_sampled(uuid, integer),
  app_private.may_be_surveyed(app_public.tickets), app_private.plan_survey(app_public.ticket_events),
  app_private.enqueue_survey(app_public.csat_surveys), app_private.send_survey(uuid), app_private.sweep_surveys(),
  app_private.issue_survey_token(uuid),
  app_private.note_answer(app_public.csat_surveys, app_public.survey_way, integer, text),
  app_private.survey_as_seen_by_caller(app_public.csat_surveys), app_public.answer_survey(uuid, integer, text),
  app_private.survey_of_token(text), app_private.survey_to_show(app_public.csat_surveys),
  app_private.survey_by_token(text), app_private.answer_survey_by_token(text, integer, text)
from public;

grant execute on function app_private.send_survey(uuid), app_private.sweep_surveys() to atum_worker;
grant execute on function app_public.current_csat_settings() to atum_agent;
grant execute on function app_public.answer_survey(uuid, integer, text) to atum_customer;
grant execute on function app_private.survey_by_token(text), app_private.answer_survey_by_token(text, integer, text) to atum_server;

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
    job_key => 'scan_file:' || organization_id || ':' || sha256
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
    perform app_private.alert_admins(
      'file_blocked',
      (
        select jsonb_strip_nulls(jsonb_build_object(
          'sha256', file.sha256, 'state', file.state, 'signature', file.signature, 'was_served', before.state <> 'pending',
          'name', attachment.name, 'ticket_id', attachment.ticket_id
        ))
        from (select) as once
        left join app_public.attachments as attachment
          on attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
        order by attachment.ticket_id is null, attachment.created_at, attachment.id
        limit 1
      ),
      left('file_blocked:' || file.sha256 || ':' || md5(file.signature), 200)
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

--! split: 1069-functions-69-mail-templates.sql
-- The templates of an organization's mails: which one holds, and what admins do with them.

create or replace function app_private.tg_organizations__found_mail() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.mail_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_mail() is 'Gives a new organization its settings for mails.';

create or replace trigger _500_found_mail after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_mail();

create or replace function app_private.tg_mail_templates__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
declare
  unknown constant text := (
    select min(found.parts[1])
    from regexp_matches(NEW.subject || NEW.body, '\{\{([^{}]{0,60})', 'g') as found (parts)
    where btrim(found.parts[1]) <> all (app_hidden.mail_variables(NEW.kind))
  );
  missing constant text := (
    select min(needed.name)
    from (
      values ('reply'::app_public.mail_kind, 'comment.body'), ('survey', 'survey_link'), ('digest', 'notices'), ('alert', 'alert.text')
    ) as needed (kind, name)
    where needed.kind = NEW.kind and NEW.body !~ ('\{\{\s*' || replace(needed.name, '.', '[.]') || '(:[1-5])?\s*\}\}')
  );
begin
  if unknown is not null then
    raise exception using errcode = 'AD252', message = format('Nothing is called {{%s}} in such a mail', unknown);
  end if;
  if missing is not null then
    raise exception using errcode = 'AD253', message = format('Such a mail is worth nothing without {{%s}}', missing);
  end if;
  NEW.updated_at := now();
  return NEW;
end
$$;

comment on function app_private.tg_mail_templates__refuse() is 'Refuses words that name what does not exist, or lack what the mail is for. Errors MAIL_VARIABLE_UNKNOWN, MAIL_VARIABLE_MISSING.';

create or replace trigger _200_refuse before insert or update on app_public.mail_templates
  for each row execute function app_private.tg_mail_templates__refuse();

create or replace trigger _100_stamp_updated_at before update on app_public.mail_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_private.mail_template_for(organization app_public.organizations, kind app_public.mail_kind, locale text)
  returns table (language text, subject text, body text)
  language sql stable
  set search_path = ''
as $$
  select candidate.language, coalesce(own.subject, built_in.subject), coalesce(own.body, built_in.body)
  from (
    values (1, split_part(mail_template_for.locale, '-', 1)), (2, split_part(organization.locale, '-', 1)), (3, 'en')
  ) as candidate (position, language)
  left join app_public.mail_templates as own
    on own.organization_id = organization.id and own.kind = mail_template_for.kind and own.locale = candidate.language
  left join app_hidden.built_in_mail_templates() as built_in
    on built_in.kind = mail_template_for.kind and built_in.locale = candidate.language
  where own.id is not null or built_in.kind is not null
  order by candidate.position
  limit 1
$$;

comment on function app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text) is
  'What a mail says to whoever reads a language: the organization''s words before those that are built in, then its own language, then English.';

create or replace function app_private.mail_frame(organization app_public.organizations, language text) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'language', mail_frame.language, 'words', app_hidden.mail_words(mail_frame.language),
    'name', app_hidden.without_gaps(coalesce(settings.sender_name, organization.name)),
    'color', coalesce(settings.brand_color, '#27459b'), 'footer', app_hidden.without_gaps(coalesce(settings.footer, ''))
  )
  from (select) as one
  left join app_public.mail_settings as settings on settings.organization_id = organization.id
$$;

comment on function app_private.mail_frame(app_public.organizations, text) is 'What is around every mail of an organization.';

create or replace function app_public.current_mail_settings() returns app_public.mail_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.mail_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_mail_settings() is 'How the mails of the organization look. Admins only.';

create or replace function app_public.mail_wordings() returns setof app_public.mail_wording
  language sql stable security definer
  set search_path = ''
as $$
  select
    coalesce(own.kind, built_in.kind), coalesce(own.locale, built_in.locale),
    coalesce(own.subject, built_in.subject), coalesce(own.body, built_in.body), built_in.subject, built_in.body,
    own.id is not null, app_hidden.mail_variables(coalesce(own.kind, built_in.kind))
  from app_hidden.built_in_mail_templates() as built_in
  full join (
    select * from app_public.mail_templates as template
    where template.organization_id = app_hidden.current_organization_id()
  ) as own on own.kind = built_in.kind and own.locale = built_in.locale
  order by 1, 2
$$;

comment on function app_public.mail_wordings() is 'What the mails of the organization say, by kind and language. Admins only.';

create or replace function app_public.save_mail_template(kind app_public.mail_kind, locale text, subject text, body text)
  returns app_public.mail_templates
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  saved app_public.mail_templates;
begin
  insert into app_public.mail_templates as template (organization_id, kind, locale, subject, body)
  values (
    app_hidden.current_organization_id(), save_mail_template.kind, save_mail_template.locale,
    btrim(save_mail_template.subject), btrim(replace(save_mail_template.body, chr(13), ''), E' \t\n')
  )
  on conflict on constraint mail_templates_organization_id_kind_locale_key do update
  set subject = excluded.subject, body = excluded.body
  returning * into saved;
  return saved;
end
$$;

comment on function app_public.save_mail_template(app_public.mail_kind, text, text, text) is
  'Has mails of a kind say something else to those who read a language, from the next one on. Admins only. Errors: INVALID_INPUT, MAIL_VARIABLE_UNKNOWN for a variable these mails do not have, MAIL_VARIABLE_MISSING where what the mail is for would not be in it.';

create or replace function app_public.reset_mail_template(kind app_public.mail_kind, locale text) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.mail_templates as template
  where template.organization_id = app_hidden.current_organization_id()
    and template.kind = reset_mail_template.kind and template.locale = reset_mail_template.locale;
  return found;
end
$$;

comment on function app_public.reset_mail_template(app_public.mail_kind, text) is
  'Has mails of a kind say what is built in again, and returns whether they said something else. Admins only.';

create or replace function app_public.preview_mail_template(
  kind app_public.mail_kind,
  locale text,
  subject text,
  body text,
  sender_name text default null,
  brand_color text default null,
  footer text default null
) returns app_public.mail_rendering
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  organization app_public.organizations;
  language constant text := split_part(preview_mail_template.locale, '-', 1);
  german constant boolean := language = 'de';
  frame jsonb;
  rendering app_public.mail_rendering;
begin
  if brand_color !~ '^#[0-9a-f]{6}$' or octet_length(concat(preview_mail_template.subject, body, footer, sender_name)) > 131072 then
    raise exception using errcode = '22023', message = 'The colour is none, or the texts are too long';
  end if;
  select * into strict organization from app_public.organizations as own where own.id = app_hidden.current_organization_id();

  frame := app_private.mail_frame(organization, language) || jsonb_strip_nulls(jsonb_build_object(
    'name', app_hidden.without_gaps(nullif(btrim(sender_name), '')), 'color', brand_color, 'footer', app_hidden.without_gaps(footer),
    'marker', kind in ('acknowledgement', 'reply', 'resolution'),
    'reference', case when kind not in ('digest', 'alert', 'test') then organization.ticket_prefix || '-1042' end
  ));

  rendering := app_hidden.render_mail(
    coalesce(preview_mail_template.subject, ''), coalesce(body, ''),
    jsonb_build_object(
      'organization.name', organization.name, 'recipient.name', 'Ada Lovelace', 'recipient.first_name', 'Ada',
      'ticket.reference', organization.ticket_prefix || '-1042',
      'ticket.subject', case when german then 'Die Lampe im Flur flackert' else 'The lamp in the hall flickers' end,
      'ticket.status', frame #>> '{words,open}', 'ticket.priority', frame #>> '{words,normal}',
      'ticket.service', case when german then 'Haustechnik' else 'Building services' end,
      'comment.author', 'Grace Hopper',
      'comment.body', case when german
        then E'es war eine lose Klemme. Wir haben sie heute Morgen festgezogen.\n\nFlackert es noch?\nSagen Sie es uns: <ein Wort genügt>.'
        else E'it was a loose terminal. We tightened it this morning.\n\nDoes it still flicker?\nTell us: <one word will do>.' end,
      'how_to_answer', frame #>> '{words,by_mail}',
      'notice.title', case when german then 'Grace Hopper hat Ihnen ein Ticket zugewiesen' else 'Grace Hopper assigned a ticket to you' end,
      'notice.text', case when german then 'Es ist dringend und morgen um 9:00 fällig.' else 'It is urgent and due tomorrow at 9:00.' end,
      'alert.title', case when german then 'Eine Mail konnte nicht zugestellt werden' else 'A mail could not be delivered' end,
      'alert.text', '550 5.1.1 No such mailbox',
      'survey.question', case when german then 'Wie haben wir das gemacht?' else 'How did we do?' end
    ),
    jsonb_build_object(
      'files', jsonb_build_array(jsonb_build_object(
        'id', 'example', 'name', case when german then 'Klemme.jpg' else 'terminal.jpg' end, 'size', 48213
      )),
      'notices', case when german
        then '[{"title": "Grace Hopper hat Ihnen ATUM-1042 zugewiesen", "text": "Die Lampe im Flur flackert", "path": "/desk/tickets/1042"}, {"title": "Neue Antwort auf ATUM-1007", "text": "Danke, jetzt geht es wieder.", "path": "/desk/tickets/1007"}]'::jsonb
        else '[{"title": "Grace Hopper assigned ATUM-1042 to you", "text": "The lamp in the hall flickers", "path": "/desk/tickets/1042"}, {"title": "New answer on ATUM-1007", "text": "Thank you, it works again.", "path": "/desk/tickets/1007"}]'::jsonb
      end
    ),
    '{"ticket_link": "{{link:/portal/tickets/1042}}", "link": "{{link:/desk}}", "survey_link": "{{survey_link}}"}', frame
  );
  return app_hidden.mail_as_shown(rendering);
end
$$;

comment on function app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text) is
  'How a mail would read with these words, told with an invented ticket; `senderName`, `brandColor` and `footer` instead of those in the settings, where given. Nothing is saved or sent. Admins only. Error INVALID_INPUT for a colour that is none.';

create or replace function app_hidden.mail_as_shown(rendering app_public.mail_rendering) returns app_public.mail_rendering
  language plpgsql immutable
  set search_path = ''
as $$
declare
  -- What lets somebody in is made when the mail is sent, and never shown.
  gaps constant jsonb := (
    select jsonb_object_agg('survey_link' || suffix, 'https://desk.example/survey/…') from unnest(array['', ':1', ':2', ':3', ':4', ':5']) as suffix
  );
begin
  rendering.text_body := app_hidden.fill_gaps(rendering.text_body, gaps, 'https://desk.example');
  rendering.html_body := app_hidden.fill_gaps(rendering.html_body, gaps, 'https://desk.example');
  return rendering;
end
$$;

comment on function app_hidden.mail_as_shown(app_public.mail_rendering) is 'A mail for admins to look at: with links that lead nowhere.';

create or replace function app_public.mail_messages_preview(mail app_public.mail_messages) returns app_public.mail_rendering
  language sql stable
  set search_path = ''
as $$
  select app_hidden.mail_as_shown(row(mail.subject, mail.text_body, mail.html_body)::app_public.mail_rendering)
$$;

comment on function app_public.mail_messages_preview(app_public.mail_messages) is
  'The mail as its recipient reads it, but for its links, which lead nowhere here: those that let somebody in are made when it is sent.';

revoke all on function
  app_private.tg_organizations__found_mail(), app_private.tg_mail_templates__refuse(),
  app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text), app_private.mail_frame(app_public.organizations, text),
  app_hidden.mail_as_shown(app_public.mail_rendering), app_public.current_mail_settings(), app_public.mail_wordings(),
  app_public.save_mail_template(app_public.mail_kind, text, text, text), app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages)
from public;

grant execute on function
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages), app_hidden.mail_as_shown(app_public.mail_rendering)
to atum_admin;

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
    max_attempts => 2
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
  return jsonb_build_object('outcome', case when found then 'ok' else 'not_found' end);
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
    perform app_private.enqueue(
      'process_incoming_mail', mail.organization_id, jsonb_build_object('incomingMailId', mail.id),
      job_key => 'process_incoming_mail:' || mail.id
    );
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
    'mail_not_taken:' || mail.id
  );
end
$$;

comment on function app_private.alert_of_mail(app_public.incoming_mails, text) is 'Tells the admins of a mail that could not be taken.';

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
  perform app_private.enqueue(
    'process_incoming_mail', mail.organization_id, jsonb_build_object('incomingMailId', mail.id),
    job_key => 'process_incoming_mail:' || mail.id
  );
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
    perform app_private.enqueue(
      'process_incoming_mail', mail.organization_id, jsonb_build_object('incomingMailId', mail.id), now() + interval '3 seconds',
      'process_incoming_mail:' || mail.id
    );
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
  app_private.store_incoming_mail(uuid, jsonb), app_private.alert_of_mail(app_public.incoming_mails, text), app_private.incoming_mail_to_read(uuid),
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

--! split: 1074-functions-74-notifications.sql
-- What happens is told to the people it concerns. How each of them wants to hear of it is in 76-notification-choices.sql,
-- what they do with it in 86-notification-inbox.sql.

create or replace function app_private.notification_kind_of(event app_public.ticket_events) returns app_public.notification_kind
  language sql stable
  set search_path = ''
as $$
  select case event.type
    when 'ticket_created' then 'new_ticket'
    when 'team_changed' then 'new_ticket'
    when 'assignee_changed' then 'assigned'
    when 'comment_added' then case event.visibility when 'public' then 'reply' else 'note' end
    when 'status_changed' then
      case
        -- For those who asked and those who worked nothing is new.
        when event.before ->> 'status' = 'resolved' and event.after ->> 'status' = 'closed' then null
        -- What was said in the same save tells it.
        when exists (
          select
          from app_public.ticket_events as said
          where said.organization_id = event.organization_id and said.ticket_id = event.ticket_id
            and said.created_at = event.created_at and said.type = 'comment_added' and said.visibility = 'public'
            and said.actor_id is not distinct from event.actor_id
        ) then null
        when event.after ->> 'status' in ('resolved', 'closed') then 'resolved'
        else 'status_changed'
      end
    when 'approval_requested' then 'approval'
    when 'approval_decided' then 'approval'
    when 'sla_warned' then 'sla_warning'
    when 'sla_breached' then 'sla_breach'
    when 'sla_escalated' then 'sla_breach'
    when 'notice_sent' then 'notice'
    when 'mail_failed' then 'problem'
    when 'attachment_blocked' then 'problem'
    when 'survey_answered' then 'rating'
  end::app_public.notification_kind
$$;

comment on function app_private.notification_kind_of(app_public.ticket_events) is 'What an event is about for those it is told to; null for one that nobody is told of.';

create or replace function app_private.people_concerned(event app_public.ticket_events, ticket app_public.tickets)
  returns table (user_id uuid, reason app_public.notification_reason)
  language sql stable
  set search_path = ''
as $$
  with addressed as materialized (
    select case event.type when 'notice_sent' then event.after ->> 'to' end as audience
  )
  select ticket.requester_id, 'requester'::app_public.notification_reason
  from addressed
  where addressed.audience = 'requester'
    or (event.visibility = 'public' and event.type in ('ticket_created', 'comment_added', 'status_changed'))
  union all
  select
    case event.type when 'assignee_changed' then (event.after ->> 'assignee_id')::uuid else ticket.assignee_id end, 'assignee'
  from addressed
  where addressed.audience = 'assignee'
    or event.type in (
      'assignee_changed', 'comment_added', 'status_changed', 'sla_warned', 'sla_breached', 'sla_escalated', 'mail_failed',
      'attachment_blocked', 'survey_answered'
    )
  union all
  select member.user_id, 'team'
  from addressed
  join app_public.team_members as member on member.organization_id = ticket.organization_id and member.team_id = ticket.team_id
  where addressed.audience = 'team'
    or (
      ticket.assignee_id is null
      and (
        event.type in ('ticket_created', 'team_changed', 'sla_warned', 'sla_breached', 'sla_escalated', 'mail_failed', 'attachment_blocked')
        -- A question that nobody works on is everybody's.
        or (event.type = 'comment_added' and exists (
          select from app_public.users as author
          where author.organization_id = event.organization_id and author.id = event.actor_id and author.role = 'customer'
        ))
      )
    )
  union all
  select watcher.user_id, 'watcher'
  from addressed
  join app_public.ticket_watchers as watcher on watcher.organization_id = ticket.organization_id and watcher.ticket_id = ticket.id
  where addressed.audience = 'watchers' or event.type in ('comment_added', 'status_changed')
  union all
  select mentioned.user_id, 'mention'
  from app_public.comment_mentions as mentioned
  where mentioned.organization_id = event.organization_id and mentioned.comment_id = event.comment_id
  union all
  select approver.user_id, 'approver'
  from app_public.ticket_approvers as approver
  where event.type = 'approval_requested'
    and approver.organization_id = event.organization_id and approver.approval_id = (event.after ->> 'approval_id')::uuid
  union all
  select approval.requested_by_id, 'approver'
  from app_public.ticket_approvals as approval
  where event.type = 'approval_decided'
    and approval.organization_id = event.organization_id and approval.id = (event.after ->> 'approval_id')::uuid
  union all
  select person.id, case person.role when 'admin' then 'admin' else 'manager' end::app_public.notification_reason
  from addressed
  join app_public.users as person on person.organization_id = ticket.organization_id and person.role in ('manager', 'admin')
  where addressed.audience = 'managers'
    or event.type in ('sla_breached', 'sla_escalated')
    -- Of what went to no team somebody must know.
    or (event.type = 'ticket_created' and ticket.team_id is null and ticket.assignee_id is null)
$$;

comment on function app_private.people_concerned(app_public.ticket_events, app_public.tickets) is 'Whom an event concerns and why, with one row for each reason; whether they may hear of it is another question.';

create or replace function app_private.notification_facts(event app_public.ticket_events, ticket app_public.tickets, body text)
  returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'event', event.type,
    'number', ticket.number,
    'reference', ticket.reference,
    'subject', ticket.subject,
    'actor_name', coalesce(
      event.actor_name,
      (
        select actor.name from app_public.users as actor
        where actor.organization_id = event.organization_id and actor.id = event.actor_id
      )
    ),
    'excerpt', left(btrim(regexp_replace(left(body, 400), '[[:space:]]+', ' ', 'g')), 200),
    'status', case
      when event.type = 'status_changed' then event.after ->> 'status'
      when event.type = 'comment_added' and event.visibility = 'public' then (
        select changed.after ->> 'status'
        from app_public.ticket_events as changed
        where changed.organization_id = event.organization_id and changed.ticket_id = event.ticket_id
          and changed.created_at = event.created_at and changed.type = 'status_changed'
          and changed.actor_id is not distinct from event.actor_id
        limit 1
      )
    end
  ))
  || case
    when event.type in ('approval_requested', 'approval_decided') then jsonb_strip_nulls(jsonb_build_object(
      'question', left(event.after ->> 'question', 200), 'decision', event.after ->> 'decision', 'state', event.after ->> 'state'
    ))
    when event.type in ('sla_warned', 'sla_breached', 'sla_escalated') then jsonb_strip_nulls(jsonb_build_object(
      'target', event.after ->> 'kind', 'due_at', event.after ->> 'due_at'
    ))
    when event.type = 'notice_sent' then jsonb_build_object('text', left(event.after ->> 'text', 500))
    when event.type in ('mail_failed', 'attachment_blocked') then jsonb_strip_nulls(jsonb_build_object('name', left(event.after ->> 'name', 255)))
    when event.type = 'survey_answered' then jsonb_strip_nulls(jsonb_build_object('score', left(event.after ->> 'score', 10)))
    else '{}'
  end
$$;

comment on function app_private.notification_facts(app_public.ticket_events, app_public.tickets, text) is 'What a notification says of an event, with the names of this moment.';

create or replace function app_private.notify_people(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  event_kind constant app_public.notification_kind := app_private.notification_kind_of(event);
  ticket app_public.tickets;
  said app_public.comments;
  event_facts jsonb;
  told app_public.notifications[];
begin
  if event_kind is null then
    return;
  end if;

  select * into strict ticket
  from app_public.tickets as concerned
  where concerned.organization_id = event.organization_id and concerned.id = event.ticket_id;
  -- It was closed because it goes on in another one.
  if event.type = 'status_changed' and ticket.merged_into_id is not null then
    return;
  end if;

  if event.comment_id is not null then
    select * into said
    from app_public.comments as comment
    where comment.organization_id = event.organization_id and comment.id = event.comment_id;
  end if;
  event_facts := app_private.notification_facts(event, ticket, said.body);

  with concerned as (
    select who.user_id, array_agg(distinct who.reason order by who.reason) as reasons
    from app_private.people_concerned(event, ticket) as who
    where who.user_id is not null
    group by who.user_id
  ),
  people as (
    select
      person.id, person.role, concerned.reasons, app_private.quiet_until(person, now()) is not null as is_quiet,
      person.id is not distinct from event.actor_id as is_own,
      case
        when 'mention' = any (concerned.reasons) then 'mention'
        when event.type = 'ticket_created' and 'requester' = any (concerned.reasons) then 'acknowledgement'
        else event_kind
      end::app_public.notification_kind as kind
    from concerned
    join app_public.users as person on person.organization_id = event.organization_id and person.id = concerned.user_id
    where person.disabled_at is null
      -- Nobody is told what they did themselves, but that it was received.
      and (person.id is distinct from event.actor_id or (event.type = 'ticket_created' and person.role = 'customer'))
      and (
        person.role <> 'customer' or event.visibility = 'public' or event.type in ('notice_sent', 'approval_requested')
      )
      and case event.type
        when 'approval_requested' then app_private.may_approve(person.id, ticket)
        else app_private.may_see_ticket(person.id, ticket)
      end
  ),
  chosen as (
    select
      people.id, people.kind, people.reasons,
      -- What acted when no person did is called by the name of a rule, which is none of the customers'.
      case
        when people.role = 'customer' and event.actor_id is null
          then event_facts - 'actor_name' || jsonb_strip_nulls(jsonb_build_object('actor_name', said.author_name))
        else event_facts
      end as facts,
      coalesce(choice.in_app, usual.in_app) and not people.is_own as in_app,
      coalesce(choice.in_browser, usual.in_browser) and coalesce(choice.in_app, usual.in_app) and not people.is_own
        and not people.is_quiet as in_browser,
      coalesce(choice.mail, usual.mail) as mail
    from people
    join app_hidden.usual_notifications() as usual on usual.kind = people.kind and usual.role = people.role
    left join app_private.notification_choices as choice
      on choice.organization_id = event.organization_id and choice.user_id = people.id and choice.kind = people.kind
  ),
  made as (
    insert into app_public.notifications (
      organization_id, user_id, kind, reasons, event_id, ticket_id, facts, is_shown, in_browser, mail
    )
    select
      event.organization_id, chosen.id, chosen.kind, chosen.reasons, event.id, ticket.id, chosen.facts, chosen.in_app,
      chosen.in_browser, chosen.mail
    from chosen
    where chosen.in_app or chosen.mail <> 'off'
    on conflict do nothing
    returning notifications
  )
  select array_agg(made.notifications) into told from made;

  perform app_private.announce_notifications(told, ticket, said);
end
$$;

comment on function app_private.notify_people(app_public.ticket_events) is 'Tells of an event to each person it concerns, once, in the ways they chose.';

create or replace function app_private.announce_notifications(
  told app_public.notifications[], ticket app_public.tickets default null, comment app_public.comments default null
) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform pg_notify(
    'notifications:' || notification.user_id,
    json_build_object('event', 'added', 'notificationId', notification.id)::text
  )
  from unnest(told) as notification
  where notification.is_shown;

  perform app_private.write_mail(
    case
      when notification.kind = 'alert' then 'alert'
      when 'requester' <> all (notification.reasons) then 'notice'
      when notification.kind = 'reply' and notification.facts ->> 'status' in ('resolved', 'closed') then 'resolution'
      when notification.kind = 'reply' then 'reply'
      when notification.kind = 'acknowledgement' then 'acknowledgement'
      when notification.kind = 'resolved' then 'resolution'
      else 'notice'
    end::app_public.mail_kind,
    coalesce('event:' || notification.event_id, 'alert:' || notification.dedupe_key) || ':' || notification.user_id,
    recipient, announce_notifications.ticket, announce_notifications.comment,
    notification.facts || jsonb_build_object('kind', notification.kind, 'reasons', notification.reasons),
    app_private.quiet_until(recipient, now())
  )
  from unnest(told) as notification
  join app_public.users as recipient
    on recipient.organization_id = notification.organization_id and recipient.id = notification.user_id
  where notification.mail = 'immediate';
end
$$;

comment on function app_private.announce_notifications(app_public.notifications[], app_public.tickets, app_public.comments) is
  'Tells the open windows of people that there is something new, and writes the mails to those who want them at once, after their quiet hours.';

create or replace function app_private.alert_admins(alert text, facts jsonb, dedupe_key text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- What does not fit is in the log of whatever went wrong.
  said constant jsonb := case when octet_length(facts::text) <= 6000 then facts else '{}' end;
  told app_public.notifications[];
  ticket app_public.tickets;
begin
  if alert is null or alert not in ('file_blocked', 'scanner_away', 'mail_failed', 'mail_not_taken', 'mailbox_silent', 'webhook_disabled') then
    raise exception 'there is no alert %', alert;
  end if;

  if pg_input_is_valid(said ->> 'ticket_id', 'uuid') then
    select * into ticket
    from app_public.tickets as concerned
    where concerned.organization_id = app_hidden.current_organization_id() and concerned.id = (said ->> 'ticket_id')::uuid;
  end if;

  with made as (
    insert into app_public.notifications (
      organization_id, user_id, kind, reasons, ticket_id, dedupe_key, facts, is_shown, in_browser, mail
    )
    select
      person.organization_id, person.id, 'alert', '{admin}', ticket.id, alert_admins.dedupe_key,
      coalesce(said, '{}') || jsonb_build_object('alert', alert),
      coalesce(choice.in_app, usual.in_app),
      coalesce(choice.in_browser, usual.in_browser) and coalesce(choice.in_app, usual.in_app)
        and app_private.quiet_until(person, now()) is null,
      coalesce(choice.mail, usual.mail)
    from app_public.users as person
    join app_hidden.usual_notifications() as usual on usual.kind = 'alert' and usual.role = person.role
    left join app_private.notification_choices as choice
      on choice.organization_id = person.organization_id and choice.user_id = person.id and choice.kind = 'alert'
    where person.organization_id = app_hidden.current_organization_id() and person.role = 'admin' and person.disabled_at is null
      and (coalesce(choice.in_app, usual.in_app) or coalesce(choice.mail, usual.mail) <> 'off')
    on conflict do nothing
    returning notifications
  )
  select array_agg(made.notifications) into told from made;

  perform app_private.announce_notifications(told, ticket);
end
$$;

comment on function app_private.alert_admins(text, jsonb, text) is
  'Tells the admins of the organization that something of it needs them, once for each key (up to 150 characters): `file_blocked`, `scanner_away`, `mail_failed`, `mail_not_taken`, `mailbox_silent` or `webhook_disabled`. Another word is a fault of the program. A `ticket_id` among the facts is what it leads to.';

revoke all on function
  app_private.notification_kind_of(app_public.ticket_events), app_private.people_concerned(app_public.ticket_events, app_public.tickets),
  app_private.notification_facts(app_public.ticket_events, app_public.tickets, text), app_private.notify_people(app_public.ticket_events),
  app_private.announce_notifications(app_public.notifications[], app_public.tickets, app_public.comments),
  app_private.alert_admins(text, jsonb, text)
from public;

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
    'deliver_webhook:' || webhook_id || ':' || lane
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
    -- What stands in the mail of the day is written; who became a customer since does not get it.
    when mail.kind = 'digest' then not exists (
      select
      from app_public.notifications as notification
      join app_public.users as person
        on person.organization_id = notification.organization_id and person.id = notification.user_id
      left join app_public.tickets as ticket
        on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
      where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
        and notification.mail = 'digest' and notification.digested_at = mail.created_at and person.role = 'customer'
        and not app_private.may_still_be_told(
          person, notification.kind, notification.reasons, notification.facts ->> 'event', ticket
        )
    )
    else true
  end
$$;

comment on function app_private.mail_still_wanted(app_public.mail_messages) is 'Whether a mail is still to be sent: a notice is not when its reader has read it in the app by now, a notice or an alert is not when they may not be told it any more, nor the mail of the day when they became a customer. Answers to customers always are.';

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

--! split: 1081-functions-81-file-retention.sql
-- What becomes of the contents of files in the end. The database decides; a job deletes.

create or replace function app_private.file_placement(sha256 text, out place text, out decided_at timestamptz)
  language sql volatile security definer
  set search_path = ''
as $$
  -- Locked, so that nobody decides about it while its content is being moved or deleted.
  select
    case
      when file.state in ('clean', 'unscanned', 'released') then 'uploads'
      when file.state = 'removed' then 'nowhere'
      else 'quarantine'
    end,
    file.decided_at
  from app_public.stored_files as file
  where file.organization_id = app_hidden.current_organization_id() and file.sha256 = file_placement.sha256
  for no key update
$$;

comment on function app_private.file_placement(text) is
  'Where the content of a file belongs: in `uploads`, where it is served from, in `quarantine`, or `nowhere` since an instant; null when there is no such file. It stays so until the end of the transaction.';

create or replace function app_private.content_removed(sha256 text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_public.stored_files as file
  set content_removed_at = clock_timestamp()
  where file.organization_id = app_hidden.current_organization_id() and file.sha256 = content_removed.sha256 and file.state = 'removed'
$$;

comment on function app_private.content_removed(text) is 'Notes that the content of a removed file is gone from the disk.';

create or replace function app_private.forget_staged_uploads() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  forgotten integer;
begin
  delete from app_public.attachments as staged
  where staged.organization_id = app_hidden.current_organization_id() and staged.comment_id is null
    and staged.created_at < now() - interval '1 day'
    -- What somebody is still writing keeps its files.
    and staged.id not in (
      select unnest(draft.attachment_ids) from app_public.ticket_drafts as draft where draft.organization_id = app_hidden.current_organization_id()
      union all
      select unnest(reply.attachment_ids) from app_public.outgoing_replies as reply where reply.organization_id = app_hidden.current_organization_id()
    );
  get diagnostics forgotten = row_count;

  delete from app_private.upload_amounts as counted
  where counted.organization_id = app_hidden.current_organization_id() and counted.hour <= now() - interval '25 hours';
  return forgotten;
end
$$;

comment on function app_private.forget_staged_uploads() is 'Forgets what was uploaded more than a day ago and is neither on a comment nor in a draft, and how much was uploaded then; returns how many. Done by a job.';

create or replace function app_private.remove_expired_files(at_most integer default 500) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  retention integer;
  file app_public.stored_files;
  removed integer := 0;
begin
  select settings.retention_days into retention
  from app_public.attachment_settings as settings
  where settings.organization_id = app_hidden.current_organization_id();
  if retention is null then
    return 0;
  end if;

  perform set_config('atum.actor_name', 'Retention', true);
  for file in
    select judged.*
    from app_public.stored_files as judged
    where judged.organization_id = app_hidden.current_organization_id() and judged.state <> 'removed'
      -- None of its tickets was closed so late, and none is open: what another ticket still needs stays.
      and exists (
        select
        from app_public.attachments as attachment
        where attachment.organization_id = judged.organization_id and attachment.sha256 = judged.sha256
      )
      and not exists (
        select
        from app_public.attachments as attachment
        left join app_public.tickets as ticket on ticket.organization_id = attachment.organization_id and ticket.id = attachment.ticket_id
        where attachment.organization_id = judged.organization_id and attachment.sha256 = judged.sha256
          and (ticket.closed_at is null or ticket.closed_at >= now() - make_interval(days => retention))
      )
    order by judged.created_at
    limit at_most
    for no key update skip locked
  loop
    perform app_private.decide_file(file, 'removed', format('Kept for %s days after its tickets were closed', retention));
    removed := removed + 1;
  end loop;
  perform set_config('atum.actor_name', '', true);
  return removed;
end
$$;

comment on function app_private.remove_expired_files(integer) is
  'Removes files all of whose tickets were closed longer ago than the organization keeps files; returns how many. Done by a job.';

create or replace function app_private.forget_unused_files(at_most integer default 500) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  unused text;
  forgotten integer := 0;
begin
  for unused in
    select file.sha256
    from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id()
      -- What was blocked stays to be looked at for a month.
      and file.created_at < now() - case when file.state in ('infected', 'unscannable') then interval '30 days' else interval '1 day' end
      and not exists (
        select
        from app_public.attachments as attachment
        where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
      )
    order by file.created_at
    limit at_most
    -- An upload of the same content that is under way holds its row.
    for update skip locked
  loop
    delete from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id() and file.sha256 = unused
      and not exists (
        select
        from app_public.attachments as attachment
        where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
      );
    if found then
      forgotten := forgotten + 1;
    end if;
  end loop;
  return forgotten;
end
$$;

comment on function app_private.forget_unused_files(integer) is
  'Forgets files that nothing refers to since a day, or a month where they were blocked; returns how many. Done by a job.';

create or replace function app_private.remove_old_files() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Files are removed for one organization at a time';
  end if;
  perform app_private.forget_staged_uploads(), app_private.remove_expired_files(), app_private.forget_unused_files();

  -- Those whose own job was lost.
  perform app_private.enqueue_placing(gone.organization_id, gone.sha256)
  from (
    select file.organization_id, file.sha256
    from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id() and file.state = 'removed' and file.content_removed_at is null
    limit 1000
  ) as gone;

  -- What has no row any more is deleted when that is certain.
  perform app_private.enqueue(
    'sweep_contents', app_hidden.current_organization_id(), job_key => 'sweep_contents:' || app_hidden.current_organization_id()
  );
end
$$;

comment on function app_private.remove_old_files() is
  'Forgets uploads that came to nothing, removes files whose time is over, and has their contents deleted. Error JOB_WITHOUT_ORGANIZATION without claims. Done by a job.';

create or replace function app_private.contents_without_row(hashes text[]) returns setof text
  language sql stable security definer
  set search_path = ''
as $$
  select hash
  from unnest(contents_without_row.hashes) as hash
  where not exists (
    select
    from app_public.stored_files as file
    where file.organization_id = app_hidden.current_organization_id() and file.sha256 = hash
  )
$$;

comment on function app_private.contents_without_row(text[]) is 'Those of the hashes of which the organization has no file: their content was left behind by something that was killed.';

revoke all on function
  app_private.file_placement(text), app_private.content_removed(text), app_private.forget_staged_uploads(),
  app_private.remove_expired_files(integer), app_private.forget_unused_files(integer), app_private.remove_old_files(),
  app_private.contents_without_row(text[])
from public;

grant execute on function
  app_private.file_placement(text), app_private.content_removed(text), app_private.remove_old_files(),
  app_private.contents_without_row(text[])
to atum_worker;

--! split: 1082-functions-82-lost-claims.sql
-- What was begun by a worker that died is begun again.

create or replace function app_private.release_claims(names text[]) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.mail_messages as mail
  set claimed_until = now()
  where mail.claimed_by = any (names) and mail.claimed_until > now();

  update app_public.webhook_deliveries as delivery
  set claimed_until = now()
  where delivery.claimed_by = any (names) and delivery.claimed_until > now();
$$;

comment on function app_private.release_claims(text[]) is
  'Ends what workers of these names had claimed: mails they were sending and webhooks they were calling. Whatever of it was done is done once more.';

create or replace function app_private.free_jobs_of(names text[]) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.release_claims(names);

  -- Another job has taken its key and its place. The queue never runs it again, and would keep it for ever.
  delete from graphile_worker._private_jobs as replaced
  where replaced.locked_by = any (names) and replaced.key is null
    and replaced.attempts >= replaced.max_attempts and replaced.last_error is null;

  select graphile_worker.force_unlock_workers(names);
$$;

comment on function app_private.free_jobs_of(text[]) is
  'Frees what workers of these names were at. One of the jobs may have been done: whatever a job does can be done twice.';

revoke all on function app_private.release_claims(text[]), app_private.free_jobs_of(text[]) from public;

--! split: 1083-functions-83-file-decisions.sql
-- Files in quarantine: what admins see of them, and decide.

create or replace function app_private.file_to_decide(sha256 text, reason text) returns app_public.stored_files
  language plpgsql volatile
  set search_path = ''
as $$
declare
  file app_public.stored_files;
begin
  if coalesce(reason, '') !~ '[^[:space:]]' then
    raise exception using errcode = 'AD240', message = 'Say why';
  end if;

  select * into file
  from app_public.stored_files as found
  where found.organization_id = app_hidden.current_organization_id() and found.sha256 = file_to_decide.sha256
  for no key update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such file';
  end if;
  return file;
end
$$;

comment on function app_private.file_to_decide(text, text) is 'A file that an admin decides about, locked until the end of the transaction. Errors REASON_MISSING, NOT_FOUND.';

create or replace function app_private.decide_file(file app_public.stored_files, state app_public.file_state, reason text) returns app_public.stored_files
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  decided app_public.stored_files;
begin
  update app_public.stored_files as judged
  set state = decide_file.state, reason = btrim(decide_file.reason), decided_by_id = app_hidden.current_user_id(), decided_at = clock_timestamp()
  where judged.organization_id = file.organization_id and judged.sha256 = file.sha256
  returning * into decided;

  perform app_private.tell_verdict(
    decided, case decide_file.state when 'released' then 'attachment_released' else 'attachment_removed' end::app_public.ticket_event_type
  );
  perform app_private.enqueue_placing(decided.organization_id, decided.sha256);
  return decided;
end
$$;

comment on function app_private.decide_file(app_public.stored_files, app_public.file_state, text) is 'Writes down that a file is released or removed, tells its tickets, and has its content moved or deleted.';

create or replace function app_public.release_file(sha256 text, reason text) returns app_public.stored_files
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  file constant app_public.stored_files := app_private.file_to_decide(release_file.sha256, release_file.reason);
begin
  if file.state not in ('infected', 'unscannable') then
    raise exception using errcode = 'AD241', message = 'This file is not held back by a verdict of the scanner';
  end if;
  return app_private.decide_file(file, 'released', release_file.reason);
end
$$;

comment on function app_public.release_file(text, text) is
  'Lets a file that the scanner holds back be downloaded all the same, by everybody who sees a comment it is on, for a reason of 1 to 1,000 characters. It is held back again when the scanner finds something else in it later. Returns the file. Admins only. Errors: REASON_MISSING, NOT_FOUND, FILE_NOT_HELD for one that is not `infected` or `unscannable`: what waits for the scanner is not released, INVALID_INPUT.';

create or replace function app_public.remove_file(sha256 text, reason text) returns app_public.stored_files
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  file constant app_public.stored_files := app_private.file_to_decide(remove_file.sha256, remove_file.reason);
begin
  if file.state = 'removed' then
    raise exception using errcode = 'AD242', message = 'This file is removed already';
  end if;
  return app_private.decide_file(file, 'removed', remove_file.reason);
end
$$;

comment on function app_public.remove_file(text, text) is
  'Deletes the content of a file for good, from every comment it is on, for a reason of 1 to 1,000 characters; its name stays. Returns the file. Admins only. Errors: REASON_MISSING, NOT_FOUND, FILE_REMOVED for one that is, INVALID_INPUT.';

create or replace function app_public.scan_file_again(sha256 text) returns app_public.stored_files
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  file app_public.stored_files;
begin
  update app_public.stored_files as judged
  set state = 'pending'
  where judged.organization_id = app_hidden.current_organization_id() and judged.sha256 = scan_file_again.sha256
    and judged.state in ('infected', 'unscannable')
  returning * into file;
  if not found then
    if exists (
      select
      from app_public.stored_files as judged
      where judged.organization_id = app_hidden.current_organization_id() and judged.sha256 = scan_file_again.sha256
    ) then
      raise exception using errcode = 'AD241', message = 'This file is not held back by a verdict of the scanner';
    end if;
    raise exception using errcode = 'AD101', message = 'There is no such file';
  end if;
  perform app_private.enqueue_scan(file.organization_id, file.sha256);
  return file;
end
$$;

comment on function app_public.scan_file_again(text) is
  'Has a file that is held back scanned once more, after the scanner has learned or is allowed larger files; it stays held back meanwhile. Returns the file, which is `pending`. Admins only. Errors: NOT_FOUND, FILE_NOT_HELD.';

create or replace function app_public.stored_files_names(file app_public.stored_files) returns text[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(named.name order by named.first, named.name), '{}')
  from (
    select attachment.name, min(attachment.created_at) as first
    from app_public.attachments as attachment
    where attachment.organization_id = app_hidden.current_organization_id()
      and attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
    group by attachment.name
    order by min(attachment.created_at), attachment.name
    limit 10
  ) as named
$$;

comment on function app_public.stored_files_names(app_public.stored_files) is 'What it is called where it is attached or was uploaded, the first ten names.';

create or replace function app_hidden.first_uploader_id(file app_public.stored_files) returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select attachment.uploaded_by_id
  from app_public.attachments as attachment
  where attachment.organization_id = app_hidden.current_organization_id()
    and attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
  order by attachment.created_at, attachment.id
  limit 1
$$;

comment on function app_hidden.first_uploader_id(app_public.stored_files) is 'Who uploaded a file first, also when it is on no comment yet.';

create or replace function app_public.stored_files_uploaded_by(file app_public.stored_files) returns app_public.users
  language sql stable
  set search_path = ''
as $$
  select person
  from app_public.users as person
  where person.organization_id = file.organization_id and person.id = app_hidden.first_uploader_id(file)
$$;

comment on function app_public.stored_files_uploaded_by(app_public.stored_files) is 'Who uploaded it first; null when it came by mail from nobody known.';

create or replace function app_public.stored_files_tickets(file app_public.stored_files) returns setof app_public.tickets
  language sql stable
  set search_path = ''
as $$
  select ticket.*
  from app_public.tickets as ticket
  where ticket.organization_id = file.organization_id
    and ticket.id in (
      select attachment.ticket_id
      from app_public.attachments as attachment
      where attachment.organization_id = file.organization_id and attachment.sha256 = file.sha256
    )
  order by ticket.number
$$;

comment on function app_public.stored_files_tickets(app_public.stored_files) is 'The tickets it is on.';

revoke all on function
  app_private.file_to_decide(text, text), app_private.decide_file(app_public.stored_files, app_public.file_state, text),
  app_public.release_file(text, text), app_public.remove_file(text, text), app_public.scan_file_again(text),
  app_public.stored_files_names(app_public.stored_files), app_public.stored_files_uploaded_by(app_public.stored_files),
  app_hidden.first_uploader_id(app_public.stored_files), app_public.stored_files_tickets(app_public.stored_files)
from public;

grant execute on function
  app_public.release_file(text, text), app_public.remove_file(text, text), app_public.scan_file_again(text),
  app_public.stored_files_names(app_public.stored_files), app_public.stored_files_uploaded_by(app_public.stored_files),
  app_hidden.first_uploader_id(app_public.stored_files), app_public.stored_files_tickets(app_public.stored_files)
to atum_admin;

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
$$;

comment on function app_private.record_mailbox_test(uuid, text, text) is 'Notes what the test of a mailbox found.';

create or replace function app_private.mailbox_progress(mailbox_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object('uidValidity', state.uid_validity::text, 'lastUid', state.last_uid, 'lastFetchedAt', state.last_fetched_at)
  from app_public.mailbox_states as state
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = mailbox_progress.mailbox_id
$$;

comment on function app_private.mailbox_progress(uuid) is 'Where reading a mailbox goes on: `{uidValidity, lastUid, lastFetchedAt}`, null where it begins.';

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
  perform app_private.enqueue(
    'process_incoming_mail', late.organization_id, jsonb_build_object('incomingMailId', late.id),
    job_key => 'process_incoming_mail:' || late.id
  )
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
  app_private.mailbox_settings(app_public.mailboxes), app_private.lease_mailboxes(text, integer, boolean), app_private.release_mailboxes(text),
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

--! split: 1085-functions-85-mail-threads.sql
-- Whose a mail is: what it answers, who sent it, and whether a machine did.

create or replace function app_private.is_own_mail_address(address text) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.mailboxes as box
    where box.organization_id = app_hidden.current_organization_id() and box.archived_at is null
      and (
        box.address = is_own_mail_address.address::public.citext
        -- With what stands between a plus and the at sign, as in the address that answers go to.
        or split_part(lower(is_own_mail_address.address), '@', 2) = split_part(lower(box.address::text), '@', 2)
          and starts_with(lower(is_own_mail_address.address), split_part(lower(box.address::text), '@', 1) || '+')
      )
  )
$$;

comment on function app_private.is_own_mail_address(text) is 'Whether an address is that of a mailbox of the organization, also with something after a plus.';

create or replace function app_private.reply_token_in(addresses text[]) returns text
  language sql stable
  set search_path = ''
as $$
  select split_part(split_part(lower(address), '@', 1), '+', 2)
  from unnest(addresses) as address
  where split_part(address, '@', 1) like '%_+_%' and app_private.is_own_mail_address(address)
  limit 1
$$;

comment on function app_private.reply_token_in(text[]) is 'What stands after the plus in the first address of ours that has one; null where none has.';

create or replace function app_private.answered_tickets(facts jsonb)
  returns table (way text, ticket_id uuid, user_id uuid)
  language sql stable
  set search_path = ''
as $$
  with referred as (
    select coalesce(array_agg(id order by place), '{}') as ids
    from jsonb_array_elements_text(facts -> 'references') with ordinality as listed (id, place)
  ),
  answered as (
    select 1 as trust, found.place, 'reference' as way, found.ticket_id, found.user_id
    from referred
    cross join lateral app_private.ticket_of_message_ids(referred.ids) with ordinality as found (ticket_id, user_id, place)
    union all
    -- Somebody goes on in a mail of their own, before or without ours.
    select 2, row_number() over (order by earlier.created_at desc, earlier.id desc), 'reference', earlier.ticket_id, null
    from referred
    join app_public.incoming_mails as earlier
      on earlier.organization_id = app_hidden.current_organization_id() and earlier.message_id = any (referred.ids)
    where earlier.comment_id is not null
    union all
    select 3, found.place, 'token', found.ticket_id, found.user_id
    from app_private.ticket_of_reply_token(
      app_private.reply_token_in(array(select jsonb_array_elements_text(facts -> 'recipients')))
    ) with ordinality as found (ticket_id, user_id, place)
    union all
    select 4, named.place, 'subject', ticket.id, null
    from jsonb_array_elements_text(facts -> 'subjectReferences') with ordinality as named (reference, place)
    join app_public.tickets as ticket
      on ticket.organization_id = app_hidden.current_organization_id() and ticket.number::text = split_part(named.reference, '-', 2)
      and ticket.reference = named.reference
  )
  select way, ticket_id, user_id from answered order by trust, place
$$;

comment on function app_private.answered_tickets(jsonb) is
  'The tickets that a mail may belong to, the likeliest first: by the mails it answers, by the token in the address it is to, by the number in its subject; and to whom the mail it answers was, where it is one of ours.';

create or replace function app_private.answered_mails(facts jsonb) returns setof app_public.mail_messages
  language sql stable
  set search_path = ''
as $$
  select mail.*
  from (
    select named.mail_id
    from app_private.mails_of_message_ids(array(select jsonb_array_elements_text(facts -> 'references'))) as named
    union
    select token.mail_id
    from app_private.mail_reply_tokens as token
    where token.organization_id = app_hidden.current_organization_id()
      and token.token_hash = app_private.token_hash(
        app_private.reply_token_in(array(select jsonb_array_elements_text(facts -> 'recipients')))
      )
  ) as answered
  join app_public.mail_messages as mail on mail.organization_id = app_hidden.current_organization_id() and mail.id = answered.mail_id
$$;

comment on function app_private.answered_mails(jsonb) is 'The mails of ours that a mail answers, by what it refers to and by the token in the address it is to.';

-- An answer shows its token, and the names of the mails before it, to everybody it was written to. Nothing is marked: the log
-- of incoming mails says whether an answer of the colleague went to others, and then what they were sent before it proves nothing
-- any more; what they are sent afterwards does, and so does a second answer that nobody else was sent a copy of before.
create or replace function app_private.proves_staff(facts jsonb, person app_public.users, ticket_ids uuid[]) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.answered_mails(facts) as mail
    where mail.user_id = person.id and mail.ticket_id = any (ticket_ids)
      and coalesce(mail.sent_at, mail.created_at) > now() - interval '14 days'
      and not exists (
        select
        from app_public.incoming_mails as shown
        join app_public.comments as said on said.organization_id = shown.organization_id and said.id = shown.comment_id
        cross join unnest(shown.to_addresses) as other (address)
        where shown.organization_id = mail.organization_id and shown.ticket_id = any (ticket_ids)
          and shown.state = 'processed' and said.author_id = person.id
          and shown.created_at >= coalesce(mail.sent_at, mail.created_at)
          and not app_private.is_own_mail_address(other.address)
          and not exists (
            select from app_public.users as colleague
            where colleague.organization_id = mail.organization_id
              and colleague.email = app_private.mail_address(other.address)
              and colleague.role <> 'customer' and colleague.disabled_at is null
          )
      )
  )
$$;

comment on function app_private.proves_staff(jsonb, app_public.users, uuid[]) is
  'Whether a mail proves that a colleague wrote it: it answers one that they were sent about one of these tickets within 14 days, and of which they showed nothing to others by an answer since.';

create or replace function app_private.answers_public_words(facts jsonb, user_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    (
      select said.visibility = 'public'
      from app_private.answered_mails(facts) as mail
      left join app_public.comments as said on said.organization_id = mail.organization_id and said.id = mail.comment_id
      where mail.user_id = answers_public_words.user_id
      order by mail.created_at desc, mail.id desc
      limit 1
    ),
    false
  )
$$;

comment on function app_private.answers_public_words(jsonb, uuid) is
  'Whether the latest mail that somebody answers carried what was said in public. Who answers a note of colleagues, or the news that a ticket is theirs, does not speak to the requester.';

create or replace function app_private.customer_by_mail(sender jsonb) returns app_public.users
  language plpgsql volatile
  set search_path = ''
as $$
declare
  person app_public.users;
  address constant public.citext := app_private.mail_address(sender ->> 'address');
begin
  -- Who never came logs in with no password; an invitation, or registering, gives one.
  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (
    app_hidden.current_organization_id(), address::text,
    coalesce(nullif(btrim(left(btrim(regexp_replace(sender ->> 'name', '[[:cntrl:][:space:]]+', ' ', 'g')), 120)), ''), left(split_part(address::text, '@', 1), 120)),
    'customer', null
  )
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into person;
  if not found then
    select * into strict person
    from app_public.users as known
    where known.organization_id = app_hidden.current_organization_id() and known.email = address;
  end if;
  return person;
end
$$;

comment on function app_private.customer_by_mail(jsonb) is 'The person with the address of a sender, made as a customer where there is none.';

create or replace function app_private.why_to_ignore(mail app_public.incoming_mails, mailbox app_public.mailboxes, facts jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  kind constant text := coalesce(facts ->> 'kind', 'person');
begin
  if kind in ('bounce', 'complaint') then
    return kind;
  end if;
  if app_private.is_own_mail_address(facts #>> '{from,address}')
    or exists (select from app_private.mails_of_message_ids(array[facts ->> 'messageId']))
    or exists (
    -- Another desk may write to this one.
    select
    from app_public.organizations as organization
    where organization.id = mail.organization_id and organization.slug = split_part(facts ->> 'desk', '/', 1)
  ) then
    return 'loop';
  end if;
  if kind in ('auto_reply', 'bulk') or (kind = 'mailing_list' and not mailbox.accepts_lists) then
    return kind;
  end if;
  return null;
end
$$;

comment on function app_private.why_to_ignore(app_public.incoming_mails, app_public.mailboxes, jsonb) is 'Why a mail opens no ticket and gets no answer, by what it is: of a machine, a list, or ourselves; null for one of a person.';

revoke all on function
  app_private.is_own_mail_address(text), app_private.reply_token_in(text[]), app_private.answered_tickets(jsonb),
  app_private.answered_mails(jsonb), app_private.proves_staff(jsonb, app_public.users, uuid[]),
  app_private.answers_public_words(jsonb, uuid), app_private.customer_by_mail(jsonb),
  app_private.why_to_ignore(app_public.incoming_mails, app_public.mailboxes, jsonb)
from public;

--! split: 1086-functions-86-notification-inbox.sql
-- What people do with the notifications they were given.

create or replace function app_public.unread_notification_count() returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.notifications as notification
    where notification.organization_id = (select app_hidden.current_organization_id())
      and notification.user_id = (select app_hidden.current_user_id())
      and notification.read_at is null
    limit 100
  ) as unread
$$;

comment on function app_public.unread_notification_count() is 'How many notifications of the caller are unread, counted up to 100, which stands for more than 99.';

create or replace function app_private.mark_notifications_read(
  id uuid default null, ticket_id uuid default null, before timestamptz default null
) returns integer
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  marked integer;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to read what you were told';
  end if;

  update app_public.notifications as notification
  set read_at = now()
  where notification.organization_id = app_hidden.current_organization_id()
    and notification.user_id = app_hidden.current_user_id()
    and notification.read_at is null
    and (mark_notifications_read.id is null or notification.id = mark_notifications_read.id)
    and (mark_notifications_read.ticket_id is null or notification.ticket_id = mark_notifications_read.ticket_id)
    and (mark_notifications_read.before is null or notification.created_at <= mark_notifications_read.before);
  get diagnostics marked = row_count;

  -- The other windows of the same person count down.
  if marked > 0 then
    perform pg_notify('notifications:' || app_hidden.current_user_id(), json_build_object('event', 'read')::text);
  end if;
  return marked;
end
$$;

comment on function app_private.mark_notifications_read(uuid, uuid, timestamptz) is 'Marks those of the caller''s notifications as read to which all that is given applies, and returns how many.';

create or replace function app_public.mark_notification_read(notification_id uuid) returns app_public.notifications
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  notification app_public.notifications;
begin
  perform app_private.mark_notifications_read(id => notification_id);
  select marked.* into notification
  from app_public.notifications as marked
  join app_public.users as person on person.organization_id = marked.organization_id and person.id = marked.user_id
  left join app_public.tickets as ticket on ticket.organization_id = marked.organization_id and ticket.id = marked.ticket_id
  where marked.organization_id = app_hidden.current_organization_id()
    and marked.user_id = app_hidden.current_user_id() and marked.id = notification_id and marked.is_shown
    and app_private.may_still_be_told(person, marked.kind, marked.reasons, marked.facts ->> 'event', ticket);
  if not found then
    raise exception using errcode = 'AD101', message = 'You have no such notification';
  end if;
  return notification;
end
$$;

comment on function app_public.mark_notification_read(uuid) is 'Marks a notification of the caller as read, and returns it. Errors: UNAUTHENTICATED, NOT_FOUND.';

create or replace function app_public.mark_ticket_notifications_read(ticket_id uuid) returns integer
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.mark_notifications_read(ticket_id => mark_ticket_notifications_read.ticket_id)
  where mark_ticket_notifications_read.ticket_id is not null
$$;

comment on function app_public.mark_ticket_notifications_read(uuid) is 'Marks what the caller was told of a ticket as read, for whoever has it before them, and returns how many notifications that were. Error UNAUTHENTICATED.';

create or replace function app_public.mark_all_notifications_read(before timestamptz default null) returns integer
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.mark_notifications_read(before => mark_all_notifications_read.before)
$$;

comment on function app_public.mark_all_notifications_read(timestamptz) is 'Marks all notifications of the caller as read, or those up to an instant, such as the newest one on the screen, and returns how many. Error UNAUTHENTICATED.';

create or replace function app_private.remove_old_notifications() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  removed integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Notifications are removed for one organization at a time';
  end if;

  delete from app_public.notifications as old
  where old.organization_id = app_hidden.current_organization_id()
    and old.id in (
      select candidate.id
      from app_public.notifications as candidate
      where candidate.organization_id = app_hidden.current_organization_id()
        and candidate.created_at < now() - interval '90 days'
      order by candidate.created_at
      limit 20000
    );
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_notifications() is 'Removes notifications of the current organization that are older than 90 days, up to 20,000, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_public.unread_notification_count(), app_private.mark_notifications_read(uuid, uuid, timestamptz), app_public.mark_notification_read(uuid),
  app_public.mark_ticket_notifications_read(uuid), app_public.mark_all_notifications_read(timestamptz), app_private.remove_old_notifications()
from public;

grant execute on function
  app_public.unread_notification_count(), app_public.mark_notification_read(uuid), app_public.mark_ticket_notifications_read(uuid),
  app_public.mark_all_notifications_read(timestamptz)
to atum_customer, atum_agent;
grant execute on function app_private.remove_old_notifications() to atum_worker;

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
  -- Whoever leaves a place wakes those that found none. A test is made at once.
  if delivery.event_id is not null and app_private.webhook_places(webhook) = 0 then
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

comment on function app_public.send_test_webhook(uuid) is 'Calls a webhook once with a body of type `ping`, also when it is switched off, and returns the call, whose `state` says before long how it went. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY without a secret.';

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
      limit 10000
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

comment on function app_public.replay_webhook_since(uuid, timestamptz, boolean) is 'Tells a webhook of what happened since an instant and it was not told of: what was given up or cancelled, and what happened while it was off; with `includesDelivered` also of what it took. At most 10,000 at a time, from the last 30 days and since the webhook was made; returns how many. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

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

--! split: 2034-policies-34-attachments.sql
select app_private.reset_access('app_public.attachment_settings');

create policy select_member on app_public.attachment_settings for select to atum_customer, atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.attachment_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.attachment_settings to atum_customer, atum_agent;
grant update (max_file_bytes, max_files_per_comment, allowed_content_types, refused_content_types, retention_days)
  on app_public.attachment_settings to atum_admin;

select app_private.reset_access('app_public.stored_files');

create policy select_admin on app_public.stored_files for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.stored_files to atum_admin;
-- NOTE: uploads and verdicts are written by functions.

select app_private.reset_access('app_private.upload_amounts');

select app_private.reset_access('app_public.attachments');

-- What is on no comment yet is its uploader's; what is on one is read by whoever reads the comment.
create policy select_member on app_public.attachments for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and case
      when comment_id is null then uploaded_by_id = (select app_hidden.current_user_id())
      else exists (
        select
        from app_public.comments as comment
        where comment.organization_id = attachments.organization_id and comment.id = attachments.comment_id
      )
    end
  );

grant select on app_public.attachments to atum_customer, atum_agent;
-- NOTE: uploads, comments and verdicts are written by functions.

--! split: 2074-policies-74-notifications.sql
select app_private.reset_access('app_public.notifications');

-- What somebody was told is theirs alone, and only as long as they would be told it: app_private.may_still_be_told says the
-- same for functions. Who is asked for approval need not see the ticket. `offset 0` has each row look for its own ticket: a page of
-- them is cheaper so than all the tickets that somebody sees.
create policy select_customer on app_public.notifications for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
    -- Who was staff keeps nothing of what staff is told.
    and kind in ('acknowledgement', 'reply', 'status_changed', 'resolved', 'approval', 'notice')
    and reasons && '{requester,watcher,approver}'
    and case kind
      when 'approval' then facts ->> 'event' = 'approval_requested'
      else exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = notifications.organization_id and ticket.id = notifications.ticket_id
        offset 0
      )
    end
  );

create policy select_staff on app_public.notifications for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
    and (
      (select app_hidden.sees_every_team())
      or facts ->> 'event' = 'approval_requested'
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = notifications.organization_id and ticket.id = notifications.ticket_id
        offset 0
      )
    )
  );

grant select (
  organization_id, id, user_id, kind, reasons, event_id, ticket_id, facts, in_browser, read_at, created_at
) on app_public.notifications to atum_customer, atum_agent;
-- NOTE: notify_people writes them, and functions mark them as read.

select app_private.reset_access('app_private.notification_choices');
select app_private.reset_access('app_private.notification_settings');
-- NOTE: only the functions of notifications read and write these.
