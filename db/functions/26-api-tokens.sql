create or replace function app_public.create_api_token(name text, scopes text[], expires_at timestamptz default null)
  returns app_public.made_api_token
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
  body constant text := 'atum_' || encode(public.gen_random_bytes(24), 'hex');
  -- The end proves that it is no slip of the pen, before anything is looked up.
  secret constant text := body || left(encode(sha256(convert_to(body, 'UTF8')), 'hex'), 8);
  made app_public.made_api_token;
begin
  if coalesce(cardinality(create_api_token.scopes), 0) = 0
    or not create_api_token.scopes <@ array['read', 'tickets:write', 'admin:read', 'admin:write']
    or (caller.role in ('customer', 'agent') and create_api_token.scopes && array['admin:read', 'admin:write'])
    -- Together they would write with all rights that were asked for to read with.
    or ('admin:read' = any (create_api_token.scopes) and 'tickets:write' = any (create_api_token.scopes)
      and 'admin:write' <> all (create_api_token.scopes))
  then
    raise exception using
      errcode = 'AD014',
      message = 'Scopes are read, tickets:write and, for managers and admins, admin:read or admin:write; admin:read does not go with tickets:write';
  end if;

  if create_api_token.expires_at <= now() then
    raise exception using errcode = '23514', message = 'A token ends in the future';
  end if;

  if (
    select count(*)
    from app_public.api_tokens as token
    where token.organization_id = caller.organization_id and token.user_id = caller.id and token.revoked_at is null
  ) >= 100 then
    raise exception using errcode = '23514', message = 'A person has at most 100 API tokens; revoke one';
  end if;

  insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint, expires_at)
  values (
    caller.organization_id, caller.id, btrim(create_api_token.name),
    array(select distinct scope from unnest(create_api_token.scopes) as scope order by scope),
    caller.role, right(secret, 4), create_api_token.expires_at
  )
  returning id into made.id;

  insert into app_private.api_token_secrets (organization_id, token_id, token_hash)
  values (caller.organization_id, made.id, app_private.token_hash(secret));

  perform app_private.write_account_mail(caller, 'api_token_made');
  made.secret := secret;
  return made;
end
$$;

comment on function app_public.create_api_token(text, text[], timestamptz) is
  'Makes an API token in the caller''s name and shows it, for the only time; the caller is told by mail. Use it as `authorization: Bearer atum_…`. It acts with the role the caller has now, or a lower one that the caller has later. Errors: SCOPE_REFUSED, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.revoke_api_token(token_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  update app_public.api_tokens as token
  set revoked_at = now()
  where token.organization_id = caller.organization_id and token.id = revoke_api_token.token_id and token.revoked_at is null
    and (token.user_id = caller.id or app_hidden.acting_role() = 'atum_admin');
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such token';
  end if;
  return true;
end
$$;

comment on function app_public.revoke_api_token(uuid) is 'Ends an API token: the own ones, for admins anybody''s. Within a second every server refuses it. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.revoke_api_tokens_of(organization_id uuid, user_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.api_tokens as token
  set revoked_at = now()
  where token.organization_id = revoke_api_tokens_of.organization_id and token.user_id = revoke_api_tokens_of.user_id
    and token.revoked_at is null
$$;

comment on function app_private.revoke_api_tokens_of(uuid, uuid) is 'Ends every API token of a person, for good.';

create or replace function app_private.tg_api_tokens__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('api_token', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_api_tokens__tell_servers() is 'Has every server refuse an API token that was revoked.';

create or replace trigger _800_tell_servers after update of revoked_at on app_public.api_tokens
  for each row when (NEW.revoked_at is not null and OLD.revoked_at is null)
  execute function app_private.tg_api_tokens__tell_servers();

create or replace function app_private.api_token_claims(token_hash bytea, ip_address inet) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  found_token app_public.api_tokens;
  subject app_public.users;
  acting app_public.user_role;
  refused text;
begin
  select token.* into found_token
  from app_private.api_token_secrets as secret
  join app_public.api_tokens as token on token.organization_id = secret.organization_id and token.id = secret.token_id
  where secret.token_hash = api_token_claims.token_hash
    and token.revoked_at is null and (token.expires_at is null or token.expires_at > now());

  select * into subject
  from app_public.users as person
  where person.organization_id = found_token.organization_id and person.id = found_token.user_id
    and person.disabled_at is null and person.activated_at is not null;
  if not found then
    return null;
  end if;
  perform app_private.act_for(subject);

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, api_token_claims.ip_address) then 'address_not_allowed'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    return jsonb_build_object('refused', refused);
  end if;

  if app_hidden.network_of(found_token.last_used_ip) is distinct from app_hidden.network_of(api_token_claims.ip_address) then
    perform app_private.append_audit(
      subject.organization_id, 'api_token_new_address', 'app_public.api_tokens', found_token.id,
      jsonb_build_object('last_used_ip', host(found_token.last_used_ip)),
      jsonb_build_object('last_used_ip', host(api_token_claims.ip_address))
    );
  end if;
  update app_public.api_tokens as token
  set last_used_at = now(), last_used_ip = api_token_claims.ip_address
  where token.organization_id = found_token.organization_id and token.id = found_token.id
    and (token.last_used_at is null or token.last_used_at < now() - interval '1 minute'
      or token.last_used_ip is distinct from api_token_claims.ip_address);

  -- Who rises does not lift what was made before, or what somebody else made in the person's name.
  acting := least(subject.role, found_token.made_as);

  return jsonb_build_object(
    'apiTokenId', found_token.id,
    'organizationId', subject.organization_id,
    'userId', subject.id,
    'role', case
      when acting = 'customer' or found_token.scopes && array['admin:read', 'admin:write'] then acting
      else 'agent'
    end,
    'readOnly', not found_token.scopes && array['tickets:write', 'admin:write'],
    'expiresAt', ceil(extract(epoch from found_token.expires_at))
  );
end
$$;

comment on function app_private.api_token_claims(bytea, inet) is
  'Whom an API token stands for and what it may: `{apiTokenId, organizationId, userId, role, readOnly, expiresAt}`, `{refused}` with `organization_suspended` or `address_not_allowed`, or null for a token that is none. Notes the use, and records one from a new address.';

revoke all on function
  app_public.create_api_token(text, text[], timestamptz), app_public.revoke_api_token(uuid),
  app_private.revoke_api_tokens_of(uuid, uuid), app_private.tg_api_tokens__tell_servers(),
  app_private.api_token_claims(bytea, inet)
from public;

grant execute on function app_public.create_api_token(text, text[], timestamptz), app_public.revoke_api_token(uuid)
to atum_customer, atum_agent;
grant execute on function app_private.api_token_claims(bytea, inet) to atum_server;
