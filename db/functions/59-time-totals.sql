-- Sums of time: each is one statement, under the row-level security of whoever asks.

do $$
begin
  if to_regtype('app_public.time_total') is null then
    create type app_public.time_total as (entries integer, seconds bigint, billable_seconds bigint);
  end if;
  if to_regtype('app_public.time_grouping') is null then
    create type app_public.time_grouping as enum ('agent', 'company', 'ticket', 'activity', 'day', 'week', 'month');
  end if;
  if to_regtype('app_public.time_report_row') is null then
    create type app_public.time_report_row as (
      id uuid, name text, day date, entries integer, seconds bigint, billable_seconds bigint
    );
  end if;
end
$$;

comment on type app_public.time_total is 'A sum of time entries.';
comment on column app_public.time_total.entries is 'How many entries there are, without those that were taken back.';
comment on column app_public.time_total.seconds is 'How long in all, in seconds.';
comment on column app_public.time_total.billable_seconds is 'How much of it is billable, in seconds.';

comment on type app_public.time_grouping is 'What time is summed up by.';

comment on type app_public.time_report_row is 'The time of one agent, company, ticket or activity, or of one day, week or month.';
comment on column app_public.time_report_row.id is 'The row id of the agent, company, ticket or activity; null for time without one, and for days, weeks and months.';
comment on column app_public.time_report_row.name is 'What it is called; of a ticket its reference and subject.';
comment on column app_public.time_report_row.day is 'The day, or the first day of the week or month.';
comment on column app_public.time_report_row.entries is 'How many entries there are, without those that were taken back.';
comment on column app_public.time_report_row.seconds is 'How long in all, in seconds.';
comment on column app_public.time_report_row.billable_seconds is 'How much of it is billable, in seconds.';

create or replace function app_public.ticket_time(ticket_id uuid) returns app_public.time_total
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer, coalesce(sum(seconds), 0), coalesce(sum(seconds) filter (where is_billable), 0)
  from app_public.time_entries as entry
  where entry.organization_id = (select app_hidden.current_organization_id()) and entry.ticket_id = ticket_time.ticket_id
    and entry.seconds > 0
$$;

comment on function app_public.ticket_time(uuid) is 'How long was worked on a ticket, as far as the caller sees it. Staff only.';

create or replace function app_public.time_report(
  grouped_by app_public.time_grouping,
  from_day date,
  to_day date,
  agent_id uuid default null,
  company_id uuid default null,
  ticket_id uuid default null
) returns setof app_public.time_report_row
  language sql stable
  set search_path = ''
as $$
  with total as (
    select
      case time_report.grouped_by
        when 'agent' then entry.agent_id
        when 'company' then ticket.company_id
        when 'ticket' then entry.ticket_id
        when 'activity' then entry.activity_id
      end as id,
      case time_report.grouped_by
        when 'day' then entry.worked_on
        when 'week' then date_trunc('week', entry.worked_on::timestamp)::date
        when 'month' then date_trunc('month', entry.worked_on::timestamp)::date
      end as day,
      count(*)::integer as entries,
      sum(entry.seconds) as seconds,
      coalesce(sum(entry.seconds) filter (where entry.is_billable), 0) as billable_seconds
    from app_public.time_entries as entry
    -- The own time counts also where the ticket is not seen any more.
    left join app_public.tickets as ticket on ticket.organization_id = entry.organization_id and ticket.id = entry.ticket_id
    where entry.organization_id = (select app_hidden.current_organization_id())
      and entry.worked_on between time_report.from_day and time_report.to_day
      and entry.seconds > 0
      and (time_report.agent_id is null or entry.agent_id = time_report.agent_id)
      and (time_report.company_id is null or ticket.company_id = time_report.company_id)
      and (time_report.ticket_id is null or entry.ticket_id = time_report.ticket_id)
    group by 1, 2
  )
  select
    total.id, coalesce(agent.name, company.name, ticket.reference || ' ' || ticket.subject, activity.name), total.day,
    total.entries, total.seconds, total.billable_seconds
  from total
  left join app_public.users as agent
    on time_report.grouped_by = 'agent' and agent.organization_id = (select app_hidden.current_organization_id()) and agent.id = total.id
  left join app_public.companies as company
    on time_report.grouped_by = 'company' and company.organization_id = (select app_hidden.current_organization_id()) and company.id = total.id
  left join app_public.tickets as ticket
    on time_report.grouped_by = 'ticket' and ticket.organization_id = (select app_hidden.current_organization_id()) and ticket.id = total.id
  left join app_public.time_activities as activity
    on time_report.grouped_by = 'activity' and activity.organization_id = (select app_hidden.current_organization_id()) and activity.id = total.id
  order by total.day, total.seconds desc, total.id
$$;

comment on function app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid) is
  'Time worked from one day to another, both included, in the time zone of the organization, summed up by agent, company, ticket, activity, day, week (from Monday) or month; of one agent, company or ticket where that is said. The most comes first, days in their order. Managers and admins read the time of everybody, agents their own and that on tickets they see.';

revoke all on function
  app_public.ticket_time(uuid), app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid)
from public;

grant execute on function
  app_public.ticket_time(uuid), app_public.time_report(app_public.time_grouping, date, date, uuid, uuid, uuid)
to atum_agent;
