-- An identity provider, or a directory, says who somebody is.

create or replace function app_private.role_by_provider(provider app_public.identity_providers, groups text[]) returns app_public.user_role
  language sql stable
  set search_path = ''
as $$
  select coalesce(max((provider.role_mapping ->> membership)::app_public.user_role), provider.default_role)
  from unnest(groups) as membership
  where provider.role_mapping ? membership
$$;

comment on function app_private.role_by_provider(app_public.identity_providers, text[]) is 'The highest role that the groups of a person give, or the default one.';

create or replace function app_private.log_in_by_provider(
  provider_id uuid,
  subject text,
  email text,
  email_verified boolean,
  name text,
  groups text[],
  id_token text,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  provider app_public.identity_providers;
  person app_public.users;
  granted app_public.user_role;
  refused text;
begin
  select known.* into provider
  from app_public.identity_providers as known
  where known.id = log_in_by_provider.provider_id and known.is_enabled;
  if not found then
    return jsonb_build_object('outcome', 'refused', 'reason', 'no_account');
  end if;
  perform set_config('atum.organization_id', provider.organization_id::text, true);
  granted := app_private.role_by_provider(provider, groups);

  select known.* into person
  from app_private.user_identities as identity
  join app_public.users as known on known.organization_id = identity.organization_id and known.id = identity.user_id
  where identity.organization_id = provider.organization_id and identity.provider_id = provider.id
    and identity.subject = log_in_by_provider.subject;

  if not found then
    if not coalesce(email_verified, false) or app_private.mail_address(email) is null then
      refused := 'email_not_verified';
    else
      select known.* into person
      from app_public.users as known
      where known.organization_id = provider.organization_id and known.email = app_private.mail_address(log_in_by_provider.email);

      refused := case
        when person.id is null and not provider.makes_people then 'no_account'
        when person.disabled_at is not null then 'disabled'
        when granted is null and (person.id is null or provider.role_claim is not null) then 'no_role'
        -- The provider means another person by this address than it did: who left does not hand on the account.
        when exists (
          select
          from app_private.user_identities as identity
          where identity.organization_id = person.organization_id and identity.user_id = person.id
            and identity.provider_id = provider.id and identity.subject <> log_in_by_provider.subject
        ) then 'no_account'
      end;

      if refused is null then
        insert into app_public.users (organization_id, email, name, role)
        select
          provider.organization_id, log_in_by_provider.email,
          left(coalesce(nullif(btrim(log_in_by_provider.name), ''), split_part(log_in_by_provider.email, '@', 1)), 120), granted
        where person.id is null
        -- Two first logins at the same moment.
        on conflict on constraint users_organization_id_email_key do nothing;

        -- The address is proved by the provider, as it would be by a link.
        update app_public.users as known
        set activated_at = coalesce(known.activated_at, now())
        where known.organization_id = provider.organization_id and known.email = app_private.mail_address(log_in_by_provider.email)
        returning known.* into strict person;

        insert into app_private.user_identities (organization_id, provider_id, subject, user_id)
        values (provider.organization_id, provider.id, log_in_by_provider.subject, person.id)
        on conflict on constraint user_identities_organization_id_provider_id_subject_key do nothing;
      end if;
    end if;
  else
    refused := case
      when person.disabled_at is not null then 'disabled'
      when provider.role_claim is not null and granted is null then 'no_role'
    end;
  end if;

  if refused is not null then
    perform app_private.append_audit(
      provider.organization_id, 'login_refused', 'app_public.users', person.id, null,
      jsonb_build_object('reason', refused, 'email', left(email, 254), 'provider', provider.name)
    );
    return jsonb_build_object('outcome', 'refused', 'reason', refused);
  end if;

  if provider.role_claim is not null and granted <> person.role then
    begin
      update app_public.users as changed
      set role = granted
      where changed.organization_id = person.organization_id and changed.id = person.id;
      person.role := granted;
    exception
      -- The last admin stays one, whatever the directory says.
      when sqlstate 'AD007' then null;
    end;
  end if;

  return app_private.admit(person, 'provider', ip_address, user_agent, provider.id, id_token);
end
$$;

comment on function app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text) is
  'An identity provider says who somebody is. The subject counts; a verified address binds it to a person once, or makes one. Groups give the role at each login. Answers what `admit` does, or `{outcome: refused, reason}` with `no_account`, `no_role`, `email_not_verified` or `disabled`.';

create or replace function app_private.directory_account(provider_id uuid, username text) returns text
  language sql immutable
  set search_path = ''
as $$
  -- Directories take for one name what differs in case, width, accents, spaces, or in signs that nobody sees.
  select directory_account.provider_id::text || ' ' || lower(btrim(regexp_replace(
    regexp_replace(
      normalize(coalesce(directory_account.username, ''), nfkd), '[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'
    ),
    '\s+', ' ', 'g'
  )))
$$;

comment on function app_private.directory_account(uuid, text) is 'By what the passwords of a name in a directory are counted: the same for all spellings that a directory may take for one.';

create or replace function app_private.directory_attempt(provider_id uuid, username text, ip_address inet) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  account constant text := app_private.directory_account(provider_id, username);
  wait integer;
  before jsonb;
begin
  -- Of guesses that come at once none looks before the one ahead of it is counted.
  perform pg_advisory_xact_lock(hashtextextended(throttle.key, 0))
  from (
    select counted.key from app_private.login_throttles(account, directory_attempt.ip_address) as counted order by counted.key
  ) as throttle;

  wait := app_private.login_wait(account, ip_address);
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;

  select jsonb_object_agg(
    failure.key, jsonb_build_object('failedAt', failure.failed_at, 'blockedUntil', failure.blocked_until)
  ) into before
  from app_private.login_throttles(account, directory_attempt.ip_address) as throttle
  join app_private.login_failures as failure on failure.key = throttle.key;
  return jsonb_build_object(
    'outcome', 'ok',
    'receipt', jsonb_build_object(
      'countedAt', now(), 'beginsDelay', app_private.count_login_failure(account, ip_address), 'before', before
    )
  );
end
$$;

comment on function app_private.directory_attempt(uuid, text, inet) is
  'Whether a password of a directory may be tried now, which is counted as if it were wrong: `{outcome: ok, receipt}`, or `{outcome: too_many_attempts, retryAfterSeconds}`. What became of it is told to `directory_answered`.';

create or replace function app_private.directory_answered(
  provider_id uuid, username text, ip_address inet, receipt jsonb, answer text
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  account constant text := app_private.directory_account(provider_id, username);
  throttle record;
begin
  if answer = 'wrong' then
    perform app_private.append_audit(
      coalesce(
        (select provider.organization_id from app_public.identity_providers as provider where provider.id = directory_answered.provider_id),
        app_hidden.platform_scope()
      ),
      act.operation, 'app_public.identity_providers', directory_answered.provider_id, null,
      jsonb_build_object('username', left(username, 254))
    )
    from (
      select 'login_failed' as operation
      union all
      select 'lockout' where (receipt ->> 'beginsDelay')::boolean
    ) as act;
    return;
  end if;

  -- Given back, in the order in which it was counted.
  for throttle in
    select counted.key from app_private.login_throttles(account, directory_answered.ip_address) as counted order by counted.key
  loop
    update app_private.login_failures as failure
    set failures = failure.failures - 1
    where failure.key = throttle.key;
    -- Unless another one was counted since, all is as it was.
    update app_private.login_failures as failure
    set
      failed_at = coalesce((receipt #>> array['before', throttle.key, 'failedAt'])::timestamptz, failure.failed_at),
      blocked_until = coalesce((receipt #>> array['before', throttle.key, 'blockedUntil'])::timestamptz, '-infinity')
    where failure.key = throttle.key and failure.failed_at = (receipt ->> 'countedAt')::timestamptz;
    delete from app_private.login_failures as failure where failure.key = throttle.key and failure.failures <= 0;
  end loop;

  if answer = 'right' then
    perform app_private.forget_login_failures(account, ip_address);
  end if;
end
$$;

comment on function app_private.directory_answered(uuid, text, inet, jsonb, text) is
  'What became of an attempt: a `wrong` password is recorded and stays counted, a `right` one is forgotten with those before it, and `none`, where the directory did not answer, is not counted.';

revoke all on function
  app_private.role_by_provider(app_public.identity_providers, text[]),
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_account(uuid, text), app_private.directory_attempt(uuid, text, inet),
  app_private.directory_answered(uuid, text, inet, jsonb, text)
from public;

grant execute on function
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_attempt(uuid, text, inet), app_private.directory_answered(uuid, text, inet, jsonb, text)
to atum_server;
