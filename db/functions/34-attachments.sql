-- Files: they come into quarantine, are looked into, and go with a comment.

create or replace function app_private.tg_organizations__found_attachments() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.attachment_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_attachments() is 'Gives a new organization its settings of attachments.';

create or replace trigger _500_found_attachments after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_attachments();

create or replace trigger _100_stamp_updated_at before update on app_public.attachment_settings
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function app_private.tg_organizations__found_attachments() from public;
