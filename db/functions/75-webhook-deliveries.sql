-- Webhooks: what they are told. Each call is a row before it is a job; how it is made is in 87-webhook-calls.sql.

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
    'deliver_webhook:' || webhook_id || ':' || lane,
    -- The places of an organization are counted by its calls; these lines hold as well where it deletes webhooks under them. A
    -- test, whose lane is its own, does not wait for what is told.
    queue_name => 'deliver_webhook:' || organization_id || case
      when exists (
        select
        from app_public.webhook_deliveries as test
        where test.organization_id = enqueue_webhook_lane.organization_id and test.id = enqueue_webhook_lane.lane
      ) then ':test:' || get_byte(uuid_send(lane), 15) % 2
      else ':' || get_byte(uuid_send(lane), 15) % 4
    end
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

revoke all on function
  app_private.webhook_instant(timestamptz), app_private.webhook_message(app_public.ticket_events), app_private.webhook_person(uuid, uuid),
  app_private.webhook_ticket(app_public.tickets, boolean), app_private.webhook_payload(app_public.ticket_events, boolean),
  app_private.webhook_description(app_public.ticket_events), app_private.webhook_wants(app_public.webhooks, app_public.ticket_events),
  app_private.enqueue_webhook_lane(uuid, uuid, uuid, timestamptz), app_private.call_webhooks(app_public.ticket_events)
from public;
