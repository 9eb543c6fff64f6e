create or replace function app_public.create_team(
  name text, assignment_method app_public.assignment_method default 'manual'
) returns app_public.teams
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.teams (organization_id, name, assignment_method)
  values (
    app_hidden.current_organization_id(), btrim(create_team.name), coalesce(create_team.assignment_method, 'manual')
  )
  returning *
$$;

comment on function app_public.create_team(text, app_public.assignment_method) is 'Makes a team and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_team(team_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.teams as team
  where team.organization_id = app_hidden.current_organization_id() and team.id = delete_team.team_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such team';
  end if;
  return true;
end
$$;

comment on function app_public.delete_team(uuid) is 'Removes a team. Its tickets and services stay, and belong to none. Admins only. Error NOT_FOUND.';

create or replace function app_public.set_team_member(
  team_id uuid, user_id uuid, takes_tickets boolean default true, capacity integer default null
) returns app_public.team_members
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  made app_public.team_members;
begin
  if exists (
    select
    from app_public.users as person
    where person.organization_id = app_hidden.current_organization_id() and person.id = set_team_member.user_id
      and person.role = 'customer'
  ) then
    raise exception using errcode = 'AD103', message = 'Only staff work in teams';
  end if;

  insert into app_public.team_members as member (organization_id, team_id, user_id, takes_tickets, capacity)
  values (
    app_hidden.current_organization_id(), set_team_member.team_id, set_team_member.user_id,
    coalesce(set_team_member.takes_tickets, true), set_team_member.capacity
  )
  on conflict on constraint team_members_organization_id_team_id_user_id_key
    do update set takes_tickets = excluded.takes_tickets, capacity = excluded.capacity
  returning * into made;
  return made;
end
$$;

comment on function app_public.set_team_member(uuid, uuid, boolean, integer) is
  'Has somebody work in a team, or changes how, and returns the membership. `takesTickets` and `capacity` steer who gets tickets by themselves. Admins only. Errors: NOT_FOUND, ASSIGNEE_NOT_STAFF for a customer, INVALID_INPUT.';

create or replace function app_public.remove_team_member(team_id uuid, user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.team_members as member
  where member.organization_id = app_hidden.current_organization_id()
    and member.team_id = remove_team_member.team_id and member.user_id = remove_team_member.user_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'This person does not work in this team';
  end if;
  return true;
end
$$;

comment on function app_public.remove_team_member(uuid, uuid) is 'Takes somebody out of a team; the tickets assigned to them stay theirs. Admins only. Error NOT_FOUND.';

create or replace function app_public.create_service(
  name text, description text default null, team_id uuid default null, required_skills text[] default '{}'
) returns app_public.services
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.services (organization_id, name, description, team_id, required_skills)
  values (
    app_hidden.current_organization_id(), btrim(create_service.name), create_service.description, create_service.team_id,
    coalesce(create_service.required_skills, '{}')
  )
  returning *
$$;

comment on function app_public.create_service(text, text, uuid, text[]) is 'Offers a service and returns it. Its tickets go to the team `teamId`. Admins only. Errors: CONFLICT for a name that is taken, NOT_FOUND for a team that is not there, INVALID_INPUT.';

create or replace function app_private.next_assignee(ticket app_public.tickets) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  method app_public.assignment_method;
  wanted_skills text[];
  chosen_id uuid;
begin
  -- One after the other within a team: two tickets at the same moment must not both go to whoever has the fewest.
  select team.assignment_method into method
  from app_public.teams as team
  where team.organization_id = ticket.organization_id and team.id = ticket.team_id and team.assignment_method <> 'manual'
  for no key update;
  if not found then
    return null;
  end if;

  select service.required_skills into wanted_skills
  from app_public.services as service
  where service.organization_id = ticket.organization_id and service.id = ticket.service_id;

  select member.user_id into chosen_id
  from app_public.team_members as member
  join app_public.users as agent on agent.organization_id = member.organization_id and agent.id = member.user_id
  cross join lateral (
    select count(*) as tickets
    from app_public.tickets as mine
    where mine.organization_id = member.organization_id and mine.assignee_id = member.user_id and mine.status in ('new', 'open')
  ) as in_hand
  where member.organization_id = ticket.organization_id and member.team_id = ticket.team_id and member.takes_tickets
    and agent.role <> 'customer' and agent.disabled_at is null
    and agent.skills @> coalesce(wanted_skills, '{}')
    and (member.capacity is null or in_hand.tickets < member.capacity)
    -- Nobody answers the own question.
    and agent.id <> ticket.requester_id
  order by
    case when method = 'least_loaded' then in_hand.tickets end,
    member.last_assigned_at nulls first,
    member.id
  limit 1;

  update app_public.team_members as member
  set last_assigned_at = clock_timestamp()
  where member.organization_id = ticket.organization_id and member.team_id = ticket.team_id and member.user_id = chosen_id;
  return chosen_id;
end
$$;

comment on function app_private.next_assignee(app_public.tickets) is
  'Who of a ticket''s team gets it by itself: by the team''s method, of those who take tickets, have room and know what its service asks for; null when nobody does or the team assigns by hand.';

revoke all on function
  app_public.create_team(text, app_public.assignment_method), app_public.delete_team(uuid),
  app_public.set_team_member(uuid, uuid, boolean, integer), app_public.remove_team_member(uuid, uuid),
  app_public.create_service(text, text, uuid, text[]), app_private.next_assignee(app_public.tickets)
from public;

grant execute on function
  app_public.create_team(text, app_public.assignment_method), app_public.delete_team(uuid),
  app_public.set_team_member(uuid, uuid, boolean, integer), app_public.remove_team_member(uuid, uuid),
  app_public.create_service(text, text, uuid, text[])
to atum_admin;
