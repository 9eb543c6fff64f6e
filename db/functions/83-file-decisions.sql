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
