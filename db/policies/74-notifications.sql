select app_private.reset_access('app_public.notifications');

-- What somebody was told is theirs alone.
create policy select_own on app_public.notifications for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
    and is_shown
  );

grant select (
  organization_id, id, user_id, kind, reasons, event_id, ticket_id, facts, in_browser, read_at, created_at
) on app_public.notifications to atum_customer, atum_agent;
-- NOTE: notify_people writes them, and functions mark them as read.

select app_private.reset_access('app_private.notification_choices');
select app_private.reset_access('app_private.notification_settings');
-- NOTE: only the functions of notifications read and write these.
