-- What happens is told to the people it concerns. How each of them wants to hear of it is in 76-notification-choices.sql,
-- what they do with it in 86-notification-inbox.sql.

create or replace function app_private.notification_kind_of(event app_public.ticket_events) returns app_public.notification_kind
  language sql stable
  set search_path = ''
as $$
  select case event.type
    when 'ticket_created' then 'new_ticket'
    when 'team_changed' then 'new_ticket'
    when 'assignee_changed' then 'assigned'
    when 'comment_added' then case event.visibility when 'public' then 'reply' else 'note' end
    when 'status_changed' then
      case
        -- For those who asked and those who worked nothing is new.
        when event.before ->> 'status' = 'resolved' and event.after ->> 'status' = 'closed' then null
        -- What was said in the same save tells it.
        when exists (
          select
          from app_public.ticket_events as said
          where said.organization_id = event.organization_id and said.ticket_id = event.ticket_id
            and said.created_at = event.created_at and said.type = 'comment_added' and said.visibility = 'public'
            and said.actor_id is not distinct from event.actor_id
        ) then null
        when event.after ->> 'status' in ('resolved', 'closed') then 'resolved'
        else 'status_changed'
      end
    when 'approval_requested' then 'approval'
    when 'approval_decided' then 'approval'
    when 'sla_warned' then 'sla_warning'
    when 'sla_breached' then 'sla_breach'
    when 'sla_escalated' then 'sla_breach'
    when 'notice_sent' then 'notice'
    when 'mail_failed' then 'problem'
    when 'attachment_blocked' then 'problem'
    when 'survey_answered' then 'rating'
  end::app_public.notification_kind
$$;

comment on function app_private.notification_kind_of(app_public.ticket_events) is 'What an event is about for those it is told to; null for one that nobody is told of.';

create or replace function app_private.people_concerned(event app_public.ticket_events, ticket app_public.tickets)
  returns table (user_id uuid, reason app_public.notification_reason)
  language sql stable
  set search_path = ''
as $$
  with addressed as materialized (
    select case event.type when 'notice_sent' then event.after ->> 'to' end as audience
  )
  select ticket.requester_id, 'requester'::app_public.notification_reason
  from addressed
  where addressed.audience = 'requester'
    or (event.visibility = 'public' and event.type in ('ticket_created', 'comment_added', 'status_changed'))
  union all
  select
    case event.type when 'assignee_changed' then (event.after ->> 'assignee_id')::uuid else ticket.assignee_id end, 'assignee'
  from addressed
  where addressed.audience = 'assignee'
    or event.type in (
      'assignee_changed', 'comment_added', 'status_changed', 'sla_warned', 'sla_breached', 'sla_escalated', 'mail_failed',
      'attachment_blocked', 'survey_answered'
    )
  union all
  select member.user_id, 'team'
  from addressed
  join app_public.team_members as member on member.organization_id = ticket.organization_id and member.team_id = ticket.team_id
  where addressed.audience = 'team'
    or (
      ticket.assignee_id is null
      and (
        event.type in ('ticket_created', 'team_changed', 'sla_warned', 'sla_breached', 'sla_escalated', 'mail_failed', 'attachment_blocked')
        -- A question that nobody works on is everybody's.
        or (event.type = 'comment_added' and exists (
          select from app_public.users as author
          where author.organization_id = event.organization_id and author.id = event.actor_id and author.role = 'customer'
        ))
      )
    )
  union all
  select watcher.user_id, 'watcher'
  from addressed
  join app_public.ticket_watchers as watcher on watcher.organization_id = ticket.organization_id and watcher.ticket_id = ticket.id
  where addressed.audience = 'watchers' or event.type in ('comment_added', 'status_changed')
  union all
  select mentioned.user_id, 'mention'
  from app_public.comment_mentions as mentioned
  where mentioned.organization_id = event.organization_id and mentioned.comment_id = event.comment_id
  union all
  select approver.user_id, 'approver'
  from app_public.ticket_approvers as approver
  where event.type = 'approval_requested'
    and approver.organization_id = event.organization_id and approver.approval_id = (event.after ->> 'approval_id')::uuid
  union all
  select approval.requested_by_id, 'approver'
  from app_public.ticket_approvals as approval
  where event.type = 'approval_decided'
    and approval.organization_id = event.organization_id and approval.id = (event.after ->> 'approval_id')::uuid
  union all
  select person.id, case person.role when 'admin' then 'admin' else 'manager' end::app_public.notification_reason
  from addressed
  join app_public.users as person on person.organization_id = ticket.organization_id and person.role in ('manager', 'admin')
  where addressed.audience = 'managers'
    or event.type in ('sla_breached', 'sla_escalated')
    -- Of what went to no team somebody must know.
    or (event.type = 'ticket_created' and ticket.team_id is null and ticket.assignee_id is null)
$$;

comment on function app_private.people_concerned(app_public.ticket_events, app_public.tickets) is 'Whom an event concerns and why, with one row for each reason; whether they may hear of it is another question.';

create or replace function app_private.notification_facts(event app_public.ticket_events, ticket app_public.tickets, body text)
  returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'event', event.type,
    'number', ticket.number,
    'reference', ticket.reference,
    'subject', ticket.subject,
    'actor_name', coalesce(
      event.actor_name,
      (
        select actor.name from app_public.users as actor
        where actor.organization_id = event.organization_id and actor.id = event.actor_id
      )
    ),
    'excerpt', left(btrim(regexp_replace(left(body, 400), '[[:space:]]+', ' ', 'g')), 200),
    'status', case
      when event.type = 'status_changed' then event.after ->> 'status'
      when event.type = 'comment_added' and event.visibility = 'public' then (
        select changed.after ->> 'status'
        from app_public.ticket_events as changed
        where changed.organization_id = event.organization_id and changed.ticket_id = event.ticket_id
          and changed.created_at = event.created_at and changed.type = 'status_changed'
          and changed.actor_id is not distinct from event.actor_id
        limit 1
      )
    end
  ))
  || case
    when event.type in ('approval_requested', 'approval_decided') then jsonb_strip_nulls(jsonb_build_object(
      'question', left(event.after ->> 'question', 200), 'decision', event.after ->> 'decision', 'state', event.after ->> 'state'
    ))
    when event.type in ('sla_warned', 'sla_breached', 'sla_escalated') then jsonb_strip_nulls(jsonb_build_object(
      'target', event.after ->> 'kind', 'due_at', event.after ->> 'due_at'
    ))
    when event.type = 'notice_sent' then jsonb_build_object('text', left(event.after ->> 'text', 500))
    when event.type in ('mail_failed', 'attachment_blocked') then jsonb_strip_nulls(jsonb_build_object('name', left(event.after ->> 'name', 255)))
    when event.type = 'survey_answered' then jsonb_strip_nulls(jsonb_build_object('score', left(event.after ->> 'score', 10)))
    else '{}'
  end
$$;

comment on function app_private.notification_facts(app_public.ticket_events, app_public.tickets, text) is 'What a notification says of an event, with the names of this moment.';

create or replace function app_private.notify_people(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  event_kind constant app_public.notification_kind := app_private.notification_kind_of(event);
  ticket app_public.tickets;
  said app_public.comments;
  event_facts jsonb;
  told app_public.notifications[];
begin
  if event_kind is null then
    return;
  end if;

  select * into strict ticket
  from app_public.tickets as concerned
  where concerned.organization_id = event.organization_id and concerned.id = event.ticket_id;
  -- It was closed because it goes on in another one.
  if event.type = 'status_changed' and ticket.merged_into_id is not null then
    return;
  end if;

  if event.comment_id is not null then
    select * into said
    from app_public.comments as comment
    where comment.organization_id = event.organization_id and comment.id = event.comment_id;
  end if;
  event_facts := app_private.notification_facts(event, ticket, said.body);

  with concerned as (
    select who.user_id, array_agg(distinct who.reason order by who.reason) as reasons
    from app_private.people_concerned(event, ticket) as who
    where who.user_id is not null
    group by who.user_id
  ),
  people as (
    select
      person.id, person.role, concerned.reasons, app_private.quiet_until(person, now()) is not null as is_quiet,
      person.id is not distinct from event.actor_id as is_own,
      case
        when 'mention' = any (concerned.reasons) then 'mention'
        when event.type = 'ticket_created' and 'requester' = any (concerned.reasons) then 'acknowledgement'
        else event_kind
      end::app_public.notification_kind as kind
    from concerned
    join app_public.users as person on person.organization_id = event.organization_id and person.id = concerned.user_id
    where person.disabled_at is null
      -- Nobody is told what they did themselves, but that it was received.
      and (person.id is distinct from event.actor_id or (event.type = 'ticket_created' and person.role = 'customer'))
      and (
        person.role <> 'customer' or event.visibility = 'public' or event.type in ('notice_sent', 'approval_requested')
      )
      and case event.type
        when 'approval_requested' then app_private.may_approve(person.id, ticket)
        else app_private.may_see_ticket(person.id, ticket)
      end
  ),
  chosen as (
    select
      people.id, people.kind, people.reasons,
      -- What acted when no person did is called by the name of a rule, which is none of the customers'.
      case
        when people.role = 'customer' and event.actor_id is null
          then event_facts - 'actor_name' || jsonb_strip_nulls(jsonb_build_object('actor_name', said.author_name))
        else event_facts
      end as facts,
      coalesce(choice.in_app, usual.in_app) and not people.is_own as in_app,
      coalesce(choice.in_browser, usual.in_browser) and coalesce(choice.in_app, usual.in_app) and not people.is_own
        and not people.is_quiet as in_browser,
      coalesce(choice.mail, usual.mail) as mail
    from people
    join app_hidden.usual_notifications() as usual on usual.kind = people.kind and usual.role = people.role
    left join app_private.notification_choices as choice
      on choice.organization_id = event.organization_id and choice.user_id = people.id and choice.kind = people.kind
  ),
  made as (
    insert into app_public.notifications (
      organization_id, user_id, kind, reasons, event_id, ticket_id, facts, is_shown, in_browser, mail
    )
    select
      event.organization_id, chosen.id, chosen.kind, chosen.reasons, event.id, ticket.id, chosen.facts, chosen.in_app,
      chosen.in_browser, chosen.mail
    from chosen
    where chosen.in_app or chosen.mail <> 'off'
    on conflict do nothing
    returning notifications
  )
  select array_agg(made.notifications) into told from made;

  perform app_private.announce_notifications(told, ticket, said);
end
$$;

comment on function app_private.notify_people(app_public.ticket_events) is 'Tells of an event to each person it concerns, once, in the ways they chose.';

create or replace function app_private.announce_notifications(
  told app_public.notifications[], ticket app_public.tickets default null, comment app_public.comments default null
) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform pg_notify(
    'notifications:' || notification.user_id,
    json_build_object('event', 'added', 'notificationId', notification.id)::text
  )
  from unnest(told) as notification
  where notification.is_shown;

  perform app_private.write_mail(
    case
      when notification.kind = 'alert' then 'alert'
      when 'requester' <> all (notification.reasons) then 'notice'
      when notification.kind = 'reply' and notification.facts ->> 'status' in ('resolved', 'closed') then 'resolution'
      when notification.kind = 'reply' then 'reply'
      when notification.kind = 'acknowledgement' then 'acknowledgement'
      when notification.kind = 'resolved' then 'resolution'
      else 'notice'
    end::app_public.mail_kind,
    coalesce('event:' || notification.event_id, 'alert:' || notification.dedupe_key) || ':' || notification.user_id,
    recipient, announce_notifications.ticket, announce_notifications.comment,
    notification.facts || jsonb_build_object('kind', notification.kind, 'reasons', notification.reasons),
    app_private.quiet_until(recipient, now())
  )
  from unnest(told) as notification
  join app_public.users as recipient
    on recipient.organization_id = notification.organization_id and recipient.id = notification.user_id
  where notification.mail = 'immediate';
end
$$;

comment on function app_private.announce_notifications(app_public.notifications[], app_public.tickets, app_public.comments) is
  'Tells the open windows of people that there is something new, and writes the mails to those who want them at once, after their quiet hours.';

create or replace function app_private.alert_admins(alert text, facts jsonb, dedupe_key text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- What does not fit is in the log of whatever went wrong.
  said constant jsonb := case when octet_length(facts::text) <= 6000 then facts else '{}' end;
  told app_public.notifications[];
  ticket app_public.tickets;
begin
  if alert is null or alert not in ('file_blocked', 'scanner_away', 'mail_failed', 'mail_not_taken', 'mailbox_silent', 'webhook_disabled') then
    raise exception 'there is no alert %', alert;
  end if;

  if pg_input_is_valid(said ->> 'ticket_id', 'uuid') then
    select * into ticket
    from app_public.tickets as concerned
    where concerned.organization_id = app_hidden.current_organization_id() and concerned.id = (said ->> 'ticket_id')::uuid;
  end if;

  with made as (
    insert into app_public.notifications (
      organization_id, user_id, kind, reasons, ticket_id, dedupe_key, facts, is_shown, in_browser, mail
    )
    select
      person.organization_id, person.id, 'alert', '{admin}', ticket.id, alert_admins.dedupe_key,
      coalesce(said, '{}') || jsonb_build_object('alert', alert),
      coalesce(choice.in_app, usual.in_app),
      coalesce(choice.in_browser, usual.in_browser) and coalesce(choice.in_app, usual.in_app)
        and app_private.quiet_until(person, now()) is null,
      coalesce(choice.mail, usual.mail)
    from app_public.users as person
    join app_hidden.usual_notifications() as usual on usual.kind = 'alert' and usual.role = person.role
    left join app_private.notification_choices as choice
      on choice.organization_id = person.organization_id and choice.user_id = person.id and choice.kind = 'alert'
    where person.organization_id = app_hidden.current_organization_id() and person.role = 'admin' and person.disabled_at is null
      and (coalesce(choice.in_app, usual.in_app) or coalesce(choice.mail, usual.mail) <> 'off')
    on conflict do nothing
    returning notifications
  )
  select array_agg(made.notifications) into told from made;

  perform app_private.announce_notifications(told, ticket);
end
$$;

comment on function app_private.alert_admins(text, jsonb, text) is
  'Tells the admins of the organization that something of it needs them, once for each key (up to 150 characters): `file_blocked`, `scanner_away`, `mail_failed`, `mail_not_taken`, `mailbox_silent` or `webhook_disabled`. Another word is a fault of the program. A `ticket_id` among the facts is what it leads to.';

revoke all on function
  app_private.notification_kind_of(app_public.ticket_events), app_private.people_concerned(app_public.ticket_events, app_public.tickets),
  app_private.notification_facts(app_public.ticket_events, app_public.tickets, text), app_private.notify_people(app_public.ticket_events),
  app_private.announce_notifications(app_public.notifications[], app_public.tickets, app_public.comments),
  app_private.alert_admins(text, jsonb, text)
from public;
