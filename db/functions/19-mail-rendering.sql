-- How a mail is made. It is rendered where it is written, once, so that what is read later is what was said. The text of
-- a template makes both its plain text and its HTML: every value is escaped, paragraphs and links become markup, and
-- nothing is fetched from anywhere. Links that let somebody in stay gaps, `{{…}}`, until it is sent.

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

revoke all on function
  app_hidden.as_html(text), app_hidden.without_gaps(text), app_hidden.fill_gaps(text, jsonb, text), app_hidden.with_links(text),
  app_hidden.mail_paragraphs(text, text), app_hidden.ink_on(text), app_hidden.mail_buttons(text, jsonb, text),
  app_hidden.mail_document(text, text, jsonb), app_hidden.mail_files(jsonb, jsonb, boolean), app_hidden.mail_notices(jsonb, jsonb, boolean),
  app_hidden.mail_subject(text, jsonb, text), app_hidden.render_mail(text, text, jsonb, jsonb, jsonb, jsonb)
from public;

grant execute on function app_hidden.fill_gaps(text, jsonb, text) to atum_admin;
