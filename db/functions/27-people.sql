-- What admins do with people.

create or replace function app_private.person_of_organization(user_id uuid) returns app_public.users
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  select * into subject
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = person_of_organization.user_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such person';
  end if;
  return subject;
end
$$;

comment on function app_private.person_of_organization(uuid) is 'A person of the caller''s organization. Error NOT_FOUND.';

create or replace function app_public.set_user_teams(user_id uuid, team_ids uuid[]) returns app_public.users
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  delete from app_public.team_members as member
  where member.organization_id = subject.organization_id and member.user_id = subject.id
    and member.team_id <> all (set_user_teams.team_ids);

  insert into app_public.team_members (organization_id, team_id, user_id)
  select subject.organization_id, team_id, subject.id
  from unnest(set_user_teams.team_ids) as team_id
  on conflict on constraint team_members_organization_id_team_id_user_id_key do nothing;
  return subject;
end
$$;

comment on function app_public.set_user_teams(uuid, uuid[]) is 'Makes a person a member of these teams and of no other. Admins only. Error NOT_FOUND for a person or team that is not there.';

create or replace function app_public.invite_user(
  email text,
  name text,
  role app_public.user_role default 'customer',
  company_id uuid default null,
  team_ids uuid[] default '{}'
) returns app_public.users
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  if invite_user.role in ('manager', 'admin') then
    perform app_private.subject_of_claims();
  end if;

  insert into app_public.users (organization_id, email, name, role, company_id, activated_at)
  values (
    app_hidden.current_organization_id(), btrim(invite_user.email), btrim(invite_user.name), invite_user.role,
    invite_user.company_id, null
  )
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into subject;
  if not found then
    -- Who registers an address is not there before its owner is invited.
    update app_public.users as person
    set
      email = btrim(invite_user.email), name = btrim(invite_user.name), role = invite_user.role,
      company_id = invite_user.company_id
    where person.organization_id = app_hidden.current_organization_id()
      and person.email = app_private.mail_address(invite_user.email)
      and person.activated_at is null and person.disabled_at is null
      and exists (
        select
        from app_private.account_mails as registration
        where registration.organization_id = person.organization_id and registration.user_id = person.id
          and registration.purpose = 'email_verification'
      )
      and not exists (
        select
        from app_private.account_mails as invitation
        where invitation.organization_id = person.organization_id and invitation.user_id = person.id
          and invitation.purpose = 'invitation'
      )
    returning * into subject;
    if not found then
      raise exception using errcode = 'AD011', message = 'The organization has a person with this mail address';
    end if;
    perform app_private.spend_links_of(subject.organization_id, subject.id);
  end if;

  perform app_public.set_user_teams(subject.id, coalesce(invite_user.team_ids, '{}'));
  perform app_private.write_account_mail(subject, 'invitation');
  perform app_private.append_audit(subject.organization_id, 'invited', 'app_public.users', subject.id, null, null);
  return subject;
end
$$;

comment on function app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]) is
  'Makes an account and writes an invitation, good for 7 days. Somebody who registered and has not come yet is invited with what is given here. Admins only. Errors: ADDRESS_TAKEN for who has come or was invited before, INVALID_INPUT, NOT_FOUND for a company or team that is not there, SESSION_REQUIRED for a manager or admin, and for who registered in another role.';

create or replace function app_public.resend_invitation(user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  if subject.activated_at is not null then
    raise exception using errcode = 'AD101', message = 'This person has come already';
  end if;
  perform app_private.write_account_mail(subject, 'invitation');
  return true;
end
$$;

comment on function app_public.resend_invitation(uuid) is 'Writes the invitation once more; the link before is worth nothing. Admins only. Error NOT_FOUND for a person who is not there or has come already.';

create or replace function app_public.create_account_link(user_id uuid) returns app_public.account_link
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject app_public.users;
  mail_id uuid;
  link app_public.account_link;
begin
  subject := app_private.person_of_organization(user_id);
  if subject.id = (app_private.subject_of_claims()).id then
    raise exception using errcode = 'AD009', message = 'Your own password is changed with the one you have';
  end if;
  link.purpose := case when subject.activated_at is null then 'invitation' else 'password_reset' end;

  perform app_private.spend_links_of(subject.organization_id, subject.id, link.purpose);

  insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
  values (
    subject.organization_id, subject.id, link.purpose,
    now() + case link.purpose when 'invitation' then interval '7 days' else interval '1 hour' end, 'handed_over'
  )
  returning id into mail_id;

  perform app_private.append_audit(
    subject.organization_id, 'account_link_made', 'app_public.users', subject.id, null, jsonb_build_object('purpose', link.purpose)
  );
  link.token := app_private.issue_account_token(mail_id);
  return link;
end
$$;

comment on function app_public.create_account_link(uuid) is
  'Makes the link of an invitation (7 days) or of a password reset (1 hour) for an admin to hand over, where no mail reaches the person. Recorded in the audit log. Admins only, and not for themselves. Errors: NOT_FOUND, NOT_YOURSELF, UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.person_of_organization(uuid), app_public.set_user_teams(uuid, uuid[]),
  app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]), app_public.resend_invitation(uuid),
  app_public.create_account_link(uuid)
from public;

grant execute on function
  app_public.set_user_teams(uuid, uuid[]), app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]),
  app_public.resend_invitation(uuid), app_public.create_account_link(uuid)
to atum_admin;
