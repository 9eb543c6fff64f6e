-- Arithmetic: pure functions over a calendar as jsonb,
-- `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25", "12-26", {"from": "2026-08-03", "to": "2026-08-14"},
-- {"from": "12-27", "to": "01-02"}, {"date": "12-24", "from": "12:00", "to": "24:00"}]}`.

create or replace function app_hidden.local_instant(local_time timestamp, time_zone text) returns timestamptz
  language sql stable parallel safe
  -- Postgres takes the second of two instants at which a clock shows the same time, and moves a time that a clock skips
  -- forward. What opening hours mean is the first of the two, so the offset of the day before is tried first.
  return case
    when (
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC'
    ) at time zone time_zone = local_time
    then least(
      (local_time - (((local_time at time zone time_zone) - interval '1 day') at time zone time_zone
        - ((local_time at time zone time_zone) - interval '1 day') at time zone 'UTC')) at time zone 'UTC',
      local_time at time zone time_zone
    )
    else local_time at time zone time_zone
  end;

comment on function app_hidden.local_instant(timestamp, text) is
  'The instant at which a clock in a time zone shows a local time: the first of two when clocks go back, moved forward when clocks skip it.';

create or replace function app_hidden.are_hours(hours jsonb) returns boolean
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{mon,tue,wed,thu,fri,sat,sun}';
  weekday text;
  hours_of_day text;
  hours_before text := '[]';
begin
  if jsonb_typeof(hours) <> 'object' or hours - weekdays <> '{}' then
    return false;
  end if;
  foreach weekday in array weekdays loop
    hours_of_day := hours ->> weekday;
    -- Most days are like the one before, and the text of a jsonb value is always written the same way.
    if hours_of_day <> hours_before and hours_of_day <> '[]' then
      if hours_of_day !~ '^\[(?:\["(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)", "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)"\](?:, )?)*\]$' then
        return false;
      end if;
      hours_before := hours_of_day;
    end if;
  end loop;
  return hours_before <> '[]';
end
$$;

comment on function app_hidden.are_hours(jsonb) is 'Whether a value is working hours: by weekday, pairs of times between 00:00 and 24:00, and not none at all.';

create or replace function app_hidden.is_day(day text) returns boolean
  language sql stable parallel safe
  return coalesce(
    day ~ '^(?:\d{4}-)?\d\d-\d\d$' and pg_input_is_valid(case when length(day) = 5 then '2024-' || day else day end, 'date'), false
  );

comment on function app_hidden.is_day(text) is 'Whether a text is a date, `2026-12-25`, or a day of every year, `12-25`.';

create or replace function app_hidden.check_calendar(calendar jsonb) returns void
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  hours constant jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
begin
  if hours is distinct from '"always_open"' then
    if hours is null or jsonb_typeof(hours) <> 'object' or hours::text !~ '\[\[' then
      raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
    end if;
    if not app_hidden.are_hours(hours) then
      raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
    end if;
  end if;

  if jsonb_typeof(holidays) <> 'array' or exists (
    select
    from jsonb_array_elements(holidays) as holiday
    where case jsonb_typeof(holiday)
      when 'string' then not app_hidden.is_day(holiday #>> '{}')
      when 'object' then not coalesce(
        case
          when holiday ? 'date' then
            app_hidden.is_day(holiday ->> 'date')
            and holiday ->> 'from' ~ '^(?:[01][0-9]|2[0-3]):[0-5][0-9]$' and holiday ->> 'to' ~ '^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
            and holiday ->> 'from' < holiday ->> 'to'
          else
            app_hidden.is_day(holiday ->> 'from') and app_hidden.is_day(holiday ->> 'to')
            and length(holiday ->> 'from') = length(holiday ->> 'to')
            and (length(holiday ->> 'from') = 5 or holiday ->> 'from' <= holiday ->> 'to')
        end,
        false
      )
      else true
    end
  ) then
    raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours, or with times or holidays that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_holidays(holidays jsonb, first_day date, last_day date, in_part boolean) returns datemultirange
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  holiday jsonb;
  first_text text;
  last_text text;
  first_of_month date;
  last_of_month date;
  lowest constant text := to_char(first_day, 'YYYY-MM-DD');
  highest constant text := to_char(last_day, 'YYYY-MM-DD');
  is_one_year constant boolean := left(lowest, 4) = left(highest, 4);
  found_days datemultirange := '{}';
begin
  for index in 0 .. jsonb_array_length(holidays) - 1 loop
    first_text := holidays ->> index;
    last_text := first_text;
    -- Dates are the most, and most of them are not near.
    continue when length(first_text) <= 10 and in_part or length(first_text) = 10 and (first_text < lowest or first_text > highest);
    if length(first_text) > 10 then
      holiday := holidays -> index;
      continue when holiday ? 'date' <> in_part;
      first_text := coalesce(holiday ->> 'date', holiday ->> 'from');
      last_text := coalesce(holiday ->> 'date', holiday ->> 'to');
    end if;
    -- Those of every year are as easily told to be elsewhere, unless a year ends on the way.
    continue when length(first_text) = 5 and length(last_text) = 5 and is_one_year and first_text <= last_text
      and (last_text < right(lowest, 5) or first_text > right(highest, 5));

    if length(first_text) = 10 and length(last_text) = 10 then
      found_days := found_days + datemultirange(daterange(first_text::date, last_text::date, '[]'));
    elsif length(first_text) = 5 and length(last_text) = 5 then
      -- One that goes over the end of the year may have begun in the year before.
      for year in extract(year from first_day)::integer - 1 .. extract(year from last_day)::integer loop
        first_of_month := make_date(year, left(first_text, 2)::integer, 1);
        last_of_month := make_date(year + (last_text < first_text)::integer, left(last_text, 2)::integer, 1);
        -- The 29th of February is not held in a year without one.
        found_days := found_days + datemultirange(daterange(
          first_of_month + right(first_text, 2)::integer - 1,
          least(last_of_month + right(last_text, 2)::integer, (last_of_month + interval '1 month')::date)
        ));
      end loop;
    else
      raise exception using errcode = 'AD202', message = 'A holiday is a date, a day of every year, a span of either, or a part of a day';
    end if;
  end loop;
  return found_days;
end
$$;

comment on function app_hidden.business_holidays(jsonb, date, date, boolean) is 'The local days near a span of days that are shut: those shut in part, or those shut from midnight to midnight.';

create or replace function app_hidden.business_shut(holidays jsonb, day date, zone text) returns tstzmultirange
  language sql stable parallel safe
  set search_path = ''
as $$
  select coalesce(range_agg(tstzrange(part.from_at, greatest(part.from_at, part.to_at))), '{}')
  from jsonb_array_elements(holidays) as holiday
  cross join lateral (
    select
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'from')::interval else '00:00' end, zone) as from_at,
      app_hidden.local_instant(day + case when holiday ? 'date' then (holiday ->> 'to')::interval else '24:00' end, zone) as to_at
  ) as part
  where app_hidden.business_holidays(jsonb_build_array(holiday), day, day, holiday ? 'date') @> day
$$;

comment on function app_hidden.business_shut(jsonb, date, text) is 'The spans of a local day in which its holidays shut the calendar.';

create or replace function app_hidden.business_shifts(hours text) returns interval[]
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  -- JSON and arrays differ in their brackets, and this is the quickest way from one to the other.
  shifts constant interval[] := translate(hours, '[]', '{}');
begin
  for index in 2 .. coalesce(array_length(shifts, 1), 0) loop
    if shifts[index][1] < shifts[index - 1][1] then
      return array(
        select array[opening, closing]
        from unnest(shifts[:][1:1]) with ordinality as openings (opening, place)
        join unnest(shifts[:][2:2]) with ordinality as closings (closing, place) using (place)
        order by opening
      );
    end if;
  end loop;
  return shifts;
end
$$;

comment on function app_hidden.business_shifts(text) is 'The hours of one day as pairs of times since midnight, by when they open.';

-- The one walk over working time: day by day, and by whole weeks where a week is like any other. Instants are microseconds
-- since 1970 within it: arithmetic with them is exact, costs a fraction of that with intervals, and means the same in every
-- session's time zone.
create or replace function app_hidden.business_walk(
  calendar jsonb, start_at timestamptz, working_time double precision, stop_at timestamptz, paused tstzmultirange,
  out reached_at timestamptz, out worked double precision
)
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
  second constant double precision := 1e6;
  day_length constant double precision := 86400 * second;
  zone constant text := calendar ->> 'tz';
  hours jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
  has_holidays constant boolean := holidays <> '[]';
  has_parts constant boolean := has_holidays and holidays::text like '%"date"%';
  has_pauses constant boolean := paused <> '{}';
  start constant double precision := round(date_part('epoch', start_at) * second);
  stop constant double precision := coalesce(round(date_part('epoch', stop_at) * second), 'infinity');
  target constant double precision := coalesce(working_time, 'infinity');
  -- A day earlier, for hours that go over midnight.
  day date := (start_at at time zone zone)::date - 1;
  -- From here on it pays to know what a whole week comes to.
  weekly_from constant date := day + 10;
  week double precision;
  midnight double precision;
  next_midnight double precision;
  day_before double precision := 0;
  -- Up to here everything is counted; shifts that overlap are not counted twice.
  edge double precision := start;
  looked_until date := day - 1;
  shut_days datemultirange;
  special_days datemultirange;
  hours_of_day text;
  hours_before text;
  shifts interval[];
  opens double precision;
  closes double precision;
  is_special boolean;
  has_holes boolean;
  shut tstzmultirange;
  piece tstzrange;
begin
  if hours = '"always_open"' then
    hours := '{"sun": [["00:00", "24:00"]], "mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]], "wed": [["00:00", "24:00"]], "thu": [["00:00", "24:00"]], "fri": [["00:00", "24:00"]], "sat": [["00:00", "24:00"]]}';
  elsif app_hidden.are_hours(hours) is not true then
    perform app_hidden.check_calendar(calendar);
  end if;

  if zone is null then
    raise exception using errcode = 'AD202', message = 'A calendar needs a time zone';
  end if;

  worked := 0;
  midnight := date_part('epoch', app_hidden.local_instant(day, zone)) * second;
  while midnight < stop loop
    -- A calendar that is never open long enough.
    exit when midnight - start > 120 * 366 * day_length;

    if has_holidays and day >= looked_until then
      looked_until := day + 12 + least((target - worked) / (14400 * second), 800)::integer;
      shut_days := app_hidden.business_holidays(holidays, day - 1, looked_until + 10, false);
      special_days := shut_days;
      if has_parts then
        special_days := special_days + app_hidden.business_holidays(holidays, day - 1, looked_until + 10, true);
      end if;
    end if;

    if day > weekly_from then
      if week is null then
        week := (
          app_hidden.business_walk(
            jsonb_build_object('tz', 'UTC', 'hours', hours), '2024-01-08 00:00Z', null, '2024-01-15 00:00Z', '{}'
          )
        ).worked;
      end if;
      -- A week like any other: no holiday, no change of the clocks and no pause in it or beside it.
      if target - worked > week and midnight + 8 * day_length <= stop and midnight - day_before = day_length
        and to_timestamp((midnight + 8 * day_length) / second) at time zone zone = day + 8
        and not (has_holidays and special_days && daterange(day - 1, day + 8))
        and not (has_pauses and paused && tstzrange(to_timestamp(midnight / second), to_timestamp((midnight + 8 * day_length) / second)))
      then
        worked := worked + week;
        edge := edge + 7 * day_length;
        day := day + 7;
        midnight := midnight + 7 * day_length;
        day_before := midnight - day_length;
        continue;
      end if;
    end if;

    next_midnight := midnight + day_length;
    if to_timestamp(next_midnight / second) at time zone zone <> day + 1 then
      next_midnight := date_part('epoch', app_hidden.local_instant(day + 1, zone)) * second;
    end if;

    hours_of_day := hours ->> weekdays[date_part('dow', day)::integer + 1];
    -- Most days are like the one before.
    if hours_of_day is distinct from hours_before then
      shifts := app_hidden.business_shifts(hours_of_day);
      hours_before := hours_of_day;
    end if;

    is_special := has_holidays and special_days @> day;
    for index in 1 .. coalesce(array_length(shifts, 1), 0) loop
      exit when is_special and shut_days @> day;
      opens := midnight + date_part('epoch', shifts[index][1]) * second;
      closes := midnight + date_part('epoch', shifts[index][2]) * second;
      if opens = closes then
        raise exception using errcode = 'AD202', message = 'Working hours cannot close when they open';
      end if;
      if closes < opens or next_midnight - midnight <> day_length then
        opens := date_part('epoch', app_hidden.local_instant(day + shifts[index][1], zone)) * second;
        closes := date_part('epoch', app_hidden.local_instant(
          day + shifts[index][2] + case when shifts[index][2] < shifts[index][1] then interval '24 hours' else '0' end, zone
        )) * second;
      end if;
      has_holes := has_pauses;
      shut := '{}';
      if is_special then
        shut := app_hidden.business_shut(holidays, day, zone);
        -- Nobody begins a shift when the rest of the day is shut.
        continue when shut @> tstzrange(to_timestamp(opens / second), to_timestamp(next_midnight / second));
        has_holes := true;
      end if;
      if has_holidays and closes > next_midnight and special_days @> day + 1 then
        shut := shut + app_hidden.business_shut(holidays, day + 1, zone);
        has_holes := true;
      end if;

      opens := greatest(opens, edge);
      closes := least(closes, stop);
      continue when closes <= opens;
      edge := closes;

      if not has_holes or not shut + paused && tstzrange(to_timestamp(opens / second), to_timestamp(closes / second)) then
        if target - worked <= closes - opens then
          reached_at := to_timestamp((opens + target - worked) / second);
          return;
        end if;
        worked := worked + closes - opens;
      else
        for piece in
          select unnest(tstzmultirange(tstzrange(to_timestamp(opens / second), to_timestamp(closes / second))) - shut - paused)
        loop
          opens := round(date_part('epoch', lower(piece)) * second);
          closes := round(date_part('epoch', upper(piece)) * second);
          if target - worked <= closes - opens then
            reached_at := to_timestamp((opens + target - worked) / second);
            return;
          end if;
          worked := worked + closes - opens;
        end loop;
      end if;
    end loop;

    day := day + 1;
    day_before := midnight;
    midnight := next_midnight;
  end loop;
end
$$;

comment on function app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange) is
  'Walks from an instant until so many microseconds are worked, or until another instant; what is null has no end but that of 120 years. Says when the working time was reached, or else how much was worked, in microseconds.';

create or replace function app_hidden.business_due_at(
  calendar jsonb,
  start_at timestamptz,
  working_seconds bigint,
  paused tstzmultirange default '{}'
) returns timestamptz
  language plpgsql stable strict parallel safe
  set search_path = ''
as $$
declare
  reach interval := make_interval(hours => 240 + (-working_seconds / 600)::integer);
  worked double precision;
  due_at timestamptz;
begin
  if abs(working_seconds) > 3240000000 then
    raise exception using errcode = 'AD203', message = 'That is more than a hundred years of working time';
  end if;
  if working_seconds >= 0 then
    due_at := (app_hidden.business_walk(calendar, start_at, working_seconds * 1e6::double precision, null, paused)).reached_at;
    if due_at is null then
      raise exception using errcode = 'AD201', message = 'This calendar is never open long enough';
    end if;
    return due_at;
  end if;

  -- Backwards is forwards from far enough before, and then on to the opening when it ends at a closing.
  while reach < interval '1100000 hours' loop
    worked := (app_hidden.business_walk(calendar, start_at - reach, null, start_at, paused)).worked;
    if worked + working_seconds * 1e6::double precision >= 0 then
      return (
        app_hidden.business_walk(
          calendar,
          (app_hidden.business_walk(calendar, start_at - reach, worked + working_seconds * 1e6::double precision, null, paused)).reached_at,
          0, null, paused
        )
      ).reached_at;
    end if;
    reach := reach * 2;
  end loop;
  raise exception using errcode = 'AD201', message = 'This calendar was never open long enough';
end
$$;

comment on function app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange) is
  'When so many seconds of working time have passed since an instant, without the paused spans. Ends at the closing instant when they end exactly there; zero is the first open instant; negative goes backwards. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID, SLA_TARGET_TOO_LONG.';

create or replace function app_hidden.business_seconds(
  calendar jsonb,
  from_at timestamptz,
  to_at timestamptz,
  paused tstzmultirange default '{}'
) returns bigint
  language sql stable strict parallel safe
  set search_path = ''
as $$
  select round((app_hidden.business_walk(calendar, from_at, null, greatest(from_at, to_at), paused)).worked / 1e6)::bigint
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; zero when the second is not after the first. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

revoke all on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
from public;

grant execute on function
  app_hidden.local_instant(timestamp, text), app_hidden.are_hours(jsonb), app_hidden.is_day(text), app_hidden.check_calendar(jsonb),
  app_hidden.business_holidays(jsonb, date, date, boolean), app_hidden.business_shut(jsonb, date, text), app_hidden.business_shifts(text),
  app_hidden.business_walk(jsonb, timestamptz, double precision, timestamptz, tstzmultirange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
to atum_agent, atum_worker;
