-- The queue belongs to the worker, whose login owns nothing: its tables have row-level security and no policies of
-- their own, so grants alone are not enough. Repeated with every upgrade of the queue that adds a table.
do $$
declare
  queue_table record;
begin
  for queue_table in
    select class.oid::regclass as name
    from pg_catalog.pg_class as class
    where class.relnamespace = 'graphile_worker'::regnamespace and class.relkind in ('r', 'p')
  loop
    execute format('drop policy if exists all_worker on %s', queue_table.name);
    execute format('create policy all_worker on %s to atum_worker using (true) with check (true)', queue_table.name);
    execute format('grant select, insert, update, delete on %s to atum_worker', queue_table.name);
  end loop;
end
$$;

grant usage on schema graphile_worker to atum_worker;
grant usage, select on all sequences in schema graphile_worker to atum_worker;
grant execute on all functions in schema graphile_worker to atum_worker;
