-- What search reads. Words are found in the language of the organization, with or without their accents.

do $$
declare
  language text;
begin
  foreach language in array array[
    'simple', 'arabic', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'hungarian', 'italian', 'norwegian',
    'portuguese', 'romanian', 'russian', 'spanish', 'swedish', 'turkish'
  ] loop
    execute format('create text search configuration app_hidden.%I (copy = pg_catalog.%I)', language, language);
    execute format(
      'alter text search configuration app_hidden.%I alter mapping for hword, hword_part, word with public.unaccent, pg_catalog.%I',
      language, case language when 'simple' then language else language || '_stem' end
    );
    execute format('comment on text search configuration app_hidden.%I is %L', language, 'Words without their accents: ' || language || '.');
  end loop;
end
$$;

create table app_hidden.ticket_documents (
  organization_id uuid not null,
  ticket_id uuid not null,
  page integer not null default 0,
  words tsvector not null,
  primary key (organization_id, ticket_id, page),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade
);

-- The list of what is pending is read by every search, so it stays short.
create index ticket_documents_words_idx on app_hidden.ticket_documents using gin (words) with (gin_pending_list_limit = 256);

comment on table app_hidden.ticket_documents is 'The words by which tickets are found, kept by triggers. A long conversation has several pages, each with what the ticket itself says.';
comment on column app_hidden.ticket_documents.organization_id is 'The organization of the ticket.';
comment on column app_hidden.ticket_documents.ticket_id is 'The ticket that is found.';
comment on column app_hidden.ticket_documents.page is 'The place among the pages of the ticket.';
comment on column app_hidden.ticket_documents.words is 'Weight A: subject and custom fields; B: public comments; C: requester, tags and internal fields; D: internal comments. Customers search A and B. Without weight: the organization, the blocks of numbers the ticket is in, and its tags.';

create table app_hidden.search_words (
  organization_id uuid not null references app_public.organizations on delete cascade,
  word text collate "C" not null check (length(word) between 3 and 40),
  primary key (organization_id, word)
);

create index search_words_similar_idx on app_hidden.search_words using gist (organization_id, word public.gist_trgm_ops);

comment on table app_hidden.search_words is 'The words of subjects, tags and names, by which a search completes its last word and mends misspelt ones.';
comment on column app_hidden.search_words.organization_id is 'The organization that uses the word.';
comment on column app_hidden.search_words.word is 'In lower case and without accents.';
