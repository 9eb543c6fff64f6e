-- How people want to hear of what, and when they want to hear of nothing.

-- What reaches a person who said nothing. A kind that is not named for a role is not told to it.
create or replace function app_hidden.usual_notifications()
  returns table (
    kind app_public.notification_kind, role app_public.user_role, in_app boolean, mail app_public.notification_mail, in_browser boolean
  )
  language sql immutable parallel safe
  set search_path = ''
as $$
  select usual.kind::app_public.notification_kind, role, usual.in_app, usual.mail::app_public.notification_mail, usual.in_browser
  from (
    values
      ('acknowledgement', '{customer}', true, 'immediate', false),
      ('acknowledgement', '{agent,manager,admin}', true, 'off', false),
      ('new_ticket', '{agent,manager,admin}', true, 'off', false),
      ('assigned', '{agent,manager,admin}', true, 'immediate', true),
      ('reply', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('note', '{agent,manager,admin}', true, 'digest', true),
      ('mention', '{agent,manager,admin}', true, 'immediate', true),
      ('status_changed', '{customer,agent,manager,admin}', true, 'off', false),
      ('resolved', '{customer}', true, 'immediate', true),
      ('resolved', '{agent,manager,admin}', true, 'off', false),
      ('approval', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('sla_warning', '{agent,manager,admin}', true, 'off', true),
      ('sla_breach', '{agent,manager,admin}', true, 'immediate', true),
      ('notice', '{customer,agent,manager,admin}', true, 'immediate', true),
      ('problem', '{agent,manager,admin}', true, 'immediate', false),
      ('rating', '{agent,manager,admin}', true, 'off', false),
      ('alert', '{admin}', true, 'immediate', false)
  ) as usual (kind, roles, in_app, mail, in_browser)
  cross join unnest(usual.roles::app_public.user_role[]) as role
$$;

comment on function app_hidden.usual_notifications() is 'How people of each role hear of each kind as long as they have not said otherwise.';

create or replace function app_hidden.quiet_until(
  quiet_from integer, quiet_to integer, quiet_weekdays integer[], time_zone text, at timestamptz
) returns timestamptz
  language plpgsql stable parallel safe
  set search_path = ''
as $$
declare
  until timestamptz := at;
  later timestamptz;
begin
  if quiet_from is null then
    return null;
  end if;

  -- Quiet days may follow each other without a gap, for a week at most.
  for attempt in 1..8 loop
    select max(span.ends) into later
    from (
      select
        app_hidden.local_instant(day + make_interval(mins => quiet_from), time_zone) as begins,
        app_hidden.local_instant(
          day + make_interval(days => case when quiet_to <= quiet_from then 1 else 0 end, mins => quiet_to), time_zone
        ) as ends
      from (
        select (until at time zone time_zone)::date - back as day from generate_series(0, 1) as back
      ) as days
      where extract(isodow from day) = any (quiet_weekdays)
    ) as span
    where span.begins <= until and until < span.ends;
    exit when later is null;
    until := later;
  end loop;
  return nullif(until, at);
end
$$;

comment on function app_hidden.quiet_until(integer, integer, integer[], text, timestamptz) is 'When the quiet hours end in which an instant is, or null when it is in none. They begin on each of the weekdays, in minutes after midnight, and go over midnight where their end is not after their begin.';

create or replace function app_private.quiet_until(person app_public.users, at timestamptz) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select app_hidden.quiet_until(
    settings.quiet_from, settings.quiet_to, settings.quiet_weekdays, coalesce(person.time_zone, organization.time_zone), quiet_until.at
  )
  from app_private.notification_settings as settings
  join app_public.organizations as organization on organization.id = settings.organization_id
  where settings.organization_id = person.organization_id and settings.user_id = person.id and settings.quiet_from is not null
$$;

comment on function app_private.quiet_until(app_public.users, timestamptz) is 'When the quiet hours of a person end in which an instant is, or null when it is in none.';

do $$
begin
  if to_regtype('app_public.notification_choice') is null then
    create type app_public.notification_choice as (
      kind app_public.notification_kind, in_app boolean, mail app_public.notification_mail, in_browser boolean, is_usual boolean
    );
    create type app_public.notification_schedule as (
      quiet_from integer, quiet_to integer, quiet_weekdays integer[], digest_hour integer, time_zone text
    );
  end if;
end
$$;

comment on type app_public.notification_choice is 'How somebody hears of something.';
comment on column app_public.notification_choice.kind is 'Of what.';
comment on column app_public.notification_choice.in_app is 'Whether it is shown in the app.';
comment on column app_public.notification_choice.mail is 'Whether it is mailed.';
comment on column app_public.notification_choice.in_browser is 'Whether the browser shows it while they look elsewhere; only of what is shown in the app.';
comment on column app_public.notification_choice.is_usual is 'Whether that is what their role says, and not they.';

comment on type app_public.notification_schedule is 'When somebody wants no mail and no sign from their browser, and when the mail of the day comes.';
comment on column app_public.notification_schedule.quiet_from is 'When quiet hours begin, in minutes after midnight, 0 to 1439; null for none.';
comment on column app_public.notification_schedule.quiet_to is 'When they end, in minutes after midnight, 1 to 1440, on the next day where that is not after their begin.';
comment on column app_public.notification_schedule.quiet_weekdays is 'The days on which they begin, from 1 for Monday to 7 for Sunday.';
comment on column app_public.notification_schedule.digest_hour is 'The hour at which the mail of the day comes, 0 to 23.';
comment on column app_public.notification_schedule.time_zone is 'The time zone all of this is in: the own one, or that of the organization.';

create or replace function app_public.own_notification_choices() returns setof app_public.notification_choice
  language sql stable security definer
  set search_path = ''
as $$
  select
    usual.kind, coalesce(choice.in_app, usual.in_app), coalesce(choice.mail, usual.mail),
    coalesce(choice.in_browser, usual.in_browser), choice.id is null
  from app_public.users as person
  join app_hidden.usual_notifications() as usual on usual.role = person.role
  left join app_private.notification_choices as choice
    on choice.organization_id = person.organization_id and choice.user_id = person.id and choice.kind = usual.kind
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
  order by usual.kind
$$;

comment on function app_public.own_notification_choices() is 'How the caller hears of each thing that people of their role are told.';

create or replace function app_public.choose_notification(
  kind app_public.notification_kind, in_app boolean, mail app_public.notification_mail, in_browser boolean
) returns app_public.notification_choice
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  chosen app_public.notification_choice;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose what you are told';
  end if;
  if not exists (select from app_public.own_notification_choices() as offered where offered.kind = choose_notification.kind) then
    raise exception using errcode = '23514', message = 'People of your role are not told of this';
  end if;

  insert into app_private.notification_choices as choice (organization_id, user_id, kind, in_app, mail, in_browser)
  values (
    app_hidden.current_organization_id(), app_hidden.current_user_id(), choose_notification.kind, choose_notification.in_app,
    choose_notification.mail, choose_notification.in_browser
  )
  on conflict (organization_id, user_id, kind) do update
  set in_app = excluded.in_app, mail = excluded.mail, in_browser = excluded.in_browser, updated_at = now();

  select * into strict chosen from app_public.own_notification_choices() as made where made.kind = choose_notification.kind;
  return chosen;
end
$$;

comment on function app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean) is
  'Says how the caller hears of one kind of thing, and returns it. Errors: UNAUTHENTICATED, INVALID_INPUT for what people of their role are not told.';

create or replace function app_public.reset_notification_choices(kind app_public.notification_kind default null)
  returns setof app_public.notification_choice
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose what you are told';
  end if;

  delete from app_private.notification_choices as choice
  where choice.organization_id = app_hidden.current_organization_id() and choice.user_id = app_hidden.current_user_id()
    and (reset_notification_choices.kind is null or choice.kind = reset_notification_choices.kind);
  return query select * from app_public.own_notification_choices();
end
$$;

comment on function app_public.reset_notification_choices(app_public.notification_kind) is 'Has the caller hear of everything, or of one kind of thing, as people of their role usually do, and returns how they hear of each. Error UNAUTHENTICATED.';

create or replace function app_public.own_notification_schedule() returns app_public.notification_schedule
  language sql stable security definer
  set search_path = ''
as $$
  select
    settings.quiet_from, settings.quiet_to, coalesce(settings.quiet_weekdays, '{1,2,3,4,5,6,7}'), coalesce(settings.digest_hour, 8),
    coalesce(person.time_zone, organization.time_zone)
  from app_public.users as person
  join app_public.organizations as organization on organization.id = person.organization_id
  left join app_private.notification_settings as settings
    on settings.organization_id = person.organization_id and settings.user_id = person.id
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_public.own_notification_schedule() is 'When the caller wants to hear of nothing, and when their mail of the day comes.';

create or replace function app_public.change_notification_schedule(
  digest_hour integer, quiet_from integer default null, quiet_to integer default null, quiet_weekdays integer[] default '{1,2,3,4,5,6,7}'
) returns app_public.notification_schedule
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to choose when you are told';
  end if;

  insert into app_private.notification_settings as settings
    (organization_id, user_id, quiet_from, quiet_to, quiet_weekdays, digest_hour)
  values (
    app_hidden.current_organization_id(), app_hidden.current_user_id(), change_notification_schedule.quiet_from,
    change_notification_schedule.quiet_to,
    array(select distinct weekday from unnest(change_notification_schedule.quiet_weekdays) as weekday order by weekday),
    change_notification_schedule.digest_hour
  )
  on conflict (organization_id, user_id) do update
  set
    quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, quiet_weekdays = excluded.quiet_weekdays,
    digest_hour = excluded.digest_hour, updated_at = now();
  return app_public.own_notification_schedule();
end
$$;

comment on function app_public.change_notification_schedule(integer, integer, integer, integer[]) is
  'Says when the caller wants no mail and no sign from their browser, and at which hour the mail of the day comes, and returns it. Without `quietFrom` and `quietTo` there are no quiet hours. Errors: UNAUTHENTICATED, INVALID_INPUT.';

-- Roles change, and tickets move: the policies of notifications say the same of what is shown.
create or replace function app_private.may_still_be_told(
  person app_public.users, kind app_public.notification_kind, reasons app_public.notification_reason[], event text, ticket app_public.tickets
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    person.disabled_at is null
    and exists (
      select from app_hidden.usual_notifications() as usual
      where usual.kind = may_still_be_told.kind and usual.role = person.role
    )
    and (
      person.role <> 'customer'
      or reasons && '{requester,watcher,approver}'
        and (may_still_be_told.kind <> 'approval' or event = 'approval_requested')
    )
    and (
      may_still_be_told.kind = 'alert' or event is not distinct from 'approval_requested'
      or app_private.may_see_ticket(person.id, ticket)
    ),
    false
  )
$$;

comment on function app_private.may_still_be_told(
  app_public.users, app_public.notification_kind, app_public.notification_reason[], text, app_public.tickets
) is 'Whether a person, as they are now, may be told what they were once: of a ticket they may see, or were asked to approve, and as a customer nothing that staff is told.';

-- A mail that waited for the end of quiet hours, or for a mail server, may have nothing to say any more.
create or replace function app_private.mail_still_wanted(mail app_public.mail_messages) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select case
    when mail.kind in ('notice', 'alert') then not exists (
      select
      from app_public.notifications as notification
      join app_public.users as person
        on person.organization_id = notification.organization_id and person.id = notification.user_id
      left join app_public.tickets as ticket
        on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
      where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
        and mail.dedupe_key
          = coalesce('event:' || notification.event_id, 'alert:' || notification.dedupe_key) || ':' || notification.user_id
        and (
          (mail.kind = 'notice' and notification.read_at is not null)
          or not app_private.may_still_be_told(
            person, notification.kind, notification.reasons, notification.facts ->> 'event', ticket
          )
        )
    )
    when mail.kind in ('acknowledgement', 'reply', 'resolution', 'survey', 'digest') and not exists (
      select
      from app_public.users as person
      left join app_public.tickets as ticket on ticket.organization_id = mail.organization_id and ticket.id = mail.ticket_id
      left join app_public.comments as comment on comment.organization_id = mail.organization_id and comment.id = mail.comment_id
      where person.organization_id = mail.organization_id and person.id = mail.user_id
        and app_private.may_be_mailed(mail.kind, person, ticket, comment, '{}')
    ) then false
    -- What stands in the mail of the day is written; who became a customer since does not get it, nor who lost a ticket of it.
    when mail.kind = 'digest' then not exists (
      select
      from app_public.notifications as notification
      join app_public.users as person
        on person.organization_id = notification.organization_id and person.id = notification.user_id
      left join app_public.tickets as ticket
        on ticket.organization_id = notification.organization_id and ticket.id = notification.ticket_id
      where notification.organization_id = mail.organization_id and notification.user_id = mail.user_id
        and notification.mail = 'digest' and notification.digested_at = mail.created_at
        and not app_private.may_still_be_told(
          person, notification.kind, notification.reasons, notification.facts ->> 'event', ticket
        )
    )
    else true
  end
$$;

comment on function app_private.mail_still_wanted(app_public.mail_messages) is 'Whether a mail is still to be sent: a notice is not when its reader has read it in the app by now, a notice or an alert is not when they may not be told it any more, nor the mail of the day when they became a customer or lost a ticket of it. None is whose reader was shut out or does not see its ticket any more.';

create or replace function app_private.write_digest(person app_public.users, slot timestamptz, slot_date date) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
declare
  entries jsonb;
  unread integer;
begin
  with due as (
    update app_public.notifications as notification
    set digested_at = now()
    where notification.organization_id = person.organization_id and notification.user_id = person.id
      and notification.mail = 'digest' and notification.digested_at is null and notification.created_at < slot
    returning *
  ),
  wanted as (
    select due.*, row_number() over (order by due.created_at desc, due.id desc) as position
    from due
    join app_public.tickets as ticket on ticket.organization_id = due.organization_id and ticket.id = due.ticket_id
    where due.read_at is null and app_private.may_still_be_told(person, due.kind, due.reasons, due.facts ->> 'event', ticket)
  )
  select
    count(*),
    jsonb_agg(
      wanted.facts || jsonb_build_object('kind', wanted.kind, 'reasons', wanted.reasons, 'created_at', wanted.created_at)
      order by wanted.position
    ) filter (where wanted.position <= 50)
  into unread, entries
  from wanted;

  if unread = 0 then
    return false;
  end if;
  perform app_private.write_mail(
    'digest', 'digest:' || person.id || ':' || slot_date, person,
    facts => jsonb_build_object('count', unread, 'notifications', entries),
    send_at => app_private.quiet_until(person, now())
  );
  return true;
end
$$;

comment on function app_private.write_digest(app_public.users, timestamptz, date) is 'Puts what a person has not read of what they wanted in the mail of the day into that mail, the newest 50 by name, and returns whether there is one.';

create or replace function app_private.write_digests() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  due record;
  written integer := 0;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'The mails of the day are written for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  for due in
    select person, slot.day, app_hidden.local_instant(slot.day + make_interval(hours => clock.digest_hour), clock.time_zone) as at
    from (
      select waiting.user_id, min(waiting.created_at) as since
      from app_public.notifications as waiting
      where waiting.organization_id = app_hidden.current_organization_id() and waiting.mail = 'digest' and waiting.digested_at is null
      group by waiting.user_id
    ) as waiting
    join app_public.users as person
      on person.organization_id = app_hidden.current_organization_id() and person.id = waiting.user_id
    join app_public.organizations as organization on organization.id = person.organization_id
    left join app_private.notification_settings as settings
      on settings.organization_id = person.organization_id and settings.user_id = person.id
    cross join lateral (
      select coalesce(person.time_zone, organization.time_zone) as time_zone, coalesce(settings.digest_hour, 8) as digest_hour
    ) as clock
    -- The last hour of the mail that has come.
    cross join lateral (
      select
        (now() at time zone clock.time_zone)::date
        - case when app_hidden.local_instant(
            (now() at time zone clock.time_zone)::date + make_interval(hours => clock.digest_hour), clock.time_zone
          ) > now() then 1 else 0 end as day
    ) as slot
    where waiting.since < app_hidden.local_instant(slot.day + make_interval(hours => clock.digest_hour), clock.time_zone)
    limit 1000
  loop
    if app_private.write_digest(due.person, due.at, due.day) then
      written := written + 1;
    end if;
  end loop;
  return written;
end
$$;

comment on function app_private.write_digests() is 'Writes the mails of the day of the current organization whose hour has come, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace trigger _100_stamp_updated_at before update on app_private.notification_choices
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_private.notification_settings
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.usual_notifications(), app_hidden.quiet_until(integer, integer, integer[], text, timestamptz),
  app_private.quiet_until(app_public.users, timestamptz), app_public.own_notification_choices(),
  app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean),
  app_public.reset_notification_choices(app_public.notification_kind), app_public.own_notification_schedule(),
  app_public.change_notification_schedule(integer, integer, integer, integer[]),
  app_private.may_still_be_told(
    app_public.users, app_public.notification_kind, app_public.notification_reason[], text, app_public.tickets
  ),
  app_private.mail_still_wanted(app_public.mail_messages), app_private.write_digest(app_public.users, timestamptz, date),
  app_private.write_digests()
from public;

grant execute on function
  app_public.own_notification_choices(),
  app_public.choose_notification(app_public.notification_kind, boolean, app_public.notification_mail, boolean),
  app_public.reset_notification_choices(app_public.notification_kind), app_public.own_notification_schedule(),
  app_public.change_notification_schedule(integer, integer, integer, integer[])
to atum_customer, atum_agent;
grant execute on function app_private.write_digests() to atum_worker;
