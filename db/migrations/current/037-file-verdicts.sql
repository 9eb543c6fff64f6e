alter table app_public.stored_files
  add column scan_at timestamptz not null default now(),
  add column scan_attempts integer not null default 0 check (scan_attempts >= 0),
  add column content_removed_at timestamptz,
  add check (content_removed_at is null or state = 'removed');

comment on column app_public.stored_files.scan_at is 'From when on the scanner is to look at it, while it is `pending`; later after each attempt that failed.';
comment on column app_public.stored_files.scan_attempts is 'How often the scanner failed over it; after eight times it is `unscannable`.';
comment on column app_public.stored_files.content_removed_at is 'When the content of a removed file was gone from the disk.';

-- Oldest first, those that were never scanned before all.
drop index app_public.stored_files_organization_id_scanned_at_idx;
create index stored_files_organization_id_scanned_at_idx on app_public.stored_files (organization_id, scanned_at nulls first);

-- How many wait, which the health page counts over all organizations.
create index stored_files_pending_idx on app_public.stored_files (organization_id, scan_at) where state = 'pending';
create index stored_files_content_to_remove_idx on app_public.stored_files (organization_id) where state = 'removed' and content_removed_at is null;
create index stored_files_organization_id_decided_at_idx on app_public.stored_files (organization_id, decided_at) where decided_at is not null;

create table app_private.scanner_status (
  scanner text primary key check (scanner = 'clamd'),
  state text not null check (state in ('answering', 'away', 'off')),
  since timestamptz not null default clock_timestamp(),
  checked_at timestamptz not null default clock_timestamp(),
  version text check (length(version) <= 200),
  reason text check (length(reason) <= 500)
);

comment on table app_private.scanner_status is 'What the workers know of the scanner, touched every few seconds: how the health page knows why files wait.';
