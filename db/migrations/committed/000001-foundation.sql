--! Previous: -
--! Hash: sha1:c02a516439bb857874e78a2d69705662746bd8ba
--! Message: foundation

--! split: 001-common.sql
-- Three schemas: what the API shows, what its functions and policies share, and what nobody outside may touch.

create schema app_public;
create schema app_hidden;
create schema app_private;

comment on schema app_public is 'What people and programs see: every table, function and column here is part of the GraphQL API.';
comment on schema app_hidden is 'Helpers that policies and functions share: same rights as app_public, not part of the API.';
comment on schema app_private is 'Secrets and machinery: reached only through security definer functions and by the worker.';

revoke all on schema app_public, app_hidden, app_private from public;
alter default privileges revoke execute on functions from public;

grant usage on schema app_public, app_hidden to atum_anonymous, atum_customer, atum_agent, atum_server, atum_worker;
grant usage on schema app_private to atum_server, atum_worker;

-- The one function of ours that tables depend on, so it lives in the log and not in a file one edits.
-- PostgreSQL 18 has its own; before it, the first 48 bits of a random UUID are replaced by the milliseconds.
do $$
begin
  if to_regprocedure('pg_catalog.uuidv7()') is not null then
    execute $function$
      create function app_hidden.uuid_v7() returns uuid
        language sql volatile parallel safe
        return pg_catalog.uuidv7();
    $function$;
  else
    execute $function$
      create function app_hidden.uuid_v7() returns uuid
        language sql volatile parallel safe
        return encode(
          set_bit(
            set_bit(
              overlay(
                uuid_send(gen_random_uuid())
                placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6
              ),
              52, 1
            ),
            53, 1
          ),
          'hex'
        )::uuid;
    $function$;
  end if;
end
$$;

comment on function app_hidden.uuid_v7() is
  'A new UUID of version 7 (RFC 9562): ordered by time of creation to the millisecond, so that indexes grow at their end.';

grant execute on function app_hidden.uuid_v7() to atum_customer, atum_agent, atum_server, atum_worker;

create table app_private.worker_heartbeats (
  worker_id text primary key check (length(worker_id) between 1 and 200),
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

comment on table app_private.worker_heartbeats is 'One row per worker process, touched every few seconds: how the health page knows that jobs run.';

--! split: 010-organizations.sql
create table app_public.organizations (
  id uuid primary key default app_hidden.uuid_v7(),
  slug text not null unique check (slug ~ '^[a-z0-9](-?[a-z0-9]){0,62}$'),
  name text not null check (name ~ '\S' and length(name) <= 120),
  time_zone text not null default 'Etc/UTC' check (length(time_zone) between 1 and 64),
  locale text not null default 'en' check (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  ticket_prefix text not null default 'ATUM' check (ticket_prefix ~ '^[A-Z][A-Z0-9]{0,9}$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

comment on table app_public.organizations is 'A tenant: a company or department with its own people, tickets and rules. It never sees another one.';
comment on column app_public.organizations.id is 'The identifier that every row of this organization carries.';
comment on column app_public.organizations.slug is 'The short name in addresses, for example `acme` in `/o/acme`: lower-case letters, digits and single hyphens.';
comment on column app_public.organizations.name is 'The name people read, up to 120 characters.';
comment on column app_public.organizations.time_zone is 'IANA name of the time zone in which the organization lives, for example `Europe/Berlin`.';
comment on column app_public.organizations.locale is 'BCP 47 tag of the language mails and pages start with, for example `en` or `de-CH`.';
comment on column app_public.organizations.ticket_prefix is 'What stands before a ticket''s number: `ATUM` makes `ATUM-1042`. Tickets keep the one they were born with.';
comment on column app_public.organizations.created_at is 'When the organization was made.';
comment on column app_public.organizations.updated_at is 'When this row last changed.';

create table app_private.ticket_counters (
  organization_id uuid primary key references app_public.organizations on delete cascade,
  last_number integer not null default 1000
);

comment on table app_private.ticket_counters is 'The last ticket number of each organization. One row each, so that two organizations never wait for each other.';

create table app_public.teams (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);

comment on table app_public.teams is 'A group of agents that tickets are handed to.';
comment on column app_public.teams.organization_id is 'The organization it belongs to.';
comment on column app_public.teams.id is 'The identifier of the team.';
comment on column app_public.teams.name is 'The name agents read, unique in the organization, up to 80 characters.';
comment on column app_public.teams.created_at is 'When the team was made.';
comment on column app_public.teams.updated_at is 'When this row last changed.';

create table app_public.services (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  description text check (length(description) <= 500),
  team_id uuid,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, team_id) references app_public.teams on delete set null (team_id)
);

create index services_organization_id_team_id_idx on app_public.services (organization_id, team_id);

comment on table app_public.services is 'Something the organization offers help with, for example `VPN and remote access`. A ticket is about one of them.';
comment on column app_public.services.organization_id is 'The organization it belongs to.';
comment on column app_public.services.id is 'The identifier of the service.';
comment on column app_public.services.name is 'The name customers choose from, unique in the organization, up to 80 characters.';
comment on column app_public.services.description is 'One or two sentences that tell a customer when to choose it, up to 500 characters.';
comment on column app_public.services.team_id is 'The team that a new ticket about this service goes to.';
comment on column app_public.services.archived_at is 'When it stopped being offered. Old tickets keep it, new ones cannot choose it.';
comment on column app_public.services.created_at is 'When the service was made.';
comment on column app_public.services.updated_at is 'When this row last changed.';

--! split: 020-identity.sql
create type app_public.user_role as enum ('customer', 'agent', 'manager', 'admin');
comment on type app_public.user_role is 'What a person may do: `customer` opens and follows tickets, `agent` works them, `manager` also sees reports and service levels, `admin` also sets the rules and reads the audit log.';

create table app_public.users (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  email citext not null check (email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  name text not null check (name ~ '\S' and length(name) <= 120),
  role app_public.user_role not null default 'customer',
  locale text check (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  time_zone text check (length(time_zone) between 1 and 64),
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, email)
);

create index users_email_idx on app_public.users (email);
create index users_organization_id_role_name_idx on app_public.users (organization_id, role, name);
create index users_organization_id_name_idx on app_public.users (organization_id, name);

comment on table app_public.users is 'A person of one organization. The same mail address may belong to people of several organizations.';
comment on column app_public.users.organization_id is 'The organization the person belongs to.';
comment on column app_public.users.id is 'The identifier of the person.';
comment on column app_public.users.email is 'The mail address, unique in the organization without regard to case. Customers may not read it.';
comment on column app_public.users.name is 'The name others read, up to 120 characters.';
comment on column app_public.users.role is 'What the person may do.';
comment on column app_public.users.locale is 'BCP 47 tag of the person''s language; empty means the organization''s.';
comment on column app_public.users.time_zone is 'IANA name of the person''s time zone; empty means the organization''s.';
comment on column app_public.users.disabled_at is 'When the account was shut. The person can no longer log in; what they wrote stays.';
comment on column app_public.users.created_at is 'When the account was made.';
comment on column app_public.users.updated_at is 'When this row last changed.';

create table app_private.user_secrets (
  organization_id uuid not null,
  user_id uuid not null,
  password_hash text not null,
  is_demo boolean not null default false,
  updated_at timestamptz not null default now(),
  primary key (organization_id, user_id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.user_secrets is 'What proves who a person is: the bcrypt hash of the password. A demo password works only from the machine itself and never in production.';

create table app_private.sessions (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  family bytea not null check (octet_length(family) = 16),
  refresh_token_hash bytea not null check (octet_length(refresh_token_hash) = 32),
  previous_refresh_token_hash bytea check (octet_length(previous_refresh_token_hash) = 32),
  refreshed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  ip_address inet,
  user_agent text check (length(user_agent) <= 400),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index sessions_organization_id_user_id_idx on app_private.sessions (organization_id, user_id);
create index sessions_family_idx on app_private.sessions (family);

comment on table app_private.sessions is 'A login on one device. Its refresh tokens begin with the family, 16 random bytes, and end with a secret of which only the sha256 is kept: of the current one and of the one before. Whoever shows any other token of the family ends the session.';

create table app_public.team_members (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  team_id uuid not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, team_id, user_id),
  foreign key (organization_id, team_id) references app_public.teams on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index team_members_organization_id_user_id_idx on app_public.team_members (organization_id, user_id);

comment on table app_public.team_members is 'Who works in which team.';
comment on column app_public.team_members.organization_id is 'The organization both belong to.';
comment on column app_public.team_members.id is 'The identifier of the membership.';
comment on column app_public.team_members.team_id is 'The team.';
comment on column app_public.team_members.user_id is 'The person.';
comment on column app_public.team_members.created_at is 'Since when.';

--! split: 030-tickets.sql
create type app_public.ticket_status as enum ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed');
comment on type app_public.ticket_status is 'Where a ticket stands: `new` nobody has answered, `open` the organization works on it, `pending` it waits for the requester, `on_hold` it waits for someone else, `resolved` it is answered and may come back, `closed` it is done for good.';

create type app_public.ticket_priority as enum ('low', 'normal', 'high', 'urgent');
comment on type app_public.ticket_priority is 'How much it matters, from `low` to `urgent`. It chooses the service level targets.';

create type app_public.ticket_channel as enum ('portal', 'desk', 'mail', 'api');
comment on type app_public.ticket_channel is 'The way a ticket came in.';

create type app_public.comment_visibility as enum ('public', 'internal');
comment on type app_public.comment_visibility is 'Who may read: `public` the requester too, `internal` staff only.';

create type app_public.ticket_event_type as enum (
  'ticket_created', 'comment_added', 'subject_changed', 'status_changed', 'priority_changed', 'assignee_changed',
  'team_changed', 'service_changed', 'sla_met', 'sla_breached'
);
comment on type app_public.ticket_event_type is 'What happened to a ticket.';

create table app_public.tickets (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  number integer not null,
  reference text not null,
  subject text not null check (subject ~ '\S' and length(subject) <= 200),
  status app_public.ticket_status not null default 'new',
  priority app_public.ticket_priority not null default 'normal',
  channel app_public.ticket_channel not null default 'portal',
  service_id uuid,
  team_id uuid,
  assignee_id uuid,
  requester_id uuid not null,
  created_by_id uuid,
  client_mutation_key text check (length(client_mutation_key) between 8 and 64),
  last_comment_at timestamptz not null default now(),
  first_responded_at timestamptz,
  resolved_at timestamptz,
  closed_at timestamptz,
  next_due_at timestamptz,
  breached boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, number),
  foreign key (organization_id, service_id) references app_public.services on delete set null (service_id),
  foreign key (organization_id, team_id) references app_public.teams on delete set null (team_id),
  foreign key (organization_id, assignee_id) references app_public.users on delete set null (assignee_id),
  foreign key (organization_id, requester_id) references app_public.users on delete restrict,
  foreign key (organization_id, created_by_id) references app_public.users on delete set null (created_by_id)
);

create unique index tickets_client_mutation_key_key on app_public.tickets (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null;
create index tickets_organization_id_updated_at_idx on app_public.tickets (organization_id, updated_at, id);
create index tickets_organization_id_created_at_idx on app_public.tickets (organization_id, created_at, id);
create index tickets_organization_id_status_updated_at_idx on app_public.tickets (organization_id, status, updated_at, id);
create index tickets_organization_id_priority_updated_at_idx on app_public.tickets (organization_id, priority, updated_at, id);
create index tickets_organization_id_assignee_id_updated_at_idx on app_public.tickets (organization_id, assignee_id, updated_at, id);
create index tickets_organization_id_requester_id_updated_at_idx on app_public.tickets (organization_id, requester_id, updated_at, id);
create index tickets_organization_id_team_id_updated_at_idx on app_public.tickets (organization_id, team_id, updated_at, id);
create index tickets_organization_id_service_id_updated_at_idx on app_public.tickets (organization_id, service_id, updated_at, id);
create index tickets_organization_id_created_by_id_idx on app_public.tickets (organization_id, created_by_id);
create index tickets_organization_id_next_due_at_idx on app_public.tickets (organization_id, next_due_at, id);
create index tickets_organization_id_breached_updated_at_idx on app_public.tickets (organization_id, breached, updated_at, id);

comment on table app_public.tickets is 'A request for help. Its conversation is in its comments, its history in its ticketEvents, its clocks in its slaCalculations.';
comment on column app_public.tickets.organization_id is 'The organization that answers it.';
comment on column app_public.tickets.id is 'The identifier of the ticket.';
comment on column app_public.tickets.number is 'Counts up from 1001 in each organization.';
comment on column app_public.tickets.reference is 'How people name it: the organization''s prefix and the number, for example `ATUM-1042`.';
comment on column app_public.tickets.subject is 'What it is about, 1 to 200 characters. Error INVALID_INPUT otherwise.';
comment on column app_public.tickets.status is 'Where it stands.';
comment on column app_public.tickets.priority is 'How much it matters.';
comment on column app_public.tickets.channel is 'The way it came in.';
comment on column app_public.tickets.service_id is 'The service it is about.';
comment on column app_public.tickets.team_id is 'The team that has it; a new ticket goes to the team of its service.';
comment on column app_public.tickets.assignee_id is 'The member of staff who works on it.';
comment on column app_public.tickets.requester_id is 'The person who needs help.';
comment on column app_public.tickets.created_by_id is 'Who wrote it down: the requester, or staff on their behalf.';
comment on column app_public.tickets.client_mutation_key is 'The key the client made; the same person using it twice gets the same ticket.';
comment on column app_public.tickets.last_comment_at is 'When the last public comment was written.';
comment on column app_public.tickets.first_responded_at is 'When staff first answered in public.';
comment on column app_public.tickets.resolved_at is 'When it was last resolved; empty while it is being worked on.';
comment on column app_public.tickets.closed_at is 'When it was closed.';
comment on column app_public.tickets.next_due_at is 'The earliest instant at which a running clock breaches; empty when none runs.';
comment on column app_public.tickets.breached is 'Whether a target was missed.';
comment on column app_public.tickets.created_at is 'When it was opened.';
comment on column app_public.tickets.updated_at is 'When anything about it last changed, comments included.';

create table app_public.comments (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  author_id uuid,
  visibility app_public.comment_visibility not null default 'public',
  body text not null check (body ~ '\S' and octet_length(body) <= 65536),
  client_mutation_key text check (length(client_mutation_key) between 8 and 64),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, author_id) references app_public.users on delete set null (author_id)
);

create unique index comments_client_mutation_key_key on app_public.comments (organization_id, author_id, client_mutation_key) where client_mutation_key is not null;
create index comments_organization_id_ticket_id_created_at_idx on app_public.comments (organization_id, ticket_id, created_at, id);
create index comments_organization_id_author_id_idx on app_public.comments (organization_id, author_id);

comment on table app_public.comments is 'Something said on a ticket. The first one is the requester''s description. Comments are never edited.';
comment on column app_public.comments.organization_id is 'The organization of the ticket.';
comment on column app_public.comments.id is 'The identifier of the comment.';
comment on column app_public.comments.ticket_id is 'The ticket it was said on.';
comment on column app_public.comments.author_id is 'Who said it.';
comment on column app_public.comments.visibility is 'Who may read it.';
comment on column app_public.comments.body is 'Plain text, not empty, up to 65,536 bytes of UTF-8. Error INVALID_INPUT otherwise.';
comment on column app_public.comments.client_mutation_key is 'The key the client made; the same person using it twice gets the same comment.';
comment on column app_public.comments.created_at is 'When it was said.';

create table app_public.ticket_events (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  type app_public.ticket_event_type not null,
  visibility app_public.comment_visibility not null,
  actor_id uuid,
  comment_id uuid,
  before jsonb,
  after jsonb,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, actor_id) references app_public.users on delete set null (actor_id),
  foreign key (organization_id, comment_id) references app_public.comments on delete cascade,
  check ((type = 'comment_added') = (comment_id is not null))
);

create index ticket_events_organization_id_ticket_id_created_at_idx on app_public.ticket_events (organization_id, ticket_id, created_at, id);
create index ticket_events_organization_id_actor_id_idx on app_public.ticket_events (organization_id, actor_id);
create index ticket_events_organization_id_comment_id_idx on app_public.ticket_events (organization_id, comment_id) where comment_id is not null;

comment on table app_public.ticket_events is 'The history of tickets: one typed row for each thing that happened. Timeline, subscriptions and service levels read it. Written by triggers only, never changed.';
comment on column app_public.ticket_events.organization_id is 'The organization of the ticket.';
comment on column app_public.ticket_events.id is 'The identifier of the event.';
comment on column app_public.ticket_events.ticket_id is 'The ticket it happened to.';
comment on column app_public.ticket_events.type is 'What happened.';
comment on column app_public.ticket_events.visibility is 'Whether the requester may see it.';
comment on column app_public.ticket_events.actor_id is 'Who did it; empty means the system did.';
comment on column app_public.ticket_events.comment_id is 'The comment that was added, for `comment_added`.';
comment on column app_public.ticket_events.before is 'The changed fields as they were, for example `{"status": "open"}`.';
comment on column app_public.ticket_events.after is 'The changed fields as they became; for `sla_met` and `sla_breached` also `kind` and `due_at`.';
comment on column app_public.ticket_events.created_at is 'When it happened.';

--! split: 040-sla.sql
create type app_public.sla_target_kind as enum ('first_response', 'resolution');
comment on type app_public.sla_target_kind is 'What is promised: `first_response` the first public answer of staff, `resolution` the end of the ticket.';

create table app_public.sla_calendars (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  time_zone text not null check (length(time_zone) between 1 and 64),
  hours jsonb not null check (hours = '"always_open"' or jsonb_typeof(hours) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);

comment on table app_public.sla_calendars is 'When the organization is at work: service level clocks run only then.';
comment on column app_public.sla_calendars.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_calendars.id is 'The identifier of the calendar.';
comment on column app_public.sla_calendars.name is 'The name managers read, unique in the organization.';
comment on column app_public.sla_calendars.time_zone is 'IANA name of the time zone its hours are local to.';
comment on column app_public.sla_calendars.hours is 'Working hours by weekday, several a day, `24:00` is the end of the day: `{"mon": [["09:00", "12:00"], ["13:00", "17:30"]], …}`, or `"always_open"`. Errors: SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';
comment on column app_public.sla_calendars.created_at is 'When it was made.';
comment on column app_public.sla_calendars.updated_at is 'When this row last changed.';

create table app_public.sla_holidays (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  calendar_id uuid not null,
  name text not null check (name ~ '\S' and length(name) <= 80),
  held_on date not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, calendar_id, held_on),
  foreign key (organization_id, calendar_id) references app_public.sla_calendars on delete cascade
);

comment on table app_public.sla_holidays is 'A day on which a calendar is shut.';
comment on column app_public.sla_holidays.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_holidays.id is 'The identifier of the holiday.';
comment on column app_public.sla_holidays.calendar_id is 'The calendar that is shut.';
comment on column app_public.sla_holidays.name is 'What is celebrated.';
comment on column app_public.sla_holidays.held_on is 'The local date.';
comment on column app_public.sla_holidays.created_at is 'When it was entered.';

create table app_public.sla_policies (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  position integer not null default 0,
  calendar_id uuid not null,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, calendar_id) references app_public.sla_calendars on delete restrict
);

create index sla_policies_organization_id_calendar_id_idx on app_public.sla_policies (organization_id, calendar_id);
create index sla_policies_organization_id_position_idx on app_public.sla_policies (organization_id, position);

comment on table app_public.sla_policies is 'A set of promises and the calendar they are counted on. The first one by position that is not archived applies.';
comment on column app_public.sla_policies.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_policies.id is 'The identifier of the policy.';
comment on column app_public.sla_policies.name is 'The name managers read, unique in the organization.';
comment on column app_public.sla_policies.position is 'Lower comes first.';
comment on column app_public.sla_policies.calendar_id is 'The calendar its targets are counted on.';
comment on column app_public.sla_policies.archived_at is 'When it stopped applying to new tickets.';
comment on column app_public.sla_policies.created_at is 'When it was made.';
comment on column app_public.sla_policies.updated_at is 'When this row last changed.';

create table app_public.sla_targets (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  policy_id uuid not null,
  priority app_public.ticket_priority not null,
  kind app_public.sla_target_kind not null,
  working_seconds bigint not null check (working_seconds > 0),
  primary key (organization_id, id),
  unique (organization_id, policy_id, priority, kind),
  foreign key (organization_id, policy_id) references app_public.sla_policies on delete cascade
);

comment on table app_public.sla_targets is 'One promise of a policy: how soon, for tickets of one priority.';
comment on column app_public.sla_targets.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_targets.id is 'The identifier of the target.';
comment on column app_public.sla_targets.policy_id is 'The policy that makes the promise.';
comment on column app_public.sla_targets.priority is 'The priority of the tickets it is made for.';
comment on column app_public.sla_targets.kind is 'What is promised.';
comment on column app_public.sla_targets.working_seconds is 'How soon, in seconds of working time, more than zero.';

create table app_public.sla_calculations (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  kind app_public.sla_target_kind not null,
  policy_id uuid,
  target_seconds bigint not null check (target_seconds > 0),
  started_at timestamptz not null,
  paused tstzmultirange not null default '{}',
  paused_at timestamptz,
  due_at timestamptz not null,
  met_at timestamptz,
  breached_at timestamptz,
  elapsed_seconds bigint check (elapsed_seconds >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, ticket_id, kind),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, policy_id) references app_public.sla_policies on delete set null (policy_id),
  check (met_at is null or paused_at is null),
  check ((met_at is null) = (elapsed_seconds is null))
);

create index sla_calculations_organization_id_policy_id_idx on app_public.sla_calculations (organization_id, policy_id);
-- What the sweep reads: clocks that run and are not yet known to be late.
create index sla_calculations_organization_id_due_at_idx on app_public.sla_calculations (organization_id, due_at)
  where met_at is null and paused_at is null and breached_at is null;

comment on table app_public.sla_calculations is 'The clock of one promise on one ticket.';
comment on column app_public.sla_calculations.organization_id is 'The organization of the ticket.';
comment on column app_public.sla_calculations.id is 'The identifier of the clock.';
comment on column app_public.sla_calculations.ticket_id is 'The ticket.';
comment on column app_public.sla_calculations.kind is 'What was promised.';
comment on column app_public.sla_calculations.policy_id is 'The policy that promised it.';
comment on column app_public.sla_calculations.target_seconds is 'How soon, in seconds of working time.';
comment on column app_public.sla_calculations.started_at is 'When the clock started.';
comment on column app_public.sla_calculations.paused is 'The spans in which it stood still, in addition to the hours outside the calendar.';
comment on column app_public.sla_calculations.paused_at is 'Since when it stands still now; empty while it runs.';
comment on column app_public.sla_calculations.due_at is 'When the promise is broken if it is not kept by then. While the clock stands still this is where it was when it stopped.';
comment on column app_public.sla_calculations.met_at is 'When it was kept, in time or late; empty until then.';
comment on column app_public.sla_calculations.breached_at is 'When it was broken: exactly the instant it was due.';
comment on column app_public.sla_calculations.elapsed_seconds is 'Working seconds from start to met_at, without the pauses.';
comment on column app_public.sla_calculations.created_at is 'When this row was made.';
comment on column app_public.sla_calculations.updated_at is 'When this row last changed.';

--! split: 080-audit.sql
create table app_public.audit_log (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  chain_scope text not null,
  seq bigint not null check (seq > 0),
  recorded_at timestamptz not null,
  actor_id uuid,
  actor_role text not null,
  ip_address inet,
  request_id text,
  operation text not null check (length(operation) between 1 and 40),
  table_name text not null,
  row_id uuid,
  before jsonb,
  after jsonb,
  prev_hash text not null check (length(prev_hash) = 64),
  row_hash text not null check (length(row_hash) = 64),
  primary key (organization_id, id),
  unique (organization_id, seq),
  check (chain_scope = organization_id::text)
);

create index audit_log_organization_id_recorded_at_idx on app_public.audit_log (organization_id, recorded_at);
create index audit_log_organization_id_row_id_idx on app_public.audit_log (organization_id, row_id);
create index audit_log_organization_id_actor_id_idx on app_public.audit_log (organization_id, actor_id);

comment on table app_public.audit_log is 'Everything that was done, append-only: each row carries a hash over itself and over the row before, so that a change, a gap or a swap shows. It has no foreign keys because it outlives what it tells about.';
comment on column app_public.audit_log.organization_id is 'The organization in which it was done; all zeros for what belongs to none.';
comment on column app_public.audit_log.id is 'The identifier of the record.';
comment on column app_public.audit_log.chain_scope is 'The chain this record is a link of: the organization, or sixteen zero bytes for what belongs to none.';
comment on column app_public.audit_log.seq is 'The place in the chain, from 1, without gaps.';
comment on column app_public.audit_log.recorded_at is 'When the transaction that did it was recorded.';
comment on column app_public.audit_log.actor_id is 'Who did it; empty means the system or somebody not yet known.';
comment on column app_public.audit_log.actor_role is 'The database role it was done as.';
comment on column app_public.audit_log.ip_address is 'The address it came from.';
comment on column app_public.audit_log.request_id is 'The request that did it, as in the server''s log.';
comment on column app_public.audit_log.operation is '`insert`, `update` or `delete` of a row, or an act such as `login` and `login_failed`.';
comment on column app_public.audit_log.table_name is 'The table, with its schema.';
comment on column app_public.audit_log.row_id is 'The identifier of the row.';
comment on column app_public.audit_log.before is 'The changed columns as they were, the whole row for a delete. Secrets are masked.';
comment on column app_public.audit_log.after is 'The changed columns as they became, the whole row for an insert. Secrets are masked.';
comment on column app_public.audit_log.prev_hash is 'The rowHash of the record before; 64 zeros for the first.';
comment on column app_public.audit_log.row_hash is 'The sha256, in hexadecimal, of the canonical text of this record, which docs/SECURITY.md defines byte for byte.';

create table app_private.audit_heads (
  organization_id uuid primary key,
  seq bigint not null,
  row_hash text not null
);

comment on table app_private.audit_heads is 'The last link of each chain. Locked for the end of each writing transaction, by organization, so that two organizations never wait for each other.';

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
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.acting_role(), app_hidden.is_staff()
from public;

grant execute on function
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.acting_role(), app_hidden.is_staff()
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

create or replace function app_private.record_heartbeat(worker_id text, started_at timestamptz) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_private.worker_heartbeats as heartbeat (worker_id, started_at, seen_at)
  values (record_heartbeat.worker_id, record_heartbeat.started_at, clock_timestamp())
  on conflict (worker_id) do update set started_at = excluded.started_at, seen_at = excluded.seen_at;

  delete from app_private.worker_heartbeats where seen_at < clock_timestamp() - interval '1 day';
$$;

comment on function app_private.record_heartbeat(text, timestamptz) is 'A worker says that it is alive; those silent for a day are forgotten.';

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

create or replace function app_private.wall_faults() returns setof text
  language sql stable
  set search_path = ''
as $$
  with ours as (
    select class.oid, format('%I.%I', namespace.nspname, class.relname) as table_name
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relkind in ('r', 'p') and namespace.nspname in ('app_public', 'app_hidden', 'app_private')
  ),
  unaudited (table_name) as (
    values ('app_public.audit_log'), ('app_private.audit_heads'), ('app_private.ticket_counters')
  )
  select format('%s has no row-level security', table_name)
  from app_private.tenant_tables()
  where not row_security
  union all
  select format('%s does not force row-level security on its owner', table_name)
  from app_private.tenant_tables()
  where row_security and not forced
  union all
  -- The table that forgot the column is the likeliest mistake. Heartbeats belong to no organization.
  select format('%s belongs to no organization', table_name)
  from ours
  where table_name not in (select tenant.table_name from app_private.tenant_tables() as tenant)
    and table_name <> 'app_private.worker_heartbeats'
  union all
  select format('%s is not audited', tenant.table_name)
  from app_private.tenant_tables() as tenant
  where tenant.table_name not in (select unaudited.table_name from unaudited)
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
  app_private.record_heartbeat(text, timestamptz), app_private.last_heartbeat_at(), app_private.last_migration(),
  app_private.tenant_tables(), app_private.wall_faults(), app_private.rls_probe_organizations()
from public;

grant execute on function app_private.record_heartbeat(text, timestamptz) to atum_worker;
grant execute on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer) to atum_worker;
grant execute on function
  app_private.last_heartbeat_at(), app_private.last_migration(), app_private.tenant_tables(), app_private.wall_faults(),
  app_private.rls_probe_organizations()
to atum_server;

--! split: 1010-functions-10-organizations.sql
create or replace function app_public.current_organization() returns app_public.organizations
  language sql stable
  set search_path = ''
as $$
  select * from app_public.organizations where id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_organization() is 'The organization of the caller, or null when nobody is logged in.';

create or replace function app_private.organization_ids() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select id from app_public.organizations order by id
$$;

comment on function app_private.organization_ids() is 'Every organization, for jobs that go from one to the next.';

create or replace function app_private.create_organization(
  slug text,
  name text,
  time_zone text default 'Etc/UTC',
  locale text default 'en',
  ticket_prefix text default 'ATUM',
  hours jsonb default '"always_open"'
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  new_organization_id uuid;
  new_calendar_id uuid;
  new_policy_id uuid;
begin
  insert into app_public.organizations (slug, name, time_zone, locale, ticket_prefix)
  values (slug, name, time_zone, locale, ticket_prefix)
  returning id into new_organization_id;

  insert into app_private.ticket_counters (organization_id) values (new_organization_id);

  insert into app_public.sla_calendars (organization_id, name, time_zone, hours)
  values (new_organization_id, 'Working hours', time_zone, hours)
  returning id into new_calendar_id;

  insert into app_public.sla_policies (organization_id, name, calendar_id)
  values (new_organization_id, 'Standard', new_calendar_id)
  returning id into new_policy_id;

  insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
  select new_organization_id, new_policy_id, target.priority::app_public.ticket_priority, target.kind::app_public.sla_target_kind, target.hours * 3600
  from (
    values
      ('urgent', 'first_response', 1), ('urgent', 'resolution', 8),
      ('high', 'first_response', 2), ('high', 'resolution', 16),
      ('normal', 'first_response', 4), ('normal', 'resolution', 32),
      ('low', 'first_response', 8), ('low', 'resolution', 64)
  ) as target (priority, kind, hours);

  return new_organization_id;
end
$$;

comment on function app_private.create_organization(text, text, text, text, text, jsonb) is
  'Makes an organization with a calendar and a standard service level policy, ready for its first ticket. Returns its id.';

create or replace trigger _100_stamp_updated_at before update on app_public.organizations
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.teams
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.services
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public.current_organization(), app_private.organization_ids(),
  app_private.create_organization(text, text, text, text, text, jsonb)
from public;

grant execute on function app_public.current_organization() to atum_anonymous, atum_customer, atum_agent;
grant execute on function app_private.organization_ids() to atum_worker;

--! split: 1020-functions-20-identity.sql
create or replace function app_public."current_user"() returns app_public.users
  language sql stable security definer
  set search_path = ''
as $$
  -- Definer, because a customer may read the own mail address and nobody else's.
  select *
  from app_public.users
  where organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
$$;

comment on function app_public."current_user"() is 'The person who is logged in, or null.';

-- Before anybody is known. Each function answers one question and runs without claims.

create or replace function app_private.set_password(organization_id uuid, user_id uuid, password text, is_demo boolean default false)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if octet_length(password) > 72 then
    raise exception using errcode = 'AD003', message = 'A password has at most 72 bytes';
  end if;

  -- Cost 10: about 50 ms on the machine this was measured on, the least that OWASP accepts for bcrypt.
  insert into app_private.user_secrets as secret (organization_id, user_id, password_hash, is_demo)
  values (set_password.organization_id, set_password.user_id, public.crypt(password, public.gen_salt('bf', 10)), set_password.is_demo)
  on conflict on constraint user_secrets_pkey
  do update set password_hash = excluded.password_hash, is_demo = excluded.is_demo, updated_at = now();
end
$$;

comment on function app_private.set_password(uuid, uuid, text, boolean) is 'Stores the bcrypt hash of a password. Error PASSWORD_TOO_LONG beyond 72 bytes, because bcrypt reads no further.';

create or replace function app_private.identity_of(subject app_public.users) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', subject.id,
    'name', subject.name,
    'email', subject.email,
    'role', subject.role,
    'locale', coalesce(subject.locale, organization.locale),
    'timeZone', coalesce(subject.time_zone, organization.time_zone),
    'organization', jsonb_build_object('id', organization.id, 'slug', organization.slug, 'name', organization.name)
  )
  from app_public.organizations as organization
  where organization.id = subject.organization_id
$$;

comment on function app_private.identity_of(app_public.users) is 'What the server tells a client about the person who just logged in, and puts into the access token.';

-- A refresh token is 96 hexadecimal digits: the family of the session, 16 random bytes, and a secret, 32 random bytes.

create or replace function app_private.refresh_token_family(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select case when refresh_token ~ '^[0-9a-f]{96}$' then decode(left(refresh_token, 32), 'hex') end
$$;

comment on function app_private.refresh_token_family(text) is 'The family a refresh token belongs to; null for what is no refresh token.';

create or replace function app_private.refresh_token_hash(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select sha256(convert_to(refresh_token, 'UTF8'))
$$;

comment on function app_private.refresh_token_hash(text) is 'What is kept of a refresh token.';

create or replace function app_private.open_session(subject app_public.users, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  refresh_token constant text := encode(public.gen_random_bytes(48), 'hex');
  session_id uuid;
begin
  perform set_config('atum.organization_id', subject.organization_id::text, true);
  perform set_config('atum.user_id', subject.id::text, true);

  insert into app_private.sessions (organization_id, user_id, family, refresh_token_hash, expires_at, ip_address, user_agent)
  values (
    subject.organization_id, subject.id, app_private.refresh_token_family(refresh_token),
    app_private.refresh_token_hash(refresh_token), now() + interval '14 days',
    open_session.ip_address, left(open_session.user_agent, 400)
  )
  returning id into session_id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', session_id,
    'refreshToken', refresh_token
  );
end
$$;

comment on function app_private.open_session(app_public.users, inet, text) is 'Starts a session and returns it with its first refresh token, which is stored only as a hash.';

create or replace function app_private.log_in(
  email text,
  password text,
  organization_slug text,
  demo_allowed boolean,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- The hash of nothing anybody knows: comparing with it costs what comparing with a real one costs.
  unmatchable constant text := '$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5z5rB0FLW8q5sYV8yQ1q6l7u1Qk2e';
  candidate record;
  compared integer := 0;
  matching app_public.users[] := '{}';
  failed record;
begin
  for candidate in
    select person, secret.password_hash, secret.is_demo
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
    order by person.organization_id
  loop
    compared := compared + 1;
    if crypt(password, candidate.password_hash) = candidate.password_hash
      and (candidate.person).disabled_at is null
      and (demo_allowed or not candidate.is_demo)
    then
      matching := matching || candidate.person;
    end if;
  end loop;

  -- An unknown address takes as long as a known one, and one organization as long as two.
  while compared < 2 loop
    perform crypt(password, unmatchable);
    compared := compared + 1;
  end loop;

  if cardinality(matching) = 1 then
    perform app_private.append_audit(
      matching[1].organization_id, 'login', 'app_public.users', matching[1].id, null, null,
      actor_id => matching[1].id
    );
    return app_private.open_session(matching[1], log_in.ip_address, log_in.user_agent);
  end if;

  if cardinality(matching) > 1 then
    return jsonb_build_object(
      'outcome', 'organization_required',
      'organizations', (
        select jsonb_agg(jsonb_build_object('slug', organization.slug, 'name', organization.name) order by organization.name)
        from unnest(matching) as person
        join app_public.organizations as organization on organization.id = person.organization_id
      )
    );
  end if;

  -- A wrong password is recorded where the person is, an unknown address in the platform's own chain: both write.
  perform app_private.append_audit(
    coalesce(person.organization_id, app_hidden.platform_scope()), 'login_failed', 'app_public.users', person.id,
    null, jsonb_build_object('email', left(log_in.email, 254))
  )
  from (select 1) as always
  left join lateral (
    select known.organization_id, known.id
    from app_public.users as known
    join app_public.organizations as organization on organization.id = known.organization_id
    where known.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
  ) as person on true;

  return jsonb_build_object('outcome', 'invalid_credentials');
end
$$;

comment on function app_private.log_in(text, text, text, boolean, inet, text) is
  'Answers whether this address and password are somebody: `{outcome: ok, user, sessionId, refreshToken}`, `{outcome: organization_required, organizations}` when they are right in several organizations, or `{outcome: invalid_credentials}`. Never raises for wrong ones, so that the failure is recorded.';

create or replace function app_private.refresh_session(refresh_token text, ip_address inet, user_agent text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  token_hash constant bytea := app_private.refresh_token_hash(refresh_token);
  next_token constant text := left(refresh_token, 32) || encode(public.gen_random_bytes(32), 'hex');
  current_session app_private.sessions;
  subject app_public.users;
begin
  select * into current_session
  from app_private.sessions
  where family = app_private.refresh_token_family(refresh_token)
  for update;

  if not found or current_session.revoked_at is not null or current_session.expires_at <= now() then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select * into subject
  from app_public.users
  where organization_id = current_session.organization_id and id = current_session.user_id;

  if subject.disabled_at is not null then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  perform set_config('atum.organization_id', subject.organization_id::text, true);
  perform set_config('atum.user_id', subject.id::text, true);

  if current_session.refresh_token_hash <> token_hash then
    -- Two tabs may have asked at once: for a moment the token before still answers, but makes no new one.
    if current_session.previous_refresh_token_hash = token_hash
      and current_session.refreshed_at > now() - interval '15 seconds'
    then
      return jsonb_build_object('outcome', 'ok', 'user', app_private.identity_of(subject), 'sessionId', current_session.id);
    end if;
    -- However old it is: whoever has it, has it besides somebody else.
    update app_private.sessions set revoked_at = now()
    where organization_id = current_session.organization_id and id = current_session.id;
    perform app_private.append_audit(
      subject.organization_id, 'refresh_token_reused', 'app_private.sessions', current_session.id, null, null,
      actor_id => subject.id
    );
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  update app_private.sessions
  set
    refresh_token_hash = app_private.refresh_token_hash(next_token),
    previous_refresh_token_hash = token_hash,
    refreshed_at = now(),
    ip_address = refresh_session.ip_address,
    user_agent = left(refresh_session.user_agent, 400)
  where organization_id = current_session.organization_id and id = current_session.id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', current_session.id,
    'refreshToken', next_token
  );
end
$$;

comment on function app_private.refresh_session(text, inet, text) is
  'Exchanges a refresh token for the next one: `{outcome: ok, user, sessionId, refreshToken}` or `{outcome: session_expired}`. Showing a spent token, however old, ends the session.';

create or replace function app_private.log_out(refresh_token text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  -- By family, so that a refresh that is under way ends with it.
  update app_private.sessions
  set revoked_at = now()
  where family = app_private.refresh_token_family(refresh_token) and revoked_at is null
$$;

comment on function app_private.log_out(text) is 'Ends the session of a refresh token. An unknown token is not an error.';

create or replace function app_private.tg_users__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_private.sessions
  set revoked_at = now()
  where organization_id = NEW.organization_id and user_id = NEW.id and revoked_at is null;
  return null;
end
$$;

comment on function app_private.tg_users__end_sessions() is 'Ends the sessions of a person who was disabled or whose role changed.';

create or replace trigger _500_end_sessions after update of disabled_at, role on app_public.users
  for each row
  when (NEW.disabled_at is distinct from OLD.disabled_at or NEW.role <> OLD.role)
  execute function app_private.tg_users__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.users
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public."current_user"(), app_private.set_password(uuid, uuid, text, boolean),
  app_private.identity_of(app_public.users), app_private.open_session(app_public.users, inet, text),
  app_private.log_in(text, text, text, boolean, inet, text), app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.refresh_token_family(text), app_private.refresh_token_hash(text),
  app_private.tg_users__end_sessions()
from public;

grant execute on function app_public."current_user"() to atum_anonymous, atum_customer, atum_agent;
grant execute on function
  app_private.log_in(text, text, text, boolean, inet, text), app_private.refresh_session(text, inet, text),
  app_private.log_out(text)
to atum_server;

--! split: 1030-functions-30-tickets.sql
-- Queries

create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.tickets as ticket
  where ticket.organization_id = (select app_hidden.current_organization_id())
    and ticket.number = ticket_by_number.number
$$;

comment on function app_public.ticket_by_number(integer) is 'The ticket with this number in the caller''s organization, or null when there is none the caller may see.';

do $$
begin
  if to_regtype('app_public.inbox_counts') is null then
    create type app_public.inbox_counts as (
      mine integer, unassigned integer, open integer, pending integer, breached integer, resolved integer
    );
  end if;
end
$$;

comment on type app_public.inbox_counts is 'How many tickets are in each part of the inbox.';
comment on column app_public.inbox_counts.mine is 'Assigned to the caller and not resolved.';
comment on column app_public.inbox_counts.unassigned is 'Assigned to nobody and not resolved.';
comment on column app_public.inbox_counts.open is 'New or open.';
comment on column app_public.inbox_counts.pending is 'Pending or on hold.';
comment on column app_public.inbox_counts.breached is 'Not resolved and a target was missed.';
comment on column app_public.inbox_counts.resolved is 'Resolved and not yet closed.';

create or replace function app_public.inbox_counts() returns app_public.inbox_counts
  language sql stable
  set search_path = ''
as $$
  select
    count(*) filter (where status <> 'resolved' and assignee_id = (select app_hidden.current_user_id()))::integer,
    count(*) filter (where status <> 'resolved' and assignee_id is null)::integer,
    count(*) filter (where status in ('new', 'open'))::integer,
    count(*) filter (where status in ('pending', 'on_hold'))::integer,
    count(*) filter (where status <> 'resolved' and breached)::integer,
    count(*) filter (where status = 'resolved')::integer
  from app_public.tickets
  where organization_id = (select app_hidden.current_organization_id())
    and status in ('new', 'open', 'pending', 'on_hold', 'resolved')
$$;

comment on function app_public.inbox_counts() is 'How many of the tickets the caller may see are in each part of the inbox. Closed tickets are not counted.';

-- Mutations

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  client_mutation_key text default null
) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to open a ticket';
  end if;

  -- A retry is answered before anything is tried: it uses up no number, and no rule that came since refuses it.
  select * into ticket
  from app_public.tickets as made
  where made.organization_id = caller_organization_id
    and made.created_by_id = caller_id
    and made.client_mutation_key = create_ticket.client_mutation_key;
  if found then
    return ticket;
  end if;

  insert into app_public.tickets
    (organization_id, subject, priority, service_id, requester_id, created_by_id, channel, client_mutation_key)
  values (
    caller_organization_id, btrim(create_ticket.subject), coalesce(create_ticket.priority, 'normal'), create_ticket.service_id,
    coalesce(create_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    create_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    values (caller_organization_id, ticket.id, caller_id, create_ticket.body);

    -- Read again, because the triggers set its clocks.
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id and made.id = ticket.id;
  else
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id
      and made.created_by_id = caller_id
      and made.client_mutation_key = create_ticket.client_mutation_key;
  end if;
  return ticket;
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED.';

-- Triggers

create or replace function app_private.tg_tickets__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    if NEW.number is null then
      -- Locks the counter of this organization alone until the end of the transaction.
      update app_private.ticket_counters
      set last_number = last_number + 1
      where organization_id = NEW.organization_id
      returning last_number into NEW.number;
    end if;

    select organization.ticket_prefix || '-' || NEW.number into NEW.reference
    from app_public.organizations as organization
    where organization.id = NEW.organization_id;

    if NEW.team_id is null and NEW.service_id is not null then
      select service.team_id into NEW.team_id
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id;
    end if;

    return NEW;
  end if;

  NEW.subject := btrim(NEW.subject);

  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;

  if NEW.status is distinct from OLD.status then
    NEW.resolved_at := case
      when NEW.status not in ('resolved', 'closed') then null
      else coalesce(OLD.resolved_at, NEW.updated_at)
    end;
    NEW.closed_at := case when NEW.status = 'closed' then NEW.updated_at end;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__stamp() is 'Gives a new ticket its number, reference and team, and keeps the instants that follow from its status.';

-- Not when only its clocks moved: that is no news about the ticket.
create or replace trigger _100_stamp
  before insert or update of subject, status, priority, service_id, team_id, assignee_id, requester_id on app_public.tickets
  for each row execute function app_private.tg_tickets__stamp();

create or replace function app_private.tg_tickets__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if NEW.assignee_id is not null
    and (TG_OP = 'INSERT' or NEW.assignee_id is distinct from OLD.assignee_id)
    and exists (
      select
      from app_public.users as assignee
      where assignee.organization_id = NEW.organization_id and assignee.id = NEW.assignee_id
        and (assignee.role = 'customer' or assignee.disabled_at is not null)
    )
  then
    raise exception using errcode = 'AD103', message = 'Only active staff can be assigned to a ticket';
  end if;

  if NEW.service_id is not null
    and (TG_OP = 'INSERT' or NEW.service_id is distinct from OLD.service_id)
    and exists (
      select
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id and service.archived_at is not null
    )
  then
    raise exception using errcode = 'AD104', message = 'This service is no longer offered';
  end if;

  if TG_OP = 'UPDATE' and NEW.status = 'new' and OLD.status <> 'new' then
    raise exception using errcode = 'AD105', message = 'A ticket that was worked on cannot become new again';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__refuse() is 'Refuses an assignee who is not active staff, an archived service, and going back to `new`. Errors ASSIGNEE_NOT_STAFF, SERVICE_ARCHIVED, STATUS_MOVE_REFUSED.';

create or replace trigger _200_refuse before insert or update of assignee_id, service_id, status on app_public.tickets
  for each row execute function app_private.tg_tickets__refuse();

-- The spine: what changed becomes one typed event for each thing that changed.
create or replace function app_private.tg_tickets__record_events() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, after, created_at)
    values (
      NEW.organization_id, NEW.id, 'ticket_created', 'public', coalesce(app_hidden.current_user_id(), NEW.created_by_id),
      jsonb_build_object('status', NEW.status, 'priority', NEW.priority, 'channel', NEW.channel), NEW.created_at
    );
    return null;
  end if;

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, before, after, created_at)
  select
    NEW.organization_id, NEW.id, change.type::app_public.ticket_event_type, change.visibility::app_public.comment_visibility,
    app_hidden.current_user_id(), change.before, change.after, NEW.updated_at
  from (
    select 'subject_changed', 'public', jsonb_build_object('subject', OLD.subject), jsonb_build_object('subject', NEW.subject)
    where NEW.subject <> OLD.subject
    union all
    select 'priority_changed', 'internal', jsonb_build_object('priority', OLD.priority), jsonb_build_object('priority', NEW.priority)
    where NEW.priority <> OLD.priority
    union all
    select 'service_changed', 'internal',
      app_private.named_reference('service', OLD.service_id, (select name from app_public.services where organization_id = OLD.organization_id and id = OLD.service_id)),
      app_private.named_reference('service', NEW.service_id, (select name from app_public.services where organization_id = NEW.organization_id and id = NEW.service_id))
    where NEW.service_id is distinct from OLD.service_id
    union all
    select 'team_changed', 'internal',
      app_private.named_reference('team', OLD.team_id, (select name from app_public.teams where organization_id = OLD.organization_id and id = OLD.team_id)),
      app_private.named_reference('team', NEW.team_id, (select name from app_public.teams where organization_id = NEW.organization_id and id = NEW.team_id))
    where NEW.team_id is distinct from OLD.team_id
    union all
    select 'assignee_changed', 'internal',
      app_private.named_reference('assignee', OLD.assignee_id, (select name from app_public.users where organization_id = OLD.organization_id and id = OLD.assignee_id)),
      app_private.named_reference('assignee', NEW.assignee_id, (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.assignee_id))
    where NEW.assignee_id is distinct from OLD.assignee_id
    union all
    select 'status_changed', 'public', jsonb_build_object('status', OLD.status), jsonb_build_object('status', NEW.status)
    where NEW.status <> OLD.status
  ) as change (type, visibility, before, after);
  return null;
end
$$;

comment on function app_private.tg_tickets__record_events() is 'Writes the events of a ticket that was made or changed.';

create or replace function app_private.named_reference(word text, id uuid, name text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select jsonb_build_object(word || '_id', id, word || '_name', name)
$$;

comment on function app_private.named_reference(text, uuid, text) is 'A reference as an event keeps it: with the name it had at that time.';

create or replace trigger _500_record_events
  after insert or update of subject, status, priority, service_id, team_id, assignee_id on app_public.tickets
  for each row execute function app_private.tg_tickets__record_events();

create or replace function app_private.tg_ticket_events__notify() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  payload constant text := json_build_object('event', NEW.type, 'ticketId', NEW.ticket_id, 'eventId', NEW.id);
begin
  -- Channel names have at most 63 bytes, and the payload holds ids only: what they mean is read again under the
  -- row-level security of whoever listens.
  perform pg_notify('ticket:' || NEW.ticket_id || ':staff', payload);
  perform pg_notify('inbox:' || NEW.organization_id, payload);
  if NEW.visibility = 'public' then
    perform pg_notify('ticket:' || NEW.ticket_id || ':public', payload);
    perform pg_notify('requester:' || ticket.requester_id, payload)
    from app_public.tickets as ticket
    where ticket.organization_id = NEW.organization_id and ticket.id = NEW.ticket_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__notify() is 'Tells the listeners of a ticket, of the inbox and of its requester that something happened.';

create or replace trigger _800_notify after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__notify();

revoke all on function
  app_public.ticket_by_number(integer), app_public.inbox_counts(),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text),
  app_private.tg_tickets__stamp(), app_private.tg_tickets__refuse(), app_private.tg_tickets__record_events(),
  app_private.named_reference(text, uuid, text), app_private.tg_ticket_events__notify()
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text)
to atum_customer, atum_agent;
grant execute on function app_public.inbox_counts() to atum_agent;

--! split: 1032-functions-32-comments.sql
create or replace function app_public.add_comment(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  client_mutation_key text default null
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
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
  select * into ticket
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

  -- The first public answer takes a new ticket into work, unless the answer says otherwise.
  if next_status is null
    and ticket.status = 'new' and made.visibility = 'public'
    and app_hidden.is_staff() and ticket.requester_id <> caller_id
  then
    next_status := 'open';
  end if;

  if next_status is not null and next_status <> ticket.status then
    update app_public.tickets as answered
    set status = next_status
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  end if;

  return made;
end
$$;

comment on function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text) is
  'Says something on a ticket and returns the comment. `body` is plain text of 1 to 65,536 bytes. Staff may write `internal` comments and set the `status` in the same save. A requester who answers a pending, on-hold or resolved ticket opens it again. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the comment the first call made. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_INPUT, FORBIDDEN, TICKET_CLOSED.';

create or replace function app_private.tg_comments__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if NEW.visibility = 'public' and exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = NEW.organization_id and ticket.id = NEW.ticket_id
      and ticket.status = 'closed' and ticket.closed_at < NEW.created_at
  ) then
    raise exception using errcode = 'AD102', message = 'This ticket is closed; open a new one';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_comments__refuse() is 'Refuses a public comment on a closed ticket. Error TICKET_CLOSED.';

create or replace trigger _200_refuse before insert on app_public.comments
  for each row execute function app_private.tg_comments__refuse();

create or replace function app_private.tg_comments__follow() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
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

  select * into ticket
  from app_public.tickets
  where organization_id = NEW.organization_id and id = NEW.ticket_id
  for no key update;

  by_staff := NEW.author_id is distinct from ticket.requester_id and exists (
    select
    from app_public.users as author
    where author.organization_id = NEW.organization_id and author.id = NEW.author_id and author.role <> 'customer'
  );

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, comment_id, created_at)
  values (NEW.organization_id, NEW.ticket_id, 'comment_added', NEW.visibility, NEW.author_id, NEW.id, NEW.created_at);

  update app_public.tickets
  set
    last_comment_at = case when NEW.visibility = 'public' then greatest(last_comment_at, NEW.created_at) else last_comment_at end,
    updated_at = greatest(updated_at, NEW.created_at),
    first_responded_at = case
      when first_responded_at is null and by_staff and NEW.visibility = 'public' then NEW.created_at
      else first_responded_at
    end,
    status = case
      when NEW.author_id = requester_id and NEW.visibility = 'public' and status in ('pending', 'on_hold', 'resolved') then 'open'
      else status
    end
  where organization_id = NEW.organization_id and id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__follow() is 'Records the event of a comment and moves its ticket: last comment, first response, and open again when the requester answers.';

create or replace trigger _500_follow after insert on app_public.comments
  for each row execute function app_private.tg_comments__follow();

revoke all on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text),
  app_private.tg_comments__refuse(), app_private.tg_comments__follow()
from public;

grant execute on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text)
to atum_customer, atum_agent;

--! split: 1040-functions-40-sla.sql
-- Arithmetic: pure functions over a calendar as jsonb, `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25"]}`.

create or replace function app_hidden.local_instant(local_time timestamp, time_zone text) returns timestamptz
  language sql stable parallel safe
  -- Postgres takes the second of two instants at which a clock shows the same time, and moves a time that a clock skips
  -- forward. What opening hours mean is the first of the two, so the offset of the day before is tried first.
  return case
    when (
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC'
    ) at time zone time_zone = local_time
    then least(
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC',
      local_time at time zone time_zone
    )
    else local_time at time zone time_zone
  end;

comment on function app_hidden.local_instant(timestamp, text) is
  'The instant at which a clock in a time zone shows a local time: the first of two when clocks go back, moved forward when clocks skip it.';

create or replace function app_hidden.check_calendar(calendar jsonb) returns void
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  hours constant jsonb := calendar -> 'hours';
begin
  if hours = '"always_open"' then
    return;
  end if;
  if hours is null or jsonb_typeof(hours) <> 'object' or hours::text !~ '\[\[' then
    raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
  end if;
  -- The text of a jsonb value is always written the same way, and one regular expression over it, without captures,
  -- takes a fraction of the time of the JSON paths that say the same.
  if hours::text !~ '^\{(?:"(?:mon|tue|wed|thu|fri|sat|sun)": \[(?:\["(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)", "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)"\](?:, )?)*\](?:, )?)*\}$'
  then
    raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours or with times that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_open(calendar jsonb, span tstzrange) returns tstzmultirange
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
  zone constant text := calendar ->> 'tz';
  hours constant jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
  always_open constant boolean := hours = '"always_open"';
  last_day constant date := (upper(span) at time zone zone)::date;
  -- A day more, for hours that go over midnight.
  day date := (lower(span) at time zone zone)::date - 1;
  midnight timestamptz := app_hidden.local_instant(day, zone);
  next_midnight timestamptz;
  shifts jsonb;
  opens time;
  closes time;
  opens_at timestamptz;
  closes_at timestamptz;
  opened tstzmultirange := case when always_open then tstzmultirange(span) else '{}' end;
  shut tstzmultirange := '{}';
begin
  while day <= last_day loop
    next_midnight := app_hidden.local_instant(day + 1, zone);

    if holidays ? to_char(day, 'YYYY-MM-DD') then
      shut := shut + tstzmultirange(tstzrange(midnight, next_midnight));
    elsif not always_open then
      shifts := hours -> weekdays[extract(dow from day)::integer + 1];
      for index in 0 .. coalesce(jsonb_array_length(shifts), 0) - 1 loop
        opens := (shifts -> index ->> 0)::time;
        closes := (shifts -> index ->> 1)::time;
        if closes = opens then
          raise exception using errcode = 'AD202', message = 'Working hours cannot close when they open';
        end if;
        if next_midnight - midnight = interval '24 hours' and closes > opens then
          opens_at := midnight + opens::interval;
          closes_at := midnight + closes::interval;
        else
          opens_at := app_hidden.local_instant(day + opens::interval, zone);
          closes_at := app_hidden.local_instant(
            day + closes::interval + case when closes <= opens then interval '1 day' else interval '0' end, zone
          );
        end if;
        if opens_at < closes_at then
          opened := opened + tstzmultirange(tstzrange(opens_at, closes_at));
        end if;
      end loop;
    end if;

    day := day + 1;
    midnight := next_midnight;
  end loop;
  return opened * tstzmultirange(span) - shut;
end
$$;

comment on function app_hidden.business_open(jsonb, tstzrange) is 'The spans within a span in which a calendar is open.';

create or replace function app_hidden.business_due_at(
  calendar jsonb,
  start_at timestamptz,
  working_seconds bigint,
  paused tstzmultirange default '{}'
) returns timestamptz
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  forward constant boolean := working_seconds >= 0;
  remaining interval := make_interval(secs => abs(working_seconds));
  edge timestamptz := start_at;
  next_edge timestamptz;
  -- A first look as far as a full-time week would need, then twice as far each time.
  reach interval := make_interval(days => 3 + (abs(working_seconds) / 14400)::integer);
  open_span tstzrange;
  span_length interval;
begin
  perform app_hidden.check_calendar(calendar);
  if working_seconds <> 0 and remaining > interval '900000 hours' then
    raise exception using errcode = 'AD203', message = 'That is more than a hundred years of working time';
  end if;

  while edge between start_at - interval '120 years' and start_at + interval '120 years' loop
    next_edge := case when forward then edge + reach else edge - reach end;
    for open_span in
      select piece
      from unnest(
        app_hidden.business_open(calendar, tstzrange(least(edge, next_edge), greatest(edge, next_edge))) - paused
      ) as piece
      order by case when forward then lower(piece) end, lower(piece) desc
    loop
      span_length := make_interval(secs => extract(epoch from upper(open_span) - lower(open_span))::double precision);
      if remaining <= span_length then
        return case when forward then lower(open_span) + remaining else upper(open_span) - remaining end;
      end if;
      remaining := remaining - span_length;
    end loop;
    edge := next_edge;
    reach := least(reach * 2, interval '1000 days');
  end loop;

  raise exception using errcode = 'AD201', message = 'This calendar is never open long enough';
end
$$;

comment on function app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange) is
  'When so many seconds of working time have passed since an instant, without the paused spans. Ends at the closing instant when they end exactly there; zero is the first open instant; negative goes backwards. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_seconds(
  calendar jsonb,
  from_at timestamptz,
  to_at timestamptz,
  paused tstzmultirange default '{}'
) returns bigint
  language plpgsql stable parallel safe
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(calendar);
  if to_at <= from_at then
    return 0;
  end if;
  return (
    select coalesce(round(sum(extract(epoch from upper(piece) - lower(piece)))), 0)::bigint
    from unnest(app_hidden.business_open(calendar, tstzrange(from_at, to_at)) - paused) as piece
  );
end
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; zero when the second is not after the first. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.calendar_of(policy app_public.sla_policies) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'tz', calendar.time_zone,
    'hours', calendar.hours,
    'holidays', coalesce((
      select jsonb_agg(holiday.held_on order by holiday.held_on)
      from app_public.sla_holidays as holiday
      where holiday.organization_id = calendar.organization_id and holiday.calendar_id = calendar.id
    ), '[]')
  )
  from app_public.sla_calendars as calendar
  where calendar.organization_id = policy.organization_id and calendar.id = policy.calendar_id
$$;

comment on function app_hidden.calendar_of(app_public.sla_policies) is 'The calendar of a policy in the shape the arithmetic takes.';

create or replace function app_private.tg_sla_calendars__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(jsonb_build_object('hours', NEW.hours));
  -- A week of it, so that an unknown time zone and hours of no length are refused here and not by a ticket.
  perform app_hidden.business_open(
    jsonb_build_object('tz', NEW.time_zone, 'hours', NEW.hours), tstzrange(now(), now() + interval '8 days')
  );
  return NEW;
end
$$;

comment on function app_private.tg_sla_calendars__refuse() is 'Refuses a calendar without hours, with times that are none, or in an unknown time zone.';

create or replace trigger _200_refuse before insert or update of hours, time_zone on app_public.sla_calendars
  for each row execute function app_private.tg_sla_calendars__refuse();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calendars
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_policies
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calculations
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.local_instant(timestamp, text), app_hidden.check_calendar(jsonb), app_hidden.business_open(jsonb, tstzrange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange),
  app_hidden.calendar_of(app_public.sla_policies), app_private.tg_sla_calendars__refuse()
from public;

grant execute on function
  app_hidden.local_instant(timestamp, text), app_hidden.check_calendar(jsonb), app_hidden.business_open(jsonb, tstzrange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
to atum_agent, atum_worker;

--! split: 1041-functions-41-sla-clocks.sql
-- The clocks of a ticket: they follow the spine, one step for each event.

create or replace function app_private.start_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  policy app_public.sla_policies;
  calendar jsonb;
begin
  select * into ticket from app_public.tickets where organization_id = event.organization_id and id = event.ticket_id;

  select * into policy
  from app_public.sla_policies
  where organization_id = event.organization_id and archived_at is null
  order by position, id
  limit 1;
  if not found then
    return;
  end if;
  calendar := app_hidden.calendar_of(policy);

  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at, paused_at)
  select
    target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
    app_hidden.business_due_at(calendar, event.created_at, target.working_seconds),
    case when target.kind = 'resolution' and ticket.status in ('pending', 'on_hold') then event.created_at end
  from app_public.sla_targets as target
  where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority;
end
$$;

comment on function app_private.start_sla_clocks(app_public.ticket_events) is 'Starts the clocks of a new ticket by the first policy that applies.';

create or replace function app_private.calendar_of_clock(clock app_public.sla_calculations) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    (
      select app_hidden.calendar_of(policy)
      from app_public.sla_policies as policy
      where policy.organization_id = clock.organization_id and policy.id = clock.policy_id
    ),
    '{"tz": "Etc/UTC", "hours": "always_open"}'
  )
$$;

comment on function app_private.calendar_of_clock(app_public.sla_calculations) is 'The calendar a clock is counted on; around the clock when its policy is gone.';

create or replace function app_private.record_sla_event(clock app_public.sla_calculations, type app_public.ticket_event_type, at timestamptz)
  returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, after, created_at)
  values (
    clock.organization_id, clock.ticket_id, record_sla_event.type, 'internal',
    jsonb_build_object('kind', clock.kind, 'due_at', clock.due_at), at
  )
$$;

comment on function app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz) is 'Tells the spine what became of a promise.';

create or replace function app_private.meet_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  met app_public.sla_calculations;
  calendar constant jsonb := app_private.calendar_of_clock(clock);
begin
  update app_public.sla_calculations
  set
    -- A clock that stood still when it was met stood still until then.
    paused = case when paused_at < at then paused + tstzmultirange(tstzrange(paused_at, at)) else paused end,
    paused_at = null,
    met_at = at,
    breached_at = case when breached_at is null and paused_at is null and due_at < at then due_at else breached_at end,
    elapsed_seconds = app_hidden.business_seconds(
      calendar, started_at, at,
      case when paused_at < at then paused + tstzmultirange(tstzrange(paused_at, at)) else paused end
    )
  where organization_id = clock.organization_id and id = clock.id
  returning * into met;

  -- The worker was away when it was due: the miss is recorded with its true instant all the same.
  if met.breached_at is not null and clock.breached_at is null then
    perform app_private.record_sla_event(met, 'sla_breached', met.breached_at);
  end if;
  if met.breached_at is null then
    perform app_private.record_sla_event(met, 'sla_met', at);
  end if;
end
$$;

comment on function app_private.meet_sla_clock(app_public.sla_calculations, timestamptz) is 'Stops a clock because the promise was kept, in time or late.';

create or replace function app_private.resume_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  since constant timestamptz := coalesce(clock.paused_at, clock.met_at);
  pauses constant tstzmultirange :=
    case when since < at then clock.paused + tstzmultirange(tstzrange(since, at)) else clock.paused end;
begin
  update app_public.sla_calculations
  set
    paused = pauses,
    paused_at = null,
    met_at = null,
    elapsed_seconds = null,
    due_at = app_hidden.business_due_at(app_private.calendar_of_clock(clock), started_at, target_seconds, pauses)
  where organization_id = clock.organization_id and id = clock.id;
end
$$;

comment on function app_private.resume_sla_clock(app_public.sla_calculations, timestamptz) is 'Lets a clock run again after a pause, or after the ticket was reopened: the time between counts as a pause.';

create or replace function app_private.pause_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations
  set
    paused_at = at,
    -- It was due before it was paused, and the worker has not been here yet.
    breached_at = case when clock.breached_at is null and clock.due_at <= at then clock.due_at else clock.breached_at end
  where organization_id = clock.organization_id and id = clock.id;

  if clock.breached_at is null and clock.due_at <= at then
    perform app_private.record_sla_event(clock, 'sla_breached', clock.due_at);
  end if;
end
$$;

comment on function app_private.pause_sla_clock(app_public.sla_calculations, timestamptz) is 'Lets a clock stand still.';

create or replace function app_private.retarget_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations as clock
  set
    target_seconds = recomputed.target_seconds,
    due_at = recomputed.due_at,
    -- A promise that was broken is not unbroken by changing the promise, unless the new one is still open.
    breached_at = case when recomputed.due_at > event.created_at then null else clock.breached_at end
  from (
    select
      running.id,
      target.working_seconds as target_seconds,
      app_hidden.business_due_at(
        app_private.calendar_of_clock(running), running.started_at, target.working_seconds, running.paused
      ) as due_at
    from app_public.sla_calculations as running
    join app_public.sla_targets as target
      on target.organization_id = running.organization_id
      and target.policy_id = running.policy_id
      and target.kind = running.kind
    where running.organization_id = event.organization_id
      and running.ticket_id = event.ticket_id
      and running.met_at is null
      and target.priority = (event.after ->> 'priority')::app_public.ticket_priority
  ) as recomputed
  where clock.organization_id = event.organization_id and clock.id = recomputed.id;
end
$$;

comment on function app_private.retarget_sla_clocks(app_public.ticket_events) is 'Counts the clocks that still run again from their start with the targets of the new priority; their pauses stay.';

create or replace function app_private.follow_status_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  was constant app_public.ticket_status := (event.before ->> 'status')::app_public.ticket_status;
  became constant app_public.ticket_status := (event.after ->> 'status')::app_public.ticket_status;
begin
  if was in ('resolved', 'closed') and became in ('resolved', 'closed') then
    return;
  end if;

  for clock in
    select * from app_public.sla_calculations
    where organization_id = event.organization_id and ticket_id = event.ticket_id
    order by kind
    for update
  loop
    if became in ('resolved', 'closed') then
      -- The end of a ticket answers every promise that was still open.
      if clock.met_at is null then
        perform app_private.meet_sla_clock(clock, event.created_at);
      end if;
    elsif clock.kind = 'resolution' then
      if (clock.paused_at is not null or was in ('resolved', 'closed')) and became not in ('pending', 'on_hold') then
        perform app_private.resume_sla_clock(clock, event.created_at);
      elsif was in ('resolved', 'closed') then
        perform app_private.resume_sla_clock(clock, event.created_at);
        perform app_private.pause_sla_clock(reopened, event.created_at)
        from app_public.sla_calculations as reopened
        where reopened.organization_id = clock.organization_id and reopened.id = clock.id;
      elsif clock.paused_at is null and became in ('pending', 'on_hold') then
        perform app_private.pause_sla_clock(clock, event.created_at);
      end if;
    end if;
  end loop;
end
$$;

comment on function app_private.follow_status_with_sla_clocks(app_public.ticket_events) is 'Pauses, resumes, ends and reopens the clocks as a ticket''s status moves.';

-- What the ticket itself shows of its clocks, and the job at the very second the next one is due.
create or replace function app_private.refresh_ticket_clocks(organization_id uuid, ticket_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as ticket
  set next_due_at = clocks.next_due_at, breached = clocks.breached
  from (
    select
      min(clock.due_at) filter (where clock.met_at is null and clock.paused_at is null and clock.breached_at is null) as next_due_at,
      coalesce(bool_or(clock.breached_at is not null), false) as breached
    from app_public.sla_calculations as clock
    where clock.organization_id = refresh_ticket_clocks.organization_id and clock.ticket_id = refresh_ticket_clocks.ticket_id
  ) as clocks
  where ticket.organization_id = refresh_ticket_clocks.organization_id
    and ticket.id = refresh_ticket_clocks.ticket_id
    and (ticket.next_due_at, ticket.breached) is distinct from (clocks.next_due_at, clocks.breached)
$$;

comment on function app_private.refresh_ticket_clocks(uuid, uuid) is 'Copies the earliest running due time and whether any target was missed to the ticket.';

create or replace function app_private.tg_ticket_events__follow_with_sla_clocks() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
begin
  case NEW.type
    when 'ticket_created' then
      perform app_private.start_sla_clocks(NEW);
    when 'priority_changed' then
      perform app_private.retarget_sla_clocks(NEW);
    when 'status_changed' then
      perform app_private.follow_status_with_sla_clocks(NEW);
    when 'comment_added' then
      if NEW.visibility = 'internal' then
        return null;
      end if;
      select waiting.* into clock
      from app_public.sla_calculations as waiting
      join app_public.tickets as ticket on ticket.organization_id = waiting.organization_id and ticket.id = waiting.ticket_id
      join app_public.users as author on author.organization_id = waiting.organization_id and author.id = NEW.actor_id
      where waiting.organization_id = NEW.organization_id
        and waiting.ticket_id = NEW.ticket_id
        and waiting.kind = 'first_response'
        and waiting.met_at is null
        and author.role <> 'customer'
        and author.id <> ticket.requester_id;
      if not found then
        return null;
      end if;
      perform app_private.meet_sla_clock(clock, NEW.created_at);
    else
      return null;
  end case;

  perform app_private.refresh_ticket_clocks(NEW.organization_id, NEW.ticket_id);
  return null;
end
$$;

comment on function app_private.tg_ticket_events__follow_with_sla_clocks() is 'Moves the clocks of a ticket when something happened to it.';

create or replace trigger _500_follow_with_sla_clocks after insert on app_public.ticket_events
  for each row
  when (NEW.type in ('ticket_created', 'priority_changed', 'status_changed', 'comment_added'))
  execute function app_private.tg_ticket_events__follow_with_sla_clocks();

create or replace function app_private.tg_sla_calculations__schedule() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'record_sla_breach', NEW.organization_id, jsonb_build_object('slaCalculationId', NEW.id),
    run_at => NEW.due_at, job_key => 'record_sla_breach:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_sla_calculations__schedule() is 'Has a job run at the instant a clock is due, when that is soon.';

-- Only what is due within five minutes gets its job here; schedule_sla_breaches does the same each minute for the rest.
-- A job for each clock from the start would cost a third of opening a ticket, and most are met before they are due.
create or replace trigger _900_schedule_on_insert after insert on app_public.sla_calculations
  for each row
  when (NEW.met_at is null and NEW.paused_at is null and NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes')
  execute function app_private.tg_sla_calculations__schedule();

create or replace trigger _900_schedule_on_update after update of due_at, paused_at, met_at on app_public.sla_calculations
  for each row
  when (NEW.met_at is null and NEW.paused_at is null and NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes')
  execute function app_private.tg_sla_calculations__schedule();

-- What the worker calls, with the claims of the organization.

create or replace function app_private.record_sla_breaches(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  late app_public.sla_calculations;
  recorded integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are recorded for one organization at a time';
  end if;

  for late in
    update app_public.sla_calculations as clock
    set breached_at = clock.due_at
    from (
      select due.id
      from app_public.sla_calculations as due
      where due.organization_id = app_hidden.current_organization_id()
        and due.met_at is null and due.paused_at is null and due.breached_at is null
        and due.due_at <= clock_timestamp()
        and (sla_calculation_id is null or due.id = sla_calculation_id)
      order by due.due_at
      limit 1000
      for update skip locked
    ) as overdue
    where clock.organization_id = app_hidden.current_organization_id() and clock.id = overdue.id
    returning clock.*
  loop
    perform app_private.record_sla_event(late, 'sla_breached', late.breached_at);
    perform app_private.refresh_ticket_clocks(late.organization_id, late.ticket_id);
    recorded := recorded + 1;
  end loop;
  return recorded;
end
$$;

comment on function app_private.record_sla_breaches(uuid) is
  'Records the targets of the current organization that are overdue, or one of them, each with the instant it was due, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.schedule_sla_breaches() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  soon app_public.sla_calculations;
  scheduled integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are scheduled for one organization at a time';
  end if;

  for soon in
    select *
    from app_public.sla_calculations as clock
    where clock.organization_id = app_hidden.current_organization_id()
      and clock.met_at is null and clock.paused_at is null and clock.breached_at is null
      and clock.due_at > clock_timestamp()
      and clock.due_at < clock_timestamp() + interval '5 minutes'
  loop
    perform app_private.enqueue(
      'record_sla_breach', soon.organization_id, jsonb_build_object('slaCalculationId', soon.id),
      run_at => soon.due_at, job_key => 'record_sla_breach:' || soon.id
    );
    scheduled := scheduled + 1;
  end loop;
  return scheduled;
end
$$;

comment on function app_private.schedule_sla_breaches() is
  'Gives each clock of the current organization that is due within five minutes its job at that very second, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.start_sla_clocks(app_public.ticket_events), app_private.calendar_of_clock(app_public.sla_calculations),
  app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz),
  app_private.meet_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.resume_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.pause_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.retarget_sla_clocks(app_public.ticket_events), app_private.follow_status_with_sla_clocks(app_public.ticket_events),
  app_private.refresh_ticket_clocks(uuid, uuid), app_private.tg_ticket_events__follow_with_sla_clocks(),
  app_private.tg_sla_calculations__schedule(), app_private.record_sla_breaches(uuid),
  app_private.schedule_sla_breaches()
from public;

grant execute on function app_private.record_sla_breaches(uuid), app_private.schedule_sla_breaches() to atum_worker;

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
-- changes would walk past all of them each time (minutes instead of seconds). In between the heads are kept in a
-- setting that ends with the transaction and is undone with a savepoint, like the links themselves.
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
  heads constant jsonb := coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}');
  head app_private.audit_heads;
  link app_public.audit_log;
begin
  if heads ? append_audit.organization_id::text then
    head.seq := heads -> append_audit.organization_id::text -> 0;
    head.row_hash := heads -> append_audit.organization_id::text ->> 1;
  else
    loop
      select * into head
      from app_private.audit_heads as stored
      where stored.organization_id = append_audit.organization_id
      for update;
      exit when found;
      insert into app_private.audit_heads values (append_audit.organization_id, 0, repeat('0', 64)) on conflict do nothing;
    end loop;
  end if;

  link.organization_id := append_audit.organization_id;
  link.id := app_hidden.uuid_v7();
  link.chain_scope := append_audit.organization_id::text;
  link.seq := head.seq + 1;
  link.recorded_at := clock_timestamp();
  link.actor_id := append_audit.actor_id;
  link.actor_role := app_hidden.acting_role();
  link.ip_address := nullif(current_setting('atum.ip_address', true), '')::inet;
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
    (heads || jsonb_build_object(append_audit.organization_id, jsonb_build_array(link.seq, link.row_hash)))::text,
    true
  );

  if not heads ? append_audit.organization_id::text then
    update app_private.audit_heads as stored
    set seq = link.seq, row_hash = link.row_hash
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
  heads constant jsonb := coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}');
  head constant jsonb := heads -> NEW.organization_id::text;
begin
  if head is null then
    return null;
  end if;

  -- Forgotten first, so that the next link, if there is one, finds the stored head and stores its own again.
  perform set_config('atum.audit_heads', (heads - NEW.organization_id::text)::text, true);

  update app_private.audit_heads
  set seq = (head -> 0)::bigint, row_hash = head ->> 1
  where organization_id = NEW.organization_id and seq <> (head -> 0)::bigint;
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
    where field.value is distinct from old_row -> field.key;

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
    coalesce(whole_row ->> 'id', whole_row ->> 'user_id')::uuid,
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

-- Every tenant table is audited, except the log and two counters that change with every write and are checked by it.
do $$
declare
  audited record;
begin
  for audited in
    select
      tenant.table_name,
      case tenant.table_name
        when 'app_private.user_secrets' then $masked$'password_hash'$masked$
        when 'app_private.sessions' then $masked$'family', 'refresh_token_hash', 'previous_refresh_token_hash'$masked$
        else ''
      end as masked
    from app_private.tenant_tables() as tenant
    where tenant.table_name not in ('app_public.audit_log', 'app_private.audit_heads', 'app_private.ticket_counters')
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
  app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid), app_private.tg_audit_heads__store(),
  app_private.tg__audit(),
  app_private.tg_audit_log__refuse(), app_private.verify_audit_chain_of(uuid), app_private.audit_scopes(),
  app_public.verify_audit_chain()
from public;

grant execute on function app_public.verify_audit_chain() to atum_admin;

--! split: 2000-policies-00-common.sql
-- The queue belongs to the worker, whose login owns nothing: its tables have row-level security and no policies of
-- their own, so grants alone are not enough. Repeated with every upgrade of the queue that adds a table.
do $$
declare
  queue_table record;
begin
  for queue_table in
    select class.oid::regclass as name
    from pg_catalog.pg_class as class
    where class.relnamespace = 'graphile_worker'::regnamespace and class.relkind in ('r', 'p')
  loop
    execute format('drop policy if exists all_worker on %s', queue_table.name);
    execute format('create policy all_worker on %s to atum_worker using (true) with check (true)', queue_table.name);
    execute format('grant select, insert, update, delete on %s to atum_worker', queue_table.name);
  end loop;
end
$$;

grant usage on schema graphile_worker to atum_worker;
grant usage, select on all sequences in schema graphile_worker to atum_worker;
grant execute on all functions in schema graphile_worker to atum_worker;

--! split: 2010-policies-10-organizations.sql
select app_private.reset_access('app_public.organizations');

-- Everybody who is logged in knows the own organization and no other.
create policy select_member on app_public.organizations for select to atum_customer, atum_agent
  using (id = (select app_hidden.current_organization_id()));

grant select on app_public.organizations to atum_customer, atum_agent;

select app_private.reset_access('app_private.ticket_counters');

select app_private.reset_access('app_public.teams');

-- Which team works on what is the business of staff.
create policy select_staff on app_public.teams for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.teams to atum_agent;

select app_private.reset_access('app_public.services');

create policy select_customer on app_public.services for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_staff on app_public.services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.services to atum_customer, atum_agent;

--! split: 2020-policies-20-identity.sql
select app_private.reset_access('app_public.users');

-- Customers see who helps them and themselves, but not each other.
create policy select_customer on app_public.users for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (role <> 'customer' or id = (select app_hidden.current_user_id()))
  );

create policy select_staff on app_public.users for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: by column for customers, because the mail addresses of staff are not theirs to read.
grant select (organization_id, id, name, role) on app_public.users to atum_customer;
grant select on app_public.users to atum_agent;

select app_private.reset_access('app_private.user_secrets');

select app_private.reset_access('app_private.sessions');

select app_private.reset_access('app_public.team_members');

create policy select_staff on app_public.team_members for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.team_members to atum_agent;

--! split: 2030-policies-30-tickets.sql
select app_private.reset_access('app_public.tickets');

-- Customers see the tickets they requested.
create policy select_requester on app_public.tickets for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
  );

-- Customers open tickets for themselves, in their own name, through the portal.
create policy insert_requester on app_public.tickets for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
    and created_by_id = (select app_hidden.current_user_id())
    and channel = 'portal'
  );

create policy select_staff on app_public.tickets for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- Staff open tickets for anybody in the organization, in their own name.
create policy insert_staff on app_public.tickets for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and created_by_id = (select app_hidden.current_user_id())
  );

create policy update_staff on app_public.tickets for update to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.tickets to atum_customer, atum_agent;
grant insert (organization_id, subject, priority, channel, service_id, requester_id, created_by_id, client_mutation_key)
  on app_public.tickets to atum_customer, atum_agent;
grant update (subject, status, priority, service_id, team_id, assignee_id) on app_public.tickets to atum_agent;
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
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: only triggers write events.
grant select on app_public.ticket_events to atum_customer, atum_agent;

--! split: 2032-policies-32-comments.sql
select app_private.reset_access('app_public.comments');

-- Customers read what was said in public on the tickets they see.
create policy select_requester on app_public.comments for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

-- Customers speak in public, in their own name, on the tickets they see.
create policy insert_requester on app_public.comments for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

create policy select_staff on app_public.comments for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- Staff speak in their own name.
create policy insert_staff on app_public.comments for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
  );

grant select on app_public.comments to atum_customer, atum_agent;
grant insert (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  on app_public.comments to atum_customer, atum_agent;
-- NOTE: update and delete are granted to nobody; what was said stays said.

--! split: 2040-policies-40-sla.sql
select app_private.reset_access('app_public.sla_calendars');

create policy select_staff on app_public.sla_calendars for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_calendars to atum_agent;

select app_private.reset_access('app_public.sla_holidays');

create policy select_staff on app_public.sla_holidays for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_holidays to atum_agent;

select app_private.reset_access('app_public.sla_policies');

create policy select_staff on app_public.sla_policies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_policies to atum_agent;

select app_private.reset_access('app_public.sla_targets');

create policy select_staff on app_public.sla_targets for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_targets to atum_agent;

select app_private.reset_access('app_public.sla_calculations');

-- Clocks are the organization's own measure; customers are not shown them.
create policy select_staff on app_public.sla_calculations for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: only triggers and the worker's functions write clocks.
grant select on app_public.sla_calculations to atum_agent;

--! split: 2080-policies-80-audit.sql
select app_private.reset_access('app_public.audit_log');

create policy select_admin on app_public.audit_log for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: only app_private.append_audit writes.
grant select on app_public.audit_log to atum_admin;

select app_private.reset_access('app_private.audit_heads');
