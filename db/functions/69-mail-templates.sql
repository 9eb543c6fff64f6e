-- What mails say. A mail is rendered where it is written, once, so that what is read later is what was said. The text of
-- a template makes both its plain text and its HTML: every value is escaped, paragraphs and links become markup, and
-- nothing is fetched from anywhere. Links that let somebody in stay gaps, `{{…}}`, until it is sent.

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

create or replace function app_hidden.built_in_mail_templates()
  returns table (kind app_public.mail_kind, locale text, subject text, body text)
  language sql immutable
  set search_path = ''
as $$
  values
    ('acknowledgement'::app_public.mail_kind, 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

thank you for your message. We have it as {{ticket.reference}} and will answer as soon as we can.

{{comment.body}}

{{files}}

View your request: {{ticket_link}}

{{how_to_answer}}'),
    ('acknowledgement', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

vielen Dank für Ihre Nachricht. Sie ist als {{ticket.reference}} bei uns, und wir antworten so bald wie möglich.

{{comment.body}}

{{files}}

Anfrage ansehen: {{ticket_link}}

{{how_to_answer}}'),
    ('reply', 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

{{comment.author}} wrote about {{ticket.reference}}:

{{comment.body}}

{{files}}

View the conversation: {{ticket_link}}

{{how_to_answer}}'),
    ('reply', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

{{comment.author}} schreibt zu {{ticket.reference}}:

{{comment.body}}

{{files}}

Verlauf ansehen: {{ticket_link}}

{{how_to_answer}}'),
    ('resolution', 'en', '{{ticket.subject}}',
      'Hello {{recipient.name}},

we have resolved {{ticket.reference}}.

{{comment.body}}

{{files}}

View your request: {{ticket_link}}

If something is still missing, answer and we will look at it again. {{how_to_answer}}'),
    ('resolution', 'de', '{{ticket.subject}}',
      'Guten Tag {{recipient.name}},

wir haben {{ticket.reference}} gelöst.

{{comment.body}}

{{files}}

Anfrage ansehen: {{ticket_link}}

Wenn noch etwas fehlt, antworten Sie, und wir sehen es uns wieder an. {{how_to_answer}}'),
    ('notice', 'en', '{{notice.title}}',
      'Hello {{recipient.name}},

{{notice.title}}

{{notice.text}}

{{comment.body}}

{{files}}

Open it: {{link}}'),
    ('notice', 'de', '{{notice.title}}',
      'Guten Tag {{recipient.name}},

{{notice.title}}

{{notice.text}}

{{comment.body}}

{{files}}

Öffnen: {{link}}'),
    ('digest', 'en', 'What happened at {{organization.name}}',
      'Hello {{recipient.name}},

this happened since the last summary:

{{notices}}

Open the desk: {{link}}'),
    ('digest', 'de', 'Was bei {{organization.name}} geschehen ist',
      'Guten Tag {{recipient.name}},

das ist seit der letzten Übersicht geschehen:

{{notices}}

Helpdesk öffnen: {{link}}'),
    ('survey', 'en', 'How did we do?',
      'Hello {{recipient.name}},

we have resolved {{ticket.reference}}, “{{ticket.subject}}”. {{survey.question}} One click is enough:

5 – very good: {{survey_link:5}}
4 – good: {{survey_link:4}}
3 – so-so: {{survey_link:3}}
2 – bad: {{survey_link:2}}
1 – very bad: {{survey_link:1}}

Thank you!'),
    ('survey', 'de', 'Wie war es mit uns?',
      'Guten Tag {{recipient.name}},

wir haben {{ticket.reference}}, „{{ticket.subject}}“, gelöst. {{survey.question}} Ein Klick genügt:

5 – sehr gut: {{survey_link:5}}
4 – gut: {{survey_link:4}}
3 – mittel: {{survey_link:3}}
2 – schlecht: {{survey_link:2}}
1 – sehr schlecht: {{survey_link:1}}

Vielen Dank!'),
    ('alert', 'en', '{{alert.title}}',
      'Hello {{recipient.name}},

{{alert.title}}

{{alert.text}}

Look at it: {{link}}'),
    ('alert', 'de', '{{alert.title}}',
      'Guten Tag {{recipient.name}},

{{alert.title}}

{{alert.text}}

Ansehen: {{link}}'),
    ('test', 'en', 'A test from the help desk of {{organization.name}}',
      'Hello,

this mail shows that the help desk of {{organization.name}} can send mails, and how they look.

Open the desk: {{link}}'),
    ('test', 'de', 'Ein Test vom Helpdesk von {{organization.name}}',
      'Guten Tag,

diese Mail zeigt, dass der Helpdesk von {{organization.name}} Mails verschicken kann, und wie sie aussehen.

Helpdesk öffnen: {{link}}')
$$;

comment on function app_hidden.built_in_mail_templates() is 'What mails say where an organization has no words of its own.';

create or replace function app_hidden.mail_variables(kind app_public.mail_kind) returns text[]
  language sql immutable
  set search_path = ''
as $$
  select array['organization.name', 'recipient.name', 'recipient.first_name'] || case kind
    when 'digest' then array['notices', 'link']
    when 'alert' then array['alert.title', 'alert.text', 'link']
    when 'test' then array['link']
    else array['ticket.reference', 'ticket.subject', 'ticket.status', 'ticket.priority', 'ticket.service'] || case kind
      when 'notice' then array['notice.title', 'notice.text', 'comment.author', 'comment.body', 'files', 'link']
      when 'survey' then
        array['survey.question', 'survey_link', 'survey_link:1', 'survey_link:2', 'survey_link:3', 'survey_link:4', 'survey_link:5', 'ticket_link']
      else array['comment.author', 'comment.body', 'files', 'ticket_link', 'how_to_answer']
    end
  end
$$;

comment on function app_hidden.mail_variables(app_public.mail_kind) is 'The variables that stand for something in mails of a kind.';

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

create or replace function app_hidden.mail_words(language text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select case language
    when 'de' then '{
      "marker": "##- Bitte antworten Sie oberhalb dieser Zeile -##", "files": "Dateien", "and_more": "Mehr im Helpdesk.",
      "by_mail": "Antworten Sie einfach auf diese Mail.", "in_portal": "Bitte antworten Sie im Portal; Antworten auf diese Mail liest niemand.",
      "blocked": "nicht angehängt: als gefährlich erkannt", "pending": "nicht angehängt: wird noch geprüft, im Portal zu finden",
      "gone": "nicht angehängt: wurde entfernt", "large": "zu groß für eine Mail, im Portal zu finden",
      "new": "neu", "open": "offen", "pending_status": "wartend", "on_hold": "zurückgestellt", "resolved": "gelöst", "closed": "geschlossen",
      "low": "niedrig", "normal": "normal", "high": "hoch", "urgent": "dringend"
    }'::jsonb
    else '{
      "marker": "##- Please write your answer above this line -##", "files": "Files", "and_more": "More in the help desk.",
      "by_mail": "To answer, simply reply to this mail.", "in_portal": "Please answer in the portal; nobody reads answers to this mail.",
      "blocked": "not attached: found to be dangerous", "pending": "not attached: still being checked, to be found in the portal",
      "gone": "not attached: it was removed", "large": "too large for a mail, to be found in the portal",
      "new": "new", "open": "open", "pending_status": "pending", "on_hold": "on hold", "resolved": "resolved", "closed": "closed",
      "low": "low", "normal": "normal", "high": "high", "urgent": "urgent"
    }'::jsonb
  end
$$;

comment on function app_hidden.mail_words(text) is
  'The words around what a mail says. The `marker`, above which answers are written, begins with `##-` and ends with `-##` in every language.';

create or replace function app_hidden.as_html(content text) returns text
  language sql immutable strict
  set search_path = ''
as $$
  select replace(replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
$$;

comment on function app_hidden.as_html(text) is 'A text as it stands in HTML, where nothing in it is markup.';

-- What a person wrote may look like a gap, or become one beside its neighbour.
create or replace function app_hidden.without_gaps(content text) returns text
  language sql immutable strict
  set search_path = ''
as $$
  select regexp_replace(regexp_replace(replace(content, '{{', '{{braces}}'), '(^|[^{])\{$', '\1{{brace}}'), '^\{(?!\{)', '{{brace}}')
$$;

comment on function app_hidden.without_gaps(text) is 'A text in which braces that could be taken for a gap are gaps themselves, filled with braces.';

create or replace function app_hidden.fill_gaps(content text, gaps jsonb, origin text) returns text
  language sql immutable
  set search_path = ''
as $$
  select coalesce(string_agg(
    case
      when piece.position = 1 then piece.value
      when found.parts is null then '{{' || piece.value
      when starts_with(found.parts[1], 'link:/') then fill_gaps.origin || substr(found.parts[1], 6) || found.parts[2]
      when found.parts[1] = 'braces' then '{{' || found.parts[2]
      when found.parts[1] = 'brace' then '{' || found.parts[2]
      else coalesce(gaps ->> found.parts[1], '') || found.parts[2]
    end,
    '' order by piece.position
  ), '')
  from string_to_table(content, '{{') with ordinality as piece (value, position)
  left join lateral regexp_match(piece.value, '^\s*([a-z_]+(?::[^{}[:space:]]*)?)\s*\}\}(.*)$') as found (parts) on true
$$;

comment on function app_hidden.fill_gaps(text, jsonb, text) is
  'The body of a mail with its gaps filled: `{{link:/path}}` with the address people use, any other with what is said of it, or nothing.';

create or replace function app_hidden.with_links(content text) returns text
  language sql immutable
  set search_path = ''
as $$
  select regexp_replace(
    regexp_replace(
      content,
      'https?://(?:[^[:space:]&<>]|&amp;)*[^[:space:]&<>.,;:!?)]',
      '<a href="\&">\&</a>', 'g'
    ),
    '\{\{\s*(link:/[^{}[:space:]]*|survey_link(?::[1-5])?)\s*\}\}',
    '<a href="{{\1}}">{{\1}}</a>', 'g'
  )
$$;

comment on function app_hidden.with_links(text) is 'A text that is escaped already, with its addresses and its gaps for links as links.';

create or replace function app_hidden.mail_paragraphs(content text, attributes text) returns text
  language sql immutable
  set search_path = ''
as $$
  select coalesce(string_agg(
    '<p' || attributes || '>' || replace(replace(app_hidden.with_links(btrim(paragraph.value, E'\n')), '  ', '&nbsp; '), E'\n', E'<br>\n') || '</p>',
    E'\n' order by paragraph.position
  ), '')
  from regexp_split_to_table(content, '\n[[:blank:]]*\n') with ordinality as paragraph (value, position)
  where paragraph.value ~ '\S'
$$;

comment on function app_hidden.mail_paragraphs(text, text) is 'A text that is escaped already as paragraphs of HTML.';

create or replace function app_hidden.ink_on(color text) returns text
  language sql immutable
  set search_path = ''
as $$
  select case
    when (
      ('x' || substr(color, 2, 2))::bit(8)::integer * 299 + ('x' || substr(color, 4, 2))::bit(8)::integer * 587
        + ('x' || substr(color, 6, 2))::bit(8)::integer * 114
    ) > 140000 then '#16181d'
    else '#ffffff'
  end
$$;

comment on function app_hidden.ink_on(text) is 'Black or white, whichever reads better on a colour.';

create or replace function app_hidden.mail_buttons(paragraph text, links jsonb, color text) returns text
  language sql immutable
  set search_path = ''
as $$
  select '<p style="margin:20px 0">' || string_agg(
    '<a class="button" href="' || app_hidden.fill_in(found.parts[2], links)
      || '" style="display:inline-block;margin:0 8px 8px 0;padding:10px 18px;border-radius:8px;font-weight:600;text-decoration:none;background:'
      || color || ';color:' || app_hidden.ink_on(color) || '">' || app_hidden.as_html(btrim(found.parts[1])) || '</a>',
    E'\n' order by line.position
  ) || '</p>'
  from string_to_table(paragraph, E'\n') with ordinality as line (value, position)
  cross join lateral regexp_match(line.value, '^(.*):\s*(\{\{.*\}\})\s*$') as found (parts)
$$;

comment on function app_hidden.mail_buttons(text, jsonb, text) is 'Lines of the form `Label: {{link}}` as buttons.';

-- Without tables and images; who reads in the dark is not blinded, and what a mail program leaves of it still reads well.
create or replace function app_hidden.mail_document(subject text, content text, frame jsonb) returns text
  language sql immutable
  set search_path = ''
as $$
  select '<!doctype html>
<html lang="' || app_hidden.as_html(frame ->> 'language') || '">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>' || app_hidden.as_html(app_hidden.without_gaps(subject)) || '</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark }
a { color: inherit }
@media (prefers-color-scheme: dark) {
  body { background: #15181e !important; color: #e7e9ec !important }
  .card { background: #1e222a !important; border-right-color: #343a45 !important; border-bottom-color: #343a45 !important; border-left-color: #343a45 !important }
  .said { border-color: #4a5261 !important }
  .faint { color: #a4abb6 !important }
}
</style>
</head>
<body style="margin:0;padding:0;background:#f4f3f0;color:#1c2230;font-family:system-ui,-apple-system,''Segoe UI'',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.55">
<div style="max-width:600px;margin:0 auto;padding:16px;overflow-wrap:anywhere">
' || case when (frame ->> 'marker')::boolean
    then '<p class="faint" style="margin:0 0 12px;font-size:12px;color:#6b7280">' || app_hidden.as_html(frame #>> '{words,marker}') || E'</p>\n'
    else '' end
  || '<div class="card" style="background:#ffffff;border:1px solid #e2e0db;border-top:4px solid ' || (frame ->> 'color') || ';border-radius:10px;padding:8px 24px 12px">
<p class="faint" style="margin:12px 0 4px;font-size:13px;font-weight:600;color:#5b6472">' || app_hidden.as_html(frame ->> 'name') || '</p>
' || content || '
</div>
<div class="faint" style="padding:4px 24px;font-size:13px;color:#6b7280">
' || app_hidden.mail_paragraphs(app_hidden.as_html(frame ->> 'footer'), ' style="margin:8px 0"') || '
</div>
</div>
</body>
</html>
'
$$;

comment on function app_hidden.mail_document(text, text, jsonb) is 'The page that every mail is. It loads nothing.';

create or replace function app_hidden.mail_files(files jsonb, words jsonb, as_html boolean) returns text
  language sql immutable
  set search_path = ''
as $$
  select case when as_html
    then '<p style="margin:16px 0 4px"><strong>' || app_hidden.as_html(words ->> 'files') || E'</strong></p>\n<ul style="margin:0 0 16px;padding-left:20px">'
      || string_agg('<li>' || app_hidden.as_html(app_hidden.without_gaps(listed.line)) || '{{file_link:' || (listed.file ->> 'id') || '}}</li>', '' order by listed.position) || '</ul>'
    else (words ->> 'files') || E':\n'
      || string_agg('- ' || app_hidden.without_gaps(listed.line) || '{{file_link:' || (listed.file ->> 'id') || '}}', E'\n' order by listed.position)
  end
  from (
    select
      entry.value as file, entry.position,
      (entry.value ->> 'name') || ' (' || replace(pg_size_pretty((entry.value ->> 'size')::bigint), 'bytes', 'B') || ')' as line
    from jsonb_array_elements(files) with ordinality as entry (value, position)
  ) as listed
  having count(*) > 0
$$;

comment on function app_hidden.mail_files(jsonb, jsonb, boolean) is 'The list of the files of a mail, each with a gap for how it comes.';

create or replace function app_hidden.mail_notices(notices jsonb, words jsonb, as_html boolean) returns text
  language sql immutable
  set search_path = ''
as $$
  select case when as_html
    then string_agg(
      '<p style="margin:14px 0"><strong>' || app_hidden.as_html(entry.title) || '</strong>'
        || coalesce(E'<br>\n' || replace(app_hidden.as_html(entry.text), E'\n', E'<br>\n'), '')
        || coalesce(E'<br>\n' || app_hidden.with_links(entry.link), '') || '</p>',
      E'\n' order by entry.position
    )
    else string_agg('- ' || concat_ws(E'\n  ', entry.title, replace(entry.text, E'\n', E'\n  '), entry.link), E'\n\n' order by entry.position)
  end
  from (
    select
      noticed.position, app_hidden.without_gaps(noticed.value ->> 'title') as title,
      app_hidden.without_gaps(nullif(noticed.value ->> 'text', '')) as text,
      '{{link:' || substring(noticed.value ->> 'path' from '^/[A-Za-z0-9/_?=&.-]*$') || '}}' as link
    from jsonb_array_elements(notices) with ordinality as noticed (value, position)
    where noticed.position <= 100
    union all
    select 101, app_hidden.without_gaps(words ->> 'and_more'), null, null
    where jsonb_array_length(notices) > 100
  ) as entry
$$;

comment on function app_hidden.mail_notices(jsonb, jsonb, boolean) is 'Up to a hundred notices as a mail tells of them: a list of `{title, text, path}`.';

create or replace function app_hidden.mail_subject(template text, variables jsonb, reference text) returns text
  language sql immutable
  set search_path = ''
as $$
  select left(
    case when reference is null or strpos(said.subject, '[' || reference || ']') > 0 then '' else '[' || reference || '] ' end
      || coalesce(nullif(said.subject, ''), variables ->> 'organization.name', '-'),
    300
  )
  from (
    -- Also what only looks like the end of a line, so that no part of it can become a header.
    select btrim(regexp_replace(app_hidden.fill_in(template, variables), '[[:cntrl:][:space:]]+', ' ', 'g')) as subject
  ) as said
$$;

comment on function app_hidden.mail_subject(text, jsonb, text) is 'The subject of a mail: one line, and the reference of its ticket before it.';

create or replace function app_hidden.render_mail(subject text, body text, variables jsonb, lists jsonb, links jsonb, frame jsonb)
  returns app_public.mail_rendering
  language plpgsql immutable
  set search_path = ''
as $$
declare
  words constant jsonb := frame -> 'words';
  files constant jsonb := coalesce(lists -> 'files', '[]');
  notices constant jsonb := coalesce(lists -> 'notices', '[]');
  in_text constant jsonb := (
    select coalesce(jsonb_object_agg(value.key, app_hidden.without_gaps(value.value)), '{}') from jsonb_each_text(variables) as value
  ) || links || jsonb_strip_nulls(jsonb_build_object(
    'files', app_hidden.mail_files(files, words, false), 'notices', app_hidden.mail_notices(notices, words, false)
  ));
  in_html constant jsonb := (
    select coalesce(jsonb_object_agg(value.key, app_hidden.as_html(app_hidden.without_gaps(value.value))), '{}')
    from jsonb_each_text(variables) as value
  ) || links;
  rendering app_public.mail_rendering;
  paragraph text;
  alone text;
  said text;
  texts text[] := case when (frame ->> 'marker')::boolean then array[words ->> 'marker'] else '{}' end;
  htmls text[] := '{}';
begin
  rendering.subject := app_hidden.mail_subject(subject, variables, frame ->> 'reference');

  for paragraph in
    select btrim(piece.value, E' \t\n')
    from regexp_split_to_table(replace(body, chr(13), ''), '\n[[:blank:]]*\n') with ordinality as piece (value, position)
    order by piece.position
  loop
    said := btrim(app_hidden.fill_in(paragraph, in_text), E'\n');
    continue when said !~ '\S';
    texts := texts || said;

    alone := substring(paragraph from '^\{\{\s*([a-z_.]+)\s*\}\}$');
    htmls := htmls || case
      when alone = 'comment.body' then
        '<div class="said" style="margin:16px 0;padding:2px 0 2px 16px;border-left:3px solid #d6d9df">' || E'\n'
          || app_hidden.mail_paragraphs(in_html ->> alone, ' style="margin:10px 0"') || E'\n</div>'
      when alone = 'files' then app_hidden.mail_files(files, words, true)
      when alone = 'notices' then app_hidden.mail_notices(notices, words, true)
      when paragraph ~ '^([^\n{}]+:[[:blank:]]*\{\{\s*(link|ticket_link|survey_link(:[1-5])?)\s*\}\}[[:blank:]]*(\n|$))+$' then
        app_hidden.mail_buttons(paragraph, links, frame ->> 'color')
      else
        app_hidden.mail_paragraphs(
          app_hidden.fill_in(
            app_hidden.as_html(paragraph),
            in_html || jsonb_strip_nulls(jsonb_build_object('files', app_hidden.as_html(in_text ->> 'files'), 'notices', app_hidden.as_html(in_text ->> 'notices')))
          ),
          ' style="margin:14px 0"'
        )
    end;
  end loop;

  rendering.text_body := array_to_string(texts, E'\n\n') || E'\n\n-- \n' || (frame ->> 'name')
    || coalesce(E'\n' || nullif(frame ->> 'footer', ''), '') || E'\n';
  rendering.html_body := app_hidden.mail_document(rendering.subject, array_to_string(htmls, E'\n'), frame);
  return rendering;
end
$$;

comment on function app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb) is
  'Makes a mail of a template: `variables` are what people wrote, `lists` has `files` and `notices`, `links` are gaps, and `frame` says `language`, `words`, `name`, `color`, `footer`, `reference` and whether there is a `marker`.';

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

-- Queries and mutations of admins

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
  app_private.tg_organizations__found_mail(), app_hidden.built_in_mail_templates(), app_hidden.mail_variables(app_public.mail_kind), app_private.tg_mail_templates__refuse(),
  app_private.mail_template_for(app_public.organizations, app_public.mail_kind, text), app_hidden.mail_words(text),
  app_hidden.as_html(text), app_hidden.without_gaps(text), app_hidden.fill_gaps(text, jsonb, text), app_hidden.with_links(text),
  app_hidden.mail_paragraphs(text, text), app_hidden.ink_on(text), app_hidden.mail_buttons(text, jsonb, text),
  app_hidden.mail_document(text, text, jsonb), app_hidden.mail_files(jsonb, jsonb, boolean), app_hidden.mail_notices(jsonb, jsonb, boolean),
  app_hidden.mail_subject(text, jsonb, text), app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb),
  app_private.mail_frame(app_public.organizations, text), app_hidden.mail_as_shown(app_public.mail_rendering),
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages)
from public;

grant execute on function
  app_public.current_mail_settings(), app_public.mail_wordings(), app_public.save_mail_template(app_public.mail_kind, text, text, text),
  app_public.reset_mail_template(app_public.mail_kind, text),
  app_public.preview_mail_template(app_public.mail_kind, text, text, text, text, text, text),
  app_public.mail_messages_preview(app_public.mail_messages), app_hidden.mail_as_shown(app_public.mail_rendering),
  app_hidden.fill_gaps(text, jsonb, text)
to atum_admin;
