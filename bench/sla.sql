-- What the arithmetic of service levels costs, in microseconds for each call: the best of 30 rounds, because the machine
-- is shared. `psql "$(npm run -s db:url)" -qAt -f bench/sla.sql`

create function pg_temp.cost(calendar jsonb, start_at timestamptz, working_seconds bigint, times integer) returns numeric
  language plpgsql
as $$
declare
  began timestamptz;
  due timestamptz;
  best double precision := 'infinity';
begin
  for round in 1 .. 30 loop
    began := clock_timestamp();
    for index in 1 .. times loop
      due := app_hidden.business_due_at(calendar, start_at + make_interval(secs => index), working_seconds);
    end loop;
    best := least(best, extract(epoch from clock_timestamp() - began) / times * 1e6);
  end loop;
  return round(best::numeric, 1);
end
$$;

with calendar (name, calendar) as (
  select name, jsonb_build_object('tz', 'Europe/Berlin', 'hours', hours, 'holidays', holidays)
  from (
    select
      'one shift a day' as name, jsonb_object_agg(day, '[["09:00", "17:00"]]'::jsonb) as hours,
      '["2026-12-25", "2026-12-26", "2027-01-01"]'::jsonb as holidays
    from unnest('{mon,tue,wed,thu,fri}'::text[]) as day
    union all
    select 'two shifts a day', jsonb_object_agg(day, '[["08:00", "12:00"], ["13:00", "17:00"]]'::jsonb), '["2026-12-25", "2026-12-26", "2027-01-01"]'
    from unnest('{mon,tue,wed,thu,fri}'::text[]) as day
    union all
    select
      'two years of holidays', jsonb_object_agg(day, '[["09:00", "17:00"]]'::jsonb),
      '["2026-10-03", "2026-12-25", "2026-12-26", "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-01", "2027-05-06", "2027-05-17", "2027-10-03",
        "2027-12-25", "2027-12-26", "2028-01-01", "2028-04-14", "2028-04-17", "2028-05-01"]'
    from unnest('{mon,tue,wed,thu,fri}'::text[]) as day
    union all
    select
      'holidays of every year, a span, a half day', jsonb_object_agg(day, '[["09:00", "17:00"]]'::jsonb),
      '["12-25", "12-26", "01-01", "05-01", {"date": "12-24", "from": "12:00", "to": "24:00"}, {"from": "2026-08-03", "to": "2026-08-14"}]'
    from unnest('{mon,tue,wed,thu,fri}'::text[]) as day
    union all
    select 'around the clock', '"always_open"', '[]'
  ) as made
)
select format(
  '| %s | %s | %s | %s |', name, pg_temp.cost(calendar, '2026-06-08 08:00Z', 3600, 200),
  pg_temp.cost(calendar, '2026-06-08 08:00Z', 40 * 3600, 100), pg_temp.cost(calendar, '2026-06-08 08:00Z', 2 * 52 * 40 * 3600, 10)
)
from calendar;
