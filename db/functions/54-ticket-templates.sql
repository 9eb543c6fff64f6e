create or replace function app_public.create_ticket_template(
  name text,
  subject text default null,
  body text default null,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  tags text[] default '{}',
  custom_fields jsonb default '{}',
  checklist text[] default '{}',
  seen_by_customers boolean default false
) returns app_public.ticket_templates
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.ticket_templates
    (organization_id, name, subject, body, priority, service_id, tags, custom_fields, checklist, seen_by_customers, position)
  select
    app_hidden.current_organization_id(), btrim(create_ticket_template.name), create_ticket_template.subject,
    create_ticket_template.body, coalesce(create_ticket_template.priority, 'normal'), create_ticket_template.service_id,
    coalesce(create_ticket_template.tags, '{}'), coalesce(create_ticket_template.custom_fields, '{}'),
    coalesce(create_ticket_template.checklist, '{}'), coalesce(create_ticket_template.seen_by_customers, false),
    1 + coalesce((
      select max(template.position) from app_public.ticket_templates as template
      where template.organization_id = app_hidden.current_organization_id()
    ), 0)
  returning *
$$;

comment on function app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean) is
  'Makes a template and returns it. Managers and admins. Errors: CONFLICT for a name that is taken, NOT_FOUND for a service that is not there, INVALID_INPUT.';

create or replace function app_private.tg_ticket_templates__tidy() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  NEW.tags := app_private.tidy_tags(NEW.tags);
  NEW.checklist := array(select btrim(step) from unnest(NEW.checklist) with ordinality as listed (step, number) order by number);
  if exists (select from unnest(NEW.checklist) as step where step = '' or length(step) > 500) then
    raise exception using errcode = '23514', message = 'A step has 1 to 500 characters';
  end if;
  if exists (select from unnest(NEW.tags) as tag where tag = '' or length(tag) > 40 or tag ~ '[,"]') then
    raise exception using errcode = '23514', message = 'A tag has 1 to 40 characters, without commas and quotes';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_ticket_templates__tidy() is 'Writes the tags and steps of a template as a ticket would have them.';

create or replace trigger _200_tidy before insert or update of tags, checklist on app_public.ticket_templates
  for each row execute function app_private.tg_ticket_templates__tidy();

create or replace trigger _100_stamp_updated_at before update on app_public.ticket_templates
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_public.create_ticket_from_template(
  template_id uuid,
  subject text default null,
  body text default null,
  requester_id uuid default null,
  custom_fields jsonb default '{}',
  client_mutation_key text default null,
  attachment_ids uuid[] default '{}'
) returns app_public.tickets
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  template app_public.ticket_templates;
begin
  select * into template
  from app_public.ticket_templates as chosen
  where chosen.organization_id = app_hidden.current_organization_id() and chosen.id = create_ticket_from_template.template_id
    and chosen.archived_at is null and (chosen.seen_by_customers or app_hidden.is_staff());
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such template';
  end if;

  return app_private.as_seen_by_caller(app_private.open_ticket(
    coalesce(nullif(btrim(create_ticket_from_template.subject), ''), template.subject),
    coalesce(nullif(btrim(create_ticket_from_template.body), ''), template.body),
    template.priority, template.service_id, create_ticket_from_template.requester_id,
    create_ticket_from_template.custom_fields, '{}', create_ticket_from_template.client_mutation_key,
    create_ticket_from_template.attachment_ids, template
  ));
end
$$;

comment on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[]) is
  'Opens a ticket as a template says and returns it; a `subject`, `body` or `customFields` given take the place of the template''s. `attachmentIds` are the row ids of files that you uploaded for it. Customers use the templates that are for them. Errors: NOT_FOUND, and those of `createTicket`.';

revoke all on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean),
  app_private.tg_ticket_templates__tidy(), app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[])
from public;

grant execute on function
  app_public.create_ticket_template(text, text, text, app_public.ticket_priority, uuid, text[], jsonb, text[], boolean)
to atum_manager;
grant execute on function app_public.create_ticket_from_template(uuid, text, text, uuid, jsonb, text, uuid[]) to atum_customer, atum_agent;
