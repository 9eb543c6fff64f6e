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
