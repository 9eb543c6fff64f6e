-- Guessing gets slower: for an account from one address at once, for an account from unknown addresses and for an address
-- with everybody's accounts later. An account is a person of one organization: what happens to another account with the
-- same mail address counts for that one. Where a person was logged in lately, what strangers do does not keep them out
-- for more than a minute; nobody is kept out for more than a quarter of an hour after the last wrong try.

create or replace function app_private.login_throttles(account text, ip_address inet)
  returns table (key text, free integer, longest_seconds integer)
  language sql immutable
  set search_path = ''
as $$
  select
    throttle.kind || ':' || encode(sha256(convert_to(throttle.subject, 'UTF8')), 'hex'), throttle.free, throttle.longest_seconds
  from (
    select
      coalesce(login_throttles.account, '') as account,
      coalesce(app_hidden.network_of(login_throttles.ip_address)::text, '') as network
  ) as who
  cross join lateral (
    values
      ('pair', who.account || ' ' || who.network, 5, 900),
      ('account', who.account, 20, 60),
      ('address', who.network, 50, 900)
  ) as throttle (kind, subject, free, longest_seconds)
$$;

comment on function app_private.login_throttles(text, inet) is 'What a login is counted by, how many failures are free and the longest delay in seconds. An account is the id of a person, or what was given for one where there is none.';

create or replace function app_private.login_wait(account text, ip_address inet, person_id uuid default null) returns integer
  language sql stable
  set search_path = ''
as $$
  with known as (
    select exists (
      select
      from app_private.sessions as session
      where session.user_id = login_wait.person_id
        and app_hidden.network_of(session.ip_address) = app_hidden.network_of(login_wait.ip_address)
        and session.created_at > now() - interval '30 days'
    ) as here
  )
  select coalesce(
    max(ceil(extract(
      epoch from case
        when known.here then least(failure.blocked_until, failure.failed_at + interval '1 minute')
        else failure.blocked_until
      end - now()
    ))),
    0
  )::integer
  from known
  cross join app_private.login_throttles(login_wait.account, login_wait.ip_address) as throttle
  join app_private.login_failures as failure on failure.key = throttle.key
  where failure.blocked_until > now()
    and (not known.here or throttle.key like 'pair:%' and failure.failed_at > now() - interval '1 minute')
$$;

comment on function app_private.login_wait(text, inet, uuid) is 'How many seconds must pass before this address may try this account again; 0 when it may. `person_id` is whose account it is: where they were logged in within 30 days it is a minute at most.';

create or replace function app_private.count_login_failure(account text, ip_address inet) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
declare
  throttle record;
  failure app_private.login_failures;
  locked boolean := false;
begin
  -- In one order, so that two failures at once do not wait for each other.
  for throttle in
    select * from app_private.login_throttles(count_login_failure.account, count_login_failure.ip_address) as counted order by counted.key
  loop
    insert into app_private.login_failures as counted (key, failures, failed_at) values (throttle.key, 1, now())
    on conflict (key) do update set
      failures = case when counted.failed_at < now() - interval '1 hour' then 1 else counted.failures + 1 end,
      failed_at = now()
    returning * into failure;

    if failure.failures >= throttle.free then
      -- 1, 2, 4, 8 … seconds.
      update app_private.login_failures
      set blocked_until = now() + make_interval(secs => least(2 ^ least(failure.failures - throttle.free, 20), throttle.longest_seconds))
      where key = throttle.key;
      locked := locked or failure.failures = throttle.free;
    end if;
  end loop;
  return locked;
end
$$;

comment on function app_private.count_login_failure(text, inet) is 'Counts a wrong password or code, and says whether a delay began with it.';

create or replace function app_private.forget_login_failures(account text, ip_address inet) returns void
  language sql volatile
  set search_path = ''
as $$
  -- Not those of the address: who guesses may have one right account of their own.
  delete from app_private.login_failures
  where key in (
    select throttle.key
    from app_private.login_throttles(forget_login_failures.account, forget_login_failures.ip_address) as throttle
    where throttle.key like 'pair:%'
  )
$$;

comment on function app_private.forget_login_failures(text, inet) is 'Forgets the failures of an account from an address when the right password came from there.';

create or replace function app_private.take_tokens(
  key text, rate real, burst integer, wanted integer, out granted integer, out retry_after real
)
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  bucket app_private.rate_buckets;
begin
  insert into app_private.rate_buckets as stored (key, level, filled_at) values (take_tokens.key, burst, clock_timestamp())
  on conflict on constraint rate_buckets_pkey do update set
    level = least(burst, stored.level + rate * greatest(extract(epoch from clock_timestamp() - stored.filled_at), 0)),
    filled_at = greatest(stored.filled_at, clock_timestamp())
  returning * into bucket;

  granted := least(greatest(wanted, 1), floor(bucket.level));
  retry_after := case when granted > 0 then 0 else (1 - bucket.level) / rate end;
  if granted > 0 then
    update app_private.rate_buckets as stored set level = stored.level - granted where stored.key = take_tokens.key;
  end if;
end
$$;

comment on function app_private.take_tokens(text, real, integer, integer) is 'Takes up to `wanted` requests from the allowance of a caller, which refills with `rate` a second up to `burst`. With none granted `retry_after` says after how many seconds there is one.';

create or replace function app_private.forget_throttles() returns void
  language sql volatile security definer
  set search_path = ''
as $$
  delete from app_private.login_failures where failed_at < now() - interval '1 day';
  delete from app_private.rate_buckets where filled_at < now() - interval '10 minutes';
  delete from app_private.login_challenges where expires_at < now() - interval '1 hour';
$$;

comment on function app_private.forget_throttles() is 'Forgets what no longer slows anybody down, and challenges that are over.';

revoke all on function
  app_private.login_throttles(text, inet), app_private.login_wait(text, inet, uuid), app_private.count_login_failure(text, inet),
  app_private.forget_login_failures(text, inet), app_private.take_tokens(text, real, integer, integer),
  app_private.forget_throttles()
from public;

grant execute on function app_private.take_tokens(text, real, integer, integer) to atum_server;
grant execute on function app_private.forget_throttles() to atum_worker;
