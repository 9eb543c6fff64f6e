-- How it went, in the words of those who asked.

create or replace function app_private.tg_organizations__found_surveys() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.csat_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_surveys() is 'Gives a new organization its settings of surveys.';

create or replace trigger _500_found_surveys after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_surveys();

create or replace trigger _100_stamp_updated_at before update on app_public.csat_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.current_csat_settings() returns app_public.csat_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.csat_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_csat_settings() is 'Whether and how the organization asks how it went. Staff only.';

create or replace function app_private.is_sampled(ticket_id uuid, percent integer) returns boolean
  language sql immutable
  set search_path = ''
as $$
  -- The first four bytes of a hash, because those of the id are a clock.
  select ('x' || left(md5(ticket_id::text), 8))::bit(32)::bigint % 100 < percent
$$;

comment on function app_private.is_sampled(uuid, integer) is 'Whether a ticket is among so many in a hundred. It always is or never, and with a higher number those of a lower one still are.';

create or replace function app_private.may_be_surveyed(ticket app_public.tickets) returns boolean
  language sql stable
  set search_path = ''
as $$
  select ticket.status in ('resolved', 'closed') and ticket.merged_into_id is null
    and exists (
      select
      from app_public.csat_settings as settings
      join app_public.organizations as organization on organization.id = settings.organization_id
      join app_public.users as requester
        on requester.organization_id = settings.organization_id and requester.id = ticket.requester_id
      where settings.organization_id = ticket.organization_id and settings.is_enabled
        and organization.suspended_at is null and requester.role = 'customer' and requester.disabled_at is null
    )
$$;

comment on function app_private.may_be_surveyed(app_public.tickets) is 'Whether the requester of a ticket is to be asked how it went: it is done and goes on nowhere else, it was requested by an active customer, and the organization asks.';

create or replace function app_private.plan_survey(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  done constant text[] := '{resolved, closed}';
  was_done constant boolean := coalesce(event.before ->> 'status', '') = any (done);
  is_done constant boolean := coalesce(event.after ->> 'status', '') = any (done);
  settings app_public.csat_settings;
  ticket app_public.tickets;
  survey app_public.csat_surveys;
begin
  -- Whatever makes the question one about something that is not over. At the next end it is planned again.
  if event.type = 'ticket_merged' or (event.type in ('status_changed', 'state_changed') and was_done and not is_done) then
    update app_public.csat_surveys as planned
    set state = 'cancelled'
    where planned.organization_id = event.organization_id and planned.ticket_id = event.ticket_id and planned.state = 'planned';
    return;
  end if;
  if event.type <> 'status_changed' or was_done or not is_done then
    return;
  end if;

  select * into settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = event.organization_id and chosen.is_enabled;
  if not found or not app_private.is_sampled(event.ticket_id, settings.sample_percent) then
    return;
  end if;
  select * into ticket
  from app_public.tickets as over
  where over.organization_id = event.organization_id and over.id = event.ticket_id;
  if not app_private.may_be_surveyed(ticket) then
    return;
  end if;

  insert into app_public.csat_surveys as planned
    (organization_id, ticket_id, requester_id, assignee_id, team_id, service_id, planned_for)
  values (
    ticket.organization_id, ticket.id, ticket.requester_id, ticket.assignee_id, ticket.team_id, ticket.service_id,
    event.created_at + make_interval(mins => settings.delay_minutes)
  )
  on conflict on constraint csat_surveys_organization_id_ticket_id_key do update set
    state = 'planned', requester_id = excluded.requester_id, assignee_id = excluded.assignee_id, team_id = excluded.team_id,
    service_id = excluded.service_id, planned_for = excluded.planned_for
  where planned.state = 'cancelled'
  returning * into survey;
  if found then
    perform app_private.enqueue_survey(survey);
  end if;
end
$$;

comment on function app_private.plan_survey(app_public.ticket_events) is 'Plans to ask the requester how it went when an event resolved the ticket, and no more when one took it up again before they were asked.';

create or replace function app_private.enqueue_survey(survey app_public.csat_surveys) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'send_survey', survey.organization_id, jsonb_build_object('surveyId', survey.id), survey.planned_for,
    job_key => 'send_survey:' || survey.id
  )
$$;

comment on function app_private.enqueue_survey(app_public.csat_surveys) is 'Has a job ask at the time that is planned.';

create or replace function app_private.send_survey(survey_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  survey app_public.csat_surveys;
  settings app_public.csat_settings;
  ticket app_public.tickets;
  requester app_public.users;
  event_id uuid;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Surveys are sent for one organization at a time';
  end if;

  select * into survey
  from app_public.csat_surveys as planned
  where planned.organization_id = app_hidden.current_organization_id() and planned.id = send_survey.survey_id
    and planned.state = 'planned' and planned.planned_for <= now()
  for update;
  if not found then
    return false;
  end if;

  select * into strict ticket
  from app_public.tickets as over
  where over.organization_id = survey.organization_id and over.id = survey.ticket_id;
  select * into requester
  from app_public.users as person
  where person.organization_id = survey.organization_id and person.id = survey.requester_id;
  if requester.id is distinct from ticket.requester_id or not app_private.may_be_surveyed(ticket) then
    update app_public.csat_surveys as dropped
    set state = 'cancelled'
    where dropped.organization_id = survey.organization_id and dropped.id = survey.id;
    return false;
  end if;

  select * into strict settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = survey.organization_id;
  update app_public.csat_surveys as asked
  set
    state = 'sent', question = settings.question, sent_at = now(), expires_at = now() + make_interval(days => settings.expires_days)
  where asked.organization_id = survey.organization_id and asked.id = survey.id;

  perform app_private.write_mail(
    'survey', 'survey:' || survey.id, requester, ticket, facts => jsonb_build_object('survey_id', survey.id)
  );
  event_id := app_private.record_ticket_event(ticket, 'survey_sent', jsonb_build_object('survey_id', survey.id));
  -- Customers hear of what is public; of this the one who is asked.
  perform pg_notify(
    'requester:' || requester.id, json_build_object('event', 'survey_sent', 'ticketId', ticket.id, 'eventId', event_id)::text
  );
  return true;
end
$$;

comment on function app_private.send_survey(uuid) is 'Asks a requester how it went, when it is time and their ticket is still done; says whether it did. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.sweep_surveys() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Surveys are swept for one organization at a time';
  end if;

  perform app_private.enqueue_survey(late)
  from (
    select *
    from app_public.csat_surveys as planned
    where planned.organization_id = app_hidden.current_organization_id() and planned.state = 'planned'
      and planned.planned_for < now() - interval '1 minute'
    order by planned.planned_for
    limit 1000
  ) as late
  where not exists (
    select
    from graphile_worker.jobs as job
    where job.key = 'send_survey:' || late.id and job.locked_at is null and job.attempts < job.max_attempts
  );

  update app_public.csat_surveys as over
  set state = 'expired'
  where over.organization_id = app_hidden.current_organization_id() and over.state = 'sent' and over.expires_at <= now();

  -- Until then a link that is over says so.
  delete from app_private.csat_tokens as old
  where old.organization_id = app_hidden.current_organization_id() and old.created_at < now() - interval '1 year';
end
$$;

comment on function app_private.sweep_surveys() is 'Gives surveys whose job was lost a new one, ends those that nobody answered in time, and forgets the links of a year ago. Done by a job each minute. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.issue_survey_token(survey_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
begin
  insert into app_private.csat_tokens (organization_id, survey_id, token_hash)
  select survey.organization_id, survey.id, app_private.token_hash(token)
  from app_public.csat_surveys as survey
  where survey.organization_id = app_hidden.current_organization_id() and survey.id = issue_survey_token.survey_id
    and survey.expires_at > now();
  return case when found then token end;
end
$$;

comment on function app_private.issue_survey_token(uuid) is 'Makes a token by which whoever got the mail of a survey answers it; null when the time is over.';

-- Answers

create or replace function app_private.note_answer(
  survey app_public.csat_surveys, way app_public.survey_way, score integer, comment text
) returns app_public.csat_surveys
  language plpgsql volatile
  set search_path = ''
as $$
declare
  said app_public.csat_surveys;
  ticket app_public.tickets;
  settings app_public.csat_settings;
begin
  -- One answer at a time: the second of two that are the same finds nothing to change.
  select * into strict said
  from app_public.csat_surveys as asked
  where asked.organization_id = survey.organization_id and asked.id = survey.id
  for update;
  if said.expires_at <= now() then
    raise exception using errcode = 'AD291', message = 'The time to answer is over';
  end if;
  if note_answer.score is null then
    raise exception using errcode = '23502', column = 'score', message = 'An answer has a score from 1 to 5';
  end if;

  survey := said;
  said.score := note_answer.score;
  -- What is not said stays; an empty text takes it back.
  said.comment := case when note_answer.comment is null then said.comment else nullif(btrim(note_answer.comment, E' \t\r\n'), '') end;
  if (said.score, said.comment) is not distinct from (survey.score, survey.comment) then
    return survey;
  end if;

  update app_public.csat_surveys as answered
  set state = 'answered', score = said.score, comment = said.comment, answered_at = now(), answered_by = way
  where answered.organization_id = said.organization_id and answered.id = said.id
  returning * into said;

  select * into strict ticket
  from app_public.tickets as over
  where over.organization_id = said.organization_id and over.id = said.ticket_id;
  select * into strict settings
  from app_public.csat_settings as chosen
  where chosen.organization_id = said.organization_id;
  -- A comment that comes later is no new score: what asks for a score has been answered.
  perform app_private.record_ticket_event(
    ticket, 'survey_answered',
    jsonb_build_object('survey_id', said.id)
      || case when said.score is distinct from survey.score
        then jsonb_build_object('score', said.score, 'low', said.score <= settings.low_score) else '{}' end
      || case when said.comment is distinct from survey.comment then jsonb_build_object('comment', said.comment) else '{}' end,
    case when survey.score is not null then
      case when said.score <> survey.score then jsonb_build_object('score', survey.score) else '{}' end
        || case when said.comment is distinct from survey.comment then jsonb_build_object('comment', survey.comment) else '{}' end
    end
  );
  return said;
end
$$;

comment on function app_private.note_answer(app_public.csat_surveys, app_public.survey_way, integer, text) is
  'Keeps what a requester answers, and tells the spine what changed; nothing when nothing did. Errors SURVEY_EXPIRED, INVALID_INPUT.';

create or replace function app_private.survey_as_seen_by_caller(survey app_public.csat_surveys) returns app_public.csat_surveys
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not app_hidden.is_staff() then
    survey.assignee_id := null;
    survey.team_id := null;
    survey.service_id := null;
  end if;
  return survey;
end
$$;

comment on function app_private.survey_as_seen_by_caller(app_public.csat_surveys) is 'A survey without what its reader may not see of it.';

create or replace function app_public.answer_survey(survey_id uuid, score integer, comment text default null)
  returns app_public.csat_surveys
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  survey app_public.csat_surveys;
begin
  select * into survey
  from app_public.csat_surveys as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = answer_survey.survey_id
    and asked.requester_id = app_hidden.current_user_id() and asked.sent_at is not null;
  if not found then
    raise exception using errcode = 'AD290', message = 'There is no such survey';
  end if;
  return app_private.survey_as_seen_by_caller(
    app_private.note_answer(survey, 'portal', answer_survey.score, answer_survey.comment)
  );
end
$$;

comment on function app_public.answer_survey(uuid, integer, text) is
  'Says how it went, or says it differently until the time is over, and returns the survey. `score` is 1 (very bad) to 5 (very good), `comment` has up to 2,000 characters; without one the comment there is stays, an empty one takes it back. Saying the same again changes nothing. Only the requester who was asked. Errors: SURVEY_NOT_FOUND, SURVEY_EXPIRED, INVALID_INPUT.';

create or replace function app_private.survey_of_token(token text) returns app_public.csat_surveys
  language plpgsql stable
  set search_path = ''
as $$
declare
  survey app_public.csat_surveys;
begin
  select asked.* into survey
  from app_private.csat_tokens as issued
  join app_public.csat_surveys as asked on asked.organization_id = issued.organization_id and asked.id = issued.survey_id
  join app_public.users as requester on requester.organization_id = asked.organization_id and requester.id = asked.requester_id
  join app_public.organizations as organization on organization.id = asked.organization_id
  where issued.token_hash = app_private.token_hash(survey_of_token.token)
    and requester.disabled_at is null and organization.suspended_at is null;
  if not found then
    raise exception using errcode = 'AD290', message = 'This link leads to no survey';
  end if;
  return survey;
end
$$;

comment on function app_private.survey_of_token(text) is 'The survey that a link in a mail answers. Error SURVEY_NOT_FOUND.';

create or replace function app_private.survey_to_show(survey app_public.csat_surveys) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'organization', organization.name, 'reference', ticket.reference, 'subject', ticket.subject, 'question', survey.question,
    'locale', coalesce(requester.locale, organization.locale), 'score', survey.score, 'comment', survey.comment,
    'expiresAt', survey.expires_at, 'expired', survey.expires_at <= now()
  )
  from app_public.organizations as organization
  join app_public.tickets as ticket on ticket.organization_id = organization.id and ticket.id = survey.ticket_id
  join app_public.users as requester on requester.organization_id = organization.id and requester.id = survey.requester_id
  where organization.id = survey.organization_id
$$;

comment on function app_private.survey_to_show(app_public.csat_surveys) is 'What whoever followed the link in a mail reads: `{organization, reference, subject, question, locale, score, comment, expiresAt, expired}`.';

create or replace function app_private.survey_by_token(token text) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select app_private.survey_to_show(app_private.survey_of_token(token))
$$;

comment on function app_private.survey_by_token(text) is 'What a link in a mail asks: `{organization, reference, subject, question, locale, score, comment, expiresAt, expired}`. Error SURVEY_NOT_FOUND.';

create or replace function app_private.answer_survey_by_token(token text, score integer, comment text default null) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  survey constant app_public.csat_surveys := app_private.survey_of_token(answer_survey_by_token.token);
begin
  perform app_private.act_for(requester)
  from app_public.users as requester
  where requester.organization_id = survey.organization_id and requester.id = survey.requester_id;
  return app_private.survey_to_show(
    app_private.note_answer(survey, 'mail', answer_survey_by_token.score, answer_survey_by_token.comment)
  );
end
$$;

comment on function app_private.answer_survey_by_token(text, integer, text) is
  'Answers the survey of a link in a mail, for whoever got it, and returns what `survey_by_token` does. Errors: SURVEY_NOT_FOUND, SURVEY_EXPIRED, INVALID_INPUT.';

revoke all on function
  app_private.tg_organizations__found_surveys(), app_public.current_csat_settings(), app_private.is_sampled(uuid, integer),
  app_private.may_be_surveyed(app_public.tickets), app_private.plan_survey(app_public.ticket_events),
  app_private.enqueue_survey(app_public.csat_surveys), app_private.send_survey(uuid), app_private.sweep_surveys(),
  app_private.issue_survey_token(uuid),
  app_private.note_answer(app_public.csat_surveys, app_public.survey_way, integer, text),
  app_private.survey_as_seen_by_caller(app_public.csat_surveys), app_public.answer_survey(uuid, integer, text),
  app_private.survey_of_token(text), app_private.survey_to_show(app_public.csat_surveys),
  app_private.survey_by_token(text), app_private.answer_survey_by_token(text, integer, text)
from public;

grant execute on function app_private.send_survey(uuid), app_private.sweep_surveys() to atum_worker;
grant execute on function app_public.current_csat_settings() to atum_agent;
grant execute on function app_public.answer_survey(uuid, integer, text) to atum_customer;
grant execute on function app_private.survey_by_token(text), app_private.answer_survey_by_token(text, integer, text) to atum_server;
