create or replace function app_private.tidy_tags(tags text[]) returns text[]
  language sql immutable
  set search_path = ''
as $$
  select coalesce(array_agg(tag order by tag), '{}')
  from (select distinct lower(btrim(regexp_replace(tag, '\s+', ' ', 'g'))) as tag from unnest(tidy_tags.tags) as tag) as tidy
$$;

comment on function app_private.tidy_tags(text[]) is 'Tags in lower case, each once, in alphabetical order.';

create or replace function app_private.tg_tickets__register_tags() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.tags (organization_id, name)
  select NEW.organization_id, tag
  from unnest(NEW.tags) as tag
  where not exists (select from app_public.tags where organization_id = NEW.organization_id and name = tag)
  on conflict do nothing;
  return null;
end
$$;

comment on function app_private.tg_tickets__register_tags() is 'Adds new tags to those there are to choose from.';

create or replace trigger _300_register_tags after insert or update of tags on app_public.tickets
  for each row when (NEW.tags <> '{}') execute function app_private.tg_tickets__register_tags();

revoke all on function app_private.tidy_tags(text[]), app_private.tg_tickets__register_tags() from public;
