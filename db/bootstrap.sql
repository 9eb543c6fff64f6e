-- The only SQL that a superuser runs. It makes the roles of the cluster and the extensions of this database, and
-- it may be run again at any time: each statement leaves what is already right alone.
-- Passwords are not set here; whoever installs sets them with `alter role … password`.

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (
      values
        -- Owns every object and runs the migrations. Never used by a running server.
        ('atum_owner', 'login noinherit'),
        -- The web server's login. It owns nothing and may only become one of the request roles below.
        ('atum_server', 'login noinherit'),
        ('atum_anonymous', 'nologin'),
        ('atum_customer', 'nologin'),
        ('atum_agent', 'nologin'),
        ('atum_manager', 'nologin'),
        ('atum_admin', 'nologin'),
        -- The job worker's login.
        ('atum_worker', 'login noinherit'),
        -- The login of whoever runs the installation: makes and closes organizations, and reads nothing in them.
        ('atum_operator', 'login noinherit'),
        -- The group of read-only logins of one organization each.
        ('atum_reporting', 'nologin')
    ) as roles (name, options)
  loop
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
        execute format('create role %I %s', wanted.name, wanted.options);
      end if;
    exception
      -- Two databases of one cluster may be bootstrapped at once; the other one made it.
      when duplicate_object or unique_violation then null;
    end;

    if exists (
      select from pg_catalog.pg_roles
      where rolname = wanted.name and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
    ) then
      execute format('alter role %I nosuperuser nobypassrls nocreaterole nocreatedb noreplication', wanted.name);
    end if;
  end loop;
end
$$;

do $$
declare
  membership record;
begin
  for membership in
    select *
    from (
      values
        -- Each request role of the staff holds all that the one below holds.
        ('atum_agent', 'atum_manager', true),
        ('atum_manager', 'atum_admin', true),
        -- The server may become them, and is none of them until it does.
        ('atum_anonymous', 'atum_server', false),
        ('atum_customer', 'atum_server', false),
        ('atum_agent', 'atum_server', false),
        ('atum_manager', 'atum_server', false),
        ('atum_admin', 'atum_server', false)
    ) as memberships (granted, member, inherits)
  loop
    if not exists (
      select
      from pg_catalog.pg_auth_members m
      where m.roleid = membership.granted::regrole
        and m.member = membership.member::regrole
        and m.inherit_option = membership.inherits
        and m.set_option
    ) then
      execute format(
        'grant %I to %I with inherit %s, set true',
        membership.granted, membership.member, case when membership.inherits then 'true' else 'false' end
      );
    end if;
  end loop;
end
$$;

-- A request that takes longer than this has gone wrong; the API answers with a coded error.
alter role atum_server set statement_timeout = '15s';
alter role atum_server set lock_timeout = '5s';
alter role atum_server set idle_in_transaction_session_timeout = '30s';
alter role atum_worker set idle_in_transaction_session_timeout = '120s';
-- Somebody at a keyboard; what lies open holds up everybody. Logins in atum_reporting take over none of this.
alter role atum_operator set statement_timeout = '60s';
alter role atum_operator set idle_in_transaction_session_timeout = '60s';

do $$
begin
  execute format('alter database %I owner to atum_owner', current_database());
  -- Only the logins connect; a reporting login is granted its own way in.
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to atum_server, atum_worker, atum_operator, atum_reporting', current_database());
end
$$;

revoke create on schema public from public;

-- Large objects lie outside every wall, and nothing of ours makes one.
revoke execute on function lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) from public;

create extension if not exists pgcrypto with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists citext with schema public;
create extension if not exists btree_gist with schema public;
create extension if not exists unaccent with schema public;
