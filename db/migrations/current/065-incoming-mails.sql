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
