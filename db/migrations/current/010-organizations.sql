-- What an organization calls the stages of its work, and how tickets find their agent.

create table app_public.ticket_states (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  kind app_public.ticket_status not null,
  name text check (name ~ '^\S(.*\S)?$' and length(name) <= 40),
  position integer not null default 0,
  is_default boolean not null default false,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, id, kind),
  unique (organization_id, name),
  check (is_default or name is not null),
  check (not is_default or archived_at is null)
);

create unique index ticket_states_default_key on app_public.ticket_states (organization_id, kind) where is_default;

comment on table app_public.ticket_states is 'The stages a ticket can be in, as the organization calls them. Each is of one of six kinds, and each kind has one default.';
comment on column app_public.ticket_states.kind is 'What the stage means for clocks, lists and customers. It never changes.';
comment on column app_public.ticket_states.name is 'What people read; null for a default that is called as its kind is, in the reader''s language.';
comment on column app_public.ticket_states.position is 'The place among the stages of its kind, lowest first.';
comment on column app_public.ticket_states.is_default is 'The stage a ticket gets when only the kind is said.';
comment on column app_public.ticket_states.archived_at is 'Since when no ticket can be put into it; tickets that are in it stay.';

insert into app_public.ticket_states (organization_id, kind, is_default)
select organization.id, kind, true
from app_public.organizations as organization
cross join unnest(enum_range(null::app_public.ticket_status)) as kind;

create table app_public.ticket_settings (
  organization_id uuid not null unique references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  reopen_days integer check (reopen_days between 0 and 3650),
  close_resolved_days integer default 7 check (close_resolved_days between 0 and 3650),
  resolve_pending_days integer check (resolve_pending_days between 1 and 3650),
  undo_send_seconds integer not null default 10 check (undo_send_seconds between 0 and 120),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);

comment on table app_public.ticket_settings is 'How an organization''s tickets end, one row an organization.';
comment on column app_public.ticket_settings.reopen_days is 'For how many days after it was resolved a customer''s answer opens a ticket again; null for as long as it is not closed.';
comment on column app_public.ticket_settings.close_resolved_days is 'After how many days without a word a resolved ticket is closed; null for never.';
comment on column app_public.ticket_settings.resolve_pending_days is 'After how many days without an answer of the customer a pending ticket is resolved; null for never.';
comment on column app_public.ticket_settings.undo_send_seconds is 'For how many seconds a public reply can be taken back before it leaves.';

insert into app_public.ticket_settings (organization_id) select id from app_public.organizations;

create table app_public.tags (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name = lower(name) and name ~ '^\S(.*\S)?$' and length(name) <= 40 and name !~ '[,"]'),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);

comment on table app_public.tags is 'Every tag that was ever put on a ticket, to choose from.';
comment on column app_public.tags.name is '1 to 40 characters in lower case, without commas and quotes.';

create type app_public.assignment_method as enum ('manual', 'round_robin', 'least_loaded');
comment on type app_public.assignment_method is 'How a ticket of a team without an assignee gets one.';

alter table app_public.teams
  add column assignment_method app_public.assignment_method not null default 'manual';

comment on column app_public.teams.assignment_method is 'Who gets a new ticket of the team: nobody (`manual`), whoever waited longest (`round_robin`) or whoever has the fewest open tickets (`least_loaded`); of those who take tickets, have room and know what its service asks for.';

alter table app_public.team_members
  add column takes_tickets boolean not null default true,
  add column capacity integer check (capacity between 0 and 10000),
  add column last_assigned_at timestamptz;

comment on column app_public.team_members.takes_tickets is 'Whether tickets of the team are assigned to this member by themselves.';
comment on column app_public.team_members.capacity is 'How many open tickets this member has at most before no more are assigned by themselves; null for any number.';
comment on column app_public.team_members.last_assigned_at is 'When a ticket of the team was last assigned to this member by itself.';

alter table app_public.users
  add column skills text[] not null default '{}' check (cardinality(skills) <= 50 and array_position(skills, null) is null);

comment on column app_public.users.skills is 'What this agent knows, in the words that services ask for.';

alter table app_public.services
  add column required_skills text[] not null default '{}' check (cardinality(required_skills) <= 20 and array_position(required_skills, null) is null);

comment on column app_public.services.required_skills is 'What an agent must know for tickets of this service to be assigned by themselves.';

comment on column app_public.ticket_states.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_states.id is 'Row id.';
comment on column app_public.ticket_states.created_at is 'When it was made.';
comment on column app_public.ticket_states.updated_at is 'When it was last changed.';
comment on column app_public.ticket_settings.organization_id is 'The organization it is for.';
comment on column app_public.ticket_settings.updated_at is 'When it was last changed.';
comment on column app_public.tags.organization_id is 'The organization it belongs to.';
comment on column app_public.tags.id is 'Row id.';
comment on column app_public.tags.created_at is 'When it was first put on a ticket.';
comment on column app_public.ticket_settings.id is 'Row id.';
