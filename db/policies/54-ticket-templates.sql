select app_private.reset_access('app_public.ticket_templates');

create policy select_customer on app_public.ticket_templates for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and seen_by_customers and archived_at is null
  );

create policy select_staff on app_public.ticket_templates for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_manager on app_public.ticket_templates for update to atum_manager
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select (organization_id, id, name, seen_by_customers, subject, body, priority, service_id, position, archived_at, created_at, updated_at)
  on app_public.ticket_templates to atum_customer;
grant select on app_public.ticket_templates to atum_agent;
grant update (name, seen_by_customers, subject, body, priority, service_id, tags, custom_fields, checklist, position, archived_at)
  on app_public.ticket_templates to atum_manager;
