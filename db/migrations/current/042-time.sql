-- Time that was worked on tickets, and the timers that run.

create table app_public.time_activities (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 60),
  is_billable boolean not null default true,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);

comment on table app_public.time_activities is 'The kinds of work that time is recorded for, as the organization calls them.';
comment on column app_public.time_activities.organization_id is 'The organization it belongs to.';
comment on column app_public.time_activities.id is 'Row id.';
comment on column app_public.time_activities.name is '1 to 60 characters, unique in the organization.';
comment on column app_public.time_activities.is_billable is 'Whether time of this kind is billable unless its entry says otherwise.';
comment on column app_public.time_activities.archived_at is 'Since when no time can be recorded for it; entries that have it keep it.';
comment on column app_public.time_activities.created_at is 'When it was made.';
comment on column app_public.time_activities.updated_at is 'When it was last changed.';

create type app_public.time_entry_origin as enum ('manual', 'timer');
comment on type app_public.time_entry_origin is 'How an entry came to be: written down (`manual`) or measured (`timer`).';

create table app_public.time_entries (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  agent_id uuid not null,
  activity_id uuid,
  worked_on date not null check (worked_on >= '2000-01-01'),
  seconds integer not null check (seconds between 0 and 86400),
  started_at timestamptz,
  ended_at timestamptz,
  is_billable boolean not null default true,
  note text not null default '' check (length(note) <= 1000),
  origin app_public.time_entry_origin not null default 'manual',
  is_capped boolean not null default false,
  version integer not null default 1,
  client_mutation_key text check (length(client_mutation_key) between 8 and 64),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, agent_id) references app_public.users,
  foreign key (organization_id, activity_id) references app_public.time_activities,
  check ((started_at is null) = (ended_at is null)),
  check (ended_at >= started_at),
  check (origin = 'manual' or started_at is not null),
  check (not is_capped or origin = 'timer')
);

create unique index time_entries_client_mutation_key_key on app_public.time_entries (organization_id, agent_id, client_mutation_key)
  where client_mutation_key is not null;
create index time_entries_organization_id_ticket_id_idx on app_public.time_entries (organization_id, ticket_id, worked_on);
create index time_entries_organization_id_agent_id_idx on app_public.time_entries (organization_id, agent_id, worked_on);
create index time_entries_organization_id_activity_id_idx on app_public.time_entries (organization_id, activity_id)
  where activity_id is not null;
create index time_entries_organization_id_worked_on_idx on app_public.time_entries (organization_id, worked_on);

comment on table app_public.time_entries is 'Time that somebody worked on a ticket. An entry is corrected, never overwritten in silence: what it said before is one of its corrections.';
comment on column app_public.time_entries.organization_id is 'The organization it belongs to.';
comment on column app_public.time_entries.id is 'Row id.';
comment on column app_public.time_entries.ticket_id is 'The ticket that was worked on.';
comment on column app_public.time_entries.agent_id is 'Who worked.';
comment on column app_public.time_entries.activity_id is 'The kind of work, if it was said.';
comment on column app_public.time_entries.worked_on is 'The day it counts for, in the time zone of the organization. Work over midnight counts for the day it began on.';
comment on column app_public.time_entries.seconds is 'How long, in seconds, at most a day. Zero for an entry that was taken back.';
comment on column app_public.time_entries.started_at is 'When it began, where that is known; as it was measured, also after a correction of `seconds`.';
comment on column app_public.time_entries.ended_at is 'When it ended, where that is known.';
comment on column app_public.time_entries.is_billable is 'Whether it is put on a bill.';
comment on column app_public.time_entries.note is 'What was done, up to 1,000 characters.';
comment on column app_public.time_entries.origin is 'Whether it was written down or measured.';
comment on column app_public.time_entries.is_capped is 'Whether its timer was forgotten, and stopped by itself after a day.';
comment on column app_public.time_entries.version is 'Counts its corrections from one on. Send the number you saw with a correction, and it is refused with VERSION_CONFLICT when somebody else corrected since.';
comment on column app_public.time_entries.client_mutation_key is 'The key of the call that recorded it.';
comment on column app_public.time_entries.created_at is 'When it was recorded.';
comment on column app_public.time_entries.updated_at is 'When it was last corrected.';

create table app_public.time_corrections (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  entry_id uuid not null,
  corrected_by_id uuid,
  reason text not null check (reason ~ '\S' and length(reason) <= 500),
  previous_worked_on date not null,
  previous_seconds integer not null,
  previous_activity_id uuid,
  previous_is_billable boolean not null,
  previous_note text not null,
  corrected_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, entry_id) references app_public.time_entries on delete cascade,
  foreign key (organization_id, corrected_by_id) references app_public.users on delete set null (corrected_by_id),
  foreign key (organization_id, previous_activity_id) references app_public.time_activities
);

create index time_corrections_organization_id_entry_id_idx on app_public.time_corrections (organization_id, entry_id, corrected_at);
create index time_corrections_organization_id_corrected_by_id_idx on app_public.time_corrections (organization_id, corrected_by_id);
create index time_corrections_organization_id_previous_activity_id_idx on app_public.time_corrections (organization_id, previous_activity_id);

comment on table app_public.time_corrections is 'What time entries said before they were corrected, who corrected them, and why.';
comment on column app_public.time_corrections.organization_id is 'The organization it belongs to.';
comment on column app_public.time_corrections.id is 'Row id.';
comment on column app_public.time_corrections.entry_id is 'The entry that was corrected.';
comment on column app_public.time_corrections.corrected_by_id is 'Who corrected it.';
comment on column app_public.time_corrections.reason is 'Why, in 1 to 500 characters.';
comment on column app_public.time_corrections.previous_worked_on is 'The day it counted for before.';
comment on column app_public.time_corrections.previous_seconds is 'How long it was before.';
comment on column app_public.time_corrections.previous_activity_id is 'The kind of work it had before.';
comment on column app_public.time_corrections.previous_is_billable is 'Whether it was billable before.';
comment on column app_public.time_corrections.previous_note is 'What it said before.';
comment on column app_public.time_corrections.corrected_at is 'When.';

create table app_public.running_timers (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  agent_id uuid not null,
  ticket_id uuid not null,
  activity_id uuid,
  is_billable boolean not null default true,
  note text not null default '' check (length(note) <= 1000),
  started_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, agent_id),
  foreign key (organization_id, agent_id) references app_public.users on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, activity_id) references app_public.time_activities
);

create index running_timers_organization_id_ticket_id_idx on app_public.running_timers (organization_id, ticket_id);
create index running_timers_organization_id_activity_id_idx on app_public.running_timers (organization_id, activity_id)
  where activity_id is not null;

comment on table app_public.running_timers is 'The timers that run, at most one for each agent.';
comment on column app_public.running_timers.organization_id is 'The organization it belongs to.';
comment on column app_public.running_timers.id is 'Row id.';
comment on column app_public.running_timers.agent_id is 'Who works.';
comment on column app_public.running_timers.ticket_id is 'The ticket that is worked on.';
comment on column app_public.running_timers.activity_id is 'The kind of work, if it was said.';
comment on column app_public.running_timers.is_billable is 'Whether what it measures is put on a bill.';
comment on column app_public.running_timers.note is 'What is done, up to 1,000 characters.';
comment on column app_public.running_timers.started_at is 'Since when it runs. After 24 hours it stops by itself.';
