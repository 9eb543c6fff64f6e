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
