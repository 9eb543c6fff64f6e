-- Logging in: who has proved who they are is let in, asked for a second factor, or told why not.

create or replace function app_private.admit(
  subject app_public.users,
  proof text,
  ip_address inet,
  user_agent text,
  provider_id uuid default null,
  id_token text default null
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  policy app_public.security_policies;
  refused text;
  purpose text;
  challenge text;
begin
  perform app_private.act_for(subject);

  select * into policy from app_public.security_policies as security_policy where security_policy.organization_id = subject.organization_id;

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, admit.ip_address) then 'address_not_allowed'
    when subject.activated_at is null then 'email_not_verified'
    when proof = 'password' and not policy.local_login and not subject.is_break_glass then 'local_login_off'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    perform app_private.append_audit(
      subject.organization_id, 'login_refused', 'app_public.users', subject.id, null, jsonb_build_object('reason', refused)
    );
    return jsonb_build_object('outcome', refused);
  end if;

  if proof = 'password' or (
    proof = 'provider' and not exists (
      select
      from app_public.identity_providers as provider
      where provider.organization_id = subject.organization_id and provider.id = admit.provider_id and provider.asks_second_factor
    )
  ) then
    purpose := case
      when exists (
        select
        from app_private.authenticators as authenticator
        where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id
          and authenticator.confirmed_at is not null
      ) then 'verify'
      when subject.role = any (policy.two_factor_roles) then 'enrol'
    end;
  end if;

  if purpose is not null then
    challenge := encode(public.gen_random_bytes(32), 'hex');
    insert into app_private.login_challenges (
      organization_id, user_id, challenge_hash, purpose, proof, identity_provider_id, id_token
    )
    values (
      subject.organization_id, subject.id, app_private.token_hash(challenge), purpose, admit.proof, admit.provider_id, admit.id_token
    );
    return jsonb_build_object(
      'outcome', case purpose when 'verify' then 'two_factor_required' else 'two_factor_enrolment' end,
      'challenge', challenge
    );
  end if;

  perform app_private.append_audit(
    subject.organization_id, 'login', 'app_public.users', subject.id, null, jsonb_build_object('proof', proof)
  );
  return app_private.open_session(subject, admit.ip_address, admit.user_agent, admit.provider_id, admit.id_token);
end
$$;

comment on function app_private.admit(app_public.users, text, inet, text, uuid, text) is
  'Lets in a person who proved who they are by `password`, `provider` or `second_factor`: `{outcome: ok, user, sessionId, refreshToken}`, a challenge (`two_factor_required`, `two_factor_enrolment`), or why not: `organization_suspended`, `address_not_allowed`, `email_not_verified`, `local_login_off`.';

create or replace function app_private.mail_address(given text) returns public.citext
  language sql immutable
  set search_path = ''
as $$
  select case when given ~ '^[!-?A-~]+@[!-?A-~]+$' then lower(given)::public.citext end
$$;

comment on function app_private.mail_address(text) is 'A mail address as it is looked for; null for what holds letters that might fold into others, which nobody has.';

create or replace function app_private.log_in(
  email text,
  password text,
  organization_slug text,
  demo_allowed boolean,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- The hash of nothing anybody knows: comparing with it costs what comparing with a real one costs.
  unmatchable constant text := '$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5z5rB0FLW8q5sYV8yQ1q6l7u1Qk2e';
  address constant citext := app_private.mail_address(log_in.email);
  candidate record;
  wait integer;
  longest_wait integer := 0;
  compared integer := 0;
  matching app_public.users[] := '{}';
  matching_hash text;
  failing app_public.users[] := '{}';
begin
  for candidate in
    select person, secret.password_hash, secret.is_demo
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    left join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.email = address
      and (organization_slug is null or organization.slug = organization_slug)
    order by person.organization_id
  loop
    -- Each account has a throttle of its own, or whoever has one with this address elsewhere could lift this one's.
    wait := app_private.login_wait((candidate.person).id::text, log_in.ip_address, (candidate.person).id);
    longest_wait := greatest(longest_wait, wait);
    continue when wait > 0;

    compared := compared + 1;
    if crypt(password, coalesce(candidate.password_hash, unmatchable)) = candidate.password_hash
      and (candidate.person).disabled_at is null
      and (demo_allowed or not candidate.is_demo)
    then
      matching := matching || candidate.person;
      matching_hash := candidate.password_hash;
    else
      failing := failing || candidate.person;
    end if;
  end loop;

  if cardinality(matching) = 0 and cardinality(failing) = 0 then
    if longest_wait = 0 then
      longest_wait := app_private.login_wait('mail ' || lower(left(log_in.email, 254)), log_in.ip_address);
    end if;
    if longest_wait > 0 then
      return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', longest_wait);
    end if;
  end if;

  -- An unknown address takes as long as a known one, and one organization as long as two.
  while compared < 2 loop
    perform crypt(password, unmatchable);
    compared := compared + 1;
  end loop;

  if cardinality(matching) > 1 then
    return jsonb_build_object(
      'outcome', 'organization_required',
      'organizations', (
        select jsonb_agg(jsonb_build_object('slug', organization.slug, 'name', organization.name) order by organization.name)
        from unnest(matching) as person
        join app_public.organizations as organization on organization.id = person.organization_id
      )
    );
  end if;

  if cardinality(matching) = 1 then
    -- A password that was replaced while it was compared lets nobody in; and whoever replaces it now waits, and ends
    -- what is opened here.
    perform
    from app_private.user_secrets as secret
    where secret.organization_id = matching[1].organization_id and secret.user_id = matching[1].id
      and secret.password_hash = matching_hash
    for share;
    if not found then
      return jsonb_build_object('outcome', 'invalid_credentials');
    end if;

    perform app_private.forget_login_failures(matching[1].id::text, log_in.ip_address);
    return app_private.admit(matching[1], 'password', log_in.ip_address, log_in.user_agent);
  end if;

  -- A wrong password is recorded where the person is, an unknown address in the platform's own chain: both write.
  perform app_private.append_audit(
    coalesce(account.organization_id, app_hidden.platform_scope()), act.operation, 'app_public.users', account.user_id,
    null, jsonb_build_object('email', left(log_in.email, 254))
  )
  from (
    select person.organization_id, person.id as user_id, person.id::text as name from unnest(failing) as person
    union all
    select null, null, 'mail ' || lower(left(log_in.email, 254)) where cardinality(failing) = 0
  ) as account
  cross join lateral (
    select 'login_failed' as operation
    union all
    select 'lockout' where app_private.count_login_failure(account.name, log_in.ip_address)
  ) as act;

  return jsonb_build_object('outcome', 'invalid_credentials');
end
$$;

comment on function app_private.log_in(text, text, text, boolean, inet, text) is
  'Answers whether this address and password are somebody: what `admit` answers, `{outcome: organization_required, organizations}` when they are right in several organizations, `{outcome: too_many_attempts, retryAfterSeconds}`, or `{outcome: invalid_credentials}`. Never raises for wrong ones, so that the failure is recorded.';

revoke all on function
  app_private.admit(app_public.users, text, inet, text, uuid, text), app_private.mail_address(text),
  app_private.log_in(text, text, text, boolean, inet, text)
from public;

grant execute on function app_private.log_in(text, text, text, boolean, inet, text) to atum_server;
