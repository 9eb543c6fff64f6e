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
