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
