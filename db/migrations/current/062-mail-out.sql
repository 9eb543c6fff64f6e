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
