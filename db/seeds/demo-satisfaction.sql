-- What Acme's customers said of how it went: the question is switched on, and of what was resolved most were answered.
update app_public.csat_settings as settings
set is_enabled = true
from app_public.organizations as organization
where organization.id = settings.organization_id and organization.slug = 'acme';

with done as (
  select ticket.*, row_number() over (order by ticket.resolved_at desc, ticket.number) as place
  from app_public.tickets as ticket
  join app_public.organizations as organization on organization.id = ticket.organization_id and organization.slug = 'acme'
  join app_public.users as requester on requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
  where ticket.status in ('resolved', 'closed') and ticket.merged_into_id is null and requester.role = 'customer'
    and ticket.resolved_at < now() - interval '2 hours'
),
answer (place, score, comment) as (
  values
    (1, 5, 'Quick, and explained so that I understood it.'), (2, 4, null), (3, 2, 'It took two days until somebody looked at it.'),
    (4, 5, null), (5, 5, 'Thank you!'), (6, 3, 'Solved, but I had to ask twice.'), (7, 4, null), (9, 5, 'The night shift says thank you.')
),
asked as (
  insert into app_public.csat_surveys (
    organization_id, ticket_id, requester_id, assignee_id, team_id, service_id, state, score, comment, planned_for, sent_at,
    expires_at, answered_at, answered_by
  )
  select
    done.organization_id, done.id, done.requester_id, done.assignee_id, done.team_id, done.service_id,
    case
      when answer.score is not null then 'answered'
      when done.resolved_at < now() - interval '14 days 1 hour' then 'expired'
      else 'sent'
    end::app_public.survey_state,
    answer.score, answer.comment, done.resolved_at + interval '1 hour', done.resolved_at + interval '1 hour',
    done.resolved_at + interval '14 days 1 hour',
    case when answer.score is not null then done.resolved_at + interval '100 minutes' end,
    case when answer.score is not null then 'mail'::app_public.survey_way end
  from done
  left join answer on answer.place = done.place
  returning *
)
insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, after, created_at)
select
  asked.organization_id, asked.ticket_id, told.type::app_public.ticket_event_type, 'internal', told.actor_id, told.after, told.at
from asked
cross join lateral (
  values
    ('survey_sent', null::uuid, jsonb_build_object('survey_id', asked.id), asked.sent_at),
    (
      'survey_answered', asked.requester_id,
      jsonb_build_object('survey_id', asked.id, 'score', asked.score, 'low', asked.score <= 2)
        || case when asked.comment is null then '{}' else jsonb_build_object('comment', asked.comment) end,
      asked.answered_at
    )
) as told (type, actor_id, after, at)
where told.at is not null;

-- It is told to nobody any more.
delete from app_private.announcement_queue;
