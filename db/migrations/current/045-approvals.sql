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
