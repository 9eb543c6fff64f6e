--! Previous: sha1:9e95f186517aa41d21ca6963bc7987baf9194373
--! Hash: sha1:2d29ba5859ce7574ed17e850a92acd5bfe7205fe
--! Message: words of channels

--! split: 001-words.sql
-- New words of the spine. They are a migration of their own because Postgres uses a new value of an enum only after the
-- transaction that added it.

alter type app_public.ticket_event_type add value 'attachment_added';
alter type app_public.ticket_event_type add value 'attachment_blocked';
alter type app_public.ticket_event_type add value 'attachment_released';
alter type app_public.ticket_event_type add value 'attachment_removed';
alter type app_public.ticket_event_type add value 'mail_failed';
alter type app_public.ticket_event_type add value 'survey_sent';
alter type app_public.ticket_event_type add value 'survey_answered';
