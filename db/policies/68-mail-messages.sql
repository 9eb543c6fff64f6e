select app_private.reset_access('app_public.mail_messages');

create policy select_admin on app_public.mail_messages for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_messages to atum_admin;
-- NOTE: mails are written and sent by functions.
