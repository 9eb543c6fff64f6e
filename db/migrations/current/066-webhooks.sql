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
