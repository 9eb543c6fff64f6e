-- What a person is written about the own account, and what the links in it do. A link's token is made when the mail is
-- sent, so that it is nowhere but in the mail.

create or replace function app_private.spend_links_of(organization_id uuid, user_id uuid, purpose text default null) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  -- One after the other: of two that are written at the same moment the second would not see the first.
  perform
  from app_public.users as person
  where person.organization_id = spend_links_of.organization_id and person.id = spend_links_of.user_id
  for no key update;

  update app_private.account_mails as mail
  set used_at = now()
  where mail.organization_id = spend_links_of.organization_id and mail.user_id = spend_links_of.user_id
    and mail.purpose = coalesce(spend_links_of.purpose, mail.purpose) and mail.expires_at is not null and mail.used_at is null;
end
$$;

comment on function app_private.spend_links_of(uuid, uuid, text) is 'Spends every open link of a person, or those of one purpose, and keeps the person for this transaction.';

create or replace function app_private.write_account_mail(subject app_public.users, purpose text, address text default null)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  made_id uuid;
begin
  -- The latest link is the one that counts.
  perform app_private.spend_links_of(subject.organization_id, subject.id, write_account_mail.purpose);

  insert into app_private.account_mails (organization_id, user_id, purpose, address, expires_at)
  values (
    subject.organization_id, subject.id, purpose, address,
    now() + case purpose
      when 'invitation' then interval '7 days'
      when 'email_verification' then interval '1 day'
      when 'password_reset' then interval '1 hour'
    end
  )
  returning id into made_id;

  perform app_private.enqueue('send_account_mail', subject.organization_id, jsonb_build_object('accountMailId', made_id));
end
$$;

comment on function app_private.write_account_mail(app_public.users, text, text) is 'Has a person written a mail about the own account, in this transaction; to another address than the own where one is given.';

create or replace function app_private.issue_account_token(account_mail_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
begin
  update app_private.account_mails as mail
  set token_hash = app_private.token_hash(token)
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = issue_account_token.account_mail_id
    and mail.expires_at > now() and mail.used_at is null;
  return case when found then token end;
end
$$;

comment on function app_private.issue_account_token(uuid) is 'Makes the token of a link, in place of any that it had; null when the link is over.';

create or replace function app_private.account_mail_to_send(account_mail_id uuid) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_private.account_mails;
  subject app_public.users;
  token text;
begin
  select * into mail
  from app_private.account_mails as wanted
  where wanted.organization_id = app_hidden.current_organization_id() and wanted.id = account_mail_to_send.account_mail_id
    and wanted.delivery = 'waiting' and wanted.used_at is null
  for update;
  if not found then
    return null;
  end if;

  if mail.expires_at is not null then
    token := app_private.issue_account_token(mail.id);
    if token is null then
      return null;
    end if;
  end if;

  select * into strict subject
  from app_public.users
  where organization_id = mail.organization_id and id = mail.user_id;

  return app_private.identity_of(subject) || jsonb_build_object(
    'email', coalesce(mail.address, subject.email::text), 'purpose', mail.purpose, 'token', token, 'writtenAt', mail.created_at
  );
end
$$;

comment on function app_private.account_mail_to_send(uuid) is 'What the worker needs to write a mail: the person as `identity_of` says it, but with the `email` it goes to, `purpose`, and a new `token` where it carries a link; null when it was sent or is over. Trying again makes another token, and the one before is worth nothing.';

create or replace function app_private.account_mail_sent(account_mail_id uuid, delivery text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_private.account_mails as mail
  set delivery = account_mail_sent.delivery
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = account_mail_sent.account_mail_id
$$;

comment on function app_private.account_mail_sent(uuid, text) is 'Notes what became of a mail: `sent`, or `no_mail_server`.';

create or replace function app_private.account_mail_of(token text, variadic purposes text[]) returns app_private.account_mails
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mail app_private.account_mails;
begin
  -- The person before the mail, as where links are written and spent.
  perform
  from app_private.account_mails as wanted
  join app_public.users as person on person.organization_id = wanted.organization_id and person.id = wanted.user_id
  where wanted.token_hash = app_private.token_hash(account_mail_of.token)
  for no key update of person;

  select * into mail
  from app_private.account_mails as wanted
  where wanted.token_hash = app_private.token_hash(account_mail_of.token)
    and wanted.purpose = any (purposes) and wanted.used_at is null and wanted.expires_at > now()
    and exists (
      select
      from app_public.users as person
      join app_public.organizations as organization on organization.id = person.organization_id
      where person.organization_id = wanted.organization_id and person.id = wanted.user_id
        and person.disabled_at is null and organization.suspended_at is null
        and (wanted.purpose = 'password_reset' or person.activated_at is null)
    )
  for update;
  if not found then
    raise exception using errcode = 'AD010', message = 'This link is not valid, or no longer';
  end if;
  return mail;
end
$$;

comment on function app_private.account_mail_of(text, text[]) is 'The mail whose link was followed, locked, and its person; an invitation or verification of somebody who has come already is none. Error TOKEN_INVALID.';

create or replace function app_private.spend_account_mail(mail app_private.account_mails) returns app_public.users
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  update app_private.account_mails as spent
  set used_at = now()
  where spent.organization_id = mail.organization_id and spent.id = mail.id;

  select * into strict subject
  from app_public.users
  where organization_id = mail.organization_id and id = mail.user_id;
  perform app_private.act_for(subject);
  return subject;
end
$$;

comment on function app_private.spend_account_mail(app_private.account_mails) is 'Spends the link of a mail and acts for its person.';

create or replace function app_private.account_token_of(token text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_private.account_mails :=
    app_private.account_mail_of(token, 'invitation', 'email_verification', 'password_reset');
begin
  return (
    select jsonb_build_object(
      'outcome', 'ok', 'purpose', mail.purpose, 'email', person.email,
      'name', person.name,
      'organization', jsonb_build_object('slug', organization.slug, 'name', organization.name)
    )
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    where person.organization_id = mail.organization_id and person.id = mail.user_id
  );
end
$$;

comment on function app_private.account_token_of(text) is 'Whom a link is for, without spending it: `{outcome: ok, purpose, email, name, organization}`. Error TOKEN_INVALID.';

create or replace function app_private.reset_password(token text, password text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.spend_account_mail(app_private.account_mail_of(token, 'password_reset'));
begin
  perform app_private.set_password(subject.organization_id, subject.id, password);
  -- Whoever reads the mail has the address.
  update app_public.users as person
  set activated_at = now()
  where person.organization_id = subject.organization_id and person.id = subject.id and person.activated_at is null;
  perform app_private.end_sessions_of(subject.organization_id, subject.id);
  -- Whoever knew the password before may have made one.
  perform app_private.revoke_api_tokens_of(subject.organization_id, subject.id);
  perform app_private.append_audit(subject.organization_id, 'password_reset', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'password_changed');
end
$$;

comment on function app_private.reset_password(text, text) is 'Sets the password of the person a reset link is for, ends their sessions and revokes their API tokens. Errors: TOKEN_INVALID, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON; the link stays good when the password is refused.';

create or replace function app_private.accept_invitation(token text, name text, password text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_private.account_mails := app_private.account_mail_of(token, 'invitation', 'email_verification');
  subject constant app_public.users := app_private.spend_account_mail(mail);
begin
  update app_public.users as person
  set name = coalesce(nullif(btrim(accept_invitation.name), ''), person.name), activated_at = now()
  where person.organization_id = subject.organization_id and person.id = subject.id and person.activated_at is null;
  if not found then
    raise exception using errcode = 'AD010', message = 'This link is not valid, or no longer';
  end if;
  -- Only now: a password that somebody chose before the address was proved would open the account of its owner.
  perform app_private.set_password(subject.organization_id, subject.id, password);
  perform app_private.append_audit(
    subject.organization_id, case mail.purpose when 'invitation' then 'invitation_accepted' else 'email_verified' end,
    'app_public.users', subject.id, null, null
  );
end
$$;

comment on function app_private.accept_invitation(text, text, text) is 'The person who was invited, or registered, follows the link: gives the own name and a password, and can log in. Errors as `reset_password`, TOKEN_INVALID also for who has come already.';

create or replace function app_private.write_to_address(email text, organization_slug text, purpose text) returns void
  language plpgsql volatile
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  subject app_public.users;
begin
  for subject in
    select person.*
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    join app_public.security_policies as policy on policy.organization_id = person.organization_id
    where person.email = app_private.mail_address(write_to_address.email)
      and (organization_slug is null or organization.slug = organization_slug)
      and organization.suspended_at is null
      and person.disabled_at is null
      and case purpose
        when 'password_reset' then person.activated_at is not null and (policy.local_login or person.is_break_glass)
        else person.activated_at is null
          and exists (
            select
            from app_private.account_mails as first
            where first.organization_id = person.organization_id and first.user_id = person.id and first.purpose = 'email_verification'
          )
      end
    for no key update of person
  loop
    -- Whoever asks again and again, or twice at once, does not fill somebody's mailbox.
    continue when exists (
      select
      from app_private.account_mails as recent
      where recent.organization_id = subject.organization_id and recent.user_id = subject.id
        and recent.purpose = write_to_address.purpose and recent.created_at > now() - interval '2 minutes'
    );
    perform app_private.write_account_mail(subject, purpose);
    perform app_private.append_audit(
      subject.organization_id, purpose || '_requested', 'app_public.users', subject.id, null, null, actor_id => null
    );
  end loop;
end
$$;

comment on function app_private.write_to_address(text, text, text) is 'Writes a `password_reset` or `email_verification` to everybody with this mail address, at most one every two minutes.';

create or replace function app_private.request_password_reset(email text, organization_slug text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.write_to_address(email, organization_slug, 'password_reset')
$$;

comment on function app_private.request_password_reset(text, text) is 'Writes a reset link to the person with this mail address, if there is one. Says nothing either way.';

create or replace function app_private.request_verification(email text, organization_slug text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.write_to_address(email, organization_slug, 'email_verification')
$$;

comment on function app_private.request_verification(text, text) is 'Writes the verification link once more to a person who registered. Says nothing either way.';

create or replace function app_private.register(organization_slug text, email text, name text) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  home app_public.organizations;
  subject app_public.users;
begin
  select organization.* into home
  from app_public.organizations as organization
  join app_public.security_policies as policy on policy.organization_id = organization.id
  where organization.slug = register.organization_slug and organization.suspended_at is null and policy.local_login
    and split_part(app_private.mail_address(register.email)::text, '@', 2) = any (policy.registration_domains);
  if not found then
    raise exception using errcode = 'AD012', message = 'Registration is not open for this mail address';
  end if;

  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (home.id, register.email, register.name, 'customer', null)
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into subject;

  if found then
    perform app_private.write_account_mail(subject, 'email_verification');
    return;
  end if;

  -- Who has the address learns it from a mail, and who registers learns nothing.
  select person.* into strict subject
  from app_public.users as person
  where person.organization_id = home.id and person.email = app_private.mail_address(register.email);
  perform app_private.write_account_mail(subject, 'address_taken')
  where not exists (
    select
    from app_private.account_mails as recent
    where recent.organization_id = subject.organization_id and recent.user_id = subject.id
      and recent.purpose = 'address_taken' and recent.created_at > now() - interval '1 hour'
  );
end
$$;

comment on function app_private.register(text, text, text) is 'A person asks for a customer account, where the mail domain may: the link that is mailed lets them choose a password. An address that is taken looks the same and is told so by mail. Errors: REGISTRATION_CLOSED, INVALID_INPUT.';

create or replace function app_private.change_password(current_password text, new_password text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused constant jsonb := app_private.prove_again(current_password, null);
begin
  if refused is not null then
    return refused;
  end if;
  perform app_private.set_password(subject.organization_id, subject.id, new_password);
  perform app_private.end_sessions_of(subject.organization_id, subject.id, app_hidden.current_session_id());
  perform app_private.append_audit(subject.organization_id, 'password_changed', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'password_changed');
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.change_password(text, text) is 'Changes the password of the person who logged in and ends their other sessions: `ok`, `invalid_credentials`, `too_many_attempts`. Errors: PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

revoke all on function
  app_private.spend_links_of(uuid, uuid, text), app_private.write_account_mail(app_public.users, text, text), app_private.issue_account_token(uuid),
  app_private.account_mail_to_send(uuid), app_private.account_mail_sent(uuid, text),
  app_private.account_mail_of(text, text[]), app_private.spend_account_mail(app_private.account_mails),
  app_private.account_token_of(text), app_private.reset_password(text, text),
  app_private.accept_invitation(text, text, text),
  app_private.write_to_address(text, text, text), app_private.request_password_reset(text, text),
  app_private.request_verification(text, text), app_private.register(text, text, text),
  app_private.change_password(text, text)
from public;

grant execute on function
  app_private.account_token_of(text), app_private.reset_password(text, text),
  app_private.accept_invitation(text, text, text),
  app_private.request_password_reset(text, text), app_private.request_verification(text, text),
  app_private.register(text, text, text), app_private.change_password(text, text)
to atum_server;
grant execute on function app_private.account_mail_to_send(uuid), app_private.account_mail_sent(uuid, text) to atum_worker;
