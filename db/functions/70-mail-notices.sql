-- What a notification says in a mail: the facts of it in words, in the reader's language.

create or replace function app_hidden.notice_titles(language text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select case language
    when 'de' then '{
      "somebody": "Jemand", "mention": "{{actor_name}} hat Sie erwähnt", "note": "{{actor_name}} hat eine interne Notiz geschrieben",
      "ticket_created": "{{actor_name}} hat ein Ticket eröffnet", "team_changed": "Ein Ticket ist zu Ihrem Team gekommen",
      "assignee_changed": "{{actor_name}} hat Ihnen das Ticket zugewiesen", "comment_added": "{{actor_name}} hat geantwortet",
      "status_changed": "Das Ticket ist jetzt {{status}}", "approval_requested": "{{actor_name}} bittet um Ihre Freigabe",
      "approval_decided": "{{actor_name}} hat über die Freigabe entschieden: {{decision}}", "approved": "freigegeben", "declined": "abgelehnt", "rejected": "abgelehnt",
      "sla_warned": "Eine Zusage läuft bald ab", "sla_breached": "Eine Zusage wurde verfehlt", "sla_escalated": "Eine verfehlte Zusage wurde eskaliert",
      "due": "Fällig: {{due}}", "notice_sent": "Ein Hinweis zum Ticket", "mail_failed": "Eine Mail an {{name}} konnte nicht zugestellt werden",
      "attachment_blocked": "Die Datei {{name}} wurde gesperrt", "survey_answered": "Die Hilfe wurde bewertet: {{score}} von 5",
      "other": "Es gibt Neues zum Ticket",
      "alert_mail_failed": "Eine Mail an {{name}} konnte nicht zugestellt werden", "alert_file_blocked": "Die Datei {{name}} wurde gesperrt",
      "alert_scanner_away": "Der Virenscanner ist nicht erreichbar", "alert_scanner_away_text": "{{waiting}} Dateien warten darauf, geprüft zu werden.",
      "alert_mail_not_taken": "Eine Mail an {{name}} konnte nicht angenommen werden", "alert_mail_not_taken_text": "Von {{from}}: {{subject}}",
      "alert_mailbox_silent": "Das Postfach {{name}} lässt sich nicht lesen", "alert_webhook_disabled": "Der Webhook {{name}} wurde abgeschaltet",
      "alert_other": "Der Helpdesk braucht Ihre Aufmerksamkeit"
    }'::jsonb
    else '{
      "somebody": "Somebody", "mention": "{{actor_name}} mentioned you", "note": "{{actor_name}} wrote an internal note",
      "ticket_created": "{{actor_name}} opened a ticket", "team_changed": "A ticket came to your team",
      "assignee_changed": "{{actor_name}} assigned the ticket to you", "comment_added": "{{actor_name}} answered",
      "status_changed": "The ticket is {{status}} now", "approval_requested": "{{actor_name}} asks for your approval",
      "approval_decided": "{{actor_name}} decided about the approval: {{decision}}", "approved": "approved", "declined": "declined", "rejected": "rejected",
      "sla_warned": "A promised time is about to be missed", "sla_breached": "A promised time was missed", "sla_escalated": "A missed time was escalated",
      "due": "Due: {{due}}", "notice_sent": "A notice about the ticket", "mail_failed": "A mail to {{name}} could not be delivered",
      "attachment_blocked": "The file {{name}} was blocked", "survey_answered": "The help was rated: {{score}} of 5",
      "other": "There is something new about the ticket",
      "alert_mail_failed": "A mail to {{name}} could not be delivered", "alert_file_blocked": "The file {{name}} was blocked",
      "alert_scanner_away": "The virus scanner is away", "alert_scanner_away_text": "{{waiting}} files wait to be scanned.",
      "alert_mail_not_taken": "A mail to {{name}} could not be taken", "alert_mail_not_taken_text": "From {{from}}: {{subject}}",
      "alert_mailbox_silent": "The mailbox {{name}} cannot be read", "alert_webhook_disabled": "The webhook {{name}} was switched off",
      "alert_other": "The help desk needs you"
    }'::jsonb
  end
$$;

comment on function app_hidden.notice_titles(text) is 'What notifications are called in a mail, with variables for their facts.';

create or replace function app_hidden.notice_words(facts jsonb, language text, time_zone text, out title text, out body text)
  language plpgsql stable
  set search_path = ''
as $$
declare
  titles constant jsonb := app_hidden.notice_titles(language);
  words constant jsonb := app_hidden.mail_words(language);
  alert constant text := facts ->> 'alert';
  status constant text := facts ->> 'status';
  said constant jsonb := facts || jsonb_strip_nulls(jsonb_build_object(
    'actor_name', coalesce(nullif(facts ->> 'actor_name', ''), titles ->> 'somebody'),
    'status', coalesce(words ->> (case status when 'pending' then 'pending_status' else status end), status),
    'decision', coalesce(titles ->> (facts ->> 'decision'), facts ->> 'decision', facts ->> 'state'),
    'name', coalesce(facts ->> 'name', facts ->> 'address', facts ->> 'url', ''),
    'due', case when pg_input_is_valid(facts ->> 'due_at', 'timestamptz')
      then to_char((facts ->> 'due_at')::timestamptz at time zone notice_words.time_zone, 'YYYY-MM-DD HH24:MI') end
  ));
begin
  if alert is not null then
    title := app_hidden.fill_in(coalesce(titles ->> ('alert_' || alert), titles ->> 'alert_other'), said);
    body := concat_ws(
      E'\n', app_hidden.fill_in(titles ->> ('alert_' || alert || '_text'), said),
      facts ->> 'text', facts ->> 'signature', facts ->> 'detail', facts ->> 'error', facts ->> 'last_error', facts ->> 'url'
    );
  else
    title := app_hidden.fill_in(
      coalesce(
        case when facts ->> 'kind' in ('mention', 'note') then titles ->> (facts ->> 'kind') end, titles ->> (facts ->> 'event'),
        titles ->> 'other'
      ),
      said
    );
    body := concat_ws(
      E'\n', facts ->> 'text', facts ->> 'question', facts ->> 'excerpt',
      case when said ? 'due' then app_hidden.fill_in(titles ->> 'due', said) end
    );
  end if;
end
$$;

comment on function app_hidden.notice_words(jsonb, text, text) is
  'What the facts of a notification (`event`, `kind`, `actor_name`, …) or of an alert (`alert`, …) say in a language: a title and, where there is more, a text.';

create or replace function app_hidden.notice_path(facts jsonb, role app_public.user_role) returns text
  language sql immutable
  set search_path = ''
as $$
  select case
    when facts ->> 'number' is not null then
      case role when 'customer' then '/portal/tickets/' else '/desk/tickets/' end || (facts ->> 'number')
    when role = 'customer' then '/portal'
    else case facts ->> 'alert'
      when 'mail_failed' then '/desk/admin/outbox'
      when 'mail_not_taken' then '/desk/admin/incoming-mail'
      when 'mailbox_silent' then '/desk/admin/mailboxes'
      when 'webhook_disabled' then '/desk/admin/webhooks'
      when 'file_blocked' then '/desk/admin/quarantine'
      when 'scanner_away' then '/desk/admin/quarantine'
      else '/desk'
    end
  end
$$;

comment on function app_hidden.notice_path(jsonb, app_public.user_role) is 'Where one looks at what a notification tells of.';

revoke all on function
  app_hidden.notice_titles(text), app_hidden.notice_words(jsonb, text, text), app_hidden.notice_path(jsonb, app_public.user_role)
from public;
