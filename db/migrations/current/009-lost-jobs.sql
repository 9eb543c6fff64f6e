-- A job belongs to whoever locked it. That of a worker which died is taken up by another.
drop function app_private.record_heartbeat(text, timestamptz);

alter table app_private.worker_heartbeats
  add column lock_names text[] not null default '{}' check (cardinality(lock_names) <= 1000 and array_position(lock_names, null) is null);

comment on column app_private.worker_heartbeats.lock_names is 'The names under which it locks jobs.';
