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
