select app_private.reset_access('app_public.custom_fields');

-- A customer does not learn that there are fields for staff.
create policy select_customer on app_public.custom_fields for select to atum_customer
  using (organization_id = (select app_hidden.current_organization_id()) and seen_by_customers);

create policy select_staff on app_public.custom_fields for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_fields to atum_customer, atum_agent;
-- NOTE: made and changed by functions, because a field is said together with its options and services.
-- NOTE: delete is granted to nobody; a field is archived, and its values stay.

select app_private.reset_access('app_public.custom_field_options');

create policy select_customer on app_public.custom_field_options for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.custom_fields as field
      where field.organization_id = custom_field_options.organization_id and field.id = custom_field_options.field_id
    )
  );

create policy select_staff on app_public.custom_field_options for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_field_options to atum_customer, atum_agent;

select app_private.reset_access('app_public.custom_field_services');

create policy select_customer on app_public.custom_field_services for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and exists (
      select
      from app_public.custom_fields as field
      where field.organization_id = custom_field_services.organization_id and field.id = custom_field_services.field_id
    )
  );

create policy select_staff on app_public.custom_field_services for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.custom_field_services to atum_customer, atum_agent;
