-- The dry run of an automation: it does what the automation would do, and takes it back.

do $$
begin
  if to_regtype('app_public.automation_dry_run') is null then
    create type app_public.automation_dry_run_ticket as (
      ticket_id uuid, number integer, reference text, subject text, outcome app_public.automation_outcome, changes jsonb, error_code text
    );
    create type app_public.automation_dry_run as (
      matching integer, is_capped boolean, tickets app_public.automation_dry_run_ticket[]
    );
  end if;
end
$$;

comment on type app_public.automation_dry_run is 'What an automation would do to the tickets there are.';
comment on column app_public.automation_dry_run.matching is 'How many tickets meet its conditions, counted up to 1,000.';
comment on column app_public.automation_dry_run.is_capped is 'Whether there are more.';
comment on column app_public.automation_dry_run.tickets is 'The 50 of them that changed last, and what would become of each.';
comment on type app_public.automation_dry_run_ticket is 'What an automation would do to one ticket.';
comment on column app_public.automation_dry_run_ticket.ticket_id is 'The row id of the ticket.';
comment on column app_public.automation_dry_run_ticket.number is 'Its number.';
comment on column app_public.automation_dry_run_ticket.reference is 'What people call it, such as `ATUM-1042`.';
comment on column app_public.automation_dry_run_ticket.subject is 'Its subject.';
comment on column app_public.automation_dry_run_ticket.outcome is 'What would become of it: `acted`, `unchanged` or `refused`.';
comment on column app_public.automation_dry_run_ticket.changes is 'The events it would cause, each with `type`, `before` and `after`.';
comment on column app_public.automation_dry_run_ticket.error_code is 'Why it would be refused, when it would be, by one of the codes that errors carry.';

create or replace function app_private.try_automation(automation app_public.automations, ticket app_public.tickets)
  returns app_public.automation_dry_run_ticket
  language plpgsql volatile
  set search_path = ''
as $$
declare
  result app_public.automation_dry_run_ticket;
begin
  result.ticket_id := ticket.id;
  result.number := ticket.number;
  result.reference := ticket.reference;
  result.subject := ticket.subject;
  result.changes := '[]';
  begin
    -- As it will act: for nobody.
    perform set_config('atum.user_id', '', true);
    result.changes := app_private.act_by_automation(automation, ticket, '{}');
    raise exception using errcode = 'TRIAL', message = 'All of this is taken back';
  exception
    when sqlstate 'TRIAL' then
      result.outcome := case result.changes when '[]' then 'unchanged' else 'acted' end;
    when others then
      if sqlstate ~ '^(08|40|53|57|58|XX)' or sqlstate = '55P03' then
        raise;
      end if;
      result.outcome := 'refused';
      result.error_code := sqlstate;
  end;
  return result;
end
$$;

comment on function app_private.try_automation(app_public.automations, app_public.tickets) is
  'What an automation would do to a ticket: it is done, looked at, and taken back.';

create or replace function app_public.dry_run_automation(
  kind app_public.automation_kind, conditions jsonb, actions jsonb, name text default null
) returns app_public.automation_dry_run
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  tried app_public.automations;
  ticket app_public.tickets;
  result app_public.automation_dry_run;
  fits text;
begin
  tried.organization_id := app_hidden.current_organization_id();
  tried.id := app_hidden.uuid_v7();
  tried.name := left(coalesce(nullif(btrim(dry_run_automation.name), ''), '…'), 80);
  tried.kind := dry_run_automation.kind;
  tried.conditions := coalesce(dry_run_automation.conditions, '{}');
  tried.actions := dry_run_automation.actions;
  perform app_private.check_automation(tried);

  fits := format(
    'ticket.organization_id = $1 and (%s)%s', app_hidden.ticket_condition_sql(tried.conditions),
    case when tried.kind = 'time' then ' and ticket.status in (''new'', ''open'', ''pending'', ''on_hold'', ''resolved'')' else '' end
  );
  execute format('select count(*) from (select from app_public.tickets as ticket where %s limit 1001) as counted', fits)
    into result.matching using tried.organization_id;
  result.is_capped := result.matching > 1000;
  result.matching := least(result.matching, 1000);
  result.tickets := '{}';

  for ticket in
    execute format('select ticket.* from app_public.tickets as ticket where %s order by ticket.updated_at desc, ticket.id desc limit 50', fits)
    using tried.organization_id
  loop
    result.tickets := result.tickets || app_private.try_automation(tried, ticket);
  end loop;
  return result;
end
$$;

comment on function app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text) is
  'Shows what an automation would do to the tickets there are, and does nothing: how many meet its conditions now, and of the 50 that changed last what would become of each. For one of kind `event` it looks at all tickets as if the event had just happened to them, for one of kind `time` at those that are not closed. Managers and admins. Errors: AUTOMATION_INVALID, CONDITION_INVALID, ACTION_INVALID, NOT_FOUND.';

revoke all on function
  app_private.try_automation(app_public.automations, app_public.tickets),
  app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text)
from public;

grant execute on function app_public.dry_run_automation(app_public.automation_kind, jsonb, jsonb, text) to atum_manager;
