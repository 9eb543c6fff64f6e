-- How it went, in the words of those who asked.

create or replace function app_private.plan_survey(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  null;
end
$$;

comment on function app_private.plan_survey(app_public.ticket_events) is 'Plans to ask the requester how it went when an event resolved the ticket.';

revoke all on function app_private.plan_survey(app_public.ticket_events) from public;
