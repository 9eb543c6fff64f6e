-- What mails say where nobody wrote another template, in each language.

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

revoke all on function
  app_hidden.built_in_mail_templates(), app_hidden.mail_variables(app_public.mail_kind), app_hidden.mail_words(text)
from public;
