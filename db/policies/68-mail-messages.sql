select app_private.reset_access('app_public.mail_messages');

create policy select_admin on app_public.mail_messages for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_messages to atum_admin;
-- NOTE: mails are written and sent by functions.

select app_private.reset_access('app_public.mail_attempts');

create policy select_admin on app_public.mail_attempts for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_attempts to atum_admin;

select app_private.reset_access('app_public.mail_settings');

create policy select_admin on app_public.mail_settings for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.mail_settings for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_settings to atum_admin;
grant update (sender_name, brand_color, footer, acknowledges) on app_public.mail_settings to atum_admin;
-- NOTE: each organization has one from its beginning.

select app_private.reset_access('app_public.mail_templates');

create policy select_admin on app_public.mail_templates for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mail_templates to atum_admin;
-- NOTE: changed and given back by functions.

select app_private.reset_access('app_private.mail_reply_tokens');
-- NOTE: only the functions of mails read and write these.
