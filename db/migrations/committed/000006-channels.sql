--! Previous: sha1:2d29ba5859ce7574ed17e850a92acd5bfe7205fe
--! Hash: sha1:b009edb1021151048c8b797e6a860da6d8c43048
--! Message: channels

--! split: 009-lost-jobs.sql
-- A job belongs to whoever locked it. That of a worker which died is taken up by another.
drop function app_private.record_heartbeat(text, timestamptz);

alter table app_private.worker_heartbeats
  add column lock_names text[] not null default '{}' check (cardinality(lock_names) <= 1000 and array_position(lock_names, null) is null);

comment on column app_private.worker_heartbeats.lock_names is 'The names under which it locks jobs.';

--! split: 034-attachments.sql
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

--! split: 035-attached-files.sql
-- Files go with what is said.
drop function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text);
drop function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text);
drop function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text);
drop function app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer);
drop function app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text);

alter table app_public.ticket_drafts
  add column attachment_ids uuid[] not null default '{}'
    check (cardinality(attachment_ids) <= 50 and array_position(attachment_ids, null) is null);
alter table app_public.outgoing_replies
  add column attachment_ids uuid[] not null default '{}'
    check (cardinality(attachment_ids) <= 50 and array_position(attachment_ids, null) is null);

comment on column app_public.ticket_drafts.attachment_ids is 'The files that were uploaded for it and wait to be sent, by their row ids. Those that are gone since are not refused until it is sent.';
comment on column app_public.outgoing_replies.attachment_ids is 'The files that go with it, by their row ids.';

-- What happens to the files of a comment names the comment, and moves with it.
alter table app_public.ticket_events drop constraint ticket_events_check;
alter table app_public.ticket_events add constraint ticket_events_check check (
  case
    when type = 'comment_added' then comment_id is not null
    when type in ('attachment_added', 'attachment_blocked', 'attachment_released', 'attachment_removed') then true
    else comment_id is null
  end
);

comment on column app_public.ticket_events.comment_id is 'The comment that was added, for `comment_added`, or that carries the files, for `attachment_added`, `attachment_blocked`, `attachment_released` and `attachment_removed`.';
comment on column app_public.ticket_events.after is 'The changed fields as they became; for `sla_met` and `sla_breached` also `kind` and `due_at`; for `attachment_added` the `files`, each with `id`, `name`, `size` in bytes and `content_type`.';

--! split: 036-file-links.sql
create table app_private.file_tokens (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  token_hash bytea not null,
  attachment_id uuid not null,
  recipient_id uuid not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, token_hash),
  foreign key (organization_id, attachment_id) references app_public.attachments on delete cascade,
  foreign key (organization_id, recipient_id) references app_public.users on delete cascade
);

-- Whoever follows a link names no organization.
create index file_tokens_token_hash_idx on app_private.file_tokens (token_hash);
create index file_tokens_organization_id_attachment_id_idx on app_private.file_tokens (organization_id, attachment_id);
create index file_tokens_organization_id_recipient_id_idx on app_private.file_tokens (organization_id, recipient_id);
create index file_tokens_organization_id_expires_at_idx on app_private.file_tokens (organization_id, expires_at);

comment on table app_private.file_tokens is 'The links to files that mails carry. The token is in the mail alone; here is its hash.';
comment on column app_private.file_tokens.organization_id is 'The organization it belongs to.';
comment on column app_private.file_tokens.id is 'Row id.';
comment on column app_private.file_tokens.token_hash is 'SHA-256 of the token.';
comment on column app_private.file_tokens.attachment_id is 'The file.';
comment on column app_private.file_tokens.recipient_id is 'Whom it was sent to: it is good for as long as that person may see the file.';
comment on column app_private.file_tokens.expires_at is 'Until when it is good.';
comment on column app_private.file_tokens.created_at is 'When the mail was sent.';

--! split: 037-file-verdicts.sql
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

--! split: 060-announcements.sql
create table app_private.announcement_queue (
  organization_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  queued_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, event_id),
  foreign key (organization_id, event_id) references app_public.ticket_events on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade
);

create index announcement_queue_organization_id_ticket_id_queued_at_idx on app_private.announcement_queue (organization_id, ticket_id, queued_at, event_id);
create index announcement_queue_organization_id_queued_at_idx on app_private.announcement_queue (organization_id, queued_at);

comment on table app_private.announcement_queue is 'Events that nobody outside was told of yet. A job takes them ticket by ticket, in order.';
comment on column app_private.announcement_queue.organization_id is 'The organization it belongs to.';
comment on column app_private.announcement_queue.event_id is 'The event.';
comment on column app_private.announcement_queue.ticket_id is 'The ticket when it was queued.';
comment on column app_private.announcement_queue.queued_at is 'When it was queued, which is the order in which things happened to a ticket: whatever changes one has it locked.';

--! split: 061-mail-messages.sql
create type app_public.mail_kind as enum ('acknowledgement', 'reply', 'resolution', 'notice', 'digest', 'survey', 'alert', 'test');
comment on type app_public.mail_kind is 'What a mail is for: that a request was received, an answer to it, that it was resolved, a notice of something else, several notices at once, a question how it went, a warning to admins, or a test of the settings.';

create type app_public.mail_state as enum ('waiting', 'sent', 'kept', 'failed', 'bounced', 'complained', 'cancelled');
comment on type app_public.mail_state is 'Where a mail is: it waits for its time or its next attempt, the mail server took it (`sent`), it is kept because there is no mail server, it was given up (`failed`), it came back (`bounced`), its recipient called it spam (`complained`), or somebody cancelled it.';

create table app_public.mail_messages (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  kind app_public.mail_kind not null,
  dedupe_key text not null check (length(dedupe_key) between 1 and 200),
  user_id uuid,
  to_name text check (length(to_name) <= 200),
  to_address text not null check (to_address ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$' and length(to_address) <= 320),
  from_name text check (length(from_name) <= 200),
  from_address text check (from_address ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$' and length(from_address) <= 320),
  ticket_id uuid,
  comment_id uuid,
  locale text not null default 'en' check (length(locale) between 2 and 35),
  subject text not null check (subject !~ '[[:cntrl:]]' and length(subject) between 1 and 400),
  text_body text not null check (octet_length(text_body) <= 524288),
  html_body text not null check (octet_length(html_body) <= 2097152),
  message_id text not null check (message_id ~ '^<[^[:space:]<>@]+@[^[:space:]<>@]+>$'),
  reference_ids text[] not null default '{}' check (cardinality(reference_ids) <= 50),
  attachment_ids uuid[] not null default '{}' check (cardinality(attachment_ids) <= 50),
  state app_public.mail_state not null default 'waiting',
  attempts integer not null default 0 check (attempts >= 0),
  send_at timestamptz not null default now(),
  give_up_at timestamptz not null default now() + interval '1 day',
  sent_at timestamptz,
  last_error text check (length(last_error) <= 2000),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- Whatever a queue does twice, one fact is one mail.
  unique (organization_id, dedupe_key),
  unique (organization_id, message_id),
  foreign key (organization_id, user_id) references app_public.users on delete set null (user_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, comment_id) references app_public.comments on delete set null (comment_id),
  check ((state in ('sent', 'bounced', 'complained')) = (sent_at is not null))
);

create index mail_messages_organization_id_created_at_idx on app_public.mail_messages (organization_id, created_at, id);
create index mail_messages_organization_id_state_created_at_idx on app_public.mail_messages (organization_id, state, created_at, id);
create index mail_messages_organization_id_ticket_id_created_at_idx on app_public.mail_messages (organization_id, ticket_id, created_at);
create index mail_messages_organization_id_user_id_idx on app_public.mail_messages (organization_id, user_id) where user_id is not null;
create index mail_messages_organization_id_comment_id_idx on app_public.mail_messages (organization_id, comment_id) where comment_id is not null;
create index mail_messages_organization_id_send_at_idx on app_public.mail_messages (organization_id, send_at) where state = 'waiting';

comment on table app_public.mail_messages is 'Mails that were written to people, each with where it is; what was said stays, also when it could not be sent.';
comment on column app_public.mail_messages.organization_id is 'The organization it belongs to.';
comment on column app_public.mail_messages.id is 'Row id.';
comment on column app_public.mail_messages.kind is 'What it is for.';
comment on column app_public.mail_messages.dedupe_key is 'The fact it tells of; one fact is one mail.';
comment on column app_public.mail_messages.user_id is 'The person it is to, where that person is still there.';
comment on column app_public.mail_messages.to_name is 'The name it is addressed to.';
comment on column app_public.mail_messages.to_address is 'The address it goes to.';
comment on column app_public.mail_messages.from_name is 'The name it comes from; null for that of the organization.';
comment on column app_public.mail_messages.from_address is 'The address it comes from; null for that of this installation.';
comment on column app_public.mail_messages.ticket_id is 'The ticket it is about, or null.';
comment on column app_public.mail_messages.comment_id is 'The comment it carries, or null.';
comment on column app_public.mail_messages.locale is 'The language it is written in.';
comment on column app_public.mail_messages.subject is 'Its subject.';
comment on column app_public.mail_messages.text_body is 'What it says, as plain text. Links that let somebody in stand as `{{…}}`: they are made when it is sent, and kept by nobody.';
comment on column app_public.mail_messages.html_body is 'What it says, as HTML, with the same gaps.';
comment on column app_public.mail_messages.message_id is 'Its `Message-ID`, by which an answer finds its ticket.';
comment on column app_public.mail_messages.reference_ids is 'Its `References`, oldest first; the last one is also `In-Reply-To`.';
comment on column app_public.mail_messages.attachment_ids is 'The attachments that go with it.';
comment on column app_public.mail_messages.state is 'Where it is.';
comment on column app_public.mail_messages.attempts is 'How often a mail server was tried.';
comment on column app_public.mail_messages.send_at is 'When it is sent, or tried again.';
comment on column app_public.mail_messages.give_up_at is 'Until when it is tried.';
comment on column app_public.mail_messages.sent_at is 'When a mail server took it.';
comment on column app_public.mail_messages.last_error is 'Why the last attempt failed.';
comment on column app_public.mail_messages.created_at is 'When it was written.';

--! split: 062-mail-out.sql
create table app_public.mail_settings (
  organization_id uuid not null unique references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  sender_name text check (sender_name ~ '\S' and sender_name !~ '[[:cntrl:]]' and length(sender_name) <= 120),
  brand_color text not null default '#27459b' check (brand_color ~ '^#[0-9a-f]{6}$'),
  footer text not null default '' check (length(footer) <= 2000),
  acknowledges boolean not null default true,
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);

comment on table app_public.mail_settings is 'How the mails of an organization look. One row for each organization.';
comment on column app_public.mail_settings.organization_id is 'The organization.';
comment on column app_public.mail_settings.id is 'Row id.';
comment on column app_public.mail_settings.sender_name is 'The name its mails come from, up to 120 characters; null for the name of the organization.';
comment on column app_public.mail_settings.brand_color is 'The colour of its mails, such as `#27459b`, in lower case.';
comment on column app_public.mail_settings.footer is 'What stands below every mail: plain text of up to 2,000 characters.';
comment on column app_public.mail_settings.acknowledges is 'Whether requesters are told that their request was received.';
comment on column app_public.mail_settings.updated_at is 'When it was last changed.';

insert into app_public.mail_settings (organization_id) select id from app_public.organizations on conflict do nothing;

create table app_public.mail_templates (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  kind app_public.mail_kind not null,
  locale text not null check (locale ~ '^[a-z]{2,3}$'),
  subject text not null check (subject ~ '\S' and subject !~ '[[:cntrl:]]' and length(subject) <= 200),
  body text not null check (body ~ '\S' and length(body) <= 20000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, kind, locale)
);

comment on table app_public.mail_templates is 'The texts of mails that an organization says in its own words. The other ones are built in.';
comment on column app_public.mail_templates.organization_id is 'The organization it belongs to.';
comment on column app_public.mail_templates.id is 'Row id.';
comment on column app_public.mail_templates.kind is 'What mails it is for.';
comment on column app_public.mail_templates.locale is 'The language it is in, such as `en` or `de`: mails to whoever reads that language use it.';
comment on column app_public.mail_templates.subject is 'The subject with `{{variables}}`, one line of up to 200 characters. The reference of the ticket comes before it by itself.';
comment on column app_public.mail_templates.body is 'The text with `{{variables}}`, up to 20,000 characters; an empty line begins a paragraph. The HTML is made from it.';
comment on column app_public.mail_templates.created_at is 'When it was first changed from what is built in.';
comment on column app_public.mail_templates.updated_at is 'When it was last changed.';

alter table app_public.mail_messages
  add column claimed_until timestamptz,
  add column asks_for_reply boolean not null default false;

comment on column app_public.mail_messages.claimed_until is 'Until when a worker that is sending it is waited for; null when none is.';
comment on column app_public.mail_messages.asks_for_reply is 'Whether it can be answered, because it comes from a mailbox that is read.';

-- Whoever looks for a mail knows a part of a name or an address.
create index mail_messages_recipient_idx on app_public.mail_messages
  using gin (lower(coalesce(to_name, '') || ' ' || to_address) public.gin_trgm_ops);

create type app_public.mail_outcome as enum ('sent', 'deferred', 'refused', 'kept', 'cancelled', 'bounced', 'complained', 'asked_again');
comment on type app_public.mail_outcome is 'What happened to a mail: the mail server took it (`sent`), did not take it for now or could not be reached (`deferred`), or did not for good (`refused`); there was no mail server (`kept`); an admin took it out (`cancelled`) or asked for another attempt (`asked_again`); it came back (`bounced`), or its recipient called it spam (`complained`).';

create table app_public.mail_attempts (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  mail_id uuid not null,
  outcome app_public.mail_outcome not null,
  code integer check (code between 100 and 999),
  response text check (length(response) <= 2000),
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, mail_id) references app_public.mail_messages on delete cascade
);

create index mail_attempts_organization_id_mail_id_created_at_idx on app_public.mail_attempts (organization_id, mail_id, created_at, id);

comment on table app_public.mail_attempts is 'What happened to each mail, in order.';
comment on column app_public.mail_attempts.organization_id is 'The organization it belongs to.';
comment on column app_public.mail_attempts.id is 'Row id.';
comment on column app_public.mail_attempts.mail_id is 'The mail.';
comment on column app_public.mail_attempts.outcome is 'What happened.';
comment on column app_public.mail_attempts.code is 'The SMTP code the mail server answered with, such as 250 or 451; null where it said nothing.';
comment on column app_public.mail_attempts.response is 'What the mail server said, or why it could not be asked.';
comment on column app_public.mail_attempts.created_at is 'When it happened.';

-- Each attempt has a token of its own, and an answer to any of them finds its ticket.
create table app_private.mail_reply_tokens (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  mail_id uuid not null,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, token_hash),
  foreign key (organization_id, mail_id) references app_public.mail_messages on delete cascade
);

create index mail_reply_tokens_organization_id_mail_id_idx on app_private.mail_reply_tokens (organization_id, mail_id);

comment on table app_private.mail_reply_tokens is 'By what answers to a mail find their way: the sha256 of each token that stands in an address to answer to.';
comment on column app_private.mail_reply_tokens.organization_id is 'The organization it belongs to.';
comment on column app_private.mail_reply_tokens.id is 'Row id.';
comment on column app_private.mail_reply_tokens.mail_id is 'The mail.';
comment on column app_private.mail_reply_tokens.token_hash is 'The sha256 of the token.';
comment on column app_private.mail_reply_tokens.created_at is 'When it was made, which is when the mail was about to be sent.';

create type app_public.mail_rendering as (subject text, text_body text, html_body text);
create type app_public.mail_wording as (
  kind app_public.mail_kind, locale text, subject text, body text, built_in_subject text, built_in_body text, is_changed boolean, variables text[]
);

comment on type app_public.mail_rendering is 'A mail as it reads.';
comment on column app_public.mail_rendering.subject is 'Its subject.';
comment on column app_public.mail_rendering.text_body is 'Its plain text.';
comment on column app_public.mail_rendering.html_body is 'Its HTML, a whole document that loads nothing.';
comment on type app_public.mail_wording is 'What mails of one kind say in one language.';
comment on column app_public.mail_wording.kind is 'What the mails are for.';
comment on column app_public.mail_wording.locale is 'The language, such as `en`.';
comment on column app_public.mail_wording.subject is 'The subject that is used, with `{{variables}}`.';
comment on column app_public.mail_wording.body is 'The text that is used, with `{{variables}}`.';
comment on column app_public.mail_wording.built_in_subject is 'The subject that is built in; null in a language in which none is.';
comment on column app_public.mail_wording.built_in_body is 'The text that is built in; null in a language in which none is.';
comment on column app_public.mail_wording.is_changed is 'Whether the organization says it in its own words.';
comment on column app_public.mail_wording.variables is 'The variables that stand for something in these mails, without braces.';

--! split: 064-mailboxes.sql
create type app_public.mailbox_security as enum ('tls', 'starttls', 'none');
comment on type app_public.mailbox_security is 'How the connection to a mail server is protected: encrypted from the first byte (`tls`), after greeting (`starttls`), or not at all (`none`).';

create type app_public.mailbox_auth as enum ('password', 'oauth2');
comment on type app_public.mailbox_auth is 'How we log in to a mailbox: by a password, or by tokens of OAuth 2.';

create table app_public.mailboxes (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  -- What stands in a header line as it is.
  address citext not null check (address ~ '^[^[:space:][:cntrl:]<>@,;:"()]+@[^[:space:][:cntrl:]<>@,;:"()]+$' and length(address) <= 254),
  host text not null check (host ~ '^[^[:space:]/@]+$' and length(host) <= 253),
  port integer not null default 993 check (port between 1 and 65535),
  security app_public.mailbox_security not null default 'tls',
  auth app_public.mailbox_auth not null default 'password',
  username text not null check (username ~ '\S' and username !~ '[[:cntrl:]]' and length(username) <= 254),
  folder text not null default 'INBOX' check (folder ~ '\S' and folder !~ '[[:cntrl:]]' and length(folder) <= 200),
  processed_folder text check (processed_folder ~ '\S' and processed_folder !~ '[[:cntrl:]]' and length(processed_folder) <= 200),
  token_endpoint text check (token_endpoint ~ '^https?://[^[:space:]]+$' and length(token_endpoint) <= 500),
  client_id text check (length(client_id) between 1 and 500),
  scopes text check (scopes !~ '[[:cntrl:]]' and length(scopes) between 1 and 1000),
  service_id uuid,
  team_id uuid,
  is_default boolean not null default false,
  is_enabled boolean not null default true,
  from_environment boolean not null default false,
  accepts_strangers boolean not null default true,
  accepts_lists boolean not null default false,
  max_mail_bytes bigint not null default 36700160 check (max_mail_bytes between 65536 and 268435456),
  alarm_minutes integer not null default 15 check (alarm_minutes between 1 and 10080),
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, service_id) references app_public.services on delete set null (service_id),
  foreign key (organization_id, team_id) references app_public.teams on delete set null (team_id),
  check (processed_folder is null or processed_folder <> folder),
  check ((token_endpoint is null) = (client_id is null)),
  check (auth = 'oauth2' or token_endpoint is null),
  check (archived_at is null or not (is_enabled or is_default))
);

create unique index mailboxes_organization_id_address_key on app_public.mailboxes (organization_id, address) where archived_at is null;
create unique index mailboxes_organization_id_name_key on app_public.mailboxes (organization_id, name) where archived_at is null;
create unique index mailboxes_organization_id_is_default_key on app_public.mailboxes (organization_id) where is_default;
create unique index mailboxes_organization_id_from_environment_key on app_public.mailboxes (organization_id) where from_environment and archived_at is null;
create index mailboxes_organization_id_service_id_idx on app_public.mailboxes (organization_id, service_id) where service_id is not null;
create index mailboxes_organization_id_team_id_idx on app_public.mailboxes (organization_id, team_id) where team_id is not null;
create index mailboxes_is_enabled_idx on app_public.mailboxes (organization_id, id) where is_enabled;

comment on table app_public.mailboxes is 'Mailboxes that an organization reads mail from by IMAP, and whose addresses its mails are from. Nothing is ever deleted in them.';
comment on column app_public.mailboxes.organization_id is 'The organization it belongs to.';
comment on column app_public.mailboxes.id is 'Row id.';
comment on column app_public.mailboxes.name is 'What people call it, unique among those in use, 1 to 80 characters; also the sender''s name of mails that leave by it.';
comment on column app_public.mailboxes.address is 'The mail address people write to, unique among those in use.';
comment on column app_public.mailboxes.host is 'The name or address of the IMAP server.';
comment on column app_public.mailboxes.port is 'The port of the IMAP server: 993 for `tls`, 143 otherwise, by custom.';
comment on column app_public.mailboxes.security is 'How the connection is protected.';
comment on column app_public.mailboxes.auth is 'How we log in.';
comment on column app_public.mailboxes.username is 'The account at the IMAP server, often the address.';
comment on column app_public.mailboxes.folder is 'The folder that is read.';
comment on column app_public.mailboxes.processed_folder is 'The folder a mail is moved to once it is stored; null to leave it where it is, marked as read.';
comment on column app_public.mailboxes.token_endpoint is 'Where a refresh token is exchanged for access tokens; null where the stored secret is an access token itself.';
comment on column app_public.mailboxes.client_id is 'What the token endpoint knows us as.';
comment on column app_public.mailboxes.scopes is 'What access is asked for at the token endpoint, separated by spaces; null for what the refresh token is good for.';
comment on column app_public.mailboxes.service_id is 'The service of new tickets that come by it.';
comment on column app_public.mailboxes.team_id is 'The team of new tickets that come by it; null for the team of the service.';
comment on column app_public.mailboxes.is_default is 'Whether mails of tickets that did not come by mail are from its address. One in an organization.';
comment on column app_public.mailboxes.is_enabled is 'Whether mail is fetched from it.';
comment on column app_public.mailboxes.from_environment is 'Whether the environment of the worker names it (`IMAP_HOST`). Its connection is changed there, and its password is nowhere in the database.';
comment on column app_public.mailboxes.accepts_strangers is 'Whether a mail from somebody the organization does not know opens a ticket; otherwise it is ignored, and stays in the log.';
comment on column app_public.mailboxes.accepts_lists is 'Whether mails that came by a mailing list open tickets; otherwise they are ignored, and stay in the log.';
comment on column app_public.mailboxes.max_mail_bytes is 'The largest mail that is fetched, in bytes, 64 KiB to 256 MiB; a larger one stays on the server, and is in the log as refused.';
comment on column app_public.mailboxes.alarm_minutes is 'After how many minutes without a successful look into it the admins are told.';
comment on column app_public.mailboxes.archived_at is 'When it was put away. What came by it stays.';
comment on column app_public.mailboxes.created_at is 'When it was made.';
comment on column app_public.mailboxes.updated_at is 'When it was last changed.';

-- What moves with every look is kept apart, out of the audit log.
create table app_public.mailbox_states (
  organization_id uuid not null,
  mailbox_id uuid not null,
  -- Where reading goes on.
  uid_validity bigint,
  last_uid bigint,
  last_fetched_at timestamptz,
  failing_since timestamptz,
  last_error text check (length(last_error) <= 500),
  alerted_at timestamptz,
  enabled_at timestamptz not null default now(),
  -- One worker at a time reads it.
  lease_holder text check (length(lease_holder) <= 200),
  lease_until timestamptz,
  test_requested_at timestamptz,
  tested_at timestamptz,
  test_outcome text check (length(test_outcome) between 1 and 40),
  test_detail text check (length(test_detail) <= 500),
  primary key (organization_id, mailbox_id),
  foreign key (organization_id, mailbox_id) references app_public.mailboxes on delete cascade,
  check ((uid_validity is null) = (last_uid is null)),
  check ((tested_at is null) = (test_outcome is null))
);

comment on table app_public.mailbox_states is 'How it goes with each mailbox: when it was last read, what is wrong, and what its last test found.';
comment on column app_public.mailbox_states.organization_id is 'The organization it belongs to.';
comment on column app_public.mailbox_states.mailbox_id is 'The mailbox.';
comment on column app_public.mailbox_states.uid_validity is 'The server''s numbering of the folder that `lastUid` counts in.';
comment on column app_public.mailbox_states.last_uid is 'The highest number up to which everything was seen to.';
comment on column app_public.mailbox_states.last_fetched_at is 'When we last looked into it and everything there was taken.';
comment on column app_public.mailbox_states.failing_since is 'Since when it cannot be read; null while it can.';
comment on column app_public.mailbox_states.last_error is 'Why it cannot be read, up to 500 characters.';
comment on column app_public.mailbox_states.alerted_at is 'When the admins were told that nothing was fetched; null when there was nothing to tell.';
comment on column app_public.mailbox_states.enabled_at is 'When it was last switched on.';
comment on column app_public.mailbox_states.lease_holder is 'The worker that reads it.';
comment on column app_public.mailbox_states.lease_until is 'Until when it is that worker''s to read, unless it says that it goes on.';
comment on column app_public.mailbox_states.test_requested_at is 'When an admin last asked for a test of the connection.';
comment on column app_public.mailbox_states.tested_at is 'When the test was done; null while it is under way.';
comment on column app_public.mailbox_states.test_outcome is 'What it found: `ok`, `unreachable`, `certificate`, `refused` for a login, `no_folder`, `no_secret`, `token_refused` or `failed`.';
comment on column app_public.mailbox_states.test_detail is 'What the server said, up to 500 characters.';

create table app_private.mailbox_secrets (
  organization_id uuid not null,
  mailbox_id uuid not null,
  sealed text not null check (sealed like 'v1.%'),
  updated_at timestamptz not null default now(),
  primary key (organization_id, mailbox_id),
  foreign key (organization_id, mailbox_id) references app_public.mailboxes on delete cascade
);

comment on table app_private.mailbox_secrets is 'The password or tokens of a mailbox, encrypted with AES-256-GCM by the server.';
comment on column app_private.mailbox_secrets.organization_id is 'The organization it belongs to.';
comment on column app_private.mailbox_secrets.mailbox_id is 'The mailbox.';
comment on column app_private.mailbox_secrets.sealed is 'Sealed for this mailbox: `{password}` or `{refreshToken, clientSecret}` or `{accessToken}` as JSON.';
comment on column app_private.mailbox_secrets.updated_at is 'When it was given.';

--! split: 065-incoming-mails.sql
create type app_public.incoming_mail_state as enum ('stored', 'processed', 'ignored', 'refused', 'failed');
comment on type app_public.incoming_mail_state is 'What became of a mail that came in: it is on disk and waits (`stored`), it is on a ticket (`processed`), it made none for a reason (`ignored`), it was not fetched (`refused`), or it could not be read (`failed`).';

create table app_public.incoming_mails (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  mailbox_id uuid not null,
  folder text not null check (length(folder) <= 200),
  uid_validity bigint not null,
  uid bigint not null check (uid > 0),
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  size bigint not null check (size >= 0),
  message_id text check (length(message_id) between 1 and 998),
  from_name text check (length(from_name) <= 200),
  from_address text check (length(from_address) <= 320),
  to_addresses text[] not null default '{}' check (cardinality(to_addresses) <= 100),
  subject text check (length(subject) <= 998),
  sent_at timestamptz,
  received_at timestamptz not null default now(),
  state app_public.incoming_mail_state not null default 'stored',
  reason text check (reason ~ '^[a-z_]{1,40}$'),
  detail text check (length(detail) <= 1000),
  ticket_id uuid,
  comment_id uuid,
  created_at timestamptz not null default now(),
  processed_at timestamptz,
  overruled_at timestamptz,
  overruled_by_id uuid,
  primary key (organization_id, id),
  -- One mail is one mail, however often it is fetched.
  unique (organization_id, mailbox_id, sha256),
  unique (organization_id, mailbox_id, folder, uid_validity, uid),
  foreign key (organization_id, mailbox_id) references app_public.mailboxes on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  -- Goes where its comment goes.
  foreign key (organization_id, comment_id, ticket_id) references app_public.comments (organization_id, id, ticket_id)
    on update cascade on delete set null (comment_id, ticket_id),
  foreign key (organization_id, overruled_by_id) references app_public.users on delete set null (overruled_by_id),
  check (sha256 is not null or state = 'refused'),
  check ((state in ('stored', 'processed')) = (reason is null) or state = 'processed'),
  check ((state = 'stored') = (processed_at is null)),
  check (comment_id is null or ticket_id is not null)
);

create index incoming_mails_organization_id_created_at_idx on app_public.incoming_mails (organization_id, created_at, id);
create index incoming_mails_organization_id_state_created_at_idx on app_public.incoming_mails (organization_id, state, created_at, id);
create index incoming_mails_organization_id_mailbox_id_created_at_idx on app_public.incoming_mails (organization_id, mailbox_id, created_at, id);
create index incoming_mails_organization_id_ticket_id_created_at_idx on app_public.incoming_mails (organization_id, ticket_id, created_at) where ticket_id is not null;
create index incoming_mails_organization_id_comment_id_ticket_id_idx on app_public.incoming_mails (organization_id, comment_id, ticket_id) where comment_id is not null;
create index incoming_mails_organization_id_message_id_idx on app_public.incoming_mails (organization_id, message_id) where message_id is not null;
create index incoming_mails_organization_id_from_address_created_at_idx on app_public.incoming_mails (organization_id, lower(from_address), created_at);
create index incoming_mails_organization_id_overruled_by_id_idx on app_public.incoming_mails (organization_id, overruled_by_id) where overruled_by_id is not null;

comment on table app_public.incoming_mails is 'Every mail that came in, each once, with what became of it.';
comment on column app_public.incoming_mails.organization_id is 'The organization it came to.';
comment on column app_public.incoming_mails.id is 'Row id.';
comment on column app_public.incoming_mails.mailbox_id is 'The mailbox it came by.';
comment on column app_public.incoming_mails.folder is 'The folder it was in.';
comment on column app_public.incoming_mails.uid_validity is 'The server''s numbering of that folder.';
comment on column app_public.incoming_mails.uid is 'Its number there.';
comment on column app_public.incoming_mails.sha256 is 'SHA-256 of the mail as it came, 64 hexadecimal digits; null when it was not fetched.';
comment on column app_public.incoming_mails.size is 'Bytes.';
comment on column app_public.incoming_mails.message_id is 'The name its sender''s program gave it, with its angle brackets.';
comment on column app_public.incoming_mails.from_name is 'The name of the sender, as the mail says it.';
comment on column app_public.incoming_mails.from_address is 'The address of the sender, as the mail says it; whoever sends a mail can say any.';
comment on column app_public.incoming_mails.to_addresses is 'The addresses it was written to, up to 100.';
comment on column app_public.incoming_mails.subject is 'Its subject.';
comment on column app_public.incoming_mails.sent_at is 'When it was written, by the clock of its sender.';
comment on column app_public.incoming_mails.received_at is 'When the mail server had it.';
comment on column app_public.incoming_mails.state is 'What became of it.';
comment on column app_public.incoming_mails.reason is 'Why, in one word: `auto_reply`, `bounce`, `complaint`, `loop`, `bulk`, `mailing_list`, `flood`, `stranger`, `duplicate`, `person_disabled`, `no_sender`, `oversize`, `unreadable`, or for one on a ticket `not_participant`, `unproven_staff`, `ticket_over`; null for nothing out of the ordinary.';
comment on column app_public.incoming_mails.detail is 'More about it, up to 1,000 characters.';
comment on column app_public.incoming_mails.ticket_id is 'The ticket it is on, or is about.';
comment on column app_public.incoming_mails.comment_id is 'The comment it became.';
comment on column app_public.incoming_mails.created_at is 'When it was fetched.';
comment on column app_public.incoming_mails.processed_at is 'When it was decided.';
comment on column app_public.incoming_mails.overruled_at is 'When an admin had it taken all the same, or tried again.';
comment on column app_public.incoming_mails.overruled_by_id is 'The admin.';

create table app_public.comment_originals (
  organization_id uuid not null,
  comment_id uuid not null,
  html text check (octet_length(html) <= 1048576),
  quoted_text text check (quoted_text ~ '\S' and octet_length(quoted_text) <= 262144),
  has_html boolean not null generated always as (html is not null) stored,
  has_quoted_text boolean not null generated always as (quoted_text is not null) stored,
  incoming_mail_id uuid,
  created_at timestamptz not null default now(),
  primary key (organization_id, comment_id),
  foreign key (organization_id, comment_id) references app_public.comments on delete cascade,
  foreign key (organization_id, incoming_mail_id) references app_public.incoming_mails on delete set null (incoming_mail_id)
);

create index comment_originals_organization_id_incoming_mail_id_idx on app_public.comment_originals (organization_id, incoming_mail_id);

comment on table app_public.comment_originals is 'What a mail carried beside the words that became a comment: what it quoted, and how it looked. Read by whoever reads the comment.';
comment on column app_public.comment_originals.organization_id is 'The organization it belongs to.';
comment on column app_public.comment_originals.comment_id is 'The comment.';
comment on column app_public.comment_originals.html is 'The mail as HTML without scripts and remote content, to be shown in a sandbox; null when it was plain text. Styles are in `data-style`, and `data-cid` of an image names the `contentId` of an attachment.';
comment on column app_public.comment_originals.quoted_text is 'What the mail repeated of earlier ones, and its signature, as plain text; null when there was none.';
comment on column app_public.comment_originals.has_html is 'Whether it had a look of its own.';
comment on column app_public.comment_originals.has_quoted_text is 'Whether it repeated something, or had a signature.';
comment on column app_public.comment_originals.incoming_mail_id is 'The mail.';
comment on column app_public.comment_originals.created_at is 'When it was stored.';

--! split: 066-webhooks.sql
create type app_public.webhook_delivery_state as enum ('waiting', 'delivered', 'failed', 'cancelled');
comment on type app_public.webhook_delivery_state is 'Where a call is: it waits for its turn or its next attempt, it was taken (`delivered`), it was given up (`failed`), or it is made no more (`cancelled`).';

create type app_public.webhook_fault as enum (
  'response', 'redirect', 'timeout', 'connection', 'tls', 'dns', 'internal_address', 'url', 'secret'
);
comment on type app_public.webhook_fault is 'Why an attempt failed: the answer was neither 2xx nor (`redirect`) 3xx, which is not followed; nothing came in time, no connection was made or it broke, the certificate is not trusted, the name is not known, it leads to an internal address that the webhook may not call, the address cannot be called at all, or the secret to sign with could not be opened.';

create type app_public.webhook_stop as enum ('gone', 'failing');
comment on type app_public.webhook_stop is 'Why a webhook was switched off by itself: its address answered 410 Gone, or took nothing for days.';

create table app_public.webhooks (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '^\S(.*\S)?$' and length(name) <= 80),
  url text not null
    check (
      url ~ '^https?://([A-Za-z0-9._-]+|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?([/?][^#[:space:][:cntrl:]]*)?$'
      and length(url) <= 2000 and octet_length(url) = length(url) and position(chr(92) in url) = 0
    ),
  event_types app_public.ticket_event_type[] not null default '{}'
    check (cardinality(event_types) <= 100 and array_position(event_types, null) is null),
  includes_internal boolean not null default false,
  allow_internal boolean not null default false,
  is_enabled boolean not null default true,
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason app_public.webhook_stop,
  created_by_id uuid,
  changed_by_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by_id) references app_public.users on delete set null (created_by_id),
  foreign key (organization_id, changed_by_id) references app_public.users on delete set null (changed_by_id),
  check ((disabled_at is null) = (disabled_reason is null)),
  check (disabled_at is null or not is_enabled)
);

create index webhooks_organization_id_is_enabled_idx on app_public.webhooks (organization_id) where is_enabled;
create index webhooks_organization_id_created_by_id_idx on app_public.webhooks (organization_id, created_by_id);
create index webhooks_organization_id_changed_by_id_idx on app_public.webhooks (organization_id, changed_by_id);

comment on table app_public.webhooks is 'Addresses that are called when something happens to a ticket, as the Standard Webhooks specification says: docs/WEBHOOKS.md.';
comment on column app_public.webhooks.organization_id is 'The organization it belongs to.';
comment on column app_public.webhooks.id is 'Row id.';
comment on column app_public.webhooks.name is 'What it is called, 1 to 80 characters, unique in the organization.';
comment on column app_public.webhooks.url is 'The address that is called: `https://` or `http://`, printable ASCII of at most 2,000 characters, without a login and without a fragment.';
comment on column app_public.webhooks.event_types is 'Of which events it is told; empty for all.';
comment on column app_public.webhooks.includes_internal is 'Whether it is also told what only staff see: internal comments and events, tags and internal fields.';
comment on column app_public.webhooks.allow_internal is 'Whether it may call addresses inside the network of this installation.';
comment on column app_public.webhooks.is_enabled is 'Whether it is called.';
comment on column app_public.webhooks.failing_since is 'Since when every attempt failed; null when the last one went well.';
comment on column app_public.webhooks.disabled_at is 'When it was switched off by itself; null when it was not.';
comment on column app_public.webhooks.disabled_reason is 'Why it was switched off by itself.';
comment on column app_public.webhooks.created_by_id is 'Who made it.';
comment on column app_public.webhooks.changed_by_id is 'Who changed it last.';
comment on column app_public.webhooks.created_at is 'When it was made.';
comment on column app_public.webhooks.updated_at is 'When it was last changed.';

create table app_private.webhook_secrets (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  webhook_id uuid not null,
  sealed text not null check (sealed like 'v1.%'),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, webhook_id) references app_public.webhooks on delete cascade
);

create index webhook_secrets_organization_id_webhook_id_idx on app_private.webhook_secrets (organization_id, webhook_id, created_at);
create unique index webhook_secrets_organization_id_webhook_id_key on app_private.webhook_secrets (organization_id, webhook_id) where expires_at is null;

comment on table app_private.webhook_secrets is 'What the calls of a webhook are signed with, encrypted with AES-256-GCM by the server: the one in use, and the ones before for as long as receivers may still check with them.';
comment on column app_private.webhook_secrets.organization_id is 'The organization of the webhook.';
comment on column app_private.webhook_secrets.id is 'Row id.';
comment on column app_private.webhook_secrets.webhook_id is 'The webhook.';
comment on column app_private.webhook_secrets.sealed is 'The secret, sealed for its webhook.';
comment on column app_private.webhook_secrets.created_at is 'When it was made.';
comment on column app_private.webhook_secrets.expires_at is 'Until when calls are signed with it too; null for the one in use.';

create table app_public.webhook_deliveries (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  webhook_id uuid not null,
  event_id uuid,
  event_type app_public.ticket_event_type,
  ticket_id uuid,
  lane uuid not null,
  message_id text not null check (length(message_id) between 1 and 64),
  replay integer not null default 0 check (replay >= 0),
  payload jsonb not null,
  state app_public.webhook_delivery_state not null default 'waiting',
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null default now(),
  give_up_at timestamptz not null default now() + interval '1 day',
  claim uuid,
  claimed_until timestamptz,
  last_status integer,
  last_fault app_public.webhook_fault,
  ended_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  -- However often an event is announced, a webhook is told once, and once more for each time somebody asks for it.
  unique (organization_id, webhook_id, message_id, replay),
  foreign key (organization_id, webhook_id) references app_public.webhooks on delete cascade,
  foreign key (organization_id, event_id) references app_public.ticket_events on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  check ((event_id is null) = (event_type is null) and (event_id is null) = (ticket_id is null)),
  check ((claim is null) = (claimed_until is null)),
  check ((state = 'waiting') = (ended_at is null))
);

create index webhook_deliveries_organization_id_webhook_id_created_at_idx on app_public.webhook_deliveries (organization_id, webhook_id, created_at, id);
create index webhook_deliveries_organization_id_webhook_id_state_idx on app_public.webhook_deliveries (organization_id, webhook_id, state, created_at, id);
create index webhook_deliveries_organization_id_webhook_id_event_type_idx on app_public.webhook_deliveries (organization_id, webhook_id, event_type, created_at, id);
create index webhook_deliveries_organization_id_event_id_idx on app_public.webhook_deliveries (organization_id, event_id) where event_id is not null;
create index webhook_deliveries_organization_id_ticket_id_idx on app_public.webhook_deliveries (organization_id, ticket_id) where ticket_id is not null;
create index webhook_deliveries_organization_id_created_at_idx on app_public.webhook_deliveries (organization_id, created_at, id);
create index webhook_deliveries_lane_idx on app_public.webhook_deliveries (organization_id, webhook_id, lane, created_at, id) where state = 'waiting';
create index webhook_deliveries_claimed_idx on app_public.webhook_deliveries (organization_id, webhook_id, claimed_until) where claimed_until is not null;

comment on table app_public.webhook_deliveries is 'What webhooks were told or are yet to be told, kept for 30 days. Those of one ticket are told to a webhook one after the other.';
comment on column app_public.webhook_deliveries.organization_id is 'The organization it belongs to.';
comment on column app_public.webhook_deliveries.id is 'Row id.';
comment on column app_public.webhook_deliveries.webhook_id is 'The webhook that is called.';
comment on column app_public.webhook_deliveries.event_id is 'The event it tells of; null for a test.';
comment on column app_public.webhook_deliveries.event_type is 'What happened; null for a test.';
comment on column app_public.webhook_deliveries.ticket_id is 'The ticket it happened to; null for a test.';
comment on column app_public.webhook_deliveries.lane is 'What it keeps its order with: the ticket, or nothing but itself.';
comment on column app_public.webhook_deliveries.message_id is 'The `webhook-id`, by which a receiver knows what it has seen: the same in each attempt, and also when it is told again.';
comment on column app_public.webhook_deliveries.replay is 'How often it had been told or tried before somebody asked for it again; 0 for the first.';
comment on column app_public.webhook_deliveries.payload is 'The body of the call, made when the event was announced.';
comment on column app_public.webhook_deliveries.state is 'Where it is.';
comment on column app_public.webhook_deliveries.attempts is 'How often the address was called.';
comment on column app_public.webhook_deliveries.next_attempt_at is 'When its next attempt may be, unless an earlier one of the same ticket still waits.';
comment on column app_public.webhook_deliveries.give_up_at is 'After this an attempt that fails is the last one.';
comment on column app_public.webhook_deliveries.claim is 'The attempt that is being made.';
comment on column app_public.webhook_deliveries.claimed_until is 'When the attempt that is being made counts as lost.';
comment on column app_public.webhook_deliveries.last_status is 'The HTTP status of the last answer; null when there was none.';
comment on column app_public.webhook_deliveries.last_fault is 'Why the last attempt failed; null when it did not.';
comment on column app_public.webhook_deliveries.ended_at is 'When it was taken, given up or cancelled; null while it waits.';
comment on column app_public.webhook_deliveries.created_at is 'When it was made, which is the order in which a ticket''s are told.';

create table app_public.webhook_attempts (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  delivery_id uuid not null,
  attempted_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  remote_address inet,
  request_headers jsonb not null default '{}' check (jsonb_typeof(request_headers) = 'object'),
  status integer check (status between 100 and 999),
  response_headers jsonb not null default '{}' check (jsonb_typeof(response_headers) = 'object'),
  response_body text check (octet_length(response_body) <= 8192),
  fault app_public.webhook_fault,
  error text check (length(error) <= 500),
  duration_ms integer check (duration_ms >= 0),
  primary key (organization_id, id),
  foreign key (organization_id, delivery_id) references app_public.webhook_deliveries on delete cascade
);

create index webhook_attempts_organization_id_delivery_id_idx on app_public.webhook_attempts (organization_id, delivery_id, attempted_at, id);

comment on table app_public.webhook_attempts is 'Each time that a webhook was called, with what was answered.';
comment on column app_public.webhook_attempts.organization_id is 'The organization it belongs to.';
comment on column app_public.webhook_attempts.id is 'Row id.';
comment on column app_public.webhook_attempts.delivery_id is 'What was to be told.';
comment on column app_public.webhook_attempts.attempted_at is 'When it began.';
comment on column app_public.webhook_attempts.ended_at is 'When it ended; null while it is made, and for ever when the worker that made it was lost.';
comment on column app_public.webhook_attempts.remote_address is 'The IP address that was called; null when it came to none.';
comment on column app_public.webhook_attempts.request_headers is 'The headers that were sent, without the signature: `{"webhook-id": "…"}`.';
comment on column app_public.webhook_attempts.status is 'The HTTP status of the answer; null when there was none.';
comment on column app_public.webhook_attempts.response_headers is 'The headers of the answer, at most 50, each cut to 500 characters.';
comment on column app_public.webhook_attempts.response_body is 'The beginning of the answer, at most 8,192 bytes.';
comment on column app_public.webhook_attempts.fault is 'Why it failed; null when it did not.';
comment on column app_public.webhook_attempts.error is 'The words of the failure, for whoever looks for its cause.';
comment on column app_public.webhook_attempts.duration_ms is 'How long it took, in milliseconds.';

--! split: 067-notifications.sql
create type app_public.notification_kind as enum (
  'acknowledgement', 'new_ticket', 'assigned', 'reply', 'note', 'mention', 'status_changed', 'resolved', 'approval',
  'sla_warning', 'sla_breach', 'notice', 'problem', 'rating', 'alert'
);
comment on type app_public.notification_kind is 'What a notification is about: a request was received, a ticket came to a team, a ticket was assigned, something was said in public, an internal note was written, somebody was called by name, the status changed, a ticket was resolved or closed, an approval is asked for or was decided, a promised time is near, or over, a rule has something to say, a mail or a file of a ticket failed, a customer rated the work, or the desk itself needs its admins.';

create type app_public.notification_reason as enum (
  'requester', 'assignee', 'team', 'watcher', 'mention', 'approver', 'manager', 'admin'
);
comment on type app_public.notification_reason is 'Why somebody is told: the ticket is theirs (`requester`), they work on it (`assignee`), their team has it and nobody works on it (`team`), they watch it, were called by name (`mention`), have to do with an approval (`approver`), or look after the desk (`manager`, `admin`).';

create type app_public.notification_mail as enum ('off', 'digest', 'immediate');
comment on type app_public.notification_mail is 'Whether a notification is mailed: not at all, with others once a day, or at once.';

create table app_public.notifications (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  kind app_public.notification_kind not null,
  reasons app_public.notification_reason[] not null
    check (cardinality(reasons) between 1 and 8 and array_position(reasons, null) is null),
  event_id uuid,
  ticket_id uuid,
  dedupe_key text check (length(dedupe_key) between 1 and 150),
  facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object' and octet_length(facts::text) <= 8192),
  is_shown boolean not null default true,
  in_browser boolean not null default false,
  mail app_public.notification_mail not null default 'off',
  digested_at timestamptz,
  read_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- Whatever a queue does twice, a person is told of a thing once.
  unique (organization_id, event_id, user_id),
  unique (organization_id, user_id, dedupe_key),
  foreign key (organization_id, user_id) references app_public.users on delete cascade,
  foreign key (organization_id, event_id) references app_public.ticket_events on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  check ((event_id is null) = (kind = 'alert')),
  check ((event_id is null) = (dedupe_key is not null)),
  check (event_id is null or ticket_id is not null),
  check (digested_at is null or mail = 'digest')
);

-- Their ids are in the order in which they were told.
create index notifications_organization_id_user_id_id_idx on app_public.notifications (organization_id, user_id, id) where is_shown;
create index notifications_organization_id_user_id_unread_idx on app_public.notifications (organization_id, user_id, ticket_id) where is_shown and read_at is null;
create index notifications_organization_id_user_id_digest_idx on app_public.notifications (organization_id, user_id, created_at) where mail = 'digest' and digested_at is null;
create index notifications_organization_id_ticket_id_idx on app_public.notifications (organization_id, ticket_id);
create index notifications_organization_id_created_at_idx on app_public.notifications (organization_id, created_at);

comment on table app_public.notifications is 'What the caller was told, each thing once, for 90 days. Everybody sees their own alone.';
comment on column app_public.notifications.organization_id is 'The organization it belongs to.';
comment on column app_public.notifications.id is 'Row id.';
comment on column app_public.notifications.user_id is 'Whom it tells.';
comment on column app_public.notifications.kind is 'What it is about.';
comment on column app_public.notifications.reasons is 'Why this person is told, one reason or several.';
comment on column app_public.notifications.event_id is 'The event in the history of the ticket; null for an alert.';
comment on column app_public.notifications.ticket_id is 'The ticket it is about; null for an alert that is about none.';
comment on column app_public.notifications.dedupe_key is 'The fact an alert tells of.';
comment on column app_public.notifications.facts is 'What there is to say, with the names of that time: `event` (what happened), `reference`, `number` and `subject` of the ticket, `actor_name`, and by its kind `excerpt` (the first 200 characters of what was said), `status`, `question`, `decision`, `text`, `target` and `due_at`, `name`, `score`. An alert has `alert`: `file_blocked`, `scanner_away`, `mail_failed`, `mailbox_silent` or `webhook_disabled`, and what belongs to it.';
comment on column app_public.notifications.is_shown is 'Whether the person wanted to see it in the app.';
comment on column app_public.notifications.in_browser is 'Whether the person wanted the browser to show it while they look elsewhere.';
comment on column app_public.notifications.mail is 'Whether the person wanted it mailed.';
comment on column app_public.notifications.digested_at is 'When it was put into the mail of the day, or left out of it because it had been read.';
comment on column app_public.notifications.read_at is 'When the person read it; null for unread.';
comment on column app_public.notifications.created_at is 'When it was told.';

create table app_private.notification_choices (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  kind app_public.notification_kind not null,
  in_app boolean not null,
  mail app_public.notification_mail not null,
  in_browser boolean not null,
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, user_id, kind),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.notification_choices is 'How people want to hear of what, where they said so; for the rest their role says it.';
comment on column app_private.notification_choices.organization_id is 'The organization it belongs to.';
comment on column app_private.notification_choices.id is 'Row id.';
comment on column app_private.notification_choices.user_id is 'Whose choice it is.';
comment on column app_private.notification_choices.kind is 'Of what they hear.';
comment on column app_private.notification_choices.in_app is 'Whether it is shown in the app.';
comment on column app_private.notification_choices.mail is 'Whether it is mailed.';
comment on column app_private.notification_choices.in_browser is 'Whether the browser shows it while they look elsewhere.';
comment on column app_private.notification_choices.updated_at is 'When it was last changed.';

create table app_private.notification_settings (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  quiet_from integer check (quiet_from between 0 and 1439),
  quiet_to integer check (quiet_to between 1 and 1440),
  quiet_weekdays integer[] not null default '{1,2,3,4,5,6,7}'
    check (quiet_weekdays <@ '{1,2,3,4,5,6,7}' and cardinality(quiet_weekdays) between 1 and 7),
  digest_hour integer not null default 8 check (digest_hour between 0 and 23),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, user_id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade,
  check ((quiet_from is null) = (quiet_to is null)),
  check (quiet_from <> quiet_to)
);

comment on table app_private.notification_settings is 'When people want no mail and no sign from their browser, and when the mail of the day comes. Times are those of the person''s time zone.';
comment on column app_private.notification_settings.organization_id is 'The organization it belongs to.';
comment on column app_private.notification_settings.id is 'Row id.';
comment on column app_private.notification_settings.user_id is 'Whose settings they are.';
comment on column app_private.notification_settings.quiet_from is 'When quiet hours begin, in minutes after midnight, 0 to 1439; null for none.';
comment on column app_private.notification_settings.quiet_to is 'When they end, in minutes after midnight, 1 to 1440, on the next day where that is not after their begin.';
comment on column app_private.notification_settings.quiet_weekdays is 'The days on which they begin, from 1 for Monday to 7 for Sunday.';
comment on column app_private.notification_settings.digest_hour is 'The hour at which the mail of the day comes, 0 to 23.';
comment on column app_private.notification_settings.updated_at is 'When they were last changed.';

--! split: 068-csat.sql
create type app_public.survey_state as enum ('planned', 'sent', 'answered', 'expired', 'cancelled');
comment on type app_public.survey_state is 'Where the question how it went is: it waits for its time (`planned`), the requester was asked (`sent`), has `answered`, did not in time (`expired`), or is not asked after all because the ticket went on (`cancelled`).';

create type app_public.survey_way as enum ('mail', 'portal');
comment on type app_public.survey_way is 'Where a requester answered: by the link in the mail, or in the portal.';

create table app_public.csat_settings (
  organization_id uuid not null unique references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  is_enabled boolean not null default false,
  delay_minutes integer not null default 60 check (delay_minutes between 0 and 43200),
  sample_percent integer not null default 100 check (sample_percent between 1 and 100),
  expires_days integer not null default 14 check (expires_days between 1 and 90),
  question text check (question ~ '[^[:space:]]' and question !~ '[[:cntrl:]]' and length(question) <= 300),
  low_score integer not null default 2 check (low_score between 1 and 4),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);

comment on table app_public.csat_settings is 'Whether and how an organization asks its customers how it went. One row for each organization.';
comment on column app_public.csat_settings.organization_id is 'The organization.';
comment on column app_public.csat_settings.id is 'Row id.';
comment on column app_public.csat_settings.is_enabled is 'Whether customers are asked when their ticket is resolved.';
comment on column app_public.csat_settings.delay_minutes is 'How many minutes after that they are asked, 0 to 43,200.';
comment on column app_public.csat_settings.sample_percent is 'Of how many tickets in a hundred, 1 to 100. Which ones is decided by their row ids, and never by chance again.';
comment on column app_public.csat_settings.expires_days is 'For how many days they may answer, and change their answer, 1 to 90.';
comment on column app_public.csat_settings.question is 'What they are asked, one line of up to 300 characters; null for the usual question, in their language.';
comment on column app_public.csat_settings.low_score is 'Up to which score an answer counts as a bad one, 1 to 4.';
comment on column app_public.csat_settings.updated_at is 'When it was last changed.';

insert into app_public.csat_settings (organization_id) select id from app_public.organizations on conflict do nothing;

create table app_public.csat_surveys (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  requester_id uuid,
  assignee_id uuid,
  team_id uuid,
  service_id uuid,
  state app_public.survey_state not null default 'planned',
  question text check (length(question) <= 300),
  score integer check (score between 1 and 5),
  comment text check (comment ~ '[^[:space:]]' and length(comment) <= 2000),
  planned_for timestamptz not null,
  sent_at timestamptz,
  expires_at timestamptz,
  answered_at timestamptz,
  answered_by app_public.survey_way,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- Nobody is asked twice about one thing.
  unique (organization_id, ticket_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, requester_id) references app_public.users on delete set null (requester_id),
  foreign key (organization_id, assignee_id) references app_public.users on delete set null (assignee_id),
  foreign key (organization_id, team_id) references app_public.teams on delete set null (team_id),
  foreign key (organization_id, service_id) references app_public.services on delete set null (service_id),
  check ((state in ('planned', 'cancelled')) = (sent_at is null)),
  check ((sent_at is null) = (expires_at is null) and expires_at > sent_at),
  check ((state = 'answered') = (score is not null)),
  check ((score is null) = (answered_at is null) and (score is null) = (answered_by is null)),
  check (comment is null or score is not null)
);

create index csat_surveys_organization_id_requester_id_idx on app_public.csat_surveys (organization_id, requester_id);
create index csat_surveys_organization_id_assignee_id_idx on app_public.csat_surveys (organization_id, assignee_id);
create index csat_surveys_organization_id_team_id_idx on app_public.csat_surveys (organization_id, team_id);
create index csat_surveys_organization_id_service_id_idx on app_public.csat_surveys (organization_id, service_id);
create index csat_surveys_organization_id_sent_at_idx on app_public.csat_surveys (organization_id, sent_at) where sent_at is not null;
create index csat_surveys_organization_id_planned_for_idx on app_public.csat_surveys (organization_id, planned_for) where state = 'planned';
create index csat_surveys_organization_id_expires_at_idx on app_public.csat_surveys (organization_id, expires_at) where state = 'sent';

comment on table app_public.csat_surveys is 'Questions to requesters how it went, one for a ticket, and what they answered. Requesters read those they were asked, staff those of the tickets they see.';
comment on column app_public.csat_surveys.organization_id is 'The organization it belongs to.';
comment on column app_public.csat_surveys.id is 'Row id.';
comment on column app_public.csat_surveys.ticket_id is 'The ticket it is about.';
comment on column app_public.csat_surveys.requester_id is 'Who is asked, where that person is still there.';
comment on column app_public.csat_surveys.assignee_id is 'Who was assigned when the ticket was resolved. Staff only.';
comment on column app_public.csat_surveys.team_id is 'The team of the ticket when it was resolved. Staff only.';
comment on column app_public.csat_surveys.service_id is 'The service of the ticket when it was resolved. Staff only.';
comment on column app_public.csat_surveys.state is 'Where it is. An answer stays one when the time is over.';
comment on column app_public.csat_surveys.question is 'What was asked, as it was said then; null for the usual question in the language of the reader.';
comment on column app_public.csat_surveys.score is 'How it went, from 1 (very bad) to 5 (very good); null until there is an answer.';
comment on column app_public.csat_surveys.comment is 'What the requester adds, up to 2,000 characters.';
comment on column app_public.csat_surveys.planned_for is 'When the requester is asked.';
comment on column app_public.csat_surveys.sent_at is 'When the requester was asked.';
comment on column app_public.csat_surveys.expires_at is 'Until when the requester may answer, and change the answer.';
comment on column app_public.csat_surveys.answered_at is 'When the answer was given, or last changed.';
comment on column app_public.csat_surveys.answered_by is 'Where it was given.';
comment on column app_public.csat_surveys.created_at is 'When it was first planned.';

create table app_private.csat_tokens (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  survey_id uuid not null,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, token_hash),
  foreign key (organization_id, survey_id) references app_public.csat_surveys on delete cascade
);

create index csat_tokens_token_hash_idx on app_private.csat_tokens (token_hash);
create index csat_tokens_organization_id_survey_id_idx on app_private.csat_tokens (organization_id, survey_id);
create index csat_tokens_organization_id_created_at_idx on app_private.csat_tokens (organization_id, created_at);

comment on table app_private.csat_tokens is 'What the links in a mail open, one for each time it was sent: a mail may come twice, and either one is to work.';
comment on column app_private.csat_tokens.organization_id is 'The organization it belongs to.';
comment on column app_private.csat_tokens.id is 'Row id.';
comment on column app_private.csat_tokens.survey_id is 'The survey it answers.';
comment on column app_private.csat_tokens.token_hash is 'The sha256 of the token; the token itself is in the mail and nowhere else.';
comment on column app_private.csat_tokens.created_at is 'When it was made.';

--! split: 069-mail-surveys.sql
alter table app_public.mail_messages
  add column survey_id uuid,
  add constraint mail_messages_organization_id_survey_id_fkey
    foreign key (organization_id, survey_id) references app_public.csat_surveys on delete set null (survey_id);

create index mail_messages_organization_id_survey_id_idx on app_public.mail_messages (organization_id, survey_id) where survey_id is not null;

comment on column app_public.mail_messages.survey_id is 'The survey it asks for, or null.';

--! split: 070-claims.sql
-- What a job has begun with somebody outside is claimed, so that nobody does it at the same time. The claim of a worker
-- that died ends with it.
alter table app_public.mail_messages add column claimed_by text check (length(claimed_by) <= 200);
alter table app_public.webhook_deliveries add column claimed_by text check (length(claimed_by) <= 200);

create index mail_messages_organization_id_claimed_by_idx on app_public.mail_messages (organization_id, claimed_by) where claimed_by is not null;
create index webhook_deliveries_organization_id_claimed_by_idx on app_public.webhook_deliveries (organization_id, claimed_by) where claimed_by is not null;

comment on column app_public.mail_messages.claimed_by is 'The worker that is sending it, or did last, by the name under which it locks jobs.';
comment on column app_public.webhook_deliveries.claimed_by is 'The worker that is calling, or did last, by the name under which it locks jobs.';

--! split: 080-audited-words.sql
-- They follow from audited rows, and each word of a ticket was recorded twice more with every comment.
drop trigger if exists _900_audit on app_hidden.ticket_documents;
drop trigger if exists _900_audit on app_hidden.search_words;

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
    perform app_private.release_claims(lost);
    perform graphile_worker.force_unlock_workers(lost);
  end if;
end
$$;

comment on function app_private.free_lost_jobs() is
  'Frees the jobs of workers that were silent for 30 seconds. One of them may have been done: whatever a job does can be done twice.';

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
    perform app_private.release_claims(gone);
    perform graphile_worker.force_unlock_workers(gone);
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
    ('app_private.canned_response_uses'), ('app_private.macro_uses'),
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

--! split: 1018-functions-18-sealed-secrets.sql
-- For the rotation of the encryption key: what the server encrypted is handed out and taken back encrypted.

create or replace function app_private.reencrypt_list()
  returns table (table_name text, organization_id uuid, row_id uuid, secret text)
  language sql stable
  set search_path = ''
as $$
  select 'app_private.authenticators', authenticator.organization_id, authenticator.user_id, authenticator.sealed
  from app_private.authenticators as authenticator
  union all
  select 'app_private.identity_provider_secrets', provider.organization_id, provider.provider_id, provider.sealed
  from app_private.identity_provider_secrets as provider
  union all
  select 'app_private.mailbox_secrets', mailbox.organization_id, mailbox.mailbox_id, mailbox.sealed
  from app_private.mailbox_secrets as mailbox
  union all
  select 'app_private.sessions', session.organization_id, session.id, session.id_token
  from app_private.sessions as session
  where session.id_token is not null and session.revoked_at is null
  union all
  select 'app_private.webhook_secrets', secret.organization_id, secret.webhook_id, secret.sealed
  from app_private.webhook_secrets as secret
$$;

comment on function app_private.reencrypt_list() is 'Everything that is encrypted with a key of the server. Run by the owner.';

create or replace function app_private.reencrypt(table_name text, organization_id uuid, row_id uuid, before text, after text)
  returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
begin
  case reencrypt.table_name
    when 'app_private.authenticators' then
      update app_private.authenticators as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.user_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.identity_provider_secrets' then
      update app_private.identity_provider_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.provider_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.mailbox_secrets' then
      update app_private.mailbox_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.mailbox_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.sessions' then
      update app_private.sessions as stored set id_token = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.id = reencrypt.row_id and stored.id_token = reencrypt.before;
    when 'app_private.webhook_secrets' then
      -- A webhook may have several: what was sealed tells them apart.
      update app_private.webhook_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.webhook_id = reencrypt.row_id and stored.sealed = reencrypt.before;
  end case;
  return found;
end
$$;

comment on function app_private.reencrypt(text, uuid, uuid, text, text) is 'Stores a secret encrypted anew; false when somebody changed it meanwhile. Run by the owner.';

revoke all on function app_private.reencrypt_list(), app_private.reencrypt(text, uuid, uuid, text, text) from public;

--! split: 1030-functions-30-tickets.sql
-- Who sees what: policies ask these once a query.

create or replace function app_hidden.current_team_ids() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(member.team_id), '{}')
  from app_public.team_members as member
  where member.organization_id = app_hidden.current_organization_id() and member.user_id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_team_ids() is 'The teams the caller works in.';

create or replace function app_hidden.sees_every_team() returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select not exists (
    select
    from app_public.users as person
    where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
      and person.restricted_to_teams and person.role = 'agent'
  )
$$;

comment on function app_hidden.sees_every_team() is 'Whether the caller, as staff, sees the tickets of all teams: everybody but an agent who is restricted to the own ones.';

create or replace function app_private.may_see_ticket(user_id uuid, ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    left join app_public.companies as company on company.organization_id = person.organization_id and company.id = person.company_id
    where person.organization_id = ticket.organization_id and person.id = may_see_ticket.user_id and person.disabled_at is null
      and case
        when person.role = 'customer' then
          person.id = ticket.requester_id or (company.shares_tickets and company.id = ticket.company_id)
        when person.role = 'agent' and person.restricted_to_teams then
          person.id = ticket.requester_id
          or person.id = ticket.assignee_id
          or exists (
            select
            from app_public.team_members as member
            where member.organization_id = person.organization_id and member.user_id = person.id and member.team_id = ticket.team_id
          )
        else true
      end
  )
$$;

comment on function app_private.may_see_ticket(uuid, app_public.tickets) is 'Whether a person sees a ticket: what the policies of tickets would say to them.';

create or replace function app_hidden.sees_ticket(ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  -- Neither yes nor no, for a ticket without a team or an assignee, would be taken for a yes by `not`.
  select coalesce(
    ticket.organization_id = app_hidden.current_organization_id()
    and case
      when not app_hidden.is_staff() then
        ticket.requester_id = app_hidden.current_user_id() or ticket.company_id = app_hidden.shared_company_id()
      else
        app_hidden.sees_every_team()
        or ticket.team_id = any (app_hidden.current_team_ids())
        or app_hidden.current_user_id() in (ticket.assignee_id, ticket.requester_id)
    end,
    false
  )
$$;

comment on function app_hidden.sees_ticket(app_public.tickets) is 'Whether the caller sees a ticket: what the policies of tickets say, for functions that run as the owner.';

create or replace function app_private.refuse_unseen_ticket(ticket app_public.tickets) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  -- Jobs act for nobody, and see what their organization has.
  if app_hidden.current_user_id() is not null and not app_hidden.sees_ticket(ticket) then
    raise exception using errcode = '42501', message = 'Whoever writes a ticket must see it afterwards';
  end if;
end
$$;

comment on function app_private.refuse_unseen_ticket(app_public.tickets) is 'Refuses what would put a ticket out of the caller''s sight, as the policies of tickets do, for functions that run as the owner.';

-- Queries

-- The columns that only staff may read are no part of what a customer is handed as a whole row.
create or replace function app_private.as_seen_by_caller(ticket app_public.tickets) returns app_public.tickets
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not app_hidden.is_staff() then
    ticket.tags := '{}';
    ticket.internal_fields := '{}';
    ticket.snoozed_until := null;
    ticket.next_due_at := null;
    ticket.breached := false;
  end if;
  return ticket;
end
$$;

comment on function app_private.as_seen_by_caller(app_public.tickets) is 'A ticket without what its reader may not see of it.';

create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets
  language sql stable security definer
  set search_path = ''
as $$
  select (app_private.as_seen_by_caller(ticket)).*
  from app_public.tickets as ticket
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.number = ticket_by_number.number
    and app_hidden.sees_ticket(ticket)
$$;

comment on function app_public.ticket_by_number(integer) is 'The ticket with this number in the caller''s organization, or null when there is none the caller may see.';

create or replace function app_private.ticket_made_before(client_mutation_key text) returns app_public.tickets
  language plpgsql stable
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets as made
  where made.organization_id = app_hidden.current_organization_id()
    and made.created_by_id = app_hidden.current_user_id()
    and made.client_mutation_key = ticket_made_before.client_mutation_key;
  -- It may have gone to somebody else since.
  if found and not app_hidden.sees_ticket(ticket) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  return ticket;
end
$$;

comment on function app_private.ticket_made_before(text) is
  'The ticket that an earlier call of the caller with this key made, or null; for functions that run as the owner. Error NOT_FOUND when the caller does not see it any more.';

-- Mutations

create or replace function app_private.open_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority,
  service_id uuid,
  requester_id uuid,
  custom_fields jsonb,
  tags text[],
  client_mutation_key text,
  attachment_ids uuid[],
  template app_public.ticket_templates default null
) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  description app_public.comments;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to open a ticket';
  end if;

  -- A retry is answered before anything is tried: it uses up no number, and no rule that came since refuses it.
  ticket := app_private.ticket_made_before(open_ticket.client_mutation_key);
  if ticket.id is not null then
    return ticket;
  end if;

  if not app_hidden.is_staff() and (open_ticket.requester_id <> caller_id or open_ticket.tags <> '{}') then
    raise exception using errcode = '42501', message = 'Only staff open tickets for others and tag them';
  end if;

  insert into app_public.tickets (
    organization_id, subject, priority, service_id, requester_id, created_by_id, channel, custom_fields, tags, client_mutation_key
  )
  values (
    caller_organization_id, btrim(open_ticket.subject), coalesce(open_ticket.priority, 'normal'), open_ticket.service_id,
    coalesce(open_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    coalesce(open_ticket.custom_fields, '{}'), coalesce(open_ticket.tags, '{}'), open_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    -- Everybody sees what they ask for themselves.
    if ticket.requester_id <> caller_id then
      perform app_private.refuse_unseen_ticket(ticket);
    end if;

    -- What the template says for staff, whoever begins with it.
    if template.tags <> '{}' or template.custom_fields <> '{}' then
      update app_public.tickets as made
      set tags = template.tags, custom_fields = template.custom_fields || made.custom_fields
      where made.organization_id = ticket.organization_id and made.id = ticket.id
      returning * into ticket;
    end if;

    -- Only here: whoever mails, or splits a comment, is shown no form.
    perform app_private.require_fields(ticket, 'creating');

    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    values (caller_organization_id, ticket.id, caller_id, open_ticket.body)
    returning * into description;
    if open_ticket.attachment_ids <> '{}' then
      perform app_hidden.attach_uploads(description, open_ticket.attachment_ids);
    end if;

    insert into app_public.checklist_items (organization_id, ticket_id, position, text)
    select ticket.organization_id, ticket.id, step.number, step.text
    from unnest(template.checklist) with ordinality as step (text, number);
  end if;

  -- Read again: of another call with the same key, or because the triggers set its clocks.
  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = caller_organization_id
    and case
      when ticket.id is null then
        made.created_by_id = caller_id and made.client_mutation_key = open_ticket.client_mutation_key
      else made.id = ticket.id
    end;
  return ticket;
end
$$;

comment on function app_private.open_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[], app_public.ticket_templates) is
  'Opens a ticket for the caller, with what a template says where there is one; for functions that run as the owner. Errors as `create_ticket`.';

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  custom_fields jsonb default '{}',
  tags text[] default '{}',
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  return app_private.as_seen_by_caller(app_private.open_ticket(
    subject, body, priority, service_id, requester_id, custom_fields, tags, client_mutation_key, attachment_ids
  ));
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[]) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. `customFields` holds values by the key of the field; `tags` are up to 30, from staff only. `attachmentIds` are the row ids of files that you uploaded for it. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN for a ticket you would not see, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED, TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED; FIELD_UNKNOWN, FIELD_INVALID, FIELD_NOT_ASKED and FIELD_REQUIRED_TO_CREATE with the key of the field in `details.field`.';

revoke all on function
  app_hidden.current_team_ids(), app_hidden.sees_every_team(), app_private.may_see_ticket(uuid, app_public.tickets),
  app_hidden.sees_ticket(app_public.tickets), app_private.refuse_unseen_ticket(app_public.tickets), app_private.as_seen_by_caller(app_public.tickets),
  app_private.ticket_made_before(text), app_public.ticket_by_number(integer),
  app_private.open_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[], app_public.ticket_templates),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[])
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text, uuid[])
to atum_customer, atum_agent;
grant execute on function app_hidden.current_team_ids(), app_hidden.sees_every_team() to atum_agent;

--! split: 1032-functions-32-comments.sql
create or replace function app_hidden.writes_for_staff() returns boolean
  language sql stable parallel safe
  return app_hidden.is_staff() or app_hidden.acting_role() = 'atum_worker';

comment on function app_hidden.writes_for_staff() is 'Whether what is said now is said by staff: at once, or by the worker that delivers what staff sent a moment ago.';

create or replace function app_public.add_comment(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket record;
  made app_public.comments;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  next_status app_public.ticket_status := add_comment.status;
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to write a comment';
  end if;

  -- A retry is answered before anything is tried: no rule that came since refuses it.
  select * into made
  from app_public.comments as earlier
  where earlier.organization_id = caller_organization_id
    and earlier.author_id = caller_id
    and earlier.client_mutation_key = add_comment.client_mutation_key;
  if found then
    return made;
  end if;

  -- A ticket of somebody else and one that never was look the same.
  select visible.id, visible.status, visible.requester_id into ticket
  from app_public.tickets as visible
  where visible.organization_id = caller_organization_id and visible.id = add_comment.ticket_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;

  insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  values (
    caller_organization_id, add_comment.ticket_id, caller_id, coalesce(add_comment.visibility, 'public'), add_comment.body,
    add_comment.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, author_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into made;

  if not found then
    select * into strict made
    from app_public.comments as earlier
    where earlier.organization_id = caller_organization_id
      and earlier.author_id = caller_id
      and earlier.client_mutation_key = add_comment.client_mutation_key;
    return made;
  end if;

  -- Looked at now that the comment has locked its ticket, so that of two that cross one is refused.
  if add_comment.seen_comment_at is not null and exists (
    select
    from app_public.comments as crossed
    where crossed.organization_id = caller_organization_id and crossed.ticket_id = add_comment.ticket_id
      and crossed.visibility = 'public' and crossed.created_at > add_comment.seen_comment_at and crossed.id <> made.id
  ) then
    raise exception using errcode = 'AD111', message = 'Somebody answered while you were writing; read it, and send yours if it still holds';
  end if;

  if add_comment.mentioned_user_ids <> '{}' then
    perform app_hidden.mention(made, add_comment.mentioned_user_ids);
  end if;
  if add_comment.attachment_ids <> '{}' then
    perform app_hidden.attach_uploads(made, add_comment.attachment_ids);
  end if;

  -- The first public answer takes a new ticket into work, unless the answer says otherwise.
  if next_status is null and add_comment.state_id is null
    and ticket.status = 'new' and made.visibility = 'public'
    and app_hidden.writes_for_staff() and ticket.requester_id <> caller_id
  then
    next_status := 'open';
  end if;

  if add_comment.state_id is not null then
    update app_public.tickets as answered
    set state_id = add_comment.state_id
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  elsif next_status is not null and next_status <> ticket.status then
    update app_public.tickets as answered
    set status = next_status
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  end if;

  return made;
end
$$;

comment on function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[]) is
  'Says something on a ticket and returns the comment. `body` is plain text of 1 to 65,536 bytes. Staff may write `internal` comments, set the `status`, or the stage `stateId`, in the same save, and mention up to 50 colleagues who may see the ticket, who watch it from then on. With `seenCommentAt`, the ticket''s `lastCommentAt` as you saw it, a comment that crosses with another is refused with COMMENT_CONFLICT, and yours is still yours. A requester, or a colleague with whom the company shares tickets, who answers a pending, on-hold or resolved ticket opens it again. `attachmentIds` are the row ids of files that you uploaded (`POST /api/v1/attachments/upload`) and that are on no comment yet. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the comment the first call made. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_INPUT, FORBIDDEN, TICKET_CLOSED, TICKET_MERGED, REOPEN_WINDOW_OVER, COMMENT_CONFLICT, MENTION_REFUSED, TOO_MANY_ATTACHMENTS, ATTACHMENT_NOT_FOUND, ATTACHMENT_INFECTED, ATTACHMENT_REMOVED.';

create or replace function app_hidden.mention(comment app_public.comments, user_ids uuid[]) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  said app_public.comments;
  ticket app_public.tickets;
begin
  -- Read again, because whoever calls this can put a row together that says what they like.
  select * into said
  from app_public.comments as written
  where written.organization_id = app_hidden.current_organization_id() and written.id = comment.id
    and written.author_id = app_hidden.current_user_id();
  if not found or not app_hidden.writes_for_staff() then
    raise exception using errcode = 'AD112', message = 'Staff mention colleagues in what they write themselves';
  end if;
  if cardinality(user_ids) > 50 then
    raise exception using errcode = 'AD112', message = 'A comment mentions at most 50 people';
  end if;

  select * into strict ticket
  from app_public.tickets as said_on
  where said_on.organization_id = said.organization_id and said_on.id = said.ticket_id;

  insert into app_public.comment_mentions (organization_id, comment_id, user_id)
  select said.organization_id, said.id, person.id
  from app_public.users as person
  where person.organization_id = said.organization_id and person.id = any (user_ids)
    and person.role <> 'customer' and app_private.may_see_ticket(person.id, ticket)
  on conflict do nothing;

  perform app_private.add_watcher(ticket, mentioned.user_id)
  from app_public.comment_mentions as mentioned
  where mentioned.organization_id = said.organization_id and mentioned.comment_id = said.id
    and mentioned.user_id = any (user_ids);

  if exists (
    select from unnest(user_ids) as wanted (id)
    where not exists (
      select
      from app_public.comment_mentions as mentioned
      where mentioned.organization_id = said.organization_id and mentioned.comment_id = said.id and mentioned.user_id = wanted.id
    )
  ) then
    raise exception using errcode = 'AD112', message = 'Only colleagues who may see the ticket can be mentioned';
  end if;
end
$$;

comment on function app_hidden.mention(app_public.comments, uuid[]) is 'Records that the author of a comment called up to 50 colleagues by name, who watch the ticket from then on. Error MENTION_REFUSED.';

create or replace function app_private.tg_comments__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets
  where organization_id = NEW.organization_id and id = NEW.ticket_id;

  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; write there';
  end if;

  if NEW.visibility = 'internal' then
    return NEW;
  end if;

  if ticket.status = 'closed' and ticket.closed_at < NEW.created_at then
    raise exception using errcode = 'AD102', message = 'This ticket is closed; open a new one';
  end if;

  if ticket.status = 'resolved'
    and exists (
      select
      from app_public.ticket_settings as settings
      where settings.organization_id = NEW.organization_id
        and ticket.resolved_at + make_interval(days => settings.reopen_days) < NEW.created_at
    )
    and exists (
      select
      from app_public.users as author
      where author.organization_id = NEW.organization_id and author.id = NEW.author_id and author.role = 'customer'
    )
  then
    raise exception using errcode = 'AD113', message = 'This ticket was resolved too long ago to go on; open a new one';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_comments__refuse() is 'Refuses a comment on a merged ticket, a public one on a closed ticket, and a customer''s on one that was resolved too long ago. Errors TICKET_MERGED, TICKET_CLOSED, REOPEN_WINDOW_OVER.';

create or replace trigger _200_refuse before insert on app_public.comments
  for each row execute function app_private.tg_comments__refuse();

create or replace function app_private.tg_comments__follow() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket record;
  by_staff boolean;
begin
  -- The description is part of opening the ticket, not something that happened to it.
  if not exists (
    select
    from app_public.comments as earlier
    where earlier.organization_id = NEW.organization_id and earlier.ticket_id = NEW.ticket_id and earlier.id <> NEW.id
  ) then
    return null;
  end if;

  select said_on.requester_id, said_on.status, said_on.snoozed_until, said_on.merged_into_id, author.role as author_role into ticket
  from app_public.tickets as said_on
  left join app_public.users as author on author.organization_id = NEW.organization_id and author.id = NEW.author_id
  where said_on.organization_id = NEW.organization_id and said_on.id = NEW.ticket_id
  for no key update of said_on;

  -- Merged while this was being written: what was said would be left behind.
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; write there';
  end if;

  by_staff := coalesce(ticket.author_role <> 'customer' and NEW.author_id <> ticket.requester_id, false);

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, comment_id, created_at)
  values (
    NEW.organization_id, NEW.ticket_id, 'comment_added', NEW.visibility, NEW.author_id, coalesce(NEW.author_name, app_hidden.current_actor_name()),
    NEW.id, NEW.created_at
  );

  -- A word of the customer takes a ticket that waits into work again, and wakes one that was put aside.
  if NEW.author_id is not null and not by_staff and NEW.visibility = 'public'
    and (ticket.status in ('pending', 'on_hold', 'resolved') or ticket.snoozed_until is not null)
  then
    update app_public.tickets
    set
      status = case when status in ('pending', 'on_hold', 'resolved') then 'open' else status end,
      snoozed_until = null,
      updated_at = greatest(updated_at, NEW.created_at)
    where organization_id = NEW.organization_id and id = NEW.ticket_id;
  end if;

  update app_public.tickets
  set
    last_comment_at = case when NEW.visibility = 'public' then greatest(last_comment_at, NEW.created_at) else last_comment_at end,
    updated_at = greatest(updated_at, NEW.created_at),
    first_responded_at = case
      when first_responded_at is null and by_staff and NEW.visibility = 'public' then NEW.created_at
      else first_responded_at
    end
  where organization_id = NEW.organization_id and id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__follow() is 'Records the event of a comment and moves its ticket: last comment, first response, and open again when the requester or a colleague answers.';

create or replace trigger _500_follow after insert on app_public.comments
  for each row execute function app_private.tg_comments__follow();

revoke all on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[]),
  app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]), app_private.tg_comments__refuse(), app_private.tg_comments__follow()
from public;

grant execute on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text, uuid[])
to atum_customer, atum_agent;
grant execute on function app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]) to atum_agent, atum_customer;

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

  if stored.state = 'pending' then
    perform app_private.enqueue_scan(stored.organization_id, stored.sha256);
  end if;
  return stored;
end
$$;

comment on function app_private.store_content(text, bigint, text) is
  'The row of a content, made where there is none and locked until the end of the transaction, in which the caller puts the bytes where its state says. Has a job scan what nobody judged yet.';

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
  if app_private.is_content_type_among(store_upload.content_type, settings.refused_content_types)
    or settings.allowed_content_types <> '{}'
    and not app_private.is_content_type_among(store_upload.content_type, settings.allowed_content_types)
  then
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
  return made;
end
$$;

comment on function app_private.store_mail_file(text, bigint, text, text, text, text, uuid, uuid) is
  'Puts a file that came by mail on its comment, and has it scanned. Nothing is refused: what may not be read is not served. The worker puts the bytes where the state says before it commits.';

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
  app_private.is_content_type_among(text, text[]), app_private.store_content(text, bigint, text),
  app_hidden.store_upload(text, bigint, text, text, text, text),
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

--! split: 1035-functions-35-ticket-merges.sql
create or replace function app_public.merge_ticket(source_ticket_id uuid, target_ticket_id uuid) returns app_public.ticket_merges
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  -- Both are locked in one order, so that two people who merge the same two do not wait for each other.
  swapped constant boolean := source_ticket_id > target_ticket_id;
  one constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then target_ticket_id else source_ticket_id end);
  two constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then source_ticket_id else target_ticket_id end);
  source constant app_public.tickets := case when one.id = source_ticket_id then one else two end;
  target constant app_public.tickets := case when one.id = source_ticket_id then two else one end;
  made app_public.ticket_merges;
begin
  if source.id = target.id then
    raise exception using errcode = 'AD116', message = 'A ticket cannot be merged into itself';
  end if;
  if source.merged_into_id is not null or target.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'A ticket that was merged goes on in another one; merge that one';
  end if;
  if target.status = 'closed' then
    raise exception using errcode = 'AD102', message = 'The ticket to go on in is closed';
  end if;

  insert into app_public.ticket_merges
    (
      organization_id, source_ticket_id, target_ticket_id, source_state_id, source_snoozed_until, merged_by_id,
      moved_comment_ids, moved_event_ids, moved_time_entry_ids, added_watcher_ids
    )
  values (
    source.organization_id, source.id, target.id, source.state_id, source.snoozed_until, app_hidden.current_user_id(),
    array(select id from app_public.comments where organization_id = source.organization_id and ticket_id = source.id),
    array(
      select id from app_public.ticket_events
      where organization_id = source.organization_id and ticket_id = source.id and comment_id is not null
    ),
    array(select id from app_public.time_entries where organization_id = source.organization_id and ticket_id = source.id),
    -- The requester of the source hears how it goes on, where that person may see the target.
    array(
      select person.id
      from (
        select source.requester_id as id
        union
        select watcher.user_id from app_public.ticket_watchers as watcher
        where watcher.organization_id = source.organization_id and watcher.ticket_id = source.id
      ) as person
      where app_private.may_see_ticket(person.id, target) and person.id <> target.requester_id
        and not exists (
          select from app_public.ticket_watchers as watcher
          where watcher.organization_id = target.organization_id and watcher.ticket_id = target.id and watcher.user_id = person.id
        )
    )
  )
  returning * into made;

  perform app_private.move_conversation(made, source.id, target.id);
  perform app_private.add_watcher(target, person_id) from unnest(made.added_watcher_ids) as person_id;

  perform app_private.record_ticket_event(
    source, 'ticket_merged', jsonb_build_object('merge_id', made.id, 'ticket_id', target.id, 'ticket_reference', target.reference),
    visibility => 'public'
  );
  perform app_private.record_ticket_event(
    target, 'merge_received', jsonb_build_object('merge_id', made.id, 'ticket_id', source.id, 'ticket_reference', source.reference)
  );

  update app_public.tickets as ticket
  set status = 'closed', merged_into_id = target.id
  where ticket.organization_id = source.organization_id and ticket.id = source.id;

  perform app_private.refresh_last_comment(target);
  return made;
end
$$;

comment on function app_public.merge_ticket(uuid, uuid) is
  'Merges a ticket into another one, and returns the merge: what was said, the time and who watches move to the target, whose requester reads from then on what was said in public; the source is closed, points to it, and leaves the SLA. `undoMerge` takes it back. Staff only. Errors: NOT_FOUND, MERGE_REFUSED, TICKET_MERGED, TICKET_CLOSED.';

create or replace function app_private.move_conversation(merge app_public.ticket_merges, from_ticket_id uuid, to_ticket_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.comments
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_comment_ids);

  update app_public.ticket_events
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_event_ids);

  update app_public.time_entries
  set ticket_id = to_ticket_id
  where organization_id = merge.organization_id and ticket_id = from_ticket_id and id = any (merge.moved_time_entry_ids);
end
$$;

comment on function app_private.move_conversation(app_public.ticket_merges, uuid, uuid) is 'Moves what a merge names from one ticket to the other.';

create or replace function app_private.refresh_last_comment(ticket app_public.tickets) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as changed
  set
    last_comment_at = coalesce(
      (
        select max(comment.created_at)
        from app_public.comments as comment
        where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id and comment.visibility = 'public'
      ),
      changed.created_at
    ),
    updated_at = now()
  where changed.organization_id = ticket.organization_id and changed.id = ticket.id
$$;

comment on function app_private.refresh_last_comment(app_public.tickets) is 'Looks up when the last public comment was written, after comments came or went.';

create or replace function app_public.undo_merge(merge_id uuid) returns app_public.ticket_merges
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  merge app_public.ticket_merges;
  one app_public.tickets;
  two app_public.tickets;
  source app_public.tickets;
  target app_public.tickets;
begin
  select * into merge
  from app_public.ticket_merges as made
  where made.organization_id = app_hidden.current_organization_id() and made.id = undo_merge.merge_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such merge';
  end if;
  one := app_private.ticket_to_work_on(least(merge.source_ticket_id, merge.target_ticket_id));
  two := app_private.ticket_to_work_on(greatest(merge.source_ticket_id, merge.target_ticket_id));
  source := case when one.id = merge.source_ticket_id then one else two end;
  target := case when one.id = merge.source_ticket_id then two else one end;

  update app_public.ticket_merges as made
  set undone_at = now(), undone_by_id = app_hidden.current_user_id()
  where made.organization_id = merge.organization_id and made.id = merge.id and made.undone_at is null
  returning * into merge;
  if not found then
    raise exception using errcode = 'AD116', message = 'This merge was undone already';
  end if;
  if target.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'The ticket this one went into was merged as well; undo that first';
  end if;

  perform app_private.move_conversation(merge, target.id, source.id);
  perform app_private.drop_watcher(target, person_id) from unnest(merge.added_watcher_ids) as person_id;

  update app_public.tickets as ticket
  set
    state_id = merge.source_state_id, merged_into_id = null,
    snoozed_until = case when merge.source_snoozed_until > now() then merge.source_snoozed_until end
  where ticket.organization_id = source.organization_id and ticket.id = source.id;
  perform app_private.refresh_last_comment(target);

  perform app_private.record_ticket_event(
    source, 'merge_undone', jsonb_build_object('merge_id', merge.id, 'ticket_id', target.id, 'ticket_reference', target.reference),
    visibility => 'public'
  );
  perform app_private.record_ticket_event(
    target, 'merge_undone', jsonb_build_object('merge_id', merge.id, 'ticket_id', source.id, 'ticket_reference', source.reference)
  );
  return merge;
end
$$;

comment on function app_public.undo_merge(uuid) is
  'Takes a merge back and returns it: what it moved goes back, and the source is in its stage of before. Staff only. Errors: NOT_FOUND, MERGE_REFUSED when it was undone already, TICKET_MERGED when the target went into another one since.';

create or replace function app_public.split_comment(comment_id uuid, subject text, client_mutation_key text default null)
  returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  said app_public.comments;
  repeated app_public.comments;
  origin app_public.tickets;
  ticket app_public.tickets;
begin
  ticket := app_private.ticket_made_before(split_comment.client_mutation_key);
  if ticket.id is not null then
    return ticket;
  end if;

  select * into said
  from app_public.comments as comment
  where comment.organization_id = app_hidden.current_organization_id() and comment.id = split_comment.comment_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such comment';
  end if;
  origin := app_private.ticket_to_work_on(said.ticket_id);

  insert into app_public.tickets
    (organization_id, subject, priority, service_id, team_id, requester_id, created_by_id, channel, client_mutation_key)
  select
    origin.organization_id, btrim(split_comment.subject), origin.priority,
    (select id from app_public.services where organization_id = origin.organization_id and id = origin.service_id and archived_at is null),
    origin.team_id,
    case when author.role = 'customer' then author.id else origin.requester_id end,
    app_hidden.current_user_id(), 'desk', split_comment.client_mutation_key
  from (values (said.author_id)) as person (id)
  left join app_public.users as author on author.organization_id = origin.organization_id and author.id = person.id
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;
  if not found then
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = app_hidden.current_organization_id() and made.created_by_id = app_hidden.current_user_id()
      and made.client_mutation_key = split_comment.client_mutation_key;
    return ticket;
  end if;
  perform app_private.refuse_unseen_ticket(ticket);

  insert into app_public.comments (organization_id, ticket_id, author_id, author_name, visibility, body)
  values (origin.organization_id, ticket.id, said.author_id, said.author_name, said.visibility, said.body)
  returning * into repeated;
  perform app_private.copy_attachments(said, repeated);
  perform app_public.relate_tickets(ticket.id, 'relates_to', origin.id);

  perform app_private.record_ticket_event(
    origin, 'ticket_split', jsonb_build_object('comment_id', said.id, 'ticket_id', ticket.id, 'ticket_reference', ticket.reference)
  );
  perform app_private.record_ticket_event(
    ticket, 'ticket_split',
    jsonb_build_object('comment_id', said.id, 'ticket_id', origin.id, 'ticket_reference', origin.reference, 'is_origin', true)
  );

  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = origin.organization_id and made.id = ticket.id;
  return ticket;
end
$$;

comment on function app_public.split_comment(uuid, text, text) is
  'Opens a new ticket with what a comment says and its files, related to the one it was said on, and returns it. The comment stays where it is; its author, if a customer, is the requester. Retrying with the same `clientMutationKey` returns the ticket the first call made. Staff only. Errors: NOT_FOUND, INVALID_INPUT, FORBIDDEN for a ticket you would not see.';

revoke all on function
  app_public.merge_ticket(uuid, uuid), app_private.move_conversation(app_public.ticket_merges, uuid, uuid),
  app_private.refresh_last_comment(app_public.tickets), app_public.undo_merge(uuid),
  app_public.split_comment(uuid, text, text)
from public;

grant execute on function
  app_public.merge_ticket(uuid, uuid), app_public.undo_merge(uuid), app_public.split_comment(uuid, text, text)
to atum_agent;

--! split: 1038-functions-38-ticket-actions.sql
-- What macros, bulk changes, automations and escalations do to a ticket: one list of actions, one place that does them.

create or replace function app_hidden.check_ticket_actions(actions jsonb) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  action jsonb;
  known constant jsonb := '{
    "set_priority": {"priority": "ticket_priority"}, "raise_priority": {},
    "set_status": {"status": "ticket_status"}, "set_state": {"state_id": "uuid"},
    "set_service": {"service_id": "uuid?"}, "set_team": {"team_id": "uuid?"},
    "set_assignee": {"assignee_id": "uuid?"}, "assign_to_me": {}, "assign_automatically": {},
    "add_tags": {"tags": "texts"}, "remove_tags": {"tags": "texts"},
    "add_watcher": {"user_id": "uuid"}, "remove_watcher": {"user_id": "uuid"},
    "set_custom_fields": {"values": "object"},
    "snooze": {"seconds": "number"},
    "comment": {"visibility": "comment_visibility", "body": "text"},
    "notify": {"to": "audience", "text": "notice"}
  }';
  words constant jsonb := '{
    "ticket_priority": ["low", "normal", "high", "urgent"],
    "ticket_status": ["new", "open", "pending", "on_hold", "resolved", "closed"],
    "comment_visibility": ["public", "internal"],
    "audience": ["requester", "assignee", "team", "watchers", "managers"]
  }';
  expected jsonb;
  field text;
  kind text;
  given jsonb;
begin
  if jsonb_typeof(actions) is distinct from 'array' or jsonb_array_length(actions) > 20 then
    raise exception using errcode = 'AD117', message = 'Actions are a list of at most 20';
  end if;

  for action in select value from jsonb_array_elements(actions) loop
    expected := case when jsonb_typeof(action) = 'object' then known -> (action ->> 'type') end;
    if expected is null then
      raise exception using errcode = 'AD117', message = format('There is no action %s', left(action #>> '{type}', 40));
    end if;
    if exists (select from jsonb_object_keys(action) as key where key <> 'type' and not expected ? key) then
      raise exception using errcode = 'AD117', message = format('The action %s says more than it can', action ->> 'type');
    end if;
    for field, kind in select key, value from jsonb_each_text(expected) loop
      given := action -> field;
      if not coalesce(
        case
          when kind = 'uuid' then jsonb_typeof(given) = 'string' and pg_input_is_valid(given #>> '{}', 'uuid')
          when kind = 'uuid?' then given is not null and (given = 'null' or pg_input_is_valid(given #>> '{}', 'uuid'))
          when kind = 'text' then jsonb_typeof(given) = 'string' and given #>> '{}' ~ '\S' and octet_length(given #>> '{}') <= 65536
          when kind = 'notice' then jsonb_typeof(given) = 'string' and given #>> '{}' ~ '\S' and length(given #>> '{}') <= 1000
          when kind = 'texts' then jsonb_typeof(given) = 'array' and jsonb_array_length(given) between 1 and 30
            and not jsonb_path_exists(given, '$[*] ? (@.type() != "string")')
          when kind = 'number' then jsonb_typeof(given) = 'number' and (given #>> '{}')::numeric between 1 and 157680000
          when kind = 'object' then jsonb_typeof(given) = 'object'
          else words -> kind ? (given #>> '{}')
        end,
        false
      ) then
        raise exception using errcode = 'AD117', message = format('The action %s needs a proper %s', action ->> 'type', field);
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_hidden.check_ticket_actions(jsonb) is
  'Refuses a list of actions that is none. Each is an object with a `type`: `set_priority` {priority}, `raise_priority`, `set_status` {status}, `set_state` {state_id}, `set_service` {service_id or null}, `set_team` {team_id or null}, `set_assignee` {assignee_id or null}, `assign_to_me`, `assign_automatically`, `add_tags` {tags}, `remove_tags` {tags}, `add_watcher` {user_id}, `remove_watcher` {user_id}, `set_custom_fields` {values by key}, `snooze` {seconds}, `comment` {visibility, body with variables such as {{requester.name}}}, `notify` {to: requester, assignee, team, watchers or managers; text of up to 1,000 characters}. At most 20. Error ACTION_INVALID.';

create or replace function app_hidden.ticket_variables(ticket_id uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'ticket.reference', ticket.reference, 'ticket.subject', ticket.subject,
    'ticket.priority', ticket.priority, 'ticket.status', ticket.status,
    'ticket.service', service.name, 'ticket.team', team.name,
    'requester.name', requester.name, 'requester.first_name', split_part(requester.name, ' ', 1), 'requester.email', requester.email,
    'assignee.name', assignee.name,
    'agent.name', agent.name, 'agent.first_name', split_part(agent.name, ' ', 1),
    'organization.name', organization.name
  ))
  from app_public.tickets as ticket
  join app_public.organizations as organization on organization.id = ticket.organization_id
  left join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
  left join app_public.users as assignee on assignee.organization_id = ticket.organization_id and assignee.id = ticket.assignee_id
  left join app_public.users as agent on agent.organization_id = ticket.organization_id and agent.id = app_hidden.current_user_id()
  left join app_public.services as service on service.organization_id = ticket.organization_id and service.id = ticket.service_id
  left join app_public.teams as team on team.organization_id = ticket.organization_id and team.id = ticket.team_id
  where ticket.organization_id = app_hidden.current_organization_id() and ticket.id = ticket_variables.ticket_id
$$;

comment on function app_hidden.ticket_variables(uuid) is
  'What the variables in a prepared text stand for on a ticket: ticket.reference, ticket.subject, ticket.priority, ticket.status, ticket.service, ticket.team, requester.name, requester.first_name, requester.email, assignee.name, agent.name, agent.first_name, organization.name.';

create or replace function app_hidden.fill_in(template text, variables jsonb) returns text
  language sql immutable
  set search_path = ''
as $$
  -- Split at the braces once, so that a value which itself looks like a variable is not filled in again.
  select coalesce(string_agg(
    case
      when piece.position = 1 then piece.value
      when found.parts is null then '{{' || piece.value
      else coalesce(variables ->> found.parts[1], '') || found.parts[2]
    end,
    '' order by piece.position
  ), '')
  from string_to_table(template, '{{') with ordinality as piece (value, position)
  left join lateral regexp_match(piece.value, '^\s*([a-z_.]+)\s*\}\}(.*)$') as found (parts) on true
$$;

comment on function app_hidden.fill_in(text, jsonb) is 'A prepared text with its {{variables}} filled in; one that is not known is left out.';

create or replace function app_private.say(ticket app_public.tickets, visibility app_public.comment_visibility, body text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if app_hidden.current_user_id() is not null then
    perform app_public.add_comment(ticket.id, say.body, say.visibility);
  else
    -- What customers read is the organization's word: the name of a rule is none of theirs. The event keeps it.
    insert into app_public.comments (organization_id, ticket_id, author_name, visibility, body)
    values (
      ticket.organization_id, ticket.id, case say.visibility when 'internal' then app_hidden.current_actor_name() end,
      say.visibility, say.body
    );
  end if;
end
$$;

comment on function app_private.say(app_public.tickets, app_public.comment_visibility, text) is 'Says something on a ticket in the name of whoever acts: of a person as they would themselves.';

create or replace function app_hidden.apply_ticket_actions(ticket_id uuid, actions jsonb) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  before app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  after app_public.tickets := before;
  action jsonb;
begin
  perform app_hidden.check_ticket_actions(actions);

  for action in select value from jsonb_array_elements(actions) loop
    case action ->> 'type'
      when 'set_priority' then
        after.priority := (action ->> 'priority')::app_public.ticket_priority;
      when 'raise_priority' then
        after.priority := case after.priority when 'low' then 'normal' when 'normal' then 'high' else 'urgent' end;
      when 'set_status' then
        after.status := (action ->> 'status')::app_public.ticket_status;
        after.state_id := before.state_id;
      when 'set_state' then
        after.status := before.status;
        after.state_id := (action ->> 'state_id')::uuid;
      when 'set_service' then
        after.service_id := (action ->> 'service_id')::uuid;
      when 'set_team' then
        after.team_id := (action ->> 'team_id')::uuid;
      when 'set_assignee' then
        after.assignee_id := (action ->> 'assignee_id')::uuid;
      when 'assign_to_me' then
        if app_hidden.current_user_id() is null then
          raise exception using errcode = 'AD117', message = 'There is nobody to assign the ticket to';
        end if;
        after.assignee_id := app_hidden.current_user_id();
      when 'assign_automatically' then
        after.assignee_id := coalesce(app_private.next_assignee(after), after.assignee_id);
      when 'add_tags' then
        after.tags := app_private.tidy_tags(after.tags || array(select jsonb_array_elements_text(action -> 'tags')));
      when 'remove_tags' then
        after.tags := array(
          select tag from unnest(after.tags) as tag
          where tag <> all (app_private.tidy_tags(array(select jsonb_array_elements_text(action -> 'tags'))))
        );
      when 'set_custom_fields' then
        after.custom_fields := after.custom_fields || (action -> 'values');
      when 'snooze' then
        after.snoozed_until := now() + make_interval(secs => (action ->> 'seconds')::double precision);
      else
        null;
    end case;
  end loop;

  -- One save for everything, and none when nothing changes.
  if after is distinct from before then
    update app_public.tickets as ticket
    set
      priority = after.priority, status = after.status, state_id = after.state_id, service_id = after.service_id,
      team_id = after.team_id, assignee_id = after.assignee_id, tags = after.tags, custom_fields = after.custom_fields,
      snoozed_until = after.snoozed_until
    where ticket.organization_id = before.organization_id and ticket.id = before.id
    returning * into after;
    perform app_private.refuse_unseen_ticket(after);
  end if;

  for action in select value from jsonb_array_elements(actions) loop
    case action ->> 'type'
      when 'add_watcher' then
        perform app_private.add_watcher(after, (action ->> 'user_id')::uuid);
      when 'remove_watcher' then
        perform app_private.drop_watcher(after, (action ->> 'user_id')::uuid);
      when 'comment' then
        perform app_private.say(
          after, (action ->> 'visibility')::app_public.comment_visibility,
          app_hidden.fill_in(action ->> 'body', app_hidden.ticket_variables(after.id))
        );
      when 'notify' then
        perform app_private.record_ticket_event(
          after, 'notice_sent',
          jsonb_build_object(
            'to', action ->> 'to',
            'text', app_hidden.fill_in(action ->> 'text', app_hidden.ticket_variables(after.id))
          )
        );
      else
        null;
    end case;
  end loop;
end
$$;

comment on function app_hidden.apply_ticket_actions(uuid, jsonb) is
  'Does a list of actions to a ticket in one save, in the name of whoever acts: a person, or without one what `atum.actor_name` names. All or nothing. Errors: NOT_FOUND, ACTION_INVALID, and whatever a single action is refused with.';

do $$
begin
  if to_regtype('app_public.bulk_result') is null then
    create type app_public.bulk_result as (ticket_id uuid, changed boolean, code text, message text);
  end if;
end
$$;

comment on type app_public.bulk_result is 'What became of one ticket of many.';
comment on column app_public.bulk_result.ticket_id is 'The row id of the ticket.';
comment on column app_public.bulk_result.changed is 'Whether the actions were done to it.';
comment on column app_public.bulk_result.code is 'Why not, by one of the codes that errors carry; null when it was changed.';
comment on column app_public.bulk_result.message is 'Why not, in a sentence; null when it was changed.';

create or replace function app_public.bulk_update_tickets(ticket_ids uuid[], actions jsonb) returns setof app_public.bulk_result
  language plpgsql volatile
  set search_path = ''
as $$
declare
  wanted_id uuid;
  result app_public.bulk_result;
begin
  if ticket_ids is null or cardinality(ticket_ids) > 1000 or array_position(ticket_ids, null) is not null then
    raise exception using errcode = 'AD118', message = 'At most 1,000 tickets are changed at once';
  end if;
  perform app_hidden.check_ticket_actions(actions);

  -- In one order, so that two people who change the same tickets do not wait for each other in a circle.
  for wanted_id in select distinct id from unnest(ticket_ids) as id order by id loop
    result := (wanted_id, true, null, null);
    begin
      perform app_hidden.apply_ticket_actions(wanted_id, actions);
    exception
      -- A fault of ours ends the whole of it; a refusal is that ticket's alone.
      when sqlstate '42501' or integrity_constraint_violation or data_exception then
        result := (wanted_id, false, sqlstate, 'This ticket cannot be changed so');
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
        result := (wanted_id, false, sqlstate, sqlerrm);
    end;
    return next result;
  end loop;
end
$$;

comment on function app_public.bulk_update_tickets(uuid[], jsonb) is
  'Does the same actions to up to 1,000 tickets in one transaction, and tells of each what became of it: a ticket that is refused stays as it was, the others are changed. `actions` is a list of objects with a `type`: `set_priority` {priority}, `raise_priority`, `set_status` {status}, `set_state` {state_id}, `set_service` {service_id or null}, `set_team` {team_id or null}, `set_assignee` {assignee_id or null}, `assign_to_me`, `assign_automatically`, `add_tags` {tags}, `remove_tags` {tags}, `add_watcher` {user_id}, `remove_watcher` {user_id}, `set_custom_fields` {values}, `snooze` {seconds}, `comment` {visibility, body}, `notify` {to, text}. Staff only. Errors: TOO_MANY_TICKETS, ACTION_INVALID.';

revoke all on function
  app_hidden.check_ticket_actions(jsonb), app_hidden.ticket_variables(uuid), app_hidden.fill_in(text, jsonb),
  app_private.say(app_public.tickets, app_public.comment_visibility, text),
  app_hidden.apply_ticket_actions(uuid, jsonb), app_public.bulk_update_tickets(uuid[], jsonb)
from public;

grant execute on function
  app_hidden.check_ticket_actions(jsonb), app_hidden.ticket_variables(uuid), app_hidden.fill_in(text, jsonb),
  app_hidden.apply_ticket_actions(uuid, jsonb), app_public.bulk_update_tickets(uuid[], jsonb)
to atum_agent;

--! split: 1047-functions-47-drafts.sql
-- What somebody is writing is kept; what was sent can be taken back for a while, and then leaves exactly once.

create or replace function app_public.save_draft(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  seen_version integer default null,
  attachment_ids uuid[] default '{}'
) returns app_public.ticket_drafts
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.ticket_drafts;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to keep a draft';
  end if;
  if not exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = caller_organization_id and ticket.id = save_draft.ticket_id and app_hidden.sees_ticket(ticket)
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  if not app_hidden.is_staff() and (
    save_draft.visibility = 'internal' or save_draft.status is not null or save_draft.state_id is not null
    or save_draft.mentioned_user_ids <> '{}'
  ) then
    raise exception using errcode = '42501', message = 'Only staff write notes, set a status and mention people';
  end if;

  -- There is room for more: what is given back to its author comes on top.
  if octet_length(save_draft.body) > 262144 then
    raise exception using errcode = '23514', message = 'A draft has at most 262,144 bytes';
  end if;

  if save_draft.seen_version > 0 then
    update app_public.ticket_drafts as draft
    set
      body = save_draft.body, status = save_draft.status, state_id = save_draft.state_id,
      mentioned_user_ids = coalesce(save_draft.mentioned_user_ids, '{}'), seen_comment_at = save_draft.seen_comment_at,
      attachment_ids = coalesce(save_draft.attachment_ids, '{}'),
      version = draft.version + 1, refused_code = null, refused_message = null, updated_at = now()
    where draft.organization_id = caller_organization_id and draft.author_id = caller_id
      and draft.ticket_id = save_draft.ticket_id and draft.visibility = coalesce(save_draft.visibility, 'public')
      and draft.version = save_draft.seen_version
    returning * into saved;
  else
    insert into app_public.ticket_drafts as draft (
      organization_id, ticket_id, author_id, visibility, body, status, state_id, mentioned_user_ids, seen_comment_at, attachment_ids
    )
    values (
      caller_organization_id, save_draft.ticket_id, caller_id, coalesce(save_draft.visibility, 'public'), save_draft.body,
      save_draft.status, save_draft.state_id, coalesce(save_draft.mentioned_user_ids, '{}'), save_draft.seen_comment_at,
      coalesce(save_draft.attachment_ids, '{}')
    )
    on conflict (organization_id, author_id, ticket_id, visibility) do update
    set
      body = excluded.body, status = excluded.status, state_id = excluded.state_id,
      mentioned_user_ids = excluded.mentioned_user_ids, seen_comment_at = excluded.seen_comment_at,
      attachment_ids = excluded.attachment_ids,
      version = draft.version + 1, refused_code = null, refused_message = null, updated_at = now()
    where save_draft.seen_version is null
    returning * into saved;
  end if;

  if saved.id is null then
    -- A save whose answer was lost on the way is no conflict with itself.
    select * into saved
    from app_public.ticket_drafts as draft
    where draft.organization_id = caller_organization_id and draft.author_id = caller_id
      and draft.ticket_id = save_draft.ticket_id and draft.visibility = coalesce(save_draft.visibility, 'public')
      and draft.body = save_draft.body and draft.attachment_ids = coalesce(save_draft.attachment_ids, '{}');
    if not found then
      raise exception using
        errcode = 'AD180', message = 'You wrote on this draft on another device since, or sent it there; look at what it says now';
    end if;
  end if;
  return saved;
end
$$;

comment on function app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]) is
  'Keeps what the caller is writing on a ticket, and returns the draft: one reply and one note for each person and ticket. `body` has up to 262,144 bytes. `attachmentIds` are the row ids of files that you uploaded for it. With `seenVersion`, the `version` as you saw it or 0 where you saw none, a save that crosses with one from another device is refused with DRAFT_CONFLICT, and both are still there: the other one here, yours with you. Without it the last save wins. Customers keep replies only. Errors: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, INVALID_INPUT, DRAFT_CONFLICT.';

create or replace function app_public.discard_draft(
  ticket_id uuid, visibility app_public.comment_visibility default 'public', seen_version integer default null
) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.ticket_drafts as draft
  where draft.organization_id = app_hidden.current_organization_id() and draft.author_id = app_hidden.current_user_id()
    and draft.ticket_id = discard_draft.ticket_id and draft.visibility = coalesce(discard_draft.visibility, 'public')
    and (discard_draft.seen_version is null or draft.version = discard_draft.seen_version);
  return found;
end
$$;

comment on function app_public.discard_draft(uuid, app_public.comment_visibility, integer) is
  'Throws away what the caller was writing on a ticket; with `seenVersion` only as long as it is the draft that was seen. Returns whether there was one.';

do $$
begin
  if to_regtype('app_public.sent_reply') is null then
    create type app_public.sent_reply as (outgoing_reply_id uuid, send_at timestamptz, comment_id uuid);
  end if;
end
$$;

comment on type app_public.sent_reply is 'What became of a reply that was sent: it is on its way, or it left.';
comment on column app_public.sent_reply.outgoing_reply_id is 'The row id by which it can be taken back; null when it left.';
comment on column app_public.sent_reply.send_at is 'When it leaves; null when it left.';
comment on column app_public.sent_reply.comment_id is 'The row id of the comment it became; null while it is on its way.';

create or replace function app_public.send_reply(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  state_id uuid default null,
  mentioned_user_ids uuid[] default '{}',
  seen_comment_at timestamptz default null,
  draft_version integer default null,
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.sent_reply
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  sent app_public.sent_reply;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to send a reply';
  end if;

  -- A retry is answered before anything is tried. What is on its way is looked for first: it may leave in between.
  select waiting.id, waiting.send_at into sent.outgoing_reply_id, sent.send_at
  from app_public.outgoing_replies as waiting
  where waiting.organization_id = caller_organization_id and waiting.author_id = caller_id
    and waiting.client_mutation_key = send_reply.client_mutation_key;
  if found then
    return sent;
  end if;
  select earlier.id into sent.comment_id
  from app_public.comments as earlier
  where earlier.organization_id = caller_organization_id and earlier.author_id = caller_id
    and earlier.client_mutation_key = send_reply.client_mutation_key;
  if found then
    return sent;
  end if;

  -- What was written on is gone with the sending; what another device wrote since stays.
  if send_reply.draft_version is not null then
    perform app_public.discard_draft(send_reply.ticket_id, send_reply.visibility, send_reply.draft_version);
  end if;

  if send_reply.visibility = 'internal' or exists (
    select
    from app_public.ticket_settings as settings
    where settings.organization_id = caller_organization_id and settings.undo_send_seconds = 0
  ) then
    select made.id into sent.comment_id
    from app_public.add_comment(
      send_reply.ticket_id, send_reply.body, send_reply.visibility, send_reply.status, send_reply.state_id,
      send_reply.mentioned_user_ids, send_reply.seen_comment_at, send_reply.client_mutation_key, send_reply.attachment_ids
    ) as made;
    return sent;
  end if;

  -- Said once and taken back at once: whatever refuses the reply refuses it now, and not when its author has gone on.
  begin
    perform app_public.add_comment(
      send_reply.ticket_id, send_reply.body, 'public', send_reply.status, send_reply.state_id,
      send_reply.mentioned_user_ids, send_reply.seen_comment_at, attachment_ids => send_reply.attachment_ids
    );
    raise sqlstate 'TRIED';
  exception
    when sqlstate 'TRIED' then
      null;
  end;

  insert into app_public.outgoing_replies (
    organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key,
    attachment_ids
  )
  values (
    caller_organization_id, send_reply.ticket_id, caller_id, send_reply.body, send_reply.status, send_reply.state_id,
    coalesce(send_reply.mentioned_user_ids, '{}'), send_reply.seen_comment_at, send_reply.client_mutation_key,
    coalesce(send_reply.attachment_ids, '{}')
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, author_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning id, send_at into sent.outgoing_reply_id, sent.send_at;

  if not found then
    select waiting.id, waiting.send_at into sent.outgoing_reply_id, sent.send_at
    from app_public.outgoing_replies as waiting
    where waiting.organization_id = caller_organization_id and waiting.author_id = caller_id
      and waiting.client_mutation_key = send_reply.client_mutation_key;
  end if;
  return sent;
end
$$;

comment on function app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]) is
  'Sends a reply, which leaves after the `undoSendSeconds` of the organization and can be taken back by `undoSend` until then; a note, or a reply where there is no delay, is said at once. Takes what `addComment` takes, and refuses now what it would refuse. The draft of which you saw `draftVersion` goes with it. What is refused when it leaves (the ticket was closed or merged meanwhile, somebody answered after `seenCommentAt`, its author may no longer write) comes back as a draft that says why. Retrying with the same `clientMutationKey` (8 to 64 characters) sends nothing twice. Staff only. Errors: as `addComment`.';

create or replace function app_private.tg_outgoing_replies__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.send_at := clock_timestamp() + make_interval(secs => (
    select settings.undo_send_seconds
    from app_public.ticket_settings as settings
    where settings.organization_id = NEW.organization_id
  ));
  return NEW;
end
$$;

comment on function app_private.tg_outgoing_replies__stamp() is 'Gives a reply the instant at which it leaves.';

create or replace trigger _100_stamp before insert on app_public.outgoing_replies
  for each row execute function app_private.tg_outgoing_replies__stamp();

create or replace function app_private.tg_outgoing_replies__schedule_sending() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'deliver_reply', NEW.organization_id, jsonb_build_object('outgoingReplyId', NEW.id),
    run_at => NEW.send_at, job_key => 'deliver_reply:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_outgoing_replies__schedule_sending() is 'Has a job deliver a reply at its time.';

create or replace trigger _900_schedule_sending after insert on app_public.outgoing_replies
  for each row execute function app_private.tg_outgoing_replies__schedule_sending();

create or replace function app_private.give_back_as_draft(
  reply app_public.outgoing_replies, refused_code text default null, refused_message text default null
) returns app_public.ticket_drafts
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_drafts as draft (
    organization_id, ticket_id, author_id, visibility, body, status, state_id, mentioned_user_ids, seen_comment_at,
    attachment_ids, refused_code, refused_message
  )
  values (
    reply.organization_id, reply.ticket_id, reply.author_id, 'public', reply.body, reply.status, reply.state_id,
    reply.mentioned_user_ids, reply.seen_comment_at, reply.attachment_ids, give_back_as_draft.refused_code, give_back_as_draft.refused_message
  )
  -- What its author began to write meanwhile follows it: of neither is a word lost.
  on conflict (organization_id, author_id, ticket_id, visibility) do update
  set
    body = case when draft.body ~ '\S' then excluded.body || E'\n\n' || draft.body else excluded.body end,
    status = coalesce(draft.status, excluded.status), state_id = coalesce(draft.state_id, excluded.state_id),
    mentioned_user_ids = (array(
      select distinct mentioned_id from unnest(excluded.mentioned_user_ids || draft.mentioned_user_ids) as mentioned_id
    ))[1:50],
    attachment_ids = (
      excluded.attachment_ids || array(
        select added_id from unnest(draft.attachment_ids) as added_id where added_id <> all (excluded.attachment_ids)
      )
    )[1:50],
    version = draft.version + 1, refused_code = excluded.refused_code, refused_message = excluded.refused_message,
    updated_at = now()
  returning *
$$;

comment on function app_private.give_back_as_draft(app_public.outgoing_replies, text, text) is
  'Makes a reply that does not leave a draft of its author again, before whatever the author wrote on that ticket meanwhile.';

create or replace function app_public.undo_send(outgoing_reply_id uuid) returns app_public.ticket_drafts
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  reply app_public.outgoing_replies;
begin
  -- Waits for a delivery that is under way, and finds nothing after it.
  delete from app_public.outgoing_replies as waiting
  where waiting.organization_id = app_hidden.current_organization_id()
    and waiting.author_id = app_hidden.current_user_id() and waiting.id = undo_send.outgoing_reply_id
  returning * into reply;
  if not found then
    raise exception using errcode = 'AD181', message = 'There is no reply of yours on its way that could be taken back; it may have left';
  end if;
  return app_private.give_back_as_draft(reply);
end
$$;

comment on function app_public.undo_send(uuid) is
  'Takes back a reply that has not left yet, and returns it as a draft, before what the caller wrote on that ticket meanwhile. Only its author does. Error REPLY_NOT_ON_ITS_WAY when there is none: it left, was taken back, or never was.';

create or replace function app_private.deliver_reply(reply app_public.outgoing_replies) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into strict ticket
  from app_public.tickets as answered
  where answered.organization_id = reply.organization_id and answered.id = reply.ticket_id;

  if not exists (
    select
    from app_public.users as author
    where author.organization_id = reply.organization_id and author.id = reply.author_id
      and author.disabled_at is null and author.role <> 'customer'
  ) then
    raise exception using errcode = 'AD182', message = 'Its author may no longer answer tickets';
  end if;
  if reply.author_id is distinct from ticket.assignee_id and not app_private.may_see_ticket(reply.author_id, ticket) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;

  -- It is the author's act, whoever carries it out.
  perform set_config('atum.user_id', reply.author_id::text, true);
  perform app_public.add_comment(
    reply.ticket_id, reply.body, 'public', reply.status, reply.state_id, reply.mentioned_user_ids,
    -- Two replies of one author do not cross with each other.
    case when exists (
      select
      from app_public.comments as newer
      where newer.organization_id = reply.organization_id and newer.ticket_id = reply.ticket_id
        and newer.created_at > reply.seen_comment_at and newer.visibility = 'public'
        and newer.author_id is distinct from reply.author_id
    ) then reply.seen_comment_at end,
    coalesce(reply.client_mutation_key, reply.id::text), reply.attachment_ids
  );
  perform set_config('atum.user_id', '', true);
end
$$;

comment on function app_private.deliver_reply(app_public.outgoing_replies) is
  'Makes a reply the comment it was written to be, in the name of its author. Errors: AUTHOR_GONE, and what `addComment` refuses.';

create or replace function app_private.deliver_replies(outgoing_reply_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  reply app_public.outgoing_replies;
  refused_code text;
  refused_message text;
  delivered integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Replies are delivered for one organization at a time';
  end if;

  -- The lock and the removal make it exactly once: whoever else comes for it skips it, and finds it gone.
  for reply in
    select *
    from app_public.outgoing_replies as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.send_at <= clock_timestamp()
      and (deliver_replies.outgoing_reply_id is null or waiting.id = deliver_replies.outgoing_reply_id)
    order by waiting.send_at
    limit 1000
    for update skip locked
  loop
    begin
      perform app_private.deliver_reply(reply);
      delivered := delivered + 1;
    exception
      when others then
        -- A refusal is told to the author. A fault is ours: the reply waits, and its job tries again.
        if sqlstate ~ '^(AD|22|23)' or sqlstate = '42501' then
          refused_code := sqlstate;
          refused_message := sqlerrm;
          begin
            perform app_private.give_back_as_draft(reply, refused_code, refused_message);
          exception
            -- There is no room left in the draft: the reply waits until there is, and holds up nobody else's.
            when check_violation then
              raise warning 'reply % could not be given back: %', reply.id, sqlerrm;
              continue;
          end;
        elsif outgoing_reply_id is not null then
          raise;
        else
          raise warning 'reply % could not be delivered: %', reply.id, sqlerrm;
          continue;
        end if;
    end;
    delete from app_public.outgoing_replies as done
    where done.organization_id = reply.organization_id and done.id = reply.id;
  end loop;
  return delivered;
end
$$;

comment on function app_private.deliver_replies(uuid) is
  'Delivers the replies of the current organization whose time has come, or one of them, and returns how many left. One that is refused goes back to its author as a draft. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer),
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]),
  app_private.tg_outgoing_replies__stamp(), app_private.tg_outgoing_replies__schedule_sending(),
  app_private.give_back_as_draft(app_public.outgoing_replies, text, text), app_public.undo_send(uuid),
  app_private.deliver_reply(app_public.outgoing_replies), app_private.deliver_replies(uuid)
from public;

grant execute on function
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, uuid[]),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer)
to atum_customer, atum_agent;
grant execute on function
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text, uuid[]),
  app_public.undo_send(uuid)
to atum_agent;
grant execute on function app_private.deliver_replies(uuid) to atum_worker;

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
  perform app_private.record_ticket_event(ticket, 'survey_sent', jsonb_build_object('survey_id', survey.id));
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

--! split: 1054-functions-54-ticket-templates.sql
create or replace function app_public.create_ticket_template(
  name text,
  subject text default null,
  body text default null,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  tags text[] default '{}',
  custom_fields jsonb default '{}',
  checklist text[] default '{}',
  seen_by_customers boolean default false
) returns app_public.ticket_templates
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.ticket_templates
    (organization_id, name, subject, body, priority, service_id, tags, custom_fields, checklist, seen_by_customers, position)
  select
    app_hidden.current_organization_id(), btrim(create_ticket_template.name), create_ticket_template.subject,
    create_ticket_template.body, coalesce(create_ticket_template.priority, 'normal'), create_ticket_template.service_id,
    coalesce(create_ticket_template.tags, '{}'), coalesce(create_ticket_template.custom_fields, '{}'),
    coalesce(create_ticket_template.checklist, '{}'), coalesce(create_ticket_template.seen_by_customers, false),
    1 + coalesce((
      select max(template.position) from app_public.ticket_templates as template
      where template.organization_id = app_hidden.current_organization_id()
    ), 0)
  returning *
$$;

comment on function app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean) is
  'Makes a template and returns it. Managers and admins. Errors: CONFLICT for a name that is taken, NOT_FOUND for a service that is not there, INVALID_INPUT.';

create or replace function app_private.tg_ticket_templates__tidy() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.tags := app_private.tidy_tags(NEW.tags);
  NEW.checklist := array(select btrim(step) from unnest(NEW.checklist) with ordinality as listed (step, number) order by number);
  if exists (select from unnest(NEW.checklist) as step where step = '' or length(step) > 500) then
    raise exception using errcode = '23514', message = 'A step has 1 to 500 characters';
  end if;
  if exists (select from unnest(NEW.tags) as tag where tag = '' or length(tag) > 40 or tag ~ '[,"]') then
    raise exception using errcode = '23514', message = 'A tag has 1 to 40 characters, without commas and quotes';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_ticket_templates__tidy() is 'Writes the tags and steps of a template as a ticket would have them.';

create or replace trigger _200_tidy before insert or update of tags, checklist on app_public.ticket_templates
  for each row execute function app_private.tg_ticket_templates__tidy();

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_templates
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.create_ticket_from_template(
  template_id uuid,
  subject text default null,
  body text default null,
  requester_id uuid default null,
  custom_fields jsonb default '{}',
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  template app_public.ticket_templates;
begin
  select * into template
  from app_public.ticket_templates as chosen
  where chosen.organization_id = app_hidden.current_organization_id() and chosen.id = create_ticket_from_template.template_id
    and chosen.archived_at is null and (chosen.seen_by_customers or app_hidden.is_staff());
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such template';
  end if;

  return app_private.as_seen_by_caller(app_private.open_ticket(
    coalesce(nullif(btrim(create_ticket_from_template.subject), ''), template.subject),
    coalesce(nullif(btrim(create_ticket_from_template.body), ''), template.body),
    template.priority, template.service_id, create_ticket_from_template.requester_id,
    create_ticket_from_template.custom_fields, '{}', create_ticket_from_template.client_mutation_key,
    create_ticket_from_template.attachment_ids, template
  ));
end
$$;

comment on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[]) is
  'Opens a ticket as a template says and returns it; a `subject`, `body` or `customFields` given take the place of the template''s. `attachmentIds` are the row ids of files that you uploaded for it. Customers use the templates that are for them. Errors: NOT_FOUND, and those of `createTicket`.';

revoke all on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean),
  app_private.tg_ticket_templates__tidy(), app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[])
from public;

grant execute on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean)
to atum_manager;
grant execute on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[]) to atum_customer, atum_agent;

--! split: 1060-functions-60-announcements.sql
-- What happens to a ticket is told outside: to people, by mail, to programs. It is queued with the fact; one job a ticket
-- tells it, in order and in one transaction, so that each of them hears of each event once.

create or replace function app_private.tg_ticket_events__queue_announcement() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if exists (
    select from app_public.organizations as organization
    where organization.id = NEW.organization_id and organization.suspended_at is not null
  ) then
    return null;
  end if;

  insert into app_private.announcement_queue (organization_id, ticket_id, event_id)
  values (NEW.organization_id, NEW.ticket_id, NEW.id);

  -- One job tells all that a transaction does to a ticket.
  if current_setting('atum.announced_ticket', true) is distinct from NEW.ticket_id::text then
    perform app_private.enqueue(
      'announce_ticket_events', NEW.organization_id, jsonb_build_object('ticketId', NEW.ticket_id),
      job_key => 'announce_ticket_events:' || NEW.ticket_id
    );
    perform set_config('atum.announced_ticket', NEW.ticket_id::text, true);
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__queue_announcement() is 'Has a job tell of an event to whoever wants to know.';

create or replace trigger _750_queue_announcement after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__queue_announcement();

create or replace function app_private.announce_event(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.notify_people(event);
  perform app_private.call_webhooks(event);
  perform app_private.plan_survey(event);
end
$$;

comment on function app_private.announce_event(app_public.ticket_events) is 'Tells of an event to everybody outside: people in the desk and by mail, programs, and the requester who is asked how it went.';

create or replace function app_private.announce_ticket_events(ticket_id uuid) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  queued record;
  event app_public.ticket_events;
begin
  -- Two jobs of one ticket take turns, or what came later could be told first.
  perform pg_advisory_xact_lock(hashtextextended('announce:' || announce_ticket_events.ticket_id, 0));

  for queued in
    select waiting.event_id
    from app_private.announcement_queue as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.ticket_id = announce_ticket_events.ticket_id
    order by waiting.queued_at, waiting.event_id
  loop
    select * into strict event
    from app_public.ticket_events as happened
    where happened.organization_id = app_hidden.current_organization_id() and happened.id = queued.event_id;

    perform app_private.announce_event(event);

    delete from app_private.announcement_queue as waiting
    where waiting.organization_id = event.organization_id and waiting.event_id = event.id;
  end loop;
end
$$;

comment on function app_private.announce_ticket_events(uuid) is 'Tells of all that happened to a ticket since the last time, in order, all or nothing. Done by a job.';

create or replace function app_private.sweep_announcements() returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.enqueue(
    'announce_ticket_events', app_hidden.current_organization_id(), jsonb_build_object('ticketId', late.ticket_id),
    job_key => 'announce_ticket_events:' || late.ticket_id
  )
  from (
    select distinct waiting.ticket_id
    from app_private.announcement_queue as waiting
    where waiting.organization_id = app_hidden.current_organization_id() and waiting.queued_at < now() - interval '2 minutes'
    limit 1000
  ) as late
$$;

comment on function app_private.sweep_announcements() is 'Has jobs tell of what waits for longer than two minutes, because its own job was lost. Done by a job each minute.';

revoke all on function
  app_private.tg_ticket_events__queue_announcement(), app_private.announce_event(app_public.ticket_events),
  app_private.announce_ticket_events(uuid), app_private.sweep_announcements()
from public;

grant execute on function app_private.announce_ticket_events(uuid), app_private.sweep_announcements() to atum_worker;

--! split: 1061-functions-61-automation-runs.sql
-- How automations run. What happens to a ticket is queued with the fact; one job a ticket answers it, in order. An answer
-- is one transaction: what an automation does, the line in its log and the end of the wait come together or not at all.

create or replace function app_private.tg_ticket_events__queue_automations() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  -- Nearly every event ends here.
  if not exists (
    select
    from app_public.automations as automation
    where automation.organization_id = NEW.organization_id and automation.is_enabled and NEW.type = any (automation.event_types)
  ) or exists (
    select from app_public.organizations as organization
    where organization.id = NEW.organization_id and organization.suspended_at is not null
  ) then
    return null;
  end if;

  insert into app_private.automation_queue (organization_id, ticket_id, event_id, chain)
  values (
    NEW.organization_id, NEW.ticket_id, NEW.id,
    coalesce(nullif(current_setting('atum.automation_chain', true), ''), '{}')::uuid[]
  );

  -- One job answers all that a transaction does to a ticket.
  if current_setting('atum.automation_ticket', true) is distinct from NEW.ticket_id::text then
    perform app_private.enqueue_automations(NEW.organization_id, NEW.ticket_id);
    perform set_config('atum.automation_ticket', NEW.ticket_id::text, true);
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__queue_automations() is 'Has a job look what the automations make of an event, where there is one for its type.';

create or replace trigger _700_queue_automations after insert on app_public.ticket_events
  for each row
  when (NEW.type not in ('automation_fired', 'notice_sent'))
  execute function app_private.tg_ticket_events__queue_automations();

create or replace function app_private.enqueue_automations(organization_id uuid, ticket_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'run_automations', organization_id, jsonb_build_object('ticketId', ticket_id), job_key => 'run_automations:' || ticket_id
  )
$$;

comment on function app_private.enqueue_automations(uuid, uuid) is 'Has a job answer what is queued for a ticket.';

create or replace function app_private.meets(ticket app_public.tickets, conditions jsonb) returns boolean
  language plpgsql stable
  set search_path = ''
as $$
declare
  meets boolean;
begin
  execute format(
    'select exists (select from app_public.tickets as ticket where ticket.organization_id = $1 and ticket.id = $2 and (%s))',
    app_hidden.ticket_condition_sql(conditions)
  ) into meets using ticket.organization_id, ticket.id;
  return meets;
end
$$;

comment on function app_private.meets(app_public.tickets, jsonb) is 'Whether a ticket, as it is now, is what conditions ask for. Error CONDITION_INVALID.';

create or replace function app_private.conditions_met(ticket app_public.tickets, conditions jsonb) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'all', conditions -> 'all',
    'any', (
      select jsonb_agg(condition.value order by condition.position)
      from jsonb_array_elements(conditions -> 'any') with ordinality as condition (value, position)
      where app_private.meets(ticket, jsonb_build_object('all', jsonb_build_array(condition.value)))
    )
  ))
$$;

comment on function app_private.conditions_met(app_public.tickets, jsonb) is 'Which of the conditions that a ticket meets are the reason.';

create or replace function app_private.automation_actor_of(event app_public.ticket_events) returns app_public.automation_actor
  language sql stable
  set search_path = ''
as $$
  select case
    when event.actor_id is null then 'system'
    when exists (
      select from app_public.users as actor
      where actor.organization_id = event.organization_id and actor.id = event.actor_id and actor.role <> 'customer'
    ) then 'staff'
    else 'customer'
  end::app_public.automation_actor
$$;

comment on function app_private.automation_actor_of(app_public.ticket_events) is 'By whom an event happened, in the words of automations.';

create or replace function app_private.act_by_automation(
  automation app_public.automations, ticket app_public.tickets, chain uuid[], out changes jsonb
)
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- Compared by what is there, because the instant of an event may be that of the fact it tells of.
  known constant uuid[] := array(
    select event.id from app_public.ticket_events as event
    where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.created_at >= now()
  );
begin
  perform set_config('atum.actor_name', 'Automation: ' || automation.name, true);
  perform set_config('atum.automation_chain', (chain || automation.id)::text, true);

  perform app_hidden.apply_ticket_actions(ticket.id, automation.actions);

  select coalesce(jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object('type', event.type, 'before', event.before, 'after', event.after)) order by event.created_at, event.id
  ), '[]')
  into changes
  from app_public.ticket_events as event
  where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.created_at >= now()
    and event.id <> all (known);
end
$$;

comment on function app_private.act_by_automation(app_public.automations, app_public.tickets, uuid[]) is
  'Does to a ticket what an automation says, in its name, and returns the events that caused.';

create or replace function app_private.loop_of(automation app_public.automations, ticket app_public.tickets, chain uuid[])
  returns app_public.automation_stop
  language sql stable
  set search_path = ''
as $$
  select case
    when automation.id = any (chain) then 'own_event'
    when cardinality(chain) >= 5 then 'too_deep'
    when (
      select count(*)
      from app_public.automation_firings as firing
      where firing.organization_id = ticket.organization_id and firing.ticket_id = ticket.id and firing.automation_id = automation.id
        and firing.fired_at > now() - interval '1 hour' and firing.outcome = 'acted'
    ) >= 20 then 'too_often'
  end::app_public.automation_stop
$$;

comment on function app_private.loop_of(app_public.automations, app_public.tickets, uuid[]) is 'Why an automation must not act on a ticket now, or null when it may.';

create or replace function app_private.fire_automation(
  automation app_public.automations, ticket app_public.tickets, event_id uuid, chain uuid[]
) returns app_public.automation_outcome
  language plpgsql volatile
  set search_path = ''
as $$
declare
  firing app_public.automation_firings;
begin
  firing.stopped_because := app_private.loop_of(automation, ticket, chain);
  firing.changes := '[]';
  firing.matched := '{}';

  begin
    if not app_private.meets(ticket, automation.conditions) then
      return null;
    end if;
    firing.matched := app_private.conditions_met(ticket, automation.conditions);
    if firing.stopped_because is null then
      firing.changes := app_private.act_by_automation(automation, ticket, chain);
      firing.outcome := case firing.changes when '[]' then 'unchanged' else 'acted' end;
    else
      firing.outcome := 'loop_stopped';
    end if;
  exception
    -- What may go well the next time is tried again, with all of the job; what the database refuses is this one's alone.
    when others then
      if sqlstate ~ '^(08|40|53|57|58|XX)' or sqlstate = '55P03' then
        raise;
      end if;
      firing.outcome := 'refused';
      firing.error_code := sqlstate;
  end;

  -- What cannot stop is told once an hour.
  if firing.stopped_because = 'too_often' and exists (
    select
    from app_public.automation_firings as stopped
    where stopped.organization_id = ticket.organization_id and stopped.ticket_id = ticket.id
      and stopped.automation_id = automation.id and stopped.fired_at > now() - interval '1 hour'
      and stopped.stopped_because = 'too_often'
  ) then
    return firing.outcome;
  end if;

  insert into app_public.automation_firings (
    organization_id, automation_id, automation_name, ticket_id, event_id, outcome, matched, changes, stopped_because, error_code
  )
  values (
    ticket.organization_id, automation.id, automation.name, ticket.id, fire_automation.event_id, firing.outcome, firing.matched,
    firing.changes, firing.stopped_because, firing.error_code
  )
  returning id into firing.id;

  if firing.outcome = 'acted' then
    perform app_private.record_ticket_event(
      ticket, 'automation_fired',
      app_private.named_reference('automation', automation.id, automation.name) || jsonb_build_object('firing_id', firing.id)
    );
  end if;
  return firing.outcome;
end
$$;

comment on function app_private.fire_automation(app_public.automations, app_public.tickets, uuid, uuid[]) is
  'Has an automation act on a ticket if the ticket meets its conditions, and notes what became of it; null when the ticket does not.';

create or replace function app_private.automations_for(queued app_private.automation_queue) returns setof app_public.automations
  language sql stable
  set search_path = ''
as $$
  select automation.*
  from app_public.automations as automation
  left join app_public.ticket_events as event on event.organization_id = queued.organization_id and event.id = queued.event_id
  where automation.organization_id = queued.organization_id
    and automation.is_enabled
    and case automation.kind
      when 'time' then automation.id = queued.automation_id
      else
        event.type = any (automation.event_types)
        and (automation.actors = '{}' or app_private.automation_actor_of(event) = any (automation.actors))
        and (automation.visibility is null or automation.visibility = event.visibility)
        and (automation.from_values = '{}' or exists (
          select from jsonb_each_text(event.before) as was where was.value = any (automation.from_values)
        ))
        -- What somebody wrote is none of the values that things change to.
        and (automation.to_values = '{}' or exists (
          select from jsonb_each_text(event.after) as became
          where became.key <> 'comment' and became.value = any (automation.to_values)
        ))
        and not exists (
          select from app_public.automation_firings as firing
          where firing.organization_id = queued.organization_id and firing.automation_id = automation.id and firing.event_id = queued.event_id
        )
    end
  order by automation.position, automation.id
$$;

comment on function app_private.automations_for(app_private.automation_queue) is 'The automations that have yet to answer, in their order.';

create or replace function app_private.run_automations(ticket_id uuid) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  queued app_private.automation_queue;
  automation app_public.automations;
  acted integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Automations run for one organization at a time';
  end if;

  -- One worker at a time looks at a ticket, and sees what the one before it did.
  select * into ticket
  from app_public.tickets as locked
  where locked.organization_id = app_hidden.current_organization_id() and locked.id = run_automations.ticket_id
  for no key update;

  -- What this causes is answered here, and needs no job.
  perform set_config('atum.automation_ticket', run_automations.ticket_id::text, true);

  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    delete from app_private.automation_queue as dropped
    where dropped.organization_id = app_hidden.current_organization_id() and dropped.ticket_id = run_automations.ticket_id;
    return 0;
  end if;

  loop
    delete from app_private.automation_queue as next
    where next.organization_id = app_hidden.current_organization_id()
      and next.id = (
        select first.id
        from app_private.automation_queue as first
        where first.organization_id = app_hidden.current_organization_id() and first.ticket_id = run_automations.ticket_id
        order by first.queued_at, first.id
        limit 1
      )
    returning * into queued;
    exit when not found;

    for automation in select * from app_private.automations_for(queued) loop
      if app_private.fire_automation(automation, ticket, queued.event_id, queued.chain) = 'acted' then
        acted := acted + 1;
      end if;
      perform set_config('atum.actor_name', '', true), set_config('atum.automation_chain', '', true);
    end loop;
  end loop;
  return acted;
end
$$;

comment on function app_private.run_automations(uuid) is
  'Answers what is queued for a ticket of the current organization, in the order it happened, and returns how many automations acted. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.queue_timed_automation(automation app_public.automations) returns integer
  language plpgsql volatile
  set search_path = ''
  -- A few tickets out of many are found by their index, also where reading all of them looks as cheap.
  set random_page_cost = 1.1
as $$
declare
  fitting_id uuid;
  queued integer := 0;
  -- Closed tickets, nearly all there are in the end, are left alone.
  fits constant text := format(
    'ticket.status in (''new'', ''open'', ''pending'', ''on_hold'', ''resolved'') and (%s)',
    app_hidden.ticket_condition_sql(automation.conditions)
  );
begin
  execute format(
    'delete from app_private.automation_matches as match
    where match.organization_id = $1 and match.automation_id = $2 and not exists (
      select from app_public.tickets as ticket
      where ticket.organization_id = match.organization_id and ticket.id = match.ticket_id and %s
    )',
    fits
  ) using automation.organization_id, automation.id;

  for fitting_id in execute format(
    'with fitting as (
      insert into app_private.automation_matches (organization_id, automation_id, ticket_id)
      select ticket.organization_id, $2, ticket.id
      from app_public.tickets as ticket
      where ticket.organization_id = $1 and %s and not exists (
        select from app_private.automation_matches as match
        where match.organization_id = ticket.organization_id and match.automation_id = $2 and match.ticket_id = ticket.id
      )
      limit 1000
      on conflict do nothing
      returning ticket_id
    )
    insert into app_private.automation_queue (organization_id, automation_id, ticket_id)
    select $1, $2, ticket_id from fitting
    returning ticket_id',
    fits
  ) using automation.organization_id, automation.id loop
    perform app_private.enqueue_automations(automation.organization_id, fitting_id);
    queued := queued + 1;
  end loop;
  return queued;
end
$$;

comment on function app_private.queue_timed_automation(app_public.automations) is
  'Queues an automation that goes by time for up to 1,000 tickets that have come to fit it since the last look, forgets those that no longer do, and returns how many were queued.';

create or replace function app_private.sweep_automations() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  automation app_public.automations;
  queued integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Automations run for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  for automation in
    select *
    from app_public.automations as timed
    where timed.organization_id = app_hidden.current_organization_id() and timed.kind = 'time' and timed.is_enabled
    order by timed.position, timed.id
  loop
    queued := queued + app_private.queue_timed_automation(automation);
  end loop;

  -- A worker that died holds its job for hours; what it had not answered gets another one.
  perform app_private.enqueue_automations(waiting.organization_id, waiting.ticket_id)
  from (
    select distinct late.organization_id, late.ticket_id
    from app_private.automation_queue as late
    where late.organization_id = app_hidden.current_organization_id() and late.queued_at < clock_timestamp() - interval '1 minute'
  ) as waiting
  where not exists (
    select
    from graphile_worker.jobs as job
    where job.key = 'run_automations:' || waiting.ticket_id and job.locked_at is null and job.attempts < job.max_attempts
  );
  return queued;
end
$$;

comment on function app_private.sweep_automations() is
  'Queues the automations of the current organization that go by time for the tickets that have come to fit them, gives what a lost worker left a new job, and returns how many were queued by time. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.tg_ticket_events__queue_automations(), app_private.enqueue_automations(uuid, uuid),
  app_private.meets(app_public.tickets, jsonb), app_private.conditions_met(app_public.tickets, jsonb),
  app_private.automation_actor_of(app_public.ticket_events),
  app_private.act_by_automation(app_public.automations, app_public.tickets, uuid[]),
  app_private.loop_of(app_public.automations, app_public.tickets, uuid[]),
  app_private.fire_automation(app_public.automations, app_public.tickets, uuid, uuid[]),
  app_private.automations_for(app_private.automation_queue), app_private.run_automations(uuid),
  app_private.queue_timed_automation(app_public.automations), app_private.sweep_automations()
from public;

grant execute on function app_private.run_automations(uuid), app_private.sweep_automations() to atum_worker;

--! split: 1066-functions-66-file-links.sql
-- Links to files in mails. They open without a login, for a while, and only what their recipient may see at that moment.

create or replace function app_private.readable_by_link(file app_public.attachments, recipient_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.comments as said
    join app_public.tickets as ticket on ticket.organization_id = said.organization_id and ticket.id = said.ticket_id
    join app_public.users as recipient
      on recipient.organization_id = said.organization_id and recipient.id = readable_by_link.recipient_id
    where said.organization_id = file.organization_id and said.id = file.comment_id and said.ticket_id = file.ticket_id
      and (said.visibility = 'public' or recipient.role <> 'customer')
      and app_private.may_see_ticket(recipient.id, ticket)
  )
$$;

comment on function app_private.readable_by_link(app_public.attachments, uuid) is 'Whether a person may read a file: who sees the comment it is on.';

create or replace function app_private.issue_file_token(attachment_id uuid, recipient_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
  file app_public.attachments;
begin
  select * into file
  from app_public.attachments as attached
  where attached.organization_id = app_hidden.current_organization_id() and attached.id = issue_file_token.attachment_id;
  if not found or not app_private.readable_by_link(file, issue_file_token.recipient_id) then
    return null;
  end if;

  delete from app_private.file_tokens as old
  where old.organization_id = file.organization_id and old.expires_at < now();

  insert into app_private.file_tokens (organization_id, token_hash, attachment_id, recipient_id, expires_at)
  values (
    file.organization_id, app_private.token_hash(token), file.id, issue_file_token.recipient_id, now() + interval '14 days'
  );
  return token;
end
$$;

comment on function app_private.issue_file_token(uuid, uuid) is
  'Makes the token of a link to a file, `/files/<token>`, for a person of the current organization, good for 14 days; null when that person may not see the file.';

create or replace function app_private.file_of_token(token text, address inet)
  returns table (organization_id uuid, sha256 text, name text, size bigint, content_type text, state app_public.file_state)
  language sql stable security definer
  set search_path = ''
as $$
  select file.organization_id, file.sha256, file.name, file.size, file.content_type, file.state
  from app_private.file_tokens as link
  join app_public.organizations as organization on organization.id = link.organization_id
  join app_public.users as recipient on recipient.organization_id = link.organization_id and recipient.id = link.recipient_id
  join app_public.attachments as file on file.organization_id = link.organization_id and file.id = link.attachment_id
  where link.token_hash = app_private.token_hash(file_of_token.token) and link.expires_at > now()
    and organization.suspended_at is null
    and app_private.ip_allowed(link.organization_id, recipient.role, file_of_token.address)
    and app_private.readable_by_link(file, link.recipient_id)
$$;

comment on function app_private.file_of_token(text, inet) is
  'The file that a link leads to, asked from an address; nothing when the link is unknown or expired, or its recipient may not see the file any more.';

revoke all on function
  app_private.readable_by_link(app_public.attachments, uuid), app_private.issue_file_token(uuid, uuid),
  app_private.file_of_token(text, inet)
from public;

grant execute on function app_private.file_of_token(text, inet) to atum_server;

--! split: 1067-functions-67-file-verdicts.sql
-- Verdicts over files: of the scanner, and of admins.

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

-- The scanner.

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

create or replace function app_private.record_verdict(
  sha256 text, state app_public.file_state, signature text default null, scanned_with text default null
) returns app_public.file_state
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  found_signature constant text := coalesce(
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
  'Notes what the scanner said of a file, `clean`, `infected`, `unscannable` or, where there is no scanner, `unscanned`; tells whoever waits for it, and when it is blocked its tickets and the admins. Returns the state of the file after it, null when there is none. Error JOB_WITHOUT_ORGANIZATION.';

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

-- Admins.

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
  app_private.tell_verdict(app_public.stored_files, app_public.ticket_event_type),
  app_private.enqueue_scan(uuid, text, timestamptz), app_private.enqueue_placing(uuid, text),
  app_private.tg_stored_files__begin_again(), app_private.file_to_scan(text),
  app_private.state_after(app_public.stored_files, app_public.file_state, text),
  app_private.record_verdict(text, app_public.file_state, text, text), app_private.scan_failed(text, text),
  app_private.record_scanner(text, text, text), app_private.scanner_health(), app_private.sweep_waiting_files(),
  app_private.rescan_files(), app_private.file_to_decide(text, text),
  app_private.decide_file(app_public.stored_files, app_public.file_state, text),
  app_public.release_file(text, text), app_public.remove_file(text, text), app_public.scan_file_again(text),
  app_public.stored_files_names(app_public.stored_files), app_public.stored_files_uploaded_by(app_public.stored_files),
  app_hidden.first_uploader_id(app_public.stored_files), app_public.stored_files_tickets(app_public.stored_files)
from public;

grant execute on function
  app_private.file_to_scan(text), app_private.record_verdict(text, app_public.file_state, text, text),
  app_private.scan_failed(text, text), app_private.record_scanner(text, text, text), app_private.sweep_waiting_files(),
  app_private.rescan_files()
to atum_worker;
grant execute on function app_private.scanner_health() to atum_server;
grant execute on function
  app_public.release_file(text, text), app_public.remove_file(text, text), app_public.scan_file_again(text),
  app_public.stored_files_names(app_public.stored_files), app_public.stored_files_uploaded_by(app_public.stored_files),
  app_hidden.first_uploader_id(app_public.stored_files), app_public.stored_files_tickets(app_public.stored_files)
to atum_admin;

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
    run_at => case when enqueue_mail.run_at > now() then enqueue_mail.run_at end, job_key => 'send_mail:' || enqueue_mail.mail_id
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

--! split: 1069-functions-69-mail-templates.sql
-- What mails say. A mail is rendered where it is written, once, so that what is read later is what was said. The text of
-- a template makes both its plain text and its HTML: every value is escaped, paragraphs and links become markup, and
-- nothing is fetched from anywhere. Links that let somebody in stay gaps, `{{…}}`, until it is sent.

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

-- Queries and mutations of admins

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
  app_private.tg_organizations__found_mail(), app_hidden.built_in_mail_templates(), app_hidden.mail_variables(app_public.mail_kind), app_private.tg_mail_templates__refuse(),
  app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text), app_hidden.mail_words(text),
  app_hidden.as_html(text), app_hidden.without_gaps(text), app_hidden.fill_gaps(text, jsonb, text), app_hidden.with_links(text),
  app_hidden.mail_paragraphs(text, text), app_hidden.ink_on(text), app_hidden.mail_buttons(text, jsonb, text),
  app_hidden.mail_document(text, text, jsonb), app_hidden.mail_files(jsonb, jsonb, boolean), app_hidden.mail_notices(jsonb, jsonb, boolean),
  app_hidden.mail_subject(text, jsonb, text), app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb),
  app_private.mail_frame(app_public.organizations, text), app_hidden.mail_as_shown(app_public.mail_rendering),
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages)
from public;

grant execute on function
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages), app_hidden.mail_as_shown(app_public.mail_rendering),
  app_hidden.fill_gaps(text, jsonb, text)
to atum_admin;

--! split: 1070-functions-70-mail-notices.sql
-- What a notification says in a mail: the facts of it in words, in the reader's language.

create or replace function app_hidden.notice_titles(language text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select case language
    when 'de' then '{
      "somebody": "Jemand", "mention": "{{actor_name}} hat Sie erwähnt", "note": "{{actor_name}} hat eine interne Notiz geschrieben",
      "ticket_created": "{{actor_name}} hat ein Ticket eröffnet", "team_changed": "Ein Ticket ist zu Ihrem Team gekommen",
      "assignee_changed": "{{actor_name}} hat Ihnen das Ticket zugewiesen", "comment_added": "{{actor_name}} hat geantwortet",
      "status_changed": "Das Ticket ist jetzt {{status}}", "approval_requested": "{{actor_name}} bittet um Ihre Freigabe",
      "approval_decided": "{{actor_name}} hat über die Freigabe entschieden: {{decision}}", "approved": "freigegeben", "declined": "abgelehnt", "rejected": "abgelehnt",
      "sla_warned": "Eine Zusage läuft bald ab", "sla_breached": "Eine Zusage wurde verfehlt", "sla_escalated": "Eine verfehlte Zusage wurde eskaliert",
      "due": "Fällig: {{due}}", "notice_sent": "Ein Hinweis zum Ticket", "mail_failed": "Eine Mail an {{name}} konnte nicht zugestellt werden",
      "attachment_blocked": "Die Datei {{name}} wurde gesperrt", "survey_answered": "Die Hilfe wurde bewertet: {{score}} von 5",
      "other": "Es gibt Neues zum Ticket",
      "alert_mail_failed": "Eine Mail an {{name}} konnte nicht zugestellt werden", "alert_file_blocked": "Die Datei {{name}} wurde gesperrt",
      "alert_scanner_away": "Der Virenscanner ist nicht erreichbar", "alert_scanner_away_text": "{{waiting}} Dateien warten darauf, geprüft zu werden.",
      "alert_mail_not_taken": "Eine Mail an {{name}} konnte nicht angenommen werden", "alert_mail_not_taken_text": "Von {{from}}: {{subject}}",
      "alert_mailbox_silent": "Das Postfach {{name}} lässt sich nicht lesen", "alert_webhook_disabled": "Der Webhook {{name}} wurde abgeschaltet",
      "alert_other": "Der Helpdesk braucht Ihre Aufmerksamkeit"
    }'::jsonb
    else '{
      "somebody": "Somebody", "mention": "{{actor_name}} mentioned you", "note": "{{actor_name}} wrote an internal note",
      "ticket_created": "{{actor_name}} opened a ticket", "team_changed": "A ticket came to your team",
      "assignee_changed": "{{actor_name}} assigned the ticket to you", "comment_added": "{{actor_name}} answered",
      "status_changed": "The ticket is {{status}} now", "approval_requested": "{{actor_name}} asks for your approval",
      "approval_decided": "{{actor_name}} decided about the approval: {{decision}}", "approved": "approved", "declined": "declined", "rejected": "rejected",
      "sla_warned": "A promised time is about to be missed", "sla_breached": "A promised time was missed", "sla_escalated": "A missed time was escalated",
      "due": "Due: {{due}}", "notice_sent": "A notice about the ticket", "mail_failed": "A mail to {{name}} could not be delivered",
      "attachment_blocked": "The file {{name}} was blocked", "survey_answered": "The help was rated: {{score}} of 5",
      "other": "There is something new about the ticket",
      "alert_mail_failed": "A mail to {{name}} could not be delivered", "alert_file_blocked": "The file {{name}} was blocked",
      "alert_scanner_away": "The virus scanner is away", "alert_scanner_away_text": "{{waiting}} files wait to be scanned.",
      "alert_mail_not_taken": "A mail to {{name}} could not be taken", "alert_mail_not_taken_text": "From {{from}}: {{subject}}",
      "alert_mailbox_silent": "The mailbox {{name}} cannot be read", "alert_webhook_disabled": "The webhook {{name}} was switched off",
      "alert_other": "The help desk needs you"
    }'::jsonb
  end
$$;

comment on function app_hidden.notice_titles(text) is 'What notifications are called in a mail, with variables for their facts.';

create or replace function app_hidden.notice_words(facts jsonb, language text, time_zone text, out title text, out body text)
  language plpgsql stable
  set search_path = ''
as $$
declare
  titles constant jsonb := app_hidden.notice_titles(language);
  words constant jsonb := app_hidden.mail_words(language);
  alert constant text := facts ->> 'alert';
  status constant text := facts ->> 'status';
  said constant jsonb := facts || jsonb_strip_nulls(jsonb_build_object(
    'actor_name', coalesce(nullif(facts ->> 'actor_name', ''), titles ->> 'somebody'),
    'status', coalesce(words ->> (case status when 'pending' then 'pending_status' else status end), status),
    'decision', coalesce(titles ->> (facts ->> 'decision'), facts ->> 'decision', facts ->> 'state'),
    'name', coalesce(facts ->> 'name', facts ->> 'address', facts ->> 'url', ''),
    'due', case when pg_input_is_valid(facts ->> 'due_at', 'timestamptz')
      then to_char((facts ->> 'due_at')::timestamptz at time zone notice_words.time_zone, 'YYYY-MM-DD HH24:MI') end
  ));
begin
  if alert is not null then
    title := app_hidden.fill_in(coalesce(titles ->> ('alert_' || alert), titles ->> 'alert_other'), said);
    body := concat_ws(
      E'\n', app_hidden.fill_in(titles ->> ('alert_' || alert || '_text'), said),
      facts ->> 'text', facts ->> 'signature', facts ->> 'detail', facts ->> 'error', facts ->> 'last_error', facts ->> 'url'
    );
  else
    title := app_hidden.fill_in(
      coalesce(
        case when facts ->> 'kind' in ('mention', 'note') then titles ->> (facts ->> 'kind') end, titles ->> (facts ->> 'event'),
        titles ->> 'other'
      ),
      said
    );
    body := concat_ws(
      E'\n', facts ->> 'text', facts ->> 'question', facts ->> 'excerpt',
      case when said ? 'due' then app_hidden.fill_in(titles ->> 'due', said) end
    );
  end if;
end
$$;

comment on function app_hidden.notice_words(jsonb, text, text) is
  'What the facts of a notification (`event`, `kind`, `actor_name`, …) or of an alert (`alert`, …) say in a language: a title and, where there is more, a text.';

create or replace function app_hidden.notice_path(facts jsonb, role app_public.user_role) returns text
  language sql immutable
  set search_path = ''
as $$
  select case
    when facts ->> 'number' is not null then
      case role when 'customer' then '/portal/tickets/' else '/desk/tickets/' end || (facts ->> 'number')
    when role = 'customer' then '/portal'
    else case facts ->> 'alert'
      when 'mail_failed' then '/desk/admin/outbox'
      when 'mail_not_taken' then '/desk/admin/incoming-mail'
      when 'mailbox_silent' then '/desk/admin/mailboxes'
      when 'webhook_disabled' then '/desk/admin/webhooks'
      when 'file_blocked' then '/desk/admin/quarantine'
      when 'scanner_away' then '/desk/admin/quarantine'
      else '/desk'
    end
  end
$$;

comment on function app_hidden.notice_path(jsonb, app_public.user_role) is 'Where one looks at what a notification tells of.';

revoke all on function
  app_hidden.notice_titles(text), app_hidden.notice_words(jsonb, text, text), app_hidden.notice_path(jsonb, app_public.user_role)
from public;

--! split: 1071-functions-71-mailboxes.sql
-- Mailboxes: what they are, who reads them, and how it goes. What came in by them is in 73-incoming-mails.sql.

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
  'Adds a mailbox, or with `mailboxId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/mailbox-secret`, and anew where another server or account is asked from now on. The first mailbox is the default one, and another becomes it by `isDefault`. Admins only. Errors: MAILBOX_FROM_ENVIRONMENT for the connection of one that the environment names, INVALID_INPUT, CONFLICT for a name or address that is in use, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

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

-- For the worker.

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

  update app_public.mailboxes as box
  set is_enabled = false, is_default = false, archived_at = now()
  where box.from_environment and box.archived_at is null and box.organization_id <> home.id;

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
    where box.organization_id = home.id and box.address = (settings ->> 'address')::public.citext and box.archived_at is null
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
  app_private.mailbox_of(app_public.tickets), app_private.tg_mailboxes__keep_state(), app_private.mailbox_of_organization(uuid),
  app_public.save_mailbox(
    text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid,
    boolean, boolean, boolean, boolean, bigint, integer
  ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid),
  app_private.set_mailbox_secret(uuid, text), app_private.mailbox_settings(app_public.mailboxes),
  app_private.lease_mailboxes(text, integer, boolean), app_private.release_mailboxes(text), app_private.mailbox_to_test(uuid),
  app_private.record_mailbox_test(uuid, text, text), app_private.mailbox_progress(uuid),
  app_private.mailbox_fetched(uuid, bigint, bigint), app_private.mailbox_failed(uuid, text), app_private.sweep_mailboxes(),
  app_private.mailbox_health(), app_private.keep_environment_mailbox(text, jsonb), app_private.renew_mailbox_secret(uuid, text, text)
from public;

grant execute on function
  app_public.save_mailbox(
    text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid,
    boolean, boolean, boolean, boolean, bigint, integer
  ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid)
to atum_admin;
grant execute on function app_private.set_mailbox_secret(uuid, text), app_private.mailbox_health() to atum_server;
grant execute on function
  app_private.lease_mailboxes(text, integer, boolean), app_private.release_mailboxes(text), app_private.mailbox_to_test(uuid),
  app_private.record_mailbox_test(uuid, text, text), app_private.mailbox_progress(uuid),
  app_private.mailbox_fetched(uuid, bigint, bigint), app_private.mailbox_failed(uuid, text), app_private.sweep_mailboxes(),
  app_private.keep_environment_mailbox(text, jsonb), app_private.renew_mailbox_secret(uuid, text, text)
to atum_worker;

--! split: 1072-functions-72-webhooks.sql
-- Webhooks: what they are. How they are called is in 75-webhook-deliveries.sql.

create or replace function app_private.names_internal_host(url text) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case
    when host like '[%' then
      not pg_input_is_valid(btrim(host, '[]'), 'inet')
      -- What is outside of 2000::/3 is nobody's public address; the others are tunnels and examples.
      or not btrim(host, '[]')::inet <<= '2000::/3'
      or btrim(host, '[]')::inet <<= any ('{2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20}'::cidr[])
    -- A host whose last part is a number is an IPv4 address to every client, in whatever way it is written.
    when host ~ '(^|[.])(0x[0-9a-f]*|[0-9]+)[.]?$' then
      host !~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$'
      or not pg_input_is_valid(host, 'inet')
      or host::inet <<= any (
        '{
          0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 168.63.129.16, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24,
          192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3
        }'::cidr[]
      )
    else host ~ '(^|[.])(localhost|local|internal|home[.]arpa)[.]?$'
  end
  from lower(substring(url from '^https?://([^/?:[]+|[[][^]]*[]])')) as host
$$;

comment on function app_private.names_internal_host(text) is 'Whether an address names a host inside the own network, as far as can be told from its letters. Where a name leads to is looked at when it is called.';

create or replace function app_private.tg_webhooks__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.name := btrim(NEW.name);
  NEW.changed_by_id := app_hidden.current_user_id();
  if TG_OP = 'UPDATE' and NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_webhooks__stamp() is 'Notes who changed a webhook, and when.';

-- Not for how it is getting on: that is no change of what it does.
create or replace trigger _100_stamp
  before insert or update of name, url, event_types, includes_internal, allow_internal on app_public.webhooks
  for each row execute function app_private.tg_webhooks__stamp();

create or replace function app_private.tg_webhooks__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if not NEW.allow_internal and app_private.names_internal_host(NEW.url) then
    raise exception using errcode = 'AD270', message = 'This address is inside the own network, and the webhook may not call that';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_webhooks__refuse() is 'Refuses an address inside the own network unless the webhook may call that. Error WEBHOOK_ADDRESS_INTERNAL.';

create or replace trigger _200_refuse before insert or update of url, allow_internal on app_public.webhooks
  for each row execute function app_private.tg_webhooks__refuse();

create or replace function app_private.tg_webhooks__cancel_deliveries() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_public.webhook_deliveries as delivery
  set state = 'cancelled', ended_at = now()
  where delivery.organization_id = NEW.organization_id and delivery.webhook_id = NEW.id and delivery.state = 'waiting'
    and delivery.event_id is not null;
  return null;
end
$$;

comment on function app_private.tg_webhooks__cancel_deliveries() is 'Calls nothing any more that was switched off.';

create or replace trigger _500_cancel_deliveries after update of is_enabled on app_public.webhooks
  for each row when (OLD.is_enabled and not NEW.is_enabled) execute function app_private.tg_webhooks__cancel_deliveries();

create or replace function app_public.save_webhook(
  name text,
  url text,
  webhook_id uuid default null,
  event_types app_public.ticket_event_type[] default '{}',
  includes_internal boolean default false,
  allow_internal boolean default false,
  is_enabled boolean default true
) returns app_public.webhooks
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.webhooks;
begin
  perform app_private.subject_of_claims();

  if save_webhook.webhook_id is null then
    if (select count(*) from app_public.webhooks where organization_id = app_hidden.current_organization_id()) >= 50 then
      raise exception using errcode = 'AD271', message = 'An organization has at most 50 webhooks';
    end if;
    insert into app_public.webhooks (
      organization_id, name, url, event_types, includes_internal, allow_internal, is_enabled, created_by_id
    )
    values (
      app_hidden.current_organization_id(), save_webhook.name, btrim(save_webhook.url), coalesce(save_webhook.event_types, '{}'),
      coalesce(save_webhook.includes_internal, false), coalesce(save_webhook.allow_internal, false),
      coalesce(save_webhook.is_enabled, true), app_hidden.current_user_id()
    )
    returning * into saved;
    return saved;
  end if;

  update app_public.webhooks as webhook
  set
    name = save_webhook.name,
    url = btrim(save_webhook.url),
    event_types = coalesce(save_webhook.event_types, '{}'),
    includes_internal = coalesce(save_webhook.includes_internal, false),
    allow_internal = coalesce(save_webhook.allow_internal, false),
    is_enabled = coalesce(save_webhook.is_enabled, true),
    -- Another address, or one that was switched on again, has failed at nothing yet.
    failing_since = case when webhook.url = btrim(save_webhook.url) and webhook.is_enabled then webhook.failing_since end,
    disabled_at = case when not coalesce(save_webhook.is_enabled, true) then webhook.disabled_at end,
    disabled_reason = case when not coalesce(save_webhook.is_enabled, true) then webhook.disabled_reason end
  where webhook.organization_id = app_hidden.current_organization_id() and webhook.id = save_webhook.webhook_id
  returning * into saved;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  return saved;
end
$$;

comment on function app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean) is
  'Adds a webhook, or with `webhookId` replaces its settings, and returns it. It calls nothing before it has a secret, which is made by `POST /api/v1/webhooks/<rowId>/secret`. Switching it off cancels what waits. Admins only. Errors: WEBHOOK_ADDRESS_INTERNAL for an address inside the own network without `allowInternal`, TOO_MANY_WEBHOOKS beyond 50, CONFLICT for a name that is taken, INVALID_INPUT, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.delete_webhook(webhook_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.subject_of_claims();

  delete from app_public.webhooks as webhook
  where webhook.organization_id = app_hidden.current_organization_id() and webhook.id = delete_webhook.webhook_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  return true;
end
$$;

comment on function app_public.delete_webhook(uuid) is 'Removes a webhook with its secrets and its log. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

-- Secrets: made and sealed by the server, opened by the worker.

create or replace function app_private.set_webhook_secret(webhook_id uuid, secret text, keep_previous interval) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
  previous_until constant timestamptz := now() + least(greatest(keep_previous, interval '0'), interval '7 days');
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins make secrets';
  end if;
  -- Two that are made at the same moment come one after the other.
  select * into webhook
  from app_public.webhooks as locked
  where locked.organization_id = app_hidden.current_organization_id() and locked.id = set_webhook_secret.webhook_id
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;

  update app_private.webhook_secrets as former
  set expires_at = least(former.expires_at, previous_until)
  where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id;

  -- A call carries one signature for each: no more than two besides the one in use.
  delete from app_private.webhook_secrets as former
  where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id
    and (former.expires_at <= now() or former.id not in (
      select latest.id
      from app_private.webhook_secrets as latest
      where latest.organization_id = webhook.organization_id and latest.webhook_id = webhook.id
      order by latest.created_at desc, latest.id desc
      limit 2
    ));

  insert into app_private.webhook_secrets (organization_id, webhook_id, sealed)
  values (webhook.organization_id, webhook.id, set_webhook_secret.secret);
  return jsonb_build_object('outcome', 'ok', 'previousUntil', (
    select max(former.expires_at)
    from app_private.webhook_secrets as former
    where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id
  ));
end
$$;

comment on function app_private.set_webhook_secret(uuid, text, interval) is 'Stores a new encrypted secret of a webhook; calls are signed with the ones before too, for `keep_previous`, at most 7 days: `{outcome: "ok", previousUntil}`, `not_found`. Admins only.';

create or replace function app_private.has_webhook_secret(webhook app_public.webhooks) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.webhook_secrets as secret
    where secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id and secret.expires_at is null
  )
$$;

comment on function app_private.has_webhook_secret(app_public.webhooks) is 'Whether there is something to sign the calls of a webhook with.';

create or replace function app_public.webhooks_has_secret(webhook app_public.webhooks) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select webhook.organization_id = app_hidden.current_organization_id() and app_private.has_webhook_secret(webhook)
$$;

comment on function app_public.webhooks_has_secret(app_public.webhooks) is 'Whether it has a secret; without one it calls nothing. Admins only.';

create or replace function app_public.webhooks_previous_secret_until(webhook app_public.webhooks) returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select max(secret.expires_at)
  from app_private.webhook_secrets as secret
  where secret.organization_id = app_hidden.current_organization_id()
    and secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id and secret.expires_at > now()
$$;

comment on function app_public.webhooks_previous_secret_until(app_public.webhooks) is 'Until when calls are signed with a secret before the one in use too; null when there is none. Admins only.';

-- How it has been getting on, read from its log.

create or replace function app_public.webhooks_last_delivered_at(webhook app_public.webhooks) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select delivery.ended_at
  from app_public.webhook_deliveries as delivery
  where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'delivered'
  order by delivery.created_at desc
  limit 1
$$;

comment on function app_public.webhooks_last_delivered_at(app_public.webhooks) is 'When the latest of its calls that were taken was; null when none was in 30 days.';

create or replace function app_public.webhooks_waiting(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.webhook_deliveries as delivery
    where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'waiting'
    limit 1000
  ) as counted
$$;

comment on function app_public.webhooks_waiting(app_public.webhooks) is 'How many calls wait, counted up to 1,000.';

create or replace function app_public.webhooks_failed_today(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.webhook_deliveries as delivery
    where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'failed'
      -- A call is given up a day after it was made.
      and delivery.created_at > now() - interval '2 days' and delivery.ended_at > now() - interval '1 day'
    limit 1000
  ) as counted
$$;

comment on function app_public.webhooks_failed_today(app_public.webhooks) is 'How many calls were given up in the last 24 hours, counted up to 1,000.';

revoke all on function
  app_private.names_internal_host(text), app_private.tg_webhooks__stamp(), app_private.tg_webhooks__refuse(),
  app_private.tg_webhooks__cancel_deliveries(),
  app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean),
  app_public.delete_webhook(uuid), app_private.set_webhook_secret(uuid, text, interval),
  app_private.has_webhook_secret(app_public.webhooks), app_public.webhooks_has_secret(app_public.webhooks),
  app_public.webhooks_previous_secret_until(app_public.webhooks), app_public.webhooks_last_delivered_at(app_public.webhooks),
  app_public.webhooks_waiting(app_public.webhooks), app_public.webhooks_failed_today(app_public.webhooks)
from public;

grant execute on function app_private.set_webhook_secret(uuid, text, interval) to atum_server;
grant execute on function
  app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean), app_public.delete_webhook(uuid),
  app_public.webhooks_has_secret(app_public.webhooks), app_public.webhooks_previous_secret_until(app_public.webhooks),
  app_public.webhooks_last_delivered_at(app_public.webhooks), app_public.webhooks_waiting(app_public.webhooks),
  app_public.webhooks_failed_today(app_public.webhooks)
to atum_admin;

--! split: 1073-functions-73-incoming-mails.sql
-- Mails that came in: each is stored once, and decided once, in one transaction with everything that follows from it.

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

create or replace function app_private.answers_public_words(facts jsonb, user_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    (
      select said.visibility = 'public'
      from (
        select mail.mail_id
        from app_private.mails_of_message_ids(array(select jsonb_array_elements_text(facts -> 'references'))) as mail
        union
        select token.mail_id
        from app_private.mail_reply_tokens as token
        where token.organization_id = app_hidden.current_organization_id()
          and token.token_hash = app_private.token_hash(
            app_private.reply_token_in(array(select jsonb_array_elements_text(facts -> 'recipients')))
          )
      ) as answered
      join app_public.mail_messages as mail on mail.organization_id = app_hidden.current_organization_id() and mail.id = answered.mail_id
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
        'Came by mail from the address of a colleague. Nothing proves that the colleague wrote it: it answers no mail that was sent to that address.',
        'Kam per Mail von der Adresse einer Kollegin oder eines Kollegen. Nichts beweist, wer sie geschrieben hat: Sie antwortet auf keine Mail, die an diese Adresse ging.'
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
    proven := sender.id is not null and exists (
      select
      from app_private.answered_tickets(facts) as found
      where found.user_id = sender.id
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
    elsif mail.overruled_at is null and (
      select count(*)
      from app_public.incoming_mails as many
      where many.organization_id = mail.organization_id and lower(many.from_address) = lower(mail.from_address)
        and many.created_at > now() - interval '1 hour' and many.ticket_id = ticket.id and many.state = 'processed'
    ) >= 10 then
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
    if mail.overruled_at is null and (
      select count(*)
      from app_public.incoming_mails as many
      where many.organization_id = mail.organization_id and lower(many.from_address) = lower(mail.from_address)
        and many.created_at > now() - interval '1 hour' and many.state = 'processed'
    ) >= 30 then
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
  app_private.store_incoming_mail(uuid, jsonb), app_private.alert_of_mail(app_public.incoming_mails, text),
  app_private.incoming_mail_to_read(uuid),
  app_private.settle_mail(app_public.incoming_mails, app_public.incoming_mail_state, text, text, uuid, uuid),
  app_private.incoming_mail_failed(uuid, text), app_public.retry_incoming_mail(uuid), app_private.is_own_mail_address(text),
  app_private.reply_token_in(text[]), app_private.answered_tickets(jsonb), app_private.answers_public_words(jsonb, uuid),
  app_private.customer_by_mail(jsonb), app_private.incoming_mail_words(text),
  app_private.mail_comment(app_public.incoming_mails, jsonb, uuid, app_public.users, app_public.comment_visibility, text),
  app_private.incoming_mail_files(app_public.incoming_mails, jsonb, app_public.comments),
  app_private.watch_by_mail(app_public.tickets, jsonb), app_private.reopen_by_mail(app_public.tickets),
  app_private.why_to_ignore(app_public.incoming_mails, app_public.mailboxes, jsonb), app_private.receive_mail(uuid, jsonb),
  app_private.ticket_by_mail(app_public.incoming_mails, app_public.mailboxes, jsonb, app_public.users, app_public.tickets)
from public;

grant execute on function
  app_private.store_incoming_mail(uuid, jsonb), app_private.incoming_mail_to_read(uuid), app_private.incoming_mail_failed(uuid, text),
  app_private.receive_mail(uuid, jsonb)
to atum_worker;
grant execute on function app_public.retry_incoming_mail(uuid) to atum_admin;

--! split: 1074-functions-74-notifications.sql
-- What happens is told to the people it concerns. How each of them wants to hear of it is in 76-notification-choices.sql.

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

-- What people do with it

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
  select * into notification
  from app_public.notifications as marked
  where marked.organization_id = app_hidden.current_organization_id()
    and marked.user_id = app_hidden.current_user_id() and marked.id = notification_id and marked.is_shown;
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
  app_private.notification_kind_of(app_public.ticket_events),
  app_private.people_concerned(app_public.ticket_events, app_public.tickets),
  app_private.notification_facts(app_public.ticket_events, app_public.tickets, text),
  app_private.notify_people(app_public.ticket_events),
  app_private.announce_notifications(app_public.notifications[], app_public.tickets, app_public.comments),
  app_private.alert_admins(text, jsonb, text), app_public.unread_notification_count(),
  app_private.mark_notifications_read(uuid, uuid, timestamptz), app_public.mark_notification_read(uuid),
  app_public.mark_ticket_notifications_read(uuid), app_public.mark_all_notifications_read(timestamptz),
  app_private.remove_old_notifications()
from public;

grant execute on function
  app_public.unread_notification_count(), app_public.mark_notification_read(uuid),
  app_public.mark_ticket_notifications_read(uuid), app_public.mark_all_notifications_read(timestamptz)
to atum_customer, atum_agent;
grant execute on function app_private.remove_old_notifications() to atum_worker;

--! split: 1075-functions-75-webhook-deliveries.sql
-- Webhooks: how they are called. Each call is a row before it is a job. The worker claims one (take_webhook_delivery),
-- calls with no transaction open, and notes what came of it (finish_webhook_attempt).

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

-- Calling

create or replace function app_private.wake_webhook(webhook app_public.webhooks, lanes integer) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, due.lane)
  from (
    select first.lane
    from (
      select distinct on (waiting.lane) waiting.lane, waiting.next_attempt_at, waiting.claimed_until, waiting.created_at
      from app_public.webhook_deliveries as waiting
      where waiting.organization_id = webhook.organization_id and waiting.webhook_id = webhook.id and waiting.state = 'waiting'
      order by waiting.lane, waiting.created_at, waiting.id
    ) as first
    where first.next_attempt_at <= clock_timestamp()
      and (first.claimed_until is null or first.claimed_until < clock_timestamp())
    order by first.created_at
    limit lanes
  ) as due
$$;

comment on function app_private.wake_webhook(app_public.webhooks, integer) is 'Has a webhook called with what is due in up to so many lanes, those first that wait longest.';

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
      -- Others may have found all places taken.
      if webhook.failing_since is null then
        perform app_private.wake_webhook(webhook, 1);
      end if;
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
    return null;
  end if;
  -- A receiver that is slow or gone takes no more than its share of the worker: a few places, and one while it fails.
  if delivery.event_id is not null and (
    select count(*)
    from app_public.webhook_deliveries as claimed
    where claimed.organization_id = webhook.organization_id and claimed.webhook_id = webhook.id
      and claimed.claimed_until > clock_timestamp()
  ) >= (case when webhook.failing_since is null then 4 else 1 end) then
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

-- By hand

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
  app_private.webhook_instant(timestamptz), app_private.webhook_message(app_public.ticket_events), app_private.webhook_person(uuid, uuid),
  app_private.webhook_ticket(app_public.tickets, boolean), app_private.webhook_payload(app_public.ticket_events, boolean),
  app_private.webhook_description(app_public.ticket_events), app_private.webhook_wants(app_public.webhooks, app_public.ticket_events),
  app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz), app_private.call_webhooks(app_public.ticket_events),
  app_private.wake_webhook(app_public.webhooks, integer), app_private.take_webhook_delivery(uuid, uuid),
  app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop), app_private.webhook_retry_delay(integer, interval),
  app_private.finish_webhook_attempt(uuid, jsonb), app_private.webhook_to_call(uuid), app_public.send_test_webhook(uuid),
  app_public.replay_webhook_delivery(uuid), app_public.replay_webhook_since(uuid, timestamptz, boolean),
  app_public.cancel_webhook_delivery(uuid), app_private.sweep_webhooks()
from public;

grant execute on function
  app_private.take_webhook_delivery(uuid, uuid), app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
to atum_worker;
grant execute on function
  app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid),
  app_public.replay_webhook_since(uuid, timestamptz, boolean), app_public.cancel_webhook_delivery(uuid)
to atum_admin;

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

-- A mail that waited for the end of quiet hours, or for a mail server, may have nothing to say any more.
create or replace function app_private.mail_still_wanted(mail app_public.mail_messages) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select mail.kind <> 'notice' or not exists (
    select
    from app_public.notifications as notification
    join app_public.users as person
      on person.organization_id = notification.organization_id and person.id = notification.user_id
    join app_public.tickets as ticket
      on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
    where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
      and notification.ticket_id = mail.ticket_id
      and mail.dedupe_key = 'event:' || notification.event_id || ':' || notification.user_id
      and (
        notification.read_at is not null
        or person.disabled_at is not null
        or not (app_private.may_see_ticket(person.id, ticket) or 'approver' = any (notification.reasons))
      )
  )
$$;

comment on function app_private.mail_still_wanted(app_public.mail_messages) is 'Whether a mail is still to be sent: a notice is not when its reader has read it in the app by now, or may not see the ticket any more. Answers to customers always are.';

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
    where due.read_at is null and person.disabled_at is null
      and (app_private.may_see_ticket(person.id, ticket) or 'approver' = any (due.reasons))
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

--! split: 1077-functions-77-csat-reports.sql
-- What customers said of how it went, summed up: each is one statement, under the row-level security of whoever asks.

do $$
begin
  if to_regtype('app_public.csat_grouping') is null then
    create type app_public.csat_grouping as enum ('agent', 'team', 'service', 'month');
  end if;
  if to_regtype('app_public.csat_report_row') is null then
    create type app_public.csat_report_row as (
      id uuid, name text, month date, sent integer, answered integer, satisfied integer, response_rate double precision, average double precision,
      csat double precision, distribution integer[]
    );
  end if;
end
$$;

comment on type app_public.csat_grouping is 'What answers to surveys are summed up by.';

comment on type app_public.csat_report_row is 'What customers said of one agent, team or service, or in one month.';
comment on column app_public.csat_report_row.id is 'The row id of the agent, team or service; null for what had none, and for months.';
comment on column app_public.csat_report_row.name is 'What it is called.';
comment on column app_public.csat_report_row.month is 'The first day of the month.';
comment on column app_public.csat_report_row.sent is 'How many requesters were asked.';
comment on column app_public.csat_report_row.answered is 'How many of them answered.';
comment on column app_public.csat_report_row.satisfied is 'How many of those gave 4 or 5.';
comment on column app_public.csat_report_row.response_rate is 'The share of those who were asked that answered, 0 to 1.';
comment on column app_public.csat_report_row.average is 'The mean score, 1 to 5; null without an answer.';
comment on column app_public.csat_report_row.csat is 'The share of answers that are 4 or 5, 0 to 1; null without an answer.';
comment on column app_public.csat_report_row.distribution is 'How many answers there are of each score, from 1 to 5.';

create or replace function app_hidden.organization_day(day date) returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select day::timestamp at time zone organization.time_zone
  from app_public.organizations as organization
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_hidden.organization_day(date) is 'When a day begins in the time zone of the current organization.';

create or replace function app_public.csat_report(grouped_by app_public.csat_grouping, from_day date, to_day date)
  returns setof app_public.csat_report_row
  language sql stable
  set search_path = ''
as $$
  with total as (
    select
      case csat_report.grouped_by
        when 'agent' then survey.assignee_id
        when 'team' then survey.team_id
        when 'service' then survey.service_id
      end as id,
      case when csat_report.grouped_by = 'month' then
        date_trunc('month', survey.sent_at at time zone (select time_zone from app_public.organizations where id = (select app_hidden.current_organization_id())))::date
      end as month,
      count(*)::integer as sent,
      count(survey.score)::integer as answered,
      (count(*) filter (where survey.score >= 4))::integer as satisfied,
      avg(survey.score)::double precision as average,
      array[
        count(*) filter (where survey.score = 1), count(*) filter (where survey.score = 2), count(*) filter (where survey.score = 3),
        count(*) filter (where survey.score = 4), count(*) filter (where survey.score = 5)
      ]::integer[] as distribution
    from app_public.csat_surveys as survey
    where survey.organization_id = (select app_hidden.current_organization_id())
      and survey.sent_at >= (select app_hidden.organization_day(csat_report.from_day))
      and survey.sent_at < (select app_hidden.organization_day(csat_report.to_day + 1))
    group by 1, 2
  )
  select
    total.id, coalesce(agent.name, team.name, service.name), total.month, total.sent, total.answered, total.satisfied,
    total.answered::double precision / total.sent, total.average,
    total.satisfied::double precision / nullif(total.answered, 0), total.distribution
  from total
  left join app_public.users as agent
    on csat_report.grouped_by = 'agent' and agent.organization_id = (select app_hidden.current_organization_id()) and agent.id = total.id
  left join app_public.teams as team
    on csat_report.grouped_by = 'team' and team.organization_id = (select app_hidden.current_organization_id()) and team.id = total.id
  left join app_public.services as service
    on csat_report.grouped_by = 'service' and service.organization_id = (select app_hidden.current_organization_id()) and service.id = total.id
  order by total.month, total.answered desc, total.sent desc, total.id
$$;

comment on function app_public.csat_report(app_public.csat_grouping, date, date) is
  'What customers said who were asked from one day to another, both included, in the time zone of the organization, summed up by who was assigned, by team or by service when the ticket was resolved, or by month. Who was answered most comes first, months in their order. Managers and admins only.';

create or replace function app_public.csat_answers(
  from_day date,
  to_day date,
  only_low boolean default false,
  only_commented boolean default false,
  assignee_id uuid default null,
  team_id uuid default null,
  service_id uuid default null
) returns setof app_public.csat_surveys
  language sql stable
  set search_path = ''
as $$
  select survey.*
  from app_public.csat_surveys as survey
  where survey.organization_id = (select app_hidden.current_organization_id())
    and survey.sent_at >= (select app_hidden.organization_day(csat_answers.from_day))
    and survey.sent_at < (select app_hidden.organization_day(csat_answers.to_day + 1))
    and survey.score is not null
    and (
      not csat_answers.only_low
      or survey.score <= (
        select settings.low_score from app_public.csat_settings as settings
        where settings.organization_id = (select app_hidden.current_organization_id())
      )
    )
    and (not csat_answers.only_commented or survey.comment is not null)
    and (csat_answers.assignee_id is null or survey.assignee_id = csat_answers.assignee_id)
    and (csat_answers.team_id is null or survey.team_id = csat_answers.team_id)
    and (csat_answers.service_id is null or survey.service_id = csat_answers.service_id)
  order by survey.answered_at desc, survey.id desc
$$;

comment on function app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid) is
  'The answers of customers who were asked from one day to another, both included, in the time zone of the organization, latest first; only bad ones, those with a comment, or of one agent, team or service where that is said. Managers and admins only.';

revoke all on function
  app_hidden.organization_day(date), app_public.csat_report(app_public.csat_grouping, date, date),
  app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid)
from public;

grant execute on function
  app_hidden.organization_day(date), app_public.csat_report(app_public.csat_grouping, date, date),
  app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid)
to atum_manager;

--! split: 1078-functions-78-mail-delivery.sql
-- A mail leaves by a job: it takes the mail, talks to the mail server with no transaction open, and says what became of it.
-- A worker that dies in between leaves it taken for ten minutes; then it is sent once more, so that it is sent at least once.

create or replace function app_private.mail_files(mail app_public.mail_messages)
  returns table (attachment_id uuid, name text, sha256 text, size bigint, content_type text, way text)
  language sql stable
  set search_path = ''
as $$
  select
    file.id, file.name, file.sha256, file.size, file.content_type,
    case
      when file.state = 'pending' then 'pending'
      when file.state in ('infected', 'unscannable') then 'blocked'
      when file.state = 'removed' then 'gone'
      -- A server seldom takes more than 25 MB, and encoding adds a third.
      when sum(file.size) filter (where file.state in ('clean', 'unscanned', 'released')) over (order by file.created_at, file.id) <= 10485760
        then 'attached'
      else 'linked'
    end
  from app_public.attachments as file
  where file.organization_id = mail.organization_id and file.id = any (mail.attachment_ids)
    -- What was taken off its comment meanwhile, or put on another ticket, is not this mail's any more.
    and file.ticket_id = mail.ticket_id
  order by file.created_at, file.id
$$;

comment on function app_private.mail_files(app_public.mail_messages) is
  'The files of a mail and how each goes with it: `attached` up to 10 MiB in all, then `linked`, or not at all: `pending`, `blocked`, `gone`.';

create or replace function app_private.mail_gaps(mail app_public.mail_messages, origin text) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  words constant jsonb := app_hidden.mail_words(mail.locale);
  in_text jsonb := '{}';
  in_html jsonb := '{}';
  file record;
  token text;
  link text;
  step integer;
begin
  if mail.survey_id is not null then
    token := app_private.issue_survey_token(mail.survey_id);
    link := origin || '/survey/' || token;
    in_text := in_text || jsonb_build_object('survey_link', link);
    for step in 1..5 loop
      in_text := in_text || jsonb_build_object('survey_link:' || step, link || '?score=' || step);
    end loop;
    in_html := in_text;
  end if;

  for file in select * from app_private.mail_files(mail) loop
    link := null;
    if file.way = 'linked' then
      -- None for who may not see the file any more.
      link := origin || '/files/' || app_private.issue_file_token(file.attachment_id, mail.user_id);
    end if;
    in_text := in_text || jsonb_build_object('file_link:' || file.attachment_id, case
      when file.way = 'attached' then ''
      when link is not null then ': ' || link
      else ' – ' || (words ->> (case file.way when 'linked' then 'large' else file.way end))
    end);
    in_html := in_html || jsonb_build_object('file_link:' || file.attachment_id, case
      when file.way = 'attached' then ''
      when link is not null then ': <a href="' || link || '">' || link || '</a>'
      else ' – ' || app_hidden.as_html(words ->> (case file.way when 'linked' then 'large' else file.way end))
    end);
  end loop;
  return jsonb_build_object('text', in_text, 'html', in_html);
end
$$;

comment on function app_private.mail_gaps(app_public.mail_messages, text) is 'What the gaps of a mail are filled with now, in its text and in its HTML, with new tokens.';

create or replace function app_private.mail_reply_address(mail app_public.mail_messages) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- Mail servers may change the case of what stands before the @, and take 64 characters of it.
  token constant text := encode(public.gen_random_bytes(16), 'hex');
  local constant text := substring(mail.from_address from '^(.*)@[^@]*$');
begin
  if not mail.asks_for_reply or mail.ticket_id is null or length(local) > 31 then
    return null;
  end if;
  insert into app_private.mail_reply_tokens (organization_id, mail_id, token_hash)
  values (mail.organization_id, mail.id, app_private.token_hash(token));
  return local || '+' || token || substring(mail.from_address from '@[^@]*$');
end
$$;

comment on function app_private.mail_reply_address(app_public.mail_messages) is 'The address that an answer to a mail goes to, with a new token that finds its ticket and its recipient; null where it cannot have one.';

create or replace function app_private.mail_headers(mail app_public.mail_messages) returns jsonb
  language sql stable
  set search_path = ''
as $$
  -- Answering machines keep still (RFC 3834), except that people may answer people as they like.
  select jsonb_strip_nulls(jsonb_build_object(
    'Auto-Submitted', case
      when mail.kind = 'acknowledgement' then 'auto-replied'
      when mail.kind <> 'reply' or comment.author_id is null then 'auto-generated'
    end,
    'X-Auto-Response-Suppress', case when mail.kind = 'reply' and comment.author_id is not null then 'OOF, AutoReply' else 'All' end,
    'X-ATUM-Desk', concat_ws('/', organization.slug, ticket.reference)
  ))
  from app_public.organizations as organization
  left join app_public.tickets as ticket on ticket.organization_id = organization.id and ticket.id = mail.ticket_id
  left join app_public.comments as comment on comment.organization_id = organization.id and comment.id = mail.comment_id
  where organization.id = mail.organization_id
$$;

comment on function app_private.mail_headers(app_public.mail_messages) is 'The headers by which machines know a mail of ours.';

create or replace function app_private.mail_to_send(mail_id uuid, origin text, sender_domain text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  organization app_public.organizations;
  gaps jsonb;
  domain text;
begin
  select * into mail
  from app_public.mail_messages as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = mail_to_send.mail_id
    and asked.state = 'waiting' and asked.send_at <= now()
    -- Another worker is sending it, or died doing so a while ago.
    and (asked.claimed_until is null or asked.claimed_until <= now())
  for update;
  if not found then
    return null;
  end if;

  select * into strict organization from app_public.organizations as own where own.id = mail.organization_id;
  if organization.suspended_at is not null then
    return null;
  end if;

  -- The scanner is given a few minutes; then it goes without, and says so.
  if mail.created_at > now() - interval '5 minutes' and exists (
    select from app_private.mail_files(mail) as file where file.way = 'pending'
  ) then
    update app_public.mail_messages as waiting
    set send_at = now() + interval '15 seconds'
    where waiting.organization_id = mail.organization_id and waiting.id = mail.id;
    perform app_private.enqueue_mail(mail.organization_id, mail.id, now() + interval '15 seconds');
    return null;
  end if;

  gaps := app_private.mail_gaps(mail, origin);
  -- Read by now, or a question whose time is over.
  if not app_private.mail_still_wanted(mail) or (mail.survey_id is not null and gaps #>> '{text,survey_link}' is null) then
    update app_public.mail_messages as dropped
    set state = 'cancelled'
    where dropped.organization_id = mail.organization_id and dropped.id = mail.id;
    perform app_private.note_mail(mail, 'cancelled');
    return null;
  end if;

  update app_public.mail_messages as claimed
  set claimed_until = now() + interval '10 minutes', claimed_by = app_hidden.current_worker()
  where claimed.organization_id = mail.organization_id and claimed.id = mail.id;

  domain := '@' || coalesce(substring(mail.from_address from '@([^@]*)$'), sender_domain) || '>';
  return jsonb_build_object(
    'kind', mail.kind,
    'from', jsonb_build_object('name', coalesce(mail.from_name, organization.name), 'address', mail.from_address),
    'to', jsonb_build_object('name', mail.to_name, 'address', mail.to_address),
    'replyTo', app_private.mail_reply_address(mail),
    'subject', mail.subject,
    'text', app_hidden.fill_gaps(mail.text_body, gaps -> 'text', origin),
    'html', app_hidden.fill_gaps(mail.html_body, gaps -> 'html', app_hidden.as_html(origin)),
    'messageId', replace(mail.message_id, '@desk.invalid>', domain),
    'references', to_jsonb(array(
      select replace(earlier.id, '@desk.invalid>', domain) from unnest(mail.reference_ids) with ordinality as earlier (id, position) order by earlier.position
    )),
    'headers', app_private.mail_headers(mail),
    'files', (
      select coalesce(jsonb_agg(jsonb_build_object('name', file.name, 'sha256', file.sha256, 'size', file.size, 'contentType', file.content_type)), '[]')
      from app_private.mail_files(mail) as file
      where file.way = 'attached'
    )
  );
end
$$;

comment on function app_private.mail_to_send(uuid, text, text) is
  'A mail as it is handed to the mail server, with new tokens in its links and its address to answer to, taken for ten minutes; null when it is not to be sent now. `origin` is the address people use, `senderDomain` that of the installation''s own address.';

-- What became of it

create or replace function app_private.note_mail(
  mail app_public.mail_messages, outcome app_public.mail_outcome, code integer default null, response text default null
) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.mail_attempts (organization_id, mail_id, outcome, code, response)
  values (mail.organization_id, mail.id, note_mail.outcome, note_mail.code, left(note_mail.response, 2000))
$$;

comment on function app_private.note_mail(app_public.mail_messages, app_public.mail_outcome, integer, text) is 'Writes down what happened to a mail.';

create or replace function app_private.tell_of_failed_mail(mail app_public.mail_messages, outcome text, response text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  facts constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'mail_id', mail.id, 'mail_kind', mail.kind, 'name', coalesce(mail.to_name, mail.to_address), 'address', mail.to_address,
    'outcome', outcome, 'detail', left(response, 500)
  ));
begin
  -- What tells of a failure would fail the same way, and tell of that.
  if mail.kind in ('alert', 'digest', 'test') then
    return;
  end if;

  perform set_config('atum.actor_name', 'Mail', true);
  if mail.kind in ('acknowledgement', 'reply', 'resolution', 'survey') and mail.ticket_id is not null then
    select * into strict ticket
    from app_public.tickets as concerned
    where concerned.organization_id = mail.organization_id and concerned.id = mail.ticket_id;
    perform app_private.record_ticket_event(ticket, 'mail_failed', facts);
  end if;
  -- Where none arrives one is told once an hour, and the outbox names them all.
  perform app_private.alert_admins(
    'mail_failed', facts || jsonb_strip_nulls(jsonb_build_object('ticket_id', mail.ticket_id, 'number', ticket.number)),
    'mail_failed:' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24')
  );
  perform set_config('atum.actor_name', '', true);
end
$$;

comment on function app_private.tell_of_failed_mail(app_public.mail_messages, text, text) is 'Tells the ticket and the admins that a mail did not reach its recipient.';

create or replace function app_private.claimed_mail(mail_id uuid) returns app_public.mail_messages
  language sql volatile
  set search_path = ''
as $$
  select *
  from app_public.mail_messages as mail
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = claimed_mail.mail_id
    and mail.state in ('waiting', 'cancelled')
  for update
$$;

comment on function app_private.claimed_mail(uuid) is 'A mail of which a worker says what became of it, locked; null when that was said before.';

create or replace function app_private.mail_was_sent(mail_id uuid, code integer, response text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
begin
  if mail.id is null then
    return;
  end if;
  update app_public.mail_messages as sent
  set state = 'sent', sent_at = now(), attempts = sent.attempts + 1, claimed_until = null, last_error = null
  where sent.organization_id = mail.organization_id and sent.id = mail.id;
  perform app_private.note_mail(mail, 'sent', code, response);
end
$$;

comment on function app_private.mail_was_sent(uuid, integer, text) is 'The mail server took it.';

create or replace function app_private.mail_was_refused(mail_id uuid, code integer, response text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
begin
  if mail.id is null then
    return;
  end if;
  update app_public.mail_messages as failed
  set state = 'failed', attempts = failed.attempts + 1, claimed_until = null, last_error = left(response, 2000)
  where failed.organization_id = mail.organization_id and failed.id = mail.id;
  perform app_private.note_mail(mail, 'refused', code, response);
  perform app_private.tell_of_failed_mail(mail, 'refused', response);
end
$$;

comment on function app_private.mail_was_refused(uuid, integer, text) is 'The mail server will not take it, now or later.';

create or replace function app_private.mail_was_deferred(mail_id uuid, code integer, response text) returns timestamptz
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
  -- From half a minute to two hours; so that many that failed together do not come back together.
  next_at constant timestamptz := now() + least(interval '30 seconds' * 2 ^ least(mail.attempts, 20), interval '2 hours') * (0.75 + random() / 2);
  is_over constant boolean := mail.give_up_at <= now();
begin
  if mail.id is null then
    return null;
  end if;
  update app_public.mail_messages as deferred
  set
    state = case when deferred.state = 'waiting' and is_over then 'failed' else deferred.state end,
    send_at = case when is_over then deferred.send_at else least(next_at, greatest(deferred.give_up_at, now() + interval '1 second')) end,
    attempts = deferred.attempts + 1, claimed_until = null, last_error = left(response, 2000)
  where deferred.organization_id = mail.organization_id and deferred.id = mail.id;
  perform app_private.note_mail(mail, 'deferred', code, response);

  if mail.state <> 'waiting' then
    return null;
  elsif is_over then
    perform app_private.tell_of_failed_mail(mail, 'given_up', response);
    return null;
  end if;
  perform app_private.enqueue_mail(mail.organization_id, mail.id, least(next_at, greatest(mail.give_up_at, now() + interval '1 second')));
  return least(next_at, mail.give_up_at);
end
$$;

comment on function app_private.mail_was_deferred(uuid, integer, text) is
  'The mail server did not take it for now, or was not there: it is tried again, ever more slowly, for a day, and then given up. Returns when it is tried again.';

create or replace function app_private.mail_was_kept(mail_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
begin
  update app_public.mail_messages as kept
  set state = 'kept'
  where kept.organization_id = app_hidden.current_organization_id() and kept.id = mail_was_kept.mail_id
    and kept.state = 'waiting' and kept.send_at <= now() and (kept.claimed_until is null or kept.claimed_until <= now())
  returning * into mail;
  if not found then
    return false;
  end if;
  perform app_private.note_mail(mail, 'kept');
  return true;
end
$$;

comment on function app_private.mail_was_kept(uuid) is 'There is no mail server: it is kept, to be read, and to be sent when there is one. Says whether it was this one''s turn.';

create or replace function app_private.record_bounce(message_ids text[], kind text, detail text) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  noted integer := 0;
begin
  if record_bounce.kind not in ('bounced', 'complained') then
    raise exception using errcode = '22023', message = 'A mail bounced or was complained about';
  end if;
  for mail in
    select message.*
    from app_public.mail_messages as message
    join app_private.mails_of_message_ids(message_ids) as named on named.mail_id = message.id
    where message.organization_id = app_hidden.current_organization_id() and message.state in ('sent', 'waiting')
    for update of message
  loop
    update app_public.mail_messages as returned
    set state = record_bounce.kind::app_public.mail_state, sent_at = coalesce(returned.sent_at, now()), claimed_until = null, last_error = left(detail, 2000)
    where returned.organization_id = mail.organization_id and returned.id = mail.id;
    perform app_private.note_mail(mail, record_bounce.kind::app_public.mail_outcome, null, detail);
    perform app_private.tell_of_failed_mail(mail, record_bounce.kind, detail);
    noted := noted + 1;
  end loop;
  return noted;
end
$$;

comment on function app_private.record_bounce(text[], text, text) is
  'Mails of ours, by any of the Message-IDs that a report names, came back (`bounced`) or were called spam (`complained`). Returns how many there were of which that was not known.';

create or replace function app_private.sweep_mail() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  found_again integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Mails are swept for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  select count(*) into found_again
  from (
    select app_private.enqueue_mail(late.organization_id, late.id)
    from (
      select *
      from app_public.mail_messages as mail
      where mail.organization_id = app_hidden.current_organization_id() and mail.state = 'waiting'
        and mail.send_at < now() - interval '1 minute' and (mail.claimed_until is null or mail.claimed_until <= now())
        and not exists (
          select from graphile_worker.jobs as job
          where job.key = 'send_mail:' || mail.id and job.locked_at is null and job.attempts < job.max_attempts
        )
      order by mail.send_at
      limit 1000
    ) as late
  ) as queued;
  return found_again;
end
$$;

comment on function app_private.sweep_mail() is
  'Gives mails of the current organization a job whose own one was lost with a worker, and returns how many there were. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.mail_files(app_public.mail_messages), app_private.mail_gaps(app_public.mail_messages, text),
  app_private.mail_reply_address(app_public.mail_messages), app_private.mail_headers(app_public.mail_messages),
  app_private.mail_to_send(uuid, text, text), app_private.note_mail(app_public.mail_messages, app_public.mail_outcome, integer, text),
  app_private.tell_of_failed_mail(app_public.mail_messages, text, text), app_private.claimed_mail(uuid),
  app_private.mail_was_sent(uuid, integer, text), app_private.mail_was_refused(uuid, integer, text),
  app_private.mail_was_deferred(uuid, integer, text), app_private.mail_was_kept(uuid), app_private.record_bounce(text[], text, text),
  app_private.sweep_mail()
from public;

grant execute on function
  app_private.mail_to_send(uuid, text, text), app_private.mail_was_sent(uuid, integer, text),
  app_private.mail_was_refused(uuid, integer, text), app_private.mail_was_deferred(uuid, integer, text),
  app_private.mail_was_kept(uuid), app_private.record_bounce(text[], text, text), app_private.sweep_mail()
to atum_worker;

--! split: 1079-functions-79-mail-outbox.sql
-- What admins do with mails that were written.

create or replace function app_private.mail_to_decide(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
begin
  select * into mail
  from app_public.mail_messages as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = mail_to_decide.mail_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such mail';
  end if;
  return mail;
end
$$;

comment on function app_private.mail_to_decide(uuid) is 'A mail of the caller''s organization, locked. Error NOT_FOUND.';

create or replace function app_private.send_again(mail app_public.mail_messages) returns app_public.mail_messages
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.mail_messages as again
  set state = 'waiting', sent_at = null, send_at = now(), give_up_at = now() + interval '1 day'
  where again.organization_id = mail.organization_id and again.id = mail.id
  returning * into mail;
  perform app_private.note_mail(mail, 'asked_again');
  perform app_private.enqueue_mail(mail.organization_id, mail.id);
  return mail;
end
$$;

comment on function app_private.send_again(app_public.mail_messages) is 'Has a mail sent now, and tried for another day.';

create or replace function app_public.outbox(state app_public.mail_state default null, recipient text default null)
  returns setof app_public.mail_messages
  language sql stable security definer
  set search_path = ''
as $$
  select mail.*
  from app_public.mail_messages as mail
  where mail.organization_id = app_hidden.current_organization_id()
    and (outbox.state is null or mail.state = outbox.state)
    and (
      nullif(btrim(outbox.recipient), '') is null
      or lower(coalesce(mail.to_name, '') || ' ' || mail.to_address)
        like '%' || replace(replace(replace(
          lower(btrim(left(outbox.recipient, 200))), chr(92), chr(92) || chr(92)), '%', chr(92) || '%'), '_', chr(92) || '_'
        ) || '%'
    )
  order by mail.created_at desc, mail.id desc
$$;

comment on function app_public.outbox(app_public.mail_state, text) is
  'The mails that were written, newest first: those in one state, and those to people in whose name or address `recipient` occurs, where given. Admins only.';

create or replace function app_public.retry_mail(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.mail_to_decide(mail_id);
begin
  if mail.state = 'sent' or mail.claimed_until > now() then
    raise exception using errcode = 'AD250', message = 'This mail was sent already, or is being sent now';
  end if;
  return app_private.send_again(mail);
end
$$;

comment on function app_public.retry_mail(uuid) is
  'Has a mail that was kept, given up, cancelled or came back, or that waits for its next attempt, sent now, and tried for another day. Returns it. Admins only. Errors: NOT_FOUND, MAIL_SENT_ALREADY.';

create or replace function app_public.send_kept_mails(written_after timestamptz default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  sent integer := 0;
begin
  for mail in
    select *
    from app_public.mail_messages as kept
    where kept.organization_id = app_hidden.current_organization_id() and kept.state = 'kept'
      and (written_after is null or kept.created_at > written_after)
    order by kept.created_at, kept.id
    limit 1000
    for update
  loop
    perform app_private.send_again(mail);
    sent := sent + 1;
  end loop;
  return sent;
end
$$;

comment on function app_public.send_kept_mails(timestamptz) is
  'Has all mails sent that were kept because there was no mail server, or those written after an instant, up to 1,000 at a time, and returns how many. Admins only.';

create or replace function app_public.cancel_mail(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages := app_private.mail_to_decide(mail_id);
begin
  if mail.state not in ('waiting', 'kept') or mail.claimed_until > now() then
    raise exception using errcode = 'AD251', message = 'This mail does not wait, or is being sent now';
  end if;
  update app_public.mail_messages as cancelled
  set state = 'cancelled'
  where cancelled.organization_id = mail.organization_id and cancelled.id = mail.id
  returning * into mail;
  perform app_private.note_mail(mail, 'cancelled');
  return mail;
end
$$;

comment on function app_public.cancel_mail(uuid) is
  'Keeps a mail that waits from being sent, and returns it. Admins only. Errors: NOT_FOUND, MAIL_NOT_WAITING.';

create or replace function app_public.send_test_mail(to_address text) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  reader app_public.users;
  written_id uuid;
  mail app_public.mail_messages;
begin
  select * into reader
  from app_public.users as caller
  where caller.organization_id = app_hidden.current_organization_id() and caller.id = app_hidden.current_user_id();
  if not found then
    raise exception using errcode = 'AD001', message = 'Log in to send a test';
  end if;
  -- To an address, and not to a person: whose it is says nothing of what they may read.
  reader.email := app_private.mail_address(to_address);
  written_id := app_private.write_mail('test', 'test:' || app_hidden.uuid_v7(), reader);
  select * into mail
  from app_public.mail_messages as written
  where written.organization_id = reader.organization_id and written.id = written_id;
  if not found then
    raise exception using errcode = '22023', message = 'This is no mail address';
  end if;
  return mail;
end
$$;

comment on function app_public.send_test_mail(text) is
  'Sends a mail to an address that shows how the mails of the organization look, and returns it; what becomes of it is seen in the outbox. Admins only. Error INVALID_INPUT for what is no address.';

revoke all on function
  app_private.mail_to_decide(uuid), app_private.send_again(app_public.mail_messages), app_public.outbox(app_public.mail_state, text),
  app_public.retry_mail(uuid), app_public.send_kept_mails(timestamptz), app_public.cancel_mail(uuid), app_public.send_test_mail(text)
from public;

grant execute on function
  app_public.outbox(app_public.mail_state, text), app_public.retry_mail(uuid), app_public.send_kept_mails(timestamptz),
  app_public.cancel_mail(uuid), app_public.send_test_mail(text)
to atum_admin;

--! split: 1080-functions-80-audit.sql
-- The canonical text of a record. docs/SECURITY.md repeats it byte for byte for those who verify an export.

create or replace function app_hidden.platform_scope() returns uuid
  language sql immutable parallel safe
  return '00000000-0000-0000-0000-000000000000'::uuid;

comment on function app_hidden.platform_scope() is 'The chain of what belongs to no organization, such as a login with an unknown address.';

create or replace function app_hidden.audit_field(name text, value text) returns text
  language sql immutable parallel safe
  return name || ':' || coalesce(octet_length(convert_to(value, 'UTF8'))::text || ':' || value, '-') || E'\n';

comment on function app_hidden.audit_field(text, text) is 'One line of the canonical text: `name:bytes:value`, or `name:-` for null.';

create or replace function app_hidden.audit_canonical_text(record app_public.audit_log) returns text
  language sql stable parallel safe
  return
    'atum-audit-v1' || E'\n'
    || app_hidden.audit_field('chain_scope', record.chain_scope)
    || app_hidden.audit_field('seq', record.seq::text)
    || app_hidden.audit_field('id', record.id::text)
    || app_hidden.audit_field('recorded_at', to_char(record.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || app_hidden.audit_field('actor_id', record.actor_id::text)
    || app_hidden.audit_field('actor_role', record.actor_role)
    || app_hidden.audit_field('ip_address', host(record.ip_address))
    || app_hidden.audit_field('request_id', record.request_id)
    || app_hidden.audit_field('operation', record.operation)
    || app_hidden.audit_field('table_name', record.table_name)
    || app_hidden.audit_field('row_id', record.row_id::text)
    || app_hidden.audit_field('before', record.before::text)
    || app_hidden.audit_field('after', record.after::text)
    || app_hidden.audit_field('prev_hash', record.prev_hash);

comment on function app_hidden.audit_canonical_text(app_public.audit_log) is 'The text over which the hash of a record is made.';

create or replace function app_hidden.audit_row_hash(record app_public.audit_log) returns text
  language sql stable parallel safe
  return encode(sha256(convert_to(app_hidden.audit_canonical_text(record), 'UTF8')), 'hex');

comment on function app_hidden.audit_row_hash(app_public.audit_log) is 'The sha256 of the canonical text, in hexadecimal.';

-- The head of a chain is one row, locked by the first link of a transaction. It is written with that link and once more
-- at the end: writing it with every link would leave as many dead versions of it, and a transaction of ten thousand
-- changes would walk past all of them each time (minutes instead of seconds). In between the last link is read from the
-- log, where it is ours because the head is locked. A setting says from where to look; whoever speaks SQL can write one,
-- so it only spares a look at the links before it: the last one from there on is the last, and where there is none it is
-- looked for in the whole log.
create or replace function app_private.last_audit_link(organization_id uuid) returns app_private.audit_heads
  language plpgsql stable
  set search_path = ''
  -- A plan that was made while the log was young would read all of it, again for each link of a long transaction.
  set enable_seqscan = off
  set enable_sort = off
as $$
declare
  hint constant bigint :=
    coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb -> last_audit_link.organization_id::text;
  last app_private.audit_heads;
begin
  select link.organization_id, link.seq, link.row_hash into last
  from app_public.audit_log as link
  where link.organization_id = last_audit_link.organization_id and link.seq >= hint
  order by link.seq desc
  limit 1;
  if not found then
    select link.organization_id, link.seq, link.row_hash into last
    from app_public.audit_log as link
    where link.organization_id = last_audit_link.organization_id
    order by link.seq desc
    limit 1;
  end if;
  return last;
end
$$;

comment on function app_private.last_audit_link(uuid) is 'The last link of a chain whose head is locked by this transaction.';

create or replace function app_private.append_audit(
  organization_id uuid,
  operation text,
  table_name text,
  row_id uuid,
  before jsonb,
  after jsonb,
  actor_id uuid default app_hidden.current_user_id()
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  head app_private.audit_heads;
  is_ours boolean;
  link app_public.audit_log;
begin
  loop
    select * into head
    from app_private.audit_heads as stored
    where stored.organization_id = append_audit.organization_id
    for update;
    exit when found;
    insert into app_private.audit_heads (organization_id, seq, row_hash)
    values (append_audit.organization_id, 0, repeat('0', 64))
    on conflict do nothing;
  end loop;

  is_ours := head.changed_by is not distinct from pg_current_xact_id();
  if is_ours then
    head := app_private.last_audit_link(append_audit.organization_id);
  end if;

  link.organization_id := append_audit.organization_id;
  link.id := app_hidden.uuid_v7();
  link.chain_scope := append_audit.organization_id::text;
  link.seq := head.seq + 1;
  link.recorded_at := clock_timestamp();
  link.actor_role := app_hidden.acting_role();
  -- The server says for whom it acts and from where; whoever logs in to Postgres acts for themselves.
  if session_user in ('atum_operator', 'atum_worker') then
    link.ip_address := inet_client_addr();
  else
    link.actor_id := append_audit.actor_id;
    link.ip_address := app_hidden.current_address();
  end if;
  link.request_id := nullif(current_setting('atum.request_id', true), '');
  link.operation := append_audit.operation;
  link.table_name := append_audit.table_name;
  link.row_id := append_audit.row_id;
  link.before := append_audit.before;
  link.after := append_audit.after;
  link.prev_hash := head.row_hash;
  link.row_hash := app_hidden.audit_row_hash(link);

  insert into app_public.audit_log values (link.*);

  perform set_config(
    'atum.audit_heads',
    (
      coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb
      || jsonb_build_object(append_audit.organization_id, link.seq)
    )::text,
    true
  );

  if not is_ours then
    update app_private.audit_heads as stored
    set seq = link.seq, row_hash = link.row_hash, changed_by = pg_current_xact_id()
    where stored.organization_id = append_audit.organization_id;
  end if;
end
$$;

comment on function app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid) is 'Adds one link to the chain of an organization.';

create or replace function app_private.tg_audit_heads__store() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  last constant app_private.audit_heads := app_private.last_audit_link(NEW.organization_id);
begin
  -- The head's row is locked since the first link, so that the last one is ours. It is nobody's from here on, so that a
  -- link that comes after this one writes it, and stores it, again.
  update app_private.audit_heads as stored
  set seq = last.seq, row_hash = last.row_hash, changed_by = null
  where stored.organization_id = NEW.organization_id and stored.changed_by is not null;
  return null;
end
$$;

comment on function app_private.tg_audit_heads__store() is 'Stores the last head of a chain when all links of the transaction are made.';

drop trigger if exists _900_store on app_private.audit_heads;

create constraint trigger _900_store after update on app_private.audit_heads
  deferrable initially deferred for each row execute function app_private.tg_audit_heads__store();

-- Deferred to the end of the transaction, so that the head of the chain is the last lock a transaction takes: it is
-- held only while committing, and two writers that want each other's rows cannot deadlock over it.
create or replace function app_private.tg__audit() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  old_row constant jsonb := case when TG_OP = 'INSERT' then null else to_jsonb(OLD) end;
  new_row constant jsonb := case when TG_OP = 'DELETE' then null else to_jsonb(NEW) end;
  whole_row constant jsonb := coalesce(new_row, old_row);
  before jsonb := old_row;
  after jsonb := new_row;
  masked text;
begin
  if TG_OP = 'UPDATE' then
    select jsonb_object_agg(field.key, old_row -> field.key), jsonb_object_agg(field.key, field.value)
    into before, after
    from jsonb_each(new_row) as field
    where field.value is distinct from old_row -> field.key
      -- Moves each minute; a use from a new address is recorded as an act, and a scan by its verdict.
      and field.key not in ('last_used_at', 'last_used_ip', 'scan_at', 'scan_attempts', 'scanned_at', 'scanned_with');

    if after is null then
      return null;
    end if;
  end if;

  foreach masked in array coalesce(TG_ARGV, '{}') loop
    if before ? masked then
      before := before || jsonb_build_object(masked, '***');
    end if;
    if after ? masked then
      after := after || jsonb_build_object(masked, '***');
    end if;
  end loop;

  perform app_private.append_audit(
    coalesce(whole_row ->> 'organization_id', whole_row ->> 'id')::uuid,
    lower(TG_OP),
    TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
    coalesce(whole_row ->> 'id', whole_row ->> 'user_id', whole_row ->> 'provider_id', whole_row ->> 'token_id')::uuid,
    before,
    after
  );
  return null;
end
$$;

comment on function app_private.tg__audit() is 'Records a change of a tenant table. Its arguments name the columns whose values are masked.';

create or replace function app_private.tg_audit_log__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception using errcode = 'AD401', message = 'The audit log only grows';
end
$$;

comment on function app_private.tg_audit_log__refuse() is 'Refuses to change or remove what was recorded, also to the owner. Error AUDIT_APPEND_ONLY.';

create or replace trigger _200_refuse_change before update or delete on app_public.audit_log
  for each row execute function app_private.tg_audit_log__refuse();

create or replace trigger _200_refuse_truncate before truncate on app_public.audit_log
  for each statement execute function app_private.tg_audit_log__refuse();

-- Every tenant table is audited, except those that unaudited_tables names.
do $$
declare
  audited record;
begin
  for audited in
    select
      tenant.table_name,
      case tenant.table_name
        when 'app_private.user_secrets' then $masked$'password_hash'$masked$
        when 'app_private.sessions' then $masked$'family', 'refresh_token_hash', 'previous_refresh_token_hash', 'id_token'$masked$
        when 'app_private.authenticators' then $masked$'sealed'$masked$
        when 'app_private.identity_provider_secrets' then $masked$'sealed'$masked$
        when 'app_private.mailbox_secrets' then $masked$'sealed'$masked$
        when 'app_private.webhook_secrets' then $masked$'sealed'$masked$
        when 'app_private.recovery_codes' then $masked$'code_hash'$masked$
        when 'app_private.account_mails' then $masked$'token_hash'$masked$
        when 'app_private.mail_reply_tokens' then $masked$'token_hash'$masked$
        when 'app_private.csat_tokens' then $masked$'token_hash'$masked$
        when 'app_private.api_token_secrets' then $masked$'token_hash'$masked$
        when 'app_private.file_tokens' then $masked$'token_hash'$masked$
        -- It may yet be taken back; the comment it becomes is recorded with every word.
        when 'app_public.outgoing_replies' then $masked$'body'$masked$
        -- As much as a mail holds; its words are recorded with the comment.
        when 'app_public.comment_originals' then $masked$'html', 'quoted_text'$masked$
        -- Twice what the comment says, which is recorded.
        when 'app_public.mail_messages' then $masked$'text_body', 'html_body'$masked$
        else ''
      end as masked
    from app_private.tenant_tables() as tenant
    where tenant.table_name not in (select app_private.unaudited_tables())
  loop
    execute format('drop trigger if exists _900_audit on %s', audited.table_name);
    execute format(
      'create constraint trigger _900_audit after insert or update or delete on %s'
      ' deferrable initially deferred for each row execute function app_private.tg__audit(%s)',
      audited.table_name, audited.masked
    );
  end loop;
end
$$;

create or replace function app_private.verify_audit_chain_of(organization_id uuid)
  returns table (chain_scope text, checked bigint, verified boolean, broken_seq bigint, broken_id uuid, reason text)
  language sql stable security definer
  set search_path = ''
as $$
  with links as (
    select
      link.seq, link.id, link.prev_hash, link.row_hash,
      row_number() over in_order as expected_seq,
      lag(link.row_hash, 1, repeat('0', 64)) over in_order as expected_prev_hash,
      app_hidden.audit_row_hash(link) as expected_row_hash
    from app_public.audit_log as link
    where link.organization_id = verify_audit_chain_of.organization_id
    window in_order as (order by link.seq)
  ),
  faults as (
    select
      seq, id,
      case
        when seq <> expected_seq then format('record %s is missing', expected_seq)
        when row_hash <> expected_row_hash then 'its content does not match its hash'
        else 'it does not follow the record before it'
      end as reason
    from links
    where seq <> expected_seq or row_hash <> expected_row_hash or prev_hash <> expected_prev_hash
    order by seq
    limit 1
  ),
  tail as (
    select count(*) as checked, max(seq) as seq, (array_agg(row_hash order by seq desc))[1] as row_hash from links
  ),
  head as (
    select heads.seq, heads.row_hash
    from app_private.audit_heads as heads
    where heads.organization_id = verify_audit_chain_of.organization_id
  ),
  verdict as (
    select seq, id, reason from faults
    union all
    select
      case
        when coalesce(tail.seq, 0) < coalesce(head.seq, 0) then coalesce(tail.seq, 0) + 1
        when coalesce(tail.seq, 0) > coalesce(head.seq, 0) then coalesce(head.seq, 0) + 1
        else tail.seq
      end,
      null,
      case when coalesce(tail.seq, 0) < head.seq then format('the last %s records are missing', head.seq - coalesce(tail.seq, 0))
        else 'the end of the chain is not where its head says' end
    from tail
    left join head on true
    where not exists (select from faults)
      and (coalesce(tail.seq, 0), coalesce(tail.row_hash, repeat('0', 64)))
        is distinct from (coalesce(head.seq, 0), coalesce(head.row_hash, repeat('0', 64)))
  )
  select
    verify_audit_chain_of.organization_id::text, tail.checked, verdict.reason is null, verdict.seq, verdict.id, verdict.reason
  from tail
  left join verdict on true
$$;

comment on function app_private.verify_audit_chain_of(uuid) is 'Follows one chain from its first record to its head and names the first that is wrong.';

create or replace function app_private.audit_scopes() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select organization_id from app_private.audit_heads
  union
  select id from app_public.organizations
  union
  -- A scope whose head was removed still has its records. Found by skipping from one organization to the next.
  select organization_id from (
    with recursive scopes (organization_id) as (
      (select organization_id from app_public.audit_log order by organization_id limit 1)
      union all
      select (
        select next.organization_id from app_public.audit_log as next
        where next.organization_id > scopes.organization_id order by next.organization_id limit 1
      )
      from scopes
      where scopes.organization_id is not null
    )
    select organization_id from scopes where organization_id is not null
  ) as recorded
  order by 1
$$;

comment on function app_private.audit_scopes() is 'Every chain there is.';

create or replace function app_public.verify_audit_chain(
  out checked bigint, out verified boolean, out broken_seq bigint, out reason text
)
  language plpgsql stable security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to verify the audit log of your organization';
  end if;

  select result.checked, result.verified, result.broken_seq, result.reason
  into checked, verified, broken_seq, reason
  from app_private.verify_audit_chain_of(app_hidden.current_organization_id()) as result;
end
$$;

comment on function app_public.verify_audit_chain() is
  'Follows the audit chain of the organization: how many records were checked, whether all are as they were written, and the first that is not and why. Admins only. Error UNAUTHENTICATED without claims.';

revoke all on function
  app_hidden.platform_scope(), app_hidden.audit_field(text, text), app_hidden.audit_canonical_text(app_public.audit_log),
  app_hidden.audit_row_hash(app_public.audit_log),
  app_private.last_audit_link(uuid), app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid),
  app_private.tg_audit_heads__store(),
  app_private.tg__audit(),
  app_private.tg_audit_log__refuse(), app_private.verify_audit_chain_of(uuid), app_private.audit_scopes(),
  app_public.verify_audit_chain()
from public;

grant execute on function app_public.verify_audit_chain() to atum_admin;

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
  return forgotten;
end
$$;

comment on function app_private.forget_staged_uploads() is 'Forgets what was uploaded more than a day ago and is neither on a comment nor in a draft; returns how many. Done by a job.';

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

revoke all on function app_private.release_claims(text[]) from public;

--! split: 2030-policies-30-tickets.sql
select app_private.reset_access('app_public.tickets');

-- Customers see the tickets they requested, and those of their company where its people share them.
create policy select_requester on app_public.tickets for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      requester_id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

-- Staff see every ticket; an agent who is restricted sees those of the own teams, and the own ones.
create policy select_staff on app_public.tickets for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  );

-- NOTE: a restricted agent hands a ticket to another team only by keeping it assigned, because what is written must
-- be seen by whoever writes it.
create policy update_staff on app_public.tickets for update to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  )
  with check (organization_id = (select app_hidden.current_organization_id()));

-- What staff writes on a ticket for itself, and the clocks it is measured by, are no part of what customers read.
grant select (
  organization_id, id, number, reference, subject, status, state_id, priority, channel, service_id, team_id, assignee_id,
  requester_id, created_by_id, company_id, client_mutation_key, custom_fields, merged_into_id, version, last_comment_at,
  first_responded_at, resolved_at, closed_at, created_at, updated_at
) on app_public.tickets to atum_customer;
grant select on app_public.tickets to atum_agent;
grant update (
  subject, status, state_id, priority, service_id, team_id, assignee_id, requester_id, tags, custom_fields, internal_fields,
  snoozed_until, version
) on app_public.tickets to atum_agent;
-- NOTE: insert is granted to nobody; create_ticket opens tickets.
-- NOTE: delete is granted to nobody; a ticket is evidence.

select app_private.reset_access('app_public.ticket_events');

-- Customers see what happened in public to the tickets they see.
create policy select_requester on app_public.ticket_events for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
    )
  );

create policy select_staff on app_public.ticket_events for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
      )
    )
  );

-- NOTE: only triggers write events.
-- What acted when no person did is called by the name of a rule, which is none of the customers'.
grant select (organization_id, id, ticket_id, type, visibility, actor_id, comment_id, before, after, created_at)
  on app_public.ticket_events to atum_customer;
grant select on app_public.ticket_events to atum_agent;

select app_private.reset_access('app_public.ticket_watchers');

create policy select_staff on app_public.ticket_watchers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_watchers.organization_id and ticket.id = ticket_watchers.ticket_id
      )
    )
  );

grant select on app_public.ticket_watchers to atum_agent;

select app_private.reset_access('app_public.ticket_relationships');

create policy select_staff on app_public.ticket_relationships for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or (
        select count(*)
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_relationships.organization_id
          and ticket.id in (ticket_relationships.ticket_id, ticket_relationships.other_ticket_id)
      ) = 2
    )
  );

grant select on app_public.ticket_relationships to atum_agent;

select app_private.reset_access('app_public.ticket_merges');

create policy select_staff on app_public.ticket_merges for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or (
        select count(*)
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_merges.organization_id
          and ticket.id in (ticket_merges.source_ticket_id, ticket_merges.target_ticket_id)
      ) = 2
    )
  );

grant select on app_public.ticket_merges to atum_agent;

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

--! split: 2047-policies-47-drafts.sql
select app_private.reset_access('app_public.ticket_drafts');

-- What somebody has not said yet is nobody else's.
create policy select_author on app_public.ticket_drafts for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
  );

-- NOTE: save_draft and discard_draft write drafts.
grant select on app_public.ticket_drafts to atum_customer, atum_agent;

select app_private.reset_access('app_public.outgoing_replies');

create policy select_author on app_public.outgoing_replies for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
  );

-- Staff send in their own name, on the tickets they see.
create policy insert_author on app_public.outgoing_replies for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = outgoing_replies.organization_id and ticket.id = outgoing_replies.ticket_id
      )
    )
  );

grant select on app_public.outgoing_replies to atum_agent;
grant insert (
  organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key,
  attachment_ids
) on app_public.outgoing_replies to atum_agent;
-- NOTE: undo_send takes one back; nothing else of it is changed.

--! split: 2052-policies-52-csat.sql
select app_private.reset_access('app_public.csat_settings');

create policy select_staff on app_public.csat_settings for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.csat_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.csat_settings to atum_agent;
grant update (is_enabled, delay_minutes, sample_percent, expires_days, question, low_score)
  on app_public.csat_settings to atum_admin;

select app_private.reset_access('app_public.csat_surveys');

-- Requesters see what they were asked themselves; not that they will be, and not what their colleagues were.
create policy select_requester on app_public.csat_surveys for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
    and sent_at is not null
  );

create policy select_staff on app_public.csat_surveys for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = csat_surveys.organization_id and ticket.id = csat_surveys.ticket_id
      )
    )
  );

grant select (
  organization_id, id, ticket_id, requester_id, state, question, score, comment, planned_for, sent_at, expires_at, answered_at,
  answered_by, created_at
) on app_public.csat_surveys to atum_customer;
grant select on app_public.csat_surveys to atum_agent;
-- NOTE: planned, sent and answered by functions.

select app_private.reset_access('app_private.csat_tokens');
-- NOTE: only the functions of surveys read and write it.

--! split: 2060-policies-60-announcements.sql
select app_private.reset_access('app_private.announcement_queue');
-- NOTE: only the functions of announcements read and write it.

--! split: 2066-policies-66-file-links.sql
select app_private.reset_access('app_private.file_tokens');
-- NOTE: only the functions of links read and write them.

--! split: 2068-policies-68-mail-messages.sql
select app_private.reset_access('app_public.mail_messages');

create policy select_admin on app_public.mail_messages for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_messages to atum_admin;
-- NOTE: mails are written and sent by functions.

select app_private.reset_access('app_public.mail_attempts');

create policy select_admin on app_public.mail_attempts for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_attempts to atum_admin;

select app_private.reset_access('app_public.mail_settings');

create policy select_admin on app_public.mail_settings for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.mail_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_settings to atum_admin;
grant update (sender_name, brand_color, footer, acknowledges) on app_public.mail_settings to atum_admin;
-- NOTE: each organization has one from its beginning.

select app_private.reset_access('app_public.mail_templates');

create policy select_admin on app_public.mail_templates for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_templates to atum_admin;
-- NOTE: changed and given back by functions.

select app_private.reset_access('app_private.mail_reply_tokens');
-- NOTE: only the functions of mails read and write these.

--! split: 2071-policies-71-mailboxes.sql
select app_private.reset_access('app_public.mailboxes');

create policy select_admin on app_public.mailboxes for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mailboxes to atum_admin;
-- NOTE: saved and archived by functions.

select app_private.reset_access('app_public.mailbox_states');

create policy select_admin on app_public.mailbox_states for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mailbox_states to atum_admin;
-- NOTE: written by the functions of the worker.

select app_private.reset_access('app_private.mailbox_secrets');

--! split: 2072-policies-72-webhooks.sql
select app_private.reset_access('app_public.webhooks');
select app_private.reset_access('app_private.webhook_secrets');
select app_private.reset_access('app_public.webhook_deliveries');
select app_private.reset_access('app_public.webhook_attempts');

create policy select_admin on app_public.webhooks for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_admin on app_public.webhook_deliveries for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_admin on app_public.webhook_attempts for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: all of them are written by functions, and the secrets are read by one that only the worker may ask.
grant select on app_public.webhooks, app_public.webhook_deliveries, app_public.webhook_attempts to atum_admin;

--! split: 2073-policies-73-incoming-mails.sql
select app_private.reset_access('app_public.incoming_mails');

create policy select_admin on app_public.incoming_mails for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.incoming_mails to atum_admin;
-- NOTE: written by the functions of the worker.

select app_private.reset_access('app_public.comment_originals');

-- Whoever reads the comment reads what came with it.
create policy select_member on app_public.comment_originals for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.comments as comment
      where comment.organization_id = comment_originals.organization_id and comment.id = comment_originals.comment_id
    )
  );

grant select on app_public.comment_originals to atum_customer, atum_agent;
-- NOTE: written by the functions of the worker.

--! split: 2074-policies-74-notifications.sql
select app_private.reset_access('app_public.notifications');

-- What somebody was told is theirs alone.
create policy select_own on app_public.notifications for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
  );

grant select (
  organization_id, id, user_id, kind, reasons, event_id, ticket_id, facts, in_browser, read_at, created_at
) on app_public.notifications to atum_customer, atum_agent;
-- NOTE: notify_people writes them, and functions mark them as read.

select app_private.reset_access('app_private.notification_choices');
select app_private.reset_access('app_private.notification_settings');
-- NOTE: only the functions of notifications read and write these.
