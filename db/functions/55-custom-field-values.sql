-- What a ticket says in the fields its organization added: which of them it asks for, and what they may hold.

create or replace function app_private.asked_fields(organization_id uuid, service_id uuid, field_values jsonb)
  returns setof app_public.custom_fields
  language sql stable
  set search_path = ''
as $$
  -- From the fields that are always asked for to those they decide about; a circle would be reached from nowhere.
  with recursive of_service as (
    select field.*
    from app_public.custom_fields as field
    where field.organization_id = asked_fields.organization_id and field.archived_at is null
      and coalesce(
        (
          select bool_or(service.service_id is not distinct from asked_fields.service_id)
          from app_public.custom_field_services as service
          where service.organization_id = field.organization_id and service.field_id = field.id
        ),
        true
      )
  ),
  asked as (
    select field.* from of_service as field where field.visible_when_field is null
    union all
    select field.*
    from asked as decider
    join of_service as field on field.visible_when_field = decider.key
    cross join lateral (select asked_fields.field_values -> decider.key as value) as decided
    where case jsonb_typeof(decided.value)
      when 'array' then decided.value ?| field.visible_when_values
      else decided.value #>> '{}' = any (field.visible_when_values)
    end
  )
  select * from asked
$$;

comment on function app_private.asked_fields(uuid, uuid, jsonb) is
  'The fields that a ticket of a service asks for, given the values it has: those that are not archived, are of the service, and whose condition is met, as are those of the fields that decide.';

create or replace function app_private.tidy_field_value(field app_public.custom_fields, given jsonb, former jsonb) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  kind constant text := jsonb_typeof(given);
  word constant text := case when kind in ('string', 'number') then btrim(given #>> '{}', E' \t\r\n') end;
  chosen text[];
  fault text;
begin
  if kind = 'null' or word = '' or given = '[]' then
    return null;
  end if;

  case field.type
    when 'text' then
      if kind <> 'string' then
        fault := 'holds a text';
      elsif length(word) > coalesce(field.max_length, 1000) then
        fault := format('holds at most %s characters', coalesce(field.max_length, 1000));
      else
        return to_jsonb(word);
      end if;
    when 'url' then
      if kind <> 'string' or word !~* '^https?://[^[:space:]/?#"<>]+([/?#][^[:space:]"<>]*)?$' then
        fault := 'holds an http or https address';
      elsif length(word) > coalesce(field.max_length, 2000) then
        fault := format('holds at most %s characters', coalesce(field.max_length, 2000));
      else
        return to_jsonb(word);
      end if;
    when 'number' then
      -- What JavaScript holds exactly; JSON itself knows numbers of a hundred thousand digits.
      if word is null or word !~ '^-?\d{1,15}(\.\d{1,9})?$' or length(word) > 20 then
        fault := 'holds a number of up to 15 digits';
      elsif word::numeric < field.minimum or word::numeric > field.maximum then
        fault := concat_ws(' and ', 'holds a number of at least ' || field.minimum, 'at most ' || field.maximum);
      else
        return to_jsonb(trim_scale(word::numeric));
      end if;
    when 'boolean' then
      if kind <> 'boolean' then
        fault := 'holds true or false';
      else
        return given;
      end if;
    when 'date' then
      if kind <> 'string' or word !~ '^[1-9]\d{3}-\d\d-\d\d$' or not pg_input_is_valid(word, 'date') then
        fault := 'holds a date such as 2026-07-31';
      else
        return to_jsonb(word);
      end if;
    when 'user' then
      fault := 'holds a person of the organization';
      -- One after the other, because the planner would make a uuid of the word before it asks whether it is one.
      if kind = 'string' and pg_input_is_valid(word, 'uuid') then
        perform from app_public.users as person where person.organization_id = field.organization_id and person.id = word::uuid;
        fault := case when not found then fault end;
      end if;
      if fault is null then
        return to_jsonb(word::uuid);
      end if;
    else
      if kind = 'array' and field.type = 'multi_select' and jsonb_array_length(given) <= 200 then
        chosen := array(select distinct option #>> '{}' from jsonb_array_elements(given) as option order by 1);
      elsif kind = 'string' and field.type = 'select' then
        chosen := array[word];
      end if;
      -- What was chosen while it could be may stay chosen.
      if chosen is null or array_position(chosen, null) is not null or exists (
        select from unnest(chosen) as picked (key)
        where not coalesce(former, '[]') ? picked.key
          and not exists (
            select
            from app_public.custom_field_options as option
            where option.organization_id = field.organization_id and option.field_id = field.id and option.key = picked.key
              and option.archived_at is null
          )
      ) then
        fault := case field.type when 'select' then 'holds one of its options' else 'holds a list of its options' end;
      else
        return case field.type when 'select' then to_jsonb(word) else to_jsonb(chosen) end;
      end if;
  end case;
  raise exception using errcode = 'AD141', column = field.key, message = format('The field %s %s', field.key, fault);
end
$$;

comment on function app_private.tidy_field_value(app_public.custom_fields, jsonb, jsonb) is
  'A value as it is stored, or null for none; `former` is the one it replaces. Error FIELD_INVALID.';

create or replace function app_private.tg_tickets__tidy_custom_fields() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  before jsonb := '{}';
  after jsonb;
  given jsonb;
  field app_public.custom_fields;
  name text;
  value jsonb;
  asked text[];
begin
  given := NEW.internal_fields || NEW.custom_fields;
  if TG_OP = 'UPDATE' then
    before := OLD.internal_fields || OLD.custom_fields;
    NEW.custom_fields := OLD.custom_fields;
    NEW.internal_fields := OLD.internal_fields;
  else
    NEW.custom_fields := '{}';
    NEW.internal_fields := '{}';
  end if;
  after := before;
  given := app_private.other_values(given, before);

  for name, value in select key, entry.value from jsonb_each(given) as entry order by key loop
    select * into field
    from app_public.custom_fields as known
    where known.organization_id = NEW.organization_id and known.key = name
      and known.archived_at is null
      -- What a customer says comes with opening the ticket. Nothing that a customer says changes it later; a template does.
      and (known.set_by_customers or TG_OP = 'UPDATE' or app_hidden.acting_role() <> 'atum_customer');
    if not found then
      raise exception using
        errcode = 'AD140', column = left(name, 60), message = format('There is no field %s to fill in', left(name, 60));
    end if;

    value := app_private.tidy_field_value(field, value, before -> name);
    if value is null then
      after := after - name;
      NEW.custom_fields := NEW.custom_fields - name;
      NEW.internal_fields := NEW.internal_fields - name;
    else
      after := after || jsonb_build_object(name, value);
      if field.seen_by_customers then
        NEW.custom_fields := NEW.custom_fields || jsonb_build_object(name, value);
      else
        NEW.internal_fields := NEW.internal_fields || jsonb_build_object(name, value);
      end if;
    end if;
  end loop;

  asked := array(select key from app_private.asked_fields(NEW.organization_id, NEW.service_id, after));

  select key into name from jsonb_each(app_private.other_values(after, before)) where key <> all (asked) order by key limit 1;
  if found then
    raise exception using
      errcode = 'AD144', column = name, message = format('This ticket does not ask for the field %s', name);
  end if;

  if TG_OP = 'UPDATE' then
    -- What this change makes nobody ask for any more goes with it; its event says what it was.
    for field in
      select known.*
      from app_private.asked_fields(NEW.organization_id, NEW.service_id, before) as known
      where before ? known.key and (known.key <> all (asked) or not after ? known.key)
      order by known.position, known.key
    loop
      if field.key = any (asked) and field.required_when = 'creating' then
        raise exception using
          errcode = 'AD142', column = field.key, message = format('The field %s must have a value', field.key);
      elsif field.key = any (asked) and field.required_when = 'resolving' and NEW.status in ('resolved', 'closed') then
        raise exception using
          errcode = 'AD143', column = field.key, message = format('A ticket is not done without the field %s', field.key);
      end if;
      NEW.custom_fields := NEW.custom_fields - field.key;
      NEW.internal_fields := NEW.internal_fields - field.key;
    end loop;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__tidy_custom_fields() is
  'Lays the given values over those a ticket has, each in the column its field says, and refuses what the fields do not allow. What is not given stays as it is, whatever became of its field. Errors FIELD_UNKNOWN, FIELD_INVALID, FIELD_NOT_ASKED, FIELD_REQUIRED_TO_CREATE, FIELD_REQUIRED_TO_RESOLVE.';

-- Before the version is counted, so that what comes out the same is no change. A ticket without values pays nothing.
create or replace trigger _050_tidy_custom_fields_of_new before insert on app_public.tickets
  for each row when (NEW.custom_fields <> '{}' or NEW.internal_fields <> '{}')
  execute function app_private.tg_tickets__tidy_custom_fields();

create or replace trigger _050_tidy_custom_fields before update of custom_fields, internal_fields on app_public.tickets
  for each row when (NEW.custom_fields <> OLD.custom_fields or NEW.internal_fields <> OLD.internal_fields)
  execute function app_private.tg_tickets__tidy_custom_fields();

create or replace function app_private.require_fields(ticket app_public.tickets, moment app_public.custom_field_requirement) returns void
  language plpgsql stable
  set search_path = ''
as $$
declare
  field_values constant jsonb := ticket.internal_fields || ticket.custom_fields;
  missing text;
begin
  if not exists (
    select
    from app_public.custom_fields as field
    where field.organization_id = ticket.organization_id and field.required_when = moment and field.archived_at is null
  ) then
    return;
  end if;

  select field.key into missing
  from app_private.asked_fields(ticket.organization_id, ticket.service_id, field_values) as field
  where field.required_when = moment and not field_values ? field.key
    and (moment = 'resolving' or field.set_by_customers or app_hidden.acting_role() <> 'atum_customer')
  order by field.position, field.key
  limit 1;
  if found then
    raise exception using
      errcode = case moment when 'creating' then 'AD142' else 'AD143' end,
      column = missing,
      message = case moment
        when 'creating' then format('The field %s must have a value', missing)
        else format('A ticket is not done without the field %s', missing)
      end;
  end if;
end
$$;

comment on function app_private.require_fields(app_public.tickets, app_public.custom_field_requirement) is
  'Refuses a ticket that lacks the value of a field which must have one at this moment. Errors FIELD_REQUIRED_TO_CREATE, FIELD_REQUIRED_TO_RESOLVE.';

create or replace function app_private.tg_tickets__require_fields() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.require_fields(NEW, 'resolving');
  return NEW;
end
$$;

comment on function app_private.tg_tickets__require_fields() is 'Refuses to resolve a ticket that lacks what must be said by then. Error FIELD_REQUIRED_TO_RESOLVE.';

-- A merged ticket goes on in another one, which has its own fields.
create or replace trigger _210_require_fields before update of status, state_id on app_public.tickets
  for each row when (
    NEW.status in ('resolved', 'closed') and OLD.status not in ('resolved', 'closed') and NEW.merged_into_id is null
  )
  execute function app_private.tg_tickets__require_fields();

revoke all on function
  app_private.asked_fields(uuid, uuid, jsonb), app_private.tidy_field_value(app_public.custom_fields, jsonb, jsonb),
  app_private.tg_tickets__tidy_custom_fields(), app_private.require_fields(app_public.tickets, app_public.custom_field_requirement),
  app_private.tg_tickets__require_fields()
from public;
