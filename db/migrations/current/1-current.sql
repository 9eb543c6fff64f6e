-- Tables, types, indexes, constraints of the next change.

-- Mails leave from the address of a mailbox: it is one organization's among all of an installation. Where two have it by
-- now this stops, and whoever runs the installation says whose it is.
create unique index if not exists mailboxes_address_key on app_public.mailboxes (address) where archived_at is null;
drop index if exists app_public.mailboxes_organization_id_address_key;
comment on column app_public.mailboxes.address is 'The mail address people write to and answers come from, unique among those in use in the whole installation.';

create table if not exists app_private.upload_amounts (
  organization_id uuid not null,
  user_id uuid not null,
  hour timestamptz not null,
  bytes bigint not null check (bytes >= 0),
  primary key (organization_id, user_id, hour),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.upload_amounts is 'How much each person uploaded in an hour of the last day, whatever became of it.';
comment on column app_private.upload_amounts.organization_id is 'The organization it belongs to.';
comment on column app_private.upload_amounts.user_id is 'Who uploaded.';
comment on column app_private.upload_amounts.hour is 'When the hour began.';
comment on column app_private.upload_amounts.bytes is 'Bytes, each upload for itself, also of content that was there.';
