-- Which tickets: one vocabulary for saved views, automations and whatever else asks, and one place that turns it into SQL.

create or replace function app_private.condition_words(condition jsonb) returns text[]
  language plpgsql immutable
  set search_path = ''
as $$
declare
  value constant jsonb := condition -> 'value';
begin
  if jsonb_typeof(value) = 'array' then
    if jsonb_array_length(value) not between 1 and 100 or jsonb_path_exists(value, '$[*] ? (@.type() != "string")') then
      raise exception using errcode = 'AD119', message = format('The condition on %s needs a list of 1 to 100 words', condition ->> 'field');
    end if;
    return array(select jsonb_array_elements_text(value));
  end if;
  if jsonb_typeof(value) is distinct from 'string' then
    raise exception using errcode = 'AD119', message = format('The condition on %s needs a value', condition ->> 'field');
  end if;
  return array[value #>> '{}'];
end
$$;

comment on function app_private.condition_words(jsonb) is 'The value of a condition as a list. Error CONDITION_INVALID.';

create or replace function app_private.column_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  field constant text := condition ->> 'field';
  operator constant text := condition ->> 'operator';
  word_types constant jsonb := '{"status": "ticket_status", "priority": "ticket_priority", "channel": "ticket_channel"}';
  enum_type text := word_types ->> field;
  words text[];
  instant timestamptz;
  seconds numeric;
begin
  if operator in ('is_empty', 'is_not_empty') then
    return format('ticket.%I is %snull', field, case operator when 'is_not_empty' then 'not ' else '' end);
  end if;

  case
    when enum_type is not null then
      words := app_private.condition_words(condition);
      if exists (
        select
        from unnest(words) as word
        where word not in (
          select label.enumlabel
          from pg_catalog.pg_enum as label
          where label.enumtypid = ('app_public.' || enum_type)::pg_catalog.regtype
        )
      ) then
        raise exception using errcode = 'AD119', message = format('The condition on %s has a word that is none of it', field);
      end if;
      return case operator
        when 'is' then format('ticket.%I = any (%L::app_public.%I[])', field, words, enum_type)
        -- By what it may be: partial indexes are found by that, and not by what it must not be.
        when 'is_not' then format(
          'ticket.%I = any (%L::app_public.%I[])', field,
          array(
            select label.enumlabel
            from pg_catalog.pg_enum as label
            where label.enumtypid = ('app_public.' || enum_type)::pg_catalog.regtype and label.enumlabel <> all (words)
            order by label.enumsortorder
          ),
          enum_type
        )
        when 'at_least' then format('ticket.%I >= %L::app_public.%I', field, words[1], enum_type)
        when 'at_most' then format('ticket.%I <= %L::app_public.%I', field, words[1], enum_type)
      end;

    when field in ('state_id', 'service_id', 'team_id', 'assignee_id', 'requester_id', 'company_id') then
      words := app_private.condition_words(condition);
      if exists (
        select from unnest(words) as word
        where not pg_input_is_valid(word, 'uuid') and not (word = 'me' and field in ('assignee_id', 'requester_id'))
      ) then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs ids', field);
      end if;
      return format(
        case operator
          when 'is' then 'ticket.%1$I = any (%2$s)'
          when 'is_not' then '(ticket.%1$I is null or ticket.%1$I <> all (%2$s))'
        end,
        field,
        case
          -- As a list of so many, which the planner can count.
          when 'me' = any (words) then format(
            'array[(select app_hidden.current_user_id())%s]',
            (select string_agg(format(', %L::uuid', word), '') from unnest(words) as word where word <> 'me')
          )
          else format('%L::uuid[]', words)
        end
      );

    when field = 'tags' then
      words := app_private.tidy_tags(app_private.condition_words(condition));
      return case operator
        when 'includes_any' then format('ticket.tags && %L::text[]', words)
        when 'includes_all' then format('ticket.tags @> %L::text[]', words)
        when 'includes_none' then format('not ticket.tags && %L::text[]', words)
      end;

    when field = 'subject' then
      words := app_private.condition_words(condition);
      return format(
        case operator
          when 'contains' then '(%s)'
          when 'contains_not' then 'not (%s)'
        end,
        (select string_agg(format('position(lower(%L) in lower(ticket.subject)) > 0', word), ' or ') from unnest(words) as word)
      );

    when operator in ('before', 'after') then
      words := app_private.condition_words(condition);
      if not pg_input_is_valid(words[1], 'timestamptz') then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs an instant', field);
      end if;
      instant := words[1]::timestamptz;
      return format('ticket.%I %s %L::timestamptz', field, case operator when 'before' then '<' else '>' end, instant);

    when operator in ('older_than', 'newer_than', 'within') then
      if jsonb_typeof(condition -> 'value') is distinct from 'number' then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a number of seconds', field);
      end if;
      seconds := (condition ->> 'value')::numeric;
      if seconds not between 0 and 3155760000 then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs 0 seconds to a hundred years', field);
      end if;
      return format(
        case operator
          when 'older_than' then 'ticket.%1$I < now() - make_interval(secs => %2$s)'
          when 'newer_than' then 'ticket.%1$I > now() - make_interval(secs => %2$s)'
          else '(ticket.%1$I >= now() and ticket.%1$I < now() + make_interval(secs => %2$s))'
        end,
        field, seconds
      );
  end case;
end
$$;

comment on function app_private.column_condition_sql(jsonb) is 'One condition on a column of a ticket as SQL; its field and operator were checked before.';

create or replace function app_private.custom_field_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  key constant text := substr(condition ->> 'field', length('custom_fields.') + 1);
  held constant text := format('coalesce(ticket.custom_fields -> %1$L, ticket.internal_fields -> %1$L)', key);
  value constant jsonb := condition -> 'value';
  among text;
begin
  if key !~ '^[a-z][a-z0-9_]{0,62}$' then
    raise exception using errcode = 'AD119', message = 'The condition names no custom field';
  end if;

  case condition ->> 'operator'
    when 'is_empty' then
      return format('%s is null', held);
    when 'is_not_empty' then
      return format('%s is not null', held);
    when 'is', 'is_not' then
      if value is null or value = 'null' or jsonb_typeof(value) = 'object' or value = '[]'
        or (jsonb_typeof(value) = 'array' and jsonb_array_length(value) > 100)
      then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a value', condition ->> 'field');
      end if;
      select string_agg(format('%1$s = %2$L::jsonb or (jsonb_typeof(%1$s) = ''array'' and %1$s @> %2$L::jsonb)', held, wanted), ' or ')
      into among
      from jsonb_array_elements(case jsonb_typeof(value) when 'array' then value else jsonb_build_array(value) end) as wanted;
      return format(
        case condition ->> 'operator' when 'is' then 'coalesce(%s, false)' else 'not coalesce(%s, false)' end, among
      );
    when 'contains' then
      return format('position(lower(%L) in lower(%s #>> ''{}'')) > 0', (app_private.condition_words(condition))[1], held);
    when 'at_least', 'at_most' then
      if jsonb_typeof(value) not in ('number', 'string') then
        raise exception using errcode = 'AD119', message = format('The condition on %s needs a number or a date', condition ->> 'field');
      end if;
      -- Numbers with numbers and dates with dates; dates are texts that sort as they follow each other.
      return format(
        'case jsonb_typeof(%1$s) when %2$L then %3$s %4$s %5$s else false end',
        held, jsonb_typeof(value),
        case jsonb_typeof(value) when 'number' then format('(%s)::numeric', held) else format('(%s #>> ''{}'') collate "C"', held) end,
        case condition ->> 'operator' when 'at_least' then '>=' else '<=' end,
        case jsonb_typeof(value) when 'number' then format('%L::numeric', value #>> '{}') else format('%L', value #>> '{}') end
      );
  end case;
end
$$;

comment on function app_private.custom_field_condition_sql(jsonb) is 'One condition on a custom field as SQL; its operator was checked before.';

create or replace function app_private.single_condition_sql(condition jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  known constant jsonb := '{
    "status": ["is", "is_not"], "channel": ["is", "is_not"], "priority": ["is", "is_not", "at_least", "at_most"],
    "state_id": ["is", "is_not"], "requester_id": ["is", "is_not"],
    "service_id": ["is", "is_not", "is_empty", "is_not_empty"], "team_id": ["is", "is_not", "is_empty", "is_not_empty"],
    "assignee_id": ["is", "is_not", "is_empty", "is_not_empty"], "company_id": ["is", "is_not", "is_empty", "is_not_empty"],
    "tags": ["includes_any", "includes_all", "includes_none"], "subject": ["contains", "contains_not"],
    "created_at": ["before", "after", "older_than", "newer_than"], "updated_at": ["before", "after", "older_than", "newer_than"],
    "last_comment_at": ["before", "after", "older_than", "newer_than"],
    "resolved_at": ["before", "after", "older_than", "newer_than", "is_empty", "is_not_empty"],
    "next_due_at": ["before", "after", "older_than", "within", "is_empty", "is_not_empty"],
    "snoozed_until": ["before", "after", "within", "is_empty", "is_not_empty"],
    "breached": ["is"], "snoozed": ["is"], "watched": ["is"],
    "custom_fields": ["is", "is_not", "contains", "at_least", "at_most", "is_empty", "is_not_empty"]
  }';
  field constant text := condition ->> 'field';
begin
  if jsonb_typeof(condition) is distinct from 'object'
    or not coalesce(known -> split_part(field, '.', 1) ? (condition ->> 'operator'), false)
    or (split_part(field, '.', 1) = field) = (split_part(field, '.', 1) = 'custom_fields')
    or exists (select from jsonb_object_keys(condition) as key where key not in ('field', 'operator', 'value'))
  then
    raise exception using
      errcode = 'AD119',
      message = format('There is no condition %s %s', left(condition #>> '{field}', 80), left(condition #>> '{operator}', 40));
  end if;

  if field in ('breached', 'snoozed', 'watched') then
    if jsonb_typeof(condition -> 'value') is distinct from 'boolean' then
      raise exception using errcode = 'AD119', message = format('The condition on %s needs true or false', field);
    end if;
    return case when condition -> 'value' = 'true' then '' else 'not ' end || case field
      when 'breached' then 'ticket.breached'
      when 'snoozed' then '(ticket.snoozed_until is not null)'
      else
        'exists (select from app_public.ticket_watchers as watcher where watcher.organization_id = ticket.organization_id'
        ' and watcher.ticket_id = ticket.id and watcher.user_id = (select app_hidden.current_user_id()))'
    end;
  end if;

  return case
    when field like 'custom\_fields.%' then app_private.custom_field_condition_sql(condition)
    else app_private.column_condition_sql(condition)
  end;
end
$$;

comment on function app_private.single_condition_sql(jsonb) is 'One condition as SQL over a row named `ticket`. Error CONDITION_INVALID.';

create or replace function app_hidden.ticket_condition_sql(conditions jsonb) returns text
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  every_one text;
  one_of_them text;
begin
  if jsonb_typeof(conditions) is distinct from 'object'
    or exists (select from jsonb_object_keys(conditions) as key where key not in ('all', 'any'))
    or jsonb_typeof(coalesce(conditions -> 'all', '[]')) <> 'array'
    or jsonb_typeof(coalesce(conditions -> 'any', '[]')) <> 'array'
  then
    raise exception using errcode = 'AD119', message = 'Conditions are an object with a list under all, any, or both';
  end if;
  if jsonb_array_length(coalesce(conditions -> 'all', '[]')) + jsonb_array_length(coalesce(conditions -> 'any', '[]')) > 20 then
    raise exception using errcode = 'AD119', message = 'At most 20 conditions';
  end if;

  select string_agg(app_private.single_condition_sql(condition), ' and ' order by position) into every_one
  from jsonb_array_elements(conditions -> 'all') with ordinality as listed (condition, position);
  select '(' || string_agg(app_private.single_condition_sql(condition), ' or ' order by position) || ')' into one_of_them
  from jsonb_array_elements(conditions -> 'any') with ordinality as listed (condition, position);

  return coalesce(every_one || ' and ' || one_of_them, every_one, one_of_them, 'true');
end
$$;

comment on function app_hidden.ticket_condition_sql(jsonb) is
  'Conditions as SQL over a row of app_public.tickets that is named `ticket`; every value in it is quoted. Whoever runs it brings the organization and the visibility. Error CONDITION_INVALID.';

create or replace function app_hidden.check_ticket_conditions(conditions jsonb) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  perform app_hidden.ticket_condition_sql(conditions);
end
$$;

comment on function app_hidden.check_ticket_conditions(jsonb) is
  'Refuses conditions that are none. They are `{"all": […], "any": […]}`, both optional, at most 20 in all, each `{"field", "operator", "value"}`. Fields: status, priority, channel (is, is_not: a word or a list; priority also at_least, at_most); state_id, service_id, team_id, assignee_id, requester_id, company_id (is, is_not: an id or a list, for people also "me"; is_empty, is_not_empty); tags (includes_any, includes_all, includes_none); subject (contains, contains_not); created_at, updated_at, last_comment_at, resolved_at, next_due_at, snoozed_until (before, after an instant; older_than, newer_than, within so many seconds; is_empty, is_not_empty); breached, snoozed, watched (is true or false); custom_fields.key (is, is_not, contains, at_least, at_most, is_empty, is_not_empty). Error CONDITION_INVALID.';

revoke all on function
  app_private.condition_words(jsonb), app_private.column_condition_sql(jsonb), app_private.custom_field_condition_sql(jsonb),
  app_private.single_condition_sql(jsonb), app_hidden.ticket_condition_sql(jsonb), app_hidden.check_ticket_conditions(jsonb)
from public;

grant execute on function app_hidden.ticket_condition_sql(jsonb), app_hidden.check_ticket_conditions(jsonb) to atum_agent, atum_worker;
