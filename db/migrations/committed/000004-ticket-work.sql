--! Previous: sha1:bcdfb3583eee3400fac0062a75bc183d38cb5fe7
--! Hash: sha1:9e95f186517aa41d21ca6963bc7987baf9194373
--! Message: ticket work

--! split: 010-organizations.sql
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

--! split: 030-tickets.sql
alter table app_public.tickets
  add column state_id uuid,
  add column version integer not null default 1,
  add column tags text[] not null default '{}'
    check (cardinality(tags) <= 30 and array_position(tags, null) is null and array_position(tags, '') is null),
  add column custom_fields jsonb not null default '{}' check (jsonb_typeof(custom_fields) = 'object'),
  add column internal_fields jsonb not null default '{}' check (jsonb_typeof(internal_fields) = 'object'),
  add column snoozed_until timestamptz,
  add column merged_into_id uuid,
  add check (merged_into_id is null or status = 'closed'),
  add check (merged_into_id <> id),
  add foreign key (organization_id, merged_into_id) references app_public.tickets on delete set null (merged_into_id);

-- Not a change of any ticket: what it was called is what it is called.
alter table app_public.tickets disable trigger user;
update app_public.tickets as ticket
set state_id = state.id
from app_public.ticket_states as state
where state.organization_id = ticket.organization_id and state.kind = ticket.status and state.is_default;
alter table app_public.tickets enable trigger user;

alter table app_public.tickets
  alter column state_id set not null,
  add foreign key (organization_id, state_id, status) references app_public.ticket_states (organization_id, id, kind);

create index tickets_organization_id_state_id_idx on app_public.tickets (organization_id, state_id, status);
create index tickets_organization_id_merged_into_id_idx on app_public.tickets (organization_id, merged_into_id)
  where merged_into_id is not null;
create index tickets_organization_id_snoozed_until_idx on app_public.tickets (organization_id, snoozed_until)
  where snoozed_until is not null;

comment on column app_public.tickets.state_id is 'The stage as the organization calls it; always of the kind that `status` says. Set one, and the other follows.';
comment on column app_public.tickets.version is 'Counts the changes of its fields. Send the number you saw with a change, and the change is refused with VERSION_CONFLICT when somebody else saved since.';
comment on column app_public.tickets.tags is 'Up to 30 tags, in lower case and in alphabetical order.';
comment on column app_public.tickets.custom_fields is 'The values of the custom fields that the customer sees, by the key of the field.';
comment on column app_public.tickets.internal_fields is 'The values of the custom fields that only staff sees, by the key of the field.';
comment on column app_public.tickets.snoozed_until is 'Until when it is out of sight of those who work on it; a word of the customer wakes it sooner.';
comment on column app_public.tickets.merged_into_id is 'The ticket in which this one goes on, when it was merged.';

create table app_public.ticket_watchers (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, ticket_id, user_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index ticket_watchers_organization_id_user_id_idx on app_public.ticket_watchers (organization_id, user_id);

comment on table app_public.ticket_watchers is 'Who wants to hear of a ticket besides its requester and assignee.';
comment on column app_public.ticket_watchers.user_id is 'Who watches: somebody who may see the ticket.';

create type app_public.ticket_relationship_kind as enum ('child_of', 'duplicate_of', 'relates_to', 'blocks');
comment on type app_public.ticket_relationship_kind is 'How one ticket stands to another: the first is a child of, a duplicate of, related to, or blocks the second.';

create table app_public.ticket_relationships (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  kind app_public.ticket_relationship_kind not null,
  other_ticket_id uuid not null,
  created_by_id uuid,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, ticket_id, kind, other_ticket_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, other_ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, created_by_id) references app_public.users on delete set null (created_by_id),
  check (ticket_id <> other_ticket_id),
  -- A pair that is related is told once, whichever was named first.
  check (kind <> 'relates_to' or ticket_id < other_ticket_id)
);

create unique index ticket_relationships_one_parent_key on app_public.ticket_relationships (organization_id, ticket_id, kind)
  where kind in ('child_of', 'duplicate_of');
create index ticket_relationships_organization_id_other_ticket_id_idx on app_public.ticket_relationships (organization_id, other_ticket_id, kind);
create index ticket_relationships_organization_id_created_by_id_idx on app_public.ticket_relationships (organization_id, created_by_id);

comment on table app_public.ticket_relationships is 'How tickets stand to each other.';
comment on column app_public.ticket_relationships.ticket_id is 'The first of the two: the child, the duplicate, the one that blocks.';
comment on column app_public.ticket_relationships.kind is 'What the first is to the second.';
comment on column app_public.ticket_relationships.other_ticket_id is 'The second of the two: the parent, the original, the one that is blocked.';

create table app_public.ticket_merges (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  source_ticket_id uuid not null,
  target_ticket_id uuid not null,
  source_state_id uuid not null,
  source_snoozed_until timestamptz,
  moved_comment_ids uuid[] not null default '{}',
  moved_event_ids uuid[] not null default '{}',
  moved_time_entry_ids uuid[] not null default '{}',
  added_watcher_ids uuid[] not null default '{}',
  merged_by_id uuid,
  merged_at timestamptz not null default now(),
  undone_by_id uuid,
  undone_at timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, source_ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, target_ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, source_state_id) references app_public.ticket_states,
  foreign key (organization_id, merged_by_id) references app_public.users on delete set null (merged_by_id),
  foreign key (organization_id, undone_by_id) references app_public.users on delete set null (undone_by_id)
);

create unique index ticket_merges_standing_key on app_public.ticket_merges (organization_id, source_ticket_id) where undone_at is null;
create index ticket_merges_organization_id_source_ticket_id_idx on app_public.ticket_merges (organization_id, source_ticket_id);
create index ticket_merges_organization_id_target_ticket_id_idx on app_public.ticket_merges (organization_id, target_ticket_id);
create index ticket_merges_organization_id_source_state_id_idx on app_public.ticket_merges (organization_id, source_state_id);
create index ticket_merges_organization_id_merged_by_id_idx on app_public.ticket_merges (organization_id, merged_by_id);
create index ticket_merges_organization_id_undone_by_id_idx on app_public.ticket_merges (organization_id, undone_by_id);

comment on table app_public.ticket_merges is 'What each merge moved from one ticket to another, so that it can be undone.';
comment on column app_public.ticket_merges.source_ticket_id is 'The ticket that was closed and points to the other.';
comment on column app_public.ticket_merges.target_ticket_id is 'The ticket in which the work goes on.';
comment on column app_public.ticket_merges.source_state_id is 'The stage the source was in before.';
comment on column app_public.ticket_merges.source_snoozed_until is 'Until when the source was snoozed before.';
comment on column app_public.ticket_merges.moved_comment_ids is 'The comments that were moved.';
comment on column app_public.ticket_merges.moved_event_ids is 'The events that were moved with the comments.';
comment on column app_public.ticket_merges.moved_time_entry_ids is 'The time entries that were moved.';
comment on column app_public.ticket_merges.added_watcher_ids is 'The people who became watchers of the target by it.';
comment on column app_public.ticket_merges.undone_at is 'When it was undone; null while it stands.';

-- Who did something that no person did: an automation, a promise that was broken.
alter table app_public.ticket_events add column actor_name text check (length(actor_name) between 1 and 120);
comment on column app_public.ticket_events.actor_name is 'The name of what did it, such as an automation, when no person did.';

alter table app_public.comments add column author_name text check (length(author_name) between 1 and 120);
comment on column app_public.comments.author_name is 'The name of what said it, such as an automation, when no person did.';

create table app_public.comment_mentions (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  comment_id uuid not null,
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, comment_id, user_id),
  foreign key (organization_id, comment_id) references app_public.comments on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index comment_mentions_organization_id_user_id_idx on app_public.comment_mentions (organization_id, user_id, created_at);

comment on table app_public.comment_mentions is 'Who was called by name in a comment.';
comment on column app_public.comment_mentions.user_id is 'Who was mentioned: staff who may see the ticket.';

-- Their arguments changed.
drop function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text);
drop function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text);

-- How much each agent has in hand, and what waits for whom: a twentieth of all tickets.
create index tickets_organization_id_assignee_id_in_hand_idx on app_public.tickets (organization_id, assignee_id)
  where status in ('new', 'open');

comment on column app_public.ticket_watchers.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_watchers.id is 'Row id.';
comment on column app_public.ticket_watchers.ticket_id is 'The ticket that is watched.';
comment on column app_public.ticket_watchers.created_at is 'Since when.';
comment on column app_public.ticket_relationships.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_relationships.id is 'Row id.';
comment on column app_public.ticket_relationships.created_by_id is 'Who said so.';
comment on column app_public.ticket_relationships.created_at is 'When it was said.';
comment on column app_public.ticket_merges.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_merges.id is 'Row id.';
comment on column app_public.ticket_merges.merged_by_id is 'Who merged them.';
comment on column app_public.ticket_merges.merged_at is 'When they were merged.';
comment on column app_public.ticket_merges.undone_by_id is 'Who took it back.';
comment on column app_public.comment_mentions.organization_id is 'The organization it belongs to.';
comment on column app_public.comment_mentions.id is 'Row id.';
comment on column app_public.comment_mentions.comment_id is 'The comment that mentions them.';
comment on column app_public.comment_mentions.created_at is 'When it was said.';

--! split: 037-views.sql
-- Saved views, and the indexes of what is being worked on: a twentieth of all tickets. Their predicates stand in for
-- conditions on the status, which under row-level security no index is asked for: comparing enums is not leakproof.

create index tickets_working_updated_at_idx on app_public.tickets (organization_id, updated_at, id)
  where status in ('new', 'open', 'pending', 'on_hold');
create index tickets_working_assignee_id_idx on app_public.tickets (organization_id, assignee_id, updated_at, id)
  where status in ('new', 'open', 'pending', 'on_hold');
-- What is null is no equality, by which an order could go on.
create index tickets_working_unassigned_idx on app_public.tickets (organization_id, updated_at, id)
  where status in ('new', 'open', 'pending', 'on_hold') and assignee_id is null;
create index tickets_working_team_id_idx on app_public.tickets (organization_id, team_id, updated_at, id)
  where status in ('new', 'open', 'pending', 'on_hold');
create index tickets_working_next_due_at_idx on app_public.tickets (organization_id, next_due_at, id)
  where status in ('new', 'open', 'pending', 'on_hold');
create index tickets_working_breached_idx on app_public.tickets (organization_id, updated_at, id)
  where status in ('new', 'open', 'pending', 'on_hold') and breached;
create index tickets_open_idx on app_public.tickets (organization_id, updated_at, id) where status in ('new', 'open');
create index tickets_waiting_idx on app_public.tickets (organization_id, updated_at, id) where status in ('pending', 'on_hold');
create index tickets_resolved_idx on app_public.tickets (organization_id, updated_at, id) where status = 'resolved';

alter type app_public.inbox_counts
  add attribute breaching integer,
  add attribute snoozed integer;

create type app_public.ticket_view_visibility as enum ('personal', 'team', 'shared');
comment on type app_public.ticket_view_visibility is 'Who has a view in the inbox: its owner (`personal`), the members of a team (`team`), or all staff (`shared`).';

create type app_public.ticket_sort as enum ('updated', 'created', 'due', 'priority');
comment on type app_public.ticket_sort is 'By what tickets are put in order: their last change, their number, their next due time, or their priority and among those the last change.';

create type app_public.sort_direction as enum ('ascending', 'descending');
comment on type app_public.sort_direction is 'Which way an order goes.';

create table app_public.ticket_views (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 60),
  visibility app_public.ticket_view_visibility not null default 'personal',
  owner_id uuid,
  team_id uuid,
  conditions jsonb not null default '{}' check (jsonb_typeof(conditions) = 'object' and length(conditions::text) <= 20000),
  columns text[] not null default '{reference,subject,status,priority,assignee,team,due,updated}'
    check (cardinality(columns) between 1 and 20 and array_position(columns, null) is null),
  sort app_public.ticket_sort not null default 'updated',
  direction app_public.sort_direction not null default 'descending',
  position integer not null default 0 check (position between 0 and 100000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, owner_id) references app_public.users on delete cascade,
  foreign key (organization_id, team_id) references app_public.teams on delete cascade,
  check ((visibility = 'personal') = (owner_id is not null)),
  check ((visibility = 'team') = (team_id is not null))
);

create index ticket_views_organization_id_owner_id_idx on app_public.ticket_views (organization_id, owner_id);
create index ticket_views_organization_id_team_id_idx on app_public.ticket_views (organization_id, team_id);
create index ticket_views_organization_id_position_idx on app_public.ticket_views (organization_id, position, id);

comment on table app_public.ticket_views is 'A question about tickets that somebody keeps in the inbox: conditions, columns and order.';
comment on column app_public.ticket_views.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_views.id is 'Row id.';
comment on column app_public.ticket_views.name is '1 to 60 characters.';
comment on column app_public.ticket_views.visibility is 'Who has it in the inbox.';
comment on column app_public.ticket_views.owner_id is 'Whose it is, when it is personal.';
comment on column app_public.ticket_views.team_id is 'Whose it is, when it is of a team.';
comment on column app_public.ticket_views.conditions is 'Which tickets: `{"all": […], "any": […]}`, both optional, at most 20 in all, each `{"field", "operator", "value"}` as the documentation of conditions has them. Snoozed tickets are left out unless a condition is about snoozing.';
comment on column app_public.ticket_views.columns is 'What is shown of each, in order: reference, subject, status, priority, requester, company, assignee, team, service, tags, due, created, updated, and `custom_fields.key`.';
comment on column app_public.ticket_views.sort is 'By what they are put in order.';
comment on column app_public.ticket_views.direction is 'Which way.';
comment on column app_public.ticket_views.position is 'The place among the views, lowest first.';
comment on column app_public.ticket_views.created_at is 'When it was saved first.';
comment on column app_public.ticket_views.updated_at is 'When it was last changed.';

--! split: 040-sla.sql
-- One walk took its place.
drop function app_hidden.business_open(jsonb, tstzrange);

-- Which tickets a policy is for took its place.
drop function app_private.retarget_sla_clocks(app_public.ticket_events);

comment on type app_public.sla_target_kind is
  'What is promised: `first_response` the first public answer of staff, `next_response` the answer to what the customer said since, `resolution` the end of the ticket.';

alter table app_public.sla_holidays
  add column held_until date,
  add column repeats_yearly boolean not null default false,
  add column shut_from text check (shut_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  add column shut_until text check (shut_until ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'),
  add check (held_until >= held_on),
  add check (not repeats_yearly or held_until < held_on + 365),
  add check ((shut_from is null) = (shut_until is null)),
  add check (shut_from < shut_until),
  add check (shut_from is null or held_until is null);

comment on table app_public.sla_holidays is 'A day, a span of days, or a part of a day in which a calendar is shut.';
comment on column app_public.sla_holidays.held_on is 'The local date, or the first of several.';
comment on column app_public.sla_holidays.held_until is 'The last local date, when it is more than one day.';
comment on column app_public.sla_holidays.repeats_yearly is 'Whether it is held on these days of every year. The 29th of February is held in the years that have one.';
comment on column app_public.sla_holidays.shut_from is 'From when on that day it is shut, when it is a part of a day: a local time, `12:00`.';
comment on column app_public.sla_holidays.shut_until is 'Until when on that day it is shut: a local time, `24:00` for the end of the day.';

alter table app_public.sla_policies
  add column priorities app_public.ticket_priority[] not null default '{}' check (array_position(priorities, null) is null and cardinality(priorities) <= 100),
  add column service_ids uuid[] not null default '{}' check (array_position(service_ids, null) is null and cardinality(service_ids) <= 100),
  add column team_ids uuid[] not null default '{}' check (array_position(team_ids, null) is null and cardinality(team_ids) <= 100),
  add column company_ids uuid[] not null default '{}' check (array_position(company_ids, null) is null and cardinality(company_ids) <= 100),
  add column channels app_public.ticket_channel[] not null default '{}' check (array_position(channels, null) is null and cardinality(channels) <= 100),
  add column tags text[] not null default '{}' check (array_position(tags, null) is null and cardinality(tags) <= 100);

comment on table app_public.sla_policies is
  'A set of promises, the calendar they are counted on, and the tickets they are made for. Of those that are not archived, the first by position whose conditions a ticket meets applies to it. A condition that is empty is met by every ticket; of one that is not, any entry will do.';
comment on column app_public.sla_policies.priorities is 'The priorities it is for; empty for any.';
comment on column app_public.sla_policies.service_ids is 'The services it is for; empty for any.';
comment on column app_public.sla_policies.team_ids is 'The teams it is for; empty for any.';
comment on column app_public.sla_policies.company_ids is 'The companies whose tickets it is for; empty for any.';
comment on column app_public.sla_policies.channels is 'The channels it is for; empty for any.';
comment on column app_public.sla_policies.tags is 'It is for tickets with any of these tags; empty for any.';

create table app_public.sla_escalations (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  policy_id uuid not null,
  kind app_public.sla_target_kind not null,
  offset_seconds bigint not null check (abs(offset_seconds) <= 31536000),
  actions jsonb not null check (jsonb_typeof(actions) = 'array'),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, policy_id, kind, offset_seconds),
  foreign key (organization_id, policy_id) references app_public.sla_policies on delete cascade
);

comment on table app_public.sla_escalations is 'What a policy does by itself as a promise comes near or is broken: warnings before the due instant, levels at and after it. Each fires once for a clock.';
comment on column app_public.sla_escalations.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_escalations.id is 'Row id.';
comment on column app_public.sla_escalations.policy_id is 'The policy.';
comment on column app_public.sla_escalations.kind is 'The promise it watches.';
comment on column app_public.sla_escalations.offset_seconds is 'When, in seconds of working time from the due instant: negative before it, zero or more at and after it.';
comment on column app_public.sla_escalations.actions is 'What is done to the ticket, in the name of the policy: a list of the actions that `bulkUpdateTickets` takes. Empty when the event alone is wanted.';
comment on column app_public.sla_escalations.created_at is 'When it was made.';

alter table app_public.sla_calculations
  add column left_at timestamptz,
  add column escalates_at timestamptz,
  add column fired_escalation_ids uuid[] not null default '{}',
  add check (left_at is null or paused_at is not null);

-- What the sweep reads: clocks with a warning or a level to come.
create index sla_calculations_organization_id_escalates_at_idx on app_public.sla_calculations (organization_id, escalates_at)
  where escalates_at is not null;

comment on column app_public.sla_calculations.left_at is 'Since when the ticket is out of it, because it was merged into another one; the clock stands still, and nothing is met or broken.';
comment on column app_public.sla_calculations.escalates_at is 'When the next warning or level of escalation is due; empty when there is none, and while the clock stands still.';
comment on column app_public.sla_calculations.fired_escalation_ids is 'The warnings and levels that have fired.';

create table app_public.sla_recomputations (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  requested_by_id uuid,
  total integer not null default 0 check (total >= 0),
  done integer not null default 0 check (done >= 0),
  reached uuid,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, requested_by_id) references app_public.users on delete set null (requested_by_id),
  check (finished_at is null or started_at is not null)
);

create index sla_recomputations_organization_id_requested_by_id_idx on app_public.sla_recomputations (organization_id, requested_by_id);
-- Changes that come before the work begins are one work.
create unique index sla_recomputations_waiting_key on app_public.sla_recomputations (organization_id) where started_at is null;

comment on table app_public.sla_recomputations is 'Counting the open tickets again after a calendar or a policy was changed, in the background.';
comment on column app_public.sla_recomputations.organization_id is 'The organization it belongs to.';
comment on column app_public.sla_recomputations.id is 'Row id.';
comment on column app_public.sla_recomputations.requested_by_id is 'Whose change it follows from.';
comment on column app_public.sla_recomputations.total is 'How many tickets there are to look at.';
comment on column app_public.sla_recomputations.done is 'How many were looked at.';
comment on column app_public.sla_recomputations.reached is 'The last ticket that was looked at; they are taken in the order of their ids.';
comment on column app_public.sla_recomputations.created_at is 'When the change was made.';
comment on column app_public.sla_recomputations.started_at is 'When the work began; empty until then.';
comment on column app_public.sla_recomputations.finished_at is 'When the last ticket was done; empty until then.';

--! split: 042-time.sql
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

--! split: 044-custom-fields.sql
-- What an organization asks about a ticket besides what every desk asks.

create type app_public.custom_field_type as enum ('text', 'number', 'boolean', 'date', 'select', 'multi_select', 'user', 'url');
comment on type app_public.custom_field_type is 'What a field holds, as JSON: a text, a number, true or false, a date as "2026-07-31", the key of one option, a list of keys of options, the row id of a person, an http or https address.';

create type app_public.custom_field_requirement as enum ('never', 'creating', 'resolving');
comment on type app_public.custom_field_requirement is 'When a field must have a value: never, when somebody opens a ticket, or when it is resolved.';

create table app_public.custom_fields (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  type app_public.custom_field_type not null,
  label text not null check (label ~ '\S' and length(label) <= 80),
  help text check (help ~ '\S' and length(help) <= 500),
  seen_by_customers boolean not null default false,
  set_by_customers boolean not null default false,
  required_when app_public.custom_field_requirement not null default 'never',
  minimum double precision check (abs(minimum) < 1e15),
  maximum double precision check (abs(maximum) < 1e15),
  max_length integer check (max_length between 1 and 5000),
  visible_when_field text,
  visible_when_values text[] not null default '{}'
    check (cardinality(visible_when_values) <= 50 and array_position(visible_when_values, null) is null),
  position integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, key),
  foreign key (organization_id, visible_when_field) references app_public.custom_fields (organization_id, key),
  -- Customers do not know who there is to choose from.
  check (not set_by_customers or (seen_by_customers and type <> 'user')),
  check (type = 'number' or (minimum is null and maximum is null)),
  check (minimum <= maximum),
  check (type in ('text', 'url') or max_length is null),
  check ((visible_when_field is null) = (visible_when_values = '{}')),
  check (visible_when_field <> key)
);

create index custom_fields_organization_id_position_idx on app_public.custom_fields (organization_id, position);
create index custom_fields_organization_id_visible_when_field_idx on app_public.custom_fields (organization_id, visible_when_field);

comment on table app_public.custom_fields is 'The fields an organization added to its tickets. Customers know of those they see, and of no other.';
comment on column app_public.custom_fields.organization_id is 'The organization it belongs to.';
comment on column app_public.custom_fields.id is 'Row id.';
comment on column app_public.custom_fields.key is 'The name of its value in `customFields` and `internalFields` of a ticket: 1 to 40 lower-case letters, digits and underscores. It never changes.';
comment on column app_public.custom_fields.type is 'What it holds. It never changes.';
comment on column app_public.custom_fields.label is 'What people read; 1 to 80 characters.';
comment on column app_public.custom_fields.help is 'What stands beneath it in a form; up to 500 characters.';
comment on column app_public.custom_fields.seen_by_customers is 'Whether customers see its value, which is then in `customFields`; otherwise it is in `internalFields`. It never changes.';
comment on column app_public.custom_fields.set_by_customers is 'Whether customers fill it in when they open a ticket.';
comment on column app_public.custom_fields.required_when is 'When it must have a value, on tickets that ask for it. Of customers only what they fill in is demanded.';
comment on column app_public.custom_fields.minimum is 'The least number it may hold; null for any.';
comment on column app_public.custom_fields.maximum is 'The greatest number it may hold; null for any.';
comment on column app_public.custom_fields.max_length is 'How many characters a text or an address may have, up to 5,000; null for 1,000 of a text and 2,000 of an address.';
comment on column app_public.custom_fields.visible_when_field is 'The key of the field that decides whether this one is asked for: a boolean, a select or a multi_select. Null for always.';
comment on column app_public.custom_fields.visible_when_values is 'The values of that field with which this one is asked for: keys of options, or `true` and `false`.';
comment on column app_public.custom_fields.position is 'The place among the fields, lowest first.';
comment on column app_public.custom_fields.archived_at is 'Since when it is no longer asked for. The values that tickets have stay, and cannot be changed.';
comment on column app_public.custom_fields.created_at is 'When it was made.';
comment on column app_public.custom_fields.updated_at is 'When it was last changed.';

create table app_public.custom_field_options (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  field_id uuid not null,
  key text not null check (key ~ '^[a-z0-9][a-z0-9_]{0,39}$'),
  label text not null check (label ~ '\S' and length(label) <= 80),
  position integer not null default 0,
  archived_at timestamptz,
  primary key (organization_id, id),
  unique (organization_id, field_id, key),
  foreign key (organization_id, field_id) references app_public.custom_fields on delete cascade
);

comment on table app_public.custom_field_options is 'What there is to choose from in a select or multi_select field.';
comment on column app_public.custom_field_options.organization_id is 'The organization it belongs to.';
comment on column app_public.custom_field_options.id is 'Row id.';
comment on column app_public.custom_field_options.field_id is 'The field it is an option of.';
comment on column app_public.custom_field_options.key is 'What tickets hold: 1 to 40 lower-case letters, digits and underscores. It never changes.';
comment on column app_public.custom_field_options.label is 'What people read; 1 to 80 characters.';
comment on column app_public.custom_field_options.position is 'The place among the options, lowest first.';
comment on column app_public.custom_field_options.archived_at is 'Since when it can no longer be chosen; tickets that have it keep it.';

create table app_public.custom_field_services (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  field_id uuid not null,
  service_id uuid not null,
  primary key (organization_id, id),
  unique (organization_id, field_id, service_id),
  foreign key (organization_id, field_id) references app_public.custom_fields on delete cascade,
  foreign key (organization_id, service_id) references app_public.services on delete cascade
);

create index custom_field_services_organization_id_service_id_idx on app_public.custom_field_services (organization_id, service_id);

comment on table app_public.custom_field_services is 'Which services ask for a field. One that has none here is asked for on every ticket.';
comment on column app_public.custom_field_services.organization_id is 'The organization it belongs to.';
comment on column app_public.custom_field_services.id is 'Row id.';
comment on column app_public.custom_field_services.field_id is 'The field.';
comment on column app_public.custom_field_services.service_id is 'A service whose tickets ask for it.';

-- NOTE: no index serves the values. The operators of jsonb are not leakproof, so that row-level security keeps every
-- role, the owner too, from using one. Conditions look at the rows that the index of a list yields, and search finds the
-- words of values in its documents.
comment on column app_public.tickets.custom_fields is 'The values of the custom fields that the customer sees, by the key of the field. What is written is laid over what is there, and null takes a value out; staff may give the values of internal fields here as well.';
comment on column app_public.tickets.internal_fields is 'The values of the custom fields that only staff sees, by the key of the field. What is written is laid over what is there, and null takes a value out.';

--! split: 045-approvals.sql
-- Who says yes, what is still to be done, and tickets that begin the same way.

alter table app_public.users
  add column manages_company boolean not null default false;

comment on column app_public.users.manages_company is 'Whether this person, as a customer, decides for the own company and may be asked for approval of its tickets.';

create type app_public.approval_rule as enum ('all', 'any');
comment on type app_public.approval_rule is 'Whose yes it takes: that of all who are asked, or of any one of them.';

create type app_public.approval_state as enum ('pending', 'approved', 'declined', 'cancelled');
comment on type app_public.approval_state is 'What became of a question for approval.';

create type app_public.approval_decision as enum ('approved', 'declined');
comment on type app_public.approval_decision is 'What somebody who was asked said.';

create table app_public.ticket_approvals (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  ticket_reference text not null,
  question text not null check (question ~ '\S' and length(question) <= 2000),
  rule app_public.approval_rule not null default 'all',
  state app_public.approval_state not null default 'pending',
  requested_by_id uuid,
  requested_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, requested_by_id) references app_public.users on delete set null (requested_by_id),
  check ((state = 'pending') = (ended_at is null))
);

create index ticket_approvals_organization_id_ticket_id_idx on app_public.ticket_approvals (organization_id, ticket_id, requested_at);
create index ticket_approvals_organization_id_requested_by_id_idx on app_public.ticket_approvals (organization_id, requested_by_id);

comment on table app_public.ticket_approvals is 'Questions for approval on tickets. Staff reads those of the tickets it sees; a customer those the customer is asked in.';
comment on column app_public.ticket_approvals.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_approvals.id is 'Row id.';
comment on column app_public.ticket_approvals.ticket_id is 'The ticket it is about.';
comment on column app_public.ticket_approvals.ticket_reference is 'The reference of the ticket, for whoever is asked and does not see the ticket itself.';
comment on column app_public.ticket_approvals.question is 'What is to be approved, 1 to 2,000 characters: all that whoever is asked needs to know.';
comment on column app_public.ticket_approvals.rule is 'Whose yes it takes.';
comment on column app_public.ticket_approvals.state is 'What became of it.';
comment on column app_public.ticket_approvals.requested_by_id is 'Who asked.';
comment on column app_public.ticket_approvals.requested_at is 'When it was asked.';
comment on column app_public.ticket_approvals.ended_at is 'When it was decided or cancelled; null while it is pending.';

create table app_public.ticket_approvers (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  approval_id uuid not null,
  user_id uuid not null,
  decision app_public.approval_decision,
  note text check (length(note) <= 2000),
  decided_at timestamptz,
  primary key (organization_id, id),
  unique (organization_id, approval_id, user_id),
  foreign key (organization_id, approval_id) references app_public.ticket_approvals on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade,
  check ((decision is null) = (decided_at is null)),
  check (note is null or decision is not null)
);

create index ticket_approvers_organization_id_user_id_idx on app_public.ticket_approvers (organization_id, user_id, decision);

comment on table app_public.ticket_approvers is 'Who is asked for an approval, and what they said. A customer reads only the own answer.';
comment on column app_public.ticket_approvers.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_approvers.id is 'Row id.';
comment on column app_public.ticket_approvers.approval_id is 'The question.';
comment on column app_public.ticket_approvers.user_id is 'Who is asked.';
comment on column app_public.ticket_approvers.decision is 'The answer; null while there is none.';
comment on column app_public.ticket_approvers.note is 'What was said with the answer, up to 2,000 characters.';
comment on column app_public.ticket_approvers.decided_at is 'When it was answered.';

create table app_public.checklist_items (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  position integer not null,
  text text not null check (text ~ '\S' and length(text) <= 500),
  done_at timestamptz,
  done_by_id uuid,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, done_by_id) references app_public.users on delete set null (done_by_id),
  check (done_by_id is null or done_at is not null)
);

create index checklist_items_organization_id_ticket_id_idx on app_public.checklist_items (organization_id, ticket_id, position, id);
create index checklist_items_organization_id_done_by_id_idx on app_public.checklist_items (organization_id, done_by_id);

comment on table app_public.checklist_items is 'What is to be done on a ticket, step by step. Staff only.';
comment on column app_public.checklist_items.organization_id is 'The organization it belongs to.';
comment on column app_public.checklist_items.id is 'Row id.';
comment on column app_public.checklist_items.ticket_id is 'The ticket it is on.';
comment on column app_public.checklist_items.position is 'The place in the list, lowest first.';
comment on column app_public.checklist_items.text is 'What is to be done, 1 to 500 characters.';
comment on column app_public.checklist_items.done_at is 'When it was ticked off; null while it is to be done.';
comment on column app_public.checklist_items.done_by_id is 'Who ticked it off.';
comment on column app_public.checklist_items.created_at is 'When it was added.';

create table app_public.ticket_templates (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 80),
  seen_by_customers boolean not null default false,
  subject text check (length(subject) <= 200),
  body text check (octet_length(body) <= 65536),
  priority app_public.ticket_priority not null default 'normal',
  service_id uuid,
  tags text[] not null default '{}' check (cardinality(tags) <= 30 and array_position(tags, null) is null),
  custom_fields jsonb not null default '{}' check (jsonb_typeof(custom_fields) = 'object'),
  checklist text[] not null default '{}' check (cardinality(checklist) <= 100 and array_position(checklist, null) is null),
  position integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, service_id) references app_public.services on delete set null (service_id)
);

create index ticket_templates_organization_id_service_id_idx on app_public.ticket_templates (organization_id, service_id);
create index ticket_templates_organization_id_position_idx on app_public.ticket_templates (organization_id, position, id);

comment on table app_public.ticket_templates is 'Tickets that begin the same way.';
comment on column app_public.ticket_templates.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_templates.id is 'Row id.';
comment on column app_public.ticket_templates.name is 'What people choose it by.';
comment on column app_public.ticket_templates.seen_by_customers is 'Whether customers may begin with it too.';
comment on column app_public.ticket_templates.subject is 'The subject to begin with.';
comment on column app_public.ticket_templates.body is 'The description to begin with, plain text.';
comment on column app_public.ticket_templates.priority is 'The priority of its tickets.';
comment on column app_public.ticket_templates.service_id is 'The service of its tickets.';
comment on column app_public.ticket_templates.tags is 'The tags of its tickets. Customers do not read them.';
comment on column app_public.ticket_templates.custom_fields is 'Values of custom fields by key. Customers do not read them.';
comment on column app_public.ticket_templates.checklist is 'The steps its tickets have to go through. Customers do not read them.';
comment on column app_public.ticket_templates.position is 'The place among the templates, lowest first.';
comment on column app_public.ticket_templates.archived_at is 'Since when nobody begins with it.';
comment on column app_public.ticket_templates.created_at is 'When it was made.';
comment on column app_public.ticket_templates.updated_at is 'When it was last changed.';

--! split: 046-canned-responses.sql
-- What agents prepare once and use often: texts, and lists of actions.

create type app_public.canned_visibility as enum ('personal', 'team', 'shared');
comment on type app_public.canned_visibility is 'For whom something was prepared: its owner, the agents of a team, or all agents.';

create table app_public.canned_responses (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  folder text not null default '' check (folder ~ '^([^/\s]([^/\n\r]*[^/\s])?(/[^/\s]([^/\n\r]*[^/\s])?)*)?$' and length(folder) <= 200),
  title text not null check (title ~ '^\S([^\n\r]*\S)?$' and length(title) <= 120),
  body text not null check (body ~ '\S' and octet_length(body) <= 65536),
  visibility app_public.canned_visibility not null default 'personal',
  owner_id uuid,
  team_id uuid,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, owner_id) references app_public.users on delete cascade,
  foreign key (organization_id, team_id) references app_public.teams on delete cascade,
  check ((visibility = 'personal') = (owner_id is not null)),
  check ((visibility = 'team') = (team_id is not null))
);

create index canned_responses_organization_id_folder_title_idx on app_public.canned_responses (organization_id, folder, title);
create index canned_responses_organization_id_owner_id_idx on app_public.canned_responses (organization_id, owner_id)
  where owner_id is not null;
create index canned_responses_organization_id_team_id_idx on app_public.canned_responses (organization_id, team_id)
  where team_id is not null;

comment on table app_public.canned_responses is 'Texts that agents write once and send often.';
comment on column app_public.canned_responses.organization_id is 'The organization it belongs to.';
comment on column app_public.canned_responses.id is 'Row id.';
comment on column app_public.canned_responses.folder is 'Where it is kept, as a path such as `Billing/Refunds`, up to 200 characters; empty for none.';
comment on column app_public.canned_responses.title is 'What it is found by, 1 to 120 characters.';
comment on column app_public.canned_responses.body is 'The text, 1 to 65,536 bytes, with variables such as {{requester.first_name}} in it.';
comment on column app_public.canned_responses.visibility is 'Who may use it.';
comment on column app_public.canned_responses.owner_id is 'Whose it is when it is personal, otherwise null.';
comment on column app_public.canned_responses.team_id is 'Whose agents use it when it is a team''s, otherwise null. It goes with the team.';
comment on column app_public.canned_responses.archived_at is 'Since when it is no longer offered; null while it is.';
comment on column app_public.canned_responses.created_at is 'When it was made.';
comment on column app_public.canned_responses.updated_at is 'When it was last changed; being used is no change.';

-- Counted beside it and not in it: a use is no change of the text, and not a fact that the audit log must hold.
create table app_private.canned_response_uses (
  organization_id uuid not null,
  canned_response_id uuid not null,
  user_id uuid not null,
  month date not null,
  uses integer not null default 1,
  primary key (organization_id, canned_response_id, user_id, month),
  foreign key (organization_id, canned_response_id) references app_public.canned_responses on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index canned_response_uses_organization_id_user_id_idx on app_private.canned_response_uses (organization_id, user_id);

comment on table app_private.canned_response_uses is 'How often each agent used a canned response in a month.';

create table app_public.macros (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '^\S([^\n\r]*\S)?$' and length(name) <= 120),
  description text check (description ~ '\S' and length(description) <= 500),
  actions jsonb not null check (jsonb_typeof(actions) = 'array' and actions <> '[]'),
  visibility app_public.canned_visibility not null default 'personal',
  owner_id uuid,
  team_id uuid,
  position integer not null default 0,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, owner_id) references app_public.users on delete cascade,
  foreign key (organization_id, team_id) references app_public.teams on delete cascade,
  check ((visibility = 'personal') = (owner_id is not null)),
  check ((visibility = 'team') = (team_id is not null))
);

create index macros_organization_id_position_name_idx on app_public.macros (organization_id, position, name);
create index macros_organization_id_owner_id_idx on app_public.macros (organization_id, owner_id) where owner_id is not null;
create index macros_organization_id_team_id_idx on app_public.macros (organization_id, team_id) where team_id is not null;

comment on table app_public.macros is 'Several actions, a reply among them, that agents do to a ticket at once.';
comment on column app_public.macros.organization_id is 'The organization it belongs to.';
comment on column app_public.macros.id is 'Row id.';
comment on column app_public.macros.name is 'What it is called, 1 to 120 characters.';
comment on column app_public.macros.description is 'When to use it, up to 500 characters.';
comment on column app_public.macros.actions is 'What it does: 1 to 20 actions in the shape that `bulkUpdateTickets` takes.';
comment on column app_public.macros.visibility is 'Who may use it.';
comment on column app_public.macros.owner_id is 'Whose it is when it is personal, otherwise null.';
comment on column app_public.macros.team_id is 'Whose agents use it when it is a team''s, otherwise null. It goes with the team.';
comment on column app_public.macros.position is 'The place in the menu, lowest first.';
comment on column app_public.macros.archived_at is 'Since when it is no longer offered; null while it is.';
comment on column app_public.macros.created_at is 'When it was made.';
comment on column app_public.macros.updated_at is 'When it was last changed; being used is no change.';

create table app_private.macro_uses (
  organization_id uuid not null,
  macro_id uuid not null,
  user_id uuid not null,
  month date not null,
  uses integer not null default 1,
  primary key (organization_id, macro_id, user_id, month),
  foreign key (organization_id, macro_id) references app_public.macros on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index macro_uses_organization_id_user_id_idx on app_private.macro_uses (organization_id, user_id);

comment on table app_private.macro_uses is 'How many tickets each agent did a macro to in a month.';

--! split: 047-drafts.sql
-- What somebody is writing, and what was sent and can still be taken back.

create table app_public.ticket_drafts (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  author_id uuid not null,
  visibility app_public.comment_visibility not null default 'public',
  -- More than may be saved: replies that come back are put before what was written meanwhile.
  body text not null check (octet_length(body) <= 1048576),
  status app_public.ticket_status,
  state_id uuid,
  mentioned_user_ids uuid[] not null default '{}' check (cardinality(mentioned_user_ids) <= 50),
  seen_comment_at timestamptz,
  version integer not null default 1,
  refused_code text check (refused_code ~ '^[0-9A-Z]{5}$'),
  refused_message text,
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, author_id, ticket_id, visibility),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, author_id) references app_public.users on delete cascade,
  foreign key (organization_id, state_id) references app_public.ticket_states on delete set null (state_id),
  check ((refused_code is null) = (refused_message is null))
)
-- Saved every few seconds: a new version of a row finds room beside the old one, and no index is touched.
with (fillfactor = 50);

create index ticket_drafts_organization_id_ticket_id_idx on app_public.ticket_drafts (organization_id, ticket_id);
create index ticket_drafts_organization_id_state_id_idx on app_public.ticket_drafts (organization_id, state_id)
  where state_id is not null;

comment on table app_public.ticket_drafts is 'What somebody is writing on a ticket: one reply and one note each. Nobody but its author sees a draft.';
comment on column app_public.ticket_drafts.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_drafts.id is 'Row id.';
comment on column app_public.ticket_drafts.ticket_id is 'The ticket it is about.';
comment on column app_public.ticket_drafts.author_id is 'Who writes it.';
comment on column app_public.ticket_drafts.visibility is 'Whether it becomes a reply or a note.';
comment on column app_public.ticket_drafts.body is 'What was written so far, up to 262,144 bytes, and more where replies were given back.';
comment on column app_public.ticket_drafts.status is 'The status that sending it is to set, or null.';
comment on column app_public.ticket_drafts.state_id is 'The stage that sending it is to set, or null.';
comment on column app_public.ticket_drafts.mentioned_user_ids is 'Whom it calls by name.';
comment on column app_public.ticket_drafts.seen_comment_at is 'The ticket''s `lastCommentAt` as its author saw it.';
comment on column app_public.ticket_drafts.version is 'Counts the saves. Send the number you saw with a save, and the save is refused with DRAFT_CONFLICT when another device saved since.';
comment on column app_public.ticket_drafts.refused_code is 'Why it came back after it was sent: the SQLSTATE of the refusal, as docs/ERROR_CODES.md lists them; null for one that was not sent.';
comment on column app_public.ticket_drafts.refused_message is 'Why it came back, in a sentence.';
comment on column app_public.ticket_drafts.updated_at is 'When it was last saved.';

create table app_public.outgoing_replies (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  author_id uuid not null,
  body text not null check (body ~ '\S' and octet_length(body) <= 65536),
  status app_public.ticket_status,
  state_id uuid,
  mentioned_user_ids uuid[] not null default '{}' check (cardinality(mentioned_user_ids) <= 50),
  seen_comment_at timestamptz,
  client_mutation_key text check (length(client_mutation_key) between 8 and 64),
  send_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, author_id) references app_public.users on delete cascade,
  foreign key (organization_id, state_id) references app_public.ticket_states on delete set null (state_id)
);

create unique index outgoing_replies_client_mutation_key_key
  on app_public.outgoing_replies (organization_id, author_id, client_mutation_key) where client_mutation_key is not null;
create index outgoing_replies_organization_id_ticket_id_idx on app_public.outgoing_replies (organization_id, ticket_id);
create index outgoing_replies_organization_id_author_id_idx on app_public.outgoing_replies (organization_id, author_id);
create index outgoing_replies_organization_id_state_id_idx on app_public.outgoing_replies (organization_id, state_id)
  where state_id is not null;
create index outgoing_replies_organization_id_send_at_idx on app_public.outgoing_replies (organization_id, send_at);

comment on table app_public.outgoing_replies is 'Replies that were sent and can still be taken back. Nobody but its author sees one; it goes when it becomes a comment or a draft again.';
comment on column app_public.outgoing_replies.organization_id is 'The organization it belongs to.';
comment on column app_public.outgoing_replies.id is 'Row id.';
comment on column app_public.outgoing_replies.ticket_id is 'The ticket it answers.';
comment on column app_public.outgoing_replies.author_id is 'Who sent it.';
comment on column app_public.outgoing_replies.body is 'What it says, 1 to 65,536 bytes.';
comment on column app_public.outgoing_replies.status is 'The status that it sets when it leaves, or null.';
comment on column app_public.outgoing_replies.state_id is 'The stage that it sets when it leaves, or null.';
comment on column app_public.outgoing_replies.mentioned_user_ids is 'Whom it calls by name.';
comment on column app_public.outgoing_replies.seen_comment_at is 'The ticket''s `lastCommentAt` as its author saw it.';
comment on column app_public.outgoing_replies.client_mutation_key is 'The key the client made; the same person using it twice sends one reply.';
comment on column app_public.outgoing_replies.send_at is 'When it leaves; until then it can be taken back.';
comment on column app_public.outgoing_replies.created_at is 'When it was sent.';

--! split: 048-automations.sql
create type app_public.automation_kind as enum ('event', 'time');
comment on type app_public.automation_kind is 'What sets an automation off: something that happened to a ticket (`event`), or that a ticket has come to fit its conditions (`time`).';

create type app_public.automation_actor as enum ('customer', 'staff', 'system');
comment on type app_public.automation_actor is 'By whom something happened: a customer, staff, or no person at all.';

create type app_public.automation_outcome as enum ('acted', 'unchanged', 'refused', 'loop_stopped');
comment on type app_public.automation_outcome is 'What became of an automation that was to act: it did, everything was already so, an action was refused and none was done, or it was stopped from going round in a circle.';

create type app_public.automation_stop as enum ('own_event', 'too_deep', 'too_often');
comment on type app_public.automation_stop is 'Why an automation was stopped: it had caused the event itself, five automations had already set each other off, or it had acted on the ticket 20 times within an hour.';

create table app_public.automations (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '^\S(.*\S)?$' and length(name) <= 80),
  kind app_public.automation_kind not null,
  position integer not null,
  is_enabled boolean not null default true,
  event_types app_public.ticket_event_type[] not null default '{}'
    check (
      cardinality(event_types) <= 30 and array_position(event_types, null) is null
      and not event_types && '{automation_fired, notice_sent}'::app_public.ticket_event_type[]
    ),
  actors app_public.automation_actor[] not null default '{}'
    check (cardinality(actors) <= 3 and array_position(actors, null) is null),
  visibility app_public.comment_visibility,
  from_values text[] not null default '{}' check (cardinality(from_values) <= 20 and array_position(from_values, null) is null),
  to_values text[] not null default '{}' check (cardinality(to_values) <= 20 and array_position(to_values, null) is null),
  conditions jsonb not null default '{}',
  actions jsonb not null,
  created_by_id uuid,
  changed_by_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by_id) references app_public.users on delete set null (created_by_id),
  foreign key (organization_id, changed_by_id) references app_public.users on delete set null (changed_by_id),
  check (
    case kind
      when 'event' then event_types <> '{}'
      else event_types = '{}' and actors = '{}' and visibility is null and from_values = '{}' and to_values = '{}'
    end
  )
);

create index automations_organization_id_position_idx on app_public.automations (organization_id, position, id);
create index automations_organization_id_created_by_id_idx on app_public.automations (organization_id, created_by_id);
create index automations_organization_id_changed_by_id_idx on app_public.automations (organization_id, changed_by_id);

comment on table app_public.automations is 'What an organization has done to tickets by itself: when something happens or enough time has passed, if conditions hold, then actions.';
comment on column app_public.automations.organization_id is 'The organization it belongs to.';
comment on column app_public.automations.id is 'Row id.';
comment on column app_public.automations.name is 'What it is called, 1 to 80 characters. It acts under this name.';
comment on column app_public.automations.kind is 'What sets it off. It never changes.';
comment on column app_public.automations.position is 'Its turn among the others, lowest first.';
comment on column app_public.automations.is_enabled is 'Whether it acts.';
comment on column app_public.automations.event_types is 'Which events set off one of kind `event`: up to 30, and neither `automation_fired` nor `notice_sent`.';
comment on column app_public.automations.actors is 'By whom the event must have happened; empty for anybody.';
comment on column app_public.automations.visibility is 'Whether the event must be public or internal; null for either.';
comment on column app_public.automations.from_values is 'One of these must be among the values the event has as `before`, such as `pending` or the id of a team; empty for any.';
comment on column app_public.automations.to_values is 'One of these must be among the values the event has as `after`; empty for any.';
comment on column app_public.automations.conditions is 'What the ticket must be like when it is its turn: `{"all": […], "any": […]}`, as views have it. One of kind `time` has at least one condition, and looks only at tickets that are not closed.';
comment on column app_public.automations.actions is 'What it does, as macros have it: 1 to 20 actions, done all or none.';
comment on column app_public.automations.created_by_id is 'Who made it.';
comment on column app_public.automations.changed_by_id is 'Who changed it last.';
comment on column app_public.automations.created_at is 'When it was made.';
comment on column app_public.automations.updated_at is 'When it was last changed.';

create table app_public.automation_firings (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  automation_id uuid,
  automation_name text not null,
  ticket_id uuid not null,
  event_id uuid,
  outcome app_public.automation_outcome not null,
  matched jsonb not null default '{}',
  changes jsonb not null default '[]',
  stopped_because app_public.automation_stop,
  error_code text,
  fired_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- Whatever a queue does twice, an automation answers an event once.
  unique (organization_id, automation_id, event_id),
  foreign key (organization_id, automation_id) references app_public.automations on delete set null (automation_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, event_id) references app_public.ticket_events on delete set null (event_id),
  check ((outcome = 'loop_stopped') = (stopped_because is not null)),
  check ((outcome = 'refused') = (error_code is not null))
);

create index automation_firings_organization_id_fired_at_idx on app_public.automation_firings (organization_id, fired_at, id);
create index automation_firings_organization_id_automation_id_fired_at_idx on app_public.automation_firings (organization_id, automation_id, fired_at, id);
create index automation_firings_organization_id_ticket_id_fired_at_idx on app_public.automation_firings (organization_id, ticket_id, automation_id, fired_at);
create index automation_firings_organization_id_event_id_idx on app_public.automation_firings (organization_id, event_id)
  where event_id is not null;

comment on table app_public.automation_firings is 'The log of the automations: each time the conditions of one held, and what became of it.';
comment on column app_public.automation_firings.organization_id is 'The organization it belongs to.';
comment on column app_public.automation_firings.id is 'Row id.';
comment on column app_public.automation_firings.automation_id is 'The automation; null when it was removed since.';
comment on column app_public.automation_firings.automation_name is 'What it was called at that time.';
comment on column app_public.automation_firings.ticket_id is 'The ticket.';
comment on column app_public.automation_firings.event_id is 'The event that set it off; null when time did.';
comment on column app_public.automation_firings.outcome is 'What became of it.';
comment on column app_public.automation_firings.matched is 'Why: the conditions that held, `{"all": […], "any": […]}`; of `any` only those that did.';
comment on column app_public.automation_firings.changes is 'What it did: the events it caused, each with `type`, `before` and `after`.';
comment on column app_public.automation_firings.stopped_because is 'Why it was stopped, when it was.';
comment on column app_public.automation_firings.error_code is 'Why it was refused, when it was, by one of the codes that errors carry.';
comment on column app_public.automation_firings.fired_at is 'When it was.';

create table app_private.automation_queue (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  event_id uuid,
  automation_id uuid,
  chain uuid[] not null default '{}',
  queued_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, event_id) references app_public.ticket_events on delete cascade,
  foreign key (organization_id, automation_id) references app_public.automations on delete cascade,
  check ((event_id is null) <> (automation_id is null))
);

create index automation_queue_organization_id_ticket_id_queued_at_idx on app_private.automation_queue (organization_id, ticket_id, queued_at, id);
create index automation_queue_organization_id_event_id_idx on app_private.automation_queue (organization_id, event_id);
create index automation_queue_organization_id_automation_id_idx on app_private.automation_queue (organization_id, automation_id);

comment on table app_private.automation_queue is 'What the automations have yet to look at: an event, or that a ticket has come to fit one that goes by time. Written with the fact, removed with the answer.';
comment on column app_private.automation_queue.queued_at is 'When it was queued, which is the order in which things happened to a ticket: whatever changes one has it locked.';
comment on column app_private.automation_queue.chain is 'The automations that set each other off and so led to the event, first to last.';

create table app_private.automation_matches (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  automation_id uuid not null,
  ticket_id uuid not null,
  matched_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, automation_id, ticket_id),
  foreign key (organization_id, automation_id) references app_public.automations on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade
);

create index automation_matches_organization_id_ticket_id_idx on app_private.automation_matches (organization_id, ticket_id);

comment on table app_private.automation_matches is 'The tickets that fit an automation which goes by time, so that it acts once for as long as they do.';

--! split: 049-search.sql
-- What search reads. Words are found in the language of the organization, with or without their accents.

do $$
declare
  language text;
begin
  foreach language in array array[
    'simple', 'arabic', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'hungarian', 'italian', 'norwegian',
    'portuguese', 'romanian', 'russian', 'spanish', 'swedish', 'turkish'
  ] loop
    execute format('create text search configuration app_hidden.%I (copy = pg_catalog.%I)', language, language);
    execute format(
      'alter text search configuration app_hidden.%I alter mapping for hword, hword_part, word with public.unaccent, pg_catalog.%I',
      language, case language when 'simple' then language else language || '_stem' end
    );
    execute format('comment on text search configuration app_hidden.%I is %L', language, 'Words without their accents: ' || language || '.');
  end loop;
end
$$;

create table app_hidden.ticket_documents (
  organization_id uuid not null,
  ticket_id uuid not null,
  page integer not null default 0,
  words tsvector not null,
  primary key (organization_id, ticket_id, page),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade
);

-- The list of what is pending is read by every search, so it stays short.
create index ticket_documents_words_idx on app_hidden.ticket_documents using gin (words) with (gin_pending_list_limit = 256);

comment on table app_hidden.ticket_documents is 'The words by which tickets are found, kept by triggers. A long conversation has several pages, each with what the ticket itself says.';
comment on column app_hidden.ticket_documents.organization_id is 'The organization of the ticket.';
comment on column app_hidden.ticket_documents.ticket_id is 'The ticket that is found.';
comment on column app_hidden.ticket_documents.page is 'The place among the pages of the ticket.';
comment on column app_hidden.ticket_documents.words is 'Weight A: subject and custom fields; B: public comments; C: requester, tags and internal fields; D: internal comments. Customers search A and B. Without weight: the organization, the blocks of numbers the ticket is in, and its tags.';

create table app_hidden.search_words (
  organization_id uuid not null references app_public.organizations on delete cascade,
  word text collate "C" not null check (length(word) between 3 and 40),
  primary key (organization_id, word)
);

create index search_words_similar_idx on app_hidden.search_words using gist (organization_id, word public.gist_trgm_ops);

comment on table app_hidden.search_words is 'The words of subjects, tags and names, by which a search completes its last word and mends misspelt ones.';
comment on column app_hidden.search_words.organization_id is 'The organization that uses the word.';
comment on column app_hidden.search_words.word is 'In lower case and without accents.';

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
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.current_session_id(),
  app_hidden.current_address(), app_hidden.acting_role(), app_hidden.is_staff()
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
    values
      ('app_public.audit_log'), ('app_private.audit_heads'), ('app_private.ticket_counters'),
      -- What follows from audited rows.
      ('app_hidden.ticket_documents'), ('app_hidden.search_words'),
      -- The login it belongs to is recorded as an act.
      ('app_private.login_challenges'),
      -- Counts that move with every use.
      ('app_private.canned_response_uses'), ('app_private.macro_uses'),
      -- Saved every few seconds, and nothing that was said yet (docs/decisions/0011).
      ('app_public.ticket_drafts'),
      -- What they lead to is recorded in automation_firings, and what that changes in its own table.
      ('app_private.automation_queue'), ('app_private.automation_matches')
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
      'app_private.worker_heartbeats', 'app_private.login_failures', 'app_private.rate_buckets', 'app_private.common_passwords'
    )
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
  insert into app_public.security_policies (organization_id) values (new_organization_id);
  insert into app_public.ticket_settings (organization_id) values (new_organization_id);
  insert into app_public.ticket_states (organization_id, kind, is_default)
  select new_organization_id, kind, true from unnest(enum_range(null::app_public.ticket_status)) as kind;

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

-- The operator of the installation makes and closes organizations, and sees nothing inside them.

create or replace function app_private.found_organization(
  slug text, name text, admin_email text, admin_name text, time_zone text default 'Etc/UTC', locale text default 'en', ticket_prefix text default 'ATUM'
) returns text
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  new_admin app_public.users;
  mail_id uuid;
begin
  -- The one before, where several are made in one transaction.
  perform set_config('atum.organization_id', '', true);
  perform set_config(
    'atum.organization_id', app_private.create_organization(slug, name, time_zone, locale, ticket_prefix)::text, true
  );

  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (app_hidden.current_organization_id(), admin_email, admin_name, 'admin', null)
  returning * into new_admin;

  insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
  values (new_admin.organization_id, new_admin.id, 'invitation', now() + interval '7 days', 'handed_over')
  returning id into mail_id;
  return app_private.issue_account_token(mail_id);
end
$$;

comment on function app_private.found_organization(text, text, text, text, text, text, text) is
  'Makes an organization with its first admin, and returns the token of the admin''s invitation, good for 7 days: `/invitation#token=…`. For the operator.';

create or replace function app_private.suspend_organization(slug text, suspended boolean default true) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  update app_public.organizations as organization
  set suspended_at = case when suspended then coalesce(organization.suspended_at, now()) end
  where organization.slug = suspend_organization.slug;
  return found;
end
$$;

comment on function app_private.suspend_organization(text, boolean) is 'Closes an organization for a time, or with false opens it again; false when there is none of this name. Within a second nobody of it gets in, and open sockets close. For the operator.';

create or replace function app_private.organizations_overview()
  returns table (slug text, name text, created_at timestamptz, suspended_at timestamptz, people bigint)
  language sql stable security definer
  set search_path = ''
as $$
  select organization.slug, organization.name, organization.created_at, organization.suspended_at,
    (select count(*) from app_public.users as person where person.organization_id = organization.id)
  from app_public.organizations as organization
  order by organization.slug
$$;

comment on function app_private.organizations_overview() is 'The organizations of the installation, and how many people each has. For the operator.';

create or replace function app_private.tg_organizations__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('organization', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__tell_servers() is 'Has every server close or open an organization.';

create or replace trigger _800_tell_servers after update of suspended_at on app_public.organizations
  for each row when (NEW.suspended_at is distinct from OLD.suspended_at)
  execute function app_private.tg_organizations__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.organizations
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.teams
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.services
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public.current_organization(), app_private.organization_ids(),
  app_private.create_organization(text, text, text, text, text, jsonb),
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview(),
  app_private.tg_organizations__tell_servers()
from public;

grant execute on function app_public.current_organization() to atum_anonymous, atum_customer, atum_agent;
grant execute on function app_private.organization_ids() to atum_worker;
grant execute on function
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview()
to atum_operator;

--! split: 1011-functions-11-teams.sql
create or replace function app_public.create_team(
  name text, assignment_method app_public.assignment_method default 'manual'
) returns app_public.teams
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.teams (organization_id, name, assignment_method)
  values (
    app_hidden.current_organization_id(), btrim(create_team.name), coalesce(create_team.assignment_method, 'manual')
  )
  returning *
$$;

comment on function app_public.create_team(text, app_public.assignment_method) is 'Makes a team and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_team(team_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.teams as team
  where team.organization_id = app_hidden.current_organization_id() and team.id = delete_team.team_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such team';
  end if;
  return true;
end
$$;

comment on function app_public.delete_team(uuid) is 'Removes a team. Its tickets and services stay, and belong to none. Admins only. Error NOT_FOUND.';

create or replace function app_public.set_team_member(
  team_id uuid, user_id uuid, takes_tickets boolean default true, capacity integer default null
) returns app_public.team_members
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  made app_public.team_members;
begin
  if exists (
    select
    from app_public.users as person
    where person.organization_id = app_hidden.current_organization_id() and person.id = set_team_member.user_id
      and person.role = 'customer'
  ) then
    raise exception using errcode = 'AD103', message = 'Only staff work in teams';
  end if;

  insert into app_public.team_members as member (organization_id, team_id, user_id, takes_tickets, capacity)
  values (
    app_hidden.current_organization_id(), set_team_member.team_id, set_team_member.user_id,
    coalesce(set_team_member.takes_tickets, true), set_team_member.capacity
  )
  on conflict on constraint team_members_organization_id_team_id_user_id_key
    do update set takes_tickets = excluded.takes_tickets, capacity = excluded.capacity
  returning * into made;
  return made;
end
$$;

comment on function app_public.set_team_member(uuid, uuid, boolean, integer) is
  'Has somebody work in a team, or changes how, and returns the membership. `takesTickets` and `capacity` steer who gets tickets by themselves. Admins only. Errors: NOT_FOUND, ASSIGNEE_NOT_STAFF for a customer, INVALID_INPUT.';

create or replace function app_public.remove_team_member(team_id uuid, user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.team_members as member
  where member.organization_id = app_hidden.current_organization_id()
    and member.team_id = remove_team_member.team_id and member.user_id = remove_team_member.user_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'This person does not work in this team';
  end if;
  return true;
end
$$;

comment on function app_public.remove_team_member(uuid, uuid) is 'Takes somebody out of a team; the tickets assigned to them stay theirs. Admins only. Error NOT_FOUND.';

create or replace function app_public.create_service(
  name text, description text default null, team_id uuid default null, required_skills text[] default '{}'
) returns app_public.services
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.services (organization_id, name, description, team_id, required_skills)
  values (
    app_hidden.current_organization_id(), btrim(create_service.name), create_service.description, create_service.team_id,
    coalesce(create_service.required_skills, '{}')
  )
  returning *
$$;

comment on function app_public.create_service(text, text, uuid, text[]) is 'Offers a service and returns it. Its tickets go to the team `teamId`. Admins only. Errors: CONFLICT for a name that is taken, NOT_FOUND for a team that is not there, INVALID_INPUT.';

create or replace function app_private.next_assignee(ticket app_public.tickets) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  method app_public.assignment_method;
  wanted_skills text[];
  chosen_id uuid;
begin
  -- One after the other within a team: two tickets at the same moment must not both go to whoever has the fewest.
  select team.assignment_method into method
  from app_public.teams as team
  where team.organization_id = ticket.organization_id and team.id = ticket.team_id and team.assignment_method <> 'manual'
  for no key update;
  if not found then
    return null;
  end if;

  select service.required_skills into wanted_skills
  from app_public.services as service
  where service.organization_id = ticket.organization_id and service.id = ticket.service_id;

  select member.user_id into chosen_id
  from app_public.team_members as member
  join app_public.users as agent on agent.organization_id = member.organization_id and agent.id = member.user_id
  cross join lateral (
    select count(*) as tickets
    from app_public.tickets as mine
    where mine.organization_id = member.organization_id and mine.assignee_id = member.user_id and mine.status in ('new', 'open')
  ) as in_hand
  where member.organization_id = ticket.organization_id and member.team_id = ticket.team_id and member.takes_tickets
    and agent.role <> 'customer' and agent.disabled_at is null
    and agent.skills @> coalesce(wanted_skills, '{}')
    and (member.capacity is null or in_hand.tickets < member.capacity)
    -- Nobody answers the own question.
    and agent.id <> ticket.requester_id
  order by
    case when method = 'least_loaded' then in_hand.tickets end,
    member.last_assigned_at nulls first,
    member.id
  limit 1;

  update app_public.team_members as member
  set last_assigned_at = clock_timestamp()
  where member.organization_id = ticket.organization_id and member.team_id = ticket.team_id and member.user_id = chosen_id;
  return chosen_id;
end
$$;

comment on function app_private.next_assignee(app_public.tickets) is
  'Who of a ticket''s team gets it by itself: by the team''s method, of those who take tickets, have room and know what its service asks for; null when nobody does or the team assigns by hand.';

revoke all on function
  app_public.create_team(text, app_public.assignment_method), app_public.delete_team(uuid),
  app_public.set_team_member(uuid, uuid, boolean, integer), app_public.remove_team_member(uuid, uuid),
  app_public.create_service(text, text, uuid, text[]), app_private.next_assignee(app_public.tickets)
from public;

grant execute on function
  app_public.create_team(text, app_public.assignment_method), app_public.delete_team(uuid),
  app_public.set_team_member(uuid, uuid, boolean, integer), app_public.remove_team_member(uuid, uuid),
  app_public.create_service(text, text, uuid, text[])
to atum_admin;

--! split: 1012-functions-12-companies.sql
create or replace function app_hidden.current_company_id() returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select person.company_id
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_company_id() is 'The company the caller works for, or null.';

create or replace function app_hidden.shared_company_id() returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select company.id
  from app_public.users as person
  join app_public.companies as company on company.organization_id = person.organization_id and company.id = person.company_id
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
    and company.shares_tickets
$$;

comment on function app_hidden.shared_company_id() is 'The caller''s company, where its people share their tickets; otherwise null.';

create or replace function app_public.create_company(name text, shares_tickets boolean default false) returns app_public.companies
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.companies (organization_id, name, shares_tickets)
  values (app_hidden.current_organization_id(), btrim(create_company.name), coalesce(create_company.shares_tickets, false))
  returning *
$$;

comment on function app_public.create_company(text, boolean) is 'Makes a customer account and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_company(company_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.companies as company
  where company.organization_id = app_hidden.current_organization_id() and company.id = delete_company.company_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such company';
  end if;
  return true;
end
$$;

comment on function app_public.delete_company(uuid) is 'Removes a company. Its people and tickets stay, and belong to none. Admins only. Error NOT_FOUND.';

create or replace function app_private.tg_companies__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', person.id)
  from app_public.users as person
  where person.organization_id = NEW.organization_id and person.company_id = NEW.id;
  return null;
end
$$;

comment on function app_private.tg_companies__tell_servers() is 'Has the servers close the sockets of people who see other tickets from now on.';

create or replace trigger _800_tell_servers after update of shares_tickets on app_public.companies
  for each row when (NEW.shares_tickets <> OLD.shares_tickets)
  execute function app_private.tg_companies__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.companies
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.current_company_id(), app_hidden.shared_company_id(), app_public.create_company(text, boolean), app_public.delete_company(uuid),
  app_private.tg_companies__tell_servers()
from public;

grant execute on function app_hidden.current_company_id(), app_hidden.shared_company_id() to atum_customer, atum_agent;
grant execute on function app_public.create_company(text, boolean), app_public.delete_company(uuid) to atum_admin;

--! split: 1013-functions-13-ticket-states.sql
create or replace function app_public.create_ticket_state(kind app_public.ticket_status, name text, "position" integer default 0)
  returns app_public.ticket_states
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.ticket_states (organization_id, kind, name, position)
  values (app_hidden.current_organization_id(), create_ticket_state.kind, btrim(create_ticket_state.name), coalesce(create_ticket_state.position, 0))
  returning *
$$;

comment on function app_public.create_ticket_state(app_public.ticket_status, text, integer) is
  'Adds a stage of a kind and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.make_ticket_state_default(state_id uuid) returns app_public.ticket_states
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  state app_public.ticket_states;
begin
  select * into state
  from app_public.ticket_states as chosen
  where chosen.organization_id = app_hidden.current_organization_id() and chosen.id = make_ticket_state_default.state_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such stage';
  end if;

  -- One that had no name of its own would be nameless when it is no longer the default.
  update app_public.ticket_states as former
  set is_default = false, name = coalesce(former.name, initcap(replace(former.kind::text, '_', ' ')))
  where former.organization_id = state.organization_id and former.kind = state.kind and former.is_default and former.id <> state.id;

  update app_public.ticket_states as chosen
  set is_default = true
  where chosen.organization_id = state.organization_id and chosen.id = state.id
  returning * into state;
  return state;
end
$$;

comment on function app_public.make_ticket_state_default(uuid) is
  'Makes a stage the one a ticket gets when only the kind is said, and returns it. Admins only. Errors: NOT_FOUND, INVALID_INPUT for an archived one.';

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_states
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.current_ticket_settings() returns app_public.ticket_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.ticket_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_ticket_settings() is 'How tickets of the organization end. Staff only.';

revoke all on function
  app_public.create_ticket_state(app_public.ticket_status, text, integer), app_public.make_ticket_state_default(uuid),
  app_public.current_ticket_settings()
from public;

grant execute on function
  app_public.create_ticket_state(app_public.ticket_status, text, integer), app_public.make_ticket_state_default(uuid)
to atum_admin;
grant execute on function app_public.current_ticket_settings() to atum_agent;

--! split: 1015-functions-15-tags.sql
create or replace function app_private.tidy_tags(tags text[]) returns text[]
  language sql immutable
  set search_path = ''
as $$
  select coalesce(array_agg(tag order by tag), '{}')
  from (select distinct lower(btrim(regexp_replace(tag, '\s+', ' ', 'g'))) as tag from unnest(tidy_tags.tags) as tag) as tidy
$$;

comment on function app_private.tidy_tags(text[]) is 'Tags in lower case, each once, in alphabetical order.';

create or replace function app_private.tg_tickets__register_tags() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.tags (organization_id, name)
  select NEW.organization_id, tag
  from unnest(NEW.tags) as tag
  where not exists (select from app_public.tags where organization_id = NEW.organization_id and name = tag)
  on conflict do nothing;
  return null;
end
$$;

comment on function app_private.tg_tickets__register_tags() is 'Adds new tags to those there are to choose from.';

create or replace trigger _300_register_tags after insert or update of tags on app_public.tickets
  for each row when (NEW.tags <> '{}') execute function app_private.tg_tickets__register_tags();

revoke all on function app_private.tidy_tags(text[]), app_private.tg_tickets__register_tags() from public;

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

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  custom_fields jsonb default '{}',
  tags text[] default '{}',
  client_mutation_key text default null
) returns app_public.tickets
  language plpgsql volatile security definer
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
  ticket := app_private.ticket_made_before(create_ticket.client_mutation_key);
  if ticket.id is not null then
    return app_private.as_seen_by_caller(ticket);
  end if;

  if not app_hidden.is_staff() and (create_ticket.requester_id <> caller_id or create_ticket.tags <> '{}') then
    raise exception using errcode = '42501', message = 'Only staff open tickets for others and tag them';
  end if;

  insert into app_public.tickets (
    organization_id, subject, priority, service_id, requester_id, created_by_id, channel, custom_fields, tags, client_mutation_key
  )
  values (
    caller_organization_id, btrim(create_ticket.subject), coalesce(create_ticket.priority, 'normal'), create_ticket.service_id,
    coalesce(create_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    coalesce(create_ticket.custom_fields, '{}'), coalesce(create_ticket.tags, '{}'), create_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    -- Everybody sees what they ask for themselves.
    if ticket.requester_id <> caller_id then
      perform app_private.refuse_unseen_ticket(ticket);
    end if;

    -- Only here: whoever mails, or splits a comment, is shown no form.
    perform app_private.require_fields(ticket, 'creating');

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
  return app_private.as_seen_by_caller(ticket);
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. `customFields` holds values by the key of the field; `tags` are up to 30, from staff only. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN for a ticket you would not see, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED; FIELD_UNKNOWN, FIELD_INVALID, FIELD_NOT_ASKED and FIELD_REQUIRED_TO_CREATE with the key of the field in `details.field`.';

revoke all on function
  app_hidden.current_team_ids(), app_hidden.sees_every_team(), app_private.may_see_ticket(uuid, app_public.tickets),
  app_hidden.sees_ticket(app_public.tickets), app_private.refuse_unseen_ticket(app_public.tickets), app_private.as_seen_by_caller(app_public.tickets),
  app_private.ticket_made_before(text), app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text)
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, jsonb, text[], text)
to atum_customer, atum_agent;
grant execute on function app_hidden.current_team_ids(), app_hidden.sees_every_team() to atum_agent;

--! split: 1031-functions-31-ticket-changes.sql
-- What follows from a ticket that was made or changed.

create or replace function app_hidden.current_actor_name() returns text
  language sql stable parallel safe
  return case
    when nullif(current_setting('atum.user_id', true), '') is null then nullif(current_setting('atum.actor_name', true), '')
  end;

comment on function app_hidden.current_actor_name() is 'The name of what acts in this transaction, such as an automation, when no person does.';

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

    select organization.ticket_prefix || '-' || NEW.number, state.id, state.kind
    into NEW.reference, NEW.state_id, NEW.status
    from app_public.organizations as organization
    left join app_public.ticket_states as state
      on state.organization_id = organization.id
      and case when NEW.state_id is null then state.kind = NEW.status and state.is_default else state.id = NEW.state_id end
    where organization.id = NEW.organization_id;

    if NEW.company_id is null then
      select requester.company_id into NEW.company_id
      from app_public.users as requester
      where requester.organization_id = NEW.organization_id and requester.id = NEW.requester_id;
    end if;

    if NEW.team_id is null and NEW.service_id is not null then
      select service.team_id into NEW.team_id
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id;
    end if;

    if NEW.assignee_id is null and NEW.team_id is not null then
      NEW.assignee_id := app_private.next_assignee(NEW);
    end if;

    if NEW.tags <> '{}' then
      NEW.tags := app_private.tidy_tags(NEW.tags);
    end if;
    return NEW;
  end if;

  -- Whoever sends the version that was seen is refused when somebody else saved since.
  if NEW.version is distinct from OLD.version then
    raise exception using
      errcode = 'AD106', message = 'Somebody else changed this ticket since you opened it; look at what it says now and save again';
  end if;

  NEW.subject := btrim(NEW.subject);
  if NEW.tags <> OLD.tags then
    NEW.tags := app_private.tidy_tags(NEW.tags);
  end if;

  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;

  -- The one that was said brings the other along. Where both were, or a stage that is not there, the foreign key decides.
  if NEW.state_id <> OLD.state_id and NEW.status = OLD.status then
    NEW.status := coalesce(
      (
        select state.kind
        from app_public.ticket_states as state
        where state.organization_id = NEW.organization_id and state.id = NEW.state_id
      ),
      NEW.status
    );
  elsif NEW.status <> OLD.status and NEW.state_id = OLD.state_id then
    select state.id into NEW.state_id
    from app_public.ticket_states as state
    where state.organization_id = NEW.organization_id and state.kind = NEW.status and state.is_default;
  end if;

  if NEW.requester_id <> OLD.requester_id then
    select requester.company_id into NEW.company_id
    from app_public.users as requester
    where requester.organization_id = NEW.organization_id and requester.id = NEW.requester_id;
  end if;

  if NEW.assignee_id is null and NEW.team_id is distinct from OLD.team_id and NEW.status not in ('resolved', 'closed') then
    NEW.assignee_id := app_private.next_assignee(NEW);
  end if;

  if NEW.status <> OLD.status then
    NEW.resolved_at := case
      when NEW.status not in ('resolved', 'closed') then null
      else coalesce(OLD.resolved_at, NEW.updated_at)
    end;
    NEW.closed_at := case when NEW.status = 'closed' then NEW.updated_at end;
    if NEW.status in ('resolved', 'closed') then
      NEW.snoozed_until := null;
    end if;
  end if;

  if (
    NEW.subject, NEW.state_id, NEW.priority, NEW.service_id, NEW.team_id, NEW.assignee_id, NEW.requester_id, NEW.tags,
    NEW.custom_fields, NEW.internal_fields, NEW.snoozed_until, NEW.merged_into_id
  ) is distinct from (
    OLD.subject, OLD.state_id, OLD.priority, OLD.service_id, OLD.team_id, OLD.assignee_id, OLD.requester_id, OLD.tags,
    OLD.custom_fields, OLD.internal_fields, OLD.snoozed_until, OLD.merged_into_id
  ) then
    NEW.version := OLD.version + 1;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__stamp() is 'Gives a new ticket its number, reference, stage, team, company and assignee, and keeps what follows from a change: the stage of a status, the instants of its end, the version. Error VERSION_CONFLICT.';

-- Not when only its clocks moved: that is no news about the ticket.
create or replace trigger _100_stamp
  before insert or update of
    subject, status, state_id, priority, service_id, team_id, assignee_id, requester_id, tags, custom_fields, internal_fields,
    snoozed_until, merged_into_id, version
  on app_public.tickets
  for each row execute function app_private.tg_tickets__stamp();

create or replace function app_private.tg_tickets__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  assignee app_public.users;
  unassigned app_public.tickets;
begin
  if NEW.assignee_id is distinct from OLD.assignee_id and NEW.assignee_id is not null then
    select * into assignee
    from app_public.users as person
    where person.organization_id = NEW.organization_id and person.id = NEW.assignee_id;
    if assignee.role = 'customer' or assignee.disabled_at is not null then
      raise exception using errcode = 'AD103', message = 'Only active staff can be assigned to a ticket';
    end if;

    -- Whoever is assigned sees the ticket, also when it goes to another team later; but assigning opens no door.
    unassigned := NEW;
    unassigned.assignee_id := null;
    if assignee.restricted_to_teams and not app_private.may_see_ticket(assignee.id, unassigned) then
      raise exception using errcode = 'AD107', message = 'This agent does not see the tickets of this team';
    end if;
  end if;

  if NEW.service_id is distinct from OLD.service_id and exists (
    select
    from app_public.services as service
    where service.organization_id = NEW.organization_id and service.id = NEW.service_id and service.archived_at is not null
  ) then
    raise exception using errcode = 'AD104', message = 'This service is no longer offered';
  end if;

  if TG_OP = 'INSERT' then
    return NEW;
  end if;

  if NEW.snoozed_until is distinct from OLD.snoozed_until and NEW.snoozed_until is not null then
    if NEW.status in ('resolved', 'closed') then
      raise exception using errcode = 'AD110', message = 'A ticket that is done cannot be snoozed';
    end if;
    if NEW.snoozed_until <= now() or NEW.snoozed_until > now() + interval '5 years' then
      raise exception using errcode = 'AD110', message = 'Snooze until a time to come, within five years';
    end if;
  end if;

  -- Merging, and undoing it, closes and reopens by rules of their own.
  if NEW.state_id = OLD.state_id or NEW.merged_into_id is distinct from OLD.merged_into_id then
    return NEW;
  end if;

  if NEW.merged_into_id is not null and NEW.status <> 'closed' then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; undo the merge first';
  end if;

  if NEW.status = 'new' and OLD.status <> 'new' then
    raise exception using errcode = 'AD105', message = 'A ticket that was worked on cannot become new again';
  end if;

  if exists (
    select
    from app_public.ticket_states as state
    where state.organization_id = NEW.organization_id and state.id = NEW.state_id and state.archived_at is not null
  ) then
    raise exception using errcode = 'AD105', message = 'This status is no longer used';
  end if;

  if NEW.status in ('resolved', 'closed') and OLD.status not in ('resolved', 'closed')
    and app_private.has_open_children(NEW.organization_id, NEW.id)
  then
    raise exception using errcode = 'AD109', message = 'Resolve the child tickets first';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__refuse() is 'Refuses an assignee who is not active staff or may not see the ticket, an archived service or stage, going back to `new`, waking a merged ticket, resolving with open children, and a snooze that makes no sense. Errors ASSIGNEE_NOT_STAFF, ASSIGNEE_OUTSIDE_TEAM, SERVICE_ARCHIVED, STATUS_MOVE_REFUSED, TICKET_MERGED, CHILDREN_OPEN, SNOOZE_REFUSED.';

create or replace trigger _200_refuse_creation before insert on app_public.tickets
  for each row when (NEW.assignee_id is not null or NEW.service_id is not null)
  execute function app_private.tg_tickets__refuse();

-- The version counts what is looked at here; by then the stamp has set it.
create or replace trigger _200_refuse before update on app_public.tickets
  for each row when (NEW.version <> OLD.version) execute function app_private.tg_tickets__refuse();

create or replace function app_private.tg_tickets__record_creation() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, after, created_at)
  values (
    NEW.organization_id, NEW.id, 'ticket_created', 'public', coalesce(app_hidden.current_user_id(), NEW.created_by_id),
    app_hidden.current_actor_name(),
    jsonb_build_object('status', NEW.status, 'priority', NEW.priority, 'channel', NEW.channel), NEW.created_at
  );

  if NEW.assignee_id is not null then
    insert into app_public.ticket_events (
      organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after, created_at
    )
    select
      NEW.organization_id, NEW.id, 'assignee_changed', 'internal',
      case when by_itself.id is null then coalesce(app_hidden.current_user_id(), NEW.created_by_id) end,
      case when by_itself.id is null then app_hidden.current_actor_name() else 'Auto-assignment' end,
      app_private.named_reference('assignee', null, null), app_private.named_reference('assignee', assignee.id, assignee.name),
      NEW.created_at
    from app_public.users as assignee
    -- Whom next_assignee chose in this transaction was named by nobody.
    left join app_public.team_members as by_itself
      on by_itself.organization_id = assignee.organization_id and by_itself.user_id = assignee.id
      and by_itself.team_id = NEW.team_id and by_itself.last_assigned_at >= now()
    where assignee.organization_id = NEW.organization_id and assignee.id = NEW.assignee_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_tickets__record_creation() is 'Writes the first events of a ticket.';

-- The spine: what changed becomes one typed event for each thing that changed.
create or replace function app_private.tg_tickets__record_events() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after, created_at)
  select
    NEW.organization_id, NEW.id, change.type::app_public.ticket_event_type, change.visibility::app_public.comment_visibility,
    app_hidden.current_user_id(), app_hidden.current_actor_name(), change.before, change.after, NEW.updated_at
  from (
    select 'subject_changed', 'public', jsonb_build_object('subject', OLD.subject), jsonb_build_object('subject', NEW.subject)
    where NEW.subject <> OLD.subject
    union all
    select 'requester_changed', 'internal',
      app_private.named_reference('requester', OLD.requester_id, (select name from app_public.users where organization_id = OLD.organization_id and id = OLD.requester_id)),
      app_private.named_reference('requester', NEW.requester_id, (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.requester_id))
    where NEW.requester_id <> OLD.requester_id
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
    select 'tags_changed', 'internal', jsonb_build_object('tags', OLD.tags), jsonb_build_object('tags', NEW.tags)
    where NEW.tags <> OLD.tags
    union all
    select 'custom_fields_changed', fields.visibility, fields.before, fields.after
    from (
      values
        ('public', app_private.other_values(OLD.custom_fields, NEW.custom_fields), app_private.other_values(NEW.custom_fields, OLD.custom_fields)),
        ('internal', app_private.other_values(OLD.internal_fields, NEW.internal_fields), app_private.other_values(NEW.internal_fields, OLD.internal_fields))
    ) as fields (visibility, before, after)
    where fields.before <> '{}' or fields.after <> '{}'
    union all
    select
      case when NEW.snoozed_until is null then 'snooze_ended' else 'ticket_snoozed' end, 'internal',
      jsonb_build_object('snoozed_until', OLD.snoozed_until), jsonb_build_object('snoozed_until', NEW.snoozed_until)
    where NEW.snoozed_until is distinct from OLD.snoozed_until
    union all
    select
      case when NEW.status = OLD.status then 'state_changed' else 'status_changed' end, 'public',
      jsonb_build_object('status', OLD.status) || app_private.named_reference('state', OLD.state_id, (select name from app_public.ticket_states where organization_id = OLD.organization_id and id = OLD.state_id)),
      jsonb_build_object('status', NEW.status) || app_private.named_reference('state', NEW.state_id, (select name from app_public.ticket_states where organization_id = NEW.organization_id and id = NEW.state_id))
    where NEW.state_id <> OLD.state_id
  ) as change (type, visibility, before, after);
  return null;
end
$$;

comment on function app_private.tg_tickets__record_events() is 'Writes the events of a ticket that was changed.';

create or replace function app_private.other_values(these jsonb, those jsonb) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(these) where value is distinct from those -> key
$$;

comment on function app_private.other_values(jsonb, jsonb) is 'What one object says that another does not say, or says otherwise.';

create or replace function app_private.named_reference(word text, id uuid, name text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select jsonb_build_object(word || '_id', id, word || '_name', name)
$$;

comment on function app_private.named_reference(text, uuid, text) is 'A reference as an event keeps it: with the name it had at that time.';

create or replace trigger _500_record_creation after insert on app_public.tickets
  for each row execute function app_private.tg_tickets__record_creation();

create or replace trigger _500_record_events after update on app_public.tickets
  for each row when (NEW.version <> OLD.version) execute function app_private.tg_tickets__record_events();

create or replace function app_private.tg_ticket_events__notify() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  payload constant text := json_build_object('event', NEW.type, 'ticketId', NEW.ticket_id, 'eventId', NEW.id);
  -- Only what these events say is an id: a custom field may be called the same.
  former_assignee_id constant uuid := case NEW.type when 'assignee_changed' then NEW.before ->> 'assignee_id' end;
  former_team_id constant uuid := case NEW.type when 'team_changed' then NEW.before ->> 'team_id' end;
  ticket app_public.tickets;
begin
  select * into strict ticket
  from app_public.tickets as changed
  where changed.organization_id = NEW.organization_id and changed.id = NEW.ticket_id;

  -- Channel names have at most 63 bytes, and the payload holds ids only: what they mean is read again under the
  -- row-level security of whoever listens.
  perform pg_notify('ticket:' || NEW.ticket_id || ':staff', payload);
  perform pg_notify('inbox:' || NEW.organization_id, payload);
  perform pg_notify('agent:' || agent.id, payload)
  from app_public.users as agent
  where agent.organization_id = NEW.organization_id and agent.restricted_to_teams
    and (
      -- Also whoever saw it until now, who hears that it went away and nothing after.
      agent.id in (ticket.assignee_id, ticket.requester_id, former_assignee_id)
      or exists (
        select
        from app_public.team_members as member
        where member.organization_id = agent.organization_id and member.user_id = agent.id
          and member.team_id in (ticket.team_id, former_team_id)
      )
    );

  if NEW.visibility = 'public' then
    perform pg_notify('requester:' || ticket.requester_id, payload);
    perform pg_notify('requester:' || colleague.id, payload)
    from app_public.companies as company
    join app_public.users as colleague on colleague.organization_id = company.organization_id and colleague.company_id = company.id
    where company.organization_id = NEW.organization_id and company.id = ticket.company_id and company.shares_tickets
      and colleague.id <> ticket.requester_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__notify() is 'Tells that something happened: those who follow the ticket or the inbox and see every team, the agents who see only their teams, its requester and the colleagues who may see it.';

create or replace trigger _800_notify after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__notify();

create or replace function app_private.record_ticket_event(
  ticket app_public.tickets,
  type app_public.ticket_event_type,
  after jsonb default null,
  before jsonb default null,
  visibility app_public.comment_visibility default 'internal'
) returns uuid
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, actor_name, before, after)
  values (
    ticket.organization_id, ticket.id, record_ticket_event.type, record_ticket_event.visibility, app_hidden.current_user_id(),
    app_hidden.current_actor_name(), record_ticket_event.before, record_ticket_event.after
  )
  returning id
$$;

comment on function app_private.record_ticket_event(app_public.tickets, app_public.ticket_event_type, jsonb, jsonb, app_public.comment_visibility) is
  'Writes one event of a ticket in the name of whoever acts, and returns its id. For functions that run as the owner.';

revoke all on function
  app_hidden.current_actor_name(), app_private.tg_tickets__stamp(), app_private.tg_tickets__refuse(),
  app_private.tg_tickets__record_creation(), app_private.tg_tickets__record_events(),
  app_private.named_reference(text, uuid, text), app_private.other_values(jsonb, jsonb), app_private.tg_ticket_events__notify(),
  app_private.record_ticket_event(app_public.tickets, app_public.ticket_event_type, jsonb, jsonb, app_public.comment_visibility)
from public;

grant execute on function app_hidden.current_actor_name() to atum_agent, atum_worker;

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
  client_mutation_key text default null
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

comment on function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text) is
  'Says something on a ticket and returns the comment. `body` is plain text of 1 to 65,536 bytes. Staff may write `internal` comments, set the `status`, or the stage `stateId`, in the same save, and mention up to 50 colleagues who may see the ticket, who watch it from then on. With `seenCommentAt`, the ticket''s `lastCommentAt` as you saw it, a comment that crosses with another is refused with COMMENT_CONFLICT, and yours is still yours. A requester, or a colleague with whom the company shares tickets, who answers a pending, on-hold or resolved ticket opens it again. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the comment the first call made. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_INPUT, FORBIDDEN, TICKET_CLOSED, TICKET_MERGED, REOPEN_WINDOW_OVER, COMMENT_CONFLICT, MENTION_REFUSED.';

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
    NEW.organization_id, NEW.ticket_id, 'comment_added', NEW.visibility, NEW.author_id, NEW.author_name, NEW.id, NEW.created_at
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
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text),
  app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]), app_private.tg_comments__refuse(), app_private.tg_comments__follow()
from public;

grant execute on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, text)
to atum_customer, atum_agent;
grant execute on function app_hidden.writes_for_staff(), app_hidden.mention(app_public.comments, uuid[]) to atum_agent, atum_customer;

--! split: 1033-functions-33-ticket-relationships.sql
-- Who watches a ticket, and how tickets stand to each other.

create or replace function app_private.ticket_to_work_on(ticket_id uuid) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
begin
  select * into ticket
  from app_public.tickets as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = ticket_to_work_on.ticket_id
  for no key update;

  -- Jobs act for nobody, and see what their organization has.
  if not found or (app_hidden.current_user_id() is not null and not app_hidden.sees_ticket(ticket)) then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;
  return ticket;
end
$$;

comment on function app_private.ticket_to_work_on(uuid) is
  'A ticket that the caller sees, locked until the end of the transaction; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_private.add_watcher(ticket app_public.tickets, user_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if not app_private.may_see_ticket(add_watcher.user_id, ticket) then
    raise exception using errcode = 'AD114', message = 'Only somebody who may see the ticket can watch it';
  end if;

  insert into app_public.ticket_watchers as watcher (organization_id, ticket_id, user_id)
  values (ticket.organization_id, ticket.id, add_watcher.user_id)
  on conflict do nothing;
  if found then
    perform app_private.record_ticket_event(
      ticket, 'watcher_added',
      app_private.named_reference('watcher', add_watcher.user_id, (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id and person.id = add_watcher.user_id
      ))
    );
  end if;
end
$$;

comment on function app_private.add_watcher(app_public.tickets, uuid) is 'Has somebody watch a ticket, once. Error WATCHER_REFUSED.';

create or replace function app_private.drop_watcher(ticket app_public.tickets, user_id uuid) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  delete from app_public.ticket_watchers as watcher
  where watcher.organization_id = ticket.organization_id and watcher.ticket_id = ticket.id and watcher.user_id = drop_watcher.user_id;
  if found then
    perform app_private.record_ticket_event(
      ticket, 'watcher_removed', null,
      app_private.named_reference('watcher', drop_watcher.user_id, (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id and person.id = drop_watcher.user_id
      ))
    );
  end if;
end
$$;

comment on function app_private.drop_watcher(app_public.tickets, uuid) is 'Has somebody no longer watch a ticket.';

create or replace function app_public.watch_ticket(ticket_id uuid, user_id uuid default null) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
begin
  perform app_private.add_watcher(ticket, coalesce(watch_ticket.user_id, app_hidden.current_user_id()));
  return ticket;
end
$$;

comment on function app_public.watch_ticket(uuid, uuid) is
  'Has somebody who may see the ticket watch it, without `userId` the caller, and returns the ticket. Staff only. Errors: NOT_FOUND, WATCHER_REFUSED.';

create or replace function app_public.unwatch_ticket(ticket_id uuid, user_id uuid default null) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
begin
  perform app_private.drop_watcher(ticket, coalesce(unwatch_ticket.user_id, app_hidden.current_user_id()));
  return ticket;
end
$$;

comment on function app_public.unwatch_ticket(uuid, uuid) is
  'Has somebody no longer watch the ticket, without `userId` the caller, and returns the ticket. Staff only. Error: NOT_FOUND.';

create or replace function app_private.relationship_words(relationship app_public.ticket_relationships, seen_from uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'relationship_id', relationship.id, 'kind', relationship.kind, 'first', relationship.ticket_id = seen_from,
    'ticket_id', ticket.id, 'ticket_reference', ticket.reference
  )
  from app_public.tickets as ticket
  where ticket.organization_id = relationship.organization_id
    and ticket.id = case when relationship.ticket_id = seen_from then relationship.other_ticket_id else relationship.ticket_id end
$$;

comment on function app_private.relationship_words(app_public.ticket_relationships, uuid) is 'A relationship as the event of one of its tickets keeps it.';

create or replace function app_public.relate_tickets(
  ticket_id uuid, kind app_public.ticket_relationship_kind, other_ticket_id uuid
) returns app_public.ticket_relationships
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  -- Both are locked in one order, so that two people who relate the same two do not wait for each other.
  swapped constant boolean := relate_tickets.ticket_id > relate_tickets.other_ticket_id;
  one constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then relate_tickets.other_ticket_id else relate_tickets.ticket_id end);
  two constant app_public.tickets :=
    app_private.ticket_to_work_on(case when swapped then relate_tickets.ticket_id else relate_tickets.other_ticket_id end);
  made app_public.ticket_relationships;
begin
  if one.id = two.id then
    raise exception using errcode = 'AD115', message = 'A ticket cannot stand to itself';
  end if;

  if kind <> 'relates_to' then
    -- Cycles are looked for one after the other in an organization: two links made at once could close a ring.
    perform pg_advisory_xact_lock(hashtextextended('ticket_relationships:' || one.organization_id::text, 0));
    if exists (
      with recursive reached (id) as (
        select relate_tickets.other_ticket_id
        union
        select link.other_ticket_id
        from reached
        join app_public.ticket_relationships as link
          on link.organization_id = one.organization_id and link.ticket_id = reached.id and link.kind = relate_tickets.kind
      )
      select from reached where id = relate_tickets.ticket_id
    ) then
      raise exception using errcode = 'AD115', message = 'That would go round in a circle';
    end if;
  end if;

  insert into app_public.ticket_relationships (organization_id, ticket_id, kind, other_ticket_id, created_by_id)
  values (
    one.organization_id,
    -- A pair that is related is told once, whichever was named first.
    case when kind = 'relates_to' then one.id else relate_tickets.ticket_id end,
    relate_tickets.kind,
    case when kind = 'relates_to' then two.id else relate_tickets.other_ticket_id end,
    app_hidden.current_user_id()
  )
  returning * into made;

  perform app_private.record_ticket_event(one, 'relationship_added', app_private.relationship_words(made, one.id));
  perform app_private.record_ticket_event(two, 'relationship_added', app_private.relationship_words(made, two.id));
  return made;
end
$$;

comment on function app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid) is
  'Says how one ticket stands to another, and returns the relationship: the first is a child of, a duplicate of, related to, or blocks the second. A ticket has one parent and one original. A ticket is not resolved before its children. Staff only. Errors: NOT_FOUND, RELATIONSHIP_REFUSED for a circle, CONFLICT for one that is there.';

create or replace function app_public.unrelate_tickets(relationship_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  gone app_public.ticket_relationships;
  one app_public.tickets;
  two app_public.tickets;
begin
  select * into gone
  from app_public.ticket_relationships as relationship
  where relationship.organization_id = app_hidden.current_organization_id() and relationship.id = unrelate_tickets.relationship_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such relationship';
  end if;
  one := app_private.ticket_to_work_on(least(gone.ticket_id, gone.other_ticket_id));
  two := app_private.ticket_to_work_on(greatest(gone.ticket_id, gone.other_ticket_id));

  delete from app_public.ticket_relationships as relationship
  where relationship.organization_id = gone.organization_id and relationship.id = gone.id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such relationship';
  end if;
  perform app_private.record_ticket_event(one, 'relationship_removed', null, app_private.relationship_words(gone, one.id));
  perform app_private.record_ticket_event(two, 'relationship_removed', null, app_private.relationship_words(gone, two.id));
  return true;
end
$$;

comment on function app_public.unrelate_tickets(uuid) is 'Takes a relationship away. Staff only. Error: NOT_FOUND.';

create or replace function app_private.has_open_children(organization_id uuid, ticket_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.ticket_relationships as link
    join app_public.tickets as child on child.organization_id = link.organization_id and child.id = link.ticket_id
    where link.organization_id = has_open_children.organization_id and link.other_ticket_id = has_open_children.ticket_id
      and link.kind = 'child_of' and child.status not in ('resolved', 'closed')
  )
$$;

comment on function app_private.has_open_children(uuid, uuid) is 'Whether a ticket has a child that is not resolved.';

revoke all on function
  app_private.has_open_children(uuid, uuid),
  app_private.ticket_to_work_on(uuid), app_private.add_watcher(app_public.tickets, uuid), app_private.drop_watcher(app_public.tickets, uuid),
  app_public.watch_ticket(uuid, uuid), app_public.unwatch_ticket(uuid, uuid),
  app_private.relationship_words(app_public.ticket_relationships, uuid),
  app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid), app_public.unrelate_tickets(uuid)
from public;

grant execute on function
  app_public.watch_ticket(uuid, uuid), app_public.unwatch_ticket(uuid, uuid),
  app_public.relate_tickets(uuid, app_public.ticket_relationship_kind, uuid), app_public.unrelate_tickets(uuid)
to atum_agent;

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
  values (origin.organization_id, ticket.id, said.author_id, said.author_name, said.visibility, said.body);
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
  'Opens a new ticket with what a comment says, related to the one it was said on, and returns it. The comment stays where it is; its author, if a customer, is the requester. Retrying with the same `clientMutationKey` returns the ticket the first call made. Staff only. Errors: NOT_FOUND, INVALID_INPUT, FORBIDDEN for a ticket you would not see.';

revoke all on function
  app_public.merge_ticket(uuid, uuid), app_private.move_conversation(app_public.ticket_merges, uuid, uuid),
  app_private.refresh_last_comment(app_public.tickets), app_public.undo_merge(uuid),
  app_public.split_comment(uuid, text, text)
from public;

grant execute on function
  app_public.merge_ticket(uuid, uuid), app_public.undo_merge(uuid), app_public.split_comment(uuid, text, text)
to atum_agent;

--! split: 1036-functions-36-ticket-conditions.sql
-- Which tickets: one vocabulary for saved views, automations and whatever else asks, and one place that turns it into SQL.

create or replace function app_private.condition_words(condition jsonb) returns text[]
  language plpgsql immutable
  set search_path = ''
as $$
declare
  value constant jsonb := condition -> 'value';
begin
  if jsonb_typeof(value) = 'array' then
    if jsonb_array_length(value) not between 1 and 100 or jsonb_path_exists(value, '$[*] ? (@.type() != "string")') then
      raise exception using errcode = 'AD119', message = format('The condition on %s needs a list of 1 to 100 words', condition ->> 'field');
    end if;
    return array(select jsonb_array_elements_text(value));
  end if;
  if jsonb_typeof(value) is distinct from 'string' then
    raise exception using errcode = 'AD119', message = format('The condition on %s needs a value', condition ->> 'field');
  end if;
  return array[value #>> '{}'];
end
$$;

comment on function app_private.condition_words(jsonb) is 'The value of a condition as a list. Error CONDITION_INVALID.';

create or replace function app_private.column_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  field constant text := condition ->> 'field';
  operator constant text := condition ->> 'operator';
  word_types constant jsonb := '{"status": "ticket_status", "priority": "ticket_priority", "channel": "ticket_channel"}';
  enum_type text := word_types ->> field;
  words text[];
  instant timestamptz;
  seconds numeric;
begin
  if operator in ('is_empty', 'is_not_empty') then
    return format('ticket.%I is %snull', field, case operator when 'is_not_empty' then 'not ' else '' end);
  end if;

  case
    when enum_type is not null then
      words := app_private.condition_words(condition);
      if exists (
        select
        from unnest(words) as word
        where word not in (
          select label.enumlabel
          from pg_catalog.pg_enum as label
          where label.enumtypid = ('app_public.' || enum_type)::pg_catalog.regtype
        )
      ) then
        raise exception using errcode = 'AD119', message = format('The condition on %s has a word that is none of it', field);
      end if;
      return case operator
        when 'is' then format('ticket.%I = any (%L::app_public.%I[])', field, words, enum_type)
        -- By what it may be: partial indexes are found by that, and not by what it must not be.
        when 'is_not' then format(
          'ticket.%I = any (%L::app_public.%I[])', field,
          array(
            select label.enumlabel
            from pg_catalog.pg_enum as label
            where label.enumtypid = ('app_public.' || enum_type)::pg_catalog.regtype and label.enumlabel <> all (words)
            order by label.enumsortorder
          ),
          enum_type
        )
        when 'at_least' then format('ticket.%I >= %L::app_public.%I', field, words[1], enum_type)
        when 'at_most' then format('ticket.%I <= %L::app_public.%I', field, words[1], enum_type)
      end;

    when field in ('state_id', 'service_id', 'team_id', 'assignee_id', 'requester_id', 'company_id') then
      words := app_private.condition_words(condition);
      if exists (
        select from unnest(words) as word
        where not pg_input_is_valid(word, 'uuid') and not (word = 'me' and field in ('assignee_id', 'requester_id'))
      ) then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs ids', field);
      end if;
      return format(
        case operator
          when 'is' then 'ticket.%1$I = any (%2$s)'
          when 'is_not' then '(ticket.%1$I is null or ticket.%1$I <> all (%2$s))'
        end,
        field,
        case
          -- As a list of so many, which the planner can count.
          when 'me' = any (words) then format(
            'array[(select app_hidden.current_user_id())%s]',
            (select string_agg(format(', %L::uuid', word), '') from unnest(words) as word where word <> 'me')
          )
          else format('%L::uuid[]', words)
        end
      );

    when field = 'tags' then
      words := app_private.tidy_tags(app_private.condition_words(condition));
      return case operator
        when 'includes_any' then format('ticket.tags && %L::text[]', words)
        when 'includes_all' then format('ticket.tags @> %L::text[]', words)
        when 'includes_none' then format('not ticket.tags && %L::text[]', words)
      end;

    when field = 'subject' then
      words := app_private.condition_words(condition);
      return format(
        case operator
          when 'contains' then '(%s)'
          when 'contains_not' then 'not (%s)'
        end,
        (select string_agg(format('position(lower(%L) in lower(ticket.subject)) > 0', word), ' or ') from unnest(words) as word)
      );

    when operator in ('before', 'after') then
      words := app_private.condition_words(condition);
      if not pg_input_is_valid(words[1], 'timestamptz') then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs an instant', field);
      end if;
      instant := words[1]::timestamptz;
      return format('ticket.%I %s %L::timestamptz', field, case operator when 'before' then '<' else '>' end, instant);

    when operator in ('older_than', 'newer_than', 'within') then
      if jsonb_typeof(condition -> 'value') is distinct from 'number' then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a number of seconds', field);
      end if;
      seconds := (condition ->> 'value')::numeric;
      if seconds not between 0 and 3155760000 then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs 0 seconds to a hundred years', field);
      end if;
      return format(
        case operator
          when 'older_than' then 'ticket.%1$I < now() - make_interval(secs => %2$s)'
          when 'newer_than' then 'ticket.%1$I > now() - make_interval(secs => %2$s)'
          else '(ticket.%1$I >= now() and ticket.%1$I < now() + make_interval(secs => %2$s))'
        end,
        field, seconds
      );
  end case;
end
$$;

comment on function app_private.column_condition_sql(jsonb) is 'One condition on a column of a ticket as SQL; its field and operator were checked before.';

create or replace function app_private.custom_field_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  key constant text := substr(condition ->> 'field', length('custom_fields.') + 1);
  held constant text := format('coalesce(ticket.custom_fields -> %1$L, ticket.internal_fields -> %1$L)', key);
  value constant jsonb := condition -> 'value';
  among text;
begin
  if key !~ '^[a-z][a-z0-9_]{0,62}$' then
    raise exception using errcode = 'AD119', message = 'The condition names no custom field';
  end if;

  case condition ->> 'operator'
    when 'is_empty' then
      return format('%s is null', held);
    when 'is_not_empty' then
      return format('%s is not null', held);
    when 'is', 'is_not' then
      if value is null or value = 'null' or jsonb_typeof(value) = 'object' or value = '[]'
        or (jsonb_typeof(value) = 'array' and jsonb_array_length(value) > 100)
      then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a value', condition ->> 'field');
      end if;
      select string_agg(format('%1$s = %2$L::jsonb or (jsonb_typeof(%1$s) = ''array'' and %1$s @> %2$L::jsonb)', held, wanted), ' or ')
      into among
      from jsonb_array_elements(case jsonb_typeof(value) when 'array' then value else jsonb_build_array(value) end) as wanted;
      return format(
        case condition ->> 'operator' when 'is' then 'coalesce(%s, false)' else 'not coalesce(%s, false)' end, among
      );
    when 'contains' then
      return format('position(lower(%L) in lower(%s #>> ''{}'')) > 0', (app_private.condition_words(condition))[1], held);
    when 'at_least', 'at_most' then
      if jsonb_typeof(value) not in ('number', 'string') then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a number or a date', condition ->> 'field');
      end if;
      -- Numbers with numbers and dates with dates; dates are texts that sort as they follow each other.
      return format(
        'case jsonb_typeof(%1$s) when %2$L then %3$s %4$s %5$s else false end',
        held, jsonb_typeof(value),
        case jsonb_typeof(value) when 'number' then format('(%s)::numeric', held) else format('(%s #>> ''{}'') collate "C"', held) end,
        case condition ->> 'operator' when 'at_least' then '>=' else '<=' end,
        case jsonb_typeof(value) when 'number' then format('%L::numeric', value #>> '{}') else format('%L', value #>> '{}') end
      );
  end case;
end
$$;

comment on function app_private.custom_field_condition_sql(jsonb) is 'One condition on a custom field as SQL; its operator was checked before.';

create or replace function app_private.single_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  known constant jsonb := '{
    "status": ["is", "is_not"], "channel": ["is", "is_not"], "priority": ["is", "is_not", "at_least", "at_most"],
    "state_id": ["is", "is_not"], "requester_id": ["is", "is_not"],
    "service_id": ["is", "is_not", "is_empty", "is_not_empty"], "team_id": ["is", "is_not", "is_empty", "is_not_empty"],
    "assignee_id": ["is", "is_not", "is_empty", "is_not_empty"], "company_id": ["is", "is_not", "is_empty", "is_not_empty"],
    "tags": ["includes_any", "includes_all", "includes_none"], "subject": ["contains", "contains_not"],
    "created_at": ["before", "after", "older_than", "newer_than"], "updated_at": ["before", "after", "older_than", "newer_than"],
    "last_comment_at": ["before", "after", "older_than", "newer_than"],
    "resolved_at": ["before", "after", "older_than", "newer_than", "is_empty", "is_not_empty"],
    "next_due_at": ["before", "after", "older_than", "within", "is_empty", "is_not_empty"],
    "snoozed_until": ["before", "after", "within", "is_empty", "is_not_empty"],
    "breached": ["is"], "snoozed": ["is"], "watched": ["is"],
    "custom_fields": ["is", "is_not", "contains", "at_least", "at_most", "is_empty", "is_not_empty"]
  }';
  field constant text := condition ->> 'field';
begin
  if jsonb_typeof(condition) is distinct from 'object'
    or not coalesce(known -> split_part(field, '.', 1) ? (condition ->> 'operator'), false)
    or (split_part(field, '.', 1) = field) = (split_part(field, '.', 1) = 'custom_fields')
    or exists (select from jsonb_object_keys(condition) as key where key not in ('field', 'operator', 'value'))
  then
    raise exception using
      errcode = 'AD119',
      message = format('There is no condition %s %s', left(condition #>> '{field}', 80), left(condition #>> '{operator}', 40));
  end if;

  if field in ('breached', 'snoozed', 'watched') then
    if jsonb_typeof(condition -> 'value') is distinct from 'boolean' then
      raise exception using errcode = 'AD119', message = format('The condition on %s needs true or false', field);
    end if;
    return case when condition -> 'value' = 'true' then '' else 'not ' end || case field
      when 'breached' then 'ticket.breached'
      when 'snoozed' then '(ticket.snoozed_until is not null)'
      else
        'exists (select from app_public.ticket_watchers as watcher where watcher.organization_id = ticket.organization_id'
        ' and watcher.ticket_id = ticket.id and watcher.user_id = (select app_hidden.current_user_id()))'
    end;
  end if;

  return case
    when field like 'custom\_fields.%' then app_private.custom_field_condition_sql(condition)
    else app_private.column_condition_sql(condition)
  end;
end
$$;

comment on function app_private.single_condition_sql(jsonb) is 'One condition as SQL over a row named `ticket`. Error CONDITION_INVALID.';

create or replace function app_hidden.ticket_condition_sql(conditions jsonb) returns text
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  every_one text;
  one_of_them text;
begin
  if jsonb_typeof(conditions) is distinct from 'object'
    or exists (select from jsonb_object_keys(conditions) as key where key not in ('all', 'any'))
    or jsonb_typeof(coalesce(conditions -> 'all', '[]')) <> 'array'
    or jsonb_typeof(coalesce(conditions -> 'any', '[]')) <> 'array'
  then
    raise exception using errcode = 'AD119', message = 'Conditions are an object with a list under all, any, or both';
  end if;
  if jsonb_array_length(coalesce(conditions -> 'all', '[]')) + jsonb_array_length(coalesce(conditions -> 'any', '[]')) > 20 then
    raise exception using errcode = 'AD119', message = 'At most 20 conditions';
  end if;

  select string_agg(app_private.single_condition_sql(condition), ' and ' order by position) into every_one
  from jsonb_array_elements(conditions -> 'all') with ordinality as listed (condition, position);
  select '(' || string_agg(app_private.single_condition_sql(condition), ' or ' order by position) || ')' into one_of_them
  from jsonb_array_elements(conditions -> 'any') with ordinality as listed (condition, position);

  return coalesce(every_one || ' and ' || one_of_them, every_one, one_of_them, 'true');
end
$$;

comment on function app_hidden.ticket_condition_sql(jsonb) is
  'Conditions as SQL over a row of app_public.tickets that is named `ticket`; every value in it is quoted. Whoever runs it brings the organization and the visibility. Error CONDITION_INVALID.';

create or replace function app_hidden.check_ticket_conditions(conditions jsonb) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  perform app_hidden.ticket_condition_sql(conditions);
end
$$;

comment on function app_hidden.check_ticket_conditions(jsonb) is
  'Refuses conditions that are none. They are `{"all": […], "any": […]}`, both optional, at most 20 in all, each `{"field", "operator", "value"}`. Fields: status, priority, channel (is, is_not: a word or a list; priority also at_least, at_most); state_id, service_id, team_id, assignee_id, requester_id, company_id (is, is_not: an id or a list, for people also "me"; is_empty, is_not_empty); tags (includes_any, includes_all, includes_none); subject (contains, contains_not); created_at, updated_at, last_comment_at, resolved_at, next_due_at, snoozed_until (before, after an instant; older_than, newer_than, within so many seconds; is_empty, is_not_empty); breached, snoozed, watched (is true or false); custom_fields.key (is, is_not, contains, at_least, at_most, is_empty, is_not_empty). Error CONDITION_INVALID.';

revoke all on function
  app_private.condition_words(jsonb), app_private.column_condition_sql(jsonb), app_private.custom_field_condition_sql(jsonb),
  app_private.single_condition_sql(jsonb), app_hidden.ticket_condition_sql(jsonb), app_hidden.check_ticket_conditions(jsonb)
from public;

grant execute on function app_hidden.ticket_condition_sql(jsonb), app_hidden.check_ticket_conditions(jsonb) to atum_agent, atum_worker;

--! split: 1037-functions-37-ticket-views.sql
-- Saved views: which tickets, how many, and page by page.

-- One set of columns for the caller's views and for those not yet saved.
create or replace function app_hidden.check_view_columns(columns text[]) returns void
  language plpgsql immutable
  set search_path = ''
as $$
declare
  column_name text;
begin
  foreach column_name in array columns loop
    if column_name is null or (
      column_name not in ('reference', 'subject', 'status', 'priority', 'requester', 'company', 'assignee', 'team', 'service', 'tags', 'due', 'created', 'updated')
      and column_name !~ '^custom_fields\.[a-z][a-z0-9_]{0,62}$'
    ) then
      raise exception using errcode = 'AD161', message = format('There is no column "%s" to show', left(column_name, 80));
    end if;
  end loop;
end
$$;

comment on function app_hidden.check_view_columns(text[]) is 'Refuses columns that no list of tickets has. Error VIEW_INVALID.';

create or replace function app_private.keeps_view(view app_public.ticket_views) returns boolean
  language sql stable
  set search_path = ''
as $$
  select view.organization_id = app_hidden.current_organization_id()
    and case view.visibility
      when 'personal' then app_hidden.is_staff() and view.owner_id = app_hidden.current_user_id()
      when 'team' then
        app_hidden.acting_role() in ('atum_manager', 'atum_admin')
        or (app_hidden.is_staff() and view.team_id = any (app_hidden.current_team_ids()))
      else app_hidden.acting_role() in ('atum_manager', 'atum_admin')
    end
$$;

comment on function app_private.keeps_view(app_public.ticket_views) is 'Whether the caller may change a view: the owner one''s own, members and managers a team''s, managers and admins a shared one.';

create or replace function app_private.sees_view(view app_public.ticket_views) returns boolean
  language sql stable
  set search_path = ''
as $$
  select app_hidden.is_staff() and (app_private.keeps_view(view) or (view.organization_id = app_hidden.current_organization_id() and view.visibility = 'shared'))
$$;

comment on function app_private.sees_view(app_public.ticket_views) is 'Whether the caller has a view in the inbox: what its policies say, for functions that run as the owner.';

create or replace function app_public.save_ticket_view(
  name text,
  conditions jsonb,
  view_id uuid default null,
  visibility app_public.ticket_view_visibility default 'personal',
  team_id uuid default null,
  columns text[] default '{reference,subject,status,priority,assignee,team,due,updated}',
  sort app_public.ticket_sort default 'updated',
  direction app_public.sort_direction default 'descending',
  "position" integer default null
) returns app_public.ticket_views
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  before app_public.ticket_views;
  after app_public.ticket_views;
begin
  if not app_hidden.is_staff() then
    raise exception using errcode = '42501', message = 'Views are for staff';
  end if;

  if save_ticket_view.view_id is not null then
    select * into before
    from app_public.ticket_views as view
    where view.organization_id = caller_organization_id and view.id = save_ticket_view.view_id
    for no key update;
    if not found or not app_private.sees_view(before) then
      raise exception using errcode = 'AD101', message = 'There is no such view';
    end if;
    if not app_private.keeps_view(before) then
      raise exception using errcode = '42501', message = 'Managers change the views that all share';
    end if;
  end if;

  after := before;
  after.organization_id := caller_organization_id;
  after.name := btrim(save_ticket_view.name);
  after.visibility := coalesce(save_ticket_view.visibility, 'personal');
  after.owner_id := case after.visibility when 'personal' then app_hidden.current_user_id() end;
  after.team_id := case after.visibility when 'team' then save_ticket_view.team_id end;
  after.conditions := save_ticket_view.conditions;
  after.columns := save_ticket_view.columns;
  after.sort := coalesce(save_ticket_view.sort, 'updated');
  after.direction := coalesce(save_ticket_view.direction, 'descending');

  if after.visibility = 'team' and not exists (
    select from app_public.teams as team where team.organization_id = caller_organization_id and team.id = after.team_id
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such team';
  end if;
  if not app_private.keeps_view(after) then
    raise exception using errcode = '42501', message = 'Members make views for their teams, and managers for all';
  end if;
  perform app_hidden.check_ticket_conditions(after.conditions);
  perform app_hidden.check_view_columns(after.columns);

  if save_ticket_view.view_id is null then
    if (
      select count(*)
      from app_public.ticket_views as view
      where view.organization_id = caller_organization_id
        and (view.visibility, view.owner_id, view.team_id) is not distinct from (after.visibility, after.owner_id, after.team_id)
    ) >= 50 then
      raise exception using errcode = 'AD162', message = 'There are 50 views already; delete one first';
    end if;
    insert into app_public.ticket_views (organization_id, name, visibility, owner_id, team_id, conditions, columns, sort, direction, position)
    values (
      after.organization_id, after.name, after.visibility, after.owner_id, after.team_id, after.conditions, after.columns, after.sort,
      after.direction,
      coalesce(
        save_ticket_view.position,
        (select least(max(view.position) + 1, 100000) from app_public.ticket_views as view where view.organization_id = caller_organization_id), 0
      )
    )
    returning * into after;
  else
    update app_public.ticket_views as view
    set
      name = after.name, visibility = after.visibility, owner_id = after.owner_id, team_id = after.team_id, conditions = after.conditions,
      columns = after.columns, sort = after.sort, direction = after.direction, position = coalesce(save_ticket_view.position, view.position)
    where view.organization_id = caller_organization_id and view.id = before.id
    returning * into after;
  end if;
  return after;
end
$$;

comment on function app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer) is
  'Saves a view and returns it; with `viewId` it takes the place of what that one was. Agents save personal views and those of their teams, managers also shared ones. `conditions` and `columns` as TicketView has them; `teamId` for those of a team. Up to 50 of each person, of each team and shared. Errors: INVALID_INPUT, FORBIDDEN, NOT_FOUND, CONDITION_INVALID, VIEW_INVALID, TOO_MANY_VIEWS.';

create or replace function app_public.delete_ticket_view(view_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  gone app_public.ticket_views;
begin
  select * into gone
  from app_public.ticket_views as view
  where view.organization_id = app_hidden.current_organization_id() and view.id = delete_ticket_view.view_id;
  if not found or not app_private.sees_view(gone) then
    raise exception using errcode = 'AD101', message = 'There is no such view';
  end if;
  if not app_private.keeps_view(gone) then
    raise exception using errcode = '42501', message = 'Managers delete the views that all share';
  end if;
  delete from app_public.ticket_views as view where view.organization_id = gone.organization_id and view.id = gone.id;
  return true;
end
$$;

comment on function app_public.delete_ticket_view(uuid) is 'Deletes a view for all who have it, and says whether it did. Errors: NOT_FOUND, FORBIDDEN.';

create or replace trigger _100_stamp before update on app_public.ticket_views
  for each row execute function app_private.tg__stamp_updated_at();

-- Reading

do $$
begin
  if to_regtype('app_public.ticket_page') is null then
    create type app_public.ticket_page as (tickets app_public.tickets[], next_cursor text);
    create type app_public.ticket_view_count as (view_id uuid, count integer, is_capped boolean);
  end if;
end
$$;

comment on type app_public.ticket_page is 'Some tickets of a view, in its order.';
comment on column app_public.ticket_page.tickets is 'The tickets of this page.';
comment on column app_public.ticket_page.next_cursor is 'Hand it back as `after` for the next page; null on the last.';
comment on type app_public.ticket_view_count is 'How many tickets are in a view.';
comment on column app_public.ticket_view_count.view_id is 'The view that was counted.';
comment on column app_public.ticket_view_count.count is 'How many, up to 100; null when counting them would take long. Conditions on status, assignee or team make it quick.';
comment on column app_public.ticket_view_count.is_capped is 'Whether there are more than 100.';

create or replace function app_hidden.view_condition_sql(conditions jsonb) returns text
  language sql stable
  set search_path = ''
as $$
  select app_hidden.ticket_condition_sql(conditions)
    || case
      when jsonb_path_exists(conditions, '$.*[*].field ? (@ == "snoozed" || @ == "snoozed_until")') then ''
      else ' and ticket.snoozed_until is null'
    end
$$;

comment on function app_hidden.view_condition_sql(jsonb) is 'The conditions of a view as SQL: what is snoozed is out of sight until it wakes, unless the view is about that. Error CONDITION_INVALID.';

-- Page by page along an index. A due time may be missing, and what has none comes last either way: two walks.
create or replace function app_hidden.page_of_tickets(
  condition text, sort app_public.ticket_sort, direction app_public.sort_direction, first integer, after text
) returns app_public.ticket_page
  language plpgsql stable
  set search_path = ''
as $$
declare
  page app_public.ticket_page;
  keys constant text[] := case sort
    when 'updated' then array['updated_at', 'id']
    when 'created' then array['number']
    when 'due' then array['next_due_at', 'id']
    when 'priority' then array['priority', 'updated_at', 'id']
  end;
  types constant text[] := case sort
    when 'updated' then array['timestamptz', 'uuid']
    when 'created' then array['integer']
    when 'due' then array['timestamptz', 'uuid']
    when 'priority' then array['app_public.ticket_priority', 'timestamptz', 'uuid']
  end;
  way constant text := case direction when 'ascending' then 'asc' else 'desc' end;
  beyond constant text := case direction when 'ascending' then '>' else '<' end;
  seen text[];
  walk record;
  found app_public.tickets[];
begin
  -- Null is no number of tickets, and would be no limit.
  first := coalesce(first, 50);
  if first not between 1 and 100 then
    raise exception using errcode = 'AD161', message = 'A page has 1 to 100 tickets';
  end if;
  if after is not null then
    seen := string_to_array(after, ' ', '-');
    if cardinality(seen) <> cardinality(keys) or exists (
      select
      from unnest(seen, types) as part (value, type)
      where not coalesce(pg_input_is_valid(value, type), sort = 'due' and type = 'timestamptz')
    ) then
      raise exception using errcode = 'AD161', message = 'This is no cursor of this view';
    end if;
  end if;

  page.tickets := '{}';
  for walk in
    select *
    from (
      values
        (sort <> 'due', 'true', keys, 1),
        (sort = 'due' and (after is null or seen[1] is not null), 'ticket.next_due_at is not null', keys, 1),
        (sort = 'due', 'ticket.next_due_at is null', array['id'], case when seen[1] is null then 2 end)
    ) as walks (is_walked, part, keys, seen_from)
    where is_walked
  loop
    execute format(
      'select array_agg(found.ticket) from (select ticket from app_public.tickets as ticket where ticket.organization_id = $1 and %s and %s and %s order by %s limit $2) as found',
      condition, walk.part,
      case
        when after is null or walk.seen_from is null then 'true'
        else format(
          '(%s) %s (%s)',
          (select string_agg('ticket.' || key, ', ' order by place) from unnest(walk.keys) with ordinality as listed (key, place)),
          beyond,
          (
            select string_agg(format('%L::%s', seen[place], types[place]), ', ' order by place)
            from generate_series(walk.seen_from, cardinality(seen)) as place
          )
        )
      end,
      (select string_agg(format('ticket.%s %s', key, way), ', ' order by place) from unnest(walk.keys) with ordinality as listed (key, place))
    )
    into found
    using app_hidden.current_organization_id(), first + 1 - cardinality(page.tickets);
    page.tickets := page.tickets || coalesce(found, '{}');
    exit when cardinality(page.tickets) > first;
  end loop;

  if cardinality(page.tickets) > first then
    page.tickets := page.tickets[:first];
    page.next_cursor := array_to_string(
      case sort
        when 'updated' then array[to_json(page.tickets[first].updated_at) #>> '{}', page.tickets[first].id::text]
        when 'created' then array[page.tickets[first].number::text]
        when 'due' then array[to_json(page.tickets[first].next_due_at) #>> '{}', page.tickets[first].id::text]
        when 'priority' then array[page.tickets[first].priority::text, to_json(page.tickets[first].updated_at) #>> '{}', page.tickets[first].id::text]
      end,
      ' ', '-'
    );
  end if;
  return page;
end
$$;

comment on function app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text) is 'A page of the tickets the caller sees that fulfil a condition in SQL. Error VIEW_INVALID for a cursor that is none.';

create or replace function app_public.view_tickets(view_id uuid, first integer default 50, after text default null) returns app_public.ticket_page
  language plpgsql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
declare
  view app_public.ticket_views;
begin
  select * into view
  from app_public.ticket_views as saved
  where saved.organization_id = app_hidden.current_organization_id() and saved.id = view_tickets.view_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such view';
  end if;
  return app_hidden.page_of_tickets(app_hidden.view_condition_sql(view.conditions), view.sort, view.direction, first, after);
end
$$;

comment on function app_public.view_tickets(uuid, integer, text) is 'The tickets of a view, of those the caller sees. A page has `first` (1 to 100) tickets; `after` is the `nextCursor` of the one before. Errors: NOT_FOUND, VIEW_INVALID for a cursor that is none.';

create or replace function app_public.preview_tickets(
  conditions jsonb,
  sort app_public.ticket_sort default 'updated',
  direction app_public.sort_direction default 'descending',
  first integer default 50,
  after text default null
) returns app_public.ticket_page
  language sql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
  select app_hidden.page_of_tickets(app_hidden.view_condition_sql(conditions), sort, direction, first, after)
$$;

comment on function app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text) is 'The tickets that a view with these conditions would have. Errors: CONDITION_INVALID, VIEW_INVALID.';

revoke all on function
  app_hidden.check_view_columns(text[]), app_private.keeps_view(app_public.ticket_views), app_private.sees_view(app_public.ticket_views),
  app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer),
  app_public.delete_ticket_view(uuid), app_hidden.view_condition_sql(jsonb),
  app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text),
  app_public.view_tickets(uuid, integer, text),
  app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text)
from public;

grant execute on function
  app_public.save_ticket_view(text, jsonb, uuid, app_public.ticket_view_visibility, uuid, text[], app_public.ticket_sort, app_public.sort_direction, integer),
  app_public.delete_ticket_view(uuid), app_hidden.view_condition_sql(jsonb),
  app_hidden.page_of_tickets(text, app_public.ticket_sort, app_public.sort_direction, integer, text),
  app_public.view_tickets(uuid, integer, text),
  app_public.preview_tickets(jsonb, app_public.ticket_sort, app_public.sort_direction, integer, text)
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
    insert into app_public.comments (organization_id, ticket_id, author_name, visibility, body)
    values (ticket.organization_id, ticket.id, app_hidden.current_actor_name(), say.visibility, say.body);
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

--! split: 1039-functions-39-ticket-silence.sql
-- What happens to tickets because time passed: put aside until later, and closed after silence. The worker calls these
-- with the claims of one organization.

create or replace function app_private.tg_tickets__schedule_waking() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'wake_ticket', NEW.organization_id, jsonb_build_object('ticketId', NEW.id),
    run_at => NEW.snoozed_until, job_key => 'wake_ticket:' || NEW.id
  );
  return null;
end
$$;

comment on function app_private.tg_tickets__schedule_waking() is 'Has a job wake a snoozed ticket at its time.';

create or replace trigger _900_schedule_waking after update of snoozed_until on app_public.tickets
  for each row when (NEW.snoozed_until is not null and NEW.snoozed_until is distinct from OLD.snoozed_until)
  execute function app_private.tg_tickets__schedule_waking();

create or replace function app_private.wake_tickets(ticket_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  woken integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Tickets are woken for one organization at a time';
  end if;

  update app_public.tickets as ticket
  set snoozed_until = null
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.id in (
      select due.id
      from app_public.tickets as due
      where due.organization_id = app_hidden.current_organization_id() and due.snoozed_until <= clock_timestamp()
        and (wake_tickets.ticket_id is null or due.id = wake_tickets.ticket_id)
      order by due.snoozed_until
      limit 1000
      for no key update skip locked
    );
  get diagnostics woken = row_count;
  return woken;
end
$$;

comment on function app_private.wake_tickets(uuid) is 'Wakes the snoozed tickets of the current organization whose time has come, or one of them, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.end_silent_tickets() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  settings app_public.ticket_settings;
  silent record;
  ended integer := 0;
  actor_before constant text := current_setting('atum.actor_name', true);
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Silent tickets are ended for one organization at a time';
  end if;
  select * into strict settings from app_public.ticket_settings where organization_id = app_hidden.current_organization_id();
  perform set_config('atum.actor_name', 'Auto-close', true);

  -- As many as end, not as many as are looked at: those that may not be resolved yet must not keep the others waiting.
  for silent in
    select ticket.id, case ticket.status when 'resolved' then 'closed' else 'resolved' end::app_public.ticket_status as next_status
    from app_public.tickets as ticket
    where ticket.organization_id = app_hidden.current_organization_id()
      and (
        (
          ticket.status = 'resolved'
          and greatest(ticket.resolved_at, ticket.last_comment_at) <= now() - make_interval(days => settings.close_resolved_days)
        )
        or (
          ticket.status = 'pending' and ticket.snoozed_until is null
          and ticket.last_comment_at <= now() - make_interval(days => settings.resolve_pending_days)
          -- It may have begun to wait long after the last word.
          and not exists (
            select
            from app_public.ticket_events as event
            where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id and event.type = 'status_changed'
              and event.created_at > now() - make_interval(days => settings.resolve_pending_days)
          )
        )
      )
    order by ticket.id
    for no key update skip locked
  loop
    exit when ended = 1000;
    begin
      update app_public.tickets as ticket
      set status = silent.next_status
      where ticket.organization_id = app_hidden.current_organization_id() and ticket.id = silent.id;
      ended := ended + 1;
    exception
      -- One that may not be resolved yet, for its children or for what it still has to say, goes on waiting.
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
    end;
  end loop;
  perform set_config('atum.actor_name', coalesce(actor_before, ''), true);
  return ended;
end
$$;

comment on function app_private.end_silent_tickets() is
  'Closes the resolved and resolves the pending tickets of the current organization about which nobody said a word for as long as its settings say, up to 1,000, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function app_private.tg_tickets__schedule_waking(), app_private.wake_tickets(uuid), app_private.end_silent_tickets() from public;

grant execute on function app_private.wake_tickets(uuid), app_private.end_silent_tickets() to atum_worker;

--! split: 1040-functions-40-sla.sql
-- Arithmetic: pure functions over a calendar as jsonb,
-- `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25", "12-26", {"from": "2026-08-03", "to": "2026-08-14"},
-- {"from": "12-27", "to": "01-02"}, {"date": "12-24", "from": "12:00", "to": "24:00"}]}`.

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

create or replace function app_hidden.are_hours(hours jsonb) returns boolean
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{mon,tue,wed,thu,fri,sat,sun}';
  weekday text;
  hours_of_day text;
  hours_before text := '[]';
begin
  if jsonb_typeof(hours) <> 'object' or hours - weekdays <> '{}' then
    return false;
  end if;
  foreach weekday in array weekdays loop
    hours_of_day := hours ->> weekday;
    -- Most days are like the one before, and the text of a jsonb value is always written the same way.
    if hours_of_day <> hours_before and hours_of_day <> '[]' then
      if hours_of_day !~ '^\[(?:\["(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)", "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)"\](?:, )?)*\]$' then
        return false;
      end if;
      hours_before := hours_of_day;
    end if;
  end loop;
  return hours_before <> '[]';
end
$$;

comment on function app_hidden.are_hours(jsonb) is 'Whether a value is working hours: by weekday, pairs of times between 00:00 and 24:00, and not none at all.';

create or replace function app_hidden.is_day(day text) returns boolean
  language sql stable parallel safe
  return coalesce(
    day ~ '^(?:\d{4}-)?\d\d-\d\d$' and pg_input_is_valid(case when length(day) = 5 then '2024-' || day else day end, 'date'), false
  );

comment on function app_hidden.is_day(text) is 'Whether a text is a date, `2026-12-25`, or a day of every year, `12-25`.';

create or replace function app_hidden.check_calendar(calendar jsonb) returns void
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  hours constant jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
begin
  if hours is distinct from '"always_open"' then
    if hours is null or jsonb_typeof(hours) <> 'object' or hours::text !~ '\[\[' then
      raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
    end if;
    if not app_hidden.are_hours(hours) then
      raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
    end if;
  end if;

  if jsonb_typeof(holidays) <> 'array' or exists (
    select
    from jsonb_array_elements(holidays) as holiday
    where case jsonb_typeof(holiday)
      when 'string' then not app_hidden.is_day(holiday #>> '{}')
      when 'object' then not coalesce(
        case
          when holiday ? 'date' then
            app_hidden.is_day(holiday ->> 'date')
            and holiday ->> 'from' ~ '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$' and holiday ->> 'to' ~ '^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
            and holiday ->> 'from' < holiday ->> 'to'
          else
            app_hidden.is_day(holiday ->> 'from') and app_hidden.is_day(holiday ->> 'to')
            and length(holiday ->> 'from') = length(holiday ->> 'to')
            and (length(holiday ->> 'from') = 5 or holiday ->> 'from' <= holiday ->> 'to')
        end,
        false
      )
      else true
    end
  ) then
    raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours, or with times or holidays that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_holidays(holidays jsonb, first_day date, last_day date, in_part boolean) returns datemultirange
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  holiday jsonb;
  first_text text;
  last_text text;
  first_of_month date;
  last_of_month date;
  lowest constant text := to_char(first_day, 'YYYY-MM-DD');
  highest constant text := to_char(last_day, 'YYYY-MM-DD');
  found_days datemultirange := '{}';
begin
  for index in 0 .. jsonb_array_length(holidays) - 1 loop
    first_text := holidays ->> index;
    last_text := first_text;
    -- Dates are the most, and most of them are not near.
    continue when length(first_text) <= 10 and in_part or length(first_text) = 10 and (first_text < lowest or first_text > highest);
    if length(first_text) > 10 then
      holiday := holidays -> index;
      continue when holiday ? 'date' <> in_part;
      first_text := coalesce(holiday ->> 'date', holiday ->> 'from');
      last_text := coalesce(holiday ->> 'date', holiday ->> 'to');
    end if;

    if length(first_text) = 10 and length(last_text) = 10 then
      found_days := found_days + datemultirange(daterange(first_text::date, last_text::date, '[]'));
    elsif length(first_text) = 5 and length(last_text) = 5 then
      -- One that goes over the end of the year may have begun in the year before.
      for year in extract(year from first_day)::integer - 1 .. extract(year from last_day)::integer loop
        first_of_month := make_date(year, left(first_text, 2)::integer, 1);
        last_of_month := make_date(year + (last_text < first_text)::integer, left(last_text, 2)::integer, 1);
        -- The 29th of February is not held in a year without one.
        found_days := found_days + datemultirange(daterange(
          first_of_month + right(first_text, 2)::integer - 1,
          least(last_of_month + right(last_text, 2)::integer, (last_of_month + interval '1 month')::date)
        ));
      end loop;
    else
      raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
    end if;
  end loop;
  return found_days;
end
$$;

comment on function app_hidden.business_holidays(jsonb, date, date, boolean) is 'The local days near a span of days that are shut: those shut in part, or those shut from midnight to midnight.';

create or replace function app_hidden.business_shut(holidays jsonb, day date, zone text) returns tstzmultirange
  language sql stable parallel safe
  set search_path = ''
as $$
  select coalesce(range_agg(tstzrange(part.from_at, greatest(part.from_at, part.to_at))), '{}')
  from jsonb_array_elements(holidays) as holiday
  cross join lateral (
    select
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'from')::interval else '00:00' end, zone) as from_at,
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'to')::interval else '24:00' end, zone) as to_at
  ) as part
  where app_hidden.business_holidays(jsonb_build_array(holiday), day, day, holiday ? 'date') @> day
$$;

comment on function app_hidden.business_shut(jsonb, date, text) is 'The spans of a local day in which its holidays shut the calendar.';

create or replace function app_hidden.business_shifts(hours text) returns interval[]
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  -- JSON and arrays differ in their brackets, and this is the quickest way from one to the other.
  shifts constant interval[] := translate(hours, '[]', '{}');
begin
  for index in 2 .. coalesce(array_length(shifts, 1), 0) loop
    if shifts[index][1] < shifts[index - 1][1] then
      return array(
        select array[opening, closing]
        from unnest(shifts[:][1:1]) with ordinality as openings (opening, place)
        join unnest(shifts[:][2:2]) with ordinality as closings (closing, place) using (place)
        order by opening
      );
    end if;
  end loop;
  return shifts;
end
$$;

comment on function app_hidden.business_shifts(text) is 'The hours of one day as pairs of times since midnight, by when they open.';

-- The one walk over working time: day by day, and by whole weeks where a week is like any other. Instants are microseconds
-- since 1970 within it: arithmetic with them is exact, costs a fraction of that with intervals, and means the same in every
-- session's time zone.
create or replace function app_hidden.business_walk(
  calendar jsonb, start_at timestamptz, working_time double precision, stop_at timestamptz, paused tstzmultirange,
  out reached_at timestamptz, out worked double precision
)
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
  second constant double precision := 1e6;
  day_length constant double precision := 86400 * second;
  zone constant text := calendar ->> 'tz';
  hours jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
  has_holidays constant boolean := holidays <> '[]';
  has_parts constant boolean := has_holidays and holidays::text like '%"date"%';
  has_pauses constant boolean := paused <> '{}';
  start constant double precision := round(date_part('epoch', start_at) * second);
  stop constant double precision := coalesce(round(date_part('epoch', stop_at) * second), 'infinity');
  target constant double precision := coalesce(working_time, 'infinity');
  -- A day earlier, for hours that go over midnight.
  day date := (start_at at time zone zone)::date - 1;
  -- From here on it pays to know what a whole week comes to.
  weekly_from constant date := day + 10;
  week double precision;
  midnight double precision;
  next_midnight double precision;
  day_before double precision := 0;
  -- Up to here everything is counted; shifts that overlap are not counted twice.
  edge double precision := start;
  looked_until date := day - 1;
  shut_days datemultirange;
  special_days datemultirange;
  hours_of_day text;
  hours_before text;
  shifts interval[];
  opens double precision;
  closes double precision;
  is_special boolean;
  has_holes boolean;
  shut tstzmultirange;
  piece tstzrange;
begin
  if hours = '"always_open"' then
    hours := '{"sun": [["00:00", "24:00"]], "mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]], "wed": [["00:00", "24:00"]], "thu": [["00:00", "24:00"]], "fri": [["00:00", "24:00"]], "sat": [["00:00", "24:00"]]}';
  elsif app_hidden.are_hours(hours) is not true then
    perform app_hidden.check_calendar(calendar);
  end if;

  if zone is null then
    raise exception using errcode = 'AD202', message = 'A calendar needs a time zone';
  end if;

  worked := 0;
  midnight := date_part('epoch', app_hidden.local_instant(day, zone)) * second;
  while midnight < stop loop
    -- A calendar that is never open long enough.
    exit when midnight - start > 120 * 366 * day_length;

    if has_holidays and day >= looked_until then
      looked_until := day + 12 + least((target - worked) / (14400 * second), 800)::integer;
      shut_days := app_hidden.business_holidays(holidays, day - 1, looked_until + 10, false);
      special_days := shut_days;
      if has_parts then
        special_days := special_days + app_hidden.business_holidays(holidays, day - 1, looked_until + 10, true);
      end if;
    end if;

    if day > weekly_from then
      if week is null then
        week := (
          app_hidden.business_walk(
            jsonb_build_object('tz', 'UTC', 'hours', hours), '2024-01-08 00:00Z', null, '2024-01-15 00:00Z', '{}'
          )
        ).worked;
      end if;
      -- A week like any other: no holiday, no change of the clocks and no pause in it or beside it.
      if target - worked > week and midnight + 8 * day_length <= stop and midnight - day_before = day_length
        and to_timestamp((midnight + 8 * day_length) / second) at time zone zone = day + 8
        and not (has_holidays and special_days && daterange(day - 1, day + 8))
        and not (has_pauses and paused && tstzrange(to_timestamp(midnight / second), to_timestamp((midnight + 8 * day_length) / second)))
      then
        worked := worked + week;
        edge := edge + 7 * day_length;
        day := day + 7;
        midnight := midnight + 7 * day_length;
        day_before := midnight - day_length;
        continue;
      end if;
    end if;

    next_midnight := midnight + day_length;
    if to_timestamp(next_midnight / second) at time zone zone <> day + 1 then
      next_midnight := date_part('epoch', app_hidden.local_instant(day + 1, zone)) * second;
    end if;

    hours_of_day := hours ->> weekdays[date_part('dow', day)::integer + 1];
    -- Most days are like the one before.
    if hours_of_day is distinct from hours_before then
      shifts := app_hidden.business_shifts(hours_of_day);
      hours_before := hours_of_day;
    end if;

    is_special := has_holidays and special_days @> day;
    for index in 1 .. coalesce(array_length(shifts, 1), 0) loop
      exit when is_special and shut_days @> day;
      opens := midnight + date_part('epoch', shifts[index][1]) * second;
      closes := midnight + date_part('epoch', shifts[index][2]) * second;
      if opens = closes then
        raise exception using errcode = 'AD202', message = 'Working hours cannot close when they open';
      end if;
      if closes < opens or next_midnight - midnight <> day_length then
        opens := date_part('epoch', app_hidden.local_instant(day + shifts[index][1], zone)) * second;
        closes := date_part('epoch', app_hidden.local_instant(
          day + shifts[index][2] + case when shifts[index][2] < shifts[index][1] then interval '24 hours' else '0' end, zone
        )) * second;
      end if;
      has_holes := has_pauses;
      shut := '{}';
      if is_special then
        shut := app_hidden.business_shut(holidays, day, zone);
        -- Nobody begins a shift when the rest of the day is shut.
        continue when shut @> tstzrange(to_timestamp(opens / second), to_timestamp(next_midnight / second));
        has_holes := true;
      end if;
      if has_holidays and closes > next_midnight and special_days @> day + 1 then
        shut := shut + app_hidden.business_shut(holidays, day + 1, zone);
        has_holes := true;
      end if;

      opens := greatest(opens, edge);
      closes := least(closes, stop);
      continue when closes <= opens;
      edge := closes;

      if not has_holes or not shut + paused && tstzrange(to_timestamp(opens / second), to_timestamp(closes / second)) then
        if target - worked <= closes - opens then
          reached_at := to_timestamp((opens + target - worked) / second);
          return;
        end if;
        worked := worked + closes - opens;
      else
        for piece in
          select unnest(tstzmultirange(tstzrange(to_timestamp(opens / second), to_timestamp(closes / second))) - shut - paused)
        loop
          opens := round(date_part('epoch', lower(piece)) * second);
          closes := round(date_part('epoch', upper(piece)) * second);
          if target - worked <= closes - opens then
            reached_at := to_timestamp((opens + target - worked) / second);
            return;
          end if;
          worked := worked + closes - opens;
        end loop;
      end if;
    end loop;

    day := day + 1;
    day_before := midnight;
    midnight := next_midnight;
  end loop;
end
$$;

comment on function app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange) is
  'Walks from an instant until so many microseconds are worked, or until another instant; what is null has no end but that of 120 years. Says when the working time was reached, or else how much was worked, in microseconds.';

create or replace function app_hidden.business_due_at(
  calendar jsonb,
  start_at timestamptz,
  working_seconds bigint,
  paused tstzmultirange default '{}'
) returns timestamptz
  language plpgsql stable strict parallel safe
  set search_path = ''
as $$
declare
  reach interval := make_interval(hours => 240 + (-working_seconds / 600)::integer);
  worked double precision;
  due_at timestamptz;
begin
  if abs(working_seconds) > 3240000000 then
    raise exception using errcode = 'AD203', message = 'That is more than a hundred years of working time';
  end if;
  if working_seconds >= 0 then
    due_at := (app_hidden.business_walk(calendar, start_at, working_seconds * 1e6::double precision, null, paused)).reached_at;
    if due_at is null then
      raise exception using errcode = 'AD201', message = 'This calendar is never open long enough';
    end if;
    return due_at;
  end if;

  -- Backwards is forwards from far enough before, and then on to the opening when it ends at a closing.
  while reach < interval '1100000 hours' loop
    worked := (app_hidden.business_walk(calendar, start_at - reach, null, start_at, paused)).worked;
    if worked + working_seconds * 1e6::double precision >= 0 then
      return (
        app_hidden.business_walk(
          calendar,
          (app_hidden.business_walk(calendar, start_at - reach, worked + working_seconds * 1e6::double precision, null, paused)).reached_at,
          0, null, paused
        )
      ).reached_at;
    end if;
    reach := reach * 2;
  end loop;
  raise exception using errcode = 'AD201', message = 'This calendar was never open long enough';
end
$$;

comment on function app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange) is
  'When so many seconds of working time have passed since an instant, without the paused spans. Ends at the closing instant when they end exactly there; zero is the first open instant; negative goes backwards. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID, SLA_TARGET_TOO_LONG.';

create or replace function app_hidden.business_seconds(
  calendar jsonb,
  from_at timestamptz,
  to_at timestamptz,
  paused tstzmultirange default '{}'
) returns bigint
  language sql stable strict parallel safe
  set search_path = ''
as $$
  select round((app_hidden.business_walk(calendar, from_at, null, greatest(from_at, to_at), paused)).worked / 1e6)::bigint
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; zero when the second is not after the first. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

revoke all on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
from public;

grant execute on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
to atum_agent, atum_worker;

--! split: 1041-functions-41-sla-clocks.sql
-- The clocks of a ticket: they follow the spine, one step for each event.

create or replace function app_private.match_sla_policy(ticket app_public.tickets) returns app_public.sla_policies
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.sla_policies as policy
  where policy.organization_id = ticket.organization_id and policy.archived_at is null
    and (policy.priorities = '{}' or ticket.priority = any (policy.priorities))
    and (policy.service_ids = '{}' or ticket.service_id = any (policy.service_ids))
    and (policy.team_ids = '{}' or ticket.team_id = any (policy.team_ids))
    and (policy.company_ids = '{}' or ticket.company_id = any (policy.company_ids))
    and (policy.channels = '{}' or ticket.channel = any (policy.channels))
    and (policy.tags = '{}' or policy.tags && ticket.tags)
  order by policy.position, policy.id
  limit 1
$$;

comment on function app_private.match_sla_policy(app_public.tickets) is 'The first policy whose conditions a ticket meets, or null.';

create or replace function app_hidden.calendar_as_json(calendar app_public.sla_calendars) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'tz', calendar.time_zone,
    'hours', calendar.hours,
    'holidays', coalesce((
      select jsonb_agg(
        case
          when holiday.shut_from is not null then
            jsonb_build_object('date', day.first, 'from', holiday.shut_from, 'to', holiday.shut_until)
          when holiday.held_until is null then to_jsonb(day.first)
          else jsonb_build_object('from', day.first, 'to', day.last)
        end
        order by holiday.held_on
      )
      from app_public.sla_holidays as holiday
      cross join lateral (values (case when holiday.repeats_yearly then 'MM-DD' else 'YYYY-MM-DD' end)) as form (pattern)
      cross join lateral (
        select to_char(holiday.held_on, form.pattern) as first, to_char(holiday.held_until, form.pattern) as last
      ) as day
      where holiday.organization_id = calendar.organization_id and holiday.calendar_id = calendar.id
    ), '[]')
  )
$$;

comment on function app_hidden.calendar_as_json(app_public.sla_calendars) is 'A calendar with its holidays in the shape the arithmetic takes.';

create or replace function app_hidden.calendar_of(policy app_public.sla_policies) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select app_hidden.calendar_as_json(calendar)
  from app_public.sla_calendars as calendar
  where calendar.organization_id = policy.organization_id and calendar.id = policy.calendar_id
$$;

comment on function app_hidden.calendar_of(app_public.sla_policies) is 'The calendar of a policy in the shape the arithmetic takes.';

create or replace function app_private.clock_due_at(
  calendar jsonb, started_at timestamptz, target_seconds bigint, paused tstzmultirange default '{}'
) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  -- A calendar that is hardly ever open refuses no ticket.
  select coalesce(
    (app_hidden.business_walk(calendar, started_at, target_seconds * 1e6::double precision, null, paused)).reached_at,
    started_at + interval '120 years'
  )
$$;

comment on function app_private.clock_due_at(jsonb, timestamptz, bigint, tstzmultirange) is 'When a clock is due: what business_due_at says, or in 120 years where it refuses.';

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
  policy := app_private.match_sla_policy(ticket);
  if policy.id is null then
    return;
  end if;
  calendar := app_hidden.calendar_of(policy);

  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at, paused_at)
  select
    target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
    app_private.clock_due_at(calendar, event.created_at, target.working_seconds),
    case when target.kind = 'resolution' and ticket.status in ('pending', 'on_hold') then event.created_at end
  from app_public.sla_targets as target
  where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
    and target.kind <> 'next_response';
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
    due_at = app_private.clock_due_at(app_private.calendar_of_clock(clock), started_at, target_seconds, pauses)
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

create or replace function app_private.follow_status_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  was constant app_public.ticket_status := (event.before ->> 'status')::app_public.ticket_status;
  became constant app_public.ticket_status := (event.after ->> 'status')::app_public.ticket_status;
  is_merged constant boolean := exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = event.organization_id and ticket.id = event.ticket_id and ticket.merged_into_id is not null
  );
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
    if is_merged then
      -- It goes on elsewhere: nothing was kept here, and nothing can be broken here any more.
      if clock.met_at is null then
        perform app_private.leave_sla_clock(clock, event.created_at);
      end if;
    elsif became in ('resolved', 'closed') then
      -- The end of a ticket answers every promise that was still open.
      if clock.met_at is null then
        perform app_private.meet_sla_clock(clock, event.created_at);
      end if;
    elsif clock.left_at is not null then
      perform app_private.rejoin_sla_clock(clock, became, event.created_at);
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

comment on function app_private.follow_status_with_sla_clocks(app_public.ticket_events) is 'Pauses, resumes, ends and reopens the clocks as a ticket''s status moves, and takes them out of a ticket that is merged.';

create or replace function app_private.leave_sla_clock(clock app_public.sla_calculations, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if clock.paused_at is null then
    perform app_private.pause_sla_clock(clock, at);
  end if;
  update app_public.sla_calculations
  set left_at = at
  where organization_id = clock.organization_id and id = clock.id;
end
$$;

comment on function app_private.leave_sla_clock(app_public.sla_calculations, timestamptz) is 'Takes a clock that runs or stands still out of the service level.';

create or replace function app_private.rejoin_sla_clock(
  clock app_public.sla_calculations, status app_public.ticket_status, at timestamptz
) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.sla_calculations
  set left_at = null
  where organization_id = clock.organization_id and id = clock.id;

  if clock.kind <> 'resolution' or status not in ('pending', 'on_hold') then
    perform app_private.resume_sla_clock(clock, at);
  end if;
end
$$;

comment on function app_private.rejoin_sla_clock(app_public.sla_calculations, app_public.ticket_status, timestamptz) is
  'Brings a clock back that was taken out: the time between counts as a pause.';

create or replace function app_private.follow_comment_with_sla_clocks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  by_staff boolean;
  policy app_public.sla_policies;
begin
  select * into ticket from app_public.tickets where organization_id = event.organization_id and id = event.ticket_id;
  select author.role <> 'customer' and author.id <> ticket.requester_id into by_staff
  from app_public.users as author
  where author.organization_id = event.organization_id and author.id = event.actor_id;

  if by_staff then
    perform app_private.meet_sla_clock(clock, event.created_at)
    from app_public.sla_calculations as clock
    where clock.organization_id = event.organization_id and clock.ticket_id = event.ticket_id
      and clock.kind in ('first_response', 'next_response') and clock.met_at is null and clock.left_at is null;
  elsif not by_staff and ticket.first_responded_at is not null and ticket.merged_into_id is null then
    policy := app_private.match_sla_policy(ticket);
    -- What waits already waits since the first word: another one does not move it.
    insert into app_public.sla_calculations as clock
      (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, due_at)
    select
      target.organization_id, event.ticket_id, target.kind, policy.id, target.working_seconds, event.created_at,
      app_private.clock_due_at(app_hidden.calendar_of(policy), event.created_at, target.working_seconds)
    from app_public.sla_targets as target
    where target.organization_id = event.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
      and target.kind = 'next_response'
    on conflict on constraint sla_calculations_organization_id_ticket_id_kind_key do update
      set
        policy_id = excluded.policy_id, target_seconds = excluded.target_seconds, started_at = excluded.started_at,
        due_at = excluded.due_at, paused = '{}', paused_at = null, met_at = null, breached_at = null, elapsed_seconds = null,
        fired_escalation_ids = '{}'
      where clock.met_at is not null;
  end if;
end
$$;

comment on function app_private.follow_comment_with_sla_clocks(app_public.ticket_events) is
  'A public answer of staff meets the responses that are waited for; what the customer says after one starts the next.';

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
begin
  case NEW.type
    when 'ticket_created' then
      perform app_private.start_sla_clocks(NEW);
    when 'status_changed' then
      perform app_private.follow_status_with_sla_clocks(NEW);
    when 'comment_added' then
      perform app_private.follow_comment_with_sla_clocks(NEW);
    when 'priority_changed', 'service_changed', 'team_changed', 'requester_changed', 'tags_changed' then
      perform app_private.retarget_sla_clocks(NEW.organization_id, NEW.ticket_id, NEW.created_at);
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
  when (
    NEW.type in (
      'ticket_created', 'status_changed', 'priority_changed', 'service_changed', 'team_changed', 'requester_changed', 'tags_changed'
    )
    or (NEW.type = 'comment_added' and NEW.visibility = 'public')
  )
  execute function app_private.tg_ticket_events__follow_with_sla_clocks();

revoke all on function
  app_private.match_sla_policy(app_public.tickets), app_hidden.calendar_as_json(app_public.sla_calendars),
  app_hidden.calendar_of(app_public.sla_policies),
  app_private.clock_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_private.start_sla_clocks(app_public.ticket_events), app_private.calendar_of_clock(app_public.sla_calculations),
  app_private.record_sla_event(app_public.sla_calculations, app_public.ticket_event_type, timestamptz),
  app_private.meet_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.resume_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.pause_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.leave_sla_clock(app_public.sla_calculations, timestamptz),
  app_private.rejoin_sla_clock(app_public.sla_calculations, app_public.ticket_status, timestamptz),
  app_private.follow_status_with_sla_clocks(app_public.ticket_events),
  app_private.follow_comment_with_sla_clocks(app_public.ticket_events),
  app_private.refresh_ticket_clocks(uuid, uuid), app_private.tg_ticket_events__follow_with_sla_clocks()
from public;

grant execute on function app_hidden.calendar_as_json(app_public.sla_calendars) to atum_agent;

--! split: 1042-functions-42-time.sql
-- Time that is worked on tickets: what is recorded, corrected, measured by a timer, and summed up.

create or replace function app_private.local_day(at timestamptz) returns date
  language sql stable
  set search_path = ''
as $$
  select (local_day.at at time zone organization.time_zone)::date
  from app_public.organizations as organization
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_private.local_day(timestamptz) is 'The day that an instant is in, where the organization is.';

create or replace function app_private.refuse_future_day(day date) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  -- It may be tomorrow already where the agent is.
  if day > greatest(
    app_private.local_day(now()),
    (select (now() at time zone person.time_zone)::date from app_public.users as person
     where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id())
  ) then
    raise exception using errcode = 'AD220', message = 'Time is recorded when it was worked, not before';
  end if;
end
$$;

comment on function app_private.refuse_future_day(date) is 'Refuses a day to come, both where the organization is and where the caller is. Error TIME_IN_FUTURE.';

create or replace function app_private.time_activity_to_use(activity_id uuid) returns app_public.time_activities
  language plpgsql stable
  set search_path = ''
as $$
declare
  activity app_public.time_activities;
begin
  if time_activity_to_use.activity_id is null then
    return null;
  end if;
  select * into activity
  from app_public.time_activities as kind
  where kind.organization_id = app_hidden.current_organization_id() and kind.id = time_activity_to_use.activity_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such activity';
  end if;
  if activity.archived_at is not null then
    raise exception using errcode = 'AD222', message = 'No time is recorded for this activity any more';
  end if;
  return activity;
end
$$;

comment on function app_private.time_activity_to_use(uuid) is 'An activity that time may be recorded for; null for null. Errors: NOT_FOUND, TIME_ACTIVITY_ARCHIVED.';

create or replace function app_private.time_words(entry app_public.time_entries) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object('entry_id', entry.id, 'seconds', entry.seconds, 'is_billable', entry.is_billable, 'worked_on', entry.worked_on)
    || app_private.named_reference('agent', entry.agent_id, (
      select person.name from app_public.users as person
      where person.organization_id = entry.organization_id and person.id = entry.agent_id
    ))
    || app_private.named_reference('activity', entry.activity_id, (
      select activity.name from app_public.time_activities as activity
      where activity.organization_id = entry.organization_id and activity.id = entry.activity_id
    ))
$$;

comment on function app_private.time_words(app_public.time_entries) is 'A time entry as the event of its ticket keeps it.';

-- What is recorded

create or replace function app_public.record_time(
  ticket_id uuid,
  seconds integer,
  worked_on date default null,
  started_at timestamptz default null,
  activity_id uuid default null,
  is_billable boolean default null,
  note text default '',
  client_mutation_key text default null
) returns app_public.time_entries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  ticket app_public.tickets;
  activity app_public.time_activities;
  made app_public.time_entries;
begin
  -- A retry is answered before anything is tried: no rule that came since refuses it.
  select * into made
  from app_public.time_entries as earlier
  where earlier.organization_id = caller_organization_id and earlier.agent_id = caller_id
    and earlier.client_mutation_key = record_time.client_mutation_key;
  if found then
    return made;
  end if;

  ticket := app_private.ticket_to_work_on(record_time.ticket_id);
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; record the time there';
  end if;
  if record_time.seconds is null or record_time.seconds not between 1 and 86400 then
    raise exception using errcode = 'AD221', message = 'An entry has at least one second and at most 24 hours';
  end if;
  if record_time.started_at + make_interval(secs => record_time.seconds) > now() then
    raise exception using errcode = 'AD220', message = 'Time is recorded when it was worked, not before';
  end if;
  perform app_private.refuse_future_day(record_time.worked_on);
  activity := app_private.time_activity_to_use(record_time.activity_id);

  insert into app_public.time_entries (
    organization_id, ticket_id, agent_id, activity_id, worked_on, seconds, started_at, ended_at, is_billable, note, client_mutation_key
  )
  values (
    caller_organization_id, ticket.id, caller_id, activity.id,
    coalesce(record_time.worked_on, app_private.local_day(coalesce(record_time.started_at, now()))), record_time.seconds,
    record_time.started_at, record_time.started_at + make_interval(secs => record_time.seconds),
    coalesce(record_time.is_billable, activity.is_billable, true), btrim(coalesce(record_time.note, '')), record_time.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, agent_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into made;

  if found then
    perform app_private.record_ticket_event(ticket, 'time_recorded', app_private.time_words(made));
  else
    select * into strict made
    from app_public.time_entries as earlier
    where earlier.organization_id = caller_organization_id and earlier.agent_id = caller_id
      and earlier.client_mutation_key = record_time.client_mutation_key;
  end if;
  return made;
end
$$;

comment on function app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text) is
  'Records time that the caller worked on a ticket, and returns the entry. `seconds` is from 1 to 86,400; `workedOn` is the day it counts for, without it the day of `startedAt`, else today, in the time zone of the organization. Without `isBillable` the activity says whether it is billable, else it is. Entries may overlap. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the entry the first call made. Staff only. Errors: NOT_FOUND, TICKET_MERGED, TIME_OUT_OF_RANGE, TIME_IN_FUTURE, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.correct_time(
  entry_id uuid,
  reason text,
  seconds integer default null,
  worked_on date default null,
  activity_id uuid default null,
  is_billable boolean default null,
  note text default null,
  version integer default null
) returns app_public.time_entries
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  entry app_public.time_entries;
  corrected app_public.time_entries;
  activity app_public.time_activities;
  ticket app_public.tickets;
begin
  select * into entry
  from app_public.time_entries as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = correct_time.entry_id
  for update;
  select * into ticket
  from app_public.tickets as worked
  where worked.organization_id = entry.organization_id and worked.id = entry.ticket_id;
  if entry.id is null or not (entry.agent_id = app_hidden.current_user_id() or app_hidden.sees_ticket(ticket)) then
    raise exception using errcode = 'AD101', message = 'There is no such time entry';
  end if;
  if entry.agent_id <> app_hidden.current_user_id() and app_hidden.acting_role() not in ('atum_manager', 'atum_admin') then
    raise exception using errcode = '42501', message = 'Only managers correct the time of others';
  end if;
  if entry.version <> correct_time.version then
    raise exception using errcode = 'AD106', message = 'Somebody else corrected this entry since you opened it; look at what it says now';
  end if;
  if correct_time.seconds not between 0 and 86400 then
    raise exception using errcode = 'AD221', message = 'An entry has at most 24 hours';
  end if;
  if correct_time.worked_on <> entry.worked_on then
    perform app_private.refuse_future_day(correct_time.worked_on);
  end if;
  -- What it has it may keep.
  if correct_time.activity_id is distinct from entry.activity_id then
    activity := app_private.time_activity_to_use(correct_time.activity_id);
  end if;

  corrected := entry;
  corrected.seconds := coalesce(correct_time.seconds, entry.seconds);
  corrected.worked_on := coalesce(correct_time.worked_on, entry.worked_on);
  corrected.activity_id := coalesce(activity.id, entry.activity_id);
  corrected.is_billable := coalesce(correct_time.is_billable, entry.is_billable);
  corrected.note := coalesce(btrim(correct_time.note), entry.note);
  if corrected is not distinct from entry then
    raise exception using errcode = 'AD223', message = 'The entry says that already';
  end if;

  insert into app_public.time_corrections (
    organization_id, entry_id, corrected_by_id, reason,
    previous_worked_on, previous_seconds, previous_activity_id, previous_is_billable, previous_note
  )
  values (
    entry.organization_id, entry.id, app_hidden.current_user_id(), btrim(correct_time.reason),
    entry.worked_on, entry.seconds, entry.activity_id, entry.is_billable, entry.note
  );
  update app_public.time_entries as found
  set seconds = corrected.seconds, worked_on = corrected.worked_on, activity_id = corrected.activity_id,
    is_billable = corrected.is_billable, note = corrected.note, version = entry.version + 1, updated_at = now()
  where found.organization_id = entry.organization_id and found.id = entry.id
  returning * into corrected;

  perform app_private.record_ticket_event(
    ticket, 'time_corrected',
    app_private.time_words(corrected) || jsonb_build_object('reason', btrim(correct_time.reason)), app_private.time_words(entry)
  );
  return corrected;
end
$$;

comment on function app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer) is
  'Corrects a time entry and returns it; what it said before is kept with the `reason`, of 1 to 500 characters. What is not given stays; `seconds` 0 takes the entry back. Everybody corrects the own entries, managers and admins those of all. With the `version` you saw, a correction that crosses with another is refused. Staff only. Errors: NOT_FOUND, FORBIDDEN, VERSION_CONFLICT, TIME_OUT_OF_RANGE, TIME_IN_FUTURE, TIME_ACTIVITY_ARCHIVED, TIME_UNCHANGED, INVALID_INPUT.';

-- Activities

create or replace function app_public.create_time_activity(name text, is_billable boolean default true) returns app_public.time_activities
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.time_activities (organization_id, name, is_billable)
  values (app_hidden.current_organization_id(), btrim(create_time_activity.name), coalesce(create_time_activity.is_billable, true))
  returning *
$$;

comment on function app_public.create_time_activity(text, boolean) is
  'Adds a kind of work that time is recorded for, and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace trigger _100_stamp_updated_at before update on app_public.time_activities
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.local_day(timestamptz), app_private.refuse_future_day(date), app_private.time_activity_to_use(uuid),
  app_private.time_words(app_public.time_entries), app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text),
  app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer), app_public.create_time_activity(text, boolean)
from public;

grant execute on function
  app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text),
  app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer)
to atum_agent;
grant execute on function app_public.create_time_activity(text, boolean) to atum_admin;

--! split: 1043-functions-43-sla-escalations.sql
-- What happens because time passed: breaches, the warnings before them and the levels after. The worker calls these with
-- the claims of one organization.

create or replace function app_private.next_sla_escalation(clock app_public.sla_calculations, out escalation app_public.sla_escalations, out at timestamptz)
  language sql stable
  set search_path = ''
as $$
  select
    level,
    app_private.clock_due_at(
      app_hidden.calendar_of(policy), clock.started_at, greatest(clock.target_seconds + level.offset_seconds, 0), clock.paused
    )
  from app_public.sla_escalations as level
  join app_public.sla_policies as policy on policy.organization_id = level.organization_id and policy.id = level.policy_id
  where level.organization_id = clock.organization_id and level.policy_id = clock.policy_id and level.kind = clock.kind
    and level.id <> all (clock.fired_escalation_ids)
  order by level.offset_seconds
  limit 1
$$;

comment on function app_private.next_sla_escalation(app_public.sla_calculations) is 'The next warning or level of a clock that has not fired, and when it does.';

create or replace function app_private.tg_sla_calculations__plan_escalation() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.escalates_at := case
    when NEW.met_at is null and NEW.paused_at is null then (app_private.next_sla_escalation(NEW)).at
  end;
  return NEW;
end
$$;

comment on function app_private.tg_sla_calculations__plan_escalation() is 'Keeps when the next warning or level of a clock fires.';

create or replace trigger _300_plan_escalation
  before insert or update of started_at, due_at, paused_at, met_at, policy_id, fired_escalation_ids on app_public.sla_calculations
  for each row execute function app_private.tg_sla_calculations__plan_escalation();

create or replace function app_private.tg_sla_escalations__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_ticket_actions(NEW.actions);
  if jsonb_path_exists(NEW.actions, '$[*] ? (@.type == "assign_to_me")') then
    raise exception using errcode = 'AD117', message = 'An escalation is nobody a ticket could be assigned to';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_sla_escalations__refuse() is 'Refuses actions that are none. Error ACTION_INVALID.';

create or replace trigger _200_refuse before insert or update of actions on app_public.sla_escalations
  for each row execute function app_private.tg_sla_escalations__refuse();

create or replace function app_private.tg_sla_calculations__schedule() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.schedule_sla_clock(NEW, now() + interval '5 minutes');
  return null;
end
$$;

comment on function app_private.tg_sla_calculations__schedule() is 'Has jobs run at the instants a clock is due and escalates, when those are soon.';

create or replace function app_private.schedule_sla_clock(clock app_public.sla_calculations, until timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if clock.breached_at is null and clock.due_at < until then
    perform app_private.enqueue(
      'record_sla_breach', clock.organization_id, jsonb_build_object('slaCalculationId', clock.id),
      run_at => clock.due_at, job_key => 'record_sla_breach:' || clock.id
    );
  end if;
  if clock.escalates_at < until then
    perform app_private.enqueue(
      'fire_sla_escalation', clock.organization_id, jsonb_build_object('slaCalculationId', clock.id),
      run_at => clock.escalates_at, job_key => 'fire_sla_escalation:' || clock.id
    );
  end if;
end
$$;

comment on function app_private.schedule_sla_clock(app_public.sla_calculations, timestamptz) is 'Gives a clock that runs its jobs until an instant.';

-- Only what is due within five minutes gets its job here; schedule_sla_breaches does the same each minute for the rest.
-- A job for each clock from the start would cost a third of opening a ticket, and most are met before they are due.
create or replace trigger _900_schedule_on_insert after insert on app_public.sla_calculations
  for each row
  when (
    NEW.met_at is null and NEW.paused_at is null
    and ((NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes') or NEW.escalates_at < now() + interval '5 minutes')
  )
  execute function app_private.tg_sla_calculations__schedule();

create or replace trigger _900_schedule_on_update
  after update of due_at, paused_at, met_at, escalates_at, fired_escalation_ids on app_public.sla_calculations
  for each row
  when (
    NEW.met_at is null and NEW.paused_at is null
    and ((NEW.breached_at is null and NEW.due_at < now() + interval '5 minutes') or NEW.escalates_at < now() + interval '5 minutes')
  )
  execute function app_private.tg_sla_calculations__schedule();

create or replace function app_private.lock_ticket_of_clock(sla_calculation_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select
  from app_public.tickets as ticket
  where ticket.organization_id = app_hidden.current_organization_id()
    and ticket.id = (
      select clock.ticket_id from app_public.sla_calculations as clock
      where clock.organization_id = app_hidden.current_organization_id() and clock.id = sla_calculation_id
    )
  for no key update
$$;

comment on function app_private.lock_ticket_of_clock(uuid) is
  'Waits for whoever changes the ticket of a clock. Tickets are locked before their clocks everywhere, so that nobody waits in a circle.';

create or replace function app_private.record_sla_breaches(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  late app_public.sla_calculations;
  -- A constant, because an index is not asked with what may change meanwhile.
  until constant timestamptz := clock_timestamp();
  recorded integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Breaches are recorded for one organization at a time';
  end if;
  if sla_calculation_id is not null then
    perform app_private.lock_ticket_of_clock(sla_calculation_id);
  end if;

  for late in
    update app_public.sla_calculations as clock
    set breached_at = clock.due_at
    from (
      select due.id
      from app_public.sla_calculations as due
      join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
      where due.organization_id = app_hidden.current_organization_id()
        and due.met_at is null and due.paused_at is null and due.breached_at is null
        and due.due_at <= until
        and (sla_calculation_id is null or due.id = sla_calculation_id)
      order by due.due_at
      limit 1000
      for no key update of due, ticket skip locked
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
  'Records the targets of the current organization that are overdue, up to 1,000, or one of them, each with the instant it was due, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.fire_sla_escalations(sla_calculation_id uuid default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  clock app_public.sla_calculations;
  level app_public.sla_escalations;
  next record;
  policy_name text;
  refusal text;
  fired integer := 0;
  until timestamptz;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Escalations fire for one organization at a time';
  end if;
  if sla_calculation_id is not null then
    perform app_private.lock_ticket_of_clock(sla_calculation_id);
  end if;

  -- One after the other by their instants, also those of one clock that were missed together.
  while fired < 1000 loop
    until := clock_timestamp();
    select due.* into clock
    from app_public.sla_calculations as due
    join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
    where due.organization_id = app_hidden.current_organization_id()
      and due.escalates_at <= until
      and (sla_calculation_id is null or due.id = sla_calculation_id)
    order by due.escalates_at
    limit 1
    for no key update of due, ticket skip locked;
    exit when not found;

    select * into next from app_private.next_sla_escalation(clock);
    level := next.escalation;
    -- The levels were changed since it was planned.
    if level.id is null or next.at > until then
      update app_public.sla_calculations as planned
      set escalates_at = next.at
      where planned.organization_id = clock.organization_id and planned.id = clock.id;
      continue;
    end if;

    update app_public.sla_calculations as firing
    set fired_escalation_ids = firing.fired_escalation_ids || level.id
    where firing.organization_id = clock.organization_id and firing.id = clock.id;

    select policy.name into policy_name
    from app_public.sla_policies as policy
    where policy.organization_id = level.organization_id and policy.id = level.policy_id;
    perform set_config('atum.actor_name', policy_name, true);

    refusal := null;
    begin
      perform app_hidden.apply_ticket_actions(clock.ticket_id, level.actions);
    exception
      -- What cannot be done to the ticket any more, such as assigning it to somebody who left, is told and holds nothing up.
      when sqlstate '42501' or integrity_constraint_violation or data_exception then
        refusal := sqlstate;
      when others then
        if sqlstate !~ '^AD1' then
          raise;
        end if;
        refusal := sqlstate;
    end;

    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_name, after, created_at)
    values (
      clock.organization_id, clock.ticket_id,
      case when level.offset_seconds < 0 then 'sla_warned' else 'sla_escalated' end::app_public.ticket_event_type,
      'internal', policy_name,
      jsonb_strip_nulls(jsonb_build_object(
        'kind', clock.kind, 'due_at', clock.due_at, 'offset_seconds', level.offset_seconds, 'refused', refusal
      )),
      next.at
    );
    fired := fired + 1;
  end loop;
  perform set_config('atum.actor_name', '', true);
  return fired;
end
$$;

comment on function app_private.fire_sla_escalations(uuid) is
  'Does what the warnings and levels of the current organization say whose instant has come, up to 1,000, or those of one clock, in their order, in the name of their policy, and returns how many. Each is an event at the very instant. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.schedule_sla_breaches() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  soon app_public.sla_calculations;
  since constant timestamptz := clock_timestamp();
  until constant timestamptz := since + interval '5 minutes';
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
      and clock.due_at > since and clock.due_at < until
    union
    select *
    from app_public.sla_calculations as clock
    where clock.organization_id = app_hidden.current_organization_id()
      and clock.escalates_at > since and clock.escalates_at < until
  loop
    perform app_private.schedule_sla_clock(soon, until);
    scheduled := scheduled + 1;
  end loop;
  return scheduled;
end
$$;

comment on function app_private.schedule_sla_breaches() is
  'Gives each clock of the current organization that is due or escalates within five minutes its job at that very second, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calculations
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.next_sla_escalation(app_public.sla_calculations), app_private.tg_sla_calculations__plan_escalation(),
  app_private.tg_sla_escalations__refuse(), app_private.tg_sla_calculations__schedule(),
  app_private.schedule_sla_clock(app_public.sla_calculations, timestamptz), app_private.lock_ticket_of_clock(uuid),
  app_private.record_sla_breaches(uuid), app_private.fire_sla_escalations(uuid), app_private.schedule_sla_breaches()
from public;

grant execute on function
  app_private.record_sla_breaches(uuid), app_private.fire_sla_escalations(uuid), app_private.schedule_sla_breaches()
to atum_worker;

--! split: 1044-functions-44-custom-fields.sql
-- What an organization asks about its tickets: said by admins, in one act a field.

create or replace function app_private.tg_custom_fields__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  decider app_public.custom_fields;
begin
  if NEW.archived_at is not null then
    if exists (
      select
      from app_public.custom_fields as dependent
      where dependent.organization_id = NEW.organization_id and dependent.visible_when_field = NEW.key and dependent.archived_at is null
    ) then
      raise exception using
        errcode = 'AD145', column = 'archivedAt', message = 'This field decides whether others are asked for; change their conditions first';
    end if;
    return NEW;
  end if;

  if (
    select count(*)
    from app_public.custom_fields as other
    where other.organization_id = NEW.organization_id and other.id <> NEW.id and other.archived_at is null
  ) >= 100 then
    raise exception using errcode = 'AD145', message = 'An organization has at most 100 fields that are not archived';
  end if;
  if NEW.visible_when_field is null then
    return NEW;
  end if;

  select * into decider
  from app_public.custom_fields as other
  where other.organization_id = NEW.organization_id and other.key = NEW.visible_when_field;
  if not found then
    -- The foreign key says so.
    return NEW;
  end if;
  if decider.archived_at is not null or decider.type not in ('boolean', 'select', 'multi_select')
    or (NEW.seen_by_customers and not decider.seen_by_customers)
  then
    raise exception using
      errcode = 'AD145', column = 'visibleWhenField',
      message = 'A condition looks at a boolean, a select or a multi_select that is not archived, and that customers see if they see this field';
  end if;
  if exists (
    select
    from unnest(NEW.visible_when_values) as wanted (key)
    where case decider.type
      when 'boolean' then wanted.key not in ('true', 'false')
      else not exists (
        select
        from app_public.custom_field_options as option
        where option.organization_id = decider.organization_id and option.field_id = decider.id and option.key = wanted.key
      )
    end
  ) then
    raise exception using
      errcode = 'AD145', column = 'visibleWhenValues', message = 'A condition names values that its field can have';
  end if;

  -- A chain of conditions that is too long to follow, or comes back to where it began.
  if (
    with recursive chain as (
      select NEW.visible_when_field as key, 1 as length
      union all
      select field.visible_when_field, chain.length + 1
      from chain
      join app_public.custom_fields as field on field.organization_id = NEW.organization_id and field.key = chain.key
      where field.visible_when_field is not null and chain.key <> NEW.key and chain.length <= 5
    )
    select bool_or(key = NEW.key) or max(length) + coalesce(
      (
        with recursive below as (
          select NEW.key as key, 0 as length
          union all
          select field.key, below.length + 1
          from below
          join app_public.custom_fields as field on field.organization_id = NEW.organization_id and field.visible_when_field = below.key
          where below.length <= 5 and field.key <> NEW.key
        )
        select max(length) from below
      ),
      0
    ) > 5
    from chain
  ) then
    raise exception using
      errcode = 'AD145', column = 'visibleWhenField', message = 'Conditions go on for at most five fields, and never in a circle';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_custom_fields__refuse() is 'Refuses a condition that can never be met, shows customers a field they may not know of, or goes in a circle; more than 100 fields; and archiving a field that decides about others. Error FIELD_DEFINITION_INVALID.';

create or replace trigger _100_stamp_updated_at before update on app_public.custom_fields
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _200_refuse
  before insert or update of visible_when_field, visible_when_values, archived_at on app_public.custom_fields
  for each row execute function app_private.tg_custom_fields__refuse();

create or replace function app_private.lock_custom_fields() returns void
  language sql volatile
  set search_path = ''
as $$
  -- Two conditions that are changed at once could make a circle of which neither sees the other half.
  select from app_public.organizations where id = app_hidden.current_organization_id() for no key update
$$;

comment on function app_private.lock_custom_fields() is 'Has the admins of an organization change its fields one after the other.';

create or replace function app_private.set_field_choices(field app_public.custom_fields, options jsonb, service_ids uuid[]) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  if jsonb_typeof(options) is distinct from 'array' or jsonb_array_length(options) > 200
    or (jsonb_array_length(options) > 0) <> (field.type in ('select', 'multi_select'))
    or exists (
      select
      from jsonb_array_elements(options) as option
      where jsonb_typeof(option) <> 'object' or jsonb_typeof(option -> 'key') is distinct from 'string'
        or jsonb_typeof(option -> 'label') is distinct from 'string'
    )
    or (select count(distinct option -> 'key') from jsonb_array_elements(options) as option) <> jsonb_array_length(options)
  then
    raise exception using
      errcode = 'AD145', column = 'options',
      message = 'A select or multi_select has 1 to 200 options, each an object with a key of its own and a label; other fields have none';
  end if;

  insert into app_public.custom_field_options as option (organization_id, field_id, key, label, position)
  select field.organization_id, field.id, given.value ->> 'key', btrim(given.value ->> 'label'), given.position
  from jsonb_array_elements(options) with ordinality as given (value, position)
  on conflict on constraint custom_field_options_organization_id_field_id_key_key
    do update set label = excluded.label, position = excluded.position, archived_at = null;

  update app_public.custom_field_options as option
  set archived_at = now()
  where option.organization_id = field.organization_id and option.field_id = field.id and option.archived_at is null
    and not exists (select from jsonb_array_elements(options) as given where given ->> 'key' = option.key);

  delete from app_public.custom_field_services as service
  where service.organization_id = field.organization_id and service.field_id = field.id and service.service_id <> all (service_ids);

  insert into app_public.custom_field_services (organization_id, field_id, service_id)
  select field.organization_id, field.id, service_id
  from unnest(service_ids) as service_id
  on conflict do nothing;
end
$$;

comment on function app_private.set_field_choices(app_public.custom_fields, jsonb, uuid[]) is
  'Says anew which options and services a field has. An option that is not named any more is archived. Error FIELD_DEFINITION_INVALID.';

create or replace function app_public.create_custom_field(
  key text,
  type app_public.custom_field_type,
  label text,
  help text default null,
  seen_by_customers boolean default false,
  set_by_customers boolean default false,
  required_when app_public.custom_field_requirement default 'never',
  minimum double precision default null,
  maximum double precision default null,
  max_length integer default null,
  options jsonb default '[]',
  service_ids uuid[] default '{}',
  visible_when_field text default null,
  visible_when_values text[] default '{}'
) returns app_public.custom_fields
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_variable
declare
  made app_public.custom_fields;
begin
  perform app_private.lock_custom_fields();
  insert into app_public.custom_fields as field (
    organization_id, key, type, label, help, seen_by_customers, set_by_customers, required_when, minimum, maximum, max_length,
    visible_when_field, visible_when_values, position
  )
  values (
    app_hidden.current_organization_id(), key, type, btrim(label), nullif(btrim(help), ''), coalesce(seen_by_customers, false),
    coalesce(set_by_customers, false), coalesce(required_when, 'never'), minimum, maximum, max_length,
    visible_when_field, coalesce(visible_when_values, '{}'),
    (
      select coalesce(max(last.position), 0) + 1
      from app_public.custom_fields as last
      where last.organization_id = app_hidden.current_organization_id()
    )
  )
  returning * into made;
  perform app_private.set_field_choices(made, coalesce(options, '[]'), coalesce(service_ids, '{}'));
  return made;
end
$$;

comment on function app_public.create_custom_field(text, app_public.custom_field_type, text, text, boolean, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]) is
  'Adds a field to the tickets, after those there are, and returns it. `key`, `type` and `seenByCustomers` never change. `options` are a list of up to 200 objects {key, label} in order, for a select or multi_select. `serviceIds` are the services that ask for it; without any, all do. Admins only. Errors: CONFLICT for a key that is taken, INVALID_INPUT, FIELD_DEFINITION_INVALID, NOT_FOUND for a service or a field that is not there.';

create or replace function app_public.change_custom_field(
  field_id uuid,
  label text,
  help text default null,
  set_by_customers boolean default false,
  required_when app_public.custom_field_requirement default 'never',
  minimum double precision default null,
  maximum double precision default null,
  max_length integer default null,
  options jsonb default '[]',
  service_ids uuid[] default '{}',
  visible_when_field text default null,
  visible_when_values text[] default '{}'
) returns app_public.custom_fields
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_variable
declare
  changed app_public.custom_fields;
begin
  perform app_private.lock_custom_fields();
  update app_public.custom_fields as field
  set
    label = btrim(label), help = nullif(btrim(help), ''), set_by_customers = coalesce(set_by_customers, false),
    required_when = coalesce(required_when, 'never'), minimum = minimum, maximum = maximum, max_length = max_length,
    visible_when_field = visible_when_field, visible_when_values = coalesce(visible_when_values, '{}')
  where field.organization_id = app_hidden.current_organization_id() and field.id = field_id
  returning * into changed;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such field';
  end if;
  perform app_private.set_field_choices(changed, coalesce(options, '[]'), coalesce(service_ids, '{}'));
  return changed;
end
$$;

comment on function app_public.change_custom_field(uuid, text, text, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]) is
  'Says anew everything about a field that may change, and returns it: what is left out is emptied. An option that is not named any more can no longer be chosen, and stays where it was. The values tickets have are not looked at again. Admins only. Errors: NOT_FOUND, INVALID_INPUT, FIELD_DEFINITION_INVALID.';

create or replace function app_public.archive_custom_field(field_id uuid, archived boolean default true) returns app_public.custom_fields
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  changed app_public.custom_fields;
begin
  perform app_private.lock_custom_fields();
  -- It goes to the end: those that are asked for come first, however they are arranged.
  update app_public.custom_fields as field
  set
    archived_at = case when coalesce(archive_custom_field.archived, true) then coalesce(field.archived_at, now()) end,
    position = (
      select max(last.position) + 1
      from app_public.custom_fields as last
      where last.organization_id = app_hidden.current_organization_id()
    )
  where field.organization_id = app_hidden.current_organization_id() and field.id = archive_custom_field.field_id
  returning * into changed;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such field';
  end if;
  return changed;
end
$$;

comment on function app_public.archive_custom_field(uuid, boolean) is
  'Retires a field, or takes it up again when `archived` is false, and returns it, now the last in order. Tickets keep the values they have; nobody is asked for new ones. Admins only. Errors: NOT_FOUND, FIELD_DEFINITION_INVALID when it decides whether other fields are asked for.';

create or replace function app_public.arrange_custom_fields(field_ids uuid[]) returns setof app_public.custom_fields
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.lock_custom_fields();
  if exists (
    select from unnest(field_ids) as wanted (id)
    where not exists (
      select from app_public.custom_fields as field where field.organization_id = app_hidden.current_organization_id() and field.id = wanted.id
    )
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such field';
  end if;

  return query
  update app_public.custom_fields as field
  set position = arranged.position
  from (
    select known.id, row_number() over (order by array_position(field_ids, known.id), known.position, known.id)::integer as position
    from app_public.custom_fields as known
    where known.organization_id = app_hidden.current_organization_id()
  ) as arranged
  where field.organization_id = app_hidden.current_organization_id() and field.id = arranged.id and field.position <> arranged.position
  returning field.*;
end
$$;

comment on function app_public.arrange_custom_fields(uuid[]) is
  'Puts the fields into this order, those that are not named after the others, and returns the ones that moved. Admins only. Error NOT_FOUND.';

create or replace function app_public.custom_fields_options(field app_public.custom_fields) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object('key', option.key, 'label', option.label, 'archived', option.archived_at is not null)
      order by option.archived_at is not null, option.position
    ),
    '[]'
  )
  from app_public.custom_field_options as option
  where option.organization_id = field.organization_id and option.field_id = field.id
$$;

comment on function app_public.custom_fields_options(app_public.custom_fields) is
  'What there is to choose from in a select or multi_select: a list of {key, label, archived} in order. One that is archived stays where it was chosen.';

create or replace function app_public.custom_fields_service_ids(field app_public.custom_fields) returns uuid[]
  language sql stable
  set search_path = ''
as $$
  select coalesce(array_agg(service.service_id order by service.service_id), '{}')
  from app_public.custom_field_services as service
  where service.organization_id = field.organization_id and service.field_id = field.id
$$;

comment on function app_public.custom_fields_service_ids(app_public.custom_fields) is
  'The services whose tickets ask for it; none when all do.';

revoke all on function
  app_public.custom_fields_options(app_public.custom_fields), app_public.custom_fields_service_ids(app_public.custom_fields),
  app_private.tg_custom_fields__refuse(), app_private.lock_custom_fields(),
  app_private.set_field_choices(app_public.custom_fields, jsonb, uuid[]),
  app_public.create_custom_field(text, app_public.custom_field_type, text, text, boolean, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]),
  app_public.change_custom_field(uuid, text, text, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]),
  app_public.archive_custom_field(uuid, boolean), app_public.arrange_custom_fields(uuid[])
from public;

grant execute on function
  app_public.custom_fields_options(app_public.custom_fields), app_public.custom_fields_service_ids(app_public.custom_fields)
to atum_customer, atum_agent;
grant execute on function
  app_public.create_custom_field(text, app_public.custom_field_type, text, text, boolean, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]),
  app_public.change_custom_field(uuid, text, text, boolean, app_public.custom_field_requirement, double precision, double precision, integer, jsonb, uuid[], text, text[]),
  app_public.archive_custom_field(uuid, boolean), app_public.arrange_custom_fields(uuid[])
to atum_admin;

--! split: 1045-functions-45-approvals.sql
create or replace function app_private.may_approve(user_id uuid, ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    where person.organization_id = ticket.organization_id and person.id = may_approve.user_id and person.disabled_at is null
      and (
        app_private.may_see_ticket(person.id, ticket)
        or person.id = ticket.assignee_id
        or (person.role = 'customer' and person.manages_company and person.company_id = ticket.company_id)
      )
  )
$$;

comment on function app_private.may_approve(uuid, app_public.tickets) is 'Whether somebody may be asked for approval on a ticket: who may see it, and who decides for the requester''s company.';

create or replace function app_public.request_approval(
  ticket_id uuid, question text, approver_ids uuid[], rule app_public.approval_rule default 'all'
) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  made app_public.ticket_approvals;
  event_id uuid;
begin
  if ticket.status in ('resolved', 'closed') then
    raise exception using errcode = 'AD150', message = 'A ticket that is done needs no approval';
  end if;
  if coalesce(cardinality(approver_ids), 0) not between 1 and 20 or exists (
    select from unnest(approver_ids) as asked_id where not app_private.may_approve(asked_id, ticket)
  ) then
    raise exception using errcode = 'AD151', message = 'Ask 1 to 20 people who may see the ticket or decide for the requester''s company';
  end if;

  insert into app_public.ticket_approvals (organization_id, ticket_id, ticket_reference, question, rule, requested_by_id)
  values (
    ticket.organization_id, ticket.id, ticket.reference, btrim(request_approval.question),
    coalesce(request_approval.rule, 'all'), app_hidden.current_user_id()
  )
  returning * into made;

  insert into app_public.ticket_approvers (organization_id, approval_id, user_id)
  select distinct ticket.organization_id, made.id, asked_id from unnest(approver_ids) as asked_id;

  event_id := app_private.record_ticket_event(ticket, 'approval_requested', app_private.approval_words(made));
  -- Customers hear of what is public; of this those who are asked, whether or not they see the ticket.
  perform pg_notify(
    'requester:' || approver.user_id,
    json_build_object('event', 'approval_requested', 'ticketId', ticket.id, 'eventId', event_id)::text
  )
  from app_public.ticket_approvers as approver
  where approver.organization_id = made.organization_id and approver.approval_id = made.id;
  return made;
end
$$;

comment on function app_public.request_approval(uuid, text, uuid[], app_public.approval_rule) is
  'Asks 1 to 20 people to approve something on a ticket, and returns the question. Whoever is asked may see the ticket, or is a customer who decides for the requester''s company and reads the `question` alone. Staff only. Errors: NOT_FOUND, APPROVAL_REFUSED on a ticket that is done, APPROVER_REFUSED, INVALID_INPUT.';

create or replace function app_private.approval_words(approval app_public.ticket_approvals) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'approval_id', approval.id, 'question', left(approval.question, 200), 'rule', approval.rule, 'state', approval.state
  )
$$;

comment on function app_private.approval_words(app_public.ticket_approvals) is 'A question for approval as the events of its ticket keep it.';

create or replace function app_public.decide_approval(
  approval_id uuid, decision app_public.approval_decision, note text default null
) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  approval app_public.ticket_approvals;
  ticket app_public.tickets;
  asked integer;
  approved integer;
  declined integer;
begin
  -- One answer after the other, or two last ones would each wait for the other.
  select * into approval
  from app_public.ticket_approvals as pending
  where pending.organization_id = app_hidden.current_organization_id() and pending.id = decide_approval.approval_id
    and exists (
      select
      from app_public.ticket_approvers as approver
      where approver.organization_id = pending.organization_id and approver.approval_id = pending.id
        and approver.user_id = app_hidden.current_user_id()
    )
  for no key update;
  if not found then
    raise exception using errcode = 'AD101', message = 'You are not asked for this approval';
  end if;

  select * into strict ticket
  from app_public.tickets
  where organization_id = approval.organization_id and id = approval.ticket_id;
  -- Who decided for a company once, or saw the ticket once, may have been asked then.
  if not app_private.may_approve(app_hidden.current_user_id(), ticket) then
    raise exception using errcode = 'AD101', message = 'You are not asked for this approval any more';
  end if;
  if approval.state <> 'pending' then
    raise exception using errcode = 'AD152', message = 'This was decided already';
  end if;

  update app_public.ticket_approvers as approver
  set decision = decide_approval.decision, note = nullif(btrim(decide_approval.note), ''), decided_at = now()
  where approver.organization_id = approval.organization_id and approver.approval_id = approval.id
    and approver.user_id = app_hidden.current_user_id() and approver.decision is null;
  if not found then
    raise exception using errcode = 'AD152', message = 'You have answered already';
  end if;

  select count(*), count(*) filter (where approver.decision = 'approved'), count(*) filter (where approver.decision = 'declined')
  into asked, approved, declined
  from app_public.ticket_approvers as approver
  where approver.organization_id = approval.organization_id and approver.approval_id = approval.id;

  update app_public.ticket_approvals as decided
  set
    state = outcome.state,
    ended_at = case when outcome.state <> 'pending' then now() end
  from (
    select case
      when approved = asked or (approval.rule = 'any' and approved > 0) then 'approved'
      when declined = asked or (approval.rule = 'all' and declined > 0) then 'declined'
      else 'pending'
    end::app_public.approval_state as state
  ) as outcome
  where decided.organization_id = approval.organization_id and decided.id = approval.id
  returning decided.* into approval;

  perform app_private.record_ticket_event(
    ticket, 'approval_decided', app_private.approval_words(approval) || jsonb_build_object('decision', decide_approval.decision)
  );
  return approval;
end
$$;

comment on function app_public.decide_approval(uuid, app_public.approval_decision, text) is
  'Answers a question for approval in the name of the caller, who was asked, and returns the question. Where `all` must approve, one no decides; where `any` may, one yes. Errors: NOT_FOUND for who is not asked, or could not be asked any more, APPROVAL_DECIDED, INVALID_INPUT.';

create or replace function app_public.cancel_approval(approval_id uuid) returns app_public.ticket_approvals
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  approval app_public.ticket_approvals;
  ticket app_public.tickets;
begin
  select * into approval
  from app_public.ticket_approvals
  where organization_id = app_hidden.current_organization_id() and id = cancel_approval.approval_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such question';
  end if;
  ticket := app_private.ticket_to_work_on(approval.ticket_id);

  update app_public.ticket_approvals
  set state = 'cancelled', ended_at = now()
  where organization_id = approval.organization_id and id = approval.id and state = 'pending'
  returning * into approval;
  if not found then
    raise exception using errcode = 'AD152', message = 'This was decided already';
  end if;
  perform app_private.record_ticket_event(ticket, 'approval_cancelled', app_private.approval_words(approval));
  return approval;
end
$$;

comment on function app_public.cancel_approval(uuid) is 'Takes a question for approval back, and returns it. Staff only. Errors: NOT_FOUND, APPROVAL_DECIDED.';

create or replace function app_public.pending_approvals() returns setof app_public.ticket_approvals
  language sql stable
  set search_path = ''
as $$
  select approval.*
  from app_public.ticket_approvers as asked
  join app_public.ticket_approvals as approval
    on approval.organization_id = asked.organization_id and approval.id = asked.approval_id and approval.state = 'pending'
  where asked.organization_id = (select app_hidden.current_organization_id())
    and asked.user_id = (select app_hidden.current_user_id())
    and asked.decision is null
  order by approval.requested_at, approval.id
  limit 200
$$;

comment on function app_public.pending_approvals() is 'The questions the caller is asked and has not answered, oldest first, at most 200.';

create or replace function app_hidden.asked_approval_ids() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(approver.approval_id), '{}')
  from app_public.ticket_approvers as approver
  where approver.organization_id = app_hidden.current_organization_id() and approver.user_id = app_hidden.current_user_id()
$$;

comment on function app_hidden.asked_approval_ids() is 'The questions for approval in which the caller is asked.';

revoke all on function
  app_private.may_approve(uuid, app_public.tickets), app_private.approval_words(app_public.ticket_approvals),
  app_public.request_approval(uuid, text, uuid[], app_public.approval_rule),
  app_public.decide_approval(uuid, app_public.approval_decision, text), app_public.cancel_approval(uuid),
  app_public.pending_approvals(), app_hidden.asked_approval_ids()
from public;

grant execute on function
  app_public.request_approval(uuid, text, uuid[], app_public.approval_rule), app_public.cancel_approval(uuid)
to atum_agent;
grant execute on function
  app_public.decide_approval(uuid, app_public.approval_decision, text), app_public.pending_approvals(),
  app_hidden.asked_approval_ids()
to atum_customer, atum_agent;

--! split: 1046-functions-46-canned-responses.sql
-- Prepared texts and lists of actions: who may use them, what they become on a ticket, how often they were used.

create or replace function app_hidden.may_use_canned(
  visibility app_public.canned_visibility, owner_id uuid, team_id uuid
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case visibility
    when 'shared' then true
    when 'personal' then owner_id = app_hidden.current_user_id()
    else app_hidden.sees_every_team() or team_id = any (app_hidden.current_team_ids())
  end
$$;

comment on function app_hidden.may_use_canned(app_public.canned_visibility, uuid, uuid) is
  'Whether the caller, as staff, may use what was prepared for somebody: what the policies of canned responses and macros say, for functions that run as the owner.';

create or replace function app_private.tg__stamp_canned() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  -- What is opened up to others belongs to nobody, and what is kept to oneself belongs to whoever keeps it.
  NEW.owner_id := case when NEW.visibility = 'personal' then coalesce(NEW.owner_id, app_hidden.current_user_id()) end;
  NEW.team_id := case when NEW.visibility = 'team' then NEW.team_id end;
  if TG_OP = 'UPDATE' then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg__stamp_canned() is 'Keeps the owner and the team of what was prepared as its visibility says.';

create or replace trigger _100_stamp before insert or update on app_public.canned_responses
  for each row execute function app_private.tg__stamp_canned();

create or replace trigger _100_stamp before insert or update on app_public.macros
  for each row execute function app_private.tg__stamp_canned();

create or replace function app_private.tg_macros__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_hidden.check_ticket_actions(NEW.actions);
  return NEW;
end
$$;

comment on function app_private.tg_macros__refuse() is 'Refuses a macro that does something that cannot be done. Error ACTION_INVALID.';

create or replace trigger _200_refuse before insert or update of actions on app_public.macros
  for each row execute function app_private.tg_macros__refuse();

-- Queries

create or replace function app_public.canned_responses_uses(canned_response app_public.canned_responses) returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(sum(counted.uses), 0)::integer
  from app_private.canned_response_uses as counted
  where counted.organization_id = app_hidden.current_organization_id()
    and counted.canned_response_id = canned_response.id
    and counted.month > now() - interval '1 year'
$$;

comment on function app_public.canned_responses_uses(app_public.canned_responses) is 'How often it was used in the last twelve months, by everybody.';

create or replace function app_public.macros_uses(macro app_public.macros) returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(sum(counted.uses), 0)::integer
  from app_private.macro_uses as counted
  where counted.organization_id = app_hidden.current_organization_id()
    and counted.macro_id = macro.id
    and counted.month > now() - interval '1 year'
$$;

comment on function app_public.macros_uses(app_public.macros) is 'How many tickets it was done to in the last twelve months, by everybody.';

do $$
begin
  if to_regtype('app_public.canned_response_match') is null then
    create type app_public.canned_response_match as (
      canned_response_id uuid, folder text, title text, visibility app_public.canned_visibility, filled_body text, uses integer
    );
  end if;
  if to_regtype('app_public.macro_step') is null then
    create type app_public.macro_step as (type text, value text, visibility app_public.comment_visibility, text text);
  end if;
end
$$;

comment on type app_public.canned_response_match is 'A canned response that was looked for, as it reads on the ticket.';
comment on column app_public.canned_response_match.canned_response_id is 'Its row id.';
comment on column app_public.canned_response_match.folder is 'Where it is kept; empty for no folder.';
comment on column app_public.canned_response_match.title is 'What it is called.';
comment on column app_public.canned_response_match.visibility is 'Who may use it.';
comment on column app_public.canned_response_match.filled_body is 'Its text with the variables filled in.';
comment on column app_public.canned_response_match.uses is 'How often it was used in the last twelve months.';

create or replace function app_public.search_canned_responses(ticket_id uuid, words text default null)
  returns setof app_public.canned_response_match
  language sql stable
  set search_path = ''
as $$
  with asked as (
    select
      app_hidden.ticket_variables(search_canned_responses.ticket_id) as variables,
      lower(btrim(left(coalesce(search_canned_responses.words, ''), 200))) as words
  )
  select response.id, response.folder, response.title, response.visibility, app_hidden.fill_in(response.body, asked.variables), response.uses
  from asked
  cross join lateral (
    select candidate.*, app_public.canned_responses_uses(candidate) as uses, lower(candidate.title) as low_title
    from app_public.canned_responses as candidate
    where candidate.organization_id = app_hidden.current_organization_id() and candidate.archived_at is null
  ) as response
  where asked.variables is not null
    and not exists (
      select
      from regexp_split_to_table(asked.words, '\s+') as word
      where strpos(lower(concat_ws(' ', response.folder, response.title, response.body)), word) = 0
        and public.word_similarity(word, response.low_title) < 0.5
    )
  order by
    asked.words <> '' and starts_with(response.low_title, asked.words) desc,
    asked.words <> '' and strpos(response.low_title, asked.words) > 0 desc,
    response.uses desc, response.folder, response.title
  limit 20
$$;

comment on function app_public.search_canned_responses(uuid, text) is
  'Up to 20 canned responses the caller may use in which every one of `words` occurs, in folder, title or text, or whose title has one much like it; without words those used most. Titles that begin with the words come first, then what is used most. Each reads as it would on the ticket. Nothing for a ticket the caller does not see. Staff only.';

comment on type app_public.macro_step is 'One thing a macro would do to a ticket.';
comment on column app_public.macro_step.type is 'The type of the action, such as `set_priority`.';
comment on column app_public.macro_step.value is 'What it would set, by its name: a word of the API for a priority or status, otherwise the name of what it refers to, tags with commas between, seconds of a snooze, to whom a notice goes. Null for nobody or nothing.';
comment on column app_public.macro_step.visibility is 'Who would read what it says; null when it says nothing on the ticket.';
comment on column app_public.macro_step.text is 'What it would say, with the variables filled in.';

create or replace function app_public.preview_macro(macro_id uuid, ticket_id uuid) returns setof app_public.macro_step
  language sql stable security definer
  set search_path = ''
as $$
  select
    step.action ->> 'type',
    case step.action ->> 'type'
      when 'set_priority' then step.action ->> 'priority'
      when 'raise_priority' then case ticket.priority when 'low' then 'normal' when 'normal' then 'high' else 'urgent' end
      when 'set_status' then step.action ->> 'status'
      when 'set_state' then (
        select coalesce(state.name, state.kind::text) from app_public.ticket_states as state
        where state.organization_id = ticket.organization_id and state.id = (step.action ->> 'state_id')::uuid
      )
      when 'set_service' then (
        select service.name from app_public.services as service
        where service.organization_id = ticket.organization_id and service.id = (step.action ->> 'service_id')::uuid
      )
      when 'set_team' then (
        select team.name from app_public.teams as team
        where team.organization_id = ticket.organization_id and team.id = (step.action ->> 'team_id')::uuid
      )
      when 'add_tags' then (select string_agg(tag, ', ') from jsonb_array_elements_text(step.action -> 'tags') as tag)
      when 'remove_tags' then (select string_agg(tag, ', ') from jsonb_array_elements_text(step.action -> 'tags') as tag)
      when 'set_custom_fields' then (select string_agg(key || ': ' || value, ', ') from jsonb_each_text(step.action -> 'values'))
      when 'snooze' then step.action ->> 'seconds'
      when 'notify' then step.action ->> 'to'
      else (
        select person.name from app_public.users as person
        where person.organization_id = ticket.organization_id
          and person.id = case step.action ->> 'type'
            when 'assign_to_me' then app_hidden.current_user_id()
            else coalesce(step.action ->> 'assignee_id', step.action ->> 'user_id')::uuid
          end
      )
    end,
    (step.action ->> 'visibility')::app_public.comment_visibility,
    nullif(app_hidden.fill_in(coalesce(step.action ->> 'body', step.action ->> 'text'), variables.filled), '')
  from app_public.macros as macro
  join app_public.tickets as ticket on ticket.organization_id = macro.organization_id and ticket.id = preview_macro.ticket_id
  cross join lateral (select app_hidden.ticket_variables(ticket.id) as filled offset 0) as variables
  cross join lateral jsonb_array_elements(macro.actions) with ordinality as step (action, position)
  where macro.organization_id = app_hidden.current_organization_id()
    and macro.id = preview_macro.macro_id and macro.archived_at is null
    and app_hidden.may_use_canned(macro.visibility, macro.owner_id, macro.team_id)
    and app_hidden.sees_ticket(ticket)
  order by step.position
$$;

comment on function app_public.preview_macro(uuid, uuid) is
  'What a macro would do to a ticket, step by step, with the variables filled in; nothing is done. Nothing for a macro or ticket the caller does not see. Staff only.';

-- Mutations

create or replace function app_public.create_canned_response(
  title text,
  body text,
  folder text default '',
  visibility app_public.canned_visibility default 'personal',
  team_id uuid default null
) returns app_public.canned_responses
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.canned_responses (organization_id, title, body, folder, visibility, team_id)
  values (
    app_hidden.current_organization_id(), btrim(create_canned_response.title), create_canned_response.body,
    btrim(coalesce(create_canned_response.folder, '')), coalesce(create_canned_response.visibility, 'personal'),
    create_canned_response.team_id
  )
  returning *
$$;

comment on function app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid) is
  'Keeps a text to send again and returns it. Agents keep personal ones; managers and admins also those of a team (`teamId`) and of everybody. Staff only. Errors: FORBIDDEN, INVALID_INPUT, NOT_FOUND for a team that is not there.';

create or replace function app_public.use_canned_response(canned_response_id uuid, ticket_id uuid) returns text
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  filled text;
begin
  select app_hidden.fill_in(response.body, app_hidden.ticket_variables(ticket.id)) into filled
  from app_public.canned_responses as response
  join app_public.tickets as ticket on ticket.organization_id = response.organization_id and ticket.id = use_canned_response.ticket_id
  where response.organization_id = app_hidden.current_organization_id()
    and response.id = use_canned_response.canned_response_id and response.archived_at is null
    and app_hidden.may_use_canned(response.visibility, response.owner_id, response.team_id)
    and app_hidden.sees_ticket(ticket);
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such canned response or ticket';
  end if;

  insert into app_private.canned_response_uses as counted (organization_id, canned_response_id, user_id, month)
  values (
    app_hidden.current_organization_id(), use_canned_response.canned_response_id, app_hidden.current_user_id(),
    date_trunc('month', now())
  )
  on conflict (organization_id, canned_response_id, user_id, month) do update set uses = counted.uses + 1;
  return filled;
end
$$;

comment on function app_public.use_canned_response(uuid, uuid) is
  'The text of a canned response as it reads on a ticket; the use is counted. Staff only. Error NOT_FOUND.';

create or replace function app_public.create_macro(
  name text,
  actions jsonb,
  description text default null,
  visibility app_public.canned_visibility default 'personal',
  team_id uuid default null
) returns app_public.macros
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.macros (organization_id, name, description, actions, visibility, team_id)
  values (
    app_hidden.current_organization_id(), btrim(create_macro.name), nullif(btrim(create_macro.description), ''),
    create_macro.actions, coalesce(create_macro.visibility, 'personal'), create_macro.team_id
  )
  returning *
$$;

comment on function app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid) is
  'Makes a macro and returns it. `actions` are 1 to 20 in the shape that `bulkUpdateTickets` takes; a `comment` may hold variables such as {{requester.first_name}}. Agents make personal ones; managers and admins also those of a team (`teamId`) and of everybody. Staff only. Errors: ACTION_INVALID, FORBIDDEN, INVALID_INPUT, NOT_FOUND for a team that is not there.';

create or replace function app_private.macro_to_use(macro_id uuid) returns app_public.macros
  language plpgsql stable
  set search_path = ''
as $$
declare
  macro app_public.macros;
begin
  select * into macro
  from app_public.macros as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = macro_to_use.macro_id
    and found.archived_at is null and app_hidden.may_use_canned(found.visibility, found.owner_id, found.team_id);
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such macro';
  end if;
  return macro;
end
$$;

comment on function app_private.macro_to_use(uuid) is 'A macro the caller may use; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_private.count_macro_uses(macro_id uuid, tickets integer) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_private.macro_uses as counted (organization_id, macro_id, user_id, month, uses)
  select app_hidden.current_organization_id(), count_macro_uses.macro_id, app_hidden.current_user_id(), date_trunc('month', now()), tickets
  where tickets > 0
  on conflict (organization_id, macro_id, user_id, month) do update set uses = counted.uses + excluded.uses
$$;

comment on function app_private.count_macro_uses(uuid, integer) is 'Counts the tickets that the caller did a macro to.';

create or replace function app_public.apply_macro(macro_id uuid, ticket_id uuid) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  macro constant app_public.macros := app_private.macro_to_use(macro_id);
  ticket app_public.tickets;
begin
  perform app_hidden.apply_ticket_actions(apply_macro.ticket_id, macro.actions);
  perform app_private.count_macro_uses(macro.id, 1);

  select * into strict ticket
  from app_public.tickets as changed
  where changed.organization_id = macro.organization_id and changed.id = apply_macro.ticket_id;
  return ticket;
end
$$;

comment on function app_public.apply_macro(uuid, uuid) is
  'Does all that a macro says to a ticket, in one save, and returns the ticket. All or nothing. Staff only. Errors: NOT_FOUND, and whatever a single action is refused with.';

create or replace function app_public.apply_macro_to_tickets(macro_id uuid, ticket_ids uuid[]) returns setof app_public.bulk_result
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  macro constant app_public.macros := app_private.macro_to_use(macro_id);
  result app_public.bulk_result;
  done integer := 0;
begin
  for result in select * from app_public.bulk_update_tickets(apply_macro_to_tickets.ticket_ids, macro.actions) loop
    done := done + result.changed::integer;
    return next result;
  end loop;
  perform app_private.count_macro_uses(macro.id, done);
end
$$;

comment on function app_public.apply_macro_to_tickets(uuid, uuid[]) is
  'Does all that a macro says to up to 1,000 tickets in one transaction, and tells of each what became of it: a ticket that is refused stays as it was, the others are changed. Staff only. Errors: NOT_FOUND for the macro, TOO_MANY_TICKETS.';

revoke all on function
  app_hidden.may_use_canned(app_public.canned_visibility, uuid, uuid), app_private.tg__stamp_canned(), app_private.tg_macros__refuse(),
  app_public.canned_responses_uses(app_public.canned_responses), app_public.macros_uses(app_public.macros),
  app_public.search_canned_responses(uuid, text), app_public.preview_macro(uuid, uuid),
  app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid),
  app_public.use_canned_response(uuid, uuid),
  app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid),
  app_private.macro_to_use(uuid), app_private.count_macro_uses(uuid, integer),
  app_public.apply_macro(uuid, uuid), app_public.apply_macro_to_tickets(uuid, uuid[])
from public;

grant execute on function
  app_public.canned_responses_uses(app_public.canned_responses), app_public.macros_uses(app_public.macros),
  app_public.search_canned_responses(uuid, text), app_public.preview_macro(uuid, uuid),
  app_public.create_canned_response(text, text, text, app_public.canned_visibility, uuid),
  app_public.use_canned_response(uuid, uuid),
  app_public.create_macro(text, jsonb, text, app_public.canned_visibility, uuid),
  app_public.apply_macro(uuid, uuid), app_public.apply_macro_to_tickets(uuid, uuid[])
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
  seen_version integer default null
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
      version = draft.version + 1, refused_code = null, refused_message = null, updated_at = now()
    where draft.organization_id = caller_organization_id and draft.author_id = caller_id
      and draft.ticket_id = save_draft.ticket_id and draft.visibility = coalesce(save_draft.visibility, 'public')
      and draft.version = save_draft.seen_version
    returning * into saved;
  else
    insert into app_public.ticket_drafts as draft (
      organization_id, ticket_id, author_id, visibility, body, status, state_id, mentioned_user_ids, seen_comment_at
    )
    values (
      caller_organization_id, save_draft.ticket_id, caller_id, coalesce(save_draft.visibility, 'public'), save_draft.body,
      save_draft.status, save_draft.state_id, coalesce(save_draft.mentioned_user_ids, '{}'), save_draft.seen_comment_at
    )
    on conflict (organization_id, author_id, ticket_id, visibility) do update
    set
      body = excluded.body, status = excluded.status, state_id = excluded.state_id,
      mentioned_user_ids = excluded.mentioned_user_ids, seen_comment_at = excluded.seen_comment_at,
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
      and draft.body = save_draft.body;
    if not found then
      raise exception using
        errcode = 'AD180', message = 'You wrote on this draft on another device since, or sent it there; look at what it says now';
    end if;
  end if;
  return saved;
end
$$;

comment on function app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer) is
  'Keeps what the caller is writing on a ticket, and returns the draft: one reply and one note for each person and ticket. `body` has up to 262,144 bytes. With `seenVersion`, the `version` as you saw it or 0 where you saw none, a save that crosses with one from another device is refused with DRAFT_CONFLICT, and both are still there: the other one here, yours with you. Without it the last save wins. Customers keep replies only. Errors: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, INVALID_INPUT, DRAFT_CONFLICT.';

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
  client_mutation_key text default null
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
      send_reply.mentioned_user_ids, send_reply.seen_comment_at, send_reply.client_mutation_key
    ) as made;
    return sent;
  end if;

  -- Said once and taken back at once: whatever refuses the reply refuses it now, and not when its author has gone on.
  begin
    perform app_public.add_comment(
      send_reply.ticket_id, send_reply.body, 'public', send_reply.status, send_reply.state_id,
      send_reply.mentioned_user_ids, send_reply.seen_comment_at
    );
    raise sqlstate 'TRIED';
  exception
    when sqlstate 'TRIED' then
      null;
  end;

  insert into app_public.outgoing_replies
    (organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key)
  values (
    caller_organization_id, send_reply.ticket_id, caller_id, send_reply.body, send_reply.status, send_reply.state_id,
    coalesce(send_reply.mentioned_user_ids, '{}'), send_reply.seen_comment_at, send_reply.client_mutation_key
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

comment on function app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text) is
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
    refused_code, refused_message
  )
  values (
    reply.organization_id, reply.ticket_id, reply.author_id, 'public', reply.body, reply.status, reply.state_id,
    reply.mentioned_user_ids, reply.seen_comment_at, give_back_as_draft.refused_code, give_back_as_draft.refused_message
  )
  -- What its author began to write meanwhile follows it: of neither is a word lost.
  on conflict (organization_id, author_id, ticket_id, visibility) do update
  set
    body = case when draft.body ~ '\S' then excluded.body || E'\n\n' || draft.body else excluded.body end,
    status = coalesce(draft.status, excluded.status), state_id = coalesce(draft.state_id, excluded.state_id),
    mentioned_user_ids = (array(
      select distinct mentioned_id from unnest(excluded.mentioned_user_ids || draft.mentioned_user_ids) as mentioned_id
    ))[1:50],
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
    coalesce(reply.client_mutation_key, reply.id::text)
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
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer),
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text),
  app_private.tg_outgoing_replies__stamp(), app_private.tg_outgoing_replies__schedule_sending(),
  app_private.give_back_as_draft(app_public.outgoing_replies, text, text), app_public.undo_send(uuid),
  app_private.deliver_reply(app_public.outgoing_replies), app_private.deliver_replies(uuid)
from public;

grant execute on function
  app_public.save_draft(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer),
  app_public.discard_draft(uuid, app_public.comment_visibility, integer)
to atum_customer, atum_agent;
grant execute on function
  app_public.send_reply(uuid, text, app_public.comment_visibility, app_public.ticket_status, uuid, uuid[], timestamptz, integer, text),
  app_public.undo_send(uuid)
to atum_agent;
grant execute on function app_private.deliver_replies(uuid) to atum_worker;

--! split: 1048-functions-48-automations.sql
-- Automations: what they are. How they run is in 61-automation-runs.sql.

create or replace function app_private.is_here(organization_id uuid, word text, id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case word
    when 'state_id' then exists (select from app_public.ticket_states as state where state.organization_id = is_here.organization_id and state.id = is_here.id)
    when 'service_id' then exists (select from app_public.services as service where service.organization_id = is_here.organization_id and service.id = is_here.id)
    when 'team_id' then exists (select from app_public.teams as team where team.organization_id = is_here.organization_id and team.id = is_here.id)
    else exists (select from app_public.users as person where person.organization_id = is_here.organization_id and person.id = is_here.id)
  end
$$;

comment on function app_private.is_here(uuid, text, uuid) is 'Whether an organization has what an action names: a stage, service, team or person.';

create or replace function app_private.check_automation(automation app_public.automations) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  condition jsonb;
  action jsonb;
  word text;
begin
  perform app_hidden.check_ticket_conditions(automation.conditions);
  perform app_hidden.check_ticket_actions(automation.actions);

  if automation.actions = '[]' then
    raise exception using errcode = 'AD190', message = 'Say what the automation does';
  end if;
  if automation.kind = 'time' and jsonb_path_query_array(automation.conditions, '$.*[*]') = '[]' then
    raise exception using errcode = 'AD190', message = 'Say for which tickets it is time';
  end if;

  -- Nobody is "me" when no person acts.
  for condition in select jsonb_path_query(automation.conditions, '$.*[*]') loop
    if condition ->> 'field' = 'watched' or jsonb_path_exists(condition, '$.value ? (@ == "me")') then
      raise exception using errcode = 'AD190', message = 'An automation acts for nobody, and cannot ask about "me"';
    end if;
  end loop;

  for action in select value from jsonb_array_elements(automation.actions) loop
    if action ->> 'type' = 'assign_to_me' then
      raise exception using errcode = 'AD190', message = 'An automation acts for nobody, and cannot assign to "me"';
    end if;
    foreach word in array array['state_id', 'service_id', 'team_id', 'assignee_id', 'user_id'] loop
      if action ->> word is not null and not app_private.is_here(automation.organization_id, word, (action ->> word)::uuid) then
        raise exception using errcode = 'AD101', message = 'Something an action refers to is not there';
      end if;
    end loop;
  end loop;
end
$$;

comment on function app_private.check_automation(app_public.automations) is
  'Refuses an automation that can never do what it says. Errors AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

create or replace function app_private.tg_automations__stamp() returns trigger
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

comment on function app_private.tg_automations__stamp() is 'Notes who changed an automation, and when.';

-- Not for its turn: that is no change of what it does.
create or replace trigger _100_stamp
  before insert or update of name, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions
  on app_public.automations
  for each row execute function app_private.tg_automations__stamp();

create or replace function app_private.tg_automations__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.check_automation(NEW);
  return NEW;
end
$$;

comment on function app_private.tg_automations__refuse() is 'Refuses an automation that can never do what it says. Errors AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

-- Not when it is switched off: one whose team has gone must be stopped as it is.
create or replace trigger _200_refuse before insert or update of conditions, actions on app_public.automations
  for each row execute function app_private.tg_automations__refuse();

create or replace function app_public.create_automation(
  name text,
  kind app_public.automation_kind,
  actions jsonb,
  conditions jsonb default '{}',
  event_types app_public.ticket_event_type[] default '{}',
  actors app_public.automation_actor[] default '{}',
  visibility app_public.comment_visibility default null,
  from_values text[] default '{}',
  to_values text[] default '{}',
  is_enabled boolean default true
) returns app_public.automations
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  made app_public.automations;
  last record;
begin
  select count(*) as number, coalesce(max(position), 0) as position into last
  from app_public.automations
  where organization_id = app_hidden.current_organization_id();
  if last.number >= 100 then
    raise exception using errcode = 'AD191', message = 'An organization has at most 100 automations';
  end if;

  insert into app_public.automations (
    organization_id, name, kind, position, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions,
    created_by_id
  )
  values (
    app_hidden.current_organization_id(), create_automation.name, create_automation.kind, last.position + 1,
    coalesce(create_automation.is_enabled, true), coalesce(create_automation.event_types, '{}'),
    coalesce(create_automation.actors, '{}'), create_automation.visibility, coalesce(create_automation.from_values, '{}'),
    coalesce(create_automation.to_values, '{}'), coalesce(create_automation.conditions, '{}'), create_automation.actions,
    app_hidden.current_user_id()
  )
  returning * into made;
  return made;
end
$$;

comment on function app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean) is
  'Makes an automation, last in turn, and returns it. One of kind `event` names at least one of `eventTypes`; one of kind `time` names none, and has at least one condition, such as `{"all": [{"field": "status", "operator": "is", "value": "pending"}, {"field": "last_comment_at", "operator": "older_than", "value": 259200}]}`. Neither can speak of "me". Admins only. Errors: AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND for what an action names and is not there, TOO_MANY_AUTOMATIONS beyond 100, CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_automation(automation_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.automations as automation
  where automation.organization_id = app_hidden.current_organization_id() and automation.id = delete_automation.automation_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such automation';
  end if;
  return true;
end
$$;

comment on function app_public.delete_automation(uuid) is 'Removes an automation. Its log stays. Admins only. Error NOT_FOUND.';

create or replace function app_public.order_automations(automation_ids uuid[]) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  -- One order at a time: two that cross would leave a mixture.
  perform pg_advisory_xact_lock(hashtextextended('automations:' || app_hidden.current_organization_id()::text, 0));

  if exists (
    select from unnest(order_automations.automation_ids) as wanted (id)
    where not exists (
      select from app_public.automations as automation
      where automation.organization_id = app_hidden.current_organization_id() and automation.id = wanted.id
    )
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such automation';
  end if;

  update app_public.automations as automation
  set position = place.position
  from (
    select ordered.id, row_number() over (
      order by array_position(order_automations.automation_ids, ordered.id) nulls last, ordered.position, ordered.id
    ) as position
    from app_public.automations as ordered
    where ordered.organization_id = app_hidden.current_organization_id()
  ) as place
  where automation.organization_id = app_hidden.current_organization_id() and automation.id = place.id
    and automation.position <> place.position;
  return true;
end
$$;

comment on function app_public.order_automations(uuid[]) is
  'Puts automations in this order; those that are not named come after them as they are. Admins only. Error NOT_FOUND.';

-- How it has been getting on lately, read from its log.

create or replace function app_public.automations_last_fired_at(automation app_public.automations) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select firing.fired_at
  from app_public.automation_firings as firing
  where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
  order by firing.fired_at desc
  limit 1
$$;

comment on function app_public.automations_last_fired_at(app_public.automations) is 'When its conditions last held and it was to act; null when they never did.';

create or replace function app_public.automations_is_failing(automation app_public.automations) returns boolean
  language sql stable
  set search_path = ''
as $$
  select count(*) = 3 and bool_and(latest.outcome = 'refused')
  from (
    select firing.outcome
    from app_public.automation_firings as firing
    where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
    order by firing.fired_at desc, firing.id desc
    limit 3
  ) as latest
$$;

comment on function app_public.automations_is_failing(app_public.automations) is 'Whether it was refused the last three times. Its log says why.';

create or replace function app_public.automations_loops_stopped(automation app_public.automations) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from app_public.automation_firings as firing
  where firing.organization_id = automation.organization_id and firing.automation_id = automation.id
    and firing.fired_at > now() - interval '7 days' and firing.outcome = 'loop_stopped'
$$;

comment on function app_public.automations_loops_stopped(app_public.automations) is 'How often within the last seven days it was stopped from going round in a circle.';

revoke all on function
  app_private.is_here(uuid, text, uuid), app_private.check_automation(app_public.automations),
  app_private.tg_automations__stamp(), app_private.tg_automations__refuse(),
  app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean),
  app_public.delete_automation(uuid), app_public.order_automations(uuid[]),
  app_public.automations_last_fired_at(app_public.automations), app_public.automations_is_failing(app_public.automations),
  app_public.automations_loops_stopped(app_public.automations)
from public;

grant execute on function
  app_public.create_automation(text, app_public.automation_kind, jsonb, jsonb, app_public.ticket_event_type[], app_public.automation_actor[], app_public.comment_visibility, text[], text[], boolean),
  app_public.delete_automation(uuid), app_public.order_automations(uuid[])
to atum_admin;
grant execute on function
  app_public.automations_last_fired_at(app_public.automations), app_public.automations_is_failing(app_public.automations),
  app_public.automations_loops_stopped(app_public.automations)
to atum_manager;

--! split: 1049-functions-49-search-documents.sql
-- What search reads is kept in the transaction that changes it, so that a search finds what was just written.

create or replace function app_hidden.search_language(organization_id uuid default app_hidden.current_organization_id()) returns regconfig
  language sql stable security definer
  set search_path = ''
as $$
  select case split_part(organization.locale, '-', 1)
    when 'ar' then 'app_hidden.arabic'
    when 'da' then 'app_hidden.danish'
    when 'nl' then 'app_hidden.dutch'
    when 'en' then 'app_hidden.english'
    when 'fi' then 'app_hidden.finnish'
    when 'fr' then 'app_hidden.french'
    when 'de' then 'app_hidden.german'
    when 'hu' then 'app_hidden.hungarian'
    when 'it' then 'app_hidden.italian'
    when 'nb' then 'app_hidden.norwegian'
    when 'nn' then 'app_hidden.norwegian'
    when 'no' then 'app_hidden.norwegian'
    when 'pt' then 'app_hidden.portuguese'
    when 'ro' then 'app_hidden.romanian'
    when 'ru' then 'app_hidden.russian'
    when 'es' then 'app_hidden.spanish'
    when 'sv' then 'app_hidden.swedish'
    when 'tr' then 'app_hidden.turkish'
    else 'app_hidden.simple'
  end::regconfig
  from app_public.organizations as organization
  where organization.id = search_language.organization_id
$$;

comment on function app_hidden.search_language(uuid) is 'The language in which an organization''s words are indexed and searched: that of its locale, else none in particular.';

-- One index serves all organizations. These words, that no text can contain, narrow a search to one of them and to its
-- newest tickets, and the index goes from the rarest word of a search, so that nobody waits for the size of somebody else.
create or replace function app_hidden.organization_word(organization_id uuid) returns text
  language sql immutable parallel safe
  return 'o:' || organization_id;

create or replace function app_hidden.block_words(organization_id uuid, number integer) returns text[]
  language sql immutable parallel safe
  return array['s:' || number / 2048 || ':' || organization_id, 'l:' || number / 32768 || ':' || organization_id];

create or replace function app_hidden.tag_word(tag text) returns text
  language sql immutable parallel safe
  return 't:' || tag;

comment on function app_hidden.organization_word(uuid) is 'The word in every document of an organization.';
comment on function app_hidden.block_words(uuid, integer) is 'The words of the small and the large block of numbers a ticket is in.';
comment on function app_hidden.tag_word(text) is 'The word in every document that has a tag.';

create or replace function app_private.ticket_words(ticket app_public.tickets, language regconfig) returns tsvector
  language sql stable
  set search_path = ''
as $$
  select
    array_to_tsvector(
      app_hidden.organization_word(ticket.organization_id)
        || app_hidden.block_words(ticket.organization_id, ticket.number)
        || array(select app_hidden.tag_word(tag) from unnest(ticket.tags) as tag)
    )
    || setweight(to_tsvector(language, ticket.subject), 'A')
    || setweight(jsonb_to_tsvector(language, ticket.custom_fields, '["string", "numeric"]'), 'A')
    || setweight(
      to_tsvector(
        language,
        (
          select concat_ws(' ', requester.name, requester.email, translate(requester.email::text, '@.', '  '))
          from app_public.users as requester
          where requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
        ) || ' ' || array_to_string(ticket.tags, ' ')
      ),
      'C'
    )
    || setweight(jsonb_to_tsvector(language, ticket.internal_fields, '["string", "numeric"]'), 'C')
$$;

comment on function app_private.ticket_words(app_public.tickets, regconfig) is 'The words of a ticket itself, without its conversation.';

-- To build a document anew: for what moved, and for what was there before.
create or replace function app_private.index_tickets(organization_id uuid, ticket_ids uuid[]) returns void
  language sql volatile
  set search_path = ''
as $$
  delete from app_hidden.ticket_documents as document
  where document.organization_id = index_tickets.organization_id and document.ticket_id = any (index_tickets.ticket_ids);

  insert into app_hidden.ticket_documents (organization_id, ticket_id, page, words)
  select
    ticket.organization_id, ticket.id, coalesce(said.page, 0),
    app_private.ticket_words(ticket, language.name)
      || setweight(to_tsvector(language.name, coalesce(said.in_public, '')), 'B')
      || setweight(to_tsvector(language.name, coalesce(said.internally, '')), 'D')
  from app_public.tickets as ticket
  cross join (select app_hidden.search_language(index_tickets.organization_id) as name) as language
  left join lateral (
    select
      paged.page,
      string_agg(paged.body, E'\n') filter (where paged.visibility = 'public') as in_public,
      string_agg(paged.body, E'\n') filter (where paged.visibility = 'internal') as internally
    from (
      select
        comment.body, comment.visibility,
        (sum(length(comment.body)) over (order by comment.created_at, comment.id) - length(comment.body)) / 20000 as page
      from app_public.comments as comment
      where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id
    ) as paged
    group by paged.page
  ) as said on true
  where ticket.organization_id = index_tickets.organization_id and ticket.id = any (index_tickets.ticket_ids);
$$;

comment on function app_private.index_tickets(uuid, uuid[]) is 'Builds the documents of some tickets of an organization anew.';

create or replace function app_private.index_tickets_from(after_id uuid default null, requester_id uuid default null, up_to integer default 500) returns uuid
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  ticket_ids uuid[];
begin
  if caller_organization_id is null then
    raise exception using errcode = 'AD301', message = 'Tickets are indexed for one organization at a time';
  end if;

  select array_agg(next.id order by next.id) into ticket_ids
  from (
    select ticket.id
    from app_public.tickets as ticket
    where ticket.organization_id = caller_organization_id
      and (index_tickets_from.after_id is null or ticket.id > index_tickets_from.after_id)
      and (index_tickets_from.requester_id is null or ticket.requester_id = index_tickets_from.requester_id)
    order by ticket.id
    limit index_tickets_from.up_to
    -- Whoever comments meanwhile waits, and comes after.
    for no key update
  ) as next;
  perform app_private.index_tickets(caller_organization_id, ticket_ids);
  return case when cardinality(ticket_ids) = index_tickets_from.up_to then ticket_ids[cardinality(ticket_ids)] end;
end
$$;

comment on function app_private.index_tickets_from(uuid, uuid, integer) is 'Builds some documents of the current organization anew, those of one requester or all, and returns the ticket after which to go on, or null at the end. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.learn_words(organization_id uuid, text text) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_hidden.search_words (organization_id, word)
  select learn_words.organization_id, word
  from (
    select distinct word
    from regexp_split_to_table(lower(public.unaccent(learn_words.text)), '[^[:alpha:]]+') as word
    where length(word) between 3 and 40
  ) as said
  where not exists (
    select
    from app_hidden.search_words as known
    where known.organization_id = learn_words.organization_id and known.word = said.word collate "C"
  )
  order by word
  on conflict do nothing
$$;

comment on function app_private.learn_words(uuid, text) is 'Keeps the words of a text to complete and to mend searches by.';

create or replace function app_private.tg_tickets__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  said constant tsvector := app_private.ticket_words(NEW, app_hidden.search_language(NEW.organization_id));
begin
  if TG_OP = 'INSERT' then
    insert into app_hidden.ticket_documents (organization_id, ticket_id, words) values (NEW.organization_id, NEW.id, said);
    perform app_private.learn_words(
      NEW.organization_id,
      concat_ws(
        ' ', NEW.subject, array_to_string(NEW.tags, ' '),
        (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.requester_id)
      )
    );
  else
    -- The conversation has weights of its own, and is not read again.
    update app_hidden.ticket_documents as document
    set words = said || ts_filter(document.words, '{b,d}')
    where document.organization_id = NEW.organization_id and document.ticket_id = NEW.id;
    if NEW.subject <> OLD.subject or NEW.tags <> OLD.tags then
      perform app_private.learn_words(NEW.organization_id, NEW.subject || ' ' || array_to_string(NEW.tags, ' '));
    end if;
  end if;
  return null;
end
$$;

comment on function app_private.tg_tickets__index() is 'Keeps what a ticket says of itself in its documents.';

create or replace trigger _600_index after insert on app_public.tickets
  for each row execute function app_private.tg_tickets__index();

create or replace trigger _600_index_again
  after update of subject, tags, custom_fields, internal_fields, requester_id on app_public.tickets
  for each row
  when (
    (NEW.subject, NEW.tags, NEW.custom_fields, NEW.internal_fields, NEW.requester_id)
      is distinct from (OLD.subject, OLD.tags, OLD.custom_fields, OLD.internal_fields, OLD.requester_id)
  )
  execute function app_private.tg_tickets__index();

create or replace function app_private.tg_comments__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  language constant regconfig := app_hidden.search_language(NEW.organization_id);
  said constant tsvector := setweight(
    to_tsvector(language, NEW.body), (case NEW.visibility when 'public' then 'B' else 'D' end)::"char"
  );
begin
  -- Concurrent comments wait for each other at their ticket, so that pages are filled one after the other.
  update app_hidden.ticket_documents as document
  set words = document.words || said
  where document.organization_id = NEW.organization_id and document.ticket_id = NEW.ticket_id
    and document.page = (
      select max(last.page)
      from app_hidden.ticket_documents as last
      where last.organization_id = NEW.organization_id and last.ticket_id = NEW.ticket_id
    )
    -- A page that is full is left alone, so that the hundredth answer costs what the first did.
    and length(document.words) < 2000;
  if found then
    return null;
  end if;

  insert into app_hidden.ticket_documents (organization_id, ticket_id, page, words)
  select
    ticket.organization_id, ticket.id,
    coalesce(
      (
        select max(last.page) + 1
        from app_hidden.ticket_documents as last
        where last.organization_id = NEW.organization_id and last.ticket_id = NEW.ticket_id
      ),
      0
    ),
    app_private.ticket_words(ticket, language) || said
  from app_public.tickets as ticket
  where ticket.organization_id = NEW.organization_id and ticket.id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__index() is 'Adds what was said to the documents of its ticket.';

create or replace trigger _600_index after insert on app_public.comments
  for each row execute function app_private.tg_comments__index();

create or replace function app_private.tg_comments__index_moved() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  moved record;
begin
  for moved in
    select before.organization_id, array_agg(before.ticket_id) || array_agg(after.ticket_id) as ticket_ids
    from comments_before as before
    join comments_after as after on after.organization_id = before.organization_id and after.id = before.id
    where after.ticket_id <> before.ticket_id
    group by before.organization_id
  loop
    perform app_private.index_tickets(moved.organization_id, moved.ticket_ids);
  end loop;
  return null;
end
$$;

comment on function app_private.tg_comments__index_moved() is 'Builds the documents anew between which comments were moved.';

create or replace trigger _600_index_moved after update on app_public.comments
  referencing old table as comments_before new table as comments_after
  for each statement execute function app_private.tg_comments__index_moved();

create or replace function app_private.tg_users__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'index_tickets', NEW.organization_id, jsonb_build_object('requesterId', NEW.id), job_key => 'index_tickets:' || NEW.id
  );
  perform app_private.learn_words(NEW.organization_id, NEW.name);
  return null;
end
$$;

comment on function app_private.tg_users__index() is 'Has a job put the new name or address of a person into the documents of their tickets.';

create or replace trigger _900_index after update of name, email on app_public.users
  for each row when ((NEW.name, NEW.email) is distinct from (OLD.name, OLD.email)) execute function app_private.tg_users__index();

create or replace function app_private.tg_organizations__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue('index_tickets', NEW.id, '{}', job_key => 'index_tickets:' || NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__index() is 'Has a job index an organization''s tickets anew, when it speaks another language.';

create or replace trigger _900_index after update of locale on app_public.organizations
  for each row when (NEW.locale <> OLD.locale) execute function app_private.tg_organizations__index();

revoke all on function
  app_hidden.search_language(uuid), app_hidden.organization_word(uuid), app_hidden.block_words(uuid, integer), app_hidden.tag_word(text),
  app_private.ticket_words(app_public.tickets, regconfig), app_private.index_tickets(uuid, uuid[]),
  app_private.index_tickets_from(uuid, uuid, integer), app_private.learn_words(uuid, text),
  app_private.tg_tickets__index(), app_private.tg_comments__index(), app_private.tg_comments__index_moved(),
  app_private.tg_users__index(), app_private.tg_organizations__index()
from public;

grant execute on function
  app_hidden.search_language(uuid), app_hidden.organization_word(uuid), app_hidden.block_words(uuid, integer), app_hidden.tag_word(text)
to atum_customer, atum_agent;
grant execute on function app_private.index_tickets_from(uuid, uuid, integer) to atum_worker;

--! split: 1051-functions-51-search.sql
-- Search: words and filters in one line, as people type them.

create or replace function app_hidden.searched_words() returns tsquery
  language sql stable parallel safe
  return nullif(current_setting('atum.searched_words', true), '')::tsquery;

comment on function app_hidden.searched_words() is 'What search_tickets is looking for at the moment; the policy of documents shows what has it.';

do $$
begin
  if to_regtype('app_public.ticket_match') is null then
    create type app_public.ticket_match as (organization_id uuid, ticket_id uuid, subject text, excerpt text, rank real);
    create type app_public.ticket_search as (
      matches app_public.ticket_match[], next_cursor text, is_capped boolean, is_mended boolean
    );
    create type app_hidden.ticket_query as (
      words tsquery, marked tsquery, filters tsquery, conditions jsonb, number_digits text, is_empty boolean
    );
  end if;
end
$$;

comment on type app_public.ticket_match is 'A ticket that a search found.';
comment on column app_public.ticket_match.organization_id is 'The organization of the ticket.';
comment on column app_public.ticket_match.ticket_id is 'The ticket that was found.';
comment on column app_public.ticket_match.subject is 'Its subject as plain text; each word that matched stands between U+E000 and U+E001.';
comment on column app_public.ticket_match.excerpt is 'What was said where it matches best, marked like the subject; null when the words are not in what was said last.';
comment on column app_public.ticket_match.rank is 'How well it matches; comparable within one search only.';
comment on type app_public.ticket_search is 'One page of what a search found, best first.';
comment on column app_public.ticket_search.matches is 'The tickets of this page.';
comment on column app_public.ticket_search.next_cursor is 'Hand it back as `after` for the next page; null on the last.';
comment on column app_public.ticket_search.is_capped is 'More than 200 tickets match, and the newest 200 were put in order.';
comment on column app_public.ticket_search.is_mended is 'Nothing has the words as they were written; these tickets have words that look like them.';

create or replace function app_private.similar_words(word text) returns text[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(near.word order by near.distance), '{}')
  from (
    select known.word, known.word operator(public.<->) similar_words.word as distance
    from app_hidden.search_words as known
    where known.organization_id = app_hidden.current_organization_id()
    order by known.word operator(public.<->) similar_words.word
    limit 3
  ) as near
  where near.distance < 0.65
$$;

comment on function app_private.similar_words(text) is 'Up to three words the organization uses that look like one.';

create or replace function app_private.completed_words(beginning text) returns text[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(longer.word), '{}')
  from (
    select known.word
    from app_hidden.search_words as known
    where known.organization_id = app_hidden.current_organization_id()
      and known.word > completed_words.beginning collate "C" and known.word < (completed_words.beginning || U&'\FFFF') collate "C"
    order by known.word
    limit 20
  ) as longer
$$;

comment on function app_private.completed_words(text) is 'Up to twenty words the organization uses that begin like this.';

-- They are only ever searched for, never shown: a word of somebody else's ticket finds nothing its reader may not see.
create or replace function app_hidden.words_for(word text, way text) returns tsquery
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  bare constant text := lower(public.unaccent(words_for.word));
  language constant regconfig := app_hidden.search_language();
  found tsquery;
  other text;
begin
  found := plainto_tsquery(language, words_for.word);
  if bare !~ '^[[:alpha:]]{3,40}$' then
    return found;
  end if;
  foreach other in array case way when 'complete' then app_private.completed_words(bare) else app_private.similar_words(bare) end loop
    found := case when numnode(found) = 0 then plainto_tsquery(language, other) else found || plainto_tsquery(language, other) end;
  end loop;
  return found;
end
$$;

comment on function app_hidden.words_for(text, text) is 'What to look for when somebody writes a word: itself, and the words that begin with it (`complete`) or look like it (`mend`).';

create or replace function app_hidden.search_terms(query text) returns table (place bigint, is_negated boolean, key text, value text, is_phrase boolean)
  language sql immutable
  set search_path = ''
as $$
  select
    term.place,
    term.parts[1] = '-',
    case when known.key is not null then known.key end,
    case when known.key is null and term.parts[2] is not null then term.parts[2] || ':' else '' end || coalesce(term.parts[3], term.parts[4]),
    term.parts[3] is not null
  from regexp_matches(search_terms.query, '(-?)(?:([[:alpha:]_]+):)?(?:"([^"]*)"?|(\S+))', 'g') with ordinality as term (parts, place)
  left join (
    values
      ('status'), ('is'), ('priority'), ('channel'), ('assignee'), ('requester'), ('team'), ('service'), ('company'), ('tag'),
      ('created'), ('updated')
  ) as known (key) on known.key = lower(term.parts[2])
$$;

comment on function app_hidden.search_terms(text) is 'The terms of a search. What stands before a colon and is no filter is a word like any other.';

create or replace function app_hidden.search_condition(key text, value text) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  word constant text := lower(replace(value, '-', '_'));
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  ids uuid[];
  comparison text[];
  instant timestamptz;
begin
  if not app_hidden.is_staff() and key in ('assignee', 'team', 'company', 'tag') then
    raise exception using errcode = 'AD160', message = format('Only staff search by %s', key);
  end if;

  case key
    when 'status' then
      if word in ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed') then
        return jsonb_build_object('field', 'status', 'operator', 'is', 'value', word);
      end if;
      select array_agg(state.id) into ids
      from app_public.ticket_states as state
      where state.organization_id = caller_organization_id and lower(state.name) = lower(search_condition.value);
      if ids is null then
        raise exception using errcode = 'AD160', message = format('There is no status "%s"', left(value, 40));
      end if;
      return jsonb_build_object('field', 'state_id', 'operator', 'is', 'value', to_jsonb(ids));

    when 'is' then
      case
        when word in ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed') then
          return jsonb_build_object('field', 'status', 'operator', 'is', 'value', word);
        when word in ('unresolved', 'unsolved') then
          return '{"field": "status", "operator": "is", "value": ["new", "open", "pending", "on_hold"]}';
        when word = 'unassigned' and app_hidden.is_staff() then
          return '{"field": "assignee_id", "operator": "is_empty"}';
        when word in ('breached', 'snoozed', 'watched') and app_hidden.is_staff() then
          return jsonb_build_object('field', word, 'operator', 'is', 'value', true);
        else
          raise exception using errcode = 'AD160', message = format('"is:%s" is none of unresolved, unassigned, breached, snoozed, watched or a status', left(value, 40));
      end case;

    when 'priority', 'channel' then
      if word not in (
        select label.enumlabel
        from pg_catalog.pg_enum as label
        where label.enumtypid = ('app_public.ticket_' || key)::pg_catalog.regtype
      ) then
        raise exception using errcode = 'AD160', message = format('There is no %s "%s"', key, left(value, 40));
      end if;
      return jsonb_build_object('field', key, 'operator', 'is', 'value', word);

    when 'created', 'updated' then
      comparison := regexp_match(value, '^(>=|<=|>|<)?(\d{4}-\d{2}-\d{2})$');
      if comparison is null or not pg_input_is_valid(comparison[2], 'date') then
        raise exception using errcode = 'AD160', message = format('"%s:" needs a day such as >2026-01-31', key);
      end if;
      -- A day is one where the reader lives.
      select comparison[2]::date::timestamp at time zone coalesce(person.time_zone, organization.time_zone) into instant
      from app_public.organizations as organization
      left join lateral app_hidden.current_time_zone() as person (time_zone) on true
      where organization.id = caller_organization_id;
      return case coalesce(comparison[1], '=')
        when '>' then jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant + interval '1 day' - interval '1 microsecond')
        when '>=' then jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant - interval '1 microsecond')
        when '<' then jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant)
        when '<=' then jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant + interval '1 day')
        else jsonb_build_array(
          jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant - interval '1 microsecond'),
          jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant + interval '1 day')
        )
      end;

    when 'assignee', 'requester' then
      if word = 'none' and key = 'assignee' then
        return '{"field": "assignee_id", "operator": "is_empty"}';
      end if;
      if word = 'me' then
        return jsonb_build_object('field', key || '_id', 'operator', 'is', 'value', 'me');
      end if;
      ids := app_hidden.people_named(value);

    when 'team' then
      select array_agg(team.id) into ids
      from app_public.teams as team
      where team.organization_id = caller_organization_id and starts_with(lower(team.name), lower(search_condition.value));

    when 'service' then
      select array_agg(service.id) into ids
      from app_public.services as service
      where service.organization_id = caller_organization_id and starts_with(lower(service.name), lower(search_condition.value));

    when 'company' then
      select array_agg(company.id) into ids
      from app_public.companies as company
      where company.organization_id = caller_organization_id and starts_with(lower(company.name), lower(search_condition.value));
  end case;

  -- A name that nobody has is on no ticket; so is this id.
  return jsonb_build_object('field', key || '_id', 'operator', 'is', 'value', to_jsonb(coalesce(ids[:100], array['00000000-0000-0000-0000-000000000000'::uuid])));
end
$$;

comment on function app_hidden.search_condition(text, text) is 'A filter of a search as a condition on tickets, or a list of conditions. Error SEARCH_INVALID.';

-- Customers search too, by the conditions that search_condition lets them have.
create or replace function app_hidden.search_condition_sql(conditions jsonb) returns text
  language sql stable security definer
  set search_path = ''
as $$
  select app_hidden.ticket_condition_sql(jsonb_build_object('all', conditions))
$$;

comment on function app_hidden.search_condition_sql(jsonb) is 'The filters of a search as SQL.';

create or replace function app_hidden.current_time_zone() returns text
  language sql stable security definer
  set search_path = ''
as $$
  select person.time_zone
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_time_zone() is 'The time zone the caller chose, or null.';

create or replace function app_hidden.people_named(name text) returns uuid[]
  language plpgsql stable
  set search_path = ''
as $$
declare
  ids uuid[];
begin
  if app_hidden.is_staff() then
    select array_agg(named.id) into ids
    from (
      select person.id
      from app_public.users as person
      where person.organization_id = app_hidden.current_organization_id()
        and (
          position(lower(people_named.name) in lower(person.name)) > 0
          or starts_with(lower(person.email::text), lower(people_named.name))
        )
      order by starts_with(lower(person.name), lower(people_named.name)) desc, person.name
      limit 100
    ) as named;
  else
    -- Customers do not read mail addresses.
    select array_agg(named.id) into ids
    from (
      select person.id
      from app_public.users as person
      where person.organization_id = app_hidden.current_organization_id()
        and position(lower(people_named.name) in lower(person.name)) > 0
      limit 100
    ) as named;
  end if;
  return ids;
end
$$;

comment on function app_hidden.people_named(text) is 'Up to a hundred people the caller sees whose name contains this or, for staff, whose mail address begins with it.';

create or replace function app_hidden.read_ticket_search(query text, way text default 'complete') returns app_hidden.ticket_query
  language plpgsql stable
  set search_path = ''
as $$
declare
  language constant regconfig := app_hidden.search_language();
  read app_hidden.ticket_query;
  term record;
  words integer := 0;
  asked jsonb;
  last_place bigint;
  part tsquery;
begin
  read.words := ''::tsquery;
  read.marked := ''::tsquery;
  read.filters := ''::tsquery;
  read.conditions := '[]';
  read.is_empty := true;
  select max(terms.place) filter (where terms.key is null and not terms.is_negated and not terms.is_phrase) into last_place
  from app_hidden.search_terms(query) as terms;

  for term in select * from app_hidden.search_terms(query) as terms order by terms.place loop
    if term.key is null then
      if term.value !~ '[[:alnum:]]' then
        continue;
      end if;
      words := words + 1;
      read.is_empty := false;
      if not term.is_negated and not term.is_phrase and term.value ~* '^(#|[a-z][a-z0-9]{0,9}-)?\d{1,9}$' then
        read.number_digits := ltrim(substring(term.value from '\d+$'), '0');
      end if;
      part := case
        when term.is_phrase then phraseto_tsquery(language, term.value)
        when term.is_negated then plainto_tsquery(language, term.value)
        -- The last word may not be finished yet.
        when way = 'mend' or term.place = last_place then app_hidden.words_for(term.value, way)
        else plainto_tsquery(language, term.value)
      end;
      if numnode(part) > 0 then
        read.words := app_hidden.both(read.words, case when term.is_negated then !!part else part end);
        if not term.is_negated then
          read.marked := case when numnode(read.marked) = 0 then part else read.marked || part end;
        end if;
      end if;
    elsif term.key = 'tag' and app_hidden.is_staff() then
      read.is_empty := false;
      part := app_hidden.lexeme(app_hidden.tag_word(lower(term.value)));
      read.filters := app_hidden.both(read.filters, case when term.is_negated then !!part else part end);
    else
      read.is_empty := false;
      asked := app_hidden.search_condition(term.key, term.value);
      if term.is_negated then
        if jsonb_typeof(asked) = 'array' then
          raise exception using errcode = 'AD160', message = 'A day cannot be left out; search before or after it';
        end if;
        asked := case asked ->> 'operator'
          when 'is' then case
            when jsonb_typeof(asked -> 'value') = 'boolean' then asked || '{"value": false}'
            else asked || '{"operator": "is_not"}'
          end
          when 'is_not' then asked || '{"operator": "is"}'
          when 'is_empty' then asked || '{"operator": "is_not_empty"}'
          when 'before' then asked || jsonb_build_object('operator', 'after', 'value', (asked ->> 'value')::timestamptz - interval '1 microsecond')
          else asked || jsonb_build_object('operator', 'before', 'value', (asked ->> 'value')::timestamptz + interval '1 microsecond')
        end;
      end if;
      read.conditions := read.conditions || asked;
    end if;
  end loop;

  if words <> 1 then
    read.number_digits := null;
  end if;
  return read;
end
$$;

comment on function app_hidden.read_ticket_search(text, text) is 'Takes a search apart; its last word may be the beginning of one, or each may be misspelt (`mend`). Error SEARCH_INVALID.';

create or replace function app_hidden.both(one tsquery, other tsquery) returns tsquery
  language sql immutable
  return case when numnode(one) = 0 then other when numnode(other) = 0 then one else one && other end;

create or replace function app_hidden.lexeme(word text) returns tsquery
  language sql immutable
  return ('''' || replace(replace(word, chr(92), repeat(chr(92), 2)), '''', '''''') || '''')::tsquery;

create or replace function app_hidden.in_weights(words tsquery, weights text) returns tsquery
  language sql immutable
  return regexp_replace(words::text, '(''(?:[^'']|'''')*'')', '\1:' || weights, 'g')::tsquery;

create or replace function app_hidden.readable(words tsquery) returns tsquery
  language sql stable
  return case when app_hidden.is_staff() then words else app_hidden.in_weights(words, 'AB') end;

comment on function app_hidden.readable(tsquery) is 'A search of what the caller may read: customers neither find nor miss a ticket by what is internal.';
comment on function app_hidden.both(tsquery, tsquery) is 'Two searches at once; nothing asked for changes nothing.';
comment on function app_hidden.lexeme(text) is 'One word exactly as it is in a document.';
comment on function app_hidden.in_weights(tsquery, text) is 'A search that looks at some weights of documents only.';

revoke all on function
  app_hidden.searched_words(), app_private.similar_words(text), app_private.completed_words(text), app_hidden.words_for(text, text),
  app_hidden.search_terms(text), app_hidden.search_condition(text, text), app_hidden.search_condition_sql(jsonb),
  app_hidden.current_time_zone(), app_hidden.people_named(text), app_hidden.read_ticket_search(text, text),
  app_hidden.both(tsquery, tsquery), app_hidden.lexeme(text), app_hidden.in_weights(tsquery, text), app_hidden.readable(tsquery)
from public;

grant execute on function
  app_hidden.searched_words(), app_hidden.words_for(text, text), app_hidden.search_terms(text), app_hidden.search_condition(text, text),
  app_hidden.current_time_zone(), app_hidden.people_named(text), app_hidden.read_ticket_search(text, text),
  app_hidden.both(tsquery, tsquery), app_hidden.lexeme(text), app_hidden.in_weights(tsquery, text), app_hidden.readable(tsquery),
  app_hidden.search_condition_sql(jsonb)
to atum_customer, atum_agent;

--! split: 1053-functions-53-checklists.sql
create or replace function app_private.record_checklist_event(item app_public.checklist_items, what text) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.record_ticket_event(
    ticket, 'checklist_changed', jsonb_build_object('what', what, 'item_id', item.id, 'text', left(item.text, 200))
  )
  from app_public.tickets as ticket
  where ticket.organization_id = item.organization_id and ticket.id = item.ticket_id
$$;

comment on function app_private.record_checklist_event(app_public.checklist_items, text) is 'Tells the spine what became of a step: added, done, undone or removed.';

create or replace function app_private.checklist_item_to_work_on(item_id uuid) returns app_public.checklist_items
  language plpgsql volatile
  set search_path = ''
as $$
declare
  item app_public.checklist_items;
begin
  select * into item
  from app_public.checklist_items as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = checklist_item_to_work_on.item_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such step';
  end if;
  perform app_private.ticket_to_work_on(item.ticket_id);
  -- Read again: somebody else may have changed it before the ticket was locked.
  select * into item
  from app_public.checklist_items as found
  where found.organization_id = item.organization_id and found.id = item.id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such step';
  end if;
  return item;
end
$$;

comment on function app_private.checklist_item_to_work_on(uuid) is 'A step on a ticket that the caller sees, which is locked; for functions that run as the owner. Error NOT_FOUND.';

create or replace function app_public.add_checklist_items(ticket_id uuid, texts text[]) returns setof app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ticket constant app_public.tickets := app_private.ticket_to_work_on(ticket_id);
  last_position integer;
  items bigint;
  item app_public.checklist_items;
begin
  select coalesce(max(present.position), 0), count(*) into last_position, items
  from app_public.checklist_items as present
  where present.organization_id = ticket.organization_id and present.ticket_id = ticket.id;
  if items + coalesce(cardinality(texts), 0) > 100 then
    raise exception using errcode = 'AD153', message = 'A ticket has at most 100 steps';
  end if;

  for item in
    insert into app_public.checklist_items (organization_id, ticket_id, position, text)
    select ticket.organization_id, ticket.id, last_position + added.number, btrim(added.text)
    from unnest(texts) with ordinality as added (text, number)
    returning *
  loop
    perform app_private.record_checklist_event(item, 'added');
    return next item;
  end loop;
end
$$;

comment on function app_public.add_checklist_items(uuid, text[]) is
  'Adds steps at the end of a ticket''s checklist and returns them; at most 100 in all, each of 1 to 500 characters. Staff only. Errors: NOT_FOUND, CHECKLIST_TOO_LONG, INVALID_INPUT.';

create or replace function app_public.tick_checklist_item(item_id uuid, done boolean default true) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  if (item.done_at is not null) = done then
    return item;
  end if;
  update app_public.checklist_items as step
  set
    done_at = case when tick_checklist_item.done then now() end,
    done_by_id = case when tick_checklist_item.done then app_hidden.current_user_id() end
  where step.organization_id = item.organization_id and step.id = item.id
  returning * into item;
  perform app_private.record_checklist_event(item, case when done then 'done' else 'undone' end);
  return item;
end
$$;

comment on function app_public.tick_checklist_item(uuid, boolean) is 'Ticks a step off, or with `done` false opens it again, and returns it. Staff only. Error: NOT_FOUND.';

create or replace function app_public.remove_checklist_item(item_id uuid) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item constant app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  delete from app_public.checklist_items as step where step.organization_id = item.organization_id and step.id = item.id;
  perform app_private.record_checklist_event(item, 'removed');
  return item;
end
$$;

comment on function app_public.remove_checklist_item(uuid) is 'Takes a step out of a checklist, and returns what it was. Staff only. Error: NOT_FOUND.';

create or replace function app_public.move_checklist_item(item_id uuid, before_item_id uuid default null) returns app_public.checklist_items
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  item app_public.checklist_items := app_private.checklist_item_to_work_on(item_id);
begin
  if before_item_id is not null and not exists (
    select
    from app_public.checklist_items as other
    where other.organization_id = item.organization_id and other.ticket_id = item.ticket_id and other.id = before_item_id
      and other.id <> item.id
  ) then
    raise exception using errcode = 'AD101', message = 'There is no such step on this ticket';
  end if;

  -- Numbered afresh: a list has at most 100.
  update app_public.checklist_items as step
  set position = ordered.position
  from (
    select
      listed.id,
      row_number() over (
        order by
          case
            when listed.id <> item.id then listed.position::numeric
            else coalesce((select other.position from app_public.checklist_items as other where other.organization_id = item.organization_id and other.id = before_item_id) - 0.5, 1000000)
          end,
          listed.id
      ) as position
    from app_public.checklist_items as listed
    where listed.organization_id = item.organization_id and listed.ticket_id = item.ticket_id
  ) as ordered
  where step.organization_id = item.organization_id and step.id = ordered.id and step.position <> ordered.position;

  select * into strict item from app_public.checklist_items as step where step.organization_id = item.organization_id and step.id = item.id;
  return item;
end
$$;

comment on function app_public.move_checklist_item(uuid, uuid) is 'Puts a step before another one, without `beforeItemId` at the end, and returns it. Staff only. Error: NOT_FOUND.';

revoke all on function
  app_private.record_checklist_event(app_public.checklist_items, text), app_private.checklist_item_to_work_on(uuid),
  app_public.add_checklist_items(uuid, text[]), app_public.tick_checklist_item(uuid, boolean),
  app_public.remove_checklist_item(uuid), app_public.move_checklist_item(uuid, uuid)
from public;

grant execute on function
  app_public.add_checklist_items(uuid, text[]), app_public.tick_checklist_item(uuid, boolean),
  app_public.remove_checklist_item(uuid), app_public.move_checklist_item(uuid, uuid)
to atum_agent;

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
  client_mutation_key text default null
) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  template app_public.ticket_templates;
  ticket app_public.tickets;
  retried boolean;
begin
  select * into template
  from app_public.ticket_templates as chosen
  where chosen.organization_id = app_hidden.current_organization_id() and chosen.id = create_ticket_from_template.template_id
    and chosen.archived_at is null and (chosen.seen_by_customers or app_hidden.is_staff());
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such template';
  end if;

  retried := exists (
    select
    from app_public.tickets as made
    where made.organization_id = template.organization_id and made.created_by_id = app_hidden.current_user_id()
      and made.client_mutation_key = create_ticket_from_template.client_mutation_key
  );
  ticket := app_public.create_ticket(
    coalesce(nullif(btrim(create_ticket_from_template.subject), ''), template.subject),
    coalesce(nullif(btrim(create_ticket_from_template.body), ''), template.body),
    template.priority, template.service_id, create_ticket_from_template.requester_id,
    coalesce(create_ticket_from_template.custom_fields, '{}'), '{}', create_ticket_from_template.client_mutation_key
  );
  -- Or made by a call with the same key at the same moment, in another transaction.
  if retried or ticket.created_at <> now() then
    return ticket;
  end if;

  -- What the template says for staff, whoever begins with it.
  update app_public.tickets as made
  set tags = template.tags, custom_fields = template.custom_fields || made.custom_fields
  where made.organization_id = ticket.organization_id and made.id = ticket.id
    and (template.tags <> '{}' or template.custom_fields <> '{}');
  insert into app_public.checklist_items (organization_id, ticket_id, position, text)
  select ticket.organization_id, ticket.id, step.number, step.text
  from unnest(template.checklist) with ordinality as step (text, number);

  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = template.organization_id and made.id = ticket.id;
  return app_private.as_seen_by_caller(ticket);
end
$$;

comment on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text) is
  'Opens a ticket as a template says and returns it; a `subject`, `body` or `customFields` given take the place of the template''s. Customers use the templates that are for them. Errors: NOT_FOUND, and those of `createTicket`.';

revoke all on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean),
  app_private.tg_ticket_templates__tidy(), app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text)
from public;

grant execute on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean)
to atum_manager;
grant execute on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text) to atum_customer, atum_agent;

--! split: 1055-functions-55-custom-field-values.sql
-- What a ticket says in the fields its organization added: which of them it asks for, and what they may hold.

create or replace function app_private.asked_fields(organization_id uuid, service_id uuid, field_values jsonb)
  returns setof app_public.custom_fields
  language sql stable
  set search_path = ''
as $$
  -- From the fields that are always asked for to those they decide about; a circle would be reached from nowhere.
  with recursive of_service as (
    select field.*
    from app_public.custom_fields as field
    where field.organization_id = asked_fields.organization_id and field.archived_at is null
      and coalesce(
        (
          select bool_or(service.service_id is not distinct from asked_fields.service_id)
          from app_public.custom_field_services as service
          where service.organization_id = field.organization_id and service.field_id = field.id
        ),
        true
      )
  ),
  asked as (
    select field.* from of_service as field where field.visible_when_field is null
    union all
    select field.*
    from asked as decider
    join of_service as field on field.visible_when_field = decider.key
    cross join lateral (select asked_fields.field_values -> decider.key as value) as decided
    where case jsonb_typeof(decided.value)
      when 'array' then decided.value ?| field.visible_when_values
      else decided.value #>> '{}' = any (field.visible_when_values)
    end
  )
  select * from asked
$$;

comment on function app_private.asked_fields(uuid, uuid, jsonb) is
  'The fields that a ticket of a service asks for, given the values it has: those that are not archived, are of the service, and whose condition is met, as are those of the fields that decide.';

create or replace function app_private.tidy_field_value(field app_public.custom_fields, given jsonb, former jsonb) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  kind constant text := jsonb_typeof(given);
  word constant text := case when kind in ('string', 'number') then btrim(given #>> '{}', E' \t\r\n') end;
  chosen text[];
  fault text;
begin
  if kind = 'null' or word = '' or given = '[]' then
    return null;
  end if;

  case field.type
    when 'text' then
      if kind <> 'string' then
        fault := 'holds a text';
      elsif length(word) > coalesce(field.max_length, 1000) then
        fault := format('holds at most %s characters', coalesce(field.max_length, 1000));
      else
        return to_jsonb(word);
      end if;
    when 'url' then
      if kind <> 'string' or word !~* '^https?://[^[:space:]/?#"<>]+([/?#][^[:space:]"<>]*)?$' then
        fault := 'holds an http or https address';
      elsif length(word) > coalesce(field.max_length, 2000) then
        fault := format('holds at most %s characters', coalesce(field.max_length, 2000));
      else
        return to_jsonb(word);
      end if;
    when 'number' then
      -- What JavaScript holds exactly; JSON itself knows numbers of a hundred thousand digits.
      if word is null or word !~ '^-?\d{1,15}(\.\d{1,9})?$' or length(word) > 20 then
        fault := 'holds a number of up to 15 digits';
      elsif word::numeric < field.minimum or word::numeric > field.maximum then
        fault := concat_ws(' and ', 'holds a number of at least ' || field.minimum, 'at most ' || field.maximum);
      else
        return to_jsonb(trim_scale(word::numeric));
      end if;
    when 'boolean' then
      if kind <> 'boolean' then
        fault := 'holds true or false';
      else
        return given;
      end if;
    when 'date' then
      if kind <> 'string' or word !~ '^[1-9]\d{3}-\d\d-\d\d$' or not pg_input_is_valid(word, 'date') then
        fault := 'holds a date such as 2026-07-31';
      else
        return to_jsonb(word);
      end if;
    when 'user' then
      fault := 'holds a person of the organization';
      -- One after the other, because the planner would make a uuid of the word before it asks whether it is one.
      if kind = 'string' and pg_input_is_valid(word, 'uuid') then
        perform from app_public.users as person where person.organization_id = field.organization_id and person.id = word::uuid;
        fault := case when not found then fault end;
      end if;
      if fault is null then
        return to_jsonb(word::uuid);
      end if;
    else
      if kind = 'array' and field.type = 'multi_select' and jsonb_array_length(given) <= 200 then
        chosen := array(select distinct option #>> '{}' from jsonb_array_elements(given) as option order by 1);
      elsif kind = 'string' and field.type = 'select' then
        chosen := array[word];
      end if;
      -- What was chosen while it could be may stay chosen.
      if chosen is null or array_position(chosen, null) is not null or exists (
        select from unnest(chosen) as picked (key)
        where not coalesce(former, '[]') ? picked.key
          and not exists (
            select
            from app_public.custom_field_options as option
            where option.organization_id = field.organization_id and option.field_id = field.id and option.key = picked.key
              and option.archived_at is null
          )
      ) then
        fault := case field.type when 'select' then 'holds one of its options' else 'holds a list of its options' end;
      else
        return case field.type when 'select' then to_jsonb(word) else to_jsonb(chosen) end;
      end if;
  end case;
  raise exception using errcode = 'AD141', column = field.key, message = format('The field %s %s', field.key, fault);
end
$$;

comment on function app_private.tidy_field_value(app_public.custom_fields, jsonb, jsonb) is
  'A value as it is stored, or null for none; `former` is the one it replaces. Error FIELD_INVALID.';

create or replace function app_private.tg_tickets__tidy_custom_fields() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  before jsonb := '{}';
  after jsonb;
  given jsonb;
  field app_public.custom_fields;
  name text;
  value jsonb;
  asked text[];
begin
  given := NEW.internal_fields || NEW.custom_fields;
  if TG_OP = 'UPDATE' then
    before := OLD.internal_fields || OLD.custom_fields;
    NEW.custom_fields := OLD.custom_fields;
    NEW.internal_fields := OLD.internal_fields;
  else
    NEW.custom_fields := '{}';
    NEW.internal_fields := '{}';
  end if;
  after := before;
  given := app_private.other_values(given, before);

  for name, value in select key, entry.value from jsonb_each(given) as entry order by key loop
    select * into field
    from app_public.custom_fields as known
    where known.organization_id = NEW.organization_id and known.key = name
      and known.archived_at is null
      -- What a customer says comes with opening the ticket. Nothing that a customer says changes it later; a template does.
      and (known.set_by_customers or TG_OP = 'UPDATE' or app_hidden.acting_role() <> 'atum_customer');
    if not found then
      raise exception using
        errcode = 'AD140', column = left(name, 60), message = format('There is no field %s to fill in', left(name, 60));
    end if;

    value := app_private.tidy_field_value(field, value, before -> name);
    if value is null then
      after := after - name;
      NEW.custom_fields := NEW.custom_fields - name;
      NEW.internal_fields := NEW.internal_fields - name;
    else
      after := after || jsonb_build_object(name, value);
      if field.seen_by_customers then
        NEW.custom_fields := NEW.custom_fields || jsonb_build_object(name, value);
      else
        NEW.internal_fields := NEW.internal_fields || jsonb_build_object(name, value);
      end if;
    end if;
  end loop;

  asked := array(select key from app_private.asked_fields(NEW.organization_id, NEW.service_id, after));

  select key into name from jsonb_each(app_private.other_values(after, before)) where key <> all (asked) order by key limit 1;
  if found then
    raise exception using
      errcode = 'AD144', column = name, message = format('This ticket does not ask for the field %s', name);
  end if;

  if TG_OP = 'UPDATE' then
    -- What this change makes nobody ask for any more goes with it; its event says what it was.
    for field in
      select known.*
      from app_private.asked_fields(NEW.organization_id, NEW.service_id, before) as known
      where before ? known.key and (known.key <> all (asked) or not after ? known.key)
      order by known.position, known.key
    loop
      if field.key = any (asked) and field.required_when = 'creating' then
        raise exception using
          errcode = 'AD142', column = field.key, message = format('The field %s must have a value', field.key);
      elsif field.key = any (asked) and field.required_when = 'resolving' and NEW.status in ('resolved', 'closed') then
        raise exception using
          errcode = 'AD143', column = field.key, message = format('A ticket is not done without the field %s', field.key);
      end if;
      NEW.custom_fields := NEW.custom_fields - field.key;
      NEW.internal_fields := NEW.internal_fields - field.key;
    end loop;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__tidy_custom_fields() is
  'Lays the given values over those a ticket has, each in the column its field says, and refuses what the fields do not allow. What is not given stays as it is, whatever became of its field. Errors FIELD_UNKNOWN, FIELD_INVALID, FIELD_NOT_ASKED, FIELD_REQUIRED_TO_CREATE, FIELD_REQUIRED_TO_RESOLVE.';

-- Before the version is counted, so that what comes out the same is no change. A ticket without values pays nothing.
create or replace trigger _050_tidy_custom_fields_of_new before insert on app_public.tickets
  for each row when (NEW.custom_fields <> '{}' or NEW.internal_fields <> '{}')
  execute function app_private.tg_tickets__tidy_custom_fields();

create or replace trigger _050_tidy_custom_fields before update of custom_fields, internal_fields on app_public.tickets
  for each row when (NEW.custom_fields <> OLD.custom_fields or NEW.internal_fields <> OLD.internal_fields)
  execute function app_private.tg_tickets__tidy_custom_fields();

create or replace function app_private.require_fields(ticket app_public.tickets, moment app_public.custom_field_requirement) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  field_values constant jsonb := ticket.internal_fields || ticket.custom_fields;
  missing text;
begin
  if not exists (
    select
    from app_public.custom_fields as field
    where field.organization_id = ticket.organization_id and field.required_when = moment and field.archived_at is null
  ) then
    return;
  end if;

  select field.key into missing
  from app_private.asked_fields(ticket.organization_id, ticket.service_id, field_values) as field
  where field.required_when = moment and not field_values ? field.key
    and (moment = 'resolving' or field.set_by_customers or app_hidden.acting_role() <> 'atum_customer')
  order by field.position, field.key
  limit 1;
  if found then
    raise exception using
      errcode = case moment when 'creating' then 'AD142' else 'AD143' end,
      column = missing,
      message = case moment
        when 'creating' then format('The field %s must have a value', missing)
        else format('A ticket is not done without the field %s', missing)
      end;
  end if;
end
$$;

comment on function app_private.require_fields(app_public.tickets, app_public.custom_field_requirement) is
  'Refuses a ticket that lacks the value of a field which must have one at this moment. Errors FIELD_REQUIRED_TO_CREATE, FIELD_REQUIRED_TO_RESOLVE.';

create or replace function app_private.tg_tickets__require_fields() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.require_fields(NEW, 'resolving');
  return NEW;
end
$$;

comment on function app_private.tg_tickets__require_fields() is 'Refuses to resolve a ticket that lacks what must be said by then. Error FIELD_REQUIRED_TO_RESOLVE.';

-- A merged ticket goes on in another one, which has its own fields.
create or replace trigger _210_require_fields before update of status, state_id on app_public.tickets
  for each row when (
    NEW.status in ('resolved', 'closed') and OLD.status not in ('resolved', 'closed') and NEW.merged_into_id is null
  )
  execute function app_private.tg_tickets__require_fields();

revoke all on function
  app_private.asked_fields(uuid, uuid, jsonb), app_private.tidy_field_value(app_public.custom_fields, jsonb, jsonb),
  app_private.tg_tickets__tidy_custom_fields(), app_private.require_fields(app_public.tickets, app_public.custom_field_requirement),
  app_private.tg_tickets__require_fields()
from public;

--! split: 1056-functions-56-sla-recomputation.sql
-- Counting again: one ticket when what its policy looks at changed, all open ones when a calendar or a policy did.

create or replace function app_private.waits_for_answer_since(ticket app_public.tickets) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  with said as (
    select comment.created_at, author.role <> 'customer' and author.id <> ticket.requester_id as by_staff
    from app_public.comments as comment
    join app_public.users as author on author.organization_id = comment.organization_id and author.id = comment.author_id
    where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id and comment.visibility = 'public'
  )
  select min(created_at)
  from said
  where not by_staff and created_at > (select max(created_at) from said where by_staff)
$$;

comment on function app_private.waits_for_answer_since(app_public.tickets) is 'Since when the customer waits for the next answer, or null when staff had the last word or has not said any.';

create or replace function app_private.status_pauses(ticket app_public.tickets, out paused tstzmultirange, out paused_at timestamptz)
  language sql stable
  set search_path = ''
as $$
  select
    coalesce(range_agg(tstzrange(span.from_at, span.to_at)) filter (where span.to_at > span.from_at), '{}'),
    max(span.from_at) filter (where span.to_at is null and span.status in ('pending', 'on_hold'))
  from (
    select
      event.created_at as from_at, event.after ->> 'status' as status,
      lead(event.created_at) over (order by event.created_at, event.id) as to_at
    from app_public.ticket_events as event
    where event.organization_id = ticket.organization_id and event.ticket_id = ticket.id
      and event.type in ('ticket_created', 'status_changed')
  ) as span
  where span.status in ('pending', 'on_hold', 'resolved', 'closed')
$$;

comment on function app_private.status_pauses(app_public.tickets) is 'The spans in which a ticket waited or was over, as its history tells, and since when it waits now.';

create or replace function app_private.retarget_sla_clocks(organization_id uuid, ticket_id uuid, at timestamptz) returns void
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  policy app_public.sla_policies;
  calendar jsonb;
begin
  select * into ticket
  from app_public.tickets as found
  where found.organization_id = retarget_sla_clocks.organization_id and found.id = retarget_sla_clocks.ticket_id;
  if ticket.status in ('resolved', 'closed') then
    return;
  end if;
  policy := app_private.match_sla_policy(ticket);
  calendar := app_hidden.calendar_of(policy);

  -- What is promised no longer.
  delete from app_public.sla_calculations as clock
  where clock.organization_id = ticket.organization_id and clock.ticket_id = ticket.id and clock.met_at is null
    and not exists (
      select
      from app_public.sla_targets as target
      where target.organization_id = clock.organization_id and target.policy_id = policy.id
        and target.priority = ticket.priority and target.kind = clock.kind
    );

  -- What is promised otherwise: counted from the start, and the pauses stay.
  update app_public.sla_calculations as clock
  set
    policy_id = policy.id,
    target_seconds = recomputed.target_seconds,
    due_at = recomputed.due_at,
    -- A promise that was broken is not unbroken by changing the promise, unless the new one is still open.
    breached_at = recomputed.breached_at
  from (
    select running.id, target.working_seconds as target_seconds, due.due_at,
      case when due.due_at <= retarget_sla_clocks.at and running.breached_at is not null then due.due_at end as breached_at
    from app_public.sla_calculations as running
    join app_public.sla_targets as target
      on target.organization_id = running.organization_id and target.policy_id = policy.id and target.kind = running.kind
    cross join lateral (
      select app_private.clock_due_at(calendar, running.started_at, target.working_seconds, running.paused) as due_at
    ) as due
    where running.organization_id = ticket.organization_id and running.ticket_id = ticket.id and running.met_at is null
      and target.priority = ticket.priority
  ) as recomputed
  where clock.organization_id = ticket.organization_id and clock.id = recomputed.id
    and (clock.policy_id, clock.target_seconds, clock.due_at, clock.breached_at)
      is distinct from (policy.id, recomputed.target_seconds, recomputed.due_at, recomputed.breached_at);

  -- What was not promised before.
  insert into app_public.sla_calculations
    (organization_id, ticket_id, kind, policy_id, target_seconds, started_at, paused, paused_at, due_at)
  select
    ticket.organization_id, ticket.id, target.kind, policy.id, target.working_seconds, since.started_at, pauses.paused, pauses.paused_at,
    app_private.clock_due_at(calendar, since.started_at, target.working_seconds, pauses.paused)
  from app_public.sla_targets as target
  cross join lateral (
    select case target.kind
      when 'first_response' then case when ticket.first_responded_at is null then ticket.created_at end
      when 'next_response' then app_private.waits_for_answer_since(ticket)
      else ticket.created_at
    end as started_at
  ) as since
  left join lateral (select * from app_private.status_pauses(ticket)) as history on target.kind = 'resolution'
  cross join lateral (select coalesce(history.paused, '{}') as paused, history.paused_at) as pauses
  where target.organization_id = ticket.organization_id and target.policy_id = policy.id and target.priority = ticket.priority
    and since.started_at is not null
    and not exists (
      select
      from app_public.sla_calculations as clock
      where clock.organization_id = ticket.organization_id and clock.ticket_id = ticket.id and clock.kind = target.kind
    );
end
$$;

comment on function app_private.retarget_sla_clocks(uuid, uuid, timestamptz) is
  'Makes the clocks of an open ticket what its policy promises now: those that run are counted again from their start, and their pauses stay; what is promised no longer goes, and what was not promised before comes.';

create or replace function app_private.tg__recompute_sla_clocks() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  made_id uuid;
begin
  insert into app_public.sla_recomputations (organization_id, requested_by_id)
  select coalesce(NEW.organization_id, OLD.organization_id), app_hidden.current_user_id()
  where exists (select from app_public.tickets where organization_id = coalesce(NEW.organization_id, OLD.organization_id))
  on conflict (organization_id) where started_at is null do nothing
  returning id into made_id;
  if made_id is not null then
    perform app_private.enqueue(
      'recompute_sla_clocks', coalesce(NEW.organization_id, OLD.organization_id), jsonb_build_object('slaRecomputationId', made_id)
    );
  end if;
  return null;
end
$$;

comment on function app_private.tg__recompute_sla_clocks() is 'Has the open tickets counted again in the background, once for all changes until that begins.';

create or replace trigger _700_recompute after update of hours, time_zone on app_public.sla_calendars
  for each row when (NEW.hours <> OLD.hours or NEW.time_zone <> OLD.time_zone) execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_holidays
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_policies
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_targets
  for each row execute function app_private.tg__recompute_sla_clocks();
create or replace trigger _700_recompute after insert or update or delete on app_public.sla_escalations
  for each row execute function app_private.tg__recompute_sla_clocks();

create or replace function app_private.recompute_sla_clocks(sla_recomputation_id uuid, batch_size integer default 100) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  work app_public.sla_recomputations;
  ticket_id uuid;
  looked_at integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Clocks are counted again for one organization at a time';
  end if;

  update app_public.sla_recomputations as begun
  set
    started_at = coalesce(begun.started_at, clock_timestamp()),
    total = case when begun.started_at is not null then begun.total else (
      select count(*) from app_public.tickets as ticket
      where ticket.organization_id = begun.organization_id and ticket.status in ('new', 'open', 'pending', 'on_hold')
    ) end
  where begun.organization_id = app_hidden.current_organization_id() and begun.id = sla_recomputation_id and begun.finished_at is null
  returning * into work;
  if not found then
    return false;
  end if;

  for ticket_id in
    select ticket.id
    from app_public.tickets as ticket
    where ticket.organization_id = work.organization_id and ticket.status in ('new', 'open', 'pending', 'on_hold')
      and (work.reached is null or ticket.id > work.reached)
    order by ticket.id
    limit batch_size
    for no key update
  loop
    work.reached := ticket_id;
    perform app_private.retarget_sla_clocks(work.organization_id, ticket_id, clock_timestamp());
    update app_public.sla_calculations as clock
    set escalates_at = next.at
    from app_public.sla_calculations as planned
    left join lateral app_private.next_sla_escalation(planned) as next on true
    where clock.organization_id = work.organization_id and clock.ticket_id = work.reached
      and planned.organization_id = clock.organization_id and planned.id = clock.id
      and clock.met_at is null and clock.paused_at is null and clock.escalates_at is distinct from next.at;
    perform app_private.refresh_ticket_clocks(work.organization_id, ticket_id);
    looked_at := looked_at + 1;
  end loop;

  update app_public.sla_recomputations as begun
  set
    reached = work.reached,
    done = begun.done + looked_at,
    finished_at = case when looked_at < batch_size then clock_timestamp() end
  where begun.organization_id = work.organization_id and begun.id = work.id;
  return looked_at = batch_size;
end
$$;

comment on function app_private.recompute_sla_clocks(uuid, integer) is
  'Counts the next open tickets of a recomputation again, a hundred in one transaction, so that whoever works on one waits for a moment at most, and returns whether there are more. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.waits_for_answer_since(app_public.tickets), app_private.status_pauses(app_public.tickets),
  app_private.retarget_sla_clocks(uuid, uuid, timestamptz), app_private.tg__recompute_sla_clocks(),
  app_private.recompute_sla_clocks(uuid, integer)
from public;

grant execute on function app_private.recompute_sla_clocks(uuid, integer) to atum_worker;

--! split: 1057-functions-57-sla-administration.sql
create or replace function app_private.tg_sla_calendars__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(jsonb_build_object('hours', NEW.hours));
  -- A week of it, so that an unknown time zone and hours of no length are refused here and not by a ticket.
  perform app_hidden.business_seconds(
    jsonb_build_object('tz', NEW.time_zone, 'hours', NEW.hours), now(), now() + interval '8 days'
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

create or replace function app_public.create_sla_calendar(name text, time_zone text, hours jsonb) returns app_public.sla_calendars
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_calendars (organization_id, name, time_zone, hours)
  values (app_hidden.current_organization_id(), btrim(create_sla_calendar.name), create_sla_calendar.time_zone, create_sla_calendar.hours)
  returning *
$$;

comment on function app_public.create_sla_calendar(text, text, jsonb) is
  'Makes a calendar and returns it. `hours` are local times by weekday, `{"mon": [["09:00", "12:00"], ["13:00", "17:30"]]}`, over midnight where they close before they open, or `"always_open"`. Admins only. Errors: CONFLICT for a name that is taken, SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID, INVALID_INPUT for a time zone that is none.';

create or replace function app_public.delete_sla_calendar(calendar_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if exists (
    select
    from app_public.sla_policies as policy
    where policy.organization_id = app_hidden.current_organization_id() and policy.calendar_id = delete_sla_calendar.calendar_id
  ) then
    raise exception using errcode = 'AD204', message = 'A policy counts on this calendar; give it another one first';
  end if;

  delete from app_public.sla_calendars as calendar
  where calendar.organization_id = app_hidden.current_organization_id() and calendar.id = delete_sla_calendar.calendar_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such calendar';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_calendar(uuid) is 'Removes a calendar that no policy counts on, with its holidays. Admins only. Errors: NOT_FOUND, SLA_CALENDAR_IN_USE.';

create or replace function app_public.add_sla_holiday(
  calendar_id uuid, name text, held_on date, held_until date default null, repeats_yearly boolean default false,
  shut_from text default null, shut_until text default null
) returns app_public.sla_holidays
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_holidays (organization_id, calendar_id, name, held_on, held_until, repeats_yearly, shut_from, shut_until)
  values (
    app_hidden.current_organization_id(), add_sla_holiday.calendar_id, btrim(add_sla_holiday.name), add_sla_holiday.held_on,
    -- A span of one day is a day.
    nullif(add_sla_holiday.held_until, add_sla_holiday.held_on), coalesce(add_sla_holiday.repeats_yearly, false),
    add_sla_holiday.shut_from, add_sla_holiday.shut_until
  )
  returning *
$$;

comment on function app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text) is
  'Shuts a calendar on a day and returns the holiday: for several with `heldUntil`, in every year with `repeatsYearly`, for a part of the day with `shutFrom` and `shutUntil` (`24:00` is the end of the day). Admins only. Errors: NOT_FOUND, CONFLICT for a day that is a holiday already, INVALID_INPUT.';

create or replace function app_public.remove_sla_holiday(holiday_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_holidays as holiday
  where holiday.organization_id = app_hidden.current_organization_id() and holiday.id = remove_sla_holiday.holiday_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such holiday';
  end if;
  return true;
end
$$;

comment on function app_public.remove_sla_holiday(uuid) is 'Takes a holiday out of its calendar. Admins only. Error NOT_FOUND.';

create or replace function app_public.create_sla_policy(
  name text, calendar_id uuid, priorities app_public.ticket_priority[] default '{}', service_ids uuid[] default '{}',
  team_ids uuid[] default '{}', company_ids uuid[] default '{}', channels app_public.ticket_channel[] default '{}', tags text[] default '{}'
) returns app_public.sla_policies
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_policies (
    organization_id, name, calendar_id, position, priorities, service_ids, team_ids, company_ids, channels, tags
  )
  select
    app_hidden.current_organization_id(), btrim(create_sla_policy.name), create_sla_policy.calendar_id,
    coalesce(max(policy.position) + 1, 0), coalesce(create_sla_policy.priorities, '{}'), coalesce(create_sla_policy.service_ids, '{}'),
    coalesce(create_sla_policy.team_ids, '{}'), coalesce(create_sla_policy.company_ids, '{}'),
    coalesce(create_sla_policy.channels, '{}'), app_private.tidy_tags(coalesce(create_sla_policy.tags, '{}'))
  from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id()
  returning *
$$;

comment on function app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]) is
  'Makes a policy, the last in order, and returns it. A condition that is left out is met by every ticket. Without targets it promises nothing. Admins only. Errors: NOT_FOUND for a calendar that is not there, CONFLICT for a name that is taken, INVALID_INPUT.';

-- What foreign keys do for single columns. What was named before stays, though it may be gone since.
create or replace function app_private.tg_sla_policies__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  known app_public.sla_policies;
begin
  if TG_OP = 'UPDATE' then
    known := OLD;
  end if;
  if exists (
    select from unnest(NEW.service_ids) as named (id)
    where named.id <> all (coalesce(known.service_ids, '{}'))
      and not exists (select from app_public.services as service where service.organization_id = NEW.organization_id and service.id = named.id)
    union all
    select from unnest(NEW.team_ids) as named (id)
    where named.id <> all (coalesce(known.team_ids, '{}'))
      and not exists (select from app_public.teams as team where team.organization_id = NEW.organization_id and team.id = named.id)
    union all
    select from unnest(NEW.company_ids) as named (id)
    where named.id <> all (coalesce(known.company_ids, '{}'))
      and not exists (select from app_public.companies as company where company.organization_id = NEW.organization_id and company.id = named.id)
  ) then
    raise exception using errcode = '23503', message = 'A service, team or company of the conditions is not there';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_sla_policies__refuse() is 'Refuses conditions on services, teams and companies that are not there. Error NOT_FOUND.';

create or replace trigger _200_refuse before insert or update of service_ids, team_ids, company_ids on app_public.sla_policies
  for each row execute function app_private.tg_sla_policies__refuse();

create or replace function app_public.delete_sla_policy(policy_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id() and policy.id = delete_sla_policy.policy_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such policy';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_policy(uuid) is
  'Removes a policy with its targets and escalations; the tickets it applied to come under the next one whose conditions they meet. Admins only. Error NOT_FOUND.';

create or replace function app_public.order_sla_policies(policy_ids uuid[]) returns setof app_public.sla_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id()
  order by policy.id
  for update;
  if exists (
    select
    from (
      select policy.id from app_public.sla_policies as policy
      where policy.organization_id = app_hidden.current_organization_id() and policy.archived_at is null
    ) as standing
    full join unnest(policy_ids) as given (id) on given.id = standing.id
    where standing.id is null or given.id is null
  ) or cardinality(policy_ids) <> (select count(distinct id) from unnest(policy_ids) as id) then
    raise exception using errcode = 'AD205', message = 'The order names each policy that is in use once';
  end if;

  update app_public.sla_policies as policy
  set position = given.position
  from unnest(policy_ids) with ordinality as given (id, position)
  where policy.organization_id = app_hidden.current_organization_id() and policy.id = given.id and policy.position <> given.position;

  return query
  select * from app_public.sla_policies as policy
  where policy.organization_id = app_hidden.current_organization_id() and policy.archived_at is null
  order by policy.position, policy.id;
end
$$;

comment on function app_public.order_sla_policies(uuid[]) is
  'Puts the policies that are not archived in an order and returns them in it. Names each of them once. Admins only. Error SLA_ORDER_INCOMPLETE.';

create or replace function app_public.set_sla_target(
  policy_id uuid, priority app_public.ticket_priority, kind app_public.sla_target_kind, working_seconds bigint default null
) returns app_public.sla_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  policy app_public.sla_policies;
begin
  if set_sla_target.working_seconds not between 1 and 315360000 then
    raise exception using errcode = 'AD206', message = 'A target is more than no time, and at most ten years';
  end if;
  select * into policy
  from app_public.sla_policies as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = set_sla_target.policy_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such policy';
  end if;

  if set_sla_target.working_seconds is null then
    delete from app_public.sla_targets as target
    where target.organization_id = policy.organization_id and target.policy_id = policy.id
      and target.priority = set_sla_target.priority and target.kind = set_sla_target.kind;
  else
    insert into app_public.sla_targets as target (organization_id, policy_id, priority, kind, working_seconds)
    values (policy.organization_id, policy.id, set_sla_target.priority, set_sla_target.kind, set_sla_target.working_seconds)
    on conflict (organization_id, policy_id, priority, kind) do update set working_seconds = excluded.working_seconds;
  end if;
  return policy;
end
$$;

comment on function app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint) is
  'Promises something to the tickets of a priority within so many seconds of working time, or nothing without them, and returns the policy. Admins only. Errors: NOT_FOUND, SLA_TARGET_REFUSED when it is not positive or more than ten years.';

create or replace function app_public.set_sla_escalation(
  policy_id uuid, kind app_public.sla_target_kind, offset_seconds bigint, actions jsonb
) returns app_public.sla_escalations
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.sla_escalations as level (organization_id, policy_id, kind, offset_seconds, actions)
  values (
    app_hidden.current_organization_id(), set_sla_escalation.policy_id, set_sla_escalation.kind, set_sla_escalation.offset_seconds,
    set_sla_escalation.actions
  )
  on conflict on constraint sla_escalations_organization_id_policy_id_kind_offset_secon_key do update set actions = excluded.actions
  returning *
$$;

comment on function app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb) is
  'Has a policy do something to a ticket so many seconds of working time before (negative) or after a promise is due, or changes what, and returns it. `actions` is a list as `bulkUpdateTickets` takes it, without `assign_to_me`. Admins only. Errors: NOT_FOUND, ACTION_INVALID, INVALID_INPUT.';

create or replace function app_public.delete_sla_escalation(escalation_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.sla_escalations as level
  where level.organization_id = app_hidden.current_organization_id() and level.id = delete_sla_escalation.escalation_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such escalation';
  end if;
  return true;
end
$$;

comment on function app_public.delete_sla_escalation(uuid) is 'Removes a warning or a level of escalation. Admins only. Error NOT_FOUND.';

create or replace function app_public.preview_sla_due(calendar_id uuid, working_seconds bigint, started_at timestamptz default null)
  returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select app_hidden.business_due_at(
    app_hidden.calendar_as_json(calendar), coalesce(preview_sla_due.started_at, now()), preview_sla_due.working_seconds
  )
  from app_public.sla_calendars as calendar
  where calendar.organization_id = (select app_hidden.current_organization_id()) and calendar.id = preview_sla_due.calendar_id
$$;

comment on function app_public.preview_sla_due(uuid, bigint, timestamptz) is
  'When so many seconds of working time from an instant, or from now, would be over by a calendar; null when there is none. Staff only.';

revoke all on function
  app_private.tg_sla_policies__refuse(), app_private.tg_sla_calendars__refuse(),
  app_public.create_sla_calendar(text, text, jsonb), app_public.delete_sla_calendar(uuid),
  app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text), app_public.remove_sla_holiday(uuid),
  app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]),
  app_public.delete_sla_policy(uuid), app_public.order_sla_policies(uuid[]),
  app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint),
  app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb), app_public.delete_sla_escalation(uuid),
  app_public.preview_sla_due(uuid, bigint, timestamptz)
from public;

grant execute on function
  app_public.create_sla_calendar(text, text, jsonb), app_public.delete_sla_calendar(uuid),
  app_public.add_sla_holiday(uuid, text, date, date, boolean, text, text), app_public.remove_sla_holiday(uuid),
  app_public.create_sla_policy(text, uuid, app_public.ticket_priority[], uuid[], uuid[], uuid[], app_public.ticket_channel[], text[]),
  app_public.delete_sla_policy(uuid), app_public.order_sla_policies(uuid[]),
  app_public.set_sla_target(uuid, app_public.ticket_priority, app_public.sla_target_kind, bigint),
  app_public.set_sla_escalation(uuid, app_public.sla_target_kind, bigint, jsonb), app_public.delete_sla_escalation(uuid)
to atum_admin;
grant execute on function app_public.preview_sla_due(uuid, bigint, timestamptz) to atum_agent;

--! split: 1058-functions-58-presence.sql
-- Who is at a ticket is in the memory of the servers and in no table. What they ask here is who may be there.

create or replace function app_private.lost_from_sight(organization_ids uuid[], ticket_ids uuid[], user_ids uuid[]) returns integer[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(place.position::integer order by place.position), '{}')
  from unnest(organization_ids, ticket_ids, user_ids) with ordinality as place (organization_id, ticket_id, user_id, position)
  where not exists (
    select
    from app_public.tickets as ticket
    join app_public.users as person on person.organization_id = ticket.organization_id and person.id = place.user_id
    where ticket.organization_id = place.organization_id and ticket.id = place.ticket_id
      and person.role <> 'customer' and person.disabled_at is null
      and (ticket.assignee_id = person.id or app_private.may_see_ticket(person.id, ticket))
  )
$$;

comment on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) is
  'Which of those who are at tickets, by their position from one on, are no staff any more or do not see the ticket any more. For the server, which asks of all its people at once.';

revoke all on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) from public;

grant execute on function app_private.lost_from_sight(uuid[], uuid[], uuid[]) to atum_server;

--! split: 1059-functions-59-time-totals.sql
-- Sums of time: each is one statement, under the row-level security of whoever asks.

do $$
begin
  if to_regtype('app_public.time_total') is null then
    create type app_public.time_total as (entries integer, seconds bigint, billable_seconds bigint);
  end if;
  if to_regtype('app_public.time_grouping') is null then
    create type app_public.time_grouping as enum ('agent', 'company', 'ticket', 'activity', 'day', 'week', 'month');
  end if;
  if to_regtype('app_public.time_report_row') is null then
    create type app_public.time_report_row as (
      id uuid, name text, day date, entries integer, seconds bigint, billable_seconds bigint
    );
  end if;
end
$$;

comment on type app_public.time_total is 'A sum of time entries.';
comment on column app_public.time_total.entries is 'How many entries there are, without those that were taken back.';
comment on column app_public.time_total.seconds is 'How long in all, in seconds.';
comment on column app_public.time_total.billable_seconds is 'How much of it is billable, in seconds.';

comment on type app_public.time_grouping is 'What time is summed up by.';

comment on type app_public.time_report_row is 'The time of one agent, company, ticket or activity, or of one day, week or month.';
comment on column app_public.time_report_row.id is 'The row id of the agent, company, ticket or activity; null for time without one, and for days, weeks and months.';
comment on column app_public.time_report_row.name is 'What it is called; of a ticket its reference and subject.';
comment on column app_public.time_report_row.day is 'The day, or the first day of the week or month.';
comment on column app_public.time_report_row.entries is 'How many entries there are, without those that were taken back.';
comment on column app_public.time_report_row.seconds is 'How long in all, in seconds.';
comment on column app_public.time_report_row.billable_seconds is 'How much of it is billable, in seconds.';

create or replace function app_public.ticket_time(ticket_id uuid) returns app_public.time_total
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer, coalesce(sum(seconds), 0), coalesce(sum(seconds) filter (where is_billable), 0)
  from app_public.time_entries as entry
  where entry.organization_id = (select app_hidden.current_organization_id()) and entry.ticket_id = ticket_time.ticket_id
    and entry.seconds > 0
$$;

comment on function app_public.ticket_time(uuid) is 'How long was worked on a ticket, as far as the caller sees it. Staff only.';

create or replace function app_public.time_report(
  grouped_by app_public.time_grouping,
  from_day date,
  to_day date,
  agent_id uuid default null,
  company_id uuid default null,
  ticket_id uuid default null
) returns setof app_public.time_report_row
  language sql stable
  set search_path = ''
as $$
  with total as (
    select
      case time_report.grouped_by
        when 'agent' then entry.agent_id
        when 'company' then ticket.company_id
        when 'ticket' then entry.ticket_id
        when 'activity' then entry.activity_id
      end as id,
      case time_report.grouped_by
        when 'day' then entry.worked_on
        when 'week' then date_trunc('week', entry.worked_on::timestamp)::date
        when 'month' then date_trunc('month', entry.worked_on::timestamp)::date
      end as day,
      count(*)::integer as entries,
      sum(entry.seconds) as seconds,
      coalesce(sum(entry.seconds) filter (where entry.is_billable), 0) as billable_seconds
    from app_public.time_entries as entry
    -- The own time counts also where the ticket is not seen any more.
    left join app_public.tickets as ticket on ticket.organization_id = entry.organization_id and ticket.id = entry.ticket_id
    where entry.organization_id = (select app_hidden.current_organization_id())
      and entry.worked_on between time_report.from_day and time_report.to_day
      and entry.seconds > 0
      and (time_report.agent_id is null or entry.agent_id = time_report.agent_id)
      and (time_report.company_id is null or ticket.company_id = time_report.company_id)
      and (time_report.ticket_id is null or entry.ticket_id = time_report.ticket_id)
    group by 1, 2
  )
  select
    total.id, coalesce(agent.name, company.name, ticket.reference || ' ' || ticket.subject, activity.name), total.day,
    total.entries, total.seconds, total.billable_seconds
  from total
  left join app_public.users as agent
    on time_report.grouped_by = 'agent' and agent.organization_id = (select app_hidden.current_organization_id()) and agent.id = total.id
  left join app_public.companies as company
    on time_report.grouped_by = 'company' and company.organization_id = (select app_hidden.current_organization_id()) and company.id = total.id
  left join app_public.tickets as ticket
    on time_report.grouped_by = 'ticket' and ticket.organization_id = (select app_hidden.current_organization_id()) and ticket.id = total.id
  left join app_public.time_activities as activity
    on time_report.grouped_by = 'activity' and activity.organization_id = (select app_hidden.current_organization_id()) and activity.id = total.id
  order by total.day, total.seconds desc, total.id
$$;

comment on function app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid) is
  'Time worked from one day to another, both included, in the time zone of the organization, summed up by agent, company, ticket, activity, day, week (from Monday) or month; of one agent, company or ticket where that is said. The most comes first, days in their order. Managers and admins read the time of everybody, agents their own and that on tickets they see.';

revoke all on function
  app_public.ticket_time(uuid), app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid)
from public;

grant execute on function
  app_public.ticket_time(uuid), app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid)
to atum_agent;

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
        and (automation.to_values = '{}' or exists (
          select from jsonb_each_text(event.after) as became where became.value = any (automation.to_values)
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

--! split: 1062-functions-62-automation-trials.sql
-- The dry run of an automation: it does what the automation would do, and takes it back.

do $$
begin
  if to_regtype('app_public.automation_dry_run') is null then
    create type app_public.automation_dry_run_ticket as (
      ticket_id uuid, number integer, reference text, subject text, outcome app_public.automation_outcome, changes jsonb, error_code text
    );
    create type app_public.automation_dry_run as (
      matching integer, is_capped boolean, tickets app_public.automation_dry_run_ticket[]
    );
  end if;
end
$$;

comment on type app_public.automation_dry_run is 'What an automation would do to the tickets there are.';
comment on column app_public.automation_dry_run.matching is 'How many tickets meet its conditions, counted up to 1,000.';
comment on column app_public.automation_dry_run.is_capped is 'Whether there are more.';
comment on column app_public.automation_dry_run.tickets is 'The 50 of them that changed last, and what would become of each.';
comment on type app_public.automation_dry_run_ticket is 'What an automation would do to one ticket.';
comment on column app_public.automation_dry_run_ticket.ticket_id is 'The row id of the ticket.';
comment on column app_public.automation_dry_run_ticket.number is 'Its number.';
comment on column app_public.automation_dry_run_ticket.reference is 'What people call it, such as `ATUM-1042`.';
comment on column app_public.automation_dry_run_ticket.subject is 'Its subject.';
comment on column app_public.automation_dry_run_ticket.outcome is 'What would become of it: `acted`, `unchanged` or `refused`.';
comment on column app_public.automation_dry_run_ticket.changes is 'The events it would cause, each with `type`, `before` and `after`.';
comment on column app_public.automation_dry_run_ticket.error_code is 'Why it would be refused, when it would be, by one of the codes that errors carry.';

create or replace function app_private.try_automation(automation app_public.automations, ticket app_public.tickets)
  returns app_public.automation_dry_run_ticket
  language plpgsql volatile
  set search_path = ''
as $$
declare
  result app_public.automation_dry_run_ticket;
begin
  result.ticket_id := ticket.id;
  result.number := ticket.number;
  result.reference := ticket.reference;
  result.subject := ticket.subject;
  result.changes := '[]';
  begin
    -- As it will act: for nobody.
    perform set_config('atum.user_id', '', true);
    result.changes := app_private.act_by_automation(automation, ticket, '{}');
    raise exception using errcode = 'TRIAL', message = 'All of this is taken back';
  exception
    when sqlstate 'TRIAL' then
      result.outcome := case result.changes when '[]' then 'unchanged' else 'acted' end;
    when others then
      if sqlstate ~ '^(08|40|53|57|58|XX)' or sqlstate = '55P03' then
        raise;
      end if;
      result.outcome := 'refused';
      result.error_code := sqlstate;
  end;
  return result;
end
$$;

comment on function app_private.try_automation(app_public.automations, app_public.tickets) is
  'What an automation would do to a ticket: it is done, looked at, and taken back.';

create or replace function app_public.dry_run_automation(
  kind app_public.automation_kind, conditions jsonb, actions jsonb, name text default null
) returns app_public.automation_dry_run
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  tried app_public.automations;
  ticket app_public.tickets;
  result app_public.automation_dry_run;
  fits text;
begin
  tried.organization_id := app_hidden.current_organization_id();
  tried.id := app_hidden.uuid_v7();
  tried.name := left(coalesce(nullif(btrim(dry_run_automation.name), ''), '…'), 80);
  tried.kind := dry_run_automation.kind;
  tried.conditions := coalesce(dry_run_automation.conditions, '{}');
  tried.actions := dry_run_automation.actions;
  perform app_private.check_automation(tried);

  fits := format(
    'ticket.organization_id = $1 and (%s)%s', app_hidden.ticket_condition_sql(tried.conditions),
    case when tried.kind = 'time' then ' and ticket.status in (''new'', ''open'', ''pending'', ''on_hold'', ''resolved'')' else '' end
  );
  execute format('select count(*) from (select from app_public.tickets as ticket where %s limit 1001) as counted', fits)
    into result.matching using tried.organization_id;
  result.is_capped := result.matching > 1000;
  result.matching := least(result.matching, 1000);
  result.tickets := '{}';

  for ticket in
    execute format('select ticket.* from app_public.tickets as ticket where %s order by ticket.updated_at desc, ticket.id desc limit 50', fits)
    using tried.organization_id
  loop
    result.tickets := result.tickets || app_private.try_automation(tried, ticket);
  end loop;
  return result;
end
$$;

comment on function app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text) is
  'Shows what an automation would do to the tickets there are, and does nothing: how many meet its conditions now, and of the 50 that changed last what would become of each. For one of kind `event` it looks at all tickets as if the event had just happened to them, for one of kind `time` at those that are not closed. Managers and admins. Errors: AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

revoke all on function
  app_private.try_automation(app_public.automations, app_public.tickets),
  app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text)
from public;

grant execute on function app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text) to atum_manager;

--! split: 1063-functions-63-ticket-counts.sql
-- How many tickets are where, at a price that does not grow with them.

-- A count that would read much of a large table is left out, so that no view makes the inbox slow for all.
create or replace function app_hidden.count_of_tickets(condition text) returns integer
  -- It changes nothing; but only a volatile function may explain.
  language plpgsql volatile
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
declare
  query constant text := format(
    'select count(*)::integer from (select from app_public.tickets as ticket where ticket.organization_id = %L and %s limit 101) as counted',
    app_hidden.current_organization_id(), condition
  );
  plan json;
  counted integer;
begin
  execute 'explain (format json) ' || query into plan;
  if (plan #>> '{0,Plan,Total Cost}')::numeric > 30000 then
    return null;
  end if;
  execute query into counted;
  return counted;
end
$$;

comment on function app_hidden.count_of_tickets(text) is 'How many tickets the caller sees that fulfil a condition in SQL, up to 101; null when counting them would take long.';

create or replace function app_public.ticket_view_counts() returns setof app_public.ticket_view_count
  language plpgsql stable
  set search_path = ''
as $$
declare
  view app_public.ticket_views;
  counted integer;
begin
  for view in
    select * from app_public.ticket_views as saved where saved.organization_id = app_hidden.current_organization_id() order by saved.position, saved.id
  loop
    counted := app_hidden.count_of_tickets(app_hidden.view_condition_sql(view.conditions));
    return next (view.id, least(counted, 100), coalesce(counted > 100, false))::app_public.ticket_view_count;
  end loop;
end
$$;

comment on function app_public.ticket_view_counts() is 'How many tickets are in each view the caller has, of those the caller sees.';

do $$
begin
  if to_regtype('app_public.inbox_counts') is null then
    create type app_public.inbox_counts as (
      mine integer, unassigned integer, open integer, pending integer, breached integer, resolved integer, breaching integer, snoozed integer
    );
  end if;
end
$$;

comment on type app_public.inbox_counts is 'How many tickets are in each part of the inbox. Each is counted up to 101, which means more than 100.';
comment on column app_public.inbox_counts.mine is 'Assigned to the caller, not resolved and not snoozed.';
comment on column app_public.inbox_counts.unassigned is 'Assigned to nobody, not resolved and not snoozed.';
comment on column app_public.inbox_counts.open is 'New or open, and not snoozed.';
comment on column app_public.inbox_counts.pending is 'Pending or on hold, and not snoozed.';
comment on column app_public.inbox_counts.breached is 'Not resolved and a target was missed.';
comment on column app_public.inbox_counts.resolved is 'Resolved and not yet closed.';
comment on column app_public.inbox_counts.breaching is 'Not resolved, not snoozed, and a target is due within two hours or was missed.';
comment on column app_public.inbox_counts.snoozed is 'Put aside until later.';

-- Each walks an index of what it counts and stops at the cap, so that it costs the same among a thousand tickets and a million.
create or replace function app_public.inbox_counts() returns app_public.inbox_counts
  language sql stable
  set search_path = ''
  -- Stopping early makes reading the whole table look cheap; it is not, where what is wanted is a twentieth of it.
  set enable_seqscan = off
as $$
  select
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and assignee_id = (select app_hidden.current_user_id())
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as mine
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and assignee_id is null
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as unassigned
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status in ('new', 'open') and snoozed_until is null
        limit 101
      ) as open
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status in ('pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as pending
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id())
          and status in ('new', 'open', 'pending', 'on_hold') and breached
        limit 101
      ) as breached
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and status = 'resolved'
        limit 101
      ) as resolved
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and next_due_at < now() + interval '2 hours'
          and status in ('new', 'open', 'pending', 'on_hold') and snoozed_until is null
        limit 101
      ) as breaching
    ),
    (
      select count(*)::integer
      from (
        select from app_public.tickets
        where organization_id = (select app_hidden.current_organization_id()) and snoozed_until is not null
        limit 101
      ) as snoozed
    )
$$;

comment on function app_public.inbox_counts() is 'How many of the tickets the caller may see are in each part of the inbox, up to 101 of each, which means more than 100. Closed tickets are not counted.';

revoke all on function app_hidden.count_of_tickets(text), app_public.ticket_view_counts(), app_public.inbox_counts() from public;

grant execute on function app_hidden.count_of_tickets(text), app_public.ticket_view_counts(), app_public.inbox_counts() to atum_agent;

--! split: 1064-functions-64-found-tickets.sql
-- What a search finds, and in which order.

create or replace function app_hidden.match_rank(ticket_id uuid, words tsquery) returns real
  language sql stable security definer
  set search_path = ''
as $$
  select max(ts_rank('{0.2, 0.4, 0.4, 1.0}', document.words, match_rank.words))
  from app_hidden.ticket_documents as document
  where document.organization_id = app_hidden.current_organization_id() and document.ticket_id = match_rank.ticket_id
$$;

comment on function app_hidden.match_rank(uuid, tsquery) is 'How well a ticket that the caller found matches.';

create or replace function app_hidden.found_tickets(words tsquery, conditions text, number_digits text) returns uuid[]
  language plpgsql stable
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  organization_word constant tsquery := app_hidden.lexeme(app_hidden.organization_word(caller_organization_id));
  newest constant integer := app_hidden.newest_ticket_number();
  level record;
  found uuid[] := '{}';
  numbered uuid[];
  -- One more than are put in order, to know that there are more.
  enough constant integer := 201;
begin
  if number_digits <> '' then
    execute format(
      $sql$
        select array_agg(named.id)
        from (
          select ticket.id
          from unnest($2, $3) as range (first, last)
          cross join lateral (
            select ticket.id, ticket.number
            from app_public.tickets as ticket
            where ticket.organization_id = $1 and ticket.number between range.first and range.last and %s
            order by ticket.number desc
            limit 50
          ) as ticket
          limit 50
        ) as named
      $sql$,
      conditions
    )
    into numbered
    using
      caller_organization_id,
      array(select number_digits::bigint * power(10, more)::bigint from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1),
      array(select (number_digits::bigint + 1) * power(10, more)::bigint - 1 from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1);
  end if;

  if numnode(words) = 0 then
    if number_digits is null then
      execute format(
        $sql$
          select array_agg(newest.id)
          from (
            select ticket.id from app_public.tickets as ticket where ticket.organization_id = $1 and %s order by ticket.updated_at desc limit $2
          ) as newest
        $sql$,
        conditions
      )
      into found using caller_organization_id, enough;
    end if;
    return coalesce(numbered, '{}') || coalesce(found, '{}');
  end if;

  -- A word that is on every sixth ticket is found among the newest at once; one that is not there is rare, and all
  -- tickets that have it are few. Customers see few tickets, so theirs are looked through first.
  for level in
    select *
    from (
      values
        (1, app_hidden.newest_blocks(caller_organization_id, newest, 2048, 1), greatest(newest / 2048 - 1, 0) * 2048),
        (2, app_hidden.newest_blocks(caller_organization_id, newest, 32768, 2), greatest(newest / 32768 - 1, 0) * 32768),
        (3, app_hidden.lexeme(app_hidden.organization_word(caller_organization_id)), 0)
    ) as levels (place, within, first_number)
    where app_hidden.is_staff() or place = 3
    order by place
  loop
    perform set_config('atum.searched_words', (level.within && words)::text, true);
    execute format(
      $sql$
        with matching as materialized (
          select ticket.number, ticket.id
          from app_hidden.ticket_documents as document
          join app_public.tickets as ticket on ticket.organization_id = document.organization_id and ticket.id = document.ticket_id
          where document.organization_id = $1 and ticket.organization_id = $1 and ticket.number >= $3 and %s
          limit 20000
        )
        select array_agg(newest.id) from (select distinct number, id from matching order by number desc limit $2) as newest
      $sql$,
      conditions
    )
    into found using caller_organization_id, enough, level.first_number;
    exit when cardinality(found) >= enough;
  end loop;
  perform set_config('atum.searched_words', '', true);
  return coalesce(numbered, '{}') || coalesce(found, '{}');
end
$$;

comment on function app_hidden.found_tickets(tsquery, text, text) is 'The newest tickets the caller sees that have the words, after those with the number.';

create or replace function app_hidden.newest_blocks(organization_id uuid, newest integer, size integer, kind integer) returns tsquery
  language sql immutable
  return app_hidden.lexeme((app_hidden.block_words(organization_id, newest))[kind])
    || app_hidden.lexeme((app_hidden.block_words(organization_id, greatest(newest - size, 0)))[kind]);

comment on function app_hidden.newest_blocks(uuid, integer, integer, integer) is 'A search of the newest two blocks of numbers, small or large.';

create or replace function app_hidden.newest_ticket_number() returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select counter.last_number
  from app_private.ticket_counters as counter
  where counter.organization_id = app_hidden.current_organization_id()
$$;

comment on function app_hidden.newest_ticket_number() is 'The highest number a ticket of the organization has.';

create or replace function app_public.search_tickets(query text, first integer default 20, after text default null) returns app_public.ticket_search
  language plpgsql stable
  set search_path = ''
  -- Reading a whole table is reading what is everybody's; an organization waits for its own size at most.
  set enable_seqscan = off
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  language constant regconfig := app_hidden.search_language();
  read app_hidden.ticket_query;
  conditions text;
  found uuid[];
  skipped integer := 0;
  answer app_public.ticket_search;
  -- No text has them, since those it came with are taken out; so no match can be forged, and there is no HTML in it.
  marks constant text := U&'\E000\E001';
  marking constant text := U&'StartSel="\E000", StopSel="\E001"';
begin
  if length(query) > 500 then
    raise exception using errcode = 'AD160', message = 'A search has at most 500 characters';
  end if;
  -- Null is no number of tickets, and would be no limit.
  first := coalesce(first, 20);
  if first not between 1 and 50 then
    raise exception using errcode = 'AD160', message = 'A page has 1 to 50 tickets';
  end if;
  if after is not null then
    if after !~ '^\d{1,3}$' then
      raise exception using errcode = 'AD160', message = 'This is no cursor of a search';
    end if;
    skipped := after;
  end if;

  answer.matches := '{}';
  answer.is_capped := false;
  answer.is_mended := false;
  read := app_hidden.read_ticket_search(query);
  -- Nothing but words that every text has, such as "the".
  if read.is_empty or (numnode(read.words) = 0 and numnode(read.filters) = 0 and read.conditions = '[]' and read.number_digits is null) then
    return answer;
  end if;

  if jsonb_array_length(read.conditions) > 20 then
    raise exception using errcode = 'AD160', message = 'A search has at most 20 filters';
  end if;
  conditions := app_hidden.search_condition_sql(read.conditions);
  found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, read.number_digits);

  if cardinality(found) = 0 and numnode(read.words) > 0 then
    read := app_hidden.read_ticket_search(query, 'mend');
    found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, null);
    answer.is_mended := cardinality(found) > 0;
  end if;
  answer.is_capped := cardinality(found) > 200;

  with hits as (
    select hit.ticket_id, min(hit.position) as position
    from unnest(found[:200]) with ordinality as hit (ticket_id, position)
    group by hit.ticket_id
  ),
  ranked as (
    select
      ticket.id, ticket.subject, hits.position,
      case
        when ticket.number::text = read.number_digits then 3
        when starts_with(ticket.number::text, read.number_digits) then 2
        when numnode(read.words) = 0 then 0
        else app_hidden.match_rank(ticket.id, app_hidden.readable(read.words))
      end::real as rank
    from hits
    join app_public.tickets as ticket on ticket.organization_id = caller_organization_id and ticket.id = hits.ticket_id
    order by rank desc, hits.position
    limit first + 1
    offset skipped
  )
  select
    array_agg(
      (
        caller_organization_id, ranked.id,
        case
          when numnode(read.marked) = 0 then ranked.subject
          else ts_headline(language, translate(ranked.subject, marks, ''), read.marked, 'HighlightAll=true, ' || marking)
        end,
        said.excerpt, ranked.rank
      )::app_public.ticket_match
      order by ranked.rank desc, ranked.position
    )
  into answer.matches
  from ranked
  left join lateral (
    select ts_headline(language, translate(best.body, marks, ''), read.marked, 'MaxWords=36, MinWords=18, ' || marking) as excerpt
    from (
      select comment.body
      from (
        select latest.body, sum(length(latest.body)) over (order by latest.created_at desc, latest.id desc) as so_far
        from (
          select said.id, said.created_at, left(said.body, 20000) as body
          from app_public.comments as said
          where said.organization_id = caller_organization_id and said.ticket_id = ranked.id
          order by said.created_at desc
          limit 50
        ) as latest
      ) as comment
      cross join lateral (select to_tsvector(language, comment.body) as words offset 0) as read_again
      -- However much somebody pours into a ticket, whoever finds it does not wait for all of it.
      where comment.so_far - length(comment.body) < 60000 and read_again.words @@ read.marked
      order by ts_rank(read_again.words, read.marked) desc
      limit 1
    ) as best
    where numnode(read.marked) > 0
  ) as said on true;

  if cardinality(answer.matches) > first then
    answer.next_cursor := skipped + first;
    answer.matches := answer.matches[:first];
  end if;
  answer.matches := coalesce(answer.matches, '{}');
  return answer;
end
$$;

comment on function app_public.search_tickets(text, integer, text) is
  'Searches the tickets the caller sees: their subjects, conversations and custom fields; for staff also internal comments and fields, tags, and the requester''s name and mail address. `query` has up to 500 characters: words that must all be there, "exact phrases", -words that must not; the last word may be the beginning of one, and a number is also that of a ticket. Filters: status, is (unresolved, unassigned, breached, snoozed, watched), priority, channel, assignee and requester (me, or a name), team, service, company, tag, created and updated (a day, or with >, >=, <, <= before it); -filter: leaves out. A page has `first` (1 to 50) matches; `after` is the `nextCursor` of the one before. The newest 200 tickets that match are put in order. Errors: SEARCH_INVALID.';

revoke all on function
  app_hidden.match_rank(uuid, tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
from public;

grant execute on function
  app_hidden.match_rank(uuid, tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
to atum_customer, atum_agent;

--! split: 1065-functions-65-timers.sql
-- Time that is measured while it is worked.

create or replace function app_public.current_timer() returns app_public.running_timers
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.running_timers
  where organization_id = (select app_hidden.current_organization_id()) and agent_id = (select app_hidden.current_user_id())
$$;

comment on function app_public.current_timer() is 'The timer of the caller, or null when none runs. Staff only.';

create or replace function app_private.end_timer(
  timer app_public.running_timers, note text default null, activity_id uuid default null, is_billable boolean default null
) returns app_public.time_entries
  language plpgsql volatile
  set search_path = ''
as $$
declare
  longest constant interval := '24 hours';
  -- Whoever waited for a lock began before what was locked.
  ended_at constant timestamptz := least(greatest(now(), timer.started_at), timer.started_at + longest);
  activity app_public.time_activities;
  ticket app_public.tickets;
  made app_public.time_entries;
begin
  delete from app_public.running_timers as running
  where running.organization_id = timer.organization_id and running.id = timer.id;

  -- Of a ticket that was merged meanwhile the work goes on in the other one, and is seen by whoever sees that.
  select * into strict ticket
  from app_public.tickets as worked
  where worked.organization_id = timer.organization_id and worked.id = timer.ticket_id
  for no key update;
  while ticket.merged_into_id is not null loop
    select * into strict ticket
    from app_public.tickets as target
    where target.organization_id = timer.organization_id and target.id = ticket.merged_into_id
    for no key update;
  end loop;

  activity := app_private.time_activity_to_use(end_timer.activity_id);
  insert into app_public.time_entries (
    organization_id, ticket_id, agent_id, activity_id, worked_on, seconds, started_at, ended_at, is_billable, note, origin, is_capped
  )
  values (
    timer.organization_id, ticket.id, timer.agent_id, coalesce(activity.id, timer.activity_id), app_private.local_day(timer.started_at),
    greatest(1, round(extract(epoch from ended_at - timer.started_at))), timer.started_at, ended_at,
    coalesce(end_timer.is_billable, timer.is_billable), coalesce(btrim(end_timer.note), timer.note), 'timer',
    now() >= timer.started_at + longest
  )
  returning * into made;
  perform app_private.record_ticket_event(ticket, 'time_recorded', app_private.time_words(made));
  return made;
end
$$;

comment on function app_private.end_timer(app_public.running_timers, text, uuid, boolean) is
  'Stops a timer and records what it measured: at least a second, at most a day. Errors: NOT_FOUND, TIME_ACTIVITY_ARCHIVED.';

create or replace function app_private.own_timer(timer_id uuid) returns app_public.running_timers
  language plpgsql volatile
  set search_path = ''
as $$
declare
  timer app_public.running_timers;
begin
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = app_hidden.current_organization_id() and running.agent_id = app_hidden.current_user_id()
    and running.id = own_timer.timer_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'This timer does not run';
  end if;
  return timer;
end
$$;

comment on function app_private.own_timer(uuid) is 'A timer of the caller, locked until the end of the transaction. Error NOT_FOUND.';

create or replace function app_public.start_timer(
  ticket_id uuid, activity_id uuid default null, is_billable boolean default null, note text default ''
) returns app_public.running_timers
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  ticket app_public.tickets;
  activity app_public.time_activities;
  timer app_public.running_timers;
begin
  -- One after the other for one person: there is no row to lock before the first.
  perform pg_advisory_xact_lock(hashtextextended('running_timers:' || caller_id::text, 0));
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = caller_organization_id and running.agent_id = caller_id
  for update;

  -- Both tickets in one order, so that two people who change places do not wait for each other.
  perform
  from app_public.tickets as locked
  where locked.organization_id = caller_organization_id and locked.id in (start_timer.ticket_id, timer.ticket_id)
  order by locked.id
  for no key update;
  ticket := app_private.ticket_to_work_on(start_timer.ticket_id);
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; work there';
  end if;
  -- The second of two tabs.
  if timer.ticket_id = ticket.id then
    return timer;
  end if;

  activity := app_private.time_activity_to_use(start_timer.activity_id);
  if timer.id is not null then
    perform app_private.end_timer(timer);
  end if;
  insert into app_public.running_timers (organization_id, agent_id, ticket_id, activity_id, is_billable, note)
  values (
    caller_organization_id, caller_id, ticket.id, activity.id,
    coalesce(start_timer.is_billable, activity.is_billable, true), btrim(coalesce(start_timer.note, ''))
  )
  returning * into timer;
  perform app_private.enqueue(
    'stop_forgotten_timer', timer.organization_id, jsonb_build_object('timerId', timer.id),
    run_at => timer.started_at + interval '24 hours',
    -- One a person, as of timers: that of the one before has nothing to stop.
    job_key => 'stop_forgotten_timer:' || caller_id
  );
  return timer;
end
$$;

comment on function app_public.start_timer(uuid, uuid, boolean, text) is
  'Starts the timer of the caller on a ticket and returns it. One that runs on another ticket is stopped and recorded first; one that runs on this ticket is returned as it is. After 24 hours it stops by itself. Staff only. Errors: NOT_FOUND, TICKET_MERGED, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.stop_timer(
  timer_id uuid, note text default null, activity_id uuid default null, is_billable boolean default null
) returns app_public.time_entries
  language sql volatile security definer
  set search_path = ''
as $$
  select *
  from app_private.end_timer(app_private.own_timer(stop_timer.timer_id), stop_timer.note, stop_timer.activity_id, stop_timer.is_billable)
$$;

comment on function app_public.stop_timer(uuid, text, uuid, boolean) is
  'Stops the timer of the caller, records what it measured, and returns the entry. What is not given is as when it was started. Time on a ticket that was merged meanwhile is recorded on the one in which it goes on. Staff only. Errors: NOT_FOUND for a timer that does not run any more, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.discard_timer(timer_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  timer constant app_public.running_timers := app_private.own_timer(timer_id);
begin
  delete from app_public.running_timers as running
  where running.organization_id = timer.organization_id and running.id = timer.id;
  return true;
end
$$;

comment on function app_public.discard_timer(uuid) is 'Stops the timer of the caller and records nothing. Staff only. Error NOT_FOUND for a timer that does not run any more.';

create or replace function app_private.stop_forgotten_timer(timer_id uuid) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  timer app_public.running_timers;
begin
  select * into timer
  from app_public.running_timers as running
  where running.organization_id = app_hidden.current_organization_id() and running.id = stop_forgotten_timer.timer_id
    and running.started_at <= now() - interval '24 hours'
  for update;
  if found then
    perform app_private.end_timer(timer);
  end if;
end
$$;

comment on function app_private.stop_forgotten_timer(uuid) is 'Stops a timer that runs for a day, if it still does, and records the day.';

revoke all on function
  app_public.current_timer(), app_private.end_timer(app_public.running_timers, text, uuid, boolean), app_private.own_timer(uuid),
  app_public.start_timer(uuid, uuid, boolean, text), app_public.stop_timer(uuid, text, uuid, boolean), app_public.discard_timer(uuid),
  app_private.stop_forgotten_timer(uuid)
from public;

grant execute on function
  app_public.current_timer(), app_public.start_timer(uuid, uuid, boolean, text), app_public.stop_timer(uuid, text, uuid, boolean),
  app_public.discard_timer(uuid)
to atum_agent;
grant execute on function app_private.stop_forgotten_timer(uuid) to atum_worker;

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
      -- Moves each minute; a use from a new address is recorded as an act.
      and field.key not in ('last_used_at', 'last_used_ip');

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

-- Every tenant table is audited, except the log, two counters that change with every write and are checked by it,
-- logins that are under way, counts of uses, drafts, and what the automations have yet to look at.
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
        when 'app_private.recovery_codes' then $masked$'code_hash'$masked$
        when 'app_private.account_mails' then $masked$'token_hash'$masked$
        when 'app_private.api_token_secrets' then $masked$'token_hash'$masked$
        -- It may yet be taken back; the comment it becomes is recorded with every word.
        when 'app_public.outgoing_replies' then $masked$'body'$masked$
        else ''
      end as masked
    from app_private.tenant_tables() as tenant
    where tenant.table_name not in (
      'app_public.audit_log', 'app_private.audit_heads', 'app_private.ticket_counters', 'app_private.login_challenges',
      'app_private.canned_response_uses', 'app_private.macro_uses', 'app_public.ticket_drafts',
      'app_private.automation_queue', 'app_private.automation_matches'
    )
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

create policy update_admin on app_public.teams for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant update (name, assignment_method) on app_public.teams to atum_admin;

select app_private.reset_access('app_public.services');

create policy select_customer on app_public.services for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()));

create policy select_staff on app_public.services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- What somebody must know to work on a service is said of colleagues.
grant select (organization_id, id, name, description, team_id, archived_at, created_at, updated_at) on app_public.services to atum_customer;
grant select on app_public.services to atum_agent;

create policy update_admin on app_public.services for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant update (name, description, team_id, required_skills, archived_at) on app_public.services to atum_admin;

select app_private.reset_access('app_public.ticket_states');

create policy select_member on app_public.ticket_states for select to atum_customer, atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.ticket_states for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.ticket_states to atum_customer, atum_agent;
grant update (name, position, archived_at) on app_public.ticket_states to atum_admin;

select app_private.reset_access('app_public.ticket_settings');

create policy select_staff on app_public.ticket_settings for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.ticket_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.ticket_settings to atum_agent;
grant update (reopen_days, close_resolved_days, resolve_pending_days, undo_send_seconds) on app_public.ticket_settings to atum_admin;

select app_private.reset_access('app_public.tags');

create policy select_staff on app_public.tags for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: tags come by being put on a ticket.
grant select on app_public.tags to atum_agent;

--! split: 2012-policies-12-companies.sql
select app_private.reset_access('app_public.companies');

-- Customers know the company they work for.
create policy select_member on app_public.companies for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_company_id())
  );

create policy select_staff on app_public.companies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.companies for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.companies to atum_customer, atum_agent;
grant update (name, shares_tickets) on app_public.companies to atum_admin;
-- NOTE: made and removed by functions.

--! split: 2020-policies-20-identity.sql
select app_private.reset_access('app_public.users');

-- Customers see who helps them, themselves, and the colleagues with whom they share tickets.
create policy select_customer on app_public.users for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      role <> 'customer'
      or id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

create policy select_staff on app_public.users for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- Everybody says how they are called, and in which language and time zone they live.
create policy update_self on app_public.users for update to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  )
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  );

create policy update_admin on app_public.users for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: by column for customers, because the mail addresses of staff are not theirs to read.
grant select (organization_id, id, name, role) on app_public.users to atum_customer;
grant select on app_public.users to atum_agent;
grant update (name, locale, time_zone) on app_public.users to atum_customer, atum_agent;
grant update (skills, manages_company, email, role, company_id, restricted_to_teams, is_break_glass, disabled_at) on app_public.users to atum_admin;
-- NOTE: insert is granted to nobody; people are invited, register, or come by an identity provider.

select app_private.reset_access('app_private.user_secrets');

select app_private.reset_access('app_private.sessions');

select app_private.reset_access('app_private.authenticators');

select app_private.reset_access('app_private.recovery_codes');

select app_private.reset_access('app_private.login_challenges');

select app_private.reset_access('app_private.account_mails');

select app_private.reset_access('app_public.team_members');

create policy select_staff on app_public.team_members for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.team_members to atum_agent;

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
grant select on app_public.ticket_events to atum_customer, atum_agent;

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
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

-- Staff speak in their own name, on the tickets they see.
create policy insert_staff on app_public.comments for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

grant select on app_public.comments to atum_customer, atum_agent;
grant insert (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  on app_public.comments to atum_customer, atum_agent;
-- NOTE: update and delete are granted to nobody; what was said stays said.

select app_private.reset_access('app_public.comment_mentions');

create policy select_staff on app_public.comment_mentions for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.comments as comment
        where comment.organization_id = comment_mentions.organization_id and comment.id = comment_mentions.comment_id
      )
    )
  );

-- NOTE: add_comment writes mentions.
grant select on app_public.comment_mentions to atum_agent;

--! split: 2037-policies-37-ticket-views.sql
select app_private.reset_access('app_public.ticket_views');

create policy select_staff on app_public.ticket_views for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      owner_id = (select app_hidden.current_user_id())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or (owner_id is null and team_id is null)
    )
  );

-- Managers keep the views of all teams in order; what is personal is nobody else's.
create policy select_manager on app_public.ticket_views for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id is null);

-- NOTE: save_ticket_view and delete_ticket_view write.
grant select on app_public.ticket_views to atum_agent;

--! split: 2040-policies-40-sla.sql
select app_private.reset_access('app_public.sla_calendars');

create policy select_staff on app_public.sla_calendars for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.sla_calendars for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_calendars to atum_agent;
grant update (name, time_zone, hours) on app_public.sla_calendars to atum_admin;
-- NOTE: made and removed by functions; so are holidays, policies, targets and escalations.

select app_private.reset_access('app_public.sla_holidays');

create policy select_staff on app_public.sla_holidays for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_holidays to atum_agent;

select app_private.reset_access('app_public.sla_policies');

create policy select_staff on app_public.sla_policies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.sla_policies for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_policies to atum_agent;
grant update (name, calendar_id, priorities, service_ids, team_ids, company_ids, channels, tags, archived_at)
  on app_public.sla_policies to atum_admin;

select app_private.reset_access('app_public.sla_targets');

create policy select_staff on app_public.sla_targets for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_targets to atum_agent;

select app_private.reset_access('app_public.sla_escalations');

create policy select_staff on app_public.sla_escalations for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_escalations to atum_agent;

select app_private.reset_access('app_public.sla_recomputations');

create policy select_manager on app_public.sla_recomputations for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

grant select (organization_id, id, requested_by_id, total, done, created_at, started_at, finished_at)
  on app_public.sla_recomputations to atum_manager;

select app_private.reset_access('app_public.sla_calculations');

-- Clocks are the organization's own measure; customers are not shown them.
create policy select_staff on app_public.sla_calculations for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = sla_calculations.organization_id and ticket.id = sla_calculations.ticket_id
      )
    )
  );

-- NOTE: only triggers and the worker's functions write clocks.
grant select on app_public.sla_calculations to atum_agent;

--! split: 2042-policies-42-time.sql
select app_private.reset_access('app_public.time_activities');

create policy select_staff on app_public.time_activities for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.time_activities for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.time_activities to atum_agent;
grant update (name, is_billable, archived_at) on app_public.time_activities to atum_admin;
-- NOTE: made by a function; what time was recorded for is never removed.

select app_private.reset_access('app_public.time_entries');

-- Staff read the time on tickets they see, and the own time wherever it was worked.
create policy select_staff on app_public.time_entries for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or agent_id = (select app_hidden.current_user_id())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = time_entries.organization_id and ticket.id = time_entries.ticket_id
      )
    )
  );

grant select on app_public.time_entries to atum_agent;
-- NOTE: recorded and corrected by functions, which keep what an entry said before.

select app_private.reset_access('app_public.time_corrections');

create policy select_staff on app_public.time_corrections for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.time_entries as entry
      where entry.organization_id = time_corrections.organization_id and entry.id = time_corrections.entry_id
    )
  );

grant select on app_public.time_corrections to atum_agent;

select app_private.reset_access('app_public.running_timers');

create policy select_self on app_public.running_timers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and agent_id = (select app_hidden.current_user_id())
  );

grant select on app_public.running_timers to atum_agent;

--! split: 2044-policies-44-custom-fields.sql
select app_private.reset_access('app_public.custom_fields');

-- A customer does not learn that there are fields for staff.
create policy select_customer on app_public.custom_fields for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()) and seen_by_customers);

create policy select_staff on app_public.custom_fields for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_fields to atum_customer, atum_agent;
-- NOTE: made and changed by functions, because a field is said together with its options and services.
-- NOTE: delete is granted to nobody; a field is archived, and its values stay.

select app_private.reset_access('app_public.custom_field_options');

create policy select_customer on app_public.custom_field_options for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.custom_fields as field
      where field.organization_id = custom_field_options.organization_id and field.id = custom_field_options.field_id
    )
  );

create policy select_staff on app_public.custom_field_options for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_field_options to atum_customer, atum_agent;

select app_private.reset_access('app_public.custom_field_services');

create policy select_customer on app_public.custom_field_services for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.custom_fields as field
      where field.organization_id = custom_field_services.organization_id and field.id = custom_field_services.field_id
    )
  );

create policy select_staff on app_public.custom_field_services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_field_services to atum_customer, atum_agent;

--! split: 2045-policies-45-approvals.sql
select app_private.reset_access('app_public.ticket_approvals');

-- A customer reads what the customer is asked, and not the ticket it is about.
create policy select_asked on app_public.ticket_approvals for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = any ((select app_hidden.asked_approval_ids())::uuid[])
  );

create policy select_staff on app_public.ticket_approvals for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_approvals.organization_id and ticket.id = ticket_approvals.ticket_id
      )
    )
  );

grant select on app_public.ticket_approvals to atum_customer, atum_agent;

select app_private.reset_access('app_public.ticket_approvers');

create policy select_own on app_public.ticket_approvers for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
  );

create policy select_staff on app_public.ticket_approvers for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.ticket_approvals as approval
        where approval.organization_id = ticket_approvers.organization_id and approval.id = ticket_approvers.approval_id
      )
    )
  );

grant select on app_public.ticket_approvers to atum_customer, atum_agent;
-- NOTE: request_approval, decide_approval and cancel_approval write; nothing is deleted, an answer is evidence.

--! split: 2046-policies-46-canned-responses.sql
select app_private.reset_access('app_public.canned_responses');

-- Everybody's, the own, and those of teams: to an agent who is restricted, of the own teams.
create policy select_staff on app_public.canned_responses for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      visibility = 'shared'
      or owner_id = (select app_hidden.current_user_id())
      or (
        visibility = 'team'
        and ((select app_hidden.sees_every_team()) or team_id = any ((select app_hidden.current_team_ids())::uuid[]))
      )
    )
  );

create policy insert_owner on app_public.canned_responses for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy update_owner on app_public.canned_responses for update to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id = (select app_hidden.current_user_id()))
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

-- What others work with is prepared by managers.
create policy insert_manager on app_public.canned_responses for insert to atum_manager
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

create policy update_manager on app_public.canned_responses for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal')
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

grant select on app_public.canned_responses to atum_agent;
grant insert (organization_id, folder, title, body, visibility, team_id) on app_public.canned_responses to atum_agent;
grant update (folder, title, body, visibility, team_id, archived_at) on app_public.canned_responses to atum_agent;
-- NOTE: delete is granted to nobody; what is not used any more is archived.

select app_private.reset_access('app_public.macros');

create policy select_staff on app_public.macros for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      visibility = 'shared'
      or owner_id = (select app_hidden.current_user_id())
      or (
        visibility = 'team'
        and ((select app_hidden.sees_every_team()) or team_id = any ((select app_hidden.current_team_ids())::uuid[]))
      )
    )
  );

create policy insert_owner on app_public.macros for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy update_owner on app_public.macros for update to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()) and owner_id = (select app_hidden.current_user_id()))
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'personal' and owner_id = (select app_hidden.current_user_id())
  );

create policy insert_manager on app_public.macros for insert to atum_manager
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

create policy update_manager on app_public.macros for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal')
  with check (organization_id = (select app_hidden.current_organization_id()) and visibility <> 'personal');

grant select on app_public.macros to atum_agent;
grant insert (organization_id, name, description, actions, visibility, team_id) on app_public.macros to atum_agent;
grant update (name, description, actions, visibility, team_id, position, archived_at) on app_public.macros to atum_agent;

select app_private.reset_access('app_private.canned_response_uses');

select app_private.reset_access('app_private.macro_uses');

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
  organization_id, ticket_id, author_id, body, status, state_id, mentioned_user_ids, seen_comment_at, client_mutation_key
) on app_public.outgoing_replies to atum_agent;
-- NOTE: undo_send takes one back; nothing else of it is changed.

--! split: 2048-policies-48-automations.sql
select app_private.reset_access('app_public.automations');

create policy select_manager on app_public.automations for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.automations for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.automations to atum_manager;
grant update (name, is_enabled, event_types, actors, visibility, from_values, to_values, conditions, actions)
  on app_public.automations to atum_admin;
-- NOTE: made, ordered and removed by functions.

select app_private.reset_access('app_public.automation_firings');

-- NOTE: agents read what an automation did in the history of the ticket.
create policy select_manager on app_public.automation_firings for select to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.automation_firings to atum_manager;

select app_private.reset_access('app_private.automation_queue');
select app_private.reset_access('app_private.automation_matches');
-- NOTE: only the functions of automations read and write these.

--! split: 2049-policies-49-search.sql
select app_private.reset_access('app_hidden.ticket_documents');

-- The search is part of the policy, because the index of words is used for nothing that comes after a policy: whether
-- two words match is no leakproof question. What is found passes the policies of tickets.
create policy select_searched on app_hidden.ticket_documents for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and words @@ app_hidden.searched_words()
  );

grant select (organization_id, ticket_id) on app_hidden.ticket_documents to atum_customer, atum_agent;

select app_private.reset_access('app_hidden.search_words');

--! split: 2053-policies-53-checklists.sql
select app_private.reset_access('app_public.checklist_items');

create policy select_staff on app_public.checklist_items for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = checklist_items.organization_id and ticket.id = checklist_items.ticket_id
      )
    )
  );

grant select on app_public.checklist_items to atum_agent;

--! split: 2054-policies-54-ticket-templates.sql
select app_private.reset_access('app_public.ticket_templates');

create policy select_customer on app_public.ticket_templates for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and seen_by_customers and archived_at is null
  );

create policy select_staff on app_public.ticket_templates for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_manager on app_public.ticket_templates for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select (organization_id, id, name, seen_by_customers, subject, body, priority, service_id, position, archived_at, created_at, updated_at)
  on app_public.ticket_templates to atum_customer;
grant select on app_public.ticket_templates to atum_agent;
grant update (name, seen_by_customers, subject, body, priority, service_id, tags, custom_fields, checklist, position, archived_at)
  on app_public.ticket_templates to atum_manager;

--! split: 9049-search-backfill.sql
-- What was written before there was a search is found too.
select app_private.index_tickets(ticket.organization_id, array_agg(ticket.id))
from app_public.tickets as ticket
group by ticket.organization_id;

select app_private.learn_words(organization_id, said)
from (
  select organization_id, string_agg(distinct word, ' ') as said
  from (
    select organization_id, regexp_split_to_table(lower(subject), '[^[:alpha:]]+') as word from app_public.tickets
    union
    select organization_id, regexp_split_to_table(lower(name), '[^[:alpha:]]+') from app_public.users
  ) as words
  group by organization_id
) as everything;
