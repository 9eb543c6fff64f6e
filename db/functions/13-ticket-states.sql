create or replace function app_public.create_ticket_state(kind app_public.ticket_status, name text, "position" integer default 0)
  returns app_public.ticket_states
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.ticket_states (organization_id, kind, name, position)
  values (app_hidden.current_organization_id(), create_ticket_state.kind, btrim(create_ticket_state.name), coalesce(create_ticket_state.position, 0))
  returning *
$$;

comment on function app_public.create_ticket_state(app_public.ticket_status, text, integer) is
  'Adds a stage of a kind and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.make_ticket_state_default(state_id uuid) returns app_public.ticket_states
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  state app_public.ticket_states;
begin
  select * into state
  from app_public.ticket_states as chosen
  where chosen.organization_id = app_hidden.current_organization_id() and chosen.id = make_ticket_state_default.state_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such stage';
  end if;

  -- One that had no name of its own would be nameless when it is no longer the default.
  update app_public.ticket_states as former
  set is_default = false, name = coalesce(former.name, initcap(replace(former.kind::text, '_', ' ')))
  where former.organization_id = state.organization_id and former.kind = state.kind and former.is_default and former.id <> state.id;

  update app_public.ticket_states as chosen
  set is_default = true
  where chosen.organization_id = state.organization_id and chosen.id = state.id
  returning * into state;
  return state;
end
$$;

comment on function app_public.make_ticket_state_default(uuid) is
  'Makes a stage the one a ticket gets when only the kind is said, and returns it. Admins only. Errors: NOT_FOUND, INVALID_INPUT for an archived one.';

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_states
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.current_ticket_settings() returns app_public.ticket_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.ticket_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_ticket_settings() is 'How tickets of the organization end. Staff only.';

revoke all on function
  app_public.create_ticket_state(app_public.ticket_status, text, integer), app_public.make_ticket_state_default(uuid),
  app_public.current_ticket_settings()
from public;

grant execute on function
  app_public.create_ticket_state(app_public.ticket_status, text, integer), app_public.make_ticket_state_default(uuid)
to atum_admin;
grant execute on function app_public.current_ticket_settings() to atum_agent;
