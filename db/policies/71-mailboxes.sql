select app_private.reset_access('app_public.mailboxes');

create policy select_admin on app_public.mailboxes for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mailboxes to atum_admin;
-- NOTE: saved and archived by functions.

select app_private.reset_access('app_public.mailbox_states');

create policy select_admin on app_public.mailbox_states for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.mailbox_states to atum_admin;
-- NOTE: written by the functions of the worker.

select app_private.reset_access('app_private.mailbox_secrets');
