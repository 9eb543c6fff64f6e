-- What was begun by a worker that died is begun again.

create or replace function app_private.release_claims(names text[]) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.mail_messages as mail
  set claimed_until = now()
  where mail.claimed_by = any (names) and mail.claimed_until > now();

  update app_public.webhook_deliveries as delivery
  set claimed_until = now()
  where delivery.claimed_by = any (names) and delivery.claimed_until > now();
$$;

comment on function app_private.release_claims(text[]) is
  'Ends what workers of these names had claimed: mails they were sending and webhooks they were calling. Whatever of it was done is done once more.';

revoke all on function app_private.release_claims(text[]) from public;
