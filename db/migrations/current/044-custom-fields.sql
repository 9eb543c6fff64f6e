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
