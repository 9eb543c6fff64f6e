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
