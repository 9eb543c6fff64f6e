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

create or replace function app_private.free_jobs_of(names text[]) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.release_claims(names);

  -- Another job has taken its key and its place. The queue never runs it again, and would keep it for ever.
  delete from graphile_worker._private_jobs as replaced
  where replaced.locked_by = any (names) and replaced.key is null
    and replaced.attempts >= replaced.max_attempts and replaced.last_error is null;

  select graphile_worker.force_unlock_workers(names);
$$;

comment on function app_private.free_jobs_of(text[]) is
  'Frees what workers of these names were at. One of the jobs may have been done: whatever a job does can be done twice.';

revoke all on function app_private.release_claims(text[]), app_private.free_jobs_of(text[]) from public;
