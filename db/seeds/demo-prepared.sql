-- What the agents of the demo prepared: texts found by `::` in a reply, macros, views and a template. Run after demo.sql, as
-- the owner.

do $demo$
declare
  prepared constant jsonb := $prepared$
[
  {
    "slug": "acme",
    "responses": [
      {"folder": "Access", "title": "Ask for the error message", "body": "Hello {{requester.first_name}},\n\nthank you for writing. Could you send us the exact words of the message, and when you saw it last?\n\nKind regards\n{{agent.first_name}}"},
      {"folder": "Access", "title": "VPN: restart the client", "team": "Service Desk", "body": "Hello {{requester.first_name}},\n\nplease close the VPN client, wait ten seconds and open it again. If it still does not connect, tell us the number at the bottom of its window.\n\nKind regards\n{{agent.first_name}}"},
      {"folder": "Closing", "title": "Solved, thank you", "body": "Hello {{requester.first_name}},\n\n{{ticket.reference}} is solved. If it comes back, answer here and it opens again.\n\nKind regards\n{{agent.first_name}}"}
    ],
    "macros": [
      {"name": "Take it and say so", "description": "The first answer to somebody who waits", "actions": [
        {"type": "assign_to_me"},
        {"type": "set_status", "status": "open"},
        {"type": "comment", "visibility": "public", "body": "Hello {{requester.first_name}},\n\nI am looking at {{ticket.reference}} and will come back to you.\n\nKind regards\n{{agent.first_name}}"}
      ]},
      {"name": "Wait for the customer", "description": "After a question back", "actions": [
        {"type": "set_status", "status": "pending"},
        {"type": "add_tags", "tags": ["question back"]}
      ]}
    ]
  },
  {
    "slug": "globex",
    "responses": [
      {"folder": "Invoices", "title": "Invoice is sent again", "team": "Billing Operations", "body": "Hello {{requester.first_name}},\n\nthe invoice is on its way to {{requester.email}} once more.\n\nKind regards\n{{agent.first_name}}"},
      {"folder": "Invoices/Refunds", "title": "Refund is on its way", "body": "Hello {{requester.first_name}},\n\nthe refund for {{ticket.reference}} was made today and arrives within five working days.\n\nKind regards\n{{agent.first_name}}"},
      {"folder": "Closing", "title": "Anything else?", "body": "Hello {{requester.first_name}},\n\nis there anything else we can do for you?\n\nKind regards\n{{agent.first_name}}"}
    ],
    "macros": [
      {"name": "Hand to billing", "description": "A question about money", "actions": [
        {"type": "set_team", "team": "Billing Operations"},
        {"type": "add_tags", "tags": ["billing"]},
        {"type": "comment", "visibility": "internal", "body": "For billing: {{ticket.subject}}"}
      ]}
    ]
  }
]
$prepared$;
  organization record;
begin
  for organization in
    select existing.id, entry.value as prepared
    from jsonb_array_elements(prepared) as entry
    join app_public.organizations as existing on existing.slug = entry.value ->> 'slug'
  loop
    perform set_config('atum.organization_id', organization.id::text, true);

    insert into app_public.canned_responses (organization_id, folder, title, body, visibility, team_id)
    select
      organization.id, response ->> 'folder', response ->> 'title', response ->> 'body',
      case when team.id is null then 'shared' else 'team' end::app_public.canned_visibility, team.id
    from jsonb_array_elements(organization.prepared -> 'responses') as response
    left join app_public.teams as team on team.organization_id = organization.id and team.name = response ->> 'team';

    insert into app_public.macros (organization_id, name, description, visibility, position, actions)
    select
      organization.id, macro.value ->> 'name', macro.value ->> 'description', 'shared', macro.position,
      (
        -- A team is named in the text above, and referred to in an action.
        select jsonb_agg(
          case when action.value ? 'team' then action.value - 'team' || jsonb_build_object('team_id', team.id) else action.value end
          order by action.position
        )
        from jsonb_array_elements(macro.value -> 'actions') with ordinality as action (value, position)
        left join lateral (
          select named.id
          from app_public.teams as named
          where named.organization_id = organization.id and named.name = action.value ->> 'team'
        ) as team on true
      )
    from jsonb_array_elements(organization.prepared -> 'macros') with ordinality as macro (value, position);

    insert into app_public.ticket_views (organization_id, name, visibility, conditions, columns, sort, direction, position)
    values
      (
        organization.id, 'Important and nobody''s', 'shared',
        '{"all": [{"field": "assignee_id", "operator": "is_empty"}, {"field": "priority", "operator": "at_least", "value": "high"}, {"field": "status", "operator": "is", "value": ["new", "open"]}]}',
        '{reference,subject,requester,priority,due,updated}', 'priority', 'descending', 1
      ),
      (
        organization.id, 'Silent for three days', 'shared',
        '{"all": [{"field": "status", "operator": "is", "value": ["open", "pending"]}, {"field": "last_comment_at", "operator": "older_than", "value": 259200}]}',
        '{reference,subject,status,assignee,updated}', 'updated', 'ascending', 2
      );

    insert into app_public.ticket_templates (organization_id, name, subject, body, checklist, tags, seen_by_customers, position)
    values (
      organization.id, 'A new colleague', 'Accounts for a new colleague', E'Name:\nFirst day:\nWorks like (name of a colleague):',
      '{"Make the account","Order the laptop","Give the key card","Say hello on the first day"}', '{onboarding}', true, 1
    );

    perform set_config('atum.organization_id', '', true);
  end loop;
end
$demo$;
