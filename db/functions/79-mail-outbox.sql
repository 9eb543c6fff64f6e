-- What admins do with mails that were written.

create or replace function app_private.mail_to_decide(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
begin
  select * into mail
  from app_public.mail_messages as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = mail_to_decide.mail_id
  for update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such mail';
  end if;
  return mail;
end
$$;

comment on function app_private.mail_to_decide(uuid) is 'A mail of the caller''s organization, locked. Error NOT_FOUND.';

create or replace function app_private.send_again(mail app_public.mail_messages) returns app_public.mail_messages
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_public.mail_messages as again
  set state = 'waiting', sent_at = null, send_at = now(), give_up_at = now() + interval '1 day'
  where again.organization_id = mail.organization_id and again.id = mail.id
  returning * into mail;
  perform app_private.note_mail(mail, 'asked_again');
  perform app_private.enqueue_mail(mail.organization_id, mail.id);
  return mail;
end
$$;

comment on function app_private.send_again(app_public.mail_messages) is 'Has a mail sent now, and tried for another day.';

create or replace function app_public.outbox(state app_public.mail_state default null, recipient text default null)
  returns setof app_public.mail_messages
  language sql stable security definer
  set search_path = ''
as $$
  select mail.*
  from app_public.mail_messages as mail
  where mail.organization_id = app_hidden.current_organization_id()
    and (outbox.state is null or mail.state = outbox.state)
    and (
      nullif(btrim(outbox.recipient), '') is null
      or lower(coalesce(mail.to_name, '') || ' ' || mail.to_address)
        like '%' || replace(replace(replace(
          lower(btrim(left(outbox.recipient, 200))), chr(92), chr(92) || chr(92)), '%', chr(92) || '%'), '_', chr(92) || '_'
        ) || '%'
    )
  order by mail.created_at desc, mail.id desc
$$;

comment on function app_public.outbox(app_public.mail_state, text) is
  'The mails that were written, newest first: those in one state, and those to people in whose name or address `recipient` occurs, where given. Admins only.';

create or replace function app_public.retry_mail(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.mail_to_decide(mail_id);
begin
  if mail.state = 'sent' or mail.claimed_until > now() then
    raise exception using errcode = 'AD250', message = 'This mail was sent already, or is being sent now';
  end if;
  return app_private.send_again(mail);
end
$$;

comment on function app_public.retry_mail(uuid) is
  'Has a mail that was kept, given up, cancelled or came back, or that waits for its next attempt, sent now, and tried for another day. Returns it. Admins only. Errors: NOT_FOUND, MAIL_SENT_ALREADY.';

create or replace function app_public.send_kept_mails(written_after timestamptz default null) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  sent integer := 0;
begin
  for mail in
    select *
    from app_public.mail_messages as kept
    where kept.organization_id = app_hidden.current_organization_id() and kept.state = 'kept'
      and (written_after is null or kept.created_at > written_after)
    order by kept.created_at, kept.id
    limit 1000
    for update
  loop
    perform app_private.send_again(mail);
    sent := sent + 1;
  end loop;
  return sent;
end
$$;

comment on function app_public.send_kept_mails(timestamptz) is
  'Has all mails sent that were kept because there was no mail server, or those written after an instant, up to 1,000 at a time, and returns how many. Admins only.';

create or replace function app_public.cancel_mail(mail_id uuid) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages := app_private.mail_to_decide(mail_id);
begin
  if mail.state not in ('waiting', 'kept') or mail.claimed_until > now() then
    raise exception using errcode = 'AD251', message = 'This mail does not wait, or is being sent now';
  end if;
  update app_public.mail_messages as cancelled
  set state = 'cancelled'
  where cancelled.organization_id = mail.organization_id and cancelled.id = mail.id
  returning * into mail;
  perform app_private.note_mail(mail, 'cancelled');
  return mail;
end
$$;

comment on function app_public.cancel_mail(uuid) is
  'Keeps a mail that waits from being sent, and returns it. Admins only. Errors: NOT_FOUND, MAIL_NOT_WAITING.';

create or replace function app_public.send_test_mail(to_address text) returns app_public.mail_messages
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  reader app_public.users;
  written_id uuid;
  mail app_public.mail_messages;
begin
  select * into reader
  from app_public.users as caller
  where caller.organization_id = app_hidden.current_organization_id() and caller.id = app_hidden.current_user_id();
  if not found then
    raise exception using errcode = 'AD001', message = 'Log in to send a test';
  end if;
  -- To an address, and not to a person: whose it is says nothing of what they may read.
  reader.email := app_private.mail_address(to_address);
  written_id := app_private.write_mail('test', 'test:' || app_hidden.uuid_v7(), reader);
  select * into mail
  from app_public.mail_messages as written
  where written.organization_id = reader.organization_id and written.id = written_id;
  if not found then
    raise exception using errcode = '22023', message = 'This is no mail address';
  end if;
  return mail;
end
$$;

comment on function app_public.send_test_mail(text) is
  'Sends a mail to an address that shows how the mails of the organization look, and returns it; what becomes of it is seen in the outbox. Admins only. Error INVALID_INPUT for what is no address.';

revoke all on function
  app_private.mail_to_decide(uuid), app_private.send_again(app_public.mail_messages), app_public.outbox(app_public.mail_state, text),
  app_public.retry_mail(uuid), app_public.send_kept_mails(timestamptz), app_public.cancel_mail(uuid), app_public.send_test_mail(text)
from public;

grant execute on function
  app_public.outbox(app_public.mail_state, text), app_public.retry_mail(uuid), app_public.send_kept_mails(timestamptz),
  app_public.cancel_mail(uuid), app_public.send_test_mail(text)
to atum_admin;
