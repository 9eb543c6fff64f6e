-- Webhooks: what they are. How they are called is in 75-webhook-deliveries.sql.

create or replace function app_private.names_internal_host(url text) returns boolean
  language sql stable
  set search_path = ''
as $$
  select case
    when host like '[%' then
      not pg_input_is_valid(btrim(host, '[]'), 'inet')
      -- What is outside of 2000::/3 is nobody's public address; the others are tunnels and examples.
      or not btrim(host, '[]')::inet <<= '2000::/3'
      or btrim(host, '[]')::inet <<= any ('{2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20}'::cidr[])
    -- A host whose last part is a number is an IPv4 address to every client, in whatever way it is written.
    when host ~ '(^|[.])(0x[0-9a-f]*|[0-9]+)[.]?$' then
      host !~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$'
      or not pg_input_is_valid(host, 'inet')
      or host::inet <<= any (
        '{
          0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 168.63.129.16, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24,
          192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3
        }'::cidr[]
      )
    else host ~ '(^|[.])(localhost|local|internal|home[.]arpa)[.]?$'
  end
  from lower(substring(url from '^https?://([^/?:[]+|[[][^]]*[]])')) as host
$$;

comment on function app_private.names_internal_host(text) is 'Whether an address names a host inside the own network, as far as can be told from its letters. Where a name leads to is looked at when it is called.';

create or replace function app_private.tg_webhooks__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.name := btrim(NEW.name);
  NEW.changed_by_id := app_hidden.current_user_id();
  if TG_OP = 'UPDATE' and NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_webhooks__stamp() is 'Notes who changed a webhook, and when.';

-- Not for how it is getting on: that is no change of what it does.
create or replace trigger _100_stamp
  before insert or update of name, url, event_types, includes_internal, allow_internal on app_public.webhooks
  for each row execute function app_private.tg_webhooks__stamp();

create or replace function app_private.tg_webhooks__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if not NEW.allow_internal and app_private.names_internal_host(NEW.url) then
    raise exception using errcode = 'AD270', message = 'This address is inside the own network, and the webhook may not call that';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_webhooks__refuse() is 'Refuses an address inside the own network unless the webhook may call that. Error WEBHOOK_ADDRESS_INTERNAL.';

create or replace trigger _200_refuse before insert or update of url, allow_internal on app_public.webhooks
  for each row execute function app_private.tg_webhooks__refuse();

create or replace function app_private.tg_webhooks__cancel_deliveries() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_public.webhook_deliveries as delivery
  set state = 'cancelled', ended_at = now()
  where delivery.organization_id = NEW.organization_id and delivery.webhook_id = NEW.id and delivery.state = 'waiting'
    and delivery.event_id is not null;
  return null;
end
$$;

comment on function app_private.tg_webhooks__cancel_deliveries() is 'Calls nothing any more that was switched off.';

create or replace trigger _500_cancel_deliveries after update of is_enabled on app_public.webhooks
  for each row when (OLD.is_enabled and not NEW.is_enabled) execute function app_private.tg_webhooks__cancel_deliveries();

create or replace function app_public.save_webhook(
  name text,
  url text,
  webhook_id uuid default null,
  event_types app_public.ticket_event_type[] default '{}',
  includes_internal boolean default false,
  allow_internal boolean default false,
  is_enabled boolean default true
) returns app_public.webhooks
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.webhooks;
begin
  perform app_private.subject_of_claims();

  if save_webhook.webhook_id is null then
    if (select count(*) from app_public.webhooks where organization_id = app_hidden.current_organization_id()) >= 50 then
      raise exception using errcode = 'AD271', message = 'An organization has at most 50 webhooks';
    end if;
    insert into app_public.webhooks (
      organization_id, name, url, event_types, includes_internal, allow_internal, is_enabled, created_by_id
    )
    values (
      app_hidden.current_organization_id(), save_webhook.name, btrim(save_webhook.url), coalesce(save_webhook.event_types, '{}'),
      coalesce(save_webhook.includes_internal, false), coalesce(save_webhook.allow_internal, false),
      coalesce(save_webhook.is_enabled, true), app_hidden.current_user_id()
    )
    returning * into saved;
    return saved;
  end if;

  update app_public.webhooks as webhook
  set
    name = save_webhook.name,
    url = btrim(save_webhook.url),
    event_types = coalesce(save_webhook.event_types, '{}'),
    includes_internal = coalesce(save_webhook.includes_internal, false),
    allow_internal = coalesce(save_webhook.allow_internal, false),
    is_enabled = coalesce(save_webhook.is_enabled, true),
    -- Another address, or one that was switched on again, has failed at nothing yet.
    failing_since = case when webhook.url = btrim(save_webhook.url) and webhook.is_enabled then webhook.failing_since end,
    disabled_at = case when not coalesce(save_webhook.is_enabled, true) then webhook.disabled_at end,
    disabled_reason = case when not coalesce(save_webhook.is_enabled, true) then webhook.disabled_reason end
  where webhook.organization_id = app_hidden.current_organization_id() and webhook.id = save_webhook.webhook_id
  returning * into saved;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  return saved;
end
$$;

comment on function app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean) is
  'Adds a webhook, or with `webhookId` replaces its settings, and returns it. It calls nothing before it has a secret, which is made by `POST /api/v1/webhooks/<rowId>/secret`. Switching it off cancels what waits. Admins only. Errors: WEBHOOK_ADDRESS_INTERNAL for an address inside the own network without `allowInternal`, TOO_MANY_WEBHOOKS beyond 50, CONFLICT for a name that is taken, INVALID_INPUT, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.delete_webhook(webhook_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.subject_of_claims();

  delete from app_public.webhooks as webhook
  where webhook.organization_id = app_hidden.current_organization_id() and webhook.id = delete_webhook.webhook_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such webhook';
  end if;
  return true;
end
$$;

comment on function app_public.delete_webhook(uuid) is 'Removes a webhook with its secrets and its log. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

-- Secrets: made and sealed by the server, opened by the worker.

create or replace function app_private.set_webhook_secret(webhook_id uuid, secret text, keep_previous interval) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  webhook app_public.webhooks;
  previous_until constant timestamptz := now() + least(greatest(keep_previous, interval '0'), interval '7 days');
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins make secrets';
  end if;
  -- Two that are made at the same moment come one after the other.
  select * into webhook
  from app_public.webhooks as locked
  where locked.organization_id = app_hidden.current_organization_id() and locked.id = set_webhook_secret.webhook_id
  for no key update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;

  update app_private.webhook_secrets as former
  set expires_at = least(former.expires_at, previous_until)
  where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id;

  -- A call carries one signature for each: no more than two besides the one in use.
  delete from app_private.webhook_secrets as former
  where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id
    and (former.expires_at <= now() or former.id not in (
      select latest.id
      from app_private.webhook_secrets as latest
      where latest.organization_id = webhook.organization_id and latest.webhook_id = webhook.id
      order by latest.created_at desc, latest.id desc
      limit 2
    ));

  insert into app_private.webhook_secrets (organization_id, webhook_id, sealed)
  values (webhook.organization_id, webhook.id, set_webhook_secret.secret);
  return jsonb_build_object('outcome', 'ok', 'previousUntil', (
    select max(former.expires_at)
    from app_private.webhook_secrets as former
    where former.organization_id = webhook.organization_id and former.webhook_id = webhook.id
  ));
end
$$;

comment on function app_private.set_webhook_secret(uuid, text, interval) is 'Stores a new encrypted secret of a webhook; calls are signed with the ones before too, for `keep_previous`, at most 7 days: `{outcome: "ok", previousUntil}`, `not_found`. Admins only.';

create or replace function app_private.has_webhook_secret(webhook app_public.webhooks) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.webhook_secrets as secret
    where secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id and secret.expires_at is null
  )
$$;

comment on function app_private.has_webhook_secret(app_public.webhooks) is 'Whether there is something to sign the calls of a webhook with.';

create or replace function app_public.webhooks_has_secret(webhook app_public.webhooks) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select webhook.organization_id = app_hidden.current_organization_id() and app_private.has_webhook_secret(webhook)
$$;

comment on function app_public.webhooks_has_secret(app_public.webhooks) is 'Whether it has a secret; without one it calls nothing. Admins only.';

create or replace function app_public.webhooks_previous_secret_until(webhook app_public.webhooks) returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select max(secret.expires_at)
  from app_private.webhook_secrets as secret
  where secret.organization_id = app_hidden.current_organization_id()
    and secret.organization_id = webhook.organization_id and secret.webhook_id = webhook.id and secret.expires_at > now()
$$;

comment on function app_public.webhooks_previous_secret_until(app_public.webhooks) is 'Until when calls are signed with a secret before the one in use too; null when there is none. Admins only.';

-- How it has been getting on, read from its log.

create or replace function app_public.webhooks_last_delivered_at(webhook app_public.webhooks) returns timestamptz
  language sql stable
  set search_path = ''
as $$
  select delivery.ended_at
  from app_public.webhook_deliveries as delivery
  where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'delivered'
  order by delivery.created_at desc
  limit 1
$$;

comment on function app_public.webhooks_last_delivered_at(app_public.webhooks) is 'When the latest of its calls that were taken was; null when none was in 30 days.';

create or replace function app_public.webhooks_waiting(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.webhook_deliveries as delivery
    where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'waiting'
    limit 1000
  ) as counted
$$;

comment on function app_public.webhooks_waiting(app_public.webhooks) is 'How many calls wait, counted up to 1,000.';

create or replace function app_public.webhooks_failed_today(webhook app_public.webhooks) returns integer
  language sql stable
  set search_path = ''
as $$
  select count(*)::integer
  from (
    select
    from app_public.webhook_deliveries as delivery
    where delivery.organization_id = webhook.organization_id and delivery.webhook_id = webhook.id and delivery.state = 'failed'
      -- A call is given up a day after it was made.
      and delivery.created_at > now() - interval '2 days' and delivery.ended_at > now() - interval '1 day'
    limit 1000
  ) as counted
$$;

comment on function app_public.webhooks_failed_today(app_public.webhooks) is 'How many calls were given up in the last 24 hours, counted up to 1,000.';

revoke all on function
  app_private.names_internal_host(text), app_private.tg_webhooks__stamp(), app_private.tg_webhooks__refuse(),
  app_private.tg_webhooks__cancel_deliveries(),
  app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean),
  app_public.delete_webhook(uuid), app_private.set_webhook_secret(uuid, text, interval),
  app_private.has_webhook_secret(app_public.webhooks), app_public.webhooks_has_secret(app_public.webhooks),
  app_public.webhooks_previous_secret_until(app_public.webhooks), app_public.webhooks_last_delivered_at(app_public.webhooks),
  app_public.webhooks_waiting(app_public.webhooks), app_public.webhooks_failed_today(app_public.webhooks)
from public;

grant execute on function app_private.set_webhook_secret(uuid, text, interval) to atum_server;
grant execute on function
  app_public.save_webhook(text, text, uuid, app_public.ticket_event_type[], boolean, boolean, boolean), app_public.delete_webhook(uuid),
  app_public.webhooks_has_secret(app_public.webhooks), app_public.webhooks_previous_secret_until(app_public.webhooks),
  app_public.webhooks_last_delivered_at(app_public.webhooks), app_public.webhooks_waiting(app_public.webhooks),
  app_public.webhooks_failed_today(app_public.webhooks)
to atum_admin;
