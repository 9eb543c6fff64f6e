--! Previous: sha1:02ffff8e0c36201eb3fb2c3ab69712351c3c4a6f
--! Hash: sha1:bcdfb3583eee3400fac0062a75bc183d38cb5fe7
--! Message: words of ticket work

--! split: 001-words.sql
-- New words of the spine and of promises. They are a migration of their own because Postgres uses a new value of an
-- enum only after the transaction that added it.

alter type app_public.ticket_event_type add value 'state_changed';
alter type app_public.ticket_event_type add value 'requester_changed';
alter type app_public.ticket_event_type add value 'tags_changed';
alter type app_public.ticket_event_type add value 'custom_fields_changed';
alter type app_public.ticket_event_type add value 'watcher_added';
alter type app_public.ticket_event_type add value 'watcher_removed';
alter type app_public.ticket_event_type add value 'ticket_snoozed';
alter type app_public.ticket_event_type add value 'snooze_ended';
alter type app_public.ticket_event_type add value 'relationship_added';
alter type app_public.ticket_event_type add value 'relationship_removed';
alter type app_public.ticket_event_type add value 'ticket_merged';
alter type app_public.ticket_event_type add value 'merge_received';
alter type app_public.ticket_event_type add value 'merge_undone';
alter type app_public.ticket_event_type add value 'ticket_split';
alter type app_public.ticket_event_type add value 'time_recorded';
alter type app_public.ticket_event_type add value 'time_corrected';
alter type app_public.ticket_event_type add value 'checklist_changed';
alter type app_public.ticket_event_type add value 'approval_requested';
alter type app_public.ticket_event_type add value 'approval_decided';
alter type app_public.ticket_event_type add value 'approval_cancelled';
alter type app_public.ticket_event_type add value 'sla_warned';
alter type app_public.ticket_event_type add value 'sla_escalated';
alter type app_public.ticket_event_type add value 'automation_fired';
alter type app_public.ticket_event_type add value 'notice_sent';

alter type app_public.sla_target_kind add value 'next_response' before 'resolution';
