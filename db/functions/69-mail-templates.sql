-- The templates of an organization's mails: which one holds, and what admins do with them.

create or replace function app_private.tg_organizations__found_mail() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  insert into app_public.mail_settings (organization_id) values (NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__found_mail() is 'Gives a new organization its settings for mails.';

create or replace trigger _500_found_mail after insert on app_public.organizations
  for each row execute function app_private.tg_organizations__found_mail();

create or replace function app_private.tg_mail_templates__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
declare
  unknown constant text := (
    select min(found.parts[1])
    from regexp_matches(NEW.subject || NEW.body, '\{\{([^{}]{0,60})', 'g') as found (parts)
    where btrim(found.parts[1]) <> all (app_hidden.mail_variables(NEW.kind))
  );
  missing constant text := (
    select min(needed.name)
    from (
      values ('reply'::app_public.mail_kind, 'comment.body'), ('survey', 'survey_link'), ('digest', 'notices'), ('alert', 'alert.text')
    ) as needed (kind, name)
    where needed.kind = NEW.kind and NEW.body !~ ('\{\{\s*' || replace(needed.name, '.', '[.]') || '(:[1-5])?\s*\}\}')
  );
begin
  if unknown is not null then
    raise exception using errcode = 'AD252', message = format('Nothing is called {{%s}} in such a mail', unknown);
  end if;
  if missing is not null then
    raise exception using errcode = 'AD253', message = format('Such a mail is worth nothing without {{%s}}', missing);
  end if;
  NEW.updated_at := now();
  return NEW;
end
$$;

comment on function app_private.tg_mail_templates__refuse() is 'Refuses words that name what does not exist, or lack what the mail is for. Errors MAIL_VARIABLE_UNKNOWN, MAIL_VARIABLE_MISSING.';

create or replace trigger _200_refuse before insert or update on app_public.mail_templates
  for each row execute function app_private.tg_mail_templates__refuse();

create or replace trigger _100_stamp_updated_at before update on app_public.mail_settings
  for each row execute function app_private.tg__stamp_updated_at();

create or replace function app_private.mail_template_for(organization app_public.organizations, kind app_public.mail_kind, locale text)
  returns table (language text, subject text, body text)
  language sql stable
  set search_path = ''
as $$
  select candidate.language, coalesce(own.subject, built_in.subject), coalesce(own.body, built_in.body)
  from (
    values (1, split_part(mail_template_for.locale, '-', 1)), (2, split_part(organization.locale, '-', 1)), (3, 'en')
  ) as candidate (position, language)
  left join app_public.mail_templates as own
    on own.organization_id = organization.id and own.kind = mail_template_for.kind and own.locale = candidate.language
  left join app_hidden.built_in_mail_templates() as built_in
    on built_in.kind = mail_template_for.kind and built_in.locale = candidate.language
  where own.id is not null or built_in.kind is not null
  order by candidate.position
  limit 1
$$;

comment on function app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text) is
  'What a mail says to whoever reads a language: the organization''s words before those that are built in, then its own language, then English.';

create or replace function app_private.mail_frame(organization app_public.organizations, language text) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'language', mail_frame.language, 'words', app_hidden.mail_words(mail_frame.language),
    'name', app_hidden.without_gaps(coalesce(settings.sender_name, organization.name)),
    'color', coalesce(settings.brand_color, '#27459b'), 'footer', app_hidden.without_gaps(coalesce(settings.footer, ''))
  )
  from (select) as one
  left join app_public.mail_settings as settings on settings.organization_id = organization.id
$$;

comment on function app_private.mail_frame(app_public.organizations, text) is 'What is around every mail of an organization.';

create or replace function app_public.current_mail_settings() returns app_public.mail_settings
  language sql stable
  set search_path = ''
as $$
  select * from app_public.mail_settings where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_mail_settings() is 'How the mails of the organization look. Admins only.';

create or replace function app_public.mail_wordings() returns setof app_public.mail_wording
  language sql stable security definer
  set search_path = ''
as $$
  select
    coalesce(own.kind, built_in.kind), coalesce(own.locale, built_in.locale),
    coalesce(own.subject, built_in.subject), coalesce(own.body, built_in.body), built_in.subject, built_in.body,
    own.id is not null, app_hidden.mail_variables(coalesce(own.kind, built_in.kind))
  from app_hidden.built_in_mail_templates() as built_in
  full join (
    select * from app_public.mail_templates as template
    where template.organization_id = app_hidden.current_organization_id()
  ) as own on own.kind = built_in.kind and own.locale = built_in.locale
  order by 1, 2
$$;

comment on function app_public.mail_wordings() is 'What the mails of the organization say, by kind and language. Admins only.';

create or replace function app_public.save_mail_template(kind app_public.mail_kind, locale text, subject text, body text)
  returns app_public.mail_templates
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  saved app_public.mail_templates;
begin
  insert into app_public.mail_templates as template (organization_id, kind, locale, subject, body)
  values (
    app_hidden.current_organization_id(), save_mail_template.kind, save_mail_template.locale,
    btrim(save_mail_template.subject), btrim(replace(save_mail_template.body, chr(13), ''), E' \t\n')
  )
  on conflict on constraint mail_templates_organization_id_kind_locale_key do update
  set subject = excluded.subject, body = excluded.body
  returning * into saved;
  return saved;
end
$$;

comment on function app_public.save_mail_template(app_public.mail_kind, text, text, text) is
  'Has mails of a kind say something else to those who read a language, from the next one on. Admins only. Errors: INVALID_INPUT, MAIL_VARIABLE_UNKNOWN for a variable these mails do not have, MAIL_VARIABLE_MISSING where what the mail is for would not be in it.';

create or replace function app_public.reset_mail_template(kind app_public.mail_kind, locale text) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.mail_templates as template
  where template.organization_id = app_hidden.current_organization_id()
    and template.kind = reset_mail_template.kind and template.locale = reset_mail_template.locale;
  return found;
end
$$;

comment on function app_public.reset_mail_template(app_public.mail_kind, text) is
  'Has mails of a kind say what is built in again, and returns whether they said something else. Admins only.';

create or replace function app_public.preview_mail_template(
  kind app_public.mail_kind,
  locale text,
  subject text,
  body text,
  sender_name text default null,
  brand_color text default null,
  footer text default null
) returns app_public.mail_rendering
  language plpgsql stable security definer
  set search_path = ''
as $$
declare
  organization app_public.organizations;
  language constant text := split_part(preview_mail_template.locale, '-', 1);
  german constant boolean := language = 'de';
  frame jsonb;
  rendering app_public.mail_rendering;
begin
  if brand_color !~ '^#[0-9a-f]{6}$' or octet_length(concat(preview_mail_template.subject, body, footer, sender_name)) > 131072 then
    raise exception using errcode = '22023', message = 'The colour is none, or the texts are too long';
  end if;
  select * into strict organization from app_public.organizations as own where own.id = app_hidden.current_organization_id();

  frame := app_private.mail_frame(organization, language) || jsonb_strip_nulls(jsonb_build_object(
    'name', app_hidden.without_gaps(nullif(btrim(sender_name), '')), 'color', brand_color, 'footer', app_hidden.without_gaps(footer),
    'marker', kind in ('acknowledgement', 'reply', 'resolution'),
    'reference', case when kind not in ('digest', 'alert', 'test') then organization.ticket_prefix || '-1042' end
  ));

  rendering := app_hidden.render_mail(
    coalesce(preview_mail_template.subject, ''), coalesce(body, ''),
    jsonb_build_object(
      'organization.name', organization.name, 'recipient.name', 'Ada Lovelace', 'recipient.first_name', 'Ada',
      'ticket.reference', organization.ticket_prefix || '-1042',
      'ticket.subject', case when german then 'Die Lampe im Flur flackert' else 'The lamp in the hall flickers' end,
      'ticket.status', frame #>> '{words,open}', 'ticket.priority', frame #>> '{words,normal}',
      'ticket.service', case when german then 'Haustechnik' else 'Building services' end,
      'comment.author', 'Grace Hopper',
      'comment.body', case when german
        then E'es war eine lose Klemme. Wir haben sie heute Morgen festgezogen.\n\nFlackert es noch?\nSagen Sie es uns: <ein Wort genügt>.'
        else E'it was a loose terminal. We tightened it this morning.\n\nDoes it still flicker?\nTell us: <one word will do>.' end,
      'how_to_answer', frame #>> '{words,by_mail}',
      'notice.title', case when german then 'Grace Hopper hat Ihnen ein Ticket zugewiesen' else 'Grace Hopper assigned a ticket to you' end,
      'notice.text', case when german then 'Es ist dringend und morgen um 9:00 fällig.' else 'It is urgent and due tomorrow at 9:00.' end,
      'alert.title', case when german then 'Eine Mail konnte nicht zugestellt werden' else 'A mail could not be delivered' end,
      'alert.text', '550 5.1.1 No such mailbox',
      'survey.question', case when german then 'Wie haben wir das gemacht?' else 'How did we do?' end
    ),
    jsonb_build_object(
      'files', jsonb_build_array(jsonb_build_object(
        'id', 'example', 'name', case when german then 'Klemme.jpg' else 'terminal.jpg' end, 'size', 48213
      )),
      'notices', case when german
        then '[{"title": "Grace Hopper hat Ihnen ATUM-1042 zugewiesen", "text": "Die Lampe im Flur flackert", "path": "/desk/tickets/1042"}, {"title": "Neue Antwort auf ATUM-1007", "text": "Danke, jetzt geht es wieder.", "path": "/desk/tickets/1007"}]'::jsonb
        else '[{"title": "Grace Hopper assigned ATUM-1042 to you", "text": "The lamp in the hall flickers", "path": "/desk/tickets/1042"}, {"title": "New answer on ATUM-1007", "text": "Thank you, it works again.", "path": "/desk/tickets/1007"}]'::jsonb
      end
    ),
    '{"ticket_link": "{{link:/portal/tickets/1042}}", "link": "{{link:/desk}}", "survey_link": "{{survey_link}}"}', frame
  );
  return app_hidden.mail_as_shown(rendering);
end
$$;

comment on function app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text) is
  'How a mail would read with these words, told with an invented ticket; `senderName`, `brandColor` and `footer` instead of those in the settings, where given. Nothing is saved or sent. Admins only. Error INVALID_INPUT for a colour that is none.';

create or replace function app_hidden.mail_as_shown(rendering app_public.mail_rendering) returns app_public.mail_rendering
  language plpgsql immutable
  set search_path = ''
as $$
declare
  -- What lets somebody in is made when the mail is sent, and never shown.
  gaps constant jsonb := (
    select jsonb_object_agg('survey_link' || suffix, 'https://desk.example/survey/…') from unnest(array['', ':1', ':2', ':3', ':4', ':5']) as suffix
  );
begin
  rendering.text_body := app_hidden.fill_gaps(rendering.text_body, gaps, 'https://desk.example');
  rendering.html_body := app_hidden.fill_gaps(rendering.html_body, gaps, 'https://desk.example');
  return rendering;
end
$$;

comment on function app_hidden.mail_as_shown(app_public.mail_rendering) is 'A mail for admins to look at: with links that lead nowhere.';

create or replace function app_public.mail_messages_preview(mail app_public.mail_messages) returns app_public.mail_rendering
  language sql stable
  set search_path = ''
as $$
  select app_hidden.mail_as_shown(row(mail.subject, mail.text_body, mail.html_body)::app_public.mail_rendering)
$$;

comment on function app_public.mail_messages_preview(app_public.mail_messages) is
  'The mail as its recipient reads it, but for its links, which lead nowhere here: those that let somebody in are made when it is sent.';

revoke all on function
  app_private.tg_organizations__found_mail(), app_private.tg_mail_templates__refuse(),
  app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text), app_private.mail_frame(app_public.organizations, text),
  app_hidden.mail_as_shown(app_public.mail_rendering), app_public.current_mail_settings(), app_public.mail_wordings(),
  app_public.save_mail_template(app_public.mail_kind, text, text, text), app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages)
from public;

grant execute on function
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages), app_hidden.mail_as_shown(app_public.mail_rendering)
to atum_admin;
