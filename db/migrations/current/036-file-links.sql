create table app_private.file_tokens (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  token_hash bytea not null,
  attachment_id uuid not null,
  recipient_id uuid not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, token_hash),
  foreign key (organization_id, attachment_id) references app_public.attachments on delete cascade,
  foreign key (organization_id, recipient_id) references app_public.users on delete cascade
);

-- Whoever follows a link names no organization.
create index file_tokens_token_hash_idx on app_private.file_tokens (token_hash);
create index file_tokens_organization_id_attachment_id_idx on app_private.file_tokens (organization_id, attachment_id);
create index file_tokens_organization_id_recipient_id_idx on app_private.file_tokens (organization_id, recipient_id);
create index file_tokens_organization_id_expires_at_idx on app_private.file_tokens (organization_id, expires_at);

comment on table app_private.file_tokens is 'The links to files that mails carry. The token is in the mail alone; here is its hash.';
comment on column app_private.file_tokens.organization_id is 'The organization it belongs to.';
comment on column app_private.file_tokens.id is 'Row id.';
comment on column app_private.file_tokens.token_hash is 'SHA-256 of the token.';
comment on column app_private.file_tokens.attachment_id is 'The file.';
comment on column app_private.file_tokens.recipient_id is 'Whom it was sent to: it is good for as long as that person may see the file.';
comment on column app_private.file_tokens.expires_at is 'Until when it is good.';
comment on column app_private.file_tokens.created_at is 'When the mail was sent.';
