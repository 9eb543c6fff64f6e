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
    insert into app_private.login_challenges (organization_id, user_id, challenge_hash, purpose, identity_provider_id, id_token)
    values (subject.organization_id, subject.id, app_private.token_hash(challenge), purpose, admit.provider_id, admit.id_token);
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
  wait constant integer := app_private.login_wait(email, ip_address);
  candidate record;
  compared integer := 0;
  matching app_public.users[] := '{}';
begin
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;

  for candidate in
    select person, secret.password_hash, secret.is_demo
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
    order by person.organization_id
  loop
    compared := compared + 1;
    if crypt(password, candidate.password_hash) = candidate.password_hash
      and (candidate.person).disabled_at is null
      and (demo_allowed or not candidate.is_demo)
    then
      matching := matching || candidate.person;
    end if;
  end loop;

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
    perform app_private.forget_login_failures(email, ip_address);
    return app_private.admit(matching[1], 'password', log_in.ip_address, log_in.user_agent);
  end if;

  -- A wrong password is recorded where the person is, an unknown address in the platform's own chain: both write.
  perform app_private.append_audit(
    coalesce(person.organization_id, app_hidden.platform_scope()), act.operation, 'app_public.users', person.id,
    null, jsonb_build_object('email', left(log_in.email, 254))
  )
  from (
    select 'login_failed' as operation
    union all
    select 'lockout' where app_private.count_login_failure(email, ip_address)
  ) as act
  left join lateral (
    select known.organization_id, known.id
    from app_public.users as known
    join app_public.organizations as organization on organization.id = known.organization_id
    where known.email = log_in.email::citext
      and (organization_slug is null or organization.slug = organization_slug)
  ) as person on true;

  return jsonb_build_object('outcome', 'invalid_credentials');
end
$$;

comment on function app_private.log_in(text, text, text, boolean, inet, text) is
  'Answers whether this address and password are somebody: what `admit` answers, `{outcome: organization_required, organizations}` when they are right in several organizations, `{outcome: too_many_attempts, retryAfterSeconds}`, or `{outcome: invalid_credentials}`. Never raises for wrong ones, so that the failure is recorded.';

revoke all on function
  app_private.admit(app_public.users, text, inet, text, uuid, text), app_private.log_in(text, text, text, boolean, inet, text)
from public;

grant execute on function app_private.log_in(text, text, text, boolean, inet, text) to atum_server;
