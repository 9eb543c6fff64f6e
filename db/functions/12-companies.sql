create or replace function app_hidden.current_company_id() returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select person.company_id
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_company_id() is 'The company the caller works for, or null.';

create or replace function app_hidden.shared_company_id() returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select company.id
  from app_public.users as person
  join app_public.companies as company on company.organization_id = person.organization_id and company.id = person.company_id
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
    and company.shares_tickets
$$;

comment on function app_hidden.shared_company_id() is 'The caller''s company, where its people share their tickets; otherwise null.';

create or replace function app_public.create_company(name text, shares_tickets boolean default false) returns app_public.companies
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.companies (organization_id, name, shares_tickets)
  values (app_hidden.current_organization_id(), btrim(create_company.name), coalesce(create_company.shares_tickets, false))
  returning *
$$;

comment on function app_public.create_company(text, boolean) is 'Makes a customer account and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_company(company_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.companies as company
  where company.organization_id = app_hidden.current_organization_id() and company.id = delete_company.company_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such company';
  end if;
  return true;
end
$$;

comment on function app_public.delete_company(uuid) is 'Removes a company. Its people and tickets stay, and belong to none. Admins only. Error NOT_FOUND.';

create or replace function app_private.tg_companies__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', person.id)
  from app_public.users as person
  where person.organization_id = NEW.organization_id and person.company_id = NEW.id;
  return null;
end
$$;

comment on function app_private.tg_companies__tell_servers() is 'Has the servers close the sockets of people who see other tickets from now on.';

create or replace trigger _800_tell_servers after update of shares_tickets on app_public.companies
  for each row when (NEW.shares_tickets <> OLD.shares_tickets)
  execute function app_private.tg_companies__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.companies
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.current_company_id(), app_hidden.shared_company_id(), app_public.create_company(text, boolean), app_public.delete_company(uuid),
  app_private.tg_companies__tell_servers()
from public;

grant execute on function app_hidden.current_company_id(), app_hidden.shared_company_id() to atum_customer, atum_agent;
grant execute on function app_public.create_company(text, boolean), app_public.delete_company(uuid) to atum_admin;
