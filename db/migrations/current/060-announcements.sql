create table app_private.announcement_queue (
  organization_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  queued_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, event_id),
  foreign key (organization_id, event_id) references app_public.ticket_events on delete cascade,
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade
);

create index announcement_queue_organization_id_ticket_id_queued_at_idx on app_private.announcement_queue (organization_id, ticket_id, queued_at, event_id);
create index announcement_queue_organization_id_queued_at_idx on app_private.announcement_queue (organization_id, queued_at);

comment on table app_private.announcement_queue is 'Events that nobody outside was told of yet. A job takes them ticket by ticket, in order.';
comment on column app_private.announcement_queue.organization_id is 'The organization it belongs to.';
comment on column app_private.announcement_queue.event_id is 'The event.';
comment on column app_private.announcement_queue.ticket_id is 'The ticket when it was queued.';
comment on column app_private.announcement_queue.queued_at is 'When it was queued, which is the order in which things happened to a ticket: whatever changes one has it locked.';
