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
