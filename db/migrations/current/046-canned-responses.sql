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
