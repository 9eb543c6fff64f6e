-- Webhooks: what admins do with their calls by hand.

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
  -- Of several that wait the last one says what there is to know. Each would keep a place of the worker for as long as its
  -- receiver likes.
  update app_public.webhook_deliveries as earlier
  set state = 'cancelled', ended_at = now()
  where earlier.organization_id = webhook.organization_id and earlier.webhook_id = webhook.id and earlier.event_id is null
    and earlier.state = 'waiting' and earlier.claim is null;

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

comment on function app_public.send_test_webhook(uuid) is 'Calls a webhook once with a body of type `ping`, also when it is switched off, and returns the call, whose `state` says before long how it went; a test before it that was not begun is cancelled. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY without a secret.';

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
  -- Each is a row of its own that is kept for a month: whoever switches a webhook off and on could have any number made.
  most constant bigint := least(10000, greatest(0, 20000 - (
    select count(*)
    from app_public.webhook_deliveries as recent
    where recent.organization_id = webhook.organization_id and recent.created_at > now() - interval '1 hour' and recent.replay > 0
  )));
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
      limit most
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

comment on function app_public.replay_webhook_since(uuid, timestamptz, boolean) is 'Tells a webhook of what happened since an instant and it was not told of: what was given up or cancelled, and what happened while it was off; with `includesDelivered` also of what it took. At most 10,000 at a time, and 20,000 once more within an hour for all webhooks of an organization, from the last 30 days and since the webhook was made; returns how many. Admins only. Errors: NOT_FOUND, WEBHOOK_NOT_READY when the webhook is off or has no secret.';

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

revoke all on function
  app_private.webhook_to_call(uuid), app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid),
  app_public.replay_webhook_since(uuid, timestamptz, boolean), app_public.cancel_webhook_delivery(uuid)
from public;

grant execute on function
  app_public.send_test_webhook(uuid), app_public.replay_webhook_delivery(uuid), app_public.replay_webhook_since(uuid, timestamptz, boolean),
  app_public.cancel_webhook_delivery(uuid)
to atum_admin;
