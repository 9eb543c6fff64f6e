-- Links to files in mails. They open without a login, for a while, and only what their recipient may see at that moment.

create or replace function app_private.readable_by_link(file app_public.attachments, recipient_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.comments as said
    join app_public.tickets as ticket on ticket.organization_id = said.organization_id and ticket.id = said.ticket_id
    join app_public.users as recipient
      on recipient.organization_id = said.organization_id and recipient.id = readable_by_link.recipient_id
    where said.organization_id = file.organization_id and said.id = file.comment_id and said.ticket_id = file.ticket_id
      and (said.visibility = 'public' or recipient.role <> 'customer')
      and app_private.may_see_ticket(recipient.id, ticket)
  )
$$;

comment on function app_private.readable_by_link(app_public.attachments, uuid) is 'Whether a person may read a file: who sees the comment it is on.';

create or replace function app_private.issue_file_token(attachment_id uuid, recipient_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
  file app_public.attachments;
begin
  select * into file
  from app_public.attachments as attached
  where attached.organization_id = app_hidden.current_organization_id() and attached.id = issue_file_token.attachment_id;
  if not found or not app_private.readable_by_link(file, issue_file_token.recipient_id) then
    return null;
  end if;

  delete from app_private.file_tokens as old
  where old.organization_id = file.organization_id and old.expires_at < now();

  insert into app_private.file_tokens (organization_id, token_hash, attachment_id, recipient_id, expires_at)
  values (
    file.organization_id, app_private.token_hash(token), file.id, issue_file_token.recipient_id, now() + interval '14 days'
  );
  return token;
end
$$;

comment on function app_private.issue_file_token(uuid, uuid) is
  'Makes the token of a link to a file, `/files/<token>`, for a person of the current organization, good for 14 days; null when that person may not see the file.';

create or replace function app_private.file_of_token(token text, address inet)
  returns table (organization_id uuid, sha256 text, name text, size bigint, content_type text, state app_public.file_state)
  language sql stable security definer
  set search_path = ''
as $$
  select file.organization_id, file.sha256, file.name, file.size, file.content_type, file.state
  from app_private.file_tokens as link
  join app_public.organizations as organization on organization.id = link.organization_id
  join app_public.users as recipient on recipient.organization_id = link.organization_id and recipient.id = link.recipient_id
  join app_public.attachments as file on file.organization_id = link.organization_id and file.id = link.attachment_id
  where link.token_hash = app_private.token_hash(file_of_token.token) and link.expires_at > now()
    and organization.suspended_at is null
    and app_private.ip_allowed(link.organization_id, recipient.role, file_of_token.address)
    and app_private.readable_by_link(file, link.recipient_id)
$$;

comment on function app_private.file_of_token(text, inet) is
  'The file that a link leads to, asked from an address; nothing when the link is unknown or expired, or its recipient may not see the file any more.';

revoke all on function
  app_private.readable_by_link(app_public.attachments, uuid), app_private.issue_file_token(uuid, uuid),
  app_private.file_of_token(text, inet)
from public;

grant execute on function app_private.file_of_token(text, inet) to atum_server;
