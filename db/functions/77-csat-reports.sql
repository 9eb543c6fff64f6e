-- What customers said of how it went, summed up: each is one statement, under the row-level security of whoever asks.

do $$
begin
  if to_regtype('app_public.csat_grouping') is null then
    create type app_public.csat_grouping as enum ('agent', 'team', 'service', 'month');
  end if;
  if to_regtype('app_public.csat_report_row') is null then
    create type app_public.csat_report_row as (
      id uuid, name text, month date, sent integer, answered integer, satisfied integer, response_rate double precision, average double precision,
      csat double precision, distribution integer[]
    );
  end if;
end
$$;

comment on type app_public.csat_grouping is 'What answers to surveys are summed up by.';

comment on type app_public.csat_report_row is 'What customers said of one agent, team or service, or in one month.';
comment on column app_public.csat_report_row.id is 'The row id of the agent, team or service; null for what had none, and for months.';
comment on column app_public.csat_report_row.name is 'What it is called.';
comment on column app_public.csat_report_row.month is 'The first day of the month.';
comment on column app_public.csat_report_row.sent is 'How many requesters were asked.';
comment on column app_public.csat_report_row.answered is 'How many of them answered.';
comment on column app_public.csat_report_row.satisfied is 'How many of those gave 4 or 5.';
comment on column app_public.csat_report_row.response_rate is 'The share of those who were asked that answered, 0 to 1.';
comment on column app_public.csat_report_row.average is 'The mean score, 1 to 5; null without an answer.';
comment on column app_public.csat_report_row.csat is 'The share of answers that are 4 or 5, 0 to 1; null without an answer.';
comment on column app_public.csat_report_row.distribution is 'How many answers there are of each score, from 1 to 5.';

create or replace function app_hidden.organization_day(day date) returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select day::timestamp at time zone organization.time_zone
  from app_public.organizations as organization
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_hidden.organization_day(date) is 'When a day begins in the time zone of the current organization.';

create or replace function app_public.csat_report(grouped_by app_public.csat_grouping, from_day date, to_day date)
  returns setof app_public.csat_report_row
  language sql stable
  set search_path = ''
as $$
  with total as (
    select
      case csat_report.grouped_by
        when 'agent' then survey.assignee_id
        when 'team' then survey.team_id
        when 'service' then survey.service_id
      end as id,
      case when csat_report.grouped_by = 'month' then
        date_trunc('month', survey.sent_at at time zone (select time_zone from app_public.organizations where id = (select app_hidden.current_organization_id())))::date
      end as month,
      count(*)::integer as sent,
      count(survey.score)::integer as answered,
      (count(*) filter (where survey.score >= 4))::integer as satisfied,
      avg(survey.score)::double precision as average,
      array[
        count(*) filter (where survey.score = 1), count(*) filter (where survey.score = 2), count(*) filter (where survey.score = 3),
        count(*) filter (where survey.score = 4), count(*) filter (where survey.score = 5)
      ]::integer[] as distribution
    from app_public.csat_surveys as survey
    where survey.organization_id = (select app_hidden.current_organization_id())
      and survey.sent_at >= (select app_hidden.organization_day(csat_report.from_day))
      and survey.sent_at < (select app_hidden.organization_day(csat_report.to_day + 1))
    group by 1, 2
  )
  select
    total.id, coalesce(agent.name, team.name, service.name), total.month, total.sent, total.answered, total.satisfied,
    total.answered::double precision / total.sent, total.average,
    total.satisfied::double precision / nullif(total.answered, 0), total.distribution
  from total
  left join app_public.users as agent
    on csat_report.grouped_by = 'agent' and agent.organization_id = (select app_hidden.current_organization_id()) and agent.id = total.id
  left join app_public.teams as team
    on csat_report.grouped_by = 'team' and team.organization_id = (select app_hidden.current_organization_id()) and team.id = total.id
  left join app_public.services as service
    on csat_report.grouped_by = 'service' and service.organization_id = (select app_hidden.current_organization_id()) and service.id = total.id
  order by total.month, total.answered desc, total.sent desc, total.id
$$;

comment on function app_public.csat_report(app_public.csat_grouping, date, date) is
  'What customers said who were asked from one day to another, both included, in the time zone of the organization, summed up by who was assigned, by team or by service when the ticket was resolved, or by month. Who was answered most comes first, months in their order. Managers and admins only.';

create or replace function app_public.csat_answers(
  from_day date,
  to_day date,
  only_low boolean default false,
  only_commented boolean default false,
  assignee_id uuid default null,
  team_id uuid default null,
  service_id uuid default null
) returns setof app_public.csat_surveys
  language sql stable
  set search_path = ''
as $$
  select survey.*
  from app_public.csat_surveys as survey
  where survey.organization_id = (select app_hidden.current_organization_id())
    and survey.sent_at >= (select app_hidden.organization_day(csat_answers.from_day))
    and survey.sent_at < (select app_hidden.organization_day(csat_answers.to_day + 1))
    and survey.score is not null
    and (
      not csat_answers.only_low
      or survey.score <= (
        select settings.low_score from app_public.csat_settings as settings
        where settings.organization_id = (select app_hidden.current_organization_id())
      )
    )
    and (not csat_answers.only_commented or survey.comment is not null)
    and (csat_answers.assignee_id is null or survey.assignee_id = csat_answers.assignee_id)
    and (csat_answers.team_id is null or survey.team_id = csat_answers.team_id)
    and (csat_answers.service_id is null or survey.service_id = csat_answers.service_id)
  order by survey.answered_at desc, survey.id desc
$$;

comment on function app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid) is
  'The answers of customers who were asked from one day to another, both included, in the time zone of the organization, latest first; only bad ones, those with a comment, or of one agent, team or service where that is said. Managers and admins only.';

revoke all on function
  app_hidden.organization_day(date), app_public.csat_report(app_public.csat_grouping, date, date),
  app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid)
from public;

grant execute on function
  app_hidden.organization_day(date), app_public.csat_report(app_public.csat_grouping, date, date),
  app_public.csat_answers(date, date, boolean, boolean, uuid, uuid, uuid)
to atum_manager;
