-- Arithmetic: pure functions over a calendar as jsonb, `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25"]}`.

create or replace function app_hidden.local_instant(local_time timestamp, time_zone text) returns timestamptz
  language sql stable parallel safe
  set search_path = ''
as $$
  -- Postgres takes the second of two instants that a clock shows twice, and moves a time that a clock skips forward.
  -- The first of the two is what an hour of opening means, so the offset of the day before is tried first.
  select case
    when earlier.instant < later.instant and earlier.instant at time zone time_zone = local_time then earlier.instant
    else later.instant
  end
  from (select local_time at time zone time_zone as instant) as later
  cross join lateral (
    select (
      local_time - ((later.instant - interval '1 day') at time zone time_zone - (later.instant - interval '1 day') at time zone 'UTC')
    ) at time zone 'UTC' as instant
  ) as earlier
$$;

comment on function app_hidden.local_instant(timestamp, text) is
  'The instant at which a clock in a time zone shows a local time: the first of two when clocks go back, moved forward when clocks skip it.';

create or replace function app_hidden.check_calendar(calendar jsonb) returns void
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  hours constant jsonb := calendar -> 'hours';
begin
  if hours = '"always_open"' then
    return;
  end if;
  if hours is null or jsonb_typeof(hours) <> 'object' or not jsonb_path_exists(hours, '$.*[*]') then
    raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
  end if;
  -- Strict, because lax paths unwrap the very arrays whose shape is checked.
  if jsonb_path_exists(hours, 'strict $.keyvalue() ? (!(@.key like_regex "^(mon|tue|wed|thu|fri|sat|sun)$"))')
    or jsonb_path_exists(hours, 'strict $.* ? (@.type() != "array")')
    or jsonb_path_exists(hours, 'strict $.*[*] ? (@.type() != "array" || @.size() != 2)')
    or jsonb_path_exists(hours, 'strict $.*[*][*] ? (@.type() != "string" || !(@ like_regex "^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$"))')
    or jsonb_path_exists(hours, 'strict $.*[*] ? (@[0] == @[1])')
  then
    raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours or with times that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_open(calendar jsonb, span tstzrange) returns tstzmultirange
  language sql stable parallel safe
  set search_path = ''
as $$
  with days as (
    -- A day more on either side, for hours that go over midnight.
    select (lower(span) at time zone (calendar ->> 'tz'))::date - 1 + offset_days as day
    from generate_series(
      0,
      (upper(span) at time zone (calendar ->> 'tz'))::date - (lower(span) at time zone (calendar ->> 'tz'))::date + 1
    ) as offset_days
  ),
  opened as (
    select
      app_hidden.local_instant(days.day + (shift.hours ->> 0)::time, calendar ->> 'tz') as opens_at,
      app_hidden.local_instant(
        days.day + (shift.hours ->> 1)::time
          + case when (shift.hours ->> 1)::time <= (shift.hours ->> 0)::time then interval '1 day' else interval '0' end,
        calendar ->> 'tz'
      ) as closes_at
    from days
    cross join lateral jsonb_array_elements(
      calendar -> 'hours' -> (array['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'])[extract(dow from days.day)::integer + 1]
    ) as shift (hours)
  ),
  shut as (
    select
      app_hidden.local_instant(holiday::date::timestamp, calendar ->> 'tz') as shuts_at,
      app_hidden.local_instant((holiday::date + 1)::timestamp, calendar ->> 'tz') as opens_at
    from jsonb_array_elements_text(coalesce(calendar -> 'holidays', '[]')) as holiday
    where holiday::date between
      (lower(span) at time zone (calendar ->> 'tz'))::date - 1 and (upper(span) at time zone (calendar ->> 'tz'))::date + 1
  )
  select
    (
      case
        when calendar -> 'hours' = '"always_open"' then tstzmultirange(span)
        else coalesce(
          (select range_agg(tstzrange(opens_at, closes_at)) from opened where opens_at < closes_at), '{}'
        ) * tstzmultirange(span)
      end
    ) - coalesce((select range_agg(tstzrange(shuts_at, opens_at)) from shut), '{}')
$$;

comment on function app_hidden.business_open(jsonb, tstzrange) is 'The spans within a span in which a calendar is open.';

create or replace function app_hidden.business_due_at(
  calendar jsonb,
  start_at timestamptz,
  working_seconds bigint,
  paused tstzmultirange default '{}'
) returns timestamptz
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  forward constant boolean := working_seconds >= 0;
  remaining interval := make_interval(secs => abs(working_seconds));
  edge timestamptz := start_at;
  next_edge timestamptz;
  -- A first look as far as a full-time week would need, then twice as far each time.
  reach interval := make_interval(days => 3 + (abs(working_seconds) / 14400)::integer);
  open_span tstzrange;
  span_length interval;
begin
  perform app_hidden.check_calendar(calendar);
  if working_seconds <> 0 and remaining > interval '900000 hours' then
    raise exception using errcode = 'AD203', message = 'That is more than a hundred years of working time';
  end if;

  while edge between start_at - interval '120 years' and start_at + interval '120 years' loop
    next_edge := case when forward then edge + reach else edge - reach end;
    for open_span in
      select piece
      from unnest(
        app_hidden.business_open(calendar, tstzrange(least(edge, next_edge), greatest(edge, next_edge))) - paused
      ) as piece
      order by case when forward then lower(piece) end, lower(piece) desc
    loop
      span_length := make_interval(secs => extract(epoch from upper(open_span) - lower(open_span))::double precision);
      if remaining <= span_length then
        return case when forward then lower(open_span) + remaining else upper(open_span) - remaining end;
      end if;
      remaining := remaining - span_length;
    end loop;
    edge := next_edge;
    reach := least(reach * 2, interval '1000 days');
  end loop;

  raise exception using errcode = 'AD201', message = 'This calendar is never open long enough';
end
$$;

comment on function app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange) is
  'When so many seconds of working time have passed since an instant, without the paused spans. Ends at the closing instant when they end exactly there; zero is the first open instant; negative goes backwards. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_seconds(
  calendar jsonb,
  from_at timestamptz,
  to_at timestamptz,
  paused tstzmultirange default '{}'
) returns bigint
  language plpgsql stable parallel safe
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(calendar);
  if to_at < from_at then
    return -app_hidden.business_seconds(calendar, to_at, from_at, paused);
  end if;
  return (
    select coalesce(round(sum(extract(epoch from upper(piece) - lower(piece)))), 0)::bigint
    from unnest(app_hidden.business_open(calendar, tstzrange(from_at, to_at)) - paused) as piece
  );
end
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; negative when they are the other way round. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.calendar_of(policy app_public.sla_policies) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'tz', calendar.time_zone,
    'hours', calendar.hours,
    'holidays', coalesce((
      select jsonb_agg(holiday.held_on order by holiday.held_on)
      from app_public.sla_holidays as holiday
      where holiday.organization_id = calendar.organization_id and holiday.calendar_id = calendar.id
    ), '[]')
  )
  from app_public.sla_calendars as calendar
  where calendar.organization_id = policy.organization_id and calendar.id = policy.calendar_id
$$;

comment on function app_hidden.calendar_of(app_public.sla_policies) is 'The calendar of a policy in the shape the arithmetic takes.';

create or replace function app_private.tg_sla_calendars__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  perform app_hidden.check_calendar(jsonb_build_object('hours', NEW.hours));
  perform now() at time zone NEW.time_zone;
  return NEW;
end
$$;

comment on function app_private.tg_sla_calendars__refuse() is 'Refuses a calendar without hours, with times that are none, or in an unknown time zone.';

create or replace trigger _200_refuse before insert or update of hours, time_zone on app_public.sla_calendars
  for each row execute function app_private.tg_sla_calendars__refuse();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calendars
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_policies
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.sla_calculations
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.local_instant(timestamp, text), app_hidden.check_calendar(jsonb), app_hidden.business_open(jsonb, tstzrange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange),
  app_hidden.calendar_of(app_public.sla_policies), app_private.tg_sla_calendars__refuse()
from public;

grant execute on function
  app_hidden.local_instant(timestamp, text), app_hidden.check_calendar(jsonb), app_hidden.business_open(jsonb, tstzrange),
  app_hidden.business_due_at(jsonb, timestamptz, bigint, tstzmultirange),
  app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange)
to atum_agent, atum_worker;
