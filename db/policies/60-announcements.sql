select app_private.reset_access('app_private.announcement_queue');
-- NOTE: only the functions of announcements read and write it.
