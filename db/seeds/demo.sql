-- The demo: two organizations, their people, and the story of some sixty tickets. Run once, as the owner, last of the three
-- files and in the same transaction: demo-acme.sql, demo-globex.sql, demo.sql. Alone it makes the organizations without
-- tickets. Everything is dated relative to now().
--
-- A story is one ticket: `requester`, `by` (who wrote it down, where that is not the requester), `service`, `team`,
-- `assignee`, `priority`, `subject`, `tags`, `channel`, `age` before now, `body` of the first message, and `steps`. A step
-- comes `after` the one before it, is done `by` somebody, and may `say` something (`visibility` public or internal) and
-- `set` status, state, priority, team or assignee. What follows from that (numbers, reopening, events, clocks) the triggers
-- do. How tickets stand to each other, who watches and what was merged comes last.

create temporary table if not exists demo_stories (
  organization_slug text not null,
  story jsonb not null
) on commit drop;

-- Audit as it happens instead of at the end of the transaction, so that each record names the person of that moment.
set constraints all immediate;

do $demo$
declare
  password constant text := 'atum-demo-2026';
  founded_at constant timestamptz := now() - interval '60 days';
  organizations constant jsonb := $organizations$
[
  {
    "slug": "acme",
    "name": "Acme Industrial",
    "time_zone": "Europe/Berlin",
    "locale": "en",
    "ticket_prefix": "ACME",
    "hours": {
      "mon": [["08:00", "12:00"], ["13:00", "18:00"]],
      "tue": [["08:00", "12:00"], ["13:00", "18:00"]],
      "wed": [["08:00", "12:00"], ["13:00", "18:00"]],
      "thu": [["08:00", "12:00"], ["13:00", "18:00"]],
      "fri": [["08:00", "12:00"], ["13:00", "18:00"]]
    },
    "people": [
      {"email": "admin@acme.example", "name": "Katharina Brandt", "role": "admin"},
      {"email": "manager@acme.example", "name": "Tobias Reinhardt", "role": "manager"},
      {"email": "agent@acme.example", "name": "Miriam Aydin", "role": "agent"},
      {"email": "lukas.novak@acme.example", "name": "Lukáš Novák", "role": "agent"},
      {"email": "priya.raman@acme.example", "name": "Priya Raman", "role": "agent"},
      {"email": "customer@acme.example", "name": "Jonas Weber", "role": "customer"},
      {"email": "sabine.krueger@acme.example", "name": "Sabine Krüger", "role": "customer", "locale": "de"},
      {"email": "owen.hughes@tidewater-marine.example", "name": "Owen Hughes", "role": "customer", "time_zone": "Europe/London", "company": "Tidewater Marine"},
      {"email": "fiona.marsh@tidewater-marine.example", "name": "Fiona Marsh", "role": "customer", "time_zone": "Europe/London", "company": "Tidewater Marine"}
    ],
    "companies": [
      {"name": "Tidewater Marine", "shares_tickets": true}
    ],
    "states": [
      {"kind": "on_hold", "name": "Waiting for parts"}
    ],
    "teams": [
      {"name": "Service Desk", "members": ["agent@acme.example", "lukas.novak@acme.example", "manager@acme.example"]},
      {"name": "Infrastructure", "members": ["lukas.novak@acme.example", "manager@acme.example"]},
      {"name": "Customer Orders", "members": ["priya.raman@acme.example", "agent@acme.example", "manager@acme.example"]}
    ],
    "services": [
      {
        "name": "VPN and remote access",
        "team": "Service Desk",
        "description": "Working from home or on the road: the VPN client, remote desktops and access to plant networks."
      },
      {
        "name": "Accounts and passwords",
        "team": "Service Desk",
        "description": "Signing in, forgotten or expired passwords, locked accounts and authenticator codes."
      },
      {
        "name": "Workplace and devices",
        "team": "Service Desk",
        "description": "Laptops, CAD workstations, monitors and docks, and everything a new colleague needs on the first day."
      },
      {
        "name": "Printing and label printers",
        "team": "Infrastructure",
        "description": "Office printers, scanners, and the label printers in the halls and in shipping."
      },
      {
        "name": "Customer order portal",
        "team": "Customer Orders",
        "description": "Orders, quotes, price lists, documents and exports on orders.acme.example."
      },
      {
        "name": "Shipping labels and EDI",
        "team": "Customer Orders",
        "description": "Parcel labels, tracking numbers and electronic messages to customers and carriers."
      }
    ]
  },
  {
    "slug": "globex",
    "name": "Globex Billing Services",
    "time_zone": "America/New_York",
    "locale": "en",
    "ticket_prefix": "GLBX",
    "hours": {
      "mon": [["09:00", "17:30"]],
      "tue": [["09:00", "17:30"]],
      "wed": [["09:00", "17:30"]],
      "thu": [["09:00", "17:30"]],
      "fri": [["09:00", "17:30"]],
      "sat": [["10:00", "14:00"]]
    },
    "people": [
      {"email": "admin@globex.example", "name": "Rebecca Stone", "role": "admin"},
      {"email": "manager@globex.example", "name": "Marcus Bell", "role": "manager"},
      {"email": "agent@globex.example", "name": "Aisha Grant", "role": "agent"},
      {"email": "hannah.cho@globex.example", "name": "Hannah Cho", "role": "agent"},
      {"email": "diego.santos@globex.example", "name": "Diego Santos", "role": "agent"},
      {"email": "customer@globex.example", "name": "Daniel Whitfield", "role": "customer"},
      {"email": "tunde.okafor@harborfinch.example", "name": "Tunde Okafor", "role": "customer"},
      {"email": "lucia.fernandez@solmarina.example", "name": "Lucía Fernández", "role": "customer", "locale": "es", "time_zone": "Europe/Madrid"}
    ],
    "companies": [],
    "states": [],
    "teams": [
      {"name": "Customer Support", "members": ["agent@globex.example", "diego.santos@globex.example", "manager@globex.example"]},
      {"name": "Billing Operations", "members": ["hannah.cho@globex.example", "diego.santos@globex.example", "manager@globex.example"]},
      {"name": "Integrations", "members": ["diego.santos@globex.example", "agent@globex.example", "manager@globex.example"]}
    ],
    "services": [
      {
        "name": "Invoicing",
        "team": "Billing Operations",
        "description": "Creating, sending and correcting invoices: totals, numbering, layout and recurring templates."
      },
      {
        "name": "Taxes and compliance",
        "team": "Billing Operations",
        "description": "Tax rates, exemptions, VAT and what an auditor may ask for."
      },
      {
        "name": "Payments and refunds",
        "team": "Customer Support",
        "description": "Card and bank payments, duplicate charges, refunds and renewals."
      },
      {
        "name": "Sign-in and SSO",
        "team": "Customer Support",
        "description": "Passwords, users and single sign-on with your own identity provider."
      },
      {
        "name": "Reports and exports",
        "team": "Customer Support",
        "description": "Dashboards, scheduled reports, CSV files and exports to accounting software."
      },
      {
        "name": "API and webhooks",
        "team": "Integrations",
        "description": "The REST API, API keys, webhooks and the SDKs."
      }
    ]
  }
]
$organizations$;
  organization jsonb;
  person jsonb;
  team jsonb;
  service jsonb;
  new_organization_id uuid;
  new_person_id uuid;
  new_team_id uuid;
begin
  for organization in select value from jsonb_array_elements(organizations) loop
    perform set_config('atum.organization_id', '', true), set_config('atum.user_id', '', true);

    new_organization_id := app_private.create_organization(
      organization ->> 'slug', organization ->> 'name', organization ->> 'time_zone', organization ->> 'locale',
      organization ->> 'ticket_prefix', organization -> 'hours'
    );
    perform set_config('atum.organization_id', new_organization_id::text, true);

    update app_public.organizations
    set created_at = founded_at, updated_at = founded_at
    where id = new_organization_id;

    insert into app_public.companies (organization_id, name, shares_tickets, created_at, updated_at)
    select new_organization_id, company.value ->> 'name', (company.value ->> 'shares_tickets')::boolean, founded_at, founded_at
    from jsonb_array_elements(organization -> 'companies') as company;

    for person in select value from jsonb_array_elements(organization -> 'people') loop
      insert into app_public.users (
        organization_id, email, name, role, company_id, locale, time_zone, activated_at, created_at, updated_at
      )
      values (
        new_organization_id, person ->> 'email', person ->> 'name', (person ->> 'role')::app_public.user_role,
        (
          select company.id
          from app_public.companies as company
          where company.organization_id = new_organization_id and company.name = person ->> 'company'
        ),
        person ->> 'locale', person ->> 'time_zone', founded_at, founded_at, founded_at
      )
      returning id into new_person_id;

      perform app_private.set_password(new_organization_id, new_person_id, password, is_demo => true);
    end loop;

    insert into app_public.ticket_states (organization_id, kind, name, created_at, updated_at)
    select new_organization_id, (state.value ->> 'kind')::app_public.ticket_status, state.value ->> 'name', founded_at, founded_at
    from jsonb_array_elements(organization -> 'states') as state;

    for team in select value from jsonb_array_elements(organization -> 'teams') loop
      insert into app_public.teams (organization_id, name, created_at, updated_at)
      values (new_organization_id, team ->> 'name', founded_at, founded_at)
      returning id into new_team_id;

      insert into app_public.team_members (organization_id, team_id, user_id, created_at)
      select new_organization_id, new_team_id, member.id, founded_at
      from app_public.users as member
      where member.organization_id = new_organization_id and team -> 'members' ? member.email::text;
    end loop;

    for service in select value from jsonb_array_elements(organization -> 'services') loop
      insert into app_public.services (organization_id, name, description, team_id, created_at, updated_at)
      values (
        new_organization_id, service ->> 'name', service ->> 'description',
        (
          select responsible.id
          from app_public.teams as responsible
          where responsible.organization_id = new_organization_id and responsible.name = service ->> 'team'
        ),
        founded_at, founded_at
      );
    end loop;
  end loop;

  perform set_config('atum.organization_id', '', true), set_config('atum.user_id', '', true);
end
$demo$;

-- All stories are played at once, in the order of time, so that numbers, events and the audit log are in that order too.
do $demo$
declare
  happening record;
  actor_id uuid;
  told_ticket_id uuid;
  changes jsonb;
  told_organization_slug text;
  told_organization_id uuid;
begin
  for happening in
    with told as (
      select
        organization.id as organization_id,
        story.value as story,
        step.value as step,
        step.ordinality as position,
        -- Seconds, because a day of the calendar may have 23 hours and a step must never lie in the future.
        now() + make_interval(secs =>
          sum(extract(epoch from (step.value ->> 'after')::interval))
            over (partition by organization.id, story.ordinality order by step.ordinality)::double precision
          - extract(epoch from (story.value ->> 'age')::interval)::double precision
        ) as happened_at
      from pg_temp.demo_stories
      join app_public.organizations as organization on organization.slug = demo_stories.organization_slug
      cross join lateral jsonb_array_elements(demo_stories.story) with ordinality as story
      -- The opening is the first step.
      cross join lateral jsonb_array_elements(
        jsonb_build_array(jsonb_build_object('after', '0', 'by', coalesce(story.value ->> 'by', story.value ->> 'requester')))
        || (story.value -> 'steps')
      ) with ordinality as step
    )
    select *
    from told
    order by happened_at, organization_id, position
  loop
    perform set_config('atum.organization_id', happening.organization_id::text, true);

    select person.id into strict actor_id
    from app_public.users as person
    where person.organization_id = happening.organization_id and person.email = (happening.step ->> 'by')::public.citext;

    perform set_config('atum.user_id', actor_id::text, true);

    if happening.position = 1 then
      insert into app_public.tickets (
        organization_id, subject, priority, channel, service_id, team_id, assignee_id, requester_id, created_by_id, tags,
        last_comment_at, created_at, updated_at
      )
      select
        happening.organization_id,
        happening.story ->> 'subject',
        (happening.story ->> 'priority')::app_public.ticket_priority,
        (happening.story ->> 'channel')::app_public.ticket_channel,
        service.id,
        team.id,
        (
          select assignee.id
          from app_public.users as assignee
          where assignee.organization_id = happening.organization_id
            and assignee.email = (happening.story ->> 'assignee')::public.citext
        ),
        requester.id,
        actor_id,
        array(select jsonb_array_elements_text(happening.story -> 'tags')),
        happening.happened_at,
        happening.happened_at,
        happening.happened_at
      from app_public.services as service, app_public.teams as team, app_public.users as requester
      where service.organization_id = happening.organization_id and service.name = happening.story ->> 'service'
        and team.organization_id = happening.organization_id and team.name = happening.story ->> 'team'
        and requester.organization_id = happening.organization_id
        and requester.email = (happening.story ->> 'requester')::public.citext
      returning id into strict told_ticket_id;

      insert into app_public.comments (organization_id, ticket_id, author_id, body, created_at)
      values (happening.organization_id, told_ticket_id, actor_id, happening.story ->> 'body', happening.happened_at);
      continue;
    end if;

    select ticket.id into strict told_ticket_id
    from app_public.tickets as ticket
    where ticket.organization_id = happening.organization_id and ticket.subject = happening.story ->> 'subject';

    if happening.step ? 'say' then
      insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, created_at)
      values (
        happening.organization_id, told_ticket_id, actor_id,
        (happening.step ->> 'visibility')::app_public.comment_visibility, happening.step ->> 'say', happening.happened_at
      );
    end if;

    changes := happening.step -> 'set';
    if changes is not null then
      update app_public.tickets as ticket
      set
        status = coalesce((changes ->> 'status')::app_public.ticket_status, ticket.status),
        state_id = coalesce(
          (
            select state.id
            from app_public.ticket_states as state
            where state.organization_id = ticket.organization_id and state.name = changes ->> 'state'
          ),
          ticket.state_id
        ),
        priority = coalesce((changes ->> 'priority')::app_public.ticket_priority, ticket.priority),
        team_id = case
          when changes ? 'team' then (
            select team.id
            from app_public.teams as team
            where team.organization_id = ticket.organization_id and team.name = changes ->> 'team'
          )
          else ticket.team_id
        end,
        assignee_id = case
          when changes ? 'assignee' then (
            select assignee.id
            from app_public.users as assignee
            where assignee.organization_id = ticket.organization_id and assignee.email = (changes ->> 'assignee')::public.citext
          )
          else ticket.assignee_id
        end,
        -- First said, then set, also to those who sort by time.
        updated_at = happening.happened_at + interval '1 millisecond'
      where ticket.organization_id = happening.organization_id and ticket.id = told_ticket_id;
    end if;
  end loop;

  for told_organization_slug in select demo_stories.organization_slug from pg_temp.demo_stories loop
    perform set_config('atum.organization_id', '', true), set_config('atum.user_id', '', true);

    select organization.id into strict told_organization_id
    from app_public.organizations as organization
    where organization.slug = told_organization_slug;

    perform set_config('atum.organization_id', told_organization_id::text, true);
    -- What is overdue is seen to be at the first look and not when the worker has got round to it.
    perform app_private.record_sla_breaches();
  end loop;

  perform set_config('atum.organization_id', '', true), set_config('atum.user_id', '', true);
end
$demo$;

-- What Acme's agents noted about their tickets beside the conversation.
do $demo$
declare
  acme_id uuid;
  agent_id uuid;
  manager_id uuid;
  outage app_public.tickets;
  reset app_public.tickets;
  same_reset app_public.tickets;
begin
  select id into acme_id from app_public.organizations where slug = 'acme';
  if not exists (select from app_public.tickets where organization_id = acme_id) then
    return;
  end if;
  perform set_config('atum.organization_id', acme_id::text, true);
  select id into strict agent_id from app_public.users where organization_id = acme_id and email = 'agent@acme.example';
  select id into strict manager_id from app_public.users where organization_id = acme_id and email = 'manager@acme.example';
  select * into strict outage from app_public.tickets where organization_id = acme_id and subject like 'Label API 502%';
  select * into strict reset from app_public.tickets where organization_id = acme_id and subject = 'Password reset mail never arrives';
  select * into strict same_reset from app_public.tickets where organization_id = acme_id and subject = 'No reset mail for the order portal';

  -- Two of Tidewater ask the same. A merge by nobody, and then put into the name of whoever did it: the owner is no agent.
  perform set_config('atum.user_id', '', true);
  perform app_public.merge_ticket(same_reset.id, reset.id);
  update app_public.ticket_merges set merged_by_id = agent_id where organization_id = acme_id;
  update app_public.ticket_events
  set actor_id = agent_id
  where organization_id = acme_id and ticket_id in (reset.id, same_reset.id) and created_at = now() and actor_id is null;

  perform set_config('atum.user_id', manager_id::text, true);
  perform app_private.add_watcher(outage, manager_id);

  perform set_config('atum.user_id', agent_id::text, true);
  insert into app_public.ticket_relationships (organization_id, ticket_id, kind, other_ticket_id, created_by_id)
  select acme_id, ticket.id, noted.kind::app_public.ticket_relationship_kind, outage.id, agent_id
  from (
    values
      ('Tracking numbers are not written back to the orders', 'child_of'),
      ('Shipping label API returns 502 for all international parcels', 'relates_to')
  ) as noted (subject, kind)
  join app_public.tickets as ticket on ticket.organization_id = acme_id and ticket.subject = noted.subject;

  update app_public.tickets
  set snoozed_until = now() + interval '3 days'
  where organization_id = acme_id and subject = 'Docking station and second monitor for the planning office';

  -- New tickets about printers find their agent by themselves.
  update app_public.teams set assignment_method = 'round_robin' where organization_id = acme_id and name = 'Infrastructure';
  update app_public.users set skills = '{printers,vpn}' where organization_id = acme_id and email = 'lukas.novak@acme.example';
  update app_public.services set required_skills = '{printers}' where organization_id = acme_id and name = 'Printing and label printers';

  perform set_config('atum.organization_id', '', true), set_config('atum.user_id', '', true);
end
$demo$;

-- Nobody is mailed about stories of long ago. What staff would have been told in the last days stands there, and the older
-- of it was read.
delete from app_private.announcement_queue;

insert into app_public.notifications (organization_id, user_id, kind, reasons, event_id, ticket_id, facts, read_at, created_at)
select
  event.organization_id, concerned.user_id, event.kind, concerned.reasons, event.id, event.ticket_id, event.facts,
  case when event.created_at < now() - interval '1 day' then event.created_at + interval '20 minutes' end, event.created_at
from (
  select
    happened.*, app_private.notification_kind_of(happened) as kind,
    app_private.notification_facts(happened, ticket, comment.body) as facts, happened as event, ticket as ticket
  from app_public.ticket_events as happened
  join app_public.tickets as ticket on ticket.organization_id = happened.organization_id and ticket.id = happened.ticket_id
  left join app_public.comments as comment on comment.organization_id = happened.organization_id and comment.id = happened.comment_id
  where happened.created_at between now() - interval '7 days' and now()
) as event
cross join lateral (
  select who.user_id, array_agg(distinct who.reason) as reasons
  from app_private.people_concerned(event.event, event.ticket) as who
  join app_public.users as person on person.organization_id = event.organization_id and person.id = who.user_id and person.role <> 'customer'
  where who.user_id is distinct from event.actor_id
  group by who.user_id
) as concerned
where event.kind is not null
order by event.created_at, event.id;

-- Automations come when the stories are told: they answer what happens from now on. The second shows how time is spoken
-- of, and waits to be switched on.
insert into app_public.automations (organization_id, name, kind, position, is_enabled, event_types, actors, conditions, actions)
select organization.id, automation.*
from app_public.organizations as organization
cross join (
  values
    (
      'Urgent from a customer', 'event'::app_public.automation_kind, 1, true,
      '{ticket_created}'::app_public.ticket_event_type[], '{customer}'::app_public.automation_actor[],
      '{"all": [{"field": "priority", "operator": "is", "value": "urgent"}]}'::jsonb,
      '[{"type": "add_tags", "tags": ["urgent call"]}, {"type": "notify", "to": "managers", "text": "{{requester.name}} waits urgently: {{ticket.subject}}"}]'::jsonb
    ),
    (
      'Remind us of what waits', 'time', 2, false, '{}', '{}',
      '{"all": [{"field": "status", "operator": "is", "value": "pending"}, {"field": "last_comment_at", "operator": "older_than", "value": 259200}]}',
      '[{"type": "comment", "visibility": "internal", "body": "No word for three days. Is {{requester.first_name}} still waiting for us?"}]'
    )
) as automation
where exists (select from pg_temp.demo_stories as told where told.organization_slug = organization.slug);
