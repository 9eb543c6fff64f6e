create type app_public.file_state as enum ('pending', 'clean', 'unscanned', 'infected', 'unscannable', 'released', 'removed');
comment on type app_public.file_state is 'What is known of a file: it waits for the scanner (`pending`), was found `clean`, was let through `unscanned` because this installation has no scanner, is `infected`, could not be looked into (`unscannable`), was `released` by an admin all the same, or its content is gone (`removed`). Only `clean`, `unscanned` and `released` ones are served.';

create table app_public.attachment_settings (
  organization_id uuid not null unique references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  max_file_bytes bigint not null default 26214400 check (max_file_bytes between 1 and 1073741824),
  max_files_per_comment integer not null default 10 check (max_files_per_comment between 1 and 50),
  allowed_content_types text[] not null default '{}' check (cardinality(allowed_content_types) <= 100 and array_position(allowed_content_types, null) is null),
  refused_content_types text[] not null default '{application/x-msdownload, application/x-elf, application/x-mach-binary, application/x-executable}'
    check (cardinality(refused_content_types) <= 100 and array_position(refused_content_types, null) is null),
  retention_days integer check (retention_days between 1 and 36500),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);

comment on table app_public.attachment_settings is 'What an organization lets be attached, and for how long it is kept. One row for each organization.';
comment on column app_public.attachment_settings.organization_id is 'The organization.';
comment on column app_public.attachment_settings.id is 'Row id.';
comment on column app_public.attachment_settings.max_file_bytes is 'The largest file in bytes, up to 1 GiB.';
comment on column app_public.attachment_settings.max_files_per_comment is 'The most files that one comment carries, 1 to 50.';
comment on column app_public.attachment_settings.allowed_content_types is 'The types that may be attached, such as `image/png` or `image/*`, by content and not by name; empty for any that is not refused.';
comment on column app_public.attachment_settings.refused_content_types is 'The types that may not be attached, by content and not by name.';
comment on column app_public.attachment_settings.retention_days is 'How many days after the ticket was closed the content of its files is removed; null for never.';
comment on column app_public.attachment_settings.updated_at is 'When it was last changed.';

insert into app_public.attachment_settings (organization_id) select id from app_public.organizations on conflict do nothing;

-- One row for each content: what is uploaded twice is kept, scanned and judged once.
create table app_public.stored_files (
  organization_id uuid not null references app_public.organizations on delete cascade,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size bigint not null check (size >= 0),
  content_type text not null check (length(content_type) between 3 and 120),
  state app_public.file_state not null default 'pending',
  signature text check (length(signature) between 1 and 300),
  scanned_at timestamptz,
  scanned_with text check (length(scanned_with) <= 200),
  decided_by_id uuid,
  decided_at timestamptz,
  reason text check (length(reason) between 1 and 1000),
  created_at timestamptz not null default now(),
  primary key (organization_id, sha256),
  -- For the attachments, which carry the verdict beside them.
  unique (organization_id, sha256, state),
  foreign key (organization_id, decided_by_id) references app_public.users on delete set null (decided_by_id),
  check (state <> 'released' or (decided_at is not null and reason is not null)),
  check (state <> 'infected' or signature is not null)
);

create index stored_files_organization_id_state_idx on app_public.stored_files (organization_id, state, created_at);
create index stored_files_organization_id_decided_by_id_idx on app_public.stored_files (organization_id, decided_by_id) where decided_by_id is not null;
create index stored_files_organization_id_scanned_at_idx on app_public.stored_files (organization_id, scanned_at);

comment on table app_public.stored_files is 'The contents of files, each once in an organization, and what the scanner said of them.';
comment on column app_public.stored_files.organization_id is 'The organization it belongs to.';
comment on column app_public.stored_files.sha256 is 'SHA-256 of the content, 64 hexadecimal digits.';
comment on column app_public.stored_files.size is 'Bytes.';
comment on column app_public.stored_files.content_type is 'The type, found by looking at the content.';
comment on column app_public.stored_files.state is 'What is known of it.';
comment on column app_public.stored_files.signature is 'What the scanner found, by its name, or why it could not look into it.';
comment on column app_public.stored_files.scanned_at is 'When it was last scanned.';
comment on column app_public.stored_files.scanned_with is 'The version of the scanner and its signatures.';
comment on column app_public.stored_files.decided_by_id is 'The admin who released or removed it.';
comment on column app_public.stored_files.decided_at is 'When that was.';
comment on column app_public.stored_files.reason is 'Why it was released or removed.';
comment on column app_public.stored_files.created_at is 'When it was first uploaded.';

alter table app_public.comments add constraint comments_organization_id_id_ticket_id_key unique (organization_id, id, ticket_id);

create table app_public.attachments (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  uploaded_by_id uuid,
  ticket_id uuid,
  comment_id uuid,
  name text not null check (name ~ '^[^[:cntrl:]/\\]+$' and length(name) <= 255 and name not in ('.', '..')),
  claimed_content_type text check (length(claimed_content_type) <= 200),
  content_id text check (length(content_id) between 1 and 255),
  sha256 text not null,
  size bigint not null,
  content_type text not null,
  state app_public.file_state not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- The verdict over the content is the verdict over everything that has this content.
  foreign key (organization_id, sha256, state) references app_public.stored_files (organization_id, sha256, state) on update cascade,
  -- Goes where its comment goes.
  foreign key (organization_id, comment_id, ticket_id) references app_public.comments (organization_id, id, ticket_id) on update cascade on delete cascade,
  foreign key (organization_id, uploaded_by_id) references app_public.users on delete set null (uploaded_by_id),
  check ((comment_id is null) = (ticket_id is null))
);

create index attachments_organization_id_comment_id_ticket_id_idx on app_public.attachments (organization_id, comment_id, ticket_id);
create index attachments_organization_id_ticket_id_created_at_idx on app_public.attachments (organization_id, ticket_id, created_at, id);
create index attachments_organization_id_sha256_state_idx on app_public.attachments (organization_id, sha256, state);
create index attachments_organization_id_uploaded_by_id_idx on app_public.attachments (organization_id, uploaded_by_id);
create index attachments_organization_id_created_at_idx on app_public.attachments (organization_id, created_at) where comment_id is null;

comment on table app_public.attachments is 'Files on comments. One that was uploaded and is on no comment yet is seen by its uploader alone, and forgotten after a day.';
comment on column app_public.attachments.organization_id is 'The organization it belongs to.';
comment on column app_public.attachments.id is 'The identifier of the attachment, by which it is downloaded: `GET /api/v1/attachments/<rowId>`.';
comment on column app_public.attachments.uploaded_by_id is 'Who uploaded it; null when it came by mail from nobody known.';
comment on column app_public.attachments.ticket_id is 'The ticket; null until it is on a comment.';
comment on column app_public.attachments.comment_id is 'The comment it is on; null until there is one.';
comment on column app_public.attachments.name is 'What it is called, 1 to 255 characters without slashes and control characters.';
comment on column app_public.attachments.claimed_content_type is 'The type that its sender said it has; nothing relies on it.';
comment on column app_public.attachments.content_id is 'By what the text of a mail refers to it, where it is part of the text.';
comment on column app_public.attachments.sha256 is 'SHA-256 of the content, 64 hexadecimal digits.';
comment on column app_public.attachments.size is 'Bytes.';
comment on column app_public.attachments.content_type is 'The type, found by looking at the content.';
comment on column app_public.attachments.state is 'What is known of its content; only `clean`, `unscanned` and `released` ones are served.';
comment on column app_public.attachments.created_at is 'When it was uploaded.';
