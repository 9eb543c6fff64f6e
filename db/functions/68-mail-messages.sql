-- Mails are written in the transaction of the fact they tell of, kept, and sent by a job. What they carry that lets
-- somebody in is made when they are sent (docs/decisions/0008), so that it is nowhere but in the mail.

create or replace function app_private.mail_thread(ticket app_public.tickets, reader app_public.users) returns text[]
  language sql stable
  set search_path = ''
as $$
  -- The first one, by which programs keep a thread together, and the last ones.
  with earlier as (
    select mail.message_id, mail.created_at
    from app_public.mail_messages as mail
    where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.user_id = reader.id
    union all
    select mail.message_id, mail.created_at
    from app_public.incoming_mails as mail
    where mail.organization_id = ticket.organization_id and mail.ticket_id = ticket.id and mail.comment_id is not null
      and lower(mail.from_address) = reader.email::text and mail.message_id ~ '^<[^[:space:][:cntrl:]<>]+>$'
  ),
  counted as (
    select message_id, created_at, row_number() over (order by created_at, message_id) as first, row_number() over (order by created_at desc, message_id desc) as last
    from earlier
  )
  select coalesce(array_agg(message_id order by first), '{}') from counted where first = 1 or last <= 19
$$;

comment on function app_private.mail_thread(app_public.tickets, app_public.users) is 'The `References` of a mail to a person about a ticket: up to 20 earlier ones that they got or wrote, oldest first.';

create or replace function app_private.mail_variables_of(
  recipient app_public.users, ticket app_public.tickets, comment app_public.comments, facts jsonb, language text, can_answer boolean
) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
begin
  return (
    select jsonb_strip_nulls(jsonb_build_object(
      'organization.name', organization.name,
      'recipient.name', recipient.name, 'recipient.first_name', split_part(recipient.name, ' ', 1),
      'ticket.reference', ticket.reference, 'ticket.subject', ticket.subject,
      'ticket.status', words.said ->> (case ticket.status when 'pending' then 'pending_status' else ticket.status::text end),
      'ticket.priority', words.said ->> ticket.priority::text,
      'ticket.service', service.name,
      'comment.author', coalesce(author.name, comment.author_name, organization.name),
      'comment.body', comment.body,
      'how_to_answer', words.said ->> case when can_answer then 'by_mail' else 'in_portal' end,
      'notice.title', notice.title, 'notice.text', case when comment.id is null then notice.body end,
      'alert.title', notice.title, 'alert.text', notice.body,
      'survey.question', coalesce(
        survey.question, case language when 'de' then 'Wie haben wir das gemacht?' else 'How did we do?' end
      )
    ))
    from app_public.organizations as organization
    cross join lateral (select app_hidden.mail_words(language) as said) as words
    cross join lateral app_hidden.notice_words(facts, language, coalesce(recipient.time_zone, organization.time_zone)) as notice
    left join app_public.services as service on service.organization_id = organization.id and service.id = ticket.service_id
    left join app_public.csat_surveys as survey
      on survey.organization_id = organization.id and survey.id::text = facts ->> 'survey_id'
    left join app_public.users as author on author.organization_id = organization.id and author.id = comment.author_id
    where organization.id = recipient.organization_id
  );
end
$$;

comment on function app_private.mail_variables_of(app_public.users, app_public.tickets, app_public.comments, jsonb, text, boolean) is
  'What the variables of a mail stand for. Nothing that only staff may read is among them, but what a notice tells its reader.';

create or replace function app_private.may_be_mailed(
  kind app_public.mail_kind, recipient app_public.users, ticket app_public.tickets, comment app_public.comments, facts jsonb
) returns boolean
  language sql stable
  set search_path = ''
as $$
  select coalesce(
    recipient.disabled_at is null
    and recipient.email::text ~ '^[^[:space:][:cntrl:]<>@]+@[^[:space:][:cntrl:]<>@]+$'
    -- Whatever went wrong before: what a person may not read does not reach them by mail either.
    and (recipient.role <> 'customer' or comment.id is null or comment.visibility = 'public')
    and (
      ticket.id is null or app_private.may_see_ticket(recipient.id, ticket)
      or (kind = 'notice' and comment.id is null and facts -> 'reasons' ? 'approver')
    )
    and (
      kind <> 'acknowledgement'
      or not exists (
        select from app_public.mail_settings as settings
        where settings.organization_id = recipient.organization_id and not settings.acknowledges
      )
    ),
    false
  )
$$;

comment on function app_private.may_be_mailed(app_public.mail_kind, app_public.users, app_public.tickets, app_public.comments, jsonb) is
  'Whether a mail to a person is written at all: they have an address and an account that is not shut, may read what it says, and the organization sends such mails.';

create or replace function app_private.write_mail(
  kind app_public.mail_kind,
  dedupe_key text,
  recipient app_public.users,
  ticket app_public.tickets default null,
  comment app_public.comments default null,
  facts jsonb default '{}',
  send_at timestamptz default null
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  organization app_public.organizations;
  template record;
  rendering app_public.mail_rendering;
  frame jsonb;
  variables jsonb;
  said constant jsonb := coalesce(facts, '{}') || case when ticket.id is null then '{}' else jsonb_build_object('number', ticket.number) end;
  mailbox app_public.mailboxes;
  files jsonb := '[]';
  path constant text := app_hidden.notice_path(said, recipient.role);
  mail_id constant uuid := app_hidden.uuid_v7();
  due constant timestamptz := greatest(coalesce(send_at, now()), now());
begin
  if not app_private.may_be_mailed(kind, recipient, ticket, comment, said) or exists (
    select from app_public.mail_messages as written
    where written.organization_id = recipient.organization_id and written.dedupe_key = write_mail.dedupe_key
  ) then
    return null;
  end if;

  select * into strict organization from app_public.organizations as own where own.id = recipient.organization_id;
  select * into strict template
  from app_private.mail_template_for(organization, kind, coalesce(recipient.locale, organization.locale));

  if ticket.id is not null and kind <> 'alert' then
    mailbox := app_private.mailbox_of(ticket);
  end if;
  if comment.id is not null then
    select coalesce(jsonb_agg(jsonb_build_object('id', file.id, 'name', file.name, 'size', file.size) order by file.created_at, file.id), '[]')
    into files
    from (
      select *
      from app_public.attachments as attached
      where attached.organization_id = comment.organization_id and attached.comment_id = comment.id
      order by attached.created_at, attached.id
      limit 50
    ) as file;
  end if;

  frame := app_private.mail_frame(organization, template.language) || jsonb_build_object(
    'reference', ticket.reference,
    'marker', mailbox.id is not null and kind in ('acknowledgement', 'reply', 'resolution', 'notice')
  );
  variables := app_private.mail_variables_of(recipient, ticket, comment, said, template.language, mailbox.id is not null);
  rendering := app_hidden.render_mail(
    template.subject, template.body, variables,
    jsonb_build_object('files', files, 'notices', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'title', concat_ws(': ', entry.facts ->> 'reference', notice.title),
        'text', concat_ws(E'\n', entry.facts ->> 'subject', nullif(notice.body, '')),
        'path', app_hidden.notice_path(entry.facts, recipient.role)
      ) order by entry.position), '[]')
      from jsonb_array_elements(coalesce(said -> 'notifications', '[]')) with ordinality as entry (facts, position)
      cross join lateral app_hidden.notice_words(entry.facts, template.language, coalesce(recipient.time_zone, organization.time_zone)) as notice
    )),
    jsonb_build_object('link', '{{link:' || path || '}}', 'ticket_link', '{{link:' || path || '}}', 'survey_link', '{{survey_link}}'),
    frame
  );

  insert into app_public.mail_messages (
    organization_id, id, kind, dedupe_key, user_id, to_name, to_address, from_name, from_address, ticket_id, comment_id, locale,
    subject, text_body, html_body, message_id, reference_ids, attachment_ids, survey_id, asks_for_reply, send_at, give_up_at
  )
  values (
    recipient.organization_id, mail_id, kind, write_mail.dedupe_key, recipient.id,
    nullif(btrim(regexp_replace(recipient.name, '[[:cntrl:][:space:]]+', ' ', 'g')), ''), recipient.email,
    coalesce((select settings.sender_name from app_public.mail_settings as settings where settings.organization_id = organization.id), mailbox.name),
    mailbox.address, ticket.id, comment.id, template.language, rendering.subject, rendering.text_body, rendering.html_body,
    -- The domain is that of the sender, which is known when it is sent; what is looked for later is the part before it.
    format('<%s.%s@desk.invalid>', mail_id, encode(public.gen_random_bytes(8), 'hex')),
    case when ticket.id is null then '{}' else app_private.mail_thread(ticket, recipient) end,
    array(select (file.value ->> 'id')::uuid from jsonb_array_elements(files) with ordinality as file (value, position) order by file.position),
    case when kind = 'survey' and pg_input_is_valid(said ->> 'survey_id', 'uuid') then (said ->> 'survey_id')::uuid end,
    mailbox.id is not null, due, due + interval '1 day'
  )
  on conflict on constraint mail_messages_organization_id_dedupe_key_key do nothing;
  if not found then
    return null;
  end if;

  perform app_private.enqueue_mail(recipient.organization_id, mail_id, due);
  return mail_id;
end
$$;

comment on function app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz) is
  'Writes a mail to a person by the template of its kind, and has it sent; one for each key. Facts: the `survey_id` of a survey, `notifications` of a digest, those of a notification or an alert otherwise. Returns its row id, or null where one was written before or the person is not to be mailed.';

create or replace function app_private.enqueue_mail(organization_id uuid, mail_id uuid, run_at timestamptz default null) returns void
  language sql volatile
  set search_path = ''
as $$
  select app_private.enqueue(
    'send_mail', enqueue_mail.organization_id, jsonb_build_object('mailId', enqueue_mail.mail_id),
    run_at => case when enqueue_mail.run_at > now() then enqueue_mail.run_at end, job_key => 'send_mail:' || enqueue_mail.mail_id,
    -- Two at a time for each organization: one that has thousands to send leaves room for the mails of others.
    queue_name => 'send_mail:' || enqueue_mail.organization_id || ':' || get_byte(uuid_send(enqueue_mail.mail_id), 15) % 2
  )
$$;

comment on function app_private.enqueue_mail(uuid, uuid, timestamptz) is 'Has a job send a mail.';

-- What answers refer to

create or replace function app_private.mails_of_message_ids(message_ids text[]) returns table (mail_id uuid)
  language sql stable
  set search_path = ''
as $$
  select mail.id
  from unnest(message_ids[1:200]) as named (message_id)
  cross join lateral regexp_match(
    lower(named.message_id), '^<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})[.]([0-9a-f]{16})@'
  ) as found (parts)
  join app_public.mail_messages as mail
    on mail.organization_id = app_hidden.current_organization_id() and mail.id = found.parts[1]::uuid
    and starts_with(mail.message_id, '<' || found.parts[1] || '.' || found.parts[2] || '@')
  group by mail.id
$$;

comment on function app_private.mails_of_message_ids(text[]) is 'Our own mails among up to 200 Message-IDs, by what stands before the @.';

create or replace function app_private.ticket_of_message_ids(message_ids text[]) returns table (ticket_id uuid, user_id uuid)
  language sql stable security definer
  set search_path = ''
as $$
  select mail.ticket_id, mail.user_id
  from app_private.mails_of_message_ids(message_ids) as named
  join app_public.mail_messages as mail on mail.organization_id = app_hidden.current_organization_id() and mail.id = named.mail_id
  where mail.ticket_id is not null
  order by array_position(message_ids, mail.message_id) desc nulls last, mail.created_at desc, mail.id desc
$$;

comment on function app_private.ticket_of_message_ids(text[]) is
  'The tickets that mails of ours were about, and to whom they were, by the Message-IDs an answer refers to (`In-Reply-To`, `References`); the newest first. A ticket may be merged into another one by now.';

create or replace function app_private.ticket_of_reply_token(token text) returns table (ticket_id uuid, user_id uuid)
  language sql stable security definer
  set search_path = ''
as $$
  select mail.ticket_id, mail.user_id
  from app_private.mail_reply_tokens as known
  join app_public.mail_messages as mail on mail.organization_id = known.organization_id and mail.id = known.mail_id
  where known.organization_id = app_hidden.current_organization_id()
    and known.token_hash = app_private.token_hash(lower(ticket_of_reply_token.token)) and mail.ticket_id is not null
$$;

comment on function app_private.ticket_of_reply_token(text) is
  'The ticket a mail of ours was about, and to whom it was, by the token in the address it was answered to. A ticket may be merged into another one by now.';

revoke all on function
  app_private.mail_thread(app_public.tickets, app_public.users),
  app_private.mail_variables_of(app_public.users, app_public.tickets, app_public.comments, jsonb, text, boolean),
  app_private.may_be_mailed(app_public.mail_kind, app_public.users, app_public.tickets, app_public.comments, jsonb),
  app_private.write_mail(app_public.mail_kind, text, app_public.users, app_public.tickets, app_public.comments, jsonb, timestamptz),
  app_private.enqueue_mail(uuid, uuid, timestamptz),
  app_private.mails_of_message_ids(text[]), app_private.ticket_of_message_ids(text[]), app_private.ticket_of_reply_token(text)
from public;

grant execute on function app_private.ticket_of_message_ids(text[]), app_private.ticket_of_reply_token(text) to atum_worker;
