select app_private.reset_access('app_public.users');

-- Customers see who helps them and themselves, but not each other.
create policy select_customer on app_public.users for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (role <> 'customer' or id = (select app_hidden.current_user_id()))
  );

create policy select_staff on app_public.users for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: by column for customers, because the mail addresses of staff are not theirs to read.
grant select (organization_id, id, name, role) on app_public.users to atum_customer;
grant select on app_public.users to atum_agent;

select app_private.reset_access('app_private.user_secrets');

select app_private.reset_access('app_private.sessions');

select app_private.reset_access('app_public.team_members');

create policy select_staff on app_public.team_members for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.team_members to atum_agent;
