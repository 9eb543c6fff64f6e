-- What happens is told to the people it concerns.

create or replace function app_private.notify_people(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  null;
end
$$;

comment on function app_private.notify_people(app_public.ticket_events) is 'Tells of an event to each person it concerns, once, in the ways they chose.';

create or replace function app_private.alert_admins(alert text, facts jsonb, dedupe_key text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  null;
end
$$;

comment on function app_private.alert_admins(text, jsonb, text) is 'Tells the admins of the organization that something of it needs them, once for each key.';

revoke all on function app_private.notify_people(app_public.ticket_events), app_private.alert_admins(text, jsonb, text) from public;
