-- One-time codes. The secret is encrypted by the server with a key the database does not have, and the server computes
-- the codes; which step was used, how often one may guess and what follows is decided here.

create or replace function app_private.challenge_row(challenge text) returns app_private.login_challenges
  language sql volatile
  set search_path = ''
as $$
  select *
  from app_private.login_challenges
  where challenge_hash = app_private.token_hash(challenge) and expires_at > now() and attempts < 5
  for update
$$;

comment on function app_private.challenge_row(text) is 'The login that waits for its second step, locked; null when there is none.';

create or replace function app_private.challenged_person(waiting app_private.login_challenges) returns app_public.users
  language sql stable
  set search_path = ''
as $$
  select * from app_public.users where organization_id = waiting.organization_id and id = waiting.user_id
$$;

comment on function app_private.challenged_person(app_private.login_challenges) is 'Who waits for the second step.';

create or replace function app_private.challenge_of(challenge text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  subject constant app_public.users := app_private.challenged_person(waiting);
  authenticator app_private.authenticators;
begin
  if waiting.id is null then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;

  select * into authenticator
  from app_private.authenticators as stored
  where stored.organization_id = waiting.organization_id and stored.user_id = waiting.user_id;

  return jsonb_build_object(
    'outcome', 'ok',
    'organizationId', waiting.organization_id,
    'userId', waiting.user_id,
    'email', subject.email,
    'purpose', waiting.purpose,
    'secret', authenticator.sealed,
    'lastTimeStep', authenticator.last_time_step
  );
end
$$;

comment on function app_private.challenge_of(text) is 'Whose second step a challenge waits for: `{outcome: ok, organizationId, userId, email, purpose, secret, lastTimeStep}` or `{outcome: challenge_expired}`.';

create or replace function app_private.finish_challenge(
  waiting app_private.login_challenges, proof text, ip_address inet, user_agent text
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
begin
  delete from app_private.login_challenges as spent
  where spent.organization_id = waiting.organization_id and spent.id = waiting.id;

  if subject.disabled_at is not null or (
    waiting.proof = 'provider' and not exists (
      select
      from app_public.identity_providers as provider
      where provider.organization_id = waiting.organization_id and provider.id = waiting.identity_provider_id
        and provider.is_enabled
    )
  ) then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;

  perform app_private.act_for(subject);
  -- What the password was good for ten minutes ago it need not be good for now.
  if waiting.proof = 'password' and not subject.is_break_glass and exists (
    select
    from app_public.security_policies as policy
    where policy.organization_id = subject.organization_id and not policy.local_login
  ) then
    perform app_private.append_audit(
      subject.organization_id, 'login_refused', 'app_public.users', subject.id, null, jsonb_build_object('reason', 'local_login_off')
    );
    return jsonb_build_object('outcome', 'local_login_off');
  end if;
  perform app_private.forget_login_failures(subject.id::text || ' second factor', ip_address);
  return app_private.admit(subject, proof, ip_address, user_agent, waiting.identity_provider_id, waiting.id_token);
end
$$;

comment on function app_private.finish_challenge(app_private.login_challenges, text, inet, text) is 'Spends a challenge and lets its person in, if the first step is still worth it: `challenge_expired` where the provider of it is no longer trusted, `local_login_off`, otherwise as `admit`.';

create or replace function app_private.fail_challenge(waiting app_private.login_challenges, ip_address inet) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
begin
  perform app_private.act_for(subject);
  update app_private.login_challenges as failed
  set attempts = failed.attempts + 1
  where failed.organization_id = waiting.organization_id and failed.id = waiting.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_failed', 'app_public.users', subject.id, null, null);
  -- Who knows the password would otherwise go on with one new challenge after the other.
  if app_private.count_login_failure(subject.id::text || ' second factor', ip_address) then
    perform app_private.append_audit(subject.organization_id, 'lockout', 'app_public.users', subject.id, null, null);
  end if;
  return jsonb_build_object('outcome', 'invalid_code');
end
$$;

comment on function app_private.fail_challenge(app_private.login_challenges, inet) is 'Counts a wrong code against the challenge and the person.';

create or replace function app_private.two_factor_wait(waiting app_private.login_challenges) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
  wait constant integer := app_private.login_wait(subject.id::text || ' second factor', app_hidden.current_address(), subject.id);
begin
  if waiting.id is null then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;
  return null;
end
$$;

comment on function app_private.two_factor_wait(app_private.login_challenges) is 'Why no code may be tried now, or null: `challenge_expired`, `too_many_attempts`.';

create or replace function app_private.pass_two_factor(challenge text, time_step bigint, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  refused constant jsonb := app_private.two_factor_wait(waiting);
begin
  if refused is not null then
    return refused;
  end if;

  -- A step is used once, whoever comes first.
  update app_private.authenticators as authenticator
  set last_time_step = pass_two_factor.time_step
  where authenticator.organization_id = waiting.organization_id and authenticator.user_id = waiting.user_id
    and authenticator.confirmed_at is not null
    and coalesce(authenticator.last_time_step, 0) < pass_two_factor.time_step;
  if not found or waiting.purpose <> 'verify' then
    return app_private.fail_challenge(waiting, ip_address);
  end if;
  return app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
end
$$;

comment on function app_private.pass_two_factor(text, bigint, inet, text) is 'The code of this step was right: lets the person in, unless the step was used before. Answers what `admit` does, or `challenge_expired`, `too_many_attempts`, `invalid_code`.';

create or replace function app_private.fail_two_factor(challenge text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
begin
  return coalesce(
    app_private.two_factor_wait(waiting),
    app_private.fail_challenge(waiting, app_hidden.current_address())
  );
end
$$;

comment on function app_private.fail_two_factor(text) is 'The code was wrong: `invalid_code`, `challenge_expired` or `too_many_attempts`. Five wrong ones spend the challenge.';

create or replace function app_private.use_recovery_code(organization_id uuid, user_id uuid, code text) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_private.recovery_codes as recovery
  set used_at = now()
  where recovery.organization_id = use_recovery_code.organization_id and recovery.user_id = use_recovery_code.user_id
    and recovery.code_hash = app_private.token_hash(regexp_replace(lower(code), '[^0-9a-z]', '', 'g'))
    and recovery.used_at is null;
  return found;
end
$$;

comment on function app_private.use_recovery_code(uuid, uuid, text) is 'Spends a recovery code; false when it is none, or was used before. Hyphens, spaces and case do not matter.';

create or replace function app_private.pass_recovery_code(challenge text, code text, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  refused constant jsonb := app_private.two_factor_wait(waiting);
begin
  if refused is not null then
    return refused;
  end if;
  if waiting.purpose <> 'verify' or not app_private.use_recovery_code(waiting.organization_id, waiting.user_id, code) then
    return app_private.fail_challenge(waiting, ip_address);
  end if;
  perform app_private.act_for(app_private.challenged_person(waiting));
  perform app_private.append_audit(waiting.organization_id, 'recovery_code_used', 'app_public.users', waiting.user_id, null, null);
  return app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
end
$$;

comment on function app_private.pass_recovery_code(text, text, inet, text) is 'Lets a person in by a recovery code instead of a one-time code. Answers as `pass_two_factor`.';

revoke all on function
  app_private.challenge_row(text), app_private.challenged_person(app_private.login_challenges), app_private.challenge_of(text),
  app_private.finish_challenge(app_private.login_challenges, text, inet, text),
  app_private.fail_challenge(app_private.login_challenges, inet), app_private.two_factor_wait(app_private.login_challenges),
  app_private.pass_two_factor(text, bigint, inet, text), app_private.fail_two_factor(text),
  app_private.use_recovery_code(uuid, uuid, text), app_private.pass_recovery_code(text, text, inet, text)
from public;

grant execute on function
  app_private.challenge_of(text), app_private.pass_two_factor(text, bigint, inet, text), app_private.fail_two_factor(text),
  app_private.pass_recovery_code(text, text, inet, text)
to atum_server;
