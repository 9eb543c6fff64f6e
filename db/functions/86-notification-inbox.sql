-- What people do with the notifications they were given.

create or replace function app_public.unread_notification_count() returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.notifications as notification
    where notification.organization_id = (select app_hidden.current_organization_id())
      and notification.user_id = (select app_hidden.current_user_id())
      and notification.read_at is null
    limit 100
  ) as unread
$$;

comment on function app_public.unread_notification_count() is 'How many notifications of the caller are unread, counted up to 100, which stands for more than 99.';

create or replace function app_private.mark_notifications_read(
  id uuid default null, ticket_id uuid default null, before timestamptz default null
) returns integer
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  marked integer;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to read what you were told';
  end if;

  update app_public.notifications as notification
  set read_at = now()
  where notification.organization_id = app_hidden.current_organization_id()
    and notification.user_id = app_hidden.current_user_id()
    and notification.read_at is null
    and (mark_notifications_read.id is null or notification.id = mark_notifications_read.id)
    and (mark_notifications_read.ticket_id is null or notification.ticket_id = mark_notifications_read.ticket_id)
    and (mark_notifications_read.before is null or notification.created_at <= mark_notifications_read.before);
  get diagnostics marked = row_count;

  -- The other windows of the same person count down.
  if marked > 0 then
    perform pg_notify('notifications:' || app_hidden.current_user_id(), json_build_object('event', 'read')::text);
  end if;
  return marked;
end
$$;

comment on function app_private.mark_notifications_read(uuid, uuid, timestamptz) is 'Marks those of the caller''s notifications as read to which all that is given applies, and returns how many.';

create or replace function app_public.mark_notification_read(notification_id uuid) returns app_public.notifications
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  notification app_public.notifications;
begin
  perform app_private.mark_notifications_read(id => notification_id);
  select marked.* into notification
  from app_public.notifications as marked
  join app_public.users as person on person.organization_id = marked.organization_id and person.id = marked.user_id
  left join app_public.tickets as ticket on ticket.organization_id = marked.organization_id and ticket.id = marked.ticket_id
  where marked.organization_id = app_hidden.current_organization_id()
    and marked.user_id = app_hidden.current_user_id() and marked.id = notification_id and marked.is_shown
    and app_private.may_still_be_told(person, marked.kind, marked.reasons, marked.facts ->> 'event', ticket);
  if not found then
    raise exception using errcode = 'AD101', message = 'You have no such notification';
  end if;
  return notification;
end
$$;

comment on function app_public.mark_notification_read(uuid) is 'Marks a notification of the caller as read, and returns it. Errors: UNAUTHENTICATED, NOT_FOUND.';

create or replace function app_public.mark_ticket_notifications_read(ticket_id uuid) returns integer
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.mark_notifications_read(ticket_id => mark_ticket_notifications_read.ticket_id)
  where mark_ticket_notifications_read.ticket_id is not null
$$;

comment on function app_public.mark_ticket_notifications_read(uuid) is 'Marks what the caller was told of a ticket as read, for whoever has it before them, and returns how many notifications that were. Error UNAUTHENTICATED.';

create or replace function app_public.mark_all_notifications_read(before timestamptz default null) returns integer
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.mark_notifications_read(before => mark_all_notifications_read.before)
$$;

comment on function app_public.mark_all_notifications_read(timestamptz) is 'Marks all notifications of the caller as read, or those up to an instant, such as the newest one on the screen, and returns how many. Error UNAUTHENTICATED.';

create or replace function app_private.remove_old_notifications() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  removed integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Notifications are removed for one organization at a time';
  end if;

  delete from app_public.notifications as old
  where old.organization_id = app_hidden.current_organization_id()
    and old.id in (
      select candidate.id
      from app_public.notifications as candidate
      where candidate.organization_id = app_hidden.current_organization_id()
        and candidate.created_at < now() - interval '90 days'
      order by candidate.created_at
      limit 20000
    );
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_notifications() is 'Removes notifications of the current organization that are older than 90 days, up to 20,000, and returns how many. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_public.unread_notification_count(), app_private.mark_notifications_read(uuid, uuid, timestamptz), app_public.mark_notification_read(uuid),
  app_public.mark_ticket_notifications_read(uuid), app_public.mark_all_notifications_read(timestamptz), app_private.remove_old_notifications()
from public;

grant execute on function
  app_public.unread_notification_count(), app_public.mark_notification_read(uuid), app_public.mark_ticket_notifications_read(uuid),
  app_public.mark_all_notifications_read(timestamptz)
to atum_customer, atum_agent;
grant execute on function app_private.remove_old_notifications() to atum_worker;
