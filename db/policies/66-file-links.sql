select app_private.reset_access('app_private.file_tokens');
-- NOTE: only the functions of links read and write them.
