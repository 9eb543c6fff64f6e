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
