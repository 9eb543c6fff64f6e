-- Tables, types, indexes, constraints of the next change.

-- Mails leave from the address of a mailbox: it is one organization's among all of an installation. Where two have it by
-- now this stops, and whoever runs the installation says whose it is.
create unique index if not exists mailboxes_address_key on app_public.mailboxes (address) where archived_at is null;
drop index if exists app_public.mailboxes_organization_id_address_key;
comment on column app_public.mailboxes.address is 'The mail address people write to and answers come from, unique among those in use in the whole installation.';
