-- Webhooks: how they are called. The worker claims a call (take_webhook_delivery), calls with no transaction open, and
-- notes what came of it (finish_webhook_attempt).

create or replace function app_private.due_webhook_lanes(webhook app_public.webhooks)
  returns table (lane uuid, created_at timestamptz, attempts integer)
  language sql stable
  set search_path = ''
as $$
  select first.lane, first.created_at, first.attempts
  from (
    select distinct on (waiting.lane)
      waiting.lane, waiting.next_attempt_at, waiting.claimed_until, waiting.created_at, waiting.attempts
    from app_public.webhook_deliveries as waiting
    where waiting.organization_id = webhook.organization_id and waiting.webhook_id = webhook.id and waiting.state = 'waiting'
    order by waiting.lane, waiting.created_at, waiting.id
  ) as first
  where first.next_attempt_at <= clock_timestamp()
    and (first.claimed_until is null or first.claimed_until < clock_timestamp())
  order by first.created_at
$$;

comment on function app_private.due_webhook_lanes(app_public.webhooks) is 'The lanes whose first call is due and under way nowhere, those first that wait longest.';

create or replace function app_private.wake_webhook(webhook app_public.webhooks, lanes integer) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, due.lane)
  from (select lane from app_private.due_webhook_lanes(webhook) order by created_at limit lanes) as due
$$;

comment on function app_private.wake_webhook(app_public.webhooks, integer) is 'Has a webhook called with what is due in up to so many lanes, those first that wait longest.';

create or replace function app_private.webhook_places(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  -- Receivers that are slow or gone take no more than their share of the worker, which calls for all organizations: a few
  -- places for all webhooks of an organization, however many it has, and one for a webhook while it fails.
  select greatest(
    0,
    least(
      3 - count(*),
      case when webhook.failing_since is null then 3 else 1 end - count(*) filter (where claimed.webhook_id = webhook.id)
    )
  )::integer
  from app_public.webhook_deliveries as claimed
  where claimed.organization_id = webhook.organization_id and claimed.claimed_until > clock_timestamp()
$$;

comment on function app_private.webhook_places(app_public.webhooks) is 'How many more calls of a webhook may be under way now.';

create or replace function app_private.wake_webhooks() returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.enqueue_webhook_lane(due.organization_id, due.webhook_id, due.lane)
  from (
    select webhook.organization_id, webhook.id as webhook_id, first.lane
    from app_public.webhooks as webhook
    join app_public.organizations as organization on organization.id = webhook.organization_id
    cross join lateral app_private.webhook_places(webhook) as places
    cross join lateral (
      select lane.lane, lane.created_at
      from app_private.due_webhook_lanes(webhook) as lane
      -- One that fails is not asked by one lane after the other: those it refused come back when their time is, and the
      -- others are for the sweep.
      where places > 0 and (webhook.failing_since is null or lane.attempts > 0)
      order by lane.created_at
      limit places
    ) as first
    where webhook.organization_id = app_hidden.current_organization_id() and organization.suspended_at is null
    order by first.created_at
    -- More places than the organization has find no use.
    limit 3
  ) as due;
end
$$;

comment on function app_private.wake_webhooks() is 'Has the webhooks of the organization called with what is due and for which there is a place, whichever of them it is, what waits longest first.';

create or replace function app_private.take_webhook_delivery(webhook_id uuid, lane uuid) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook app_public.webhooks;
  delivery app_public.webhook_deliveries;
  attempt_id uuid;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Webhooks are called for one organization at a time';
  end if;
  -- Of two workers at one lane only one finds its first call unclaimed.
  perform pg_advisory_xact_lock(hashtextextended('webhook:' || take_webhook_delivery.webhook_id || ':' || take_webhook_delivery.lane, 0));

  select hook.* into webhook
  from app_public.webhooks as hook
  join app_public.organizations as organization on organization.id = hook.organization_id
  where hook.organization_id = app_hidden.current_organization_id() and hook.id = take_webhook_delivery.webhook_id
    and organization.suspended_at is null;
  if not found then
    -- It was deleted while it was called, and others may have found its place taken.
    perform app_private.wake_webhooks();
    return null;
  end if;

  loop
    select * into delivery
    from app_public.webhook_deliveries as first
    where first.organization_id = webhook.organization_id and first.webhook_id = webhook.id
      and first.lane = take_webhook_delivery.lane and first.state = 'waiting'
    order by first.created_at, first.id
    limit 1
    for no key update;
    if not found then
      -- This lane leaves its place, and others may have found all places taken, also those of another webhook.
      perform app_private.wake_webhooks();
      return null;
    end if;
    exit when webhook.is_enabled or delivery.event_id is null;
    -- It came while the webhook was being switched off.
    update app_public.webhook_deliveries as late
    set state = 'cancelled', ended_at = now()
    where late.organization_id = delivery.organization_id and late.id = delivery.id;
  end loop;

  if delivery.claimed_until > clock_timestamp() then
    return null;
  end if;
  if delivery.next_attempt_at > clock_timestamp() then
    perform app_private.enqueue_webhook_lane(
      delivery.organization_id, delivery.webhook_id, delivery.lane, delivery.next_attempt_at
    );
    -- What failed leaves its place as well.
    perform app_private.wake_webhooks();
    return null;
  end if;
  -- Of two lanes that see the last place only one takes it.
  perform pg_advisory_xact_lock(hashtextextended('webhook_places:' || delivery.organization_id, 0));
  -- Whoever leaves a place wakes those that found none. A test is made at once, unless two others are under way.
  if delivery.event_id is not null and app_private.webhook_places(webhook) = 0 then
    return null;
  end if;
  if delivery.event_id is null and (
    select count(*)
    from app_public.webhook_deliveries as test
    where test.organization_id = delivery.organization_id and test.event_id is null and test.claimed_until > clock_timestamp()
  ) >= 2 then
    perform app_private.enqueue_webhook_lane(
      delivery.organization_id, delivery.webhook_id, delivery.lane, clock_timestamp() + interval '3 seconds'
    );
    return null;
  end if;

  insert into app_public.webhook_attempts (organization_id, delivery_id)
  values (delivery.organization_id, delivery.id)
  returning id into attempt_id;

  update app_public.webhook_deliveries as claimed
  set
    claim = attempt_id, claimed_until = clock_timestamp() + interval '1 minute', claimed_by = app_hidden.current_worker(),
    attempts = claimed.attempts + 1
  where claimed.organization_id = delivery.organization_id and claimed.id = delivery.id;

  return jsonb_build_object(
    'attemptId', attempt_id, 'url', webhook.url, 'allowInternal', webhook.allow_internal, 'messageId', delivery.message_id,
    -- As text, because what is signed is letters and not values.
    'body', delivery.payload::text,
    'secrets', (
      select coalesce(jsonb_agg(secret.sealed order by secret.created_at desc, secret.id desc), '[]')
      from app_private.webhook_secrets as secret
      where secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id
        and (secret.expires_at is null or secret.expires_at > now())
    )
  );
end
$$;

comment on function app_private.take_webhook_delivery(uuid, uuid) is
  'Claims the first call that waits in a lane for a minute: `{attemptId, url, allowInternal, messageId, body, secrets}`, the secrets sealed, the one in use first; null when there is none, when it is not due, or when somebody else makes it. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.stop_webhook(webhook app_public.webhooks, reason app_public.webhook_stop) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.webhooks as stopped
  set is_enabled = false, disabled_at = now(), disabled_reason = reason, failing_since = coalesce(stopped.failing_since, now())
  where stopped.organization_id = webhook.organization_id and stopped.id = webhook.id and stopped.is_enabled;
  if found then
    perform app_private.alert_admins(
      'webhook_disabled',
      jsonb_build_object('webhook_id', webhook.id, 'name', webhook.name, 'url', webhook.url, 'reason', reason),
      'webhook_disabled:' || webhook.id || ':' || extract(epoch from now())::bigint
    );
  end if;
end
$$;

comment on function app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop) is 'Switches a webhook off because its receiver is gone or takes nothing any more, and tells the admins.';

create or replace function app_private.webhook_retry_delay(attempts integer, retry_after interval) returns interval
  language sql volatile
  set search_path = ''
as $$
  select greatest(
    -- 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, then every 4 hours; spread, so that what failed together does not come back together.
    least(interval '5 seconds' * power(4, least(attempts, 10) - 1), interval '4 hours') * (0.8 + 0.4 * random()),
    least(coalesce(retry_after, interval '0'), interval '4 hours')
  )
$$;

comment on function app_private.webhook_retry_delay(integer, interval) is 'How long to wait after so many attempts: ever longer, and not shorter than the receiver asked for, up to four hours.';

create or replace function app_private.finish_webhook_attempt(attempt_id uuid, outcome jsonb) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  attempt app_public.webhook_attempts;
  delivery app_public.webhook_deliveries;
  webhook app_public.webhooks;
  is_taken boolean;
begin
  update app_public.webhook_attempts as ended
  set
    ended_at = clock_timestamp(),
    remote_address = (outcome ->> 'address')::inet,
    request_headers = coalesce(outcome -> 'requestHeaders', '{}'),
    status = (outcome ->> 'status')::integer,
    response_headers = coalesce(outcome -> 'responseHeaders', '{}'),
    response_body = outcome ->> 'responseBody',
    fault = (outcome ->> 'fault')::app_public.webhook_fault,
    error = left(outcome ->> 'error', 500),
    duration_ms = (outcome ->> 'durationMs')::integer
  where ended.organization_id = app_hidden.current_organization_id() and ended.id = finish_webhook_attempt.attempt_id
    and ended.ended_at is null
  returning * into attempt;
  if not found then
    return;
  end if;
  is_taken := attempt.fault is null;

  -- The webhook before its calls, in which order whoever switches it off locks them too.
  select hook.* into strict webhook
  from app_public.webhook_deliveries as called
  join app_public.webhooks as hook on hook.organization_id = called.organization_id and hook.id = called.webhook_id
  where called.organization_id = attempt.organization_id and called.id = attempt.delivery_id
  for no key update of hook;

  update app_public.webhook_deliveries as called
  set
    claim = null,
    claimed_until = null,
    last_status = attempt.status,
    last_fault = attempt.fault,
    state = case
      when called.state <> 'waiting' then called.state
      when is_taken then 'delivered'
      when attempt.status = 410 or now() >= called.give_up_at or called.event_id is null then 'failed'
      else 'waiting'
    end,
    next_attempt_at = case
      when is_taken then called.next_attempt_at
      else least(
        now() + app_private.webhook_retry_delay(called.attempts, make_interval(secs => (outcome ->> 'retryAfterSeconds')::double precision)),
        greatest(called.give_up_at, now())
      )
    end,
    ended_at = coalesce(
      called.ended_at,
      case
        when is_taken or attempt.status = 410 or now() >= called.give_up_at or called.event_id is null then now()
      end
    )
  where called.organization_id = attempt.organization_id and called.id = attempt.delivery_id
    -- Where it took so long that somebody else tries again, only that it was taken still counts.
    and (called.claim = attempt.id or (is_taken and called.state = 'waiting'))
  returning * into delivery;
  -- A test says nothing of how it is getting on.
  if not found or delivery.event_id is null then
    return;
  end if;

  if is_taken then
    if webhook.failing_since is not null then
      update app_public.webhooks as recovered
      set failing_since = null
      where recovered.organization_id = webhook.organization_id and recovered.id = webhook.id
      returning * into webhook;
      perform app_private.wake_webhook(webhook, 100);
    end if;
    return;
  end if;

  if webhook.failing_since is null then
    update app_public.webhooks as failing
    set failing_since = now()
    where failing.organization_id = webhook.organization_id and failing.id = webhook.id;
  end if;
  if attempt.status = 410 then
    perform app_private.stop_webhook(webhook, 'gone');
  elsif webhook.failing_since < now() - interval '3 days' and (
    select count(*)
    from (
      select
      from app_public.webhook_deliveries as given_up
      where given_up.organization_id = webhook.organization_id and given_up.webhook_id = webhook.id and given_up.state = 'failed'
        and given_up.event_id is not null and given_up.ended_at >= webhook.failing_since
      order by given_up.created_at desc
      limit 3
    ) as counted
  ) >= 3 then
    perform app_private.stop_webhook(webhook, 'failing');
  end if;
end
$$;

comment on function app_private.finish_webhook_attempt(uuid, jsonb) is
  'Notes what came of an attempt, once: `{address, requestHeaders, status, responseHeaders, responseBody, fault, error, durationMs, retryAfterSeconds}`, without a fault when it was taken. What was not is tried again for a day. Switches the webhook off when it answered 410 Gone, or when every attempt failed for three days and at least three calls were given up.';

create or replace function app_private.sweep_webhooks() returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Webhooks are called for one organization at a time';
  end if;

  for webhook in
    select * from app_public.webhooks as hook where hook.organization_id = app_hidden.current_organization_id()
  loop
    -- One that fails is probed by a few; when one of them is taken, that wakes the others.
    perform app_private.wake_webhook(webhook, case when webhook.failing_since is null then 100 else 3 end);
  end loop;

  delete from app_private.webhook_secrets as secret
  where secret.organization_id = app_hidden.current_organization_id() and secret.expires_at <= now();

  delete from app_public.webhook_deliveries as old
  where old.organization_id = app_hidden.current_organization_id() and old.id in (
    select ended.id
    from app_public.webhook_deliveries as ended
    where ended.organization_id = app_hidden.current_organization_id() and ended.created_at < now() - interval '30 days'
      and ended.state <> 'waiting'
    order by ended.created_at
    limit 1000
  );
end
$$;

comment on function app_private.sweep_webhooks() is
  'Has webhooks called with what is due and has lost its job, forgets secrets that are over, and up to 1,000 calls that are older than 30 days. Done by a job each minute. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.due_webhook_lanes(app_public.webhooks), app_private.wake_webhook(app_public.webhooks, integer),
  app_private.webhook_places(app_public.webhooks), app_private.wake_webhooks(), app_private.take_webhook_delivery(uuid, uuid),
  app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop), app_private.webhook_retry_delay(integer, interval),
  app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
from public;

grant execute on function
  app_private.take_webhook_delivery(uuid, uuid), app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
to atum_worker;
