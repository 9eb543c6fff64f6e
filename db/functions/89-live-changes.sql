-- What a subscription begins with, so that nothing is missed between the reading of a page and the listening for changes.
-- Each answers what NOTIFY would have said, to whom row-level security shows it.

create or replace function app_hidden.first_id_of(seconds integer) returns uuid
  language sql stable
  set search_path = ''
as $$
  select rpad(lpad(to_hex(floor(extract(epoch from clock_timestamp() - make_interval(secs => seconds)) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

comment on function app_hidden.first_id_of(integer) is 'The least id that app_hidden.uuid_v7 could have made in the last seconds.';

create or replace function app_hidden.latest_change(seconds integer, ticket_id uuid default null) returns text
  language sql stable
  set search_path = ''
as $$
  select json_build_object('event', event.type, 'ticketId', event.ticket_id, 'eventId', event.id)::text
  from app_public.ticket_events as event
  where event.organization_id = app_hidden.current_organization_id() and event.id >= app_hidden.first_id_of(seconds)
    and (latest_change.ticket_id is null or event.ticket_id = latest_change.ticket_id)
  order by event.id desc
  limit 1
$$;

comment on function app_hidden.latest_change(integer, uuid) is 'The latest event of the last seconds, of one ticket or of all that the caller sees, as it was told to subscribers; null when there was none.';

create or replace function app_hidden.latest_notification(seconds integer) returns text
  language sql stable security definer
  set search_path = ''
as $$
  select json_build_object('event', 'added', 'notificationId', notification.id)::text
  from app_public.notifications as notification
  where notification.organization_id = app_hidden.current_organization_id() and notification.user_id = app_hidden.current_user_id()
    and notification.id >= app_hidden.first_id_of(seconds) and notification.is_shown
  order by notification.id desc
  limit 1
$$;

comment on function app_hidden.latest_notification(integer) is 'The latest notification that the caller was shown in the last seconds, as it was told to subscribers; null when there was none.';

revoke all on function
  app_hidden.first_id_of(integer), app_hidden.latest_change(integer, uuid), app_hidden.latest_notification(integer)
from public;

grant execute on function
  app_hidden.first_id_of(integer), app_hidden.latest_change(integer, uuid), app_hidden.latest_notification(integer)
to atum_customer, atum_agent;
