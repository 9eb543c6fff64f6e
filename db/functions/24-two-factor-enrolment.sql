-- How a person turns one-time codes on and off.

create or replace function app_private.make_recovery_codes(organization_id uuid, user_id uuid) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  codes constant text[] := array(select encode(public.gen_random_bytes(16), 'hex') from generate_series(1, 10));
begin
  delete from app_private.recovery_codes as old
  where old.organization_id = make_recovery_codes.organization_id and old.user_id = make_recovery_codes.user_id;

  insert into app_private.recovery_codes (organization_id, user_id, code_hash)
  select make_recovery_codes.organization_id, make_recovery_codes.user_id, app_private.token_hash(code)
  from unnest(codes) as code;

  return (select jsonb_agg(regexp_replace(code, '(.{8})(?=.)', '\1-', 'g')) from unnest(codes) as code);
end
$$;

comment on function app_private.make_recovery_codes(uuid, uuid) is 'Replaces the recovery codes of a person by ten new ones, and returns them for the only time.';

create or replace function app_private.begin_two_factor(secret text, challenge text default null) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting app_private.login_challenges;
  subject app_public.users;
begin
  if challenge is null then
    subject := app_private.subject_of_claims();
  else
    waiting := app_private.challenge_row(challenge);
    if waiting.id is null or waiting.purpose <> 'enrol' then
      return jsonb_build_object('outcome', 'challenge_expired');
    end if;
    subject := app_private.challenged_person(waiting);
    perform app_private.act_for(subject);
  end if;

  insert into app_private.authenticators as authenticator (organization_id, user_id, sealed)
  values (subject.organization_id, subject.id, secret)
  on conflict on constraint authenticators_pkey do update
    set sealed = excluded.sealed, created_at = now(), last_time_step = null
    where authenticator.confirmed_at is null;
  return jsonb_build_object('outcome', case when found then 'ok' else 'two_factor_already_on' end);
end
$$;

comment on function app_private.begin_two_factor(text, text) is 'Keeps the encrypted secret that a person enrols, by a session or by the challenge that demands it: `ok`, `challenge_expired`, `two_factor_already_on`. It counts once it is confirmed.';

create or replace function app_private.pending_two_factor() returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'secret', authenticator.sealed, 'lastTimeStep', authenticator.last_time_step, 'confirmed', authenticator.confirmed_at is not null
  )
  from app_private.authenticators as authenticator
  where authenticator.organization_id = app_hidden.current_organization_id() and authenticator.user_id = app_hidden.current_user_id()
    and app_hidden.current_session_id() is not null
$$;

comment on function app_private.pending_two_factor() is 'The encrypted secret of the person who logged in, confirmed or not: `{secret, lastTimeStep, confirmed}`, or null.';

create or replace function app_private.confirm_two_factor(
  time_step bigint, secret text, challenge text, ip_address inet, user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting app_private.login_challenges;
  subject app_public.users;
  begun app_private.authenticators;
  admission jsonb;
begin
  if challenge is null then
    subject := app_private.subject_of_claims();
  else
    waiting := app_private.challenge_row(challenge);
    if waiting.id is null or waiting.purpose <> 'enrol' then
      return jsonb_build_object('outcome', 'challenge_expired');
    end if;
    subject := app_private.challenged_person(waiting);
    perform app_private.act_for(subject);
  end if;

  select * into begun
  from app_private.authenticators as stored
  where stored.organization_id = subject.organization_id and stored.user_id = subject.id and stored.confirmed_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  -- The code was of this secret; somebody may have begun with another one since.
  if begun.sealed is distinct from confirm_two_factor.secret then
    return jsonb_build_object('outcome', 'invalid_code');
  end if;

  -- Whoever is not let in leaves no second factor behind.
  if waiting.id is not null then
    admission := app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
    if admission ->> 'outcome' <> 'ok' then
      return admission;
    end if;
  end if;

  update app_private.authenticators as authenticator
  set confirmed_at = now(), last_time_step = confirm_two_factor.time_step
  where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_on', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'two_factor_on');

  return jsonb_build_object(
    'outcome', 'ok',
    'recoveryCodes', app_private.make_recovery_codes(subject.organization_id, subject.id),
    'admission', admission
  );
end
$$;

comment on function app_private.confirm_two_factor(bigint, text, text, inet, text) is 'The first code was right for this encrypted secret: from now on codes are asked for. `{outcome: ok, recoveryCodes, admission}`, `challenge_expired`, `invalid_code` when another secret was begun since, `two_factor_off` when none was, or why the person is not let in after all, and then nothing is turned on.';

create or replace function app_private.prove_again(password text, time_step bigint) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  wait constant integer := greatest(
    app_private.login_wait(subject.id::text, app_hidden.current_address(), subject.id),
    app_private.login_wait(subject.id::text || ' second factor', app_hidden.current_address(), subject.id)
  );
  known_hash text;
begin
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;

  select stored.password_hash into known_hash
  from app_private.user_secrets as stored
  where stored.organization_id = subject.organization_id and stored.user_id = subject.id;

  -- Who came by an identity provider may have no password; then the code alone proves who it is.
  if (known_hash is not null or prove_again.time_step is null)
    and (known_hash = public.crypt(prove_again.password, known_hash)) is not true
  then
    if app_private.count_login_failure(subject.id::text, app_hidden.current_address()) then
      perform app_private.append_audit(subject.organization_id, 'lockout', 'app_public.users', subject.id, null, null);
    end if;
    perform app_private.append_audit(subject.organization_id, 'login_failed', 'app_public.users', subject.id, null, null);
    return jsonb_build_object('outcome', 'invalid_credentials');
  end if;

  if prove_again.time_step is not null then
    update app_private.authenticators as authenticator
    set last_time_step = prove_again.time_step
    where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id
      and authenticator.confirmed_at is not null
      and coalesce(authenticator.last_time_step, 0) < prove_again.time_step;
    if not found then
      perform app_private.count_login_failure(subject.id::text || ' second factor', app_hidden.current_address());
      perform app_private.append_audit(subject.organization_id, 'two_factor_failed', 'app_public.users', subject.id, null, null);
      return jsonb_build_object('outcome', 'invalid_code');
    end if;
  end if;
  return null;
end
$$;

comment on function app_private.prove_again(text, bigint) is 'Asks a person who logged in for the password, where there is one, and for a step of the one-time codes unless it is null: null when both are right, otherwise `invalid_credentials`, `invalid_code`, `too_many_attempts`.';

create or replace function app_private.two_factor_is_on() returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.authenticators as authenticator
    where authenticator.organization_id = app_hidden.current_organization_id()
      and authenticator.user_id = app_hidden.current_user_id() and authenticator.confirmed_at is not null
  )
$$;

comment on function app_private.two_factor_is_on() is 'Whether the caller logs in with one-time codes.';

create or replace function app_private.disable_two_factor(password text, time_step bigint) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused jsonb;
begin
  if not app_private.two_factor_is_on() then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  -- Without a step a wrong code is a wrong code and not a missing one.
  refused := app_private.prove_again(password, coalesce(time_step, 0));
  if refused is not null then
    return refused;
  end if;
  perform app_private.remove_two_factor(subject);
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.disable_two_factor(text, bigint) is 'Turns one-time codes off for the person who logged in: `ok`, `two_factor_off`, `invalid_credentials`, `invalid_code`, `too_many_attempts`. Where the role demands them, the sessions of the person end and the next login asks for enrolment.';

create or replace function app_private.remove_two_factor(subject app_public.users) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  delete from app_private.authenticators as authenticator
  where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id;
  delete from app_private.recovery_codes as recovery
  where recovery.organization_id = subject.organization_id and recovery.user_id = subject.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_off', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'two_factor_off');

  if exists (
    select
    from app_public.security_policies as policy
    where policy.organization_id = subject.organization_id and subject.role = any (policy.two_factor_roles)
  ) then
    perform app_private.end_sessions_of(subject.organization_id, subject.id);
  end if;
end
$$;

comment on function app_private.remove_two_factor(app_public.users) is 'Forgets the second factor of a person and tells them.';

create or replace function app_private.renew_recovery_codes(password text, time_step bigint) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused jsonb;
begin
  if not app_private.two_factor_is_on() then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  refused := app_private.prove_again(password, coalesce(time_step, 0));
  if refused is not null then
    return refused;
  end if;
  perform app_private.append_audit(subject.organization_id, 'recovery_codes_renewed', 'app_public.users', subject.id, null, null);
  return jsonb_build_object('outcome', 'ok', 'recoveryCodes', app_private.make_recovery_codes(subject.organization_id, subject.id));
end
$$;

comment on function app_private.renew_recovery_codes(text, bigint) is 'Replaces the recovery codes of the person who logged in: `{outcome: ok, recoveryCodes}`, or as `disable_two_factor`.';

create or replace function app_public.two_factor_status() returns app_public.two_factor_status
  language sql stable security definer
  set search_path = ''
as $$
  select
    app_private.two_factor_is_on(),
    exists (
      select
      from app_public.security_policies as policy
      join app_public.users as person on person.organization_id = policy.organization_id
      where policy.organization_id = app_hidden.current_organization_id()
        and person.id = app_hidden.current_user_id() and person.role = any (policy.two_factor_roles)
    ),
    (
      select count(*)::integer
      from app_private.recovery_codes as recovery
      where recovery.organization_id = app_hidden.current_organization_id()
        and recovery.user_id = app_hidden.current_user_id() and recovery.used_at is null
    )
$$;

comment on function app_public.two_factor_status() is 'How the caller logs in with a second factor.';

create or replace function app_public.users_has_two_factor(person app_public.users) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.authenticators as authenticator
    where authenticator.organization_id = app_hidden.current_organization_id()
      and authenticator.organization_id = person.organization_id and authenticator.user_id = person.id
      and authenticator.confirmed_at is not null
  )
$$;

comment on function app_public.users_has_two_factor(app_public.users) is 'Whether the person logs in with one-time codes. Admins only.';

create or replace function app_public.reset_two_factor(user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  if subject.id = caller.id then
    raise exception using errcode = 'AD009', message = 'Your own second factor is turned off with your password and a code';
  end if;

  perform app_private.remove_two_factor(subject);
  perform app_private.end_sessions_of(subject.organization_id, subject.id);
  return true;
end
$$;

comment on function app_public.reset_two_factor(uuid) is 'Forgets the second factor of a person who lost it, and ends their sessions. Admins only, and not for themselves. Errors: NOT_FOUND, NOT_YOURSELF, UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.make_recovery_codes(uuid, uuid), app_private.begin_two_factor(text, text), app_private.pending_two_factor(),
  app_private.confirm_two_factor(bigint, text, text, inet, text), app_private.prove_again(text, bigint),
  app_private.two_factor_is_on(), app_private.disable_two_factor(text, bigint),
  app_private.remove_two_factor(app_public.users), app_private.renew_recovery_codes(text, bigint),
  app_public.two_factor_status(), app_public.users_has_two_factor(app_public.users), app_public.reset_two_factor(uuid)
from public;

grant execute on function
  app_private.begin_two_factor(text, text), app_private.pending_two_factor(),
  app_private.confirm_two_factor(bigint, text, text, inet, text), app_private.disable_two_factor(text, bigint),
  app_private.renew_recovery_codes(text, bigint)
to atum_server;
grant execute on function app_public.two_factor_status() to atum_customer, atum_agent;
grant execute on function app_public.users_has_two_factor(app_public.users), app_public.reset_two_factor(uuid) to atum_admin;
