create type app_public.survey_state as enum ('planned', 'sent', 'answered', 'expired', 'cancelled');
comment on type app_public.survey_state is 'Where the question how it went is: it waits for its time (`planned`), the requester was asked (`sent`), has `answered`, did not in time (`expired`), or is not asked after all because the ticket went on (`cancelled`).';

create type app_public.survey_way as enum ('mail', 'portal');
comment on type app_public.survey_way is 'Where a requester answered: by the link in the mail, or in the portal.';

create table app_public.csat_settings (
  organization_id uuid not null unique references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  is_enabled boolean not null default false,
  delay_minutes integer not null default 60 check (delay_minutes between 0 and 43200),
  sample_percent integer not null default 100 check (sample_percent between 1 and 100),
  expires_days integer not null default 14 check (expires_days between 1 and 90),
  question text check (question ~ '[^[:space:]]' and question !~ '[[:cntrl:]]' and length(question) <= 300),
  low_score integer not null default 2 check (low_score between 1 and 4),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)
);

comment on table app_public.csat_settings is 'Whether and how an organization asks its customers how it went. One row for each organization.';
comment on column app_public.csat_settings.organization_id is 'The organization.';
comment on column app_public.csat_settings.id is 'Row id.';
comment on column app_public.csat_settings.is_enabled is 'Whether customers are asked when their ticket is resolved.';
comment on column app_public.csat_settings.delay_minutes is 'How many minutes after that they are asked, 0 to 43,200.';
comment on column app_public.csat_settings.sample_percent is 'Of how many tickets in a hundred, 1 to 100. Which ones is decided by their row ids, and never by chance again.';
comment on column app_public.csat_settings.expires_days is 'For how many days they may answer, and change their answer, 1 to 90.';
comment on column app_public.csat_settings.question is 'What they are asked, one line of up to 300 characters; null for the usual question, in their language.';
comment on column app_public.csat_settings.low_score is 'Up to which score an answer counts as a bad one, 1 to 4.';
comment on column app_public.csat_settings.updated_at is 'When it was last changed.';

insert into app_public.csat_settings (organization_id) select id from app_public.organizations on conflict do nothing;

create table app_public.csat_surveys (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  requester_id uuid,
  assignee_id uuid,
  team_id uuid,
  service_id uuid,
  state app_public.survey_state not null default 'planned',
  question text check (length(question) <= 300),
  score integer check (score between 1 and 5),
  comment text check (comment ~ '[^[:space:]]' and length(comment) <= 2000),
  planned_for timestamptz not null,
  sent_at timestamptz,
  expires_at timestamptz,
  answered_at timestamptz,
  answered_by app_public.survey_way,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  -- Nobody is asked twice about one thing.
  unique (organization_id, ticket_id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, requester_id) references app_public.users on delete set null (requester_id),
  foreign key (organization_id, assignee_id) references app_public.users on delete set null (assignee_id),
  foreign key (organization_id, team_id) references app_public.teams on delete set null (team_id),
  foreign key (organization_id, service_id) references app_public.services on delete set null (service_id),
  check ((state in ('planned', 'cancelled')) = (sent_at is null)),
  check ((sent_at is null) = (expires_at is null) and expires_at > sent_at),
  check ((state = 'answered') = (score is not null)),
  check ((score is null) = (answered_at is null) and (score is null) = (answered_by is null)),
  check (comment is null or score is not null)
);

create index csat_surveys_organization_id_requester_id_idx on app_public.csat_surveys (organization_id, requester_id);
create index csat_surveys_organization_id_assignee_id_idx on app_public.csat_surveys (organization_id, assignee_id);
create index csat_surveys_organization_id_team_id_idx on app_public.csat_surveys (organization_id, team_id);
create index csat_surveys_organization_id_service_id_idx on app_public.csat_surveys (organization_id, service_id);
create index csat_surveys_organization_id_sent_at_idx on app_public.csat_surveys (organization_id, sent_at) where sent_at is not null;
create index csat_surveys_organization_id_planned_for_idx on app_public.csat_surveys (organization_id, planned_for) where state = 'planned';
create index csat_surveys_organization_id_expires_at_idx on app_public.csat_surveys (organization_id, expires_at) where state = 'sent';

comment on table app_public.csat_surveys is 'Questions to requesters how it went, one for a ticket, and what they answered. Requesters read those they were asked, staff those of the tickets they see.';
comment on column app_public.csat_surveys.organization_id is 'The organization it belongs to.';
comment on column app_public.csat_surveys.id is 'Row id.';
comment on column app_public.csat_surveys.ticket_id is 'The ticket it is about.';
comment on column app_public.csat_surveys.requester_id is 'Who is asked, where that person is still there.';
comment on column app_public.csat_surveys.assignee_id is 'Who was assigned when the ticket was resolved. Staff only.';
comment on column app_public.csat_surveys.team_id is 'The team of the ticket when it was resolved. Staff only.';
comment on column app_public.csat_surveys.service_id is 'The service of the ticket when it was resolved. Staff only.';
comment on column app_public.csat_surveys.state is 'Where it is. An answer stays one when the time is over.';
comment on column app_public.csat_surveys.question is 'What was asked, as it was said then; null for the usual question in the language of the reader.';
comment on column app_public.csat_surveys.score is 'How it went, from 1 (very bad) to 5 (very good); null until there is an answer.';
comment on column app_public.csat_surveys.comment is 'What the requester adds, up to 2,000 characters.';
comment on column app_public.csat_surveys.planned_for is 'When the requester is asked.';
comment on column app_public.csat_surveys.sent_at is 'When the requester was asked.';
comment on column app_public.csat_surveys.expires_at is 'Until when the requester may answer, and change the answer.';
comment on column app_public.csat_surveys.answered_at is 'When the answer was given, or last changed.';
comment on column app_public.csat_surveys.answered_by is 'Where it was given.';
comment on column app_public.csat_surveys.created_at is 'When it was first planned.';

create table app_private.csat_tokens (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  survey_id uuid not null,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, token_hash),
  foreign key (organization_id, survey_id) references app_public.csat_surveys on delete cascade
);

create index csat_tokens_token_hash_idx on app_private.csat_tokens (token_hash);
create index csat_tokens_organization_id_survey_id_idx on app_private.csat_tokens (organization_id, survey_id);
create index csat_tokens_organization_id_created_at_idx on app_private.csat_tokens (organization_id, created_at);

comment on table app_private.csat_tokens is 'What the links in a mail open, one for each time it was sent: a mail may come twice, and either one is to work.';
comment on column app_private.csat_tokens.organization_id is 'The organization it belongs to.';
comment on column app_private.csat_tokens.id is 'Row id.';
comment on column app_private.csat_tokens.survey_id is 'The survey it answers.';
comment on column app_private.csat_tokens.token_hash is 'The sha256 of the token; the token itself is in the mail and nowhere else.';
comment on column app_private.csat_tokens.created_at is 'When it was made.';
