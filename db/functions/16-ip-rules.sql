create or replace function app_hidden.plain_address(address inet) returns inet
  language sql immutable parallel safe
  return case
    when family(address) = 6 and address <<= '::ffff:0:0/96'::inet
      then set_masklen(substr(host(address), 8)::inet, masklen(address) - 96)
    else address
  end;

comment on function app_hidden.plain_address(inet) is 'An IPv4 address or network that is written inside IPv6 (`::ffff:192.0.2.7`) as IPv4; any other as it is.';

create or replace function app_hidden.network_of(address inet) returns cidr
  language sql immutable parallel safe
  return case family(app_hidden.plain_address(address))
    when 6 then set_masklen(app_hidden.plain_address(address), 64)::cidr
    else app_hidden.plain_address(address)::cidr
  end;

comment on function app_hidden.network_of(inet) is 'What one customer has: an IPv4 address, or the /64 of an IPv6 address.';

create or replace function app_private.ip_allowed(organization_id uuid, role app_public.user_role, address inet) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  with applicable as (
    select rule.network
    from app_public.ip_rules as rule
    where rule.organization_id = ip_allowed.organization_id
      and rule.role is not distinct from case
        when exists (
          select
          from app_public.ip_rules as own
          where own.organization_id = ip_allowed.organization_id and own.role = ip_allowed.role
        ) then ip_allowed.role
      end
  )
  select not exists (select from applicable)
    or exists (select from applicable where app_hidden.plain_address(ip_allowed.address) <<= network::inet)
$$;

comment on function app_private.ip_allowed(uuid, app_public.user_role, inet) is 'Whether a person of this role may come from this address.';

create or replace function app_private.refuse_own_lockout(accept_lockout boolean) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not accept_lockout
    and app_hidden.current_address() is not null
    and not app_private.ip_allowed(
      app_hidden.current_organization_id(),
      (
        select person.role
        from app_public.users as person
        where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
      ),
      app_hidden.current_address()
    )
  then
    raise exception using
      errcode = 'AD008',
      message = format('This would refuse your own address %s', host(app_hidden.current_address()));
  end if;
end
$$;

comment on function app_private.refuse_own_lockout(boolean) is 'Refuses rules that would keep out the admin who makes them. Error WOULD_LOCK_YOU_OUT.';

create or replace function app_public.add_ip_rule(
  network cidr,
  role app_public.user_role default null,
  note text default null,
  accept_lockout boolean default false
) returns app_public.ip_rules
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  made app_public.ip_rules;
begin
  perform app_private.subject_of_claims();

  insert into app_public.ip_rules (organization_id, role, network, note)
  values (app_hidden.current_organization_id(), add_ip_rule.role, app_hidden.plain_address(add_ip_rule.network)::cidr, add_ip_rule.note)
  returning * into made;

  perform app_private.refuse_own_lockout(coalesce(accept_lockout, false));
  return made;
end
$$;

comment on function app_public.add_ip_rule(cidr, app_public.user_role, text, boolean) is
  'Allows a network, for one role or for every role without rules of its own, and returns the rule. Admins only. Errors: WOULD_LOCK_YOU_OUT when the caller''s own address would be refused and `acceptLockout` was not said, CONFLICT for a rule that is there, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.remove_ip_rule(rule_id uuid, accept_lockout boolean default false) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.subject_of_claims();

  delete from app_public.ip_rules as rule
  where rule.organization_id = app_hidden.current_organization_id() and rule.id = remove_ip_rule.rule_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such rule';
  end if;

  perform app_private.refuse_own_lockout(coalesce(accept_lockout, false));
  return true;
end
$$;

comment on function app_public.remove_ip_rule(uuid, boolean) is
  'Removes a rule. Without any rule people may come from everywhere. Admins only. Errors: NOT_FOUND, WOULD_LOCK_YOU_OUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_ip_rules__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('ip_rules', coalesce(NEW.organization_id, OLD.organization_id));
  return null;
end
$$;

comment on function app_private.tg_ip_rules__tell_servers() is 'Has every server ask anew who may come from where.';

create or replace trigger _800_tell_servers after insert or update or delete on app_public.ip_rules
  for each row execute function app_private.tg_ip_rules__tell_servers();

revoke all on function
  app_hidden.plain_address(inet), app_hidden.network_of(inet), app_private.ip_allowed(uuid, app_public.user_role, inet),
  app_private.refuse_own_lockout(boolean), app_public.add_ip_rule(cidr, app_public.user_role, text, boolean),
  app_public.remove_ip_rule(uuid, boolean), app_private.tg_ip_rules__tell_servers()
from public;

grant execute on function app_private.ip_allowed(uuid, app_public.user_role, inet) to atum_server;
grant execute on function app_public.add_ip_rule(cidr, app_public.user_role, text, boolean), app_public.remove_ip_rule(uuid, boolean)
to atum_admin;
