-- Search: words and filters in one line, as people type them.

create or replace function app_hidden.searched_words() returns tsquery
  language sql stable parallel safe
  return nullif(current_setting('atum.searched_words', true), '')::tsquery;

comment on function app_hidden.searched_words() is 'What search_tickets is looking for at the moment; the policy of documents shows what has it.';

do $$
begin
  if to_regtype('app_public.ticket_match') is null then
    create type app_public.ticket_match as (organization_id uuid, ticket_id uuid, subject text, excerpt text, rank real);
    create type app_public.ticket_search as (
      matches app_public.ticket_match[], next_cursor text, is_capped boolean, is_mended boolean
    );
    create type app_hidden.ticket_query as (
      words tsquery, marked tsquery, filters tsquery, conditions jsonb, number_digits text, is_empty boolean
    );
  end if;
end
$$;

comment on type app_public.ticket_match is 'A ticket that a search found.';
comment on column app_public.ticket_match.organization_id is 'The organization of the ticket.';
comment on column app_public.ticket_match.ticket_id is 'The ticket that was found.';
comment on column app_public.ticket_match.subject is 'Its subject as plain text; each word that matched stands between U+E000 and U+E001.';
comment on column app_public.ticket_match.excerpt is 'What was said where it matches best, marked like the subject; null when the words are not in what was said last.';
comment on column app_public.ticket_match.rank is 'How well it matches; comparable within one search only.';
comment on type app_public.ticket_search is 'One page of what a search found, best first.';
comment on column app_public.ticket_search.matches is 'The tickets of this page.';
comment on column app_public.ticket_search.next_cursor is 'Hand it back as `after` for the next page; null on the last.';
comment on column app_public.ticket_search.is_capped is 'More than 200 tickets match, and the newest 200 were put in order.';
comment on column app_public.ticket_search.is_mended is 'Nothing has the words as they were written; these tickets have words that look like them.';

create or replace function app_private.similar_words(word text) returns text[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(near.word order by near.distance), '{}')
  from (
    select known.word, known.word operator(public.<->) similar_words.word as distance
    from app_hidden.search_words as known
    where known.organization_id = app_hidden.current_organization_id()
    order by known.word operator(public.<->) similar_words.word
    limit 3
  ) as near
  where near.distance < 0.65
$$;

comment on function app_private.similar_words(text) is 'Up to three words the organization uses that look like one.';

create or replace function app_private.completed_words(beginning text) returns text[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(longer.word), '{}')
  from (
    select known.word
    from app_hidden.search_words as known
    where known.organization_id = app_hidden.current_organization_id()
      and known.word > completed_words.beginning collate "C" and known.word < (completed_words.beginning || U&'\FFFF') collate "C"
    order by known.word
    limit 20
  ) as longer
$$;

comment on function app_private.completed_words(text) is 'Up to twenty words the organization uses that begin like this.';

-- They are only ever searched for, never shown: a word of somebody else's ticket finds nothing its reader may not see.
create or replace function app_hidden.words_for(word text, way text) returns tsquery
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  bare constant text := lower(public.unaccent(words_for.word));
  language constant regconfig := app_hidden.search_language();
  found tsquery;
  other text;
begin
  found := plainto_tsquery(language, words_for.word);
  if bare !~ '^[[:alpha:]]{3,40}$' then
    return found;
  end if;
  foreach other in array case way when 'complete' then app_private.completed_words(bare) else app_private.similar_words(bare) end loop
    found := case when numnode(found) = 0 then plainto_tsquery(language, other) else found || plainto_tsquery(language, other) end;
  end loop;
  return found;
end
$$;

comment on function app_hidden.words_for(text, text) is 'What to look for when somebody writes a word: itself, and the words that begin with it (`complete`) or look like it (`mend`).';

create or replace function app_hidden.search_terms(query text) returns table (place bigint, is_negated boolean, key text, value text, is_phrase boolean)
  language sql immutable
  set search_path = ''
as $$
  select
    term.place,
    term.parts[1] = '-',
    case when known.key is not null then known.key end,
    case when known.key is null and term.parts[2] is not null then term.parts[2] || ':' else '' end || coalesce(term.parts[3], term.parts[4]),
    term.parts[3] is not null
  from regexp_matches(search_terms.query, '(-?)(?:([[:alpha:]_]+):)?(?:"([^"]*)"?|(\S+))', 'g') with ordinality as term (parts, place)
  left join (
    values
      ('status'), ('is'), ('priority'), ('channel'), ('assignee'), ('requester'), ('team'), ('service'), ('company'), ('tag'),
      ('created'), ('updated')
  ) as known (key) on known.key = lower(term.parts[2])
$$;

comment on function app_hidden.search_terms(text) is 'The terms of a search. What stands before a colon and is no filter is a word like any other.';

create or replace function app_hidden.search_condition(key text, value text) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  word constant text := lower(replace(value, '-', '_'));
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  ids uuid[];
  comparison text[];
  instant timestamptz;
begin
  if not app_hidden.is_staff() and key in ('assignee', 'team', 'company', 'tag') then
    raise exception using errcode = 'AD160', message = format('Only staff search by %s', key);
  end if;

  case key
    when 'status' then
      if word in ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed') then
        return jsonb_build_object('field', 'status', 'operator', 'is', 'value', word);
      end if;
      select array_agg(state.id) into ids
      from app_public.ticket_states as state
      where state.organization_id = caller_organization_id and lower(state.name) = lower(search_condition.value);
      if ids is null then
        raise exception using errcode = 'AD160', message = format('There is no status "%s"', left(value, 40));
      end if;
      return jsonb_build_object('field', 'state_id', 'operator', 'is', 'value', to_jsonb(ids));

    when 'is' then
      case
        when word in ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed') then
          return jsonb_build_object('field', 'status', 'operator', 'is', 'value', word);
        when word in ('unresolved', 'unsolved') then
          return '{"field": "status", "operator": "is", "value": ["new", "open", "pending", "on_hold"]}';
        when word = 'unassigned' and app_hidden.is_staff() then
          return '{"field": "assignee_id", "operator": "is_empty"}';
        when word in ('breached', 'snoozed', 'watched') and app_hidden.is_staff() then
          return jsonb_build_object('field', word, 'operator', 'is', 'value', true);
        else
          raise exception using errcode = 'AD160', message = format('"is:%s" is none of unresolved, unassigned, breached, snoozed, watched or a status', left(value, 40));
      end case;

    when 'priority', 'channel' then
      if word not in (
        select label.enumlabel
        from pg_catalog.pg_enum as label
        where label.enumtypid = ('app_public.ticket_' || key)::pg_catalog.regtype
      ) then
        raise exception using errcode = 'AD160', message = format('There is no %s "%s"', key, left(value, 40));
      end if;
      return jsonb_build_object('field', key, 'operator', 'is', 'value', word);

    when 'created', 'updated' then
      comparison := regexp_match(value, '^(>=|<=|>|<)?(\d{4}-\d{2}-\d{2})$');
      if comparison is null or not pg_input_is_valid(comparison[2], 'date') then
        raise exception using errcode = 'AD160', message = format('"%s:" needs a day such as >2026-01-31', key);
      end if;
      -- A day is one where the reader lives.
      select comparison[2]::date::timestamp at time zone coalesce(person.time_zone, organization.time_zone) into instant
      from app_public.organizations as organization
      left join lateral app_hidden.current_time_zone() as person (time_zone) on true
      where organization.id = caller_organization_id;
      return case coalesce(comparison[1], '=')
        when '>' then jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant + interval '1 day' - interval '1 microsecond')
        when '>=' then jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant - interval '1 microsecond')
        when '<' then jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant)
        when '<=' then jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant + interval '1 day')
        else jsonb_build_array(
          jsonb_build_object('field', key || '_at', 'operator', 'after', 'value', instant - interval '1 microsecond'),
          jsonb_build_object('field', key || '_at', 'operator', 'before', 'value', instant + interval '1 day')
        )
      end;

    when 'assignee', 'requester' then
      if word = 'none' and key = 'assignee' then
        return '{"field": "assignee_id", "operator": "is_empty"}';
      end if;
      if word = 'me' then
        return jsonb_build_object('field', key || '_id', 'operator', 'is', 'value', 'me');
      end if;
      ids := app_hidden.people_named(value);

    when 'team' then
      select array_agg(team.id) into ids
      from app_public.teams as team
      where team.organization_id = caller_organization_id and starts_with(lower(team.name), lower(search_condition.value));

    when 'service' then
      select array_agg(service.id) into ids
      from app_public.services as service
      where service.organization_id = caller_organization_id and starts_with(lower(service.name), lower(search_condition.value));

    when 'company' then
      select array_agg(company.id) into ids
      from app_public.companies as company
      where company.organization_id = caller_organization_id and starts_with(lower(company.name), lower(search_condition.value));
  end case;

  -- A name that nobody has is on no ticket; so is this id.
  return jsonb_build_object('field', key || '_id', 'operator', 'is', 'value', to_jsonb(coalesce(ids[:100], array['00000000-0000-0000-0000-000000000000'::uuid])));
end
$$;

comment on function app_hidden.search_condition(text, text) is 'A filter of a search as a condition on tickets, or a list of conditions. Error SEARCH_INVALID.';

-- Customers search too, by the conditions that search_condition lets them have.
create or replace function app_hidden.search_condition_sql(conditions jsonb) returns text
  language sql stable security definer
  set search_path = ''
as $$
  select app_hidden.ticket_condition_sql(jsonb_build_object('all', conditions))
$$;

comment on function app_hidden.search_condition_sql(jsonb) is 'The filters of a search as SQL.';

create or replace function app_hidden.current_time_zone() returns text
  language sql stable security definer
  set search_path = ''
as $$
  select person.time_zone
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_time_zone() is 'The time zone the caller chose, or null.';

create or replace function app_hidden.people_named(name text) returns uuid[]
  language plpgsql stable
  set search_path = ''
as $$
declare
  ids uuid[];
begin
  if app_hidden.is_staff() then
    select array_agg(named.id) into ids
    from (
      select person.id
      from app_public.users as person
      where person.organization_id = app_hidden.current_organization_id()
        and (
          position(lower(people_named.name) in lower(person.name)) > 0
          or starts_with(lower(person.email::text), lower(people_named.name))
        )
      order by starts_with(lower(person.name), lower(people_named.name)) desc, person.name
      limit 100
    ) as named;
  else
    -- Customers do not read mail addresses.
    select array_agg(named.id) into ids
    from (
      select person.id
      from app_public.users as person
      where person.organization_id = app_hidden.current_organization_id()
        and position(lower(people_named.name) in lower(person.name)) > 0
      limit 100
    ) as named;
  end if;
  return ids;
end
$$;

comment on function app_hidden.people_named(text) is 'Up to a hundred people the caller sees whose name contains this or, for staff, whose mail address begins with it.';

create or replace function app_hidden.read_ticket_search(query text, way text default 'complete') returns app_hidden.ticket_query
  language plpgsql stable
  set search_path = ''
as $$
declare
  language constant regconfig := app_hidden.search_language();
  read app_hidden.ticket_query;
  term record;
  words integer := 0;
  asked jsonb;
  last_place bigint;
  part tsquery;
begin
  read.words := ''::tsquery;
  read.marked := ''::tsquery;
  read.filters := ''::tsquery;
  read.conditions := '[]';
  read.is_empty := true;
  select max(terms.place) filter (where terms.key is null and not terms.is_negated and not terms.is_phrase) into last_place
  from app_hidden.search_terms(query) as terms;

  for term in select * from app_hidden.search_terms(query) as terms order by terms.place loop
    if term.key is null then
      if term.value !~ '[[:alnum:]]' then
        continue;
      end if;
      words := words + 1;
      read.is_empty := false;
      if not term.is_negated and not term.is_phrase and term.value ~* '^(#|[a-z][a-z0-9]{0,9}-)?\d{1,9}$' then
        read.number_digits := ltrim(substring(term.value from '\d+$'), '0');
      end if;
      part := case
        when term.is_phrase then phraseto_tsquery(language, term.value)
        when term.is_negated then plainto_tsquery(language, term.value)
        -- The last word may not be finished yet.
        when way = 'mend' or term.place = last_place then app_hidden.words_for(term.value, way)
        else plainto_tsquery(language, term.value)
      end;
      if numnode(part) > 0 then
        read.words := app_hidden.both(read.words, case when term.is_negated then !!part else part end);
        if not term.is_negated then
          read.marked := case when numnode(read.marked) = 0 then part else read.marked || part end;
        end if;
      end if;
    elsif term.key = 'tag' and app_hidden.is_staff() then
      read.is_empty := false;
      part := app_hidden.lexeme(app_hidden.tag_word(lower(term.value)));
      read.filters := app_hidden.both(read.filters, case when term.is_negated then !!part else part end);
    else
      read.is_empty := false;
      asked := app_hidden.search_condition(term.key, term.value);
      if term.is_negated then
        if jsonb_typeof(asked) = 'array' then
          raise exception using errcode = 'AD160', message = 'A day cannot be left out; search before or after it';
        end if;
        asked := case asked ->> 'operator'
          when 'is' then case
            when jsonb_typeof(asked -> 'value') = 'boolean' then asked || '{"value": false}'
            else asked || '{"operator": "is_not"}'
          end
          when 'is_not' then asked || '{"operator": "is"}'
          when 'is_empty' then asked || '{"operator": "is_not_empty"}'
          when 'before' then asked || jsonb_build_object('operator', 'after', 'value', (asked ->> 'value')::timestamptz - interval '1 microsecond')
          else asked || jsonb_build_object('operator', 'before', 'value', (asked ->> 'value')::timestamptz + interval '1 microsecond')
        end;
      end if;
      read.conditions := read.conditions || asked;
    end if;
  end loop;

  if words <> 1 then
    read.number_digits := null;
  end if;
  return read;
end
$$;

comment on function app_hidden.read_ticket_search(text, text) is 'Takes a search apart; its last word may be the beginning of one, or each may be misspelt (`mend`). Error SEARCH_INVALID.';

create or replace function app_hidden.both(one tsquery, other tsquery) returns tsquery
  language sql immutable
  return case when numnode(one) = 0 then other when numnode(other) = 0 then one else one && other end;

create or replace function app_hidden.lexeme(word text) returns tsquery
  language sql immutable
  return ('''' || replace(replace(word, chr(92), repeat(chr(92), 2)), '''', '''''') || '''')::tsquery;

create or replace function app_hidden.in_weights(words tsquery, weights text) returns tsquery
  language sql immutable
  return regexp_replace(words::text, '(''(?:[^'']|'''')*'')', '\1:' || weights, 'g')::tsquery;

create or replace function app_hidden.readable(words tsquery) returns tsquery
  language sql stable
  return case when app_hidden.is_staff() then words else app_hidden.in_weights(words, 'AB') end;

comment on function app_hidden.readable(tsquery) is 'A search of what the caller may read: customers neither find nor miss a ticket by what is internal.';
comment on function app_hidden.both(tsquery, tsquery) is 'Two searches at once; nothing asked for changes nothing.';
comment on function app_hidden.lexeme(text) is 'One word exactly as it is in a document.';
comment on function app_hidden.in_weights(tsquery, text) is 'A search that looks at some weights of documents only.';

revoke all on function
  app_hidden.searched_words(), app_private.similar_words(text), app_private.completed_words(text), app_hidden.words_for(text, text),
  app_hidden.search_terms(text), app_hidden.search_condition(text, text), app_hidden.search_condition_sql(jsonb),
  app_hidden.current_time_zone(), app_hidden.people_named(text), app_hidden.read_ticket_search(text, text),
  app_hidden.both(tsquery, tsquery), app_hidden.lexeme(text), app_hidden.in_weights(tsquery, text), app_hidden.readable(tsquery)
from public;

grant execute on function
  app_hidden.searched_words(), app_hidden.words_for(text, text), app_hidden.search_terms(text), app_hidden.search_condition(text, text),
  app_hidden.current_time_zone(), app_hidden.people_named(text), app_hidden.read_ticket_search(text, text),
  app_hidden.both(tsquery, tsquery), app_hidden.lexeme(text), app_hidden.in_weights(tsquery, text), app_hidden.readable(tsquery),
  app_hidden.search_condition_sql(jsonb)
to atum_customer, atum_agent;
