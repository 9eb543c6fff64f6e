-- A mail leaves by a job: it takes the mail, talks to the mail server with no transaction open, and says what became of it.
-- A worker that dies in between leaves it taken for ten minutes; then it is sent once more, so that it is sent at least once.

create or replace function app_private.mail_files(mail app_public.mail_messages)
  returns table (attachment_id uuid, name text, sha256 text, size bigint, content_type text, way text)
  language sql stable
  set search_path = ''
as $$
  select
    file.id, file.name, file.sha256, file.size, file.content_type,
    case
      when file.state = 'pending' then 'pending'
      when file.state in ('infected', 'unscannable') then 'blocked'
      when file.state = 'removed' then 'gone'
      -- A server seldom takes more than 25 MB, and encoding adds a third.
      when sum(file.size) filter (where file.state in ('clean', 'unscanned', 'released')) over (order by file.created_at, file.id) <= 10485760
        then 'attached'
      else 'linked'
    end
  from app_public.attachments as file
  where file.organization_id = mail.organization_id and file.id = any (mail.attachment_ids)
    -- What was taken off its comment meanwhile, or put on another ticket, is not this mail's any more.
    and file.ticket_id = mail.ticket_id
  order by file.created_at, file.id
$$;

comment on function app_private.mail_files(app_public.mail_messages) is
  'The files of a mail and how each goes with it: `attached` up to 10 MiB in all, then `linked`, or not at all: `pending`, `blocked`, `gone`.';

create or replace function app_private.mail_gaps(mail app_public.mail_messages, origin text) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  words constant jsonb := app_hidden.mail_words(mail.locale);
  in_text jsonb := '{}';
  in_html jsonb := '{}';
  file record;
  token text;
  link text;
  step integer;
begin
  if mail.survey_id is not null then
    token := app_private.issue_survey_token(mail.survey_id);
    link := origin || '/survey/' || token;
    in_text := in_text || jsonb_build_object('survey_link', link);
    for step in 1..5 loop
      in_text := in_text || jsonb_build_object('survey_link:' || step, link || '?score=' || step);
    end loop;
    in_html := in_text;
  end if;

  for file in select * from app_private.mail_files(mail) loop
    link := null;
    if file.way = 'linked' then
      -- None for who may not see the file any more.
      link := origin || '/files/' || app_private.issue_file_token(file.attachment_id, mail.user_id);
    end if;
    in_text := in_text || jsonb_build_object('file_link:' || file.attachment_id, case
      when file.way = 'attached' then ''
      when link is not null then ': ' || link
      else ' – ' || (words ->> (case file.way when 'linked' then 'large' else file.way end))
    end);
    in_html := in_html || jsonb_build_object('file_link:' || file.attachment_id, case
      when file.way = 'attached' then ''
      when link is not null then ': <a href="' || link || '">' || link || '</a>'
      else ' – ' || app_hidden.as_html(words ->> (case file.way when 'linked' then 'large' else file.way end))
    end);
  end loop;
  return jsonb_build_object('text', in_text, 'html', in_html);
end
$$;

comment on function app_private.mail_gaps(app_public.mail_messages, text) is 'What the gaps of a mail are filled with now, in its text and in its HTML, with new tokens.';

create or replace function app_private.mail_reply_address(mail app_public.mail_messages) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  -- Mail servers may change the case of what stands before the @, and take 64 characters of it.
  token constant text := encode(public.gen_random_bytes(16), 'hex');
  local constant text := substring(mail.from_address from '^(.*)@[^@]*$');
begin
  if not mail.asks_for_reply or mail.ticket_id is null or length(local) > 31 then
    return null;
  end if;
  insert into app_private.mail_reply_tokens (organization_id, mail_id, token_hash)
  values (mail.organization_id, mail.id, app_private.token_hash(token));
  return local || '+' || token || substring(mail.from_address from '@[^@]*$');
end
$$;

comment on function app_private.mail_reply_address(app_public.mail_messages) is 'The address that an answer to a mail goes to, with a new token that finds its ticket and its recipient; null where it cannot have one.';

create or replace function app_private.mail_headers(mail app_public.mail_messages) returns jsonb
  language sql stable
  set search_path = ''
as $$
  -- Answering machines keep still (RFC 3834), except that people may answer people as they like.
  select jsonb_strip_nulls(jsonb_build_object(
    'Auto-Submitted', case
      when mail.kind = 'acknowledgement' then 'auto-replied'
      when mail.kind <> 'reply' or comment.author_id is null then 'auto-generated'
    end,
    'X-Auto-Response-Suppress', case when mail.kind = 'reply' and comment.author_id is not null then 'OOF, AutoReply' else 'All' end,
    'X-ATUM-Desk', concat_ws('/', organization.slug, ticket.reference)
  ))
  from app_public.organizations as organization
  left join app_public.tickets as ticket on ticket.organization_id = organization.id and ticket.id = mail.ticket_id
  left join app_public.comments as comment on comment.organization_id = organization.id and comment.id = mail.comment_id
  where organization.id = mail.organization_id
$$;

comment on function app_private.mail_headers(app_public.mail_messages) is 'The headers by which machines know a mail of ours.';

create or replace function app_private.mail_to_send(mail_id uuid, origin text, sender_domain text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  organization app_public.organizations;
  gaps jsonb;
  domain text;
begin
  select * into mail
  from app_public.mail_messages as asked
  where asked.organization_id = app_hidden.current_organization_id() and asked.id = mail_to_send.mail_id
    and asked.state = 'waiting' and asked.send_at <= now()
    -- Another worker is sending it, or died doing so a while ago.
    and (asked.claimed_until is null or asked.claimed_until <= now())
  for update;
  if not found then
    return null;
  end if;

  select * into strict organization from app_public.organizations as own where own.id = mail.organization_id;
  if organization.suspended_at is not null then
    return null;
  end if;

  -- The scanner is given a few minutes; then it goes without, and says so.
  if mail.created_at > now() - interval '5 minutes' and exists (
    select from app_private.mail_files(mail) as file where file.way = 'pending'
  ) then
    update app_public.mail_messages as waiting
    set send_at = now() + interval '15 seconds'
    where waiting.organization_id = mail.organization_id and waiting.id = mail.id;
    perform app_private.enqueue_mail(mail.organization_id, mail.id, now() + interval '15 seconds');
    return null;
  end if;

  gaps := app_private.mail_gaps(mail, origin);
  -- Read by now, or a question whose time is over.
  if not app_private.mail_still_wanted(mail) or (mail.survey_id is not null and gaps #>> '{text,survey_link}' is null) then
    update app_public.mail_messages as dropped
    set state = 'cancelled'
    where dropped.organization_id = mail.organization_id and dropped.id = mail.id;
    perform app_private.note_mail(mail, 'cancelled');
    return null;
  end if;

  update app_public.mail_messages as claimed
  set claimed_until = now() + interval '10 minutes', claimed_by = app_hidden.current_worker()
  where claimed.organization_id = mail.organization_id and claimed.id = mail.id;

  domain := '@' || coalesce(substring(mail.from_address from '@([^@]*)$'), sender_domain) || '>';
  return jsonb_build_object(
    'kind', mail.kind,
    'from', jsonb_build_object('name', coalesce(mail.from_name, organization.name), 'address', mail.from_address),
    'to', jsonb_build_object('name', mail.to_name, 'address', mail.to_address),
    'replyTo', app_private.mail_reply_address(mail),
    'subject', mail.subject,
    'text', app_hidden.fill_gaps(mail.text_body, gaps -> 'text', origin),
    'html', app_hidden.fill_gaps(mail.html_body, gaps -> 'html', app_hidden.as_html(origin)),
    'messageId', replace(mail.message_id, '@desk.invalid>', domain),
    'references', to_jsonb(array(
      select replace(earlier.id, '@desk.invalid>', domain) from unnest(mail.reference_ids) with ordinality as earlier (id, position) order by earlier.position
    )),
    'headers', app_private.mail_headers(mail),
    'files', (
      select coalesce(jsonb_agg(jsonb_build_object('name', file.name, 'sha256', file.sha256, 'size', file.size, 'contentType', file.content_type)), '[]')
      from app_private.mail_files(mail) as file
      where file.way = 'attached'
    )
  );
end
$$;

comment on function app_private.mail_to_send(uuid, text, text) is
  'A mail as it is handed to the mail server, with new tokens in its links and its address to answer to, taken for ten minutes; null when it is not to be sent now. `origin` is the address people use, `senderDomain` that of the installation''s own address.';

-- What became of it

create or replace function app_private.note_mail(
  mail app_public.mail_messages, outcome app_public.mail_outcome, code integer default null, response text default null
) returns void
  language sql volatile
  set search_path = ''
as $$
  insert into app_public.mail_attempts (organization_id, mail_id, outcome, code, response)
  values (mail.organization_id, mail.id, note_mail.outcome, note_mail.code, left(note_mail.response, 2000))
$$;

comment on function app_private.note_mail(app_public.mail_messages, app_public.mail_outcome, integer, text) is 'Writes down what happened to a mail.';

create or replace function app_private.tell_of_failed_mail(mail app_public.mail_messages, outcome text, response text) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  facts constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'mail_id', mail.id, 'mail_kind', mail.kind, 'name', coalesce(mail.to_name, mail.to_address), 'address', mail.to_address,
    'outcome', outcome, 'detail', left(response, 500)
  ));
begin
  -- What tells of a failure would fail the same way, and tell of that.
  if mail.kind in ('alert', 'digest', 'test') then
    return;
  end if;

  perform set_config('atum.actor_name', 'Mail', true);
  if mail.kind in ('acknowledgement', 'reply', 'resolution', 'survey') and mail.ticket_id is not null then
    select * into strict ticket
    from app_public.tickets as concerned
    where concerned.organization_id = mail.organization_id and concerned.id = mail.ticket_id;
    perform app_private.record_ticket_event(ticket, 'mail_failed', facts);
  end if;
  -- Where none arrives one is told once an hour, and the outbox names them all.
  perform app_private.alert_admins(
    'mail_failed', facts || jsonb_strip_nulls(jsonb_build_object('ticket_id', mail.ticket_id, 'number', ticket.number)),
    'mail_failed:' || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24')
  );
  perform set_config('atum.actor_name', '', true);
end
$$;

comment on function app_private.tell_of_failed_mail(app_public.mail_messages, text, text) is 'Tells the ticket and the admins that a mail did not reach its recipient.';

create or replace function app_private.claimed_mail(mail_id uuid) returns app_public.mail_messages
  language sql volatile
  set search_path = ''
as $$
  select *
  from app_public.mail_messages as mail
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = claimed_mail.mail_id
    and mail.state in ('waiting', 'cancelled')
  for update
$$;

comment on function app_private.claimed_mail(uuid) is 'A mail of which a worker says what became of it, locked; null when that was said before.';

create or replace function app_private.mail_was_sent(mail_id uuid, code integer, response text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
begin
  if mail.id is null then
    return;
  end if;
  update app_public.mail_messages as sent
  set state = 'sent', sent_at = now(), attempts = sent.attempts + 1, claimed_until = null, last_error = null
  where sent.organization_id = mail.organization_id and sent.id = mail.id;
  perform app_private.note_mail(mail, 'sent', code, response);
end
$$;

comment on function app_private.mail_was_sent(uuid, integer, text) is 'The mail server took it.';

create or replace function app_private.mail_was_refused(mail_id uuid, code integer, response text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
begin
  if mail.id is null then
    return;
  end if;
  update app_public.mail_messages as failed
  set state = 'failed', attempts = failed.attempts + 1, claimed_until = null, last_error = left(response, 2000)
  where failed.organization_id = mail.organization_id and failed.id = mail.id;
  perform app_private.note_mail(mail, 'refused', code, response);
  perform app_private.tell_of_failed_mail(mail, 'refused', response);
end
$$;

comment on function app_private.mail_was_refused(uuid, integer, text) is 'The mail server will not take it, now or later.';

create or replace function app_private.mail_was_deferred(mail_id uuid, code integer, response text) returns timestamptz
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_public.mail_messages := app_private.claimed_mail(mail_id);
  -- From half a minute to two hours; so that many that failed together do not come back together.
  next_at constant timestamptz := now() + least(interval '30 seconds' * 2 ^ least(mail.attempts, 20), interval '2 hours') * (0.75 + random() / 2);
  is_over constant boolean := mail.give_up_at <= now();
begin
  if mail.id is null then
    return null;
  end if;
  update app_public.mail_messages as deferred
  set
    state = case when deferred.state = 'waiting' and is_over then 'failed' else deferred.state end,
    send_at = case when is_over then deferred.send_at else least(next_at, greatest(deferred.give_up_at, now() + interval '1 second')) end,
    attempts = deferred.attempts + 1, claimed_until = null, last_error = left(response, 2000)
  where deferred.organization_id = mail.organization_id and deferred.id = mail.id;
  perform app_private.note_mail(mail, 'deferred', code, response);

  if mail.state <> 'waiting' then
    return null;
  elsif is_over then
    perform app_private.tell_of_failed_mail(mail, 'given_up', response);
    return null;
  end if;
  perform app_private.enqueue_mail(mail.organization_id, mail.id, least(next_at, greatest(mail.give_up_at, now() + interval '1 second')));
  return least(next_at, mail.give_up_at);
end
$$;

comment on function app_private.mail_was_deferred(uuid, integer, text) is
  'The mail server did not take it for now, or was not there: it is tried again, ever more slowly, for a day, and then given up. Returns when it is tried again.';

create or replace function app_private.mail_was_kept(mail_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
begin
  update app_public.mail_messages as kept
  set state = 'kept'
  where kept.organization_id = app_hidden.current_organization_id() and kept.id = mail_was_kept.mail_id
    and kept.state = 'waiting' and kept.send_at <= now() and (kept.claimed_until is null or kept.claimed_until <= now())
  returning * into mail;
  if not found then
    return false;
  end if;
  perform app_private.note_mail(mail, 'kept');
  return true;
end
$$;

comment on function app_private.mail_was_kept(uuid) is 'There is no mail server: it is kept, to be read, and to be sent when there is one. Says whether it was this one''s turn.';

create or replace function app_private.record_bounce(message_ids text[], kind text, detail text) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_public.mail_messages;
  noted integer := 0;
begin
  if record_bounce.kind not in ('bounced', 'complained') then
    raise exception using errcode = '22023', message = 'A mail bounced or was complained about';
  end if;
  for mail in
    select message.*
    from app_public.mail_messages as message
    join app_private.mails_of_message_ids(message_ids) as named on named.mail_id = message.id
    where message.organization_id = app_hidden.current_organization_id() and message.state in ('sent', 'waiting')
    for update of message
  loop
    update app_public.mail_messages as returned
    set state = record_bounce.kind::app_public.mail_state, sent_at = coalesce(returned.sent_at, now()), claimed_until = null, last_error = left(detail, 2000)
    where returned.organization_id = mail.organization_id and returned.id = mail.id;
    perform app_private.note_mail(mail, record_bounce.kind::app_public.mail_outcome, null, detail);
    perform app_private.tell_of_failed_mail(mail, record_bounce.kind, detail);
    noted := noted + 1;
  end loop;
  return noted;
end
$$;

comment on function app_private.record_bounce(text[], text, text) is
  'Mails of ours, by any of the Message-IDs that a report names, came back (`bounced`) or were called spam (`complained`). Returns how many there were of which that was not known.';

create or replace function app_private.sweep_mail() returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  found_again integer;
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD301', message = 'Mails are swept for one organization at a time';
  end if;
  if exists (
    select from app_public.organizations as organization
    where organization.id = app_hidden.current_organization_id() and organization.suspended_at is not null
  ) then
    return 0;
  end if;

  select count(*) into found_again
  from (
    select app_private.enqueue_mail(late.organization_id, late.id)
    from (
      select *
      from app_public.mail_messages as mail
      where mail.organization_id = app_hidden.current_organization_id() and mail.state = 'waiting'
        and mail.send_at < now() - interval '1 minute' and (mail.claimed_until is null or mail.claimed_until <= now())
        and not exists (
          select from graphile_worker.jobs as job
          where job.key = 'send_mail:' || mail.id and job.locked_at is null and job.attempts < job.max_attempts
        )
      order by mail.send_at
      limit 1000
    ) as late
  ) as queued;
  return found_again;
end
$$;

comment on function app_private.sweep_mail() is
  'Gives mails of the current organization a job whose own one was lost with a worker, and returns how many there were. Error JOB_WITHOUT_ORGANIZATION without claims.';

revoke all on function
  app_private.mail_files(app_public.mail_messages), app_private.mail_gaps(app_public.mail_messages, text),
  app_private.mail_reply_address(app_public.mail_messages), app_private.mail_headers(app_public.mail_messages),
  app_private.mail_to_send(uuid, text, text), app_private.note_mail(app_public.mail_messages, app_public.mail_outcome, integer, text),
  app_private.tell_of_failed_mail(app_public.mail_messages, text, text), app_private.claimed_mail(uuid),
  app_private.mail_was_sent(uuid, integer, text), app_private.mail_was_refused(uuid, integer, text),
  app_private.mail_was_deferred(uuid, integer, text), app_private.mail_was_kept(uuid), app_private.record_bounce(text[], text, text),
  app_private.sweep_mail()
from public;

grant execute on function
  app_private.mail_to_send(uuid, text, text), app_private.mail_was_sent(uuid, integer, text),
  app_private.mail_was_refused(uuid, integer, text), app_private.mail_was_deferred(uuid, integer, text),
  app_private.mail_was_kept(uuid), app_private.record_bounce(text[], text, text), app_private.sweep_mail()
to atum_worker;
