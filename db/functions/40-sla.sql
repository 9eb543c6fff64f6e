-- Arithmetic: pure functions over a calendar as jsonb, `{"tz": …, "hours": {"mon": [["09:00", "17:00"]]}, "holidays": ["2026-12-25"]}`.

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
  if hours is null or jsonb_typeof(hours) <> 'object' or hours::text !~ '\[\[' then
    raise exception using errcode = 'AD201', message = 'A calendar needs working hours';
  end if;
  -- The text of a jsonb value is always written the same way, and one regular expression over it, without captures,
  -- takes a fraction of the time of the JSON paths that say the same.
  if hours::text !~ '^\{(?:"(?:mon|tue|wed|thu|fri|sat|sun)": \[(?:\["(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)", "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?)"\](?:, )?)*\](?:, )?)*\}$'
  then
    raise exception using errcode = 'AD202', message = 'Working hours are pairs of times between 00:00 and 24:00 by weekday';
  end if;
end
$$;

comment on function app_hidden.check_calendar(jsonb) is 'Refuses a calendar without hours or with times that are none. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

create or replace function app_hidden.business_open(calendar jsonb, span tstzrange) returns tstzmultirange
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  weekdays constant text[] := '{sun,mon,tue,wed,thu,fri,sat}';
  zone constant text := calendar ->> 'tz';
  hours constant jsonb := calendar -> 'hours';
  holidays constant jsonb := coalesce(calendar -> 'holidays', '[]');
  always_open constant boolean := hours = '"always_open"';
  last_day constant date := (upper(span) at time zone zone)::date;
  -- A day more, for hours that go over midnight.
  day date := (lower(span) at time zone zone)::date - 1;
  midnight timestamptz := app_hidden.local_instant(day, zone);
  next_midnight timestamptz;
  shifts jsonb;
  opens time;
  closes time;
  opens_at timestamptz;
  closes_at timestamptz;
  opened tstzmultirange := case when always_open then tstzmultirange(span) else '{}' end;
  shut tstzmultirange := '{}';
begin
  while day <= last_day loop
    next_midnight := app_hidden.local_instant(day + 1, zone);

    if holidays ? to_char(day, 'YYYY-MM-DD') then
      shut := shut + tstzmultirange(tstzrange(midnight, next_midnight));
    elsif not always_open then
      shifts := hours -> weekdays[extract(dow from day)::integer + 1];
      for index in 0 .. coalesce(jsonb_array_length(shifts), 0) - 1 loop
        opens := (shifts -> index ->> 0)::time;
        closes := (shifts -> index ->> 1)::time;
        if closes = opens then
          raise exception using errcode = 'AD202', message = 'Working hours cannot close when they open';
        end if;
        if next_midnight - midnight = interval '24 hours' and closes > opens then
          opens_at := midnight + opens::interval;
          closes_at := midnight + closes::interval;
        else
          opens_at := app_hidden.local_instant(day + opens::interval, zone);
          closes_at := app_hidden.local_instant(
            day + closes::interval + case when closes <= opens then interval '1 day' else interval '0' end, zone
          );
        end if;
        if opens_at < closes_at then
          opened := opened + tstzmultirange(tstzrange(opens_at, closes_at));
        end if;
      end loop;
    end if;

    day := day + 1;
    midnight := next_midnight;
  end loop;
  return opened * tstzmultirange(span) - shut;
end
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
  if to_at <= from_at then
    return 0;
  end if;
  return (
    select coalesce(round(sum(extract(epoch from upper(piece) - lower(piece)))), 0)::bigint
    from unnest(app_hidden.business_open(calendar, tstzrange(from_at, to_at)) - paused) as piece
  );
end
$$;

comment on function app_hidden.business_seconds(jsonb, timestamptz, timestamptz, tstzmultirange) is
  'Whole seconds of working time between two instants, without the paused spans; zero when the second is not after the first. Errors SLA_CALENDAR_WITHOUT_HOURS, SLA_CALENDAR_INVALID.';

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
  -- A week of it, so that an unknown time zone and hours of no length are refused here and not by a ticket.
  perform app_hidden.business_open(
    jsonb_build_object('tz', NEW.time_zone, 'hours', NEW.hours), tstzrange(now(), now() + interval '8 days')
  );
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
