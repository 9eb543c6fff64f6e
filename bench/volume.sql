-- Fills one organization with tickets for measuring: as they would be after years, in seconds. The triggers are off, so
-- nothing of it is in the audit log; the rows are those that the triggers would have written.
-- $1 organization, $2 how many tickets, spread over two years, $3 the first number, $4 how many comments on each.
with people as (
  select
    array_agg(id) filter (where role = 'customer') as customers,
    array_agg(id) filter (where role <> 'customer') as staff
  from app_public.users
  where organization_id = $1::uuid
),
places as (
  select
    (select array_agg(id) from app_public.teams where organization_id = $1::uuid) as teams,
    (select array_agg(id) from app_public.services where organization_id = $1::uuid) as services
),
-- Some words are in every text, most in few: 8,000 of them, the first ones a thousand times as often as the last.
syllables as (
  select
    array['bra', 'cle', 'dri', 'flo', 'gru', 'ba', 'ce', 'di', 'fo', 'gu', 'la', 'me', 'ni', 'po', 'ru', 'sa', 'te', 'vi', 'zo', 'ku'] as firsts,
    array['bel', 'cam', 'dor', 'fin', 'gal', 'hum', 'kel', 'lin', 'mar', 'nol', 'pur', 'ras', 'sil', 'tor', 'vun', 'wex', 'bin', 'cor', 'dam', 'fel'] as seconds,
    array['ant', 'ber', 'cus', 'dex', 'eon', 'fix', 'gor', 'hal', 'ion', 'jax', 'kin', 'lum', 'mot', 'nar', 'ost', 'pel', 'qua', 'rin', 'sol', 'tum'] as thirds
),
made as (
  insert into app_public.tickets (
    organization_id, number, reference, subject, status, state_id, priority, channel, service_id, team_id, assignee_id,
    requester_id, created_by_id, last_comment_at, first_responded_at, resolved_at, closed_at, next_due_at, breached,
    created_at, updated_at
  )
  select
    $1::uuid, $3::integer + n, 'BENCH-' || $3::integer + n,
    format(
      (array['Printer on floor %s prints blank pages', 'Cannot reach the file server from room %s', 'Invoice %s has the wrong total',
        'Password of account %s does not work', 'Export number %s has broken characters', 'VPN drops every %s minutes'])[1 + n % 6],
      syllables.firsts[1 + word.place % 20] || syllables.seconds[1 + word.place / 20 % 20] || syllables.thirds[1 + word.place / 400]
        || ' ' || $3::integer + n
    ),
    status.value, state.id, (array['low', 'normal', 'normal', 'normal', 'high', 'urgent']::app_public.ticket_priority[])[1 + n / 7 % 6], 'portal',
    places.services[1 + n % cardinality(places.services)], places.teams[1 + n % cardinality(places.teams)],
    case when n % 9 > 0 then people.staff[1 + abs(hashint4(n)::bigint) % cardinality(people.staff)] end,
    people.customers[1 + n % cardinality(people.customers)], people.customers[1 + n % cardinality(people.customers)],
    born.at + interval '3 hours', born.at + interval '1 hour',
    case when status.value in ('resolved', 'closed') then born.at + interval '3 hours' end,
    case when status.value = 'closed' then born.at + interval '8 days' end,
    case when status.value in ('new', 'open') then born.at + interval '5 days' end,
    n % 20 = 0, born.at, born.at + interval '3 hours'
  from generate_series(1, $2::integer) as n
  cross join lateral (select now() - (2.0 * ($2::integer - n) / $2::integer) * interval '365 days' - interval '4 hours' as at) as born
  cross join lateral (
    -- One in twenty is still being worked on, as in a desk that keeps up.
    select case when n % 20 = 0 then (array['new', 'open', 'pending', 'on_hold', 'resolved'])[1 + n / 20 % 5] else 'closed' end::app_public.ticket_status as value
  ) as status
  join app_public.ticket_states as state on state.organization_id = $1::uuid and state.kind = status.value and state.is_default
  cross join lateral (select (abs(hashint4($3::integer + n)::bigint) % 8000)::integer as place) as word
  cross join people
  cross join places
  cross join syllables
  returning id, number, created_at, requester_id, assignee_id, status, priority
),
said as (
  insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, created_at)
  select
    $1::uuid, made.id, case when turn % 2 = 0 then made.requester_id else made.assignee_id end,
    case when turn = 3 then 'internal' else 'public' end::app_public.comment_visibility,
    repeat('It happens since the update of last night, and restarting did not help. ', 1 + turn % 4)
      || (
        select string_agg(syllables.firsts[1 + place % 20] || syllables.seconds[1 + place / 20 % 20] || syllables.thirds[1 + place / 400], ' ')
        from generate_series(1, 8) as word
        cross join lateral (
          select floor(7999 * power(abs(hashint4(made.number * 41 + turn * 13 + word)::float8) / 2147483648, 3))::integer as place
        ) as skewed
      ),
    made.created_at + turn * interval '1 hour'
  from made
  cross join generate_series(0, $4::integer - 1) as turn
  cross join syllables
  returning id, ticket_id, author_id, visibility, created_at
),
happened as (
  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, comment_id, after, created_at)
  select $1::uuid, id, 'ticket_created'::app_public.ticket_event_type, 'public'::app_public.comment_visibility, requester_id, null::uuid, '{"status": "new"}'::jsonb, created_at from made
  union all
  select $1::uuid, said.ticket_id, 'comment_added', said.visibility, said.author_id, said.id, null, said.created_at
  from said
  join made on made.id = said.ticket_id and said.created_at > made.created_at
)
insert into app_public.sla_calculations
  (organization_id, ticket_id, kind, target_seconds, started_at, due_at, met_at, elapsed_seconds)
select
  $1::uuid, made.id, kind, 14400, made.created_at, made.created_at + interval '5 days',
  case when kind = 'first_response' or made.status in ('resolved', 'closed') then made.created_at + interval '1 hour' end,
  case when kind = 'first_response' or made.status in ('resolved', 'closed') then 3600 end
from made
cross join unnest(array['first_response', 'resolution']::app_public.sla_target_kind[]) as kind
