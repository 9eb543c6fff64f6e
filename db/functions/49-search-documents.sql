-- What search reads is kept in the transaction that changes it, so that a search finds what was just written.

create or replace function app_hidden.search_language(organization_id uuid default app_hidden.current_organization_id()) returns regconfig
  language sql stable security definer
  set search_path = ''
as $$
  select case split_part(organization.locale, '-', 1)
    when 'ar' then 'app_hidden.arabic'
    when 'da' then 'app_hidden.danish'
    when 'nl' then 'app_hidden.dutch'
    when 'en' then 'app_hidden.english'
    when 'fi' then 'app_hidden.finnish'
    when 'fr' then 'app_hidden.french'
    when 'de' then 'app_hidden.german'
    when 'hu' then 'app_hidden.hungarian'
    when 'it' then 'app_hidden.italian'
    when 'nb' then 'app_hidden.norwegian'
    when 'nn' then 'app_hidden.norwegian'
    when 'no' then 'app_hidden.norwegian'
    when 'pt' then 'app_hidden.portuguese'
    when 'ro' then 'app_hidden.romanian'
    when 'ru' then 'app_hidden.russian'
    when 'es' then 'app_hidden.spanish'
    when 'sv' then 'app_hidden.swedish'
    when 'tr' then 'app_hidden.turkish'
    else 'app_hidden.simple'
  end::regconfig
  from app_public.organizations as organization
  where organization.id = search_language.organization_id
$$;

comment on function app_hidden.search_language(uuid) is 'The language in which an organization''s words are indexed and searched: that of its locale, else none in particular.';

-- One index serves all organizations. These words, that no text can contain, narrow a search to one of them and to its
-- newest tickets, and the index goes from the rarest word of a search, so that nobody waits for the size of somebody else.
create or replace function app_hidden.organization_word(organization_id uuid) returns text
  language sql immutable parallel safe
  return 'o:' || organization_id;

create or replace function app_hidden.block_words(organization_id uuid, number integer) returns text[]
  language sql immutable parallel safe
  return array['s:' || number / 2048 || ':' || organization_id, 'l:' || number / 32768 || ':' || organization_id];

create or replace function app_hidden.tag_word(tag text) returns text
  language sql immutable parallel safe
  return 't:' || tag;

comment on function app_hidden.organization_word(uuid) is 'The word in every document of an organization.';
comment on function app_hidden.block_words(uuid, integer) is 'The words of the small and the large block of numbers a ticket is in.';
comment on function app_hidden.tag_word(text) is 'The word in every document that has a tag.';

create or replace function app_private.ticket_words(ticket app_public.tickets, language regconfig) returns tsvector
  language sql stable
  set search_path = ''
as $$
  select
    array_to_tsvector(
      app_hidden.organization_word(ticket.organization_id)
        || app_hidden.block_words(ticket.organization_id, ticket.number)
        || array(select app_hidden.tag_word(tag) from unnest(ticket.tags) as tag)
    )
    || setweight(to_tsvector(language, ticket.subject), 'A')
    || setweight(jsonb_to_tsvector(language, ticket.custom_fields, '["string", "numeric"]'), 'A')
    || setweight(
      to_tsvector(
        language,
        (
          select concat_ws(' ', requester.name, requester.email, translate(requester.email::text, '@.', '  '))
          from app_public.users as requester
          where requester.organization_id = ticket.organization_id and requester.id = ticket.requester_id
        ) || ' ' || array_to_string(ticket.tags, ' ')
      ),
      'C'
    )
    || setweight(jsonb_to_tsvector(language, ticket.internal_fields, '["string", "numeric"]'), 'C')
$$;

comment on function app_private.ticket_words(app_public.tickets, regconfig) is 'The words of a ticket itself, without its conversation.';

-- To build a document anew: for what moved, and for what was there before.
create or replace function app_private.index_tickets(organization_id uuid, ticket_ids uuid[]) returns void
  language sql volatile
  set search_path = ''
as $$
  delete from app_hidden.ticket_documents as document
  where document.organization_id = index_tickets.organization_id and document.ticket_id = any (index_tickets.ticket_ids);

  insert into app_hidden.ticket_documents (organization_id, ticket_id, page, words)
  select
    ticket.organization_id, ticket.id, coalesce(said.page, 0),
    app_private.ticket_words(ticket, language.name)
      || setweight(to_tsvector(language.name, coalesce(said.in_public, '')), 'B')
      || setweight(to_tsvector(language.name, coalesce(said.internally, '')), 'D')
  from app_public.tickets as ticket
  cross join (select app_hidden.search_language(index_tickets.organization_id) as name) as language
  left join lateral (
    select
      paged.page,
      string_agg(paged.body, E'\n') filter (where paged.visibility = 'public') as in_public,
      string_agg(paged.body, E'\n') filter (where paged.visibility = 'internal') as internally
    from (
      select
        comment.body, comment.visibility,
        (sum(length(comment.body)) over (order by comment.created_at, comment.id) - length(comment.body)) / 20000 as page
      from app_public.comments as comment
      where comment.organization_id = ticket.organization_id and comment.ticket_id = ticket.id
    ) as paged
    group by paged.page
  ) as said on true
  where ticket.organization_id = index_tickets.organization_id and ticket.id = any (index_tickets.ticket_ids);
$$;

comment on function app_private.index_tickets(uuid, uuid[]) is 'Builds the documents of some tickets of an organization anew.';

create or replace function app_private.index_tickets_from(after_id uuid default null, requester_id uuid default null, up_to integer default 500) returns uuid
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  ticket_ids uuid[];
begin
  if caller_organization_id is null then
    raise exception using errcode = 'AD301', message = 'Tickets are indexed for one organization at a time';
  end if;

  select array_agg(next.id order by next.id) into ticket_ids
  from (
    select ticket.id
    from app_public.tickets as ticket
    where ticket.organization_id = caller_organization_id
      and (index_tickets_from.after_id is null or ticket.id > index_tickets_from.after_id)
      and (index_tickets_from.requester_id is null or ticket.requester_id = index_tickets_from.requester_id)
    order by ticket.id
    limit index_tickets_from.up_to
    -- Whoever comments meanwhile waits, and comes after.
    for no key update
  ) as next;
  perform app_private.index_tickets(caller_organization_id, ticket_ids);
  return case when cardinality(ticket_ids) = index_tickets_from.up_to then ticket_ids[cardinality(ticket_ids)] end;
end
$$;

comment on function app_private.index_tickets_from(uuid, uuid, integer) is 'Builds some documents of the current organization anew, those of one requester or all, and returns the ticket after which to go on, or null at the end. Error JOB_WITHOUT_ORGANIZATION without claims.';

create or replace function app_private.learn_words(organization_id uuid, text text) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_hidden.search_words (organization_id, word)
  select learn_words.organization_id, word
  from (
    select distinct word
    from regexp_split_to_table(lower(public.unaccent(learn_words.text)), '[^[:alpha:]]+') as word
    where length(word) between 3 and 40
  ) as said
  where not exists (
    select
    from app_hidden.search_words as known
    where known.organization_id = learn_words.organization_id and known.word = said.word collate "C"
  )
  order by word
  on conflict do nothing
$$;

comment on function app_private.learn_words(uuid, text) is 'Keeps the words of a text to complete and to mend searches by.';

create or replace function app_private.tg_tickets__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  said constant tsvector := app_private.ticket_words(NEW, app_hidden.search_language(NEW.organization_id));
begin
  if TG_OP = 'INSERT' then
    insert into app_hidden.ticket_documents (organization_id, ticket_id, words) values (NEW.organization_id, NEW.id, said);
    perform app_private.learn_words(
      NEW.organization_id,
      concat_ws(
        ' ', NEW.subject, array_to_string(NEW.tags, ' '),
        (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.requester_id)
      )
    );
  else
    -- The conversation has weights of its own, and is not read again.
    update app_hidden.ticket_documents as document
    set words = said || ts_filter(document.words, '{b,d}')
    where document.organization_id = NEW.organization_id and document.ticket_id = NEW.id;
    if NEW.subject <> OLD.subject or NEW.tags <> OLD.tags then
      perform app_private.learn_words(NEW.organization_id, NEW.subject || ' ' || array_to_string(NEW.tags, ' '));
    end if;
  end if;
  return null;
end
$$;

comment on function app_private.tg_tickets__index() is 'Keeps what a ticket says of itself in its documents.';

create or replace trigger _600_index after insert on app_public.tickets
  for each row execute function app_private.tg_tickets__index();

create or replace trigger _600_index_again
  after update of subject, tags, custom_fields, internal_fields, requester_id on app_public.tickets
  for each row
  when (
    (NEW.subject, NEW.tags, NEW.custom_fields, NEW.internal_fields, NEW.requester_id)
      is distinct from (OLD.subject, OLD.tags, OLD.custom_fields, OLD.internal_fields, OLD.requester_id)
  )
  execute function app_private.tg_tickets__index();

create or replace function app_private.tg_comments__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  language constant regconfig := app_hidden.search_language(NEW.organization_id);
  said constant tsvector := setweight(
    to_tsvector(language, NEW.body), (case NEW.visibility when 'public' then 'B' else 'D' end)::"char"
  );
begin
  -- Concurrent comments wait for each other at their ticket, so that pages are filled one after the other.
  update app_hidden.ticket_documents as document
  set words = document.words || said
  where document.organization_id = NEW.organization_id and document.ticket_id = NEW.ticket_id
    and document.page = (
      select max(last.page)
      from app_hidden.ticket_documents as last
      where last.organization_id = NEW.organization_id and last.ticket_id = NEW.ticket_id
    )
    -- A page that is full is left alone, so that the hundredth answer costs what the first did.
    and length(document.words) < 2000;
  if found then
    return null;
  end if;

  insert into app_hidden.ticket_documents (organization_id, ticket_id, page, words)
  select
    ticket.organization_id, ticket.id,
    coalesce(
      (
        select max(last.page) + 1
        from app_hidden.ticket_documents as last
        where last.organization_id = NEW.organization_id and last.ticket_id = NEW.ticket_id
      ),
      0
    ),
    app_private.ticket_words(ticket, language) || said
  from app_public.tickets as ticket
  where ticket.organization_id = NEW.organization_id and ticket.id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__index() is 'Adds what was said to the documents of its ticket.';

create or replace trigger _600_index after insert on app_public.comments
  for each row execute function app_private.tg_comments__index();

create or replace function app_private.tg_comments__index_moved() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  moved record;
begin
  for moved in
    select before.organization_id, array_agg(before.ticket_id) || array_agg(after.ticket_id) as ticket_ids
    from comments_before as before
    join comments_after as after on after.organization_id = before.organization_id and after.id = before.id
    where after.ticket_id <> before.ticket_id
    group by before.organization_id
  loop
    perform app_private.index_tickets(moved.organization_id, moved.ticket_ids);
  end loop;
  return null;
end
$$;

comment on function app_private.tg_comments__index_moved() is 'Builds the documents anew between which comments were moved.';

create or replace trigger _600_index_moved after update on app_public.comments
  referencing old table as comments_before new table as comments_after
  for each statement execute function app_private.tg_comments__index_moved();

create or replace function app_private.tg_users__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue(
    'index_tickets', NEW.organization_id, jsonb_build_object('requesterId', NEW.id), job_key => 'index_tickets:' || NEW.id
  );
  perform app_private.learn_words(NEW.organization_id, NEW.name);
  return null;
end
$$;

comment on function app_private.tg_users__index() is 'Has a job put the new name or address of a person into the documents of their tickets.';

create or replace trigger _900_index after update of name, email on app_public.users
  for each row when ((NEW.name, NEW.email) is distinct from (OLD.name, OLD.email)) execute function app_private.tg_users__index();

create or replace function app_private.tg_organizations__index() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.enqueue('index_tickets', NEW.id, '{}', job_key => 'index_tickets:' || NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__index() is 'Has a job index an organization''s tickets anew, when it speaks another language.';

create or replace trigger _900_index after update of locale on app_public.organizations
  for each row when (NEW.locale <> OLD.locale) execute function app_private.tg_organizations__index();

revoke all on function
  app_hidden.search_language(uuid), app_hidden.organization_word(uuid), app_hidden.block_words(uuid, integer), app_hidden.tag_word(text),
  app_private.ticket_words(app_public.tickets, regconfig), app_private.index_tickets(uuid, uuid[]),
  app_private.index_tickets_from(uuid, uuid, integer), app_private.learn_words(uuid, text),
  app_private.tg_tickets__index(), app_private.tg_comments__index(), app_private.tg_comments__index_moved(),
  app_private.tg_users__index(), app_private.tg_organizations__index()
from public;

grant execute on function
  app_hidden.search_language(uuid), app_hidden.organization_word(uuid), app_hidden.block_words(uuid, integer), app_hidden.tag_word(text)
to atum_customer, atum_agent;
grant execute on function app_private.index_tickets_from(uuid, uuid, integer) to atum_worker;
