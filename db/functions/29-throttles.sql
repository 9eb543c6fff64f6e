-- Guessing gets slower: for an address and an account together at once, for an account from unknown addresses and for
-- an address with everybody's accounts later. Where a person logged in before, what strangers do elsewhere does not
-- keep them out, and nobody is kept out for more than a quarter of an hour after the last wrong try.

create or replace function app_private.login_throttles(email text, ip_address inet)
  returns table (key text, free integer, longest_seconds integer)
  language sql immutable
  set search_path = ''
as $$
  select
    throttle.kind || ':' || encode(sha256(convert_to(throttle.subject, 'UTF8')), 'hex'), throttle.free, throttle.longest_seconds
  from (
    select
      lower(coalesce(login_throttles.email, '')) as account,
      -- An IPv6 customer has a /64 at least.
      coalesce(case family(plain) when 6 then set_masklen(plain, 64)::cidr::text else host(plain) end, '') as network
    from app_hidden.plain_address(login_throttles.ip_address) as plain
  ) as who
  cross join lateral (
    values
      ('pair', who.account || ' ' || who.network, 5, 900),
      ('account', who.account, 20, 60),
      ('address', who.network, 50, 900)
  ) as throttle (kind, subject, free, longest_seconds)
$$;

comment on function app_private.login_throttles(text, inet) is 'What a login is counted by, how many failures are free and the longest delay in seconds.';

create or replace function app_private.login_wait(email text, ip_address inet) returns integer
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  select coalesce(max(ceil(extract(epoch from failure.blocked_until - now()))), 0)::integer
  from app_private.login_throttles(login_wait.email, login_wait.ip_address) as throttle
  join app_private.login_failures as failure on failure.key = throttle.key
  where failure.blocked_until > now()
    and not (
      throttle.key like 'account:%'
      and exists (
        select
        from app_public.users as person
        join app_private.sessions as session on session.organization_id = person.organization_id and session.user_id = person.id
        where person.email = login_wait.email::citext
          and session.ip_address = login_wait.ip_address and session.created_at > now() - interval '30 days'
      )
    )
$$;

comment on function app_private.login_wait(text, inet) is 'How many seconds must pass before this address may try this account again; 0 when it may.';

create or replace function app_private.count_login_failure(email text, ip_address inet) returns boolean
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
    select * from app_private.login_throttles(count_login_failure.email, count_login_failure.ip_address) as counted order by counted.key
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

create or replace function app_private.forget_login_failures(email text, ip_address inet) returns void
  language sql volatile
  set search_path = ''
as $$
  -- Not those of the address: who guesses may have one right account of their own.
  delete from app_private.login_failures
  where key in (
    select throttle.key
    from app_private.login_throttles(forget_login_failures.email, forget_login_failures.ip_address) as throttle
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
  app_private.login_throttles(text, inet), app_private.login_wait(text, inet), app_private.count_login_failure(text, inet),
  app_private.forget_login_failures(text, inet), app_private.take_tokens(text, real, integer, integer),
  app_private.forget_throttles()
from public;

grant execute on function app_private.take_tokens(text, real, integer, integer) to atum_server;
grant execute on function app_private.forget_throttles() to atum_worker;
