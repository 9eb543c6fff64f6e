-- What a job has begun with somebody outside is claimed, so that nobody does it at the same time. The claim of a worker
-- that died ends with it.
alter table app_public.mail_messages add column claimed_by text check (length(claimed_by) <= 200);
alter table app_public.webhook_deliveries add column claimed_by text check (length(claimed_by) <= 200);

create index mail_messages_organization_id_claimed_by_idx on app_public.mail_messages (organization_id, claimed_by) where claimed_by is not null;
create index webhook_deliveries_organization_id_claimed_by_idx on app_public.webhook_deliveries (organization_id, claimed_by) where claimed_by is not null;

comment on column app_public.mail_messages.claimed_by is 'The worker that is sending it, or did last, by the name under which it locks jobs.';
comment on column app_public.webhook_deliveries.claimed_by is 'The worker that is calling, or did last, by the name under which it locks jobs.';
