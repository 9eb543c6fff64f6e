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
