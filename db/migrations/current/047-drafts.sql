-- What somebody is writing, and what was sent and can still be taken back.

create table app_public.ticket_drafts (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  author_id uuid not null,
  visibility app_public.comment_visibility not null default 'public',
  -- More than may be saved: replies that come back are put before what was written meanwhile.
  body text not null check (octet_length(body) <= 1048576),
  status app_public.ticket_status,
  state_id uuid,
  mentioned_user_ids uuid[] not null default '{}' check (cardinality(mentioned_user_ids) <= 50),
  seen_comment_at timestamptz,
  version integer not null default 1,
  refused_code text check (refused_code ~ '^[0-9A-Z]{5}$'),
  refused_message text,
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, author_id, ticket_id, visibility),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, author_id) references app_public.users on delete cascade,
  foreign key (organization_id, state_id) references app_public.ticket_states on delete set null (state_id),
  check ((refused_code is null) = (refused_message is null))
)
-- Saved every few seconds: a new version of a row finds room beside the old one, and no index is touched.
with (fillfactor = 50);

create index ticket_drafts_organization_id_ticket_id_idx on app_public.ticket_drafts (organization_id, ticket_id);
create index ticket_drafts_organization_id_state_id_idx on app_public.ticket_drafts (organization_id, state_id)
  where state_id is not null;

comment on table app_public.ticket_drafts is 'What somebody is writing on a ticket: one reply and one note each. Nobody but its author sees a draft.';
comment on column app_public.ticket_drafts.organization_id is 'The organization it belongs to.';
comment on column app_public.ticket_drafts.id is 'Row id.';
comment on column app_public.ticket_drafts.ticket_id is 'The ticket it is about.';
comment on column app_public.ticket_drafts.author_id is 'Who writes it.';
comment on column app_public.ticket_drafts.visibility is 'Whether it becomes a reply or a note.';
comment on column app_public.ticket_drafts.body is 'What was written so far, up to 262,144 bytes, and more where replies were given back.';
comment on column app_public.ticket_drafts.status is 'The status that sending it is to set, or null.';
comment on column app_public.ticket_drafts.state_id is 'The stage that sending it is to set, or null.';
comment on column app_public.ticket_drafts.mentioned_user_ids is 'Whom it calls by name.';
comment on column app_public.ticket_drafts.seen_comment_at is 'The ticket''s `lastCommentAt` as its author saw it.';
comment on column app_public.ticket_drafts.version is 'Counts the saves. Send the number you saw with a save, and the save is refused with DRAFT_CONFLICT when another device saved since.';
comment on column app_public.ticket_drafts.refused_code is 'Why it came back after it was sent: the SQLSTATE of the refusal, as docs/ERROR_CODES.md lists them; null for one that was not sent.';
comment on column app_public.ticket_drafts.refused_message is 'Why it came back, in a sentence.';
comment on column app_public.ticket_drafts.updated_at is 'When it was last saved.';

create table app_public.outgoing_replies (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  ticket_id uuid not null,
  author_id uuid not null,
  body text not null check (body ~ '\S' and octet_length(body) <= 65536),
  status app_public.ticket_status,
  state_id uuid,
  mentioned_user_ids uuid[] not null default '{}' check (cardinality(mentioned_user_ids) <= 50),
  seen_comment_at timestamptz,
  client_mutation_key text check (length(client_mutation_key) between 8 and 64),
  send_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, ticket_id) references app_public.tickets on delete cascade,
  foreign key (organization_id, author_id) references app_public.users on delete cascade,
  foreign key (organization_id, state_id) references app_public.ticket_states on delete set null (state_id)
);

create unique index outgoing_replies_client_mutation_key_key
  on app_public.outgoing_replies (organization_id, author_id, client_mutation_key) where client_mutation_key is not null;
create index outgoing_replies_organization_id_ticket_id_idx on app_public.outgoing_replies (organization_id, ticket_id);
create index outgoing_replies_organization_id_author_id_idx on app_public.outgoing_replies (organization_id, author_id);
create index outgoing_replies_organization_id_state_id_idx on app_public.outgoing_replies (organization_id, state_id)
  where state_id is not null;
create index outgoing_replies_organization_id_send_at_idx on app_public.outgoing_replies (organization_id, send_at);

comment on table app_public.outgoing_replies is 'Replies that were sent and can still be taken back. Nobody but its author sees one; it goes when it becomes a comment or a draft again.';
comment on column app_public.outgoing_replies.organization_id is 'The organization it belongs to.';
comment on column app_public.outgoing_replies.id is 'Row id.';
comment on column app_public.outgoing_replies.ticket_id is 'The ticket it answers.';
comment on column app_public.outgoing_replies.author_id is 'Who sent it.';
comment on column app_public.outgoing_replies.body is 'What it says, 1 to 65,536 bytes.';
comment on column app_public.outgoing_replies.status is 'The status that it sets when it leaves, or null.';
comment on column app_public.outgoing_replies.state_id is 'The stage that it sets when it leaves, or null.';
comment on column app_public.outgoing_replies.mentioned_user_ids is 'Whom it calls by name.';
comment on column app_public.outgoing_replies.seen_comment_at is 'The ticket''s `lastCommentAt` as its author saw it.';
comment on column app_public.outgoing_replies.client_mutation_key is 'The key the client made; the same person using it twice sends one reply.';
comment on column app_public.outgoing_replies.send_at is 'When it leaves; until then it can be taken back.';
comment on column app_public.outgoing_replies.created_at is 'When it was sent.';
