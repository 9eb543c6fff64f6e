-- Time that is worked on tickets: what is recorded, corrected, measured by a timer, and summed up.

create or replace function app_private.local_day(at timestamptz) returns date
  language sql stable
  set search_path = ''
as $$
  select (local_day.at at time zone organization.time_zone)::date
  from app_public.organizations as organization
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_private.local_day(timestamptz) is 'The day that an instant is in, where the organization is.';

create or replace function app_private.refuse_future_day(day date) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  -- It may be tomorrow already where the agent is.
  if day > greatest(
    app_private.local_day(now()),
    (select (now() at time zone person.time_zone)::date from app_public.users as person
     where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id())
  ) then
    raise exception using errcode = 'AD220', message = 'Time is recorded when it was worked, not before';
  end if;
end
$$;

comment on function app_private.refuse_future_day(date) is 'Refuses a day to come, both where the organization is and where the caller is. Error TIME_IN_FUTURE.';

create or replace function app_private.time_activity_to_use(activity_id uuid) returns app_public.time_activities
  language plpgsql stable
  set search_path = ''
as $$
declare
  activity app_public.time_activities;
begin
  if time_activity_to_use.activity_id is null then
    return null;
  end if;
  select * into activity
  from app_public.time_activities as kind
  where kind.organization_id = app_hidden.current_organization_id() and kind.id = time_activity_to_use.activity_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such activity';
  end if;
  if activity.archived_at is not null then
    raise exception using errcode = 'AD222', message = 'No time is recorded for this activity any more';
  end if;
  return activity;
end
$$;

comment on function app_private.time_activity_to_use(uuid) is 'An activity that time may be recorded for; null for null. Errors: NOT_FOUND, TIME_ACTIVITY_ARCHIVED.';

create or replace function app_private.time_words(entry app_public.time_entries) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object('entry_id', entry.id, 'seconds', entry.seconds, 'is_billable', entry.is_billable, 'worked_on', entry.worked_on)
    || app_private.named_reference('agent', entry.agent_id, (
      select person.name from app_public.users as person
      where person.organization_id = entry.organization_id and person.id = entry.agent_id
    ))
    || app_private.named_reference('activity', entry.activity_id, (
      select activity.name from app_public.time_activities as activity
      where activity.organization_id = entry.organization_id and activity.id = entry.activity_id
    ))
$$;

comment on function app_private.time_words(app_public.time_entries) is 'A time entry as the event of its ticket keeps it.';

-- What is recorded

create or replace function app_public.record_time(
  ticket_id uuid,
  seconds integer,
  worked_on date default null,
  started_at timestamptz default null,
  activity_id uuid default null,
  is_billable boolean default null,
  note text default '',
  client_mutation_key text default null
) returns app_public.time_entries
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  ticket app_public.tickets;
  activity app_public.time_activities;
  made app_public.time_entries;
begin
  -- A retry is answered before anything is tried: no rule that came since refuses it.
  select * into made
  from app_public.time_entries as earlier
  where earlier.organization_id = caller_organization_id and earlier.agent_id = caller_id
    and earlier.client_mutation_key = record_time.client_mutation_key;
  if found then
    return made;
  end if;

  ticket := app_private.ticket_to_work_on(record_time.ticket_id);
  if ticket.merged_into_id is not null then
    raise exception using errcode = 'AD108', message = 'This ticket goes on in another one; record the time there';
  end if;
  if record_time.seconds is null or record_time.seconds not between 1 and 86400 then
    raise exception using errcode = 'AD221', message = 'An entry has at least one second and at most 24 hours';
  end if;
  if record_time.started_at + make_interval(secs => record_time.seconds) > now() then
    raise exception using errcode = 'AD220', message = 'Time is recorded when it was worked, not before';
  end if;
  perform app_private.refuse_future_day(record_time.worked_on);
  activity := app_private.time_activity_to_use(record_time.activity_id);

  insert into app_public.time_entries (
    organization_id, ticket_id, agent_id, activity_id, worked_on, seconds, started_at, ended_at, is_billable, note, client_mutation_key
  )
  values (
    caller_organization_id, ticket.id, caller_id, activity.id,
    coalesce(record_time.worked_on, app_private.local_day(coalesce(record_time.started_at, now()))), record_time.seconds,
    record_time.started_at, record_time.started_at + make_interval(secs => record_time.seconds),
    coalesce(record_time.is_billable, activity.is_billable, true), btrim(coalesce(record_time.note, '')), record_time.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, agent_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into made;

  if found then
    perform app_private.record_ticket_event(ticket, 'time_recorded', app_private.time_words(made));
  else
    select * into strict made
    from app_public.time_entries as earlier
    where earlier.organization_id = caller_organization_id and earlier.agent_id = caller_id
      and earlier.client_mutation_key = record_time.client_mutation_key;
  end if;
  return made;
end
$$;

comment on function app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text) is
  'Records time that the caller worked on a ticket, and returns the entry. `seconds` is from 1 to 86,400; `workedOn` is the day it counts for, without it the day of `startedAt`, else today, in the time zone of the organization. Without `isBillable` the activity says whether it is billable, else it is. Entries may overlap. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the entry the first call made. Staff only. Errors: NOT_FOUND, TICKET_MERGED, TIME_OUT_OF_RANGE, TIME_IN_FUTURE, TIME_ACTIVITY_ARCHIVED, INVALID_INPUT.';

create or replace function app_public.correct_time(
  entry_id uuid,
  reason text,
  seconds integer default null,
  worked_on date default null,
  activity_id uuid default null,
  is_billable boolean default null,
  note text default null,
  version integer default null
) returns app_public.time_entries
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  entry app_public.time_entries;
  corrected app_public.time_entries;
  activity app_public.time_activities;
  ticket app_public.tickets;
begin
  select * into entry
  from app_public.time_entries as found
  where found.organization_id = app_hidden.current_organization_id() and found.id = correct_time.entry_id
  for update;
  select * into ticket
  from app_public.tickets as worked
  where worked.organization_id = entry.organization_id and worked.id = entry.ticket_id;
  if entry.id is null or not (entry.agent_id = app_hidden.current_user_id() or app_hidden.sees_ticket(ticket)) then
    raise exception using errcode = 'AD101', message = 'There is no such time entry';
  end if;
  if entry.agent_id <> app_hidden.current_user_id() and app_hidden.acting_role() not in ('atum_manager', 'atum_admin') then
    raise exception using errcode = '42501', message = 'Only managers correct the time of others';
  end if;
  if entry.version <> correct_time.version then
    raise exception using errcode = 'AD106', message = 'Somebody else corrected this entry since you opened it; look at what it says now';
  end if;
  if correct_time.seconds not between 0 and 86400 then
    raise exception using errcode = 'AD221', message = 'An entry has at most 24 hours';
  end if;
  if correct_time.worked_on <> entry.worked_on then
    perform app_private.refuse_future_day(correct_time.worked_on);
  end if;
  -- What it has it may keep.
  if correct_time.activity_id is distinct from entry.activity_id then
    activity := app_private.time_activity_to_use(correct_time.activity_id);
  end if;

  corrected := entry;
  corrected.seconds := coalesce(correct_time.seconds, entry.seconds);
  corrected.worked_on := coalesce(correct_time.worked_on, entry.worked_on);
  corrected.activity_id := coalesce(activity.id, entry.activity_id);
  corrected.is_billable := coalesce(correct_time.is_billable, entry.is_billable);
  corrected.note := coalesce(btrim(correct_time.note), entry.note);
  if corrected is not distinct from entry then
    raise exception using errcode = 'AD223', message = 'The entry says that already';
  end if;

  insert into app_public.time_corrections (
    organization_id, entry_id, corrected_by_id, reason,
    previous_worked_on, previous_seconds, previous_activity_id, previous_is_billable, previous_note
  )
  values (
    entry.organization_id, entry.id, app_hidden.current_user_id(), btrim(correct_time.reason),
    entry.worked_on, entry.seconds, entry.activity_id, entry.is_billable, entry.note
  );
  update app_public.time_entries as found
  set seconds = corrected.seconds, worked_on = corrected.worked_on, activity_id = corrected.activity_id,
    is_billable = corrected.is_billable, note = corrected.note, version = entry.version + 1, updated_at = now()
  where found.organization_id = entry.organization_id and found.id = entry.id
  returning * into corrected;

  perform app_private.record_ticket_event(
    ticket, 'time_corrected',
    app_private.time_words(corrected) || jsonb_build_object('reason', btrim(correct_time.reason)), app_private.time_words(entry)
  );
  return corrected;
end
$$;

comment on function app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer) is
  'Corrects a time entry and returns it; what it said before is kept with the `reason`, of 1 to 500 characters. What is not given stays; `seconds` 0 takes the entry back. Everybody corrects the own entries, managers and admins those of all. With the `version` you saw, a correction that crosses with another is refused. Staff only. Errors: NOT_FOUND, FORBIDDEN, VERSION_CONFLICT, TIME_OUT_OF_RANGE, TIME_IN_FUTURE, TIME_ACTIVITY_ARCHIVED, TIME_UNCHANGED, INVALID_INPUT.';

-- Activities

create or replace function app_public.create_time_activity(name text, is_billable boolean default true) returns app_public.time_activities
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.time_activities (organization_id, name, is_billable)
  values (app_hidden.current_organization_id(), btrim(create_time_activity.name), coalesce(create_time_activity.is_billable, true))
  returning *
$$;

comment on function app_public.create_time_activity(text, boolean) is
  'Adds a kind of work that time is recorded for, and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace trigger _100_stamp_updated_at before update on app_public.time_activities
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.local_day(timestamptz), app_private.refuse_future_day(date), app_private.time_activity_to_use(uuid),
  app_private.time_words(app_public.time_entries), app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text),
  app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer), app_public.create_time_activity(text, boolean)
from public;

grant execute on function
  app_public.record_time(uuid, integer, date, timestamptz, uuid, boolean, text, text),
  app_public.correct_time(uuid, text, integer, date, uuid, boolean, text, integer)
to atum_agent;
grant execute on function app_public.create_time_activity(text, boolean) to atum_admin;
