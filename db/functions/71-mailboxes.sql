-- Mailboxes: what they are, and what admins do with them. Who reads them is in 84-mailbox-fetching.sql, what came in by
-- them in 73-incoming-mails.sql.

create or replace function app_private.mailbox_of(ticket app_public.tickets) returns app_public.mailboxes
  language plpgsql stable
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  -- One that is not read any more is no place to answer to.
  select box.* into mailbox
  from app_public.incoming_mails as mail
  join app_public.mailboxes as box on box.organization_id = mail.organization_id and box.id = mail.mailbox_id
  where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.comment_id is not null and box.is_enabled
  order by mail.created_at, mail.id
  limit 1;
  if not found then
    select box.* into mailbox
    from app_public.mailboxes as box
    where box.organization_id = ticket.organization_id and box.is_default and box.is_enabled;
  end if;
  return mailbox;
end
$$;

comment on function app_private.mailbox_of(app_public.tickets) is 'The mailbox that mails about a ticket are from: the one it came by, else the default one; null where there is neither, or it is not read.';

create or replace function app_private.tg_mailboxes__keep_state() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.mailbox_states as state (organization_id, mailbox_id)
  values (NEW.organization_id, NEW.id)
  on conflict (organization_id, mailbox_id) do update
  set
    enabled_at = case when NEW.is_enabled and not OLD.is_enabled then now() else state.enabled_at end,
    -- What was wrong with another server, or before it was switched off, is not what is wrong now.
    failing_since = null, last_error = null, alerted_at = null,
    test_requested_at = null, tested_at = null, test_outcome = null, test_detail = null,
    -- Another folder or account counts for itself.
    uid_validity = case when (NEW.host, NEW.username, NEW.folder) is distinct from (OLD.host, OLD.username, OLD.folder) then null else state.uid_validity end,
    last_uid = case when (NEW.host, NEW.username, NEW.folder) is distinct from (OLD.host, OLD.username, OLD.folder) then null else state.last_uid end;
  return null;
end
$$;

comment on function app_private.tg_mailboxes__keep_state() is 'Gives a mailbox its state, and begins anew where it is another place from now on.';

create or replace trigger _500_found_state after insert on app_public.mailboxes
  for each row execute function app_private.tg_mailboxes__keep_state();

create or replace trigger _510_renew_state after update on app_public.mailboxes
  for each row
  when (
    (NEW.host, NEW.port, NEW.security, NEW.auth, NEW.username, NEW.folder, NEW.token_endpoint, NEW.client_id, NEW.is_enabled)
    is distinct from
    (OLD.host, OLD.port, OLD.security, OLD.auth, OLD.username, OLD.folder, OLD.token_endpoint, OLD.client_id, OLD.is_enabled)
  )
  execute function app_private.tg_mailboxes__keep_state();

create or replace trigger _100_stamp_updated_at before update on app_public.mailboxes
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_private.mailbox_of_organization(mailbox_id uuid) returns app_public.mailboxes
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  select * into mailbox
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = mailbox_of_organization.mailbox_id
    and box.archived_at is null
  for no key update;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such mailbox';
  end if;
  return mailbox;
end
$$;

comment on function app_private.mailbox_of_organization(uuid) is 'A mailbox in use of the caller''s organization, locked. Error NOT_FOUND.';

create or replace function app_public.save_mailbox(
  name text,
  address text,
  host text,
  username text,
  mailbox_id uuid default null,
  port integer default 993,
  security app_public.mailbox_security default 'tls',
  auth app_public.mailbox_auth default 'password',
  folder text default 'INBOX',
  processed_folder text default null,
  token_endpoint text default null,
  client_id text default null,
  scopes text default null,
  service_id uuid default null,
  team_id uuid default null,
  is_default boolean default false,
  is_enabled boolean default true,
  accepts_strangers boolean default true,
  accepts_lists boolean default false,
  max_mail_bytes bigint default 36700160,
  alarm_minutes integer default 15
) returns app_public.mailboxes
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  former app_public.mailboxes;
  saved app_public.mailboxes;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
begin
  perform app_private.subject_of_claims();

  -- Two who save at the same moment come one after the other, so that one is the default.
  perform pg_advisory_xact_lock(hashtextextended('mailboxes:' || caller_organization_id, 0));

  if save_mailbox.mailbox_id is not null then
    former := app_private.mailbox_of_organization(save_mailbox.mailbox_id);
  end if;
  if former.from_environment and (
    (former.address, former.host, former.port, former.security, former.auth, former.username)
    is distinct from (
      btrim(save_mailbox.address)::public.citext, btrim(save_mailbox.host), save_mailbox.port, save_mailbox.security, save_mailbox.auth,
      btrim(save_mailbox.username)
    )
  ) then
    raise exception using errcode = 'AD260', message = 'The environment of the worker says how this mailbox is reached; change it there';
  end if;

  -- Each holds a connection of the worker open, which reads for all organizations. What was put away holds none.
  if former.id is null and (
    select count(*)
    from app_public.mailboxes as box
    where box.organization_id = caller_organization_id and box.archived_at is null
  ) >= 50 then
    raise exception using errcode = 'AD262', message = 'An organization has at most 50 mailboxes';
  end if;

  -- The first one is the default, unless another was chosen.
  saved.is_default := save_mailbox.is_default or not exists (
    select from app_public.mailboxes as box
    where box.organization_id = caller_organization_id and box.is_default and box.id is distinct from save_mailbox.mailbox_id
  );
  if saved.is_default then
    update app_public.mailboxes as box
    set is_default = false
    where box.organization_id = caller_organization_id and box.is_default and box.id is distinct from save_mailbox.mailbox_id;
  end if;

  if former.id is null then
    insert into app_public.mailboxes (
      organization_id, name, address, host, port, security, auth, username, folder, processed_folder, token_endpoint, client_id, scopes,
      service_id, team_id, is_default, is_enabled, accepts_strangers, accepts_lists, max_mail_bytes, alarm_minutes
    )
    values (
      caller_organization_id, btrim(save_mailbox.name), btrim(save_mailbox.address), btrim(save_mailbox.host), save_mailbox.port,
      save_mailbox.security, save_mailbox.auth, btrim(save_mailbox.username), save_mailbox.folder, save_mailbox.processed_folder,
      save_mailbox.token_endpoint, save_mailbox.client_id, save_mailbox.scopes, save_mailbox.service_id, save_mailbox.team_id,
      saved.is_default, save_mailbox.is_enabled, save_mailbox.accepts_strangers, save_mailbox.accepts_lists,
      save_mailbox.max_mail_bytes, save_mailbox.alarm_minutes
    )
    returning * into saved;
    return saved;
  end if;

  -- A secret is for the server it was given for: where another is asked from now on, it is given anew.
  delete from app_private.mailbox_secrets as secret
  where secret.organization_id = caller_organization_id and secret.mailbox_id = former.id
    and (former.host, former.port, former.security, former.auth, former.username, former.token_endpoint, former.client_id)
      is distinct from (
        btrim(save_mailbox.host), save_mailbox.port, save_mailbox.security, save_mailbox.auth, btrim(save_mailbox.username),
        save_mailbox.token_endpoint, save_mailbox.client_id
      );

  update app_public.mailboxes as box
  set
    name = btrim(save_mailbox.name), address = btrim(save_mailbox.address), host = btrim(save_mailbox.host), port = save_mailbox.port,
    security = save_mailbox.security, auth = save_mailbox.auth, username = btrim(save_mailbox.username), folder = save_mailbox.folder,
    processed_folder = save_mailbox.processed_folder, token_endpoint = save_mailbox.token_endpoint, client_id = save_mailbox.client_id,
    scopes = save_mailbox.scopes, service_id = save_mailbox.service_id, team_id = save_mailbox.team_id, is_default = saved.is_default,
    is_enabled = save_mailbox.is_enabled, accepts_strangers = save_mailbox.accepts_strangers, accepts_lists = save_mailbox.accepts_lists,
    max_mail_bytes = save_mailbox.max_mail_bytes, alarm_minutes = save_mailbox.alarm_minutes
  where box.organization_id = caller_organization_id and box.id = former.id
  returning * into saved;
  return saved;
end
$$;

comment on function app_public.save_mailbox(
  text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid,
  boolean, boolean, boolean, boolean, bigint, integer
) is
  'Adds a mailbox, or with `mailboxId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/mailbox-secret`, and anew where another server or account is asked from now on. The first mailbox is the default one, and another becomes it by `isDefault`. Admins only. Errors: MAILBOX_FROM_ENVIRONMENT for the connection of one that the environment names, TOO_MANY_MAILBOXES beyond 50, INVALID_INPUT, CONFLICT for a name that another mailbox has, or an address that any mailbox of this installation has, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.archive_mailbox(mailbox_id uuid) returns app_public.mailboxes
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
begin
  perform app_private.subject_of_claims();
  mailbox := app_private.mailbox_of_organization(archive_mailbox.mailbox_id);
  if mailbox.from_environment then
    raise exception using errcode = 'AD260', message = 'The environment of the worker names this mailbox; take it out there';
  end if;

  update app_public.mailboxes as box
  set archived_at = now(), is_enabled = false, is_default = false
  where box.organization_id = mailbox.organization_id and box.id = mailbox.id
  returning * into mailbox;
  delete from app_private.mailbox_secrets as secret
  where secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id;
  return mailbox;
end
$$;

comment on function app_public.archive_mailbox(uuid) is
  'Puts a mailbox away and forgets its secret; what came by it stays, here and on its server. Admins only. Errors: NOT_FOUND, MAILBOX_FROM_ENVIRONMENT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.mailboxes_has_secret(mailbox app_public.mailboxes) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select mailbox.from_environment or exists (
    select
    from app_private.mailbox_secrets as secret
    where secret.organization_id = app_hidden.current_organization_id()
      and secret.organization_id = mailbox.organization_id and secret.mailbox_id = mailbox.id
  )
$$;

comment on function app_public.mailboxes_has_secret(app_public.mailboxes) is 'Whether a password or tokens are stored, or come from the environment. Admins only.';

create or replace function app_public.test_mailbox(mailbox_id uuid) returns app_public.mailbox_states
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mailbox app_public.mailboxes;
  state app_public.mailbox_states;
begin
  perform app_private.subject_of_claims();
  mailbox := app_private.mailbox_of_organization(test_mailbox.mailbox_id);

  update app_public.mailbox_states as tested
  set test_requested_at = clock_timestamp(), tested_at = null, test_outcome = null, test_detail = null
  where tested.organization_id = mailbox.organization_id and tested.mailbox_id = mailbox.id
  returning * into state;
  perform app_private.enqueue(
    'test_mailbox', mailbox.organization_id, jsonb_build_object('mailboxId', mailbox.id), job_key => 'test_mailbox:' || mailbox.id,
    max_attempts => 2,
    -- A server that does not answer holds up the other tests of its organization, and nobody else.
    queue_name => 'test_mailbox:' || mailbox.organization_id
  );
  return state;
end
$$;

comment on function app_public.test_mailbox(uuid) is
  'Has the worker connect to a mailbox, log in and open its folder, and returns the state that its findings will be in: `testedAt` is null until then. Nothing is fetched. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.set_mailbox_secret(mailbox_id uuid, secret text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins set secrets';
  end if;
  insert into app_private.mailbox_secrets as stored (organization_id, mailbox_id, sealed)
  select box.organization_id, box.id, secret
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = set_mailbox_secret.mailbox_id
    and box.archived_at is null and not box.from_environment
  on conflict on constraint mailbox_secrets_pkey do update set sealed = excluded.sealed, updated_at = now();
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- What a test found, it found with another secret.
  update app_public.mailbox_states as state
  set test_requested_at = null, tested_at = null, test_outcome = null, test_detail = null
  where state.organization_id = app_hidden.current_organization_id() and state.mailbox_id = set_mailbox_secret.mailbox_id;
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.set_mailbox_secret(uuid, text) is 'Stores the encrypted password or tokens of a mailbox: `ok`, `not_found`. Admins only.';

revoke all on function
  app_private.mailbox_of(app_public.tickets), app_private.tg_mailboxes__keep_state(), app_private.mailbox_of_organization(uuid),
  app_public.save_mailbox( text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid, boolean, boolean, boolean, boolean, bigint, integer ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid),
  app_private.set_mailbox_secret(uuid, text)
from public;

grant execute on function
  app_public.save_mailbox( text, text, text, text, uuid, integer, app_public.mailbox_security, app_public.mailbox_auth, text, text, text, text, text, uuid, uuid, boolean, boolean, boolean, boolean, bigint, integer ),
  app_public.archive_mailbox(uuid), app_public.mailboxes_has_secret(app_public.mailboxes), app_public.test_mailbox(uuid)
to atum_admin;
grant execute on function app_private.set_mailbox_secret(uuid, text) to atum_server;
