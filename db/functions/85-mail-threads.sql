-- Whose a mail is: what it answers, who sent it, and whether a machine did.

create or replace function app_private.is_own_mail_address(address text) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.mailboxes as box
    where box.organization_id = app_hidden.current_organization_id() and box.archived_at is null
      and (
        box.address = is_own_mail_address.address::public.citext
        -- With what stands between a plus and the at sign, as in the address that answers go to.
        or split_part(lower(is_own_mail_address.address), '@', 2) = split_part(lower(box.address::text), '@', 2)
          and starts_with(lower(is_own_mail_address.address), split_part(lower(box.address::text), '@', 1) || '+')
      )
  )
$$;

comment on function app_private.is_own_mail_address(text) is 'Whether an address is that of a mailbox of the organization, also with something after a plus.';

create or replace function app_private.reply_token_in(addresses text[]) returns text
  language sql stable
  set search_path = ''
as $$
  select split_part(split_part(lower(address), '@', 1), '+', 2)
  from unnest(addresses) as address
  where split_part(address, '@', 1) like '%_+_%' and app_private.is_own_mail_address(address)
  limit 1
$$;

comment on function app_private.reply_token_in(text[]) is 'What stands after the plus in the first address of ours that has one; null where none has.';

create or replace function app_private.answered_tickets(facts jsonb)
  returns table (way text, ticket_id uuid, user_id uuid)
  language sql stable
  set search_path = ''
as $$
  with referred as (
    select coalesce(array_agg(id order by place), '{}') as ids
    from jsonb_array_elements_text(facts -> 'references') with ordinality as listed (id, place)
  ),
  answered as (
    select 1 as trust, found.place, 'reference' as way, found.ticket_id, found.user_id
    from referred
    cross join lateral app_private.ticket_of_message_ids(referred.ids) with ordinality as found (ticket_id, user_id, place)
    union all
    -- Somebody goes on in a mail of their own, before or without ours.
    select 2, row_number() over (order by earlier.created_at desc, earlier.id desc), 'reference', earlier.ticket_id, null
    from referred
    join app_public.incoming_mails as earlier
      on earlier.organization_id = app_hidden.current_organization_id() and earlier.message_id = any (referred.ids)
    where earlier.comment_id is not null
    union all
    select 3, found.place, 'token', found.ticket_id, found.user_id
    from app_private.ticket_of_reply_token(
      app_private.reply_token_in(array(select jsonb_array_elements_text(facts -> 'recipients')))
    ) with ordinality as found (ticket_id, user_id, place)
    union all
    select 4, named.place, 'subject', ticket.id, null
    from jsonb_array_elements_text(facts -> 'subjectReferences') with ordinality as named (reference, place)
    join app_public.tickets as ticket
      on ticket.organization_id = app_hidden.current_organization_id() and ticket.number::text = split_part(named.reference, '-', 2)
      and ticket.reference = named.reference
  )
  select way, ticket_id, user_id from answered order by trust, place
$$;

comment on function app_private.answered_tickets(jsonb) is
  'The tickets that a mail may belong to, the likeliest first: by the mails it answers, by the token in the address it is to, by the number in its subject; and to whom the mail it answers was, where it is one of ours.';

create or replace function app_private.answered_mails(facts jsonb) returns setof app_public.mail_messages
  language sql stable
  set search_path = ''
as $$
  select mail.*
  from (
    select named.mail_id
    from app_private.mails_of_message_ids(array(select jsonb_array_elements_text(facts -> 'references'))) as named
    union
    select token.mail_id
    from app_private.mail_reply_tokens as token
    where token.organization_id = app_hidden.current_organization_id()
      and token.token_hash = app_private.token_hash(
        app_private.reply_token_in(array(select jsonb_array_elements_text(facts -> 'recipients')))
      )
  ) as answered
  join app_public.mail_messages as mail on mail.organization_id = app_hidden.current_organization_id() and mail.id = answered.mail_id
$$;

comment on function app_private.answered_mails(jsonb) is 'The mails of ours that a mail answers, by what it refers to and by the token in the address it is to.';

-- An answer shows its token, and the names of the mails before it, to everybody it was written to. Nothing is marked: the log
-- of incoming mails says whether an answer of the colleague went to others, and then what they were sent before it proves nothing
-- any more; what they are sent afterwards does, and so does a second answer that nobody else was sent a copy of before.
create or replace function app_private.proves_staff(facts jsonb, person app_public.users, ticket_ids uuid[]) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.answered_mails(facts) as mail
    where mail.user_id = person.id and mail.ticket_id = any (ticket_ids)
      and coalesce(mail.sent_at, mail.created_at) > now() - interval '14 days'
      and not exists (
        select
        from app_public.incoming_mails as shown
        join app_public.comments as said on said.organization_id = shown.organization_id and said.id = shown.comment_id
        cross join unnest(shown.to_addresses) as other (address)
        where shown.organization_id = mail.organization_id and shown.ticket_id = any (ticket_ids)
          and shown.state = 'processed' and said.author_id = person.id
          and shown.created_at >= coalesce(mail.sent_at, mail.created_at)
          and not app_private.is_own_mail_address(other.address)
          and not exists (
            select from app_public.users as colleague
            where colleague.organization_id = mail.organization_id
              and colleague.email = app_private.mail_address(other.address)
              and colleague.role <> 'customer' and colleague.disabled_at is null
          )
      )
  )
$$;

comment on function app_private.proves_staff(jsonb, app_public.users, uuid[]) is
  'Whether a mail proves that a colleague wrote it: it answers one that they were sent about one of these tickets within 14 days, and of which they showed nothing to others by an answer since.';

create or replace function app_private.answers_public_words(facts jsonb, user_id uuid) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    (
      select said.visibility = 'public'
      from app_private.answered_mails(facts) as mail
      left join app_public.comments as said on said.organization_id = mail.organization_id and said.id = mail.comment_id
      where mail.user_id = answers_public_words.user_id
      order by mail.created_at desc, mail.id desc
      limit 1
    ),
    false
  )
$$;

comment on function app_private.answers_public_words(jsonb, uuid) is
  'Whether the latest mail that somebody answers carried what was said in public. Who answers a note of colleagues, or the news that a ticket is theirs, does not speak to the requester.';

create or replace function app_private.customer_by_mail(sender jsonb) returns app_public.users
  language plpgsql volatile
  set search_path = ''
as $$
declare
  person app_public.users;
  address constant public.citext := app_private.mail_address(sender ->> 'address');
begin
  -- Who never came logs in with no password; an invitation, or registering, gives one.
  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (
    app_hidden.current_organization_id(), address::text,
    coalesce(nullif(btrim(left(btrim(regexp_replace(sender ->> 'name', '[[:cntrl:][:space:]]+', ' ', 'g')), 120)), ''), left(split_part(address::text, '@', 1), 120)),
    'customer', null
  )
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into person;
  if not found then
    select * into strict person
    from app_public.users as known
    where known.organization_id = app_hidden.current_organization_id() and known.email = address;
  end if;
  return person;
end
$$;

comment on function app_private.customer_by_mail(jsonb) is 'The person with the address of a sender, made as a customer where there is none.';

create or replace function app_private.why_to_ignore(mail app_public.incoming_mails, mailbox app_public.mailboxes, facts jsonb) returns text
  language plpgsql stable
  set search_path = ''
as $$
declare
  kind constant text := coalesce(facts ->> 'kind', 'person');
begin
  if kind in ('bounce', 'complaint') then
    return kind;
  end if;
  if app_private.is_own_mail_address(facts #>> '{from,address}')
    or exists (select from app_private.mails_of_message_ids(array[facts ->> 'messageId']))
    or exists (
    -- Another desk may write to this one.
    select
    from app_public.organizations as organization
    where organization.id = mail.organization_id and organization.slug = split_part(facts ->> 'desk', '/', 1)
  ) then
    return 'loop';
  end if;
  if kind in ('auto_reply', 'bulk') or (kind = 'mailing_list' and not mailbox.accepts_lists) then
    return kind;
  end if;
  return null;
end
$$;

comment on function app_private.why_to_ignore(app_public.incoming_mails, app_public.mailboxes, jsonb) is 'Why a mail opens no ticket and gets no answer, by what it is: of a machine, a list, or ourselves; null for one of a person.';

revoke all on function
  app_private.is_own_mail_address(text), app_private.reply_token_in(text[]), app_private.answered_tickets(jsonb),
  app_private.answered_mails(jsonb), app_private.proves_staff(jsonb, app_public.users, uuid[]),
  app_private.answers_public_words(jsonb, uuid), app_private.customer_by_mail(jsonb),
  app_private.why_to_ignore(app_public.incoming_mails, app_public.mailboxes, jsonb)
from public;
