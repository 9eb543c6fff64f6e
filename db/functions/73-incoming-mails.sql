-- Mails that came in: each is stored once, and decided once, in one transaction with everything that follows from it.
-- Whom and what a mail answers is in 85-mail-threads.sql.

create or replace function app_private.enqueue_incoming_mail(organization_id uuid, incoming_mail_id uuid, run_at timestamptz default null)
  returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'process_incoming_mail', enqueue_incoming_mail.organization_id,
    jsonb_build_object('incomingMailId', enqueue_incoming_mail.incoming_mail_id), enqueue_incoming_mail.run_at,
    'process_incoming_mail:' || enqueue_incoming_mail.incoming_mail_id,
    -- Anybody can send mails that are slow to read. They hold up those of the same organization alone.
    queue_name => 'process_incoming_mail:' || enqueue_incoming_mail.organization_id
  )
$$;

comment on function app_private.enqueue_incoming_mail(uuid, uuid, timestamptz) is 'Has a job read a mail that was stored, one after the other in each organization.';

create or replace function app_private.store_incoming_mail(mailbox_id uuid, facts jsonb) returns uuid
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  mail app_public.incoming_mails;
  mailbox app_public.mailboxes;
begin
  select * into strict mailbox
  from app_public.mailboxes as box
  where box.organization_id = app_hidden.current_organization_id() and box.id = store_incoming_mail.mailbox_id;

  insert into app_public.incoming_mails (
    organization_id, mailbox_id, folder, uid_validity, uid, sha256, size, message_id, from_name, from_address, subject, received_at,
    state, reason, processed_at
  )
  values (
    mailbox.organization_id, mailbox.id, left(facts ->> 'folder', 200), (facts ->> 'uidValidity')::bigint, (facts ->> 'uid')::bigint,
    facts ->> 'sha256', (facts ->> 'size')::bigint, nullif(left(facts ->> 'messageId', 998), ''), nullif(left(facts ->> 'fromName', 200), ''),
    nullif(left(facts ->> 'fromAddress', 320), ''), left(facts ->> 'subject', 998),
    coalesce((facts ->> 'receivedAt')::timestamptz, now()),
    case when facts ->> 'sha256' is null then 'refused' else 'stored' end::app_public.incoming_mail_state,
    case when facts ->> 'sha256' is null then coalesce(facts ->> 'refusal', 'oversize') end, case when facts ->> 'sha256' is null then now() end
  )
  -- Fetched before, by its number or by every byte of it.
  on conflict do nothing
  returning * into mail;
  if not found then
    return null;
  end if;

  if mail.state = 'refused' then
    perform app_private.alert_of_mail(mail, mailbox.name);
  else
    perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id);
  end if;
  return mail.id;
end
$$;

comment on function app_private.store_incoming_mail(uuid, jsonb) is
  'Notes a mail whose bytes are on disk, and has it read; one without `sha256` is noted as refused, for its size or for the `refusal` that is given. Returns its row id, or null where it was noted before. `{folder, uidValidity, uid, sha256, size, messageId, fromName, fromAddress, subject, receivedAt}`.';

comment on column app_public.incoming_mails.reason is 'Why, in one word: `auto_reply`, `bounce`, `complaint`, `loop`, `bulk`, `mailing_list`, `flood`, `stranger`, `duplicate`, `person_disabled`, `no_sender`, `oversize`, `unreadable`, or for one on a ticket `not_participant`, `unproven_staff`, `unproven`, `ticket_over`; null for nothing out of the ordinary.';

create or replace function app_private.alert_of_mail(mail app_public.incoming_mails, mailbox_name text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  perform app_private.alert_admins(
    'mail_not_taken',
    jsonb_build_object(
      'incoming_mail_id', mail.id, 'name', mailbox_name, 'reason', mail.reason, 'from', left(mail.from_address, 200),
      'subject', left(mail.subject, 200), 'size', mail.size
    ),
    -- Anybody can send mails that cannot be taken: of a mailbox one is told of once an hour, and the log names them all.
    'mail_not_taken:' || mail.mailbox_id || ':' || mail.reason || ':' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24')
  );
end
$$;

comment on function app_private.alert_of_mail(app_public.incoming_mails, text) is 'Tells the admins of a mail that could not be taken, for each reason and mailbox once an hour.';

create or replace function app_private.incoming_mail_to_read(incoming_mail_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object('sha256', mail.sha256, 'address', mailbox.address)
  from app_public.incoming_mails as mail
  join app_public.mailboxes as mailbox on mailbox.organization_id = mail.organization_id and mailbox.id = mail.mailbox_id
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = incoming_mail_to_read.incoming_mail_id
    and mail.state = 'stored'
$$;

comment on function app_private.incoming_mail_to_read(uuid) is 'Where a mail that waits is on disk, and to which address it came; null when it was decided.';

create or replace function app_private.settle_mail(
  mail app_public.incoming_mails,
  state app_public.incoming_mail_state,
  reason text default null,
  detail text default null,
  ticket_id uuid default null,
  comment_id uuid default null
) returns jsonb
  language sql volatile
  set search_path = ''
as $$
  update app_public.incoming_mails as settled
  set
    state = settle_mail.state, reason = settle_mail.reason, detail = nullif(left(settle_mail.detail, 1000), ''),
    ticket_id = settle_mail.ticket_id, comment_id = settle_mail.comment_id, processed_at = clock_timestamp()
  where settled.organization_id = mail.organization_id and settled.id = mail.id
  returning jsonb_build_object(
    'state', settled.state, 'reason', settled.reason, 'ticketId', settled.ticket_id, 'commentId', settled.comment_id, 'files', jsonb_build_array()
  )
$$;

comment on function app_private.settle_mail(app_public.incoming_mails, app_public.incoming_mail_state, text, text, uuid, uuid) is 'Writes down what became of a mail.';

create or replace function app_private.incoming_mail_failed(incoming_mail_id uuid, detail text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.incoming_mails;
begin
  update app_public.incoming_mails as failed
  set state = 'failed', reason = 'unreadable', detail = left(incoming_mail_failed.detail, 1000), processed_at = clock_timestamp()
  where failed.organization_id = app_hidden.current_organization_id() and failed.id = incoming_mail_failed.incoming_mail_id
    and failed.state = 'stored'
  returning * into mail;
  if found then
    perform app_private.alert_of_mail(mail, box.name)
    from app_public.mailboxes as box
    where box.organization_id = mail.organization_id and box.id = mail.mailbox_id;
  end if;
end
$$;

comment on function app_private.incoming_mail_failed(uuid, text) is 'Notes that a mail could not be read, and tells the admins. It stays on disk and can be tried again.';

create or replace function app_public.retry_incoming_mail(incoming_mail_id uuid) returns app_public.incoming_mails
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.incoming_mails;
begin
  perform app_private.subject_of_claims();

  update app_public.incoming_mails as tried
  set
    state = 'stored', reason = null, detail = null, processed_at = null, overruled_at = now(),
    overruled_by_id = app_hidden.current_user_id()
  where tried.organization_id = app_hidden.current_organization_id() and tried.id = retry_incoming_mail.incoming_mail_id
    and tried.state in ('failed', 'ignored') and tried.sha256 is not null
  returning * into mail;
  if not found then
    if exists (
      select from app_public.incoming_mails as known
      where known.organization_id = app_hidden.current_organization_id() and known.id = retry_incoming_mail.incoming_mail_id
    ) then
      raise exception using errcode = 'AD261', message = 'Only a mail that failed or was ignored is taken up again';
    end if;
    raise exception using errcode = 'AD101', message = 'There is no such mail';
  end if;
  perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id);
  return mail;
end
$$;

comment on function app_public.retry_incoming_mail(uuid) is
  'Has a mail that failed read again, or one that was ignored taken all the same, and returns it: it is on a ticket in a moment. Admins only. Errors: NOT_FOUND, MAIL_NOT_TAKEN_UP for one that is on a ticket, waits, or was never fetched; UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.incoming_mail_words(word text) returns text
  language sql stable
  set search_path = ''
as $$
  select case when organization.locale like 'de%' then words.german else words.english end
  from app_public.organizations as organization
  join (
    values
      ('no_text', 'The mail has no text.', 'Die Mail hat keinen Text.'),
      ('no_subject', 'Mail without a subject', 'Mail ohne Betreff'),
      (
        'unproven_staff',
        'Came by mail from the address of a colleague. Nothing proves that the colleague wrote it: it answers no mail that was sent to that address alone within 14 days.',
        'Kam per Mail von der Adresse einer Kollegin oder eines Kollegen. Nichts beweist, wer sie geschrieben hat: Sie antwortet auf keine Mail, die in den letzten 14 Tagen nur an diese Adresse ging.'
      ),
      (
        'not_participant',
        'Came by mail from somebody who does not see this ticket:',
        'Kam per Mail von jemandem, der dieses Ticket nicht sieht:'
      )
  ) as words (word, english, german) on words.word = incoming_mail_words.word
  where organization.id = app_hidden.current_organization_id()
$$;

comment on function app_private.incoming_mail_words(text) is 'What we say ourselves where a mail came in, in the language of the organization.';

create or replace function app_private.mail_comment(
  mail app_public.incoming_mails,
  facts jsonb,
  ticket_id uuid,
  author app_public.users,
  visibility app_public.comment_visibility,
  preface text default null
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
declare
  said app_public.comments;
  body text := coalesce(nullif(btrim(facts ->> 'text', E' \n\t'), ''), app_private.incoming_mail_words('no_text'));
begin
  if preface is not null then
    body := left(preface, 1000) || E'\n\n' || body;
    -- The worker leaves room for it; this is the last line.
    while octet_length(body) > 65536 loop
      body := left(body, length(body) - 1 - (octet_length(body) - 65536) / 4);
    end loop;
  end if;

  perform set_config('atum.user_id', coalesce(author.id::text, ''), true);
  insert into app_public.comments (organization_id, ticket_id, author_id, author_name, visibility, body)
  values (
    mail.organization_id, mail_comment.ticket_id, author.id, case when author.id is null then 'Mail' end, mail_comment.visibility, body
  )
  returning * into said;
  perform set_config('atum.user_id', '', true);

  insert into app_public.comment_originals (organization_id, comment_id, html, quoted_text, incoming_mail_id)
  select said.organization_id, said.id, facts ->> 'html', facts ->> 'quoted', mail.id
  where facts ->> 'html' is not null or facts ->> 'quoted' is not null;
  return said;
end
$$;

comment on function app_private.mail_comment(app_public.incoming_mails, jsonb, uuid, app_public.users, app_public.comment_visibility, text) is 'Writes what a mail says as a comment, and keeps what it carried beside.';

create or replace function app_private.incoming_mail_files(mail app_public.incoming_mails, facts jsonb, said app_public.comments) returns jsonb
  language sql volatile
  set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('sha256', stored.sha256, 'state', stored.state)), '[]')
  from jsonb_array_elements(facts -> 'files') as file
  cross join lateral app_private.store_mail_file(
    file ->> 'sha256', (file ->> 'size')::bigint, file ->> 'contentType', file ->> 'name', file ->> 'claimedContentType',
    file ->> 'contentId', said.id, said.author_id
  ) as stored
$$;

comment on function app_private.incoming_mail_files(app_public.incoming_mails, jsonb, app_public.comments) is 'Puts the files of a mail onto its comment, and returns the state of each: the worker puts the bytes there before it commits.';

create or replace function app_private.watch_by_mail(ticket app_public.tickets, facts jsonb) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.add_watcher(ticket, person.id)
  from app_public.users as person
  where person.organization_id = ticket.organization_id
    and person.email = any (array(
      select app_private.mail_address(address) from jsonb_array_elements_text(facts -> 'copied') as address limit 50
    ))
    and person.id <> ticket.requester_id and person.id is distinct from ticket.assignee_id
    and app_private.may_see_ticket(person.id, ticket)
$$;

comment on function app_private.watch_by_mail(app_public.tickets, jsonb) is 'Has people who were written to as well, and may see the ticket, watch it.';

create or replace function app_private.reopen_by_mail(ticket app_public.tickets) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.tickets as waiting
  set status = case when waiting.status in ('pending', 'on_hold', 'resolved') then 'open' else waiting.status end, snoozed_until = null
  where waiting.organization_id = ticket.organization_id and waiting.id = ticket.id
    and (waiting.status in ('pending', 'on_hold', 'resolved') or waiting.status <> 'closed' and waiting.snoozed_until is not null)
$$;

comment on function app_private.reopen_by_mail(app_public.tickets) is 'Takes a ticket into work again about which somebody else wrote: a note alone would not.';

-- What stands after a plus is chosen freely by who has the address.
create or replace function app_private.address_without_plus(address text) returns text
  language sql immutable
  set search_path = ''
as $$
  select regexp_replace(lower(address), '^([^+@]+)[+][^@]*@', '\1@')
$$;

comment on function app_private.address_without_plus(text) is 'A mail address in small letters without what stands between a plus and the at sign: whose mails are counted together.';

create or replace function app_private.is_mail_flood(mail app_public.incoming_mails, is_known boolean, ticket_id uuid default null) returns boolean
  language sql stable
  set search_path = ''
as $$
  select
    (
      select count(*)
      from app_public.incoming_mails as many
      where many.organization_id = mail.organization_id and many.created_at > now() - interval '1 hour' and many.state = 'processed'
        and app_private.address_without_plus(many.from_address) = app_private.address_without_plus(mail.from_address)
        and (is_mail_flood.ticket_id is null or many.ticket_id = is_mail_flood.ticket_id)
    ) >= case when is_mail_flood.ticket_id is null then 30 else 10 end
    -- Addresses cost nothing: those that nobody had heard of are counted together.
    or not is_known and (
      select count(*)
      from app_public.incoming_mails as many
      join app_public.users as person on person.organization_id = many.organization_id
        and person.email = app_private.mail_address(many.from_address) and person.created_at >= many.created_at
      where many.organization_id = mail.organization_id and many.mailbox_id = mail.mailbox_id
        and many.created_at > now() - interval '1 hour' and many.state = 'processed'
    ) >= 300
$$;

comment on function app_private.is_mail_flood(app_public.incoming_mails, boolean, uuid) is
  'Whether a mail is too much: after 10 of one sender on a ticket in an hour, 30 of one sender in all, or, where its sender was not known before, 300 of such people to one mailbox.';

create or replace function app_private.receive_mail(incoming_mail_id uuid, facts jsonb) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  mail app_public.incoming_mails;
  mailbox app_public.mailboxes;
  sender app_public.users;
  nobody app_public.users;
  answered record;
  ticket app_public.tickets;
  said app_public.comments;
  earlier app_public.incoming_mails;
  ignored text;
  reason text;
  preface text;
  proven boolean := false;
  speaks boolean := false;
  may_go_on boolean;
  address constant public.citext := app_private.mail_address(facts #>> '{from,address}');
begin
  select * into mail
  from app_public.incoming_mails as waiting
  where waiting.organization_id = app_hidden.current_organization_id() and waiting.id = receive_mail.incoming_mail_id
  for update;
  if not found or mail.state <> 'stored' then
    return null;
  end if;
  select * into strict mailbox
  from app_public.mailboxes as box
  where box.organization_id = mail.organization_id and box.id = mail.mailbox_id;

  -- What it answers may be a mail that is being read at this moment: the first one opens the ticket.
  if mail.created_at > now() - interval '5 minutes' and exists (
    select
    from app_public.incoming_mails as first
    where first.organization_id = mail.organization_id and first.state = 'stored' and first.id <> mail.id
      and first.message_id = any (array(select jsonb_array_elements_text(facts -> 'references')))
      and (first.created_at, first.id) < (mail.created_at, mail.id)
  ) then
    perform app_private.enqueue_incoming_mail(mail.organization_id, mail.id, now() + interval '3 seconds');
    return jsonb_build_object('state', 'stored', 'files', jsonb_build_array());
  end if;

  update app_public.incoming_mails as read
  set
    message_id = nullif(left(facts ->> 'messageId', 998), ''), subject = left(facts ->> 'subject', 998),
    from_name = nullif(left(facts #>> '{from,name}', 200), ''), from_address = nullif(left(facts #>> '{from,address}', 320), ''),
    to_addresses = array(select left(recipient, 320) from jsonb_array_elements_text(facts -> 'recipients') as recipient limit 100),
    sent_at = (facts ->> 'sentAt')::timestamptz
  where read.organization_id = mail.organization_id and read.id = mail.id
  returning * into mail;

  perform set_config('atum.actor_name', 'Mail', true);

  -- The same mail by two ways: to two of our addresses, or moved back into the folder. One after the other.
  if mail.message_id is not null then
    perform pg_advisory_xact_lock(hashtextextended('mail:' || mail.organization_id || mail.message_id, 0));
    select * into earlier
    from app_public.incoming_mails as known
    where known.organization_id = mail.organization_id and known.message_id = mail.message_id and known.id <> mail.id
      and lower(known.from_address) is not distinct from lower(mail.from_address) and known.subject is not distinct from mail.subject
      and known.sent_at is not distinct from mail.sent_at and known.state = 'processed'
    limit 1;
    if found then
      return app_private.settle_mail(mail, 'ignored', 'duplicate', ticket_id => earlier.ticket_id);
    end if;
  end if;

  select found.ticket_id, found.way into answered
  from app_private.answered_tickets(facts) as found
  limit 1;
  if answered.ticket_id is not null then
    -- It may have gone on in another one.
    with recursive trail (id, merged_into_id, depth) as (
      select first.id, first.merged_into_id, 0
      from app_public.tickets as first
      where first.organization_id = mail.organization_id and first.id = answered.ticket_id
      union all
      select next.id, next.merged_into_id, trail.depth + 1
      from trail
      join app_public.tickets as next on next.organization_id = mail.organization_id and next.id = trail.merged_into_id
      where trail.depth < 20
    )
    select goal.* into ticket
    from trail
    join app_public.tickets as goal on goal.organization_id = mail.organization_id and goal.id = trail.id
    order by trail.depth desc
    limit 1;
    -- One mail at a time writes on a ticket.
    perform from app_public.tickets as locked where locked.organization_id = ticket.organization_id and locked.id = ticket.id for no key update;
    select * into ticket from app_public.tickets as locked where locked.organization_id = ticket.organization_id and locked.id = ticket.id;
  end if;

  if mail.overruled_at is null then
    ignored := app_private.why_to_ignore(mail, mailbox, facts);
    if ignored in ('bounce', 'complaint') then
      perform app_private.record_bounce(
        array(select jsonb_array_elements_text(facts #> '{report,messageIds}')),
        case ignored when 'bounce' then 'bounced' else 'complained' end, facts #>> '{report,detail}'
      )
      where coalesce((facts #>> '{report,isFinal}')::boolean, true);
    end if;
    if ignored is not null then
      return app_private.settle_mail(mail, 'ignored', ignored, facts #>> '{report,detail}', ticket.id);
    end if;
  end if;
  if address is null or length(address::text) > 254 then
    return app_private.settle_mail(mail, 'ignored', 'no_sender', facts #>> '{from,address}', ticket.id);
  end if;

  select * into sender
  from app_public.users as person
  where person.organization_id = mail.organization_id and person.email = address;
  if sender.disabled_at is not null then
    return app_private.settle_mail(mail, 'ignored', 'person_disabled', null, ticket.id);
  end if;

  if ticket.id is not null then
    proven := sender.id is not null and app_private.proves_staff(
      facts, sender,
      array(
        select named.id
        from app_public.tickets as named
        where named.organization_id = ticket.organization_id
          and (named.id in (ticket.id, answered.ticket_id) or named.merged_into_id = ticket.id)
      )
    );
    -- Whoever has a number alone must be one who sees the ticket; a stranger opens one of their own.
    speaks := sender.id is not null and app_private.may_see_ticket(sender.id, ticket);
    may_go_on := ticket.status <> 'closed' and not (
      ticket.status = 'resolved' and exists (
        select
        from app_public.ticket_settings as settings
        where settings.organization_id = ticket.organization_id
          and ticket.resolved_at + make_interval(days => settings.reopen_days) < now()
      )
    );

    if not speaks and (answered.way = 'subject' or not may_go_on) then
      ticket := null;
    elsif mail.overruled_at is null and app_private.is_mail_flood(mail, true, ticket.id) then
      return app_private.settle_mail(mail, 'ignored', 'flood', null, ticket.id);
    end if;
  end if;

  if ticket.id is not null and speaks and sender.role <> 'customer' then
    -- Anybody can write an address of ours as the sender: what only the colleague was sent proves that it is the colleague.
    if not proven then
      reason := 'unproven_staff';
      said := app_private.mail_comment(
        mail, facts, ticket.id, nobody, 'internal', app_private.incoming_mail_words('unproven_staff') || E'\n' || sender.name || ' <' || sender.email || '>'
      );
      perform app_private.reopen_by_mail(ticket);
    else
      speaks := may_go_on and (ticket.requester_id = sender.id or app_private.answers_public_words(facts, sender.id));
      said := app_private.mail_comment(mail, facts, ticket.id, sender, case when speaks then 'public' else 'internal' end::app_public.comment_visibility);
      -- The first public answer takes a new ticket into work.
      update app_public.tickets as taken
      set status = 'open'
      where taken.organization_id = ticket.organization_id and taken.id = ticket.id and taken.status = 'new'
        and said.visibility = 'public' and taken.requester_id <> sender.id;
      perform app_private.watch_by_mail(ticket, facts);
    end if;
  elsif ticket.id is not null and speaks and may_go_on then
    -- Customers are asked for no proof, but admins see where there was none: a number is no secret.
    reason := case when answered.way = 'subject' then 'unproven' end;
    said := app_private.mail_comment(mail, facts, ticket.id, sender, 'public');
    perform app_private.watch_by_mail(ticket, facts);
  elsif ticket.id is not null and not speaks then
    reason := 'not_participant';
    said := app_private.mail_comment(
      mail, facts, ticket.id, nobody, 'internal',
      app_private.incoming_mail_words('not_participant') || E'\n' || coalesce(nullif(mail.from_name, '') || ' ', '') || '<' || address || '>'
    );
    perform app_private.reopen_by_mail(ticket);
  else
    if sender.id is null and not mailbox.accepts_strangers and mail.overruled_at is null then
      return app_private.settle_mail(mail, 'ignored', 'stranger');
    end if;
    if mail.overruled_at is null and app_private.is_mail_flood(mail, sender.id is not null) then
      return app_private.settle_mail(mail, 'ignored', 'flood');
    end if;

    sender := app_private.customer_by_mail(facts -> 'from');
    said := app_private.ticket_by_mail(mail, mailbox, facts, sender, ticket);
    reason := case when ticket.id is not null then 'ticket_over' when sender.role <> 'customer' then 'unproven_staff' end;
  end if;

  return app_private.settle_mail(mail, 'processed', reason, null, said.ticket_id, said.id)
    || jsonb_build_object('files', app_private.incoming_mail_files(mail, facts, said));
end
$$;

comment on function app_private.receive_mail(uuid, jsonb) is
  'Decides what becomes of a mail, and writes it: a comment on the ticket it answers, a new ticket, or nothing, with the reason. Done once; null when it was. Returns `{state, reason, ticketId, commentId, files}`: the worker puts the bytes of each file where its state says before it commits.';

create or replace function app_private.ticket_by_mail(
  mail app_public.incoming_mails, mailbox app_public.mailboxes, facts jsonb, sender app_public.users, former app_public.tickets
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  said app_public.comments;
begin
  insert into app_public.tickets (organization_id, subject, service_id, team_id, requester_id, created_by_id, channel)
  values (
    mail.organization_id,
    coalesce(
      nullif(btrim(left(btrim(regexp_replace(facts ->> 'subject', '[[:cntrl:][:space:]]+', ' ', 'g')), 200)), ''),
      app_private.incoming_mail_words('no_subject')
    ),
    -- A service that is no longer offered is asked for no more.
    (
      select service.id from app_public.services as service
      where service.organization_id = mail.organization_id and service.id = mailbox.service_id and service.archived_at is null
    ),
    mailbox.team_id, sender.id, sender.id, 'mail'
  )
  returning * into ticket;

  said := app_private.mail_comment(mail, facts, ticket.id, sender, 'public');
  if former.id is not null then
    perform app_public.relate_tickets(ticket.id, 'relates_to', former.id);
  end if;
  if sender.role <> 'customer' then
    insert into app_public.comments (organization_id, ticket_id, author_name, visibility, body)
    values (ticket.organization_id, ticket.id, 'Mail', 'internal', app_private.incoming_mail_words('unproven_staff'));
  end if;

  select * into strict ticket
  from app_public.tickets as made
  where made.organization_id = ticket.organization_id and made.id = ticket.id;
  perform app_private.watch_by_mail(ticket, facts);
  return said;
end
$$;

comment on function app_private.ticket_by_mail(app_public.incoming_mails, app_public.mailboxes, jsonb, app_public.users, app_public.tickets) is
  'Opens a ticket with what a mail says, related to one that is over where it answers that, and returns the description.';

revoke all on function
  app_private.enqueue_incoming_mail(uuid, uuid, timestamptz), app_private.store_incoming_mail(uuid, jsonb), app_private.alert_of_mail(app_public.incoming_mails, text), app_private.incoming_mail_to_read(uuid),
  app_private.settle_mail(app_public.incoming_mails, app_public.incoming_mail_state, text, text, uuid, uuid),
  app_private.incoming_mail_failed(uuid, text), app_public.retry_incoming_mail(uuid), app_private.incoming_mail_words(text),
  app_private.mail_comment(app_public.incoming_mails, jsonb, uuid, app_public.users, app_public.comment_visibility, text),
  app_private.incoming_mail_files(app_public.incoming_mails, jsonb, app_public.comments), app_private.watch_by_mail(app_public.tickets, jsonb),
  app_private.reopen_by_mail(app_public.tickets), app_private.address_without_plus(text),
  app_private.is_mail_flood(app_public.incoming_mails, boolean, uuid), app_private.receive_mail(uuid, jsonb),
  app_private.ticket_by_mail(app_public.incoming_mails, app_public.mailboxes, jsonb, app_public.users, app_public.tickets)
from public;

grant execute on function
  app_private.store_incoming_mail(uuid, jsonb), app_private.incoming_mail_to_read(uuid), app_private.incoming_mail_failed(uuid, text),
  app_private.receive_mail(uuid, jsonb)
to atum_worker;
grant execute on function app_public.retry_incoming_mail(uuid) to atum_admin;
