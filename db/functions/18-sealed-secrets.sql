-- For the rotation of the encryption key: what the server encrypted is handed out and taken back encrypted.

create or replace function app_private.reencrypt_list()
  returns table (table_name text, organization_id uuid, row_id uuid, secret text)
  language sql stable
  set search_path = ''
as $$
  select 'app_private.authenticators', authenticator.organization_id, authenticator.user_id, authenticator.sealed
  from app_private.authenticators as authenticator
  union all
  select 'app_private.identity_provider_secrets', provider.organization_id, provider.provider_id, provider.sealed
  from app_private.identity_provider_secrets as provider
  union all
  select 'app_private.mailbox_secrets', mailbox.organization_id, mailbox.mailbox_id, mailbox.sealed
  from app_private.mailbox_secrets as mailbox
  union all
  select 'app_private.sessions', session.organization_id, session.id, session.id_token
  from app_private.sessions as session
  where session.id_token is not null and session.revoked_at is null
  union all
  select 'app_private.webhook_secrets', secret.organization_id, secret.webhook_id, secret.sealed
  from app_private.webhook_secrets as secret
$$;

comment on function app_private.reencrypt_list() is 'Everything that is encrypted with a key of the server. Run by the owner.';

create or replace function app_private.reencrypt(table_name text, organization_id uuid, row_id uuid, before text, after text)
  returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
begin
  case reencrypt.table_name
    when 'app_private.authenticators' then
      update app_private.authenticators as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.user_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.identity_provider_secrets' then
      update app_private.identity_provider_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.provider_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.mailbox_secrets' then
      update app_private.mailbox_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.mailbox_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.sessions' then
      update app_private.sessions as stored set id_token = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.id = reencrypt.row_id and stored.id_token = reencrypt.before;
    when 'app_private.webhook_secrets' then
      -- A webhook may have several: what was sealed tells them apart.
      update app_private.webhook_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.webhook_id = reencrypt.row_id and stored.sealed = reencrypt.before;
  end case;
  return found;
end
$$;

comment on function app_private.reencrypt(text, uuid, uuid, text, text) is 'Stores a secret encrypted anew; false when somebody changed it meanwhile. Run by the owner.';

revoke all on function app_private.reencrypt_list(), app_private.reencrypt(text, uuid, uuid, text, text) from public;
