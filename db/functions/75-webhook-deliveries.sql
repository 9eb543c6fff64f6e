-- Webhooks: how they are called. Each call is a row before it is a job. The worker claims one (take_webhook_delivery),
-- calls with no transaction open, and notes what came of it (finish_webhook_attempt).

create or replace function app_private.webhook_instant(at timestamptz) returns text
  language sql stable
  set search_path = ''
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

comment on function app_private.webhook_instant(timestamptz) is 'An instant as JavaScript writes it, in UTC.';

create or replace function app_private.webhook_message(event app_public.ticket_events) returns text
  language sql stable
  set search_path = ''
  return 'evt_' || replace(event.id::text, '-', '');

comment on function app_private.webhook_message(app_public.ticket_events) is 'By what a receiver knows an event that it was told of before.';

create or replace function app_private.webhook_person(organization_id uuid, user_id uuid) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object('id', person.id, 'name', person.name, 'email', person.email, 'role', person.role)
  from app_public.users as person
  where person.organization_id = webhook_person.organization_id and person.id = webhook_person.user_id
$$;

comment on function app_private.webhook_person(uuid, uuid) is 'A person as webhooks are told of one; null for nobody.';

create or replace function app_private.webhook_ticket(ticket app_public.tickets, with_internal boolean) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', ticket.id, 'number', ticket.number, 'reference', ticket.reference, 'subject', ticket.subject,
    'status', ticket.status,
    'state', (
      select jsonb_build_object('id', state.id, 'name', state.name)
      from app_public.ticket_states as state
      where state.organization_id = ticket.organization_id and state.id = ticket.state_id
    ),
    'priority', ticket.priority, 'channel', ticket.channel,
    'service', (
      select jsonb_build_object('id', service.id, 'name', service.name)
      from app_public.services as service
      where service.organization_id = ticket.organization_id and service.id = ticket.service_id
    ),
    'team', (
      select jsonb_build_object('id', team.id, 'name', team.name)
      from app_public.teams as team
      where team.organization_id = ticket.organization_id and team.id = ticket.team_id
    ),
    'company', (
      select jsonb_build_object('id', company.id, 'name', company.name)
      from app_public.companies as company
      where company.organization_id = ticket.organization_id and company.id = ticket.company_id
    ),
    'requester', app_private.webhook_person(ticket.organization_id, ticket.requester_id),
    'assignee', app_private.webhook_person(ticket.organization_id, ticket.assignee_id),
    'customFields', ticket.custom_fields,
    'createdAt', app_private.webhook_instant(ticket.created_at), 'updatedAt', app_private.webhook_instant(ticket.updated_at),
    'resolvedAt', app_private.webhook_instant(ticket.resolved_at), 'closedAt', app_private.webhook_instant(ticket.closed_at)
  )
  || case
    when with_internal then jsonb_build_object('tags', ticket.tags, 'internalFields', ticket.internal_fields)
    else '{}'
  end
$$;

comment on function app_private.webhook_ticket(app_public.tickets, boolean) is 'A ticket as webhooks are told of one; what only staff see is with those that asked for it.';

create or replace function app_private.webhook_description(event app_public.ticket_events) returns uuid
  language sql stable
  set search_path = ''
as $$
  select comment.id
  from app_public.comments as comment
  where comment.organization_id = event.organization_id and comment.ticket_id = event.ticket_id
  order by comment.created_at, comment.id
  limit 1
$$;

comment on function app_private.webhook_description(app_public.ticket_events) is 'The comment with which a ticket was opened.';

create or replace function app_private.webhook_payload(event app_public.ticket_events, with_internal boolean) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'type', 'ticket.' || regexp_replace(event.type::text, '^ticket_', ''),
    'timestamp', app_private.webhook_instant(event.created_at),
    'data', jsonb_build_object(
      'organization', (
        select jsonb_build_object('id', organization.id, 'slug', organization.slug)
        from app_public.organizations as organization
        where organization.id = event.organization_id
      ),
      'event', jsonb_build_object(
        'id', event.id, 'type', event.type, 'visibility', event.visibility, 'before', event.before, 'after', event.after,
        'actor', coalesce(
          app_private.webhook_person(event.organization_id, event.actor_id),
          jsonb_build_object('name', event.actor_name)
        )
      ),
      'ticket', (
        select app_private.webhook_ticket(ticket, with_internal)
        from app_public.tickets as ticket
        where ticket.organization_id = event.organization_id and ticket.id = event.ticket_id
      ),
      'comment', (
        select jsonb_build_object(
          'id', comment.id, 'visibility', comment.visibility, 'body', comment.body,
          'author', app_private.webhook_person(comment.organization_id, comment.author_id),
          'createdAt', app_private.webhook_instant(comment.created_at)
        )
        from app_public.comments as comment
        where comment.organization_id = event.organization_id
          and comment.id = coalesce(event.comment_id, case event.type when 'ticket_created' then app_private.webhook_description(event) end)
          and (with_internal or comment.visibility = 'public')
      )
    )
  )
$$;

comment on function app_private.webhook_payload(app_public.ticket_events, boolean) is 'What a webhook is told of an event: `{type, timestamp, data}`. The ticket is as it is now.';

create or replace function app_private.webhook_wants(webhook app_public.webhooks, event app_public.ticket_events) returns boolean
  language sql stable
  set search_path = ''
as $$
  select webhook.organization_id = event.organization_id
    and (webhook.event_types = '{}' or event.type = any (webhook.event_types))
    and (webhook.includes_internal or event.visibility = 'public')
$$;

comment on function app_private.webhook_wants(app_public.webhooks, app_public.ticket_events) is 'Whether a webhook is told of an event, where it is told of anything.';

create or replace function app_private.enqueue_webhook_lane(organization_id uuid, webhook_id uuid, lane uuid, run_at timestamptz default null)
  returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'deliver_webhook', organization_id, jsonb_build_object('webhookId', webhook_id, 'lane', lane), run_at,
    'deliver_webhook:' || webhook_id || ':' || lane
  )
$$;

comment on function app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz) is 'Has a webhook called with what waits in a lane, now or at an instant.';

create or replace function app_private.call_webhooks(event app_public.ticket_events) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  made record;
begin
  if not exists (
    select from app_public.webhooks as webhook where webhook.organization_id = event.organization_id and webhook.is_enabled
  ) then
    return;
  end if;

  for made in
    insert into app_public.webhook_deliveries (
      organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, payload
    )
    select
      webhook.organization_id, webhook.id, event.id, event.type, event.ticket_id, event.ticket_id,
      app_private.webhook_message(event), app_private.webhook_payload(event, webhook.includes_internal)
    from app_public.webhooks as webhook
    where webhook.organization_id = event.organization_id and webhook.is_enabled
      and app_private.webhook_wants(webhook, event) and app_private.has_webhook_secret(webhook)
    on conflict do nothing
    returning organization_id, webhook_id, lane
  loop
    perform app_private.enqueue_webhook_lane(made.organization_id, made.webhook_id, made.lane);
  end loop;
end
$$;

comment on function app_private.call_webhooks(app_public.ticket_events) is 'Has each webhook that wants events of this type told of one.';

-- Calling

create or replace function app_private.wake_webhook(webhook app_public.webhooks, lanes integer) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, due.lane)
  from (
    select first.lane
    from (
      select distinct on (waiting.lane) waiting.lane, waiting.next_attempt_at, waiting.claimed_until, waiting.created_at
      from app_public.webhook_deliveries as waiting
      where waiting.organization_id = webhook.organization_id and waiting.webhook_id = webhook.id and waiting.state = 'waiting'
      order by waiting.lane, waiting.created_at, waiting.id
    ) as first
    where first.next_attempt_at <= clock_timestamp()
      and (first.claimed_until is null or first.claimed_until < clock_timestamp())
    order by first.created_at
    limit lanes
  ) as due
$$;

comment on function app_private.wake_webhook(app_public.webhooks, integer) is 'Has a webhook called with what is due in up to so many lanes, those first that wait longest.';

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
      -- Others may have found all places taken.
      if webhook.failing_since is null then
        perform app_private.wake_webhook(webhook, 1);
      end if;
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
    return null;
  end if;
  -- A receiver that is slow or gone takes no more than its share of the worker: a few places, and one while it fails.
  if delivery.event_id is not null and (
    select count(*)
    from app_public.webhook_deliveries as claimed
    where claimed.organization_id = webhook.organization_id and claimed.webhook_id = webhook.id
      and claimed.claimed_until > clock_timestamp()
  ) >= (case when webhook.failing_since is null then 4 else 1 end) then
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

-- By hand

create or replace function app_private.webhook_to_call(webhook_id uuid) returns app_public.webhooks
  language plpgsql stable
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
begin
  select * into webhook
  from app_public.webhooks as called
  where called.organization_id = app_hidden.current_organization_id() and called.id = webhook_to_call.webhook_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  if not app_private.has_webhook_secret(webhook) then
    raise exception using errcode = 'AD272', message = 'The webhook has no secret to sign its calls with';
  end if;
  return webhook;
end
$$;

comment on function app_private.webhook_to_call(uuid) is 'A webhook that can be called. Errors NOT_FOUND, WEBHOOK_NOT_READY.';

create or replace function app_public.send_test_webhook(webhook_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook constant app_public.webhooks := app_private.webhook_to_call(send_test_webhook.webhook_id);
  test_id constant uuid := app_hidden.uuid_v7();
  delivery app_public.webhook_deliveries;
begin
  insert into app_public.webhook_deliveries (organization_id, id, webhook_id, lane, message_id, payload, give_up_at)
  select
    webhook.organization_id, test_id, webhook.id, test_id, 'ping_' || replace(test_id::text, '-', ''),
    jsonb_build_object(
      'type', 'ping', 'timestamp', app_private.webhook_instant(now()),
      'data', jsonb_build_object(
        'organization', jsonb_build_object('id', organization.id, 'slug', organization.slug),
        'webhook', jsonb_build_object('id', webhook.id, 'name', webhook.name)
      )
    ),
    now()
  from app_public.organizations as organization
  where organization.id = webhook.organization_id
  returning * into delivery;
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.send_test_webhook(uuid) is 'Calls a webhook once with a body of type `ping`, also when it is switched off, and returns the call, whose `state` says before long how it went. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY without a secret.';

create or replace function app_public.replay_webhook_delivery(delivery_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  told app_public.webhook_deliveries;
  webhook app_public.webhooks;
  delivery app_public.webhook_deliveries;
begin
  select * into told
  from app_public.webhook_deliveries as former
  where former.organization_id = app_hidden.current_organization_id() and former.id = replay_webhook_delivery.delivery_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such call';
  end if;
  webhook := app_private.webhook_to_call(told.webhook_id);
  if told.event_id is null then
    return app_public.send_test_webhook(told.webhook_id);
  end if;
  if not webhook.is_enabled then
    raise exception using errcode = 'AD272', message = 'The webhook is switched off';
  end if;
  -- Two at the same moment come one after the other.
  perform pg_advisory_xact_lock(hashtextextended('webhook-replay:' || webhook.id, 0));

  insert into app_public.webhook_deliveries (
    organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, replay, payload
  )
  select
    told.organization_id, told.webhook_id, told.event_id, told.event_type, told.ticket_id, told.lane, told.message_id,
    max(former.replay) + 1, told.payload
  from app_public.webhook_deliveries as former
  where former.organization_id = told.organization_id and former.webhook_id = told.webhook_id and former.message_id = told.message_id
  returning * into delivery;
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.replay_webhook_delivery(uuid) is 'Tells a webhook once more what it was told or could not be told, with the same body and the same `webhook-id`, and returns the new call. A test is made anew. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

create or replace function app_public.replay_webhook_since(webhook_id uuid, since timestamptz, includes_delivered boolean default false)
  returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  webhook constant app_public.webhooks := app_private.webhook_to_call(replay_webhook_since.webhook_id);
  -- Older ones are forgotten, and those from before it was made were never meant for it.
  earliest constant timestamptz := greatest(replay_webhook_since.since, webhook.created_at, now() - interval '30 days');
  -- The identifiers of events begin with their time, so that the primary key finds the first one.
  first_id constant uuid :=
    (lpad(to_hex(floor(extract(epoch from earliest) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  woken record;
  replayed integer := 0;
begin
  if not webhook.is_enabled then
    raise exception using errcode = 'AD272', message = 'The webhook is switched off';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('webhook-replay:' || webhook.id, 0));

  for woken in
    with missed as (
      select event as told, event.id, latest.replay, latest.payload
      from app_public.ticket_events as event
      left join lateral (
        select former.replay, former.payload, former.state
        from app_public.webhook_deliveries as former
        where former.organization_id = event.organization_id and former.webhook_id = webhook.id
          and former.message_id = app_private.webhook_message(event)
        order by former.replay desc
        limit 1
      ) as latest on true
      where event.organization_id = webhook.organization_id and event.id >= first_id
        and app_private.webhook_wants(webhook, event)
        and coalesce(latest.state <> 'waiting' and (replay_webhook_since.includes_delivered or latest.state <> 'delivered'), true)
        -- What waits to be announced is told in its turn.
        and not exists (
          select
          from app_private.announcement_queue as queued
          where queued.organization_id = event.organization_id and queued.event_id = event.id
        )
      order by event.id
      limit 10000
    ),
    made as (
      insert into app_public.webhook_deliveries (
        organization_id, webhook_id, event_id, event_type, ticket_id, lane, message_id, replay, payload, created_at
      )
      select
        webhook.organization_id, webhook.id, missed.id, (missed.told).type, (missed.told).ticket_id, (missed.told).ticket_id,
        app_private.webhook_message(missed.told), coalesce(missed.replay + 1, 0),
        coalesce(missed.payload, app_private.webhook_payload(missed.told, webhook.includes_internal)),
        -- In the order in which it happened.
        clock_timestamp() + row_number() over (order by missed.id) * interval '1 microsecond'
      from missed
      returning lane
    )
    select made.lane, count(*)::integer as calls from made group by made.lane
  loop
    perform app_private.enqueue_webhook_lane(webhook.organization_id, webhook.id, woken.lane);
    replayed := replayed + woken.calls;
  end loop;
  return replayed;
end
$$;

comment on function app_public.replay_webhook_since(uuid, timestamptz, boolean) is 'Tells a webhook of what happened since an instant and it was not told of: what was given up or cancelled, and what happened while it was off; with `includesDelivered` also of what it took. At most 10,000 at a time, from the last 30 days and since the webhook was made; returns how many. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

create or replace function app_public.cancel_webhook_delivery(delivery_id uuid) returns app_public.webhook_deliveries
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  delivery app_public.webhook_deliveries;
begin
  update app_public.webhook_deliveries as cancelled
  set state = 'cancelled', ended_at = now()
  where cancelled.organization_id = app_hidden.current_organization_id() and cancelled.id = cancel_webhook_delivery.delivery_id
    and cancelled.state = 'waiting'
  returning * into delivery;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such call that waits';
  end if;
  -- What waited behind it goes on.
  perform app_private.enqueue_webhook_lane(delivery.organization_id, delivery.webhook_id, delivery.lane);
  return delivery;
end
$$;

comment on function app_public.cancel_webhook_delivery(uuid) is 'Cancels a call that waits, so that the later ones of its ticket go on, and returns it. Admins only. Error NOT_FOUND when none waits.';

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
  app_private.webhook_instant(timestamptz), app_private.webhook_message(app_public.ticket_events), app_private.webhook_person(uuid, uuid),
  app_private.webhook_ticket(app_public.tickets, boolean), app_private.webhook_payload(app_public.ticket_events, boolean),
  app_private.webhook_description(app_public.ticket_events), app_private.webhook_wants(app_public.webhooks, app_public.ticket_events),
  app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz), app_private.call_webhooks(app_public.ticket_events),
  app_private.wake_webhook(app_public.webhooks, integer), app_private.take_webhook_delivery(uuid, uuid),
  app_private.stop_webhook(app_public.webhooks, app_public.webhook_stop), app_private.webhook_retry_delay(integer, interval),
  app_private.finish_webhook_attempt(uuid, jsonb), app_private.webhook_to_call(uuid), app_public.send_test_webhook(uuid),
  app_public.replay_webhook_delivery(uuid), app_public.replay_webhook_since(uuid, timestamptz, boolean),
  app_public.cancel_webhook_delivery(uuid), app_private.sweep_webhooks()
from public;

grant execute on function
  app_private.take_webhook_delivery(uuid, uuid), app_private.finish_webhook_attempt(uuid, jsonb), app_private.sweep_webhooks()
to atum_worker;
grant execute on function
  app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid),
  app_public.replay_webhook_since(uuid, timestamptz, boolean), app_public.cancel_webhook_delivery(uuid)
to atum_admin;
