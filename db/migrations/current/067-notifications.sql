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
