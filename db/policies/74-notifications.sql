select app_private.reset_access('app_public.notifications');

-- What somebody was told is theirs alone, and only as long as they would be told it: app_private.may_still_be_told says the
-- same for functions. Who is asked for approval need not see the ticket. `offset 0` has each row look for its own ticket: a page of
-- them is cheaper so than all the tickets that somebody sees.
create policy select_customer on app_public.notifications for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
    -- Who was staff keeps nothing of what staff is told.
    and kind in ('acknowledgement', 'reply', 'status_changed', 'resolved', 'approval', 'notice')
    and reasons && '{requester,watcher,approver}'
    and case kind
      when 'approval' then facts ->> 'event' = 'approval_requested'
      else exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = notifications.organization_id and ticket.id = notifications.ticket_id
        offset 0
      )
    end
  );

create policy select_staff on app_public.notifications for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
    and (
      (select app_hidden.sees_every_team())
      or facts ->> 'event' = 'approval_requested'
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = notifications.organization_id and ticket.id = notifications.ticket_id
        offset 0
      )
    )
  );

grant select (
  organization_id, id, user_id, kind, reasons, event_id, ticket_id, facts, in_browser, read_at, created_at
) on app_public.notifications to atum_customer, atum_agent;
-- NOTE: notify_people writes them, and functions mark them as read.

select app_private.reset_access('app_private.notification_choices');
select app_private.reset_access('app_private.notification_settings');
-- NOTE: only the functions of notifications read and write these.
