select app_private.reset_access('app_public.audit_log');

create policy select_admin on app_public.audit_log for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: only app_private.append_audit writes.
grant select on app_public.audit_log to atum_admin;

select app_private.reset_access('app_private.audit_heads');
