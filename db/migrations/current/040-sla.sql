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
