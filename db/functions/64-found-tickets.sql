-- What a search finds, and in which order.

create or replace function app_hidden.match_ranks(ticket_ids uuid[], words tsquery) returns table (ticket_id uuid, rank real)
  language sql stable security definer
  set search_path = ''
as $$
  select document.ticket_id, max(ts_rank('{0.2, 0.4, 0.4, 1.0}', document.words, match_ranks.words))
  from app_hidden.ticket_documents as document
  where document.organization_id = app_hidden.current_organization_id() and document.ticket_id = any (match_ranks.ticket_ids)
  group by document.ticket_id
$$;

comment on function app_hidden.match_ranks(uuid[], tsquery) is 'How well the tickets that the caller found match.';

create or replace function app_hidden.found_tickets(words tsquery, conditions text, number_digits text) returns uuid[]
  language plpgsql stable
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  organization_word constant tsquery := app_hidden.lexeme(app_hidden.organization_word(caller_organization_id));
  newest constant integer := app_hidden.newest_ticket_number();
  level record;
  found uuid[] := '{}';
  numbered uuid[];
  -- One more than are put in order, to know that there are more.
  enough constant integer := 201;
begin
  if number_digits <> '' then
    execute format(
      $sql$
        select array_agg(named.id)
        from (
          select ticket.id
          from unnest($2, $3) as range (first, last)
          cross join lateral (
            select ticket.id, ticket.number
            from app_public.tickets as ticket
            where ticket.organization_id = $1 and ticket.number between range.first and range.last and %s
            order by ticket.number desc
            limit 50
          ) as ticket
          limit 50
        ) as named
      $sql$,
      conditions
    )
    into numbered
    using
      caller_organization_id,
      array(select number_digits::bigint * power(10, more)::bigint from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1),
      array(select (number_digits::bigint + 1) * power(10, more)::bigint - 1 from generate_series(0, 9 - length(number_digits)) as more where more = 0 or length(number_digits) > 1);
  end if;

  if numnode(words) = 0 then
    if number_digits is null then
      execute format(
        $sql$
          select array_agg(newest.id)
          from (
            select ticket.id from app_public.tickets as ticket where ticket.organization_id = $1 and %s order by ticket.updated_at desc limit $2
          ) as newest
        $sql$,
        conditions
      )
      into found using caller_organization_id, enough;
    end if;
    return coalesce(numbered, '{}') || coalesce(found, '{}');
  end if;

  -- A word that is on every sixth ticket is found among the newest at once; one that is not there is rare, and all
  -- tickets that have it are few: as many of the newest as there are tell whether sixteen times as many would do.
  -- Customers see few tickets, so theirs are looked through first.
  for level in
    select *
    from (
      values
        (1, app_hidden.newest_blocks(caller_organization_id, newest, 2048, 1), greatest(newest / 2048 - 1, 0) * 2048),
        (2, app_hidden.newest_blocks(caller_organization_id, newest, 32768, 2), greatest(newest / 32768 - 1, 0) * 32768),
        (3, app_hidden.lexeme(app_hidden.organization_word(caller_organization_id)), 0)
    ) as levels (place, within, first_number)
    where app_hidden.is_staff() or place = 3
    order by place
  loop
    continue when level.place = 2 and coalesce(cardinality(found), 0) * 16 < enough;
    perform set_config('atum.searched_words', (level.within && words)::text, true);
    execute format(
      $sql$
        with matching as materialized (
          select ticket.number, ticket.id
          from app_hidden.ticket_documents as document
          join app_public.tickets as ticket on ticket.organization_id = document.organization_id and ticket.id = document.ticket_id
          where document.organization_id = $1 and ticket.organization_id = $1 and ticket.number >= $3 and %s
          limit 20000
        )
        select array_agg(newest.id) from (select distinct number, id from matching order by number desc limit $2) as newest
      $sql$,
      conditions
    )
    into found using caller_organization_id, enough, level.first_number;
    exit when cardinality(found) >= enough or level.first_number = 0;
  end loop;
  perform set_config('atum.searched_words', '', true);
  return coalesce(numbered, '{}') || coalesce(found, '{}');
end
$$;

comment on function app_hidden.found_tickets(tsquery, text, text) is 'The newest tickets the caller sees that have the words, after those with the number.';

create or replace function app_hidden.newest_blocks(organization_id uuid, newest integer, size integer, kind integer) returns tsquery
  language sql immutable
  return app_hidden.lexeme((app_hidden.block_words(organization_id, newest))[kind])
    || app_hidden.lexeme((app_hidden.block_words(organization_id, greatest(newest - size, 0)))[kind]);

comment on function app_hidden.newest_blocks(uuid, integer, integer, integer) is 'A search of the newest two blocks of numbers, small or large.';

create or replace function app_hidden.newest_ticket_number() returns integer
  language sql stable security definer
  set search_path = ''
as $$
  select counter.last_number
  from app_private.ticket_counters as counter
  where counter.organization_id = app_hidden.current_organization_id()
$$;

comment on function app_hidden.newest_ticket_number() is 'The highest number a ticket of the organization has.';

create or replace function app_public.search_tickets(query text, first integer default 20, after text default null) returns app_public.ticket_search
  language plpgsql stable
  set search_path = ''
  -- Reading a whole table is reading what is everybody's; an organization waits for its own size at most.
  set enable_seqscan = off
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  language constant regconfig := app_hidden.search_language();
  read app_hidden.ticket_query;
  conditions text;
  found uuid[];
  skipped integer := 0;
  answer app_public.ticket_search;
  -- No text has them, since those it came with are taken out; so no match can be forged, and there is no HTML in it.
  marks constant text := U&'\E000\E001';
  marking constant text := U&'StartSel="\E000", StopSel="\E001"';
begin
  if length(query) > 500 then
    raise exception using errcode = 'AD160', message = 'A search has at most 500 characters';
  end if;
  -- Null is no number of tickets, and would be no limit.
  first := coalesce(first, 20);
  if first not between 1 and 50 then
    raise exception using errcode = 'AD160', message = 'A page has 1 to 50 tickets';
  end if;
  if after is not null then
    if after !~ '^\d{1,3}$' then
      raise exception using errcode = 'AD160', message = 'This is no cursor of a search';
    end if;
    skipped := after;
  end if;

  answer.matches := '{}';
  answer.is_capped := false;
  answer.is_mended := false;
  read := app_hidden.read_ticket_search(query);
  -- Nothing but words that every text has, such as "the".
  if read.is_empty or (numnode(read.words) = 0 and numnode(read.filters) = 0 and read.conditions = '[]' and read.number_digits is null) then
    return answer;
  end if;

  if jsonb_array_length(read.conditions) > 20 then
    raise exception using errcode = 'AD160', message = 'A search has at most 20 filters';
  end if;
  conditions := app_hidden.search_condition_sql(read.conditions);
  found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, read.number_digits);

  if cardinality(found) = 0 and numnode(read.words) > 0 then
    read := app_hidden.read_ticket_search(query, 'mend');
    found := app_hidden.found_tickets(app_hidden.both(app_hidden.readable(read.words), read.filters), conditions, null);
    answer.is_mended := cardinality(found) > 0;
  end if;
  answer.is_capped := cardinality(found) > 200;

  with hits as (
    select hit.ticket_id, min(hit.position) as position
    -- Where nothing is to be ranked, they are in order already.
    from unnest(found[:case when numnode(read.words) = 0 and read.number_digits is null then least(skipped + first + 1, 200) else 200 end])
      with ordinality as hit (ticket_id, position)
    group by hit.ticket_id
  ),
  ranked as (
    select
      ticket.id, ticket.subject, hits.position,
      case
        when ticket.number::text = read.number_digits then 3
        when starts_with(ticket.number::text, read.number_digits) then 2
        when numnode(read.words) = 0 then 0
        else match.rank
      end::real as rank
    from hits
    join app_public.tickets as ticket on ticket.organization_id = caller_organization_id and ticket.id = hits.ticket_id
    left join app_hidden.match_ranks(found[:200], app_hidden.readable(read.words)) as match (ticket_id, rank)
      on match.ticket_id = hits.ticket_id and numnode(read.words) > 0
    order by rank desc, hits.position
    limit first + 1
    offset skipped
  )
  select
    array_agg(
      (
        caller_organization_id, ranked.id,
        case
          when numnode(read.marked) = 0 then ranked.subject
          else ts_headline(language, translate(ranked.subject, marks, ''), read.marked, 'HighlightAll=true, ' || marking)
        end,
        said.excerpt, ranked.rank
      )::app_public.ticket_match
      order by ranked.rank desc, ranked.position
    )
  into answer.matches
  from ranked
  left join lateral (
    select ts_headline(language, translate(best.body, marks, ''), read.marked, 'MaxWords=36, MinWords=18, ' || marking) as excerpt
    from (
      select comment.body
      from (
        select latest.body, sum(length(latest.body)) over (order by latest.created_at desc, latest.id desc) as so_far
        from (
          select said.id, said.created_at, left(said.body, 20000) as body
          from app_public.comments as said
          where said.organization_id = caller_organization_id and said.ticket_id = ranked.id
          order by said.created_at desc
          limit 50
        ) as latest
      ) as comment
      cross join lateral (select to_tsvector(language, comment.body) as words offset 0) as read_again
      -- However much somebody pours into a ticket, whoever finds it does not wait for all of it.
      where comment.so_far - length(comment.body) < 60000 and read_again.words @@ read.marked
      order by ts_rank(read_again.words, read.marked) desc
      limit 1
    ) as best
    where numnode(read.marked) > 0
  ) as said on true;

  if cardinality(answer.matches) > first then
    answer.next_cursor := skipped + first;
    answer.matches := answer.matches[:first];
  end if;
  answer.matches := coalesce(answer.matches, '{}');
  return answer;
end
$$;

comment on function app_public.search_tickets(text, integer, text) is
  'Searches the tickets the caller sees: their subjects, conversations and custom fields; for staff also internal comments and fields, tags, and the requester''s name and mail address. `query` has up to 500 characters: words that must all be there, "exact phrases", -words that must not; the last word may be the beginning of one, and a number is also that of a ticket. Filters: status, is (unresolved, unassigned, breached, snoozed, watched), priority, channel, assignee and requester (me, or a name), team, service, company, tag, created and updated (a day, or with >, >=, <, <= before it); -filter: leaves out. A page has `first` (1 to 50) matches; `after` is the `nextCursor` of the one before. The newest 200 tickets that match are put in order. Errors: SEARCH_INVALID.';

revoke all on function
  app_hidden.match_ranks(uuid[], tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
from public;

grant execute on function
  app_hidden.match_ranks(uuid[], tsquery), app_hidden.found_tickets(tsquery, text, text),
  app_hidden.newest_blocks(uuid, integer, integer, integer), app_hidden.newest_ticket_number(),
  app_public.search_tickets(text, integer, text)
to atum_customer, atum_agent;
