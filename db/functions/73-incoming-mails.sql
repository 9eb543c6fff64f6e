-- Mails that came in: each is stored once, decided once, in one transaction with everything that follows from it.

create or replace function app_private.receive_mail(incoming_mail_id uuid, facts jsonb) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  return null;
end
$$;

comment on function app_private.receive_mail(uuid, jsonb) is 'Decides what becomes of a mail, and writes it: a comment, a ticket, or nothing, with the reason.';

revoke all on function app_private.receive_mail(uuid, jsonb) from public;

grant execute on function app_private.receive_mail(uuid, jsonb) to atum_worker;
